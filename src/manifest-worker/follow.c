/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "follow.h"

#include "str.h"

/* Where following a path has led to, and what is still to be followed. */
struct trail {
	struct buf done; /* components so far, with / between */
	char *rest;	 /* owned */
	unsigned links;
};

void
follow_pop(struct buf *done)
{
	const char *p = (const char *)buf_head(done);
	size_t n = buf_left(done);

	while (n > 0 && p[n - 1] != '/')
		n--;
	done->len = done->off + (n > 0 ? n - 1 : 0);
}

/* Put a link's target in front of what is left. */
static int
follow_link(struct trail *t, const struct tree_entry *link, struct fx_err *err)
{
	char *rest;

	if (++t->links > TREE_MAX_LINKS)
		return fx_fail(err, FX_ELIMIT,
		    "too many levels of symbolic links");
	if (link->size > TREE_MAX_TARGET) /* in the words of the kernel */
		return fx_fail(err, FX_ELIMIT, "file name too long");
	if (link->target == NULL || *link->target == '/')
		return fx_fail(err, FX_EDENIED,
		    "the symbolic link leaves the repository");
	rest = xasprintf("%s%s%s", link->target, *t->rest == '\0' ? "" : "/",
	    t->rest);
	free(t->rest);
	t->rest = rest;
	follow_pop(&t->done);
	return FX_OK;
}

/* Take one component; `last` says whether a link at the end is followed. */
static int
step(const struct tree *tree, struct trail *t, bool last, struct fx_err *err)
{
	size_t n = strcspn(t->rest, "/");
	const struct tree_entry *e;
	bool more = t->rest[n] == '/';

	if (n == 2 && strncmp(t->rest, "..", 2) == 0) {
		if (buf_left(&t->done) == 0)
			return fx_fail(err, FX_EDENIED,
			    "the path leaves the repository");
		follow_pop(&t->done);
	} else if (n != 0 && !(n == 1 && *t->rest == '.')) {
		if ((buf_left(&t->done) != 0 &&
			str_addc(&t->done, '/') != FX_OK) ||
		    str_addn(&t->done, t->rest, n) != FX_OK)
			return fx_fail(err, FX_ELIMIT, "path is too long");
	} else {
		n += more;
		memmove(t->rest, t->rest + n, strlen(t->rest + n) + 1);
		return FX_OK;
	}
	n += more;
	memmove(t->rest, t->rest + n, strlen(t->rest + n) + 1);
	e = tree_find(tree, (const char *)buf_head(&t->done),
	    buf_left(&t->done));
	if (e != NULL && (e->mode & TREE_MODE_TYPE) == TREE_MODE_LINK &&
	    (*t->rest != '\0' || last))
		return follow_link(t, e, err);
	return FX_OK;
}

/* Follow a path through the links in it.  FX_EDENIED: it leaves the tree. */
int
follow_path(const struct tree *tree, const char *path, bool last, char **out,
    struct fx_err *err)
{
	struct trail t = { .done = BUF_INIT(FOLLOW_MAX),
		.rest = xstrdup(path) };
	int r = FX_OK;

	while (*t.rest != '\0' && r == FX_OK) {
		r = step(tree, &t, last, err);
		if (strlen(t.rest) > FOLLOW_MAX)
			r = fx_fail(err, FX_ELIMIT, "path is too long");
	}
	free(t.rest);
	if (r == FX_OK)
		*out = str_take(&t.done);
	buf_clear(&t.done);
	return r;
}

enum place
follow_place(const struct tree *t, const char *path,
    const struct tree_entry **e)
{
	size_t n = strlen(path);

	if (tree_is_dir(t, path, n))
		return PLACE_DIR;
	*e = tree_find(t, path, n);
	return *e == NULL ? PLACE_MISSING : PLACE_FILE;
}
