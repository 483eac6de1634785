/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

int
ctl_cmd_version(struct ctl *c)
{
	fprintf(c->out, "%s\n", PACKAGE_VERSION);
	return FX_OK;
}
