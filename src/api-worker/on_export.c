/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ask.h"

#include "held.h"
#include "places.h"
#include "str.h"

/*
 * The cluster's resources as YAML, in base64, in one JSON string: made piece by
 * piece, as the client reads.
 */
struct export
{
	struct http_request *request; /* borrowed; owns us */
	struct place place;
	struct held yaml;
	uint8_t odd[3]; /* bytes that do not make a group of three yet */
	size_t nodd;
	bool begun;
};

static void
drop(void *work)
{
	struct export *x = work;
	struct aw_state *s = x->request->ctx;

	place_leave(&s->places, &x->place);
	held_clear(&x->yaml);
	free(x);
}

static struct buf *
body_of(struct export *x)
{
	struct answer *a = &x->request->answer;

	if (!x->begun) {
		str_addc(answer_json(a), '"');
		a->rest = REST_MORE;
		x->begun = true;
	}
	return &a->body;
}

static void
add_yaml(struct export *x, const uint8_t *p, size_t n)
{
	struct buf *b = body_of(x);

	while (n != 0 && x->nodd != 0) {
		x->odd[x->nodd++] = *p++;
		n--;
		if (x->nodd != sizeof(x->odd))
			continue;
		str_add_base64(b, x->odd, sizeof(x->odd), true, false);
		x->nodd = 0;
	}
	str_add_base64(b, p, n - n % 3, true, false);
	for (p += n - n % 3; n % 3 != 0; n--)
		x->odd[x->nodd++] = *p++;
}

static void
finish(struct export *x)
{
	struct http_request *r = x->request;
	struct buf *b = body_of(x);

	str_add_base64(b, x->odd, x->nodd, true, false);
	str_addc(b, '"');
	r->answer.rest = REST_NONE;
	aw_done(r);
}

static void
fail(struct export *x, const struct fx_err *err)
{
	struct http_request *r = x->request;

	if (r->sending)
		r->answer.rest = REST_LOST;
	else
		aw_failed(r, err);
	aw_done(r);
}

static void
take_part(struct export *x, struct buf *raw)
{
	struct ipc_export_part m;
	int fd = -1;

	if (ipc_export_part_decode(raw, &m, &fd) != FX_OK)
		fx_bug("a part that was walked does not decode");
	buf_clear(raw);
	add_yaml(x, m.yaml.p, m.yaml.n);
	ipc_export_part_clear(&m);
}

/* Another part, when the client took the last; a small one may be nothing that
 * can be sent. */
static void
look(struct export *x)
{
	struct http_request *r = x->request;
	struct buf raw;

	while ((!x->begun || buf_left(&r->answer.body) == 0) &&
	    held_take(&x->yaml, &raw))
		take_part(x, &raw);
	if (x->yaml.n == 0 && x->yaml.seq == 0)
		finish(x);
	else if (x->begun)
		http_answered(r);
}

static void
more(struct http_request *r)
{
	if (r->work != NULL)
		look(r->work);
}

/* Whoever asks for the head wants to know whether there would be a body. */
static bool
is_enough(struct export *x)
{
	if (x->request->method != M_HEAD)
		return false;
	(void)body_of(x);
	aw_done(x->request);
	return true;
}

static int
on_part_or_end(void *arg, struct ipc_frame *f)
{
	struct export *x = arg;
	struct fx_err err = { 0 };
	int rc = FX_OK;

	if (f != NULL && f->type == IPC_T_EXPORT_PART) {
		if (!is_enough(x) && (rc = held_keep(&x->yaml, f)) == FX_OK)
			look(x);
		return rc;
	}
	x->yaml.seq = 0;
	if (ipc_take_failed(f, &err) != FX_OK)
		fail(x, &err);
	else if (!is_enough(x))
		look(x);
	return FX_OK;
}

static void
start(struct http_request *r)
{
	const struct ipc_export q = { 0 };
	struct export *x = r->work;

	held_begin(&x->yaml, aw_master(r),
	    ipc_ask_export(aw_master(r), &q, on_part_or_end, x));
	if (x->yaml.seq == 0)
		fail(x, &aw_cannot_ask);
}

void
aw_on_export(struct http_request *r)
{
	struct aw_state *s = r->ctx;
	struct export *x = xcalloc(1, sizeof(*x));

	x->request = r;
	r->work = x;
	r->drop = drop;
	r->more = more;
	place_want(&s->places, &x->place, r, start);
}
