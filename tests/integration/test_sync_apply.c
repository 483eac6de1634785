/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "str.h"
#include "sync_bed.h"
#include "test.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * fluxd-sync against a real API server: objects that the server reads in
 * another way than kubectl sends them, that it refuses, that others change too,
 * and that only a merge gets there.
 */

#define WAIT_US (120 * CLK_SEC) /* for what others do in their own time */

static struct bed bed;
static char space[64];
static size_t first; /* of the case that runs */

static struct bed_res *
add(const char *api_version, const char *kind, const char *name,
    const char *rest)
{
	return bed_add(&bed, api_version, kind, space, name, rest);
}

static void
set_rest(struct bed_res *r, const char *rest)
{
	free(r->rest);
	r->rest = xstrdup(rest);
	r->version++;
	bed_commit(&bed);
}

static void
set_annotations(struct bed_res *r, const char *text)
{
	free(r->annotations);
	r->annotations = xstrdup(text);
}

static struct bed_result
apply(void)
{
	struct bed_result r = bed_apply(&bed);

	if (r.nerrors != 0 || r.err.code != FX_OK)
		printf("# %s %s\n", r.err.text, r.errors);
	return r;
}

static bool
has_errors(const struct bed_result *r)
{
	return r->nerrors != 0;
}

static bool
has_patched(const struct bed_result *r)
{
	return r->applied.patched != 0;
}

/* Is this what the server has there? */
static bool
has(const char *object, const char *path, const char *wanted)
{
	auto_free char *got = bed_kubectl_get("-n %s get %s -o jsonpath='%s'",
	    space, object, path);

	if (strcmp(got, wanted) != 0)
		printf("# %s %s: got  %s\n# want %s\n", object, path, got,
		    wanted);
	return strcmp(got, wanted) == 0;
}

static void
begin(void)
{
	first = bed.nres;
	bed_start(&bed, getenv("BED_TEST_KUBECONFIG"), NULL, NULL, NULL, NULL,
	    NULL);
	want(bed.is_ready);
}

static bool
kubectl_input(const char *args, const char *fmt, ...) FX_PRINTF(2, 3);

static bool
kubectl_input(const char *args, const char *fmt, ...)
{
	auto_free char *cmd = xasprintf("%s --kubeconfig=%s %s >/dev/null",
	    getenv("BED_KUBECTL"), getenv("BED_KUBECONFIG"), args);
	FILE *p = popen(cmd, "w");
	va_list ap;

	if (p == NULL)
		fx_bug("popen");
	va_start(ap, fmt);
	vfprintf(p, fmt, ap);
	va_end(ap);
	return pclose(p) == 0;
}

/* What the case added leaves git. */
static void
end(void)
{
	bed_stop(&bed);
	want_int(bed.bad_ends, 0);
	for (size_t i = first; i < bed.nres; i++)
		bed.res[i].gone = true;
	bed_commit(&bed);
	bed.auto_repair = false;
	bed.repaired = bed.drift = 0;
}

/* ---- what the server reads otherwise ---------------------------------- */

#define LONG_NAME_50 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define LONG_NAME_250                                                          \
	LONG_NAME_50 LONG_NAME_50 LONG_NAME_50 LONG_NAME_50 LONG_NAME_50
#define LONG_NAME                                                              \
	LONG_NAME_250 LONG_NAME_250 LONG_NAME_250 LONG_NAME_250 LONG_NAME_250

static char group[64], gv[80], crd[96];

