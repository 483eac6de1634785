/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "child.h"

#include "log.h"
#include "master.h"
#include "relay.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define START_LIMIT_US (30 * CLK_SEC)  /* from spawn to READY */
#define LAUNCH_LIMIT_US (10 * CLK_SEC) /* an answer of the launcher */
#define RETRY_FIRST_US (200 * CLK_MS)
#define RETRY_MAX_US CLK_MIN
#define HEALTHY_US CLK_MIN
#define PING_EVERY_US (10 * CLK_SEC)
#define PING_LIMIT_US (5 * CLK_SEC)
#define FRAMES_PER_TURN 32 /* of one child, so that none starves the others */

static void begin(struct child *, int fd);

const char *
child_name(const struct child *c)
{
	return ipc_role_name(c->role);
}

const char *
child_state_name(enum child_state s)
{
	static const char *const names[] = {
		[CHILD_OFF] = "stopped",
		[CHILD_SPAWNING] = "starting",
		[CHILD_STARTING] = "starting",
		[CHILD_RUNNING] = "running",
		[CHILD_ENDING] = "ending",
		[CHILD_WAITING] = "waiting",
	};

	return names[s];
}

/* ---- the channel ----------------------------------------------------------
 */

static void
give_up(struct child *c)
{
	loop_del(c->m->loop, &c->source);
	/* ends every call that was sent */
	ipc_peer_close(&c->peer);
	relay_forget(c);
	loop_timer_stop(c->m->loop, &c->start_by);
	loop_timer_stop(c->m->loop, &c->healthy);
	loop_timer_stop(c->m->loop, &c->ping);
}

/* By the child: how it ends says whether that was its will. */
static void
channel_closed(struct child *c)
{
	child_kill(c, "channel closed");
	c->at_fault = false;
}

static void
on_channel(struct loop *l, int fd, short revents, void *arg)
{
	struct child *c = arg;
	uint32_t incarnation = c->incarnation;
	int r = ipc_peer_read(&c->peer, FRAMES_PER_TURN);

	(void)l;
	(void)fd;
	(void)revents;
	/* a handler may have ended it already */
	if (c->source == NULL || c->incarnation != incarnation || r == FX_OK)
		return;
	if (r == FX_ESHORT) {
		channel_closed(c);
		return;
	}
	mst_count(c->m, METRIC_PROTOCOL_VIOLATIONS, c);
	child_kill(c, c->peer.broken.text);
}

void
child_flush(struct child *c)
{
	if (c->source == NULL)
		return;
	if (ipc_peer_write(&c->peer) != FX_OK) {
		channel_closed(c);
		return;
	}
	loop_events(c->source, ipc_peer_events(&c->peer));
	if (ipc_peer_pending(&c->peer))
		on_channel(c->m->loop, c->peer.fd, 0, c);
}

/* ---- ending and restarting ------------------------------------------------
 */

static void
on_retry(struct loop *l, void *arg)
{
	(void)l;
	child_start(arg);
}

static void
restart_later(struct child *c)
{
	c->state = CHILD_WAITING;
	c->restarts++;
	mst_count(c->m, METRIC_WORKER_RESTARTS, c);
	loop_timer_in(c->m->loop, &c->retry, c->delay_us);
	c->delay_us = c->delay_us == 0 ? RETRY_FIRST_US : c->delay_us * 2;
	if (c->delay_us > RETRY_MAX_US)
		c->delay_us = RETRY_MAX_US;
}

void
child_kill(struct child *c, const char *why)
{
	struct ipc_kill m = { .role = c->role, .instance = c->instance };

	if (c->state != CHILD_STARTING && c->state != CHILD_RUNNING)
		return;
	if (!c->told_to_stop)
		log_at(LVL_ERROR, KS("component", "supervisor"), KS("err", why),
		    KS("worker", child_name(c)), KI("pid", c->pid));
	c->state = CHILD_ENDING;
	c->at_fault = true;
	give_up(c);
	if (c->role == IPC_R_LAUNCHER) {
		mst_lost_launcher(c->m);
		return;
	}
	(void)ipc_tell_kill(&c->m->launcher.peer, &m);
}

