/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "read_bed.h"
#include "str.h"
#include "test.h"

#include <stdio.h>
#include <unistd.h>

/*
 * What the cluster runs, read from a real API server with real controllers;
 * read.sh has made the objects.  The test plays the api worker: it asks, and
 * gives credit as it likes.
 */

#define ROLLOUT_US (180 * CLK_SEC)
#define LOOK_US (100 * CLK_MS)
#define MANY 1000
#define SLOW 64	 /* clients that do not read */
#define PAGE 100 /* objects of a list at once */

static struct bed bed;
static const char *ns, *other;

static void
start_as(const char *kubeconfig)
{
	bed_start(&bed, kubeconfig, NULL, NULL, NULL, NULL, NULL);
	want(bed.is_ready);
}

static void
stop(void)
{
	bed_stop(&bed);
	want_int(bed.bad_ends, 0);
	bed.nsettings = 0;
}

/* The answer is the caller's, to be cleared. */
static struct read_answer
list(const char *in, const char *const *ids)
{
	static struct read_answer a;

	read_list(&bed, &a, in, ids);
	want_str(a.err.text, "");
	return a;
}

/* Look until it is so. */
static bool
becomes(const char *id, const char *state)
{
	const char *const ids[] = { id, NULL };
	int64_t end = clk_now_us() + ROLLOUT_US;
	char last[256] = "";
	bool same = false;

	while (!same && clk_now_us() < end && !bed.closed) {
		struct read_answer a = list("", ids);

		snprintf(last, sizeof(last), "%s",
		    read_state(read_find(&a, id)));
		same = strcmp(last, state) == 0;
		read_clear(&a);
		if (!same)
			bed_serve(&bed, LOOK_US);
	}
	return want_str(last, state);
}

static void
has_containers(const struct read_answer *a, const char *id, const char *wanted)
{
	const struct ipc_workload *w = read_find(a, id);
	auto_free char *got = NULL;

	if (!want(w != NULL)) {
		printf("# %s\n", id);
		return;
	}
	got = read_pairs(w->containers, w->containers_len);
	want_str(got, wanted);
}

/* ---- rollouts -------------------------------------------------------------
 */

static void
test_deployments(void)
{
	const char *const late[] = { read_id(ns, "deployment/late"), NULL };
	struct read_answer a;
	const struct ipc_workload *w;

	start_as(getenv("BED_KUBECONFIG"));
	becomes(read_id(ns, "deployment/web"), "ready 2 2 2 2 0");
	becomes(read_id(ns, "deployment/none"), "ready 0 0 0 0 0");
	becomes(late[0], "error 1 1 0 0 0");
	a = list("", late);
	w = read_find(&a, late[0]);
	want(w != NULL && w->messages_len == 1 &&
	    strstr(w->messages[0].s, "timed out progressing") != NULL);
	read_clear(&a);
	/* paused in the middle of a rollout, and going on */
	want(bed_kubectl("-n %s patch deployment web --type=merge -p "
			 "'{\"spec\":{\"strategy\":{\"rollingUpdate\":{"
			 "\"maxSurge\":1,\"maxUnavailable\":0}}}}'",
	    ns));
	want(bed_kubectl("-n %s rollout pause deployment web", ns));
	want(bed_kubectl("-n %s set image deployment web main=web:2", ns));
	becomes(read_id(ns, "deployment/web"), "updating 2 0 2 2 2");
	want(bed_kubectl("-n %s rollout resume deployment web", ns));
	becomes(read_id(ns, "deployment/web"), "ready 2 2 2 2 0");
}

static void
test_quota(void)
{
	const char *const ids[] = { read_id(other, "deployment/limited"),
		NULL };
	struct read_answer a;
	const struct ipc_workload *w;

	becomes(ids[0], "error 2 1 1 1 0");
	a = list("", ids);
	w = read_find(&a, ids[0]);
	want(w != NULL && w->messages_len == 1 &&
	    strstr(w->messages[0].s, "exceeded quota") != NULL);
	read_clear(&a);
}

static void
test_sets(void)
{
	/* all of one revision, below the partition too */
	becomes(read_id(ns, "statefulset/parted"), "ready 1 3 3 3 -2");
	want(bed_kubectl("-n %s set image statefulset parted main=parted:2",
	    ns));
	becomes(read_id(ns, "statefulset/parted"), "ready 1 1 3 3 0");
	becomes(read_id(ns, "statefulset/on-delete"), "ready 1 1 1 1 0");
	want(
	    bed_kubectl("-n %s set image statefulset on-delete main=od:2", ns));
	becomes(read_id(ns, "statefulset/on-delete"), "updating 1 0 1 1 1");
	want(bed_kubectl("-n %s delete pod on-delete-0", ns));
	becomes(read_id(ns, "statefulset/on-delete"), "ready 1 1 1 1 0");
	becomes(read_id(ns, "daemonset/everywhere"), "ready 1 1 1 1 0");
}

