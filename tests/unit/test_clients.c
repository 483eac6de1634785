/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "master_steps.h"

/* What clients read: the repository, jobs that only it remembers, and what is
 * not applied yet.  None of it disturbs a pass. */

#define E "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"

/* What a client got; cleared by the next question. */
struct reply {
	bool done;
	struct fx_err err;
	struct ipc_repository_is repository;
	struct ipc_job_is job;
	char revisions[256]; /* their first letters */
};

static int
on_reply(void *arg, struct ipc_frame *f)
{
	struct reply *r = arg;
	struct ipc_sync_status_part part;

	if (f != NULL && f->type == IPC_T_SYNC_STATUS_PART) {
		want_int(ipc_sync_status_part_decode(&f->body, &part, &f->fd),
		    FX_OK);
		for (size_t i = 0; i < part.revisions_len; i++)
			r->revisions[i] = part.revisions[i].hex[0];
		ipc_sync_status_part_clear(&part);
		return FX_OK;
	}
	r->done = true;
	if (ipc_take_failed(f, &r->err) != FX_OK)
		return FX_OK;
	if (f->type == IPC_T_REPOSITORY_IS)
		return ipc_repository_is_decode(&f->body, &r->repository,
		    &f->fd);
	return f->type == IPC_T_JOB_IS
	    ? ipc_job_is_decode(&f->body, &r->job, &f->fd)
	    : FX_OK;
}

static void
reply_clear(struct reply *r)
{
	ipc_repository_is_clear(&r->repository);
	ipc_job_is_clear(&r->job);
	*r = (struct reply){ 0 };
}

static void
ask_repository(struct reply *r)
{
	reply_clear(r);
	want(ipc_ask_repository(&bed_far[IPC_R_API],
		 &(struct ipc_repository){ 0 }, on_reply, r) != 0);
	bed_turn();
}

static void
ask_job(struct reply *r, const char *id)
{
	reply_clear(r);
	want(ipc_ask_job(&bed_far[IPC_R_API],
		 &(struct ipc_job){ .job = str(id) }, on_reply, r) != 0);
	bed_turn();
}

static void
ask_status(struct reply *r, const char *ref)
{
	reply_clear(r);
	want(ipc_ask_sync_status(&bed_far[IPC_R_API],
		 &(struct ipc_sync_status){ .ref = str(ref) }, on_reply,
		 r) != 0);
	bed_turn();
}

#define want_repository(r, state_, set_, text)                                 \
	do {                                                                   \
		want((r)->done && (r)->err.code == FX_OK);                     \
		want_int((r)->repository.state, state_);                       \
		want_int((r)->repository.set, set_);                           \
		want_str((r)->repository.error, text);                         \
	} while (0)

static void
load(const char *commit, uint64_t set)
{
	BED_ANSWER(take_load(commit), loaded, .set = set);
}

static void
apply(void)
{
	BED_ANSWER(bed_take(IPC_R_SYNC, IPC_T_APPLY), applied, 0);
}

static void
begin_synced(void)
{
	bed_begin("--git-poll-interval=100h", NULL);
	bed_fetched(A, A);
	load(A, 7);
	apply();
	bed_forget();
}

/* ---- the repository ------------------------------------------------------ */

