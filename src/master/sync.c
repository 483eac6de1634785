/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "sync.h"

#include "child.h"
#include "log.h"
#include "master.h"
#include "str.h"

#include <stdio.h>

#define APPLY_LIMIT_US                                                         \
	(3600 * CLK_SEC) /* sync times out each request itself                 \
			  */
#define LIST_LIMIT_US CLK_MIN
#define LIST_MAX 1000 /* commits looked at for an event */
#define TEXT_MAX 8000 /* bytes of a joined list in the log */
#define DIED_FIRST_US (50 * CLK_MS)
#define DIED_MAX_US (10 * CLK_SEC)
#define SILENT_FIRST_US CLK_SEC
#define KILL_MARGIN_US (250 * CLK_MS)

static void start(struct master *);

/* ---- the end of a pass ----------------------------------------------------
 */

static void
observe(struct master *m, bool success)
{
	metrics_observe(m->metrics, METRIC_SYNC_DURATION,
	    success ? "success=\"true\"" : "success=\"false\"",
	    clk_now_us() - m->sync.started_us);
}

static void
end(struct master *m)
{
	m->sync.phase = SYNC_IDLE;
	m->sync.call = NULL;
	loop_timer_in(m->loop, &m->sync.interval, m->cfg.sync_interval / 1000);
	repair_lane_is_free(m);
	if (m->sync.wanted)
		start(m);
}

static void
try_again(struct master *m, int64_t first_us, int64_t max_us)
{
	int64_t us = m->sync.backoff_us * 2;

	us = us < first_us ? first_us : us > max_us ? max_us : us;
	m->sync.backoff_us = us;
	loop_timer_in(m->loop, &m->sync.retry, us);
}

static void
fail(struct master *m, const struct fx_err *err)
{
	observe(m, false);
	log_at(LVL_ERROR, KS("component", "sync-loop"), KS("err", err->text));
	/* a worker that died is back at once; what did not answer may need as
	 * long as we would wait anyway */
	if (err->code == FX_ERETRY)
		try_again(m, DIED_FIRST_US, DIED_MAX_US);
	else if (err->code == FX_ETIMEOUT)
		try_again(m, SILENT_FIRST_US, m->cfg.sync_interval / 1000);
	end(m);
}

static void
failf(struct master *m, const struct fx_err *err, const char *what)
{
	struct fx_err e = *err;

	fx_wrap(&e, "%s", what);
	fail(m, &e);
}

static void
succeed(struct master *m)
{
	m->sync.backoff_us = 0;
	observe(m, true);
	end(m);
}

/* ---- marker ---------------------------------------------------------------
 */

static bool
marker_is_pushed(const struct master *m)
{
	return !m->cfg.git_readonly && strcmp(m->cfg.sync_state, "git") == 0;
}

static void
moved(struct master *m, const char *old)
{
	struct sync_flow *s = &m->sync;
	char state[IPC_MAX_REF + 8];

	snprintf(state, sizeof(state), "tag %s", m->cfg.git_sync_tag);
	log_at(LVL_INFO, KS("component", "sync-loop"), KS("state", state),
	    KS("old", old), KS("new", s->target));
}

static int
on_pushed(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct sync_flow *s = &m->sync;
	char old[IPC_MAX_OID + 1];

	(void)f;
	s->call = NULL;
	if (err != NULL) {
		failf(m, err, "pushing tag to origin");
		return FX_OK;
	}
	memcpy(old, m->mirror.marker, sizeof(old));
	memcpy(m->mirror.marker, s->target, sizeof(m->mirror.marker));
	memcpy(s->recorded, s->target, sizeof(s->recorded));
	moved(m, old);
	succeed(m);
	return FX_OK;
}