/* ---- lists ----------------------------------------------------------------
 */

static void
test_namespace(void)
{
	struct read_answer a = list(ns, NULL);
	const struct ipc_workload *w =
	    read_find(&a, read_id(ns, "deployment/web"));
	auto_free char *labels = NULL;

	want_int(a.n, 10);
	has_containers(&a, read_id(ns, "deployment/web"),
	    "main=web:2 first=init:1");
	has_containers(&a, read_id(ns, "deployment/none"), "");
	has_containers(&a, read_id(ns, "cronjob/nightly"), "job=job:2");
	has_containers(&a, read_id(ns, "helmrelease/both"),
	    "chart-image=r.io/chart:3 web=w:1");
	has_containers(&a, read_id(ns, "helmrelease/old"), "chart-image=old:2");
	has_containers(&a, read_id(ns, "fluxhelmrelease/oldest"),
	    "chart-image=oldest:1");
	want_str(read_state(read_find(&a, read_id(ns, "cronjob/nightly"))),
	    "ready 0 0 0 0 0");
	want_str(read_state(read_find(&a, read_id(ns, "helmrelease/both"))),
	    "deployed 0 0 0 0 0");
	want_str(read_state(read_find(&a, read_id(ns, "helmrelease/old"))),
	    "DEPLOYED 0 0 0 0 0");
	want_str(read_state(
		     read_find(&a, read_id(ns, "fluxhelmrelease/oldest"))),
	    " 0 0 0 0 0");
	if (want(w != NULL)) {
		labels = read_pairs(w->labels, w->labels_len);
		want_str(labels, "app=web tier=front");
		want_str(w->antecedent, read_id(ns, "helmrelease/both"));
		want_str(w->error, "");
	}
	read_clear(&a);
}

static void
test_all(void)
{
	struct read_answer a = list("", NULL);

	want_int(a.n, 11); /* the add-on is not among them */
	want(read_find(&a, read_id(other, "deployment/limited")) != NULL);
	want(read_find(&a, "kube-system:deployment/addon") == NULL);
	read_clear(&a);
	a = list("no-such-namespace", NULL);
	want_int(a.n, 0);
	read_clear(&a);
	/* no part of a path */
	a = list("../../x", NULL);
	want_int(a.n, 0);
	read_clear(&a);
}

static void
test_ids(void)
{
	const char *const ids[] = { read_id(ns, "DaemonSet/everywhere"),
		read_id(ns, "deployment/missing"), read_id(ns, "service/web"),
		"<cluster>:deployment/web", "old/form",
		"kube-system:deployment/addon", NULL };
	const char *const both[] = { read_id(ns, "helmrelease/both"),
		read_id(ns, "helmrelease/old"), NULL };
	struct read_answer a = list("", ids);

	want_int(a.n, 1);
	want(read_find(&a, read_id(ns, "daemonset/everywhere")) != NULL);
	want_int(bed_logged(&bed,
		     "warning=\"automation of this resource kind is not "
		     "supported\" resource="),
	    2);
	read_clear(&a);
	a = list("", both);
	want_int(a.n, 2);
	has_containers(&a, both[0], "chart-image=r.io/chart:3 web=w:1");
	has_containers(&a, both[1], "chart-image=old:2");
	read_clear(&a);
	stop();
}

/* ---- restriction ----------------------------------------------------------
 */

static void
test_restricted(void)
{
	const char *const ids[] = { read_id(ns, "deployment/web"),
		read_id(other, "deployment/limited"), NULL };
	struct read_answer a;

	bed_set(&bed, "k8s-allow-namespace", ns);
	bed_set(&bed, "k8s-allow-namespace", "not-there");
	start_as(getenv("READ_READER"));
	a = list("", NULL);
	want_int(a.n, 10);
	read_clear(&a);
	a = list(ns, NULL);
	want_int(a.n, 10);
	read_clear(&a);
	a = list(other, NULL);
	want_int(a.n, 0);
	read_clear(&a);
	a = list("", ids);
	want_int(a.n, 1);
	read_clear(&a);
	stop();
}

