/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection that a service calls over, with the test as the service, and
 * with a clock that the test sets.
 */
#include "base.h"
#include "wire.h"

#include "fd.h"
#include "multi.h"
#include "str.h"
#include "test.h"

#include <poll.h>
#include <sha1.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE 20000 /* turns of a millisecond for what must come */

static int64_t now_us;
static struct loop *loop;
static struct wire *wire;
static struct service_url url;
static struct tls tls;
static int service = -1; /* its end of the connection */
static unsigned ndials, nups, ndowns;
static struct wire_end ended;
static struct buf got = BUF_INIT(1 << 20);  /* by us */
static struct buf head = BUF_INIT(1 << 16); /* of the request */

/* As the worker's filter has it. */
int
connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t n)
{
	(void)fd;
	(void)addr;
	(void)n;
	return 0;
}

static void
on_connect(void *arg, int64_t span_us)
{
	int pair[2];

	(void)arg;
	want_int(span_us, WIRE_DIAL_US);
	ndials++;
	want_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	want_int(fd_set_nonblock(pair[0]), FX_OK);
	want_int(fd_set_nonblock(pair[1]), FX_OK);
	service = pair[1];
	wire_connected(wire, pair[0]);
}

static void
on_up(void *arg)
{
	(void)arg;
	nups++;
}

static void
on_data(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	want_int(buf_put(&got, p, n), FX_OK);
}

static void
on_down(void *arg, const struct wire_end *e)
{
	(void)arg;
	ndowns++;
	ended = *e;
}

static void
begin(void)
{
	static const struct wire_hooks hooks = { on_connect, on_up, on_data,
		on_down, NULL };
	static const struct post_target target = { .url = &url,
		.tls = &tls,
		.token = "sesame",
		.proxy = "",
		.proxy_login = "" };
	struct fx_err err = { 0 };

	now_us = 1000 * CLK_SEC;
	clk_fake(&now_us, NULL);
	loop = loop_new();
	want_int(service_url_parse(&url, "ws://service.test:81/base", &err),
	    FX_OK);
	wire = wire_new(loop, &hooks);
	wire_to(wire, &target);
	ndials = nups = ndowns = 0;
	ended = (struct wire_end){ 0 };
	wire_dial(wire);
}

static void
finish(void)
{
	wire_free(&wire);
	loop_free(&loop);
	service_url_clear(&url);
	fd_close(&service);
	buf_clear(&got);
	buf_clear(&head);
	clk_fake(NULL, NULL);
}

static void
turns(int n)
{
	while (n-- > 0)
		loop_turn(loop, CLK_MS);
}

/* What we send, into the buf, until it has this much or we are down. */
static void
hear(struct buf *b, size_t n)
{
	uint8_t chunk[4096];
	ssize_t r;

	for (int i = 0; i < PATIENCE && buf_left(b) < n; i++) {
		loop_turn(loop, CLK_MS);
		r = read(service, chunk, sizeof(chunk));
		if (r > 0)
			want_int(buf_put(b, chunk, (size_t)r), FX_OK);
		if (ndowns != 0 && r <= 0)
			break;
	}
}

static void
say(const void *p, size_t n)
{
	want_int(write(service, p, n), n);
	turns(10);
}
#define SAY(text) say((text), sizeof(text) - 1)

