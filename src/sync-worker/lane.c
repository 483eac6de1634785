/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "lane.h"

#include <poll.h>

/*
 * For each event libcurl (up to 8.12 at least) looks at every transfer of the
 * connection, with a poll of its own.  So where many are on their way, what
 * comes is gathered for a moment: far shorter than any of them takes.
 */
#define GATHER_FROM 16 /* transfers */
#define GATHER_US (4 * CLK_MS)

/* ---- a lane's multi handle, driven by the process's loop --------------- */

/* Where libcurl cannot go on it would leave transfers that nothing wakes. */
static void
act(struct lane *l, curl_socket_t fd, int events)
{
	int running;
	CURLMcode r = curl_multi_socket_action(l->multi, fd, events, &running);

	if (r != CURLM_OK)
		fx_bug("libcurl: %s", curl_multi_strerror(r));
	lane_reap(l);
}

/* One of libcurl's sockets. */
struct lane_socket {
	struct lane *lane;
	struct loop_source *source;
	int fd;
	short events;		  /* that libcurl wants */
	int64_t read_us;	  /* when it was read last */
	struct loop_timer gather; /* when it is read again */
};

/* What comes within the time stays in the kernel until it is over. */
static void
gather(struct lane_socket *s)
{
	loop_events(s->source, s->events & ~POLLIN);
	loop_timer_at(s->lane->client->loop, &s->gather,
	    s->read_us + GATHER_US);
}

static void
on_gathered(struct loop *loop, void *arg)
{
	struct lane_socket *s = arg;

	s->read_us = loop_now_us(loop);
	loop_events(s->source, s->events);
	act(s->lane, s->fd, CURL_CSELECT_IN);
}

static void
on_socket(struct loop *loop, int fd, short revents, void *arg)
{
	struct lane_socket *s = arg;
	int ev = 0;

	if (revents == POLLIN && s->lane->in_flight >= GATHER_FROM &&
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
	act(s->lane, fd, ev);
}

static void
socket_free(struct lane_socket *s)
{
	if (s == NULL)
		return;
	loop_timer_stop(s->lane->client->loop, &s->gather);
	loop_del(s->lane->client->loop, &s->source);
	free(s);
}

static struct lane_socket *
socket_new(struct lane *l, int fd)
{
	struct lane_socket *s = xcalloc(1, sizeof(*s));

	s->lane = l;
	s->fd = fd;
	s->source = loop_add(l->client->loop, fd, 0, on_socket, s);
	s->gather = (struct loop_timer){ .fn = on_gathered, .arg = s };
	return s;
}

static int
on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *had)
{
	struct lane *l = arg;
	struct lane_socket *s = had;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(l->multi, fd, NULL);
		socket_free(s);
		return 0;
	}
	if (s == NULL) {
		s = socket_new(l, fd);
		curl_multi_assign(l->multi, fd, s);
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
set_curl_timer(CURLM *multi, long ms, void *arg)
{
	struct lane *l = arg;

	(void)multi;
	if (ms < 0)
		loop_timer_stop(l->client->loop, &l->curl_timer);
	else if (ms == 0)
		loop_timer_at(l->client->loop, &l->curl_timer,
		    loop_now_us(l->client->loop));
	else
		loop_timer_in(l->client->loop, &l->curl_timer, ms * CLK_MS);
	return 0;
}

/* ---- its lists -------------------------------------------------------- */

void
lane_put(struct request **at, struct request *r)
{
	struct request_state *st = r->state;

	st->next = *at;
	st->at = at;
	*at = r;
	if (st->next != NULL)
		st->next->state->at = &st->next;
}

void
lane_take(struct request *r)
{
	struct request_state *st = r->state;

	if (st->lane->tail == &st->next)
		st->lane->tail = st->at;
	*st->at = st->next;
	if (st->next != NULL)
		st->next->state->at = st->at;
}

/* ---- life ------------------------------------------------------------- */

void
lane_init(struct client *c, enum client_lane which, unsigned in_flight,
    long connections)
{
	struct lane *l = &c->lanes[which];

	l->client = c;
	l->which = which;
	l->tail = &l->waiting;
	l->due_us = CLK_NEVER;
	l->in_flight_max = in_flight;
	l->spare = -1;
	l->curl_timer = (struct loop_timer){ .fn = on_curl_timer, .arg = l };
	l->pump_timer = (struct loop_timer){ .fn = lane_pump, .arg = l };
	l->silence_timer = (struct loop_timer){ .fn = lane_listen, .arg = l };
	l->tail_timer = (struct loop_timer){ .fn = lane_finish, .arg = l };
	l->multi = curl_multi_init();
	if (l->multi == NULL)
		fx_bug("curl_multi_init");
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, set_curl_timer);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
	curl_multi_setopt(l->multi, CURLMOPT_PIPELINING,
	    (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(l->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 100L);
	/* one draining connection must not keep the next from being made */
	curl_multi_setopt(l->multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
	curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, connections);
}
