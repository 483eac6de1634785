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

/* ---- keys that are made ------------------------------------------------- */

struct made {
	bool done;
	struct fx_err err;
	char *line; /* owned */
	int fd;	    /* owned */
};

static int
on_made(void *arg, struct ipc_frame *f)
{
	struct made *a = arg;
	struct ipc_key_made m;

	a->done = true;
	if (ipc_take_failed(f, &a->err) != FX_OK)
		return FX_OK;
	want_int(ipc_key_made_decode(&f->body, &m, &f->fd), FX_OK);
	a->line = fx_steal(&m.line);
	a->fd = m.fd;
	m.fd = -1;
	ipc_key_made_clear(&m);
	return FX_OK;
}

static void
ask_make(struct worker_under_test *w, struct made *a)
{
	const struct ipc_key_make m = { 0 };

	*a = (struct made){ .fd = -1 };
	want(ipc_ask_key_make(&w->peer, &m, on_made, a) != 0);
	worker_await(w, &a->done);
}

/* It is the key of the line, and nobody can change it. */
static void
check_made(const struct made *a)
{
	struct buf text = BUF_INIT(KEY_FILE_MAX), line = BUF_INIT(8192);
	struct fx_err err = { 0 };
	auto_key struct key *k = NULL;

	want_int(fd_read_all(a->fd, &text), FX_OK);
	want_int(key_parse(&text, &k, &err), FX_OK);
	if (!want(k != NULL))
		return;
	/* PEM has no comment, and is shown with the same one */
	key_add_line(&line, k);
	want(sshw_is(&line, a->line));
	want(ftruncate(a->fd, 0) == -1);
	buf_clear(&line);
}

static void
test_makes(void)
{
	static const struct {
		const char *type, *bits, *format, *kind;
	} tv[] = {
		{ "", "0", "", "ssh-ed25519 " },
		{ "ecdsa", "521", "PKCS8", "ecdsa-sha2-nistp521 " },
		{ "rsa", "0", "PEM", "ssh-rsa " },
		{ "", "2048", "RFC4716", "ssh-rsa " },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		char *const settings[] = {
			(char *)(uintptr_t) "ssh-keygen-type",
			(char *)(uintptr_t)tv[i].type,
			(char *)(uintptr_t) "ssh-keygen-bits",
			(char *)(uintptr_t)tv[i].bits,
			(char *)(uintptr_t) "ssh-keygen-format",
			(char *)(uintptr_t)tv[i].format,
			NULL,
		};
		struct worker_under_test w;
		struct made a, again;

		worker_begin(&w, IPC_R_KEY, 1, settings);
		worker_go(&w);
		ask_make(&w, &a);
		want_str(a.err.text, "");
		if (want(a.fd != -1 && str_starts(a.line, tv[i].kind)))
			check_made(&a);
		/* what is left of the first one must not meet a second */
		ask_make(&w, &again);
		want_str(again.err.text,
		    "this process makes no key, or has made one");
		free(a.line);
		fd_close(&a.fd);
		worker_stop(&w);
	}
}

/* Who signs makes none. */
static void
test_signer_makes_none(void)
{
	struct worker_under_test w;
	struct made a;

	key_make("ed25519", "-t ed25519");
	start(&w, "git@git.example.org:conf", "ed25519");
	ask_make(&w, &a);
	want_int(a.err.code, FX_EDENIED);
	want(a.fd == -1);
	worker_stop(&w);
}

static void
test_instead(void)
{
	static const struct {
		const char *file, *made;
		int former; /* how many; the last one is the file's */
		bool told, uses_made;
	} tv[] = {
		{ "old", "new", 1, true, true },
		{ "old", "new", 2, true, true },
		/* somebody else's, newer than what was made */
		{ "theirs", "new", 0, true, false },
		{ "theirs", "new", 1, true, false },
		{ NULL, "new", 0, true, true },
		{ "damaged", "new", 0, true, true },
		{ "old", NULL, 1, true, false },
		{ "old", "damaged", 1, true, false },
		/* nobody said so */
		{ "old", "new", 1, false, false },
		{ "new", "new", 1, true, false },
	};
	auto_free char *sha = NULL, *other = NULL;

	key_make("old", "-t ed25519");
	key_make("new", "-t ecdsa");
	key_make("theirs", "-t ed25519");
	free(key_run("echo nothing >damaged"));
	sha = key_run("ssh-keygen -lE sha256 -f old | sed 's/^[^:]*:"
		      "\\([^ ]*\\).*/\\1/' | tr -d '\\n'");
	other = key_run("ssh-keygen -lE sha256 -f new | sed 's/^[^:]*:"
			"\\([^ ]*\\).*/\\1/' | tr -d '\\n'");
	for (size_t i = 0; i < nitems(tv); i++) {
		struct ipc_text former[] = { { other }, { sha } };
		const struct ipc_key_instead m = {
			.former = former + 2 - tv[i].former,
			.former_len = (size_t)tv[i].former,
		};
		const char *name = tv[i].uses_made ? tv[i].made : tv[i].file;
		auto_free char *file = xasprintf("%s/%s", key_dir,
		    tv[i].file == NULL ? "-" : tv[i].file);
		auto_free char *made = xasprintf("%s/%s", key_dir,
		    tv[i].made == NULL ? "-" : tv[i].made);
		auto_free char *want_line = key_run("cat %s.pub", name);
		auto_fd int file_fd = open(file, O_RDONLY | O_CLOEXEC);
		auto_fd int made_fd = open(made, O_RDONLY | O_CLOEXEC);
		char *const none[] = { NULL };
		struct worker_under_test w;
		struct answer a;

		worker_begin(&w, IPC_R_KEY, 0, none);
		worker_give(&w, IPC_FILE_DEPLOY_KEY, file_fd);
		worker_give(&w, IPC_FILE_MADE_KEY, made_fd);
		worker_go(&w);
		if (tv[i].told)
			want_int(ipc_tell_key_instead(&w.peer, &m), FX_OK);
		ask_public(&w, &a);
		want_line[strcspn(want_line, "\n")] = '\0';
		want_str(a.key.line, want_line);
		if (!want_int(a.key.made, tv[i].uses_made))
			printf("# row %zu\n", i);
		ipc_key_public_is_clear(&a.key);
		worker_stop(&w);
	}
}

int
main(void)
{
	want_int(key_init(), FX_OK);
	key_dir_make();
	test_run("fluxd-key: every kind of key, locked down", test_serves);
	test_run("fluxd-key: signs for the user of the URL only",
	    test_user_of_url);
	test_run("fluxd-key: without a usable key it says why", test_no_key);
	test_run("fluxd-key: one that makes keys makes one", test_makes);
	test_run("fluxd-key: one that signs makes none",
	    test_signer_makes_none);
	test_run("fluxd-key: a key that was made, until the file has it",
	    test_instead);
	key_dir_remove();
	return test_done();
}
