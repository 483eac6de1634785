/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "multi.h"

#include "ossl.h"
#include "tls.h"

#include <poll.h>

/*
 * For each event libcurl (up to 8.12 at least) looks at every transfer of the
 * connection, with a poll of its own.  So where many are on their way, what
 * comes is gathered for a moment: far shorter than any of them takes.
 */
#define GATHER_FROM 16 /* transfers */
#define GATHER_US (4 * CLK_MS)

static void *
resize(void *p, size_t n)
{
	return xreallocarray(p, 1, n);
}

void
multi_warm_up(void)
{
	ossl_memory();
	/* without memory libcurl may forget a transfer without a word, so it
	 * ends the process, as everywhere: the next one begins at once */
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, xmalloc, free, resize,
		xstrdup, xcalloc) != 0)
		fx_bug("libcurl does not start");
	tls_warm_up();
}

/* Where libcurl cannot go on it would leave transfers that nothing wakes. */
static void
act(struct multi *m, curl_socket_t fd, int events)
{
	int running;
	CURLMcode r = curl_multi_socket_action(m->curl, fd, events, &running);

	if (r != CURLM_OK)
		fx_bug("libcurl: %s", curl_multi_strerror(r));
	m->reap(m->arg);
}

/* One of libcurl's sockets. */
struct multi_socket {
	struct multi *multi;
	struct loop_source *source;
	int fd;
	short events;		  /* that libcurl wants */
	int64_t read_us;	  /* when it was read last */
	struct loop_timer gather; /* when it is read again */
};

/* What comes within the time stays in the kernel until it is over. */
static void
gather(struct multi_socket *s)
{
	loop_events(s->source, s->events & ~POLLIN);
	loop_timer_at(s->multi->loop, &s->gather, s->read_us + GATHER_US);
}

static void
on_gathered(struct loop *loop, void *arg)
{
	struct multi_socket *s = arg;

	s->read_us = loop_now_us(loop);
	loop_events(s->source, s->events);
	act(s->multi, s->fd, CURL_CSELECT_IN);
}

static void
on_socket(struct loop *loop, int fd, short revents, void *arg)
{
	struct multi_socket *s = arg;
	const unsigned *busy = s->multi->busy;
	int ev = 0;

	if (revents == POLLIN && busy != NULL && *busy >= GATHER_FROM &&
	    loop_now_us(loop) - s->read_us < GATHER_US) {
		gather(s);
		return;
	}
	if (revents & POLLIN) {
		ev |= CURL_CSELECT_IN;
		s->read_us = loop_now_us(loop);
	}
	if (revents & POLLOUT)
		ev |= CURL_CSELECT_OUT;
	if (revents & (POLLERR | POLLHUP | POLLNVAL))
		ev |= CURL_CSELECT_IN | CURL_CSELECT_ERR;
	act(s->multi, fd, ev);
}

static void
socket_free(struct multi_socket *s)
{
	if (s == NULL)
		return;
	loop_timer_stop(s->multi->loop, &s->gather);
	loop_del(s->multi->loop, &s->source);
	free(s);
}

static struct multi_socket *
socket_new(struct multi *m, int fd)
{
	struct multi_socket *s = xcalloc(1, sizeof(*s));

	s->multi = m;
	s->fd = fd;
	s->source = loop_add(m->loop, fd, 0, on_socket, s);
	s->gather = (struct loop_timer){ .fn = on_gathered, .arg = s };
	return s;
}

static int
on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *had)
{
	struct multi *m = arg;
	struct multi_socket *s = had;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(m->curl, fd, NULL);
		socket_free(s);
		return 0;
	}
	if (s == NULL) {
		s = socket_new(m, fd);
		curl_multi_assign(m->curl, fd, s);
	}
	s->events = (short)((what & CURL_POLL_IN ? POLLIN : 0) |
	    (what & CURL_POLL_OUT ? POLLOUT : 0));
	loop_events(s->source,
	    s->gather.linked ? s->events & ~POLLIN : s->events);
	return 0;
}

static void
on_curl_timer(struct loop *loop, void *arg)
{
	(void)loop;
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int
set_curl_timer(CURLM *curl, long ms, void *arg)
{
	struct multi *m = arg;

	(void)curl;
	if (ms < 0)
		loop_timer_stop(m->loop, &m->timer);
	else if (ms == 0)
		loop_timer_at(m->loop, &m->timer, loop_now_us(m->loop));
	else
		loop_timer_in(m->loop, &m->timer, ms * CLK_MS);
	return 0;
}

void
multi_open(struct multi *m, struct loop *loop, const unsigned *busy,
    void (*reap)(void *arg), void *arg)
{
	*m = (struct multi){
		.curl = curl_multi_init(),
		.loop = loop,
		.timer = { .fn = on_curl_timer, .arg = m },
		.busy = busy,
		.reap = reap,
		.arg = arg,
	};
	if (m->curl == NULL)
		fx_bug("curl_multi_init");
	curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
	curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, set_curl_timer);
	curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
}

void
multi_close(struct multi *m)
{
	curl_multi_cleanup(m->curl);
	loop_timer_stop(m->loop, &m->timer);
}

int
multi_on_sockopt(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}
