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

/* objects of the first sync; SYNC_MANY in the environment says otherwise */
static int many = 200;

#define REPAIR_US (60 * CLK_SEC) /* it is at once, on a machine at rest */

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
patch_map(const char *name, const char *data)
{
	want(bed_kubectl("-n %s patch configmap %s --type=merge "
			 "-p '{\"data\":{%s}}'",
	    space, name, data));
}

/* The watch of a kind of which much was written rests until the pass is over,
 * and then begins with a list.  Who sees a foreign change has that behind him.
 */
static void
await_watch(const char *name)
{
	uint64_t before = bed.repaired;

	bed.auto_repair = true;
	patch_map(name, "\"a\":\"foreign\"");
	want(bed_wait(&bed, &bed.repaired, before + 1, REPAIR_US));
	bed.auto_repair = false;
	bed.drift = 0;
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
	for (int i = 0; i < many; i++) {
		snprintf(name, sizeof(name), "map-%d", i);
		add_map(space, name, "1");
	}
	start();
	mark = bed_audit_mark();
	r = bed_apply(&bed);
	want_str(r.err.text, "");
	want_str(r.errors, "");
	want_int(r.applied.resources, many + 1);
	want_int(r.applied.patched, many + 1);
	want_int(bed_audit(mark, "patch", NULL), many + 1);
	/* discovery, a list of each kind by mark, one of those that lack it */
	want(bed_audit(mark, NULL, NULL) <= (unsigned)many + 1 + 8);
	want_int(bed.bodies, many + 1);
	await_watch("map-3");
}

