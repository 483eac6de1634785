/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "clock.h"
#include "git_url.h"
#include "log.h"
#include "mark.h"
#include "str.h"

void
mw_open(struct mw *mw, struct worker *w)
{
	const struct config *cfg = &w->cfg;
	auto_free char *url = git_url_safe(cfg->git_url);
	auto_free char *name = mark_set_name(url, cfg->git_branch,
	    cfg->git_path.v, cfg->git_path.n);

	mw->worker = w;
	mw->commit = xstrdup("");
	/* numbers that no earlier run of this process has used since boot */
	set_init(&mw->set, name, (uint64_t)clk_now_us());
}

void
mw_close(struct mw *mw)
{
	tree_clear(&mw->tree);
	set_clear(&mw->set);
	free(mw->commit);
}

/* Cut a text to what a field takes. */
static char *
fit(char *s, size_t max)
{
	if (strlen(s) > max)
		s[max] = '\0';
	return s;
}

static int
stream_ended(struct fx_err *err, int code)
{
	return code == FX_OK
	    ? FX_OK
	    : fx_fail(err, code, "nobody waits for the answer any more");
}

/* ---- LOAD: reading ------------------------------------------------------ */

/* Files or links whose blobs are asked for together. */
struct batch {
	struct mw *mw;
	size_t at[IPC_MAX_LIST]; /* files of the load, or entries of the tree */
	struct ipc_oid oids[IPC_MAX_LIST]; /* borrowed */
	size_t n;
};

static int
on_link(void *arg, size_t at, const void *p, size_t n, struct fx_err *err)
{
	struct batch *b = arg;

	(void)err;
	tree_set_target(&b->mw->tree, b->at[at], p, n);
	return FX_OK;
}

/* The targets of links that are new in the tree. */
static int
load_links(struct batch *b, struct fx_err *err)
{
	struct tree *t = &b->mw->tree;
	size_t at = tree_next_link(t, 0);
	int r = FX_OK;

	while (at < t->n && r == FX_OK) {
		for (b->n = 0; at < t->n && b->n < nitems(b->at);
		     at = tree_next_link(t, at + 1)) {
			b->at[b->n] = at;
			b->oids[b->n++].hex = t->v[at].oid;
		}
		r = mw_ask_blobs(b->mw, b->oids, b->n, TREE_MAX_TARGET, on_link,
		    b, err);
	}
	return r;
}

/* Parsed as it comes: one file at a time is in memory. */
static int
on_file(void *arg, size_t at, const void *p, size_t n, struct fx_err *err)
{
	struct batch *b = arg;
	struct set *set = &b->mw->set;

	set_parse(set, b->at[at], p, n);
	/* set_collect says what is wrong with it, or with one before */
	return set->bad == SIZE_MAX
	    ? FX_OK
	    : fx_fail(err, FX_ECANCELLED, "a file could not be parsed");
}

static int
load_files(struct batch *b, struct fx_err *err)
{
	struct set *set = &b->mw->set;
	size_t at = set_next_needed(set, 0);
	int r = FX_OK;

	while (at < set->new_files.n && r == FX_OK) {
		for (b->n = 0; at < set->new_files.n && b->n < nitems(b->at);
		     at = set_next_needed(set, at + 1)) {
			b->at[b->n] = at;
			b->oids[b->n++].hex = set->new_files.v[at].oid;
		}
		r = mw_ask_blobs(b->mw, b->oids, b->n,
		    b->mw->worker->cfg.git_max_file, on_file, b, err);
	}
	return set->bad == SIZE_MAX ? r : FX_OK;
}

static int
load(struct mw *mw, const char *commit, struct fx_err *err)
{
	const struct config *cfg = &mw->worker->cfg;
	struct batch *b = xcalloc(1, sizeof(*b));
	struct tree_files files = { 0 };
	int r;

	b->mw = mw;
	if ((r = mw_ask_tree(mw, commit, err)) == FX_OK &&
	    (r = load_links(b, err)) == FX_OK &&
	    (r = tree_walk(&mw->tree, cfg->git_path.v, cfg->git_path.n,
		 cfg->git_max_file, &files, err)) == FX_OK) {
		set_begin(&mw->set, &files);
		r = load_files(b, err);
	}
	free(b);
	if (r == FX_OK && (r = set_collect(&mw->set, err)) == FX_OK)
		r = mw_ask_scopes(mw, err);
	return r;
}