static void
test_denied(void)
{
	const char *const ids[] = { read_id(ns, "deployment/web"),
		read_id(ns, "cronjob/nightly"), NULL };
	struct read_answer a;

	bed_set(&bed, "k8s-allow-namespace", ns);
	start_as(getenv("READ_POOR"));
	a = list("", NULL);
	want_int(a.n, 4);
	want(bed_logged(&bed,
		 "warning=\"not allowed to list resources\" "
		 "err=\"statefulsets.apps is forbidden: ") >= 1);
	read_clear(&a);
	a = list("", ids);
	want_int(a.n, 1);
	read_clear(&a);
	stop();
	/* of all namespaces nothing may be listed */
	start_as(getenv("READ_POOR"));
	a = list("", NULL);
	want_int(a.n, 0);
	read_clear(&a);
	stop();
}

/* ---- errors of syncs ------------------------------------------------------
 */

static const char *
error_of(const char *id)
{
	static char text[1200];
	const char *const ids[] = { id, NULL };
	struct read_answer a = list("", ids);
	const struct ipc_workload *w = read_find(&a, id);

	snprintf(text, sizeof(text), "%s", w != NULL ? w->error : "absent");
	read_clear(&a);
	return text;
}

#define PAUSED                                                                 \
	",\"spec\":{\"replicas\":0,\"paused\":true,\"selector\":{"             \
	"\"matchLabels\":{\"app\":\"%s\"}},\"template\":{\"metadata\":{"       \
	"\"labels\":{\"app\":\"m\"}},\"spec\":{\"containers\":[{\"name\":"     \
	"\"c\",\"image\":\"many:1\"}]}}}"

static void
test_sync_error(void)
{
	auto_free char *good = xasprintf(PAUSED, "m");
	auto_free char *bad = xasprintf(PAUSED, "q");
	auto_free char *space = xasprintf("%s-many", ns);
	const char *id = read_id(space, "deployment/d-0");
	struct bed_res *first;
	struct bed_result r;

	bed_add(&bed, "v1", "Namespace", "", space, "");
	bed_add(&bed, "apps/v1", "Deployment", space, "d-0", good);
	start_as(getenv("BED_KUBECONFIG"));
	r = bed_apply(&bed);
	want_str(r.errors, "");
	want_str(error_of(id), "");
	first = &bed.res[1];
	free(first->rest);
	first->rest = xstrdup(bad);
	first->version++;
	bed_commit(&bed);
	r = bed_apply(&bed);
	want_int(r.nerrors, 1);
	want(strstr(error_of(id), "selector") != NULL);
	/* a pass that dies early changes nothing */
	first->version++;
	bed_commit(&bed);
	bed.no_bodies = true;
	r = bed_apply(&bed);
	want(r.err.code != FX_OK);
	bed.no_bodies = false;
	want(strstr(error_of(id), "selector") != NULL);
	/* the first clean one takes it away */
	free(first->rest);
	first->rest = xstrdup(good);
	first->version++;
	bed_commit(&bed);
	r = bed_apply(&bed);
	want_str(r.errors, "");
	want_str(error_of(id), "");
}

/* ---- a thousand -----------------------------------------------------------
 */