static void
test_nothing(void)
{
	long mark = bed_audit_mark();
	struct bed_result r;

	for (int i = 0; i < 3; i++) {
		r = bed_apply(&bed);
		want_int(r.applied.unchanged, many + 1);
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
	uint64_t before = bed.repaired;
	long mark;
	auto_free char *value = NULL, *kept = NULL;

	bed.auto_repair = true;
	mark = bed_audit_mark();
	patch_map("map-7", "\"a\":\"foreign\"");
	want(bed_wait(&bed, &bed.repaired, before + 1, REPAIR_US));
	value = bed_kubectl_get("-n %s get configmap map-7 -o "
				"jsonpath={.data.a}",
	    space);
	want_str(value, "1");
	bed_serve(&bed, 500 * CLK_MS);
	want_int(bed_audit(mark, NULL, NULL), 1);
	/* what is not ours is nobody's business of ours */
	mark = bed_audit_mark();
	patch_map("map-7", "\"b\":\"theirs\"");
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
	want(bed_wait(&bed, &bed.repaired, before + 1, REPAIR_US));
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
	want(bed_wait(&bed, &bed.repaired, before + 1, REPAIR_US));
	want_int(bed_audit(mark, "patch", NULL), 1);
}

static bool
one_is_ignored(const struct bed_result *r)
{
	return r->applied.ignored == 1;
}

static bool
one_is_patched(const struct bed_result *r)
{
	return r->applied.patched == 1;
}

static void
test_ignored_live(void)
{
	long mark;
	struct bed_result r;

	want(bed_kubectl("-n %s annotate configmap map-12 "
			 "fluxcd.io/ignore=true",
	    space));
	r = bed_apply_until(&bed, one_is_ignored);
	want_int(r.applied.ignored, 1);
	mark = bed_audit_mark();
	patch_map("map-12", "\"a\":\"mine\"");
	bed_serve(&bed, 500 * CLK_MS);
	r = bed_apply(&bed);
	want_int(r.applied.ignored, 1);
	want_int(bed_audit(mark, NULL, NULL), 0);
	want(bed_kubectl("-n %s annotate configmap map-12 "
			 "fluxcd.io/ignore-",
	    space));
	r = bed_apply_until(&bed, one_is_patched);
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
	want_int(r.applied.unchanged, many + 1);
	want_int(r.applied.patched, 0);
	want_int(bed_audit(mark, "patch", NULL), 0);
	want_int(bed_audit(mark, "list", NULL), 2);
	/* and two documents of discovery */
	want_int(bed_audit(mark, NULL, NULL), 4);
	bed_stop(&bed);
	/* a change while nobody looked is found */
	patch_map("map-20", "\"a\":\"while away\"");
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

/* Every shape of list and map that ownership is recorded for. */
static void
test_kinds(void)
{
	static const struct {
		const char *api_version, *kind, *name, *rest;
	} tv[] = {
		{ "apps/v1", "Deployment", "web",
		    ",\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{"
		    "\"a\":\"b\"}},\"template\":{\"metadata\":{\"labels\":{"
		    "\"a\":\"b\"},\"creationTimestamp\":null},\"spec\":{"
		    "\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"args\":["
		    "\"x\",\"y\"],\"ports\":[{\"containerPort\":80},{"
		    "\"containerPort\":80,\"protocol\":\"UDP\",\"name\":\"u\"}"
		    "],\"env\":[{\"name\":\"A\",\"value\":\"1\"},{\"name\":"
		    "\"B\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":"
		    "\"metadata.name\"}}}],\"resources\":{\"limits\":{\"cpu\":"
		    "\"1\",\"memory\":\"64Mi\"},\"requests\":{\"cpu\":0.1}},"
		    "\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}],"
		    "\"readinessProbe\":{\"httpGet\":{\"path\":\"/\",\"port\":"
		    "80}}}],\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}],"
		    "\"tolerations\":[{\"key\":\"k\"}],\"imagePullSecrets\":["
		    "{\"name\":\"p\"}]}}}" },
		{ "v1", "Service", "web",
		    ",\"spec\":{\"selector\":{\"a\":\"b\"},\"ports\":[{"
		    "\"port\":80,\"name\":\"x\"},{\"port\":81,\"protocol\":"
		    "\"UDP\",\"name\":\"y\",\"targetPort\":\"u\"}]}" },
		{ "v1", "Secret", "plain",
		    ",\"type\":\"Opaque\",\"stringData\":{\"a\":\"b\"}" },
		{ "v1", "ServiceAccount", "sa",
		    ",\"imagePullSecrets\":[{\"name\":\"x\"}]" },
		{ "rbac.authorization.k8s.io/v1", "Role", "r",
		    ",\"rules\":[{\"apiGroups\":[\"\"],\"resources\":["
		    "\"pods\"],\"verbs\":[\"get\"]}]" },
		{ "rbac.authorization.k8s.io/v1", "RoleBinding", "r",
		    ",\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\","
		    "\"kind\":\"Role\",\"name\":\"r\"},\"subjects\":[{"
		    "\"kind\":\"ServiceAccount\",\"name\":\"sa\","
		    "\"namespace\":\"default\"}]" },
		{ "networking.k8s.io/v1", "NetworkPolicy", "n",
		    ",\"spec\":{\"podSelector\":{},\"policyTypes\":["
		    "\"Ingress\"],\"ingress\":[{\"from\":[{\"podSelector\":{"
		    "\"matchLabels\":{\"a\":\"b\"}}}],\"ports\":[{\"port\":"
		    "80}]}]}" },
		{ "networking.k8s.io/v1", "Ingress", "i",
		    ",\"spec\":{\"rules\":[{\"host\":\"h\",\"http\":{"
		    "\"paths\":[{\"path\":\"/\",\"pathType\":\"Prefix\","
		    "\"backend\":{\"service\":{\"name\":\"web\",\"port\":{"
		    "\"number\":80}}}}]}}]}" },
		{ "autoscaling/v2", "HorizontalPodAutoscaler", "h",
		    ",\"spec\":{\"maxReplicas\":3,\"minReplicas\":1,"
		    "\"scaleTargetRef\":{\"apiVersion\":\"apps/v1\","
		    "\"kind\":\"Deployment\",\"name\":\"web\"},\"metrics\":[{"
		    "\"type\":\"Resource\",\"resource\":{\"name\":\"cpu\","
		    "\"target\":{\"type\":\"Utilization\","
		    "\"averageUtilization\":80}}}]}" },
		{ "batch/v1", "CronJob", "j",
		    ",\"spec\":{\"schedule\":\"* * * * *\",\"jobTemplate\":{"
		    "\"spec\":{\"template\":{\"spec\":{\"restartPolicy\":"
		    "\"Never\",\"containers\":[{\"name\":\"c\",\"image\":"
		    "\"i\"}]}}}}}" },
		{ "policy/v1", "PodDisruptionBudget", "b",
		    ",\"spec\":{\"minAvailable\":1,\"selector\":{"
		    "\"matchLabels\":{\"a\":\"b\"}}}" },
		{ "v1", "PersistentVolumeClaim", "c",
		    ",\"spec\":{\"accessModes\":[\"ReadWriteOnce\"],"
		    "\"resources\":{\"requests\":{\"storage\":\"1Gi\"}}}" },
		{ "v1", "ConfigMap", "odd",
		    ",\"data\":{\"a.b-"
		    "c\":\"x\\ny\\u0085\\u2028\",\"e\":\"\"}" },
	};
	struct bed_result r;
	long mark;

	for (size_t i = 0; i < nitems(tv); i++)
		bed_add(&bed, tv[i].api_version, tv[i].kind, space, tv[i].name,
		    tv[i].rest);
	bed_commit(&bed);
	r = bed_apply(&bed);
	want_str(r.errors, "");
	want_int(r.applied.patched, nitems(tv));
	bed_stop(&bed);
	start();
	mark = bed_audit_mark();
	r = bed_apply(&bed);
	want_str(r.errors, "");
	want_int(r.applied.patched, 0);
	want_int(bed_audit(mark, "patch", NULL), 0);
	if (test_case_failures != 0)
		(void)bed_kubectl("version");
}

/* Scaling by hand is drift of a value that git has. */
static void
test_scaled(void)
{
	uint64_t before = bed.repaired;
	auto_free char *value = NULL;

	want(bed_kubectl("-n %s scale deployment web --replicas=5", space));
	want(bed_wait(&bed, &bed.repaired, before + 1, REPAIR_US));
	value = bed_kubectl_get("-n %s get deployment web -o "
				"jsonpath={.spec.replicas}",
	    space);
	want_str(value, "2");
}

/* The API server ends and comes back: nobody needs to be told. */
static void
test_server_restart(void)
{
	struct bed_result r;
	uint64_t before;

	if (getenv("BED_RESTART") == NULL) {
		printf("# skipped: BED_RESTART is not set\n");
		return;
	}
	want(system(getenv("BED_RESTART")) == 0);
	bed_serve(&bed, 3 * CLK_SEC);
	r = bed_apply(&bed);
	want_str(r.err.text, "");
	want_int(r.applied.patched, 0);
	before = bed.repaired;
	patch_map("map-30", "\"a\":\"foreign\"");
	/* a watch that failed a few times pauses up to half a minute */
	want(bed_wait(&bed, &bed.repaired, before + 1, REPAIR_US));
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
		 "no-such-space:configmap/lost: namespaces \"no-such-space\" "
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
	want(clk_now_us() - began < 20 * CLK_SEC); /* a second one's end */
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
	want(!bed.closed);
	bed_stop(&bed);
	want_int(bed.bad_ends, 0);
}

int
main(void)
{
	if (getenv("BED_KUBECONFIG") == NULL) {
		printf("1..0 # SKIP no API server: see tests/testbed/bed\n");
		return 0;
	}
	if (getenv("SYNC_MANY") != NULL)
		many = (int)strtol(getenv("SYNC_MANY"), NULL, 10);
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
	test_run("all kinds of kinds are in place after a restart", test_kinds);
	test_run("a scaled Deployment is scaled back", test_scaled);
	test_run("the server may be restarted under us", test_server_restart);
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
