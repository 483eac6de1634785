/*
 * sealed: a memory file that is made before the lock-down and filled after it.
 *
 * A filter need not let a process make files, nor write to them, for it to hand
 * a secret to another one: the file is mapped from the beginning, filled as
 * memory is, sealed and given away.  Its length is from the beginning, too:
 * what is not filled is zero, and a text ends at the first zero byte.
 */
#ifndef KW_SEALED_H
#define KW_SEALED_H

#include "base.h"
#include "buf.h"

struct sealed {
	int fd;		  /* owned; -1: it was given away */
	struct buf bytes; /* the mapping: to be filled, never grows, and is not
			   * to be cleared */
};

/* Before lock-down.  FX_ESYS. */
int sealed_open(struct sealed *, const char *name, size_t max) FX_MUSTUSE;
/* The file with the bytes that were filled in, which nobody can change any
 * more; the caller's.  -1: the system failed, or it was taken already. */
int sealed_take(struct sealed *);
/* Without being taken it is emptied by its end. */
void sealed_close(struct sealed *);

#endif
