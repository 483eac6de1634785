/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "key.h"

#include <ctype.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "str.h"
#include "ssh_wire.h"

/* clang-format off */
static const struct key_kind kinds[] = {
	{ "ssh-ed25519", "ED25519", NULL, "ED25519",
	    { { "ssh-ed25519", NULL } } },
	{ "ecdsa-sha2-nistp256", "ECDSA", "nistp256", "prime256v1",
	    { { "ecdsa-sha2-nistp256", "SHA256" } } },
	{ "ecdsa-sha2-nistp384", "ECDSA", "nistp384", "secp384r1",
	    { { "ecdsa-sha2-nistp384", "SHA384" } } },
	{ "ecdsa-sha2-nistp521", "ECDSA", "nistp521", "secp521r1",
	    { { "ecdsa-sha2-nistp521", "SHA512" } } },
	/* never the algorithm "ssh-rsa": it is SHA-1 */
	{ "ssh-rsa", "RSA", NULL, "RSA",
	    { { "rsa-sha2-512", "SHA512" }, { "rsa-sha2-256", "SHA256" } } },
};
/* clang-format on */

/* libcrypto's allocator.  What is given back holds nothing any more; and a key
 * that could not be read for want of memory is not taken for a bad one. */
static void
wipe_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *
plain_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return xmalloc(n);
}

static void *
wipe_realloc(void *p, size_t n, const char *file, int line)
{
	void *q = xmalloc(n);
	size_t old = p == NULL ? 0 : malloc_usable_size(p);

	if (old > 0)
		memcpy(q, p, old < n ? old : n);
	wipe_free(p, file, line);
	return q;
}

int
key_init(void)
{
	uint8_t random[16];

	/* locking may exceed a resource limit; the heap works all the same */
	if (CRYPTO_set_mem_functions(plain_malloc, wipe_realloc, wipe_free) !=
		1 ||
	    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1 ||
	    CRYPTO_secure_malloc_init(KEY_HEAP, 32) == 0 ||
	    RAND_bytes(random, sizeof(random)) != 1 ||
	    RAND_priv_bytes(random, sizeof(random)) != 1)
		return FX_EFAIL;
	return FX_OK;
}

const struct key_kind *
key_kind(const struct buf *type)
{
	for (size_t i = 0; i < nitems(kinds); i++)
		if (sshw_is(type, kinds[i].type))
			return &kinds[i];
	return NULL;
}

static const struct key_kind *
kind_of(const EVP_PKEY *pkey)
{
	const char *name = EVP_PKEY_get0_type_name(pkey);
	char curve[32];

	if (EVP_PKEY_is_a(pkey, "EC")) {
		if (!EVP_PKEY_get_group_name(pkey, curve, sizeof(curve), NULL))
			return NULL;
		name = curve;
	}
	for (size_t i = 0; i < nitems(kinds); i++)
		if (strcmp(name, kinds[i].group) == 0)
			return &kinds[i];
	return NULL;
}

bool
key_put_number(struct buf *b, const EVP_PKEY *pkey, const char *param)
{
	uint8_t p[KEY_RSA_MAX / 8];
	BIGNUM *n = NULL;
	bool ok = EVP_PKEY_get_bn_param(pkey, param, &n) == 1 &&
	    BN_num_bytes(n) <= (int)sizeof(p);

	if (ok)
		sshw_put_mpint(b, p, (size_t)BN_bn2bin(n, p));
	BN_clear_free(n);
	explicit_bzero(p, sizeof(p));
	return ok;
}

static bool
put_octets(struct buf *b, const EVP_PKEY *pkey, const char *param)
{
	uint8_t p[1 + 2 * 66]; /* a point of P-521 */
	size_t n;

	if (!EVP_PKEY_get_octet_string_param(pkey, param, p, sizeof(p), &n))
		return false;
	sshw_put_string(b, p, n);
	return true;
}

/* The public half as SSH sends it (RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4). */
static bool
put_public(struct buf *b, const struct key_kind *kind, const EVP_PKEY *pkey)
{
	sshw_put_string(b, kind->type, strlen(kind->type));
	if (strcmp(kind->title, "RSA") == 0)
		return key_put_number(b, pkey, OSSL_PKEY_PARAM_RSA_E) &&
		    key_put_number(b, pkey, OSSL_PKEY_PARAM_RSA_N);
	if (kind->curve == NULL)
		return put_octets(b, pkey, OSSL_PKEY_PARAM_PUB_KEY);
	sshw_put_string(b, kind->curve, strlen(kind->curve));
	/* never compressed, whatever form the file had */
	return put_octets(b, pkey, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
}

static bool
sign(EVP_PKEY *pkey, const char *hash, const struct buf *data, uint8_t *sig,
    size_t *n)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = c != NULL &&
	    EVP_DigestSignInit_ex(c, NULL, hash, NULL, NULL, pkey, NULL) == 1 &&
	    EVP_DigestSign(c, sig, n, buf_head(data), buf_left(data)) == 1;

	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return ok;
}

/* Does the public half accept what the private one signs?  Costs one
 * signature, whatever the kind. */
static bool
halves_agree(EVP_PKEY *pkey, const char *hash)
{
	const struct buf data = buf_view("fluxd", 5);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t sig[KEY_SIG_MAX];
	size_t n = sizeof(sig);
	bool ok = c != NULL && sign(pkey, hash, &data, sig, &n) &&
	    EVP_DigestVerifyInit_ex(c, NULL, hash, NULL, NULL, pkey, NULL) ==
		1 &&
	    EVP_DigestVerify(c, sig, n, buf_head(&data), buf_left(&data)) == 1;

	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return ok;
}

