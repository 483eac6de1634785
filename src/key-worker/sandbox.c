/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

static const struct sandbox_call calls[] = {
	/* fd_read_all: the key file */
	SB_ALLOW(pread64),
};

const struct sandbox kw_sandbox = {
	.name = "fluxd-key",
	.calls = calls,
	.ncalls = nitems(calls),
	.nofile = 16,		/* standard ones, channel, key file */
	.as_bytes = 128u << 20, /* mostly libcrypto's own pages */
};
