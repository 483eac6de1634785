/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The connector's logic against listeners of ours and a name server of ours,
 * all on loopback and in the same loop.
 */
#include "base.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dial.h"
#include "name_server.h"

#define LONG_US (20 * CLK_SEC) /* a deadline that is not to be met */

/* Time passes by turns of the loop, however long the machine takes for one:
 * what comes in time comes within so many turns. */
#define TURN_US (5 * CLK_MS)
static int64_t now_us = 1000 * CLK_SEC;

static void
turn(struct loop *loop)
{
	loop_turn(loop, CLK_MS);
	now_us += TURN_US;
}

/* ---- listeners ------------------------------------------------------------
 */

/* port 0: any; gives the one it has. */
static int
listen_at(const char *address, unsigned *port, int backlog)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)*port) };
	socklen_t n = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	want_int(inet_pton(AF_INET, address, &sin.sin_addr), 1);
	want_int(bind(fd, (struct sockaddr *)&sin, n), 0);
	if (backlog >= 0)
		want_int(listen(fd, backlog), 0);
	want_int(getsockname(fd, (struct sockaddr *)&sin, &n), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

/* A listener whose queue is full: the kernel drops what comes. */
struct black_hole {
	int fd, filler[4];
};

static void
black_hole_open(struct black_hole *b, const char *address, unsigned *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	b->fd = listen_at(address, port, 0);
	sin.sin_port = htons((uint16_t)*port);
	want_int(inet_pton(AF_INET, address, &sin.sin_addr), 1);
	for (size_t i = 0; i < nitems(b->filler); i++) {
		b->filler[i] = socket(AF_INET,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(b->filler[i], (struct sockaddr *)&sin,
		    sizeof(sin));
	}
}

static void
black_hole_close(struct black_hole *b)
{
	for (size_t i = 0; i < nitems(b->filler); i++)
		fd_close(&b->filler[i]);
	fd_close(&b->fd);
}

/* ---- results --------------------------------------------------------------
 */

struct result {
	struct dial *dial;
	bool done;
	int fd;
	char address[64];
	struct fx_err err;
	int64_t took_us;
	int64_t began_us;
};

static void
on_result(void *arg, int fd, const char *address, const struct fx_err *err)
{
	struct result *r = arg;

	want(!r->done);
	r->done = true;
	r->fd = fd;
	if (fd != -1)
		snprintf(r->address, sizeof(r->address), "%s", address);
	else
		r->err = *err;
	r->took_us = clk_now_us() - r->began_us;
	dial_free(&r->dial);
}

static void
begin(struct result *r, struct loop *loop, const char *host, unsigned port,
    int64_t span_us, const struct name_server *s)
{
	*r = (struct result){ .fd = -1, .began_us = clk_now_us() };
	r->dial = dial_new(loop, host, port, span_us,
	    s == NULL ? NULL : s->servers, on_result, r);
	want(!r->done);
}

static void
await(struct result *r, struct loop *loop)
{
	int64_t end = clk_now_us() + LONG_US;

	while (!r->done && clk_now_us() < end)
		turn(loop);
	want(r->done);
}

static void
dial(struct result *r, struct loop *loop, const char *host, unsigned port,
    int64_t span_us, const struct name_server *s)
{
	begin(r, loop, host, port, span_us, s);
	await(r, loop);
}

/* ---- cases ----------------------------------------------------------------
 */

static int
option(int fd, int level, int name)
{
	int v = -1;
	socklen_t n = sizeof(v);

	want_int(getsockopt(fd, level, name, &v, &n), 0);
	return v;
}

static void
test_connects(void)
{
	struct loop *loop = loop_new();
	unsigned port = 0;
	int listener = listen_at("127.0.0.1", &port, 8), peer;
	struct result r;

	dial(&r, loop, "127.0.0.1", port, LONG_US, NULL);
	want(r.fd != -1);
	want_str(r.address, "127.0.0.1");
	want_int(option(r.fd, IPPROTO_TCP, TCP_NODELAY), 1);
	want_int(option(r.fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	want((fcntl(r.fd, F_GETFL) & O_NONBLOCK) != 0);
	want((fcntl(r.fd, F_GETFD) & FD_CLOEXEC) != 0);
	peer = accept(listener, NULL, NULL);
	want_int(write(peer, "x", 1), 1);
	fd_close(&peer);
	fd_close(&r.fd);
	fd_close(&listener);
	loop_free(&loop);
}

static void
test_connects_ipv6(void)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t n = sizeof(sin6);
	struct loop *loop = loop_new();
	struct result r;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has_ipv6 = fd != -1 &&
	    bind(fd, (struct sockaddr *)&sin6, n) == 0 && listen(fd, 8) == 0 &&
	    getsockname(fd, (struct sockaddr *)&sin6, &n) == 0;

	dial(&r, loop, "::1", has_ipv6 ? ntohs(sin6.sin6_port) : 9, LONG_US,
	    NULL);
	/* a machine without IPv6 says so at once */
	want((r.fd != -1) == has_ipv6);
	want_str(r.address, has_ipv6 ? "::1" : "");
	want_int(r.err.code, has_ipv6 ? FX_OK : FX_EFAIL);
	fd_close(&r.fd);
	fd_close(&fd);
	loop_free(&loop);
}

static void
test_refused(void)
{
	struct loop *loop = loop_new();
	unsigned port = 0;
	int bound = listen_at("127.0.0.1", &port, -1); /* not listening */
	auto_free char *text =
	    xasprintf("connect to 127.0.0.1 port %u: Connection refused", port);
	struct result r;

	dial(&r, loop, "127.0.0.1", port, LONG_US, NULL);
	want_int(r.err.code, FX_EFAIL);
	want_str(r.err.text, text);
	want(r.took_us < CLK_SEC);
	fd_close(&bound);
	loop_free(&loop);
}

static void
test_black_hole(void)
{
	struct loop *loop = loop_new();
	unsigned port = 0;
	struct black_hole b;
	struct result r;
	auto_free char *text = NULL;

	black_hole_open(&b, "127.0.0.1", &port);
	text = xasprintf("connect to 127.0.0.1 port %u: Connection timed out",
	    port);
	dial(&r, loop, "127.0.0.1", port, 300 * CLK_MS, NULL);
	want_int(r.err.code, FX_ETIMEOUT);
	want_str(r.err.text, text);
	want(r.took_us >= 300 * CLK_MS && r.took_us < 800 * CLK_MS);
	black_hole_close(&b);
	loop_free(&loop);
}

static void
test_hosts_file(void)
{
	struct loop *loop = loop_new();
	unsigned port = 0;
	int listener = listen_at("127.0.0.1", &port, 8);
	struct name_server s;
	struct result r;

	name_server_start(&s, loop);
	dial(&r, loop, "localhost", port, LONG_US, &s);
	want(r.fd != -1);
	want_str(r.address, "127.0.0.1");
	want_int(s.asked, 0);
	fd_close(&r.fd);
	fd_close(&listener);
	name_server_stop(&s, loop);
	loop_free(&loop);
}

static void
test_resolves(void)
{
	struct loop *loop = loop_new();
	unsigned port = 0;
	int listener = listen_at("127.0.0.1", &port, 8);
	struct name_server s;
	struct result r;

	name_server_start(&s, loop);
	dial(&r, loop, "good.test", port, LONG_US, &s);
	want(r.fd != -1);
	want_str(r.address, "127.0.0.1");
	want(s.asked > 0);
	fd_close(&r.fd);
	/* an answer too long for a datagram is asked for again */
	dial(&r, loop, "cut.test", port, LONG_US, &s);
	want(r.fd != -1);
	want(s.asked_by_tcp > 0);
	fd_close(&r.fd);
	/* all addresses of a name are refused: the error names the name */
	fd_close(&listener);
	dial(&r, loop, "many.test", port, LONG_US, &s);
	want_int(r.err.code, FX_EFAIL);
	want(strncmp(r.err.text, "connect to many.test port ", 26) == 0);
	name_server_stop(&s, loop);
	loop_free(&loop);
}

static void
test_does_not_resolve(void)
{
	static const struct {
		const char *host;
		int code;
		const char *text;
	} tv[] = {
		{ "other.test", FX_ERESOLVE, "Name or service not known" },
		{ "fails.test", FX_ERESOLVE, NULL },
		{ "silent.test", FX_ETIMEOUT, "no answer in time" },
		{ "garbage.test", FX_ERESOLVE, NULL },
		{ "loop.test", FX_ERESOLVE, NULL },
		/* ignored, or taken for an answer: as c-ares likes it */
		{ "short.test", FX_OK, NULL },
	};
	struct loop *loop = loop_new();
	struct name_server s;
	struct result r;

	name_server_start(&s, loop);
	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *start =
		    xasprintf("Could not resolve hostname %s: %s", tv[i].host,
			tv[i].text == NULL ? "" : tv[i].text);

		dial(&r, loop, tv[i].host, 22, 500 * CLK_MS, &s);
		if (!want(r.err.code == tv[i].code ||
			(tv[i].code == FX_OK && r.err.code != FX_OK)) ||
		    !want(strncmp(r.err.text, start, strlen(start)) == 0))
			printf("# %s: %d %s\n", tv[i].host, r.err.code,
			    r.err.text);
		want(r.took_us < CLK_SEC);
		want(
		    (r.err.code == FX_ETIMEOUT) == (r.took_us >= 500 * CLK_MS));
	}
	name_server_stop(&s, loop);
	loop_free(&loop);
}

/* The first address is a black hole: the second gets its share. */
static void
test_next_address(void)
{
	struct loop *loop = loop_new();
	unsigned port = 0;
	int listener = listen_at("127.0.0.1", &port, 8);
	struct black_hole b;
	struct name_server s;
	struct result r;

	black_hole_open(&b, "127.0.0.2", &port);
	name_server_start(&s, loop);
	dial(&r, loop, "two.test", port, 600 * CLK_MS, &s);
	want(r.fd != -1);
	want_str(r.address, "127.0.0.1");
	want(r.took_us >= 250 * CLK_MS && r.took_us < 600 * CLK_MS);
	fd_close(&r.fd);
	black_hole_close(&b);
	fd_close(&listener);
	name_server_stop(&s, loop);
	loop_free(&loop);
}

/* Silent name servers and hosts hold up nobody but their own askers. */
static void
test_concurrent(void)
{
	enum { SLOW = 63 };
	static struct result slow[SLOW];
	struct loop *loop = loop_new();
	unsigned hole_port = 0, port = 0;
	int listener = listen_at("127.0.0.1", &port, 8);
	struct black_hole b;
	struct name_server s;
	struct result r;

	black_hole_open(&b, "127.0.0.1", &hole_port);
	name_server_start(&s, loop);
	for (size_t i = 0; i < SLOW; i++)
		begin(&slow[i], loop, i % 2 == 0 ? "silent.test" : "127.0.0.1",
		    hole_port, 1500 * CLK_MS, &s);
	dial(&r, loop, "good.test", port, LONG_US, &s);
	want(r.fd != -1);
	want(r.took_us < CLK_SEC);
	for (size_t i = 0; i < SLOW; i++)
		want(!slow[i].done);
	for (size_t i = 0; i < SLOW; i++) {
		await(&slow[i], loop);
		want_int(slow[i].err.code, FX_ETIMEOUT);
		want(slow[i].took_us < 2500 * CLK_MS);
	}
	fd_close(&r.fd);
	black_hole_close(&b);
	fd_close(&listener);
	name_server_stop(&s, loop);
	loop_free(&loop);
}

static size_t
count_fds(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* Given up at every stage: nothing is called back, nothing stays open. */
static void
test_given_up(void)
{
	struct loop *loop = loop_new();
	unsigned port = 0;
	struct black_hole b;
	struct name_server s;
	struct result r;
	size_t before;

	black_hole_open(&b, "127.0.0.1", &port);
	name_server_start(&s, loop);
	before = count_fds();
	for (int turns = 0; turns < 4; turns++) {
		static const char *const hosts[] = { "silent.test", "good.test",
			"127.0.0.1", "localhost" };

		for (size_t i = 0; i < nitems(hosts); i++) {
			begin(&r, loop, hosts[i], port, LONG_US, &s);
			for (int t = 0; t < turns; t++)
				turn(loop);
			dial_free(&r.dial);
			loop_turn(loop, 0);
			want(!r.done);
		}
	}
	want_int(count_fds(), before);
	black_hole_close(&b);
	name_server_stop(&s, loop);
	loop_free(&loop);
}

int
main(void)
{
	clk_fake(&now_us, NULL);
	want_int(resolve_init(), FX_OK);
	test_run("dial: an address is connected to, socket set up",
	    test_connects);
	test_run("dial: an IPv6 address", test_connects_ipv6);
	test_run("dial: a refused connection says so", test_refused);
	test_run("dial: a host that is silent fails at the deadline",
	    test_black_hole);
	test_run("dial: the hosts file comes before DNS", test_hosts_file);
	test_run("dial: a name is resolved and connected to", test_resolves);
	test_run("dial: names that do not resolve, name servers that lie",
	    test_does_not_resolve);
	test_run("dial: a silent address leaves time for the next",
	    test_next_address);
	test_run("dial: slow ones hold up nobody else", test_concurrent);
	test_run("dial: giving up leaves nothing behind", test_given_up);
	return test_done();
}
