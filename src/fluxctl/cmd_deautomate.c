/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

#include "change.h"
#include "workload.h"

int
ctl_cmd_deautomate(struct ctl *c)
{
	const struct ctl_options *o = &c->line->opts;
	struct change change = { .deautomate = true,
		.message = o->deautomate_message,
		.verbosity = o->deautomate_verbose };
	int r = workload_flag(o->deautomate_workload, o->deautomate_controller,
	    "can't specify both a controller and workload", &change.workload,
	    &c->error);

	return r == FX_OK ? change_policies(c, &change) : r;
}
