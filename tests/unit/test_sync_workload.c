/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "ipc_limits.h"
#include "json.h"
#include "last_errors.h"
#include "str.h"
#include "test.h"
#include "workload.h"

#include <stdio.h>

/* What is made of objects that the API server shows; those of Deployments,
 * StatefulSets and DaemonSets are cut down from what a real one said. */

static json_t *
parse(const char *text)
{
	struct fx_err err = { 0 };
	json_t *j = sw_json(text, strlen(text), &err);

	want_str(err.text, "");
	return j;
}

/* The workload of an object of this kind; cleared by the caller. */
static struct workload
read_as(const char *kind, const char *text)
{
	auto_json json_t *j = parse(text);
	struct workload w = { 0 };

	want_int(workload_read(workload_kind_find(kind), j, &w), FX_OK);
	return w;
}

static char *
pairs(const struct workload_pair *p, size_t n)
{
	struct buf out = BUF_INIT(65536);

	for (size_t i = 0; i < n; i++)
		(void)str_addf(&out, "%s%s=%s", i > 0 ? " " : "", p[i].name,
		    p[i].value);
	return str_take(&out);
}

/* ---- rollouts -------------------------------------------------------------
 */

#define META                                                                   \
	"\"metadata\":{\"name\":\"n\",\"namespace\":\"s\",\"generation\":2}"
#define SEEN "\"observedGeneration\":2"
#define NUMBERS(d, u, r, a, o) #d " " #u " " #r " " #a " " #o

struct rollout_case {
	const char *what, *kind, *spec, *status, *want, *numbers, *messages;
};

