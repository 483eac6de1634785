/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* clang-format off */
static const struct sandbox_call calls[] = {
	/* dial, c-ares: no family but these can be had */
	SB_ARG(socket, 0, AF_INET),
	SB_ARG(socket, 0, AF_INET6),
	SB_ALLOW(connect),
	/* dial: how a connect ended */
	SB_ALLOW(getsockopt),
	/* dial: TCP_NODELAY, keep-alive */
	SB_ARG(setsockopt, 1, SOL_SOCKET),
	SB_ARG(setsockopt, 1, IPPROTO_TCP),
	/* c-ares: queries and answers */
	SB_ALLOW(sendto),
	SB_ALLOW(recvfrom),
	SB_ALLOW(writev),
	/* c-ares: makes its sockets non-blocking; sorts addresses by the
	 * source address that the kernel would choose (RFC 6724) */
	SB_ALLOW(fcntl),
	SB_ALLOW(getsockname),
	/* c-ares: reads its configuration; Landlock says which files */
	SB_ALLOW(openat),
	SB_ALLOW(read),
	SB_ALLOW(lseek),
	SB_ALLOW(newfstatat),
	SB_ALLOW(fstat), /* the same, from glibc 2.39 on */
	/* c-ares: the search domain, from the host's name */
	SB_ALLOW(uname),
	/* if_nametoindex, for a name server with a zone: goes without */
	{ .nr = SCMP_SYS(socket), .error = EAFNOSUPPORT, .nargs = 1,
	    .args = { { 0, SCMP_CMP_EQ, AF_UNIX, 0 } } },
	SB_ERRNO(ioctl, ENOTTY),
};
/* clang-format on */

/* What c-ares reads at the beginning of every look-up. */
static const char *const read_paths[] = {
	"/etc/resolv.conf",
	"/etc/hosts",
	"/etc/nsswitch.conf",
	"/etc/host.conf",
	"/etc/svc.conf",
	"/etc/netsvc.conf",
	/* where resolv.conf's content comes from when it is a link: these are
	 * replaced by renaming, so the directories are needed */
	"/run/systemd/resolve",
	"/run/NetworkManager",
	"/run/resolvconf",
	/* c-ares before 1.19: query ids */
	"/dev/urandom",
	NULL,
};

const struct sandbox nw_sandbox = {
	.name = "fluxd-net",
	.calls = calls,
	.ncalls = nitems(calls),
	.nofile = 1024,		/* 64 dials with a few name servers each */
	.as_bytes = 128u << 20, /* libc, c-ares and the channel's queue */
	.may_connect = true,
	.keeps_root = true,
	.read_paths = read_paths,
};
