/*
 * anchors: which node of a YAML document a name like `&base` stands for.
 *
 * One set belongs to one document.  The names are copied, the nodes are
 * borrowed: the set is cleared before the document's arena is.
 */
#ifndef FX_ANCHORS_H
#define FX_ANCHORS_H

#include "node.h"

struct anchors {
	void *tree; /* owned; of struct anchor */
};

/* A name used again stands for the newer node.  Name NULL: nothing. */
void anchors_set(struct anchors *, const char *name, struct node *);

/* NULL: there is no such name so far. */
struct node *anchors_get(const struct anchors *, const char *name);

void anchors_clear(struct anchors *);

#endif
