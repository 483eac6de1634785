/* SPDX-License-Identifier: Apache-2.0 */
/* What git-local answers. */
#include "base.h"
#include "handlers.h"

#include "history.h"
#include "log.h"
#include "notes.h"
#include "objects.h"
#include "tree.h"

/* Encoded size of a row beside its strings; generous. */
#define ROW_COST 64

/* Commits looked at for notes where nothing else ends the walk: of a history
 * that hardly touches the paths the newest part is enough. */
#define NOTES_MAX_WALK 20000

void
gw_open_local(struct gw *g, struct worker *w)
{
	if (gw_open_mirror(g, w, false) != FX_OK)
		return; /* every request is answered with why */
}

void
gw_close_local(struct gw *g)
{
	tree_memory_clear(&g->listed);
	mirror_clear(&g->mirror);
}

/* ---- refs and tag ---- */

static int
gw_on_refs(struct gw *g, const struct ipc_req *req, struct ipc_refs *m)
{
	char head[GW_OID_HEX], marker[GW_OID_HEX];
	const struct ipc_refs_are out = { .head = head, .marker = marker };
	struct mirror *mirror = &g->mirror;
	struct fx_err err = { 0 };

	(void)m;
	if (gw_ready(g, &err) != FX_OK ||
	    mirror_commit_of(mirror, mirror->branch, head, &err) != FX_OK ||
	    mirror_commit_of(mirror, mirror->tag, marker, &err) != FX_OK)
		return ipc_reply_fail(req, &err);
	return ipc_reply_refs_are(req, &out);
}
IPC_HANDLER(refs, gw_on_refs, struct gw)

static int
gw_on_tag(struct gw *g, const struct ipc_req *req, struct ipc_tag *m)
{
	const struct config *cfg = &g->worker->cfg;
	struct fx_err err = { 0 };
	char hex[GW_OID_HEX];
	const struct ipc_tagged out = { .oid = hex };
	git_oid oid;

	if (gw_ready(g, &err) != FX_OK ||
	    tag_make(&g->mirror, m->commit, cfg->git_user, cfg->git_email,
		IPC_STAGED_TAG, &oid, &err) != FX_OK)
		return ipc_reply_fail(req, &err);
	git_oid_tostr(hex, sizeof(hex), &oid);
	return ipc_reply_tagged(req, &out);
}
IPC_HANDLER(tag, gw_on_tag, struct gw)

/* ---- streams ---- */

/*
 * Rows of a streamed answer, sent when they fill a part.  A stream that nobody
 * wants any more ends the work with FX_ECANCELLED.
 */
struct tree_stream {
	const struct ipc_req *req;
	struct ipc_tree_entry rows[IPC_MAX_LIST];
	size_t n, bytes;
};

static int
tree_flush(struct tree_stream *s)
{
	struct ipc_tree_part part = { .entries = s->rows, .entries_len = s->n };
	int r = FX_OK;

	if (s->n != 0 && (r = ipc_await_credit(s->req)) == FX_OK)
		r = ipc_reply_tree_part(s->req, &part);
	for (size_t i = 0; i < s->n; i++)
		ipc_tree_entry_clear(&s->rows[i]);
	s->n = 0;
	s->bytes = 0;
	return r;
}

static int
on_item(void *arg, const struct tree_item *item, struct fx_err *err)
{
	struct tree_stream *s = arg;
	int r = FX_OK;

	s->rows[s->n++] = (struct ipc_tree_entry){
		.path = xstrdup(item->path),
		.oid = xstrdup(item->hex),
		.mode = item->mode,
		.size = item->size,
		.removed = item->removed,
	};
	s->bytes += strlen(item->path) + strlen(item->hex) + ROW_COST;
	if (s->n == nitems(s->rows) || s->bytes >= IPC_PART_TARGET)
		r = tree_flush(s);
	return r == FX_OK ? FX_OK : fx_fail(err, r, "the stream ended");
}

