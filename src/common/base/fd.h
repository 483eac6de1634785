/*
 * fd: descriptors that close themselves, and sealed memory files.
 */
#ifndef FX_FD_H
#define FX_FD_H

#include "base.h"
#include "buf.h"

/* Close *fd unless it is -1, and set it to -1. */
void fd_close(int *fd);
#define auto_fd FX_CLEANUP(fd_close)

int fd_set_nonblock(int fd) FX_MUSTUSE;
int fd_set_cloexec(int fd, bool on) FX_MUSTUSE;

/* A memory file with this content that nobody can change any more; for
 * handing a secret to another process.  -1 and errno on failure. */
int fd_sealed(const char *name, const void *, size_t n);

/* All of a regular or memory file, from its start, by pread (works on a
 * descriptor shared with others).  FX_ELIMIT when it is larger than the buf. */
int fd_read_all(int fd, struct buf *out) FX_MUSTUSE;

#endif
