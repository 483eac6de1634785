/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "places.h"

static size_t
count_of_peer(const struct places *ps, const struct peer_id *peer)
{
	size_t n = 0;

	for (const struct place *p = ps->first; p != NULL; p = p->next)
		n +=
		    p->since_us != 0 && peer_equal(http_peer(p->request), peer);
	return n;
}

static struct place *
find_next(const struct places *ps)
{
	struct place *best = NULL;
	size_t fewest = 0;

	for (struct place *p = ps->first; p != NULL; p = p->next) {
		size_t n;

		if (p->since_us != 0)
			continue;
		n = count_of_peer(ps, http_peer(p->request));
		if (best == NULL || n < fewest) {
			best = p;
			fewest = n;
		}
	}
	return best;
}

/* Only who sends: what is not there yet is not the client's fault. */
static struct place *
find_oldest(const struct places *ps)
{
	struct place *oldest = NULL;

	for (struct place *p = ps->first; p != NULL; p = p->next)
		if (p->since_us != 0 && p->request->sending &&
		    (oldest == NULL || p->since_us < oldest->since_us))
			oldest = p;
	return oldest;
}

/* Places to those who wait; and if there is none, when there will be. */
static void
assign(struct places *ps)
{
	struct place *next, *oldest;

	while ((next = find_next(ps)) != NULL && ps->taken < PLACES_MAX) {
		next->since_us = loop_now_us(ps->loop);
		ps->taken++;
		next->start(next->request);
	}
	if (next == NULL) {
		loop_timer_stop(ps->loop, &ps->patience);
		return;
	}
	oldest = find_oldest(ps);
	loop_timer_at(ps->loop, &ps->patience,
	    (oldest == NULL ? loop_now_us(ps->loop) : oldest->since_us) +
		PLACES_PATIENCE_US);
}

static void
on_patience(struct loop *l, void *arg)
{
	struct places *ps = arg;
	struct place *oldest = find_oldest(ps);

	/* it leaves when the library has seen that its client is gone */
	if (oldest != NULL &&
	    loop_now_us(l) - oldest->since_us >= PLACES_PATIENCE_US)
		http_cut(oldest->request);
	loop_timer_in(l, &ps->patience, PLACES_PATIENCE_US);
}

void
places_init(struct places *ps, struct loop *loop)
{
	*ps = (struct places){ .loop = loop,
		.patience = { .fn = on_patience, .arg = ps } };
}

void
places_clear(struct places *ps)
{
	loop_timer_stop(ps->loop, &ps->patience);
}

void
place_want(struct places *ps, struct place *p, struct http_request *r,
    void (*start)(struct http_request *))
{
	*p = (struct place){ .request = r, .start = start, .next = ps->first };
	ps->first = p;
	assign(ps);
}

void
place_leave(struct places *ps, struct place *p)
{
	struct place **at = &ps->first;

	while (*at != NULL && *at != p)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = p->next;
	ps->taken -= p->since_us != 0;
	assign(ps);
}
