/*
 * resource: the Kubernetes objects in one file of the repository.
 *
 * A file is a YAML stream; each document with a kind is a resource, each list
 * is the resources it holds.  Every mistake is an error of the whole file,
 * with upstream's text.
 */
#ifndef FX_RESOURCE_H
#define FX_RESOURCE_H

#include "base.h"
#include "buf.h"
#include "canon.h"
#include "node.h"
#include "policies.h"

#define RESOURCE_MAX_NAME 253 /* bytes of a name, namespace, kind, version */

#define RESOURCE_MARK_LABEL "fluxcd.io/sync-gc-mark"
#define RESOURCE_CHECKSUM_ANNOTATION "fluxcd.io/sync-checksum"

enum { RESOURCE_IGNORE = 1, RESOURCE_SYNC_ONLY = 2 };

/* What a CustomResourceDefinition says about one version of its kind. */
struct resource_scope {
	char *api_version; /* owned */
	char *kind;	   /* owned */
	bool namespaced;
};

struct resource {
	char *text; /* owned: the four strings that follow */
	const char *api_version;
	const char *kind; /* as written */
	const char *ns;	  /* as written, may be empty */
	const char *name;
	uint8_t hash[CANON_HASH_LEN]; /* of the canonical text */
	unsigned policy;	      /* set of RESOURCE_… */
	struct policies *policies;    /* owned; NULL: none */
	char *unfit; /* owned: why no server can be sent it; or NULL */
	struct resource_scope *scopes; /* owned */
	size_t nscopes;
};

void resource_clear(struct resource *);
void resource_scopes_free(struct resource_scope *, size_t n);

/*
 * Called for each resource of a file, in order.  It may take the resource
 * (copy the struct and zero it).  The object is without our label and
 * annotation, whatever git says; it and the arena are good during the call.
 */
typedef int resource_fn(void *arg, struct resource *, struct node *object,
    struct arena *, struct fx_err *);

/* What fn returns other than FX_OK ends the reading and is returned.  *stage:
 * where a mistake in the text was found, for resource_blame; NULL if it was
 * fn that ended it. */
int resource_each(const void *text, size_t n, resource_fn *fn, void *arg,
    const char **stage, struct fx_err *) FX_MUSTUSE;

/* Put stage and file in front of the error, in upstream's words; returns its
 * code. */
int resource_blame(const char *stage, const char *source, struct fx_err *);

/* What is added to an object on its way to the server. */
struct resource_extra {
	const char *ns; /* effective; empty: none */
	const char *mark;
	const char *checksum;
};

/* Append the object as JSON with its namespace, mark and checksum. */
int resource_body(struct buf *out, struct arena *, struct node *object,
    const struct resource_extra *, struct fx_err *) FX_MUSTUSE;

#endif
