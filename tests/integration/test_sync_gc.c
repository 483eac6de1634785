/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "str.h"
#include "sync_bed.h"
#include "test.h"

#include <stdlib.h>
#include <unistd.h>

/*
 * Garbage collection against a real API server: what goes, what stays, what is
 * logged, and what it costs.
 */

#define DELETING                                                               \
	"info=\"cluster resource not in resources to be synced; deleting\" "   \
	"dry-run=%s resource=%s\n"

#define WAIT_US (60 * CLK_SEC)

static struct bed bed;
static char one[64], three[64], crd_group[64];

/* ---- the set ---------------------------------------------------------- */

static const char deployment[] =
    ",\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{"
    "\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{"
    "\"name\":\"c\",\"image\":\"i\"}]}}}";

static void
add_map(const char *ns, const char *name)
{
	bed_add(&bed, "v1", "ConfigMap", ns, name, ",\"data\":{\"a\":\"1\"}");
}

/* The five of upstream's own test. */
static void
fill(void)
{
	static unsigned runs;

	bed_free_set(&bed);
	runs++;
	bed.url = xasprintf("git@host:gc-%d-%u", (int)getpid(), runs);
	snprintf(one, sizeof(one), "gc-%d-%u-one", (int)getpid(), runs);
	snprintf(three, sizeof(three), "gc-%d-%u-three", (int)getpid(), runs);
	bed_add(&bed, "v1", "Namespace", "", one, "");
	bed_add(&bed, "v1", "Namespace", "", three, "");
	bed_add(&bed, "apps/v1", "Deployment", one, "dep1", deployment);
	bed_add(&bed, "apps/v1", "Deployment", one, "dep2", deployment);
	bed_add(&bed, "apps/v1", "Deployment", three, "dep3", deployment);
}

static void
set_gone(const char *name, bool gone)
{
	bed_find(&bed, name)->gone = gone;
	bed_commit(&bed);
}

/* The set has these, "a b c", and no others; "*": all. */
static void
set_is(const char *names)
{
	auto_free char *list = xasprintf(" %s ", names);

	for (size_t i = 0; i < bed.nres; i++) {
		const struct bed_res *r = &bed.res[i];
		const char *name = strcmp(r->name, one) == 0 ? "ns1"
		    : strcmp(r->name, three) == 0	     ? "ns3"
							     : r->name;
		auto_free char *word = xasprintf(" %s ", name);

		bed.res[i].gone =
		    strcmp(names, "*") != 0 && strstr(list, word) == NULL;
	}
	bed_commit(&bed);
}

/* ---- the worker ------------------------------------------------------- */

static void
start(const char *settings[][2])
{
	bed.nsettings = 0;
	for (size_t i = 0; settings != NULL && settings[i][0] != NULL; i++)
		bed_set(&bed, settings[i][0], settings[i][1]);
	bed_start(&bed, getenv("BED_KUBECONFIG"), NULL, NULL, NULL, NULL, NULL);
	want(bed.is_ready);
}

static const char *off[][2] = { { NULL, NULL } };
static const char *on[][2] = { { "sync-garbage-collection", "true" },
	{ NULL, NULL } };
static const char *dry[][2] = { { "sync-garbage-collection-dry", "true" },
	{ NULL, NULL } };

static struct bed_result
sync_clean(void)
{
	struct bed_result r = bed_apply(&bed);

	want_str(r.err.text, "");
	want_str(r.errors, "");
	return r;
}

static bool
has_deleted(const struct bed_result *r)
{
	return r->applied.deleted != 0;
}

static bool
has_no_errors(const struct bed_result *r)
{
	return r->nerrors == 0;
}

/* What somebody did is collected, once the worker has heard of it. */
static struct bed_result
sync_deleting(void)
{
	struct bed_result r = bed_apply_until(&bed, has_deleted);

	want_str(r.err.text, "");
	want_str(r.errors, "");
	return r;
}

/* Requests since the mark.  Controllers change Deployments in their own time: a
 * deletion that one of them was ahead of is refused, and costs a look and a
 * deletion more, which are not counted. */
static unsigned
asked(long mark)
{
	return bed_audit(mark, NULL, NULL) -
	    2 * bed_audit_conflicts(mark, "delete");
}

static unsigned
deletions(long mark)
{
	return bed_audit(mark, "delete", NULL) -
	    bed_audit_conflicts(mark, "delete");
}