static int
gw_on_tree(struct gw *g, const struct ipc_req *req, struct ipc_tree *m)
{
	const struct config *cfg = &g->worker->cfg;
	struct tree_stream *s = xcalloc(1, sizeof(*s));
	const struct tree_query q = {
		.commit = m->commit,
		.base = m->base,
		.roots = cfg->git_path.v,
		.nroots = cfg->git_path.n,
		.max_object = cfg->git_max_object,
		.fn = on_item,
		.arg = s,
	};
	struct tree_result result = { 0 };
	struct fx_err err = { 0 };
	int r;

	s->req = req;
	if ((r = gw_ready(g, &err)) == FX_OK &&
	    (r = tree_list(&g->mirror, &q, &g->listed, &result, &err)) ==
		FX_OK &&
	    (r = tree_flush(s)) != FX_OK)
		(void)fx_fail(&err, r, "the stream ended");
	for (size_t i = 0; i < s->n; i++)
		ipc_tree_entry_clear(&s->rows[i]);
	free(s);
	if (r != FX_OK)
		return ipc_reply_fail(req, &err);
	return ipc_reply_tree_end(req,
	    &(struct ipc_tree_end){ .count = result.count,
		.full = result.full });
}
IPC_HANDLER(tree, gw_on_tree, struct gw)

/* Chunks of files, in a part of its own making. */
struct blob_stream {
	const struct ipc_req *req;
	struct ipc_chunk rows[IPC_MAX_LIST];
	size_t n, bytes;
	size_t used; /* of data; the rows point into it */
	uint8_t data[IPC_PART_TARGET + IPC_MAX_CHUNK];
};

static int
blob_flush(struct blob_stream *s)
{
	struct ipc_blob_part part = { .chunks = s->rows, .chunks_len = s->n };
	int r = FX_OK;

	if (s->n != 0 && (r = ipc_await_credit(s->req)) == FX_OK)
		r = ipc_reply_blob_part(s->req, &part);
	s->n = 0;
	s->bytes = 0;
	s->used = 0;
	return r;
}

static int
send_blob(struct blob_stream *s, size_t index, const uint8_t *p, size_t left)
{
	size_t n;
	int r;

	/* an empty file is one empty chunk */
	do {
		if ((s->n == nitems(s->rows) || s->bytes >= IPC_PART_TARGET) &&
		    (r = blob_flush(s)) != FX_OK)
			return r;
		n = left < IPC_MAX_CHUNK ? left : IPC_MAX_CHUNK;
		memcpy(s->data + s->used, p, n);
		s->rows[s->n++] = (struct ipc_chunk){
			.index = index,
			.last = n == left,
			.data = { s->data + s->used, n },
		};
		s->used += n;
		s->bytes += n + ROW_COST;
		p += n;
		left -= n;
	} while (left != 0);
	return FX_OK;
}

static int
send_blobs(struct gw *g, struct blob_stream *s, const struct ipc_blobs *m,
    struct fx_err *err)
{
	size_t max = g->worker->cfg.git_max_file;
	int r = FX_OK;

	for (size_t i = 0; i < m->oids_len && r == FX_OK; i++) {
		git_odb_object *o = NULL;

		r = blob_read(&g->mirror, m->oids[i].hex, max, &o, err);
		if (r != FX_OK)
			return r;
		r = send_blob(s, i, git_odb_object_data(o),
		    git_odb_object_size(o));
		git_odb_object_free(o);
	}
	if (r == FX_OK)
		r = blob_flush(s);
	return r == FX_OK ? FX_OK : fx_fail(err, r, "the stream ended");
}

