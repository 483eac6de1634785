/*
 * jsonw: JSON text as Go's encoder writes it.
 *
 * Clients and stored notes were made by that encoder, so its habits are kept:
 * <, >, & and the two line separators are escaped, and a byte that is not
 * UTF-8 becomes the replacement character.  Beyond them, what moves a
 * terminal's cursor or reorders its text is escaped: many see answers there.
 */
#ifndef FX_JSONW_H
#define FX_JSONW_H

#include "base.h"
#include "buf.h"

/* Append a quoted string; NULL stands for "". */
void jw_string(struct buf *, const char *);

/* Append "name": and the quoted value. */
void jw_member(struct buf *, const char *name, const char *value);

#endif