/* ---- LOAD: telling ------------------------------------------------------ */

struct id_stream {
	const struct ipc_req *req;
	struct ipc_text rows[IPC_MAX_LIST]; /* borrowed */
	size_t n, bytes;
};

static int
ids_flush(struct id_stream *s)
{
	const struct ipc_load_changed part = { .ids = s->rows,
		.ids_len = s->n };
	int r = FX_OK;

	if (s->n != 0 && (r = ipc_await_credit(s->req)) == FX_OK)
		r = ipc_reply_load_changed(s->req, &part);
	s->n = s->bytes = 0;
	return r;
}

static int
tell_changed(struct mw *mw, const struct ipc_req *req)
{
	struct id_stream *s = xcalloc(1, sizeof(*s));
	int r = FX_OK;

	s->req = req;
	for (size_t i = 0; i < mw->set.nchanged && r == FX_OK; i++) {
		s->rows[s->n].s = mw->set.changed[i]->id;
		s->bytes += strlen(s->rows[s->n++].s) + ROW_COST;
		if (s->n == nitems(s->rows) || s->bytes >= IPC_PART_TARGET)
			r = ids_flush(s);
	}
	if (r == FX_OK)
		r = ids_flush(s);
	free(s);
	return r;
}

struct error_stream {
	const struct ipc_req *req;
	struct ipc_sync_error rows[IPC_MAX_LIST]; /* borrowed */
	size_t n, bytes;
};

static int
errors_flush(struct error_stream *s)
{
	const struct ipc_load_left_out part = { .errors = s->rows,
		.errors_len = s->n };
	int r = FX_OK;

	if (s->n != 0 && (r = ipc_await_credit(s->req)) == FX_OK)
		r = ipc_reply_load_left_out(s->req, &part);
	s->n = s->bytes = 0;
	return r;
}

static int
tell_left_out(struct mw *mw, const struct ipc_req *req)
{
	struct error_stream *s = xcalloc(1, sizeof(*s));
	int r = FX_OK;

	s->req = req;
	for (size_t i = 0; i < mw->set.nleft_out && r == FX_OK; i++) {
		struct set_left_out *l = &mw->set.left_out[i];

		s->rows[s->n++] = (struct ipc_sync_error){
			.id = l->id,
			.source = l->source,
			.text = fit(l->text, IPC_MAX_TEXT),
		};
		s->bytes += strlen(l->id) + strlen(l->source) +
		    strlen(l->text) + ROW_COST;
		if (s->n == nitems(s->rows) || s->bytes >= IPC_PART_TARGET)
			r = errors_flush(s);
	}
	if (r == FX_OK)
		r = errors_flush(s);
	free(s);
	return r;
}

/* "kind/name" of a printed id. */
static const char *
without_ns(const char *id)
{
	const char *colon = strchr(id, ':');

	return colon == NULL ? id : colon + 1;
}

/* Once per resource, until its scope is known. */
static void
log_scopes(const struct set *set)
{
	for (size_t i = 0; i < set->nleft_out; i++) {
		const struct set_left_out *l = &set->left_out[i];
		auto_free char *impact = NULL;

		if (!l->news)
			continue;
		impact = xasprintf("resource %s will be excluded until its "
				   "scope is available",
		    without_ns(l->id));
		log_at(LVL_WARN, KS("warn", l->text), KS("impact", impact));
	}
	for (size_t i = 0; i < set->nfound; i++) {
		auto_free char *text =
		    xasprintf("found scope of resource %s, back in business!",
			set->found[i]);

		log_at(LVL_INFO, KS("info", text));
	}
}

static int
mw_on_load(struct mw *mw, const struct ipc_req *req, struct ipc_load *m)
{
	const struct set *set = &mw->set;
	struct fx_err err = { 0 };
	int r;

	if (load(mw, m->commit, &err) != FX_OK)
		return ipc_reply_fail(req, &err);
	log_scopes(set);
	if ((r = tell_changed(mw, req)) != FX_OK ||
	    (r = tell_left_out(mw, req)) != FX_OK) {
		stream_ended(&err, r);
		return ipc_reply_fail(req, &err);
	}
	return ipc_reply_loaded(req,
	    &(struct ipc_loaded){
		.set = set->number,
		.resources = set->n,
		.files = set->files.n,
		.parsed = set->parsed,
		.incomplete = set->nleft_out != 0,
	    });
}
IPC_HANDLER(load, mw_on_load, struct mw)

