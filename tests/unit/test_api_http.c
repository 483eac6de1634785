/* SPDX-License-Identifier: Apache-2.0 */

/* The server under a clock of the test's: every phase of an exchange ends. */
#include "base.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "conn.h"
#include "http.h"
#include "str.h"
#include "test.h"

static int64_t now_us = CLK_SEC;
static struct loop *loop;
static struct http *http;
static struct sockaddr_un address;

static struct http_request *waiting; /* has no answer yet */
static int abandoned;
static unsigned last_status;
static int64_t last_took_us;

/* A long answer: as many pieces of this as the test lets there be. */
#define PIECE 65536
static size_t pieces;
static int begged; /* how often more was asked for */

static void
more(struct http_request *r)
{
	static char piece[PIECE];

	begged++;
	if (pieces == 0)
		return;
	pieces--;
	memset(piece, 'a', sizeof(piece));
	str_addn(&r->answer.body, piece, sizeof(piece));
}

static void
serve(struct http_request *r)
{
	if (r->route.id == ROUTE_Version) {
		str_add(answer_json(&r->answer), "\"here\"");
		return;
	}
	waiting = r;
	if (r->route.id != ROUTE_Export)
		return;
	r->more = more;
	r->work = &pieces;
	str_addc(answer_json(&r->answer), '"');
	r->answer.rest = REST_MORE;
}

static void
abandon(struct http_request *r)
{
	want(r == waiting);
	waiting = NULL;
	r->work = NULL;
	abandoned++;
}

static void
answered(const struct http_request *r, unsigned status, int64_t took_us)
{
	(void)r;
	last_status = status;
	last_took_us = took_us;
}

static int
listen_here(void)
{
	socklen_t n = sizeof(address);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	address.sun_family = AF_UNIX;
	/* no name: the kernel finds one that is free */
	want_int(bind(fd, (struct sockaddr *)&address,
		     sizeof(address.sun_family)),
	    0);
	want_int(listen(fd, 4), 0);
	want_int(getsockname(fd, (struct sockaddr *)&address, &n), 0);
	return fd;
}

static void
turns(void)
{
	for (int i = 0; i < 8; i++)
		loop_turn(loop, 0);
}

static void
pass(int64_t us)
{
	now_us += us;
	turns();
}

static int
connected(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	/* an automatic name has five digits after its zero */
	want_int(connect(fd, (const struct sockaddr *)&address,
		     offsetof(struct sockaddr_un, sun_path) + 6),
	    0);
	return fd;
}

static int
client(const char *text)
{
	int fd = connected();

	want_int(send(fd, text, strlen(text), 0), strlen(text));
	turns();
	return fd;
}

/* What there is to read now; "(end)" behind it when the server has closed. */
static char *
received(int fd)
{
	struct buf b = BUF_INIT(65536);
	char chunk[4096];
	ssize_t n;

	while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		str_addn(&b, chunk, (size_t)n);
	if (n == 0)
		str_add(&b, "(end)");
	return str_take(&b);
}

#define ASK_JOB "GET /api/flux/v6/jobs?id=x HTTP/1.1\r\nHost: x\r\n\r\n"
#define ASK_VERSION "GET /api/flux/v11/version HTTP/1.1\r\nHost: x\r\n\r\n"

static void
test_later(void)
{
	int fd = client(ASK_JOB);
	auto_free char *early = received(fd), *text = NULL;

	want_str(early, "");
	if (!want(waiting != NULL))
		return;
	pass(5 * CLK_SEC);
	answer_empty(&waiting->answer, 202);
	http_answered(waiting);
	turns();
	text = received(fd);
	want(str_starts(text, "HTTP/1.1 202 "));
	want_int(last_took_us, 5 * CLK_SEC);
	want_int(abandoned, 0);
	close(fd);
	turns();
	want_int(http_connections(http), 0);
}

static void
test_never(void)
{
	int fd = client(ASK_JOB);
	auto_free char *text = NULL;

	pass(HTTP_ANSWER_US - 1);
	want_int(abandoned, 0);
	pass(2);
	want_int(abandoned, 1);
	want_int(last_status, 504);
	text = received(fd);
	want(str_starts(text, "HTTP/1.1 504 "));
	want(str_ends(text, "the daemon did not answer in time"));
	close(fd);
	turns();
	want_int(http_connections(http), 0);
}

