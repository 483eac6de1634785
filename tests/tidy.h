/* tidy: what clang's analyzer cannot see outside of err.c: the code given is
 * the code that comes back. */
#include "base.h"
#include "err.h"

#define fx_fail(err, code, ...) (fx_fail(err, code, __VA_ARGS__), (code))

/* fluxctl's own errors, where that is what is looked at */
#if __has_include("error.h")
#	include "error.h"
#	define ctl_fail(err, code, ...)                                       \
		(ctl_fail(err, code, __VA_ARGS__), (code))
#endif
