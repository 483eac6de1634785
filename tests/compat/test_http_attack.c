/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fluxd-api under attack: each case is one a hostile client would try, and
 * after each the worker is the same process, serves others, and has no more
 * memory or descriptors than before.
 */
#include "base.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api_bed.h"
#include "clock.h"
#include "str.h"
#include "test.h"

#define NOBODY 65534
#define OTHERS 64190 /* a group that nobody has */
#define OWN_UID 64108
#define MAX_CONNECTIONS 256
#define MAX_PER_PEER 64
#define RSS_PER_REQUEST_KIB 8192
#define HEADER_US (10 * CLK_SEC) /* the worker's limit for a whole request */
/* An answer does not wait for that limit of somebody else. */
#define SOON_US (8 * CLK_SEC)

/* Memory that an instrumented worker uses says nothing about ours, and as a
 * user of its own it could not write its counters. */
#ifdef FX_TEST_BUILD
#	define PLAIN_BUILD 0
#else
#	define PLAIN_BUILD 1
#endif

static const char probe[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n"
			    "Connection: close\r\n\r\n";

static struct bed bed;
static long idle_fds; /* of the worker while nobody is connected */

static void
want_alive(void)
{
	int64_t began = clk_now_us();
	auto_free char *r = bed_exchange(bed.port, probe, strlen(probe));

	want(str_starts(r, "HTTP/1.1 200 "));
	want(clk_now_us() - began < SOON_US);
}

static void
want_fds_are(long n)
{
	(void)bed_fds_fall(&bed, n);
	want_int(bed_fds(&bed), n);
}

static void
want_fds(void)
{
	want_fds_are(idle_fds);
}

static void
want_rss_below(long kib)
{
	long now = bed_rss_kib(&bed);

	if (PLAIN_BUILD && !want(now < kib))
		printf("# %ld KiB, limit %ld KiB\n", now, kib);
}

static char *
with_body(const char *method, const char *target, const char *body)
{
	return xasprintf("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
	    method, target, strlen(body), body);
}

static char *
repeat(const char *head, const char *s, size_t n, const char *tail)
{
	struct buf b = BUF_INIT(8u << 20);

	str_add(&b, head);
	for (size_t i = 0; i < n; i++)
		str_add(&b, s);
	str_add(&b, tail);
	return str_take(&b);
}

/* ---- bodies ------------------------------------------------------------- */

static void
test_announced(void)
{
	static const char *const lengths[] = { "1073741824", "1048577",
		"999999999999999999" };

	for (size_t i = 0; i < nitems(lengths); i++) {
		auto_free char *rq = xasprintf("POST /api/flux/v11/notify "
					       "HTTP/1.1\r\nHost: x\r\n"
					       "Content-Length: %s\r\n\r\n{",
		    lengths[i]);
		auto_free char *r = bed_exchange(bed.port, rq, strlen(rq));

		want(str_starts(r, "HTTP/1.1 413 "));
	}
	want_alive();
}

/* A body without an end is cut off where its limit is. */
static void
test_endless(void)
{
	static const char head[] = "POST /api/flux/v11/notify HTTP/1.1\r\n"
				   "Host: x\r\nTransfer-Encoding: chunked\r\n"
				   "\r\n";
	auto_free char *data = repeat("10000\r\n", "x", 65536, "\r\n");
	long before = bed_rss_kib(&bed);
	int fd = bed_connect(bed.port);
	size_t sent = 0;

	want_int(send(fd, head, strlen(head), 0), strlen(head));
	while (sent < (64u << 20)) {
		ssize_t n = send(fd, data, strlen(data), MSG_NOSIGNAL);

		if (n != (ssize_t)strlen(data))
			break;
		sent += (size_t)n;
	}
	/* what the kernel's buffers swallow is not the worker's */
	want(sent < (32u << 20));
	close(fd);
	want_rss_below(before + RSS_PER_REQUEST_KIB);
	want_alive();
}

static void
test_json(void)
{
	const struct {
		const char *head, *s;
		size_t n;
		const char *tail;
	} tv[] = {
		{ "", "[", 1000000, "" },
		{ "", "{\"a\":", 200000, "" },
		{ "{\"type\":\"sync\",\"spec\":{}", ",\"k\":1", 150000, "}" },
		{ "{\"type\":\"sync\",\"spec\":[1", ",{}", 300000, "]}" },
		{ "{\"type\":\"", "\xc3", 1000, "\"}" },
		{ "{\"type\":\"sync", "\\ud800", 1, "\"}" },
		{ "", "9", 1000000, "" },
		{ "{\"type\":\"", "x", 1040000, "\",\"spec\":{}}" },
	};
	long before = bed_rss_kib(&bed);

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *body =
		    repeat(tv[i].head, tv[i].s, tv[i].n, tv[i].tail);
		auto_free char *rq =
		    with_body("POST", "/api/flux/v9/update-manifests", body);
		auto_free char *r = bed_exchange(bed.port, rq, strlen(rq));

		if (!want(str_starts(r, "HTTP/1.1 400 ")))
			printf("# %zu: [%.200s]\n", i, r);
		want_rss_below(before + RSS_PER_REQUEST_KIB);
	}
	want_alive();
}

