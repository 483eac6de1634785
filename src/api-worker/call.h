/*
 * call: requests that come over the channel, from fluxd-upstream, for the
 * service of --connect.
 *
 * They run through the handlers of the routes like any other, as those of one
 * client who has the token: nothing is served that a client could not have.
 * The answer goes back in parts, as there is credit.
 */
#ifndef FX_API_CALL_H
#define FX_API_CALL_H

#include "base.h"
#include "handlers.h"
#include "ipc.h"

#define CALLS_MAX 16 /* at a time */

int call_begin(struct aw_state *, const struct ipc_req *, struct ipc_call *);
/* Credit for an answer, or that it is not wanted any more. */
int call_control(void *state, struct ipc_peer *, struct ipc_frame *);
/* All are given up. */
void calls_clear(struct aw_state *);

#endif
