/* SPDX-License-Identifier: Apache-2.0 */
#include "key_util.h"

#include <openssl/ecdsa.h>

#include "request.h"
#include "ssh_wire.h"

/* What a login signs, field by field, so that each can be wrong in turn. */
struct login {
	size_t session; /* bytes of the session id */
	uint8_t type;
	const char *user, *service, *method;
	uint8_t has_signature;
	const char *algorithm;
	const struct buf *blob;
	const char *behind;
};

static void
login_put(struct buf *b, const struct login *l)
{
	static const uint8_t id[128] = { 1, 2, 3 };

	*b = (struct buf)BUF_INIT(16384);
	sshw_put_string(b, id, l->session);
	want_int(buf_put(b, &l->type, 1), FX_OK);
	sshw_put_string(b, l->user, strlen(l->user));
	sshw_put_string(b, l->service, strlen(l->service));
	sshw_put_string(b, l->method, strlen(l->method));
	want_int(buf_put(b, &l->has_signature, 1), FX_OK);
	sshw_put_string(b, l->algorithm, strlen(l->algorithm));
	sshw_put_string(b, l->blob->data, l->blob->len);
	want_int(buf_put(b, l->behind, strlen(l->behind)), FX_OK);
}

static int
check(const struct login *l, const struct key *k, struct fx_err *err)
{
	const struct key_alg *alg = NULL;
	struct buf b;
	int r;

	login_put(&b, l);
	*err = (struct fx_err){ 0 };
	r = request_check(&b, k, "git", &alg, err);
	want((r == FX_OK) == (alg != NULL));
	if (alg != NULL)
		want_str(alg->name, l->algorithm);
	buf_clear(&b);
	return r;
}

static struct login
login_for(const struct key *k, const char *algorithm)
{
	return (struct login){ 32, 50, "git", "ssh-connection", "publickey", 1,
		algorithm, &k->blob, "" };
}

enum field {
	SESSION,
	TYPE,
	USER,
	SERVICE,
	METHOD,
	HAS_SIGNATURE,
	ALGORITHM,
	BEHIND
};

static void
login_change(struct login *l, enum field f, unsigned n, const char *s)
{
	switch (f) {
	case SESSION:
		l->session = n;
		break;
	case TYPE:
		l->type = (uint8_t)n;
		break;
	case HAS_SIGNATURE:
		l->has_signature = (uint8_t)n;
		break;
	case USER:
		l->user = s;
		break;
	case SERVICE:
		l->service = s;
		break;
	case METHOD:
		l->method = s;
		break;
	case ALGORITHM:
		l->algorithm = s;
		break;
	case BEHIND:
		l->behind = s;
		break;
	}
}

#define E_FORM "not an SSH authentication request"
#define E_ID "no session has such an id"
#define E_LOGIN "not a login with a public key"
#define E_USER "the login is for another user"
#define E_KEY "the login is with another key"
#define E_ALGORITHM "the algorithm does not fit the key"

static void
test_request(void)
{
	static const struct {
		enum field field;
		unsigned n;
		const char *s, *text; /* NULL: is signed */
	} tv[] = {
		{ USER, 0, "git", NULL },
		{ SESSION, 16, NULL, NULL },
		{ SESSION, 64, NULL, NULL },
		{ SESSION, 15, NULL, E_ID },
		{ SESSION, 65, NULL, E_ID },
		{ SESSION, 0, NULL, E_ID },
		{ TYPE, 51, NULL, E_LOGIN },
		{ USER, 0, "root", E_USER },
		{ USER, 0, "", E_USER },
		{ USER, 0, "gi", E_USER },
		{ USER, 0, "gita", E_USER },
		{ SERVICE, 0, "ssh-userauth", E_LOGIN },
		{ METHOD, 0, "hostbased", E_LOGIN },
		{ METHOD, 0, "publickey-hostbound-v00@openssh.com", E_LOGIN },
		{ HAS_SIGNATURE, 0, NULL, E_LOGIN },
		{ HAS_SIGNATURE, 255, NULL, E_LOGIN },
		{ ALGORITHM, 0, "ssh-rsa", E_ALGORITHM },
		{ ALGORITHM, 0, "rsa-sha2-512", E_ALGORITHM },
		{ ALGORITHM, 0, "ssh-ed25519-cert-v01@openssh.com",
		    E_ALGORITHM },
		{ ALGORITHM, 0, "", E_ALGORITHM },
		{ BEHIND, 0, "x", E_FORM },
	};
	struct fx_err err = { 0 };
	auto_key struct key *k = NULL, *other = NULL;
	struct login l;

	key_make("ed25519", "-t ed25519");
	key_make("other", "-t ed25519");
	k = key_load("ed25519", &err);
	other = key_load("other", &err);
	if (!want(k != NULL && other != NULL))
		return;
	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *text = xasprintf("refused to sign: %s",
		    tv[i].text == NULL ? "" : tv[i].text);

		l = login_for(k, "ssh-ed25519");
		login_change(&l, tv[i].field, tv[i].n, tv[i].s);
		want_int(check(&l, k, &err),
		    tv[i].text == NULL ? FX_OK : FX_EDENIED);
		want_str(err.text, tv[i].text == NULL ? "" : text);
	}
	l = login_for(other, "ssh-ed25519");
	want_int(check(&l, k, &err), FX_EDENIED);
	want_str(err.text, "refused to sign: " E_KEY);
}

