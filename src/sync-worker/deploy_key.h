/*
 * deploy_key: a new SSH deploy key, into the Secret that is mounted.
 *
 * Needs patch on that one Secret, and get where the Secret is looked at.  The
 * private key is in the request's body and wherever libcurl copies it: the
 * process that does this ends afterwards.
 */
#ifndef FX_SW_DEPLOY_KEY_H
#define FX_SW_DEPLOY_KEY_H

#include "cluster.h"
#include "ipc.h"

struct deploy_key {
	const char *ns, *secret;
	const char *data_key; /* where the private key goes; upstream's own,
				 DEPLOY_KEY_NAME, is kept in step */
	struct buf text;      /* a view: the private key file */
	const char *line;     /* the public half, without newline */
};

#define DEPLOY_KEY_NAME "identity"

/* The end: NULL, or why not.  FX_ETIMEOUT: it is not known whether the server
 * has done it; FX_EAGAIN: the Secret holds another key (IPC_KEY_FIRST);
 * FX_ECONFLICT: it does not hold this one (IPC_KEY_LOOK). */
typedef void deploy_key_fn(void *arg, const struct fx_err *err);

void deploy_key_store(struct cluster *, const struct deploy_key *,
    enum ipc_key_how, deploy_key_fn *, void *arg);

#endif
