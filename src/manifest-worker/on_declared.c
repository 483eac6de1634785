/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

/*
 * Which resources the repository defines, and their policies.  There is no
 * table by id: a client that lists is rarer than a load, and so the whole set
 * is gone through once for each question.
 */

_Static_assert(POLICIES_MAX <= IPC_MAX_POLICIES, "they fit a row");
_Static_assert(POLICIES_MAX_NAME <= IPC_MAX_NAME, "so does a name");
_Static_assert(POLICIES_MAX_VALUE <= IPC_MAX_TEXT, "and a value");
/* a part is sent once it is over its target: one more row must fit */
_Static_assert(IPC_PART_TARGET + POLICIES_MAX_BYTES + IPC_MAX_ID + ROW_COST +
	    POLICIES_MAX * 8 <=
	IPC_MAX_FRAME,
    "a part has room for one more");

/* An id that is asked for. */
struct wanted {
	const char *id;			/* borrowed */
	const struct set_entry **found; /* where its entry goes */
};

static int
wanted_order(const void *a, const void *b)
{
	return strcmp(((const struct wanted *)a)->id,
	    ((const struct wanted *)b)->id);
}

/* The first of those with this id, or where it would be. */
static size_t
first_of(const struct wanted *v, size_t n, const char *id)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(v[mid].id, id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The printed id leaves out the API group: of two that print the same, the one
 * that came first counts. */
static void
find_all(const struct set *set, const struct wanted *v, size_t n)
{
	for (size_t i = 0; i < set->n; i++) {
		auto_free char *id = name_print(&set->v[i].name);

		for (size_t at = first_of(v, n, id);
		     at < n && strcmp(v[at].id, id) == 0; at++)
			if (*v[at].found == NULL)
				*v[at].found = &set->v[i];
	}
}

struct declared_stream {
	const struct ipc_req *req;
	struct ipc_declaration rows[IPC_MAX_LIST]; /* policies owned */
	size_t n, bytes;
};

static void
rows_free(struct declared_stream *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->rows[i].policies);
	s->n = s->bytes = 0;
}

static int
declared_flush(struct declared_stream *s)
{
	const struct ipc_declared_part part = { .resources = s->rows,
		.resources_len = s->n };
	int r = FX_OK;

	if (s->n != 0 && (r = ipc_await_credit(s->req)) == FX_OK)
		r = ipc_reply_declared_part(s->req, &part);
	rows_free(s);
	return r;
}

/* The struct's strings are not const; they are only read. */
static char *
borrow(const char *s)
{
	return (char *)(uintptr_t)s;
}

static int
add(struct declared_stream *s, char *id, const struct set_entry *e)
{
	const struct known_more *more = e->name.r->more;
	const struct policies *ps = more == NULL ? NULL : more->policies;
	struct ipc_declaration *row = &s->rows[s->n++];
	const char *name = NULL;

	*row = (struct ipc_declaration){ .id = id };
	if (ps != NULL) {
		row->policies = xcalloc(ps->n, sizeof(*row->policies));
		s->bytes += ps->bytes + ps->n * 8;
	}
	while ((name = policies_next(ps, name)) != NULL)
		row->policies[row->policies_len++] =
		    (struct ipc_named){ borrow(name),
			    borrow(policies_value(name)) };
	s->bytes += strlen(id) + ROW_COST;
	return s->n == nitems(s->rows) || s->bytes >= IPC_PART_TARGET
	    ? declared_flush(s)
	    : FX_OK;
}

static int
send_declared(const struct set *set, const struct ipc_req *req,
    const struct ipc_declared *m)
{
	struct declared_stream *s = xcalloc(1, sizeof(*s));
	struct wanted *v = xcalloc(m->ids_len + 1, sizeof(*v));
	const struct set_entry **found =
	    xcalloc(m->ids_len + 1, sizeof(struct set_entry *));
	int r = FX_OK;

	s->req = req;
	for (size_t i = 0; i < m->ids_len; i++)
		v[i] = (struct wanted){ m->ids[i].s, &found[i] };
	if (m->ids_len != 0)
		qsort(v, m->ids_len, sizeof(*v), wanted_order);
	find_all(set, v, m->ids_len);
	for (size_t i = 0; i < m->ids_len && r == FX_OK; i++)
		if (found[i] != NULL)
			r = add(s, m->ids[i].s, found[i]);
	if (r == FX_OK)
		r = declared_flush(s);
	rows_free(s);
	free(s);
	free(v);
	free(found);
	return r;
}

/* A list is asked for in several questions, and a load may come in between: a
 * client is then told of the newer set, not to begin again. */
int
mw_on_declared(struct mw *mw, const struct ipc_req *req, struct ipc_declared *m)
{
	struct fx_err err = { 0 };
	int r;

	if (!set_has_been(&mw->set, m->set))
		return ipc_reply_failf(req, FX_ENEEDFULL,
		    "set %llu is not the one loaded here",
		    (unsigned long long)m->set);
	if ((r = send_declared(&mw->set, req, m)) != FX_OK) {
		mw_stream_ended(&err, r);
		return ipc_reply_fail(req, &err);
	}
	return ipc_reply_declared_end(req, &(struct ipc_declared_end){ 0 });
}
