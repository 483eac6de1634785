/*
 * status: which commits are not applied yet.
 *
 * What git-local lists after the marker up to the revision that a client names.
 * Clients that wait ask again after a second, then after two, and so on; so
 * where something is pending and a pass is under way, the answer is kept until
 * the pass has ended, or for a second.
 * While nothing was ever synced, and when the marker's commit is gone, that is
 * all of them.  Clients give up at an error, so there is none that passes by
 * itself: a worker that died is asked again, and the revision that a job of
 * ours has reported is pending even where the mirror has lost it.
 */
#ifndef FX_STATUS_H
#define FX_STATUS_H

#include "base.h"
#include "ipc_peer.h"

struct master;
struct status_wait;

struct sync_status {
	struct status_wait *held; /* until a pass ends */
};

/* Answer SYNC_STATUS, now or later. */
void status_ask(struct master *, const struct ipc_req *, const char *ref);
/* A pass has ended. */
void status_pass_ended(struct master *);

#endif
