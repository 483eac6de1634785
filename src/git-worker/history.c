/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "history.h"

#include "buf.h"
#include "objects.h"
#include "oidset.h"
#include "str.h"
#include "tree.h"

/* ---- does a commit touch the roots? ---- */

/* Is there the same at this path in both trees?  NULL is an empty tree. */
static bool
same_at(const git_tree *a, const git_tree *b, const char *path)
{
	git_tree_entry *x = NULL, *y = NULL;
	bool same;

	if (*path == '\0') {
		return a != NULL && b != NULL &&
		    git_oid_equal(git_tree_id(a), git_tree_id(b));
	}
	if (a != NULL)
		(void)git_tree_entry_bypath(&x, a, path);
	if (b != NULL)
		(void)git_tree_entry_bypath(&y, b, path);
	same = (x == NULL && y == NULL) ||
	    (x != NULL && y != NULL &&
		git_oid_equal(git_tree_entry_id(x), git_tree_entry_id(y)));
	git_tree_entry_free(x);
	git_tree_entry_free(y);
	git_error_clear();
	return same;
}

static bool
differs(const git_tree *a, const git_tree *b, char *const *roots, size_t n)
{
	if (a != NULL && b != NULL &&
	    git_oid_equal(git_tree_id(a), git_tree_id(b)))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!same_at(a, b, roots[i]))
			return true;
	return false;
}

/* ---- the walk ---- */

/* A commit that is still to be looked at. */
struct next {
	git_commit *commit; /* owned */
	git_time_t time;
	uint64_t order; /* among those of the same time: as they were found */
};

struct walk {
	struct mirror *mirror;
	const struct history_query *q;
	char **roots; /* cleaned; owned */
	bool limited; /* by `from`: then only these count */
	git_oid from;
	struct oidset inside; /* reached from `to` and not from `from` */
	struct oidset seen;
	struct next *heap; /* owned; the newest first */
	size_t n, room;
	uint64_t order;
	uint64_t walked;
	struct fx_err *err;
};

static bool
before(const struct next *a, const struct next *b)
{
	return a->time != b->time ? a->time > b->time : a->order < b->order;
}

static void
swap(struct next *a, struct next *b)
{
	struct next t = *a;

	*a = *b;
	*b = t;
}