/* ---- SET ---------------------------------------------------------------- */

struct set_stream {
	struct mw *mw;
	const struct ipc_req *req;
	struct ipc_set_entry rows[IPC_MAX_LIST];
	size_t n, bytes;
};

static int
set_flush(struct set_stream *s)
{
	const struct ipc_set_part part = { .entries = s->rows,
		.entries_len = s->n };
	int r = FX_OK;

	if (s->n != 0 && (r = ipc_await_credit(s->req)) == FX_OK)
		r = ipc_reply_set_part(s->req, &part);
	for (size_t i = 0; i < s->n; i++) {
		free(s->rows[i].hash);
		free(s->rows[i].mark);
	}
	s->n = s->bytes = 0;
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

static int
set_add(struct set_stream *s, const struct set_entry *e)
{
	struct buf hash = BUF_INIT(2 * CANON_HASH_LEN);

	str_add_hex(&hash, e->r->hash, sizeof(e->r->hash));
	s->rows[s->n] = (struct ipc_set_entry){
		.index = e->index,
		.id = e->id,
		.api_version = borrow(e->r->api_version),
		.kind = borrow(e->r->kind),
		.ns = borrow(e->ns),
		.name = borrow(e->r->name),
		.source = borrow(e->source),
		.hash = str_take(&hash),
		.mark = mark_of(s->mw->set.name, e->id),
		.policy =
		    (e->r->policy & RESOURCE_IGNORE ? IPC_POLICY_IGNORE : 0) |
		    (e->r->policy & RESOURCE_SYNC_ONLY ? IPC_POLICY_SYNC_ONLY
						       : 0),
	};
	return set_row_done(s);
}

static int
set_add_gone(struct set_stream *s, const struct set_gone *g)
{
	s->rows[s->n] = (struct ipc_set_entry){
		.index = g->index,
		.removed = true,
		.id = g->id,
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

static int
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
	for (size_t i = 0; i < s->n; i++) {
		free(s->rows[i].hash);
		free(s->rows[i].mark);
	}
	free(s);
	if (r != FX_OK) {
		stream_ended(&err, r);
		return ipc_reply_fail(req, &err);
	}
	return ipc_reply_set_end(req,
	    &(struct ipc_set_end){ .set = set->number,
		.base = base,
		.count = set->n });
}
IPC_HANDLER(set, mw_on_set, struct mw)

/* ---- BODIES ------------------------------------------------------------- */

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
			r = stream_ended(err, bodies_flush(s));
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

/* The end of the wants of the same file as want i. */
static size_t
same_file(const struct body_stream *s, size_t i)
{
	size_t j = i + 1;

	while (
	    j < s->nwants && s->wants[j].entry->file == s->wants[i].entry->file)
		j++;
	return j;
}

/* Blobs that are fetched whole before anything is sent of them: sending waits
 * for credit, and that must not happen while another answer is read. */
struct fetch {
	const struct set_file *files[IPC_MAX_LIST];
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

	while (i < s->nwants && f->n < nitems(f->files)) {
		const struct set_file *file = s->wants[i].entry->file;

		if (file->text == NULL) {
			if (f->n != 0 && bytes + file->size > BODY_BATCH)
				break;
			bytes += file->size;
			f->files[f->n] = file;
			f->oids[f->n++].hex = file->oid;
		}
		i = same_file(s, i);
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
		const struct set_file *file = s->wants[i].entry->file;
		size_t to = same_file(s, i), len = file->size;
		const void *text = file->text;

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
	return r == FX_OK ? stream_ended(err, bodies_flush(s)) : r;
}

static int
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
IPC_HANDLER(bodies, mw_on_bodies, struct mw)

const struct ipc_handler mw_handlers[] = {
	{ IPC_T_LOAD, mw_on_load_frame },
	{ IPC_T_SET, mw_on_set_frame },
	{ IPC_T_BODIES, mw_on_bodies_frame },
};
const size_t mw_nhandlers = nitems(mw_handlers);