/* Bodies together have a limit, too; it is given back. */
static void
test_many_bodies(void)
{
	static const char head[] = "POST /api/flux/v11/notify HTTP/1.1\r\n"
				   "Host: x\r\nContent-Length: 1048576\r\n\r\n";
	auto_free char *rq = NULL, *small = NULL;
	int fd[20];
	int refused = 0;

	for (size_t i = 0; i < nitems(fd); i++) {
		struct pollfd p;

		fd[i] = bed_connect(bed.port);
		want_int(send(fd[i], head, strlen(head), 0), strlen(head));
		p = (struct pollfd){ .fd = fd[i], .events = POLLIN };
		if (poll(&p, 1, i < 16 ? 0 : 2000) == 1) {
			auto_free char *r = bed_read_answer(fd[i], false);

			refused += r != NULL && str_starts(r, "HTTP/1.1 503 ");
		}
	}
	rq = with_body("POST", "/api/flux/v11/notify",
	    "{\"Kind\":\"git\",\"Source\":{}}");
	small = bed_exchange(bed.port, rq, strlen(rq));
	want_int(refused, nitems(fd) - 16);
	/* which is nothing to those whose bodies are small */
	want(str_starts(small, "HTTP/1.1 202 "));
	want_alive();
	for (size_t i = 0; i < nitems(fd); i++)
		close(fd[i]);
	want_fds();
	want_alive();
}

/* ---- framing ------------------------------------------------------------ */

