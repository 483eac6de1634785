/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

/* Nothing beside what every worker has: libyaml, jansson and libmd only
 * compute. */
const struct sandbox mw_sandbox = {
	.name = "fluxd-manifest",
	.nofile = 8, /* standard ones and the channel */
	.as_bytes = 128u << 20,
};
