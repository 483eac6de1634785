/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library that is loaded before the C library's and lets one call fail:
 *
 *	FX_FAULT="WHO CALL N"	the N-th CALL of this process fails, once
 *
 * It says so on standard error, "fault WHO CALL N", and at the end of the
 * process how many calls of each kind there were, "count WHO CALL N".  It makes
 * no system call of its own otherwise, so a filter sees what it always sees.
 */
#include "base.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

/* What can fail, and how it does. */
#define CALLS(X)                                                               \
	X(malloc, ENOMEM)                                                      \
	X(read, EIO)                                                           \
	X(pread, EIO)                                                          \
	X(write, ENOSPC)                                                       \
	X(pwrite, ENOSPC)                                                      \
	X(writev, ENOSPC)                                                      \
	X(open, EMFILE)                                                        \
	X(stat, EIO)                                                           \
	X(fsync, EIO)                                                          \
	X(ftruncate, ENOSPC)                                                   \
	X(rename, EIO)                                                         \
	X(unlink, EIO)                                                         \
	X(mkdir, ENOSPC)                                                       \
	X(mmap, ENOMEM)                                                        \
	X(socket, EMFILE)                                                      \
	X(connect, ENETUNREACH)                                                \
	X(sockopt, ENOBUFS)                                                    \
	X(sendmsg, ENOBUFS)                                                    \
	X(recvmsg, ENOMEM)                                                     \
	X(send, ENOBUFS)                                                       \
	X(recv, ENOMEM)                                                        \
	X(fcntl, EMFILE)                                                       \
	X(poll, ENOMEM)

enum call {
#define X(name, error) C_##name,
	CALLS(X)
#undef X
	    NCALLS
};

static const struct {
	const char *name;
	int error;
} calls[NCALLS] = {
#define X(name, error) { #name, error },
	CALLS(X)
#undef X
};

static unsigned long count[NCALLS];
static enum call victim = NCALLS;
static unsigned long at;
static char who[16];

static void
say(const char *what, enum call c, unsigned long n)
{
	char text[80];
	int len = snprintf(text, sizeof(text), "%s %s %s %lu\n", what, who,
	    calls[c].name, n);

	(void)!syscall(SYS_write, STDERR_FILENO, text, len);
}

static bool
fails(enum call c)
{
	if (++count[c] != at || c != victim)
		return false;
	victim = NCALLS;
	say("fault", c, at);
	errno = calls[c].error;
	return true;
}

static void __attribute__((constructor)) arm(void)
{
	const char *fault = getenv("FX_FAULT");
	char name[16];

	if (fault == NULL ||
	    sscanf(fault, "%15s %15s %lu", who, name, &at) != 3)
		return;
	for (int c = 0; c < NCALLS; c++)
		if (strcmp(name, calls[c].name) == 0)
			victim = (enum call)c;
}

static void __attribute__((destructor)) tell(void)
{
	for (int c = 0; c < NCALLS; c++)
		if (count[c] != 0)
			say("count", (enum call)c, count[c]);
}

/* ---- memory -------------------------------------------------------------- */

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

PUBLIC void *
malloc(size_t n)
{
	return fails(C_malloc) ? NULL : __libc_malloc(n);
}

PUBLIC void *
calloc(size_t n, size_t size)
{
	return fails(C_malloc) ? NULL : __libc_calloc(n, size);
}

PUBLIC void *
realloc(void *p, size_t n)
{
	return fails(C_malloc) ? NULL : __libc_realloc(p, n);
}

/* ---- system calls -------------------------------------------------------- */