static void
push(struct walk *w, git_commit *c)
{
	size_t i = w->n;

	if (w->n == w->room) {
		w->room = w->room == 0 ? 64 : 2 * w->room;
		w->heap = xreallocarray(w->heap, w->room, sizeof(*w->heap));
	}
	w->heap[w->n++] = (struct next){ c, git_commit_time(c), w->order++ };
	for (; i != 0 && before(&w->heap[i], &w->heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		swap(&w->heap[i], &w->heap[(i - 1) / 2]);
}

static git_commit *
pop(struct walk *w)
{
	git_commit *c = w->heap[0].commit;
	size_t i = 0, best;

	w->heap[0] = w->heap[--w->n];
	for (;;) {
		best = i;
		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < w->n; k++)
			if (before(&w->heap[k], &w->heap[best]))
				best = k;
		if (best == i)
			return c;
		swap(&w->heap[i], &w->heap[best]);
		i = best;
	}
}

static int
open_commit(struct walk *w, const git_oid *oid, git_commit **out)
{
	int r = object_check_size(w->mirror, oid, w->q->max_object, w->err);

	if (r != FX_OK)
		return r;
	if ((r = git_commit_lookup(out, w->mirror->repo, oid)) != 0)
		return mirror_fail(w->mirror, r, w->err, "history");
	return FX_OK;
}

static int
find(struct walk *w, const git_oid *oid)
{
	git_commit *c = NULL;
	int r;

	if ((w->limited && !oidset_has(&w->inside, oid)) ||
	    !oidset_add(&w->seen, oid))
		return FX_OK;
	if ((r = open_commit(w, oid, &c)) == FX_OK)
		push(w, c);
	return r;
}

/* Does git follow a merge there alone, if nothing differs?  Not to where
 * nothing is looked for, but for the very end. */
static bool
is_relevant(const struct walk *w, const git_oid *oid)
{
	return !w->limited || oidset_has(&w->inside, oid) ||
	    git_oid_equal(oid, &w->from);
}

static int
open_tree(struct walk *w, git_commit *c, git_tree **out)
{
	int r = object_check_size(w->mirror, git_commit_tree_id(c),
	    w->q->max_object, w->err);

	if (r != FX_OK)
		return r;
	if ((r = git_commit_tree(out, c)) != 0)
		return mirror_fail(w->mirror, r, w->err, "history");
	return FX_OK;
}

static int
parent_differs(struct walk *w, const git_tree *tree, const git_oid *parent,
    bool *out)
{
	git_commit *c = NULL;
	git_tree *other = NULL;
	int r;

	if ((r = open_commit(w, parent, &c)) == FX_OK &&
	    (r = open_tree(w, c, &other)) == FX_OK)
		*out = differs(tree, other, w->roots, w->q->nroots);
	git_tree_free(other);
	git_commit_free(c);
	return r;
}

/*
 * Which parents are followed, *from up to *to, and is the commit shown?  By
 * git's rules: the first parent that had the same in the roots is followed
 * alone and the commit is not shown; else all are, and it is shown if it
 * differs from one that counts, or, where none counts, from any.
 */
static int
simplify(struct walk *w, git_commit *c, unsigned *from, unsigned *to,
    bool *shown)
{
	unsigned parents = git_commit_parentcount(c);
	bool counts = false, changed = false, changed_aside = false, differ;
	git_tree *tree = NULL;
	int r;

	*from = 0;
	*to = parents;
	*shown = true;
	if (w->q->nroots == 0)
		return FX_OK;
	if ((r = open_tree(w, c, &tree)) != FX_OK)
		return r;
	if (parents == 0)
		*shown = differs(tree, NULL, w->roots, w->q->nroots);
	for (unsigned i = 0; i < parents; i++) {
		const git_oid *parent = git_commit_parent_id(c, i);
		bool relevant = is_relevant(w, parent);

		if ((r = parent_differs(w, tree, parent, &differ)) != FX_OK)
			break;
		if (relevant && !differ) {
			*from = i;
			*to = i + 1;
			*shown = false;
			parents = 0;
			break;
		}
		counts |= relevant;
		*(relevant ? &changed : &changed_aside) |= differ;
	}
	if (parents != 0)
		*shown = counts ? changed : changed_aside;
	git_tree_free(tree);
	return r;
}

static int
step(struct walk *w, uint64_t *given, bool *more)
{
	git_commit *c = pop(w);
	unsigned from, to;
	bool shown;
	int r = simplify(w, c, &from, &to, &shown);

	for (; r == FX_OK && from < to; from++)
		r = find(w, git_commit_parent_id(c, from));
	if (r == FX_OK &&
	    ((w->walked++ == w->q->max_walk && w->q->max_walk != 0) ||
		(shown && w->q->max != 0 && *given == w->q->max))) {
		*more = true;
	} else if (r == FX_OK && shown) {
		(*given)++;
		if ((r = w->q->fn(w->q->arg, c)) != FX_OK)
			(void)fx_fail(w->err, r, "nobody wants the rest");
	}
	git_commit_free(c);
	return r;
}

/* ---- beginning ---- */

static int
look_inside(struct walk *w, const git_oid *to)
{
	git_revwalk *walk = NULL;
	git_oid oid;
	int r;

	if ((r = git_revwalk_new(&walk, w->mirror->repo)) == 0 &&
	    (r = git_revwalk_push(walk, to)) == 0 &&
	    (r = git_revwalk_hide(walk, &w->from)) == 0)
		while ((r = git_revwalk_next(&oid, walk)) == 0)
			(void)oidset_add(&w->inside, &oid);
	git_revwalk_free(walk);
	return r == GIT_ITEROVER ? FX_OK
				 : mirror_fail(w->mirror, r, w->err, "history");
}

static int
start(struct walk *w)
{
	git_oid to;
	int r;

	w->roots = xcalloc(w->q->nroots + 1, sizeof(*w->roots));
	for (size_t i = 0; i < w->q->nroots; i++)
		if ((w->roots[i] = root_clean(w->q->roots[i])) == NULL)
			return fx_fail(w->err, FX_EDENIED,
			    "git path \"%s\" leads out of the repository",
			    w->q->roots[i]);
	if ((r = commit_resolve(w->mirror, w->q->to, &to, w->err)) != FX_OK)
		return r;
	w->limited = *w->q->from != '\0';
	if (w->limited &&
	    ((r = commit_resolve(w->mirror, w->q->from, &w->from, w->err)) !=
		    FX_OK ||
		(r = look_inside(w, &to)) != FX_OK))
		return r;
	return find(w, &to);
}

int
history_list(struct mirror *m, const struct history_query *q, bool *more,
    struct fx_err *err)
{
	struct walk w = { .mirror = m, .q = q, .err = err };
	uint64_t given = 0;
	int r;

	*more = false;
	r = start(&w);
	while (r == FX_OK && w.n != 0 && !*more)
		r = step(&w, &given, more);
	while (w.n != 0)
		git_commit_free(w.heap[--w.n].commit);
	free(w.heap);
	oidset_clear(&w.inside);
	oidset_clear(&w.seen);
	for (size_t i = 0; i < q->nroots; i++)
		free(w.roots[i]);
	free(w.roots);
	return r;
}

char *
history_subject(git_commit *c)
{
	const char *subject = git_commit_summary(c);
	struct buf b = BUF_INIT(8 * HISTORY_SUBJECT_MAX);

	if (subject == NULL)
		subject = "";
	str_printable(&b, subject, strlen(subject), HISTORY_SUBJECT_MAX);
	return str_take(&b);
}