static const struct rollout_case rollouts[] = {
	/* Deployments */
	{ "complete", "deployment", "\"replicas\":3",
	    SEEN ",\"replicas\":3,\"updatedReplicas\":3,\"readyReplicas\":3,"
		 "\"availableReplicas\":3",
	    "ready", NUMBERS(3, 3, 3, 3, 0), "" },
	{ "fresh: no status at all", "deployment", "\"replicas\":3", "",
	    "started", NUMBERS(3, 0, 0, 0, 0), "" },
	{ "its last change is not seen", "deployment", "\"replicas\":3",
	    "\"observedGeneration\":1,\"replicas\":3,\"updatedReplicas\":3,"
	    "\"readyReplicas\":3,\"availableReplicas\":3",
	    "started", NUMBERS(3, 3, 3, 3, 0), "" },
	{ "halfway", "deployment", "\"replicas\":3",
	    SEEN ",\"replicas\":4,\"updatedReplicas\":1,\"readyReplicas\":3,"
		 "\"availableReplicas\":3",
	    "updating", NUMBERS(3, 1, 3, 3, 3), "" },
	{ "an old pod is left", "deployment", "\"replicas\":3",
	    SEEN ",\"replicas\":4,\"updatedReplicas\":3,\"readyReplicas\":3,"
		 "\"availableReplicas\":3",
	    "updating", NUMBERS(3, 3, 3, 3, 1), "" },
	{ "not all are available", "deployment", "\"replicas\":3",
	    SEEN ",\"replicas\":3,\"updatedReplicas\":3,\"readyReplicas\":3,"
		 "\"availableReplicas\":2",
	    "updating", NUMBERS(3, 3, 3, 2, 0), "" },
	{ "scaled to none", "deployment", "\"replicas\":0", SEEN, "ready",
	    NUMBERS(0, 0, 0, 0, 0), "" },
	{ "paused", "deployment", "\"replicas\":3",
	    SEEN ",\"replicas\":4,\"updatedReplicas\":1,\"readyReplicas\":3,"
		 "\"availableReplicas\":3,\"conditions\":[{\"type\":"
		 "\"Progressing\",\"status\":\"Unknown\",\"reason\":"
		 "\"DeploymentPaused\",\"message\":\"Deployment is paused\"}]",
	    "updating", NUMBERS(3, 1, 3, 3, 3), "" },
	{ "past its deadline", "deployment", "\"replicas\":3",
	    SEEN ",\"replicas\":4,\"updatedReplicas\":1,\"readyReplicas\":3,"
		 "\"availableReplicas\":3,\"conditions\":[{\"type\":"
		 "\"Available\",\"status\":\"False\",\"message\":\"no\"},"
		 "{\"type\":\"Progressing\",\"status\":\"False\",\"message\":"
		 "\"has timed out progressing.\"}]",
	    "error", NUMBERS(3, 1, 3, 3, 3), "has timed out progressing." },
	{ "an error wins over a complete rollout", "deployment",
	    "\"replicas\":1",
	    SEEN ",\"replicas\":1,\"updatedReplicas\":1,\"readyReplicas\":1,"
		 "\"availableReplicas\":1,\"conditions\":[{\"type\":"
		 "\"ReplicaFailure\",\"status\":\"True\",\"message\":\"a\"},"
		 "{\"type\":\"Progressing\",\"status\":\"False\","
		 "\"message\":\"b\"}]",
	    "error", NUMBERS(1, 1, 1, 1, 0), "a b" },
	{ "what is not seen wins over an error, the message shows",
	    "deployment", "\"replicas\":1",
	    "\"observedGeneration\":1,\"conditions\":[{\"type\":"
	    "\"ReplicaFailure\",\"status\":\"True\",\"message\":\"quota\"}]",
	    "started", NUMBERS(1, 0, 0, 0, 0), "quota" },
	{ "conditions that are as they should be", "deployment",
	    "\"replicas\":0",
	    SEEN ",\"conditions\":[{\"type\":\"Progressing\",\"status\":"
		 "\"True\",\"message\":\"a\"},{\"type\":\"ReplicaFailure\","
		 "\"status\":\"False\",\"message\":\"b\"}]",
	    "ready", NUMBERS(0, 0, 0, 0, 0), "" },
	{ "newer servers' counters are not looked at", "deployment",
	    "\"replicas\":1",
	    SEEN ",\"replicas\":1,\"updatedReplicas\":1,\"readyReplicas\":1,"
		 "\"availableReplicas\":1,\"terminatingReplicas\":4",
	    "ready", NUMBERS(1, 1, 1, 1, 0), "" },
	{ "nonsense instead of numbers", "deployment",
	    "\"replicas\":9223372036854775807",
	    SEEN ",\"replicas\":-9223372036854775807,\"updatedReplicas\":"
		 "\"x\",\"readyReplicas\":[],\"conditions\":7",
	    "updating", NUMBERS(2147483647, 0, 0, 0, -2147483648), "" },
	/* DaemonSets */
	{ "complete", "daemonset", "",
	    SEEN ",\"desiredNumberScheduled\":2,\"updatedNumberScheduled\":2,"
		 "\"numberReady\":2,\"numberAvailable\":2,"
		 "\"currentNumberScheduled\":2",
	    "ready", NUMBERS(2, 2, 2, 2, 0), "" },
	{ "on no node", "daemonset", "", SEEN, "ready", NUMBERS(0, 0, 0, 0, 0),
	    "" },
	{ "halfway", "daemonset", "",
	    SEEN ",\"desiredNumberScheduled\":2,\"updatedNumberScheduled\":1,"
		 "\"numberReady\":1,\"numberAvailable\":1,"
		 "\"currentNumberScheduled\":2",
	    "updating", NUMBERS(2, 1, 1, 1, 1), "" },
	{ "fresh", "daemonset", "", "", "started", NUMBERS(0, 0, 0, 0, 0), "" },
	/* StatefulSets */
	{ "complete", "statefulset",
	    "\"replicas\":3,\"updateStrategy\":{\"type\":\"RollingUpdate\","
	    "\"rollingUpdate\":{\"partition\":0}}",
	    SEEN ",\"currentRevision\":\"a\",\"updateRevision\":\"a\","
		 "\"currentReplicas\":3,\"updatedReplicas\":3,"
		 "\"readyReplicas\":3",
	    "ready", NUMBERS(3, 3, 3, 3, 0), "" },
	{ "halfway: the first pod is not replaced yet", "statefulset",
	    "\"replicas\":3,\"updateStrategy\":{\"type\":\"RollingUpdate\","
	    "\"rollingUpdate\":{\"partition\":0}}",
	    SEEN ",\"currentRevision\":\"a\",\"updateRevision\":\"b\","
		 "\"currentReplicas\":3,\"readyReplicas\":2",
	    "updating", NUMBERS(3, 0, 2, 2, 3), "" },
	{ "partition reached", "statefulset",
	    "\"replicas\":3,\"updateStrategy\":{\"type\":\"RollingUpdate\","
	    "\"rollingUpdate\":{\"partition\":2}}",
	    SEEN ",\"currentRevision\":\"a\",\"updateRevision\":\"b\","
		 "\"currentReplicas\":2,\"updatedReplicas\":1,"
		 "\"readyReplicas\":3",
	    "ready", NUMBERS(1, 1, 3, 3, 0), "" },
	{ "partition, all pods of one revision", "statefulset",
	    "\"replicas\":3,\"updateStrategy\":{\"type\":\"RollingUpdate\","
	    "\"rollingUpdate\":{\"partition\":2}}",
	    SEEN ",\"currentRevision\":\"a\",\"updateRevision\":\"a\","
		 "\"currentReplicas\":3,\"updatedReplicas\":3,"
		 "\"readyReplicas\":3",
	    "ready", NUMBERS(1, 3, 3, 3, -2), "" },
	{ "partition above the replicas", "statefulset",
	    "\"replicas\":3,\"updateStrategy\":{\"type\":\"RollingUpdate\","
	    "\"rollingUpdate\":{\"partition\":5}}",
	    SEEN ",\"currentRevision\":\"a\",\"updateRevision\":\"b\","
		 "\"currentReplicas\":3,\"readyReplicas\":3",
	    "ready", NUMBERS(0, 0, 3, 3, 0), "" },
	{ "partition, a pod that is not ready", "statefulset",
	    "\"replicas\":3,\"updateStrategy\":{\"type\":\"RollingUpdate\","
	    "\"rollingUpdate\":{\"partition\":2}}",
	    SEEN ",\"currentRevision\":\"a\",\"updateRevision\":\"b\","
		 "\"currentReplicas\":2,\"updatedReplicas\":1,"
		 "\"readyReplicas\":2",
	    "updating", NUMBERS(1, 1, 2, 2, 0), "" },
	{ "too many of them without a partition", "statefulset",
	    "\"replicas\":1,\"updateStrategy\":{\"type\":\"RollingUpdate\","
	    "\"rollingUpdate\":{\"partition\":0}}",
	    SEEN ",\"currentRevision\":\"a\",\"updateRevision\":\"a\","
		 "\"currentReplicas\":3,\"updatedReplicas\":3,"
		 "\"readyReplicas\":1",
	    "updating", NUMBERS(1, 3, 1, 1, -2), "" },
	{ "OnDelete with old pods", "statefulset",
	    "\"replicas\":3,\"updateStrategy\":{\"type\":\"OnDelete\"}",
	    SEEN ",\"currentRevision\":\"a\",\"updateRevision\":\"b\","
		 "\"currentReplicas\":3,\"readyReplicas\":3",
	    "updating", NUMBERS(3, 0, 3, 3, 3), "" },
	{ "OnDelete: a partition is nobody's", "statefulset",
	    "\"replicas\":3,\"updateStrategy\":{\"type\":\"OnDelete\","
	    "\"rollingUpdate\":{\"partition\":3}}",
	    SEEN ",\"currentRevision\":\"a\",\"updateRevision\":\"b\","
		 "\"currentReplicas\":3,\"readyReplicas\":3",
	    "updating", NUMBERS(3, 0, 3, 3, 3), "" },
	{ "fresh, without replicas", "statefulset", "", "", "started",
	    NUMBERS(0, 0, 0, 0, 0), "" },
	/* the others */
	{ "always", "cronjob", "", "", "ready", NUMBERS(0, 0, 0, 0, 0), "" },
	{ "as Helm says", "helmrelease", "", "\"releaseStatus\":\"deployed\"",
	    "deployed", NUMBERS(0, 0, 0, 0, 0), "" },
	{ "as Helm 2 says", "fluxhelmrelease", "",
	    "\"releaseStatus\":\"DEPLOYED\"", "DEPLOYED",
	    NUMBERS(0, 0, 0, 0, 0), "" },
	{ "before the operator", "helmrelease", "", "", "",
	    NUMBERS(0, 0, 0, 0, 0), "" },
};

