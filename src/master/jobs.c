/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "jobs.h"

#include "buf.h"
#include "clock.h"
#include "log.h"
#include "master.h"
#include "str.h"

#include <stdio.h>
#include <sys/random.h>

static void run_next(struct master *);

static void
make_id(char *id)
{
	struct buf hex = BUF_INIT(64);
	auto_free char *s = NULL;
	uint8_t raw[16];

	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		fx_bug("getrandom");
	str_add_hex(&hex, raw, sizeof(raw));
	s = str_take(&hex);
	snprintf(id, JOB_ID_LEN + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", s, s + 8,
	    s + 12, s + 16, s + 20);
}

static bool
is_finished(const struct job *j)
{
	return j->status == IPC_JOB_FAILED || j->status == IPC_JOB_SUCCEEDED;
}

static void
job_free(struct job *j)
{
	free(j->user);
	free(j->message);
	free(j->spec);
	free(j->error);
	free(j);
}

/* Forget the oldest finished ones beyond JOBS_KEPT: never the youngest of all.
 */
static void
evict(struct jobs *js)
{
	struct job **at = &js->oldest, *j;
	size_t finished = 0;

	for (j = js->oldest; j != NULL; j = j->next)
		finished += is_finished(j);
	while (finished > JOBS_KEPT && (j = *at) != NULL) {
		if (!is_finished(j)) {
			at = &j->next;
			continue;
		}
		*at = j->next;
		finished--;
		js->n--;
		job_free(j);
	}
}

static struct job *
append(struct jobs *js, const char *id)
{
	struct job *j = xcalloc(1, sizeof(*j));

	snprintf(j->id, sizeof(j->id), "%s", id);
	if (js->youngest == NULL)
		js->oldest = j;
	else
		js->youngest->next = j;
	js->youngest = j;
	js->n++;
	return j;
}

/* One that was not accepted must not run, nor be found. */
static void
drop_youngest(struct jobs *js)
{
	struct job **at = &js->oldest, *before = NULL;

	for (; *at != js->youngest; at = &(*at)->next)
		before = *at;
	job_free(*at);
	*at = NULL;
	js->youngest = before;
	js->n--;
}

static struct job *
find(const struct jobs *js, const char *id)
{
	struct job *j = js->oldest;

	while (j != NULL && strcmp(j->id, id) != 0)
		j = j->next;
	return j;
}

const struct job *
jobs_find(const struct jobs *js, const char *id)
{
	return find(js, id);
}

const char *
jobs_revision(const struct jobs *js, const char *start)
{
	const struct job *j = js->oldest;

	while (j != NULL && !str_starts(j->revision, start))
		j = j->next;
	return j == NULL ? NULL : j->revision;
}

/* ---- journal --------------------------------------------------------------
 */

static void
record_of(const struct job *j, struct journal_record *r)
{
	*r = (struct journal_record){ .id = j->id,
		.kind = j->kind,
		.state = j->status,
		.queued_us = j->queued_us,
		.user = j->user,
		.message = j->message,
		.spec = j->spec,
		.revision = j->revision,
		.error = j->error };
}

static char *
copy(const char *s)
{
	return xstrdup(s == NULL ? "" : s);
}

static void
on_record(void *arg, const struct journal_record *r)
{
	struct jobs *js = arg;
	struct job *j = find(js, r->id);

	if (strlen(r->id) > JOB_ID_LEN || r->state > IPC_JOB_SUCCEEDED ||
	    r->kind > IPC_UPDATE_CONTAINERS)
		return; /* of another version: not ours to judge */
	if (j != NULL && is_finished(j))
		return; /* a damaged journal may be out of order */
	if (j == NULL)
		j = append(js, r->id);
	free(j->user);
	free(j->message);
	free(j->spec);
	free(j->error);
	j->kind = (enum ipc_update_kind)r->kind;
	j->status = (enum ipc_job_status)r->state;
	j->queued_us = r->queued_us;
	j->user = copy(r->user);
	j->message = copy(r->message);
	j->spec = copy(r->spec);
	j->error = copy(r->error);
	snprintf(j->revision, sizeof(j->revision), "%s",
	    r->revision == NULL ? "" : r->revision);
	evict(js);
}

static bool
next_record(void *arg, struct journal_record *r)
{
	struct jobs *js = arg;

	js->cursor = js->cursor == NULL ? js->oldest : js->cursor->next;
	if (js->cursor == NULL)
		return false;
	record_of(js->cursor, r);
	return true;
}

/* One that is full of old states is no reason to refuse a new one. */
static void
compact(struct jobs *js)
{
	struct fx_err err = { 0 };

	js->cursor = NULL;
	if (journal_rewrite(&js->journal, next_record, js, &err) != FX_OK)
		log_at(LVL_ERROR, KS("component", "daemon"),
		    KS("err", err.text));
}

static int
write_down(struct jobs *js, const struct job *j, struct fx_err *err)
{
	struct journal_record r;
	int code;

	record_of(j, &r);
	code = journal_append(&js->journal, &r, err);
	if (code == FX_OK && ledger_is_large(&js->journal))
		compact(js);
	return code;
}

/* The job goes on; after a crash it would run again. */
static void
write_down_or_say(struct jobs *js, const struct job *j)
{
	struct fx_err err = { 0 };

	if (write_down(js, j, &err) != FX_OK)
		log_at(LVL_ERROR, KS("component", "sync-loop"),
		    KS("jobID", j->id), KS("err", err.text));
}

