/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "mark.h"
#include "str.h"

struct set_stream {
	struct mw *mw;
	const struct ipc_req *req;
	struct ipc_set_entry rows[IPC_MAX_LIST]; /* id, hash, mark owned */
	size_t n, bytes;
};

static void
rows_free(struct set_stream *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->rows[i].id);
		free(s->rows[i].hash);
		free(s->rows[i].mark);
	}
	s->n = s->bytes = 0;
}

static int
set_flush(struct set_stream *s)
{
	const struct ipc_set_part part = { .entries = s->rows,
		.entries_len = s->n };
	int r = FX_OK;

	if (s->n != 0 && (r = ipc_await_credit(s->req)) == FX_OK)
		r = ipc_reply_set_part(s->req, &part);
	rows_free(s);
	return r;
}

static int
set_row_done(struct set_stream *s)
{
	const struct ipc_set_entry *row = &s->rows[s->n++];

	s->bytes += strlen(row->id) + 4 * ROW_COST;
	if (!row->removed)
		s->bytes += strlen(row->api_version) + strlen(row->kind) +
		    strlen(row->name) + strlen(row->source);
	return s->n == nitems(s->rows) || s->bytes >= IPC_PART_TARGET
	    ? set_flush(s)
	    : FX_OK;
}

/* The struct's strings are not const; they are only read. */
static char *
borrow(const char *s)
{
	return (char *)(uintptr_t)s;
}

static uint64_t
policy_bits(unsigned policy)
{
	return (policy & RESOURCE_IGNORE ? IPC_POLICY_IGNORE : 0) |
	    (policy & RESOURCE_SYNC_ONLY ? IPC_POLICY_SYNC_ONLY : 0);
}

static int
set_add(struct set_stream *s, const struct set_entry *e)
{
	const struct known_resource *r = e->name.r;
	struct buf hash = BUF_INIT(2 * CANON_HASH_LEN);
	char *id = name_print(&e->name);

	str_add_hex(&hash, r->hash, sizeof(r->hash));
	s->rows[s->n] = (struct ipc_set_entry){
		.index = e->index,
		.id = id,
		.api_version = r->kind->api_version,
		.kind = r->kind->kind,
		.ns = borrow(e->name.ns),
		.name = borrow(r->name),
		.source = borrow(e->source),
		.hash = str_take(&hash),
		.mark = mark_of(s->mw->set.name, id),
		.policy = policy_bits(r->policy),
	};
	return set_row_done(s);
}

static int
set_add_gone(struct set_stream *s, const struct set_gone *g)
{
	s->rows[s->n] = (struct ipc_set_entry){
		.index = g->index,
		.removed = true,
		.id = xstrdup(g->id),
	};
	return set_row_done(s);
}

/* Everything that has changed since the base; base 0: everything. */
static int
send_set(struct set_stream *s, uint64_t base)
{
	const struct set *set = &s->mw->set;
	int r = FX_OK;

	for (size_t i = 0; i < set->n && r == FX_OK; i++)
		if (set->v[i].since > base)
			r = set_add(s, &set->v[i]);
	for (size_t i = 0; base != 0 && i < set->ngone && r == FX_OK; i++)
		if (set->gone[i].since > base)
			r = set_add_gone(s, &set->gone[i]);
	return r == FX_OK ? set_flush(s) : r;
}

int
mw_on_set(struct mw *mw, const struct ipc_req *req, struct ipc_set *m)
{
	const struct set *set = &mw->set;
	uint64_t base = set_has_base(set, m->base) ? m->base : 0;
	struct fx_err err = { 0 };
	struct set_stream *s;
	int r;

	if (set->number == 0 || m->set != set->number)
		return ipc_reply_failf(req, FX_EUNKNOWN,
		    "there is no set %llu here", (unsigned long long)m->set);
	s = xcalloc(1, sizeof(*s));
	s->mw = mw;
	s->req = req;
	r = send_set(s, base);
	rows_free(s);
	free(s);
	if (r != FX_OK) {
		mw_stream_ended(&err, r);
		return ipc_reply_fail(req, &err);
	}
	return ipc_reply_set_end(req,
	    &(struct ipc_set_end){ .set = set->number,
		.base = base,
		.count = set->n });
}
