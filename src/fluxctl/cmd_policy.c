/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

#include "change.h"
#include "workload.h"

int
ctl_cmd_policy(struct ctl *c)
{
	const struct ctl_options *o = &c->line->opts;
	struct change change = {
		.automate = o->policy_automate,
		.deautomate = o->policy_deautomate,
		.lock = o->policy_lock,
		.unlock = o->policy_unlock,
		.tag_all = o->policy_tag_all,
		.tags = &o->policy_tag,
		.message = o->policy_message,
		.verbosity = o->policy_verbose,
	};
	int r = workload_flag(o->policy_workload, o->policy_controller,
	    "can't specify both the controller and workload", &change.workload,
	    &c->error);

	return r == FX_OK ? change_policies(c, &change) : r;
}