static int
on_tagged(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	char dst[IPC_MAX_REF + 16];
	struct ipc_ref_update u = { .src = (char *)(uintptr_t)IPC_STAGED_TAG,
		.dst = dst,
		.force = true };
	struct ipc_push q = { .updates = &u,
		.updates_len = 1,
		.timeout_ms = (uint64_t)(m->cfg.git_timeout / 1000000) };
	char what[IPC_MAX_REF + 32];

	(void)f;
	m->sync.call = NULL;
	if (err != NULL) {
		snprintf(what, sizeof(what), "moving tag %s",
		    m->cfg.git_sync_tag);
		failf(m, err, what);
		return FX_OK;
	}
	snprintf(dst, sizeof(dst), "refs/tags/%s", m->cfg.git_sync_tag);
	m->sync.phase = SYNC_PUSHING;
	m->sync.call = MST_ASK(mst_child(m, IPC_R_GIT_REMOTE), push, PUSH, &q,
	    m->cfg.git_timeout / 1000 + KILL_MARGIN_US, on_pushed, m);
	if (m->sync.call == NULL)
		end(m);
	return FX_OK;
}

static void
warn_external(struct master *m)
{
	struct sync_flow *s = &m->sync;
	char state[IPC_MAX_REF + 8];

	if (s->recorded[0] == '\0' || s->warned_external ||
	    strcmp(s->recorded, m->mirror.marker) == 0)
		return;
	s->warned_external = true;
	snprintf(state, sizeof(state), "tag %s", m->cfg.git_sync_tag);
	log_at(LVL_WARN, KS("component", "sync-loop"),
	    KS("warning",
		"detected external change in sync state; the sync state should "
		"not be shared by fluxd instances"),
	    KS("state", state));
}

static void
tag(struct master *m)
{
	struct sync_flow *s = &m->sync;
	struct ipc_tag q = { .commit = s->target };

	warn_external(m);
	if (!marker_is_pushed(m)) {
		memcpy(s->recorded, s->target, sizeof(s->recorded));
		succeed(m);
		return;
	}
	/* Nothing to push where the marker is already: upstream pushes a new
	 * tag object at every start, which sets off pipelines for nothing. */
	if (strcmp(s->recorded, s->target) == 0 ||
	    (s->recorded[0] == '\0' &&
		strcmp(m->mirror.marker, s->target) == 0)) {
		memcpy(s->recorded, s->target, sizeof(s->recorded));
		succeed(m);
		return;
	}
	s->phase = SYNC_TAGGING;
	s->call = MST_ASK(mst_child(m, IPC_R_GIT_LOCAL), tag, TAG, &q,
	    LIST_LIMIT_US, on_tagged, m);
	if (s->call == NULL)
		end(m);
}

/* ---- event ----------------------------------------------------------------
 */

static void
log_event(struct master *m)
{
	struct sync_flow *s = &m->sync;
	auto_buf struct buf b = BUF_INIT(TEXT_MAX + 256);
	auto_free char *text = NULL;

	(void)str_add(&b, "Sync: ");
	if (s->ncommits > 2)
		(void)str_addf(&b, "%.7s..", s->oldest);
	(void)str_addf(&b, "%.7s, ", s->newest);
	if (s->nchanged == 0)
		(void)str_add(&b, "no workloads changed");
	else
		(void)str_addn(&b, (const char *)buf_head(&s->changed),
		    buf_left(&s->changed));
	text = str_take(&b);
	log_at(LVL_INFO, KS("component", "daemon"), KS("event", text),
	    KS("logupstream", "false"));
}

static int
on_commits(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct sync_flow *s = &m->sync;
	struct ipc_commit_part part;
	int r;

	if (err != NULL) {
		s->call = NULL;
		/* the event would be wrong, the cluster is right: go on */
		log_at(LVL_WARN, KS("component", "daemon"),
		    KS("warning", "cannot list the commits that were synced"),
		    KS("err", err->text));
		tag(m);
		return FX_OK;
	}
	if (f->type == IPC_T_COMMITS_END) {
		s->call = NULL;
		if (s->ncommits > 0)
			log_event(m);
		tag(m);
		return FX_OK;
	}
	r = ipc_commit_part_decode(&f->body, &part, &f->fd);
	if (r != FX_OK)
		return r;
	for (size_t i = 0; i < part.commits_len; i++) {
		if (s->ncommits++ == 0)
			snprintf(s->newest, sizeof(s->newest), "%s",
			    part.commits[i].oid);
		snprintf(s->oldest, sizeof(s->oldest), "%s",
		    part.commits[i].oid);
	}
	ipc_commit_part_clear(&part);
	return FX_OK;
}