static void
add_traps(void)
{
	auto_free char *crd_rest = xasprintf(
	    ",\"status\":null,\"spec\":{\"group\":\"%s\",\"scope\":"
	    "\"Namespaced\",\"names\":{\"plural\":\"traps\",\"kind\":"
	    "\"Trap\"},\"conversion\":{\"strategy\":\"None\"},\"versions\":[{"
	    "\"name\":\"v1\",\"served\":true,\"storage\":true,\"schema\":{"
	    "\"openAPIV3Schema\":{\"type\":\"object\",\"properties\":{"
	    "\"spec\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-"
	    "fields\":true}}}}}]}",
	    group);
	struct bed_res *r;

	add("v1", "ConfigMap", "nulls",
	    ",\"data\":{\"a\":null,\"b\":\"x\"},\"status\":{\"no\":1}");
	add("v1", "ConfigMap", "text",
	    ",\"data\":{\"a\":\"\\/ \\u007f\xc2\x85\xe2\x80\xa8 "
	    "\\ud83d\\ude00 y\",\"n\":\"null\"}");
	add("v1", "Secret", "plain",
	    ",\"data\":{\"a\":\"eA==\",\"b\":\"eQ==\"},\"stringData\":{\"a\":"
	    "\"wins\"}");
	bed_add(&bed, "rbac.authorization.k8s.io/v1", "ClusterRole", "", space,
	    ",\"aggregationRule\":{\"clusterRoleSelectors\":[{\"matchLabels\":"
	    "{\"no\":\"one\"}}]},\"rules\":[{\"apiGroups\":[\"\"],"
	    "\"resources\":[\"pods\"],\"verbs\":[\"get\"]}]");
	bed_add(&bed, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "",
	    crd, crd_rest);
	bed_add(&bed, gv, "Trap", space, "one",
	    ",\"spec\":{\"f\":1.0,\"g\":1e3,\"h\":0.1,\"i\":"
	    "9223372036854775807,\"nothing\":null,\"<<\":\"y\",\"" LONG_NAME
	    "\":\"long\"}");
	r = add("v1", "ConfigMap", "copied", ",\"data\":{\"a\":\"1\"}");
	free(r->metadata);
	r->metadata = xstrdup(
	    ",\"uid\":\"1\",\"resourceVersion\":\"1\",\"managedFields\":[],"
	    "\"creationTimestamp\":\"2020-01-01T00:00:00Z\",\"generation\":3,"
	    "\"selfLink\":\"/x\",\"finalizers\":null");
	set_annotations(r,
	    ",\"n\":null,\"kubectl.kubernetes.io/last-applied-configuration\":"
	    "\"{}\"");
}

static void
test_traps(void)
{
	struct bed_result r;
	size_t n;

	begin();
	add_traps();
	n = bed.nres - first;
	r = apply();
	want_int(r.applied.errors, 0);
	want_int(r.applied.patched, n);
	want(has("configmap/nulls", "{.data}", "{\"b\":\"x\"}"));
	want(has("configmap/text", "{.data.a}",
	    "/ \x7f\xc2\x85\xe2\x80\xa8 \xf0\x9f\x98\x80 y"));
	want(has("configmap/text", "{.data.n}", "null"));
	want(has("secret/plain", "{.data.a},{.data.b}", "d2lucw==,eQ=="));
	want(has("trap/one",
	    "{.spec.f},{.spec.g},{.spec.h},{.spec.i},{.spec.<<}",
	    "1,1000,0.1,9223372036854775807,y"));
	want(has("trap/one", "{.spec." LONG_NAME "}", "long"));
	want(has("configmap/copied", "{.data.a}", "1"));
	want(has("configmap/copied",
	    "{.metadata.annotations.kubectl\\.kubernetes\\.io/last-applied-"
	    "configuration}",
	    ""));
	/* the server has what git says, so there is nothing more to do; nor
	 * after a restart, when bodies are compared with what is owned */
	r = apply();
	want_int(r.applied.patched, 0);
	bed_stop(&bed);
	bed_start(&bed, getenv("BED_TEST_KUBECONFIG"), NULL, NULL, NULL, NULL,
	    NULL);
	r = apply();
	want_int(r.applied.patched, 0);
	end();
}

/* ---- what it refuses -------------------------------------------------- */

