/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include <fcntl.h>
#include <sys/socket.h>

#define AS_BYTES (256ul << 20) /* libraries, a few buffers of one event */
#define NOFILE 32

/* clang-format off */
static const struct sandbox_call calls[] = {
	/* libcurl's socket, which is connected: no address is ever given */
	{ .nr = SCMP_SYS(sendto), .nargs = 3, .args = {
		{ 3, SCMP_CMP_EQ, MSG_NOSIGNAL, 0 },
		{ 4, SCMP_CMP_EQ, 0, 0 },
		{ 5, SCMP_CMP_EQ, 0, 0 } } },
	{ .nr = SCMP_SYS(recvfrom), .nargs = 3, .args = {
		{ 3, SCMP_CMP_EQ, 0, 0 },
		{ 4, SCMP_CMP_EQ, 0, 0 },
		{ 5, SCMP_CMP_EQ, 0, 0 } } },
	/* is a connection still alive? */
	{ .nr = SCMP_SYS(recvfrom), .nargs = 3, .args = {
		{ 3, SCMP_CMP_EQ, MSG_PEEK, 0 },
		{ 4, SCMP_CMP_EQ, 0, 0 },
		{ 5, SCMP_CMP_EQ, 0, 0 } } },
	{ .nr = SCMP_SYS(getsockopt), .nargs = 2, .args = {
		{ 1, SCMP_CMP_EQ, SOL_SOCKET, 0 },
		{ 2, SCMP_CMP_EQ, SO_ERROR, 0 } } },
	SB_ARG(fcntl, 1, F_GETFL),
	{ .nr = SCMP_SYS(fcntl), .nargs = 2, .args = {
		{ 1, SCMP_CMP_EQ, F_SETFL, 0 },
		{ 2, SCMP_CMP_EQ, O_RDWR | O_NONBLOCK, 0 } } },
	/* fd_read_all: token and certificates */
	SB_ALLOW(pread64),
	/* libcurl 7.88 connects what it was told is connected: not run */
	SB_FAKE(connect),
	/* libcurl, for its log; refused, it would say so in every error */
	SB_ALLOW(getsockname),
	SB_ALLOW(getpeername),
	/* libcurl's clean-up wants to ignore SIGPIPE, which is ignored */
	SB_ERRNO(rt_sigaction, 1),
};
/* clang-format on */

const struct sandbox uw_sandbox = {
	.name = "fluxd-upstream",
	.calls = calls,
	.ncalls = nitems(calls),
	.nofile = NOFILE,
	.as_bytes = AS_BYTES,
};
