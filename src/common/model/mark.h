/*
 * mark: the values that tell garbage collection what is ours.
 *
 * Exactly upstream's: objects that upstream applied are recognised after the
 * switch, and the other way round.
 */
#ifndef FX_MARK_H
#define FX_MARK_H

#include "base.h"

/* The name of a sync set, from the safe URL of the repository, the branch and
 * the paths as they were given.  Owned by the caller, as is the mark. */
char *mark_set_name(const char *safe_url, const char *branch,
    char *const *paths, size_t npaths);

/* The mark of one object; `id` is the printed one with the namespace that it
 * really has. */
char *mark_of(const char *set_name, const char *id);

#endif
