/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where the private key is in memory, freed memory included: in one place.
 * The pattern that is looked for is kept inverted, so that the search does not
 * find itself.
 */
#include "key_util.h"
#include "memory.h"

#include <openssl/pem.h>
#include <sys/wait.h>

#define SEED 32

struct pattern {
	uint8_t inverted[SEED];
};

static void
invert(uint8_t *to, const uint8_t *from)
{
	for (size_t i = 0; i < SEED; i++)
		to[i] = from[i] ^ 0xff;
}

static size_t
count_everywhere(const struct pattern *what)
{
	return memory_count(what->inverted, SEED);
}

struct form {
	const char *name;
	/* where the seed and 32 characters that hold some of it are, in the
	 * decoded openssh-key-v1 and in the file */
	size_t seed_at, text_at;
};

static const struct form forms[] = {
	{ "openssh", 161, 250 },
	{ "pkcs8", 161, 54 },
};

/* The same key as PKCS#8, which ssh-keygen does not write for Ed25519. */
static void
write_pkcs8(void)
{
	auto_free char *path = xasprintf("%s/pkcs8", key_dir);
	struct fx_err err = { 0 };
	auto_key struct key *k = key_load("openssh", &err);
	FILE *f = fopen(path, "we");

	if (want(f != NULL && k != NULL)) {
		want_int(PEM_write_PKCS8PrivateKey(f, k->pkey, NULL, NULL, 0,
			     NULL, NULL),
		    1);
		fclose(f);
	}
}

/* Key files made in another process, which tells what to look for. */
static void
make_elsewhere(const struct form *form, struct pattern what[2])
{
	int pipes[2];
	struct buf bin, text;

	want(pipe(pipes) == 0);
	fflush(stdout);
	if (fork() == 0) {
		key_make("openssh", "-t ed25519");
		write_pkcs8();
		key_binary("openssh", &bin);
		key_text(form->name, &text);
		invert(what[0].inverted, bin.data + form->seed_at);
		invert(what[1].inverted, text.data + form->text_at);
		_exit(write(pipes[1], what, 2 * sizeof(*what)) !=
		    2 * sizeof(*what));
	}
	close(pipes[1]);
	want_int(read(pipes[0], what, 2 * sizeof(*what)), 2 * sizeof(*what));
	close(pipes[0]);
	want(wait(NULL) != -1);
}

static void
read_text(const char *name, struct buf *text)
{
	auto_free char *path = xasprintf("%s/%s", key_dir, name);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	*text = (struct buf)BUF_INIT(KEY_FILE_MAX);
	want(buf_reserve(text, KEY_FILE_MAX) != NULL);
	want_int(fd_read_all(fd, text), FX_OK);
}

static void
check_form(const struct form *form)
{
	struct pattern what[2];
	struct fx_err err = { 0 };
	auto_key struct key *k = NULL;
	struct buf text, sig = BUF_INIT(KEY_SIG_MAX);
	const struct buf data = buf_view("data", 4);

	make_elsewhere(form, what);
	want_int(count_everywhere(&what[0]), 0);
	read_text(form->name, &text);
	want_int(count_everywhere(&what[1]), 1); /* the search works */
	want_int(key_parse(&text, &k, &err), FX_OK);
	want_int(count_everywhere(&what[0]), 1);
	want_int(count_everywhere(&what[1]), 0);
	if (want(k != NULL))
		want_int(key_sign(k, &k->kind->algs[0], &data, &sig, &err),
		    FX_OK);
	want_int(count_everywhere(&what[0]), 1);
	key_free(&k);
	want_int(count_everywhere(&what[0]), 0);
	buf_clear(&sig);
}

static void
test_memory(void)
{
	for (size_t i = 0; i < nitems(forms); i++)
		check_form(&forms[i]);
}

int
main(void)
{
	want_int(key_init(), FX_OK);
	key_dir_make();
	test_run("key: the seed is in memory once, the file not at all",
	    test_memory);
	key_dir_remove();
	return test_done();
}
