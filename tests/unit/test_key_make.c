/* SPDX-License-Identifier: Apache-2.0 */

/* Keys that are made: ssh-keygen reads what is written, and so do we. */
#include "key_util.h"

#include "sealed.h"

#include <sys/mman.h>

static const struct {
	const char *type, *format; /* as the flags have them */
	uint64_t bits;		   /* 0: not given */
	const char *kind, *first;  /* of the public half; of the file */
	unsigned want_bits;
} tv[] = {
#define OPENSSH "-----BEGIN OPENSSH PRIVATE KEY-----"
#define PKCS1 "-----BEGIN RSA PRIVATE KEY-----"
#define SEC1 "-----BEGIN EC PRIVATE KEY-----"
#define PKCS8 "-----BEGIN PRIVATE KEY-----"
	{ "", "", 0, "ssh-ed25519", OPENSSH, 256 },
	{ "ed25519", "RFC4716", 0, "ssh-ed25519", OPENSSH, 256 },
	/* as ssh-keygen 9.2, which reads no other */
	{ "ed25519", "PEM", 0, "ssh-ed25519", OPENSSH, 256 },
	{ "ed25519", "PKCS8", 521, "ssh-ed25519", OPENSSH, 256 },
	{ "ecdsa", "", 0, "ecdsa-sha2-nistp256", OPENSSH, 256 },
	{ "ecdsa", "PEM", 256, "ecdsa-sha2-nistp256", SEC1, 256 },
	{ "ecdsa", "PKCS8", 256, "ecdsa-sha2-nistp256", PKCS8, 256 },
	{ "ECDSA", "", 384, "ecdsa-sha2-nistp384", OPENSSH, 384 },
	{ "ecdsa", "pem", 384, "ecdsa-sha2-nistp384", SEC1, 384 },
	{ "ecdsa", "pkcs8", 384, "ecdsa-sha2-nistp384", PKCS8, 384 },
	{ "ecdsa", "rfc4716", 521, "ecdsa-sha2-nistp521", OPENSSH, 521 },
	{ "ecdsa", "PEM", 521, "ecdsa-sha2-nistp521", SEC1, 521 },
	{ "ecdsa", "PKCS8", 521, "ecdsa-sha2-nistp521", PKCS8, 521 },
	{ "rsa", "", 0, "ssh-rsa", OPENSSH, 3072 },
	{ "", "", 2048, "ssh-rsa", OPENSSH, 2048 },
	{ "RSA", "PEM", 1024, "ssh-rsa", PKCS1, 1024 },
	{ "rsa", "PKCS8", 2048, "ssh-rsa", PKCS8, 2048 },
};

static struct key *
made(size_t i, struct keygen *want, struct fx_err *err)
{
	struct key *k = NULL;

	want_int(keygen_parse(tv[i].type, tv[i].bits == 0 ? NULL : &tv[i].bits,
		     tv[i].format, want, err),
	    FX_OK);
	want_int(key_generate(want, &k, err), FX_OK);
	return k;
}

static void
save(const char *name, const struct buf *text)
{
	auto_free char *path = xasprintf("%s/%s", key_dir, name);
	auto_fd int fd =
	    open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	want(fd != -1 &&
	    write(fd, buf_head(text), buf_left(text)) ==
		(ssize_t)buf_left(text));
}

static char *
line_of(const struct key *k)
{
	struct buf b = BUF_INIT(KEY_BLOB_MAX * 2);

	key_add_line(&b, k);
	return str_take(&b);
}

/* What ssh-keygen says of the file, and what we say of the key. */
static void
compare(const struct key *k, size_t i)
{
	auto_free char *line = line_of(k), *y = NULL, *l = NULL, *first = NULL;
	auto_free char *size = xasprintf("%u ", tv[i].want_bits);

	y = key_run("ssh-keygen -y -P '' -f made");
	y[strcspn(y, "\n")] = '\0';
	/* PEM has no comment */
	if (strcmp(tv[i].first, OPENSSH) == 0)
		want_str(y, line);
	else
		want(strncmp(y, line, strlen(y)) == 0 && strlen(y) > 60);
	l = key_run("ssh-keygen -l -f made");
	want(str_starts(l, size));
	first = key_run("head -n 1 made | tr -d '\\n'");
	want_str(first, tv[i].first);
}

static void
test_formats(void)
{
	for (size_t i = 0; i < nitems(tv); i++) {
		struct buf text = BUF_INIT(KEY_FILE_MAX);
		struct fx_err err = { 0 };
		struct keygen want;
		auto_key struct key *k = made(i, &want, &err), *again = NULL;

		if (!want(k != NULL))
			continue;
		want_str(k->kind->type, tv[i].kind);
		want_int(k->bits, tv[i].want_bits);
		want_int(key_write(k, want.format, &text, &err), FX_OK);
		save("made", &text);
		compare(k, i);
		/* nothing follows the key */
		want(buf_left(&text) > 0 && text.data[text.len - 1] == '\n' &&
		    memchr(text.data, '\0', text.len) == NULL);
		want_int(key_parse(&text, &again, &err), FX_OK);
		want(again != NULL && again->blob.len == k->blob.len &&
		    memcmp(again->blob.data, k->blob.data, k->blob.len) == 0);
	}
}

/* What ssh-keygen would have written of the same key, byte for byte but for the
 * number that it draws and repeats. */
