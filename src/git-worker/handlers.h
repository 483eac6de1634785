/*
 * handlers: what git-remote (handlers.c) and git-local (local.c) answer.
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
	struct tree_memory listed;    /* local: of the tree it reported last */
	char told_rewind[GW_OID_HEX]; /* remote: the last one that was logged */
	struct fx_err why;	      /* a bad setting: nothing can be done */
	int dir_fd;		      /* the directory that it may change */
};

/* How an executable reaches a server. */
#define GW_MAX_TRUST 2
struct gw_way {
	const struct transport_carrier *carrier;
	enum ipc_file_id files[GW_MAX_TRUST]; /* whom it trusts */
	size_t nfiles;
};

/* After lock-down: settings, what is trusted, the transport. */
void gw_open_remote(struct gw *, struct worker *, const struct gw_way *);
void gw_close_remote(struct gw *);
void gw_open_local(struct gw *, struct worker *);
void gw_close_local(struct gw *);

/* Before anything else: settings of both roles. */
int gw_open_mirror(struct gw *, struct worker *, bool writer) FX_MUSTUSE;
/* Before every request. */
int gw_ready(struct gw *, struct fx_err *) FX_MUSTUSE;

/* The deploy key and the network, asked for over the channel. */
struct link_calls gw_calls(struct worker *);

extern const struct ipc_handler gw_remote_handlers[];
extern const size_t gw_nremote_handlers;
extern const struct ipc_handler gw_local_handlers[];
extern const size_t gw_nlocal_handlers;

extern const struct sandbox gw_remote_sandbox; /* of ssh and files */
extern const struct sandbox gw_http_sandbox;
extern const struct sandbox gw_local_sandbox;

#endif
