/*
 * help: what -h and `help` show, made from the tables.
 */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include "buf.h"
#include "options.h"

/* Append the whole help of a command, or of fluxctl itself (CTL_ROOT). */
void help_text(enum ctl_command_id, struct buf *);

/* The same without the description: from "Usage:" on. */
void help_usage(enum ctl_command_id, struct buf *);

#endif