void
child_exited(struct child *c, uint64_t pid, uint64_t status)
{
	if (pid != c->pid || c->state == CHILD_WAITING ||
	    c->state == CHILD_OFF || c->state == CHILD_SPAWNING)
		return;
	if (!c->told_to_stop || status != 0)
		log_at(LVL_WARN, KS("component", "supervisor"),
		    KS("warning", "worker ended"), KS("worker", child_name(c)),
		    KI("pid", pid), KS("how", mst_exit_text(status)));
	if (c->source != NULL) {
		/* whoever asks again because a call ended waits for the next
		 * incarnation; nothing more is sent on this channel */
		c->state = CHILD_ENDING;
		give_up(c);
	}
	/* it asks to be started anew, as the connector does when the resolver's
	 * files were replaced: no penalty, unless it does nothing else */
	if (status == 0 && !c->at_fault && c->running_us != 0 &&
	    clk_now_us() - c->running_us > CLK_SEC)
		c->delay_us = 0;
	if (c->m->stopping || (c->on_demand && c->waiting == NULL)) {
		c->state = CHILD_OFF;
		c->delay_us = 0;
	} else {
		restart_later(c);
	}
	mst_child_changed(c->m, c);
}

void
child_stop(struct child *c)
{
	struct ipc_stop m = { 0 };

	loop_timer_stop(c->m->loop, &c->retry);
	loop_timer_stop(c->m->loop, &c->ping);
	c->told_to_stop = true;
	if (c->state == CHILD_RUNNING)
		(void)ipc_tell_stop(&c->peer, &m);
	else if (c->state == CHILD_WAITING)
		c->state = CHILD_OFF;
	else if (c->state == CHILD_STARTING)
		child_kill(c, "stopping");
}

void
child_restart(struct child *c)
{
	/* who is yet to be started reads them anyway */
	c->renew = c->state == CHILD_RUNNING || c->state == CHILD_STARTING;
	child_send_waiting(c);
}

/* ---- starting -------------------------------------------------------------
 */

/* A file that was asked of the launcher for one incarnation of a child. */
struct file_wait {
	struct child *child;
	uint32_t incarnation;
	enum ipc_file_id file;
};

static void
go(struct child *c)
{
	struct ipc_go m = { 0 };

	if (mst_give_held(c->m, c) != FX_OK ||
	    ipc_tell_go(&c->peer, &m) != FX_OK)
		child_kill(c, "cannot be given what it needs");
}

static int
on_opened(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	auto_free struct file_wait *w = arg;
	struct child *c = w->child;
	struct ipc_opened m = { .fd = -1 };
	int r = FX_OK;

	if (f != NULL)
		r = ipc_opened_decode(&f->body, &m, &f->fd);
	if (r == FX_OK && c->incarnation == w->incarnation &&
	    c->state == CHILD_STARTING) {
		if (m.fd != -1) {
			struct ipc_file file = { .which = w->file, .fd = m.fd };

			m.fd = -1;
			(void)ipc_tell_file(&c->peer, &file);
		} else {
			struct ipc_no_file no = { .which = w->file,
				.why = (char *)(uintptr_t)(err == NULL
					? ""
					: err->text) };

			(void)ipc_tell_no_file(&c->peer, &no);
		}
		if (w->file == IPC_FILE_DEPLOY_KEY)
			keyring_opened(c->m, err);
		if (--c->files_open == 0)
			go(c);
	}
	ipc_opened_clear(&m);
	return r;
}

static void
ask_files(struct child *c)
{
	const enum ipc_file_id *files;
	size_t n = mst_files_of(c, &files);

	c->files_open = n;
	for (size_t i = 0; i < n; i++) {
		struct file_wait *w = xcalloc(1, sizeof(*w));
		struct ipc_open m = { .number = files[i] };

		*w = (struct file_wait){ c, c->incarnation, files[i] };
		if (MST_ASK(&c->m->launcher, open, OPEN, &m, LAUNCH_LIMIT_US,
			on_opened, w) == NULL)
			free(w);
	}
	if (n == 0)
		go(c);
}

