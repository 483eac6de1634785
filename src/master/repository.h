/*
 * repository: what clients are told of the repository's manifests.
 *
 * They were loaded by a pass, and manifest still has them; or it is known why
 * they cannot be; or a load is under way, or will be as soon as the worker is
 * back, and who asks waits for it, within a bound.  Asking starts nothing: a
 * reader has no influence on what is synced when.
 */
#ifndef FX_REPOSITORY_H
#define FX_REPOSITORY_H

#include "base.h"
#include "ipc_peer.h"

struct master;
struct repository_wait;

struct repository {
	struct repository_wait *waits;
	struct fx_err why; /* the last pass that ended without a load; FX_OK:
			      one has loaded since */
};

/* Answer REPOSITORY, now or later. */
void repository_ask(struct master *, const struct ipc_req *);

/* A pass has loaded the manifests (NULL), or has ended without. */
void repository_loaded(struct master *, const struct fx_err *);

#endif
