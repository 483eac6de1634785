/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "buf.h"

/* ---- waiting ------------------------------------------------------------ */

/* What every answer is waited for with. */
struct wait {
	struct mw *mw;
	uint64_t seq;
	struct fx_err err; /* code FX_OK while nothing is wrong */
};

/* The final answer is not the one asked for: FAILED, or none.  That speaks
 * about the work, not about the channel. */
static int
take_failure(struct wait *w, struct ipc_frame *f)
{
	int r = ipc_take_failed(f, &w->err);

	return r == FX_ESYNTAX && f != NULL && f->type != IPC_T_FAILED
	    ? FX_ESYNTAX
	    : FX_OK;
}

/* The rest is not wanted: what came is of no use. */
static int
give_up(struct wait *w)
{
	ipc_cancel(&w->mw->worker->master, w->seq);
	return FX_OK;
}

/* Troubles of the channel become an error like any other; the loop that called
 * us finds them again. */
static int
await(struct wait *w, struct fx_err *err)
{
	int r = ipc_await(&w->mw->worker->master, w->seq);

	if (w->err.code != FX_OK) {
		*err = w->err;
		return err->code;
	}
	if (r == FX_OK)
		return FX_OK;
	return fx_fail(err, FX_ERETRY, "the channel to the master is closed");
}

/* ---- the tree ----------------------------------------------------------- */

struct tree_wait {
	struct wait w;
	bool full;
};

static int
on_tree_part(struct tree_wait *t, struct ipc_frame *f)
{
	struct tree *tree = &t->w.mw->tree;
	struct ipc_tree_part part;
	int r = ipc_tree_part_decode(&f->body, &part, &f->fd);

	if (r != FX_OK)
		return r;
	for (size_t i = 0; i < part.entries_len; i++) {
		const struct ipc_tree_entry *e = &part.entries[i];

		if (e->removed)
			tree_remove(tree, e->path);
		else
			tree_put(tree, e->path, e->oid, (uint32_t)e->mode,
			    e->size);
	}
	ipc_tree_part_clear(&part);
	return FX_OK;
}

static int
on_tree(void *arg, struct ipc_frame *f)
{
	struct tree_wait *t = arg;
	struct ipc_tree_end end;
	int r;

	if (f != NULL && f->type == IPC_T_TREE_PART)
		return on_tree_part(t, f);
	if (f == NULL || f->type != IPC_T_TREE_END)
		return take_failure(&t->w, f);
	if ((r = ipc_tree_end_decode(&f->body, &end, &f->fd)) != FX_OK)
		return r;
	t->full = end.full;
	ipc_tree_end_clear(&end);
	return FX_OK;
}

int
mw_ask_tree(struct mw *mw, const char *commit, bool *changed,
    struct fx_err *err)
{
	struct tree_wait t = { .w = { .mw = mw } };
	const struct ipc_tree m = {
		.commit = (char *)(uintptr_t)commit,
		.base = mw->commit,
	};
	int r;

	*changed = false;
	/* a commit is always the same files: nobody needs to be asked */
	if (mw->loaded && strcmp(mw->commit, commit) == 0)
		return FX_OK;
	t.w.seq = ipc_ask_tree(&mw->worker->master, &m, on_tree, &t);
	if ((r = await(&t.w, err)) == FX_OK)
		r = tree_settle(&mw->tree, t.full, changed, err);
	if (r != FX_OK) {
		/* where the tree is now is not known: start over next time */
		tree_clear(&mw->tree);
		commit = "";
	}
	free(mw->commit);
	mw->commit = xstrdup(commit);
	return r;
}

/* ---- blobs -------------------------------------------------------------- */

struct blob_wait {
	struct wait w;
	struct buf content; /* of blob `at`, as far as it has come */
	size_t at, n;
	mw_blob_fn *fn;
	void *arg;
};

