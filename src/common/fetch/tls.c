/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

/* An encrypted key: OpenSSL's own function would ask the terminal. */
static int
no_password(char *buf, int size, int rw, void *arg)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)arg;
	return -1;
}

static BIO *
view(const struct buf *pem)
{
	BIO *bio = BIO_new_mem_buf(buf_head(pem), (int)buf_left(pem));

	if (bio == NULL)
		fx_bug("BIO_new_mem_buf");
	return bio;
}

int
tls_trust(struct tls *t, const struct buf *pem, struct fx_err *err)
{
	X509_STORE *store = X509_STORE_new();
	BIO *bio = view(pem);
	size_t n = 0;
	X509 *x;

	if (store == NULL)
		fx_bug("X509_STORE_new");
	while (n <= TLS_CERTS_MAX &&
	    (x = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
		if (X509_STORE_add_cert(store, x) == 1)
			n++;
		X509_free(x);
	}
	BIO_free(bio);
	ERR_clear_error();
	if (n == 0 || n > TLS_CERTS_MAX) {
		X509_STORE_free(store);
		return n == 0 ? fx_fail(err, FX_ESYNTAX,
				    "no certificate in it (PEM wanted)")
			      : fx_fail(err, FX_ELIMIT,
				    "more than %d certificates", TLS_CERTS_MAX);
	}
	X509_STORE_free(t->store);
	t->store = store;
	return FX_OK;
}

static void
clear_identity(struct tls *t)
{
	X509_free(t->cert);
	t->cert = NULL;
	for (size_t i = 0; i < t->nchain; i++)
		X509_free(t->chain[i]);
	t->nchain = 0;
	EVP_PKEY_free(t->key);
	t->key = NULL;
}

int
tls_identity(struct tls *t, const struct buf *cert, const struct buf *key,
    struct fx_err *err)
{
	BIO *c = view(cert), *k = view(key);
	X509 *x;

	clear_identity(t);
	t->cert = PEM_read_bio_X509(c, NULL, no_password, NULL);
	while (t->nchain < TLS_CHAIN_MAX &&
	    (x = PEM_read_bio_X509(c, NULL, no_password, NULL)) != NULL)
		t->chain[t->nchain++] = x;
	t->key = PEM_read_bio_PrivateKey(k, NULL, no_password, NULL);
	BIO_free(c);
	BIO_free(k);
	ERR_clear_error();
	if (t->cert == NULL)
		fx_fail(err, FX_ESYNTAX, "client certificate: not PEM");
	else if (t->key == NULL)
		fx_fail(err, FX_ESYNTAX,
		    "client key: not PEM, or protected by a password");
	else if (X509_check_private_key(t->cert, t->key) != 1)
		fx_fail(err, FX_ESYNTAX,
		    "client key does not belong to the client certificate");
	else
		return FX_OK;
	ERR_clear_error();
	clear_identity(t);
	return err->code;
}

int
tls_apply(const struct tls *t, SSL_CTX *ctx)
{
	/* watches are silent most of the time */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	if (t->store != NULL)
		SSL_CTX_set1_cert_store(ctx, t->store);
	if (t->cert == NULL)
		return FX_OK;
	if (SSL_CTX_use_certificate(ctx, t->cert) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, t->key) != 1)
		return FX_EFAIL;
	for (size_t i = 0; i < t->nchain; i++)
		if (SSL_CTX_add1_chain_cert(ctx, t->chain[i]) != 1)
			return FX_EFAIL;
	return FX_OK;
}

void
tls_clear(struct tls *t)
{
	X509_STORE_free(t->store);
	t->store = NULL;
	clear_identity(t);
}

void
tls_warm_up(void)
{
	unsigned char byte;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = ctx != NULL ? SSL_new(ctx) : NULL;

	if (ssl == NULL || RAND_bytes(&byte, 1) != 1 ||
	    RAND_priv_bytes(&byte, 1) != 1)
		fx_bug("OpenSSL does not start");
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}
