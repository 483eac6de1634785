/*
 * places: how many answers are streamed at once, and who is next.
 *
 * A list or an export has parts in this process, in the master's queues and in
 * the process that makes it for as long as its client reads.  So there are few
 * places for them, and the others wait.  Next is the newest of the peer that
 * has the fewest: who came to stay does not keep those away who did not.  When
 * all places are taken and somebody waits, who has been sending for longest
 * gives up his own.
 */
#ifndef FX_API_PLACES_H
#define FX_API_PLACES_H

#include "base.h"
#include "http.h"
#include "loop.h"

/* Each with IPC_CREDIT_FIRST parts at most: a queue between two processes
 * (IPC_MAX_QUEUE) has room for all of them. */
#define PLACES_MAX 4

/* For a client that means it, a second is long. */
#define PLACES_PATIENCE_US (5 * CLK_SEC)

struct place {
	struct http_request *request; /* borrowed */
	void (*start)(struct http_request *);
	int64_t since_us; /* it has the place; 0: it waits */
	struct place *next;
};

struct places {
	struct loop *loop;
	struct place *first; /* the newest; borrowed */
	size_t taken;
	struct loop_timer patience;
};

void places_init(struct places *, struct loop *);
void places_clear(struct places *);

/* Call start, now or when there is a place. */
void place_want(struct places *, struct place *, struct http_request *,
    void (*start)(struct http_request *));

/* The place, or the wish for it, is given up; at any time. */
void place_leave(struct places *, struct place *);

#endif