static void
on_start_limit(struct loop *l, void *arg)
{
	(void)l;
	child_kill(arg, "did not become ready in time");
}

static void
begin(struct child *c, int fd)
{
	ipc_peer_init(&c->peer, fd, IPC_R_MASTER, c->role, c->instance);
	mst_wire(c);
	c->source = loop_add(c->m->loop, fd, POLLIN, on_channel, c);
	c->state = CHILD_STARTING;
	loop_timer_in(c->m->loop, &c->start_by, START_LIMIT_US);
}

static int
on_spawned(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct child *c = arg;
	struct ipc_spawned m;
	int r;

	if (err != NULL) {
		log_at(LVL_ERROR, KS("component", "supervisor"),
		    KS("err", err->text), KS("worker", child_name(c)));
		restart_later(c);
		return FX_OK;
	}
	r = ipc_spawned_decode(&f->body, &m, &f->fd);
	if (r != FX_OK || m.channel == -1)
		return r == FX_OK ? FX_ESYNTAX : r;
	c->pid = m.pid;
	begin(c, m.channel);
	m.channel = -1;
	ipc_spawned_clear(&m);
	if (mst_send_config(c->m, c) != FX_OK)
		child_kill(c, "cannot be given its settings");
	else
		ask_files(c);
	return FX_OK;
}

void
child_init(struct child *c, struct master *m, enum ipc_role role,
    uint32_t instance)
{
	memset(c, 0, sizeof(*c));
	c->m = m;
	c->role = role;
	c->instance = instance;
	c->peer.fd = -1;
	c->state = CHILD_WAITING; /* so that it may be asked already */
	c->retry = (struct loop_timer){ .fn = on_retry, .arg = c };
	c->start_by = (struct loop_timer){ .fn = on_start_limit, .arg = c };
}

void
child_start(struct child *c)
{
	struct ipc_spawn m = { .role = c->role, .instance = c->instance };

	if (c->m->stopping)
		return;
	c->incarnation++;
	c->told_to_stop = c->at_fault = c->renew = false;
	c->running_us = 0;
	c->state = CHILD_SPAWNING;
	if (MST_ASK(&c->m->launcher, spawn, SPAWN, &m, LAUNCH_LIMIT_US,
		on_spawned, c) == NULL)
		restart_later(c);
}

void
child_adopt(struct child *c, int fd, uint64_t pid)
{
	c->pid = pid;
	begin(c, fd);
}

/* ---- running --------------------------------------------------------------
 */

static void
on_healthy(struct loop *l, void *arg)
{
	struct child *c = arg;

	(void)l;
	c->delay_us = 0;
}

static int
on_pong(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct child *c = arg;

	(void)f;
	if (err == NULL)
		loop_timer_in(c->m->loop, &c->ping, PING_EVERY_US);
	return FX_OK;
}

static void
on_ping_time(struct loop *l, void *arg)
{
	struct child *c = arg;
	struct ipc_ping m = { 0 };

	(void)l;
	(void)MST_ASK(c, ping, PING, &m, PING_LIMIT_US, on_pong, c);
}

static void
run(struct child *c)
{
	c->state = CHILD_RUNNING;
	c->running_us = clk_now_us();
	loop_timer_stop(c->m->loop, &c->start_by);
	c->healthy = (struct loop_timer){ .fn = on_healthy, .arg = c };
	loop_timer_in(c->m->loop, &c->healthy, HEALTHY_US);
	if (!ipc_role_blocks(c->role) && c->role != IPC_R_LAUNCHER) {
		c->ping = (struct loop_timer){ .fn = on_ping_time, .arg = c };
		loop_timer_in(c->m->loop, &c->ping, PING_EVERY_US);
	}
	mst_child_changed(c->m, c);
	child_send_waiting(c);
}

