/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "tree.h"

#include "gotext.h"
#include "str.h"

/* ---- entries ------------------------------------------------------------ */

static void
entry_clear(struct tree_entry *e)
{
	free(e->path);
	free(e->oid);
	free(e->target);
	*e = (struct tree_entry){ 0 };
}

/*
 * The order of a walk that reads each directory by name and goes into it when
 * it meets it: what is below `a` comes before `a.yaml`, so / is the smallest
 * character.
 */
static int
path_order(const char *a, size_t na, const char *b, size_t nb)
{
	size_t i = 0;
	int ca, cb;

	while (i < na && i < nb && a[i] == b[i])
		i++;
	ca = i == na ? -1 : a[i] == '/' ? 0 : (int)(uint8_t)a[i];
	cb = i == nb ? -1 : b[i] == '/' ? 0 : (int)(uint8_t)b[i];
	return ca - cb;
}

/* The first entry that is not before the path. */
static size_t
lower_bound(const struct tree *t, const char *path, size_t n)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (path_order(t->v[mid].path, strlen(t->v[mid].path), path,
			n) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct tree_entry *
find(const struct tree *t, const char *path, size_t n)
{
	size_t at = lower_bound(t, path, n);

	if (at < t->n && strlen(t->v[at].path) == n &&
	    memcmp(t->v[at].path, path, n) == 0)
		return &t->v[at];
	return NULL;
}

/* Is the path below the directory?  Everything is below "". */
static bool
is_below(const char *path, const char *dir, size_t n)
{
	return n == 0 || (strncmp(path, dir, n) == 0 && path[n] == '/');
}

/* Is there something below the path? */
static bool
is_dir(const struct tree *t, const char *path, size_t n)
{
	size_t at = lower_bound(t, path, n);

	if (n == 0)
		return true;
	if (at < t->n && strlen(t->v[at].path) == n &&
	    memcmp(t->v[at].path, path, n) == 0) {
		if ((t->v[at].mode & TREE_MODE_TYPE) == TREE_MODE_DIR)
			return true;
		at++;
	}
	return at < t->n && is_below(t->v[at].path, path, n);
}

static void
drop_entries(struct tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		entry_clear(&t->v[i]);
	t->n = 0;
}

void
tree_forget(struct tree *t)
{
	for (size_t i = 0; i < t->nchanges; i++)
		entry_clear(&t->changes[i].entry);
	t->nchanges = 0;
}

void
tree_clear(struct tree *t)
{
	drop_entries(t);
	free(t->v);
	tree_forget(t);
	free(t->changes);
	*t = (struct tree){ 0 };
}

static void
note(struct tree *t, const struct tree_change *c)
{
	if (t->nchanges == t->cap_changes) {
		t->cap_changes = t->cap_changes == 0 ? 256 : t->cap_changes * 2;
		t->changes = xreallocarray(t->changes, t->cap_changes,
		    sizeof(*t->changes));
	}
	t->changes[t->nchanges++] = *c;
}

void
tree_put(struct tree *t, const char *path, const char *oid, uint32_t mode,
    uint64_t size)
{
	/* one more than allowed is enough for tree_settle to refuse */
	if (t->nchanges > TREE_MAX_ENTRIES)
		return;
	note(t,
	    &(struct tree_change){ .entry = { .path = xstrdup(path),
				       .oid = xstrdup(oid),
				       .mode = mode,
				       .size = size } });
}

void
tree_remove(struct tree *t, const char *path)
{
	if (t->nchanges > TREE_MAX_ENTRIES)
		return;
	note(t,
	    &(struct tree_change){ .entry = { .path = xstrdup(path) },
		.removed = true });
}

static int
change_order(const void *a, const void *b)
{
	const char *pa = ((const struct tree_change *)a)->entry.path;
	const char *pb = ((const struct tree_change *)b)->entry.path;

	return path_order(pa, strlen(pa), pb, strlen(pb));
}

/* Two sorted lists become one; a change takes the place of an entry. */
static struct tree_entry *
merge(struct tree *t, size_t *n)
{
	struct tree_entry *v =
	    xreallocarray(NULL, t->n + t->nchanges + 1, sizeof(*v));
	size_t i = 0, j = 0, k = 0;

	while (i < t->n || j < t->nchanges) {
		int order = i == t->n ? 1
		    : j == t->nchanges
		    ? -1
		    : path_order(t->v[i].path, strlen(t->v[i].path),
			  t->changes[j].entry.path,
			  strlen(t->changes[j].entry.path));

		if (order < 0) {
			v[k++] = t->v[i++];
			continue;
		}
		if (order == 0)
			entry_clear(&t->v[i++]);
		/* a path that is named twice is still one path */
		if (k > 0 && j > 0 &&
		    strcmp(v[k - 1].path, t->changes[j].entry.path) == 0)
			entry_clear(&v[--k]);
		if (t->changes[j].removed)
			entry_clear(&t->changes[j].entry);
		else
			v[k++] = t->changes[j].entry;
		j++;
	}
	*n = k;
	return v;
}

int
tree_settle(struct tree *t, bool full, struct fx_err *err)
{
	struct tree_entry *v;
	size_t n;

	if (full)
		drop_entries(t);
	if (t->nchanges <= TREE_MAX_ENTRIES) {
		qsort(t->changes, t->nchanges, sizeof(*t->changes),
		    change_order);
		v = merge(t, &n);
		t->nchanges = 0;
		free(t->v);
		t->v = v;
		t->n = n;
		if (n <= TREE_MAX_ENTRIES)
			return FX_OK;
	}
	return fx_fail(err, FX_ELIMIT,
	    "the repository has more than %d manifest files", TREE_MAX_ENTRIES);
}

size_t
tree_next_link(const struct tree *t, size_t at)
{
	while (at < t->n &&
	    ((t->v[at].mode & TREE_MODE_TYPE) != TREE_MODE_LINK ||
		t->v[at].target != NULL))
		at++;
	return at;
}

void
tree_set_target(struct tree *t, size_t at, const void *p, size_t n)
{
	free(t->v[at].target);
	t->v[at].target = xstrndup(p, n);
}

/* ---- charts ------------------------------------------------------------- */

#define CHART_FILE "Chart.yaml"
#define CHART_VALUES "values.yaml"

struct charts {
	char **dirs; /* owned; sorted */
	size_t n;
};

static bool
in_charts(const struct charts *c, const char *dir, size_t n)
{
	size_t low = 0, high = c->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int r = path_order(c->dirs[mid], strlen(c->dirs[mid]), dir, n);

		if (r == 0)
			return true;
		if (r < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* Is the path or a directory above it a chart? */
static bool
below_chart(const struct charts *c, const char *path)
{
	if (c->n == 0)
		return false;
	if (in_charts(c, "", 0))
		return true;
	for (const char *p = path; *p != '\0'; p++)
		if (*p == '/' && in_charts(c, path, (size_t)(p - path)))
			return true;
	return in_charts(c, path, strlen(path));
}

/* A directory (of n bytes) that has both files is a chart. */
static void
charts_add(struct charts *c, const struct tree *t, const char *path, size_t n)
{
	auto_free char *values =
	    xasprintf("%.*s%s" CHART_VALUES, (int)n, path, n == 0 ? "" : "/");

	if (find(t, values, strlen(values)) == NULL &&
	    !is_dir(t, values, strlen(values)))
		return;
	if (c->n != 0 && strlen(c->dirs[c->n - 1]) == n &&
	    memcmp(c->dirs[c->n - 1], path, n) == 0)
		return;
	c->dirs = xreallocarray(c->dirs, c->n + 1, sizeof(*c->dirs));
	c->dirs[c->n++] = xstrndup(path, n);
}

static int
dir_order(const void *a, const void *b)
{
	const char *da = *(char *const *)a, *db = *(char *const *)b;

	return path_order(da, strlen(da), db, strlen(db));
}

/* Files called Chart.yaml, and directories: upstream does not care. */
static struct charts
find_charts(const struct tree *t)
{
	struct charts c = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		const char *path = t->v[i].path, *p = path;

		while ((p = strstr(p, CHART_FILE)) != NULL) {
			char after = p[strlen(CHART_FILE)];

			if ((p == path || p[-1] == '/') &&
			    (after == '\0' || after == '/'))
				charts_add(&c, t, path,
				    p == path ? 0 : (size_t)(p - path - 1));
			p++;
		}
	}
	if (c.n != 0)
		qsort(c.dirs, c.n, sizeof(*c.dirs), dir_order);
	return c;
}

static void
charts_clear(struct charts *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->dirs[i]);
	free(c->dirs);
}

/* ---- links -------------------------------------------------------------- */

enum place { PLACE_FILE, PLACE_DIR, PLACE_MISSING };

/* Where following a path has led to, and what is still to be followed. */
struct trail {
	struct buf done; /* components so far, with / between */
	char *rest;	 /* owned */
	unsigned links;
};

static void
pop(struct buf *done)
{
	const char *p = (const char *)buf_head(done);
	size_t n = buf_left(done);

	while (n > 0 && p[n - 1] != '/')
		n--;
	done->len = done->off + (n > 0 ? n - 1 : 0);
}

/* Put a link's target in front of what is left. */
static int
follow(struct trail *t, const struct tree_entry *link, struct fx_err *err)
{
	char *rest;

	if (++t->links > TREE_MAX_LINKS)
		return fx_fail(err, FX_ELIMIT,
		    "too many levels of symbolic links");
	if (link->target == NULL || *link->target == '/')
		return fx_fail(err, FX_EDENIED,
		    "the symbolic link leaves the repository");
	rest = xasprintf("%s%s%s", link->target, *t->rest == '\0' ? "" : "/",
	    t->rest);
	free(t->rest);
	t->rest = rest;
	pop(&t->done);
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
		pop(&t->done);
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
	e = find(tree, (const char *)buf_head(&t->done), buf_left(&t->done));
	if (e != NULL && (e->mode & TREE_MODE_TYPE) == TREE_MODE_LINK &&
	    (*t->rest != '\0' || last))
		return follow(t, e, err);
	return FX_OK;
}

#define RESOLVED_MAX                                                           \
	(2 * TREE_MAX_TARGET) /* bytes of a path that is followed */

/* Follow a path through the links in it.  FX_EDENIED: it leaves the tree. */
static int
resolve(const struct tree *tree, const char *path, bool last, char **out,
    struct fx_err *err)
{
	struct trail t = { .done = BUF_INIT(RESOLVED_MAX),
		.rest = xstrdup(path) };
	int r = FX_OK;

	while (*t.rest != '\0' && r == FX_OK) {
		r = step(tree, &t, last, err);
		if (strlen(t.rest) > RESOLVED_MAX)
			r = fx_fail(err, FX_ELIMIT, "path is too long");
	}
	free(t.rest);
	if (r == FX_OK)
		*out = str_take(&t.done);
	buf_clear(&t.done);
	return r;
}

static enum place
place_of(const struct tree *t, const char *path, const struct tree_entry **e)
{
	size_t n = strlen(path);

	if (is_dir(t, path, n))
		return PLACE_DIR;
	*e = find(t, path, n);
	return *e == NULL ? PLACE_MISSING : PLACE_FILE;
}

/* ---- the walk ----------------------------------------------------------- */

struct walk {
	const struct tree *tree;
	struct charts charts;
	uint64_t max_size;
	struct tree_files *out;
	size_t cap;
};

static int
unreadable(struct fx_err *err, const char *path, const char *why)
{
	struct buf quoted = BUF_INIT(FX_ERR_TEXT_MAX / 2);

	go_quote(&quoted, path, strlen(path));
	fx_fail(err, FX_EFAIL, "unable to read file at %.*s: %s",
	    (int)buf_left(&quoted), (const char *)buf_head(&quoted), why);
	buf_clear(&quoted);
	return err->code;
}

static int
add_file(struct walk *w, const char *source, const struct tree_entry *e,
    struct fx_err *err)
{
	auto_free char *why = NULL;

	if (e->size > w->max_size) {
		why = xasprintf("file has %llu bytes, more than the %llu of "
				"--git-max-file",
		    (unsigned long long)e->size,
		    (unsigned long long)w->max_size);
		return unreadable(err, source, why);
	}
	if (w->out->n == w->cap) {
		w->cap = w->cap == 0 ? 64 : w->cap * 2;
		w->out->v =
		    xreallocarray(w->out->v, w->cap, sizeof(*w->out->v));
	}
	w->out->v[w->out->n++] = (struct tree_file){
		.path = xstrdup(source),
		.oid = xstrdup(e->oid),
		.size = e->size,
	};
	return FX_OK;
}

/* A link that is named like a manifest: what it ends at is read. */
static int
add_link(struct walk *w, const char *source, const struct tree_entry *link,
    struct fx_err *err)
{
	auto_free char *target = NULL, *why = NULL;
	const struct tree_entry *e = NULL;
	struct fx_err inner = { 0 };

	if (resolve(w->tree, link->path, true, &target, &inner) != FX_OK)
		return unreadable(err, source, inner.text);
	switch (place_of(w->tree, target, &e)) {
	case PLACE_DIR:
		why = xasprintf("read %s: is a directory", source);
		return unreadable(err, source, why);
	case PLACE_MISSING:
		why = xasprintf("open %s: no such file or directory", source);
		return unreadable(err, source, why);
	default:
		return add_file(w, source, e, err);
	}
}

static int
visit(struct walk *w, const char *source, const struct tree_entry *e,
    struct fx_err *err)
{
	if ((!str_ends(e->path, ".yaml") && !str_ends(e->path, ".yml")) ||
	    below_chart(&w->charts, e->path))
		return FX_OK;
	switch (e->mode & TREE_MODE_TYPE) {
	case TREE_MODE_FILE:
		return add_file(w, source, e, err);
	case TREE_MODE_LINK:
		return add_link(w, source, e, err);
	default:
		return FX_OK; /* a submodule or a directory */
	}
}

/* All that is below `dir`, which is seen at the path `root`. */
static int
walk_dir(struct walk *w, const char *root, const char *dir, struct fx_err *err)
{
	size_t n = strlen(dir);
	int r = FX_OK;

	for (size_t i = lower_bound(w->tree, dir, n);
	     i < w->tree->n && r == FX_OK; i++) {
		const struct tree_entry *e = &w->tree->v[i];
		auto_free char *source = NULL;

		if (strcmp(e->path, dir) == 0)
			continue;
		if (!is_below(e->path, dir, n))
			break;
		source = n == 0 ? xstrdup(e->path)
				: xasprintf("%s%s", root, e->path + n);
		r = visit(w, source, e, err);
	}
	return r;
}

static int
bad_root(struct fx_err *err, const char *path, const char *why)
{
	struct buf quoted = BUF_INIT(FX_ERR_TEXT_MAX / 2);

	go_quote(&quoted, path, strlen(path));
	fx_fail(err, FX_EFAIL, "unable to read root path %.*s: %s",
	    (int)buf_left(&quoted), (const char *)buf_head(&quoted), why);
	buf_clear(&quoted);
	return err->code;
}

/* a/./b//c/ as a/b/c, and .. taken back where it can be, by text alone. */
static char *
clean(const char *path)
{
	struct buf out = BUF_INIT(RESOLVED_MAX);

	while (*path != '\0') {
		size_t n = strcspn(path, "/");
		size_t had = buf_left(&out);
		bool up = n == 2 && strncmp(path, "..", 2) == 0;
		bool above = had >= 2 &&
		    strncmp((const char *)buf_head(&out) + had - 2, "..", 2) ==
			0 &&
		    (had == 2 || buf_head(&out)[had - 3] == '/');

		if (up && had != 0 && !above)
			pop(&out);
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

	if (resolve(w->tree, root, false, &real, &inner) != FX_OK)
		return bad_root(err, root, inner.text);
	switch (place_of(w->tree, real, &e)) {
	case PLACE_DIR:
		return walk_dir(w, root, real, err);
	case PLACE_FILE:
		return visit(w, root, e, err);
	default:
		return FX_OK;
	}
}

void
tree_files_clear(struct tree_files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].path);
		free(f->v[i].oid);
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
		.charts = find_charts(t),
		.max_size = max_size,
		.out = &files };
	int r = npaths == 0 ? walk_dir(&w, "", "", err) : FX_OK;

	for (size_t i = 0; i < npaths && r == FX_OK; i++)
		r = walk_root(&w, paths[i], err);
	charts_clear(&w.charts);
	if (r == FX_OK)
		*out = files;
	else
		tree_files_clear(&files);
	return r;
}
