/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where the private key is in memory, freed memory included: in one place.
 * The pattern that is looked for is kept inverted, so that the search does not
 * find itself.
 */
#include "key_util.h"

#include <openssl/rand.h>
#include <sys/wait.h>

#include "ssh_wire.h"

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
count_in(const uint8_t *p, size_t n, const struct pattern *what)
{
	size_t found = 0, k;

	for (size_t i = 0; i + SEED <= n; i++) {
		for (k = 0; k < SEED; k++)
			if ((p[i + k] ^ what->inverted[k]) != 0xff)
				break;
		found += k == SEED;
	}
	return found;
}

/* Occurrences in everything this process can write: the pages are read in
 * place, so that looking makes no copy. */
static size_t
count_everywhere(const struct pattern *what)
{
	FILE *f = fopen("/proc/self/maps", "re");
	size_t found = 0;
	char line[512], access[8];
	uintptr_t from, to;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, access) != 3 ||
		    strncmp(access, "rw", 2) != 0 ||
		    strstr(line, "/dev/") != NULL)
			continue;
		found += count_in((const uint8_t *)from, to - from, what);
	}
	if (f != NULL)
		fclose(f);
	return found;
}

/* A key file with a known seed, made elsewhere; what to look for: the seed,
 * and 32 characters of the base64 text. */
static void
make_elsewhere(struct pattern what[2])
{
	int pipes[2];
	struct buf bin, text;

	want(pipe(pipes) == 0);
	fflush(stdout);
	if (fork() == 0) {
		key_make("secret", "-t ed25519");
		key_binary("secret", &bin);
		key_text("secret", &text);
		/* the seed stands after the second copy of the public key,
		 * and once more its length */
		invert(what[0].inverted, bin.data + 161);
		invert(what[1].inverted, text.data + 250);
		_exit(write(pipes[1], what, 2 * sizeof(*what)) !=
		    2 * sizeof(*what));
	}
	close(pipes[1]);
	want_int(read(pipes[0], what, 2 * sizeof(*what)), 2 * sizeof(*what));
	close(pipes[0]);
	want(wait(NULL) != -1);
}

static void
test_memory(void)
{
	struct pattern what[2];
	struct fx_err err = { 0 };
	auto_key struct key *k = NULL;
	struct buf text, sig = BUF_INIT(KEY_SIG_MAX);
	const struct buf data = buf_view("data", 4);

	make_elsewhere(what);
	want_int(count_everywhere(&what[0]), 0);
	text = (struct buf)BUF_INIT(KEY_FILE_MAX);
	want(buf_reserve(&text, KEY_FILE_MAX) != NULL);
	{
		auto_free char *path = xasprintf("%s/secret", key_dir);
		auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

		want_int(fd_read_all(fd, &text), FX_OK);
	}
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