static void
test_container(void)
{
	static const char *const options[] = { "-t ed25519", "-t ecdsa -b 521",
		"-t rsa -b 2048" };

	for (size_t i = 0; i < nitems(options); i++) {
		auto_buf struct buf ours = BUF_INIT(KEY_FILE_MAX);
		struct fx_err err = { 0 };
		struct buf theirs;
		auto_key struct key *k = NULL;
		const size_t head = 15 + 8 + 8 + 4 + 4;
		size_t check;

		key_make("theirs", options[i]);
		/* PEM keeps all of an RSA key's numbers; the readers of
		 * OpenSSH's form skip three */
		if (i == 2) {
			key_binary("theirs", &theirs);
			free(
			    key_run("ssh-keygen -q -p -N '' -m PEM -f theirs"));
			k = key_load("theirs", &err);
			if (want(k != NULL))
				k->comment = xstrdup("theirs@ci");
		} else {
			k = key_load("theirs", &err);
			key_binary("theirs", &theirs);
		}
		if (!want(k != NULL))
			continue;
		want_int(key_to_openssh(k, &ours, &err), FX_OK);
		check = head + 4 + k->blob.len + 4;
		if (want(ours.len == theirs.len && ours.len > check + 8)) {
			want(memcmp(ours.data + check, ours.data + check + 4,
				 4) == 0);
			memcpy(ours.data + check, theirs.data + check, 8);
			want(memcmp(ours.data, theirs.data, ours.len) == 0);
		}
		buf_clear(&theirs);
	}
}

/* A text that does not fit is an error, whatever its form. */
static void
test_no_room(void)
{
	static const size_t rows[] = { 0, 6, 15, 16 };

	for (size_t i = 0; i < nitems(rows); i++) {
		struct buf text = BUF_INIT(300);
		struct fx_err err = { 0 };
		struct keygen want;
		auto_key struct key *k = made(rows[i], &want, &err);

		if (i < 2)
			text.max = 100;
		want_int(key_write(k, want.format, &text, &err), FX_ELIMIT);
		want_str(err.text, "the key is larger than 32768 bytes");
		buf_wipe(&text);
	}
}

/* Two are never the same one. */
static void
test_fresh(void)
{
	for (size_t i = 0; i < 5; i += 4) {
		struct fx_err err = { 0 };
		struct keygen want;
		auto_key struct key *a = made(i, &want, &err),
				    *b = made(i, &want, &err);

		want(a != NULL && b != NULL && a->blob.len == b->blob.len &&
		    memcmp(a->blob.data, b->blob.data, a->blob.len) != 0);
	}
}

static void
test_flags(void)
{
#define TYPES "--ssh-keygen-type must be ed25519, ecdsa or rsa"
#define FORMATS "--ssh-keygen-format must be RFC4716, PEM or PKCS8"
#define RSA_SIZE "an RSA key has 1024 to 8192 bits"
	static const struct {
		const char *type, *format;
		int64_t bits; /* -1: not given */
		const char *error;
	} fv[] = {
		{ "dsa", "", -1, TYPES },
		{ "ssh-ed25519", "", -1, TYPES },
		{ "rsa ", "", -1, TYPES },
		{ "", "PKCS1", -1, FORMATS },
		{ "ed25519", "openssh", -1, FORMATS },
		/* as ssh-keygen, which is told of a 0 too */
		{ "", "", 0, "--ssh-keygen-bits=0: " RSA_SIZE },
		{ "rsa", "", 1023, "--ssh-keygen-bits=1023: " RSA_SIZE },
		{ "rsa", "", 8193, "--ssh-keygen-bits=8193: " RSA_SIZE },
		{ "ecdsa", "", 512,
		    "--ssh-keygen-bits=512: an ECDSA key has 256, 384 or 521 "
		    "bits" },
		{ "rsa", "", 1024, "" },
		{ "rsa", "", 8192, "" },
		{ "ed25519", "", 0, "" },
	};

	for (size_t i = 0; i < nitems(fv); i++) {
		const uint64_t bits = (uint64_t)fv[i].bits;
		struct fx_err err = { 0 };
		struct keygen k;

		want_int(keygen_parse(fv[i].type,
			     fv[i].bits == -1 ? NULL : &bits, fv[i].format, &k,
			     &err),
		    fv[i].error[0] == '\0' ? FX_OK : FX_ESYNTAX);
		want_str(err.text, fv[i].error);
	}
}

/* What leaves the process cannot be changed by anybody any more. */
static void
test_sealed(void)
{
	struct sealed s;
	struct buf got = BUF_INIT(8192);
	int fd;

	want_int(sealed_open(&s, "test", 8192), FX_OK);
	want_int(buf_put(&s.bytes, "a secret", 8), FX_OK);
	fd = sealed_take(&s);
	want(fd != -1 && s.bytes.data == NULL);
	want_int(fd_read_all(fd, &got), FX_OK);
	want(buf_left(&got) == 8192 &&
	    strcmp((char *)got.data, "a secret") == 0);
	want(pwrite(fd, "x", 1, 0) == -1 && ftruncate(fd, 4) == -1 &&
	    ftruncate(fd, 9000) == -1);
	want(mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
	    MAP_FAILED);
	want_int(sealed_take(&s), -1);
	sealed_close(&s);
	buf_clear(&got);
	fd_close(&fd);
}

int
main(void)
{
	want_int(key_init(), FX_OK);
	key_dir_make();
	test_run("key: ssh-keygen reads what we make, of every type and format",
	    test_formats);
	test_run("key: an OpenSSH file is written as ssh-keygen does",
	    test_container);
	test_run("key: a text without room is an error", test_no_room);
	test_run("key: two that are made differ", test_fresh);
	test_run("key: flags that ask for no key there is", test_flags);
	test_run("key: the file that is given away is sealed", test_sealed);
	key_dir_remove();
	return test_done();
}
