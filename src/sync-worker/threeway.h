/*
 * threeway: the patch that makes a live object what git says.
 *
 * As kubectl's client-side apply does it: what git has and the object has
 * otherwise is set; what git had when it was applied last, and has no more, is
 * taken away; what only the object has stays.  Kinds of the server take a
 * strategic merge patch, in which lists whose elements have a key are merged by
 * it; which ones those are stands in a table here.  Everything else takes a
 * JSON merge patch, which replaces lists whole.
 */
#ifndef FX_SW_THREEWAY_H
#define FX_SW_THREEWAY_H

#include "base.h"

#include <jansson.h>

/* last may be NULL: then nothing is taken away.  NULL: nothing to do. */
json_t *threeway_patch(const json_t *last, const json_t *git,
    const json_t *live, bool strategic);

/* Only what is to be taken away, whether or not it is there. */
json_t *
threeway_deletions(const json_t *last, const json_t *git, bool strategic);

const char *threeway_content_type(bool strategic);

#endif