/* A piece of the blob that is due; they come in the order asked for. */
static int
take_chunk(struct blob_wait *b, const struct ipc_chunk *c)
{
	int r;

	if (b->at == b->n || c->index != b->at)
		return fx_fail(&b->w.err, FX_EFAIL,
		    "git answered with another blob than was asked for");
	if (buf_put(&b->content, c->data.p, c->data.n) != FX_OK)
		return fx_fail(&b->w.err, FX_ELIMIT,
		    "a file has more than %zu bytes", b->content.max);
	if (!c->last)
		return FX_OK;
	r = b->fn(b->arg, b->at, buf_head(&b->content), buf_left(&b->content),
	    &b->w.err);
	buf_reset(&b->content);
	b->at++;
	return r;
}

static int
on_blobs(void *arg, struct ipc_frame *f)
{
	struct blob_wait *b = arg;
	struct ipc_blob_part part;
	int r, done = FX_OK;

	if (f != NULL && f->type == IPC_T_BLOBS_END) {
		if (b->at < b->n)
			fx_fail(&b->w.err, FX_EFAIL,
			    "git answered with fewer blobs than were asked "
			    "for");
		return FX_OK;
	}
	if (f == NULL || f->type != IPC_T_BLOB_PART)
		return take_failure(&b->w, f);
	if ((r = ipc_blob_part_decode(&f->body, &part, &f->fd)) != FX_OK)
		return r;
	for (size_t i = 0; i < part.chunks_len && done == FX_OK; i++)
		done = take_chunk(b, &part.chunks[i]);
	ipc_blob_part_clear(&part);
	return done == FX_OK ? FX_OK : give_up(&b->w);
}

int
mw_ask_blobs(struct mw *mw, struct ipc_oid *oids, size_t n, size_t max,
    mw_blob_fn *fn, void *arg, struct fx_err *err)
{
	struct blob_wait b = { .w = { .mw = mw },
		.content = BUF_INIT(max),
		.n = n,
		.fn = fn,
		.arg = arg };
	const struct ipc_blobs m = { .oids = oids, .oids_len = n };
	int r;

	b.w.seq = ipc_ask_blobs(&mw->worker->master, &m, on_blobs, &b);
	r = await(&b.w, err);
	buf_clear(&b.content);
	return r;
}

/* ---- notes -------------------------------------------------------------- */

struct notes_wait {
	struct wait w;
	uint64_t max, n; /* notes that may come, and have */
	uint64_t commits;
	mw_note_fn *fn;
	void *arg;
};

static int
on_note_part(struct notes_wait *t, struct ipc_frame *f)
{
	struct ipc_note_part part;
	int r = ipc_note_part_decode(&f->body, &part, &f->fd), done = FX_OK;

	if (r != FX_OK)
		return r;
	for (size_t i = 0; i < part.notes_len && done == FX_OK; i++)
		done = ++t->n > t->max
		    ? fx_fail(&t->w.err, FX_EFAIL,
			  "git answered with more notes than were asked for")
		    : t->fn(t->arg, &part.notes[i], &t->w.err);
	ipc_note_part_clear(&part);
	return done == FX_OK ? FX_OK : give_up(&t->w);
}

static int
on_notes(void *arg, struct ipc_frame *f)
{
	struct notes_wait *t = arg;
	struct ipc_notes_end end;
	int r;

	if (f != NULL && f->type == IPC_T_NOTE_PART)
		return on_note_part(t, f);
	if (f == NULL || f->type != IPC_T_NOTES_END)
		return take_failure(&t->w, f);
	if ((r = ipc_notes_end_decode(&f->body, &end, &f->fd)) != FX_OK)
		return r;
	t->commits = end.commits;
	ipc_notes_end_clear(&end);
	return FX_OK;
}

