/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "sw.h"

/* What manifest sends: the set, and the bodies of some of it. */

/* ---- the set ---------------------------------------------------------- */

static int on_set(void *arg, struct ipc_frame *f);

static void
ask_set(struct sw *sw, uint64_t base)
{
	struct ipc_set m = { .set = sw->feed.set, .base = base };
	struct fx_err err = { 0 };

	sw->feed.base = base;
	sw->feed.set_err = err;
	set_begin(sw->cluster);
	if (ipc_ask_set(&sw->w->master, &m, on_set, sw) != 0)
		return;
	fx_fail(&err, FX_ERETRY, "cannot ask for the set");
	pass_set_ready(sw->cluster, &err);
}

static int
on_set_part(struct sw *sw, struct ipc_frame *f)
{
	struct ipc_set_part m;
	int r = ipc_set_part_decode(&f->body, &m, &f->fd);

	if (r != FX_OK)
		return r;
	for (size_t i = 0; i < m.entries_len && sw->feed.set_err.code == FX_OK;
	     i++) {
		const struct ipc_set_entry *e = &m.entries[i];
		const struct set_item item = {
			.index = e->index,
			.removed = e->removed,
			.ignored = (e->policy & IPC_POLICY_IGNORE) != 0,
			.id = e->id,
			.api_version = e->api_version,
			.kind = e->kind,
			.ns = e->ns,
			.name = e->name,
			.source = e->source,
			.hash = e->hash,
			.mark = e->mark,
		};

		r = set_add(sw->cluster, &item, &sw->feed.set_err);
	}
	ipc_set_part_clear(&m);
	return FX_OK;
}

/* The end of the set, or why there is none.  Without its base once more. */
static void
set_is_here(struct sw *sw, const struct ipc_set_end *m, struct fx_err *err)
{
	if (err->code == FX_OK)
		*err = sw->feed.set_err;
	if (err->code == FX_OK &&
	    set_end(sw->cluster, m->set, m->base, m->count, err) == FX_OK) {
		pass_set_ready(sw->cluster, err);
		return;
	}
	set_drop(sw->cluster);
	if (err->code == FX_ENEEDFULL && sw->feed.base != 0)
		ask_set(sw, 0);
	else
		pass_set_ready(sw->cluster, err);
}

static int
on_set(void *arg, struct ipc_frame *f)
{
	struct sw *sw = arg;
	struct ipc_set_end m = { 0 };
	struct fx_err err = { 0 };
	int r;

	if (f == NULL)
		return FX_OK; /* the channel is closed: the end */
	if (f->type == IPC_T_SET_PART)
		return on_set_part(sw, f);
	if (ipc_take_failed(f, &err) == FX_OK) {
		r = ipc_set_end_decode(&f->body, &m, &f->fd);
		if (r != FX_OK)
			return r;
	}
	set_is_here(sw, &m, &err);
	ipc_set_end_clear(&m);
	return FX_OK;
}

void
feed_set(void *arg, uint64_t set, uint64_t base)
{
	struct sw *sw = arg;

	sw->feed.set = set;
	ask_set(sw, base);
}

/* ---- bodies ----------------------------------------------------------- */

void
feed_clear(struct sw *sw)
{
	struct sw_feed *feed = &sw->feed;

	for (size_t i = 0; i < feed->nbodies; i++)
		buf_wipe(&feed->bodies[i]);
	free(fx_steal(&feed->bodies));
	free(fx_steal(&feed->too_long));
	free(fx_steal(&feed->taken));
	feed->nbodies = 0;
}

static int
take_chunk(struct sw *sw, const struct ipc_chunk *c)
{
	struct sw_feed *feed = &sw->feed;

	if (c->index >= feed->nbodies || feed->taken[c->index])
		return FX_EDENIED;
	if (!feed->too_long[c->index] &&
	    buf_put(&feed->bodies[c->index], c->data.p, c->data.n) != FX_OK) {
		buf_wipe(&feed->bodies[c->index]);
		feed->too_long[c->index] = true;
	}
	if (!c->last)
		return FX_OK;
	feed->taken[c->index] = true;
	if (feed->too_long[c->index])
		pass_body_too_long(sw->cluster, (size_t)c->index);
	else
		pass_body(sw->cluster, (size_t)c->index,
		    &feed->bodies[c->index]);
	buf_wipe(&feed->bodies[c->index]);
	return FX_OK;
}

static int
on_bodies(void *arg, struct ipc_frame *f)
{
	struct sw *sw = arg;
	struct ipc_body_part m;
	struct fx_err err = { 0 };
	int r;

	if (f == NULL)
		return FX_OK; /* the channel is closed: the end */
	if (f->type != IPC_T_BODY_PART) {
		(void)ipc_take_failed(f, &err);
		feed_clear(sw);
		pass_bodies_end(sw->cluster, &err);
		return FX_OK;
	}
	r = ipc_body_part_decode(&f->body, &m, &f->fd);
	if (r != FX_OK)
		return r;
	for (size_t i = 0; r == FX_OK && i < m.chunks_len; i++)
		r = take_chunk(sw, &m.chunks[i]);
	ipc_body_part_clear(&m);
	return r;
}

void
feed_bodies(void *arg, uint64_t set, const uint64_t *indexes, size_t n)
{
	struct sw *sw = arg;
	struct sw_feed *feed = &sw->feed;
	struct ipc_number *numbers = xcalloc(n, sizeof(*numbers));
	struct ipc_bodies m = { .set = set,
		.indexes = numbers,
		.indexes_len = n };
	struct fx_err err = { 0 };

	feed_clear(sw);
	feed->bodies = xcalloc(n, sizeof(*feed->bodies));
	feed->too_long = xcalloc(n, sizeof(bool));
	feed->taken = xcalloc(n, sizeof(bool));
	feed->nbodies = n;
	for (size_t i = 0; i < n; i++) {
		buf_init(&feed->bodies[i], OBJECT_BODY_MAX);
		numbers[i].n = indexes[i];
	}
	if (ipc_ask_bodies(&sw->w->master, &m, on_bodies, sw) == 0) {
		fx_fail(&err, FX_ERETRY, "cannot ask for resources");
		feed_clear(sw);
		pass_bodies_end(sw->cluster, &err);
	}
	free(numbers);
}
