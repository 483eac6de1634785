/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "loop.h"

#include <errno.h>
#include <poll.h>

struct loop_source {
	int fd; /* -1: deleted, to be dropped after the turn */
	short events;
	loop_fd_fn *fn;
	void *arg;
};

struct loop {
	struct loop_source **sources; /* in the order they were added */
	struct pollfd *pfds;	      /* parallel to sources during a turn */
	size_t nsources, cap;
	struct loop_timer *timers; /* unordered: there are few */
	int64_t now_us;
	bool stopping;
	bool has_dead; /* some sources[i]->fd is -1 */
};

struct loop *
loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	l->now_us = clk_now_us();
	return l;
}

void
loop_free(struct loop **lp)
{
	struct loop *l = *lp;

	if (l == NULL)
		return;
	for (size_t i = 0; i < l->nsources; i++)
		free(l->sources[i]);
	free(l->sources);
	free(l->pfds);
	free(l);
	*lp = NULL;
}

int64_t
loop_now_us(const struct loop *l)
{
	return l->now_us;
}

struct loop_source *
loop_add(struct loop *l, int fd, short events, loop_fd_fn *fn, void *arg)
{
	struct loop_source *s = xcalloc(1, sizeof(*s));

	if (l->nsources == l->cap) {
		l->cap = l->cap == 0 ? 16 : l->cap * 2;
		l->sources =
		    xreallocarray(l->sources, l->cap, sizeof(*l->sources));
		l->pfds = xreallocarray(l->pfds, l->cap, sizeof(*l->pfds));
	}
	*s = (struct loop_source){ fd, events, fn, arg };
	l->sources[l->nsources++] = s;
	return s;
}

void
loop_events(struct loop_source *s, short events)
{
	s->events = events;
}

void
loop_del(struct loop *l, struct loop_source **sp)
{
	if (*sp == NULL)
		return;
	/* A callback of this very turn may still hold an index: mark only. */
	(*sp)->fd = -1;
	l->has_dead = true;
	*sp = NULL;
}

void
loop_timer_at(struct loop *l, struct loop_timer *t, int64_t when_us)
{
	t->when_us = when_us;
	if (t->linked)
		return;
	t->next = l->timers;
	l->timers = t;
	t->linked = true;
}

void
loop_timer_in(struct loop *l, struct loop_timer *t, int64_t span_us)
{
	loop_timer_at(l, t, clk_now_us() + span_us);
}

void
loop_timer_stop(struct loop *l, struct loop_timer *t)
{
	if (!t->linked)
		return;
	for (struct loop_timer **p = &l->timers; *p != NULL; p = &(*p)->next) {
		if (*p == t) {
			*p = t->next;
			break;
		}
	}
	t->linked = false;
	t->when_us = CLK_NEVER;
}

static int64_t
next_timer_us(const struct loop *l)
{
	int64_t when = CLK_NEVER;

	for (const struct loop_timer *t = l->timers; t != NULL; t = t->next)
		if (t->when_us < when)
			when = t->when_us;
	return when;
}

static struct loop_timer *
due_timer(const struct loop *l)
{
	for (struct loop_timer *t = l->timers; t != NULL; t = t->next)
		if (t->when_us <= l->now_us)
			return t;
	return NULL;
}

static void
drop_dead(struct loop *l)
{
	size_t kept = 0;

	if (!l->has_dead)
		return;
	for (size_t i = 0; i < l->nsources; i++) {
		if (l->sources[i]->fd == -1)
			free(l->sources[i]);
		else
			l->sources[kept++] = l->sources[i];
	}
	l->nsources = kept;
	l->has_dead = false;
}

/* Milliseconds for poll, rounded up so that a timer is due afterwards; none in
 * a loop that was stopped between two turns. */
static int
wait_ms(const struct loop *l, int64_t max_wait_us)
{
	int64_t when = next_timer_us(l), us = max_wait_us;

	if (when != CLK_NEVER && when - l->now_us < us)
		us = when - l->now_us;
	if (us <= 0 || l->stopping)
		return 0;
	if (us > 3600 * CLK_SEC)
		return us == CLK_NEVER ? -1 : 3600 * 1000;
	return (int)((us + CLK_MS - 1) / CLK_MS);
}

static void
run_timers(struct loop *l)
{
	struct loop_timer *t;

	while (!l->stopping && (t = due_timer(l)) != NULL) {
		loop_timer_stop(l, t);
		t->fn(l, t->arg);
	}
}

void
loop_turn(struct loop *l, int64_t max_wait_us)
{
	size_t n;
	int ready;

	drop_dead(l);
	n = l->nsources;
	for (size_t i = 0; i < n; i++)
		l->pfds[i] = (struct pollfd){ l->sources[i]->fd,
			l->sources[i]->events, 0 };
	l->now_us = clk_now_us();
	ready = poll(l->pfds, n, wait_ms(l, max_wait_us));
	l->now_us = clk_now_us();
	/* no memory for the moment: as if nothing had happened */
	if (ready == -1 && errno != EINTR && errno != ENOMEM)
		fx_bug("poll: errno %d", errno);
	for (size_t i = 0; ready > 0 && i < n && !l->stopping; i++) {
		struct loop_source *s = l->sources[i];

		/* added sources may have moved the array, not this source */
		if (l->pfds[i].revents != 0 && s->fd == l->pfds[i].fd)
			s->fn(l, s->fd, l->pfds[i].revents, s->arg);
	}
	run_timers(l);
}

void
loop_run(struct loop *l)
{
	l->stopping = false;
	while (!l->stopping)
		loop_turn(l, CLK_NEVER);
}

void
loop_stop(struct loop *l)
{
	l->stopping = true;
}

bool
loop_is_stopped(const struct loop *l)
{
	return l->stopping;
}
