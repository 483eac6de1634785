/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "frames.h"

/* A chunk of ours in frames, with what the protocol adds, and answers to
 * pings. */
#define OUT_MAX (4 * FRAMES_CHUNK_MAX)

void
frames_init(struct frames *f, const struct frames_protocol *protocol)
{
	*f = (struct frames){ .protocol = protocol };
	buf_init(&f->in, FRAMES_CHUNK_MAX);
	buf_init(&f->out, OUT_MAX);
	buf_init(&f->text, FRAMES_TEXT_MAX);
}

void
frames_clear(struct frames *f)
{
	buf_clear(&f->in);
	buf_clear(&f->out);
	buf_clear(&f->text);
}

static int
put_payload(struct frames *f, const uint8_t *data, size_t n)
{
	switch (f->sink) {
	case FRAMES_DATA:
		/* a chunk never holds more than a chunk of data */
		return buf_put(&f->in, data, n);
	case FRAMES_ERROR:
		if (n > f->text.max - buf_left(&f->text))
			n = f->text.max - buf_left(&f->text);
		return n == 0 ? FX_OK : buf_put(&f->text, data, n);
	case FRAMES_NOTE:
		if (n > sizeof(f->note) - f->nnote)
			return FX_ESYNTAX;
		memcpy(f->note + f->nnote, data, n);
		f->nnote += n;
		return FX_OK;
	case FRAMES_SKIP:
		break;
	}
	return FX_OK;
}

/* One byte of a header; a complete one begins the payload. */
static int
put_head(struct frames *f, uint8_t byte)
{
	int r;

	f->h[f->nh++] = byte;
	if (f->protocol->head(f, f->nh) > f->nh)
		return FX_OK;
	f->nh = 0;
	f->nnote = 0;
	r = f->protocol->begin(f);
	f->in_payload = true;
	return r;
}

int
frames_feed(struct frames *f, const uint8_t *data, size_t n)
{
	size_t part;
	int r = FX_OK;

	while (r == FX_OK && !f->over) {
		if (f->in_payload && f->left == 0) {
			f->in_payload = false;
			f->protocol->finish(f);
			continue;
		}
		if (n == 0)
			break;
		part = 1;
		if (!f->in_payload) {
			r = put_head(f, *data);
		} else {
			part = n < f->left ? n : (size_t)f->left;
			r = put_payload(f, data, part);
			f->left -= part;
		}
		data += part;
		n -= part;
	}
	return r;
}