#define CALL(kind, type, name, args, number, ...)                              \
	PUBLIC type name args;                                                 \
	PUBLIC type name args                                                  \
	{                                                                      \
		if (fails(C_##kind))                                           \
			return (type)-1;                                       \
		return (type)syscall(number, __VA_ARGS__);                     \
	}

/* clang-format off */
CALL(read, ssize_t, read, (int fd, void *p, size_t n), SYS_read, fd, p, n)
CALL(pread, ssize_t, pread, (int fd, void *p, size_t n, off_t o), SYS_pread64, fd, p, n, o)
CALL(pread, ssize_t, pread64, (int fd, void *p, size_t n, off_t o), SYS_pread64, fd, p, n, o)
CALL(pwrite, ssize_t, pwrite, (int fd, const void *p, size_t n, off_t o), SYS_pwrite64, fd, p, n, o)
CALL(pwrite, ssize_t, pwrite64, (int fd, const void *p, size_t n, off_t o), SYS_pwrite64, fd, p, n, o)
CALL(writev, ssize_t, writev, (int fd, const struct iovec *v, int n), SYS_writev, fd, v, n)
CALL(stat, int, fstat, (int fd, struct stat *st), SYS_newfstatat, fd, "", st, AT_EMPTY_PATH)
CALL(stat, int, fstat64, (int fd, struct stat64 *st), SYS_newfstatat, fd, "", st, AT_EMPTY_PATH)
CALL(stat, int, stat, (const char *path, struct stat *st), SYS_newfstatat, AT_FDCWD, path, st, 0)
CALL(stat, int, stat64, (const char *path, struct stat64 *st), SYS_newfstatat, AT_FDCWD, path, st, 0)
CALL(stat, int, lstat, (const char *path, struct stat *st), SYS_newfstatat, AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW)
CALL(stat, int, lstat64, (const char *path, struct stat64 *st), SYS_newfstatat, AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW)
CALL(fsync, int, fsync, (int fd), SYS_fsync, fd)
CALL(fsync, int, fdatasync, (int fd), SYS_fdatasync, fd)
CALL(ftruncate, int, ftruncate, (int fd, off_t n), SYS_ftruncate, fd, n)
CALL(ftruncate, int, ftruncate64, (int fd, off_t n), SYS_ftruncate, fd, n)
CALL(rename, int, rename, (const char *a, const char *b), SYS_rename, a, b)
CALL(unlink, int, unlink, (const char *path), SYS_unlink, path)
CALL(mkdir, int, mkdir, (const char *path, mode_t mode), SYS_mkdir, path, mode)
CALL(mmap, void *, mmap, (void *p, size_t n, int prot, int flags, int fd, off_t o), SYS_mmap, p, n, prot, flags, fd, o)
CALL(mmap, void *, mmap64, (void *p, size_t n, int prot, int flags, int fd, off_t o), SYS_mmap, p, n, prot, flags, fd, o)
CALL(socket, int, socket, (int family, int type, int proto), SYS_socket, family, type, proto)
CALL(connect, int, connect, (int fd, const struct sockaddr *a, socklen_t n), SYS_connect, fd, a, n)
CALL(sockopt, int, getsockopt, (int fd, int l, int o, void *p, socklen_t *n), SYS_getsockopt, fd, l, o, p, n)
CALL(sockopt, int, setsockopt, (int fd, int l, int o, const void *p, socklen_t n), SYS_setsockopt, fd, l, o, p, n)
CALL(sendmsg, ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), SYS_sendmsg, fd, m, flags)
CALL(recvmsg, ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), SYS_recvmsg, fd, m, flags)
CALL(send, ssize_t, send, (int fd, const void *p, size_t n, int flags), SYS_sendto, fd, p, n, flags, NULL, 0)
CALL(recv, ssize_t, recv, (int fd, void *p, size_t n, int flags), SYS_recvfrom, fd, p, n, flags, NULL, NULL)
CALL(poll, int, poll, (struct pollfd *p, nfds_t n, int ms), SYS_poll, p, n, ms)
/* clang-format on */

/* Last words are not lost. */
PUBLIC ssize_t
write(int fd, const void *p, size_t n)
{
	if (fd != STDERR_FILENO && fails(C_write))
		return -1;
	return syscall(SYS_write, fd, p, n);
}

/* The variadic ones; what is not there is not looked at by the kernel. */
#define OPEN(name, args, dir, path, flags)                                     \
	PUBLIC int name args                                                   \
	{                                                                      \
		va_list ap;                                                    \
		unsigned mode;                                                 \
                                                                               \
		va_start(ap, flags);                                           \
		mode = (flags & (O_CREAT | O_TMPFILE)) != 0                    \
		    ? va_arg(ap, unsigned)                                     \
		    : 0;                                                       \
		va_end(ap);                                                    \
		if (fails(C_open))                                             \
			return -1;                                             \
		return (int)syscall(SYS_openat, dir, path, flags, mode);       \
	}

OPEN(open, (const char *path, int flags, ...), AT_FDCWD, path, flags)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD, path, flags)
OPEN(openat, (int dir, const char *path, int flags, ...), dir, path, flags)
OPEN(openat64, (int dir, const char *path, int flags, ...), dir, path, flags)

#define FCNTL(name)                                                            \
	PUBLIC int name(int fd, int cmd, ...)                                  \
	{                                                                      \
		va_list ap;                                                    \
		long arg;                                                      \
                                                                               \
		va_start(ap, cmd);                                             \
		arg = va_arg(ap, long);                                        \
		va_end(ap);                                                    \
		if (fails(C_fcntl))                                            \
			return -1;                                             \
		return (int)syscall(SYS_fcntl, fd, cmd, arg);                  \
	}

FCNTL(fcntl)
FCNTL(fcntl64)
