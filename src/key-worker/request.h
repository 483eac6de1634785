/*
 * request: what the git worker wants signed, and whether we sign it.
 *
 * The asker talks to a hostile server and may be in its hands, so nothing is
 * taken on trust: only an SSH login (RFC 4252, 7) of the configured user, with
 * this key and an algorithm that fits it, is signed.  Nothing in it names the
 * host; that only the configured host is dialled is what the master and the
 * connector are for.
 */
#ifndef KW_REQUEST_H
#define KW_REQUEST_H

#include "base.h"
#include "buf.h"
#include "key.h"

/* Bytes of a session id: the hash of the key exchange, MD5 to SHA-512. */
#define REQUEST_SESSION_MIN 16
#define REQUEST_SESSION_MAX 64

/* FX_OK and the algorithm to sign with, or FX_EDENIED and what is wrong. */
int request_check(const struct buf *to_sign, const struct key *,
    const char *user, const struct key_alg **, struct fx_err *) FX_MUSTUSE;

#endif
