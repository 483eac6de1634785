/*
 * gojson: JSON text as Go's encoder writes it.
 *
 * Compact; <, >, & and the two line separators are escaped.  So is whatever
 * could move or reorder what a terminal shows: the value is the same.
 */
#ifndef CTL_GOJSON_H
#define CTL_GOJSON_H

#include "base.h"
#include "buf.h"

#include <jansson.h>

/* Members in the order in which they were set. */
void gojson_add(struct buf *, const json_t *);

void gojson_add_string(struct buf *, const char *);

/* A string of any bytes: what is not UTF-8 becomes U+FFFD.  Owned. */
json_t *gojson_string(const char *);

/* The object with its members in the order of their names, as Go writes maps.
 * Owned; the values are shared. */
json_t *gojson_sorted(const json_t *object);

#endif
