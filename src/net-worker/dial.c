/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "fd.h"
#include "resolve.h"

struct dial {
	struct loop *loop;
	struct loop_timer timer; /* of this step */
	int64_t deadline_us;	 /* of all */
	struct lookup *lookup;	 /* owned; while the name is resolved */
	union address address[RESOLVE_MAX];
	size_t naddresses, next; /* next: the one to try after this */
	int fd;			 /* owned; -1: none is being connected */
	struct loop_source *source;
	struct fx_err err; /* of the address tried last */
	char *host;	   /* owned */
	unsigned port;
	dial_fn *fn;
	void *arg;
};

/* For a connection that may be idle for minutes: a peer that is gone is found
 * out within a minute.  Nagle's delay would cost 40 ms a request. */
static const struct {
	int level, name, value;
} options[] = {
	{ IPPROTO_TCP, TCP_NODELAY, 1 },
	{ SOL_SOCKET, SO_KEEPALIVE, 1 },
	{ IPPROTO_TCP, TCP_KEEPIDLE, 30 },
	{ IPPROTO_TCP, TCP_KEEPINTVL, 10 },
	{ IPPROTO_TCP, TCP_KEEPCNT, 3 },
};

static void
drop_socket(struct dial *d)
{
	loop_del(d->loop, &d->source);
	fd_close(&d->fd);
}

static void
finish(struct dial *d)
{
	loop_timer_stop(d->loop, &d->timer);
	drop_socket(d);
	d->fn(d->arg, -1, NULL, &d->err); /* d may be gone */
}

static void
failed(struct dial *d, int error)
{
	drop_socket(d);
	(void)fx_fail(&d->err, error == ETIMEDOUT ? FX_ETIMEOUT : FX_EFAIL,
	    "connect to %s port %u: %s", d->host, d->port, strerror(error));
}

static void
succeed(struct dial *d)
{
	const union address *a = &d->address[d->next - 1];
	char text[INET6_ADDRSTRLEN];
	const void *digits = a->sa.sa_family == AF_INET
	    ? (const void *)&a->in.sin_addr
	    : (const void *)&a->in6.sin6_addr;
	int fd = d->fd;

	loop_timer_stop(d->loop, &d->timer);
	loop_del(d->loop, &d->source);
	d->fd = -1;
	if (inet_ntop(a->sa.sa_family, digits, text, sizeof(text)) == NULL)
		fx_bug("an address that has no text");
	d->fn(d->arg, fd, text, NULL); /* d may be gone */
}

/* 0: connected; EINPROGRESS: wait for it; else what is wrong. */
static int
start_connect(struct dial *d, const union address *a)
{
	socklen_t n =
	    a->sa.sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6);

	d->fd = socket(a->sa.sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (d->fd == -1)
		return errno;
	for (size_t i = 0; i < nitems(options); i++)
		if (setsockopt(d->fd, options[i].level, options[i].name,
			&options[i].value, sizeof(options[i].value)) == -1)
			return errno;
	return connect(d->fd, &a->sa, n) == 0 ? 0 : errno;
}

static void try_next(struct dial *);

static void
on_connected(struct loop *loop, int fd, short revents, void *arg)
{
	struct dial *d = arg;
	int error = 0;
	socklen_t n = sizeof(error);

	(void)loop;
	(void)revents;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) == -1)
		error = errno;
	if (error == 0) {
		succeed(d);
		return;
	}
	failed(d, error);
	try_next(d);
}

static void
try_next(struct dial *d)
{
	int64_t now = clk_now_us(), left = d->deadline_us - now;
	int r = 0;

	while (d->next < d->naddresses) {
		r = start_connect(d, &d->address[d->next++]);
		if (r == 0 || r == EINPROGRESS)
			break;
		failed(d, r);
	}
	if (d->fd == -1) {
		finish(d);
	} else if (r == 0) {
		succeed(d);
	} else {
		d->source = loop_add(d->loop, d->fd, POLLOUT, on_connected, d);
		loop_timer_at(d->loop, &d->timer,
		    now + left / (int64_t)(d->naddresses - d->next + 1));
	}
}

static void
on_timer(struct loop *loop, void *arg)
{
	struct dial *d = arg;

	(void)loop;
	if (d->lookup != NULL) {
		(void)fx_fail(&d->err, FX_ETIMEOUT,
		    "Could not resolve hostname %s: no answer in time",
		    d->host);
		finish(d);
		return;
	}
	if (d->fd != -1)
		failed(d, ETIMEDOUT);
	try_next(d);
}

static void
on_found(void *arg, const union address *a, size_t n, const struct fx_err *err)
{
	struct dial *d = arg;

	memcpy(d->address, a, n * sizeof(*a));
	d->naddresses = n;
	d->err = *err;
	lookup_free(&d->lookup);
	loop_timer_stop(d->loop, &d->timer);
	try_next(d);
}

/* Digits are taken as they are. */
static bool
is_numeric(const char *host, unsigned port, union address *a)
{
	*a = (union address){ 0 };
	if (inet_pton(AF_INET, host, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons((uint16_t)port);
		return true;
	}
	if (inet_pton(AF_INET6, host, &a->in6.sin6_addr) == 1) {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons((uint16_t)port);
		return true;
	}
	return false;
}

struct dial *
dial_new(struct loop *loop, const char *host, unsigned port, int64_t span_us,
    const char *servers, dial_fn *fn, void *arg)
{
	struct dial *d = xcalloc(1, sizeof(*d));

	d->loop = loop;
	d->timer = (struct loop_timer){ .fn = on_timer, .arg = d };
	d->deadline_us = clk_now_us() + span_us;
	d->fd = -1;
	d->host = xstrdup(host);
	d->port = port;
	d->fn = fn;
	d->arg = arg;
	if (is_numeric(host, port, &d->address[0])) {
		d->naddresses = 1;
		loop_timer_in(loop, &d->timer, 0);
	} else {
		d->lookup = lookup_new(loop, host, port, servers, on_found, d);
		loop_timer_at(loop, &d->timer, d->deadline_us);
	}
	return d;
}

void
dial_free(struct dial **dp)
{
	struct dial *d = *dp;

	if (d == NULL)
		return;
	lookup_free(&d->lookup);
	loop_timer_stop(d->loop, &d->timer);
	drop_socket(d);
	free(d->host);
	free(d);
	*dp = NULL;
}
