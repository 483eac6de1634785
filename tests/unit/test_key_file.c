/* SPDX-License-Identifier: Apache-2.0 */
#include "key_util.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "fingerprint.h"
#include "ssh_wire.h"

/* clang-format off */
static const struct {
	const char *name, *options, *type;
} keys[] = {
	{ "ed25519", "-t ed25519", "ssh-ed25519" },
	{ "p256", "-t ecdsa -b 256", "ecdsa-sha2-nistp256" },
	{ "p384", "-t ecdsa -b 384", "ecdsa-sha2-nistp384" },
	{ "p521", "-t ecdsa -b 521", "ecdsa-sha2-nistp521" },
	{ "rsa", "-t rsa -b 2048", "ssh-rsa" },
	{ "p256.sec1", "-t ecdsa -b 256 -m PEM", "ecdsa-sha2-nistp256" },
	{ "p384.sec1", "-t ecdsa -b 384 -m PEM", "ecdsa-sha2-nistp384" },
	{ "p521.sec1", "-t ecdsa -b 521 -m PEM", "ecdsa-sha2-nistp521" },
	{ "rsa.pkcs1", "-t rsa -b 1024 -m PEM", "ssh-rsa" },
	{ "p256.pkcs8", "-t ecdsa -b 256 -m PKCS8", "ecdsa-sha2-nistp256" },
	{ "p521.pkcs8", "-t ecdsa -b 521 -m PKCS8", "ecdsa-sha2-nistp521" },
	{ "rsa.pkcs8", "-t rsa -b 3072 -m PKCS8", "ssh-rsa" },
};
/* clang-format on */

static char *
line_of(const struct key *k)
{
	struct buf b = BUF_INIT(KEY_BLOB_MAX * 2);

	key_add_line(&b, k);
	return str_take(&b);
}

static void
test_formats(void)
{
	for (size_t i = 0; i < nitems(keys); i++) {
		struct fx_err err = { 0 };
		auto_free char *line = NULL, *pub = NULL, *wanted = NULL;
		struct key *k;

		key_make(keys[i].name, keys[i].options);
		k = key_load(keys[i].name, &err);
		if (!want(k != NULL)) {
			printf("# %s: %s\n", keys[i].name, err.text);
			continue;
		}
		want_str(k->kind->type, keys[i].type);
		/* PEM has no comment */
		pub = key_run("cut -d' ' -f1,2 %s.pub", keys[i].name);
		pub[strcspn(pub, "\n")] = '\0';
		if (strchr(keys[i].name, '.') == NULL)
			wanted = xasprintf("%s %s@ci", pub, keys[i].name);
		else
			wanted = xasprintf("%s flux", pub);
		line = line_of(k);
		want_str(line, wanted);
		key_free(&k);
	}
}

static void
check_fingerprint(const struct buf *blob, const char *title, unsigned bits,
    const char *name, enum fp_hash hash)
{
	const char *alg = hash == FP_MD5 ? "md5" : "sha256";
	struct buf text = BUF_INIT(256), art = BUF_INIT(4096);
	auto_free char *t = NULL, *a = NULL;
	auto_free char *wanted_t = key_run("ssh-keygen -l -E %s -f %s.pub | "
					   "cut -d' ' -f2 | cut -d: -f2- | "
					   "tr -d '\\n'",
	    alg, name);
	auto_free char *wanted_a =
	    key_run("ssh-keygen -lv -E %s -f %s.pub | tail -n +2", alg, name);

	want_int(fp_add(hash, blob, title, bits, &text, &art), FX_OK);
	t = str_take(&text);
	a = str_take(&art);
	want_str(t, wanted_t);
	want_str(a, wanted_a);
}

static void
test_fingerprints(void)
{
	for (size_t i = 0; i < nitems(keys); i++) {
		struct fx_err err = { 0 };
		auto_key struct key *k = key_load(keys[i].name, &err);

		if (!want(k != NULL))
			continue;
		check_fingerprint(&k->blob, k->kind->title, k->bits,
		    keys[i].name, FP_MD5);
		check_fingerprint(&k->blob, k->kind->title, k->bits,
		    keys[i].name, FP_SHA256);
	}
}

