/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "str.h"
#include "sync_bed.h"
#include "test.h"

#include <unistd.h>

/*
 * fluxd-sync against a real API server: how many requests each situation
 * costs, counted in the server's audit log.
 */

#define MANY 200

static struct bed bed;
/* of this run alone: nothing empties a namespace of a bed without controllers
 */
static char space[64], new_space[64], group[64], gv[80], crd[80];

static struct bed_res *
add_map(const char *ns, const char *name, const char *value)
{
	auto_free char *rest = xasprintf(",\"data\":{\"a\":\"%s\"}", value);

	return bed_add(&bed, "v1", "ConfigMap", ns, name, rest);
}

static void
start(void)
{
	bed_start(&bed, getenv("BED_KUBECONFIG"), NULL, NULL, NULL, NULL, NULL);
	want(bed.is_ready);
}

static void
test_version(void)
{
	char text[512], why[512];

	start();
	want_int(bed_cluster(&bed, text, sizeof(text)), FX_OK);
	want(str_starts(text, "https://127.0.0.1:"));
	want(strstr(text, " v1.") != NULL);
	want_int(bed_scope(&bed, "apps/v1", "Deployment", why, sizeof(why)),
	    IPC_SCOPE_NAMESPACED);
	want_int(bed_scope(&bed, "v1", "Namespace", why, sizeof(why)),
	    IPC_SCOPE_CLUSTER);
	want_int(bed_scope(&bed, "no.such/v1", "Thing", why, sizeof(why)),
	    IPC_SCOPE_UNKNOWN);
	want(strstr(why, "not found") != NULL);
	want_int(bed_scope(&bed, "v1", "Thing", why, sizeof(why)),
	    IPC_SCOPE_UNKNOWN);
	want_str(why, "resource not found for API v1, kind Thing");
	bed_stop(&bed);
}

static void
test_first(void)
{
	long mark;
	struct bed_result r;
	char name[32];

	bed_add(&bed, "v1", "Namespace", "", space, "");
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "map-%d", i);
		add_map(space, name, "1");
	}
	start();
	mark = bed_audit_mark();
	r = bed_apply(&bed);
	want_str(r.err.text, "");
	want_str(r.errors, "");
	want_int(r.applied.resources, MANY + 1);
	want_int(r.applied.patched, MANY + 1);
	want_int(bed_audit(mark, "patch", NULL), MANY + 1);
	/* discovery, a list of each kind by mark, one of those that lack it */
	want(bed_audit(mark, NULL, NULL) <= MANY + 1 + 8);
	want_int(bed.bodies, MANY + 1);
}

static void
test_nothing(void)
{
	long mark = bed_audit_mark();
	struct bed_result r;

	for (int i = 0; i < 3; i++) {
		r = bed_apply(&bed);
		want_int(r.applied.unchanged, MANY + 1);
		want_int(r.applied.patched, 0);
		bed_serve(&bed, 300 * CLK_MS);
	}
	want_int(bed_audit(mark, NULL, NULL), 0);
	want_int(bed.drift, 0);
}

static void
test_change(void)
{
	long mark = bed_audit_mark();
	struct bed_result r;

	free(bed.res[5].rest);
	bed.res[5].rest = xstrdup(",\"data\":{\"a\":\"two\"}");
	bed.res[5].version++;
	bed_commit(&bed);
	r = bed_apply(&bed);
	want_int(r.applied.patched, 1);
	want_int(bed_audit(mark, NULL, NULL), 1);
	want_int(bed_audit(mark, "patch", "configmaps"), 1);
	bed_serve(&bed, 300 * CLK_MS);
	want_int(bed.drift, 0);
}

static void
test_drift(void)
{
	long mark;
	auto_free char *value = NULL, *kept = NULL;

	bed.auto_repair = true;
	mark = bed_audit_mark();
	want(bed_kubectl("-n %s patch configmap map-7 --type=merge "
			 "-p '{\"data\":{\"a\":\"foreign\"}}'",
	    space));
	want(bed_wait(&bed, &bed.repaired, 1, CLK_SEC));
	value = bed_kubectl_get("-n %s get configmap map-7 -o "
				"jsonpath={.data.a}",
	    space);
	want_str(value, "1");
	bed_serve(&bed, 500 * CLK_MS);
	want_int(bed_audit(mark, NULL, NULL), 1);
	/* what is not ours is nobody's business of ours */
	mark = bed_audit_mark();
	want(bed_kubectl("-n %s patch configmap map-7 --type=merge "
			 "-p '{\"data\":{\"b\":\"theirs\"}}'",
	    space));
	bed_serve(&bed, 500 * CLK_MS);
	want_int(bed_audit(mark, NULL, NULL), 0);
	kept = bed_kubectl_get("-n %s get configmap map-7 -o "
			       "jsonpath={.data.b}",
	    space);
	want_str(kept, "theirs");
}

