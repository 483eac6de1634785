/*
 * arena: many small things with one life.
 *
 * A parsed document lives in an arena and is forgotten in one step.  The
 * largest size is chosen when the arena is born; past it arena_alloc gives
 * NULL and what was being built is refused.
 */
#ifndef FX_ARENA_H
#define FX_ARENA_H

#include "base.h"

struct arena_block;

struct arena {
	struct arena_block *head; /* owned; newest first */
	size_t used;		  /* bytes handed out since the last reset */
	size_t max;		  /* limit in bytes, fixed at birth */
};

/* clang-format off */
#define ARENA_INIT(limit) { .max = (limit) }
/* clang-format on */

/* n bytes, aligned for any member of a node, not initialised; NULL past the
 * limit. */
void *arena_alloc(struct arena *, size_t n) FX_MUSTUSE;

/* A copy of n bytes, ended by a NUL. */
char *arena_strn(struct arena *, const char *, size_t n) FX_MUSTUSE;

/* Forget everything; one block of memory is kept for the next use. */
void arena_reset(struct arena *);
void arena_clear(struct arena *);
#define auto_arena FX_CLEANUP(arena_clear)

#endif
