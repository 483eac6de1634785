/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "mirror.h"

#include "child.h"
#include "log.h"
#include "master.h"

#include <stdio.h>

#define STEP_RETRY_US (10 * CLK_SEC) /* at most, while there is no mirror */
#define BACKOFF_FIRST_US CLK_SEC     /* after a step that failed */
#define KILL_MARGIN_US                                                         \
	(250 * CLK_MS) /* the worker's own deadline comes first */
#define DIED_RETRY_US (50 * CLK_MS)
/* Anybody may notify, as often as he likes: one fetch in this time. */
#define NOTIFY_US CLK_SEC
#define GONE_EVERY_US (5 * CLK_SEC) /* fetches because it is gone */

struct mirror_wait {
	mirror_fn *fn;
	void *arg;
	struct mirror_wait *next;
};

static void step(struct master *);

const char *
mirror_status_name(enum mirror_status s)
{
	static const char *const names[] = {
		[MIRROR_UNCONFIGURED] = "unconfigured",
		[MIRROR_NEW] = "new",
		[MIRROR_UNREACHABLE] = "unreachable",
		[MIRROR_CLONED] = "cloned",
		[MIRROR_READY] = "ready",
	};

	return names[s];
}

static void
set_status(struct master *m, enum mirror_status s)
{
	if (m->mirror.status == s)
		return;
	m->mirror.status = s;
	metrics_set(m->metrics, METRIC_GIT_READY, "", s == MIRROR_READY);
}

int
mirror_check(const struct master *m, struct fx_err *err)
{
	const struct mirror *mi = &m->mirror;

	if (mi->status == MIRROR_READY)
		return FX_OK;
	if (mi->status == MIRROR_UNCONFIGURED)
		return fx_fail(err, FX_EFAIL,
		    "git repo does not have valid config");
	return fx_fail(err, FX_EFAIL, "git repo not ready: %s", mi->error.text);
}

/* Who asks again from there waits for the next fetch, not for this one. */
static void
end_waits(struct master *m, const struct fx_err *err)
{
	struct mirror_wait *w, *list = fx_steal(&m->mirror.joined);

	while ((w = list) != NULL) {
		list = w->next;
		w->fn(m, w->arg, err);
		free(w);
	}
}

static void
next_in(struct master *m, int64_t us)
{
	loop_timer_in(m->loop, &m->mirror.timer, us);
}

/* What a pass does comes behind what clients have asked the cluster for; so
 * they wait from here on.  The pass lets them go on, if one comes. */
static void
let_lists_rest(struct master *m, bool on)
{
	struct child *sync = mst_child(m, IPC_R_SYNC);
	const struct ipc_rest q = { .on = on };

	if (sync->state == CHILD_RUNNING)
		(void)ipc_tell_rest(&sync->peer, &q);
}

/* The step under way is over; go on when somebody asked meanwhile. */
static void
settle(struct master *m, int64_t next_us)
{
	if (!sync_uses_cluster(m))
		let_lists_rest(m, false);
	if (m->mirror.call != NULL)
		return; /* who waited has asked again already */
	if (m->mirror.again || m->mirror.waits != NULL)
		step(m);
	else
		next_in(m, next_us);
}

static int64_t
poll_us(const struct master *m)
{
	return m->cfg.git_poll_interval / 1000;
}

static void
failed(struct master *m, const struct fx_err *err)
{
	struct mirror *mi = &m->mirror;
	bool is_ready = mi->status == MIRROR_READY;
	int64_t max_us = is_ready ? poll_us(m) : STEP_RETRY_US;
	int64_t next_us;

	mi->error = *err;
	if (!m->stopping)
		log_at(LVL_ERROR, KS("component", "sync-loop"),
		    KS("err", err->text));
	metrics_add(m->metrics, METRIC_ERRORS, "phase=\"fetch\"", 1);
	if (!is_ready && mi->status != MIRROR_CLONED)
		set_status(m,
		    err->code == FX_ERESOLVE ? MIRROR_UNREACHABLE : MIRROR_NEW);
	mi->backoff_us =
	    mi->backoff_us == 0 ? BACKOFF_FIRST_US : mi->backoff_us * 2;
	if (mi->backoff_us > max_us)
		mi->backoff_us = max_us;
	/* a worker that died is back at once */
	next_us = err->code == FX_ERETRY ? DIED_RETRY_US : mi->backoff_us;
	end_waits(m, err);
	settle(m, next_us);
}

static void
ready(struct master *m)
{
	struct mirror *mi = &m->mirror;

	mi->error = mi->refused;
	mi->backoff_us = 0;
	set_status(m, MIRROR_READY);
	log_at(LVL_INFO, KS("component", "sync-loop"), KS("event", "refreshed"),
	    KS("url", m->url_show), KS("branch", m->cfg.git_branch),
	    KS("HEAD", mi->head));
	sync_head_is(m, mi->head);
	end_waits(m, NULL);
	settle(m, poll_us(m));
}

static int
on_writable(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct fx_err e;

	(void)f;
	m->mirror.call = NULL;
	if (err != NULL) {
		e = *err;
		fx_wrap(&e, "attempt to push tag");
		failed(m, &e);
		return FX_OK;
	}
	m->mirror.write_checked = true;
	ready(m);
	return FX_OK;
}

