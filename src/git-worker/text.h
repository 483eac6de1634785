/*
 * text: what a server says, made fit to be shown.
 */
#ifndef FX_TEXT_H
#define FX_TEXT_H

#include "base.h"

/* At most max bytes in one printable line: line ends become blanks.  Owned by
 * the caller. */
char *text_one_line(const char *, size_t n, size_t max);

#endif