static void
test_smuggling(void)
{
#define SMUGGLED "GET /api/flux/v11/version HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST_NOTIFY "POST /api/flux/v11/notify HTTP/1.1\r\n"
	static const char *const tv[] = {
		/* two lengths */
		POST_NOTIFY "Host: x\r\nContent-Length: 6\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		POST_NOTIFY "Host: x\r\nTransfer-Encoding: chunked\r\n"
			    "Content-Length: 6\r\n\r\n0\r\n\r\n",
		POST_NOTIFY "Host: x\r\nContent-Length: 0\r\n"
			    "Content-Length: 4\r\n\r\nnull",
		POST_NOTIFY "Host: x\r\nContent-Length: 4\r\n"
			    "Content-Length: 4\r\n\r\nnull",
		POST_NOTIFY "Host: x\r\nContent-Length: 4,4\r\n\r\nnull",
		POST_NOTIFY "Host: x\r\nContent-Length: +4\r\n\r\nnull",
		POST_NOTIFY "Host: x\r\nContent-Length: -4\r\n\r\nnull",
		POST_NOTIFY "Host: x\r\nContent-Length: 0x4\r\n\r\nnull",
		POST_NOTIFY "Host: x\r\nContent-Length: \r\n\r\n",
		/* codings */
		POST_NOTIFY "Host: x\r\nTransfer-Encoding: identity\r\n\r\n",
		POST_NOTIFY "Host: x\r\nTransfer-Encoding: chunked, "
			    "chunked\r\n\r\n0\r\n\r\n",
		POST_NOTIFY "Host: x\r\nTransfer-Encoding: chunked\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		POST_NOTIFY "Host: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
		POST_NOTIFY "Host: x\r\nTransfer-Encoding : chunked\r\n\r\n"
			    "0\r\n\r\n",
		"POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
		"0\r\n\r\n",
		/* folded lines */
		"GET /x HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: x\r\nA:\r\n\tb\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: x\r\n y\r\n\r\n",
		"GET /x HTTP/1.1\r\n Host: x\r\n\r\n",
		POST_NOTIFY "Host: x\r\nContent-Length: 1\r\n 0\r\n\r\n",
		/* bare line feeds */
		"GET /x HTTP/1.1\nHost: x\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: x\n\r\n",
		"GET /x HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: x\r\nA: b\n\r\n",
		"GET /x HTTP/1.1\r\nHost: x\r\n\n",
		"GET /x HTTP/1.1\nHost: x\n\n",
		/* names and values */
		"GET /x HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: x\r\nA : c\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: x\r\n: c\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: x\r\nA: b\x01\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: x\r\nA: b\rc: d\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
		/* hosts */
		"GET /x HTTP/1.1\r\n\r\n",
		"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		/* targets */
		"GET http://x/api/flux/v11/version HTTP/1.1\r\nHost: x\r\n"
		"\r\n",
		"GET x HTTP/1.1\r\nHost: x\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
		"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /a%zz HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET  /a HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /a  HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /a\tHTTP/1.1\r\nHost: x\r\n\r\n",
		"G(T /a HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /a\r\n\r\n",
		"GET /a HTTP/0.9\r\nHost: x\r\n\r\n",
		"GET /a HTTP/1.1x\r\nHost: x\r\n\r\n",
		"GET /a http/1.1\r\nHost: x\r\n\r\n",
		/* upgrades */
		"GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
		"Upgrade: websocket\r\n\r\n",
		"GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, "
		"HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *rq = xasprintf("%s%s", tv[i], SMUGGLED);
		auto_free char *r = bed_exchange(bed.port, rq, strlen(rq));
		bool refused = str_starts(r, "HTTP/1.1 400 ") ||
		    str_starts(r, "HTTP/1.1 505 ") || *r == '\0';

		/* and what follows is not read as a request */
		if (!want(refused) || !want(strstr(r, " 200 ") == NULL) ||
		    !want(strstr(r, "(timeout)") == NULL))
			printf("# %s\n# -> %s\n", tv[i], r);
	}
	want_alive();
}

/* Zeros end strings in C, and must not end a header early. */
static void
test_zeros(void)
{
#define ZERO(s)                                                                \
	{                                                                      \
		s, sizeof(s) - 1                                               \
	}
	static const struct {
		const char *text;
		size_t n;
	} tv[] = {
		ZERO("GET /x\0y HTTP/1.1\r\nHost: x\r\n\r\n"),
		ZERO("GET /x HTTP/1.1\r\nHost: x\0\r\n\r\n"),
		ZERO("GET /x HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n"),
		ZERO("GET /x HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n"),
		ZERO("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\0001\r\n"
		     "\r\n"),
		ZERO("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
		     "\0\r\n\r\n0\r\n\r\n"),
		ZERO("GET\0 /x HTTP/1.1\r\nHost: x\r\n\r\n"),
		ZERO("GET /x HTTP/1.1\0\r\nHost: x\r\n\r\n"),
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *r = bed_exchange(bed.port, tv[i].text, tv[i].n);

		if (!want(str_starts(r, "HTTP/1.1 400 ") || *r == '\0'))
			printf("# %zu: [%s]\n", i, r);
	}
	want_alive();
}

