/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "str.h"

#define COLUMNS 70 /* of the base64 text, as ssh-keygen breaks it */

static EVP_PKEY *
generate(const struct keygen *want)
{
	switch (want->type) {
	case KEYGEN_RSA:
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)want->bits);
	case KEYGEN_ECDSA:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC",
		    want->bits == 256	    ? "P-256"
			: want->bits == 384 ? "P-384"
					    : "P-521");
	case KEYGEN_ED25519:
		break;
	}
	return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

int
key_generate(const struct keygen *want, struct key **out, struct fx_err *err)
{
	EVP_PKEY *pkey = generate(want);
	struct key *k = NULL;

	ERR_clear_error();
	if (pkey == NULL)
		return fx_fail(err, FX_EFAIL, "libcrypto makes no key");
	if (key_new(pkey, &k, err) != FX_OK)
		return err->code;
	k->comment = xstrdup(KEY_COMMENT);
	*out = k;
	return FX_OK;
}

/* ---- the file ----------------------------------------------------------- */

static int
write_openssh(const struct key *k, struct buf *out, struct fx_err *err)
{
	struct buf bin = BUF_INIT(KEY_FILE_MAX), text = BUF_INIT(KEY_FILE_MAX);
	size_t n;
	int r = FX_ELIMIT;

	if (buf_reserve(&bin, KEY_FILE_MAX) != NULL &&
	    buf_reserve(&text, KEY_FILE_MAX) != NULL)
		r = key_to_openssh(k, &bin, err);
	if (r == FX_OK) {
		str_add_base64(&text, buf_head(&bin), buf_left(&bin), true,
		    false);
		r = str_add(out, KEY_ARMOR_BEGIN "\n");
	}
	for (; r == FX_OK && (n = buf_left(&text)) > 0; buf_skip(&text, n)) {
		n = n < COLUMNS ? n : COLUMNS;
		r = str_addn(out, (const char *)buf_head(&text), n);
		if (r == FX_OK)
			r = str_addc(out, '\n');
	}
	buf_wipe(&bin);
	buf_wipe(&text);
	return r == FX_OK ? str_add(out, KEY_ARMOR_END "\n") : r;
}

static int
write_pem(const struct key *k, enum keygen_format format, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	int ok = 0, r = FX_EFAIL;
	char *p;
	long n;

	if (bio != NULL && format == KEYGEN_PEM)
		ok = PEM_write_bio_PrivateKey_traditional(bio, k->pkey, NULL,
		    NULL, 0, NULL, NULL);
	else if (bio != NULL)
		ok = PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0,
		    NULL, NULL);
	if (ok == 1 && (n = BIO_get_mem_data(bio, &p)) > 0)
		r = buf_put(out, p, (size_t)n);
	BIO_free(bio);
	ERR_clear_error();
	return r;
}

/* ssh-keygen of these days reads an Ed25519 key in OpenSSH's own form only. */
int
key_write(const struct key *k, enum keygen_format format, struct buf *out,
    struct fx_err *err)
{
	bool pem = k->kind->curve != NULL || key_is_rsa(k);
	int r = pem && format != KEYGEN_OPENSSH ? write_pem(k, format, out)
						: write_openssh(k, out, err);

	if (r == FX_OK || err->code != FX_OK)
		return r;
	return fx_fail(err, r,
	    r == FX_ELIMIT ? "the key is larger than %d bytes"
			   : "libcrypto writes no key",
	    KEY_FILE_MAX);
}
