/*
 * suggest: which command somebody may have meant.
 */
#ifndef CTL_SUGGEST_H
#define CTL_SUGGEST_H

#include "error.h"

/* `unknown command "x" for "fluxctl"`, with what is at most two edits away or
 * begins like it. */
int ctl_fail_unknown_command(struct ctl_error *, const char *typed);

/* Edits (insert, delete, replace) that make b of a, ignoring case. */
size_t ctl_edits(const char *a, const char *b);

#endif
