/*
 * change: a change of one workload's policies, as the commands ask for it.
 */
#ifndef CTL_CHANGE_H
#define CTL_CHANGE_H

#include "cmd.h"
#include "options.h"

struct change {
	const char *workload; /* [namespace:]kind/name; empty: not given */
	bool automate, deautomate, lock, unlock;
	const char *tag_all;	     /* pattern, or empty */
	const struct ctl_list *tags; /* container=pattern; or NULL */
	const char *message;
	int64_t verbosity;
};

/* Checks it, has it committed and shows the result. */
int change_policies(struct ctl *, const struct change *) FX_MUSTUSE;

#endif