/* A request by hand; kubectl would take ten times as long. */
static bool
ask(const char *how, const char *path)
{
	auto_free char *cmd =
	    xasprintf("curl -sf --noproxy '*' --cacert '%s' -o /dev/null -A "
		      "bed-test -H \"Authorization: Bearer $BED_API_TOKEN\" %s "
		      "'%s%s'",
		getenv("BED_API_CA"), how, getenv("BED_API_URL"), path);

	return system(cmd) == 0;
}

static bool
has(const char *kind, const char *ns, const char *name)
{
	static const struct {
		const char *kind, *api, *resource;
	} paths[] = {
		{ "namespace", "/api/v1", "namespaces" },
		{ "configmap", "/api/v1", "configmaps" },
		{ "event", "/api/v1", "events" },
		{ "deployment", "/apis/apps/v1", "deployments" },
		{ "crd", "/apis/apiextensions.k8s.io/v1",
		    "customresourcedefinitions" },
		{ "apiservice", "/apis/apiregistration.k8s.io/v1",
		    "apiservices" },
	};
	auto_free char *path = NULL;

	for (size_t i = 0; i < nitems(paths); i++)
		if (strcmp(kind, paths[i].kind) == 0)
			path = xasprintf("%s%s%s/%s/%s", paths[i].api,
			    ns[0] != '\0' ? "/namespaces/" : "", ns,
			    paths[i].resource, name);
	if (path == NULL) /* the path of a custom resource */
		path = xasprintf("%s/%s", kind, name);
	return ask("", path);
}

/* A ConfigMap made by hand, with this value of the mark. */
static void
make_map(const char *name, const char *mark, const char *more)
{
	auto_free char *path =
	    xasprintf("/api/v1/namespaces/%s/configmaps", one);
	auto_free char *post =
	    xasprintf("-H 'Content-Type: application/json' -d '{\"metadata\":{"
		      "\"name\":\"%s\",\"labels\":{\"fluxcd.io/"
		      "sync-gc-mark\":\"%s\"}%s}}'",
		name, mark, more);

	want(ask(post, path));
}

/* Within a while: a namespace goes in several steps. */
static bool
is_gone(const char *kind, const char *ns, const char *name)
{
	int64_t end = clk_now_us() + WAIT_US;

	do {
		if (!has(kind, ns, name))
			return true;
		bed_serve(&bed, 100 * CLK_MS);
	} while (clk_now_us() < end);
	return false;
}

static unsigned
logged_deletion(const char *dry_run, const char *ns, const char *kind,
    const char *name)
{
	auto_free char *id =
	    xasprintf("%s:%s/%s", ns[0] != '\0' ? ns : "<cluster>", kind, name);
	auto_free char *line = xasprintf(DELETING, dry_run, id);

	return bed_logged(&bed, line);
}

/* Where the log says it for the last time. */
static size_t
deletion_at(const char *ns, const char *kind, const char *name)
{
	auto_free char *id =
	    xasprintf("%s:%s/%s", ns[0] != '\0' ? ns : "<cluster>", kind, name);
	auto_free char *line = xasprintf(DELETING, "false", id);
	const char *log = (const char *)buf_head(&bed.log);
	size_t n = strlen(line), at = SIZE_MAX;

	for (size_t i = 0; i + n <= buf_left(&bed.log); i++)
		if (memcmp(log + i, line, n) == 0)
			at = i;
	want(at != SIZE_MAX);
	return at;
}

/* ---- upstream's table ------------------------------------------------- */

static void
sync_three(void)
{
	set_is("ns1 dep1");
	(void)sync_clean();
	set_is("ns1 dep1 dep2");
	(void)sync_clean();
	set_is("ns3 dep3");
	(void)sync_clean();
}

static void
want_all_five(void)
{
	want(has("namespace", "", one));
	want(has("namespace", "", three));
	want(has("deployment", one, "dep1"));
	want(has("deployment", one, "dep2"));
	want(has("deployment", three, "dep3"));
}

static void
test_off(void)
{
	fill();
	start(off);
	sync_three();
	want_all_five();
	bed_stop(&bed);
}

static void
test_dry(void)
{
	struct bed_result r;

	start(dry);
	set_is("ns1 dep2 ns3 dep3");
	r = sync_clean();
	want_int(r.applied.deleted, 0);
	want_int(logged_deletion("true", one, "deployment", "dep1"), 1);
	set_is("");
	(void)sync_clean();
	want_int(logged_deletion("true", "", "namespace", three), 1);
	want_int(bed_logged(&bed, "not in resources to be synced"), 6);
	want_int(bed_logged(&bed, "dry-run=false"), 0);
	want_all_five();
	bed_stop(&bed);
}