static void
test_long(void)
{
	static const struct {
		const char *head, *s;
		size_t n;
		const char *tail;
	} tv[] = {
		{ "GET /", "x", 40000, " HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ "GET /x HTTP/1.1\r\nHost: x\r\nA: ", "b", 40000, "\r\n\r\n" },
		{ "GET /x HTTP/1.1\r\nHost: x\r\n", "A: b\r\n", 8000, "\r\n" },
		{ "GET /x?", "a&", 12000, " HTTP/1.1\r\nHost: x\r\n\r\n" },
		{ "GET /x?", "a&", 2000, " HTTP/1.1\r\nHost: x\r\n\r\n" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *rq =
		    repeat(tv[i].head, tv[i].s, tv[i].n, tv[i].tail);
		int64_t began = clk_now_us();
		auto_free char *r = bed_exchange(bed.port, rq, strlen(rq));

		want(clk_now_us() - began < SOON_US);
		/* a library that runs out of its memory just closes */
		if (!want(str_starts(r, "HTTP/1.1 4") || *r == '\0'))
			printf("# %zu: [%.100s]\n", i, r);
	}
	want_alive();
}

/* What no message has room for is the client's mistake, not a busy daemon. */
static void
test_long_names(void)
{
	static const struct {
		const char *head;
		size_t n;
		const char *status;
	} tv[] = {
		{ "/api/flux/v6/jobs?id=", 257, "404" },
		{ "/api/flux/v6/sync?ref=", 1025, "422" },
		{ "/api/flux/v11/services?namespace=", 257, "200" },
		{ "/api/flux/v11/services?services=a:deployment/", 800, "400" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *target = repeat(tv[i].head, "x", tv[i].n, "");
		auto_free char *rq = with_body("GET", target, "");
		auto_free char *r = bed_exchange(bed.port, rq, strlen(rq));
		auto_free char *wanted =
		    xasprintf("HTTP/1.1 %s ", tv[i].status);

		if (!want(str_starts(r, wanted)))
			printf("# %zu: [%.200s]\n", i, r);
	}
}

static void
test_long_source(void)
{
	auto_free char *body =
	    repeat("{\"Kind\":\"git\",\"Source\":{\"URL\":\"", "x", 4097,
		"\",\"Branch\":\"\"}}");
	auto_free char *rq = with_body("POST", "/api/flux/v11/notify", body);
	auto_free char *r = bed_exchange(bed.port, rq, strlen(rq));

	if (!want(str_starts(r, "HTTP/1.1 400 ")))
		printf("# [%.200s]\n", r);
}

/* ---- who and why -------------------------------------------------------- */

static void
test_causes(void)
{
	static const struct {
		const char *member, *s;
		size_t n;
		const char *status;
	} tv[] = {
		{ "User", "Ada <ada@example.org>", 1, "200" },
		{ "Message", "a\\nb\\tc", 1, "200" },
		{ "Message", "x", 4096, "200" },
		{ "Message", "x", 4097, "400" },
		{ "User", "x", 1000000, "400" },
		{ "User", "a\\nb", 1, "400" },
		{ "User", "a\\u0000b", 1, "400" },
		{ "Message", "a\\u0000b", 1, "400" },
		{ "Message", "\\u001b[31m", 1, "400" },
		{ "User", "\\u007f", 1, "400" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *text = repeat("", tv[i].s, tv[i].n, "");
		auto_free char *body = xasprintf("{\"type\":\"sync\",\"cause\""
						 ":{\"%s\":\"%s\"},\"spec\":"
						 "{}}",
		    tv[i].member, text);
		auto_free char *rq =
		    with_body("POST", "/api/flux/v9/update-manifests", body);
		auto_free char *r = bed_exchange(bed.port, rq, strlen(rq));
		auto_free char *wanted =
		    xasprintf("HTTP/1.1 %s ", tv[i].status);

		if (!want(str_starts(r, wanted)))
			printf("# %zu: [%.200s]\n", i, r);
	}
}

/* ---- connections -------------------------------------------------------- */

/* From one of the many addresses of the loopback network. */
static int
connect_from(unsigned host)
{
	const struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x7f000000u + host) };
	const struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)bed.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval five = { .tv_sec = 5 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) == -1 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) == -1)
		perror("connect_from");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &five, sizeof(five));
	return fd;
}

