/* SPDX-License-Identifier: Apache-2.0 */

/* fluxd-key as a process: locked down, with a key file of each kind. */
#include "key_util.h"
#include "worker_util.h"

#include "ssh_wire.h"

struct answer {
	bool done;
	struct fx_err err;
	struct ipc_key_public_is key; /* owned */
	struct buf sig;
};

static int
on_public(void *arg, struct ipc_frame *f)
{
	struct answer *a = arg;

	a->done = true;
	if (ipc_take_failed(f, &a->err) != FX_OK)
		return FX_OK;
	return ipc_key_public_is_decode(&f->body, &a->key, &f->fd);
}

static int
on_signed(void *arg, struct ipc_frame *f)
{
	struct answer *a = arg;
	struct ipc_key_signed m;
	int r;

	a->done = true;
	if (ipc_take_failed(f, &a->err) != FX_OK)
		return FX_OK;
	r = ipc_key_signed_decode(&f->body, &m, &f->fd);
	if (r == FX_OK)
		r = buf_put(&a->sig, m.signature.p, m.signature.n);
	ipc_key_signed_clear(&m);
	return r;
}

static void
ask_public(struct worker_under_test *w, struct answer *a)
{
	const struct ipc_key_public m = { 0 };

	*a = (struct answer){ .sig = BUF_INIT(KEY_SIG_MAX) };
	want(ipc_ask_key_public(&w->peer, &m, on_public, a) != 0);
	worker_await(w, &a->done);
}

static void
ask_sign(struct worker_under_test *w, const char *user, const char *alg,
    const struct ipc_bytes *blob, struct answer *a)
{
	auto_buf struct buf b = BUF_INIT(8192);
	struct ipc_key_sign m;

	sshw_put_string(&b, "0123456789abcdef0123456789abcdef", 32);
	want_int(buf_put(&b, "\x32", 1), FX_OK);
	sshw_put_string(&b, user, strlen(user));
	sshw_put_string(&b, "ssh-connection", 14);
	sshw_put_string(&b, "publickey", 9);
	want_int(buf_put(&b, "\1", 1), FX_OK);
	sshw_put_string(&b, alg, strlen(alg));
	sshw_put_string(&b, blob->p, blob->n);
	m.to_sign = (struct ipc_bytes){ b.data, b.len };
	*a = (struct answer){ .sig = BUF_INIT(KEY_SIG_MAX) };
	want(ipc_ask_key_sign(&w->peer, &m, on_signed, a) != 0);
	worker_await(w, &a->done);
}

static void
start(struct worker_under_test *w, const char *url, const char *name)
{
	char *const settings[] = { (char *)(uintptr_t) "git-url",
		(char *)(uintptr_t)url, NULL };
	auto_free char *path = xasprintf("%s/%s", key_dir, name);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	worker_start(w, IPC_R_KEY, settings, IPC_FILE_DEPLOY_KEY, fd);
}

