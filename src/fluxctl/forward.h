/*
 * forward: the way to a daemon in a cluster, by a process of its own.
 *
 * A kubeconfig often makes its owner the cluster's administrator, and what
 * fluxd answers is foreign.  So the credentials are never in the process that
 * reads those answers: it starts another one, which alone reads the
 * kubeconfig, runs its plugins, confines itself, and talks to the API server.
 * Between them are a channel of short messages, on which a socket is handed
 * over for each connection to the daemon, and these sockets.  Nothing listens:
 * nobody else on the machine can use the way, and ours may not connect
 * anywhere.
 */
#ifndef CTL_FORWARD_H
#define CTL_FORWARD_H

#include "base.h"
#include "error.h"
#include "options.h"

/* A connection that was idle for longer is not used again, in seconds: behind
 * an API server one does not always see that the other end has closed. */
#define FORWARD_IDLE_MAX 5L

struct forward;

/* Start the other process.  It may talk to the person on the terminal. */
int forward_start(const struct ctl_options *, struct forward **,
    struct ctl_error *) FX_MUSTUSE;

/* Wait until it has found the daemon; else the error says why not.  *ns is
 * owned: the namespace of the kubeconfig's context; empty: it has none. */
int forward_await(struct forward *, char **ns, struct ctl_error *) FX_MUSTUSE;

/* A socket that leads to the daemon; the caller's.  -1: see forward_why. */
int forward_connect(struct forward *) FX_MUSTUSE;

/* Why the last connection did not work; NULL: nothing is known.  Owned. */
char *forward_why(struct forward *);

/* Ends the other process. */
void forward_free(struct forward **);

#endif
