/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "sync.h"

#include "child.h"
#include "log.h"
#include "master.h"
#include "str.h"

#include <malloc.h>
#include <stdio.h>

#define APPLY_LIMIT_US                                                         \
	(3600 * CLK_SEC) /* sync times out each request itself                 \
			  */
#define TEXT_MAX 8000	 /* bytes of a joined list in the log */
#define KILL_MARGIN_US (250 * CLK_MS)
#define SHORT_OID 7   /* digits of a revision as clients cut it */
#define INTERVAL_US 0 /* in a row below: --sync-interval */
#define LOAD_FAILED "loading resources from repo"

static void start(struct master *);

/* ---- the end of a pass ----------------------------------------------------
 */

static void
observe(struct master *m, bool success)
{
	metrics_observe(m->metrics, METRIC_SYNC_DURATION,
	    success ? "success=\"true\"" : "success=\"false\"",
	    clk_now_us() - m->sync.started_us);
	if (success)
		metrics_set(m->metrics, METRIC_SYNC_SUCCEEDED, "",
		    clk_wall_us() / CLK_SEC);
}

static void
end(struct master *m)
{
	m->sync.phase = SYNC_IDLE;
	if (m->sync.applied.patched != 0)
		(void)malloc_trim(0); /* names of all that changed went by */
	loop_timer_in(m->loop, &m->sync.interval, m->cfg.sync_interval / 1000);
	repair_lane_is_free(m);
	if (m->sync.wanted)
		start(m);
	status_pass_ended(m);
}

/*
 * When a pass that failed is run again.  A worker that died is back at once,
 * and an API server that refuses connections costs next to nothing to try;
 * what did not answer may need as long as we would wait anyway.  Once the
 * cluster is right only the marker is behind, and clients wait for it.  The
 * rest (a repository that cannot be loaded, a cluster that denies us) takes
 * somebody to mend it: a commit, or the next interval.
 */
static void
try_again(struct master *m, const struct fx_err *err)
{
	static const struct {
		int code;
		int64_t first_us, max_us;
	} classes[] = {
		{ FX_ERETRY, 50 * CLK_MS, 10 * CLK_SEC },
		{ FX_EGONE, 50 * CLK_MS, 10 * CLK_SEC },
		{ FX_EAGAIN, CLK_SEC, 10 * CLK_SEC },
		{ FX_ETIMEOUT, CLK_SEC, INTERVAL_US },
		{ FX_OK, CLK_SEC, INTERVAL_US }, /* after the apply: any */
	};
	struct sync_flow *s = &m->sync;
	size_t i = 0;
	int64_t us, max_us;

	while (i < nitems(classes) - 1 && classes[i].code != err->code)
		i++;
	if (classes[i].code == FX_OK && s->phase < SYNC_TELLING)
		return;
	max_us = classes[i].max_us == INTERVAL_US ? m->cfg.sync_interval / 1000
						  : classes[i].max_us;
	us = s->backoff_us * 2;
	us = us < classes[i].first_us ? classes[i].first_us : us;
	s->backoff_us = us > max_us ? max_us : us;
	s->retrying = true;
	loop_timer_in(m->loop, &s->retry, s->backoff_us);
}

static void
fail(struct master *m, const struct fx_err *err)
{
	static const char *const phases[] = {
		[SYNC_READING] = "phase=\"marker\"",
		[SYNC_LOADING] = "phase=\"load\"",
		[SYNC_APPLYING] = "phase=\"apply\"",
		[SYNC_TELLING] = "phase=\"events\"",
		[SYNC_MOVING] = "phase=\"marker\"",
	};

	observe(m, false);
	metrics_add(m->metrics, METRIC_ERRORS, phases[m->sync.phase], 1);
	/* workers that were told to stop have done nothing wrong */
	if (!m->stopping)
		log_at(LVL_ERROR, KS("component", "sync-loop"),
		    KS("err", err->text));
	try_again(m, err);
	if (m->sync.phase < SYNC_APPLYING)
		repository_loaded(m, err);
	end(m);
}

/* A worker's queue is full: it is not getting anywhere. */
static void
busy(struct master *m)
{
	struct fx_err err = { 0 };

	fx_fail(&err, FX_EAGAIN, "too many requests wait already");
	fail(m, &err);
}

/* ---- after the apply ------------------------------------------------------
 */

static void
show_revision(struct master *m)
{
	struct sync_flow *s = &m->sync;
	char labels[IPC_MAX_OID + 16];

	if (strcmp(s->shown, s->target) == 0)
		return;
	memcpy(s->shown, s->target, sizeof(s->shown));
	snprintf(labels, sizeof(labels), "revision=\"%s\"", s->target);
	metrics_forget(m->metrics, METRIC_SYNC_INFO);
	metrics_set(m->metrics, METRIC_SYNC_INFO, labels, 1);
}