static void
test_states(void)
{
	struct reply r = { 0 };

	bed_begin("--git-readonly", NULL);
	ask_repository(&r);
	want_repository(&r, IPC_REPOSITORY_NOT_READY, 0, "");
	want(r.repository.read_only);
	bed_fail(bed_take(IPC_R_GIT_REMOTE, IPC_T_FETCH), FX_ERESOLVE, "no");
	ask_repository(&r);
	want_repository(&r, IPC_REPOSITORY_NOT_READY, 0, "");
	bed_end();

	bed_begin("--git-url=", NULL);
	bed.mirror.status = MIRROR_UNCONFIGURED;
	(void)bed_none(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	ask_repository(&r);
	want_repository(&r, IPC_REPOSITORY_NONE, 0, "");
	want(!r.repository.read_only);
	bed_end();

	begin_synced();
	ask_repository(&r);
	want_repository(&r, IPC_REPOSITORY_READY, 7, "");
	want_int(bed_nasks, 0); /* nothing had to be asked for it */
	bed_end();
	reply_clear(&r);
}

/* What is asked before the first load, or between a fetch and the load of what
 * it brought, is answered by that. */
static void
test_waits(void)
{
	struct reply r[3] = { 0 };

	bed_begin(NULL);
	bed_fetched(A, A);
	for (size_t i = 0; i < nitems(r); i++) {
		ask_repository(&r[i]);
		want(!r[i].done);
	}
	load(A, 1);
	for (size_t i = 0; i < nitems(r); i++)
		want_repository(&r[i], IPC_REPOSITORY_READY, 1, "");
	/* the pass goes on as if nobody had asked; the head moves meanwhile */
	new_head(B, A);
	ask_repository(&r[0]);
	want(!r[0].done);
	apply();
	want(!r[0].done);
	load(B, 2);
	want_repository(&r[0], IPC_REPOSITORY_READY, 2, "");
	apply();
	give_commits(take_commits(A, B), "");
	BED_ANSWER(bed_take(IPC_R_GIT_LOCAL, IPC_T_TAG), tagged, .oid = str(C));
	ask_repository(&r[0]);
	want_repository(&r[0], IPC_REPOSITORY_READY, 2, "");
	BED_ANSWER(bed_take(IPC_R_GIT_REMOTE, IPC_T_PUSH), pushed, 0);
	bed_end();
	for (size_t i = 0; i < nitems(r); i++)
		reply_clear(&r[i]);
}

/* A mistake in git is told in its own words, at once and until it is mended. */
static void
test_mistake(void)
{
	struct reply r = { 0 };

	begin_synced();
	new_head(B, A);
	ask_repository(&r);
	want(!r.done);
	bed_fail(take_load(B), FX_EFAIL, "duplicate definition of 'a:x/y'");
	want_repository(&r, IPC_REPOSITORY_READY, 0,
	    "duplicate definition of 'a:x/y'");
	ask_repository(&r);
	want_repository(&r, IPC_REPOSITORY_READY, 0,
	    "duplicate definition of 'a:x/y'");
	new_head(C, A);
	load(C, 8);
	ask_repository(&r);
	want_repository(&r, IPC_REPOSITORY_READY, 8, "");
	bed_drop(IPC_R_SYNC, IPC_T_APPLY);
	bed_end();
	reply_clear(&r);
}

/* What passes by itself is waited for, and not for ever. */
static void
test_bound(void)
{
	struct reply r = { 0 };

	bed_begin("--sync-timeout=1h", NULL);
	bed_fetched(A, A);
	ask_repository(&r);
	bed_pass(10 * CLK_SEC - CLK_MS);
	want(!r.done);
	bed_pass(CLK_MS);
	want_repository(&r, IPC_REPOSITORY_READY, 0,
	    "the manifests have not been loaded yet");
	/* it failed, and is tried again: that is the reason then */
	bed_fail(take_load(A), FX_EAGAIN, "connection refused");
	ask_repository(&r);
	want(!r.done);
	bed_pass(CLK_SEC);
	bed_fail(take_load(A), FX_EAGAIN, "connection refused");
	want_repository(&r, IPC_REPOSITORY_READY, 0,
	    "loading resources from repo: connection refused");
	bed_pass(2 * CLK_SEC);
	load(A, 1);
	apply();
	/* where there is an older set, that is shown */
	new_head(B, A);
	ask_repository(&r);
	want(!r.done);
	bed_fail(take_load(B), FX_ETIMEOUT, "context deadline exceeded");
	want_repository(&r, IPC_REPOSITORY_READY, 1, "");
	bed_pass(CLK_SEC);
	ask_repository(&r);
	bed_pass(10 * CLK_SEC);
	want_repository(&r, IPC_REPOSITORY_READY, 1, "");
	bed_drop(IPC_R_MANIFEST, IPC_T_LOAD);
	bed_end();
	reply_clear(&r);
}

/* A manifest worker that is started anew loads again, at once and by a pass:
 * nobody has to ask for it, and the next interval is not waited for. */
static void
test_manifest_restarts(void)
{
	struct reply r = { 0 };

	begin_synced();
	bed_kill(IPC_R_MANIFEST);
	ask_repository(&r);
	want(!r.done);
	load(A, 70);
	want_repository(&r, IPC_REPOSITORY_READY, 70, "");
	apply();
	want_int(bed_nasks, 0);
	/* in the middle of a load the pass starts over, once */
	new_head(B, A);
	ask_repository(&r);
	bed_drop(IPC_R_MANIFEST, IPC_T_LOAD);
	bed_kill(IPC_R_MANIFEST);
	want(!r.done);
	bed_pass(50 * CLK_MS);
	load(A, 71); /* to compare with */
	want(!r.done);
	load(B, 72);
	want_repository(&r, IPC_REPOSITORY_READY, 72, "");
	apply();
	give_commits(take_commits(A, B), "");
	BED_ANSWER(bed_take(IPC_R_GIT_LOCAL, IPC_T_TAG), tagged, .oid = str(C));
	BED_ANSWER(bed_take(IPC_R_GIT_REMOTE, IPC_T_PUSH), pushed, 0);
	want_int(bed_nasks, 0);
	bed_end();
	reply_clear(&r);
}

/* Where the marker cannot be read nothing is applied; git is shown. */
static void
test_no_marker(void)
{
	struct reply r = { 0 };

	bed_begin("--sync-state=secret", NULL);
	bed_fetched(A, "");
	ask_repository(&r);
	bed_fail(bed_take(IPC_R_SYNC, IPC_T_MARKER_READ), FX_EUNKNOWN,
	    "secrets \"flux-git-deploy\" not found");
	load(A, 3);
	want_repository(&r, IPC_REPOSITORY_READY, 3, "");
	want_int(bed_nasks, 0);
	sync_request(&bed);
	bed_fail(bed_take(IPC_R_SYNC, IPC_T_MARKER_READ), FX_EUNKNOWN, "no");
	want_int(bed_nasks, 0); /* it is loaded already */
	ask_repository(&r);
	want_repository(&r, IPC_REPOSITORY_READY, 3, "");
	bed_end();
	reply_clear(&r);
}

/* Somebody who waits goes away with his process. */
static void
test_api_restarts(void)
{
	struct reply r = { 0 }, next = { 0 };

	bed_begin(NULL);
	bed_fetched(A, A);
	ask_repository(&r);
	bed_kill(IPC_R_API);
	bed_far[IPC_R_API].next_seq = 1000; /* as workers begin */
	ask_repository(&next);
	load(A, 1);
	want(r.repository.set == 0);
	want_repository(&next, IPC_REPOSITORY_READY, 1, "");
	bed_drop(IPC_R_SYNC, IPC_T_APPLY);
	bed_end();
	reply_clear(&r);
	reply_clear(&next);
}

/* ---- jobs in notes ------------------------------------------------------- */

#define JOB "7d0a2f11-0b1c-4e5d-8a90-1234567890ab"

static struct bed_ask
take_search(const char *to, const char *job)
{
	struct bed_ask ask = bed_take(IPC_R_MANIFEST, IPC_T_JOB_NOTE);
	struct ipc_job_note m;

	if (ask.req.type != 0 && want(BED_READ(ask, job_note, &m))) {
		want_str(m.to, to);
		want_str(m.job, job);
		ipc_job_note_clear(&m);
	}
	return ask;
}

static void
test_note(void)
{
	struct reply r = { 0 };

	begin_synced();
	ask_job(&r, JOB);
	want(!r.done);
	BED_ANSWER(take_search(A, JOB), job_note_is, .commit = str(B),
	    .spec = str("{\"type\":\"policy\"}"), .result = str("{}"));
	want_int(r.job.status, IPC_JOB_SUCCEEDED);
	want_str(r.job.revision, B);
	want_str(r.job.spec, "{\"type\":\"policy\"}");
	want_str(r.job.result, "{}");
	want_str(r.job.error, "");
	ask_job(&r, JOB);
	BED_ANSWER(take_search(A, JOB), job_note_is, 0);
	want_int(r.job.status, IPC_JOB_UNKNOWN);
	/* what is no id of a job is none, without a search */
	ask_job(&r, "");
	want_int(r.job.status, IPC_JOB_UNKNOWN);
	ask_job(&r, "../x");
	want_int(r.job.status, IPC_JOB_UNKNOWN);
	ask_job(&r,
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "4");
	want_int(r.job.status, IPC_JOB_UNKNOWN);
	bed_end();

	/* while the repository is not there nothing is said of it */
	bed_begin(NULL);
	ask_job(&r, JOB);
	want_str(r.err.text,
	    "git repo not ready: git repo has not been cloned yet");
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	bed_end();
	bed_begin("--git-url=", NULL);
	bed.mirror.status = MIRROR_UNCONFIGURED;
	(void)bed_none(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	ask_job(&r, JOB);
	want(r.done && r.err.code == FX_OK);
	want_int(r.job.status, IPC_JOB_UNKNOWN);
	bed_end();
	reply_clear(&r);
}

/* One at a time; a load has to wait for one of them at most. */
static void
test_searches(void)
{
	struct reply r[JOB_NOTES_WAITING + 2] = { 0 };
	struct bed_ask first;
	size_t last = nitems(r) - 1;

	begin_synced();
	for (size_t i = 0; i <= last; i++)
		ask_job(&r[i], "no-such-job");
	want_str(r[last].err.text, "too many jobs are being looked for");
	first = take_search(A, "no-such-job");
	new_head(B, A);
	want_int(bed_nasks, 0);
	BED_ANSWER(first, job_note_is, 0);
	load(B, 8);
	want_int(r[0].job.status, IPC_JOB_UNKNOWN);
	for (size_t i = 1; i < last; i++) {
		want(!r[i].done);
		BED_ANSWER(take_search(B, "no-such-job"), job_note_is, 0);
		want(r[i].done);
	}
	ask_job(&r[0], "another");
	BED_ANSWER(take_search(B, "another"), job_note_is, 0);
	want_int(r[0].job.status, IPC_JOB_UNKNOWN);
	bed_drop(IPC_R_SYNC, IPC_T_APPLY);
	bed_end();
	for (size_t i = 0; i <= last; i++)
		reply_clear(&r[i]);
}

/* A worker that dies is no reason to say that there is no such job. */
static void
test_search_fails(void)
{
	struct reply r = { 0 };

	begin_synced();
	ask_job(&r, JOB);
	bed_fail(take_search(A, JOB), FX_EFAIL, "no such ref");
	want_str(r.err.text, "no such ref");
	ask_job(&r, JOB);
	bed_fail(take_search(A, JOB), FX_ERETRY, "git-local ended");
	want(!r.done);
	bed_pass(100 * CLK_MS);
	BED_ANSWER(take_search(A, JOB), job_note_is, .commit = str(B));
	want_int(r.job.status, IPC_JOB_SUCCEEDED);
	ask_job(&r, JOB);
	for (int i = 0; !r.done && i < 200; i++) {
		bed_fail(take_search(A, JOB), FX_ERETRY, "git-local ended");
		bed_pass(100 * CLK_MS);
	}
	want_str(r.err.text, "git-local ended");
	bed_end();
	reply_clear(&r);
}

/* ---- what is not applied yet --------------------------------------------- */

static void
test_status(void)
{
	struct reply r = { 0 };

	begin_synced();
	ask_status(&r, "bbbbbbb");
	give_commits(take_commits(A, "bbbbbbb"), "cb");
	want_str(r.revisions, "cb");
	ask_status(&r, A);
	give_commits(take_commits(A, A), "");
	want(r.done && r.err.code == FX_OK);
	want_str(r.revisions, "");
	/* a range without an end ends at the head of the branch */
	ask_status(&r, "");
	give_commits(take_commits(A, "HEAD"), "");
	want(r.done);
	ask_status(&r, "HEAD");
	give_commits(take_commits(A, "HEAD"), "");
	want(r.done);
	bed_end();

	/* nothing was synced: all of it is pending */
	bed_begin(NULL);
	bed_fetched(A, "");
	ask_status(&r, A);
	give_commits(take_commits("", A), "ab");
	/* which may soon be different */
	want(!r.done);
	bed_pass(CLK_SEC);
	give_commits(take_commits("", A), "ab");
	want_str(r.revisions, "ab");
	bed_drop(IPC_R_MANIFEST, IPC_T_LOAD);
	bed_end();
	reply_clear(&r);
}

/* What is pending while a pass is under way is told when that has ended. */
static void
test_status_held(void)
{
	struct reply r[3] = { 0 };

	begin_synced();
	new_head(B, A);
	for (size_t i = 0; i < nitems(r); i++) {
		ask_status(&r[i], i == 1 ? A : B);
		give_commits(take_commits(A, i == 1 ? A : B),
		    i == 1 ? "" : "b");
		want(r[i].done == (i == 1));
	}
	load(B, 8);
	bed_fail(bed_take(IPC_R_SYNC, IPC_T_APPLY), FX_EDENIED, "forbidden");
	give_commits(take_commits(A, B), "b");
	give_commits(take_commits(A, B), "b");
	want_str(r[0].revisions, "b");
	want_str(r[2].revisions, "b");
	/* nothing is under way */
	ask_status(&r[0], B);
	give_commits(take_commits(A, B), "b");
	want_str(r[0].revisions, "b");
	bed_end();
	for (size_t i = 0; i < nitems(r); i++)
		reply_clear(&r[i]);
}

/* In git's words; and where it is the marker that is not there, the list is
 * that of a first sync. */
static void
test_no_revision(void)
{
	static const struct {
		const char *ref, *text;
	} tv[] = {
		{ "0123456",
		    "fatal: bad revision '" A "..0123456', full output:\n "
		    "fatal: bad revision '" A "..0123456'\n" },
		{ "no such",
		    "fatal: bad revision '" A "..no such', full output:\n "
		    "fatal: bad revision '" A "..no such'\n" },
		{ E,
		    "fatal: Invalid revision range " A ".." E
		    ", full output:\n fatal: Invalid revision range " A ".." E
		    "\n" },
	};
	struct reply r = { 0 };

	begin_synced();
	for (size_t i = 0; i < nitems(tv); i++) {
		ask_status(&r, tv[i].ref);
		bed_fail(take_commits(A, tv[i].ref), FX_EUNKNOWN, "unknown");
		want(!r.done);
		bed_fail(take_commits("", tv[i].ref),
		    i == 1 ? FX_ESYNTAX : FX_EUNKNOWN, "unknown");
		want_str(r.err.text, tv[i].text);
	}
	ask_status(&r, B);
	bed_fail(take_commits(A, B), FX_EUNKNOWN, "unknown");
	give_commits(take_commits("", B), "ba");
	want_str(r.revisions, "ba");
	bed_end();
	reply_clear(&r);
}

/* No error that passes by itself: clients would give up. */
static void
test_status_retried(void)
{
	struct reply r = { 0 };

	begin_synced();
	ask_status(&r, B);
	bed_drop(IPC_R_GIT_LOCAL, IPC_T_COMMITS);
	bed_kill(IPC_R_GIT_LOCAL);
	want(!r.done);
	bed_pass(100 * CLK_MS);
	give_commits(take_commits(A, B), "b");
	want_str(r.revisions, "b");
	ask_status(&r, B);
	for (int i = 0; !r.done && i < 200; i++) {
		bed_fail(take_commits(A, B), FX_ERETRY, "not cloned yet");
		bed_pass(100 * CLK_MS);
	}
	want_str(r.err.text, "not cloned yet");
	ask_status(&r, B);
	bed_fail(take_commits(A, B), FX_EFAIL, "a broken object");
	want_str(r.err.text, "a broken object");
	bed_end();
	reply_clear(&r);
}

/* What is not there may be what is being fetched. */
static void
test_being_fetched(void)
{
	struct reply r = { 0 };

	begin_synced();
	mirror_notify(&bed);
	ask_status(&r, B);
	bed_fail(take_commits(A, B), FX_EUNKNOWN, "unknown");
	want(!r.done);
	bed_pass(100 * CLK_MS);
	bed_fail(take_commits(A, B), FX_EUNKNOWN, "unknown");
	bed_fetched(B, A);
	bed_pass(100 * CLK_MS);
	give_commits(take_commits(A, B), "b");
	bed_pass(CLK_SEC);
	give_commits(take_commits(A, B), "b");
	want_str(r.revisions, "b");
	bed_drop(IPC_R_MANIFEST, IPC_T_LOAD);
	bed_end();
	reply_clear(&r);
}

/* A mirror that is gone is fetched as soon as somebody misses it; not all the
 * time, where that does not help. */
static void
test_mirror_gone(void)
{
	struct reply r = { 0 };

	begin_synced();
	for (int i = 0; i < 4; i++) {
		ask_status(&r, A);
		bed_fail(take_commits(A, A), FX_EGONE, "not cloned yet");
		want(!r.done);
		if (i % 2 == 0)
			bed_fetched(A, A);
		want_int(bed_nasks, 0);
		bed_pass(100 * CLK_MS);
		give_commits(take_commits(A, A), "");
		want(r.done);
		if (i == 1)
			bed_pass(5 * CLK_SEC);
	}
	/* a pass goes on, too */
	bed_pass(5 * CLK_SEC);
	sync_request(&bed);
	bed_fail(take_load(A), FX_EGONE, "not cloned yet");
	bed_fetched(A, A);
	bed_pass(50 * CLK_MS);
	load(A, 8);
	apply();
	bed_end();
	reply_clear(&r);
}

/* What a job of ours has reported is pending, whatever became of the mirror. */
static void
test_own_revision(void)
{
	const struct ipc_update u = { .kind = IPC_UPDATE_SYNC,
		.user = str(""),
		.message = str(""),
		.spec = str("") };
	struct reply r = { 0 };

	begin_synced();
	want(ipc_ask_update(&bed_far[IPC_R_API], &u, on_reply, &r) != 0);
	bed_turn();
	bed_fetched(B, A);
	bed_drop(IPC_R_MANIFEST, IPC_T_LOAD);
	ask_status(&r, "bbbbbbb");
	bed_fail(take_commits(A, "bbbbbbb"), FX_EUNKNOWN, "unknown");
	bed_fail(take_commits("", "bbbbbbb"), FX_EUNKNOWN, "unknown");
	want(r.err.code == FX_OK);
	want_str(r.revisions, "b");
	ask_status(&r, "b"); /* too short to mean it */
	bed_fail(take_commits(A, "b"), FX_EUNKNOWN, "unknown");
	bed_fail(take_commits("", "b"), FX_EUNKNOWN, "unknown");
	want_int(r.err.code, FX_EUNKNOWN);
	bed_end();
	reply_clear(&r);
}

/* ---- metrics -------------------------------------------------------------
 */

/* A label has a limit, the URL of a service has another one. */
static void
test_connection(void)
{
	char path[512], labels[512];

	bed_begin(NULL);
	memset(path, 'x', sizeof(path));
	bed.service.target = xasprintf("ws://h/%.*s", 400, path);
	snprintf(labels, sizeof(labels), "target=\"ws://h/%.*s\"", 193, path);
	want_int(bed_gauge(METRIC_CONNECTION_DURATION, labels), 0);
	bed.service_since_us = bed_now - 5 * CLK_SEC;
	want_int(bed_gauge(METRIC_CONNECTION_DURATION, labels), 5);
	free(fx_steal(&bed.service.target));
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	bed_end();
}

int
main(void)
{
	test_run("repository: its states", test_states);
	test_run("repository: a load is waited for", test_waits);
	test_run("repository: a mistake in git", test_mistake);
	test_run("repository: nothing is waited for without end", test_bound);
	test_run("repository: manifest is started anew",
	    test_manifest_restarts);
	test_run("repository: the marker cannot be read", test_no_marker);
	test_run("repository: api is started anew", test_api_restarts);
	test_run("jobs: found in the notes", test_note);
	test_run("jobs: one search at a time, and few of them", test_searches);
	test_run("jobs: a search fails", test_search_fails);
	test_run("status: commits that are not applied", test_status);
	test_run("status: not told while a pass is under way",
	    test_status_held);
	test_run("status: a revision that is not there", test_no_revision);
	test_run("status: a worker dies", test_status_retried);
	test_run("status: a revision that is being fetched",
	    test_being_fetched);
	test_run("mirror: gone, and missed", test_mirror_gone);
	test_run("status: a revision that a job has reported",
	    test_own_revision);
	test_run("metrics: the connection to a service, whatever its URL",
	    test_connection);
	return test_done();
}