static void
list_commits(struct master *m)
{
	struct sync_flow *s = &m->sync;
	struct ipc_commits q = { .from = m->mirror.marker,
		.to = s->target,
		.max = LIST_MAX };

	s->ncommits = 0;
	s->phase = SYNC_LISTING;
	repair_lane_is_free(m);
	if (strcmp(m->mirror.marker, s->target) == 0) {
		tag(m);
		return;
	}
	s->call = MST_ASK(mst_child(m, IPC_R_GIT_LOCAL), commits, COMMITS, &q,
	    LIST_LIMIT_US, on_commits, m);
	if (s->call == NULL)
		end(m);
}

/* ---- apply ----------------------------------------------------------------
 */

static void
keep_errors(struct buf *b, const struct ipc_sync_error *e, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (buf_left(b) > TEXT_MAX)
			return;
		(void)str_addf(b, "%s%s: %s", buf_left(b) == 0 ? "" : "; ",
		    e[i].id, e[i].text);
	}
}

static void
applied(struct master *m)
{
	struct sync_flow *s = &m->sync;
	auto_free char *text = NULL;
	int64_t total = (int64_t)s->applied.resources;
	int64_t errors = (int64_t)s->applied.errors;

	if (buf_left(&s->errors) != 0) {
		text = str_take(&s->errors);
		log_at(LVL_ERROR, KS("component", "daemon"), KS("err", text));
	}
	metrics_set(m->metrics, METRIC_SYNC_MANIFESTS, "success=\"true\"",
	    total - errors);
	metrics_set(m->metrics, METRIC_SYNC_MANIFESTS, "success=\"false\"",
	    errors);
	metrics_add(m->metrics, METRIC_APPLIED_OBJECTS, "",
	    (int64_t)s->applied.patched);
	if (s->applied.patched + s->applied.deleted != 0)
		log_at(LVL_INFO, KS("component", "daemon"),
		    KS("info", "applied"), KI("resources", total),
		    KI("patched", s->applied.patched),
		    KI("unchanged", s->applied.unchanged),
		    KI("ignored", s->applied.ignored),
		    KI("deleted", s->applied.deleted), KI("errors", errors));
	list_commits(m);
}

static int
on_applied(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct sync_flow *s = &m->sync;
	struct ipc_apply_errors part;
	int r;

	if (err != NULL) {
		s->call = NULL;
		fail(m, err);
		return FX_OK;
	}
	if (f->type == IPC_T_APPLY_ERRORS) {
		r = ipc_apply_errors_decode(&f->body, &part, &f->fd);
		if (r != FX_OK)
			return r;
		keep_errors(&s->errors, part.errors, part.errors_len);
		ipc_apply_errors_clear(&part);
		return FX_OK;
	}
	s->call = NULL;
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

	if (strcmp(m->mirror.marker, s->target) != 0)
		log_at(LVL_INFO, KS("component", "daemon"),
		    KS("info", "trying to sync git changes to the cluster"),
		    KS("old", m->mirror.marker), KS("new", s->target));
	s->phase = SYNC_APPLYING;
	buf_reset(&s->errors);
	s->call = MST_ASK(mst_child(m, IPC_R_SYNC), apply, APPLY, &q,
	    APPLY_LIMIT_US, on_applied, m);
	if (s->call == NULL)
		end(m);
}

/* ---- load -----------------------------------------------------------------
 */