static size_t
count_closed(const int *fd, size_t n)
{
	size_t closed = 0;

	for (size_t i = 0; i < n; i++) {
		char c;

		closed += recv(fd[i], &c, 1, MSG_DONTWAIT) == 0 ||
		    (errno != EAGAIN && errno != EWOULDBLOCK);
	}
	return closed;
}

/* Some say nothing, some half a header, some all of it and no body. */
static void
open_many(int *fd, size_t n, unsigned peers)
{
	static const char half[] = "POST /api/flux/v11/notify HTTP/1.1\r\n"
				   "Host: x\r\nContent-Length: 9\r\n\r\n{";

	for (size_t i = 0; i < n; i++) {
		fd[i] = connect_from(2 + (unsigned)(i % peers));
		if (i % 3 != 0)
			(void)send(fd[i], half, strlen(half) / (i % 3),
			    MSG_NOSIGNAL);
	}
}

static void
close_all(const int *fd, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fd[i]);
}

/* How many are closed, as soon as it is so many. */
static size_t
closed_in_time(const int *fd, size_t n, size_t wanted)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	int64_t end = clk_now_us() + SOON_US;
	size_t closed;

	while ((closed = count_closed(fd, n)) < wanted && clk_now_us() < end)
		(void)nanosleep(&ms, NULL);
	return closed;
}

static void
test_one_peer(void)
{
	int fd[MAX_PER_PEER + 20];

	open_many(fd, nitems(fd), 1);
	want_int(closed_in_time(fd, nitems(fd), 20), 20);
	want_fds_are(idle_fds + MAX_PER_PEER);
	want_alive(); /* another peer */
	close_all(fd, nitems(fd));
	want_fds();
}

