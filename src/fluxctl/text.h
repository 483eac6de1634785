/*
 * text: writing foreign text to a terminal.
 */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include "base.h"
#include "buf.h"

#include <stdio.h>

/* Write formatted text; line ends and tabs pass, anything else that could
 * move or reorder what the terminal shows is made visible (str_printable). */
void ctl_print(FILE *, const char *fmt, ...) FX_PRINTF(2, 3);

/* A document's text, as it is; but on a terminal as ctl_print shows it. */
void ctl_write(FILE *, const char *, size_t n);

/* errno's text as Go writes it, in lower case; valid until the next call. */
const char *ctl_system_text(int number);

/* The byte c in single quotes, as Go's %q shows a byte. */
char *ctl_quoted_byte(unsigned char c);

#endif
