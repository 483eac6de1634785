/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "local_repo.h"

#include <errno.h>
#include <git2/sys/odb_backend.h>
#include <unistd.h>

/* A bare repository or one with a work tree. */
static int
open_at(const char *path, git_repository **out, struct fx_err *err)
{
	int r = git_repository_open_ext(out, path,
	    GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);

	if (r != 0)
		return gw_git_fail(r, err, "'%s'", path);
	return FX_OK;
}

/* What ended the work, if it did not end by itself. */
static int
fail(struct link *l, int r, struct fx_err *err, const char *what)
{
	if (l->err.code == FX_OK)
		return gw_git_fail(r, err, "%s", what);
	*err = l->err;
	return err->code;
}

/* ---- moving objects ---- */

/* Leave out what the other side has: everything its refs lead to. */
static int
hide_refs(git_revwalk *walk, git_repository *from, git_repository *to)
{
	git_reference_iterator *it = NULL;
	git_reference *ref = NULL;
	git_object *o = NULL, *here = NULL;
	int r;

	if ((r = git_reference_iterator_new(&it, to)) != 0)
		return r;
	while ((r = git_reference_next(&ref, it)) == 0) {
		if (git_reference_peel(&o, ref, GIT_OBJECT_COMMIT) == 0 &&
		    git_object_lookup(&here, from, git_object_id(o),
			GIT_OBJECT_COMMIT) == 0)
			r = git_revwalk_hide(walk, git_object_id(here));
		git_object_free(fx_steal(&o));
		git_object_free(fx_steal(&here));
		git_reference_free(ref);
		if (r != 0)
			break;
	}
	git_reference_iterator_free(it);
	git_error_clear();
	return r == GIT_ITEROVER ? 0 : r;
}

/* A commit by the walk; a tag by itself and then what it is on. */
static int
add_wanted(git_packbuilder *pack, git_revwalk *walk, git_repository *from,
    const git_oid *oid)
{
	git_object *o = NULL, *target = NULL;
	int r = git_object_lookup(&o, from, oid, GIT_OBJECT_ANY);

	while (r == 0 && git_object_type(o) == GIT_OBJECT_TAG) {
		r = git_packbuilder_insert(pack, git_object_id(o), NULL);
		if (r == 0)
			r = git_tag_target(&target, (git_tag *)o);
		git_object_free(o);
		o = fx_steal(&target);
	}
	if (r == 0 && git_object_type(o) == GIT_OBJECT_COMMIT)
		r = git_revwalk_push(walk, git_object_id(o));
	else if (r == 0)
		r = git_packbuilder_insert_recur(pack, git_object_id(o), NULL);
	git_object_free(o);
	return r;
}

/* A pack on its way; the progress is state of libgit2's indexer. */
struct writing {
	git_odb_writepack *out;
	git_indexer_progress progress;
	struct link *link;
};

static int
look(struct link *l)
{
	struct fx_err err;

	if (link_check(l, &err) != FX_OK)
		return link_failed(l, &err);
	return 0;
}

static int
on_progress(int stage, uint32_t current, uint32_t total, void *arg)
{
	(void)stage;
	(void)current;
	(void)total;
	return look(arg);
}

static int
on_indexed(const git_indexer_progress *stats, void *arg)
{
	(void)stats;
	return look(arg);
}

static int
on_pack(void *data, size_t n, void *arg)
{
	struct writing *w = arg;
	int r = look(w->link);

	return r != 0 ? r : w->out->append(w->out, data, n, &w->progress);
}

static int
write_pack(git_packbuilder *pack, git_odb *odb, struct link *l)
{
	struct writing w = { .link = l };
	int r;

	if (git_packbuilder_object_count(pack) == 0)
		return 0;
	if ((r = git_odb_write_pack(&w.out, odb, on_indexed, l)) != 0)
		return r;
	if ((r = git_packbuilder_foreach(pack, on_pack, &w)) == 0)
		r = w.out->commit(w.out, &w.progress);
	w.out->free(w.out);
	return r;
}

/* Bring the objects over, and all that they need. */
static int
move_objects(git_repository *from, git_repository *to, const git_oid *oids,
    size_t n, struct link *l)
{
	git_packbuilder *pack = NULL;
	git_revwalk *walk = NULL;
	git_odb *odb = NULL;
	int r;

	if ((r = git_repository_odb(&odb, to)) == 0 &&
	    (r = git_packbuilder_new(&pack, from)) == 0 &&
	    (r = git_revwalk_new(&walk, from)) == 0) {
		/* 1 is without threads */
		(void)git_packbuilder_set_threads(pack, 1);
		(void)git_packbuilder_set_callbacks(pack, on_progress, l);
		for (size_t i = 0; i < n && r == 0; i++)
			if (!git_odb_exists(odb, &oids[i]))
				r = add_wanted(pack, walk, from, &oids[i]);
		if (r == 0 && (r = hide_refs(walk, from, to)) == 0 &&
		    (r = git_packbuilder_insert_walk(pack, walk)) == 0)
			r = write_pack(pack, odb, l);
	}
	git_revwalk_free(walk);
	git_packbuilder_free(pack);
	git_odb_free(odb);
	return r;
}

/* ---- fetch ---- */

static int
fetch_refs(git_repository *from, struct mirror *m, struct link *l,
    struct fx_err *err)
{
	const char *const refs[] = { m->branch, m->tag, m->notes };
	const char *found[nitems(refs)];
	git_oid oids[nitems(refs)];
	size_t n = 0;
	int r = FX_OK;