static void
on_moved(struct master *m, const struct fx_err *err)
{
	if (err != NULL) {
		fail(m, err);
		return;
	}
	m->sync.backoff_us = 0;
	show_revision(m);
	observe(m, true);
	end(m);
}

/* Upstream lists the commits first and does not apply without them.  Here the
 * cluster has become right; but the marker stays until they are told, for
 * nobody would tell them later. */
static void
on_told(struct master *m, const struct fx_err *err)
{
	if (err != NULL) {
		fail(m, err);
		return;
	}
	m->sync.phase = SYNC_MOVING;
	marker_move(m, m->sync.target, on_moved);
}

/* With files left out the commit is not synced, as far as anybody is told:
 * neither an event nor the marker says so, and clients that wait hear why. */
static void
without_bad_files(struct master *m)
{
	m->sync.backoff_us = 0;
	observe(m, true);
	end(m);
}

static void
cluster_is_right(struct master *m)
{
	if (m->sync.nbad > 0) {
		without_bad_files(m);
		return;
	}
	m->sync.phase = SYNC_TELLING;
	repair_lane_is_free(m);
	events_tell(m, m->sync.target, on_told);
}

/* ---- apply ----------------------------------------------------------------
 */

/* Without an id it is about a file, and says which. */
static void
keep_errors(struct sync_flow *s, const struct ipc_sync_error *e, size_t n)
{
	struct buf *b = &s->errors;

	for (size_t i = 0; i < n; i++) {
		if (buf_left(b) > TEXT_MAX)
			return;
		(void)str_addf(&s->files, "%s%s", buf_left(b) == 0 ? "" : "; ",
		    e[i].source);
		(void)str_addf(b, "%s%s%s%s", buf_left(b) == 0 ? "" : "; ",
		    e[i].id, e[i].id[0] == '\0' ? "" : ": ", e[i].text);
	}
}

static void
applied(struct master *m)
{
	struct sync_flow *s = &m->sync;
	auto_free char *text = NULL, *files = NULL;
	int64_t total = (int64_t)s->applied.resources;
	int64_t errors = (int64_t)s->applied.errors;
	int64_t bad = (int64_t)s->nbad;

	if (buf_left(&s->errors) != 0) {
		text = str_take(&s->errors);
		files = str_take(&s->files);
		log_at(LVL_ERROR, KS("component", "daemon"), KS("err", text),
		    KS("files", files));
	}
	/* deletions that fail are errors without a manifest */
	metrics_set(m->metrics, METRIC_SYNC_MANIFESTS, "success=\"true\"",
	    total > errors ? total - errors : 0);
	metrics_set(m->metrics, METRIC_SYNC_MANIFESTS, "success=\"false\"",
	    errors + bad);
	metrics_add(m->metrics, METRIC_APPLIED_OBJECTS, "",
	    (int64_t)s->applied.patched);
	if (s->applied.patched != 0)
		log_at(LVL_INFO, KS("method", "Sync"), KS("cmd", "apply"),
		    KS("args", ""), KI("count", s->applied.patched));
	if (s->applied.patched + s->applied.deleted != 0)
		log_at(LVL_INFO, KS("component", "daemon"),
		    KS("info", "applied"), KI("resources", total),
		    KI("patched", s->applied.patched),
		    KI("unchanged", s->applied.unchanged),
		    KI("ignored", s->applied.ignored),
		    KI("deleted", s->applied.deleted), KI("errors", errors));
	cluster_is_right(m);
}

static int
on_applied(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct sync_flow *s = &m->sync;
	struct ipc_apply_errors part;
	int r;

	if (err != NULL) {
		fail(m, err);
		return FX_OK;
	}
	if (f->type == IPC_T_APPLY_ERRORS) {
		r = ipc_apply_errors_decode(&f->body, &part, &f->fd);
		if (r != FX_OK)
			return r;
		keep_errors(s, part.errors, part.errors_len);
		events_failed(m, part.errors, part.errors_len);
		ipc_apply_errors_clear(&part);
		return FX_OK;
	}
	r = ipc_applied_decode(&f->body, &s->applied, &f->fd);
	if (r == FX_OK)
		applied(m);
	return r;
}