static void
test_on(void)
{
	struct bed_result r;
	long mark;

	start(on);
	set_is("ns1 dep2 ns3 dep3");
	mark = bed_audit_mark();
	r = sync_clean();
	want_int(r.applied.deleted, 1);
	want_int(deletions(mark), 1);
	want_int(logged_deletion("false", one, "deployment", "dep1"), 1);
	want(is_gone("deployment", one, "dep1"));
	set_is("ns1 dep1 dep2");
	mark = bed_audit_mark();
	r = sync_clean();
	want_int(r.applied.deleted, 2);
	want(has("deployment", one, "dep1"));
	want(is_gone("deployment", three, "dep3"));
	want(is_gone("namespace", "", three));
	/* no GET before a deletion, and no list: two kinds are watched */
	want_int(deletions(mark), 2);
	want_int(bed_audit(mark, "list", NULL), 0);
	set_is("");
	r = sync_clean();
	want_int(r.applied.deleted, 3);
	/* the other way round than they were applied */
	want(deletion_at(one, "deployment", "dep2") <
	    deletion_at(one, "deployment", "dep1"));
	want(deletion_at(one, "deployment", "dep1") <
	    deletion_at("", "namespace", one));
	want(is_gone("deployment", one, "dep2"));
	want(is_gone("namespace", "", one));
	bed_stop(&bed);
}

/* After a restart the strays are found again, in kinds that git no longer has,
 * too; and a delta that only says what is gone is as good as a whole set. */
static void
test_restart(void)
{
	struct bed_result r;
	long mark;

	fill();
	add_map(one, "map");
	start(off);
	set_is("*");
	(void)sync_clean();
	bed_stop(&bed);
	set_is("ns1 dep1 dep2");
	start(on);
	r = sync_clean();
	want_int(r.applied.deleted, 3);
	want(is_gone("configmap", one, "map"));
	want(is_gone("deployment", three, "dep3"));
	bed.deltas = true;
	set_gone("dep2", true);
	mark = bed_audit_mark();
	r = sync_clean();
	want_int(r.applied.deleted, 1);
	want_int(asked(mark), 1);
	want(is_gone("deployment", one, "dep2"));
	bed.deltas = false;
	bed_stop(&bed);
}

/* ---- what it costs ---------------------------------------------------- */

static void
test_nothing(void)
{
	struct bed_result r;
	long mark;

	start(on);
	(void)sync_clean();
	mark = bed_audit_mark();
	for (int i = 0; i < 3; i++) {
		r = sync_clean();
		want_int(r.applied.patched + r.applied.deleted, 0);
		bed_serve(&bed, 300 * CLK_MS);
	}
	want_int(bed_audit(mark, NULL, NULL), 0);
	want_int(bed.drift, 0);
}

/* What somebody brings back is collected again, in a kind that git had. */
static void
test_brought_back(void)
{
	auto_free char *mark = bed_mark(&bed, one, "Deployment", "dep2");
	struct bed_result r;
	long at;

	want(bed_kubectl("-n %s create deployment dep2 --image=i", one));
	want(bed_kubectl("-n %s label deployment dep2 "
			 "fluxcd.io/sync-gc-mark=%s",
	    one, mark));
	at = bed_audit_mark();
	r = sync_deleting();
	want_int(r.applied.deleted, 1);
	want_int(asked(at), 1);
	want(is_gone("deployment", one, "dep2"));
	bed_stop(&bed);
}

/* ---- what stays ------------------------------------------------------- */

