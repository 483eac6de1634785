/*
 * follow: paths of a tree through its symbolic links, never out of it.
 */
#ifndef FX_FOLLOW_H
#define FX_FOLLOW_H

#include "base.h"
#include "buf.h"
#include "tree.h"

#define FOLLOW_MAX                                                             \
	(2 * TREE_MAX_TARGET) /* bytes of a path that is followed              \
			       */

/* Follow a path through the links in it; `last` says whether one at its end is
 * followed, too.  FX_EDENIED: it leaves the tree.  The result is owned by the
 * caller; there may be nothing in its place. */
int follow_path(const struct tree *, const char *path, bool last, char **out,
    struct fx_err *) FX_MUSTUSE;

enum place { PLACE_FILE, PLACE_DIR, PLACE_MISSING };

/* What is there; *e is set for a FILE, which may be a link. */
enum place follow_place(const struct tree *, const char *path,
    const struct tree_entry **e);

/* Take the last component off a path. */
void follow_pop(struct buf *path);

#endif