static int
gw_on_blobs(struct gw *g, const struct ipc_req *req, struct ipc_blobs *m)
{
	struct blob_stream *s = xcalloc(1, sizeof(*s));
	const struct ipc_blobs_end out = { 0 };
	struct fx_err err = { 0 };
	int r;

	s->req = req;
	if ((r = gw_ready(g, &err)) == FX_OK)
		r = send_blobs(g, s, m, &err);
	free(s);
	if (r != FX_OK)
		return ipc_reply_fail(req, &err);
	return ipc_reply_blobs_end(req, &out);
}
IPC_HANDLER(blobs, gw_on_blobs, struct gw)

struct commit_stream {
	const struct ipc_req *req;
	struct ipc_commit rows[IPC_MAX_LIST];
	size_t n, bytes;
};

static int
commit_flush(struct commit_stream *s)
{
	struct ipc_commit_part part = { .commits = s->rows,
		.commits_len = s->n };
	int r = FX_OK;

	if (s->n != 0 && (r = ipc_await_credit(s->req)) == FX_OK)
		r = ipc_reply_commit_part(s->req, &part);
	for (size_t i = 0; i < s->n; i++)
		ipc_commit_clear(&s->rows[i]);
	s->n = 0;
	s->bytes = 0;
	return r;
}

static char *
hex_of(const git_oid *oid)
{
	char hex[GW_OID_HEX];

	return xstrdup(git_oid_tostr(hex, sizeof(hex), oid));
}

static int
on_commit(void *arg, git_commit *c)
{
	struct commit_stream *s = arg;
	struct ipc_commit *row = &s->rows[s->n++];

	*row = (struct ipc_commit){ .oid = hex_of(git_commit_id(c)),
		.subject = history_subject(c) };
	s->bytes += strlen(row->oid) + strlen(row->subject) + ROW_COST;
	if (s->n < nitems(s->rows) && s->bytes < IPC_PART_TARGET)
		return FX_OK;
	return commit_flush(s);
}

static int
gw_on_commits(struct gw *g, const struct ipc_req *req, struct ipc_commits *m)
{
	const struct config *cfg = &g->worker->cfg;
	struct commit_stream *s = xcalloc(1, sizeof(*s));
	const struct history_query q = {
		.from = m->from,
		.to = m->to,
		.roots = cfg->git_path.v,
		.nroots = cfg->git_path.n,
		.max = m->max,
		.max_object = cfg->git_max_object,
		.fn = on_commit,
		.arg = s,
	};
	struct ipc_commits_end out = { 0 };
	struct fx_err err = { 0 };
	int r;

	s->req = req;
	if ((r = gw_ready(g, &err)) == FX_OK &&
	    (r = history_list(&g->mirror, &q, &out.more, &err)) == FX_OK &&
	    (r = commit_flush(s)) != FX_OK)
		(void)fx_fail(&err, r, "the stream ended");
	for (size_t i = 0; i < s->n; i++)
		ipc_commit_clear(&s->rows[i]);
	free(s);
	if (r != FX_OK)
		return ipc_reply_fail(req, &err);
	return ipc_reply_commits_end(req, &out);
}
IPC_HANDLER(commits, gw_on_commits, struct gw)

/* ---- notes ---- */

/* Commits as they are found, for notes go the other way round. */
struct oid_list {
	git_oid *v; /* owned */
	size_t n, room;
};

static int
on_noted(void *arg, git_commit *c)
{
	struct oid_list *l = arg;

	if (l->n == l->room) {
		l->room = l->room == 0 ? 64 : 2 * l->room;
		l->v = xreallocarray(l->v, l->room, sizeof(*l->v));
	}
	git_oid_cpy(&l->v[l->n++], git_commit_id(c));
	return FX_OK;
}

struct note_stream {
	const struct ipc_req *req;
	struct ipc_note rows[IPC_MAX_LIST];
	size_t n, bytes;
};

static int
note_flush(struct note_stream *s, bool send)
{
	struct ipc_note_part part = { .notes = s->rows, .notes_len = s->n };
	int r = FX_OK;

	if (send && s->n != 0 && (r = ipc_await_credit(s->req)) == FX_OK)
		r = ipc_reply_note_part(s->req, &part);
	for (size_t i = 0; i < s->n; i++)
		ipc_note_clear(&s->rows[i]);
	s->n = 0;
	s->bytes = 0;
	return r;
}