/* Each of them is marked as ours would be, by hand. */
static void
test_stays(void)
{
	static const struct {
		const char *name, *annotations, *info;
	} tv[] = {
		{ "ignored", ",\"annotations\":{\"fluxcd.io/ignore\":\"true\"}",
		    "skipping GC of cluster resource; resource has ignore "
		    "policy true" },
		{ "ignored-old",
		    ",\"annotations\":{\"flux.weave.works/ignore\":\"true\"}",
		    "skipping GC of cluster resource; resource has ignore "
		    "policy true" },
		{ "sync-only",
		    ",\"annotations\":{\"fluxcd.io/ignore\":\"sync_only\"}",
		    "skipping GC of cluster resource; resource has ignore "
		    "policy sync_only " },
		{ "kustomize",
		    ",\"annotations\":{\"kustomize.toolkit.fluxcd.io/"
		    "prune\":\"disabled\"}",
		    "skipping GC of cluster resource; an annotation says not "
		    "to prune it" },
		{ "argo",
		    ",\"annotations\":{\"argocd.argoproj.io/"
		    "sync-options\":\"Validate=false,Prune=false\"}",
		    "skipping GC of cluster resource; an annotation says not "
		    "to prune it" },
		{ "goes", ",\"annotations\":{\"fluxcd.io/ignore\":\"false\"}",
		    "cluster resource not in resources to be synced; "
		    "deleting" },
	};
	struct bed_result r;

	start(on);
	set_is("ns1");
	(void)sync_clean();
	bed_stop(&bed);
	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *mark =
		    bed_mark(&bed, one, "ConfigMap", tv[i].name);

		make_map(tv[i].name, mark, tv[i].annotations);
	}
	start(on);
	r = sync_clean();
	want_int(r.applied.deleted, 1);
	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *line = xasprintf("info=\"%s\" dry-run=false "
						 "resource=%s:configmap/%s\n",
		    tv[i].info, one, tv[i].name);

		if (bed_logged(&bed, line) != 1)
			want_str(tv[i].name, line);
		want(has("configmap", one, tv[i].name) ==
		    (strcmp(tv[i].name, "goes") != 0));
	}
	/* as soon as nothing holds it any more it goes */
	want(bed_kubectl("-n %s annotate configmap ignored fluxcd.io/ignore-",
	    one));
	r = sync_deleting();
	want_int(r.applied.deleted, 1);
	want(is_gone("configmap", one, "ignored"));
	bed_stop(&bed);
}

/* A30: labels of others make nothing ours. */
static void
test_forged(void)
{
	auto_free char *other = bed_mark(&bed, one, "ConfigMap", "original");
	auto_free char *owned = bed_mark(&bed, one, "ConfigMap", "owned");
	auto_free char *uid = NULL, *owner = NULL;
	struct bed_result r;

	make_map("copy", other, "");
	make_map("odd", "x", "");
	/* what somebody else owns is his to delete */
	uid = bed_kubectl_get("get namespace default -o "
			      "jsonpath={.metadata.uid}");
	owner =
	    xasprintf(",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":"
		      "\"Namespace\",\"name\":\"default\",\"uid\":\"%s\"}]",
		uid);
	make_map("owned", owned, owner);
	start(on);
	r = sync_clean();
	want_int(r.applied.deleted, 0);
	want(has("configmap", one, "copy"));
	want(has("configmap", one, "odd"));
	want(has("configmap", one, "owned"));
	bed_stop(&bed);
}

/* In git, whatever became of it there. */
static void
test_in_git(void)
{
	struct bed_result r;
	auto_free char *value = NULL;

	add_map(one, "kept");
	add_map(one, "left");
	start(on);
	set_is("ns1 kept left");
	(void)sync_clean();
	/* ignored in git, with another content: neither updated nor deleted */
	bed_find(&bed, "kept")->ignored = true;
	bed_find(&bed, "kept")->version++;
	free(bed_find(&bed, "kept")->rest);
	bed_find(&bed, "kept")->rest = xstrdup(",\"data\":{\"a\":\"2\"}");
	bed_commit(&bed);
	r = sync_clean();
	want_int(r.applied.deleted, 0);
	value = bed_kubectl_get("-n %s get configmap kept -o "
				"jsonpath={.data.a}",
	    one);
	want_str(value, "1");
	{
		auto_free char *line = xasprintf(
		    "warning=\"resource to be synced has not been updated; "
		    "skipping\" dry-run=false resource=%s:configmap/kept\n",
		    one);

		want_int(bed_logged(&bed, line), 1);
	}
	bed_find(&bed, "kept")->ignored = false;
	/* the server refuses it: it is kept, and it is an error */
	free(bed_find(&bed, "kept")->rest);
	bed_find(&bed, "kept")->rest = xstrdup(",\"data\":{\"a\":7}");
	bed_commit(&bed);
	r = bed_apply(&bed);
	want_int(r.applied.errors, 1);
	want_int(r.applied.deleted, 0);
	want(has("configmap", one, "kept"));
	/* ignored in the cluster: kept although it left git, whether the worker
	 * has heard of that or not */
	want(bed_kubectl("-n %s annotate configmap left fluxcd.io/ignore=true",
	    one));
	set_is("ns1");
	r = sync_clean();
	want_int(r.applied.deleted, 1); /* kept */
	want(has("configmap", one, "left"));
	bed_stop(&bed);
}