/* Walls, corners and squares visited more often than there are marks (number
 * 21): public keys that are only numbers, for pictures do not mind. */
static void
test_pictures(void)
{
	for (uint8_t i = 0; i < 32; i++) {
		const uint8_t number[32] = { 0, 0, 0, i };
		auto_buf struct buf blob = BUF_INIT(128), line = BUF_INIT(256);

		sshw_put_string(&blob, "ssh-ed25519", 11);
		sshw_put_string(&blob, number, sizeof(number));
		str_add_base64(&line, buf_head(&blob), buf_left(&blob), true,
		    false);
		free(key_run("echo ssh-ed25519 %.*s >picture.pub",
		    (int)buf_left(&line), (const char *)buf_head(&line)));
		check_fingerprint(&blob, "ED25519", 256, "picture", FP_MD5);
		check_fingerprint(&blob, "ED25519", 256, "picture", FP_SHA256);
	}
}

static int
parse_binary(const struct buf *bin, struct fx_err *err)
{
	struct buf b = buf_view(bin->data, bin->len);
	auto_key struct key *k = NULL;

	*err = (struct fx_err){ 0 };
	return key_from_openssh(&b, &k, err);
}

static void
test_truncated(void)
{
	static const char *const names[] = { "ed25519", "p384", "rsa" };

	for (size_t i = 0; i < nitems(names); i++) {
		struct fx_err err;
		struct buf bin;

		key_binary(names[i], &bin);
		want_int(parse_binary(&bin, &err), FX_OK);
		want_int(buf_put(&bin, "", 1), FX_OK);
		want(parse_binary(&bin, &err) != FX_OK);
		for (bin.len--; bin.len > 0; bin.len--) {
			/* copied, so that a read past the end is seen */
			auto_buf struct buf cut = BUF_INIT(KEY_FILE_MAX);

			want_int(buf_put(&cut, bin.data, bin.len - 1), FX_OK);
			want(parse_binary(&cut, &err) != FX_OK);
			want(err.text[0] != '\0');
		}
		buf_clear(&bin);
	}
}

/* Is i within the comment?  There, and only there, any byte will do. */
static bool
in_comment(const struct buf *bin, const char *comment, size_t i)
{
	size_t n = strlen(comment);
	const uint8_t *at = memmem(bin->data, bin->len, comment, n);

	return at != NULL && i >= (size_t)(at - bin->data) &&
	    i < (size_t)(at - bin->data) + n;
}

static void
test_damaged(void)
{
	struct fx_err err;
	struct buf bin, good;

	key_binary("ed25519", &bin);
	key_binary("ed25519", &good);
	for (size_t i = 0; i < bin.len; i++) {
		bool free_text = in_comment(&good, "ed25519@ci", i);

		for (unsigned bit = 1; bit < 256; bit <<= 1) {
			bin.data[i] = (uint8_t)(bin.data[i] ^ bit);
			if (want((parse_binary(&bin, &err) == FX_OK) ==
				free_text) == false)
				printf("# byte %zu bit %u\n", i, bit);
			bin.data[i] = good.data[i];
		}
	}
	for (size_t i = 0; i + 4 <= bin.len; i++) {
		memset(bin.data + i, 0xff, 4);
		want((parse_binary(&bin, &err) == FX_OK) ==
		    (in_comment(&good, "ed25519@ci", i) &&
			in_comment(&good, "ed25519@ci", i + 3)));
		memcpy(bin.data + i, good.data + i, 4);
	}
	buf_clear(&bin);
	buf_clear(&good);
}

/* Replace the one occurrence of a text in a decoded key. */
static void
replace(struct buf *bin, const char *from, const char *to)
{
	uint8_t *at = memmem(bin->data, bin->len, from, strlen(from));

	if (want(at != NULL && strlen(from) == strlen(to)))
		memcpy(at, to, strlen(to));
}

