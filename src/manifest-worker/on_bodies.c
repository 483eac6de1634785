/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "bodies.h"

#define BODY_BATCH                                                             \
	(4u << 20)     /* bytes of blobs fetched at once, or one blob          \
			*/
#define BODY_CHUNKS 64 /* of a part */

struct body_stream {
	struct mw *mw;
	const struct ipc_req *req;
	struct set_want *wants; /* owned; sorted */
	size_t nwants;
	struct ipc_chunk rows[BODY_CHUNKS]; /* data owned */
	size_t n, bytes;
};

static int
bodies_flush(struct body_stream *s)
{
	const struct ipc_body_part part = { .chunks = s->rows,
		.chunks_len = s->n };
	int r = FX_OK;

	if (s->n != 0 && (r = ipc_await_credit(s->req)) == FX_OK)
		r = ipc_reply_body_part(s->req, &part);
	for (size_t i = 0; i < s->n; i++)
		free(s->rows[i].data.p);
	s->n = s->bytes = 0;
	return r;
}

static int
on_body(void *arg, const struct set_want *w, const struct buf *json,
    struct fx_err *err)
{
	struct body_stream *s = arg;
	const uint8_t *p = buf_head(json);
	size_t left = buf_left(json);
	int r = FX_OK;

	while (left > 0 && r == FX_OK) {
		size_t n = left < IPC_MAX_CHUNK ? left : IPC_MAX_CHUNK;
		struct ipc_chunk *c = &s->rows[s->n++];

		*c = (struct ipc_chunk){ .index = w->at,
			.last = n == left,
			.data = { xmalloc(n), n } };
		memcpy(c->data.p, p, n);
		p += n;
		left -= n;
		s->bytes += n + ROW_COST;
		if (s->n == nitems(s->rows) || s->bytes >= IPC_PART_TARGET)
			r = mw_stream_ended(err, bodies_flush(s));
	}
	return r;
}

/* The resources that are asked for, as far as they are what the asker thinks:
 * one that has changed since is not given under an old set's name. */
static int
find_wants(struct body_stream *s, const struct ipc_bodies *m,
    struct fx_err *err)
{
	const struct set *set = &s->mw->set;

	s->wants = xcalloc(m->indexes_len + 1, sizeof(*s->wants));
	for (size_t i = 0; i < m->indexes_len; i++) {
		const struct set_entry *e = set_find(set, m->indexes[i].n);

		if (e == NULL || e->since > m->set || m->set > set->number)
			return fx_fail(err, FX_ENEEDFULL,
			    "set %llu is not the one loaded here",
			    (unsigned long long)m->set);
		s->wants[s->nwants++] = (struct set_want){ e, i };
	}
	set_sort_wants(s->wants, s->nwants);
	return FX_OK;
}

/* The end of the wants of the same blob as want i. */
static size_t
same_blob(const struct body_stream *s, size_t i)
{
	size_t j = i + 1;

	while (
	    j < s->nwants && s->wants[j].entry->blob == s->wants[i].entry->blob)
		j++;
	return j;
}

/* Blobs that are fetched whole before anything is sent of them: sending waits
 * for credit, and that must not happen while another answer is read. */
struct fetch {
	const struct blob *blobs[IPC_MAX_LIST];
	void *texts[IPC_MAX_LIST]; /* owned */
	size_t lens[IPC_MAX_LIST];
	struct ipc_oid oids[IPC_MAX_LIST];
	size_t n;
};

static int
on_fetched(void *arg, size_t at, const void *p, size_t n, struct fx_err *err)
{
	struct fetch *f = arg;

	(void)err;
	f->texts[at] = xmalloc(n + 1);
	if (n != 0)
		memcpy(f->texts[at], p, n);
	f->lens[at] = n;
	return FX_OK;
}

static void
fetch_clear(struct fetch *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->texts[i]);
		f->texts[i] = NULL;
	}
	f->n = 0;
}

/* What the wants from i on need, up to a bound; returns how far that is. */
static size_t
plan_fetch(const struct body_stream *s, size_t i, struct fetch *f)
{
	size_t bytes = 0;

	while (i < s->nwants && f->n < nitems(f->blobs)) {
		const struct blob *blob = s->wants[i].entry->blob;

		if (blob->text == NULL) {
			if (f->n != 0 && bytes + blob->size > BODY_BATCH)
				break;
			bytes += blob->size;
			f->blobs[f->n] = blob;
			f->oids[f->n++].hex = (char *)(uintptr_t)blob->oid;
		}
		i = same_blob(s, i);
	}
	return i;
}

/* Wants i to end: their files are kept or have been fetched, in this order. */
static int
send_fetched(struct body_stream *s, size_t i, size_t end, const struct fetch *f,
    struct fx_err *err)
{
	size_t next = 0;
	int r = FX_OK;

	while (i < end && r == FX_OK) {
		const struct blob *blob = s->wants[i].entry->blob;
		size_t to = same_blob(s, i), len = blob->size;
		const void *text = blob->text;

		if (text == NULL) {
			text = f->texts[next];
			len = f->lens[next++];
		}
		r = set_bodies(&s->mw->set, s->wants + i, to - i, text, len,
		    on_body, s, err);
		i = to;
	}
	return r;
}

static int
send_bodies(struct body_stream *s, struct fx_err *err)
{
	struct fetch *f = xcalloc(1, sizeof(*f));
	size_t i = 0, end;
	int r = FX_OK;

	while (i < s->nwants && r == FX_OK) {
		end = plan_fetch(s, i, f);
		if (f->n != 0)
			r = mw_ask_blobs(s->mw, f->oids, f->n,
			    s->mw->worker->cfg.git_max_file, on_fetched, f,
			    err);
		if (r == FX_OK)
			r = send_fetched(s, i, end, f, err);
		fetch_clear(f);
		i = end;
	}
	free(f);
	return r == FX_OK ? mw_stream_ended(err, bodies_flush(s)) : r;
}

int
mw_on_bodies(struct mw *mw, const struct ipc_req *req, struct ipc_bodies *m)
{
	struct body_stream *s = xcalloc(1, sizeof(*s));
	struct fx_err err = { 0 };
	int r;

	s->mw = mw;
	s->req = req;
	if ((r = find_wants(s, m, &err)) == FX_OK)
		r = send_bodies(s, &err);
	for (size_t i = 0; i < s->n; i++)
		free(s->rows[i].data.p);
	free(s->wants);
	free(s);
	if (r != FX_OK)
		return ipc_reply_fail(req, &err);
	return ipc_reply_bodies_end(req, &(struct ipc_bodies_end){ 0 });
}
