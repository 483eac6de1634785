/*
 * schema: what JSON that others wrote must look like, and how it is written.
 *
 * Specs and results come from clients and from notes in the repository.  A
 * schema says which members an object has; a value that fits is written again
 * as Go's encoder writes it: members in the order of the schema, keys of maps
 * sorted, ids and images as they are printed, and nothing that is not in it.
 */
#ifndef FX_API_SCHEMA_H
#define FX_API_SCHEMA_H

#include "base.h"
#include "buf.h"

#include <jansson.h>

enum shape {
	SHAPE_ANY, /* checked by somebody else; never written */
	SHAPE_STRING,
	SHAPE_BOOL,
	SHAPE_ID,
	SHAPE_IMAGE, /* left out when there is none, and never written as "" */
	SHAPE_POLICIES, /* {"name":"value"}, or ["name"] for values "true" */
	SHAPE_LIST,	/* of: each element */
	SHAPE_BY_ID,	/* an object whose keys are ids; of: each value */
	SHAPE_OBJECT,	/* of: its members, ended by one without a key */
};

struct schema {
	const char *key; /* of a member */
	enum shape shape;
	const char *type; /* Go's name for it, which stands in errors */
	const struct schema *of;
	bool omit; /* not written when empty */
};

/* Does a value fit?  Absent and null fit everywhere.  blank: an empty text may
 * stand for no image.  The texts of errors are those of Go's decoder. */
int schema_check(const json_t *, const struct schema *, bool blank,
    struct fx_err *) FX_MUSTUSE;

/* Append a value that fits. */
void schema_write(struct buf *, const json_t *, const struct schema *);

#endif