static void
test_serves(void)
{
	static const struct {
		const char *name, *options, *alg;
	} tv[] = {
		{ "ed25519", "-t ed25519", "ssh-ed25519" },
		{ "p256", "-t ecdsa -b 256", "ecdsa-sha2-nistp256" },
		{ "p384", "-t ecdsa -b 384 -m PEM", "ecdsa-sha2-nistp384" },
		{ "p521", "-t ecdsa -b 521 -m PKCS8", "ecdsa-sha2-nistp521" },
		{ "rsa", "-t rsa -b 3072", "rsa-sha2-512" },
		{ "rsa.pkcs1", "-t rsa -b 2048 -m PEM", "rsa-sha2-256" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct worker_under_test w;
		struct answer a, s;
		auto_free char *type = NULL;

		key_make(tv[i].name, tv[i].options);
		type =
		    key_run("cut -d' ' -f1 %s.pub | tr -d '\\n'", tv[i].name);
		start(&w, "ssh://deploy@git.example.org/conf", tv[i].name);
		ask_public(&w, &a);
		want_str(a.key.type, type);
		want(a.key.md5 != NULL && strlen(a.key.md5) == 47);
		want(a.key.sha256 != NULL && strlen(a.key.sha256) == 43);
		want(a.key.md5_art != NULL && strlen(a.key.md5_art) == 220);
		want(a.key.sha256_art != NULL &&
		    strlen(a.key.sha256_art) == 220);
		ask_sign(&w, "deploy", tv[i].alg, &a.key.blob, &s);
		want_str(s.err.text, "");
		want(buf_left(&s.sig) >= 64);
		buf_clear(&s.sig);
		ask_sign(&w, "git", tv[i].alg, &a.key.blob, &s);
		want_int(s.err.code, FX_EDENIED);
		ask_sign(&w, "deploy", "ssh-rsa", &a.key.blob, &s);
		want_int(s.err.code, FX_EDENIED);
		want_int(buf_left(&s.sig), 0);
		ipc_key_public_is_clear(&a.key);
		worker_stop(&w);
	}
}

static void
test_user_of_url(void)
{
	static const struct {
		const char *url, *user;
		bool signs;
	} tv[] = {
		{ "git@git.example.org:conf", "git", true },
		{ "git@git.example.org:conf", "me", false },
		{ "me@git.example.org:conf", "me", true },
		{ "git.example.org:conf", "git", true },
		{ "ssh://git.example.org/conf", "git", true },
		{ "ssh://me@git.example.org:2222/conf", "me", true },
		{ "https://me@git.example.org/conf", "me", false },
		{ "https://me@git.example.org/conf", "git", false },
		{ "/srv/conf.git", "git", false },
		{ "", "git", false },
	};

	key_make("ed25519", "-t ed25519");
	for (size_t i = 0; i < nitems(tv); i++) {
		struct worker_under_test w;
		struct answer a, s;

		start(&w, tv[i].url, "ed25519");
		ask_public(&w, &a);
		ask_sign(&w, tv[i].user, "ssh-ed25519", &a.key.blob, &s);
		if (!want_int(s.err.code, tv[i].signs ? FX_OK : FX_EDENIED))
			printf("# %s for %s: %s\n", tv[i].url, tv[i].user,
			    s.err.text);
		buf_clear(&s.sig);
		ipc_key_public_is_clear(&a.key);
		worker_stop(&w);
	}
}

static void
test_no_key(void)
{
	static const struct {
		const char *make; /* NULL: no file at all */
		int code;
		const char *text;
	} tv[] = {
		{ NULL, FX_OK, "no deploy key: none was given" },
		{ "printf ''", FX_ESYNTAX,
		    "deploy key: neither an OpenSSH private key nor one in "
		    "PEM" },
		{ "head -c 40000 /dev/zero", FX_ELIMIT,
		    "deploy key: larger than 32768 bytes" },
		{ "rm -f f; ssh-keygen -q -t ed25519 -N secret -f f && cat f",
		    FX_EDENIED, "deploy key: " KEY_E_PASSPHRASE },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct worker_under_test w;
		struct answer a, s;
		const struct ipc_bytes blob = { 0 };

		if (tv[i].make != NULL)
			free(key_run("(%s) >file", tv[i].make));
		start(&w, "git@git.example.org:conf",
		    tv[i].make == NULL ? "missing" : "file");
		ask_public(&w, &a);
		want_int(a.err.code, tv[i].code);
		if (a.err.code == FX_OK) {
			want_str(a.key.type, "");
			want_str(a.key.line, "");
			want_int(a.key.blob.n, 0);
		} else {
			want_str(a.err.text, tv[i].text);
		}
		ask_sign(&w, "git", "ssh-ed25519", &blob, &s);
		want(s.err.code != FX_OK);
		want_str(s.err.text, tv[i].text);
		ipc_key_public_is_clear(&a.key);
		worker_stop(&w);
	}
}

int
main(void)
{
	key_dir_make();
	test_run("fluxd-key: every kind of key, locked down", test_serves);
	test_run("fluxd-key: signs for the user of the URL only",
	    test_user_of_url);
	test_run("fluxd-key: without a usable key it says why", test_no_key);
	key_dir_remove();
	return test_done();
}
