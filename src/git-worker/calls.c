/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "clock.h"

/* Who is asked keeps the same deadline, and knows better what took so long. */
#define GRACE_US (100 * CLK_MS)

/* An answer that is being waited for. */
struct wait {
	void *out;
	struct fx_err err; /* code FX_OK: it came */
};

/* The answer is not the one asked for, or none. */
static int
take_failure(struct wait *w, struct ipc_frame *f)
{
	if (f != NULL && f->type != IPC_T_FAILED)
		return FX_ESYNTAX;
	/* what went wrong is in err; the frame itself is in order */
	(void)ipc_take_failed(f, &w->err);
	return FX_OK;
}

/*
 * Wait inside of a library call.  The channel's own troubles become an error
 * like any other; the loop that called us finds them again.
 */
static int
await(struct worker *w, uint64_t seq, int64_t deadline_us, struct wait *wait,
    struct fx_err *err)
{
	int r = ipc_await_until(&w->master, seq, deadline_us + GRACE_US);

	if (r == FX_OK && wait->err.code == FX_OK)
		return FX_OK;
	if (r == FX_ETIMEOUT)
		return fx_fail(err, r,
		    "another process of fluxd does not answer");
	if (wait->err.code == FX_OK)
		return fx_fail(err, r == FX_OK ? FX_EFAIL : r,
		    "the worker is being stopped");
	*err = wait->err;
	return err->code;
}

static int
on_connected(void *arg, struct ipc_frame *f)
{
	struct wait *w = arg;

	if (f == NULL || f->type != IPC_T_CONNECTED)
		return take_failure(w, f);
	return ipc_connected_decode(&f->body, w->out, &f->fd);
}

static int
call_connect(void *arg, const char *host, unsigned port, int64_t deadline_us,
    int *fd, struct fx_err *err)
{
	struct worker *w = arg;
	int64_t left_us = deadline_us - clk_now_us();
	struct ipc_connected got = { .fd = -1 };
	struct wait wait = { .out = &got };
	const struct ipc_connect m = {
		.host = (char *)(uintptr_t)host,
		.port = port,
		.timeout_ms =
		    left_us < CLK_MS ? 1 : (uint64_t)(left_us / CLK_MS),
	};
	int r;

	r = await(w, ipc_ask_connect(&w->master, &m, on_connected, &wait),
	    deadline_us, &wait, err);
	if (r != FX_OK)
		return r;
	*fd = got.fd;
	got.fd = -1;
	ipc_connected_clear(&got);
	return FX_OK;
}

static int
on_public(void *arg, struct ipc_frame *f)
{
	struct wait *w = arg;

	if (f == NULL || f->type != IPC_T_KEY_PUBLIC_IS)
		return take_failure(w, f);
	return ipc_key_public_is_decode(&f->body, w->out, &f->fd);
}

static int
call_public_key(void *arg, int64_t deadline_us, struct buf *blob,
    struct fx_err *err)
{
	struct worker *w = arg;
	struct ipc_key_public_is got = { 0 };
	struct wait wait = { .out = &got };
	const struct ipc_key_public m = { 0 };
	int r;

	r = await(w, ipc_ask_key_public(&w->master, &m, on_public, &wait),
	    deadline_us, &wait, err);
	if (r != FX_OK)
		return r;
	if (got.blob.n == 0)
		r = fx_fail(err, FX_EDENIED, "there is no deploy key");
	else if (buf_put(blob, got.blob.p, got.blob.n) != FX_OK)
		r = fx_fail(err, FX_ELIMIT, "the deploy key is too large");
	ipc_key_public_is_clear(&got);
	return r;
}

static int
on_signed(void *arg, struct ipc_frame *f)
{
	struct wait *w = arg;

	if (f == NULL || f->type != IPC_T_KEY_SIGNED)
		return take_failure(w, f);
	return ipc_key_signed_decode(&f->body, w->out, &f->fd);
}

static int
call_sign(void *arg, int64_t deadline_us, const void *data, size_t n,
    struct buf *signature, struct fx_err *err)
{
	struct worker *w = arg;
	struct ipc_key_signed got = { 0 };
	struct wait wait = { .out = &got };
	const struct ipc_key_sign m = {
		.to_sign = { (uint8_t *)(uintptr_t)data, n },
	};
	int r;

	r = await(w, ipc_ask_key_sign(&w->master, &m, on_signed, &wait),
	    deadline_us, &wait, err);
	if (r != FX_OK)
		return r;
	if (buf_put(signature, got.signature.p, got.signature.n) != FX_OK)
		r = fx_fail(err, FX_ELIMIT, "the signature is too large");
	ipc_key_signed_clear(&got);
	return r;
}

static int
call_heed(void *arg, struct fx_err *err)
{
	struct worker *w = arg;
	int r = ipc_heed(&w->master);

	return r == FX_OK ? r : fx_fail(err, r, "the worker is being stopped");
}

struct link_calls
gw_calls(struct worker *w)
{
	return (struct link_calls){ call_connect, call_public_key, call_sign,
		call_heed, w->master.fd, w };
}
