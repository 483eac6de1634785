/*
 * resource_id: how resources are named in the API, in logs and in git notes:
 * namespace:kind/name, `<cluster>` standing for no namespace.
 *
 * The kind is lower-cased, namespace and name keep their case.  The API group
 * is not part of the name; what has to tell groups apart keeps it beside.
 */
#ifndef FX_RESOURCE_ID_H
#define FX_RESOURCE_ID_H

#include "base.h"
#include "buf.h"

#define RESOURCE_CLUSTER "<cluster>"
#define RESOURCE_LEGACY_KIND "service"

struct resource_id {
	char *ns;   /* owned, as are all; or RESOURCE_CLUSTER */
	char *kind; /* lower case */
	char *name;
	bool legacy; /* written ns/name: a service, printed as it was */
};

/* "ns:kind/name", or the old "ns/name".  The error's text is upstream's. */
int resource_id_parse(const char *, struct resource_id *out,
    struct fx_err *) FX_MUSTUSE;

/* As the command line reads it: "ns:kind/name", or "kind/name" in the given
 * namespace; never the old form. */
int resource_id_parse_in(const char *, const char *ns, struct resource_id *out,
    struct fx_err *) FX_MUSTUSE;

void resource_id_clear(struct resource_id *);

/* The printed form; owned by the caller. */
char *resource_id_print(const struct resource_id *);

/* The printed form from the parts of a manifest: a NULL or empty namespace is
 * the cluster. */
char *resource_id_make(const char *ns, const char *kind, const char *name);

#endif