/* Whole objects, about which no controller does anything. */
#define SUSPENDED                                                              \
	",\"spec\":{\"schedule\":\"0 0 1 1 *\",\"suspend\":true,"              \
	"\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":{"                  \
	"\"restartPolicy\":\"Never\",\"containers\":[{\"name\":\"c\","         \
	"\"image\":\"many:1\"}]}}}}}"

/* a worker with AddressSanitizer keeps what it frees for a while */
#ifdef FX_TEST_BUILD
#	define MORE_KB (512 * 1024)
#else
#	define MORE_KB (24 * 1024)
#endif

static unsigned
count_prefix(const struct read_answer *a, const char *prefix)
{
	unsigned n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += str_starts(a->v[i].id, prefix);
	return n;
}

static int
compare_ids(const void *a, const void *b)
{
	const struct ipc_workload *x = a, *y = b;

	return strcmp(x->id, y->id);
}

/* Does it have each of the many once? */
static void
want_many(struct read_answer *a)
{
	auto_free char *many = xasprintf("%s-many:cronjob/", ns);

	want_int(count_prefix(a, many), MANY);
	qsort(a->v, a->n, sizeof(*a->v), compare_ids);
	for (size_t i = 1; i < a->n; i++)
		want(strcmp(a->v[i - 1].id, a->v[i].id) != 0);
}

/* The watch of a kind of which much was written begins with a list when the
 * pass is over.  Who sees a foreign change has that behind him. */
static void
await_watch(const char *space)
{
	bed.auto_repair = true;
	want(bed_kubectl("-n %s patch cronjob c-0 --type=merge "
			 "-p '{\"spec\":{\"schedule\":\"0 0 2 1 *\"}}'",
	    space));
	want(bed_wait(&bed, &bed.repaired, 1, READ_WAIT_US));
	bed.auto_repair = false;
}

static void
test_many(void)
{
	auto_free char *space = xasprintf("%s-many", ns);
	struct read_answer a;
	struct bed_result r;
	int64_t began_us;
	char name[32];
	long mark;

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "c-%d", i);
		bed_add(&bed, "batch/v1", "CronJob", space, name, SUSPENDED);
	}
	bed_commit(&bed);
	r = bed_apply(&bed);
	want_str(r.errors, "");
	await_watch(space);
	mark = bed_audit_mark();
	began_us = clk_now_us();
	a = list(space, NULL);
	printf("# %d workloads: %lld ms, %llu parts, %ld kB\n", MANY,
	    (long long)(clk_now_us() - began_us) / CLK_MS,
	    (unsigned long long)a.parts, bed_rss_kb(&bed));
	want_many(&a);
	read_clear(&a);
	/* pages, and one list of each other kind; nothing else */
	want_int(bed_audit(mark, "list", "cronjobs"), MANY / PAGE);
	want_int(bed_audit(mark, "list", "helmreleases"), 2);
	want_int(bed_audit(mark, NULL, NULL), MANY / PAGE + 6);
	mark = bed_audit_mark();
	a = list("", NULL);
	want_many(&a);
	read_clear(&a);
	want_int(bed_audit(mark, "list", "cronjobs"), MANY / PAGE + 1);
	want_int(bed_audit(mark, NULL, NULL), MANY / PAGE + 7);
}

/* Does the worker come to rest? */
static bool
is_quiet(void)
{
	int64_t end = clk_now_us() + READ_WAIT_US;

	while (clk_now_us() < end) {
		long mark = bed_audit_mark();

		bed_serve(&bed, CLK_SEC / 2);
		if (bed_audit(mark, NULL, NULL) == 0)
			return true;
	}
	return false;
}

/* Clients that ask and do not read: nothing is read ahead for them without
 * end, and passes go on. */
static void
test_slow(void)
{
	static struct read_answer slow[SLOW], quick;
	int64_t end;
	long before = bed_rss_kb(&bed);
	struct bed_result r;

	for (size_t i = 0; i < SLOW; i++) {
		slow[i].stopped = true;
		read_ask(&bed, &slow[i], "", NULL);
	}
	for (size_t i = 0; i < SLOW; i++)
		want(bed_wait(&bed, &slow[i].parts, IPC_CREDIT_FIRST,
		    READ_WAIT_US));
	want(is_quiet());
	printf("# %d slow clients: %ld kB more\n", SLOW,
	    bed_rss_kb(&bed) - before);
	want(bed_rss_kb(&bed) - before < MORE_KB);
	bed.res[1].version++;
	bed_commit(&bed);
	r = bed_apply(&bed);
	want_str(r.err.text, "");
	want_int(r.applied.patched, 1);
	read_ask(&bed, &quick, "", NULL);
	want(bed_wait(&bed, &quick.done, 1, READ_WAIT_US));
	want_many(&quick);
	read_clear(&quick);
	/* one of them goes on, the others hang up */
	for (size_t i = 1; i < SLOW; i++)
		ipc_cancel(&bed.peer, slow[i].seq);
	end = clk_now_us() + READ_WAIT_US;
	while (bed.peer.nasks > 0 && !bed.closed && clk_now_us() < end) {
		struct ipc_ask *a = ipc_find_ask(&bed.peer, slow[0].seq);

		if (a != NULL && a->credit < 2)
			ipc_grant_parts(&bed.peer, slow[0].seq, 1);
		bed_serve(&bed, CLK_MS);
	}
	want_str(slow[0].err.text, "");
	want_many(&slow[0]);
	want_int(bed.peer.nasks, 0); /* who hung up is forgotten */
	for (size_t i = 0; i < SLOW; i++)
		read_clear(&slow[i]);
}

/* ---- exports --------------------------------------------------------------
 */

static char *
objects_of(const struct read_answer *a, const char *filter)
{
	auto_free char *path = xasprintf("%s/export", getenv("READ_DIR"));

	return read_objects(a, path, filter);
}

