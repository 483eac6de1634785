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
#include "landlock.h"
#include "name_server.h"

#ifdef FX_TEST_BUILD /* there Landlock leaves files alone */
#	define CONFINES_FILES false
#else
#	define CONFINES_FILES (landlock_abi() != 0)
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

			if (tv[i].files && !CONFINES_FILES)
				_exit(0); /* a kernel without it */
			sandbox_enter(&nw_sandbox, (uid_t)-1, NULL, false, &st);
			tv[i].run();
		}
		want(waitpid(pid, &status, 0) == pid);
		if (!want(tv[i].killed
			    ? WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS
			    : WIFEXITED(status) && WEXITSTATUS(status) == 0))
			printf("# %s: status %x\n", tv[i].what, status);
	}
}

/* ---- a file that is replaced, as editors and network managers do it ------ */

static char old[] = "/tmp/fluxd-test-net.XXXXXX";
static char new[] = "/tmp/fluxd-test-net.XXXXXX";

static void
make_files(void)
{
	auto_fd int a = mkstemp(strcpy(old, "/tmp/fluxd-test-net.XXXXXX"));
	auto_fd int b = mkstemp(strcpy(new, "/tmp/fluxd-test-net.XXXXXX"));

	want(a != -1 && b != -1);
}

/* The connector as main.c has it, but for the channel and its files. */
static int
serve(int channel, bool hosts)
{
	const char *const paths[] = { old, NULL };
	struct sandbox sb = nw_sandbox;
	struct sandbox_state st;
	struct worker w = { .role = IPC_R_NET, .loop = loop_new() };
	struct nw_state s = { 0 };

	ipc_peer_init(&w.master, channel, IPC_R_NET, IPC_R_MASTER, 0);
	w.master.phase = IPC_PH_RUN;
	sb.read_paths = paths;
	sandbox_enter(&sb, (uid_t)-1, NULL, false, &st);
	nw_open(&s, &w);
	s.conf.path = hosts ? "/nowhere" : old;
	s.hosts.path = hosts ? old : "/nowhere";
	resolve_file_look(&s.conf);
	resolve_file_look(&s.hosts);
	return worker_run(&w, nw_handlers, nw_nhandlers, &s);
}

static int
on_connected(void *arg, struct ipc_frame *f)
{
	struct result *r = arg;
	struct fx_err err = { 0 };
	struct ipc_connected m;

	r->done = true;
	r->code = ipc_take_failed(f, &err);
	if (r->code == FX_OK &&
	    ipc_connected_decode(&f->body, &m, &f->fd) == FX_OK)
		ipc_connected_clear(&m);
	return FX_OK;
}

static void
ask(struct ipc_peer *p, unsigned port, struct result *r)
{
	const struct ipc_connect m = { .host = (char *)(uintptr_t) "127.0.0.1",
		.port = port,
		.timeout_ms = 60000 };

	*r = (struct result){ .fd = -1 };
	want(ipc_ask_connect(p, &m, on_connected, r) != 0);
	want_int(ipc_peer_write(p), FX_OK);
}

/* Until it is done or the other end has closed; true: it has.  Meanwhile who
 * waits at the listener is let in and sent away. */
static bool
await(struct ipc_peer *p, const bool *done, int listener)
{
	int64_t end = clk_now_us() + PATIENCE_US;
	struct pollfd pfd = { p->fd, POLLIN, 0 };
	int r = FX_OK;

	while (!*done && r == FX_OK && clk_now_us() < end) {
		int fd = accept(listener, NULL, NULL);

		fd_close(&fd);
		(void)poll(&pfd, 1, 100);
		r = ipc_peer_read(p, 1);
	}
	return r != FX_OK;
}

/* A listener whose queue is full: dialling it takes until it is emptied. */
static int
listen_full(unsigned *port, int fillers[], size_t n)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = listen_any(port);

	want_int(listen(fd, 0), 0);
	want_int(fd_set_nonblock(fd), FX_OK);
	sin.sin_port = htons((uint16_t)*port);
	for (size_t i = 0; i < n; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&sin, sizeof(sin));
	}
	return fd;
}

/* It takes nothing more, ends what it has begun, and then itself. */
static void
test_replaced_file(bool hosts)
{
	int pair[2], status = -1, fillers[4];
	unsigned port = 0, full_port = 0;
	int listener = listen_any(&port);
	int full = listen_full(&full_port, fillers, nitems(fillers));
	struct result slow, r;
	struct ipc_peer p;
	bool never = false;
	pid_t pid;

	make_files();
	want(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		_exit(serve(pair[1], hosts));
	}
	close(pair[1]);
	ipc_peer_init(&p, pair[0], IPC_R_MASTER, IPC_R_NET, 0);
	p.phase = IPC_PH_RUN;
	ask(&p, full_port, &slow);
	ask(&p, port, &r); /* when it is done the other one has begun */
	want(!await(&p, &r.done, -1));
	want(r.done);
	want_int(r.code, FX_OK);
	want_int(rename(new, old), 0);
	for (int i = 0; i < 2; i++) {
		ask(&p, port, &r);
		want(!await(&p, &r.done, -1));
		/* without Landlock the new file can be read */
		want_int(r.code, CONFINES_FILES ? FX_ERETRY : FX_OK);
	}
	want(!slow.done);
	want_int(waitpid(pid, &status, WNOHANG), 0);
	for (size_t i = 0; i < nitems(fillers); i++)
		fd_close(&fillers[i]);
	want(!await(&p, &slow.done, full));
	want(slow.done);
	want_int(slow.code, FX_OK);
	if (CONFINES_FILES)
		want(await(&p, &never, -1));
	ipc_peer_close(&p);
	want(waitpid(pid, &status, 0) == pid);
	want_int(status, 0);
	want_int(unlink(old), 0);
	fd_close(&full);
	fd_close(&listener);
}

static void
test_replaced(void)
{
	test_replaced_file(false);
	test_replaced_file(true);
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