static void
log_confinement(const struct child *c)
{
	char landlock[32];

	snprintf(landlock, sizeof(landlock),
	    c->landlock == 0 ? "none" : "abi %u", (unsigned)c->landlock);
	log_at(c->missing[0] == '\0' ? LVL_INFO : LVL_WARN,
	    KS("component", "sandbox"),
	    KS(c->missing[0] == '\0' ? "info" : "warning", "worker confined"),
	    KS("worker", child_name(c)), KI("pid", c->pid), KI("uid", c->uid),
	    KS("seccomp", c->seccomp == 2 ? "filter" : "none"),
	    KB("no_new_privs", c->no_new_privs), KI("caps", c->caps),
	    KS("landlock", landlock), KS("root", c->root),
	    KS("missing", c->missing));
}

static void
take_inspected(struct child *c, const struct ipc_inspected *m)
{
	c->uid = m->uid;
	c->seccomp = m->seccomp;
	c->caps = m->caps;
	c->no_new_privs = m->no_new_privs != 0;
	log_confinement(c);
}

/* With --sandbox=relaxed a worker may lack the filter, if it says so. */
static bool
is_confined(const struct child *c)
{
	bool relaxed =
	    strcmp(c->m->cfg.sandbox, "relaxed") == 0 && c->missing[0] != '\0';

	return (c->seccomp == 2 || relaxed) && c->no_new_privs && c->caps == 0;
}

static int
on_inspected(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct child *c = arg;
	struct ipc_inspected m;
	int r;

	if (err != NULL) {
		child_kill(c, "cannot be inspected");
		return FX_OK;
	}
	r = ipc_inspected_decode(&f->body, &m, &f->fd);
	if (r != FX_OK || c->state != CHILD_STARTING || m.pid != c->pid)
		return r;
	take_inspected(c, &m);
	if (!is_confined(c)) {
		mst_count(c->m, METRIC_PROTOCOL_VIOLATIONS, c);
		child_kill(c, "says it is ready and is not confined");
	} else {
		run(c);
	}
	return FX_OK;
}

/* The master and what starts workers: what confines them is shown, not judged:
 * they have judged themselves. */
static int
on_own_inspected(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct child *c = arg;
	struct ipc_inspected m;
	int r;

	if (err != NULL)
		return FX_OK;
	r = ipc_inspected_decode(&f->body, &m, &f->fd);
	if (r != FX_OK)
		return r;
	c->pid = m.pid;
	c->state = CHILD_RUNNING;
	take_inspected(c, &m);
	return FX_OK;
}

static void
inspect_own(struct child *c)
{
	struct ipc_inspect m = { .role = c->role };

	(void)MST_ASK(&c->m->launcher, inspect, INSPECT, &m, LAUNCH_LIMIT_US,
	    on_own_inspected, c);
}

void
child_is_ready(struct child *c, const struct ipc_ready *ready)
{
	struct ipc_inspect m = { .role = c->role, .instance = c->instance };

	c->peer.phase = IPC_PH_RUN;
	c->landlock = ready->landlock;
	snprintf(c->root, sizeof(c->root), "%s", ready->root);
	snprintf(c->missing, sizeof(c->missing), "%s", ready->missing);
	if (c->role == IPC_R_LAUNCHER) {
		run(c);
		/* its kernel, its filter */
		snprintf(c->m->launch_net.missing,
		    sizeof(c->m->launch_net.missing), "%s", c->missing);
		snprintf(c->m->launch_net.root, sizeof(c->m->launch_net.root),
		    "%s", c->root);
		inspect_own(c);
		inspect_own(&c->m->launch_net);
		inspect_own(&c->m->self);
		return;
	}
	if (MST_ASK(&c->m->launcher, inspect, INSPECT, &m, LAUNCH_LIMIT_US,
		on_inspected, c) == NULL)
		child_kill(c, "cannot be inspected");
}
