/*
 * quote: text in double quotes as Go's %q prints it, for error texts and log
 * lines that people search for.
 *
 * What strconv.IsPrint refuses is escaped: controls, spaces other than U+0020,
 * the soft hyphen, format and private-use characters; what is not UTF-8 goes
 * byte by byte as \xNN.  Unassigned code points pass.
 */
#ifndef FX_QUOTE_H
#define FX_QUOTE_H

#include "base.h"
#include "buf.h"

#define QUOTE_ESCAPE_MAX 11 /* "\U0010ffff" and its end */

/*
 * Write the first character of s as it is shown between two of `mark`, and an
 * end, into out.  Returns how many bytes of s that was, of left > 0.
 */
size_t
quote_next(const char *s, size_t left, char mark, char out[QUOTE_ESCAPE_MAX]);

/* Append the n bytes in quotes.  A buf that is full keeps what fitted. */
void str_add_quoted(struct buf *, const char *s, size_t n);

/* The same as a string of its own; owned by the caller. */
char *str_quoted(const char *s);

#endif
