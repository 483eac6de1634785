/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "handlers.h"

static const struct sandbox_call calls[] = {
	/* token.c: fd_read_all of the file that was handed in */
	SB_ALLOW(pread64),
	/* http.c: clients of the listeners that were handed in */
	SB_ALLOW(accept4),
	/* peers.c: SO_PEERCRED and SO_PEERGROUPS of the Unix socket */
	SB_ARG(getsockopt, 1, SOL_SOCKET),
	/* http.c drops a client; libmicrohttpd ends an exchange */
	SB_ALLOW(shutdown),
	/* libmicrohttpd: a client's bytes; its answer's header and body go by
	 * sendmsg, the rest of a long one by send */
	SB_ALLOW(recvfrom),
	/* not by TCP fast open, which would connect: shutdown makes a listener
	 * a socket that can */
	SB_NO_BITS(sendto, 3, MSG_FASTOPEN),
	/* MHD_add_connection asks whether the client is non-blocking: it is */
	SB_ARG(fcntl, 1, F_GETFL),
	/* libmicrohttpd: TCP_NODELAY and TCP_CORK around an answer */
	SB_ARG(setsockopt, 1, IPPROTO_TCP),
	/* MHD_run */
	SB_ALLOW(epoll_ctl),
	SB_ALLOW(epoll_wait),
	SB_ALLOW(epoll_pwait),
};

const struct sandbox aw_sandbox = {
	.name = "fluxd-api",
	.calls = calls,
	.ncalls = nitems(calls),
	/* clients, listeners, channel, the library's two, standard ones */
	.nofile = HTTP_MAX_CONNECTIONS + 32,
	/* libraries 10 MiB, bodies 32, what is made of them, answers */
	.as_bytes = 128u << 20,
};
