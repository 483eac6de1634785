/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The container that ssh-keygen writes (OpenSSH's PROTOCOL.key), unencrypted:
 *
 *	"openssh-key-v1\0", string cipher, string kdf, string kdf options,
 *	uint32 number of keys, string public key, string private section
 *
 * and in the private section
 *
 *	uint32 check, uint32 check, string type, numbers of the key,
 *	string comment, padding 1, 2, 3, … up to a multiple of 8 bytes
 */
#include "base.h"
#include "key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "str.h"
#include "ssh_wire.h"

/* What libcrypto makes a key of. */
struct parts {
	OSSL_PARAM_BLD *bld;
	BIGNUM *number[3]; /* owned; the builder wants them to the end */
	size_t n;
};

static bool
add_number(struct parts *s, struct buf *b, const char *param)
{
	BIGNUM *n = s->number[s->n++] = BN_secure_new();
	struct buf v;

	return n != NULL && sshw_get_string(b, &v) == FX_OK &&
	    buf_left(&v) > 0 && buf_left(&v) <= KEY_RSA_MAX / 8 + 1 &&
	    (*buf_head(&v) & 0x80) == 0 && /* not negative */
	    BN_bin2bn(buf_head(&v), (int)buf_left(&v), n) != NULL &&
	    OSSL_PARAM_BLD_push_BN(s->bld, param, n) == 1;
}

/* A key of this type if everything was added; the parts are wiped. */
static EVP_PKEY *
parts_join(struct parts *s, bool complete, const char *type)
{
	OSSL_PARAM *params = complete ? OSSL_PARAM_BLD_to_param(s->bld) : NULL;
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (params != NULL && c != NULL && EVP_PKEY_fromdata_init(c) == 1 &&
	    EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(c);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(s->bld);
	for (size_t i = 0; i < s->n; i++)
		BN_clear_free(s->number[i]);
	ERR_clear_error();
	return pkey;
}

static EVP_PKEY *
read_ed25519(struct buf *b)
{
	struct buf pub, priv;

	if (sshw_get_string(b, &pub) != FX_OK ||
	    sshw_get_string(b, &priv) != FX_OK ||
	    buf_left(&pub) != KEY_ED25519_LEN ||
	    buf_left(&priv) != 2 * KEY_ED25519_LEN)
		return NULL;
	/* the private number is the seed, and the public key once more */
	if (memcmp(buf_head(&priv) + KEY_ED25519_LEN, buf_head(&pub),
		KEY_ED25519_LEN) != 0)
		return NULL;
	return EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL,
	    buf_head(&priv), KEY_ED25519_LEN);
}

static EVP_PKEY *
read_ecdsa(struct buf *b, const struct key_kind *kind)
{
	struct parts s = { .bld = OSSL_PARAM_BLD_new() };
	struct buf curve, point;
	bool ok = s.bld != NULL && sshw_get_string(b, &curve) == FX_OK &&
	    sshw_is(&curve, kind->curve) &&
	    sshw_get_string(b, &point) == FX_OK &&
	    OSSL_PARAM_BLD_push_utf8_string(s.bld, OSSL_PKEY_PARAM_GROUP_NAME,
		kind->group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(s.bld, OSSL_PKEY_PARAM_PUB_KEY,
		buf_head(&point), buf_left(&point)) == 1 &&
	    add_number(&s, b, OSSL_PKEY_PARAM_PRIV_KEY);

	return parts_join(&s, ok, "EC");
}

/* n, e and d make the key; the three numbers that speed it up are skipped:
 * one signature per login does not need them. */
static EVP_PKEY *
read_rsa(struct buf *b)
{
	struct parts s = { .bld = OSSL_PARAM_BLD_new() };
	struct buf skipped;
	bool ok = s.bld != NULL && add_number(&s, b, OSSL_PKEY_PARAM_RSA_N) &&
	    add_number(&s, b, OSSL_PKEY_PARAM_RSA_E) &&
	    add_number(&s, b, OSSL_PKEY_PARAM_RSA_D);

	for (int i = 0; ok && i < 3; i++)
		ok = sshw_get_string(b, &skipped) == FX_OK;
	return parts_join(&s, ok, "RSA");
}

/* 1, 2, 3, … and shorter than a block. */
static bool
is_padding(const struct buf *b)
{
	size_t n = buf_left(b);

	return n < KEY_BLOCK && memcmp(buf_head(b), "\1\2\3\4\5\6\7", n) == 0;
}

static int
read_private(struct buf *b, struct key **out, struct fx_err *err)
{
	auto_key struct key *k = NULL;
	struct buf type, comment, shown = BUF_INIT(KEY_COMMENT_MAX * 8);
	const struct key_kind *kind;
	EVP_PKEY *pkey;
	uint32_t check[2];

	if (buf_left(b) % KEY_BLOCK != 0 ||
	    sshw_get_u32(b, &check[0]) != FX_OK ||
	    sshw_get_u32(b, &check[1]) != FX_OK || check[0] != check[1] ||
	    sshw_get_string(b, &type) != FX_OK)
		return fx_fail(err, FX_ESYNTAX, "the private part is damaged");
	kind = key_kind(&type);
	if (kind == NULL)
		return fx_fail(err, FX_EUNKNOWN, KEY_E_KIND);
	if (kind->curve != NULL)
		pkey = read_ecdsa(b, kind);
	else if (strcmp(kind->title, "RSA") == 0)
		pkey = read_rsa(b);
	else
		pkey = read_ed25519(b);
	if (pkey == NULL)
		return fx_fail(err, FX_ESYNTAX, "its numbers are damaged");
	if (key_new(pkey, &k, err) != FX_OK)
		return err->code;
	if (sshw_get_string(b, &comment) != FX_OK || !is_padding(b))
		return fx_fail(err, FX_ESYNTAX, "its end is damaged");
	if (buf_left(&comment) > 0) {
		str_printable(&shown, (const char *)buf_head(&comment),
		    buf_left(&comment), KEY_COMMENT_MAX);
		k->comment = str_take(&shown);
	}
	*out = fx_steal(&k);
	return FX_OK;
}

int
key_from_openssh(const struct buf *bin, struct key **out, struct fx_err *err)
{
	struct buf b = buf_view(buf_head(bin), buf_left(bin));
	struct buf cipher, kdf, options, public, private;
	auto_key struct key *k = NULL;
	uint32_t count;

	if (buf_left(&b) < sizeof(KEY_MAGIC) ||
	    memcmp(buf_head(&b), KEY_MAGIC, sizeof(KEY_MAGIC)) != 0)
		return fx_fail(err, FX_ESYNTAX, "not in format %s", KEY_MAGIC);
	buf_skip(&b, sizeof(KEY_MAGIC));
	if (sshw_get_string(&b, &cipher) != FX_OK ||
	    sshw_get_string(&b, &kdf) != FX_OK ||
	    sshw_get_string(&b, &options) != FX_OK ||
	    sshw_get_u32(&b, &count) != FX_OK ||
	    sshw_get_string(&b, &public) != FX_OK ||
	    sshw_get_string(&b, &private) != FX_OK)
		return fx_fail(err, FX_ESHORT, "cut short");
	if (!sshw_is(&cipher, "none") || !sshw_is(&kdf, "none"))
		return fx_fail(err, FX_EDENIED, KEY_E_PASSPHRASE);
	if (buf_left(&options) != 0 || count != 1 || buf_left(&b) != 0)
		return fx_fail(err, FX_ESYNTAX, "not one key and nothing else");
	if (read_private(&private, &k, err) != FX_OK)
		return err->code;
	if (!sshw_equal(&public, &k->blob))
		return fx_fail(err, FX_ESYNTAX, KEY_E_HALVES);
	*out = fx_steal(&k);
	return FX_OK;
}
