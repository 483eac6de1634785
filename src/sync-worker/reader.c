/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "page.h"

#include "pass.h"

/* Is this reader far enough ahead of who takes? */
static bool
is_ahead(const struct reader *r)
{
	size_t ahead = r->held + r->expected;

	return ahead > 0 &&
	    (ahead >= READ_AHEAD || r->all->held >= READ_HELD_MAX);
}

/* May the first place that was not begun be begun?  Two groups with the same
 * objects are read one after the other. */
static bool
may_begin(const struct reader *r)
{
	const struct place *next = &r->places[r->begun];

	if (r->begun == r->nplaces || r->npages == READ_PLACES_AT_ONCE)
		return false;
	return r->npages == 0 || !(next->newer || next->older);
}

/* A page to be asked for now; *when: else, when there may be one. */
static struct page *
next_page(struct reader *r, int64_t now_us, int64_t *when_us)
{
	struct page *p = r->pages;
	struct place *place;

	for (; p != NULL; p = p->next) {
		if (p->request != NULL || p->whole != NULL || p->ended)
			continue;
		if (p->not_before_us <= now_us)
			return p;
		if (p->not_before_us < *when_us)
			*when_us = p->not_before_us;
	}
	if (!may_begin(r))
		return NULL;
	place = &r->places[r->begun++];
	if (place->older)
		seen_sort(r);
	else if (place->newer)
		seen_clear(r);
	return page_new(r, place);
}

/* When may one more be asked for, if nothing happens before? */
static int64_t
may_ask_us(const struct readers *all)
{
	const struct pass *pass = all->cluster->pass;
	int64_t rest_us = all->rest_us;
	unsigned max = READS_IN_FLIGHT;

	if (pass != NULL) {
		rest_us = pass->started_us + READS_REST_US;
		max = READS_BESIDE_PASS;
	}
	if (all->in_flight < max)
		return rest_us;
	if (all->in_flight == READS_MOST)
		return CLK_NEVER;
	return (rest_us > all->asked_us ? rest_us : all->asked_us) +
	    READS_SLOW_US;
}

/* Who has had a turn waits behind the others. */
static void
to_the_end(struct readers *all, struct reader *r)
{
	struct reader **at = &all->first;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	while (*at != NULL)
		at = &(*at)->next;
	*at = r;
	r->next = NULL;
}

/* A request of somebody; false: there is none to be made. */
static bool
one_more(struct readers *all, int64_t now_us, int64_t *when_us)
{
	int64_t may_us = may_ask_us(all);

	if (may_us > now_us) {
		*when_us = may_us;
		return false;
	}
	for (struct reader *r = all->first; r != NULL; r = r->next) {
		struct page *p = NULL;

		if (r->started && !is_ahead(r))
			p = next_page(r, now_us, when_us);
		if (p == NULL)
			continue;
		to_the_end(all, r);
		all->asked_us = now_us;
		page_ask(p);
		return true;
	}
	return false;
}

static void
on_readers(struct loop *l, void *arg)
{
	struct readers *all = arg;
	int64_t when = CLK_NEVER, now = clk_now_us();

	while (one_more(all, now, &when))
		;
	if (when != CLK_NEVER)
		loop_timer_at(l, &all->timer, when);
}

void
readers_wake(struct readers *all, int64_t when_us)
{
	if (!all->timer.linked || all->timer.when_us > when_us)
		loop_timer_at(all->cluster->loop, &all->timer, when_us);
}

void
readers_rest(struct readers *all)
{
	all->rest_us = clk_now_us() + READS_REST_US;
}

void
readers_expect(struct readers *all)
{
	if (clk_now_us() >= all->turn_us + READS_TURN_US)
		readers_rest(all);
}

void
readers_go_on(struct readers *all)
{
	all->rest_us = 0;
	all->turn_us = clk_now_us();
	readers_wake(all, loop_now_us(all->cluster->loop));
}

void
readers_init(struct readers *all, struct cluster *c)
{
	*all = (struct readers){ .cluster = c };
	all->timer = (struct loop_timer){ .fn = on_readers, .arg = all };
}

void
readers_clear(struct readers *all)
{
	if (all->cluster != NULL)
		loop_timer_stop(all->cluster->loop, &all->timer);
}

/* ---- readers ----------------------------------------------------------- */

static void
on_ready(struct loop *l, void *arg)
{
	struct reader *r = arg;

	(void)l;
	r->hooks.ready(r->hooks.arg);
}

void
reader_tell(struct reader *r)
{
	struct loop *l = r->all->cluster->loop;

	if (!r->timer.linked)
		loop_timer_at(l, &r->timer, loop_now_us(l));
}

struct reader *
reader_new(struct readers *all, bool in_order, const struct reader_hooks *hooks)
{
	struct reader *r = xcalloc(1, sizeof(*r));

	r->all = all;
	r->hooks = *hooks;
	r->in_order = in_order;
	r->timer = (struct loop_timer){ .fn = on_ready, .arg = r };
	r->next = all->first;
	all->first = r;
	all->n++;
	return r;
}

void
reader_free(struct reader **rp)
{
	struct reader *r = fx_steal(rp);
	struct reader **at;

	if (r == NULL)
		return;
	for (at = &r->all->first; *at != r; at = &(*at)->next)
		;
	*at = r->next;
	r->all->n--;
	while (r->pages != NULL)
		page_free(r->pages);
	for (size_t i = 0; i < r->nplaces; i++) {
		free(r->places[i].ns);
		free(r->places[i].name);
	}
	free(r->places);
	seen_clear(r);
	free(r->seen);
	loop_timer_stop(r->all->cluster->loop, &r->timer);
	readers_wake(r->all, loop_now_us(r->all->cluster->loop));
	free(r);
}

void
reader_add(struct reader *r, const struct place *place)
{
	struct place *at;

	r->places =
	    xreallocarray(r->places, r->nplaces + 1, sizeof(*r->places));
	at = &r->places[r->nplaces++];
	*at = *place;
	at->ns = xstrdup(place->ns);
	at->name = place->name != NULL ? xstrdup(place->name) : NULL;
}

void
reader_start(struct reader *r)
{
	r->started = true;
	reader_tell(r); /* there may be nothing to read */
	readers_wake(r->all, loop_now_us(r->all->cluster->loop));
}

struct reading *
reader_take(struct reader *r)
{
	struct page *p = r->pages;
	struct reading *x;

	while (p != NULL && p->whole == NULL)
		p = r->in_order ? NULL : p->next;
	if (p == NULL)
		return NULL;
	x = p->whole;
	p->whole = x->next;
	r->held -= x->bytes;
	r->all->held -= x->bytes;
	if (p->whole == NULL && p->ended)
		page_free(p);
	readers_wake(r->all, loop_now_us(r->all->cluster->loop));
	return x;
}

bool
reader_is_done(const struct reader *r, struct fx_err *err)
{
	*err = r->err;
	return r->err.code != FX_OK ||
	    (r->begun == r->nplaces && r->pages == NULL);
}