static void
apply(struct master *m)
{
	struct sync_flow *s = &m->sync;
	struct ipc_apply q = { .set = s->set, .incomplete = s->incomplete };

	if (strcmp(m->marker.revision, s->target) != 0)
		log_at(LVL_INFO, KS("component", "daemon"),
		    KS("info", "trying to sync git changes to the cluster"),
		    KS("old", m->marker.revision), KS("new", s->target));
	s->phase = SYNC_APPLYING;
	events_applying(m);
	if (MST_ASK(mst_child(m, IPC_R_SYNC), apply, APPLY, &q, APPLY_LIMIT_US,
		on_applied, m) == NULL)
		busy(m);
}

/* ---- load -----------------------------------------------------------------
 */

static int
on_changed(struct master *m, struct ipc_frame *f)
{
	struct ipc_load_changed part;
	int r = ipc_load_changed_decode(&f->body, &part, &f->fd);

	if (r != FX_OK)
		return r;
	for (size_t i = 0; i < part.ids_len; i++)
		events_changed(m, part.ids[i].s);
	ipc_load_changed_clear(&part);
	return FX_OK;
}

/* With --sync-skip-bad-files. */
static int
on_left_out(struct sync_flow *s, struct ipc_frame *f)
{
	struct ipc_load_left_out part;
	int r = ipc_load_left_out_decode(&f->body, &part, &f->fd);

	if (r != FX_OK)
		return r;
	s->nbad += part.errors_len;
	keep_errors(s, part.errors, part.errors_len);
	ipc_load_left_out_clear(&part);
	return FX_OK;
}

/* Bad files are said when they are others than before, not at every pass. */
static void
say_bad_files(struct sync_flow *s)
{
	char *bad = str_take(&s->errors);

	buf_reset(&s->files); /* the text names them */
	if (bad[0] != '\0')
		fx_fail(&s->refused, FX_EFAIL, "%s", bad);
	if (bad[0] != '\0' && (s->bad == NULL || strcmp(s->bad, bad) != 0))
		log_at(LVL_ERROR, KS("component", "daemon"), KS("err", bad));
	free(s->bad);
	s->bad = bad;
}

static bool
passes_by_itself(const struct fx_err *err)
{
	return child_comes_back(err) || err->code == FX_ETIMEOUT ||
	    err->code == FX_EAGAIN;
}

static void
not_loaded(struct master *m, const struct fx_err *err)
{
	struct sync_flow *s = &m->sync;
	struct fx_err e = *err;

	fx_wrap(&e, LOAD_FAILED);
	if (!passes_by_itself(err)) /* clients need not wait */
		s->refused = *err;
	fail(m, &e);
}

static int
on_loaded(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct sync_flow *s = &m->sync;
	struct ipc_loaded a;
	int r;

	if (err != NULL) {
		not_loaded(m, err);
		return FX_OK;
	}
	if (f->type == IPC_T_LOAD_CHANGED)
		return on_changed(m, f);
	if (f->type == IPC_T_LOAD_LEFT_OUT)
		return on_left_out(s, f);
	r = ipc_loaded_decode(&f->body, &a, &f->fd);
	if (r != FX_OK)
		return r;
	s->refused.code = FX_OK;
	s->loaded_by = mst_child(m, IPC_R_MANIFEST)->incarnation;
	s->set = a.set;
	memcpy(s->loaded, s->target, sizeof(s->loaded));
	s->incomplete = a.incomplete;
	say_bad_files(s);
	repository_loaded(m, NULL);
	if (s->unread.code == FX_OK) {
		apply(m);
	} else {
		s->phase = SYNC_READING;
		fail(m, &s->unread);
	}
	return FX_OK;
}

static void
load(struct master *m, char *commit, child_fn *fn)
{
	struct ipc_load q = { .commit = commit };

	m->sync.nbad = 0;
	buf_reset(&m->sync.errors);
	buf_reset(&m->sync.files);
	if (MST_ASK(mst_child(m, IPC_R_MANIFEST), load, LOAD, &q,
		m->cfg.sync_timeout / 1000 + KILL_MARGIN_US, fn, m) == NULL)
		busy(m);
}

/* What was synced last is only there to compare with: without it the event
 * names too much, and that is all. */
static int
on_last_loaded(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	bool has_fd;

	if (f != NULL && ipc_rule(f->type)->kind == IPC_PART)
		return ipc_walk(f->type, &f->body, &has_fd);
	if (err != NULL)
		log_at(LVL_WARN, KS("component", "daemon"),
		    KS("warning",
			"failed to load last-synced resources. sync event may "
			"be inaccurate"),
		    KS("err", err->text));
	load(m, m->sync.target, on_loaded);
	return FX_OK;
}

/* A manifest worker that has loaded nothing yet knows nothing to compare. */
static bool
wants_last(const struct master *m, const struct child *manifest)
{
	return m->sync.loaded_by != manifest->incarnation &&
	    m->marker.revision[0] != '\0' &&
	    strcmp(m->marker.revision, m->sync.target) != 0;
}

