/*
 * charts: directories of a tree that are Helm charts, whose files are no
 * manifests.
 *
 * What makes a chart is upstream's rule: a Chart.yaml and a values.yaml.  One
 * without values is none: upstream applies what is below it where it can be
 * read, and leaving that out would have it collected.
 */
#ifndef FX_CHARTS_H
#define FX_CHARTS_H

#include "base.h"
#include "tree.h"

struct charts {
	char **dirs; /* owned; sorted */
	size_t n;
};

struct charts charts_find(const struct tree *);
void charts_clear(struct charts *);

/* Is the path or a directory above it a chart? */
bool charts_have(const struct charts *, const char *path);

#endif
