/*
 * tls: whom we believe and who we are, built once from memory.
 *
 * libcurl would parse a CA bundle for every connection and look for more in
 * directories that are out of reach; so the store, the client certificate and
 * its key are made here and handed to each connection's SSL_CTX.
 */
#ifndef FX_TLS_H
#define FX_TLS_H

#include "base.h"
#include "buf.h"

#include <openssl/ssl.h>

#define TLS_CERTS_MAX 1024 /* of one bundle */
#define TLS_CHAIN_MAX 16

struct tls {
	X509_STORE *store; /* NULL: nobody is trusted */
	X509 *cert;	   /* ours; NULL: none */
	X509 *chain[TLS_CHAIN_MAX];
	size_t nchain;
	EVP_PKEY *key;
};

/* Trust the certificates of a PEM bundle, and no others. */
int tls_trust(struct tls *, const struct buf *pem, struct fx_err *) FX_MUSTUSE;

/* Be the owner of this certificate (with its chain) and key, both PEM. */
int tls_identity(struct tls *, const struct buf *cert, const struct buf *key,
    struct fx_err *) FX_MUSTUSE;

/* Make a connection's context believe and be that. */
int tls_apply(const struct tls *, SSL_CTX *) FX_MUSTUSE;

void tls_clear(struct tls *);

/* Let OpenSSL do everything it does only once: it reads files for it. */
void tls_warm_up(void);

#endif
