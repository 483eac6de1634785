/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "charts.h"

#define CHART_FILE "Chart.yaml"
#define CHART_VALUES "values.yaml"

static bool
in_charts(const struct charts *c, const char *dir, size_t n)
{
	size_t low = 0, high = c->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int r =
		    tree_path_order(c->dirs[mid], strlen(c->dirs[mid]), dir, n);

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
bool
charts_have(const struct charts *c, const char *path)
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

	if (tree_find(t, values, strlen(values)) == NULL &&
	    !tree_is_dir(t, values, strlen(values)))
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

	return tree_path_order(da, strlen(da), db, strlen(db));
}

/* Files called Chart.yaml, and directories: upstream does not care. */
struct charts
charts_find(const struct tree *t)
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

void
charts_clear(struct charts *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->dirs[i]);
	free(c->dirs);
}