static void
test_rollouts(void)
{
	for (size_t i = 0; i < nitems(rollouts); i++) {
		const struct rollout_case *t = &rollouts[i];
		auto_free char *text =
		    xasprintf("{" META ",\"spec\":{%s},\"status\":{%s}}",
			t->spec, t->status);
		struct workload w = read_as(t->kind, text);
		struct buf all = BUF_INIT(4096);
		auto_free char *messages = NULL, *numbers = NULL;

		for (size_t k = 0; k < w.nmessages; k++)
			(void)str_addf(&all, "%s%s", k > 0 ? " " : "",
			    w.messages[k]);
		messages = str_take(&all);
		numbers =
		    xasprintf("%lld %lld %lld %lld %lld", (long long)w.desired,
			(long long)w.updated, (long long)w.ready,
			(long long)w.available, (long long)w.outdated);
		if (!want_str(w.status, t->want) ||
		    !want_str(numbers, t->numbers) ||
		    !want_str(messages, t->messages))
			printf("# %s: %s\n", t->kind, t->what);
		workload_clear(&w);
	}
}

/* ---- containers -----------------------------------------------------------
 */

#define POD(containers, init)                                                  \
	"{" META                                                               \
	",\"spec\":{\"template\":{\"spec\":{\"containers\":[" containers       \
	"],\"initContainers\":[" init "],"                                     \
	"\"ephemeralContainers\":[{\"name\":\"e\",\"image\":\"e:1\"}]}}}}"
