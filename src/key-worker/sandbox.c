/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include <fcntl.h>

static const struct sandbox_call calls[] = {
	/* fd_read_all: the key file */
	SB_ALLOW(pread64),
	/* sealed_take: the memory file of a key that was made */
	SB_ARG(fcntl, 1, F_ADD_SEALS),
};

const struct sandbox kw_sandbox = {
	.name = "fluxd-key",
	.calls = calls,
	.ncalls = nitems(calls),
	.nofile = 16,		/* standard ones, channel, key files */
	.as_bytes = 128u << 20, /* mostly libcrypto's own pages */
};
