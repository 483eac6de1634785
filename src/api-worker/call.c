/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "call.h"

#include "ask.h"

struct call {
	struct http_request request;
	struct aw_state *state; /* borrowed */
	struct ipc_req req;	/* whom to answer */
	struct loop_timer kick; /* there is something to send */
	bool cut;		/* or not any more */
	struct call *next;
};

static struct call *
call_of(struct http_request *r)
{
	return (
	    struct call *)(void *)((char *)r - offsetof(struct call, request));
}

static void
end(struct call *c)
{
	struct http_request *r = &c->request;
	struct aw_state *s = c->state;

	for (struct call **at = &s->calls; *at != NULL; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			break;
		}
	s->ncalls--;
	aw_abandon(r);
	loop_timer_stop(s->w->loop, &c->kick);
	target_clear(&r->target);
	route_match_clear(&r->route);
	answer_clear(&r->answer);
	buf_clear(&r->body);
	free(c);
}

static void
finish(struct call *c, unsigned status)
{
	struct http_request *r = &c->request;
	const struct ipc_called m = { .status = status,
		.shaped = r->answer.type != NULL &&
		    strcmp(r->answer.type, ANSWER_JSON) == 0 };

	(void)ipc_reply_called(&c->req, &m);
	aw_answered(r, status, loop_now_us(c->state->w->loop) - r->began_us);
	end(c);
}

/* Everything that there is credit for. */
static void
send_parts(struct call *c)
{
	struct buf *body = &c->request.answer.body;

	while (buf_left(body) != 0 && ipc_credit(&c->req)) {
		size_t n = buf_left(body) < IPC_MAX_CHUNK ? buf_left(body)
							  : IPC_MAX_CHUNK;
		const struct ipc_call_part m = {
			.body = { (uint8_t *)(uintptr_t)buf_head(body), n }
		};

		(void)ipc_reply_call_part(&c->req, &m);
		buf_skip(body, n);
	}
}

static void
look(struct call *c)
{
	struct http_request *r = &c->request;
	struct answer *a = &r->answer;
	bool more = true;

	r->sending |= a->rest != REST_NONE;
	send_parts(c);
	while (more && buf_left(&a->body) == 0 && a->rest == REST_MORE) {
		r->more(r);
		more = buf_left(&a->body) != 0;
		send_parts(c);
	}
	if (c->cut)
		finish(c, HTTP_STATUS_LEFT);
	else if (a->rest == REST_LOST)
		finish(c, HTTP_STATUS_LOST);
	else if (buf_left(&a->body) == 0 && a->rest == REST_NONE)
		finish(c, a->status);
}

static void
on_kick(struct loop *loop, void *arg)
{
	struct call *c = arg;

	(void)loop;
	if (c->cut || c->request.answer.status != 0)
		look(c);
}

/* Later in this turn, as for a connection: a handler goes on after it. */
static void
on_answered(struct http_request *r)
{
	struct call *c = call_of(r);

	loop_timer_in(c->state->w->loop, &c->kick, 0);
}

static void
on_cut(struct http_request *r)
{
	call_of(r)->cut = true;
	on_answered(r);
}

/* One client, whoever is behind the service. */
static const struct http_caller caller = {
	.answered = on_answered,
	.cut = on_cut,
	.peer = PEER_SERVICE,
};

static struct call *
call_new(struct aw_state *s, const struct ipc_req *req, struct ipc_call *m)
{
	struct call *c = xcalloc(1, sizeof(*c));
	struct http_request *r = &c->request;

	c->state = s;
	c->req = *req;
	c->kick = (struct loop_timer){ .fn = on_kick, .arg = c };
	c->next = s->calls;
	s->calls = c;
	s->ncalls++;
	r->ctx = s;
	r->caller = &caller;
	r->began_us = loop_now_us(s->w->loop);
	r->method = route_method(m->method);
	buf_init(&r->body, HTTP_MAX_BODY);
	answer_init(&r->answer);
	r->answer.rpc = true;
	if (buf_put(&r->body, m->body.p, m->body.n) != FX_OK)
		fx_bug("a body of a call that is no body of a request");
	return c;
}

int
call_begin(struct aw_state *s, const struct ipc_req *req, struct ipc_call *m)
{
	struct http_request *r;
	struct fx_err err = { 0 };
	struct call *c;

	if (s->ncalls == CALLS_MAX)
		return ipc_reply_failf(req, FX_EAGAIN, "too many requests");
	c = call_new(s, req, m);
	r = &c->request;
	if (target_parse(m->target, &r->target, &err) != FX_OK) {
		answer_bad_request(&r->answer, NULL, err.text);
	} else {
		route_find(SCOPE_API, r->method, &r->target, &r->route);
		aw_route(r);
	}
	on_answered(r);
	return FX_OK;
}

int
call_control(void *state, struct ipc_peer *p, struct ipc_frame *f)
{
	struct aw_state *s = state;
	struct call *c = s->calls;

	if (ipc_rule(f->type)->kind != IPC_CONTROL)
		return FX_EDENIED;
	while (c != NULL && (c->req.peer != p || c->req.seq != f->seq))
		c = c->next;
	if (c == NULL)
		return FX_OK;
	if (f->type == IPC_T_CANCEL) {
		(void)ipc_reply_failf(&c->req, FX_ECANCELLED, "cancelled");
		end(c);
	} else {
		on_answered(&c->request);
	}
	return FX_OK;
}

void
calls_clear(struct aw_state *s)
{
	while (s->calls != NULL)
		end(s->calls);
}
