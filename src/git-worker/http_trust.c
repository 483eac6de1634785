/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "http_trust.h"

#include <openssl/pem.h>
#include <openssl/rand.h>

#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

static X509_STORE *system_store;

static bool
warm_up(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = ctx == NULL ? NULL : SSL_new(ctx);
	uint8_t b[16];
	bool ok = ssl != NULL && RAND_bytes(b, sizeof(b)) == 1 &&
	    RAND_priv_bytes(b, sizeof(b)) == 1;

	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return ok;
}

int
http_trust_open(bool system_ca, struct fx_err *err)
{
	if (!warm_up() || (system_store = X509_STORE_new()) == NULL)
		return fx_fail(err, FX_EFAIL, "OpenSSL does not start");
	/* without the file nothing is trusted, and that error is a clear one */
	if (system_ca)
		(void)X509_STORE_load_file(system_store, SYSTEM_CA_FILE);
	return FX_OK;
}

X509_STORE *
http_trust_store(const struct buf *pem, struct fx_err *err)
{
	X509_STORE *store;
	X509 *x = NULL;
	size_t n = 0;
	BIO *bio;

	if (buf_left(pem) == 0) {
		(void)X509_STORE_up_ref(system_store);
		return system_store;
	}
	store = X509_STORE_new();
	bio = BIO_new_mem_buf(buf_head(pem), (int)buf_left(pem));
	while (store != NULL && bio != NULL &&
	    (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		n += X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
	}
	BIO_free(bio);
	if (n == 0) {
		X509_STORE_free(store);
		(void)fx_fail(err, FX_ESYNTAX,
		    "the file of git's authorities has no certificate");
		return NULL;
	}
	return store;
}
