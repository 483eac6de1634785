/* SPDX-License-Identifier: Apache-2.0 */
/* What git-local answers. */
#include "base.h"
#include "handlers.h"

#include "fd.h"
#include "history.h"
#include "log.h"
#include "notes.h"
#include "objects.h"
#include "tree.h"

#include <malloc.h>

/* Encoded size of a row beside its strings; generous. */
#define ROW_COST 64
#define MANY 256 /* blobs whose memory is worth giving back */

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
	fd_close(&g->dir_fd);
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
 * Rows of a streamed answer gather in the part that will carry them.  What is
 * added is the stream's, whatever comes of it, until PART_clear.  Before a row
 * that would make the part too large, it is sent.  A stream that nobody wants
 * any more ends the work with FX_ECANCELLED.
 */
#define STREAM(PART, row, rows)                                                \
	struct PART##_stream {                                                 \
		const struct ipc_req *req;                                     \
		struct fx_err *err;                                            \
		struct ipc_##PART part;                                        \
		size_t bytes; /* of the rows, about */                         \
	};                                                                     \
                                                                               \
	static int PART##_flush(struct PART##_stream *s)                       \
	{                                                                      \
		int r = FX_OK;                                                 \
                                                                               \
		if (s->part.rows##_len != 0 &&                                 \
		    (r = ipc_await_credit(s->req)) == FX_OK)                   \
			r = ipc_reply_##PART(s->req, &s->part);                \
		ipc_##PART##_clear(&s->part);                                  \
		s->bytes = 0;                                                  \
		return r == FX_OK ? FX_OK                                      \
				  : fx_fail(s->err, r, "the stream ended");    \
	}                                                                      \
                                                                               \
	static int PART##_add(struct PART##_stream *s, struct ipc_##row add,   \
	    size_t bytes)                                                      \
	{                                                                      \
		int r = FX_OK;                                                 \
                                                                               \
		if (s->part.rows##_len == IPC_MAX_LIST ||                      \
		    s->bytes + bytes > IPC_PART_TARGET)                        \
			r = PART##_flush(s);                                   \
		if (s->part.rows == NULL)                                      \
			s->part.rows = xcalloc(IPC_MAX_LIST, sizeof(add));     \
		s->part.rows[s->part.rows##_len++] = add;                      \
		s->bytes += bytes + ROW_COST;                                  \
		return r;                                                      \
	}

STREAM(tree_part, tree_entry, entries)
STREAM(blob_part, chunk, chunks)
STREAM(commit_part, commit, commits)
STREAM(note_part, note, notes)

static struct ipc_bytes
copy_of(const void *p, size_t n)
{
	struct ipc_bytes out = { xmalloc(n + 1), n };

	memcpy(out.p, p, n);
	return out;
}

static char *
hex_of(const git_oid *oid)
{
	char hex[GW_OID_HEX];

	return xstrdup(git_oid_tostr(hex, sizeof(hex), oid));
}

/* ---- tree ---- */

static int
on_item(void *arg, const struct tree_item *item, struct fx_err *err)
{
	(void)err; /* the stream's */
	return tree_part_add(arg,
	    (struct ipc_tree_entry){ .path = xstrdup(item->path),
		.oid = xstrdup(item->hex),
		.mode = item->mode,
		.size = item->size,
		.removed = item->removed },
	    strlen(item->path) + strlen(item->hex));
}

static int
gw_on_tree(struct gw *g, const struct ipc_req *req, struct ipc_tree *m)
{
	const struct config *cfg = &g->worker->cfg;
	struct fx_err err = { 0 };
	struct tree_part_stream s = { .req = req, .err = &err };
	const struct tree_query q = {
		.commit = m->commit,
		.base = m->base,
		.roots = cfg->git_path.v,
		.nroots = cfg->git_path.n,
		.max_object = cfg->git_max_object,
		.fn = on_item,
		.arg = &s,
	};
	struct tree_result result = { 0 };
	int r = gw_ready(g, &err);

	if (r == FX_OK)
		r = tree_list(&g->mirror, &q, &g->listed, &result, &err);
	if (r == FX_OK)
		r = tree_part_flush(&s);
	ipc_tree_part_clear(&s.part);
	if (result.full)
		(void)malloc_trim(0);
	if (r != FX_OK)
		return ipc_reply_fail(req, &err);
	return ipc_reply_tree_end(req,
	    &(struct ipc_tree_end){ .count = result.count,
		.full = result.full });
}
IPC_HANDLER(tree, gw_on_tree, struct gw)

/* ---- blobs ---- */

static int
send_blob(struct blob_part_stream *s, size_t index, const uint8_t *p,
    size_t left)
{
	size_t n;
	int r;

	/* an empty file is one empty chunk */
	do {
		n = left < IPC_MAX_CHUNK ? left : IPC_MAX_CHUNK;
		r = blob_part_add(s,
		    (struct ipc_chunk){ .index = index,
			.last = n == left,
			.data = copy_of(p, n) },
		    n);
		p += n;
		left -= n;
	} while (r == FX_OK && left != 0);
	return r;
}

static int
send_blobs(struct gw *g, struct blob_part_stream *s, const struct ipc_blobs *m)
{
	size_t max = g->worker->cfg.git_max_file;
	int r = FX_OK;

	for (size_t i = 0; i < m->oids_len && r == FX_OK; i++) {
		git_odb_object *o = NULL;

		r = blob_read(&g->mirror, m->oids[i].hex, max, &o, s->err);
		if (r != FX_OK)
			return r;
		r = send_blob(s, i, git_odb_object_data(o),
		    git_odb_object_size(o));
		git_odb_object_free(o);
	}
	return r == FX_OK ? blob_part_flush(s) : r;
}

static int
gw_on_blobs(struct gw *g, const struct ipc_req *req, struct ipc_blobs *m)
{
	const struct ipc_blobs_end out = { 0 };
	struct fx_err err = { 0 };
	struct blob_part_stream s = { .req = req, .err = &err };
	int r = gw_ready(g, &err);

	if (r == FX_OK)
		r = send_blobs(g, &s, m);
	ipc_blob_part_clear(&s.part);
	if (m->oids_len > MANY)
		(void)malloc_trim(0);
	if (r != FX_OK)
		return ipc_reply_fail(req, &err);
	return ipc_reply_blobs_end(req, &out);
}
IPC_HANDLER(blobs, gw_on_blobs, struct gw)

/* ---- commits ---- */

/* The commits of the configured paths that the query asks for. */
static int
list_commits(struct gw *g, struct history_query q, bool *more,
    struct fx_err *err)
{
	const struct config *cfg = &g->worker->cfg;
	int r = gw_ready(g, err);

	q.roots = cfg->git_path.v;
	q.nroots = cfg->git_path.n;
	q.max_object = cfg->git_max_object;
	return r == FX_OK ? history_list(&g->mirror, &q, more, err) : r;
}

static int
on_commit(void *arg, git_commit *c)
{
	const struct ipc_commit row = { .oid = hex_of(git_commit_id(c)),
		.subject = history_subject(c) };

	return commit_part_add(arg, row, strlen(row.oid) + strlen(row.subject));
}

static int
gw_on_commits(struct gw *g, const struct ipc_req *req, struct ipc_commits *m)
{
	struct fx_err err = { 0 };
	struct commit_part_stream s = { .req = req, .err = &err };
	struct ipc_commits_end out = { 0 };
	int r = list_commits(g,
	    (struct history_query){ .from = m->from,
		.to = m->to,
		.max = m->max,
		.fn = on_commit,
		.arg = &s },
	    &out.more, &err);

	if (r == FX_OK)
		r = commit_part_flush(&s);
	ipc_commit_part_clear(&s.part);
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

/* A note that cannot be had is one that says nothing. */
static int
send_note(struct note_part_stream *s, struct notes *notes, const git_oid *oid)
{
	auto_free char *hex = hex_of(oid);
	git_odb_object *o = NULL;
	struct fx_err err = { 0 };
	size_t n;
	int r;

	if (notes_read(notes, oid, IPC_MAX_NOTE, &o, &err) != FX_OK)
		log_at(LVL_WARN, KS("warning", "a note is passed over"),
		    KS("commit", hex), KS("err", err.text));
	if (o == NULL)
		return FX_OK;
	n = git_odb_object_size(o);
	r = note_part_add(s,
	    (struct ipc_note){ .commit = fx_steal(&hex),
		.text = copy_of(git_odb_object_data(o), n) },
	    n);
	git_odb_object_free(o);
	return r;
}

static int
send_notes(struct gw *g, struct note_part_stream *s, const struct oid_list *l)
{
	struct notes notes;
	int r = FX_OK;

	if (notes_open(&notes, &g->mirror, g->worker->cfg.git_max_object,
		s->err) != FX_OK)
		log_at(LVL_WARN, KS("warning", "notes are passed over"),
		    KS("err", s->err->text));
	for (size_t i = l->n; i != 0 && r == FX_OK; i--)
		r = send_note(s, &notes, &l->v[i - 1]);
	notes_close(&notes);
	return r == FX_OK ? note_part_flush(s) : r;
}

static int
gw_on_notes(struct gw *g, const struct ipc_req *req, struct ipc_notes *m)
{
	struct fx_err err = { 0 };
	struct note_part_stream s = { .req = req, .err = &err };
	struct oid_list commits = { 0 };
	struct ipc_notes_end out;
	bool more;
	int r = list_commits(g,
	    (struct history_query){ .from = m->from,
		.to = m->to,
		.max = m->max,
		.max_walk = *m->from == '\0' ? NOTES_MAX_WALK : 0,
		.fn = on_noted,
		.arg = &commits },
	    &more, &err);

	if (r == FX_OK)
		r = send_notes(g, &s, &commits);
	ipc_note_part_clear(&s.part);
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