static void
test_incomplete(void)
{
	struct bed_result r;

	add_map(one, "some");
	start(on);
	set_is("ns1 some");
	(void)sync_clean();
	bed.incomplete = true;
	set_is("ns1");
	r = sync_clean();
	want_int(r.applied.deleted, 0);
	want_int(bed_logged(&bed, "not collecting garbage"), 1);
	want(has("configmap", one, "some"));
	bed.incomplete = false;
	r = sync_clean();
	want_int(r.applied.deleted, 1);
	bed_stop(&bed);
}

/* A29: a move in git that takes most of it away. */
static void
test_limit(void)
{
	static const struct {
		const char *limit;
		int gone; /* of ten maps and a namespace */
		bool refused;
	} tv[] = {
		{ "30%", 4, true },
		{ "30%", 3, false },
		{ "2", 3, true },
		{ "3", 3, false },
		{ "0", 1, true },
		{ "100%", 10, false },
	};
	char name[32];
	struct bed_result r;

	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "limit-%d", i);
		add_map(one, name);
	}
	for (size_t i = 0; i < nitems(tv); i++) {
		const char *settings[][2] = { { "sync-garbage-collection",
						  "true" },
			{ "sync-gc-limit", tv[i].limit }, { NULL, NULL } };
		auto_free char *flag =
		    xasprintf("more than --sync-gc-limit=%s allows; nothing "
			      "is deleted",
			tv[i].limit);

		start(settings);
		set_is("ns1 limit-0 limit-1 limit-2 limit-3 limit-4 limit-5 "
		       "limit-6 limit-7 limit-8 limit-9");
		(void)sync_clean();
		for (int j = 0; j < tv[i].gone; j++) {
			snprintf(name, sizeof(name), "limit-%d", j);
			bed_find(&bed, name)->gone = true;
		}
		bed_commit(&bed);
		r = bed_apply(&bed);
		want_str(r.err.text, "");
		want_int(r.applied.deleted, tv[i].refused ? 0 : tv[i].gone);
		want_int(r.applied.errors, tv[i].refused);
		want_int(strstr(r.errors, flag) != NULL, tv[i].refused);
		want_int(r.applied.unchanged, 11 - tv[i].gone);
		bed_stop(&bed);
	}
}

/* A28, and kinds that may not go. */
static void
test_protected(void)
{
	const char *kinds[][2] = { { "sync-garbage-collection", "true" },
		{ "sync-gc-protect", "Secret" },
		{ "sync-gc-protect", "namespace" }, { NULL, NULL } };
	const char *spaces[][2] = { { "sync-garbage-collection", "true" },
		{ "k8s-protect-namespace", one }, { NULL, NULL } };
	struct bed_result r;

	fill();
	add_map(one, "guarded");
	start(off);
	set_is("*");
	(void)sync_clean();
	bed_stop(&bed);
	start(kinds);
	set_is("ns1 guarded dep1 dep2");
	r = sync_clean();
	want_int(r.applied.deleted, 1);
	want(is_gone("deployment", three, "dep3"));
	want(has("namespace", "", three));
	want_int(bed_logged(&bed, "its kind is protected"), 1);
	bed_stop(&bed);
	/* neither applied nor deleted, the namespace itself included */
	start(spaces);
	bed_find(&bed, "guarded")->version++;
	set_is("guarded");
	r = sync_clean();
	want_int(r.applied.patched, 0);
	want_int(r.applied.ignored, 1);
	want_int(r.applied.deleted, 1); /* the other namespace */
	want_int(bed_logged(&bed, "excluded by namespace constraints"), 1);
	want(has("namespace", "", one));
	want(has("deployment", one, "dep1"));
	bed_stop(&bed);
}

/* Upstream deletes the namespace here although git has it. */
static void
test_restricted(void)
{
	const char *settings[][2] = { { "sync-garbage-collection", "true" },
		{ "k8s-allow-namespace", one }, { NULL, NULL } };
	struct bed_result r;

	fill();
	add_map(three, "outside");
	add_map(one, "inside");
	start(off);
	set_is("*");
	(void)sync_clean();
	bed_stop(&bed);
	start(settings);
	set_is("ns1 ns3 inside dep1");
	r = sync_clean();
	want_int(r.applied.deleted, 1); /* dep2 */
	want(has("namespace", "", three));
	want(has("configmap", three, "outside"));
	want(has("deployment", three, "dep3"));
	set_is("ns1");
	r = sync_clean();
	want_int(r.applied.deleted, 2);
	want(has("namespace", "", three));
	want(is_gone("configmap", one, "inside"));
	bed_stop(&bed);
}

