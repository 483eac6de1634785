/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "frames.h"
#include "test.h"
#include "wsframe.h"

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

/* SPDY: a header with a length of one byte. */
#define S_CONTROL(type, n) "\x80\x03\x00" type "\x00\x00\x00" n
#define S_DATA(stream, flags, n) "\x00\x00\x00" stream flags "\x00\x00" n

/* The port of both channels, as a server begins. */
#define W_PORTS "\x82\x03\x00\xd6\x0b\x82\x03\x01\xd6\x0b"

static bool
buf_is(const struct buf *b, const void *want, size_t n)
{
	return buf_left(b) == n &&
	    (n == 0 || memcmp(buf_head(b), want, n) == 0);
}

static void
test_spdy_open(void)
{
	static const char port[] = "\0\0\0\4port\0\0\0\4"
				   "3030\0\0\0\11requestid\0\0\0\1"
				   "0\0\0\0\12streamtype\0\0\0";
	struct frames f;
	const uint8_t *p;

	frames_init(&f, &frames_spdy);
	f.protocol->open(&f, 3030);
	p = buf_head(&f.out);
	if (!want_int(buf_left(&f.out), 187))
		return;
	/* the error stream, which we have nothing to say on */
	want_mem(p, S_CONTROL("\x01", "\x53"), 8);
	want_mem(p + 8, "\0\0\0\1\0\0\0\0\0\0", 10);
	want_mem(p + 18, "\x78\x01\0\x3d\0\xc2\xff\0\0\0\3", 11);
	want_mem(p + 29, port, sizeof(port) - 1);
	want_mem(p + 80, "\5error\0\0\0\xff\xff", 11);
	want_mem(p + 91, S_DATA("\1", "\1", "\0"), 8);
	/* the data stream: the second block has no header of zlib's */
	want_mem(p + 99, S_CONTROL("\x01", "\x50"), 8);
	want_mem(p + 107, "\0\0\0\3\0\0\0\0\0\0\0\x3c\0\xc3\xff\0\0\0\3", 19);
	frames_clear(&f);
}

static void
test_send(void)
{
	struct frames f;

	frames_init(&f, &frames_spdy);
	f.protocol->data(&f, BYTES("hello"));
	f.protocol->end(&f);
	f.protocol->close(&f);
	want(buf_is(&f.out,
	    BYTES(S_DATA("\3", "\0", "\5") "hello" S_DATA("\3", "\1", "\0")
		    S_CONTROL("\7", "\10") "\0\0\0\0\0\0\0\0")));
	frames_clear(&f);
}

/* What WebSocket sends, without its mask: opcode and payload. */
static void
want_frame(struct buf *out, uint8_t opcode, const uint8_t *payload, size_t n)
{
	const uint8_t *p = buf_head(out), *mask;
	size_t head = n < 126 ? 2 : 4;

	if (!want(buf_left(out) >= head + 4 + n))
		return;
	want_int(p[0], 0x80 | opcode);
	want_int(p[1], 0x80 | (n < 126 ? n : 126));
	if (n >= 126)
		want_int(p[2] << 8 | p[3], n);
	mask = p + head;
	for (size_t i = 0; i < n; i++)
		if (!want_int(p[head + 4 + i] ^ mask[i % 4], payload[i]))
			return;
	buf_skip(out, head + 4 + n);
}

