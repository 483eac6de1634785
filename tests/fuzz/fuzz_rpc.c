/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the service of --connect calls.  The first byte says how large the
 * pieces are in which the stream comes; in one piece it means the same.  Each
 * call that is asked of the API is answered at once: with what was asked.
 */
#include "base.h"
#include "fuzz.h"

#include "clock.h"
#include "jsonr.h"
#include "loop.h"
#include "rpc.h"
#include "str.h"

#include <ctype.h>

struct outcome {
	struct buf sent;
	struct loop *loop;
	struct rpc *rpc;
	uint64_t seq;
	bool broken;
	struct rpc_call *asked[RPC_CALLS_MAX];
	size_t nasked;
};

static uint64_t
on_ask(void *arg, struct rpc_call *c, const char *method, const char *target,
    const struct buf *body)
{
	struct outcome *o = arg;

	if (o->nasked == RPC_CALLS_MAX || buf_left(body) > RPC_BODY_MAX)
		abort();
	for (const char *p = target; *p != '\0'; p++)
		if (!isgraph((unsigned char)*p) || strlen(method) > 4)
			abort();
	o->asked[o->nasked++] = c;
	return ++o->seq;
}

static void
on_cancel(void *arg, uint64_t seq)
{
	(void)arg;
	(void)seq;
}

/* Whatever is sent is a line of JSON. */
static void
on_send(void *arg, struct buf *b)
{
	struct outcome *o = arg;
	struct fx_err err = { 0 };
	auto_json json_t *v =
	    jr_parse((const char *)buf_head(b), buf_left(b), &err);

	if (v == NULL || buf_head(b)[buf_left(b) - 1] != '\n')
		abort();
	if (buf_put(&o->sent, buf_head(b), buf_left(b)) != FX_OK)
		abort();
	buf_clear(b);
}

static size_t
on_queued(void *arg)
{
	(void)arg;
	return 0;
}

static void
on_pause(void *arg, bool on)
{
	(void)arg;
	(void)on;
}

static void
on_broken(void *arg, const struct fx_err *err)
{
	struct outcome *o = arg;

	(void)err;
	o->broken = true;
}

static void
on_failed(void *arg, const char *method, const char *why)
{
	(void)arg;
	(void)method;
	(void)why;
}

static void
receive(struct outcome *o, const uint8_t *data, size_t size, size_t step)
{
	const struct rpc_hooks hooks = { on_ask, on_cancel, on_send, on_queued,
		on_pause, on_broken, on_failed, o };
	size_t n;

	*o = (struct outcome){ .loop = loop_new() };
	buf_init(&o->sent, SIZE_MAX);
	o->rpc = rpc_new(o->loop, &hooks);
	rpc_limit(o->rpc, CLK_MIN);
	for (size_t i = 0; i < size && !o->broken; i += n) {
		n = size - i < step ? size - i : step;
		rpc_feed(o->rpc, data + i, n);
		while (o->nasked != 0) {
			struct rpc_call *c = o->asked[0];

			o->nasked--;
			memmove(o->asked, o->asked + 1, o->nasked * sizeof(c));
			rpc_answer(c, (const uint8_t *)"null", 4);
			rpc_answered(c, 200, false);
			loop_turn(o->loop, 0);
		}
	}
	rpc_free(&o->rpc);
	loop_free(&o->loop);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;

	if (size < 2)
		return 0;
	receive(&whole, data + 1, size - 1, 16384);
	receive(&pieces, data + 1, size - 1, 1 + data[0] % 64u);
	if (whole.broken != pieces.broken || whole.seq != pieces.seq ||
	    buf_left(&whole.sent) != buf_left(&pieces.sent))
		abort();
	buf_clear(&whole.sent);
	buf_clear(&pieces.sent);
	return 0;
}
