/*
 * rollout: following workloads until they are ready.
 */
#ifndef CTL_ROLLOUT_H
#define CTL_ROLLOUT_H

#include "cmd.h"

#include <jansson.h>

/* Shows the workloads that were updated, again and again, until all of them
 * are ready or one has a problem: that is shown and is no error. */
int
rollout_watch(struct ctl *, const json_t *result, int64_t verbosity) FX_MUSTUSE;

#endif
