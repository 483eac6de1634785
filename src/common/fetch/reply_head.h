/*
 * reply_head: the head of an HTTP answer on a connection that is about to speak
 * something else.
 */
#ifndef FX_REPLY_HEAD_H
#define FX_REPLY_HEAD_H

#include "base.h"
#include "buf.h"

/* The headers with the empty line at their end: how long; 0: not all here. */
size_t reply_head_length(const struct buf *);

/* Of a head that is all here: "HTTP/1.1 101 …"; 0 when it is nothing like
 * that. */
int reply_status(const struct buf *);

/* The value of a header, without spaces around it; NULL: there is none. */
const char *reply_header(const struct buf *, const char *name, size_t *n);
/* Is it this, in any letter case? */
bool reply_header_is(const struct buf *, const char *name, const char *value);

#endif