static char *
accept_of(const char *key)
{
	uint8_t digest[SHA1_DIGEST_LENGTH];
	auto_free char *text =
	    xasprintf("%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	struct buf b = BUF_INIT(64);
	SHA1_CTX ctx;

	SHA1Init(&ctx);
	SHA1Update(&ctx, (const uint8_t *)text, strlen(text));
	SHA1Final(digest, &ctx);
	str_add_base64(&b, digest, sizeof(digest), true, false);
	return str_take(&b);
}

/* The request, and the answer that it wants, with more behind it. */
static void
upgrade(const char *status, const char *more, size_t nmore)
{
	char key[32] = "";
	struct buf b = BUF_INIT(65536);
	auto_free char *accept = NULL;
	const char *at;

	while (memmem(buf_head(&head), buf_left(&head), "\r\n\r\n", 4) == NULL)
		hear(&head, buf_left(&head) + 1);
	(void)str_addc(&head, '\0');
	at = strstr((const char *)buf_head(&head), "Sec-WebSocket-Key: ");
	if (want(at != NULL))
		(void)sscanf(at, "Sec-WebSocket-Key: %31s", key);
	accept = accept_of(key);
	(void)str_addf(&b,
	    "HTTP/1.1 %s\r\nupgrade: WebSocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept:  %s \r\n\r\n",
	    status, accept);
	(void)str_addn(&b, more, nmore);
	say(buf_head(&b), buf_left(&b));
	buf_clear(&b);
}

static void
begin_open(void)
{
	begin();
	upgrade("101 Switching Protocols", "", 0);
	want_int(nups, 1);
}

static void
test_greeting(void)
{
	const char *text;

	begin();
	upgrade("101 X", "\x82\x02hi", 4);
	text = (const char *)buf_head(&head);
	want(str_starts(text,
	    "GET /base/v11/daemon HTTP/1.1\r\n"
	    "Host: service.test:81\r\n"
	    "User-Agent: fluxd/" PACKAGE_VERSION "\r\n"));
	want(strstr(text,
		 "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		 "Sec-WebSocket-Version: 13\r\n") != NULL);
	want(strstr(text, "\r\nAuthorization: Scope-Probe token=sesame\r\n") !=
	    NULL);
	want(strcasestr(text, "origin") == NULL &&
	    strstr(text, "Extensions") == NULL);
	want_int(nups, 1);
	want_int(buf_left(&got), 2); /* came with the head */
	finish();
}

static void
test_not_greeted(void)
{
	static const struct {
		const char *answer;
		int status;
		const char *why;
	} tv[] = {
		{ "HTTP/1.1 410 Gone\r\n\r\n", 410,
		    "(http status code = 410)" },
		{ "HTTP/1.1 404 X\r\nContent-Length: 9\r\n\r\nnot found", 404,
		    "(http status code = 404)" },
		{ "HTTP/1.1 200 OK\r\n\r\n", 200, "(http status code = 200)" },
		{ "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n", 101,
		    "(http status code = 101)" },
		{ "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n"
		  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
		    101, "(http status code = 101)" },
		{ "SSH-2.0-x\r\n\r\n", 0,
		    "connecting to websocket (unknown error)" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		begin();
		hear(&head, 100);
		say(tv[i].answer, strlen(tv[i].answer));
		want_int(ndowns, 1);
		want_int(nups, 0);
		want_int(ended.status, tv[i].status);
		want_str(ended.err.text, tv[i].why);
		finish();
	}
	/* a head without end, silence, and nobody */
	begin();
	hear(&head, 100);
	for (int i = 0; i < 40 && ndowns == 0; i++)
		SAY("X-X: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
	want_str(ended.err.text, "the answer's head is too long");
	finish();
	begin();
	hear(&head, 100);
	now_us += WIRE_GREET_US;
	turns(2);
	want_str(ended.err.text, "no answer in time");
	finish();
	begin();
	hear(&head, 100);
	fd_close(&service);
	turns(10);
	want_str(ended.err.text, "the connection was lost");
	want(ended.err.code != FX_OK);
	finish();
}

/* Frames that come: data, or an end. */
static void
test_frames(void)
{
#define F(bytes) (bytes), sizeof(bytes) - 1
	static const struct {
		const char *bytes;
		size_t n;
		const char *data, *why; /* why NULL: it goes on; "": clean */
	} tv[] = {
		{ F("\x82\x03"
		    "abc"),
		    "abc", NULL },
		{ F("\x82\x00"), "", NULL },
		{ F("\x82\x7e\x00\x01z"), "z", NULL },
		{ F("\x82\x7f\0\0\0\0\0\0\0\x02xy"), "xy", NULL },
		/* text is nothing, in pieces too */
		{ F("\x81\x03"
		    "abc\x82\x01"
		    "d"),
		    "d", NULL },
		{ F("\x01\x01"
		    "a\x80\x01"
		    "b\x82\x01"
		    "c"),
		    "c", NULL },
		/* pieces, with a ping and a pong between */
		{ F("\x02\x01"
		    "a\x89\x01p\x00\x01"
		    "b\x8a\x00\x80\x01"
		    "c"),
		    "abc", NULL },
		{ F("\x88\x02\x03\xe8"), "", "" },
		{ F("\x88\x02\x03\xe9"), "", "" },
		{ F("\x88\x00"), "", "" },
		{ F("\x88\x05\x03\xf3"
		    "err"),
		    "", "websocket: close 1011" },
		{ F("\x82\x83\x01\x02\x03\x04"
		    "abc"),
		    "", "what the service sends is no WebSocket" },
		{ F("\xc2\x01"
		    "a"),
		    "", "what the service sends is no WebSocket" },
		{ F("\x83\x00"), "", "what the service sends is no WebSocket" },
		{ F("\x80\x01"
		    "a"),
		    "", "what the service sends is no WebSocket" },
		{ F("\x02\x01"
		    "a\x82\x01"
		    "b"),
		    "a", "what the service sends is no WebSocket" },
		{ F("\x09\x00"), "", "what the service sends is no WebSocket" },
		{ F("\x89\x7e\x00\x80"), "",
		    "what the service sends is no WebSocket" },
		{ F("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), "",
		    "what the service sends is no WebSocket" },
		/* it never comes to its end, and is passed on as it comes */
		{ F("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"
		    "abc"),
		    "abc", NULL },
		{ F("GET / HTTP/1.1\r\n"), "",
		    "what the service sends is no WebSocket" },
	};

	for (int bytewise = 0; bytewise < 2; bytewise++)
		for (size_t i = 0; i < nitems(tv); i++) {
			bool good = true;

			begin_open();
			if (bytewise)
				for (size_t k = 0; k < tv[i].n && ndowns == 0;
				     k++)
					say(tv[i].bytes + k, 1);
			else
				say(tv[i].bytes, tv[i].n);
			good &= want_int(buf_left(&got), strlen(tv[i].data)) &&
			    want_mem(buf_head(&got), tv[i].data,
				strlen(tv[i].data));
			good &= want_int(ndowns, tv[i].why != NULL);
			if (tv[i].why != NULL)
				good &= want_str(ended.err.text, tv[i].why);
			if (!good)
				printf("# frames %zu\n", i);
			finish();
		}
	begin_open();
	fd_close(&service);
	turns(10);
	want_int(ndowns, 1);
	want_int(ended.err.code, FX_OK); /* an end like any other */
	finish();
}

/* Read frames of ours, unmask them; the first opcode, and the number. */
static size_t
unmask(struct buf *from, struct buf *to, unsigned *first)
{
	size_t frames = 0, n, at;
	bool fin = false;

	while (!fin && buf_left(from) >= 6) {
		const uint8_t *p = buf_head(from);

		if (frames++ == 0)
			*first = p[0] & 0x0fu;
		else
			want_int(p[0] & 0x0f, 0);
		fin = (p[0] & 0x80) != 0;
		want((p[1] & 0x80) != 0);
		n = p[1] & 0x7f;
		at = 2;
		if (n == 126) {
			n = p[2] * 256u + p[3];
			at = 4;
		}
		for (size_t i = 0; i < n; i++)
			(void)str_addc(to,
			    (char)(p[at + 4 + i] ^ p[at + i % 4]));
		buf_skip(from, at + 4 + n);
	}
	return frames;
}

static void
test_sending(void)
{
	auto_buf struct buf m = BUF_INIT(1 << 20), raw = BUF_INIT(1 << 20),
			    text = BUF_INIT(1 << 20);
	unsigned first = 99;

	begin_open();
	for (int i = 0; i < 50000; i++)
		(void)str_addc(&m, (char)('a' + i % 26));
	wire_send(wire, &m);
	want_int(wire_queued(wire), 50000);
	(void)str_add(&m, "next");
	wire_send(wire, &m);
	hear(&raw, 50000 + 4 * 8 + 10);
	want_int(unmask(&raw, &text, &first), 4); /* one message, in pieces */
	want_int(first, 2);
	want_int(buf_left(&text), 50000);
	for (int i = 0; i < 50000; i++)
		if (buf_head(&text)[i] != 'a' + i % 26)
			test_check(false, __FILE__, __LINE__, "a byte");
	buf_reset(&text);
	want_int(unmask(&raw, &text, &first), 1);
	want(buf_left(&text) == 4 && memcmp(buf_head(&text), "next", 4) == 0);
	want_int(wire_queued(wire), 0);
	/* a ping is answered with what it has */
	SAY("\x89\x04ping");
	buf_reset(&text);
	hear(&raw, 10);
	want_int(unmask(&raw, &text, &first), 1);
	want_int(first, 10);
	want(buf_left(&text) == 4 && memcmp(buf_head(&text), "ping", 4) == 0);
	/* whom nobody listens to is given up */
	for (int i = 0; i < 1 << 20; i++)
		(void)str_addc(&m, 'x');
	wire_send(wire, &m);
	turns(20);
	now_us += WIRE_WRITE_US - 1;
	turns(2);
	want_int(ndowns, 0);
	now_us += 1;
	turns(2);
	want_str(ended.err.text, "nothing could be written for too long");
	finish();
}

static void
test_liveness(void)
{
	auto_buf struct buf raw = BUF_INIT(65536), text = BUF_INIT(65536);
	unsigned first = 99;

	begin_open();
	for (int i = 0; i < 5; i++) {
		now_us += WIRE_PING_US;
		hear(&raw, 6);
		want_int(unmask(&raw, &text, &first), 1);
		want_int(first, 9);
		want_int(ndowns, 0);
		SAY("\x8a\x00");
	}
	now_us += WIRE_PING_US;
	SAY("\x82\x01x"); /* data will do */
	now_us += WIRE_PING_US;
	SAY("\x81\x01x"); /* text will not */
	SAY("\x89\x01x"); /* nor a ping, as upstream */
	now_us += WIRE_READ_US - WIRE_PING_US - 1;
	turns(2);
	want_int(ndowns, 0);
	now_us += 1;
	turns(2);
	want_str(ended.err.text, "nothing was heard for too long");
	finish();
}

static void
test_paused(void)
{
	begin_open();
	wire_pause(wire, true);
	turns(5);
	SAY("\x82\x01x");
	want_int(buf_left(&got), 0);
	wire_pause(wire, false);
	turns(5);
	want_int(buf_left(&got), 1);
	/* gone while nobody reads: noticed, and not by running in circles */
	wire_pause(wire, true);
	turns(5);
	fd_close(&service);
	turns(5);
	want_int(ndowns, 1);
	/* and the next one is dialled when it is asked for */
	want_int(ndials, 1);
	buf_reset(&head);
	wire_dial(wire);
	upgrade("101 X", "", 0);
	want_int(nups, 2);
	wire_fail(wire, FX_EFAIL, "enough");
	want_int(ndowns, 2);
	want_str(ended.err.text, "enough");
	finish();
}

int
main(void)
{
	multi_warm_up();
	test_run("wire: the greeting is upstream's", test_greeting);
	test_run("wire: whoever does not greet", test_not_greeted);
	test_run("wire: what comes, whole and byte by byte", test_frames);
	test_run("wire: what is sent", test_sending);
	test_run("wire: pings, and whoever does not answer", test_liveness);
	test_run("wire: nothing is read while it is paused", test_paused);
	return test_done();
}
