/*
 * names: which resource has which name.
 *
 * Resources are told apart by namespace, kind and name, which is what the
 * printed id shows, and by API group, which it leaves out.
 */
#ifndef FX_NAMES_H
#define FX_NAMES_H

#include "base.h"
#include "known.h"

/* A resource in a namespace.  First in the struct that it names. */
struct name {
	const struct known_resource *r;
	const char *ns; /* borrowed; "": none */
	uint64_t digest;
};

struct name
name_make(const struct known_resource *, const char *ns, uint32_t ns_digest);

/* The printed id; owned by the caller. */
char *name_print(const struct name *);

/* "kind/name" of the printed id; owned by the caller. */
char *name_print_short(const struct name *);

struct names {
	struct name **slots; /* owned; their names are not */
	size_t nslots;	     /* a power of two */
	uint64_t seed;	     /* odd; so that nobody can aim at a slot */
};

/* Room for n names. */
void names_init(struct names *, size_t n, uint64_t seed);
void names_clear(struct names *);

/* Put it in and return NULL, or return the one that is called the same. */
struct name *names_put(struct names *, struct name *);

/* NULL if there is none. */
struct name *names_get(const struct names *, const struct name *);

#endif
