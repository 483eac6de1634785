/*
 * greeting: how a connection becomes a WebSocket.
 */
#ifndef FX_UW_GREETING_H
#define FX_UW_GREETING_H

#include "base.h"
#include "buf.h"
#include "kubeconfig_url.h"
#include "wsframe.h"

/* Append the request, and make its key.  token: "" if there is none. */
void greeting_write(struct buf *, const struct kc_url *, const char *token,
    char key[WS_KEY_SIZE]);

/* Is the answer, whose head is all here, that of a WebSocket? */
bool greeting_is_answered(const struct buf *, const char *key);

#endif
