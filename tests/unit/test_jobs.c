/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "master_bed.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

/* Jobs, from a client's request to what it is told of them. */

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char *
str(const char *s)
{
	return (char *)(uintptr_t)s;
}

/* What a client got. */
struct reply {
	bool done;
	struct fx_err err;
	char id[64];
	struct ipc_job_is job;
};

static int
on_reply(void *arg, struct ipc_frame *f)
{
	struct reply *r = arg;
	struct ipc_update_job m;

	r->done = true;
	if (ipc_take_failed(f, &r->err) != FX_OK)
		return FX_OK;
	if (f->type == IPC_T_JOB_IS)
		return ipc_job_is_decode(&f->body, &r->job, &f->fd);
	if (ipc_update_job_decode(&f->body, &m, &f->fd) == FX_OK) {
		snprintf(r->id, sizeof(r->id), "%s", m.job);
		ipc_update_job_clear(&m);
	}
	return FX_OK;
}

static struct reply
ask_update(enum ipc_update_kind kind)
{
	const struct ipc_update m = { .kind = kind,
		.user = str("Ann <ann@example.org>"),
		.message = str(""),
		.spec = str("{\"type\":\"sync\",\"spec\":{}}") };
	struct reply r = { 0 };

	(void)ipc_ask_update(&bed_far[IPC_R_API], &m, on_reply, &r);
	bed_turn();
	want(r.done);
	return r;
}

/* Is the job in this state?  Its error and revision are compared, too. */
static void
job_is(const char *id, enum ipc_job_status status, const char *error,
    const char *revision)
{
	const struct ipc_job m = { .job = str(id) };
	struct reply r = { 0 };

	(void)ipc_ask_job(&bed_far[IPC_R_API], &m, on_reply, &r);
	bed_turn();
	/* the repository does not remember any of these */
	if (status == IPC_JOB_UNKNOWN && *id != '\0')
		BED_ANSWER(bed_take(IPC_R_MANIFEST, IPC_T_JOB_NOTE),
		    job_note_is, 0);
	want(r.done);
	want_int(r.job.status, status);
	want_str(r.job.error, error);
	want_str(r.job.revision, revision);
	ipc_job_is_clear(&r.job);
}

/* A daemon that is ready and rests; its passes are of no interest here. */
static void
end_pass(const char *commit, bool is_new)
{
	static uint64_t set;

	BED_ANSWER(bed_take(IPC_R_MANIFEST, IPC_T_LOAD), loaded, .set = ++set);
	BED_ANSWER(bed_take(IPC_R_SYNC, IPC_T_APPLY), applied, 0);
	if (!is_new)
		return;
	BED_ANSWER(bed_take(IPC_R_GIT_LOCAL, IPC_T_COMMITS), commits_end, 0);
	BED_ANSWER(bed_take(IPC_R_GIT_LOCAL, IPC_T_TAG), tagged,
	    .oid = str(commit));
	BED_ANSWER(bed_take(IPC_R_GIT_REMOTE, IPC_T_PUSH), pushed, 0);
}

static void
begin_ready(void)
{
	bed_begin(NULL);
	bed_fetched(A, A);
	end_pass(A, false);
	bed_forget();
}

static void
test_one(void)
{
	struct reply r;
	char line[256];

	begin_ready();
	r = ask_update(IPC_UPDATE_SYNC);
	want_int(strlen(r.id), JOB_ID_LEN);
	job_is(r.id, IPC_JOB_RUNNING, "", "");
	snprintf(line, sizeof(line),
	    "component=sync-loop jobID=%s state=in-progress\n", r.id);
	want_log(line);
	bed_fetched(B, A);
	job_is(r.id, IPC_JOB_SUCCEEDED, "", B);
	snprintf(line, sizeof(line),
	    "component=sync-loop jobID=%s state=done success=true\n", r.id);
	want_log(line);
	want_int(bed_gauge(METRIC_JOB_DURATION, "success=\"true\""), 0);
	want_int(bed_sample_count, 1);
	end_pass(B, true);
	/* the head is what it was: a pass, to put right what it can */
	r = ask_update(IPC_UPDATE_SYNC);
	bed_fetched(B, B);
	job_is(r.id, IPC_JOB_SUCCEEDED, "", B);
	end_pass(B, false);
	want_int(bed_nasks, 0);
	bed_end();
}