static void
test_deadlines(void)
{
	static const struct {
		const char *text;
		int64_t us;
	} tv[] = {
		{ "G", HTTP_HEAD_US },
		{ "GET / HTTP/1.1\r\nHost: x\r\n", HTTP_HEAD_US },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nx",
		    HTTP_BODY_US },
		{ "POST / HTTP/1.1\r\nHost: x\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n5\r\nxx",
		    HTTP_BODY_US },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		int fd = client(tv[i].text);
		auto_free char *before = NULL, *after = NULL;

		pass(tv[i].us - 1);
		before = received(fd);
		want_str(before, "");
		pass(2);
		after = received(fd);
		want_str(after, "(end)");
		want_int(http_connections(http), 0);
		close(fd);
	}
}

/* The time for a header begins anew with each answer. */
static void
test_kept(void)
{
	int fd = client("");

	for (int i = 0; i < 5; i++) {
		auto_free char *text = NULL;

		pass(HTTP_HEAD_US - 1);
		want_int(send(fd, ASK_VERSION, strlen(ASK_VERSION), 0),
		    strlen(ASK_VERSION));
		turns();
		text = received(fd);
		want(str_ends(text, "\r\n\r\n\"here\""));
	}
	pass(HTTP_HEAD_US + 1);
	want_int(http_connections(http), 0);
	close(fd);
}

/* A client may say that it will send no more, and still wants its answer. */
static void
test_half(void)
{
	int fd = client("");
	auto_free char *text = NULL;

	want_int(send(fd, ASK_VERSION, strlen(ASK_VERSION), 0),
	    strlen(ASK_VERSION));
	want_int(shutdown(fd, SHUT_WR), 0);
	turns();
	text = received(fd);
	want(str_starts(text, "HTTP/1.1 200 "));
	pass(HTTP_HANGUP_US + 1);
	want_int(http_connections(http), 0);
	close(fd);
}

/* What was received; the bytes are counted, not kept. */
static size_t
drain(int fd, bool *ended)
{
	static char chunk[65536];
	size_t all = 0;
	ssize_t n;

	while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		all += (size_t)n;
	*ended = n == 0;
	return all;
}

#define ASK_EXPORT "GET /api/flux/v6/export HTTP/1.1\r\nHost: x\r\n\r\n"

static void
test_long(void)
{
	int fd = client(ASK_EXPORT), asked;
	auto_free char *head = received(fd), *tail = NULL;
	size_t got = 0;
	bool ended = false;

	abandoned = 0;
	last_took_us = 0;

	want(strstr(head, "Transfer-Encoding: chunked\r\n") != NULL);
	want(str_ends(head, "\r\n1\r\n\"\r\n"));
	/* nobody asks again before there is something */
	asked = begged;
	pass(CLK_SEC);
	want_int(begged, asked);
	pieces = 2;
	http_answered(waiting);
	for (int i = 0; i < 16 && got < 2 * PIECE; i++) {
		turns();
		got += drain(fd, &ended);
	}
	want(got > 2 * PIECE && !ended);
	want_int(pieces, 0);
	want_int(last_took_us, 0);
	str_addc(&waiting->answer.body, '"');
	waiting->answer.rest = REST_NONE;
	waiting->work = NULL;
	http_answered(waiting);
	for (int i = 0; i < 4; i++)
		turns();
	tail = received(fd);
	want(str_ends(tail, "\"\r\n0\r\n\r\n"));
	want_int(last_status, 200);
	want_int(last_took_us, CLK_SEC);
	want_int(abandoned, 0);
	close(fd);
	turns();
	want_int(http_connections(http), 0);
}

/* An export that ends as soon as it is asked for. */
static char *export(int fd)
{
	want_int(send(fd, ASK_EXPORT, strlen(ASK_EXPORT), 0),
	    strlen(ASK_EXPORT));
	turns();
	waiting->answer.rest = REST_NONE;
	waiting->work = NULL;
	http_answered(waiting);
	turns();
	return received(fd);
}

/* Who took a long answer does not keep his connection in a crowd. */
static void
test_crowd(void)
{
	int others[HTTP_CROWD], fd = connected();
	auto_free char *kept = NULL, *last = NULL;

	for (size_t i = 0; i < HTTP_CROWD - 1; i++)
		others[i] = client("GET / HT");
	kept = export(fd);
	want_int(http_connections(http), HTTP_CROWD);
	want(str_ends(kept, "\r\n0\r\n\r\n"));
	others[HTTP_CROWD - 1] = client("GET / HT");
	last = export(fd);
	want(strstr(last, "\r\nConnection: close\r\n") != NULL);
	want(str_ends(last, "\r\n0\r\n\r\n(end)"));
	want_int(http_connections(http), HTTP_CROWD);
	close(fd);
	for (size_t i = 0; i < nitems(others); i++)
		close(others[i]);
	turns();
	want_int(http_connections(http), 0);
}

