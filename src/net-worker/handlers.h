/*
 * handlers: what fluxd-net is asked.
 */
#ifndef NW_HANDLERS_H
#define NW_HANDLERS_H

#include "base.h"
#include "ipc_peer.h"
#include "resolve.h"
#include "sandbox.h"
#include "worker.h"

#define NW_MAX_DIALS 64
#define NW_MAX_TIMEOUT_MS (10 * 60 * 1000)

struct nw_state {
	struct worker *worker;
	size_t dials; /* under way */
	struct resolve_file conf, hosts;
	bool stale; /* a new process is needed: take no more, end when idle */
	struct loop_timer end;
};

/* After lock-down. */
void nw_open(struct nw_state *, struct worker *);

extern const struct ipc_handler nw_handlers[];
extern const size_t nw_nhandlers;
extern const struct sandbox nw_sandbox;

#endif