static void
test_websocket_send(void)
{
	static const size_t sizes[] = { 1, 124, 125, 126, FRAMES_CHUNK_MAX };
	uint8_t data[1 + FRAMES_CHUNK_MAX] = { 0 };
	struct frames f;

	for (size_t i = 1; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	frames_init(&f, &frames_websocket);
	f.protocol->open(&f, 3030);
	want_int(buf_left(&f.out), 0);
	for (size_t i = 0; i < nitems(sizes); i++) {
		f.protocol->data(&f, data + 1, sizes[i]);
		want_frame(&f.out, 2, data, 1 + sizes[i]);
	}
	f.protocol->end(&f);
	f.protocol->close(&f);
	want_frame(&f.out, 8, BYTES("\x03\xe8"));
	want_int(buf_left(&f.out), 0);
	frames_clear(&f);
}

struct received {
	const struct frames_protocol *protocol;
	const uint8_t *bytes;
	size_t n;
	const char *in, *text;
	bool ended, text_ended, over;
	int result;
};

/* In pieces of every size: the result is the same. */
static void
try_received(const struct received *r)
{
	for (size_t step = 1; step <= r->n; step++) {
		struct frames f;
		int result = FX_OK;
		size_t n;

		frames_init(&f, r->protocol);
		for (size_t i = 0; i < r->n && result == FX_OK; i += n) {
			n = r->n - i < step ? r->n - i : step;
			result = frames_feed(&f, r->bytes + i, n);
		}
		if (!want_int(result, r->result) ||
		    !want(buf_is(&f.in, r->in, strlen(r->in))) ||
		    !want(buf_is(&f.text, r->text, strlen(r->text))) ||
		    !want_int(f.ended, r->ended) ||
		    !want_int(f.text_ended, r->text_ended) ||
		    !want_int(f.over, r->over)) {
			printf("# pieces of %zu\n", step);
			step = r->n;
		}
		frames_clear(&f);
	}
}

#define SPDY(bytes, ...)                                                       \
	{                                                                      \
		&frames_spdy, BYTES(bytes), __VA_ARGS__                        \
	}
#define WS(bytes, ...)                                                         \
	{                                                                      \
		&frames_websocket, BYTES(bytes), __VA_ARGS__                   \
	}

static void
test_receive(void)
{
	/* clang-format off */
	static const struct received tv[] = {
		SPDY(S_CONTROL("\x02", "\x04") "\0\0\0\3" S_DATA("\3", "\0", "\2") "ab"
		     S_DATA("\3", "\0", "\0") S_DATA("\3", "\1", "\1") "c",
		     "abc", "", true, false, false, FX_OK),
		/* the reason comes behind the end */
		SPDY(S_DATA("\3", "\1", "\0") S_DATA("\1", "\0", "\2") "no"
		     S_CONTROL("\3", "\x08") "\0\0\0\1\0\0\0\5",
		     "", "no", true, true, false, FX_OK),
		SPDY(S_CONTROL("\3", "\x08") "\0\0\0\3\0\0\0\5", "", "", true, false, false, FX_OK),
		/* a stream that is not ours, a frame that we do not know */
		SPDY(S_DATA("\7", "\1", "\2") "xy" S_CONTROL("\x09", "\2") "zz"
		     S_DATA("\3", "\0", "\1") "a", "a", "", false, false, false, FX_OK),
		SPDY(S_CONTROL("\7", "\x08") "\0\0\0\0\0\0\0\0" S_DATA("\3", "\0", "\1") "a",
		     "", "", true, true, true, FX_OK),
		SPDY("\x80\x02\0\1\0\0\0\0", "", "", false, false, false, FX_ESYNTAX),
		SPDY("HTTP/1.1 200 OK\r\n", "", "", false, false, false, FX_OK),
		SPDY(S_CONTROL("\6", "\xff") "a", "", "", false, false, false, FX_OK),

		WS(W_PORTS "\x82\x03\x00" "ab" "\x82\x01\x00" "\x82\x02\x00" "c",
		   "abc", "", false, false, false, FX_OK),
		WS(W_PORTS "\x82\x03\x01" "no" "\x88\x02\x03\xe8",
		   "", "no", true, true, true, FX_OK),
		/* fragments that somebody between has made; a ping inside */
		WS(W_PORTS "\x02\x02\x00" "a" "\x89\x00" "\x80\x01" "b", "ab", "", false, false, false, FX_OK),
		WS(W_PORTS "\x82\x7e\x00\x03\x00" "ab", "ab", "", false, false, false, FX_OK),
		WS(W_PORTS "\x82\x7f\0\0\0\0\0\0\0\2\x00" "a", "a", "", false, false, false, FX_OK),
		WS("\x88\x00", "", "", true, true, true, FX_OK),
		WS("\x82\x03\x02\xd6\x0b", "", "", false, false, false, FX_ESYNTAX),
		WS("\x82\x04\x00\xd6\x0b\x00", "", "", false, false, false, FX_ESYNTAX),
		WS("\x82\x83\0\0\0\0", "", "", false, false, false, FX_ESYNTAX),
		WS("\xc2\x03\x00", "", "", false, false, false, FX_ESYNTAX),
		WS("\x81\x03\x00", "", "", false, false, false, FX_ESYNTAX),
		WS("\x09\x00", "", "", false, false, false, FX_ESYNTAX),
		WS("\x89\x7e\x00\x80", "", "", false, false, false, FX_ESYNTAX),
		WS("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff\x00", "", "", false, false, false, FX_ESYNTAX),
	};
	/* clang-format on */

	for (size_t i = 0; i < nitems(tv); i++) {
		int before = test_case_failures;

		try_received(&tv[i]);
		if (test_case_failures != before)
			printf("# case %zu\n", i);
	}
}

/* A ping comes back, but not more of them than there is room for. */
static void
try_pings(const struct frames_protocol *protocol, const uint8_t *ping, size_t n,
    size_t pong)
{
	struct frames f;

	frames_init(&f, protocol);
	want_int(frames_feed(&f, ping, n), FX_OK);
	want_int(buf_left(&f.out), pong);
	for (int i = 0; i < 20000; i++)
		if (!want_int(frames_feed(&f, ping, n), FX_OK))
			break;
	want(buf_left(&f.out) <= FRAMES_CHUNK_MAX + 150);
	/* and what we have to say fits behind them */
	f.protocol->data(&f, (const uint8_t *)"x", 1);
	frames_clear(&f);
}

static void
test_ping(void)
{
	struct frames f;

	try_pings(&frames_spdy, BYTES(S_CONTROL("\6", "\4") "\0\0\0\2"), 12);
	try_pings(&frames_websocket, BYTES("\x89\x02hi"), 8);
	/* an answer to ours, of which there are none, is none */
	frames_init(&f, &frames_spdy);
	want_int(frames_feed(&f, BYTES(S_CONTROL("\6", "\4") "\0\0\0\1")),
	    FX_OK);
	want_int(buf_left(&f.out), 0);
	frames_clear(&f);
}

/* A text without end is cut; a frame of any length goes through. */
static void
test_bounds(void)
{
	static const uint8_t chunk[FRAMES_CHUNK_MAX] = { 'x' };
	struct frames f;

	frames_init(&f, &frames_spdy);
	want_int(frames_feed(&f, BYTES("\0\0\0\1\0\xff\xff\xff")), FX_OK);
	for (int i = 0; i < 1023; i++)
		if (!want_int(frames_feed(&f, chunk, sizeof(chunk)), FX_OK))
			break;
	want_int(buf_left(&f.text), FRAMES_TEXT_MAX);
	want_int(frames_feed(&f, chunk, sizeof(chunk) - 1), FX_OK);
	want_int(frames_feed(&f, BYTES(S_DATA("\3", "\0", "\1") "a")), FX_OK);
	want_int(buf_left(&f.in), 1);
	frames_clear(&f);
}

static void
test_handshake(void)
{
	/* RFC 6455, 1.3 */
	static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==",
			  accept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
	char one[WS_KEY_SIZE], other[WS_KEY_SIZE];

	want(ws_accepts(key, accept, strlen(accept)));
	want(!ws_accepts(key, accept, strlen(accept) - 1));
	want(!ws_accepts("x", accept, strlen(accept)));
	ws_key(one);
	ws_key(other);
	want_int(strlen(one), 24);
	want(strcmp(one, other) != 0);
}

int
main(void)
{
	test_run("frames: SPDY opens two streams, uncompressed",
	    test_spdy_open);
	test_run("frames: data, an end and a good-bye in SPDY", test_send);
	test_run("frames: and in WebSocket, masked", test_websocket_send);
	test_run("frames: what a server sends, in pieces of every size",
	    test_receive);
	test_run("frames: pings are answered as far as there is room",
	    test_ping);
	test_run("frames: nothing grows by what a server claims", test_bounds);
	test_run("frames: WebSocket's handshake is checked", test_handshake);
	return test_done();
}