/* A line for each object, in order. */
#define NAMES "[.kind,.metadata.namespace,.metadata.name]|join(\" \")"

static void
test_export_restricted(void)
{
	static const char web[] = "select(.kind==\"Deployment\" and "
				  ".metadata.name==\"web\")|{metadata,spec,"
				  "status}|del(.metadata.managedFields)";
	static struct read_answer a;
	auto_free char *got = NULL, *wanted = NULL, *object = NULL,
		       *live = NULL;

	stop();
	bed_set(&bed, "k8s-allow-namespace", ns);
	bed_set(&bed, "k8s-allow-namespace", "not-there");
	start_as(getenv("BED_KUBECONFIG"));
	read_export(&bed, &a);
	want_str(a.err.text, "");
	got = objects_of(&a, NAMES);
	wanted = xasprintf("Namespace  %1$s\n"
			   "CronJob %1$s nightly\n"
			   "DaemonSet %1$s everywhere\n"
			   "Deployment %1$s late\n"
			   "Deployment %1$s none\n"
			   "Deployment %1$s web\n"
			   "FluxHelmRelease %1$s oldest\n"
			   "HelmRelease %1$s both\n"
			   "HelmRelease %1$s old\n"
			   "StatefulSet %1$s on-delete\n"
			   "StatefulSet %1$s parted\n",
	    ns);
	want_str(got, wanted);
	want_int(bed_logged(&bed,
		     "warning=\"cannot access allowed namespace\" "
		     "namespace=not-there"),
	    1);
	/* whole objects, as the server has them */
	object = objects_of(&a, web);
	live = bed_kubectl_get("-n %s get deployment web -o json | jq -Sr '%s'",
	    ns, web);
	want(strlen(live) > 100);
	want_str(object, live);
	want(!read_has(&a, "managedFields"));
	read_clear(&a);
	stop();
}

static void
test_export_all(void)
{
	static struct read_answer a;
	auto_free char *got = NULL, *last = xstrdup("");
	unsigned jobs = 0;
	long before;
	char *save;

	start_as(getenv("BED_KUBECONFIG"));
	before = bed_rss_kb(&bed);
	read_export(&bed, &a);
	want_str(a.err.text, "");
	printf("# export: %zu bytes, %ld kB more\n", buf_left(&a.yaml),
	    bed_rss_kb(&bed) - before);
	want(bed_rss_kb(&bed) - before < MORE_KB);
	/* what is ours alone does not go into a repository */
	want(!read_has(&a, "sync-gc-mark"));
	want(!read_has(&a, "sync-checksum"));
	got = objects_of(&a, NAMES);
	for (char *l = strtok_r(got, "\n", &save); l != NULL;
	     l = strtok_r(NULL, "\n", &save)) {
		jobs += str_starts(l, "CronJob ");
		want(strstr(l, "addon") == NULL);
		if (!str_starts(l, "Namespace "))
			continue;
		want(strcmp(last, l) < 0);
		free(last);
		last = xstrdup(l);
	}
	want_int(jobs, MANY + 1);
	read_clear(&a);
	stop();
	/* without the right to list them there is nothing to go by */
	start_as(getenv("READ_READER"));
	read_export(&bed, &a);
	want(strstr(a.err.text, "namespaces is forbidden") != NULL);
	read_clear(&a);
	stop();
}

int
main(void)
{
	ns = getenv("READ_NS");
	other = getenv("READ_OTHER");
	if (ns == NULL || other == NULL) {
		printf("1..0 # SKIP started by read.sh\n");
		return 0;
	}
	test_run("rollouts: Deployments, past their deadline and paused too",
	    test_deployments);
	test_run("rollouts: what a quota forbids", test_quota);
	test_run("rollouts: StatefulSets, by partition and on delete; "
		 "DaemonSets",
	    test_sets);
	test_run("list: a namespace, with releases of all groups",
	    test_namespace);
	test_run("list: all namespaces", test_all);
	test_run("list: some by their ids", test_ids);
	test_run("restricted: to a namespace, with an account of its own",
	    test_restricted);
	test_run("restricted: what may not be listed is left out", test_denied);
	test_run("errors: of the last pass, until a clean one",
	    test_sync_error);
	test_run("a thousand: pages, and nothing else", test_many);
	test_run("a thousand: clients that do not read cost nothing more",
	    test_slow);
	test_run("export: a namespace and what is in it, in order",
	    test_export_restricted);
	test_run("export: all namespaces", test_export_all);
	bed_free_set(&bed);
	return test_done();
}