static void
test_deleted(void)
{
	long mark = bed_audit_mark();
	uint64_t before = bed.repaired;
	auto_free char *value = NULL;

	want(bed_kubectl("-n %s delete configmap map-9", space));
	want(bed_wait(&bed, &bed.repaired, before + 1, CLK_SEC));
	value = bed_kubectl_get("-n %s get configmap map-9 -o "
				"jsonpath={.data.a}",
	    space);
	want_str(value, "1");
	want_int(bed_audit(mark, "patch", NULL), 1);
	want_int(bed_audit(mark, NULL, NULL), 2); /* one GET to tell */
}

static void
test_mark_lost(void)
{
	long mark = bed_audit_mark();
	uint64_t before = bed.repaired;

	want(bed_kubectl("-n %s label configmap map-11 "
			 "fluxcd.io/sync-gc-mark-",
	    space));
	want(bed_wait(&bed, &bed.repaired, before + 1, CLK_SEC));
	want_int(bed_audit(mark, "patch", NULL), 1);
}

static void
test_ignored_live(void)
{
	long mark;
	struct bed_result r;

	want(bed_kubectl("-n %s annotate configmap map-12 "
			 "fluxcd.io/ignore=true",
	    space));
	bed_serve(&bed, 300 * CLK_MS);
	mark = bed_audit_mark();
	want(bed_kubectl("-n %s patch configmap map-12 --type=merge "
			 "-p '{\"data\":{\"a\":\"mine\"}}'",
	    space));
	bed_serve(&bed, 500 * CLK_MS);
	r = bed_apply(&bed);
	want_int(r.applied.ignored, 1);
	want_int(bed_audit(mark, NULL, NULL), 0);
	want(bed_kubectl("-n %s annotate configmap map-12 "
			 "fluxcd.io/ignore-",
	    space));
	bed_serve(&bed, 300 * CLK_MS);
	r = bed_apply(&bed);
	want_int(r.applied.patched, 1);
}

static void
test_restart(void)
{
	long mark;
	struct bed_result r;

	bed_stop(&bed);
	mark = bed_audit_mark();
	start();
	r = bed_apply(&bed);
	want_int(r.applied.unchanged, MANY + 1);
	want_int(r.applied.patched, 0);
	want_int(bed_audit(mark, "patch", NULL), 0);
	want_int(bed_audit(mark, "list", NULL), 2);
	/* and two documents of discovery */
	want_int(bed_audit(mark, NULL, NULL), 4);
	bed_stop(&bed);
	/* a change while nobody looked is found */
	want(bed_kubectl("-n %s patch configmap map-20 --type=merge "
			 "-p '{\"data\":{\"a\":\"while away\"}}'",
	    space));
	start();
	r = bed_apply(&bed);
	want_int(r.applied.patched, 1);
}

static void
test_foreign_first(void)
{
	struct bed_result r;
	auto_free char *value = NULL;

	want(bed_kubectl("-n %s create configmap theirs "
			 "--from-literal=a=theirs",
	    space));
	want(bed_kubectl("-n %s annotate configmap theirs "
			 "fluxcd.io/ignore=true",
	    space));
	add_map(space, "theirs", "ours");
	bed_commit(&bed);
	r = bed_apply(&bed);
	want_int(r.applied.ignored, 1);
	want_int(r.applied.patched, 0);
	value = bed_kubectl_get("-n %s get configmap theirs -o "
				"jsonpath={.data.a}",
	    space);
	want_str(value, "theirs");
	bed.res[bed.nres - 1].gone = true;
	bed_commit(&bed);
}

static const char crd_rest[] =
    ",\"spec\":{\"group\":\"%s\",\"scope\":\"Namespaced\","
    "\"names\":{\"plural\":\"things\",\"singular\":\"thing\","
    "\"kind\":\"Thing\"},\"versions\":[{\"name\":\"v1\",\"served\":true,"
    "\"storage\":true,\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\","
    "\"properties\":{\"spec\":{\"type\":\"object\",\"properties\":{"
    "\"n\":{\"type\":\"integer\"}}}}}}}]}";

