/*
 * ssh: run git's commands on the server over one kept SSH session.
 *
 * A session is made when it is first needed and stays open between commands,
 * each of which gets a channel of its own; one that died in between is made
 * anew, once.  Whatever waits, waits at most until the link's deadline.  Only
 * current algorithms are offered, the host's key has to be known, and the
 * deploy key signs elsewhere (link_calls).
 */
#ifndef FX_SSH_H
#define FX_SSH_H

#include "base.h"
#include "transport.h"

/* libssh2 once per process, before lock-down. */
int ssh_lib_open(struct fx_err *) FX_MUSTUSE;

/* Trusts known_hosts files.  A command that failed is an error with what it
 * said; a command that is done leaves the session for the next one. */
extern const struct transport_carrier ssh_carrier;

#endif
