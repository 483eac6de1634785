/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "lane.h"

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
lane_take(struct lane *l, struct request *r)
{
	struct request_state *st = r->state;

	if (l->tail == &st->next)
		l->tail = st->at;
	*st->at = st->next;
	if (st->next != NULL)
		st->next->state->at = st->at;
}

/* ---- life ------------------------------------------------------------- */

static void
reap(void *arg)
{
	lane_reap(arg);
}

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
	l->pump_timer = (struct loop_timer){ .fn = lane_pump, .arg = l };
	l->silence_timer = (struct loop_timer){ .fn = lane_listen, .arg = l };
	l->tail_timer = (struct loop_timer){ .fn = lane_finish, .arg = l };
	multi_open(&l->multi, c->loop, &l->in_flight, reap, l);
	curl_multi_setopt(l->multi.curl, CURLMOPT_PIPELINING,
	    (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(l->multi.curl, CURLMOPT_MAX_CONCURRENT_STREAMS, 100L);
	/* one draining connection must not keep the next from being made */
	curl_multi_setopt(l->multi.curl, CURLMOPT_MAX_HOST_CONNECTIONS,
	    connections);
	curl_multi_setopt(l->multi.curl, CURLMOPT_MAXCONNECTS, connections);
}
