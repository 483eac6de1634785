/* SPDX-License-Identifier: Apache-2.0 */
/* What a child was asked, from the question to its one end. */
#include "base.h"
#include "child.h"

#include "master.h"

#include <stdio.h>

struct child_call {
	struct child *child;
	uint32_t type;
	struct buf body; /* owned until sent */
	int64_t timeout_us;
	child_fn *fn; /* NULL: cancelled */
	void *arg;
	uint64_t seq; /* 0: waiting */
	bool relayed;
	struct loop_timer deadline;
	struct child_call *next;
};

static void
unlink_call(struct child_call **list, struct child_call *call)
{
	for (; *list != NULL; list = &(*list)->next) {
		if (*list == call) {
			*list = call->next;
			return;
		}
	}
}

static void
call_free(struct child_call *call)
{
	loop_timer_stop(call->child->m->loop, &call->deadline);
	buf_wipe(&call->body);
	free(call);
}

/* The end of a call: forget it, then tell who asked. */
static int
call_end(struct child_call *call, struct ipc_frame *f, const struct fx_err *err)
{
	struct child *c = call->child;
	child_fn *fn = call->fn;
	void *arg = call->arg;

	if (call->seq == 0) {
		unlink_call(&c->waiting, call);
		c->nwaiting--;
	} else {
		unlink_call(&c->sent, call);
	}
	call_free(call);
	return fn == NULL ? FX_OK : fn(arg, f, err);
}

static int
on_answer(void *arg, struct ipc_frame *f)
{
	struct child_call *call = arg;
	struct child *c = call->child;
	struct fx_err err = { 0 };
	int r;

	if (f != NULL && ipc_rule(f->type)->kind == IPC_PART)
		return call->fn == NULL ? FX_OK : call->fn(call->arg, f, NULL);
	if (f == NULL)
		fx_fail(&err, FX_ERETRY, "%s ended", child_name(c));
	else if (f->type == IPC_T_FAILED &&
	    ipc_take_failed(f, &err) == FX_ESYNTAX && err.text[0] == '\0')
		return FX_ESYNTAX;
	if (err.code == FX_EGONE)
		mirror_gone(c->m);
	r = call_end(call, err.code == FX_OK ? f : NULL,
	    err.code == FX_OK ? NULL : &err);
	if (r == FX_OK)
		child_send_waiting(c);
	return r;
}

/* Blocking children are killed at the deadline; the others time out what they
 * do themselves, so there it is a bug of theirs and ends the same way. */
static void
on_deadline(struct loop *l, void *arg)
{
	struct child_call *call = arg;
	struct child *c = call->child;
	struct fx_err err = { 0 };
	bool was_sent = call->seq != 0;
	char why[128];

	(void)l;
	snprintf(why, sizeof(why), "%s: no answer within %lld ms",
	    ipc_type_name(call->type), (long long)(call->timeout_us / CLK_MS));
	fx_fail(&err, FX_ETIMEOUT, "context deadline exceeded");
	if (was_sent) {
		/* the channel forgets it together with the child */
		child_fn *fn = call->fn;
		void *fn_arg = call->arg;

		call->fn = NULL;
		child_kill(c, why);
		if (fn != NULL)
			(void)fn(fn_arg, NULL, &err);
	} else {
		(void)call_end(call, NULL, &err);
	}
}

static void
send_call(struct child_call *call)
{
	struct child *c = call->child;

	call->seq = ipc_expect(&c->peer, call->type, on_answer, call);
	if (call->relayed)
		ipc_find_ask(&c->peer, call->seq)->relayed = true;
	call->next = c->sent;
	c->sent = call;
	/* a full queue breaks the channel, which ends the call */
	(void)ipc_queue(&c->peer, call->type, call->seq, 0, &call->body, -1);
	buf_wipe(&call->body);
	loop_timer_in(c->m->loop, &call->deadline, call->timeout_us);
}

/* Has it answered all, and is not needed, or not as it is? */
static bool
is_to_stop(const struct child *c)
{
	return c->state == CHILD_RUNNING && !c->told_to_stop &&
	    c->sent == NULL &&
	    (c->renew || (c->on_demand && c->waiting == NULL));
}

void
child_send_waiting(struct child *c)
{
	struct child_call *call;

	if (is_to_stop(c))
		child_stop(c);
	while (c->state == CHILD_RUNNING && !c->told_to_stop && !c->renew &&
	    (call = c->waiting) != NULL &&
	    (!ipc_role_blocks(c->role) || c->sent == NULL)) {
		c->waiting = call->next;
		c->nwaiting--;
		send_call(call);
	}
}

struct child_call *
child_ask(struct child *c, uint32_t type, const struct buf *body,
    int64_t timeout_us, child_fn *fn, void *arg)
{
	struct child_call *call, **last = &c->waiting;

	if (c->nwaiting >= CHILD_MAX_WAITING ||
	    (c->state == CHILD_OFF && (!c->on_demand || c->m->stopping)))
		return NULL;
	call = xcalloc(1, sizeof(*call));
	call->child = c;
	call->type = type;
	call->timeout_us = timeout_us;
	call->fn = fn;
	call->arg = arg;
	call->deadline.fn = on_deadline;
	call->deadline.arg = call;
	buf_init(&call->body, IPC_MAX_FRAME);
	if (buf_put(&call->body, buf_head(body), buf_left(body)) != FX_OK)
		fx_bug("a frame is over IPC_MAX_FRAME");
	while (*last != NULL)
		last = &(*last)->next;
	*last = call;
	c->nwaiting++;
	loop_timer_in(c->m->loop, &call->deadline, timeout_us);
	if (c->state == CHILD_OFF)
		child_start(c);
	child_send_waiting(c);
	return call;
}

void
child_cancel(struct child_call **callp)
{
	struct child_call *call = *callp;
	struct buf none = BUF_INIT(0);

	*callp = NULL;
	if (call == NULL)
		return;
	call->fn = NULL;
	if (call->seq == 0)
		(void)call_end(call, NULL, NULL);
	else
		(void)ipc_queue(&call->child->peer, IPC_T_CANCEL, call->seq, 0,
		    &none, -1);
}

uint64_t
child_call_seq(const struct child_call *call)
{
	return call->seq;
}

void
child_call_relayed(struct child_call *call)
{
	struct ipc_ask *ask = NULL;

	call->relayed = true;
	if (call->seq != 0)
		ask = ipc_find_ask(&call->child->peer, call->seq);
	if (ask != NULL)
		ask->relayed = true;
}
