/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "str.h"
#include "test.h"
#include "token.h"

static int64_t now_us = CLK_SEC;
static char flag[] = "/run/token";

static void
give(struct worker *w, const char *text, size_t n)
{
	int fd = memfd_create("token", MFD_CLOEXEC);

	if (fd == -1 || write(fd, text, n) != (ssize_t)n)
		perror("memfd");
	*w = (struct worker){ .loop = loop_new() };
	w->cfg.listen_token_file = flag;
	for (size_t i = 0; i < IPC_FILE_COUNT; i++)
		w->files[i] = -1;
	w->files[IPC_FILE_API_TOKEN] = fd;
}

static void
test_files(void)
{
#define LONG256                                                                \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"     \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"     \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"     \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const struct {
		const char *text, *shown;
		bool known;
	} tv[] = {
		{ "0123456789abcdef", "Bearer 0123456789abcdef", true },
		{ " \t0123456789abcdef\r\n\n", "Bearer 0123456789abcdef",
		    true },
		{ LONG256 "\n", "Bearer " LONG256, true },
		{ LONG256 "0", "Bearer " LONG256 "0", false },
		{ "0123456789abcde", "Bearer 0123456789abcde", false },
		{ "", "Bearer ", false },
		{ "\n", "Bearer ", false },
		{ "0123456789 abcdef", "Bearer 0123456789 abcdef", false },
		{ "0123456789\nabcdef", "Bearer 0123456789", false },
		{ "0123456789abcd\xc3\xa9", "Bearer 0123456789abcd\xc3\xa9",
		    false },
		{ "0123456789abcdef\x7f", "Bearer 0123456789abcdef\x7f",
		    false },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct worker w;
		struct token t;

		give(&w, tv[i].text, strlen(tv[i].text));
		token_init(&t, &w);
		want(t.wanted);
		if (!want_int(t.known, tv[i].known) ||
		    !want_int(token_fits(&t, tv[i].shown), tv[i].known))
			printf("# %zu\n", i);
		token_clear(&t);
		want(!token_fits(&t, tv[i].shown));
		want_int(t.text[0], 0);
		loop_free(&w.loop);
	}
}

/* White space counts, too: what is read is bounded before it is looked at. */
static void
test_large(void)
{
	char text[2 * TOKEN_MAX + 1] = "0123456789abcdef";

	memset(text + strlen(text), '\n', sizeof(text) - strlen(text));
	for (size_t n = sizeof(text) - 1; n <= sizeof(text); n++) {
		struct worker w;
		struct token t;

		give(&w, text, n);
		token_init(&t, &w);
		want_int(t.known, n < sizeof(text));
		token_clear(&t);
		loop_free(&w.loop);
	}
}

static void
test_shown(void)
{
#define T "0123456789abcdef0123"
	static const struct {
		const char *header;
		bool fits;
	} tv[] = {
		{ "Scope-Probe token=" T, true },
		{ "scope-probe TOKEN=" T, true },
		{ "Bearer " T, true },
		{ "bearer " T, true },
		{ NULL, false },
		{ "", false },
		{ T, false },
		{ "Basic " T, false },
		{ "Bearer", false },
		{ "Bearer ", false },
		{ "Bearer  " T, false },
		{ "Bearer " T "4", false },
		{ "Bearer 0123456789abcdef012", false },
		{ "Bearer 1123456789abcdef0123", false },
		{ "Bearer 0123456789abcdef0124", false },
		{ "Scope-Probe token=", false },
		{ "Scope-Probe token =" T, false },
		{ "Bearer " T LONG256, false },
	};
	struct worker w;
	struct token t;

	give(&w, T "\n", strlen(T) + 1);
	token_init(&t, &w);
	for (size_t i = 0; i < nitems(tv); i++)
		if (!want_int(token_fits(&t, tv[i].header), tv[i].fits))
			printf("# %s\n", tv[i].header);
	token_clear(&t);
	loop_free(&w.loop);
}

/* Where a token is wanted and none is there, none fits. */
static void
test_none(void)
{
	struct worker w;
	struct token t;

	give(&w, "", 0);
	close(w.files[IPC_FILE_API_TOKEN]);
	w.files[IPC_FILE_API_TOKEN] = -1;
	token_init(&t, &w);
	want(t.wanted && !t.known);
	want(!token_fits(&t, "Bearer "));
	want(!token_fits(&t, "Bearer " T));
	token_clear(&t);
	loop_free(&w.loop);
}

/* One that was taken away counts for a minute at most, whoever comes or not. */
static void
test_again(void)
{
	struct worker w;
	struct token t;
	int ends[2];

	give(&w, T, strlen(T));
	want_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	ipc_peer_init(&w.master, ends[0], IPC_R_API, IPC_R_MASTER, 0);
	w.master.phase = IPC_PH_RUN;
	token_init(&t, &w);
	for (int minute = 1; minute <= 2; minute++) {
		size_t asked = buf_left(&w.master.out);

		now_us += TOKEN_EVERY_US - 1;
		loop_turn(w.loop, 0);
		want_int(buf_left(&w.master.out), asked);
		now_us += 2;
		loop_turn(w.loop, 0);
		want(buf_left(&w.master.out) > asked);
	}
	token_clear(&t);
	ipc_peer_close(&w.master);
	close(ends[1]);
	loop_free(&w.loop);
}

int
main(void)
{
	clk_fake(&now_us, NULL);
	test_run("token: what a file may have", test_files);
	test_run("token: a file is no larger than it need be", test_large);
	test_run("token: what a client may show", test_shown);
	test_run("token: none is no empty one", test_none);
	test_run("token: the file is read again every minute", test_again);
	return test_done();
}
