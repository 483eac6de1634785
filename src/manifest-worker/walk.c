/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "tree.h"

#include "charts.h"
#include "follow.h"
#include "quote.h"
#include "str.h"

#define QUOTED_MAX 600 /* bytes of a path in an error */

struct walk {
	const struct tree *tree;
	struct charts charts;
	uint64_t max_size;
	struct tree_files *out;
	size_t cap;
};

static struct tree_file *
add(struct walk *w, const char *source)
{
	struct tree_file *f;

	if (w->out->n == w->cap) {
		w->cap = w->cap == 0 ? 64 : w->cap * 2;
		w->out->v =
		    xreallocarray(w->out->v, w->cap, sizeof(*w->out->v));
	}
	f = &w->out->v[w->out->n++];
	*f = (struct tree_file){ .path = xstrdup(source) };
	return f;
}

static void
add_bad(struct walk *w, const char *source, const char *why)
{
	auto_buf struct buf quoted = BUF_INIT(QUOTED_MAX);

	str_add_quoted(&quoted, source, strlen(source));
	add(w, source)->bad = xasprintf("unable to read file at %.*s: %s",
	    (int)buf_left(&quoted), (const char *)buf_head(&quoted), why);
}

static void
add_file(struct walk *w, const char *source, const struct tree_entry *e)
{
	auto_free char *why = NULL;

	if (e->size <= w->max_size) {
		add(w, source)->oid = e->oid;
		return;
	}
	why = xasprintf("file has %llu bytes, more than the %llu of "
			"--git-max-file",
	    (unsigned long long)e->size, (unsigned long long)w->max_size);
	add_bad(w, source, why);
}

/* A link that is named like a manifest: what it ends at is read. */
static void
add_link(struct walk *w, const char *source, const struct tree_entry *link)
{
	auto_free char *target = NULL, *why = NULL;
	const struct tree_entry *e = NULL;
	struct fx_err err = { 0 };

	if (follow_path(w->tree, link->path, true, &target, &err) != FX_OK) {
		add_bad(w, source, err.text);
		return;
	}
	switch (follow_place(w->tree, target, &e)) {
	case PLACE_DIR:
		why = xasprintf("read %s: is a directory", source);
		break;
	case PLACE_MISSING:
		why = xasprintf("open %s: no such file or directory", source);
		break;
	default:
		add_file(w, source, e);
		return;
	}
	add_bad(w, source, why);
}

static void
visit(struct walk *w, const char *source, const struct tree_entry *e)
{
	if ((!str_ends(e->path, ".yaml") && !str_ends(e->path, ".yml")) ||
	    charts_have(&w->charts, e->path))
		return;
	switch (e->mode & TREE_MODE_TYPE) {
	case TREE_MODE_FILE:
		add_file(w, source, e);
		break;
	case TREE_MODE_LINK:
		add_link(w, source, e);
		break;
	default: /* a submodule or a directory */
		break;
	}
}

/* All that is below `dir`, which is seen at the path `root`. */
static void
walk_dir(struct walk *w, const char *root, const char *dir)
{
	size_t n = strlen(dir);

	for (size_t i = tree_lower_bound(w->tree, dir, n); i < w->tree->n;
	     i++) {
		const struct tree_entry *e = &w->tree->v[i];
		auto_free char *source = NULL;

		if (strcmp(e->path, dir) == 0)
			continue;
		if (!tree_is_below(e->path, dir, n))
			break;
		if (strcmp(root, dir) == 0) {
			visit(w, e->path, e);
			continue;
		}
		source = xasprintf("%s%s", root, e->path + n);
		visit(w, source, e);
	}
}

static int
bad_root(struct fx_err *err, const char *path, const char *why)
{
	auto_buf struct buf quoted = BUF_INIT(QUOTED_MAX);

	str_add_quoted(&quoted, path, strlen(path));
	fx_fail(err, FX_EFAIL, "unable to read root path %.*s: %s",
	    (int)buf_left(&quoted), (const char *)buf_head(&quoted), why);
	return err->code;
}

/* a/./b//c/ as a/b/c, and .. taken back where it can be, by text alone. */
static char *
clean(const char *path)
{
	struct buf out = BUF_INIT(FOLLOW_MAX);

	while (*path != '\0') {
		size_t n = strcspn(path, "/");
		size_t had = buf_left(&out);
		bool up = n == 2 && strncmp(path, "..", 2) == 0;
		bool above = had >= 2 &&
		    strncmp((const char *)buf_head(&out) + had - 2, "..", 2) ==
			0 &&
		    (had == 2 || buf_head(&out)[had - 3] == '/');

		if (up && had != 0 && !above)
			follow_pop(&out);
		else if (n != 0 && !(n == 1 && *path == '.') &&
		    ((had != 0 && str_addc(&out, '/') != FX_OK) ||
			str_addn(&out, path, n) != FX_OK))
			break; /* too long to be there; not found then */
		path += n + (path[n] == '/');
	}
	return str_take(&out);
}

static int
walk_root(struct walk *w, const char *given, struct fx_err *err)
{
	auto_free char *root = clean(given), *real = NULL;
	const struct tree_entry *e = NULL;
	struct fx_err inner = { 0 };

	if (follow_path(w->tree, root, false, &real, &inner) != FX_OK)
		return bad_root(err, root, inner.text);
	switch (follow_place(w->tree, real, &e)) {
	case PLACE_DIR:
		walk_dir(w, root, real);
		break;
	case PLACE_FILE:
		visit(w, root, e);
		break;
	case PLACE_MISSING:
		break;
	}
	return FX_OK;
}

void
tree_files_clear(struct tree_files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].path);
		free(f->v[i].bad);
	}
	free(f->v);
	*f = (struct tree_files){ 0 };
}

int
tree_walk(const struct tree *t, char *const *paths, size_t npaths,
    uint64_t max_size, struct tree_files *out, struct fx_err *err)
{
	struct tree_files files = { 0 };
	struct walk w = { .tree = t,
		.charts = charts_find(t),
		.max_size = max_size,
		.out = &files };
	int r = FX_OK;

	if (npaths == 0)
		walk_dir(&w, "", "");
	for (size_t i = 0; i < npaths && r == FX_OK; i++)
		r = walk_root(&w, paths[i], err);
	charts_clear(&w.charts);
	if (r == FX_OK)
		*out = files;
	else
		tree_files_clear(&files);
	return r;
}
