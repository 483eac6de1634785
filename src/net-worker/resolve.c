/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "resolve.h"

#include <ares.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/time.h>

#include "fd.h"

#define SOCKETS_MAX 16 /* UDP and TCP to a few name servers */

struct lookup {
	struct loop *loop;
	struct loop_timer timer; /* c-ares's time-outs, then the report */
	struct {
		int fd;
		struct loop_source *source; /* NULL: free slot */
	} sockets[SOCKETS_MAX];
	ares_channel channel; /* owned; NULL if it did not start */
	unsigned port;
	bool done;
	union address found[RESOLVE_MAX];
	size_t nfound;
	struct fx_err err;
	char *host; /* owned */
	lookup_fn *fn;
	void *arg;
};

int
resolve_init(void)
{
	uint8_t random;

	/* glibc from 2.41 on sets up its generator at first use, with calls
	 * that are not allowed later */
	if (getrandom(&random, sizeof(random), 0) != sizeof(random) ||
	    ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return FX_EFAIL;
	return FX_OK;
}

void
resolve_file_look(struct resolve_file *f)
{
	auto_fd int fd = open(f->path, O_RDONLY | O_CLOEXEC);

	f->denied = fd == -1 && errno == EACCES;
}

bool
resolve_file_replaced(const struct resolve_file *before)
{
	struct resolve_file now = *before;

	resolve_file_look(&now);
	return now.denied && !before->denied;
}

/* Come back when c-ares wants to be called, or at once with the result. */
static void
arm(struct lookup *l)
{
	struct timeval tv;

	if (l->done)
		loop_timer_in(l->loop, &l->timer, 0);
	else if (ares_timeout(l->channel, NULL, &tv) != NULL)
		loop_timer_in(l->loop, &l->timer,
		    tv.tv_sec * CLK_SEC + tv.tv_usec);
}

static void
fail(struct lookup *l, int status)
{
	bool unknown = status == ARES_ENOTFOUND || status == ARES_ENODATA;

	/* the spelling of ssh: people and programs look for it */
	(void)fx_fail(&l->err, FX_ERESOLVE, "Could not resolve hostname %s: %s",
	    l->host,
	    unknown ? "Name or service not known" : ares_strerror(status));
	l->done = true;
}

static void
on_socket(struct loop *loop, int fd, short revents, void *arg)
{
	struct lookup *l = arg;
	bool in = (revents & (POLLIN | POLLERR | POLLHUP)) != 0;

	(void)loop;
	ares_process_fd(l->channel, in ? fd : ARES_SOCKET_BAD,
	    (revents & POLLOUT) != 0 ? fd : ARES_SOCKET_BAD);
	arm(l);
}

static void
on_timer(struct loop *loop, void *arg)
{
	struct lookup *l = arg;

	(void)loop;
	if (l->done) {
		l->fn(l->arg, l->found, l->nfound, &l->err);
		return; /* l may be gone */
	}
	ares_process_fd(l->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm(l);
}

/* c-ares opened a socket, wants something else of it, or closes it. */
static void
on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct lookup *l = arg;
	short events =
	    (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
	size_t at = SOCKETS_MAX;

	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		bool used = l->sockets[i].source != NULL;

		if (used && l->sockets[i].fd == fd) {
			at = i;
			break;
		}
		if (!used && at == SOCKETS_MAX)
			at = i;
	}
	if (at == SOCKETS_MAX)
		return; /* not watched: that server will time out */
	if (l->sockets[at].source != NULL && events == 0) {
		loop_del(l->loop, &l->sockets[at].source);
	} else if (l->sockets[at].source != NULL) {
		loop_events(l->sockets[at].source, events);
	} else if (events != 0) {
		l->sockets[at].fd = fd;
		l->sockets[at].source =
		    loop_add(l->loop, fd, events, on_socket, l);
	}
}

static void
on_found(void *arg, int status, int timeouts, struct ares_addrinfo *result)
{
	struct lookup *l = arg;
	const struct ares_addrinfo_node *n;

	(void)timeouts;
	for (n = result == NULL ? NULL : result->nodes;
	     n != NULL && l->nfound < RESOLVE_MAX; n = n->ai_next) {
		union address *a = &l->found[l->nfound];

		if (n->ai_family == AF_INET &&
		    (size_t)n->ai_addrlen >= sizeof(a->in)) {
			memcpy(&a->in, n->ai_addr, sizeof(a->in));
			a->in.sin_port = htons((uint16_t)l->port);
			l->nfound++;
		} else if (n->ai_family == AF_INET6 &&
		    (size_t)n->ai_addrlen >= sizeof(a->in6)) {
			memcpy(&a->in6, n->ai_addr, sizeof(a->in6));
			a->in6.sin6_port = htons((uint16_t)l->port);
			l->nfound++;
		}
	}
	if (result != NULL)
		ares_freeaddrinfo(result);
	if (l->nfound == 0)
		fail(l, status == ARES_SUCCESS ? ARES_ENODATA : status);
	l->done = true;
}

struct lookup *
lookup_new(struct loop *loop, const char *host, unsigned port,
    const char *servers, lookup_fn *fn, void *arg)
{
	const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};
	char order[] = "fb"; /* the hosts file, then DNS */
	struct lookup *l = xcalloc(1, sizeof(*l));
	struct ares_options options = {
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = l,
		.lookups = order,
	};
	int status;

	l->loop = loop;
	l->timer = (struct loop_timer){ .fn = on_timer, .arg = l };
	l->host = xstrdup(host);
	l->port = port;
	l->fn = fn;
	l->arg = arg;
	status = ares_init_options(&l->channel, &options,
	    ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS);
	if (status != ARES_SUCCESS)
		l->channel = NULL;
	else if (servers != NULL)
		status = ares_set_servers_ports_csv(l->channel, servers);
	if (status != ARES_SUCCESS)
		fail(l, status);
	else
		ares_getaddrinfo(l->channel, host, NULL, &hints, on_found, l);
	arm(l);
	return l;
}

void
lookup_free(struct lookup **lp)
{
	struct lookup *l = *lp;

	if (l == NULL)
		return;
	/* closes its sockets and calls on_found, if that is still to come */
	if (l->channel != NULL)
		ares_destroy(l->channel);
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		loop_del(l->loop, &l->sockets[i].source);
	loop_timer_stop(l->loop, &l->timer);
	free(l->host);
	free(l);
	*lp = NULL;
}
