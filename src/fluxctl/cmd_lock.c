/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

#include "change.h"
#include "workload.h"

int
ctl_cmd_lock(struct ctl *c)
{
	const struct ctl_options *o = &c->line->opts;
	struct change change = { .lock = true,
		.message = o->lock_message,
		.verbosity = o->lock_verbose };
	int r = workload_flag(o->lock_workload, o->lock_controller,
	    "can't specify both a controller and workload", &change.workload,
	    &c->error);

	return r == FX_OK ? change_policies(c, &change) : r;
}
