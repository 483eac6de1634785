/*
 * base: what every file of the project includes first.
 *
 * Brings config.h, the handful of C headers everything needs, the attributes
 * used in declarations and the words for ownership (auto_free, fx_steal).
 */
#ifndef FX_BASE_H
#define FX_BASE_H

#ifdef HAVE_CONFIG_H
#	include "config.h"
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FX_MUSTUSE __attribute__((warn_unused_result))
#define FX_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define FX_NORETURN __attribute__((noreturn))
#define FX_FALLTHROUGH __attribute__((fallthrough))
#define FX_CLEANUP(fn) __attribute__((cleanup(fn)))

#define nitems(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Allocation.  Running out of memory ends the process: the master starts a
 * worker anew, and a size that a peer chose has been compared with a limit
 * before it gets here.
 */
void *xmalloc(size_t n);
void *xcalloc(size_t count, size_t size);
void *xreallocarray(void *, size_t count, size_t size);
char *xstrdup(const char *);
char *xstrndup(const char *, size_t n);
char *xasprintf(const char *fmt, ...) FX_PRINTF(1, 2);

/* The end without memory: abort would be a forbidden call where a filter is,
 * and whoever cleans up at an exit might want memory. */
#define FX_EXIT_NO_MEMORY 72
void fx_no_memory(void) FX_NORETURN;

/* For processes that live long and work in bursts: what a burst took goes back
 * to the system.  Before the first large block. */
void fx_frugal(void);

/* A local that owns heap memory: `auto_free char *s = NULL;`. */
void fx_free_at(void *pointer_to_pointer);
#define auto_free FX_CLEANUP(fx_free_at)

/* Hand an owned pointer over: returns it and leaves NULL behind. */
#define fx_steal(p)                                                            \
	({                                                                     \
		__typeof__(*(p)) fx_stolen_ = *(p);                            \
		*(p) = NULL;                                                   \
		fx_stolen_;                                                    \
	})

/* A broken invariant of our own: say which and abort. */
void fx_bug(const char *fmt, ...) FX_NORETURN FX_PRINTF(1, 2);

#include "err.h"

#endif
