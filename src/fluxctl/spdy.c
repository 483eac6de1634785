/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spdy: port-forward frames of SPDY/3.1, as every API server takes them.
 *
 * Two streams, of which each has a header block that says what it is for.  The
 * server knows no flow control, and its header blocks tell us nothing, so they
 * are passed over.  Ours are not compressed: zlib's format has stored blocks.
 */
#include "base.h"
#include "frames.h"

#include "str.h"

#include <stdio.h>

#define HEAD 8 /* bytes of each frame's header */

#define ERROR_STREAM 1
#define DATA_STREAM 3

#define CONTROL 0x80
#define SPDY 3
#define FLAG_FIN 1

enum { SYN_STREAM = 1, RST_STREAM = 3, PING = 6, GOAWAY = 7 };

static void
put(struct frames *f, const void *data, size_t n)
{
	if (buf_put(&f->out, data, n) != FX_OK)
		fx_bug("frames: more is sent than was made room for");
}

/* The n low bytes of v, the highest first, as everything here has it. */
static void
add_number(struct buf *b, uint32_t v, unsigned n)
{
	while (n-- > 0)
		(void)str_addc(b, (char)(v >> (8 * n) & 0xff));
}

/* The header of a frame, from its third byte on; the payload. */
static void
finish_frame(struct frames *f, struct buf *head, uint8_t flags,
    const void *data, size_t n)
{
	add_number(head, flags, 1);
	add_number(head, (uint32_t)n, 3);
	put(f, buf_head(head), buf_left(head));
	if (n > 0)
		put(f, data, n);
}

static void
control(struct frames *f, uint8_t type, const struct buf *payload)
{
	auto_buf struct buf head = BUF_INIT(HEAD);

	add_number(&head, CONTROL, 1);
	add_number(&head, SPDY, 1);
	add_number(&head, type, 2);
	finish_frame(f, &head, 0, buf_head(payload), buf_left(payload));
}

static void
frame(struct frames *f, uint32_t stream, uint8_t flags, const void *data,
    size_t n)
{
	auto_buf struct buf head = BUF_INIT(HEAD);

	add_number(&head, stream, 4);
	finish_frame(f, &head, flags, data, n);
}

static void
add_text(struct buf *b, const char *s)
{
	add_number(b, (uint32_t)strlen(s), 4);
	(void)str_add(b, s);
}

/* A header block as a stored block; zlib's own header is before the first
 * one, and an empty block, which flushes, behind each. */
static void
add_block(struct buf *b, const struct buf *block, bool first)
{
	const uint16_t n = (uint16_t)buf_left(block), not_n = (uint16_t)~n;

	if (first)
		add_number(b, 0x7801, 2);
	add_number(b, 0, 1);
	/* this length has its low byte first */
	add_number(b, n & 0xff, 1);
	add_number(b, n >> 8, 1);
	add_number(b, not_n & 0xff, 1);
	add_number(b, not_n >> 8, 1);
	(void)str_addn(b, (const char *)buf_head(block), n);
	add_number(b, 0, 3);
	add_number(b, 0xffff, 2);
}

static void
open_stream(struct frames *f, uint8_t stream, const char *type, uint16_t port)
{
	auto_buf struct buf block = BUF_INIT(512), payload = BUF_INIT(1024);
	char number[8];

	snprintf(number, sizeof(number), "%u", port);
	add_number(&block, 3, 4); /* headers */
	add_text(&block, "port");
	add_text(&block, number);
	add_text(&block, "requestid");
	add_text(&block, "0");
	add_text(&block, "streamtype");
	add_text(&block, type);

	add_number(&payload, stream, 4);
	add_number(&payload, 0, 4); /* belongs to no other */
	add_number(&payload, 0, 2); /* priority */
	add_block(&payload, &block, stream == ERROR_STREAM);
	control(f, SYN_STREAM, &payload);
}

static void
spdy_open(struct frames *f, uint16_t port)
{
	open_stream(f, ERROR_STREAM, "error", port);
	frame(f, ERROR_STREAM, FLAG_FIN, NULL, 0); /* we say nothing there */
	open_stream(f, DATA_STREAM, "data", port);
}

static void
spdy_data(struct frames *f, const uint8_t *data, size_t n)
{
	frame(f, DATA_STREAM, 0, data, n);
}

static void
spdy_end(struct frames *f)
{
	frame(f, DATA_STREAM, FLAG_FIN, NULL, 0);
}

static void
spdy_close(struct frames *f)
{
	auto_buf struct buf payload = BUF_INIT(8);

	add_number(&payload, 0, 4); /* the last stream of theirs */
	add_number(&payload, 0, 4); /* for no reason */
	control(f, GOAWAY, &payload);
}

static size_t
spdy_head(const struct frames *f, size_t n)
{
	(void)f;
	(void)n;
	return HEAD;
}

static uint32_t
u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static int
spdy_begin(struct frames *f)
{
	const uint8_t *h = f->h;

	f->left = u32(h + 4) & 0xffffff;
	f->sink = FRAMES_SKIP;
	if ((h[0] & CONTROL) != 0) {
		if ((h[0] & ~CONTROL) != 0 || h[1] != SPDY)
			return FX_ESYNTAX;
		if (h[3] == RST_STREAM || h[3] == PING)
			f->sink = FRAMES_NOTE;
	} else if (u32(h) == DATA_STREAM) {
		f->sink = FRAMES_DATA;
	} else if (u32(h) == ERROR_STREAM) {
		f->sink = FRAMES_ERROR;
	}
	return FX_OK;
}

static void
end_stream(struct frames *f, uint32_t stream)
{
	if (stream == DATA_STREAM)
		f->ended = true;
	else if (stream == ERROR_STREAM)
		f->text_ended = true;
}

static void
finish_control(struct frames *f)
{
	const struct buf view = buf_view(f->note, f->nnote);

	switch (f->h[3]) {
	case PING:
		/* theirs have even numbers, and come back; no more of them
		 * than there is room for */
		if (f->nnote == 4 && f->note[3] % 2 == 0 &&
		    buf_left(&f->out) < FRAMES_CHUNK_MAX)
			control(f, PING, &view);
		return;
	case RST_STREAM:
		if (f->nnote == 8)
			end_stream(f, u32(f->note));
		return;
	case GOAWAY:
		f->ended = f->text_ended = f->over = true;
		return;
	default:
		/* a stream may end with what opens or answers it */
		return;
	}
}

static void
spdy_finish(struct frames *f)
{
	if ((f->h[0] & CONTROL) != 0)
		finish_control(f);
	else if ((f->h[4] & FLAG_FIN) != 0)
		end_stream(f, u32(f->h));
}

const struct frames_protocol frames_spdy = {
	.open = spdy_open,
	.data = spdy_data,
	.end = spdy_end,
	.close = spdy_close,
	.head = spdy_head,
	.begin = spdy_begin,
	.finish = spdy_finish,
};
