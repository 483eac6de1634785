/*
 * status: which commits are not applied yet.
 *
 * What git-local lists after the marker up to the revision that a client names.
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

/* Answer SYNC_STATUS. */
void status_ask(struct master *, const struct ipc_req *, const char *ref);

#endif
