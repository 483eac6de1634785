/*
 * git_lib: libgit2 as it is used here, and what it says when it fails.
 */
#ifndef FX_GIT_LIB_H
#define FX_GIT_LIB_H

#include "base.h"

#include <git2.h>
#if __has_include(<git2/sys/errors.h>)
#	include <git2/sys/errors.h> /* git_error_clear, from 1.8 on */
#endif
#include <stdarg.h>

#define GW_OID_HEX 65 /* digits of the longest object id, and the end */

/* Once per process, before lock-down: libgit2 without foreign configuration,
 * with limits. */
int gw_lib_open(size_t max_object, struct fx_err *) FX_MUSTUSE;
/* Keep fewer bytes of parsed objects than usual. */
void gw_lib_cache(size_t max);

/* Report what libgit2 could not do, with a text that is safe to show.  Returns
 * the code. */
int gw_git_fail(int r, struct fx_err *, const char *fmt, ...) FX_PRINTF(3, 4);
int
gw_git_vfail(int r, struct fx_err *, const char *fmt, va_list) FX_PRINTF(3, 0);

#endif