static void
test_crd(void)
{
	struct bed_result r;
	char why[512];
	auto_free char *rest = xasprintf(crd_rest, group);

	bed_add(&bed, gv, "Thing", new_space, "one", ",\"spec\":{\"n\":1}");
	bed_add(&bed, "v1", "Namespace", "", new_space, "");
	bed_add(&bed, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "",
	    crd, rest);
	bed_commit(&bed);
	r = bed_apply(&bed);
	want_str(r.errors, "");
	want_int(r.applied.patched, 3);
	want_int(bed_scope(&bed, gv, "Thing", why, sizeof(why)),
	    IPC_SCOPE_NAMESPACED);
}

static void
test_errors(void)
{
	struct bed_result r;
	struct bed_res *res;
	size_t at = bed.nres;

	add_map("no-such-space", "lost", "1");
	bed_add(&bed, "v1", "ConfigMap", space, "typed", ",\"data\":{\"a\":1}");
	bed_add(&bed, "no.such/v1", "Gone", space, "x", "");
	res = add_map(space, "left-alone", "1");
	res->ignored = true;
	bed_commit(&bed);
	r = bed_apply(&bed);
	want_int(r.err.code, FX_OK);
	want_int(r.applied.errors, 3);
	want_int(r.nerrors, 3);
	want_int(r.applied.ignored, 1);
	want(strstr(r.errors,
		 "no-such-space:ConfigMap/lost: namespaces \"no-such-space\" "
		 "not found") != NULL);
	want(strstr(r.errors, "expected string, got") != NULL);
	want(strstr(r.errors, "server resources for no.such/v1 not found") !=
	    NULL);
	if (test_case_failures != 0)
		printf("# %s\n", r.errors);
	for (size_t i = at; i < bed.nres; i++)
		bed.res[i].gone = true;
	bed_commit(&bed);
	r = bed_apply(&bed);
	want_int(r.applied.errors, 0);
}

static void
test_unreachable(void)
{
	struct bed_result r;
	int64_t began;

	bed_stop(&bed);
	bed.no_connect = true;
	start();
	began = clk_now_us();
	r = bed_apply(&bed);
	want(r.err.code != FX_OK);
	want(strstr(r.err.text, "connection refused") != NULL);
	want(clk_now_us() - began < 15 * CLK_SEC);
	bed.no_connect = false;
	bed.silent_connect = true;
	r = bed_apply(&bed);
	want_int(r.err.code, FX_ETIMEOUT);
	bed.silent_connect = false;
	r = bed_apply(&bed);
	want_str(r.err.text, "");
	want_int(r.applied.patched, 0);
}

static void
test_in_cluster(void)
{
	char text[512];

	bed_stop(&bed);
	bed_start(&bed, NULL, getenv("BED_API_URL"), getenv("BED_TOKEN_FILE"),
	    getenv("BED_API_CA"), NULL, NULL);
	want_int(bed_cluster(&bed, text, sizeof(text)), FX_OK);
	printf("# %s\n", text);
	want(!bed.closed);
	bed_stop(&bed);
}

int
main(void)
{
	if (getenv("BED_KUBECONFIG") == NULL) {
		printf("1..0 # SKIP no API server: see tests/testbed/bed\n");
		return 0;
	}
	snprintf(space, sizeof(space), "sync-%d", (int)getpid());
	snprintf(new_space, sizeof(new_space), "sync-%d-new", (int)getpid());
	snprintf(group, sizeof(group), "sync%d.example.org", (int)getpid());
	snprintf(gv, sizeof(gv), "%s/v1", group);
	snprintf(crd, sizeof(crd), "things.%s", group);
	test_run("version and scopes come from the server", test_version);
	test_run("a first sync is one PATCH an object and a constant",
	    test_first);
	test_run("a pass with nothing to do sends nothing", test_nothing);
	test_run("one changed object is one PATCH", test_change);
	test_run("a foreign change is put back at once, other fields are not "
		 "touched",
	    test_drift);
	test_run("a deleted object comes back", test_deleted);
	test_run("a lost mark comes back", test_mark_lost);
	test_run("ignore in the cluster is respected, for as long as it is "
		 "there",
	    test_ignored_live);
	test_run("after a restart one list of each kind and no PATCH",
	    test_restart);
	test_run("an object of somebody else that says ignore is left alone",
	    test_foreign_first);
	test_run("a CRD, its namespace and its object go in one pass",
	    test_crd);
	test_run("errors are each object's own, with the server's words",
	    test_errors);
	test_run("a server that is not there, or says nothing, is told at the "
		 "deadline",
	    test_unreachable);
	test_run("the service account's files serve as well", test_in_cluster);
	bed_kubectl("delete crd %s --wait=false", crd);
	bed_free_set(&bed);
	return test_done();
}
