/* SPDX-License-Identifier: Apache-2.0 */
/* The connection that the service calls over, and its calls to the API. */
#include "base.h"
#include "handlers.h"

#include "fd.h"
#include "log.h"
#include "str.h"

/* ---- calls ------------------------------------------------------------------
 */

static int
on_called(void *arg, struct ipc_frame *f)
{
	struct rpc_call *c = arg;
	struct ipc_call_part part;
	struct ipc_called a;
	struct fx_err err = { 0 };
	int r;

	if (f == NULL)
		return FX_OK;
	if (ipc_take_failed(f, &err) != FX_OK) {
		rpc_not_answered(c, &err);
		return FX_OK;
	}
	if (f->type == IPC_T_CALL_PART) {
		r = ipc_call_part_decode(&f->body, &part, &f->fd);
		if (r != FX_OK)
			return r;
		rpc_answer(c, part.body.p, part.body.n);
		ipc_call_part_clear(&part);
		return FX_OK;
	}
	r = ipc_called_decode(&f->body, &a, &f->fd);
	if (r == FX_OK)
		rpc_answered(c, (unsigned)a.status, a.shaped);
	return r;
}

static uint64_t
ask(void *arg, struct rpc_call *c, const char *method, const char *target,
    const struct buf *body)
{
	struct uw *u = arg;
	const struct ipc_call m = { .method = (char *)(uintptr_t)method,
		.target = (char *)(uintptr_t)target,
		.body = { (uint8_t *)(uintptr_t)buf_head(body),
		    buf_left(body) } };

	return ipc_ask_call(&u->w->master, &m, on_called, c);
}

static void
cancel(void *arg, uint64_t seq)
{
	struct uw *u = arg;

	ipc_cancel(&u->w->master, seq);
}

static void
reply(void *arg, struct buf *b)
{
	struct uw *u = arg;

	wire_send(u->wire, b);
}

static size_t
queued(void *arg)
{
	const struct uw *u = arg;

	return wire_queued(u->wire);
}

static void
hear(void *arg, bool paused)
{
	struct uw *u = arg;

	wire_pause(u->wire, paused);
}

static void
broken(void *arg, const struct fx_err *err)
{
	struct uw *u = arg;

	wire_fail(u->wire, FX_ESYNTAX, err->text);
}

static void
failed(void *arg, const char *method, const char *why)
{
	struct buf b = BUF_INIT(IPC_MAX_TEXT);
	auto_free char *text = NULL;

	(void)arg;
	str_printable(&b, why, strlen(why), 1000);
	text = str_take(&b);
	log_at(LVL_WARN, KS("component", "upstream"), KS("method", method),
	    KS("error", text));
}

/* ---- the connection ---------------------------------------------------------
 */

static void
tell(struct uw *u, enum ipc_service_state state)
{
	const struct ipc_service m = { .state = state };

	(void)ipc_tell_service(&u->w->master, &m);
}

static int
on_socket(void *arg, struct ipc_frame *f)
{
	struct uw *u = arg;
	struct fx_err err = { 0 };
	int fd, r;

	if (f == NULL)
		return FX_OK;
	r = uw_take_socket(f, &fd, &err);
	if (r != FX_OK)
		return r;
	if (fd == -1)
		wire_not_connected(u->wire, &err);
	else
		wire_connected(u->wire, fd);
	return FX_OK;
}

static void
connect_wire(void *arg, int64_t span_us)
{
	struct uw *u = arg;
	struct fx_err err = { 0 };

	if (uw_ask_socket(u, &u->url.at, span_us, on_socket) != 0)
		return;
	(void)fx_fail(&err, FX_EAGAIN, "too many requests wait already");
	wire_not_connected(u->wire, &err);
}

static void
up(void *arg)
{
	struct uw *u = arg;

	u->absent = false;
	u->connected = true;
	log_at(LVL_INFO, KS("component", "upstream"), KB("connected", true));
	tell(u, IPC_SERVICE_CONNECTED);
}

static void
data(void *arg, const uint8_t *p, size_t n)
{
	struct uw *u = arg;

	rpc_feed(u->rpc, p, n);
}

/* Does the answer say that there is no such thing? */
static bool
is_absent(int status)
{
	return status == 404 || status == 405 || status == 501;
}

/* The words are upstream's. */
static void
say_why(struct uw *u, const struct wire_end *e)
{
	auto_free char *text = NULL;

	if (e->err.code == FX_OK) {
		log_at(LVL_INFO, KS("component", "upstream"),
		    KB("disconnected", true));
		return;
	}
	if (e->status == 410)
		text = xstrdup("Your fluxd version is deprecated - please "
			       "upgrade, see "
			       "https://github.com/weaveworks/flux-adapter");
	else if (e->status != 0)
		text = xasprintf("executing websocket %s: connecting to "
				 "websocket %s %s",
		    u->url.websocket, u->url.websocket, e->err.text);
	else
		text = xasprintf("executing websocket %s: %s", u->url.websocket,
		    e->err.text);
	log_at(LVL_ERROR, KS("component", "upstream"), KS("err", text));
}

static void
down(void *arg, const struct wire_end *e)
{
	struct uw *u = arg;
	bool absent = is_absent(e->status);

	rpc_reset(u->rpc);
	if (!absent || !u->absent)
		say_why(u, e);
	u->absent = absent;
	if (e->status == 410)
		tell(u, IPC_SERVICE_GONE);
	else if (u->connected)
		tell(u, IPC_SERVICE_LOST);
	u->connected = false;
	if (e->status != 410)
		loop_timer_in(u->w->loop, &u->redial,
		    absent ? UW_REDIAL_ABSENT_US : UW_REDIAL_US);
}

static void
on_redial(struct loop *loop, void *arg)
{
	struct uw *u = arg;

	(void)loop;
	if (!u->absent)
		log_at(LVL_DEBUG, KS("component", "upstream"),
		    KB("connecting", true));
	wire_dial(u->wire);
}

/* ---- life -------------------------------------------------------------------
 */

void
uw_calls_open(struct uw *u)
{
	const struct wire_hooks wire = { connect_wire, up, data, down, u };
	const struct rpc_hooks rpc = { ask, cancel, reply, queued, hear, broken,
		failed, u };

	u->wire = wire_new(u->w->loop, &wire);
	u->rpc = rpc_new(u->w->loop, &rpc);
	u->redial = (struct loop_timer){ .fn = on_redial, .arg = u };
}

void
uw_calls_start(struct uw *u, const struct post_target *target)
{
	rpc_limit(u->rpc, u->w->cfg.rpc_timeout / 1000);
	wire_to(u->wire, target);
	loop_timer_in(u->w->loop, &u->redial, 0);
}

void
uw_calls_close(struct uw *u)
{
	loop_timer_stop(u->w->loop, &u->redial);
	rpc_free(&u->rpc);
	wire_free(&u->wire);
}
