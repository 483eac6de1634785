/*
 * charts: directories of a tree that are Helm charts, whose files are no
 * manifests.
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