/* A note that cannot be had is one that says nothing. */
static int
send_note(struct note_stream *s, struct notes *notes, const git_oid *oid)
{
	auto_free char *hex = hex_of(oid);
	git_odb_object *o = NULL;
	struct fx_err err = { 0 };
	struct ipc_note *row;
	size_t n;
	int r;

	if (notes_read(notes, oid, IPC_MAX_NOTE, &o, &err) != FX_OK)
		log_at(LVL_WARN, KS("warning", "a note is passed over"),
		    KS("commit", hex), KS("err", err.text));
	if (o == NULL)
		return FX_OK;
	n = git_odb_object_size(o);
	/* a frame has room for the largest note, but not for another */
	r = s->n == nitems(s->rows) || s->bytes + n > IPC_PART_TARGET
	    ? note_flush(s, true)
	    : FX_OK;
	row = &s->rows[s->n++];
	*row = (struct ipc_note){ .commit = fx_steal(&hex),
		.text = { xmalloc(n + 1), n } };
	memcpy(row->text.p, git_odb_object_data(o), n);
	s->bytes += n + ROW_COST;
	git_odb_object_free(o);
	return r;
}

static int
send_notes(struct gw *g, const struct ipc_req *req, const struct oid_list *l,
    struct fx_err *err)
{
	struct note_stream *s = xcalloc(1, sizeof(*s));
	struct notes notes;
	int r = FX_OK;

	s->req = req;
	if (notes_open(&notes, &g->mirror, g->worker->cfg.git_max_object,
		err) != FX_OK)
		log_at(LVL_WARN, KS("warning", "notes are passed over"),
		    KS("err", err->text));
	for (size_t i = l->n; i != 0 && r == FX_OK; i--)
		r = send_note(s, &notes, &l->v[i - 1]);
	notes_close(&notes);
	if (r == FX_OK)
		r = note_flush(s, true);
	(void)note_flush(s, false);
	free(s);
	return r == FX_OK ? FX_OK : fx_fail(err, r, "the stream ended");
}

static int
gw_on_notes(struct gw *g, const struct ipc_req *req, struct ipc_notes *m)
{
	const struct config *cfg = &g->worker->cfg;
	struct oid_list commits = { 0 };
	const struct history_query q = {
		.from = m->from,
		.to = m->to,
		.roots = cfg->git_path.v,
		.nroots = cfg->git_path.n,
		.max = m->max,
		.max_walk = *m->from == '\0' ? NOTES_MAX_WALK : 0,
		.max_object = cfg->git_max_object,
		.fn = on_noted,
		.arg = &commits,
	};
	struct ipc_notes_end out = { 0 };
	struct fx_err err = { 0 };
	bool more;
	int r;

	if ((r = gw_ready(g, &err)) == FX_OK &&
	    (r = history_list(&g->mirror, &q, &more, &err)) == FX_OK)
		r = send_notes(g, req, &commits, &err);
	out.commits = commits.n;
	free(commits.v);
	if (r != FX_OK)
		return ipc_reply_fail(req, &err);
	return ipc_reply_notes_end(req, &out);
}
IPC_HANDLER(notes, gw_on_notes, struct gw)

const struct ipc_handler gw_local_handlers[] = {
	{ IPC_T_REFS, gw_on_refs_frame },
	{ IPC_T_TREE, gw_on_tree_frame },
	{ IPC_T_BLOBS, gw_on_blobs_frame },
	{ IPC_T_COMMITS, gw_on_commits_frame },
	{ IPC_T_NOTES, gw_on_notes_frame },
	{ IPC_T_TAG, gw_on_tag_frame },
};
const size_t gw_nlocal_handlers = nitems(gw_local_handlers);
