/*
 * oidset: object ids, each once.
 */
#ifndef FX_OIDSET_H
#define FX_OIDSET_H

#include "base.h"

#include <git2.h>

struct oidset {
	git_oid *v; /* owned; open addressing, a power of two of places */
	bool *used; /* owned */
	size_t n, places;
};

/* false: it was there already. */
bool oidset_add(struct oidset *, const git_oid *);
bool oidset_has(const struct oidset *, const git_oid *);
void oidset_clear(struct oidset *);

#endif
