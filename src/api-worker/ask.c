/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ask.h"

struct ipc_peer *
aw_master(const struct http_request *r)
{
	struct aw_state *s = r->ctx;

	return &s->w->master;
}

const struct fx_err aw_cannot_ask = { FX_EAGAIN, "too many requests" };

/* The answer will come to the function that was given with the question. */
void
aw_asked(struct http_request *r, uint64_t seq)
{
	r->ask = seq;
	if (seq == 0)
		aw_failed(r, &aw_cannot_ask);
}

void
aw_failed(struct http_request *r, const struct fx_err *err)
{
	if (err->code == FX_ELIMIT || err->code == FX_EAGAIN)
		answer_trouble(&r->answer, r->accept, 503, err->text);
	else
		answer_failed(&r->answer, r->accept, err->text);
}

void
aw_forget(struct http_request *r)
{
	if (r->work != NULL)
		r->drop(r->work);
	r->work = NULL;
}

void
aw_done(struct http_request *r)
{
	r->ask = 0;
	aw_forget(r);
	http_answered(r);
}

/* true: the master could not do it, and the client has been told. */
bool
aw_refused(struct http_request *r, struct ipc_frame *f)
{
	struct fx_err err = { 0 };

	if (ipc_take_failed(f, &err) == FX_OK)
		return false;
	aw_failed(r, &err);
	aw_done(r);
	return true;
}

void
aw_unsupported(struct http_request *r, const char *what)
{
	auto_free char *text =
	    xasprintf("%s not yet supported by this daemon", what);

	answer_unsupported(&r->answer, r->accept, text);
}

void
aw_bad_request(struct http_request *r, const struct fx_err *err)
{
	answer_bad_request(&r->answer, r->accept, err->text);
}

const char *
aw_param(const struct http_request *r, const char *key)
{
	const char *v = target_param(&r->target.params, key);

	return v == NULL ? "" : v;
}
