/*
 * loop: one poll(2) loop with timers; everything that waits, waits here.
 *
 * A source is a descriptor with the events it is interested in and a callback;
 * a timer is an instant with a callback.  Both are owned by their user, who may
 * add, change and remove them at any time, from inside callbacks too.  The loop
 * reads the clock once per turn.
 */
#ifndef FX_LOOP_H
#define FX_LOOP_H

#include "base.h"
#include "clock.h"

struct loop;
struct loop_source;
struct loop_timer;

/* revents as poll(2) gives them. */
typedef void loop_fd_fn(struct loop *, int fd, short revents, void *arg);
typedef void loop_timer_fn(struct loop *, void *arg);

struct loop_timer {
	int64_t when_us; /* CLK_NEVER: not armed */
	loop_timer_fn *fn;
	void *arg;
	struct loop_timer *next; /* the loop's */
	bool linked;		 /* the loop's */
};

struct loop *loop_new(void);
void loop_free(struct loop **);

/* The instant of this turn. */
int64_t loop_now_us(const struct loop *);

/* Watch fd; events may be 0 and changed later. */
struct loop_source *
loop_add(struct loop *, int fd, short events, loop_fd_fn *, void *arg);
void loop_events(struct loop_source *, short events);
/* Stop watching; the descriptor stays open.  Takes the address, sets NULL. */
void loop_del(struct loop *, struct loop_source **);

/* Arm, re-arm, disarm. */
void loop_timer_at(struct loop *, struct loop_timer *, int64_t when_us);
void loop_timer_in(struct loop *, struct loop_timer *, int64_t span_us);
void loop_timer_stop(struct loop *, struct loop_timer *);

/* One turn: wait at most max_wait_us (CLK_NEVER: no limit), then call back. */
void loop_turn(struct loop *, int64_t max_wait_us);
/* Turns until loop_stop. */
void loop_run(struct loop *);
void loop_stop(struct loop *);
bool loop_is_stopped(const struct loop *);

#endif