static int
on_changed(struct sync_flow *s, struct ipc_frame *f)
{
	struct ipc_load_changed part;
	int r = ipc_load_changed_decode(&f->body, &part, &f->fd);

	if (r != FX_OK)
		return r;
	for (size_t i = 0; i < part.ids_len; i++) {
		s->nchanged++;
		if (buf_left(&s->changed) <= TEXT_MAX)
			(void)str_addf(&s->changed, "%s%s",
			    s->nchanged == 1 ? "" : ", ", part.ids[i].s);
	}
	ipc_load_changed_clear(&part);
	return FX_OK;
}

static int
on_loaded(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct sync_flow *s = &m->sync;
	struct ipc_loaded a;
	bool has_fd;
	int r;

	if (err != NULL) {
		s->call = NULL;
		failf(m, err, "loading resources from repo");
		return FX_OK;
	}
	if (f->type == IPC_T_LOAD_CHANGED)
		return on_changed(s, f);
	if (f->type == IPC_T_LOAD_LEFT_OUT)
		return ipc_walk(f->type, &f->body, &has_fd); /* logged there */
	s->call = NULL;
	r = ipc_loaded_decode(&f->body, &a, &f->fd);
	if (r != FX_OK)
		return r;
	s->loaded_by = mst_child(m, IPC_R_MANIFEST)->incarnation;
	s->set = a.set;
	s->incomplete = a.incomplete;
	apply(m);
	return FX_OK;
}

static bool
load(struct master *m, char *commit, child_fn *fn)
{
	struct ipc_load q = { .commit = commit };

	m->sync.call = MST_ASK(mst_child(m, IPC_R_MANIFEST), load, LOAD, &q,
	    m->cfg.sync_timeout / 1000 + KILL_MARGIN_US, fn, m);
	return m->sync.call != NULL;
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
	m->sync.call = NULL;
	if (err != NULL)
		log_at(LVL_WARN, KS("component", "daemon"),
		    KS("warning",
			"failed to load last-synced resources. sync event may "
			"be inaccurate"),
		    KS("err", err->text));
	if (!load(m, m->sync.target, on_loaded))
		end(m);
	return FX_OK;
}

/* A manifest worker that has loaded nothing yet knows nothing to compare. */
static bool
wants_last(const struct master *m, const struct child *manifest)
{
	return m->sync.loaded_by != manifest->incarnation &&
	    m->mirror.marker[0] != '\0' &&
	    strcmp(m->mirror.marker, m->sync.target) != 0;
}

static void
start(struct master *m)
{
	struct sync_flow *s = &m->sync;
	bool ok;

	if (s->phase != SYNC_IDLE || m->stopping || s->head[0] == '\0' ||
	    repair_is_running(m))
		return;
	loop_timer_stop(m->loop, &s->interval);
	loop_timer_stop(m->loop, &s->retry);
	s->wanted = false;
	memcpy(s->target, s->head, sizeof(s->target));
	s->started_us = clk_now_us();
	s->nchanged = 0;
	buf_reset(&s->changed);
	s->phase = SYNC_LOADING;
	if (wants_last(m, mst_child(m, IPC_R_MANIFEST)))
		ok = load(m, m->mirror.marker, on_last_loaded);
	else
		ok = load(m, s->target, on_loaded);
	if (!ok)
		end(m);
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
	return m->sync.phase == SYNC_LOADING || m->sync.phase == SYNC_APPLYING;
}

void
sync_lane_is_free(struct master *m)
{
	if (m->sync.wanted)
		start(m);
}

const char *
sync_recorded(const struct master *m)
{
	return marker_is_pushed(m) ? m->mirror.marker : m->sync.recorded;
}

void
sync_init(struct master *m)
{
	struct sync_flow *s = &m->sync;

	buf_init(&s->errors, 2 * TEXT_MAX + IPC_MAX_TEXT + IPC_MAX_ID);
	buf_init(&s->changed, 2 * TEXT_MAX + IPC_MAX_TEXT);
	s->interval = (struct loop_timer){ .fn = on_time, .arg = m };
	s->retry = (struct loop_timer){ .fn = on_time, .arg = m };
}
