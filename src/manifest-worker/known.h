/*
 * known: the blobs of the repository that have been parsed, and what is in
 * them.
 *
 * There are as many of them as the repository has files, so they are small: a
 * blob is one piece of memory with its id, its resources and their names, and
 * kinds, of which there are few, are shared.  Bodies are not kept: a resource
 * is found again in its blob by its place.
 */
#ifndef FX_KNOWN_H
#define FX_KNOWN_H

#include "arena.h"
#include "base.h"
#include "canon.h"
#include "resource.h"

#define KNOWN_MAX_RESOURCES 200000 /* of one blob */
#define KNOWN_KEEP (4u << 20)	   /* bytes of blobs kept for their bodies */

/* Bytes of policies of a blob: some, and some times what it has itself, for
 * aliases repeat them. */
#define KNOWN_POLICY_SLACK 65536
#define KNOWN_POLICY_FACTOR 4

enum known_scope {
	KNOWN_NAMESPACED,
	KNOWN_CLUSTER,
	KNOWN_UNKNOWN, /* the server has no such kind */
	KNOWN_FAILED,  /* it could not be asked */
};

/* A kind as manifests write it; shared by its resources. */
struct kind {
	char *api_version;	 /* owned */
	char *kind;		 /* owned */
	bool used;		 /* by a known blob */
	bool in_load;		 /* by a resource of the load at work */
	enum known_scope answer; /* the server's */
	enum known_scope scope;	 /* with what definitions of the load say */
	char *why;		 /* owned: of UNKNOWN and FAILED, else NULL */
};

/* What few resources have. */
struct known_more {
	struct policies *policies;     /* owned; NULL: none */
	char *unfit;		       /* owned: no server can be sent it */
	struct resource_scope *scopes; /* owned: a definition's */
	size_t nscopes;
};

struct known_resource {
	struct kind *kind;
	const char *ns; /* as written, may be empty; in the blob, as is name */
	const char *name;
	uint8_t hash[CANON_HASH_LEN]; /* of the canonical text */
	uint32_t ns_digest;	      /* of ns */
	uint64_t digest;	      /* of API group, kind and name */
	unsigned policy;	      /* set of RESOURCE_… */
	struct known_more *more;      /* owned; or NULL */
};

struct blob {
	const char *oid;   /* hex; in the blob */
	size_t size;	   /* bytes of its text */
	const char *text;  /* if it is kept; or NULL */
	char *error;	   /* owned: why it cannot be read, or NULL; then v is
			      what was read before */
	const char *stage; /* of the error, for resource_blame */
	int code;	   /* of the error */
	bool used;
	size_t n;
	struct known_resource v[];
};

struct known {
	struct blob **v; /* owned; the first `sorted` in the order of oid */
	size_t n, cap, sorted;
	struct kind **kinds; /* owned; sorted */
	size_t nkinds;
	struct arena texts; /* of blobs; apart from them, for they go first */
};

void known_clear(struct known *);

/* Among those that known_settle has seen; NULL if it is not known. */
struct blob *known_find(const struct known *, const char *oid);

/* Parse a blob that is not known.  A mistake in it is kept with it. */
struct blob *
known_parse(struct known *, const char *oid, const void *text, size_t n);

/* Let known_find see what was parsed. */
void known_settle(struct known *);

/* Keep no texts any more. */
void known_drop_texts(struct known *);

/* Forget blobs that are not marked as used, and kinds without a resource. */
void known_purge(struct known *);

/* A hash of a namespace: 0 for none. */
uint32_t known_ns_digest(const char *ns);

/* Bytes of the API group in an apiVersion. */
size_t known_group_span(const char *api_version);

#endif
