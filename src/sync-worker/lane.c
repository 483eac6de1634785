/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "lane.h"

#include <poll.h>

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

static void
on_socket(struct loop *loop, int fd, short revents, void *arg)
{
	int ev = 0;

	(void)loop;
	if (revents & POLLIN)
		ev |= CURL_CSELECT_IN;
	if (revents & POLLOUT)
		ev |= CURL_CSELECT_OUT;
	if (revents & (POLLERR | POLLHUP | POLLNVAL))
		ev |= CURL_CSELECT_IN | CURL_CSELECT_ERR;
	act(arg, fd, ev);
}

static int
on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *had)
{
	struct lane *l = arg;
	struct loop_source *src = had;
	short events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		loop_del(l->client->loop, &src);
		curl_multi_assign(l->multi, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= POLLIN;
	if (what & CURL_POLL_OUT)
		events |= POLLOUT;
	if (src != NULL) {
		loop_events(src, events);
		return 0;
	}
	src = loop_add(l->client->loop, fd, events, on_socket, l);
	curl_multi_assign(l->multi, fd, src);
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
