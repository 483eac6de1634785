/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* What both roles need: libgit2 on the mirror.  Landlock decides about paths.
 * clang-format off: one line of each table is one call */
/* clang-format off */
#define MIRROR_CALLS							\
	/* libgit2: files of the mirror */				\
	SB_ALLOW(openat),						\
	SB_ALLOW(read),							\
	SB_ALLOW(write),						\
	SB_ALLOW(pread64), /* packs; fd_read_all */			\
	SB_ALLOW(pwrite64), /* the pack that is being received */	\
	SB_ALLOW(lseek),						\
	SB_ALLOW(newfstatat), /* stat, lstat, fstat */			\
	SB_ALLOW(fstat), /* glibc from 2.39 on */			\
	SB_ALLOW(access),						\
	SB_ALLOW(faccessat2),						\
	SB_ALLOW(readlink), /* p_realpath of the repository */		\
	SB_ALLOW(getcwd), /* path prettifying of a relative path */	\
	SB_ALLOW(getdents64), /* loose refs and objects, packs */	\
	SB_ALLOW(fcntl), /* F_SETFD; libssh2: F_GETFL, F_SETFL */	\
	/* libgit2: lock files and what they become */			\
	SB_ALLOW(rename),						\
	SB_ALLOW(link),							\
	SB_ALLOW(unlink),						\
	SB_ALLOW(unlinkat), /* our own clearing of a mirror */		\
	SB_ALLOW(mkdir),						\
	SB_ALLOW(rmdir),						\
	SB_ALLOW(chmod), /* modes of a new repository */		\
	SB_ALLOW(ftruncate), /* the pack that is being received */	\
	SB_ALLOW(utimensat), /* freshening of objects that are there */	\
	SB_ALLOW(fsync),						\
	/* a probe when a repository is made: no links here */		\
	SB_ERRNO(symlink, EPERM)

#define SOCKET_CALLS							\
	SB_ALLOW(renameat2), /* a mirror packed anew takes its place */	\
	/* libssh2 and libcurl on a socket that was given */		\
	SB_ALLOW(recvfrom),						\
	SB_NO_BITS(sendto, 3, MSG_FASTOPEN) /* which would connect */

static const struct sandbox_call remote_calls[] = {
	MIRROR_CALLS,
	SOCKET_CALLS,
	SB_ALLOW(shutdown), /* a session that is given up */
	/* TCP_QUICKACK */
	SB_ARG(setsockopt, 1, IPPROTO_TCP),
};

static const struct sandbox_call http_calls[] = {
	MIRROR_CALLS,
	SOCKET_CALLS,
	/* libcurl: how the connection is; refused, the names would take the
	 * place of the real reason in its errors */
	SB_ALLOW(getsockopt),
	SB_ALLOW(getsockname),
	SB_ALLOW(getpeername),
	/* libcurl 7.88 connects sockets that are connected: never executed */
	SB_FAKE(connect),
};

static const struct sandbox_call local_calls[] = {
	MIRROR_CALLS,
};
/* clang-format on */

const struct sandbox gw_remote_sandbox = {
	.name = "fluxd-git (remote)",
	.calls = remote_calls,
	.ncalls = nitems(remote_calls),
	.nofile = 256,		/* 64 packs at once, and refs */
	.as_bytes = 512u << 20, /* 128 MiB of packs mapped, and an index */
	.keeps_root = true,
	.writes_files = true,
};

const struct sandbox gw_http_sandbox = {
	.name = "fluxd-git-http",
	.calls = http_calls,
	.ncalls = nitems(http_calls),
	.nofile = 256,
	.as_bytes = 512u << 20,
	.keeps_root = true,
	.writes_files = true,
};

const struct sandbox gw_local_sandbox = {
	.name = "fluxd-git (local)",
	.calls = local_calls,
	.ncalls = nitems(local_calls),
	.nofile = 256,
	.as_bytes = 512u << 20,
	.keeps_root = true,
	.writes_files = true,
};