static void
test_named_faults(void)
{
	static const struct {
		const char *key, *from, *to;
		int code;
		const char *text;
	} tv[] = {
		{ "ed25519", "openssh-key-v1", "openssh-key-v2", FX_ESYNTAX,
		    "not in format openssh-key-v1" },
		{ "ed25519", "none", "nine", FX_EDENIED, KEY_E_PASSPHRASE },
		{ "ed25519", "\1\2\3", "\1\2\4", FX_ESYNTAX,
		    "its end is damaged" },
		{ "p256", "nistp256", "nistp384", FX_ESYNTAX, KEY_E_HALVES },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct fx_err err;
		struct buf bin;

		key_binary(tv[i].key, &bin);
		replace(&bin, tv[i].from, tv[i].to);
		want_int(parse_binary(&bin, &err), tv[i].code);
		want_str(err.text, tv[i].text);
		buf_clear(&bin);
	}
}

/* The private section of one key behind the public half of another. */
static void
test_wrong_half(void)
{
	static const char *const names[] = { "ed25519", "p256", "p521", "rsa" };
	static const char *const options[] = { "-t ed25519", "-t ecdsa -b 256",
		"-t ecdsa -b 521", "-t rsa -b 2048" };

	for (size_t i = 0; i < nitems(names); i++) {
		struct fx_err err = { 0 };
		auto_key struct key *a = key_load(names[i], &err), *b = NULL;
		struct buf bin;
		uint8_t *at;

		key_make("other", options[i]);
		b = key_load("other", &err);
		key_binary(names[i], &bin);
		if (!want(a != NULL && b != NULL))
			return;
		at = memmem(bin.data, bin.len, a->blob.data, a->blob.len);
		if (want(at != NULL && a->blob.len == b->blob.len))
			memcpy(at, b->blob.data, b->blob.len);
		want_int(parse_binary(&bin, &err), FX_ESYNTAX);
		want_str(err.text, KEY_E_HALVES);
		buf_clear(&bin);
	}
}

/* A private number that does not fit, while both public halves agree. */
static void
test_wrong_number(void)
{
	static const char *const names[] = { "p256", "p384", "p521" };

	for (size_t i = 0; i < nitems(names); i++) {
		struct fx_err err = { 0 };
		auto_free char *comment = xasprintf("%s@ci", names[i]);
		struct buf bin;
		uint8_t *at;

		key_binary(names[i], &bin);
		at = memmem(bin.data, bin.len, comment, strlen(comment));
		if (want(at != NULL)) /* last byte of d, before the length */
			at[-5] ^= 1;
		want_int(parse_binary(&bin, &err), FX_ESYNTAX);
		want_str(err.text, KEY_E_HALVES);
		buf_clear(&bin);
	}
}

static void
write_pem(const char *name, EVP_PKEY *pkey)
{
	auto_free char *path = xasprintf("%s/%s", key_dir, name);
	FILE *f = fopen(path, "we");

	if (want(f != NULL && pkey != NULL)) {
		want_int(PEM_write_PKCS8PrivateKey(f, pkey, NULL, NULL, 0, NULL,
			     NULL),
		    1);
		fclose(f);
	}
	EVP_PKEY_free(pkey);
}

/* Kinds that are read from PEM by libcrypto, and not by us. */
static void
test_kinds(void)
{
	struct fx_err err = { 0 };
	auto_key struct key *k = NULL, *none = NULL;

	write_pem("ed.pkcs8", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	k = key_load("ed.pkcs8", &err);
	want(k != NULL && k->bits == 256);

	write_pem("ed448", EVP_PKEY_Q_keygen(NULL, NULL, "ED448"));
	none = key_load("ed448", &err);
	want_int(err.code, FX_EUNKNOWN);
	write_pem("x25519", EVP_PKEY_Q_keygen(NULL, NULL, "X25519"));
	none = key_load("x25519", &err);
	want_int(err.code, FX_EUNKNOWN);
	write_pem("k256", EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1"));
	none = key_load("k256", &err);
	want_int(err.code, FX_EUNKNOWN);
	want_str(err.text, KEY_E_KIND);
	write_pem("rsa768", EVP_RSA_gen(768));
	none = key_load("rsa768", &err);
	want_int(err.code, FX_ELIMIT);
	want(none == NULL);
}

/* An RSA key of so many bits that is none: only its size can be judged. */
static EVP_PKEY *
rsa_of(int bits)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_new(), *e = BN_new();
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params;

	want(BN_set_bit(n, bits - 1) == 1 && BN_set_bit(n, 0) == 1 &&
	    BN_set_word(e, 65537) == 1);
	want(OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_D, e) == 1);
	params = OSSL_PARAM_BLD_to_param(bld);
	want(EVP_PKEY_fromdata_init(c) == 1 &&
	    EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_KEYPAIR, params) == 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(c);
	BN_free(n);
	BN_free(e);
	return pkey;
}

