/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "cluster.h"
#include "glob.h"
#include "json.h"
#include "objects.h"
#include "share.h"
#include "test.h"

/* The rules that decide what is listed, collected and kept. */

static void
test_glob(void)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} tv[] = {
		{ "*metrics.k8s.io/*", "metrics.k8s.io/v1beta1/", true },
		{ "*metrics.k8s.io/*", "custom.metrics.k8s.io/v1beta1/Foo",
		    true },
		{ "*metrics.k8s.io/*", "metrics.k8s.io", false },
		{ "webhook.certmanager.k8s.io/*",
		    "webhook.certmanager.k8s.io/v1beta1/", true },
		{ "v1/Event", "v1/Event", true },
		{ "v1/Event", "v1/", false },
		{ "v1/Event", "events.k8s.io/v1/Event", false },
		{ "v1/Event", "v1/EventList", false },
		{ "v1/*", "v1/", true },
		{ "v1/*", "apps/v1/", false },
		{ "apps/*/Deployment", "apps/v1/Deployment", true },
		{ "V1/Event", "v1/Event", false },
		{ "a*ab", "ab", false },
		{ "a*ab", "aab", true },
		{ "a*b*c", "a-b-b-c", true },
		{ "a*b*c", "a-c-b", false },
		{ "a?c", "abc", false },
		{ "[a]", "a", false },
		{ "[a]", "[a]", true },
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "***", "a/b", true },
	};
	char many[256], text[256];

	for (size_t i = 0; i < nitems(tv); i++)
		if (glob_match(tv[i].pattern, tv[i].text) != tv[i].match)
			want_str(tv[i].pattern, tv[i].text);
	/* a pattern that makes others try for ages */
	for (size_t i = 0; i + 1 < sizeof(many); i++) {
		many[i] = i % 2 == 0 ? '*' : 'a';
		text[i] = 'a';
	}
	many[sizeof(many) - 1] = text[sizeof(text) - 1] = '\0';
	many[sizeof(many) - 2] = 'b';
	want(!glob_match(many, text));
}

static void
test_share(void)
{
	static const struct {
		const char *text;
		uint64_t n, whole;
		bool exceeds;
	} tv[] = {
		{ "", 1000000, 1000000, false },
		{ "100", 100, 1000, false },
		{ "100", 101, 1000, true },
		{ "0", 0, 10, false },
		{ "0", 1, 10, true },
		{ "30%", 3, 10, false },
		{ "30%", 4, 10, true },
		{ "0%", 1, 1000000, true },
		{ "100%", 10, 10, false },
	};
	static const char *const bad[] = { "%", "x", "-1", "101%", "1.5%",
		"30 %", "10000000000" };
	struct fx_err err;
	struct share s;

	for (size_t i = 0; i < nitems(tv); i++) {
		want_int(share_parse(tv[i].text, &s, &err), FX_OK);
		want_int(share_exceeds(&s, tv[i].n, tv[i].whole),
		    tv[i].exceeds);
	}
	for (size_t i = 0; i < nitems(bad); i++)
		want_int(share_parse(bad[i], &s, &err), FX_ESYNTAX);
}

static void
test_keep(void)
{
	static const struct {
		const char *annotations;
		enum spare spare;
	} tv[] = {
		{ "{}", SPARE_NOT },
		{ "{\"fluxcd.io/ignore\":\"true\"}", SPARE_IGNORE },
		{ "{\"flux.weave.works/ignore\":\"true\"}", SPARE_IGNORE },
		{ "{\"fluxcd.io/ignore\":\"sync_only\"}", SPARE_SYNC_ONLY },
		{ "{\"flux.weave.works/ignore\":\"sync_only\"}",
		    SPARE_SYNC_ONLY },
		/* the newer prefix decides */
		{ "{\"fluxcd.io/ignore\":\"false\",\"flux.weave.works/"
		  "ignore\":\"true\"}",
		    SPARE_NOT },
		{ "{\"fluxcd.io/ignore\":\"True\"}", SPARE_NOT },
		{ "{\"fluxcd.io/ignore\":true}", SPARE_NOT },
		{ "{\"kustomize.toolkit.fluxcd.io/prune\":\"disabled\"}",
		    SPARE_PRUNE },
		{ "{\"kustomize.toolkit.fluxcd.io/prune\":\"enabled\"}",
		    SPARE_NOT },
		{ "{\"argocd.argoproj.io/sync-options\":\"Prune=false\"}",
		    SPARE_PRUNE },
		{ "{\"argocd.argoproj.io/sync-options\":\"A=b, "
		  "Delete=confirm\"}",
		    SPARE_PRUNE },
		{ "{\"argocd.argoproj.io/sync-options\":\"XPrune=false\"}",
		    SPARE_NOT },
		{ "{\"argocd.argoproj.io/sync-options\":\", ,\"}", SPARE_NOT },
	};
	struct fx_err err;

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_json json_t *j =
		    sw_json(tv[i].annotations, strlen(tv[i].annotations), &err);

		want_int(spare_read(j), tv[i].spare);
	}
	want_int(spare_read(NULL), SPARE_NOT);
}

/* ---- the table of objects --------------------------------------------- */

static struct object *
make(const char *id, const char *api_version, uint64_t index)
{
	struct object *o = object_new(NULL, id, "ns", "name");

	o->source = xstrdup("");
	o->api_version = api_version;
	o->index = index;
	return o;
}

static void
test_groups(void)
{
	static const struct {
		const char *a, *b;
		bool same;
	} tv[] = {
		{ "v1", "v1", true },
		{ "v1", "v2", true },
		{ "apps/v1", "apps/v1beta1", true },
		{ "apps/v1", "v1", false },
		{ "apps/v1", "app/v1", false },
		{ "a.b/v1", "a.c/v1", false },
	};
	struct objects t;
	struct object *core = make("ns:service/name", "v1", 1);
	struct object *knative = make("ns:service/name", "serving/v1", 2);

	for (size_t i = 0; i < nitems(tv); i++) {
		want_int(api_same_group(tv[i].a, tv[i].b), tv[i].same);
		want_int(api_same_group(tv[i].b, tv[i].a), tv[i].same);
	}
	objects_init(&t, 7);
	objects_add(&t, core);
	objects_add(&t, knative);
	want(objects_by_id(&t, core->id, "v1") == core);
	want(objects_by_id(&t, core->id, "serving/v1beta1") == knative);
	want(objects_by_id(&t, core->id, "other/v1") == NULL);
	want(objects_by_id(&t, "ns:service/other", "v1") == NULL);
	want(objects_by_index(&t, core->id, 2) == knative);
	want(objects_by_index(&t, core->id, 3) == NULL);
	objects_remove(&t, knative);
	want(objects_by_id(&t, core->id, "serving/v1") == NULL);
	want(objects_by_id(&t, core->id, "v1") == core);
	object_free(&knative);
	objects_clear(&t);
}

int
main(void)
{
	test_run("patterns of kinds", test_glob);
	test_run("a ceiling as a number or a share", test_share);
	test_run("what annotations keep an object", test_keep);
	test_run("one id in two API groups is two objects", test_groups);
	return test_done();
}
