/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "rpc.h"

#include "jsonr.h"
#include "jsonw.h"
#include "rpc_call.h"
#include "str.h"

#define IN_MAX (RPC_CALL_MAX + 64 * 1024) /* a call, and what came with it */
#define TARGET_MAX (4 * RPC_CALL_MAX)	  /* escapes are longer */
/* Around a result: what it is wrapped in, and the id. */
#define WRAPPING_MAX (RPC_CALL_MAX + 1024)

struct rpc_call {
	struct rpc *rpc;
	const struct rpc_method *method;
	char *id; /* owned; JSON */
	struct buf answer;
	size_t head; /* bytes of it before the result */
	size_t got;  /* and of that */
	struct loop_timer limit;
	uint64_t seq;
	struct rpc_call *next;
};

struct rpc {
	struct loop *loop;
	struct rpc_hooks hooks;
	int64_t limit_us;
	struct buf in;
	/* of the value that the buf begins with */
	size_t scanned;
	unsigned depth;
	bool in_string, escaped;
	struct rpc_call *calls;
	size_t ncalls, bytes; /* bytes: that their answers have got */
	struct loop_timer go_on;
};

/* ---- answers --------------------------------------------------------------
 */

static void
call_free(struct rpc_call *c)
{
	struct rpc *r = c->rpc;

	for (struct rpc_call **at = &r->calls; *at != NULL; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			r->ncalls--;
			break;
		}
	r->bytes -= c->got;
	loop_timer_stop(r->loop, &c->limit);
	buf_clear(&c->answer);
	free(c->id);
	free(c);
}

/* There is a place for another call. */
static void
end(struct rpc_call *c)
{
	struct rpc *r = c->rpc;

	call_free(c);
	loop_timer_in(r->loop, &r->go_on, 0);
}

static void
send_error(struct rpc *r, const char *id, const char *text)
{
	struct buf b = BUF_INIT(WRAPPING_MAX + 8 * FX_ERR_TEXT_MAX);

	(void)str_addf(&b, "{\"id\":%s,\"result\":null,\"error\":", id);
	jw_string(&b, text);
	(void)str_add(&b, "}\n");
	r->hooks.send(r->hooks.arg, &b);
}

static void
fail(struct rpc_call *c, const char *text)
{
	struct rpc *r = c->rpc;

	r->hooks.failed(r->hooks.arg, c->method->name, text);
	send_error(r, c->id, text);
	end(c);
}

static void
on_limit(struct loop *loop, void *arg)
{
	struct rpc_call *c = arg;

	(void)loop;
	c->rpc->hooks.cancel(c->rpc->hooks.arg, c->seq);
	fail(c, "context deadline exceeded");
}

void
rpc_answer(struct rpc_call *c, const uint8_t *p, size_t n)
{
	struct rpc *r = c->rpc;

	if (r->bytes + r->hooks.queued(r->hooks.arg) + n <= RPC_ANSWERS_MAX &&
	    buf_put(&c->answer, p, n) == FX_OK) {
		r->bytes += n;
		c->got += n;
		return;
	}
	r->hooks.cancel(r->hooks.arg, c->seq);
	fail(c, "the answer is too long");
}

/* What was put in front of the result, in case there is one. */
static void
begin_answer(struct rpc_call *c)
{
	const struct rpc_method *m = c->method;

	buf_reset(&c->answer);
	(void)str_addf(&c->answer, "{\"id\":%s,\"result\":", c->id);
	if (m->zero != NULL)
		(void)str_add(&c->answer, m->has_result ? "{\"Result\":" : "{");
	c->head = buf_left(&c->answer);
}

static void
succeed(struct rpc_call *c)
{
	const struct rpc_method *m = c->method;
	struct buf *b = &c->answer;

	/* what has no result of its own has no body, or none that counts */
	if (!m->has_result)
		begin_answer(c);
	if (!m->has_result && m->zero == NULL)
		(void)str_add(b, "{}");
	if (m->zero != NULL)
		(void)str_addf(b, "%s\"ApplicationError\":null}",
		    m->has_result ? "," : "");
	(void)str_add(b, ",\"error\":null}\n");
	c->rpc->hooks.send(c->rpc->hooks.arg, b);
	end(c);
}

