/*
 * repair: the flow that puts back what somebody else changed.
 *
 * sync tells of drift; as soon as no sync pass uses the cluster it is asked to
 * repair.  What cannot be repaired (the set is gone after a restart) becomes a
 * sync pass.
 */
#ifndef FX_REPAIR_H
#define FX_REPAIR_H

#include "base.h"

struct master;
struct child_call;

struct repair_flow {
	bool wanted;
	struct child_call *call;
};

void repair_request(struct master *);
bool repair_is_running(const struct master *);
void repair_lane_is_free(struct master *);

#endif
