/*
 * handlers: what both roles of fluxd-git answer.
 */
#ifndef FX_GW_HANDLERS_H
#define FX_GW_HANDLERS_H

#include "base.h"

#include "link.h"
#include "mirror.h"
#include "remote.h"
#include "tree.h"
#include "worker.h"

/* The state of either role; `remote` is used by GIT_REMOTE only. */
struct gw {
	struct worker *worker; /* not owned */
	struct mirror mirror;
	struct remote remote;
	struct tree_memory listed; /* local: of the tree it reported last */
	struct fx_err why;	   /* a bad setting: nothing can be done */
};

/* After lock-down: settings, known hosts, the transport. */
void gw_open_remote(struct gw *, struct worker *);
void gw_open_local(struct gw *, struct worker *);
void gw_close(struct gw *);

/* The deploy key and the network, asked for over the channel. */
struct link_calls gw_calls(struct worker *);

extern const struct ipc_handler gw_remote_handlers[];
extern const size_t gw_nremote_handlers;
extern const struct ipc_handler gw_local_handlers[];
extern const size_t gw_nlocal_handlers;

extern const struct sandbox gw_remote_sandbox;
extern const struct sandbox gw_local_sandbox;

#endif