int
key_new(EVP_PKEY *pkey, struct key **out, struct fx_err *err)
{
	auto_key struct key *k = xcalloc(1, sizeof(*k));
	unsigned bits = (unsigned)EVP_PKEY_get_bits(pkey);

	k->pkey = pkey;
	buf_init(&k->blob, KEY_BLOB_MAX);
	k->kind = kind_of(pkey);
	if (k->kind == NULL)
		return fx_fail(err, FX_EUNKNOWN, KEY_E_KIND);
	if (strcmp(k->kind->title, "RSA") == 0 &&
	    (bits < KEY_RSA_MIN || bits > KEY_RSA_MAX))
		return fx_fail(err, FX_ELIMIT, "RSA with %u bits: not %d to %d",
		    bits, KEY_RSA_MIN, KEY_RSA_MAX);
	/* of Ed25519 libcrypto says 253, everybody else 256 */
	k->bits = bits == 253 ? 256 : bits;
	if (!put_public(&k->blob, k->kind, pkey) ||
	    !halves_agree(pkey, k->kind->algs[0].hash))
		return fx_fail(err, FX_ESYNTAX, KEY_E_HALVES);
	*out = fx_steal(&k);
	return FX_OK;
}

void
key_free(struct key **kp)
{
	struct key *k = *kp;

	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	buf_clear(&k->blob);
	free(k->comment);
	free(k);
	*kp = NULL;
}

/* libcrypto asks for a passphrase: note that, and have none. */
static int
no_passphrase(char *out, int size, int writing, void *asked)
{
	(void)out;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static int
from_pem(const struct buf *text, struct key **out, struct fx_err *err)
{
	BIO *bio = BIO_new_mem_buf(buf_head(text), (int)buf_left(text));
	EVP_PKEY *pkey = NULL;
	bool asked = false;

	if (bio != NULL)
		pkey =
		    PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
	BIO_free(bio);
	ERR_clear_error();
	if (asked)
		return fx_fail(err, FX_EDENIED, KEY_E_PASSPHRASE);
	if (pkey == NULL)
		return fx_fail(err, FX_ESYNTAX,
		    "neither an OpenSSH private key nor one in PEM");
	return key_new(pkey, out, err);
}

/* The bytes between the two lines of an OpenSSH key.  The base64 text is
 * packed in place, so that there is no second copy of it. */
static int
unarmor(struct buf *text, struct buf *out)
{
	char *p = (char *)text->data + text->off + strlen(KEY_ARMOR_BEGIN);
	size_t n = buf_left(text) - strlen(KEY_ARMOR_BEGIN), kept = 0;
	const char *end = memmem(p, n, KEY_ARMOR_END, strlen(KEY_ARMOR_END));

	if (end == NULL)
		return FX_ESHORT;
	for (const char *s = p; s < end; s++)
		if (!isspace((unsigned char)*s))
			p[kept++] = *s;
	/* one allocation: growing would leave copies behind */
	if (buf_reserve(out, kept) == NULL)
		return FX_ELIMIT;
	return str_unbase64(p, kept, out);
}

int
key_parse(struct buf *text, struct key **out, struct fx_err *err)
{
	struct buf bin = BUF_INIT(KEY_FILE_MAX);
	int r;

	while (buf_left(text) > 0 && isspace(*buf_head(text)))
		buf_skip(text, 1);
	if (buf_left(text) < strlen(KEY_ARMOR_BEGIN) ||
	    memcmp(buf_head(text), KEY_ARMOR_BEGIN, strlen(KEY_ARMOR_BEGIN)) !=
		0)
		r = from_pem(text, out, err);
	else if (unarmor(text, &bin) != FX_OK)
		r = fx_fail(err, FX_ESYNTAX, "the base64 text is damaged");
	else
		r = key_from_openssh(&bin, out, err);
	buf_wipe(&bin);
	buf_wipe(text);
	return r;
}

const struct key_alg *
key_alg(const struct key *k, const struct buf *name)
{
	for (size_t i = 0; i < KEY_ALGS_MAX; i++)
		if (k->kind->algs[i].name != NULL &&
		    sshw_is(name, k->kind->algs[i].name))
			return &k->kind->algs[i];
	return NULL;
}

/* libcrypto's DER to SSH's two numbers. */
static bool
put_ecdsa(struct buf *sig, const uint8_t *der, size_t n)
{
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);
	const BIGNUM *part[2];
	uint8_t p[66];

	if (s == NULL)
		return false;
	ECDSA_SIG_get0(s, &part[0], &part[1]);
	for (size_t i = 0; i < nitems(part); i++)
		sshw_put_mpint(sig, p, (size_t)BN_bn2bin(part[i], p));
	ECDSA_SIG_free(s);
	return true;
}

int
key_sign(const struct key *k, const struct key_alg *alg, const struct buf *data,
    struct buf *sig, struct fx_err *err)
{
	uint8_t raw[KEY_SIG_MAX];
	size_t n = sizeof(raw);
	bool ok = sign(k->pkey, alg->hash, data, raw, &n);

	if (ok && k->kind->curve != NULL)
		ok = put_ecdsa(sig, raw, n);
	else if (ok)
		ok = buf_put(sig, raw, n) == FX_OK;
	return ok ? FX_OK : fx_fail(err, FX_EFAIL, "libcrypto did not sign");
}

void
key_add_line(struct buf *b, const struct key *k)
{
	(void)str_addf(b, "%s ", k->kind->type);
	str_add_base64(b, buf_head(&k->blob), buf_left(&k->blob), true, false);
	(void)str_addf(b, " %s", k->comment == NULL ? KEY_COMMENT : k->comment);
}
