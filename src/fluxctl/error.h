/*
 * error: why a command failed, in the two forms fluxctl shows.
 *
 * A plain error is a message; a shaped one is a help text for people that the
 * daemon wrote (or that we write for it), shown under a heading of its own.
 * Unlike fx_err the text is not bounded by 1 KiB: a daemon's help texts and
 * the bodies of foreign answers are part of it, so it is owned.
 */
#ifndef CTL_ERROR_H
#define CTL_ERROR_H

#include "base.h"

struct ctl_error {
	bool shaped;
	char *text; /* owned; NULL: nothing failed */
};

/* Fill in the error, replacing an older one; returns code. */
int
ctl_fail(struct ctl_error *, int code, const char *fmt, ...) FX_PRINTF(3, 4);
int ctl_fail_shaped(struct ctl_error *, const char *help);

/* Put "what was tried: " in front; returns code. */
int ctl_wrap(struct ctl_error *, int code, const char *what);

void ctl_error_clear(struct ctl_error *);
#define auto_error FX_CLEANUP(ctl_error_clear)

#endif