/* The API's error: as it is, where it has a shape and the method a place for
 * it; else its text. */
static void
refuse(struct rpc_call *c, bool shaped)
{
	const struct rpc_method *m = c->method;
	const char *said = (const char *)buf_head(&c->answer) + c->head;
	size_t n = c->got;
	struct buf b = BUF_INIT(RPC_ANSWER_MAX + 2 * WRAPPING_MAX);
	struct fx_err err = { 0 };
	auto_json json_t *error = shaped ? jr_parse(said, n, &err) : NULL;
	auto_free char *text = error != NULL
	    ? xstrdup(jr_text(error, "error"))
	    : xstrndup(said, n < 4096 ? n : 4096);

	if (error == NULL || m->zero == NULL) {
		fail(c, text);
		return;
	}
	c->rpc->hooks.failed(c->rpc->hooks.arg, m->name, text);
	(void)str_addf(&b, "{\"id\":%s,\"result\":{", c->id);
	if (m->has_result)
		(void)str_addf(&b, "\"Result\":%s,", m->zero);
	(void)str_add(&b, "\"ApplicationError\":");
	(void)str_addn(&b, said, n);
	(void)str_add(&b, "},\"error\":null}\n");
	c->rpc->hooks.send(c->rpc->hooks.arg, &b);
	end(c);
}

void
rpc_answered(struct rpc_call *c, unsigned status, bool shaped)
{
	if (status >= 200 && status < 300)
		succeed(c);
	else if (status == 500 || status == 499)
		fail(c, "the answer broke off");
	else
		refuse(c, shaped);
}

void
rpc_not_answered(struct rpc_call *c, const struct fx_err *err)
{
	fail(c, err->text);
}

/* ---- calls ------------------------------------------------------------------
 */

static char *
id_of(const json_t *call)
{
	char *id =
	    json_dumps(jr_member(call, "id"), JSON_COMPACT | JSON_ENCODE_ANY);

	return id == NULL ? xstrdup("null") : id;
}

static void
ask(struct rpc *r, const struct rpc_method *m, char *id,
    const struct buf *target, const struct buf *body)
{
	struct rpc_call *c = xcalloc(1, sizeof(*c));
	auto_free char *text =
	    xstrndup((const char *)buf_head(target), buf_left(target));

	c->rpc = r;
	c->method = m;
	c->id = id;
	c->limit = (struct loop_timer){ .fn = on_limit, .arg = c };
	c->next = r->calls;
	r->calls = c;
	r->ncalls++;
	buf_init(&c->answer, RPC_ANSWER_MAX + WRAPPING_MAX);
	begin_answer(c);
	loop_timer_in(r->loop, &c->limit, r->limit_us);
	c->seq = r->hooks.ask(r->hooks.arg, c, m->http, text, body);
	if (c->seq == 0)
		fail(c, "too many requests");
}

/* One value of the stream.  FX_ESYNTAX: it is no call. */
static int
take(struct rpc *r, const char *s, size_t n, struct fx_err *err)
{
	auto_json json_t *call = jr_parse(s, n, err);
	const json_t *name = jr_member(call, "method");
	auto_buf struct buf target = BUF_INIT(TARGET_MAX);
	auto_buf struct buf body = BUF_INIT(RPC_BODY_MAX);
	const struct rpc_method *m;
	struct fx_err why = { 0 };
	char *id;

	if (call == NULL)
		return err->code;
	if (name != NULL && !json_is_string(name))
		return jr_mismatch(name, "serverRequest.method", "string", err);
	id = id_of(call);
	m = rpc_find(jr_text(call, "method"), &why);
	if (m != NULL &&
	    rpc_read(m, jr_member(call, "params"), &target, &body, &why) ==
		FX_OK) {
		ask(r, m, id, &target, &body);
		return FX_OK;
	}
	send_error(r, id, why.text);
	free(id);
	return FX_OK;
}

