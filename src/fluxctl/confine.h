/*
 * confine: what fluxctl gives up before it talks to anybody.
 *
 * From then on a process reads no file of the person who runs it and starts
 * no program, whatever an answer makes of it: with Landlock, files below the
 * directories of the system can be read, and one directory changed where that
 * is what was asked for; with seccomp, what no client needs fails.  A kernel
 * without one of them goes without.
 */
#ifndef CTL_CONFINE_H
#define CTL_CONFINE_H

#include "base.h"
#include "error.h"

enum confine_reach {
	CONFINE_NETWORK, /* connections to anybody */
	CONFINE_HANDED	 /* sockets that another process hands over, only */
};

/* `writable`: a directory, or NULL.  No way back.  FX_ESYS when the kernel has
 * a layer and it cannot be used. */
int ctl_confine(const char *writable, enum confine_reach,
    struct ctl_error *) FX_MUSTUSE;

#endif