static void
test_refused(void)
{
	static const struct {
		const char *api_version, *kind, *rest, *text;
	} tv[] = {
		{ "v1", "ConfigMap", ",\"data\":{\"a\":99999999999999999999}",
		    "a number is beyond what the API server stores" },
		{ "v1", "ConfigMap", ",\"data\":{\"a\":1e999}",
		    "a number is beyond what the API server stores" },
		{ "v1", "ConfigMap", ",\"dta\":{}",
		    ".dta: field not declared in schema" },
		{ "v1", "Secret", ",\"data\":{\"a\":\"%%\"}",
		    "illegal base64" },
		{ "apps/v1", "Deployment", ",\"spec\":{\"replicas\":\"2\"}",
		    "expected numeric (int or float), got string" },
		{ "apps/v1", "Deployment", ",\"spec\":{}",
		    "spec.selector: Required value" },
		{ "v1", "Service", ",\"spec\":{\"ports\":[{\"port\":0}]}",
		    "spec.ports[0].port: Invalid value" },
	};
	struct bed_result r;
	char name[16];
	long mark;

	begin();
	for (size_t i = 0; i < nitems(tv); i++) {
		snprintf(name, sizeof(name), "refused-%zu", i);
		add(tv[i].api_version, tv[i].kind, name, tv[i].rest);
	}
	add("v1", "ConfigMap", "accepted", ",\"data\":{}");
	r = apply();
	want_int(r.err.code, FX_OK);
	want_int(r.applied.errors, nitems(tv));
	want_int(r.applied.patched, 1);
	for (size_t i = 0; i < nitems(tv); i++)
		if (strstr(r.errors, tv[i].text) == NULL)
			want_str("missing", tv[i].text);
	/* one more try, then they wait; the errors are told all the same */
	r = apply();
	want_int(r.applied.errors, nitems(tv));
	mark = bed_audit_mark();
	r = apply();
	want_int(r.applied.errors, nitems(tv));
	want_int(r.nerrors, nitems(tv));
	want_int(bed_audit(mark, NULL, NULL), 0);
	/* another content is another matter */
	set_rest(&bed.res[first + 2], ",\"data\":{}");
	r = apply();
	want_int(r.applied.errors, nitems(tv) - 1);
	want_int(r.applied.patched, 1);
	end();
}

/* ---- what cannot be changed ------------------------------------------- */

static const char immutable[] = ",\"immutable\":true,\"data\":{\"a\":\"%d\"}";

static void
test_immutable(void)
{
	auto_free char *one = xasprintf(immutable, 1);
	auto_free char *two = xasprintf(immutable, 2);
	auto_free char *three = xasprintf(immutable, 3);
	struct bed_result r;
	struct bed_res *kept, *anew;

	begin();
	kept = add("v1", "ConfigMap", "kept", one);
	(void)kept;
	add("v1", "ConfigMap", "anew", one);
	anew = &bed.res[first + 1];
	set_annotations(anew, ",\"sync.fluxcd.io/recreate\":\"true\"");
	r = apply();
	want_int(r.applied.patched, 2);
	set_rest(&bed.res[first], two);
	set_rest(anew, two);
	r = apply();
	want_int(r.applied.errors, 1);
	want(strstr(r.errors, "kept: an immutable field would change: ") !=
	    NULL);
	want(strstr(r.errors, "sync.fluxcd.io/recreate: \"true\"") != NULL);
	want(has("configmap/kept", "{.data.a}", "1"));
	want(has("configmap/anew", "{.data.a}", "2"));
	/* not again and again */
	set_rest(anew, three);
	r = apply();
	want(strstr(r.errors, "it was made anew minutes ago") != NULL);
	want(has("configmap/anew", "{.data.a}", "2"));
	end();
}

