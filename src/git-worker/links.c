/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "links.h"

#include "buf.h"
#include "objects.h"
#include "str.h"

/* ---- targets ---- */

/* The target of a link as a C string; what follows a NUL is no path.  Too long
 * to be one: empty. */
static int
read_target(struct mirror *m, const git_oid *oid, char **out,
    struct fx_err *err)
{
	git_odb_object *o = NULL;
	char hex[GW_OID_HEX];
	int r;

	git_oid_tostr(hex, sizeof(hex), oid);
	r = blob_read(m, hex, LINKS_MAX_TARGET, &o, err);
	if (r == FX_ELIMIT) {
		*out = xstrdup("");
		return FX_OK;
	}
	if (r != FX_OK)
		return r;
	*out = xstrndup(git_odb_object_data(o), git_odb_object_size(o));
	git_odb_object_free(o);
	return FX_OK;
}

/* Where a name is or would be. */
static size_t
lower_bound(const struct link_names *l, const char *name)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(l->v[mid], name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool
link_names_has(const struct link_names *l, const char *name)
{
	size_t i = lower_bound(l, name);

	return i < l->n && strcmp(l->v[i], name) == 0;
}

void
link_names_clear(struct link_names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct link_names){ 0 };
}

int
link_names_add(struct link_names *l, struct mirror *m, const git_oid *oid,
    bool *added, struct fx_err *err)
{
	auto_free char *target = NULL;
	const char *slash;
	size_t n, i;
	int r;

	if ((r = read_target(m, oid, &target, err)) != FX_OK)
		return r;
	for (n = strlen(target); n != 0 && target[n - 1] == '/'; n--)
		target[n - 1] = '\0';
	slash = strrchr(target, '/');
	slash = slash == NULL ? target : slash + 1;
	i = lower_bound(l, slash);
	if (*slash == '\0' || (i < l->n && strcmp(l->v[i], slash) == 0))
		return FX_OK;
	if (l->n == LINKS_MAX_NAMES)
		return fx_fail(err, FX_ELIMIT,
		    "the repository has symbolic links to more than %d names",
		    LINKS_MAX_NAMES);
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	memmove(l->v + i + 1, l->v + i, (l->n - i) * sizeof(*l->v));
	l->v[i] = xstrdup(slash);
	l->n++;
	*added = true;
	return FX_OK;
}

/* ---- following ---- */

/* Where a path has led to, and what is still to be followed. */
struct trail {
	char *done; /* owned; no links in it */
	char *rest; /* owned */
	unsigned links;
};

static bool
pop(char *path)
{
	char *slash = strrchr(path, '/');

	if (*path == '\0')
		return false;
	*(slash == NULL ? path : slash) = '\0';
	return true;
}

/* A link stands at the end of what is done: its target comes first now. */
static int
follow(struct trail *t, struct mirror *m, const git_oid *oid,
    struct fx_err *err)
{
	auto_free char *target = NULL;
	char *rest;
	int r;

	if ((r = read_target(m, oid, &target, err)) != FX_OK)
		return r;
	if (++t->links > LINKS_MAX_FOLLOWED)
		return fx_fail(err, FX_ELIMIT,
		    "too many levels of symbolic links");
	if (*target == '/')
		return fx_fail(err, FX_EDENIED,
		    "a symbolic link leaves the repository");
	rest = xasprintf("%s/%s", target, t->rest);
	free(t->rest);
	t->rest = rest;
	(void)pop(t->done);
	return FX_OK;
}

/* Take the next component. */
static int
step(struct trail *t, struct mirror *m, const git_tree *tree,
    struct fx_err *err)
{
	size_t n = strcspn(t->rest, "/"), skip = n + (t->rest[n] == '/');
	auto_free char *word = xstrndup(t->rest, n);
	git_tree_entry *e = NULL;
	char *done;
	int r;

	memmove(t->rest, t->rest + skip, strlen(t->rest + skip) + 1);
	if (n == 0 || strcmp(word, ".") == 0)
		return FX_OK;
	if (strcmp(word, "..") == 0)
		return pop(t->done) ? FX_OK
				    : fx_fail(err, FX_EDENIED,
					  "it leads out of the repository");
	done = xasprintf("%s%s%s", t->done, *t->done == '\0' ? "" : "/", word);
	free(t->done);
	t->done = done;
	if ((r = git_tree_entry_bypath(&e, tree, t->done)) != 0)
		return gw_git_fail(r, err, "no such file or directory");
	r = git_tree_entry_filemode_raw(e) == GIT_FILEMODE_LINK
	    ? follow(t, m, git_tree_entry_id(e), err)
	    : FX_OK;
	git_tree_entry_free(e);
	return r;
}

int
link_path_exists(struct mirror *m, const git_tree *tree, const char *path,
    struct fx_err *err)
{
	struct trail t = { .done = xstrdup(""), .rest = xstrdup(path) };
	int r = FX_OK;

	while (*t.rest != '\0' && r == FX_OK)
		r = step(&t, m, tree, err);
	free(t.done);
	free(t.rest);
	return r;
}
