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

#include "str.h"

#include <sha1.h>
#include <sys/random.h>

#define FIN 0x80
#define MASKED 0x80
#define LENGTH 0x7f
#define LENGTH_16 126 /* the length follows in two bytes */
#define LENGTH_64 127 /* … in eight */

enum { CONTINUATION = 0, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };
enum { CHANNEL_DATA = 0, CHANNEL_ERROR = 1 };

#define CLOSE_NORMAL 1000

static const uint8_t nothing[1];

/* With a new mask each, so that nobody between can be made to read what we
 * send as something else. */
static void
frame(struct frames *f, uint8_t opcode, const uint8_t *prefix, size_t nprefix,
    const uint8_t *data, size_t n)
{
	uint8_t head[] = { FIN | opcode, MASKED, 0, 0 }, mask[4];
	size_t all = nprefix + n, at = 2;
	uint8_t *room;

	if (all > UINT16_MAX ||
	    getrandom(mask, sizeof(mask), 0) != sizeof(mask))
		fx_bug("websocket: no frame of %zu bytes", all);
	if (all < LENGTH_16) {
		head[1] |= (uint8_t)all;
	} else {
		head[1] |= LENGTH_16;
		head[2] = (uint8_t)(all >> 8);
		head[3] = all & 0xff;
		at = 4;
	}
	room = buf_reserve(&f->out, at + sizeof(mask) + all);
	if (room == NULL)
		fx_bug("frames: more is sent than was made room for");
	memcpy(room, head, at);
	memcpy(room + at, mask, sizeof(mask));
	for (size_t i = 0; i < all; i++)
		room[at + sizeof(mask) + i] = mask[i % sizeof(mask)] ^
		    (i < nprefix ? prefix[i] : data[i - nprefix]);
	buf_commit(&f->out, at + sizeof(mask) + all);
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

	frame(f, BINARY, &channel, 1, data, n);
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
	const uint8_t why[] = { CLOSE_NORMAL >> 8, CLOSE_NORMAL & 0xff };

	frame(f, CLOSE, why, sizeof(why), nothing, 0);
}

static uint8_t
opcode_of(const struct frames *f)
{
	return f->h[0] & 0x0f;
}

/* The length's place follows from the second byte; the channel of a message is
 * behind it. */
static size_t
ws_head(const struct frames *f, size_t n)
{
	uint8_t length = f->h[1] & LENGTH;
	size_t head = 2;

	if (n < 2)
		return head;
	if (length == LENGTH_16)
		head += 2;
	else if (length == LENGTH_64)
		head += 8;
	return head + (opcode_of(f) == BINARY && length != 0);
}

static uint64_t
length_of(const struct frames *f)
{
	uint64_t length = f->h[1] & LENGTH;
	size_t n = length == LENGTH_16 ? 2 : 8;

	if (length < LENGTH_16)
		return length;
	length = 0;
	for (size_t i = 0; i < n; i++)
		length = length << 8 | f->h[2 + i];
	return length;
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
	f->left = length_of(f);
	/* a server masks nothing, and we agreed on no extension */
	if ((f->h[0] & 0x70) != 0 || (f->h[1] & MASKED) != 0 ||
	    f->left > INT64_MAX)
		return FX_ESYNTAX;
	switch (opcode_of(f)) {
	case BINARY:
		return begin_message(f);
	case CONTINUATION:
		f->sink = f->message;
		return FX_OK;
	case CLOSE:
	case PING:
	case PONG:
		f->sink = FRAMES_NOTE;
		return f->left < LENGTH_16 && (f->h[0] & FIN) != 0 ? FX_OK
								   : FX_ESYNTAX;
	default:
		return FX_ESYNTAX;
	}
}

static void
ws_finish(struct frames *f)
{
	switch (opcode_of(f)) {
	case PING:
		/* no more answers than there is room for */
		if (buf_left(&f->out) < FRAMES_CHUNK_MAX)
			frame(f, PONG, f->note, f->nnote, nothing, 0);
		return;
	case CLOSE:
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

void
frames_websocket_key(char key[FRAMES_KEY_SIZE])
{
	struct buf b = BUF_INIT(FRAMES_KEY_SIZE);
	auto_free char *text = NULL;
	uint8_t bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		fx_bug("no random bytes");
	str_add_base64(&b, bytes, sizeof(bytes), true, false);
	text = str_take(&b);
	memcpy(key, text, FRAMES_KEY_SIZE);
}

/* RFC 6455, 4.2.2: SHA-1 of the key and this, in base64. */
bool
frames_websocket_accepts(const char *key, const char *accept, size_t n)
{
	static const char uuid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	uint8_t digest[SHA1_DIGEST_LENGTH];
	struct buf b = BUF_INIT(64);
	auto_free char *text = NULL;
	SHA1_CTX ctx;

	SHA1Init(&ctx);
	SHA1Update(&ctx, (const uint8_t *)key, strlen(key));
	SHA1Update(&ctx, (const uint8_t *)uuid, strlen(uuid));
	SHA1Final(digest, &ctx);
	str_add_base64(&b, digest, sizeof(digest), true, false);
	text = str_take(&b);
	return strlen(text) == n && memcmp(text, accept, n) == 0;
}