/* One that is not ours by its mark is not deleted, whatever git says. */
static void
test_immutable_foreign(void)
{
	auto_free char *rest = xasprintf(immutable, 1);
	struct bed_result r;

	begin();
	want(bed_kubectl("-n %s create configmap foreign --from-literal=a=0",
	    space));
	want(bed_kubectl("-n %s patch configmap foreign --type=merge -p "
			 "'{\"immutable\":true}'",
	    space));
	set_annotations(add("v1", "ConfigMap", "foreign", rest),
	    ",\"sync.fluxcd.io/recreate\":\"true\"");
	r = apply();
	want(strstr(r.errors, "it does not have our mark") != NULL);
	want(has("configmap/foreign", "{.data.a}", "0"));
	end();
}

/* A finalizer holds the old one: the pass does not wait for ever, and the new
 * one comes when the old one is gone. */
static void
test_immutable_held(void)
{
	auto_free char *one = xasprintf(immutable, 1);
	auto_free char *two = xasprintf(immutable, 2);
	struct bed_result r;
	struct bed_res *res;

	begin();
	res = add("v1", "ConfigMap", "held", one);
	set_annotations(res, ",\"sync.fluxcd.io/recreate\":\"true\"");
	r = apply();
	want(bed_kubectl("-n %s patch configmap held --type=merge -p "
			 "'{\"metadata\":{\"finalizers\":[\"a.io/b\"]}}'",
	    space));
	set_rest(&bed.res[first], two);
	bed.auto_repair = true;
	r = apply();
	want(strstr(r.errors, "to be made anew when it is gone") != NULL);
	want(bed_kubectl("-n %s patch configmap held --type=merge -p "
			 "'{\"metadata\":{\"finalizers\":null}}'",
	    space));
	want(bed_wait(&bed, &bed.repaired, 1, WAIT_US));
	want(has("configmap/held", "{.data.a}", "2"));
	end();
}

/* ---- what others want ------------------------------------------------- */

