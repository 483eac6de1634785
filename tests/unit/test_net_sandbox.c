/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The connector's logic inside the connector's sandbox: every way to an answer
 * is taken by a locked-down child that dials, while the test is the name
 * server and the host.
 */
#include "base.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "dial.h"
#include "handlers.h"
#include "name_server.h"

#ifdef FX_TEST_BUILD /* there Landlock leaves files alone */
#	define CONFINES_FILES(st) false
#else
#	define CONFINES_FILES(st) ((st).landlock != 0)
#endif

#define PATIENCE_US (20 * CLK_SEC)

/* ---- the child: its exit status says which step failed ------------------ */

struct result {
	bool done;
	int fd, code;
};

static void
on_result(void *arg, int fd, const char *address, const struct fx_err *err)
{
	struct result *r = arg;

	(void)address;
	*r = (struct result){ true, fd, fd == -1 ? err->code : FX_OK };
}

static int
dial(const char *host, unsigned port, int64_t span_us, const char *servers)
{
	struct loop *loop = loop_new();
	struct result r = { .fd = -1 };
	struct dial *d =
	    dial_new(loop, host, port, span_us, servers, on_result, &r);

	while (!r.done)
		loop_turn(loop, CLK_SEC);
	dial_free(&d);
	fd_close(&r.fd);
	loop_free(&loop);
	return r.code;
}

static const struct {
	const char *host;
	int code;
} steps[] = {
	{ "127.0.0.1", FX_OK }, { "localhost", FX_OK }, { "good.test", FX_OK },
	{ "cut.test", FX_OK }, { "two.test", FX_OK },
	{ "other.test", FX_ERESOLVE }, { "garbage.test", FX_ERESOLVE },
	{ "silent.test", FX_ETIMEOUT },
	{ "silent", FX_ETIMEOUT }, /* no dot: the search list, too */
};

static int
dial_all(unsigned port, const char *servers)
{
	struct sandbox_state st;

	sandbox_enter(&nw_sandbox, (uid_t)-1, NULL, false, &st);
	for (size_t i = 0; i < nitems(steps); i++)
		if (dial(steps[i].host, port,
			steps[i].code == FX_ETIMEOUT ? 300 * CLK_MS
						     : PATIENCE_US,
			servers) != steps[i].code)
			return (int)i + 1;
	return 0;
}

/* ---- the test -------------------------------------------------------------
 */

static int
listen_any(unsigned *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_ANY) };
	socklen_t n = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	want_int(bind(fd, (struct sockaddr *)&sin, n), 0);
	want_int(listen(fd, 64), 0);
	want_int(getsockname(fd, (struct sockaddr *)&sin, &n), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

static void
test_dials_locked_down(void)
{
	struct loop *loop = loop_new();
	struct name_server s;
	unsigned port = 0;
	int listener = listen_any(&port), status = -1;
	int64_t end = clk_now_us() + PATIENCE_US;
	pid_t pid;

	name_server_start(&s, loop);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(dial_all(port, s.servers));
	while (waitpid(pid, &status, WNOHANG) == 0 && clk_now_us() < end)
		loop_turn(loop, 20 * CLK_MS);
	want(WIFEXITED(status));
	if (!want_int(WEXITSTATUS(status), 0) && WIFEXITED(status) &&
	    WEXITSTATUS(status) <= (int)nitems(steps))
		printf("# %s\n", steps[WEXITSTATUS(status) - 1].host);
	want(s.asked > 0 && s.asked_by_tcp > 0);
	name_server_stop(&s, loop);
	fd_close(&listener);
	loop_free(&loop);
}

/* What the connector may not do, one child each. */
static void
try_unix(void)
{
	_exit(socket(AF_UNIX, SOCK_STREAM, 0) == -1 ? 0 : 1);
}

static void
try_netlink(void)
{
	_exit(socket(AF_NETLINK, SOCK_RAW, 0) == -1 ? 2 : 1);
}

static void
try_raw(void)
{
	_exit(socket(AF_PACKET, SOCK_RAW, 0) == -1 ? 2 : 1);
}

static void
try_bind(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	_exit(bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ? 2 : 1);
}

static void
try_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
	_exit(1);
}

static void
try_passwd(void)
{
	_exit(open("/etc/passwd", O_RDONLY) == -1 && errno == EACCES ? 0 : 1);
}

static void
try_write(void)
{
	_exit(open("/etc/hosts", O_WRONLY) == -1 && errno == EACCES ? 0 : 1);
}

static void
test_may_not(void)
{
	static const struct {
		const char *what;
		void (*run)(void);
		bool killed; /* else refused with an error */
		bool files;  /* it is Landlock that refuses */
	} tv[] = {
		{ "AF_UNIX", try_unix, false, false },
		{ "AF_NETLINK", try_netlink, true, false },
		{ "AF_PACKET", try_raw, true, false },
		{ "bind", try_bind, true, false },
		{ "exec", try_exec, true, false },
		{ "read /etc/passwd", try_passwd, false, true },
		{ "write /etc/hosts", try_write, false, true },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		int status = -1;
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			struct sandbox_state st;

			sandbox_enter(&nw_sandbox, (uid_t)-1, NULL, false, &st);
			if (tv[i].files && !CONFINES_FILES(st))
				_exit(0); /* a kernel without it */
			tv[i].run();
		}
		want(waitpid(pid, &status, 0) == pid);
		if (!want(tv[i].killed
			    ? WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS
			    : WIFEXITED(status) && WEXITSTATUS(status) == 0))
			printf("# %s: status %x\n", tv[i].what, status);
	}
}

/* A file that is replaced, as editors and network managers do it. */
static void
test_replaced(void)
{
	static char old[] = "/tmp/fluxd-test-net.XXXXXX";
	static char new[] = "/tmp/fluxd-test-net.XXXXXX";
	const char *const paths[] = { old, NULL };
	struct sandbox sb = nw_sandbox;
	int fds[2] = { mkstemp(old), mkstemp(new) }, go[2], status = -1;
	char c = '\0';
	pid_t pid;

	want(fds[0] != -1 && fds[1] != -1 &&
	    socketpair(AF_UNIX, SOCK_STREAM, 0, go) == 0);
	sb.read_paths = paths;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct resolve_file f = { .path = old };
		struct resolve_file none = { .path = "/nowhere" };
		struct sandbox_state st;

		sandbox_enter(&sb, (uid_t)-1, NULL, false, &st);
		resolve_file_look(&f);
		resolve_file_look(&none);
		if (resolve_file_replaced(&f) || resolve_file_replaced(&none))
			_exit(1);
		if (send(go[0], "x", 1, 0) != 1 || recv(go[0], &c, 1, 0) != 1)
			_exit(2);
		/* without Landlock the new file can be read */
		_exit(resolve_file_replaced(&f) == CONFINES_FILES(st) ? 0 : 3);
	}
	want_int(read(go[1], &c, 1), 1);
	want_int(rename(new, old), 0);
	want_int(write(go[1], "x", 1), 1);
	want(waitpid(pid, &status, 0) == pid);
	want_int(status, 0);
	want_int(unlink(old), 0);
	for (size_t i = 0; i < 2; i++) {
		fd_close(&fds[i]);
		fd_close(&go[i]);
	}
}

int
main(void)
{
	want_int(resolve_init(), FX_OK);
	test_run("fluxd-net: dials in every way when locked down",
	    test_dials_locked_down);
	test_run("fluxd-net: what it may not do", test_may_not);
	test_run("fluxd-net: a replaced file is noticed", test_replaced);
	return test_done();
}
