/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fluxctl makes of an API server's frames.  The first byte says which
 * protocol (s, w), the second how large the pieces are in which they come; in
 * one piece they mean the same.
 */
#include "base.h"
#include "fuzz.h"

#include "frames.h"

struct outcome {
	struct buf in;
	struct frames f;
	int result;
};

static void
receive(struct outcome *o, const struct frames_protocol *protocol,
    const uint8_t *data, size_t size, size_t step)
{
	size_t n;

	buf_init(&o->in, SIZE_MAX);
	frames_init(&o->f, protocol);
	o->result = FX_OK;
	for (size_t i = 0; i < size && o->result == FX_OK; i += n) {
		n = size - i < step ? size - i : step;
		o->result = frames_feed(&o->f, data + i, n);
		if (buf_put(&o->in, buf_head(&o->f.in), buf_left(&o->f.in)) !=
		    FX_OK)
			abort();
		buf_reset(&o->f.in);
		/* there is always room for something of ours */
		buf_reset(&o->f.out);
		protocol->data(&o->f, data, 1);
	}
}

static bool
same(const struct buf *a, const struct buf *b)
{
	return buf_left(a) == buf_left(b) &&
	    (buf_left(a) == 0 ||
		memcmp(buf_head(a), buf_head(b), buf_left(a)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct frames_protocol *protocol;
	struct outcome whole, pieces;

	if (size < 3 || (data[0] != 's' && data[0] != 'w'))
		return 0;
	protocol = data[0] == 's' ? &frames_spdy : &frames_websocket;
	receive(&whole, protocol, data + 2, size - 2, FRAMES_CHUNK_MAX);
	receive(&pieces, protocol, data + 2, size - 2, 1 + data[1] % 64u);
	if (whole.result != pieces.result || !same(&whole.in, &pieces.in) ||
	    !same(&whole.f.text, &pieces.f.text) ||
	    whole.f.ended != pieces.f.ended || whole.f.over != pieces.f.over)
		abort();
	buf_clear(&whole.in);
	buf_clear(&pieces.in);
	frames_clear(&whole.f);
	frames_clear(&pieces.f);
	return 0;
}