static void
test_all_places(void)
{
	static const char kept[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	static int fd[MAX_CONNECTIONS + 64];
	int few = connect_from(99);

	open_many(fd, nitems(fd), 8);
	want(closed_in_time(fd, nitems(fd), 64) >= 64);
	/* one that came before all of them, alone, is still there */
	for (int i = 0; i < 3; i++) {
		auto_free char *r = NULL;

		want_int(send(few, kept, strlen(kept), MSG_NOSIGNAL),
		    strlen(kept));
		r = bed_read_answer(few, false);
		want(r != NULL && str_starts(r, "HTTP/1.1 200 "));
	}
	close(few);
	/* the newcomer gets a place, again and again */
	for (int i = 0; i < 10; i++)
		want_alive();
	want(bed_fds_fall(&bed, idle_fds + MAX_CONNECTIONS));
	close_all(fd, nitems(fd));
	want_fds();
	want_alive();
}

/* One byte now and then is not progress: ten seconds are ten seconds. */
static void
test_trickle(void)
{
	const struct timespec pause = { .tv_nsec = 500000000 };
	int64_t began = clk_now_us();
	int fd = bed_connect(bed.port), idle = bed_connect(bed.port);
	int64_t took;
	char c;

	(void)send(fd, "GET /x HTTP/1.1\r\nA: ", 20, 0);
	while (send(fd, "b", 1, MSG_NOSIGNAL) == 1 &&
	    recv(fd, &c, 1, MSG_DONTWAIT) == -1 &&
	    (errno == EAGAIN || errno == EWOULDBLOCK) &&
	    clk_now_us() - began < 2 * HEADER_US)
		(void)nanosleep(&pause, NULL);
	took = clk_now_us() - began;
	/* were a byte progress, it would be as long as we go on */
	want(took > HEADER_US - CLK_SEC && took < 2 * HEADER_US);
	want_int(bed_recv(idle, &c, 1), 0);
	close(fd);
	close(idle);
	want_alive();
}

/* A client may go at any moment, politely or with a reset. */
static void
leave(const char *rq, size_t n, bool reset)
{
	const struct linger now = { .l_onoff = 1 };
	int fd = bed_connect(bed.port);

	if (n != 0)
		(void)send(fd, rq, n, MSG_NOSIGNAL);
	if (reset)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

static void
test_disconnects(void)
{
	auto_free char *rq = with_body("POST", "/api/flux/v11/notify",
	    "{\"Kind\":\"git\",\"Source\":{\"URL\":\"u\"}}");
	long rss;

	for (size_t i = 0; i <= strlen(rq); i++)
		leave(rq, i, i % 2 == 0);
	want_fds();
	rss = bed_rss_kib(&bed);
	for (size_t round = 0; round < 10; round++)
		for (size_t i = 0; i <= strlen(rq); i++)
			leave(rq, i, i % 2 == round % 2);
	want_fds();
	want_rss_below(rss + 512);
	want_alive();
}

/* The answer is long and nobody reads it; then the reader goes. */
static void
test_unread(void)
{
	static const char rq[] = "GET /api/flux/v6/sync?ref=many HTTP/1.1\r\n"
				 "Host: x\r\n\r\n";

	for (int i = 0; i < 20; i++) {
		int fd = bed_connect(bed.port);
		int small = 1024;

		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small,
		    sizeof(small));
		for (int k = 0; k < 10; k++)
			(void)send(fd, rq, strlen(rq), MSG_NOSIGNAL);
		if (i % 2 == 0)
			want_alive();
		close(fd);
	}
	want_fds();
}

/* ---- the Unix socket ---------------------------------------------------- */

/* What another user gets: 0 nothing, 1 an answer. */
static int
as_user(const struct bed *b, uid_t uid, gid_t gid, gid_t extra)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		auto_free char *r = NULL;

		if (setgroups(extra != 0, &extra) == -1 || setgid(gid) == -1 ||
		    setuid(uid) == -1)
			_exit(2);
		r = bed_talk(bed_connect_unix(b), probe, strlen(probe));
		_exit(str_starts(r, "HTTP/1.1 200 ") ? 1 : *r == '\0' ? 0 : 3);
	}
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_unix(void)
{
	/* group 1 has a name everywhere */
	struct group *g = getgrgid(1);
	const struct bed_options o = { .uid = -1,
		.group = g == NULL ? NULL : g->gr_name };
	struct bed grouped;

	if (geteuid() != 0) {
		printf("# needs root: other users cannot be played\n");
		return;
	}
	want_int(as_user(&bed, 0, 0, 0), 1);
	want_int(as_user(&bed, NOBODY, NOBODY, 0), 0);
	want_int(as_user(&bed, NOBODY, 1, 1), 0);
	bed_start(&grouped, &o);
	want_int(as_user(&grouped, NOBODY, NOBODY, 0), 0);
	want_int(as_user(&grouped, NOBODY, OTHERS, OTHERS), 0);
	want_int(as_user(&grouped, NOBODY, 1, 0), 1);
	want_int(as_user(&grouped, NOBODY, NOBODY, 1), 1);
	want_int(bed_stop(&grouped), 0);
}

int
main(void)
{
	const struct bed_options o = {
		.uid = geteuid() == 0 && PLAIN_BUILD ? OWN_UID : -1
	};

	bed_start(&bed, &o);
	want_alive();
	idle_fds = bed_idle_fds(&bed);
	test_run("attack: a body that is announced too large", test_announced);
	test_run("attack: a body without an end", test_endless);
	test_run("attack: JSON that is deep, wide or no text", test_json);
	test_run("attack: many bodies at once", test_many_bodies);
	test_run("attack: requests that two readers read differently",
	    test_smuggling);
	test_run("attack: zeros in a header", test_zeros);
	test_run("attack: endless lines and lists", test_long);
	test_run("names that no message has room for", test_long_names);
	test_run("a change whose source is too long", test_long_source);
	test_run("attack: users and messages that are more than text",
	    test_causes);
	test_run("attack: one peer with too many connections", test_one_peer);
	test_run("attack: all places taken", test_all_places);
	test_run("attack: a byte now and then", test_trickle);
	test_run("attack: clients that leave at every byte", test_disconnects);
	test_run("attack: answers that nobody reads", test_unread);
	test_run("attack: other users at the Unix socket", test_unix);
	want_int(bed_stop(&bed), 0);
	return test_done();
}
