/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "lane.h"

#include <stdio.h>

/* ---- streams that have fallen silent ---------------------------------- */

/* The running stream that has been silent for longest. */
static struct request *
most_silent(const struct lane *l)
{
	struct request *found = NULL;

	for (struct request *r = l->running; r != NULL; r = r->state->next)
		if (r->stream != NULL &&
		    (found == NULL ||
			r->state->heard_us < found->state->heard_us))
			found = r;
	return found;
}

/* libcurl could do this, but would wake up every second for it. */
void
lane_listen(struct loop *loop, void *arg)
{
	struct lane *l = arg;
	int64_t now = clk_now_us();
	struct request *r;

	while ((r = most_silent(l)) != NULL &&
	    r->state->heard_us + SILENCE_US <= now) {
		lane_take(l, r);
		snprintf(r->state->problem, sizeof(r->state->problem),
		    "nothing came for %d seconds", (int)(SILENCE_US / CLK_SEC));
		lane_broke_off(r, CURLE_OPERATION_TIMEDOUT);
	}
	if (r != NULL)
		loop_timer_at(loop, &l->silence_timer,
		    r->state->heard_us + SILENCE_US);
}

/* ---- answers that do not end ------------------------------------------ */

/*
 * libcurl 7.88, Debian 12's, loses the end of an HTTP/2 stream once in several
 * hundred lists that are read side by side: all of the document is there, the
 * server is done, and the request stands still until its deadline.
 */
#define TAIL_US (20 * CLK_MS)

static bool
is_whole(const struct request *r)
{
	return r->whole != NULL && r->whole(r->arg);
}

static struct request *
first_whole(const struct lane *l)
{
	struct request *found = NULL;

	for (struct request *r = l->running; r != NULL; r = r->state->next)
		if (is_whole(r) &&
		    (found == NULL ||
			r->state->heard_us < found->state->heard_us))
			found = r;
	return found;
}

void
lane_tail(struct request *r)
{
	struct lane *l = r->state->lane;

	if (is_whole(r) && !l->tail_timer.linked)
		loop_timer_at(l->client->loop, &l->tail_timer,
		    r->state->heard_us + TAIL_US);
}

void
lane_finish(struct loop *loop, void *arg)
{
	struct lane *l = arg;
	int64_t now = clk_now_us();
	struct request *r;

	while ((r = first_whole(l)) != NULL &&
	    r->state->heard_us + TAIL_US <= now) {
		lane_take(l, r);
		lane_answered(r);
	}
	if (r != NULL)
		loop_timer_at(loop, &l->tail_timer,
		    r->state->heard_us + TAIL_US);
	if (l->waiting != NULL)
		loop_timer_at(loop, &l->pump_timer, now);
}