static void
test_rsa_sizes(void)
{
	static const struct {
		int bits, code;
	} tv[] = {
		{ KEY_RSA_MIN - 1, FX_ELIMIT },
		{ KEY_RSA_MIN, FX_ESYNTAX }, /* large enough, and no key */
		{ KEY_RSA_MAX, FX_ESYNTAX },
		{ KEY_RSA_MAX + 1, FX_ELIMIT },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct fx_err err = { 0 };
		auto_key struct key *k = NULL;

		want_int(key_new(rsa_of(tv[i].bits), &k, &err), tv[i].code);
		want(k == NULL);
	}
}

static void
test_passphrase(void)
{
	static const char *const options[] = { "-t ed25519 -N secret",
		"-t rsa -b 2048 -N secret -m PEM",
		"-t ecdsa -N secret -m PKCS8" };

	for (size_t i = 0; i < nitems(options); i++) {
		struct fx_err err = { 0 };

		free(key_run("rm -f locked* && ssh-keygen -q %s -f locked "
			     "</dev/null",
		    options[i]));
		want(key_load("locked", &err) == NULL);
		want_int(err.code, FX_EDENIED);
		want_str(err.text, KEY_E_PASSPHRASE);
	}
}

/* Files as people make them: line ends, surroundings, nonsense. */
static void
test_texts(void)
{
	static const struct {
		const char *make;
		bool good;
	} tv[] = {
		{ "sed 's/$/\\r/' ed25519", true },
		{ "(echo; cat ed25519; echo trailing)", true },
		{ "tr -d '\\n' <ed25519", true },
		{ "head -c -1 ed25519", true },
		{ "head -n 3 ed25519", false },
		{ "sed '2s/./*/' ed25519", false },
		{ "sed '2s/./A/' ed25519", false },
		{ "cat ed25519.pub", false },
		{ "sed 's/$/\\r/' p256.sec1", true },
		{ "(echo hello; cat rsa.pkcs1)", true },
		{ "head -n 5 rsa.pkcs1", false },
		{ "sed '3s/./*/' rsa.pkcs1", false },
		{ "printf ''", false },
		{ "head -c 32768 /dev/zero", false },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct fx_err err = { 0 };
		auto_key struct key *k = NULL;

		free(key_run("%s >text", tv[i].make));
		k = key_load("text", &err);
		if (!want((k != NULL) == tv[i].good))
			printf("# %s: %s\n", tv[i].make, err.text);
	}
}

int
main(void)
{
	want_int(key_init(), FX_OK);
	key_dir_make();
	test_run("key: every format gives the line ssh-keygen gives",
	    test_formats);
	test_run("key: fingerprints and pictures equal ssh-keygen's",
	    test_fingerprints);
	test_run("key: pictures of many digests", test_pictures);
	test_run("key: a file cut anywhere is refused", test_truncated);
	test_run("key: a flipped bit or a false length is refused",
	    test_damaged);
	test_run("key: faults have names", test_named_faults);
	test_run("key: another key's public half is refused", test_wrong_half);
	test_run("key: a private number that does not fit is refused",
	    test_wrong_number);
	test_run("key: kinds SSH does not know are refused", test_kinds);
	test_run("key: RSA keys have 1024 to 16384 bits", test_rsa_sizes);
	test_run("key: a passphrase is refused and said so", test_passphrase);
	test_run("key: texts as people leave them", test_texts);
	key_dir_remove();
	return test_done();
}