/* Nothing shorter than a login, and no login with a false length. */
static void
test_request_cut(void)
{
	struct fx_err err = { 0 };
	auto_key struct key *k = key_load("ed25519", &err);
	struct login l = login_for(k, "ssh-ed25519");
	const struct key_alg *alg;
	struct buf b;

	login_put(&b, &l);
	want_int(request_check(&b, k, "git", &alg, &err), FX_OK);
	for (size_t i = 0; i + 4 <= b.len; i++) {
		uint8_t saved[4];

		memcpy(saved, b.data + i, 4);
		memset(b.data + i, 0xff, 4);
		/* the session id may be anything */
		want_int(request_check(&b, k, "git", &alg, &err),
		    i >= 4 && i + 4 <= 4 + l.session ? FX_OK : FX_EDENIED);
		memcpy(b.data + i, saved, 4);
	}
	for (; b.len > 0; b.len--) {
		auto_buf struct buf cut = BUF_INIT(16384);

		want_int(buf_put(&cut, b.data, b.len - 1), FX_OK);
		want_int(request_check(&cut, k, "git", &alg, &err), FX_EDENIED);
	}
	buf_clear(&b);
}

/* RSA keys sign with SHA-2 and with nothing else. */
static void
test_request_rsa(void)
{
	static const struct {
		const char *algorithm;
		int code;
	} tv[] = {
		{ "rsa-sha2-512", FX_OK },
		{ "rsa-sha2-256", FX_OK },
		{ "ssh-rsa", FX_EDENIED },
		{ "ssh-ed25519", FX_EDENIED },
	};
	struct fx_err err = { 0 };
	auto_key struct key *k = NULL;

	key_make("rsa", "-t rsa -b 2048");
	k = key_load("rsa", &err);
	if (!want(k != NULL))
		return;
	for (size_t i = 0; i < nitems(tv); i++) {
		struct login l = login_for(k, tv[i].algorithm);

		want_int(check(&l, k, &err), tv[i].code);
	}
}

/* Back to libcrypto's DER, for its own check. */
static size_t
ecdsa_der(struct buf *sig, uint8_t *der)
{
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *n[2];
	struct buf v;
	uint8_t *p = der;
	int len;

	for (int i = 0; i < 2; i++) {
		if (!want(sshw_get_string(sig, &v) == FX_OK && v.len > 0 &&
			(v.data[v.off] & 0x80) == 0))
			return 0;
		n[i] = BN_bin2bn(buf_head(&v), (int)buf_left(&v), NULL);
	}
	want_int(buf_left(sig), 0);
	ECDSA_SIG_set0(s, n[0], n[1]);
	len = i2d_ECDSA_SIG(s, &p);
	ECDSA_SIG_free(s);
	return (size_t)len;
}

static void
check_signature(const struct key *k, const char *alg_name, size_t size)
{
	const struct buf name = buf_view(alg_name, strlen(alg_name));
	const struct buf data = buf_view("what is signed", 14);
	const struct key_alg *alg = key_alg(k, &name);
	struct buf sig = BUF_INIT(KEY_SIG_MAX);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	struct fx_err err = { 0 };
	uint8_t raw[KEY_SIG_MAX];
	size_t n;

	if (!want(alg != NULL))
		return;
	want_int(key_sign(k, alg, &data, &sig, &err), FX_OK);
	if (size != 0)
		want_int(buf_left(&sig), size);
	if (k->kind->curve != NULL) {
		n = ecdsa_der(&sig, raw);
	} else {
		n = buf_left(&sig);
		memcpy(raw, buf_head(&sig), n);
	}
	want_int(EVP_DigestVerifyInit_ex(c, NULL, alg->hash, NULL, NULL,
		     k->pkey, NULL),
	    1);
	want_int(EVP_DigestVerify(c, raw, n, (const uint8_t *)"what is signed",
		     14),
	    1);
	EVP_MD_CTX_free(c);
	buf_clear(&sig);
}

static void
test_signatures(void)
{
	static const struct {
		const char *options, *alg;
		size_t size; /* 0: varies */
	} tv[] = {
		{ "-t ed25519", "ssh-ed25519", 64 },
		{ "-t ecdsa -b 256", "ecdsa-sha2-nistp256", 0 },
		{ "-t ecdsa -b 384", "ecdsa-sha2-nistp384", 0 },
		{ "-t ecdsa -b 521", "ecdsa-sha2-nistp521", 0 },
		{ "-t ecdsa -b 521 -m PEM", "ecdsa-sha2-nistp521", 0 },
		{ "-t rsa -b 2048", "rsa-sha2-256", 256 },
		{ "-t rsa -b 2048", "rsa-sha2-512", 256 },
		{ "-t rsa -b 4096 -m PEM", "rsa-sha2-512", 512 },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct fx_err err = { 0 };
		auto_key struct key *k = NULL;

		key_make("signer", tv[i].options);
		k = key_load("signer", &err);
		/* numbers of a signature have many lengths */
		for (int j = 0; want(k != NULL) && j < 32; j++)
			check_signature(k, tv[i].alg, tv[i].size);
	}
}

int
main(void)
{
	want_int(key_init(), FX_OK);
	key_dir_make();
	test_run("sign: every field of a login is checked", test_request);
	test_run("sign: cut or false lengths are refused", test_request_cut);
	test_run("sign: RSA with SHA-2 only", test_request_rsa);
	test_run("sign: libcrypto accepts what was signed", test_signatures);
	key_dir_remove();
	return test_done();
}