/* Without the marker nothing is applied, but clients are shown what git has.
 */
static void
on_marker(struct master *m, const struct fx_err *err)
{
	if (err != NULL &&
	    (passes_by_itself(err) || sync_set_of_head(m) != 0)) {
		fail(m, err);
		return;
	}
	m->sync.unread = err == NULL ? (struct fx_err){ 0 } : *err;
	m->sync.phase = SYNC_LOADING;
	if (err == NULL && wants_last(m, mst_child(m, IPC_R_MANIFEST)))
		load(m, m->marker.revision, on_last_loaded);
	else
		load(m, m->sync.target, on_loaded);
}

static void
start(struct master *m)
{
	struct sync_flow *s = &m->sync;

	if (s->phase != SYNC_IDLE || m->stopping || s->head[0] == '\0' ||
	    repair_is_running(m))
		return;
	loop_timer_stop(m->loop, &s->interval);
	loop_timer_stop(m->loop, &s->retry);
	s->wanted = s->retrying = false;
	if (strcmp(s->target, s->head) != 0)
		s->refused.code = FX_OK;
	memcpy(s->target, s->head, sizeof(s->target));
	s->started_us = clk_now_us();
	s->started_wall_us = clk_wall_us();
	metrics_set(m->metrics, METRIC_SYNC_TRIED, "", clk_wall_us() / CLK_SEC);
	s->phase = SYNC_READING;
	marker_read(m, s->target, on_marker);
}

/* ---- reasons --------------------------------------------------------------
 */

static void
on_time(struct loop *l, void *arg)
{
	(void)l;
	sync_request(arg);
}

void
sync_request(struct master *m)
{
	m->sync.wanted = true;
	start(m);
}

void
sync_unless_running(struct master *m)
{
	if (m->sync.phase == SYNC_IDLE)
		sync_request(m);
}

void
sync_head_is(struct master *m, const char *head)
{
	if (strcmp(m->sync.head, head) == 0)
		return;
	snprintf(m->sync.head, sizeof(m->sync.head), "%s", head);
	sync_request(m);
}

bool
sync_uses_cluster(const struct master *m)
{
	return m->sync.phase != SYNC_IDLE && m->sync.phase < SYNC_TELLING;
}

void
sync_lane_is_free(struct master *m)
{
	if (m->sync.wanted)
		start(m);
}

/* A pass is a load, and finds what else is missing with the set.  One that is
 * under way, or waits, has failed with the worker and starts over. */
void
sync_lost_set(struct master *m)
{
	if (m->sync.phase == SYNC_IDLE && !m->sync.retrying)
		sync_request(m);
}

uint64_t
sync_set_of_any(struct master *m)
{
	const struct child *manifest = mst_child(m, IPC_R_MANIFEST);

	return manifest->state == CHILD_RUNNING &&
		manifest->incarnation == m->sync.loaded_by
	    ? m->sync.set
	    : 0;
}

uint64_t
sync_set_of_head(struct master *m)
{
	return strcmp(m->sync.loaded, m->sync.head) == 0 ? sync_set_of_any(m)
							 : 0;
}

const struct fx_err *
sync_refusal(const struct master *m)
{
	const struct sync_flow *s = &m->sync;

	return s->refused.code == FX_OK || strcmp(s->target, s->head) != 0
	    ? NULL
	    : &s->refused;
}

bool
sync_is_refused(const struct master *m, const char *revision,
    struct fx_err *err)
{
	const struct fx_err *refusal = sync_refusal(m);

	if (refusal == NULL || strlen(revision) < SHORT_OID ||
	    !str_starts(m->sync.head, revision))
		return false;
	*err = *refusal;
	fx_wrap(err, LOAD_FAILED);
	return true;
}

void
sync_init(struct master *m)
{
	struct sync_flow *s = &m->sync;

	events_init(m);
	buf_init(&s->errors, 2 * TEXT_MAX + IPC_MAX_TEXT + IPC_MAX_ID);
	buf_init(&s->files, TEXT_MAX);
	s->interval = (struct loop_timer){ .fn = on_time, .arg = m };
	s->retry = (struct loop_timer){ .fn = on_time, .arg = m };
	if (m->cfg.git_readonly)
		log_at(LVL_INFO, KS("component", "sync-loop"),
		    KS("info",
			"Repo is read-only; no image updates will be "
			"attempted"));
	if (m->cfg.registry_disable_scanning)
		log_at(LVL_INFO, KS("component", "sync-loop"),
		    KS("info",
			"Registry scanning is disabled; no image updates will "
			"be attempted"));
}
