/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "tree.h"

#include <strings.h>

#include "buf.h"
#include "objects.h"
#include "str.h"

struct walk {
	struct mirror *mirror;
	git_odb *odb; /* owned */
	const struct tree_query *q;
	struct tree_memory *memory;
	bool scanning; /* for links; nothing is reported */
	bool new_name; /* scanning found a name that was not looked for */
	char **roots;  /* cleaned; owned */
	char path[TREE_MAX_PATH + 1];
	size_t len;
	uint64_t visited, reported;
	struct fx_err *err;
};

/* ---- roots ---- */

char *
root_clean(const char *s)
{
	char *out = xcalloc(1, strlen(s) + 1);
	size_t len = 0;

	while (*s != '\0') {
		size_t n = strcspn(s, "/");

		if (n == 2 && s[0] == '.' && s[1] == '.') {
			if (len == 0) {
				free(out);
				return NULL;
			}
			while (len != 0 && out[--len] != '/')
				;
		} else if (n != 0 && !(n == 1 && s[0] == '.')) {
			if (len != 0)
				out[len++] = '/';
			memcpy(out + len, s, n);
			len += n;
		}
		s += n;
		s += *s == '/';
	}
	out[len] = '\0';
	return out;
}

static int
clean_roots(struct walk *w)
{
	w->roots = xcalloc(w->q->nroots + 1, sizeof(*w->roots));
	for (size_t i = 0; i < w->q->nroots; i++) {
		w->roots[i] = root_clean(w->q->roots[i]);
		if (w->roots[i] == NULL)
			return fx_fail(w->err, FX_EDENIED,
			    "git path \"%s\" leads out of the repository",
			    w->q->roots[i]);
	}
	return FX_OK;
}

/* Every root is there, perhaps through links. */
static int
check_roots(struct walk *w, const git_tree *tree)
{
	struct fx_err why = { 0 };
	int r = FX_OK;

	for (size_t i = 0; i < w->q->nroots && r == FX_OK; i++) {
		const char *root = w->roots[i];

		r = link_path_exists(w->mirror, tree, root, &why);
		if (r == FX_EUNKNOWN)
			return fx_fail(w->err, r,
			    "unable to read root path \"%s\": stat %s: no "
			    "such file or directory",
			    root, root);
		if (r != FX_OK)
			return fx_fail(w->err, r, "git path \"%s\": %s", root,
			    why.text);
	}
	return FX_OK;
}

/* ---- which entries ---- */

static bool
is_tree(const git_tree_entry *e)
{
	return git_tree_entry_filemode_raw(e) == GIT_FILEMODE_TREE;
}

/* Is the entry to be reported? */
static bool
is_wanted(const struct walk *w, const git_tree_entry *e)
{
	const char *name = git_tree_entry_name(e);
	unsigned mode = git_tree_entry_filemode_raw(e);

	if (strcmp(name, "Chart.yaml") == 0 || strcmp(name, "values.yaml") == 0)
		return true;
	if (mode == GIT_FILEMODE_TREE || mode == GIT_FILEMODE_COMMIT)
		return false;
	return mode == GIT_FILEMODE_LINK || str_ends(name, ".yaml") ||
	    str_ends(name, ".yml") || link_names_has(&w->memory->names, name);
}

static char *
shown_path(const struct walk *w)
{
	struct buf b = BUF_INIT(8 * TREE_MAX_PATH);

	str_printable(&b, w->path, w->len, TREE_MAX_PATH);
	return str_take(&b);
}

/* Names that git itself never checks out. */
static bool
is_forbidden(const char *name)
{
	return *name == '\0' || strchr(name, '/') != NULL ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strcasecmp(name, ".git") == 0 || strcasecmp(name, "git~1") == 0;
}

/* Append the entry's name to the path. */
static int
enter(struct walk *w, const git_tree_entry *e)
{
	const char *name = git_tree_entry_name(e);
	size_t n = strlen(name), slash = w->len != 0;
	auto_free char *shown = NULL;

	if (++w->visited > TREE_MAX_VISITED)
		return fx_fail(w->err, FX_ELIMIT,
		    "the repository has more than %d files and directories",
		    TREE_MAX_VISITED);
	if (n + slash > TREE_MAX_PATH - w->len) {
		shown = shown_path(w);
		return fx_fail(w->err, FX_ELIMIT,
		    "below \"%.200s\": a path is longer than %d bytes", shown,
		    TREE_MAX_PATH);
	}
	if (slash)
		w->path[w->len++] = '/';
	memcpy(w->path + w->len, name, n + 1);
	w->len += n;
	if (is_forbidden(name)) {
		shown = shown_path(w);
		return fx_fail(w->err, FX_EDENIED,
		    "the repository has an entry \"%.800s\", which git refuses",
		    shown);
	}
	return FX_OK;
}

