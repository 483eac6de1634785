/*
 * landlock: the kernel's file, TCP and signal confinement, by system call.
 *
 * A domain forbids everything that the running kernel's ABI can forbid; then
 * paths are let through one by one.  The numbers are ours, so that a build on
 * old headers confines as well as the kernel it runs on allows.
 */
#ifndef FX_LANDLOCK_H
#define FX_LANDLOCK_H

#include "base.h"

/* The ABI from which on a kernel forbids… */
#define LANDLOCK_ABI_FILES 1  /* opening, making, removing files */
#define LANDLOCK_ABI_REFER 2  /* …and lets them be moved where allowed */
#define LANDLOCK_ABI_TCP 4    /* TCP bind and connect */
#define LANDLOCK_ABI_SCOPES 6 /* signals and abstract sockets to outside */
#define LANDLOCK_ABI_KNOWN 7  /* the newest that this file knows */

/* The kernel's ABI, at most LANDLOCK_ABI_KNOWN; 0 and errno: it has none. */
unsigned landlock_abi(void);

struct landlock {
	int fd; /* owned; the rule set being built; -1: none */
	unsigned abi;
	uint64_t files; /* what is forbidden, and may be let through again */
};

/*
 * Begin a domain.  files: forbid everything about files; connect: let TCP
 * connect through.  FX_ESYS on failure.
 */
int landlock_open(struct landlock *, unsigned abi, bool files, bool connect,
    struct fx_err *) FX_MUSTUSE;

/* Let a file, or everything below a directory, be read, or read and changed.
 * A path that does not exist is no error. */
int landlock_path(const struct landlock *, const char *path, bool change,
    struct fx_err *) FX_MUSTUSE;

/* From now on, for this process and what it starts. */
int landlock_enter(struct landlock *, struct fx_err *) FX_MUSTUSE;

#endif
