/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "wsframe.h"

#include "str.h"

#include <sha1.h>
#include <sys/random.h>

#define FIN 0x80
#define RESERVED 0x70
#define OPCODE 0x0f
#define MASKED 0x80
#define LENGTH 0x7f
#define LENGTH_16 126 /* the length follows in two bytes */
#define LENGTH_64 127 /* … in eight */

/* With a new mask each, so that nobody between can be made to read what we
 * send as something else. */
void
ws_put(struct buf *out, enum ws_opcode opcode, bool fin, const uint8_t *prefix,
    size_t nprefix, const uint8_t *data, size_t n)
{
	uint8_t head[] = { (uint8_t)((fin ? FIN : 0) | (int)opcode), MASKED, 0,
		0 };
	uint8_t mask[4], *room;
	size_t all = nprefix + n, at = 2;

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
	room = buf_reserve(out, at + sizeof(mask) + all);
	if (room == NULL)
		fx_bug("websocket: more is sent than was made room for");
	memcpy(room, head, at);
	memcpy(room + at, mask, sizeof(mask));
	for (size_t i = 0; i < all; i++)
		room[at + sizeof(mask) + i] = mask[i % sizeof(mask)] ^
		    (i < nprefix ? prefix[i] : data[i - nprefix]);
	buf_commit(out, at + sizeof(mask) + all);
}

/* The length's place follows from the second byte. */
size_t
ws_head_size(const uint8_t *h, size_t n)
{
	if (n < 2)
		return 2;
	switch (h[1] & LENGTH) {
	case LENGTH_16:
		return 4;
	case LENGTH_64:
		return 10;
	default:
		return 2;
	}
}

int
ws_head_read(const uint8_t *h, struct ws_head *out)
{
	size_t n = ws_head_size(h, 2) - 2;

	*out = (struct ws_head){ .opcode = h[0] & OPCODE,
		.fin = (h[0] & FIN) != 0,
		.length = h[1] & LENGTH };
	if (n != 0)
		out->length = 0;
	for (size_t i = 0; i < n; i++)
		out->length = out->length << 8 | h[2 + i];
	/* a server masks nothing */
	if ((h[0] & RESERVED) != 0 || (h[1] & MASKED) != 0 ||
	    out->length > INT64_MAX)
		return FX_ESYNTAX;
	switch (out->opcode) {
	case WS_CONTINUATION:
	case WS_TEXT:
	case WS_BINARY:
		return FX_OK;
	case WS_CLOSE:
	case WS_PING:
	case WS_PONG:
		return out->fin && out->length <= WS_CONTROL_MAX ? FX_OK
								 : FX_ESYNTAX;
	default:
		return FX_ESYNTAX;
	}
}

void
ws_key(char key[WS_KEY_SIZE])
{
	struct buf b = BUF_INIT(WS_KEY_SIZE);
	auto_free char *text = NULL;
	uint8_t bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		fx_bug("no random bytes");
	str_add_base64(&b, bytes, sizeof(bytes), true, false);
	text = str_take(&b);
	memcpy(key, text, WS_KEY_SIZE);
}

/* RFC 6455, 4.2.2: SHA-1 of the key and this, in base64. */
bool
ws_accepts(const char *key, const char *accept, size_t n)
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