static void
leave(struct walk *w, size_t len)
{
	w->len = len;
	w->path[len] = '\0';
}

/* ---- reporting ---- */

static int
size_of(struct walk *w, const git_tree_entry *e, uint64_t *out)
{
	git_object_t type;
	size_t n = 0;
	int r;

	r = git_odb_read_header(&n, &type, w->odb, git_tree_entry_id(e));
	if (r != 0)
		return mirror_fail(w->mirror, r, w->err, "%s", w->path);
	*out = n;
	return FX_OK;
}

/* The first of two passes: which names do links lead to? */
static int
scan(struct walk *w, const git_tree_entry *e)
{
	if (e == NULL || git_tree_entry_filemode_raw(e) != GIT_FILEMODE_LINK)
		return FX_OK;
	return link_names_add(&w->memory->names, w->mirror,
	    git_tree_entry_id(e), &w->new_name, w->err);
}

static int
report(struct walk *w, const git_tree_entry *e, bool removed)
{
	auto_free char *path = NULL;
	struct tree_item item = { .removed = removed };
	char hex[GW_OID_HEX];
	int r;

	if (++w->reported > TREE_MAX_ENTRIES)
		return fx_fail(w->err, FX_ELIMIT,
		    "the repository has more than %d manifest files",
		    TREE_MAX_ENTRIES);
	item.mode = git_tree_entry_filemode_raw(e);
	if (!removed && item.mode != GIT_FILEMODE_TREE &&
	    item.mode != GIT_FILEMODE_COMMIT &&
	    (r = size_of(w, e, &item.size)) != FX_OK)
		return r;
	path = shown_path(w);
	if (strlen(path) > TREE_MAX_PATH)
		return fx_fail(w->err, FX_ELIMIT,
		    "\"%.200s…\": a path is longer than %d bytes when it is "
		    "made printable",
		    path, TREE_MAX_PATH);
	git_oid_tostr(hex, sizeof(hex), git_tree_entry_id(e));
	item.path = path;
	item.hex = hex;
	return w->q->fn(w->q->arg, &item, w->err);
}

/* ---- the walk ---- */

static int compare_trees(struct walk *, const git_oid *now, const git_oid *then,
    unsigned depth);

static int
open_tree(struct walk *w, const git_oid *oid, git_tree **out)
{
	int r;

	*out = NULL;
	if (oid == NULL)
		return FX_OK;
	if ((r = object_check_size(w->mirror, oid, w->q->max_object, w->err)) !=
	    FX_OK)
		return r;
	if ((r = git_tree_lookup(out, w->mirror->repo, oid)) != 0)
		return mirror_fail(w->mirror, r, w->err, "directory \"%s\"",
		    w->path);
	return FX_OK;
}

static const git_oid *
subtree(const git_tree_entry *e)
{
	return e != NULL && is_tree(e) ? git_tree_entry_id(e) : NULL;
}

/* One name, as it is now and as it was in the base; either may be NULL, and
 * they are of the same kind if both are there. */
static int
compare_entry(struct walk *w, const git_tree_entry *now,
    const git_tree_entry *then, unsigned depth)
{
	size_t len = w->len;
	int r;

	if (now != NULL && then != NULL &&
	    git_oid_equal(git_tree_entry_id(now), git_tree_entry_id(then)) &&
	    git_tree_entry_filemode_raw(now) ==
		git_tree_entry_filemode_raw(then))
		return FX_OK;
	r = enter(w, now != NULL ? now : then);
	if (r == FX_OK && w->scanning)
		r = scan(w, now);
	else if (r == FX_OK && now != NULL && is_wanted(w, now))
		r = report(w, now, false);
	else if (r == FX_OK && then != NULL && is_wanted(w, then))
		r = report(w, then, true);
	if (r == FX_OK && (subtree(now) != NULL || subtree(then) != NULL))
		r = compare_trees(w, subtree(now), subtree(then), depth + 1);
	leave(w, len);
	return r;
}

/* git's order: a directory sorts as if its name ended in a slash. */
static int
order(const git_tree_entry *a, const git_tree_entry *b)
{
	if (a == NULL || b == NULL)
		return a == NULL ? b != NULL : -1;
	return git_tree_entry_cmp(a, b);
}