static void
test_excluded(void)
{
	const char *settings[][2] = { { "sync-garbage-collection", "true" },
		{ "k8s-unsafe-exclude-resource", "v1/ConfigMap" },
		{ "k8s-unsafe-exclude-resource", "apps/*" }, { NULL, NULL } };
	auto_free char *value = NULL;
	struct bed_result r;
	long mark;

	fill();
	add_map(one, "first");
	add_map(one, "second");
	start(off);
	set_is("*");
	(void)sync_clean();
	bed_stop(&bed);
	/* applied although it is ignored in the cluster, never collected, and
	 * not listed at all */
	want(bed_kubectl("-n %s annotate configmap first fluxcd.io/ignore=true",
	    one));
	want(bed_kubectl("-n %s patch configmap first --type=merge "
			 "-p '{\"data\":{\"a\":\"foreign\"}}'",
	    one));
	mark = bed_audit_mark();
	start(settings);
	set_is("ns1 ns3 first");
	r = sync_clean();
	want_int(r.applied.patched, 1);
	want_int(r.applied.deleted, 0);
	value = bed_kubectl_get("-n %s get configmap first -o "
				"jsonpath={.data.a}",
	    one);
	want_str(value, "1");
	want(has("configmap", one, "second"));
	want(has("deployment", one, "dep1"));
	want_int(bed_audit(mark, "list", "configmaps"), 0);
	want_int(bed_audit(mark, "watch", "configmaps"), 0);
	want_int(bed_audit(mark, "get", "configmaps"), 0);
	bed_stop(&bed);
}

/* ---- preconditions ---------------------------------------------------- */

/* What changed after the judgement is judged again, not deleted unseen. */
static void
test_finalizer(void)
{
	struct bed_result r;
	long mark;

	fill();
	add_map(one, "held");
	start(on);
	set_is("ns1 held");
	(void)sync_clean();
	want(bed_kubectl("-n %s patch configmap held --type=merge -p "
			 "'{\"metadata\":{\"finalizers\":[\"test/held\"]}}'",
	    one));
	set_is("ns1");
	mark = bed_audit_mark();
	r = sync_clean();
	want_int(r.applied.deleted, 1);
	want_int(asked(mark), 1); /* nobody waits for it to be gone */
	want(has("configmap", one, "held"));
	r = sync_clean();
	want_int(r.applied.deleted, 0);
	want_int(bed_logged(&bed, "cluster resource is still being deleted"),
	    1);
	/* back in git while it goes: an error until it is gone, then anew */
	set_is("ns1 held");
	r = bed_apply(&bed);
	want(strstr(r.errors, "being deleted") != NULL);
	want(bed_kubectl("-n %s patch configmap held --type=merge -p "
			 "'{\"metadata\":{\"finalizers\":null}}'",
	    one));
	r = bed_apply_until(&bed, has_no_errors);
	want_str(r.errors, "");
	want(has("configmap", one, "held"));
	bed_stop(&bed);
}

/* ---- kinds of one name in two groups ---------------------------------- */

static void
add_crd(const char *group, const char *plural)
{
	auto_free char *name = xasprintf("%s.%s", plural, group);
	auto_free char *spec = xasprintf(
	    ",\"spec\":{\"group\":\"%s\",\"scope\":\"Namespaced\",\"names\":{"
	    "\"plural\":\"%s\",\"kind\":\"ConfigMap\"},\"versions\":[{"
	    "\"name\":\"v1\",\"served\":true,\"storage\":true,\"schema\":{"
	    "\"openAPIV3Schema\":{\"type\":\"object\","
	    "\"x-kubernetes-preserve-unknown-fields\":true}}}]}",
	    group, plural);

	bed_add(&bed, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "",
	    name, spec);
}

