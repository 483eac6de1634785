/* SPDX-License-Identifier: Apache-2.0 */

/* The container that openssh.c reads, written. */
#include "base.h"
#include "key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "ssh_wire.h"

static bool
put_rsa(struct buf *b, const EVP_PKEY *pkey)
{
	static const char *const params[] = { OSSL_PKEY_PARAM_RSA_N,
		OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D,
		OSSL_PKEY_PARAM_RSA_COEFFICIENT1, OSSL_PKEY_PARAM_RSA_FACTOR1,
		OSSL_PKEY_PARAM_RSA_FACTOR2 };

	for (size_t i = 0; i < nitems(params); i++)
		if (!key_put_number(b, pkey, params[i]))
			return false;
	return true;
}

/* The private number is the seed, and the public key once more. */
static bool
put_ed25519(struct buf *b, const EVP_PKEY *pkey)
{
	uint8_t p[2 * KEY_ED25519_LEN], *const pub = p + KEY_ED25519_LEN;
	size_t nseed = KEY_ED25519_LEN, npub = KEY_ED25519_LEN;
	bool ok = EVP_PKEY_get_raw_private_key(pkey, p, &nseed) == 1 &&
	    EVP_PKEY_get_raw_public_key(pkey, pub, &npub) == 1 &&
	    nseed + npub == sizeof(p);

	if (ok) {
		sshw_put_string(b, pub, npub);
		sshw_put_string(b, p, sizeof(p));
	}
	explicit_bzero(p, sizeof(p));
	return ok;
}

/* The public half, which stands in front of the curve's number, is what the
 * blob has after the type. */
static bool
put_ecdsa(struct buf *b, const struct key *k)
{
	struct buf blob = buf_view(buf_head(&k->blob), buf_left(&k->blob));
	struct buf type, curve, point;

	if (sshw_get_string(&blob, &type) != FX_OK ||
	    sshw_get_string(&blob, &curve) != FX_OK ||
	    sshw_get_string(&blob, &point) != FX_OK)
		return false;
	sshw_put_string(b, buf_head(&curve), buf_left(&curve));
	sshw_put_string(b, buf_head(&point), buf_left(&point));
	return key_put_number(b, k->pkey, OSSL_PKEY_PARAM_PRIV_KEY);
}

static bool
put_private(struct buf *b, const struct key *k)
{
	const char *comment = k->comment == NULL ? "" : k->comment;
	uint32_t check;
	bool ok;

	if (RAND_bytes((uint8_t *)&check, sizeof(check)) != 1)
		return false;
	sshw_put_u32(b, check);
	sshw_put_u32(b, check);
	sshw_put_string(b, k->kind->type, strlen(k->kind->type));
	if (k->kind->curve != NULL)
		ok = put_ecdsa(b, k);
	else
		ok = key_is_rsa(k) ? put_rsa(b, k->pkey)
				   : put_ed25519(b, k->pkey);
	sshw_put_string(b, comment, strlen(comment));
	for (uint8_t pad = 1; ok && buf_left(b) % KEY_BLOCK != 0; pad++)
		ok = buf_put(b, &pad, 1) == FX_OK;
	return ok;
}

int
key_to_openssh(const struct key *k, struct buf *out, struct fx_err *err)
{
	struct buf private = BUF_INIT(KEY_FILE_MAX);
	/* one allocation: growing would leave copies behind */
	bool ok = buf_reserve(&private, KEY_FILE_MAX) != NULL &&
	    put_private(&private, k);

	ERR_clear_error();
	if (ok && buf_put(out, KEY_MAGIC, sizeof(KEY_MAGIC)) == FX_OK) {
		sshw_put_string(out, "none", 4); /* cipher */
		sshw_put_string(out, "none", 4); /* kdf, */
		sshw_put_string(out, "", 0);	 /* and its options */
		sshw_put_u32(out, 1);
		sshw_put_string(out, buf_head(&k->blob), buf_left(&k->blob));
		sshw_put_string(out, buf_head(&private), buf_left(&private));
	}
	buf_wipe(&private);
	return ok ? FX_OK
		  : fx_fail(err, FX_EFAIL, "libcrypto gives no numbers");
}
