/*
 * http_trust: which certificates an https server may have.
 *
 * libcurl would look for files at every connection; instead one store is made
 * before lock-down and handed to each.
 */
#ifndef FX_HTTP_TRUST_H
#define FX_HTTP_TRUST_H

#include "base.h"

#include <openssl/ssl.h>

#include "buf.h"

/* Before lock-down: what OpenSSL reads and makes at first use, and the
 * system's authorities, if they are the ones. */
int http_trust_open(bool system_ca, struct fx_err *) FX_MUSTUSE;

/* A reference to a store: of these PEM certificates, or of the system's if
 * there are none.  NULL: there are no certificates in them. */
X509_STORE *http_trust_store(const struct buf *pem, struct fx_err *);

#endif