static const git_tree_entry *
entry_at(const git_tree *t, size_t i)
{
	return t == NULL ? NULL : git_tree_entry_byindex(t, i);
}

static int
compare_open(struct walk *w, const git_tree *now, const git_tree *then,
    unsigned depth)
{
	size_t i = 0, j = 0;
	int r = FX_OK;

	while (r == FX_OK) {
		const git_tree_entry *a = entry_at(now, i);
		const git_tree_entry *b = entry_at(then, j);
		int c = order(a, b);

		if (a == NULL && b == NULL)
			break;
		i += c <= 0;
		j += c >= 0;
		r = compare_entry(w, c <= 0 ? a : NULL, c >= 0 ? b : NULL,
		    depth);
	}
	return r;
}

static int
compare_trees(struct walk *w, const git_oid *now, const git_oid *then,
    unsigned depth)
{
	git_tree *a = NULL, *b = NULL;
	int r;

	if (depth > TREE_MAX_DEPTH)
		return fx_fail(w->err, FX_ELIMIT,
		    "the repository has directories nested more than %d deep",
		    TREE_MAX_DEPTH);
	if ((r = open_tree(w, now, &a)) == FX_OK &&
	    (r = open_tree(w, then, &b)) == FX_OK)
		r = compare_open(w, a, b, depth);
	git_tree_free(a);
	git_tree_free(b);
	return r;
}

/* The tree of a commit. */
static int
tree_of(struct mirror *m, const char *commit, git_tree **out,
    struct fx_err *err)
{
	git_commit *c = NULL;
	git_oid oid;
	int r;

	if ((r = oid_parse(commit, &oid, err)) != FX_OK)
		return r;
	r = git_commit_lookup(&c, m->repo, &oid);
	if (r == 0)
		r = git_commit_tree(out, c);
	git_commit_free(c);
	if (r != 0)
		return mirror_doubt(m, r, err, "commit %s", commit);
	return FX_OK;
}

static int
pass(struct walk *w, bool scanning, const git_tree *now, const git_tree *then)
{
	w->scanning = scanning;
	w->visited = 0;
	w->new_name = false;
	return compare_trees(w, git_tree_id(now),
	    then == NULL ? NULL : git_tree_id(then), 0);
}

/* Look for links, then list.  Where a link has a new name, files that did not
 * change may have it too: then the base is of no use. */
static int
run(struct walk *w, const git_tree *now, const git_tree **then)
{
	int r;

	if ((r = clean_roots(w)) != FX_OK || (r = check_roots(w, now)) != FX_OK)
		return r;
	if ((r = git_repository_odb(&w->odb, w->mirror->repo)) != 0)
		return mirror_fail(w->mirror, r, w->err, "object database");
	if (*then != NULL) {
		if ((r = pass(w, true, now, *then)) != FX_OK)
			return r;
		if (w->new_name)
			*then = NULL;
	}
	if (*then == NULL) {
		link_names_clear(&w->memory->names);
		if ((r = pass(w, true, now, NULL)) != FX_OK)
			return r;
	}
	return pass(w, false, now, *then);
}

void
tree_memory_clear(struct tree_memory *m)
{
	link_names_clear(&m->names);
	m->commit[0] = '\0';
}

int
tree_list(struct mirror *m, const struct tree_query *q,
    struct tree_memory *memory, struct tree_result *result, struct fx_err *err)
{
	struct walk w = { .mirror = m, .q = q, .memory = memory, .err = err };
	git_tree *now = NULL, *base = NULL;
	const git_tree *then;
	struct fx_err unknown = { 0 };
	int r;

	if ((r = tree_of(m, q->commit, &now, err)) != FX_OK)
		return r;
	/* a base that is gone (a rewritten history) is no base */
	if (*q->base != '\0' && strcmp(q->base, memory->commit) == 0)
		(void)tree_of(m, q->base, &base, &unknown);
	then = base;
	memory->commit[0] = '\0'; /* until this one is complete */
	r = run(&w, now, &then);
	if (r == FX_OK)
		memcpy(memory->commit, q->commit, strlen(q->commit) + 1);
	result->count = w.reported;
	result->full = then == NULL;
	for (size_t i = 0; w.roots != NULL && i < q->nroots; i++)
		free(w.roots[i]);
	free(w.roots);
	git_odb_free(w.odb);
	git_tree_free(now);
	git_tree_free(base);
	return r;
}
