/* SPDX-License-Identifier: Apache-2.0 */
/*
 * websocket: port-forward frames of WebSocket (RFC 6455), sub-protocol
 * v4.channel.k8s.io, for what lets no SPDY through.
 *
 * A message is a byte that names the channel, then data; the first message on
 * each channel is the port.  Ours are never fragmented, as the server takes a
 * continuation for a message of its own.
 */
#include "base.h"
#include "frames.h"

#include "wsframe.h"

enum { CHANNEL_DATA = 0, CHANNEL_ERROR = 1 };

static const uint8_t nothing[1];

static void
frame(struct frames *f, enum ws_opcode opcode, const uint8_t *prefix,
    size_t nprefix, const uint8_t *data, size_t n)
{
	ws_put(&f->out, opcode, true, prefix, nprefix, data, n);
}

/* The port is in the request. */
static void
ws_open(struct frames *f, uint16_t port)
{
	(void)f;
	(void)port;
}

static void
ws_data(struct frames *f, const uint8_t *data, size_t n)
{
	const uint8_t channel = CHANNEL_DATA;

	frame(f, WS_BINARY, &channel, 1, data, n);
}

/* There is no end in one direction. */
static void
ws_end(struct frames *f)
{
	(void)f;
}

static void
ws_close(struct frames *f)
{
	const uint8_t why[] = { WS_NORMAL >> 8, WS_NORMAL & 0xff };

	frame(f, WS_CLOSE, why, sizeof(why), nothing, 0);
}

static uint8_t
opcode_of(const struct frames *f)
{
	return f->h[0] & 0x0f;
}

/* The channel of a message is behind the header. */
static size_t
ws_head(const struct frames *f, size_t n)
{
	size_t head = ws_head_size(f->h, n);

	return n < 2
	    ? head
	    : head + (opcode_of(f) == WS_BINARY && (f->h[1] & 0x7f) != 0);
}

/* The first message of a channel is its port, in two bytes. */
static int
begin_message(struct frames *f)
{
	uint8_t channel = f->h[ws_head(f, 2) - 1];

	f->sink = f->message = FRAMES_SKIP;
	if (f->left == 0)
		return FX_OK;
	f->left--;
	if (channel > CHANNEL_ERROR)
		return FX_ESYNTAX; /* one port has two */
	if (!f->port_told[channel]) {
		f->port_told[channel] = true;
		return f->left == 2 ? FX_OK : FX_ESYNTAX;
	}
	f->message = channel == CHANNEL_DATA ? FRAMES_DATA : FRAMES_ERROR;
	f->sink = f->message;
	return FX_OK;
}

static int
ws_begin(struct frames *f)
{
	struct ws_head head;

	if (ws_head_read(f->h, &head) != FX_OK)
		return FX_ESYNTAX;
	f->left = head.length;
	switch (head.opcode) {
	case WS_BINARY:
		return begin_message(f);
	case WS_CONTINUATION:
		f->sink = f->message;
		return FX_OK;
	case WS_TEXT:
		return FX_ESYNTAX;
	default:
		f->sink = FRAMES_NOTE;
		return FX_OK;
	}
}

static void
ws_finish(struct frames *f)
{
	switch (opcode_of(f)) {
	case WS_PING:
		/* no more answers than there is room for */
		if (buf_left(&f->out) < FRAMES_CHUNK_MAX)
			frame(f, WS_PONG, f->note, f->nnote, nothing, 0);
		return;
	case WS_CLOSE:
		f->ended = f->text_ended = f->over = true;
		return;
	default:
		return;
	}
}

const struct frames_protocol frames_websocket = {
	.open = ws_open,
	.data = ws_data,
	.end = ws_end,
	.close = ws_close,
	.head = ws_head,
	.begin = ws_begin,
	.finish = ws_finish,
};
