/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "listen.h"
#include "str.h"
#include "test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[] = "/tmp/fluxd-listen.XXXXXX";

/* What listening there comes to: "" or the error; *kept: the listeners. */
static char *
attempt(const char *const *addresses, struct listeners *kept)
{
	const char *argv[2 * LISTEN_MAX + 4] = { "fluxd" };
	auto_buf struct buf notice = BUF_INIT(65536);
	struct config c;
	struct fx_err err = { 0 };
	int n = 1;

	for (; *addresses != NULL; addresses++) {
		argv[n++] = "--listen";
		argv[n++] = *addresses;
	}
	config_init(&c);
	want_int(config_parse(&c, n, (char **)(uintptr_t)argv, &notice, &err),
	    FX_OK);
	(void)!listen_all(kept, &c, &err);
	config_clear(&c);
	return xstrdup(err.text);
}

static void
release(struct listeners *ls)
{
	for (size_t i = 0; i < ls->n; i++) {
		close(ls->v[i].fd);
		if (ls->v[i].lock != -1)
			close(ls->v[i].lock);
		free(ls->v[i].address);
	}
	*ls = (struct listeners){ 0 };
}

static void
want_refused(const char *address, const char *text)
{
	const char *const list[] = { address, NULL };
	struct listeners ls = { 0 };
	auto_free char *got = attempt(list, &ls);

	want_str(got, text);
	release(&ls);
}

static void
test_addresses(void)
{
	static const struct {
		const char *address, *error;
	} tv[] = {
		{ "127.0.0.1:0", "" },
		{ ":0", "" },
		{ ":65536", "listen tcp: address 65536: invalid port" },
		{ "[::1]:x", "listen tcp: address x: invalid port" },
		{ "127.0.0.1:", "listen tcp: address : invalid port" },
		{ "3030", "listen tcp: address 3030: missing port in address" },
		{ ":65536000000000000", "listen tcp: address too long" },
		{ "unix:", "listen unix : path is empty or too long" },
	};

	for (size_t i = 0; i < nitems(tv); i++)
		want_refused(tv[i].address, tv[i].error);
}

/* What a daemon that was killed left is replaced; not what a living one has,
 * and nothing that is no socket, whoever's it is. */
static void
test_unix(void)
{
	auto_free char *sock = xasprintf("%s/sock", dir);
	auto_free char *file = xasprintf("%s/file", dir);
	auto_free char *link_name = xasprintf("%s/link", dir);
	auto_free char *lock = xasprintf("%s.lock", sock);
	auto_free char *address = xasprintf("unix:%s", sock);
	auto_free char *in_use =
	    xasprintf("listen unix %s: bind: address already in use", sock);
	const char *const list[] = { address, NULL };
	struct listeners ls = { 0 };
	struct stat st;

	for (int i = 0; i < 2; i++) { /* the second time it is stale */
		auto_free char *got = attempt(list, &ls);

		want_str(got, "");
		want_int(stat(sock, &st), 0);
		want_int(st.st_mode, S_IFSOCK | 0600);
		want_refused(address, in_use);
		release(&ls);
	}
	want_int(close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
	want_int(symlink(sock, link_name), 0);
	for (int i = 0; i < 2; i++) {
		const char *path = i == 0 ? file : link_name;
		auto_free char *there = xasprintf("unix:%s", path);
		auto_free char *why = xasprintf("listen unix %s: something "
						"else than a socket is there",
		    path);
		auto_free char *its_lock = xasprintf("%s.lock", path);

		want_refused(there, why);
		want_int(lstat(path, &st), 0);
		unlink(its_lock);
		unlink(path);
	}
	unlink(sock);
	unlink(lock);
}

static void
test_number(void)
{
	const char *list[LISTEN_MAX + 2] = { NULL };

	for (size_t n = LISTEN_MAX; n <= LISTEN_MAX + 1; n++) {
		struct listeners ls = { 0 };
		auto_free char *got = NULL;

		for (size_t i = 0; i < n; i++)
			list[i] = "127.0.0.1:0";
		got = attempt(list, &ls);
		want_str(got, n == LISTEN_MAX ? "" : "more than 8 listeners");
		release(&ls);
	}
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		fx_bug("no directory");
	test_run("listen: addresses", test_addresses);
	test_run("listen: a Unix socket takes the place of a stale one only",
	    test_unix);
	test_run("listen: listeners are counted", test_number);
	rmdir(dir);
	return test_done();
}