#define C(name, image) "{\"name\":\"" name "\",\"image\":\"" image "\"}"

static void
test_containers(void)
{
	static const struct {
		const char *kind, *text, *want;
	} tv[] = {
		{ "deployment", POD(C("b", "x/b:1") "," C("a", "a"), ""),
		    "b=x/b:1 a=a" },
		/* init containers last, in their order */
		{ "daemonset",
		    POD(C("c", "c:1"), C("z", "r.io/z") "," C("y", "y:2")),
		    "c=c:1 z=r.io/z y=y:2" },
		{ "statefulset", POD("", C("i", "i:1")), "i=i:1" },
		/* the digest wins over the tag */
		{ "deployment", POD(C("c", "n:1@sha256:ab"), ""),
		    "c=n@sha256:ab" },
		/* one that is none hides all */
		{ "deployment",
		    POD(C("a", "a:1") "," C("b", ":x"), C("i", "i:1")), "" },
		{ "deployment", POD(C("a", "a:1"), C("i", "")), "" },
		{ "deployment", POD(C("a", "a:b:c"), ""), "" },
		{ "deployment", POD("{\"name\":\"a\"}", ""), "" },
		{ "deployment", POD("7,[]", ""), "" },
		{ "deployment", POD("", ""), "" },
		{ "cronjob",
		    "{" META ",\"spec\":{\"jobTemplate\":{\"spec\":{"
		    "\"template\":{\"spec\":{\"containers\":[" C("c",
			"c:1") "],\"initContainers\":[" C("i", "i:1") "]}}}}}}",
		    "c=c:1 i=i:1" },
		{ "deployment", "{" META "}", "" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct workload w = read_as(tv[i].kind, tv[i].text);
		auto_free char *got = pairs(w.containers, w.ncontainers);

		want_str(got, tv[i].want);
		workload_clear(&w);
	}
}

static const struct {
	const char *annotations, *values, *want;
} releases[] = {
	{ "", "\"image\":\"a/b:c\"", "chart-image=a/b:c" },
	{ "", "\"image\":\"a/b\",\"tag\":\"v1\"", "chart-image=a/b:v1" },
	{ "", "\"registry\":\"r.io\",\"image\":\"a\",\"tag\":\"v1\"",
	    "chart-image=r.io/a:v1" },
	{ "", "\"image\":{\"repository\":\"a/b\",\"tag\":\"v1\"}",
	    "chart-image=a/b:v1" },
	{ "",
	    "\"image\":{\"registry\":\"r.io\",\"repository\":\"a\","
	    "\"tag\":\"v1\"}",
	    "chart-image=r.io/a:v1" },
	{ "", "\"web\":{\"image\":\"a:b\"}", "web=a:b" },
	{ "", "\"web\":{\"image\":{\"repository\":\"a\",\"tag\":\"b\"}}",
	    "web=a:b" },
	{ "", "\"a\":{\"b\":{\"image\":\"x:y\"}}", "" },
	{ "\"repository.fluxcd.io/app\":\"x.y\"", "\"x\":{\"y\":\"r/z:t\"}",
	    "app=r/z:t" },
	/* the chart first, the others by name */
	{ "",
	    "\"web\":{\"image\":\"w\"},\"db\":{\"image\":\"d\"},"
	    "\"image\":\"all\",\"B\":{\"image\":\"b\"}",
	    "chart-image=all B=b db=d web=w" },
	/* a member of that name is in its place */
	{ "", "\"image\":\"all\",\"chart-image\":{\"image\":\"mine\"}",
	    "chart-image=mine" },
	/* members that are no strings do not count … */
	{ "", "\"image\":\"a\",\"tag\":1.10", "chart-image=a" },
	{ "", "\"image\":\"a\",\"tag\":null,\"registry\":7", "chart-image=a" },
	/* … and what is no image then is none */
	{ "", "\"image\":\"a:1\",\"tag\":\"v2\"", "" },
	{ "", "\"image\":\"a\",\"tag\":\"\"", "" },
	{ "", "\"image\":\"a\",\"registry\":\"\"", "" },
	{ "", "\"image\":\"a\",\"tag\":\"1\",\"registry\":\"host:5000\"", "" },
	{ "", "\"image\":{\"tag\":\"y\"}", "" },
	{ "", "\"image\":{\"repository\":7}", "" },
	{ "", "\"image\":[\"a\"]", "" },
	{ "", "\"image\":{\"image\":\"x\",\"tag\":\"y\"}", "image=x:y" },
	{ "", "\"list\":[{\"image\":\"x\"}]", "" },
	/* paths */
	{ "\"repository.fluxcd.io/app\":\"x.r\",\"tag.fluxcd.io/app\":"
	  "\"x.t\"",
	    "\"x\":{\"r\":\"r/z\",\"t\":\"1\"}", "app=r/z:1" },
	{ "\"repository.fluxcd.io/app\":\"x.r\","
	  "\"registry.fluxcd.io/app\":\"reg\",\"tag.fluxcd.io/app\":"
	  "\"x.t\"",
	    "\"reg\":\"q.io\",\"x\":{\"r\":\"r/z\",\"t\":\"1\"}",
	    "app=q.io/r/z:1" },
	{ "\"repository.fluxcd.io/app\":\"x.r\","
	  "\"registry.fluxcd.io/app\":\"reg\"",
	    "\"reg\":\"q.io\",\"x\":{\"r\":\"z:2\"}", "app=q.io/z:2" },
	/* all of them must lead to strings */
	{ "\"repository.fluxcd.io/app\":\"x.r\",\"tag.fluxcd.io/app\":"
	  "\"x.t\"",
	    "\"x\":{\"r\":\"r/z\",\"t\":1}", "" },
	{ "\"repository.fluxcd.io/app\":\"x.r\",\"tag.fluxcd.io/app\":"
	  "\"no\"",
	    "\"x\":{\"r\":\"r/z\"}", "" },
	{ "\"tag.fluxcd.io/app\":\"t\"", "\"t\":\"1\"", "" },
	{ "\"registry.fluxcd.io/app\":\"t\"", "\"t\":\"r.io\"", "" },
	{ "\"repository.fluxcd.io/app\":\"x.0\"", "\"x\":[\"r/z\"]", "" },
	{ "\"repository.fluxcd.io/app\":\"\"", "\"x\":\"y\"", "" },
	{ "\"repository.fluxcd.io/app\":\"x..y\"",
	    "\"x\":{\"\":{\"y\":\"r/z\"}}", "app=r/z" },
	/* an empty one is none */
	{ "\"repository.fluxcd.io/app\":\"\"", "\"\":\"y\"", "" },
	{ "\"repository.fluxcd.io/app\":\"x\",\"tag.fluxcd.io/app\":\"\","
	  "\"registry.fluxcd.io/app\":\"\"",
	    "\"x\":\"r/z:t\",\"\":\"y\"", "app=r/z:t" },
	/* a path replaces what was found, if it leads somewhere */
	{ "\"repository.fluxcd.io/web\":\"x\"",
	    "\"web\":{\"image\":\"w\"},\"x\":\"mine:1\"", "web=mine:1" },
	{ "\"repository.fluxcd.io/web\":\"no\"", "\"web\":{\"image\":\"w\"}",
	    "web=w" },
	{ "\"repository.fluxcd.io/chart-image\":\"x\"",
	    "\"image\":\"w\",\"x\":\"mine:1\"", "chart-image=mine:1" },
};

static void
test_releases(void)
{
	for (size_t i = 0; i < nitems(releases); i++) {
		auto_free char *text = xasprintf(
		    "{\"metadata\":{\"name\":\"n\",\"namespace\":\"s\","
		    "\"annotations\":{%s}},\"spec\":{\"values\":{%s}}}",
		    releases[i].annotations, releases[i].values);
		struct workload w = read_as("helmrelease", text);
		auto_free char *got = pairs(w.containers, w.ncontainers);

		if (!want_str(got, releases[i].want))
			printf("# %s\n", text);
		workload_clear(&w);
	}
}

/* ---- the rest -------------------------------------------------------------
 */

static void
test_identity(void)
{
	static const struct {
		const char *meta, *id; /* NULL: none */
	} tv[] = {
		{ "\"name\":\"web\",\"namespace\":\"shop\"",
		    "shop:deployment/web" },
		{ "\"name\":\"n:c.d_e-F\",\"namespace\":\"Ns_1-x\"",
		    "Ns_1-x:deployment/n:c.d_e-F" },
		/* a client would refuse the whole list for one of these */
		{ "\"name\":\"a b\",\"namespace\":\"shop\"", NULL },
		{ "\"name\":\"a/b\",\"namespace\":\"shop\"", NULL },
		{ "\"name\":\"a%\",\"namespace\":\"shop\"", NULL },
		{ "\"name\":\"a\\n\",\"namespace\":\"shop\"", NULL },
		{ "\"name\":\"\",\"namespace\":\"shop\"", NULL },
		{ "\"name\":\"a\",\"namespace\":\"sh.op\"", NULL },
		{ "\"name\":\"\xc3\xa4\",\"namespace\":\"shop\"", NULL },
		{ "\"name\":7,\"namespace\":\"shop\"", NULL },
		{ "\"namespace\":\"shop\"", NULL },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *text =
		    xasprintf("{\"metadata\":{%s}}", tv[i].meta);
		auto_json json_t *j = parse(text);
		struct workload w = { 0 };
		int r = workload_read(workload_kind_find("deployment"), j, &w);

		want_int(r, tv[i].id != NULL ? FX_OK : FX_ESYNTAX);
		want_str(w.id, tv[i].id);
		workload_clear(&w);
	}
}

static void
test_long_name(void)
{
	char name[IPC_MAX_ID + 1];
	auto_free char *text = NULL;
	auto_json json_t *j = NULL;
	struct workload w = { 0 };

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	text = xasprintf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"s\"}}",
	    name);
	j = parse(text);
	want_int(workload_read(workload_kind_find("deployment"), j, &w),
	    FX_ESYNTAX);
}

