/*
 * jsonload: the JSON library's reader, which takes numbers of any size.
 *
 * The library refuses a whole text for one integer beyond 64 bits.  Others are
 * not so strict: the API server keeps such numbers in custom resources, and
 * upstream skips them in members that it does not know.
 */
#ifndef FX_JSONLOAD_H
#define FX_JSONLOAD_H

#include "base.h"

#include <jansson.h>

/* As json_loadb; an integer beyond 64 bits is a real.  One so large that it is
 * no real either is still an error. */
json_t *jl_load(const char *, size_t n, size_t flags, json_error_t *);

#endif
