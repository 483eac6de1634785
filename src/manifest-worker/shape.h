/*
 * shape: does a document have the form its kind must have?
 *
 * Upstream decodes a manifest into Go structs and reports every place that
 * does not fit, by line of the canonical text and by Go's name of the type.
 * The same is said here by tables: what fits there fits here, what fails there
 * fails with the same text.
 */
#ifndef FX_SHAPE_H
#define FX_SHAPE_H

#include "base.h"
#include "buf.h"
#include "node.h"

struct shape;

/* The header that every document must have. */
extern const struct shape shape_header;
/* What a list must have. */
extern const struct shape shape_list;
/* What else a kind must have; NULL if nothing. */
const struct shape *shape_of_kind(const char *kind);

/* FX_ESYNTAX with go-yaml's text, "yaml: unmarshal errors:" and a line for
 * each.  canon_write has noted the lines before. */
int shape_check(const struct node *, const struct shape *,
    struct fx_err *) FX_MUSTUSE;

#endif