static void
test_groups(void)
{
	auto_free char *gv = NULL, *kind = NULL, *crd = NULL;
	struct bed_result r;

	fill();
	snprintf(crd_group, sizeof(crd_group), "g%d.example.com",
	    (int)getpid());
	gv = xasprintf("%s/v1", crd_group);
	kind =
	    xasprintf("/apis/%s/v1/namespaces/%s/configmaps", crd_group, one);
	crd = xasprintf("configmaps.%s", crd_group);
	add_crd(crd_group, "configmaps");
	add_map(one, "twin");
	bed_add(&bed, gv, "ConfigMap", one, "twin", ",\"x\":1");
	start(on);
	set_is("*");
	r = sync_clean();
	want_int(r.applied.patched, bed.nres);
	want(has("configmap", one, "twin"));
	want(has(kind, one, "twin"));
	/* the other group's has the same id and the same mark */
	bed.deltas = true;
	bed.res[bed.nres - 1].gone = true;
	bed_commit(&bed);
	r = sync_clean();
	want_int(r.applied.deleted, 1);
	want(is_gone(kind, one, "twin"));
	want(has("configmap", one, "twin"));
	bed.deltas = false;
	/* the kind goes with what it has */
	set_is("ns1 twin");
	bed.res[bed.nres - 1].gone = true;
	(void)sync_clean();
	want(is_gone("crd", "", crd));
	(void)sync_clean();
	bed_stop(&bed);
}

/* Both groups show one and the same object. */
static void
test_same_object(void)
{
	const char *settings[][2] = { { "sync-garbage-collection", "true" },
		{ "k8s-unsafe-exclude-resource", "nothing" }, { NULL, NULL } };
	auto_free char *rest = NULL;
	struct bed_result r;
	long mark;

	fill();
	rest = xasprintf(
	    ",\"eventTime\":\"2020-01-01T00:00:00.000000Z\",\"action\":\"a\","
	    "\"reason\":\"r\",\"type\":\"Normal\",\"regarding\":{\"namespace\":"
	    "\"%s\"},\"reportingController\":\"test/c\","
	    "\"reportingInstance\":\"i\"",
	    one);
	bed_add(&bed, "events.k8s.io/v1", "Event", one, "happened", rest);
	start(settings);
	set_is("ns1 happened");
	(void)sync_clean();
	bed_stop(&bed);
	/* the core group lists it, too, but it is in git */
	start(settings);
	r = sync_clean();
	want_int(r.applied.deleted, 0);
	want(has("event", one, "happened"));
	set_is("ns1");
	mark = bed_audit_mark();
	r = sync_clean();
	want_int(r.applied.deleted, 1);
	want_int(deletions(mark), 1);
	want(is_gone("event", one, "happened"));
	bed_stop(&bed);
}

/* Does the API server say so, where the worker looks? */
static bool
is_said_down(const char *group)
{
	auto_free char *cmd =
	    xasprintf("curl -sf --noproxy '*' --cacert '%s' -A bed-test -H "
		      "\"Authorization: Bearer $BED_API_TOKEN\" -H 'Accept: "
		      "application/json;g=apidiscovery.k8s.io;v=v2;as="
		      "APIGroupDiscoveryList' '%s/apis' | jq -e '.items[] | "
		      "select(.metadata.name == \"%s\").versions[0].freshness "
		      "== "
		      "\"Stale\"' >/dev/null",
		getenv("BED_API_CA"), getenv("BED_API_URL"), group);

	return system(cmd) == 0;
}

/* A group whose server is down is nobody else's trouble. */
static void
test_group_down(void)
{
	auto_free char *group = xasprintf("down%d.example.com", (int)getpid());
	auto_free char *name = xasprintf("v1.%s", group);
	auto_free char *spec =
	    xasprintf(",\"spec\":{\"group\":\"%s\",\"version\":\"v1\","
		      "\"groupPriorityMinimum\":100,\"versionPriority\":10,"
		      "\"insecureSkipTLSVerify\":true,\"service\":{\"name\":"
		      "\"none\","
		      "\"namespace\":\"default\"}}",
		group);
	auto_free char *told = xasprintf("%s/v1/*", group);
	struct bed_result r;
	int64_t end;

	fill();
	add_map(one, "some");
	bed_add(&bed, "apiregistration.k8s.io/v1", "APIService", "", name,
	    spec);
	start(on);
	set_is("*");
	(void)sync_clean();
	bed_stop(&bed);
	/* the API server takes a moment to find out and to say so */
	end = clk_now_us() + WAIT_US;
	while (!is_said_down(group) && clk_now_us() < end)
		usleep(50000);
	want(is_said_down(group));
	start(on);
	set_is("*");
	bed_find(&bed, "some")->gone = true;
	bed_commit(&bed);
	r = sync_clean();
	want_int(r.applied.deleted, 1);
	want(is_gone("configmap", one, "some"));
	want_int(bed_logged(&bed, told), 1);
	(void)sync_clean();
	want_int(bed_logged(&bed, told), 1);
	set_is("");
	r = sync_clean();
	want_int(r.applied.deleted, 6);
	want(is_gone("apiservice", "", name));
	bed_stop(&bed);
}

