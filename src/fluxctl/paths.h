/*
 * paths: names of files as Go joins them, for what is shown.
 */
#ifndef CTL_PATHS_H
#define CTL_PATHS_H

#include "base.h"

/* dir/below without empty elements, "." and, where an element is before it,
 * "..".  Owned by the caller. */
char *path_join(const char *dir, const char *below);

#endif