/* How long the value is that the buf begins with; 0: it is not all here. */
static size_t
scan(struct rpc *r)
{
	const char *s = (const char *)buf_head(&r->in);

	for (size_t n = buf_left(&r->in); r->scanned < n;) {
		char c = s[r->scanned++];

		if (r->in_string) {
			if (!r->escaped && c == '"')
				r->in_string = false;
			r->escaped = !r->escaped && c == '\\';
		} else if (c == '"') {
			r->in_string = true;
		} else if (c == '{' || c == '[') {
			r->depth++;
		} else if (c == '}' || c == ']') {
			if (--r->depth == 0)
				return r->scanned;
		}
	}
	return 0;
}

static void
next_value(struct rpc *r)
{
	r->scanned = r->depth = 0;
	r->in_string = r->escaped = false;
}

static int
take_all(struct rpc *r, struct fx_err *err)
{
	size_t n;
	int code;

	while (r->ncalls < RPC_CALLS_MAX) {
		while (buf_left(&r->in) != 0 && r->scanned == 0 &&
		    strchr(" \t\r\n", *buf_head(&r->in)) != NULL &&
		    *buf_head(&r->in) != '\0')
			buf_skip(&r->in, 1);
		if (buf_left(&r->in) == 0)
			return FX_OK;
		if (*buf_head(&r->in) != '{')
			return fx_fail(err, FX_ESYNTAX,
			    "what the service sends is no call");
		n = scan(r);
		if (n > RPC_CALL_MAX ||
		    (n == 0 && buf_left(&r->in) > RPC_CALL_MAX))
			return fx_fail(err, FX_ELIMIT, "a call is too long");
		if (n == 0)
			return FX_OK;
		code = take(r, (const char *)buf_head(&r->in), n, err);
		if (code != FX_OK)
			return code;
		buf_skip(&r->in, n);
		next_value(r);
	}
	return FX_OK;
}

/* As much as there are places for. */
static void
go_on(struct rpc *r)
{
	struct fx_err err = { 0 };

	if (take_all(r, &err) != FX_OK)
		r->hooks.broken(r->hooks.arg, &err);
	else
		r->hooks.pause(r->hooks.arg, r->ncalls == RPC_CALLS_MAX);
}

static void
on_go_on(struct loop *loop, void *arg)
{
	(void)loop;
	go_on(arg);
}

void
rpc_feed(struct rpc *r, const uint8_t *p, size_t n)
{
	struct fx_err err = { 0 };

	/* what comes while it is paused fits, for it is a chunk at most */
	if (buf_put(&r->in, p, n) != FX_OK) {
		(void)fx_fail(&err, FX_ELIMIT, "a call is too long");
		r->hooks.broken(r->hooks.arg, &err);
		return;
	}
	go_on(r);
}

/* ---- life
 * -------------------------------------------------------------------- */

void
rpc_reset(struct rpc *r)
{
	while (r->calls != NULL) {
		r->hooks.cancel(r->hooks.arg, r->calls->seq);
		call_free(r->calls);
	}
	loop_timer_stop(r->loop, &r->go_on);
	buf_clear(&r->in);
	next_value(r);
}

struct rpc *
rpc_new(struct loop *loop, const struct rpc_hooks *hooks)
{
	struct rpc *r = xcalloc(1, sizeof(*r));

	jr_open();
	r->loop = loop;
	r->hooks = *hooks;
	buf_init(&r->in, IN_MAX);
	r->go_on = (struct loop_timer){ .fn = on_go_on, .arg = r };
	return r;
}

void
rpc_limit(struct rpc *r, int64_t us)
{
	r->limit_us = us;
}

void
rpc_free(struct rpc **at)
{
	struct rpc *r = *at;

	if (r == NULL)
		return;
	rpc_reset(r);
	free(r);
	*at = NULL;
}
