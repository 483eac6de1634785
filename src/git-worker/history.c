/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "history.h"

#include "buf.h"
#include "objects.h"
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

/* Like git log with paths: a merge counts if it differs from every parent. */
static int
touches(git_commit *c, char *const *roots, size_t n, bool *out)
{
	git_tree *tree = NULL, *other = NULL;
	git_commit *parent = NULL;
	unsigned parents = git_commit_parentcount(c);
	int r = git_commit_tree(&tree, c);

	*out = r == 0 && (parents != 0 || differs(tree, NULL, roots, n));
	for (unsigned i = 0; r == 0 && *out && i < parents; i++) {
		if ((r = git_commit_parent(&parent, c, i)) == 0 &&
		    (r = git_commit_tree(&other, parent)) == 0)
			*out = differs(tree, other, roots, n);
		git_tree_free(other);
		git_commit_free(parent);
		other = NULL;
		parent = NULL;
	}
	git_tree_free(tree);
	return r;
}

/* ---- the walk ---- */

static int
give(const struct history_query *q, const git_oid *oid, git_commit *c)
{
	const char *subject = git_commit_summary(c);
	struct buf b = BUF_INIT(8 * HISTORY_SUBJECT_MAX);
	auto_free char *shown = NULL;
	char hex[GW_OID_HEX];

	if (subject == NULL)
		subject = "";
	str_printable(&b, subject, strlen(subject), HISTORY_SUBJECT_MAX);
	shown = str_take(&b);
	git_oid_tostr(hex, sizeof(hex), oid);
	return q->fn(q->arg, hex, shown);
}

static int
walk(struct mirror *m, git_revwalk *w, const struct history_query *q,
    char *const *roots, bool *more, struct fx_err *err)
{
	uint64_t given = 0;
	git_oid oid;
	int r, given_r = FX_OK;

	while ((r = git_revwalk_next(&oid, w)) == 0) {
		git_commit *c = NULL;
		bool wanted = true;

		r = git_commit_lookup(&c, m->repo, &oid);
		if (r == 0 && q->nroots != 0)
			r = touches(c, roots, q->nroots, &wanted);
		if (r == 0 && wanted && q->max != 0 && given == q->max) {
			*more = true;
			git_commit_free(c);
			return FX_OK;
		}
		if (r == 0 && wanted) {
			given++;
			given_r = give(q, &oid, c);
		}
		git_commit_free(c);
		if (r != 0 || given_r != FX_OK)
			break;
	}
	if (given_r != FX_OK)
		return fx_fail(err, given_r, "nobody wants the rest");
	return r == GIT_ITEROVER ? FX_OK : mirror_fail(m, r, err, "history");
}

static int
start(struct mirror *m, git_revwalk *w, const struct history_query *q,
    struct fx_err *err)
{
	git_oid from, to;
	int r;

	if ((r = commit_resolve(m, q->to, &to, err)) != FX_OK ||
	    (*q->from != '\0' &&
		(r = commit_resolve(m, q->from, &from, err)) != FX_OK))
		return r;
	if ((r = git_revwalk_push(w, &to)) != 0 ||
	    (*q->from != '\0' && (r = git_revwalk_hide(w, &from)) != 0))
		return mirror_fail(m, r, err, "history");
	return FX_OK;
}

int
history_list(struct mirror *m, const struct history_query *q, bool *more,
    struct fx_err *err)
{
	char **roots = xcalloc(q->nroots + 1, sizeof(*roots));
	git_revwalk *w = NULL;
	int r = FX_OK;

	*more = false;
	for (size_t i = 0; i < q->nroots && r == FX_OK; i++)
		if ((roots[i] = root_clean(q->roots[i])) == NULL)
			r = fx_fail(err, FX_EDENIED,
			    "git path \"%s\" leads out of the repository",
			    q->roots[i]);
	if (r == FX_OK && (r = git_revwalk_new(&w, m->repo)) != 0)
		r = mirror_fail(m, r, err, "history");
	if (r == FX_OK && (r = start(m, w, q, err)) == FX_OK)
		r = walk(m, w, q, roots, more, err);
	git_revwalk_free(w);
	for (size_t i = 0; i < q->nroots; i++)
		free(roots[i]);
	free(roots);
	return r;
}
