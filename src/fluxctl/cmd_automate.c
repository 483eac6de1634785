/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

#include "change.h"
#include "workload.h"

int
ctl_cmd_automate(struct ctl *c)
{
	const struct ctl_options *o = &c->line->opts;
	struct change change = { .automate = true,
		.message = o->automate_message,
		.verbosity = o->automate_verbose };
	int r = workload_flag(o->automate_workload, o->automate_controller,
	    "can't specify both the controller and workload", &change.workload,
	    &c->error);

	return r == FX_OK ? change_policies(c, &change) : r;
}
