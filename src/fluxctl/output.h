/*
 * output: what a command that lists something prints, in the form asked for.
 */
#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H

#include "buf.h"
#include "cmd.h"

#include <jansson.h>

/* "tab" or "table", "wide", "json", "yaml". */
int output_format(const char *, enum output_format *,
    struct ctl_error *) FX_MUSTUSE;

/* Whether a value is printed in place of a table. */
bool output_is_value(const struct ctl *);

/* The whole value as JSON on one line, or as YAML. */
int output_value(struct ctl *, const json_t *) FX_MUSTUSE;

/* The lines of a table, aligned.  On a terminal the first line stands out if
 * it is a heading.  The buf is emptied. */
void output_table(struct ctl *, struct buf *text, bool heading);

/* true if sequences that move the cursor may be written there. */
bool output_is_terminal(FILE *);

#endif