/* Another controller: it sets the value each time it is not its own. */
static pid_t
start_rival(const char *name)
{
	auto_free char *script = xasprintf(
	    "while :; do v=$(%s --kubeconfig=%s -n %s get configmap %s -o "
	    "jsonpath={.data.a}); [ \"$v\" = rival ] || %s --kubeconfig=%s -n "
	    "%s patch configmap %s --field-manager=rival --type=merge -p "
	    "'{\"data\":{\"a\":\"rival\"}}'; sleep 0.05; done",
	    getenv("BED_KUBECTL"), getenv("BED_KUBECONFIG"), space, name,
	    getenv("BED_KUBECTL"), getenv("BED_KUBECONFIG"), space, name);
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		close(STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	setpgid(pid, pid);
	return pid;
}

static void
stop_rival(pid_t pid)
{
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
test_contested(void)
{
	struct bed_result r;
	pid_t rival;
	long mark;

	begin();
	add("v1", "ConfigMap", "contested", ",\"data\":{\"a\":\"ours\"}");
	add("v1", "ConfigMap", "peaceful", ",\"data\":{\"a\":\"ours\"}");
	r = apply();
	want_int(r.applied.patched, 2);
	bed.auto_repair = true;
	mark = bed_audit_mark();
	rival = start_rival("contested");
	/* at once, at once, at once, and after 4 s with the names */
	want(bed_wait(&bed, &bed.repaired, 4, WAIT_US));
	want(bed_wait_log(&bed, "rival", WAIT_US));
	printf("# last log: %s\n", bed.last_log);
	want(strstr(bed.last_log, "resource=") != NULL);
	want(strstr(bed.last_log, "configmap/contested") != NULL);
	want(strstr(bed.last_log, "conflict with \"rival\"") != NULL);
	want(strstr(bed.last_log, ".data.a") != NULL);
	/* a pass does not fight either, and says what it found */
	r = apply();
	want_int(r.applied.errors, 1);
	want(strstr(r.errors, "conflict with \"rival\"") != NULL);
	want(strstr(r.errors, "peaceful") == NULL);
	want(bed_audit(mark, "patch", "configmaps") <= 8);
	stop_rival(rival);
	end();
}

/* ---- many at once ------------------------------------------------------ */

#define MANY 300 /* writes: while they go out nobody listens to the kind */

static void
test_many(void)
{
	struct bed_result r;
	char name[16];
	pid_t rival;
	long mark;

	begin();
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many%03d", i);
		add("v1", "ConfigMap", name, ",\"data\":{\"a\":\"ours\"}");
	}
	bed.auto_repair = true;
	mark = bed_audit_mark();
	rival = start_rival("many000");
	r = apply();
	want_int(r.applied.patched, MANY);
	/* what was done behind our back is seen all the same */
	want(bed_wait(&bed, &bed.repaired, 1, WAIT_US));
	stop_rival(rival);
	/* the marked ones, all of them, and once more at the end */
	want_int(bed_audit(mark, "list", "configmaps"), 3);
	end();
}

/* ---- what is changed on the way in ------------------------------------ */

/* Admission that sets something else, each time. */
static const char policy[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{"
    "\"apiVersion\":\"admissionregistration.k8s.io/v1\",\"kind\":"
    "\"MutatingAdmissionPolicy\",\"metadata\":{\"name\":\"%s\"},\"spec\":{"
    "\"matchConstraints\":{\"resourceRules\":[{\"apiGroups\":[\"\"],"
    "\"apiVersions\":[\"v1\"],\"operations\":[\"CREATE\",\"UPDATE\"],"
    "\"resources\":[\"configmaps\"]}],\"namespaceSelector\":{\"matchLabels\":"
    "{\"kubernetes.io/metadata.name\":\"%s\"}}},\"failurePolicy\":\"Fail\","
    "\"reinvocationPolicy\":\"Never\",\"mutations\":[{\"patchType\":"
    "\"ApplyConfiguration\",\"applyConfiguration\":{\"expression\":\"%s\"}}]}"
    "},{\"apiVersion\":\"admissionregistration.k8s.io/v1\",\"kind\":"
    "\"MutatingAdmissionPolicyBinding\",\"metadata\":{\"name\":\"%s\"},"
    "\"spec\":{\"policyName\":\"%s\"}}]}";

/* The server takes a moment to obey a policy, and to forget it: until `seen`
 * shows in what is made, or shows no more. */
static void
await_policy(const char *seen, bool there)
{
	int64_t end = clk_now_us() + WAIT_US;

	do {
		auto_free char *got =
		    bed_kubectl_get("-n %s create configmap probe "
				    "--from-literal=a=ours "
				    "--dry-run=server -o json",
			space);

		if ((strstr(got, seen) != NULL) == there)
			return;
		bed_serve(&bed, 100 * CLK_MS);
	} while (clk_now_us() < end);
	want(false);
}

static void
set_policy(const char *expression, const char *seen)
{
	want(kubectl_input("apply -f -", policy, space, space, expression,
	    space, space));
	await_policy(seen, true);
}

static void
test_mutated(void)
{
	struct bed_result r;
	long mark;

	begin();
	bed.auto_repair = true;
	set_policy("Object{data: {'a': 'policy'}}", "\"a\": \"policy\"");
	add("v1", "ConfigMap", "mutated", ",\"data\":{\"a\":\"ours\"}");
	mark = bed_audit_mark();
	r = apply();
	want_int(r.applied.patched, 1);
	bed_serve(&bed, CLK_SEC);
	r = apply();
	want_int(r.applied.patched, 0);
	want_int(bed.drift, 0);
	want_int(bed_audit(mark, "patch", NULL), 1);
	want(has("configmap/mutated", "{.data.a}", "policy"));
	/* our own mark: that is an error, and no fight either */
	set_policy("Object{metadata: Object.metadata{annotations: "
		   "{'fluxcd.io/sync-checksum': 'policy'}}}",
	    "\"fluxcd.io/sync-checksum\": \"policy\"");
	set_rest(&bed.res[first], ",\"data\":{\"a\":\"more\"}");
	mark = bed_audit_mark();
	r = apply();
	want(strstr(r.errors, "answer is not what was applied") != NULL);
	bed_serve(&bed, CLK_SEC);
	want_int(bed_audit(mark, "patch", NULL), 1);
	for (int i = 0; i < 5; i++)
		r = apply();
	want_int(r.applied.errors, 1);
	want_int(bed_audit(mark, "patch", NULL), 2);
	want(bed_kubectl("delete mutatingadmissionpolicybinding %s", space));
	want(bed_kubectl("delete mutatingadmissionpolicy %s", space));
	await_policy("\"fluxcd.io/sync-checksum\": \"policy\"", false);
	end();
}

/* ---- what stands in the way ------------------------------------------- */

static const char webhook[] =
    "{\"apiVersion\":\"admissionregistration.k8s.io/v1\",\"kind\":"
    "\"ValidatingWebhookConfiguration\",\"metadata\":{\"name\":\"%s\"},"
    "\"webhooks\":[{\"name\":\"down.example.org\",\"failurePolicy\":\"Fail\","
    "\"sideEffects\":\"None\",\"admissionReviewVersions\":[\"v1\"],"
    "\"timeoutSeconds\":1,\"clientConfig\":{\"url\":"
    "\"https://127.0.0.1:1/\"},\"rules\":[{\"apiGroups\":[\"\"],"
    "\"apiVersions\":[\"v1\"],\"operations\":[\"*\"],\"resources\":"
    "[\"secrets\"]}],\"namespaceSelector\":{\"matchLabels\":{"
    "\"kubernetes.io/metadata.name\":\"%s\"}}}]}";

#define MANY_SECRETS 300 /* more than are on their way at once, or next */

/* Requests since the mark for the Secret of this name. */
static unsigned
tries_of(long mark, const char *name)
{
	auto_free char *ref =
	    xasprintf("secrets\",\"namespace\":\"%s\",\"name\":\"%s", space,
		name);
	unsigned n = bed_audit(mark, "patch", ref);

	want(n > 0);
	return n;
}

static void
test_webhook(void)
{
	struct bed_result r;
	char name[32];
	long mark;

	begin();
	want(kubectl_input("apply -f -", webhook, space, space));
	for (int i = 0; i < MANY_SECRETS; i++) {
		snprintf(name, sizeof(name), "hooked-%03d", i);
		add("v1", "Secret", name, "");
	}
	add("v1", "ConfigMap", "unhooked", "");
	/* the configuration takes a moment to be obeyed */
	while (bed_kubectl("-n %s create secret generic probe --dry-run=server",
	    space))
		bed_serve(&bed, 100 * CLK_MS);
	mark = bed_audit_mark();
	r = apply();
	want_int(r.err.code, FX_OK);
	want_int(r.applied.errors, MANY_SECRETS);
	want_int(r.applied.patched, 1);
	want(strstr(r.errors, "failed calling webhook") != NULL);
	/* some are tried to the end of their time (10 s), not all of them */
	want(tries_of(mark, "hooked-000") > 2);
	want(tries_of(mark, "hooked-299") <= 2);
	want(bed_kubectl("delete validatingwebhookconfiguration %s", space));
	while (!bed_kubectl("-n %s create secret generic probe "
			    "--dry-run=server",
	    space))
		bed_serve(&bed, 100 * CLK_MS);
	r = apply();
	want_int(r.applied.errors, 0);
	want_int(r.applied.patched, MANY_SECRETS);
	end();
}

/* The namespace goes, with what is in it, while git has both. */
static void
test_terminating(void)
{
	struct bed_result r;
	char other[80];

	snprintf(other, sizeof(other), "%s-gone", space);
	begin();
	bed_add(&bed, "v1", "Namespace", "", other, "");
	bed_add(&bed, "v1", "ConfigMap", other, "inside",
	    ",\"data\":{\"a\":\"1\"}");
	r = apply();
	want_int(r.applied.patched, 2);
	bed.auto_repair = true;
	want(bed_kubectl("delete namespace %s --wait=false", other));
	want(bed_kubectl("-n %s delete configmap inside", other));
	r = bed_apply_until(&bed, has_errors);
	want(strstr(r.errors, "is being terminated") != NULL);
	/* what a controller does when all is gone */
	want(kubectl_input("replace --raw \"/api/v1/namespaces/$BED_GOING/"
			   "finalize\" -f -",
	    "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{"
	    "\"name\":\"%s\"},\"spec\":{\"finalizers\":[]}}",
	    other));
	want(bed_wait(&bed, &bed.repaired, 2, WAIT_US));
	r = apply();
	want_int(r.applied.errors, 0);
	want(bed_kubectl("-n %s get configmap inside", other));
	end();
}

/* ---- what only a merge gets there ------------------------------------- */

static const char container[] =
    ",\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"w\"}},\"template\":{"
    "\"metadata\":{\"labels\":{\"app\":\"w\"}},\"spec\":{\"containers\":[{"
    "\"name\":\"c\",\"image\":\"example.org/w:1\",\"env\":[%s]}]}}}";

#define ENV                                                                    \
	"{.spec.template.spec.containers[0].env[*].name} "                     \
	"{.spec.template.spec.containers[0].env[*].value}"

static void
test_duplicates(void)
{
	auto_free char *twins = xasprintf(container,
	    "{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"A\",\"value\":"
	    "\"2\"}");
	auto_free char *twins_more = xasprintf(container,
	    "{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"A\",\"value\":"
	    "\"3\"}");
	auto_free char *single =
	    xasprintf(container, "{\"name\":\"A\",\"value\":\"4\"}");
	struct bed_result r;

	begin();
	add("apps/v1", "Deployment", "twins", twins);
	r = apply();
	want_int(r.applied.errors, 0);
	want_int(r.applied.patched, 1);
	want(strstr(bed.last_log, "duplicate entries for key") != NULL);
	want(has("deployment/twins", ENV, "A A 1 2"));
	r = apply();
	want_int(r.applied.patched, 0);
	set_rest(&bed.res[first], twins_more);
	r = apply();
	want_int(r.applied.patched, 1);
	want(has("deployment/twins", ENV, "A A 1 3"));
	/* and back to applying, with all that was merged */
	set_rest(&bed.res[first], single);
	r = apply();
	want_int(r.applied.errors, 0);
	want(has("deployment/twins", ENV, "A 4"));
	end();
}

/* A server without server-side apply: a proxy refuses it as one would. */
static void
test_no_apply(void)
{
	auto_free char *before = xasprintf(container,
	    "{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"B\",\"value\":"
	    "\"2\"}");
	auto_free char *after =
	    xasprintf(container, "{\"name\":\"A\",\"value\":\"3\"}");
	struct bed_result r;
	int64_t end_us;
	long mark;

	if (getenv("BED_NO_APPLY") == NULL) {
		printf("# skipped: BED_NO_APPLY is not set\n");
		return;
	}
	setenv("BED_TEST_KUBECONFIG", getenv("BED_NO_APPLY"), 1);
	begin();
	add("apps/v1", "Deployment", "merged", before);
	bed_add(&bed, gv, "Trap", space, "merged",
	    ",\"spec\":{\"a\":1,\"b\":{\"c\":[1,2]}}");
	add("v1", "ConfigMap", "merged", ",\"data\":{\"a\":\"1\",\"b\":\"2\"}");
	r = apply();
	want_int(r.applied.errors, 0);
	want_int(r.applied.patched, 3);
	want(has("deployment/merged", ENV, "A B 1 2"));
	r = apply();
	want_int(r.applied.patched, 0);
	/* fields of others stay, ours that left git go */
	want(bed_kubectl("-n %s patch configmap merged --type=merge -p "
			 "'{\"data\":{\"b\":\"hand\",\"x\":\"theirs\"}}'",
	    space));
	set_rest(&bed.res[first], after);
	set_rest(&bed.res[first + 1], ",\"spec\":{\"b\":{\"c\":[2]}}");
	set_rest(&bed.res[first + 2], ",\"data\":{\"a\":\"3\"}");
	mark = bed_audit_mark();
	r = apply();
	want_int(r.applied.errors, 0);
	want_int(r.applied.patched, 3);
	want_int(bed_audit(mark, "patch", NULL), 3);
	want(has("deployment/merged", ENV, "A 3"));
	want(has("trap/merged", "{.spec}", "{\"b\":{\"c\":[2]}}"));
	want(has("configmap/merged", "{.data}",
	    "{\"a\":\"3\",\"x\":\"theirs\"}"));
	/* one that is gone is made */
	want(bed_kubectl("-n %s delete configmap merged", space));
	r = bed_apply_until(&bed, has_patched);
	want_int(r.applied.errors, 0);
	want(has("configmap/merged", "{.data}", "{\"a\":\"3\"}"));
	/* what others change is put back as it is seen */
	bed.auto_repair = true;
	want(bed_kubectl("-n %s patch configmap merged --type=merge -p "
			 "'{\"data\":{\"a\":\"hand\"}}'",
	    space));
	want(bed_wait(&bed, &bed.repaired, 1, WAIT_US));
	want(has("configmap/merged", "{.data}", "{\"a\":\"3\"}"));
	/* what is not in git is looked at once, a status not at all */
	mark = bed_audit_mark();
	want(bed_kubectl("-n %s patch deployment merged --subresource=status "
			 "--type=merge -p '{\"status\":{\"replicas\":1}}'",
	    space));
	want(bed_kubectl("-n %s patch trap merged --type=merge -p "
			 "'{\"spec\":{\"a\":7}}'",
	    space));
	end_us = clk_now_us() + WAIT_US;
	while (bed_audit(mark, NULL, NULL) == 0 && clk_now_us() < end_us)
		bed_serve(&bed, 100 * CLK_MS);
	want_int(bed_audit(mark, "get", "traps"), 1);
	want_int(bed_audit(mark, NULL, NULL), 1);
	want(has("trap/merged", "{.spec}", "{\"a\":7,\"b\":{\"c\":[2]}}"));
	end();
	setenv("BED_TEST_KUBECONFIG", getenv("BED_KUBECONFIG"), 1);
}

int
main(void)
{
	char going[96];

	if (getenv("BED_KUBECONFIG") == NULL) {
		printf("1..0 # SKIP no API server: see tests/testbed/bed\n");
		return 0;
	}
	setenv("BED_TEST_KUBECONFIG", getenv("BED_KUBECONFIG"), 1);
	snprintf(space, sizeof(space), "apply-%d", (int)getpid());
	snprintf(going, sizeof(going), "%s-gone", space);
	setenv("BED_GOING", going, 1);
	snprintf(group, sizeof(group), "apply%d.example.org", (int)getpid());
	snprintf(gv, sizeof(gv), "%s/v1", group);
	snprintf(crd, sizeof(crd), "traps.%s", group);
	if (!bed_kubectl("create namespace %s", space))
		fx_bug("no namespace");
	test_run("what the server would read otherwise", test_traps);
	test_run("what it refuses is told, and not sent in every pass",
	    test_refused);
	test_run("an immutable field: told, or made anew where git allows it",
	    test_immutable);
	test_run("nothing foreign is made anew", test_immutable_foreign);
	test_run("a finalizer holds what is made anew", test_immutable_held);
	test_run("an object fought over is reported, and fought for less",
	    test_contested);
	test_run("what others do while many are applied is seen at the end",
	    test_many);
	test_run("admission that changes what is applied is no loop",
	    test_mutated);
	test_run("a webhook that is down holds up its own objects only",
	    test_webhook);
	test_run("a namespace that goes and comes", test_terminating);
	test_run("two elements of one key are merged", test_duplicates);
	test_run("a server without server-side apply", test_no_apply);
	return test_done();
}