/* Everything that can end one before its end is not an end. */
static void
test_cut(void)
{
	for (int how = 0; how < 4; how++) {
		int fd = client(ASK_EXPORT);
		auto_free char *text = NULL;

		abandoned = 0;
		last_status = 0;
		if (how == 0) {
			waiting->answer.rest = REST_LOST;
			http_answered(waiting);
		} else if (how == 1) {
			http_cut(waiting);
		} else if (how == 2) {
			pass(HTTP_SEND_US - 1);
			want_int(abandoned, 0);
			pass(2);
		} else {
			want_int(shutdown(fd, SHUT_WR), 0);
		}
		turns();
		text = received(fd);
		want(str_ends(text, "\"\r\n(end)"));
		want_int(abandoned, 1);
		/* and is not counted as one */
		want_int(last_status,
		    how == 0 ? HTTP_STATUS_LOST : HTTP_STATUS_LEFT);
		want_int(http_connections(http), 0);
		close(fd);
	}
	abandoned = 0;
}

/* A long answer may take long, if the client takes it. */
static void
test_steps(void)
{
	int fd = client(ASK_EXPORT);
	bool ended = false;

	abandoned = 0;
	for (int i = 0; i < 3; i++) {
		pass(HTTP_SEND_US - 1);
		pieces = HTTP_SEND_STEP / PIECE;
		http_answered(waiting);
		for (int k = 0; k < 64 && pieces != 0; k++) {
			turns();
			(void)drain(fd, &ended);
		}
		turns();
		(void)drain(fd, &ended);
		want(!ended);
	}
	/* a byte now and then is not taking it */
	pass(HTTP_SEND_US - 1);
	pieces = 1;
	http_answered(waiting);
	turns();
	(void)drain(fd, &ended);
	pass(2);
	(void)drain(fd, &ended);
	want(ended);
	want_int(abandoned, 1);
	abandoned = 0;
	close(fd);
}

/*
 * The library is told of a change of a socket once, by epoll.  In whatever
 * order bytes come in, their end, turns of the loop and the drop: it sees that
 * the connection was shut, and gives the place back at once.
 */
static void
test_dropped(void)
{
#define STEPS 5
#define WAYS (4 * 4 * 4 * 4 * 4)
	static const char *const texts[] = { ASK_VERSION ASK_JOB, ASK_JOB,
		ASK_EXPORT, "POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\nx" };

	for (unsigned i = 0; i < nitems(texts) * WAYS; i++) {
		const char *text = texts[i / WAYS];
		size_t piece = strlen(text) / 2 + 1;
		int fd = connected();

		for (unsigned k = 0, way = i % WAYS; k < STEPS; k++, way /= 4) {
			size_t n = strlen(text) < piece ? strlen(text) : piece;

			if (way % 4 == 0)
				n = send(fd, text, n, MSG_NOSIGNAL) == -1 ? 0
									  : n;
			else if (way % 4 == 1)
				(void)shutdown(fd, SHUT_WR);
			else if (way % 4 == 2)
				loop_turn(loop, 0);
			else if (http->conns != NULL)
				conn_drop(http->conns);
			if (way % 4 == 0)
				text += n;
		}
		turns();
		if (http->conns != NULL)
			conn_drop(http->conns);
		turns();
		if (!want_int(http_connections(http), 0))
			printf("# way %u\n", i);
		close(fd);
	}
	abandoned = 0;
#undef STEPS
#undef WAYS
}

static void
test_end(void)
{
	int asleep = client(ASK_JOB), half = client("GET / HT");
	bool ended;

	abandoned = 0;
	want_int(http_connections(http), 2);
	http_free(&http);
	want_int(abandoned, 1);
	(void)drain(half, &ended);
	want(ended);
	want(http == NULL);
	close(asleep);
	close(half);
}

int
main(void)
{
	const struct http_hooks hooks = { NULL, serve, abandon, answered };
	struct fx_err err = { 0 };
	int fd = listen_here();

	clk_fake(&now_us, NULL);
	loop = loop_new();
	if (!want_int(http_new(&http, loop, &hooks, &err), FX_OK))
		return 1;
	http_listen(http, fd, SCOPE_ALL, NULL);
	test_run("http: an answer that comes later", test_later);
	test_run("http: an answer that never comes", test_never);
	test_run("http: what a client sends has a deadline", test_deadlines);
	test_run("http: a connection is kept while it is used", test_kept);
	test_run("http: half a connection gets its answer", test_half);
	test_run("http: an answer that is made while it is sent", test_long);
	test_run("http: such an answer in a crowd", test_crowd);
	test_run("http: such an answer that is cut", test_cut);
	test_run("http: such an answer that takes long", test_steps);
	test_run("http: who is dropped is gone", test_dropped);
	test_run("http: the end, with clients still there", test_end);
	loop_free(&loop);
	close(fd);
	return test_done();
}