static void
test_antecedent(void)
{
	static const struct {
		const char *annotations, *want;
	} tv[] = {
		{ "", "" },
		{ "\"helm.fluxcd.io/antecedent\":\"s:helmrelease/r\"",
		    "s:helmrelease/r" },
		{ "\"helm.fluxcd.io/antecedent\":\"s:HelmRelease/R\"",
		    "s:helmrelease/R" },
		{ "\"flux.weave.works/antecedent\":\"s:fluxhelmrelease/r\"",
		    "s:fluxhelmrelease/r" },
		{ "\"flux.weave.works/antecedent\":\"s:helmrelease/old\","
		  "\"helm.fluxcd.io/antecedent\":\"s:helmrelease/new\"",
		    "s:helmrelease/new" },
		{ "\"flux.weave.works/antecedent\":\"s:helmrelease/old\","
		  "\"helm.fluxcd.io/antecedent\":\"none\"",
		    "s:helmrelease/old" },
		{ "\"helm.fluxcd.io/antecedent\":\"s:helmrelease/r \"", "" },
		{ "\"helm.fluxcd.io/antecedent\":7", "" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *text = xasprintf("{\"metadata\":{\"name\":"
						 "\"n\",\"namespace\":\"s\","
						 "\"annotations\":{%s}}}",
		    tv[i].annotations);
		struct workload w = read_as("deployment", text);

		want_str(w.antecedent, tv[i].want);
		workload_clear(&w);
	}
}

static void
test_addons(void)
{
	static const struct {
		const char *ns, *labels;
		bool want;
	} tv[] = {
		{ "kube-system", "\"kubernetes.io/cluster-service\":\"true\"",
		    true },
		{ "kube-system",
		    "\"addonmanager.kubernetes.io/mode\":\"EnsureExists\"",
		    true },
		{ "kube-system",
		    "\"addonmanager.kubernetes.io/mode\":\"Reconcile\"", true },
		{ "kube-system",
		    "\"addonmanager.kubernetes.io/mode\":\"Ignore\"", false },
		{ "kube-system", "\"kubernetes.io/cluster-service\":\"false\"",
		    false },
		{ "kube-system", "", false },
		{ "default", "\"kubernetes.io/cluster-service\":\"true\"",
		    false },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *text = xasprintf("{\"metadata\":{\"namespace\":"
						 "\"%s\",\"labels\":{%s}}}",
		    tv[i].ns, tv[i].labels);
		auto_json json_t *j = parse(text);

		want_int(workload_is_addon(j), tv[i].want);
	}
}

/* An object that is meant to be too much: it is cut, and still within what a
 * message can carry. */
static void
test_limits(void)
{
	auto_json json_t *j =
	    parse("{" META ",\"spec\":{\"replicas\":1},\"status\":{}}");
	json_t *labels = json_object(), *conditions = json_array(),
	       *containers = json_array();
	char key[32], *text = xmalloc(8192);
	struct workload w = { 0 };

	memset(text, 'm', 8191);
	text[8191] = '\0';
	/* 1023 bytes, and then a character of two */
	memcpy(text + WORKLOAD_MESSAGE_MAX - 1, "\xc3\xa4", 2);
	for (int i = 0; i < 2000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		json_object_set_new(labels, key, json_string("value"));
		json_array_append_new(containers,
		    json_pack("{s:s, s:s}", "name", key, "image", "a:1"));
		json_array_append_new(conditions,
		    json_pack("{s:s, s:s, s:s}", "type", "ReplicaFailure",
			"status", "True", "message", text));
	}
	json_object_set_new(labels, text, json_string("long key"));
	json_object_set_new(json_object_get(j, "metadata"), "labels", labels);
	json_object_set_new(json_object_get(j, "status"), "conditions",
	    conditions);
	json_object_set_new(json_object_get(j, "spec"), "template",
	    json_pack("{s:{s:o}}", "spec", "containers", containers));
	want_int(workload_read(workload_kind_find("deployment"), j, &w), FX_OK);
	want(w.cut);
	want(w.nmessages > 0 && w.nmessages <= IPC_MAX_CONDITIONS);
	want(w.nlabels <= IPC_MAX_LABELS);
	want(w.ncontainers <= IPC_MAX_CONTAINERS);
	want(w.bytes <= WORKLOAD_BYTES_MAX);
	want_int(strlen(w.messages[0]), WORKLOAD_MESSAGE_MAX - 1);
	workload_clear(&w);
	free(text);
}

static void
test_uncut(void)
{
	struct workload w = read_as("deployment",
	    "{\"metadata\":{\"name\":\"n\",\"namespace\":\"s\",\"labels\":{"
	    "\"app\":\"web\",\"b/c\":\"\",\"odd\":7}}}");
	auto_free char *got = pairs(w.labels, w.nlabels);

	want_str(got, "app=web b/c=");
	want(!w.cut);
	workload_clear(&w);
}

/* What the API server has for integers beyond 64 bits, and other decimals. */
static void
test_numbers(void)
{
	static const char *const values[] = { "18446744073709552000",
		"-9223372036854775809", "-18446744073709551616",
		"9223372036854775808", "100000000000000000000", "1e+25",
		"1.23456789012345678901" };

	for (size_t i = 0; i < nitems(values); i++) {
		auto_free char *text = xasprintf("{" META ",\"spec\":{"
						 "\"values\":{\"n\":[%s,7],"
						 "\"t\":\"%s,\\\"\","
						 "\"image\":\"a:1\"}}}",
		    values[i], values[i]);
		auto_json json_t *j = parse(text);
		const json_t *v = sw_json_at(j, "spec", "values");
		const json_t *n = json_object_get(v, "n");
		struct workload w = read_as("helmrelease", text);

		want(json_real_value(json_array_get(n, 0)) ==
		    strtod(values[i], NULL));
		want_int(json_integer_value(json_array_get(n, 1)), 7);
		want(str_starts(sw_json_str(v, "t"), values[i]));
		want_int(w.ncontainers, 1);
		workload_clear(&w);
	}
}

static void
test_integers(void)
{
	auto_json json_t *j = parse("[-9223372036854775808,9223372036854775807,"
				    "9223372036854775808]");

	want(json_integer_value(json_array_get(j, 0)) == INT64_MIN);
	want(json_integer_value(json_array_get(j, 1)) == INT64_MAX);
	want(json_is_real(json_array_get(j, 2)));
}

/* 255 bytes, and then a character of two. */
static void
test_long_status(void)
{
	char status[IPC_MAX_NAME + 2];
	auto_free char *text = NULL;
	struct workload w;

	memset(status, 's', sizeof(status));
	memcpy(status + IPC_MAX_NAME - 1, "\xc3\xa4", 3);
	text = xasprintf("{" META ",\"status\":{\"releaseStatus\":\"%s\"}}",
	    status);
	w = read_as("helmrelease", text);
	want_int(strlen(w.status), IPC_MAX_NAME - 1);
	want(w.cut);
	workload_clear(&w);
}

/* ---- the errors of the last pass ----------------------------------------- */

static bool
is_b(void *arg, const char *id)
{
	(void)arg;
	return strcmp(id, "s:deployment/b") == 0;
}

static void
test_last_errors(void)
{
	struct last_errors e = { 0 };

	want_str(last_errors_find(&e, "s:deployment/a"), "");
	last_errors_add(&e, "s:deployment/b", "bad b");
	last_errors_add(&e, "s:service/x", "bad x");
	last_errors_add(&e, "s:deployment/a", "bad a");
	/* nothing is told before the pass is over */
	want_str(last_errors_find(&e, "s:deployment/a"), "");
	last_errors_settle(&e, true);
	want_int(e.n, 3);
	want_str(last_errors_find(&e, "s:deployment/a"), "bad a");
	want_str(last_errors_find(&e, "s:deployment/b"), "bad b");
	want_str(last_errors_find(&e, "s:service/x"), "bad x");
	want_str(last_errors_find(&e, "s:service/y"), "");
	/* a pass that died says nothing */
	last_errors_add(&e, "s:deployment/c", "bad c");
	last_errors_drop(&e);
	want_str(last_errors_find(&e, "s:deployment/c"), "");
	want_str(last_errors_find(&e, "s:deployment/a"), "bad a");
	/* a repair adds, and takes away what it put right */
	last_errors_add(&e, "s:deployment/a", "worse a");
	last_errors_add(&e, "s:cronjob/d", "bad d");
	last_errors_settle(&e, false);
	want_int(e.n, 4);
	want_str(last_errors_find(&e, "s:deployment/a"), "worse a");
	want_str(last_errors_find(&e, "s:deployment/b"), "bad b");
	last_errors_forget(&e, is_b, NULL);
	want_str(last_errors_find(&e, "s:deployment/b"), "");
	want_str(last_errors_find(&e, "s:cronjob/d"), "bad d");
	/* the next one replaces them all */
	last_errors_settle(&e, true);
	want_int(e.n, 0);
	last_errors_clear(&e);
}

static void
test_last_errors_bound(void)
{
	struct last_errors e = { 0 };
	char id[64];

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 2 * LAST_ERRORS_MAX; i++) {
			snprintf(id, sizeof(id), "s%d:deployment/%d", pass, i);
			last_errors_add(&e, id, "bad");
		}
		last_errors_settle(&e, pass == 0);
		want_int(e.n, LAST_ERRORS_MAX);
	}
	last_errors_clear(&e);
}

int
main(void)
{
	test_run("rollout: status, numbers and messages as upstream has them",
	    test_rollouts);
	test_run("containers: in their order, init containers last",
	    test_containers);
	test_run("releases: images in the values, and by annotations",
	    test_releases);
	test_run("identity: what no id can name is no workload", test_identity);
	test_run("identity: nor what is longer than ids", test_long_name);
	test_run("antecedent: the annotation of today, then that of old",
	    test_antecedent);
	test_run("addons: the cluster's own parts are nobody's workloads",
	    test_addons);
	test_run("limits: an object that is too much is cut", test_limits);
	test_run("limits: another one is not", test_uncut);
	test_run("limits: nor is the state of a release without end",
	    test_long_status);
	test_run("numbers: beyond 64 bits they spoil nothing", test_numbers);
	test_run("numbers: up to there they are integers", test_integers);
	test_run("last errors: of the last pass, and of repairs since",
	    test_last_errors);
	test_run("last errors: they are bounded", test_last_errors_bound);
	return test_done();
}
