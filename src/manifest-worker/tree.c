/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "tree.h"

#include "str.h"

/* ---- entries ------------------------------------------------------------ */

static void
entry_clear(struct tree_entry *e)
{
	free(e->path);
	free(e->target);
	*e = (struct tree_entry){ 0 };
}

/*
 * The order of a walk that reads each directory by name and goes into it when
 * it meets it: what is below `a` comes before `a.yaml`, so / is the smallest
 * character.
 */
int
tree_path_order(const char *a, size_t na, const char *b, size_t nb)
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
size_t
tree_lower_bound(const struct tree *t, const char *path, size_t n)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (tree_path_order(t->v[mid].path, strlen(t->v[mid].path),
			path, n) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct tree_entry *
tree_find(const struct tree *t, const char *path, size_t n)
{
	size_t at = tree_lower_bound(t, path, n);

	if (at < t->n && strlen(t->v[at].path) == n &&
	    memcmp(t->v[at].path, path, n) == 0)
		return &t->v[at];
	return NULL;
}

/* Is the path below the directory?  Everything is below "". */
bool
tree_is_below(const char *path, const char *dir, size_t n)
{
	return n == 0 || (strncmp(path, dir, n) == 0 && path[n] == '/');
}

/* Is there something below the path? */
bool
tree_is_dir(const struct tree *t, const char *path, size_t n)
{
	size_t at = tree_lower_bound(t, path, n);

	if (n == 0)
		return true;
	if (at < t->n && strlen(t->v[at].path) == n &&
	    memcmp(t->v[at].path, path, n) == 0) {
		if ((t->v[at].mode & TREE_MODE_TYPE) == TREE_MODE_DIR)
			return true;
		at++;
	}
	return at < t->n && tree_is_below(t->v[at].path, path, n);
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

/* Path and id in one piece: there are many of them. */
static struct tree_entry
make_entry(const char *path, const char *oid)
{
	size_t np = strlen(path) + 1, no = strlen(oid) + 1;
	struct tree_entry e = { .path = xmalloc(np + no) };

	e.oid = e.path + np;
	memcpy(e.path, path, np);
	memcpy(e.oid, oid, no);
	return e;
}

void
tree_put(struct tree *t, const char *path, const char *oid, uint32_t mode,
    uint64_t size)
{
	struct tree_change c = { .removed = false };

	/* one more than allowed is enough for tree_settle to refuse */
	if (t->nchanges > TREE_MAX_ENTRIES)
		return;
	c.entry = make_entry(path, oid);
	c.entry.mode = mode;
	c.entry.size = size;
	note(t, &c);
}

void
tree_remove(struct tree *t, const char *path)
{
	if (t->nchanges > TREE_MAX_ENTRIES)
		return;
	note(t,
	    &(struct tree_change){ .entry = make_entry(path, ""),
		.removed = true });
}

static int
change_order(const void *a, const void *b)
{
	const char *pa = ((const struct tree_change *)a)->entry.path;
	const char *pb = ((const struct tree_change *)b)->entry.path;

	return tree_path_order(pa, strlen(pa), pb, strlen(pb));
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
		    : tree_path_order(t->v[i].path, strlen(t->v[i].path),
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
tree_settle(struct tree *t, bool full, bool *changed, struct fx_err *err)
{
	struct tree_entry *v;
	size_t n;

	*changed = full || t->nchanges != 0;
	if (!*changed)
		return FX_OK;
	if (full)
		drop_entries(t);
	if (t->nchanges <= TREE_MAX_ENTRIES) {
		if (t->nchanges != 0)
			qsort(t->changes, t->nchanges, sizeof(*t->changes),
			    change_order);
		v = merge(t, &n);
		free(t->changes); /* as many as there are files at first */
		t->changes = NULL;
		t->nchanges = t->cap_changes = 0;
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
		t->v[at].target != NULL || t->v[at].size > TREE_MAX_TARGET))
		at++;
	return at;
}

void
tree_set_target(struct tree *t, size_t at, const void *p, size_t n)
{
	free(t->v[at].target);
	t->v[at].target = xstrndup(p, n);
}
