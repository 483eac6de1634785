/* SPDX-License-Identifier: Apache-2.0 */

/* fluxd-net as a process: locked down, asked as the master asks. */
#include "worker_util.h"

#include <netinet/in.h>

#define PATIENCE_MS 60000 /* a deadline that is not to be met */
#define LIMIT 64	  /* connections being made at once */

struct answer {
	bool done;
	struct fx_err err;
	int fd;
	char address[IPC_MAX_HOST + 1];
};

static int
on_connected(void *arg, struct ipc_frame *f)
{
	struct answer *a = arg;
	struct ipc_connected m;
	int r;

	a->done = true;
	if (ipc_take_failed(f, &a->err) != FX_OK)
		return FX_OK;
	r = ipc_connected_decode(&f->body, &m, &f->fd);
	if (r != FX_OK)
		return r;
	snprintf(a->address, sizeof(a->address), "%s", m.address);
	a->fd = m.fd;
	m.fd = -1;
	ipc_connected_clear(&m);
	return FX_OK;
}

static void
ask(struct worker_under_test *w, const char *host, uint64_t port, uint64_t ms,
    struct answer *a)
{
	const struct ipc_connect m = { .host = (char *)(uintptr_t)host,
		.port = port,
		.timeout_ms = ms };

	*a = (struct answer){ .fd = -1 };
	want(ipc_ask_connect(&w->peer, &m, on_connected, a) != 0);
}

static void
start(struct worker_under_test *w)
{
	char *const settings[] = { NULL };

	worker_start(w, IPC_R_NET, settings, IPC_FILE_COUNT, -1);
}

static int
listen_local(uint64_t *port, int backlog)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	want_int(bind(fd, (struct sockaddr *)&sin, n), 0);
	want_int(listen(fd, backlog), 0);
	want_int(getsockname(fd, (struct sockaddr *)&sin, &n), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

/* By address and by name; what is handed over carries bytes. */
static void
test_hands_over(void)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost" };
	struct worker_under_test w;
	uint64_t port;
	int listener = listen_local(&port, 8);

	start(&w);
	for (size_t i = 0; i < nitems(hosts); i++) {
		struct answer a;
		char c = '\0';
		int peer;

		ask(&w, hosts[i], port, PATIENCE_MS, &a);
		worker_await(&w, &a.done);
		want_str(a.err.text, "");
		/* without a connection accept would wait for ever */
		if (!want(a.fd != -1))
			continue;
		want_str(a.address, "127.0.0.1");
		peer = accept(listener, NULL, NULL);
		want_int(write(a.fd, "x", 1), 1);
		want_int(read(peer, &c, 1), 1);
		want_int(c, 'x');
		fd_close(&peer);
		fd_close(&a.fd);
	}
	worker_stop(&w);
	fd_close(&listener);
}

static void
test_fails(void)
{
	static const struct {
		const char *host;
		uint64_t port;
		int code;
		const char *start;
	} tv[] = {
		{ "", 22, FX_ESYNTAX, "connect: not a host and a port" },
		{ "a b", 22, FX_ESYNTAX, "connect: not a host and a port" },
		{ "a\n", 22, FX_ESYNTAX, "connect: not a host and a port" },
		{ "127.0.0.1", 0, FX_ESYNTAX,
		    "connect: not a host and a port" },
		{ "127.0.0.1", 65536, FX_ESYNTAX,
		    "connect: not a host and a port" },
		/* port 1 of loopback: nobody has a tcpmux today */
		{ "127.0.0.1", 1, FX_EFAIL,
		    "connect to 127.0.0.1 port 1: Connection refused" },
		/* a label cannot be that long: no name server is asked */
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaa.invalid",
		    22, FX_ERESOLVE, "Could not resolve hostname " },
	};
	struct worker_under_test w;

	start(&w);
	for (size_t i = 0; i < nitems(tv); i++) {
		struct answer a;

		ask(&w, tv[i].host, tv[i].port, PATIENCE_MS, &a);
		worker_await(&w, &a.done);
		if (!want_int(a.err.code, tv[i].code) ||
		    !want(strncmp(a.err.text, tv[i].start,
			      strlen(tv[i].start)) == 0))
			printf("# %s: %s\n", tv[i].host, a.err.text);
	}
	worker_stop(&w);
}

/* A listener whose queue is full: dialling it takes for ever. */
struct hole {
	int fd;
	uint64_t port;
	struct answer filler[4];
};

static void
hole_open(struct hole *h, struct worker_under_test *w)
{
	h->fd = listen_local(&h->port, 0);
	for (size_t i = 0; i < nitems(h->filler); i++)
		ask(w, "127.0.0.1", h->port, 100, &h->filler[i]);
	for (size_t i = 0; i < nitems(h->filler); i++)
		worker_await(w, &h->filler[i].done);
}

static void
hole_close(struct hole *h)
{
	for (size_t i = 0; i < nitems(h->filler); i++)
		fd_close(&h->filler[i].fd);
	fd_close(&h->fd);
}

static void
is_connected(struct worker_under_test *w, const char *host, uint64_t port)
{
	struct answer a;

	ask(w, host, port, PATIENCE_MS, &a);
	worker_await(w, &a.done);
	want(a.fd != -1);
	fd_close(&a.fd);
}

/* 64 at once and no more; and a slow one does not hold up a quick one. */
static void
test_limit(void)
{
	static struct answer slow[LIMIT];
	struct worker_under_test w;
	struct hole hole;
	uint64_t port;
	int listener = listen_local(&port, 8);
	struct answer a;

	start(&w);
	hole_open(&hole, &w);
	for (size_t i = 0; i < LIMIT - 1; i++)
		ask(&w, "127.0.0.1", hole.port, PATIENCE_MS, &slow[i]);
	is_connected(&w, "localhost", port);
	ask(&w, "127.0.0.1", hole.port, PATIENCE_MS, &slow[LIMIT - 1]);
	ask(&w, "127.0.0.1", port, PATIENCE_MS, &a);
	worker_await(&w, &a.done);
	want_int(a.err.code, FX_ELIMIT);
	for (size_t i = 0; i < LIMIT; i++)
		want(!slow[i].done);
	worker_stop(&w);
	hole_close(&hole);
	fd_close(&listener);
}

/* Each place is free again at its deadline.  One has more time than there is.
 */
static void
test_deadline(void)
{
	static struct answer slow[LIMIT - 1], patient;
	struct worker_under_test w;
	struct hole hole;
	uint64_t port;
	int listener = listen_local(&port, 8);

	start(&w);
	hole_open(&hole, &w);
	ask(&w, "127.0.0.1", hole.port, UINT64_MAX, &patient);
	for (size_t i = 0; i < LIMIT - 1; i++)
		ask(&w, "127.0.0.1", hole.port, 300, &slow[i]);
	for (size_t i = 0; i < LIMIT - 1; i++) {
		worker_await(&w, &slow[i].done);
		want_int(slow[i].err.code, FX_ETIMEOUT);
	}
	want(!patient.done);
	is_connected(&w, "127.0.0.1", port);
	worker_stop(&w);
	hole_close(&hole);
	fd_close(&listener);
}

int
main(void)
{
	test_run("fluxd-net: a connected socket is handed over",
	    test_hands_over);
	test_run("fluxd-net: failures have codes and texts", test_fails);
	test_run("fluxd-net: 64 at once, none held up by another", test_limit);
	test_run("fluxd-net: each ends at its deadline", test_deadline);
	return test_done();
}
