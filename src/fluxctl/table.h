/*
 * table: columns aligned as Go's tabwriter does (padding 2, no flags).
 *
 * The text has cells that end with a tab and free text after a line's last
 * tab.  A column is a run of consecutive lines that have that cell; it is as
 * wide as its widest cell, counted in code points, plus 2.  A line without a
 * tab therefore ends all columns.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include "base.h"
#include "buf.h"

void table_align(const char *text, size_t n, struct buf *out);

/* Append foreign text as (part of) a cell: nothing in it ends the cell. */
void table_add_cell(struct buf *, const char *foreign);

#endif