int
mw_ask_notes(struct mw *mw, const char *from, const char *to, uint64_t max,
    mw_note_fn *fn, void *arg, uint64_t *commits, struct fx_err *err)
{
	struct notes_wait t = { .w = { .mw = mw },
		.max = max,
		.fn = fn,
		.arg = arg };
	const struct ipc_notes m = {
		.from = (char *)(uintptr_t)from,
		.to = (char *)(uintptr_t)to,
		.max = max,
	};
	int r;

	t.w.seq = ipc_ask_notes(&mw->worker->master, &m, on_notes, &t);
	if ((r = await(&t.w, err)) == FX_OK)
		*commits = t.commits;
	return r;
}

/* ---- scopes ------------------------------------------------------------- */

static enum known_scope
scope_kind(uint64_t scope)
{
	switch (scope) {
	case IPC_SCOPE_NAMESPACED:
		return KNOWN_NAMESPACED;
	case IPC_SCOPE_CLUSTER:
		return KNOWN_CLUSTER;
	case IPC_SCOPE_UNKNOWN:
		return KNOWN_UNKNOWN;
	default:
		return KNOWN_FAILED;
	}
}

/* The answers for all kinds, gathered over several questions. */
struct scopes_wait {
	struct wait w;
	struct set_scope *scopes; /* owned, with their why */
	size_t at;		  /* kinds that are answered */
	size_t asked;		  /* of the question at work */
	char *default_ns;	  /* owned */
};

static int
on_scopes(void *arg, struct ipc_frame *f)
{
	struct scopes_wait *s = arg;
	struct ipc_scopes_are m;
	int r;

	if (f == NULL || f->type != IPC_T_SCOPES_ARE)
		return take_failure(&s->w, f);
	if ((r = ipc_scopes_are_decode(&f->body, &m, &f->fd)) != FX_OK)
		return r;
	if (m.scopes_len != s->asked)
		fx_fail(&s->w.err, FX_EFAIL,
		    "sync answered for another number of kinds");
	else
		for (size_t i = 0; i < s->asked; i++, s->at++) {
			s->scopes[s->at].scope = scope_kind(m.scopes[i].scope);
			s->scopes[s->at].why = fx_steal(&m.scopes[i].why);
		}
	free(s->default_ns);
	s->default_ns = fx_steal(&m.default_ns);
	ipc_scopes_are_clear(&m);
	return FX_OK;
}

/* Ask about as many kinds as a frame surely holds. */
static int
ask_some(struct scopes_wait *s, struct fx_err *err)
{
	const struct set *set = &s->w.mw->set;
	struct ipc_scopes m = { 0 };
	size_t bytes = 0;

	m.kinds = xcalloc(set->nkinds - s->at + 1, sizeof(*m.kinds));
	for (size_t i = s->at; i < set->nkinds && bytes < IPC_PART_TARGET &&
	     m.kinds_len < IPC_MAX_KINDS;
	     i++) {
		struct ipc_kind *k = &m.kinds[m.kinds_len++];

		k->api_version = set->kinds[i]->api_version;
		k->kind = set->kinds[i]->kind;
		bytes += strlen(k->api_version) + strlen(k->kind) + ROW_COST;
	}
	s->asked = m.kinds_len;
	s->w.seq = ipc_ask_scopes(&s->w.mw->worker->master, &m, on_scopes, s);
	free(m.kinds);
	return await(&s->w, err);
}

int
mw_ask_scopes(struct mw *mw, struct fx_err *err)
{
	struct set *set = &mw->set;
	struct scopes_wait s = { .w = { .mw = mw } };
	int r;

	s.scopes = xcalloc(set->nkinds + 1, sizeof(*s.scopes));
	do /* without any kind, too: the namespace is asked for */
		r = ask_some(&s, err);
	while (r == FX_OK && s.at < set->nkinds);
	if (r == FX_OK)
		r = set_commit(set, s.scopes, s.default_ns, err);
	for (size_t i = 0; i < set->nkinds; i++)
		free(s.scopes[i].why);
	free(s.scopes);
	free(s.default_ns);
	return r;
}