/* ---- former sets ------------------------------------------------------ */

static void
test_former(void)
{
	auto_free char *former = NULL;
	const char *settings[][2] = { { "sync-garbage-collection", "true" },
		{ "sync-gc-former", NULL }, { NULL, NULL } };
	struct bed_result r;

	fill();
	add_map(one, "moved");
	add_map(one, "dropped");
	start(off);
	set_is("*");
	(void)sync_clean();
	bed_stop(&bed);
	former = fx_steal(&bed.set_name);
	free(bed.url);
	bed.url = xasprintf("git@host:moved-%d", (int)getpid());
	set_is("ns1 ns3 moved dep1 dep2 dep3");
	/* whose the others are, nobody can know */
	start(on);
	r = sync_clean();
	want_int(r.applied.patched, 6); /* marked anew */
	want_int(r.applied.deleted, 0);
	want(has("configmap", one, "dropped"));
	bed_stop(&bed);
	settings[1][1] = former;
	start(settings);
	r = sync_clean();
	want_int(r.applied.deleted, 1);
	want(is_gone("configmap", one, "dropped"));
	want(has("configmap", one, "moved"));
	bed_stop(&bed);
}

/* ---- an account that may do little ------------------------------------ */

static void
test_limited(void)
{
	const char *ns = getenv("GC_LIMITED_NAMESPACE");
	struct bed_result r;
	long mark;

	if (ns == NULL) {
		printf("# skipped: GC_LIMITED_NAMESPACE is not set\n");
		return;
	}
	fill();
	add_map(ns, "mine");
	add_map(ns, "gone");
	bed_add(&bed, "apps/v1", "Deployment", ns, "web", deployment);
	bed.nsettings = 0;
	bed_set(&bed, "sync-garbage-collection", "true");
	bed_set(&bed, "k8s-allow-namespace", ns);
	bed_start(&bed, getenv("GC_LIMITED_KUBECONFIG"), NULL, NULL, NULL, NULL,
	    NULL);
	set_is("mine gone web");
	r = sync_clean();
	want_int(r.applied.patched, 3);
	/* kinds of the whole cluster cannot be listed: said once */
	want_int(bed_logged(&bed, "garbage collection cannot list some kinds"),
	    1);
	want_int(bed_logged(&bed, "v1/Namespace"), 1);
	set_is("mine");
	mark = bed_audit_mark();
	r = sync_clean();
	want_int(r.applied.deleted, 2);
	want(is_gone("configmap", ns, "gone"));
	want(is_gone("deployment", ns, "web"));
	want(has("configmap", ns, "mine"));
	want_int(bed_logged(&bed, "garbage collection cannot list some kinds"),
	    1);
	/* without the right to watch: a list per kind that had something */
	want_int(deletions(mark), 2);
	want_int(bed_audit(mark, "list", NULL), 2);
	bed_stop(&bed);
}

int
main(void)
{
	if (getenv("FX_BUILDDIR") == NULL || getenv("BED_KUBECONFIG") == NULL) {
		printf("1..0 # SKIP no test bed\n");
		return 0;
	}
	test_run("gc: off, nothing is deleted", test_off);
	test_run("gc: dry, it is only said", test_dry);
	test_run("gc: what left git is deleted, all of it too", test_on);
	test_run("gc: what left while nobody looked", test_restart);
	test_run("gc: a pass without changes asks nothing", test_nothing);
	test_run("gc: what comes back goes again", test_brought_back);
	test_run("gc: what annotations keep", test_stays);
	test_run("gc: a copied or forged mark is nobody's [A30]", test_forged);
	test_run("gc: what is in git stays, ignored or failing", test_in_git);
	test_run("gc: nothing after an incomplete load", test_incomplete);
	test_run("gc: a ceiling [A29]", test_limit);
	test_run("gc: kinds and namespaces that are guarded [A28]",
	    test_protected);
	test_run("gc: only what the restriction lets us apply",
	    test_restricted);
	test_run("gc: excluded kinds are neither listed nor collected",
	    test_excluded);
	test_run("gc: a finalizer holds nobody up", test_finalizer);
	test_run("gc: one id in two API groups", test_groups);
	test_run("gc: one object in two API groups", test_same_object);
	test_run("gc: a group that is down", test_group_down);
	test_run("gc: objects of a former set, where it is named", test_former);
	test_run("gc: an account limited to one namespace", test_limited);
	want_int(bed.bad_ends, 0);
	bed_free_set(&bed);
	return test_done();
}
