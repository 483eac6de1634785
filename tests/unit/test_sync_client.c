/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of the API server with the test as the server, and with a clock
 * that the test sets.
 */
#include "base.h"

#include "client.h"
#include "clock.h"
#include "fd.h"
#include "lane.h"
#include "test.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE 20000 /* turns of a millisecond for what must come */

static int64_t now_us = 1000 * CLK_SEC;
static struct loop *loop;
static struct client *client;
static int server = -1; /* the other end of the newest connection */

struct seen {
	bool done;
	struct fx_err err;
	size_t bytes; /* of the stream */
};

/* Called by libcurl, for a socket that is connected.  The worker's filter says
 * that it worked, too, and does not run it. */
int
connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t n)
{
	(void)fd;
	(void)addr;
	(void)n;
	return 0;
}

static void
on_connect(void *arg, enum client_lane lane)
{
	int pair[2];

	(void)arg;
	fd_close(&server);
	want_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	want_int(fd_set_nonblock(pair[0]), FX_OK);
	server = pair[1];
	client_connected(client, lane, pair[0], "127.0.0.1");
}

static void
on_renew(void *arg)
{
	(void)arg;
}

static void
on_done(void *arg, struct answer *a)
{
	struct seen *s = arg;

	s->done = true;
	s->err = a->err;
}

static int
on_stream(void *arg, const void *p, size_t n)
{
	struct seen *s = arg;

	(void)p;
	s->bytes += n;
	return FX_OK;
}

static void
open_client(void)
{
	static const struct client_hooks hooks = { .connect = on_connect,
		.renew = on_renew };
	const struct kc_url url = { .host = "127.0.0.1", .port = 80 };

	clk_fake(&now_us, NULL);
	loop = loop_new();
	client = client_new(loop, &hooks);
	client_server(client, &url, NULL, false);
	client_login(client, NULL, 0);
}

static void
close_client(void)
{
	client_free(&client);
	loop_free(&loop);
	fd_close(&server);
	clk_fake(NULL, NULL);
}

static void
turn_until(const size_t *bytes, size_t n)
{
	for (int i = 0; i < PATIENCE && *bytes < n; i++)
		loop_turn(loop, CLK_MS);
	want_int(*bytes, n);
}

/* The server's side of one request: it is taken, and this is said. */
static void
serve(const char *text)
{
	char got[4096];
	struct pollfd p = { server, POLLIN, 0 };

	for (int i = 0; i < PATIENCE; i++) {
		loop_turn(loop, CLK_MS);
		p.fd = server;
		if (server != -1 && poll(&p, 1, 0) == 1)
			break;
	}
	want(recv(server, got, sizeof(got), 0) > 0);
	want(send(server, text, strlen(text), MSG_NOSIGNAL) ==
	    (ssize_t)strlen(text));
}

static void
watch(struct seen *s)
{
	struct request *r = request_new("GET", xstrdup("/watch"));

	*s = (struct seen){ 0 };
	r->answer_max = 1024;
	r->timeout_us = 60 * CLK_MIN;
	r->done = on_done;
	r->stream = on_stream;
	r->arg = s;
	client_send(client, LANE_WATCHES, r);
}

static void
pass_us(int64_t us)
{
	now_us += us;
	for (int i = 0; i < 3; i++)
		loop_turn(loop, 0);
}

/* A watch of which nothing has been heard for long is given up; each byte
 * counts, for the one that it came for. */
static void
test_silence(void)
{
	static const char head[] =
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n";
	static const char more[] = "3\r\ntwo\r\n";
	struct seen first, second;
	int of_first;

	open_client();
	watch(&first);
	serve(head);
	turn_until(&first.bytes, 3);
	of_first = dup(server);
	pass_us(SILENCE_US - CLK_SEC);
	want(!first.done);

	/* it says something, just in time; the other one is younger */
	want(send(of_first, more, strlen(more), MSG_NOSIGNAL) > 0);
	turn_until(&first.bytes, 6);
	pass_us(10 * CLK_SEC);
	watch(&second);
	serve(head);
	turn_until(&second.bytes, 3);
	pass_us(SILENCE_US - 11 * CLK_SEC);
	want(!first.done);
	pass_us(2 * CLK_SEC);
	want(first.done);
	want_int(first.err.code, FX_ETIMEOUT);
	want_str(first.err.text, "API server: nothing came for 180 seconds");
	pass_us(8 * CLK_SEC);
	want(!second.done);
	pass_us(2 * CLK_SEC);
	want(second.done);
	want_int(second.err.code, FX_ETIMEOUT);
	fd_close(&of_first);
	close_client();
}

#define TIME_US (10 * CLK_SEC) /* of a request */

static const char busy[] =
    "HTTP/1.1 503 X\r\nContent-Length: 9\r\n\r\nlater, ok";

static void
ask(struct seen *s)
{
	struct request *r = request_new("GET", xstrdup("/x"));

	*s = (struct seen){ 0 };
	r->answer_max = 1024;
	r->timeout_us = TIME_US;
	r->done = on_done;
	r->arg = s;
	client_send(client, LANE_REQUESTS, r);
}

/* Until libcurl, which has a clock of its own, gives the try up. */
static void
wait_done(struct seen *s)
{
	for (int i = 0; i < PATIENCE && !s->done; i++) {
		usleep(1000);
		pass_us(CLK_MS);
	}
	want(s->done);
}

static bool
was_asked(void)
{
	struct pollfd p = { server, POLLIN, 0 };

	return poll(&p, 1, 0) == 1;
}

/* An answer that may be followed by another try is what counts when the time of
 * that try comes too late, or when nothing comes of it. */
static void
test_said(void)
{
	struct seen late, silent;

	open_client();
	ask(&late);
	serve(busy);
	for (int i = 0; i < 100; i++)
		loop_turn(loop, CLK_MS); /* the answer has been read */
	pass_us(TIME_US - CLK_SEC / 2);
	want(late.done);
	want(!was_asked());
	want_str(late.err.text, "later, ok");

	ask(&silent);
	serve(busy);
	for (int i = 0; i < 100; i++)
		loop_turn(loop, CLK_MS);
	pass_us(TIME_US - CLK_SEC - CLK_SEC / 4);
	want(!silent.done);
	wait_done(&silent);
	want(was_asked());
	want_str(silent.err.text, "later, ok");
	close_client();
}

/* A connection breaks, and the next try has but a moment: when that is over,
 * nobody else's connection is given up for it. */
static void
test_short_try(void)
{
	static const char head[] =
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n";
	struct seen stream, brief;
	int of_stream;

	open_client();
	watch(&stream);
	serve(head);
	turn_until(&stream.bytes, 3);
	of_stream = dup(server);
	ask(&brief);
	serve("");
	fd_close(&server);
	for (int i = 0; i < 100; i++)
		loop_turn(loop, CLK_MS);
	pass_us(TIME_US - CLK_SEC / 4);
	want(!brief.done);
	wait_done(&brief);
	want_int(brief.err.code, FX_ETIMEOUT);
	for (int i = 0; i < 100; i++)
		loop_turn(loop, CLK_MS);
	want(!stream.done);
	fd_close(&of_stream);
	close_client();
}

int
main(void)
{
	client_warm_up();
	test_run("client: a silent watch is given up", test_silence);
	test_run("client: what was said is not hidden by a try that is late",
	    test_said);
	test_run("client: a try that was short of time proves nothing",
	    test_short_try);
	return test_done();
}