static void
test_failing(void)
{
	struct reply r;
	char line[256];

	begin_ready();
	r = ask_update(IPC_UPDATE_SYNC);
	bed_fail(bed_take(IPC_R_GIT_REMOTE, IPC_T_FETCH), FX_EFAIL,
	    "connection refused");
	job_is(r.id, IPC_JOB_FAILED, "git fetch: connection refused", "");
	snprintf(line, sizeof(line),
	    "component=sync-loop jobID=%s state=done success=false err=\"git "
	    "fetch: connection refused\"\n",
	    r.id);
	want_log(line);
	(void)bed_gauge(METRIC_JOB_DURATION, "success=\"false\"");
	want_int(bed_sample_count, 1);
	/* a worker that dies costs the job nothing but time … */
	r = ask_update(IPC_UPDATE_SYNC);
	for (int i = 0; i < 3; i++) {
		bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
		bed_kill(IPC_R_GIT_REMOTE);
		job_is(r.id, IPC_JOB_RUNNING, "", "");
	}
	/* … of which there is --sync-timeout */
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	bed_now += CLK_MIN;
	bed_kill(IPC_R_GIT_REMOTE);
	job_is(r.id, IPC_JOB_FAILED, "git fetch: git-remote ended", "");
	bed_pass(100 * CLK_MS);
	bed_fetched(A, A);
	bed_end();

	/* without a repository */
	bed_begin("--git-url=", NULL);
	bed.has_url = false;
	bed.mirror.status = MIRROR_UNCONFIGURED;
	(void)bed_none(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	r = ask_update(IPC_UPDATE_SYNC);
	job_is(r.id, IPC_JOB_FAILED, "git repo does not have valid config", "");
	bed_end();
}

static void
test_order(void)
{
	struct reply r[4];

	begin_ready();
	for (size_t i = 0; i < nitems(r); i++)
		r[i] = ask_update(IPC_UPDATE_SYNC);
	want_int(bed_gauge(METRIC_QUEUE_LENGTH, ""), 3);
	for (size_t i = 0; i < nitems(r); i++) {
		job_is(r[i].id, IPC_JOB_RUNNING, "", "");
		if (i + 1 < nitems(r))
			job_is(r[i + 1].id, IPC_JOB_QUEUED, "", "");
		bed_pass(2 * CLK_SEC);
		bed_fetched(A, A);
		job_is(r[i].id, IPC_JOB_SUCCEEDED, "", A);
	}
	want_int(bed_gauge(METRIC_QUEUE_LENGTH, ""), 0);
	want_int(bed_gauge(METRIC_QUEUE_DURATION, ""), 0 + 2 + 4 + 6);
	want_int(bed_sample_count, 4);
	end_pass(A, false);
	bed_end();
}

static void
test_clock(void)
{
	struct reply a, b;

	begin_ready();
	a = ask_update(IPC_UPDATE_SYNC);
	b = ask_update(IPC_UPDATE_SYNC);
	bed_wall -= 86400 * CLK_SEC;
	bed_pass(3 * CLK_SEC);
	bed_wall += 10 * 86400 * CLK_SEC;
	bed_fetched(A, A);
	bed_fetched(A, A);
	job_is(a.id, IPC_JOB_SUCCEEDED, "", A);
	job_is(b.id, IPC_JOB_SUCCEEDED, "", A);
	want_int(bed_gauge(METRIC_QUEUE_DURATION, ""), 3);
	end_pass(A, false);
	bed_end();
}

static void
test_remembered(void)
{
	char first[64] = "", second[64] = "";

	begin_ready();
	job_is("no-such-job", IPC_JOB_UNKNOWN, "", "");
	job_is("", IPC_JOB_UNKNOWN, "", "");
	for (int i = 0; i < JOBS_KEPT + 1; i++) {
		struct reply r = ask_update(IPC_UPDATE_SYNC);

		snprintf(i == 0 ? first : second, sizeof(first), "%s", r.id);
		if (i > 1)
			want(strcmp(first, r.id) != 0);
		bed_fetched(A, A);
		if (i == JOBS_KEPT - 1)
			job_is(first, IPC_JOB_SUCCEEDED, "", A);
		if (i == 0)
			end_pass(A, false);
		else if (bed.sync.phase != SYNC_IDLE)
			end_pass(A, false);
	}
	job_is(first, IPC_JOB_UNKNOWN, "", "");
	job_is(second, IPC_JOB_SUCCEEDED, "", A);
	bed_end();
}

/* However many wait: what has ended stays readable, in the order of the
 * requests, and is never anything else again. */
static void
test_many_waiting(void)
{
	enum { N = 3 * JOBS_KEPT };
	char ids[N][64];

	begin_ready();
	for (size_t i = 0; i < N; i++)
		snprintf(ids[i], sizeof(ids[i]), "%s",
		    ask_update(IPC_UPDATE_SYNC).id);
	for (size_t i = 0; i < N; i++) {
		bed_fetched(A, A);
		end_pass(A, false);
		for (size_t k = i; i - k < JOBS_KEPT && k <= i; k--)
			job_is(ids[k], IPC_JOB_SUCCEEDED, "", A);
		if (i >= JOBS_KEPT)
			job_is(ids[i - JOBS_KEPT], IPC_JOB_UNKNOWN, "", "");
		if (i + 1 < N)
			job_is(ids[i + 1], IPC_JOB_RUNNING, "", "");
		if (i + 2 < N)
			job_is(ids[i + 2], IPC_JOB_QUEUED, "", "");
	}
	bed_end();
}

/* Neither a long load nor a long apply holds up a job. */
static void
test_beside_a_pass(void)
{
	struct bed_ask ask;
	struct reply r;

	begin_ready();
	sync_request(&bed);
	ask = bed_take(IPC_R_MANIFEST, IPC_T_LOAD);
	for (int i = 0; i < 2; i++) {
		r = ask_update(IPC_UPDATE_SYNC);
		job_is(r.id, IPC_JOB_RUNNING, "", "");
		bed_fetched(A, A);
		job_is(r.id, IPC_JOB_SUCCEEDED, "", A);
		if (i == 0) {
			BED_ANSWER(ask, loaded, .set = 1000);
			ask = bed_take(IPC_R_SYNC, IPC_T_APPLY);
		}
	}
	BED_ANSWER(ask, applied, 0);
	bed_end();
}

static void
test_too_many(void)
{
	struct reply r;

	begin_ready();
	for (int i = 0; i < JOBS_WAITING_MAX + 1; i++)
		want_int(ask_update(IPC_UPDATE_SYNC).err.code, FX_OK);
	r = ask_update(IPC_UPDATE_SYNC);
	want_str(r.err.text, "too many jobs are waiting");
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	bed_end();
	begin_ready();
	r = ask_update(IPC_UPDATE_IMAGE);
	want_str(r.err.text,
	    "this kind of update is not yet supported by this daemon");
	bed_end();
}

static void
files(char dir[])
{
	for (int i = 0; i < 2; i++) {
		auto_free char *path = xasprintf("%s/jobs.%d", dir, i);

		bed_journal[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		want(bed_journal[i] != -1);
	}
}

static void
remove_files(char dir[])
{
	for (int i = 0; i < 2; i++) {
		auto_free char *path = xasprintf("%s/jobs.%d", dir, i);

		(void)unlink(path);
		close(bed_journal[i]);
		bed_journal[i] = -1;
	}
	(void)rmdir(dir);
}

/* The process ends at any point: what was answered is run by the next one. */
static void
test_restart(void)
{
	char dir[] = "/tmp/fluxd-jobs.XXXXXX";
	struct reply done, running, waiting;

	want(mkdtemp(dir) != NULL);
	files(dir);
	begin_ready();
	done = ask_update(IPC_UPDATE_SYNC);
	bed_fetched(A, A);
	end_pass(A, false);
	running = ask_update(IPC_UPDATE_SYNC);
	waiting = ask_update(IPC_UPDATE_SYNC);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	bed_now += 2 * CLK_MIN; /* its workers end, at whatever time */
	bed_end();

	files(dir);
	bed_begin(NULL);
	want_log("info=\"running jobs accepted before the restart\" jobs=2");
	job_is(done.id, IPC_JOB_SUCCEEDED, "", A);
	job_is(running.id, IPC_JOB_RUNNING, "", "");
	job_is(waiting.id, IPC_JOB_QUEUED, "", "");
	bed_fetched(A, A); /* the first one, of the start */
	end_pass(A, false);
	bed_fetched(B, A);
	job_is(running.id, IPC_JOB_SUCCEEDED, "", B);
	bed_fetched(B, A);
	job_is(waiting.id, IPC_JOB_SUCCEEDED, "", B);
	end_pass(B, true); /* one for both */
	bed_end();

	/* nothing is left to be run */
	files(dir);
	bed_begin(NULL);
	want_no_log("accepted before the restart");
	job_is(waiting.id, IPC_JOB_SUCCEEDED, "", B);
	bed_fetched(B, B);
	end_pass(B, false);
	bed_end();
	remove_files(dir);
}

static void
limit_files(rlim_t bytes)
{
	struct rlimit l;

	want_int(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = bytes;
	want_int(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* No space: who asks is told, the job is not there; with space all is well. */
static void
test_full(void)
{
	char dir[] = "/tmp/fluxd-jobs.XXXXXX";
	struct reply kept, r;

	(void)signal(SIGXFSZ, SIG_IGN);
	want(mkdtemp(dir) != NULL);
	files(dir);
	begin_ready();
	kept = ask_update(IPC_UPDATE_SYNC);
	limit_files(1);
	r = ask_update(IPC_UPDATE_SYNC);
	want_str(r.err.text, "job journal: File too large");
	want_int(bed.jobs.n, 1);
	/* the one that runs ends, although that cannot be written down */
	bed_fetched(A, A);
	job_is(kept.id, IPC_JOB_SUCCEEDED, "", A);
	want_log("err=\"job journal: File too large\"");
	end_pass(A, false);
	limit_files(RLIM_INFINITY);
	r = ask_update(IPC_UPDATE_SYNC);
	want_str(r.err.text, "");
	bed_fetched(A, A);
	end_pass(A, false);
	bed_end();
	files(dir);
	bed_begin(NULL);
	job_is(r.id, IPC_JOB_SUCCEEDED, "", A);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	bed_end();
	remove_files(dir);
}

/* Damage is said, and mended: the other jobs are there. */
static void
test_damaged(void)
{
	char dir[] = "/tmp/fluxd-jobs.XXXXXX";
	struct reply a, b;
	int fd;

	want(mkdtemp(dir) != NULL);
	files(dir);
	begin_ready();
	a = ask_update(IPC_UPDATE_SYNC);
	bed_fetched(A, A);
	end_pass(A, false);
	b = ask_update(IPC_UPDATE_SYNC);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	fd = bed_journal[0];
	want_int(pwrite(fd, "GARBAGE", 7, 0), 7); /* the first line … */
	bed_end();
	files(dir);
	bed_begin(NULL);
	want_log("err=\"the job journal is damaged; what it said in these "
		 "places is lost\" places=");
	job_is(a.id, IPC_JOB_SUCCEEDED, "", A);
	job_is(b.id, IPC_JOB_RUNNING, "", "");
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	bed_end();
	files(dir);
	bed_begin(NULL);
	want_no_log("damaged");
	job_is(b.id, IPC_JOB_RUNNING, "", "");
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	bed_end();
	remove_files(dir);
}

int
main(void)
{
	test_run("jobs: a sync, from the request to the pass", test_one);
	test_run("jobs: what fails, and what is tried again", test_failing);
	test_run("jobs: in order, and counted", test_order);
	test_run("jobs: the wall clock jumps", test_clock);
	test_run("jobs: the last hundred are remembered", test_remembered);
	test_run("jobs: however many wait", test_many_waiting);
	test_run("jobs: beside a pass", test_beside_a_pass);
	test_run("jobs: too many, or of another kind", test_too_many);
	test_run("jobs: a restart runs what was accepted", test_restart);
	test_run("jobs: the disk is full", test_full);
	test_run("jobs: the journal is damaged", test_damaged);
	return test_done();
}