int
jobs_open(struct jobs *js, int a, int b, struct fx_err *err)
{
	int r;

	memset(js, 0, sizeof(*js));
	if (a == -1 || b == -1) {
		js->journal.fds[0] = js->journal.fds[1] = -1;
		return FX_OK;
	}
	r = journal_open(&js->journal, a, b, on_record, js, err);
	if (r == FX_OK && js->journal.damaged != 0) {
		log_at(LVL_ERROR, KS("component", "daemon"),
		    KS("err",
			"the job journal is damaged; what it said in these "
			"places is lost"),
		    KI("places", js->journal.damaged));
		compact(js);
	}
	return r;
}

/* ---- running --------------------------------------------------------------
 */

static void
set_queue_length(struct master *m)
{
	metrics_set(m->metrics, METRIC_QUEUE_LENGTH, "",
	    (int64_t)m->jobs.nwaiting);
}

static void
finish(struct master *m, struct job *j, const struct fx_err *failure)
{
	j->status = failure == NULL ? IPC_JOB_SUCCEEDED : IPC_JOB_FAILED;
	free(j->error);
	j->error = xstrdup(failure == NULL ? "" : failure->text);
	write_down_or_say(&m->jobs, j);
	metrics_observe(m->metrics, METRIC_JOB_DURATION,
	    failure == NULL ? "success=\"true\"" : "success=\"false\"",
	    clk_now_us() - m->jobs.started_us);
	if (failure == NULL)
		log_at(LVL_INFO, KS("component", "sync-loop"),
		    KS("jobID", j->id), KS("state", "done"),
		    KS("success", "true"));
	else
		log_at(LVL_ERROR, KS("component", "sync-loop"),
		    KS("jobID", j->id), KS("state", "done"),
		    KS("success", "false"), KS("err", failure->text));
	m->jobs.running = NULL;
	evict(&m->jobs);
	run_next(m);
}

/* A sync job is a fetch, and a pass: of the new head, which sets it off, or of
 * the old one, to put right what no watch has shown (upstream does nothing
 * then).  It does not wait for the pass: the client does, by the sync status.
 */
static void
on_refreshed(struct master *m, void *arg, const struct fx_err *err)
{
	struct job *j = arg;
	struct fx_err not_ready = { 0 };
	int64_t took_us = clk_now_us() - m->jobs.started_us;

	if (m->stopping)
		return; /* its workers end; the next start runs it again */
	if (err != NULL && err->code == FX_ERETRY &&
	    took_us < m->cfg.sync_timeout / 1000) {
		mirror_refresh(m, on_refreshed, j);
		return;
	}
	if (err == NULL && mirror_check(m, &not_ready) != FX_OK)
		err = &not_ready;
	if (err == NULL) {
		snprintf(j->revision, sizeof(j->revision), "%s",
		    m->mirror.head);
		sync_unless_running(m);
	}
	finish(m, j, err);
}

/* By the clock that does not jump; a job of the process before us has only the
 * other one. */
static int64_t
waited_us(const struct job *j)
{
	int64_t us = j->accepted_us != 0 ? clk_now_us() - j->accepted_us
					 : clk_wall_us() - j->queued_us;

	return us < 0 ? 0 : us;
}

static void
run_next(struct master *m)
{
	struct jobs *js = &m->jobs;
	struct job *j = js->oldest;

	while (j != NULL && is_finished(j))
		j = j->next;
	if (j == NULL || js->running != NULL || m->stopping)
		return;
	js->running = j;
	js->nwaiting--;
	set_queue_length(m);
	js->started_us = clk_now_us();
	metrics_observe(m->metrics, METRIC_QUEUE_DURATION, "", waited_us(j));
	log_at(LVL_INFO, KS("component", "sync-loop"), KS("jobID", j->id),
	    KS("state", "in-progress"));
	j->status = IPC_JOB_RUNNING;
	write_down_or_say(js, j);
	mirror_refresh(m, on_refreshed, j);
}

void
jobs_resume(struct master *m)
{
	for (struct job *j = m->jobs.oldest; j != NULL; j = j->next) {
		if (is_finished(j))
			continue;
		j->status = IPC_JOB_QUEUED;
		m->jobs.nwaiting++;
	}
	if (m->jobs.nwaiting != 0)
		log_at(LVL_INFO, KS("component", "sync-loop"),
		    KS("info", "running jobs accepted before the restart"),
		    KI("jobs", m->jobs.nwaiting));
	run_next(m);
}

int
jobs_add(struct master *m, const struct ipc_update *u, struct job **out,
    struct fx_err *err)
{
	struct jobs *js = &m->jobs;
	char id[JOB_ID_LEN + 1];
	struct job *j;
	int r;

	if (js->nwaiting >= JOBS_WAITING_MAX ||
	    js->journal.rewritten > JOURNAL_MAX / 4)
		return fx_fail(err, FX_EAGAIN, "too many jobs are waiting");
	make_id(id);
	j = append(js, id);
	j->kind = (enum ipc_update_kind)u->kind;
	j->status = IPC_JOB_QUEUED;
	j->queued_us = clk_wall_us();
	j->accepted_us = clk_now_us();
	j->user = copy(u->user);
	j->message = copy(u->message);
	j->spec = copy(u->spec);
	j->error = copy("");
	js->nwaiting++;
	r = write_down(js, j, err);
	if (r != FX_OK) {
		js->nwaiting--;
		drop_youngest(js);
		return r;
	}
	evict(js);
	set_queue_length(m);
	*out = j;
	run_next(m);
	return FX_OK;
}
