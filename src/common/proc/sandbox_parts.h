/*
 * sandbox_parts: the pieces that sandbox_enter puts in order.
 */
#ifndef FX_SANDBOX_PARTS_H
#define FX_SANDBOX_PARTS_H

#include "sandbox.h"

#include <stdio.h>

#ifdef FX_TEST_BUILD
#	define SANDBOX_TEST_BUILD 1
#else
#	define SANDBOX_TEST_BUILD 0
#endif

/* A line on standard error and exit status 70.  Works under every filter. */
void
sandbox_die(const char *name, const char *fmt, ...) FX_NORETURN FX_PRINTF(2, 3);

/* Not dumpable, no core, no new privileges, dies with its parent: again after
 * each change of credentials, which undoes two of them. */
void sandbox_private(const char *name);

/* Where CAP_SETPCAP is there: no bounding set, and neither uid 0 nor a
 * program's file give capabilities any more.  Without it no_new_privs says the
 * same.  FX_ESYS. */
int sandbox_lock_privileges(void) FX_MUSTUSE;

/* Try number i of what must fail by now.  FX_OK: it failed, or need not;
 * FX_EDENIED: it did not, err says what; FX_EUNKNOWN: there is no number i. */
int sandbox_try(size_t i, const struct sandbox *, const struct sandbox_state *,
    struct fx_err *) FX_MUSTUSE;

#endif
