/*
 * output: what a command that lists something prints, in the form asked for.
 */
#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H

#include "buf.h"
#include "cmd.h"

#include <jansson.h>

/* Up to WIDE they are tables; WIDE has columns that the original does not. */
enum output_format { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_YAML };

/* "tab" or "table", "wide", "json", "yaml". */
int output_format(const char *, enum output_format *,
    struct ctl_error *) FX_MUSTUSE;

/* The whole value as JSON on one line, or as YAML. */
int output_value(struct ctl *, enum output_format, const json_t *) FX_MUSTUSE;

/* The lines of a table, aligned.  On a terminal the first line stands out if
 * it is a heading.  The buf is emptied. */
void output_table(struct ctl *, struct buf *text, bool heading);

/* true if sequences that move the cursor may be written there. */
bool output_is_terminal(FILE *);

#endif
