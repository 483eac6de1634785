/* SPDX-License-Identifier: Apache-2.0 */

/* Who may stream, who is next, and who has to go. */
#include "base.h"

#include "places.h"
#include "test.h"

static int64_t now_us = CLK_SEC;
static struct loop *loop;
static struct places places;

/* A request is what places know of it; the connection would be http's. */
struct client {
	struct http_request request; /* first */
	struct peer_id peer;
	struct place place;
	int started, cut;
};

void
http_cut(struct http_request *r)
{
	((struct client *)r)->cut++;
}

const struct peer_id *
http_peer(const struct http_request *r)
{
	return &((const struct client *)r)->peer;
}

static void
start(struct http_request *r)
{
	((struct client *)r)->started++;
}

static void
come(struct client *c, uint8_t peer)
{
	*c = (struct client){ .peer = { { peer } } };
	place_want(&places, &c->place, &c->request, start);
}

static void
leave(struct client *c)
{
	place_leave(&places, &c->place);
}

static void
pass(int64_t us)
{
	now_us += us;
	for (int i = 0; i < 4; i++)
		loop_turn(loop, 0);
}

static void
test_order(void)
{
	static struct client c[PLACES_MAX + 3];

	for (size_t i = 0; i < nitems(c); i++)
		come(&c[i], 1);
	for (size_t i = 0; i < nitems(c); i++)
		want_int(c[i].started, i < PLACES_MAX);
	/* one who waits may go, too */
	leave(&c[PLACES_MAX + 1]);
	leave(&c[0]);
	want_int(c[PLACES_MAX + 2].started, 1);
	want_int(c[PLACES_MAX].started, 0);
	leave(&c[1]);
	want_int(c[PLACES_MAX].started, 1);
	for (size_t i = 2; i < nitems(c); i++)
		leave(&c[i]);
	/* who left twice frees one place */
	leave(&c[2]);
	want_int(places.taken, 0);
	want(places.first == NULL);
}

static void
test_peers(void)
{
	static struct client c[PLACES_MAX + 3];

	for (size_t i = 0; i < PLACES_MAX + 1; i++)
		come(&c[i], 1);
	come(&c[PLACES_MAX + 1], 2);
	come(&c[PLACES_MAX + 2], 1);
	leave(&c[0]);
	/* neither the first nor the newest: the one who has nothing yet */
	want_int(c[PLACES_MAX].started, 0);
	want_int(c[PLACES_MAX + 1].started, 1);
	want_int(c[PLACES_MAX + 2].started, 0);
	for (size_t i = 1; i < nitems(c); i++)
		leave(&c[i]);
	want_int(places.taken, 0);
}

static void
test_patience(void)
{
	static struct client c[PLACES_MAX + 1];
	size_t last = PLACES_MAX;

	for (size_t i = 0; i < PLACES_MAX; i++) {
		come(&c[i], 1);
		pass(1000);
	}
	/* while nobody waits, as long as they like */
	pass(2 * PLACES_PATIENCE_US);
	come(&c[last], 2);
	/* none sends yet: that is not their fault */
	pass(2 * PLACES_PATIENCE_US);
	for (size_t i = 0; i < PLACES_MAX; i++)
		want_int(c[i].cut, 0);
	c[2].request.sending = true;
	c[3].request.sending = true;
	pass(PLACES_PATIENCE_US);
	want_int(c[2].cut, 1);
	want_int(c[0].cut + c[1].cut + c[3].cut, 0);
	leave(&c[2]);
	want_int(c[last].started, 1);
	/* and then again as long as they like */
	pass(4 * PLACES_PATIENCE_US);
	want_int(c[3].cut, 0);
	leave(&c[0]);
	leave(&c[1]);
	leave(&c[3]);
	leave(&c[last]);
}

/* Who has just come has his time. */
static void
test_young(void)
{
	static struct client c[PLACES_MAX + 1];
	int cut = 0;

	for (size_t i = 0; i <= PLACES_MAX; i++) {
		come(&c[i], 1);
		c[i].request.sending = i < PLACES_MAX;
	}
	pass(PLACES_PATIENCE_US - 1);
	for (size_t i = 0; i < PLACES_MAX; i++)
		want_int(c[i].cut, 0);
	pass(2);
	for (size_t i = 0; i < PLACES_MAX; i++)
		cut += c[i].cut;
	want_int(cut, 1);
	for (size_t i = 0; i <= PLACES_MAX; i++)
		leave(&c[i]);
}

int
main(void)
{
	clk_fake(&now_us, NULL);
	loop = loop_new();
	places_init(&places, loop);
	test_run("places: the newest is next", test_order);
	test_run("places: but first who has none", test_peers);
	test_run("places: who sends for long gives way to who waits",
	    test_patience);
	test_run("places: and not before his time", test_young);
	places_clear(&places);
	loop_free(&loop);
	return test_done();
}
