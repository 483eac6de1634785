/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "log.h"

#include <malloc.h>

/* Memory of so many files, or bytes, is worth giving back. */
#define MANY 256
#define MUCH (256 * 1024)

/* Cut a text to what a field takes. */
static char *
fit(char *s, size_t max)
{
	if (strlen(s) > max)
		s[max] = '\0';
	return s;
}

/* ---- reading ------------------------------------------------------------ */

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
	return set_has_failed(set)
	    ? fx_fail(err, FX_ECANCELLED, "a file could not be parsed")
	    : FX_OK;
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
			b->oids[b->n++].hex =
			    (char *)(uintptr_t)set->new_files.v[at].oid;
		}
		r = mw_ask_blobs(b->mw, b->oids, b->n,
		    b->mw->worker->cfg.git_max_file, on_file, b, err);
	}
	return set_has_failed(set) ? FX_OK : r;
}

/* The files of a tree that has changed. */
static int
load_tree(struct mw *mw, struct fx_err *err)
{
	const struct config *cfg = &mw->worker->cfg;
	struct batch *b = xcalloc(1, sizeof(*b));
	struct tree_files files = { 0 };
	int r;

	b->mw = mw;
	if ((r = load_links(b, err)) == FX_OK &&
	    (r = tree_walk(&mw->tree, cfg->git_path.v, cfg->git_path.n,
		 cfg->git_max_file, &files, err)) == FX_OK) {
		set_begin(&mw->set, &files);
		r = load_files(b, err);
	}
	free(b);
	return r == FX_OK ? set_collect(&mw->set, err) : r;
}

static int
load(struct mw *mw, const char *commit, struct fx_err *err)
{
	bool changed, kept = mw->set.known.texts.used > MUCH;
	int r;

	if ((r = mw_ask_tree(mw, commit, &changed, err)) != FX_OK)
		return r;
	if (changed || !mw->loaded) {
		mw->loaded = false;
		r = load_tree(mw, err);
	} else {
		set_reuse(&mw->set);
	}
	if (r == FX_OK)
		r = mw_ask_scopes(mw, err);
	mw->loaded = r == FX_OK;
	if (kept || (changed && mw->set.parsed > MANY))
		(void)malloc_trim(0); /* what parsing took goes back */
	return r;
}

/* ---- telling ------------------------------------------------------------ */

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
		s->rows[s->n].s = mw->set.changed[i];
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

		if (l->reason == SET_NO_SCOPE)
			continue; /* no error, and said already */
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

/* Once, until it is no longer so. */
static void
log_left_out(const struct set_left_out *l)
{
	auto_free char *impact = NULL;

	if (l->reason != SET_NO_SCOPE) {
		log_at(LVL_WARN,
		    KS("warning",
			l->reason == SET_BAD_FILE ? "not applying resources "
						    "of a file"
						  : "not applying resource"),
		    KS("resource", l->id), KS("source", l->source),
		    KS("err", l->text));
		return;
	}
	impact = xasprintf("resource %s will be excluded until its scope is "
			   "available",
	    without_ns(l->id));
	log_at(LVL_WARN, KS("warn", l->text), KS("impact", impact));
}

static void
log_news(const struct set *set)
{
	for (size_t i = 0; i < set->nleft_out; i++)
		if (set->left_out[i].news)
			log_left_out(&set->left_out[i]);
	for (size_t i = 0; i < set->nfound; i++) {
		auto_free char *text =
		    xasprintf("found scope of resource %s, back in business!",
			set->found[i]);

		log_at(LVL_INFO, KS("info", text));
	}
}

int
mw_on_load(struct mw *mw, const struct ipc_req *req, struct ipc_load *m)
{
	const struct set *set = &mw->set;
	struct fx_err err = { 0 };
	int r;

	if (load(mw, m->commit, &err) != FX_OK)
		return ipc_reply_fail(req, &err);
	log_news(set);
	if ((r = tell_changed(mw, req)) == FX_OK)
		r = tell_left_out(mw, req);
	set_told(&mw->set);
	if (r != FX_OK) {
		mw_stream_ended(&err, r);
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
