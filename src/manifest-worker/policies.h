/*
 * policies: what clients are shown of one resource's policies, in one piece.
 *
 * The set keeps them as long as the resource, and most resources have none or
 * one.  They come out of the repository: what no server would take as an
 * annotation, or no frame, is not kept.
 */
#ifndef FX_POLICIES_H
#define FX_POLICIES_H

#include "base.h"
#include "policy.h"

#define POLICIES_MAX 1024	  /* of a resource */
#define POLICIES_MAX_NAME 253	  /* bytes */
#define POLICIES_MAX_VALUE 4096	  /* bytes */
#define POLICIES_MAX_BYTES 0x8000 /* of all, so that a part has room for it */

struct policies {
	uint32_t n;
	uint32_t bytes; /* of text */
	char text[];	/* name NUL value NUL, in the order of the names */
};

/* Those of the set that are kept; NULL for none; the caller's. */
struct policies *policies_pack(const struct policy_set *);

/* The first one at NULL, then the one after; NULL at the end. */
const char *policies_next(const struct policies *, const char *name);

/* The value of one that policies_next gave. */
const char *policies_value(const char *name);

#endif