static uint64_t
timeout_ms(const struct master *m)
{
	return (uint64_t)(m->cfg.git_timeout / 1000000);
}

static int64_t
kill_us(const struct master *m)
{
	return m->cfg.git_timeout / 1000 + KILL_MARGIN_US;
}

static void
check_write(struct master *m)
{
	struct ipc_check_write q = { .timeout_ms = timeout_ms(m) };

	m->mirror.call = MST_ASK(mst_child(m, IPC_R_GIT_REMOTE), check_write,
	    CHECK_WRITE, &q, kill_us(m), on_writable, m);
	if (m->mirror.call == NULL)
		next_in(m, STEP_RETRY_US);
}

static void
fetched(struct master *m, const struct ipc_fetched *a)
{
	struct mirror *mi = &m->mirror;
	struct fx_err err = { 0 };

	snprintf(mi->head, sizeof(mi->head), "%s", a->head);
	mi->refused = (struct fx_err){ 0 };
	if (a->refused[0] != '\0')
		fx_fail(&mi->refused, FX_EDENIED, "%s", a->refused);
	marker_fetched(m, a->marker);
	if (mi->status != MIRROR_READY) {
		set_status(m, MIRROR_CLONED);
		fx_fail(&mi->error, FX_EFAIL,
		    "git repo has been cloned but not yet checked for write "
		    "access");
	}
	if (a->head[0] == '\0') {
		fx_fail(&err, FX_EFAIL, "configured branch '%s' does not exist",
		    m->cfg.git_branch);
		failed(m, &err);
	} else if (!mi->write_checked && !m->cfg.git_readonly) {
		check_write(m);
	} else {
		ready(m);
	}
}

static int
on_fetched(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct ipc_fetched a;
	struct fx_err e;
	int r;

	m->mirror.call = NULL;
	if (err != NULL) {
		e = *err;
		fx_wrap(&e,
		    m->mirror.status == MIRROR_NEW ? "git clone --mirror"
						   : "git fetch");
		failed(m, &e);
		return FX_OK;
	}
	r = ipc_fetched_decode(&f->body, &a, &f->fd);
	if (r != FX_OK)
		return r;
	fetched(m, &a);
	ipc_fetched_clear(&a);
	return FX_OK;
}

static void
step(struct master *m)
{
	struct ipc_fetch q = { .timeout_ms = timeout_ms(m) };
	struct mirror *mi = &m->mirror;
	struct mirror_wait **last = &mi->joined;

	if (mi->status == MIRROR_UNCONFIGURED || m->stopping)
		return;
	loop_timer_stop(m->loop, &mi->timer);
	mi->again = false;
	/* this fetch begins after they asked */
	while (*last != NULL)
		last = &(*last)->next;
	*last = mi->waits;
	mi->waits = NULL;
	mi->call = MST_ASK(mst_child(m, IPC_R_GIT_REMOTE), fetch, FETCH, &q,
	    kill_us(m), on_fetched, m);
	if (mi->call == NULL)
		next_in(m, STEP_RETRY_US);
	else
		let_lists_rest(m, true);
}

static void
on_timer(struct loop *l, void *arg)
{
	struct master *m = arg;

	(void)l;
	if (m->mirror.call == NULL)
		step(m);
}

static void
on_notified(struct loop *l, void *arg)
{
	struct master *m = arg;

	m->mirror.notified_us = loop_now_us(l);
	if (m->mirror.call != NULL)
		m->mirror.again = true;
	else
		step(m);
}

/* All that come while one waits are one. */
void
mirror_notify(struct master *m)
{
	struct mirror *mi = &m->mirror;
	int64_t next = mi->notified_us + NOTIFY_US;

	if (mi->notified_us == 0 || next <= loop_now_us(m->loop))
		on_notified(m->loop, m);
	else
		loop_timer_at(m->loop, &mi->notified, next);
}

void
mirror_gone(struct master *m)
{
	struct mirror *mi = &m->mirror;
	int64_t now = clk_now_us();

	if (mi->gone_us != 0 && now - mi->gone_us < GONE_EVERY_US)
		return;
	mi->gone_us = now;
	mirror_notify(m);
}

void
mirror_refresh(struct master *m, mirror_fn *fn, void *arg)
{
	struct mirror_wait *w;
	struct fx_err err = { 0 };

	if (m->mirror.status == MIRROR_UNCONFIGURED &&
	    mirror_check(m, &err) != FX_OK) {
		fn(m, arg, &err);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	*w = (struct mirror_wait){ fn, arg, m->mirror.waits };
	m->mirror.waits = w;
	if (m->mirror.call == NULL)
		step(m);
}

void
mirror_init(struct master *m)
{
	struct mirror *mi = &m->mirror;

	mi->timer = (struct loop_timer){ .fn = on_timer, .arg = m };
	mi->notified = (struct loop_timer){ .fn = on_notified, .arg = m };
	mi->status = m->has_url ? MIRROR_NEW : MIRROR_UNCONFIGURED;
	fx_fail(&mi->error, FX_EFAIL, "git repo has not been cloned yet");
	if (m->has_url)
		step(m);
}