	for (size_t i = 0; i < nitems(refs) && r == FX_OK; i++) {
		if (git_reference_name_to_id(&oids[n], from, refs[i]) == 0)
			found[n++] = refs[i];
		else
			r = mirror_take_ref(m, refs[i], NULL, err);
	}
	git_error_clear();
	if (r == FX_OK && (r = move_objects(from, m->repo, oids, n, l)) != 0)
		r = fail(l, r, err, "fetch");
	for (size_t i = 0; i < n && r == FX_OK; i++)
		r = mirror_take_ref(m, found[i], &oids[i], err);
	return r;
}

int
local_fetch(const char *path, struct mirror *m, struct link *l,
    struct fx_err *err)
{
	git_repository *from = NULL;
	int r;

	if ((r = open_at(path, &from, err)) != FX_OK)
		return r;
	r = fetch_refs(from, m, l, err);
	git_repository_free(from);
	return r;
}

int
local_compact(struct mirror *m, struct link *l, struct fx_err *err)
{
	struct mirror twin;
	int r;

	switch (mirror_clutter(m)) {
	case MIRROR_TIDY:
		return FX_OK;
	case MIRROR_HOPELESS:
		mirror_give_up(m);
		return fx_fail(err, FX_ELIMIT,
		    "it has grown too large and is fetched anew next time");
	case MIRROR_SCATTERED:
		break;
	}
	if ((r = mirror_make_twin(m, &twin, err)) != FX_OK)
		return r;
	if ((r = local_fetch(m->path, &twin, l, err)) == FX_OK)
		r = mirror_swap(m, &twin, err);
	mirror_clear(&twin);
	return r;
}

/* ---- push ---- */

/* A checked-out branch that moves leaves its work tree behind. */
static bool
is_checked_out(git_repository *to, const char *ref)
{
	git_reference *head = NULL;
	bool same;

	if (git_repository_is_bare(to) ||
	    git_reference_lookup(&head, to, "HEAD") != 0)
		return false;
	same = git_reference_type(head) == GIT_REFERENCE_SYMBOLIC &&
	    strcmp(git_reference_symbolic_target(head), ref) == 0;
	git_reference_free(head);
	return same;
}

static int
reject(struct fx_err *err, int code, const char *ref, const char *why)
{
	return fx_fail(err, code, "! [remote rejected] %s (%s)", ref, why);
}

/* Delete a ref; that it is gone already is no failure. */
static int
delete_ref(git_repository *to, const struct remote_update *u,
    struct fx_err *err)
{
	git_reference *ref = NULL;
	int r = git_reference_lookup(&ref, to, u->dst);

	if (r == 0)
		r = git_reference_delete(ref);
	git_reference_free(ref);
	if (r != 0 && r != GIT_ENOTFOUND)
		return gw_git_fail(r, err, "%s", u->dst);
	git_error_clear();
	return FX_OK;
}

static int
move_ref(git_repository *to, const struct remote_update *u, const git_oid *oid,
    struct fx_err *err)
{
	git_reference *ref = NULL;
	git_oid old;
	int r, forward;
	bool exists = git_reference_name_to_id(&old, to, u->dst) == 0;

	if (exists && !u->force && !git_oid_equal(&old, oid)) {
		forward = git_graph_descendant_of(to, oid, &old);
		if (forward != 1)
			return reject(err, FX_ECONFLICT, u->dst,
			    "non-fast-forward");
	}
	r = exists ? git_reference_create_matching(&ref, to, u->dst, oid, 1,
			 &old, NULL)
		   : git_reference_create(&ref, to, u->dst, oid, 0, NULL);
	git_reference_free(ref);
	if (r == GIT_EEXISTS || r == GIT_EMODIFIED || r == GIT_ELOCKED)
		return reject(err, FX_ECONFLICT, u->dst, "cannot lock ref");
	if (r != 0)
		return gw_git_fail(r, err, "%s", u->dst);
	return FX_OK;
}

static int
push_one(git_repository *to, struct mirror *m, const struct remote_update *u,
    struct link *l, struct fx_err *err)
{
	git_oid oid;
	int r;

	if (is_checked_out(to, u->dst))
		return reject(err, FX_EDENIED, u->dst,
		    "branch is currently checked out");
	if (*u->src == '\0')
		return delete_ref(to, u, err);
	if ((r = git_reference_name_to_id(&oid, m->repo, u->src)) != 0)
		return gw_git_fail(r, err, "push");
	if ((r = move_objects(m->repo, to, &oid, 1, l)) != 0)
		return fail(l, r, err, "push");
	return move_ref(to, u, &oid, err);
}

int
local_push(const char *path, struct mirror *m, const struct remote_update *u,
    size_t n, struct link *l, struct fx_err *err)
{
	git_repository *to = NULL;
	int r;

	if ((r = open_at(path, &to, err)) != FX_OK)
		return r;
	for (size_t i = 0; i < n && r == FX_OK; i++)
		r = push_one(to, m, &u[i], l, err);
	git_repository_free(to);
	return r;
}

int
local_check_write(const char *path, struct fx_err *err)
{
	git_repository *to = NULL;
	auto_free char *refs = NULL;
	int r;

	if ((r = open_at(path, &to, err)) != FX_OK)
		return r;
	refs = xasprintf("%srefs", git_repository_path(to));
	git_repository_free(to);
	if (access(refs, W_OK) == -1)
		return fx_fail(err, FX_EDENIED, "%s: %s", refs,
		    strerror(errno));
	return FX_OK;
}
