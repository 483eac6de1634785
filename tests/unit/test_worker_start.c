/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a worker starts: the real fluxd-net and fluxd-key, with a master that
 * gives them what no master gives.
 */
#include "base.h"
#include "fd.h"
#include "ipc_peer.h"
#include "no_seccomp.h"
#include "sandbox.h"
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_CHANNEL 71
#define EXIT_START_OVER 1

static struct ipc_peer worker;
static pid_t worker_pid;
static bool ready, lacks_filter;

static int
on_ready(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	struct ipc_ready m;
	int r = ipc_ready_decode(&f->body, &m, &f->fd);

	(void)ctx;
	if (r != FX_OK)
		return r;
	ready = true;
	lacks_filter = strstr(m.missing, "seccomp: ") != NULL;
	p->phase = IPC_PH_RUN;
	ipc_ready_clear(&m);
	return FX_OK;
}

static const struct ipc_handler handlers[] = { { IPC_T_READY, on_ready } };

/* As nohup and shells leave them: what a worker inherits means nothing. */
static void
inherit_signals(void)
{
	sigset_t blocked;

	(void)signal(SIGUSR1, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	(void)sigprocmask(SIG_BLOCK, &blocked, NULL);
}

/* left_open: what else the worker inherits; -1. */
static void
start(enum ipc_role role, char *const argv[], int left_open, bool seccomp)
{
	const char *dir = getenv("FX_BUILDDIR");
	auto_free char *path = xasprintf("%s/%s", dir == NULL ? "." : dir,
	    ipc_role_executable(role));
	int pair[2];

	ready = lacks_filter = false;
	want_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	fflush(stdout);
	worker_pid = fork();
	if (worker_pid == 0) {
		int high = fcntl(pair[1], F_DUPFD, 100);

		dup2(high, 3);
		close(high);
		if (left_open != -1)
			dup2(left_open, 40);
		if (!seccomp)
			lose_seccomp();
		inherit_signals();
		setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		execv(path, argv);
		_exit(127);
	}
	close(pair[1]);
	want_int(fd_set_nonblock(pair[0]), FX_OK);
	ipc_peer_init(&worker, pair[0], IPC_R_MASTER, role, 0);
	ipc_peer_handlers(&worker, handlers, nitems(handlers), NULL);
}

/* Until it is ready or gone; true: it is gone. */
static bool
await(void)
{
	struct pollfd pfd = { worker.fd, POLLIN, 0 };
	int r = ipc_peer_write(&worker);

	for (int i = 0; i < 200 && r == FX_OK && !ready; i++) {
		(void)poll(&pfd, 1, 100);
		r = ipc_peer_read(&worker, 8);
	}
	return r != FX_OK;
}

/* How it ended: its exit status, or less than 0 the signal. */
static int
end(void)
{
	int status = -1;

	ipc_peer_close(&worker);
	want(waitpid(worker_pid, &status, 0) == worker_pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
go(const char *sandbox)
{
	struct ipc_setting setting = { (char *)(uintptr_t) "sandbox",
		(char *)(uintptr_t)sandbox };
	const struct ipc_config config = { &setting, 1, '\0' };
	const struct ipc_go m = { 0 };

	want_int(ipc_tell_config(&worker, &config), FX_OK);
	want_int(ipc_tell_go(&worker, &m), FX_OK);
	(void)await();
}

#define S(text) ((char *)(uintptr_t)(text))

static void
test_arguments(void)
{
	char *const tv[][6] = {
		{ S("fluxd-net") },
		{ S("fluxd-net"), S("2"), S("0") },
		{ S("fluxd-net"), S("2"), S("0"), S("-1"), S("more") },
		{ S("fluxd-net"), S("3"), S("0"), S("-1") }, /* key */
		{ S("fluxd-net"), S("0"), S("0"), S("-1") }, /* master */
		{ S("fluxd-net"), S("net"), S("0"), S("-1") },
		{ S("fluxd-net"), S("2"), S("4294967296"), S("-1") },
		{ S("fluxd-net"), S("2"), S("0"), S("-2") },
	};

	want_int(IPC_R_NET, 2);
	for (size_t i = 0; i < nitems(tv); i++) {
		start(IPC_R_NET, tv[i], -1, true);
		if (!want(await()) || !want_int(end(), EXIT_CHANNEL))
			printf("# row %zu\n", i);
	}
}

/* Messages of the start that no master sends. */
static void
test_messages(void)
{
	char *const argv[] = { S("fluxd-key"), S("3"), S("0"), S("-1"), NULL };
	static const struct {
		uint64_t which;
		bool file, fd;
		int status;
	} tv[] = {
		{ IPC_FILE_DEPLOY_KEY, false, false, 0 },
		{ IPC_FILE_COUNT, false, false, EXIT_CHANNEL },
		{ UINT64_MAX, false, false, EXIT_CHANNEL },
		{ IPC_FILE_COUNT, true, true, EXIT_CHANNEL },
		{ UINT64_MAX, true, true, EXIT_CHANNEL },
		{ IPC_FILE_DEPLOY_KEY, true, false, EXIT_CHANNEL },
	};

	want_int(IPC_R_KEY, 3);
	for (size_t i = 0; i < nitems(tv); i++) {
		const struct ipc_no_file none = { tv[i].which, S("why"), '\0' };
		const struct ipc_file file = { tv[i].which,
			tv[i].fd ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1,
			'\0' };

		start(IPC_R_KEY, argv, -1, true);
		if (tv[i].file)
			want_int(ipc_tell_file(&worker, &file), FX_OK);
		else
			want_int(ipc_tell_no_file(&worker, &none), FX_OK);
		go("relaxed");
		want_int(ready, tv[i].status == 0);
		if (!want_int(end(), tv[i].status))
			printf("# row %zu\n", i);
	}
}

/* One setting that it cannot read, and a good one after it. */
static void
test_settings(void)
{
	char *const argv[] = { S("fluxd-net"), S("2"), S("0"), S("-1"), NULL };
	struct ipc_setting settings[] = {
		{ S("no-such-flag"), S("1") },
		{ S("sandbox"), S("relaxed") },
	};
	const struct ipc_config config = { settings, nitems(settings), '\0' };

	start(IPC_R_NET, argv, -1, true);
	want_int(ipc_tell_config(&worker, &config), FX_OK);
	go("relaxed");
	want(!ready);
	want_int(end(), EXIT_CHANNEL);
}

/* As many as there may be, one more, and one without a socket. */
static void
test_listeners(void)
{
	char *const argv[] = { S("fluxd-api"), S("8"), S("0"), S("-1"), NULL };
	static const struct {
		int n;
		bool fd;
		int status;
	} tv[] = {
		{ 8, true, 0 },
		{ 9, true, EXIT_CHANNEL },
		{ 1, false, EXIT_CHANNEL },
	};

	want_int(IPC_R_API, 8);
	for (size_t i = 0; i < nitems(tv); i++) {
		start(IPC_R_API, argv, -1, true);
		for (int k = 0; k < tv[i].n; k++) {
			struct ipc_listener m = { .fd = -1 };

			if (tv[i].fd) {
				m.fd = socket(AF_INET,
				    SOCK_STREAM | SOCK_CLOEXEC, 0);
				want_int(listen(m.fd, 1), 0);
			}
			want_int(ipc_tell_listener(&worker, &m), FX_OK);
		}
		go("relaxed");
		want_int(ready, tv[i].status == 0);
		if (!want_int(end(), tv[i].status))
			printf("# row %zu\n", i);
	}
}

/* A terminal's signals reach all of a group, but it is the master who decides;
 * what else comes does what it always does. */
static void
test_signals(void)
{
	char *const argv[] = { S("fluxd-net"), S("2"), S("0"), S("-1"), NULL };
	static const struct {
		int sig, status;
	} tv[] = {
		{ SIGTERM, 0 },
		{ SIGINT, 0 },
		{ SIGHUP, 0 },
		{ SIGPIPE, 0 },
		{ SIGUSR1, -SIGUSR1 },
		{ SIGUSR2, -SIGUSR2 },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		start(IPC_R_NET, argv, -1, true);
		go("relaxed");
		want(ready);
		want_int(kill(worker_pid, tv[i].sig), 0);
		if (!want_int(end(), tv[i].status))
			printf("# signal %d\n", tv[i].sig);
	}
}

/* Frames of the start after it, and bytes that are no frame. */
static void
test_after_start(void)
{
	char *const argv[] = { S("fluxd-net"), S("2"), S("0"), S("-1"), NULL };
	static const char *const tv[] = {
		"\xff\xff\xff\xff", NULL, /* GO, once more */
	};
	const struct ipc_go m = { 0 };

	for (size_t i = 0; i < nitems(tv); i++) {
		start(IPC_R_NET, argv, -1, true);
		go("relaxed");
		want(ready);
		ready = false;
		if (tv[i] != NULL)
			want_int(send(worker.fd, tv[i], 4, 0), 4);
		else
			want_int(ipc_tell_go(&worker, &m), FX_OK);
		want(await());
		want_int(end(), EXIT_CHANNEL);
	}
}

/* A file given twice is open once; one that cannot be read may be readable the
 * next time. */
static void
test_files(void)
{
	char *const argv[] = { S("fluxd-key"), S("3"), S("0"), S("-1"), NULL };
	struct ipc_file file = { .which = IPC_FILE_DEPLOY_KEY };
	int pipes[2];
	char byte;

	want_int(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	start(IPC_R_KEY, argv, -1, true);
	file.fd = pipes[1];
	want_int(ipc_tell_file(&worker, &file), FX_OK);
	file.fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	want_int(ipc_tell_file(&worker, &file), FX_OK);
	go("relaxed");
	want(ready);
	want_int(read(pipes[0], &byte, 1), 0); /* nobody can write any more */
	close(pipes[0]);
	want_int(end(), EXIT_START_OVER);
}

/* Whatever it inherits is closed. */
static void
test_descriptors(void)
{
	char *const argv[] = { S("fluxd-net"), S("2"), S("0"), S("-1"), NULL };
	int pipes[2];
	char byte;

	want_int(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	start(IPC_R_NET, argv, pipes[1], true);
	close(pipes[1]);
	go("relaxed");
	want(ready);
	want_int(read(pipes[0], &byte, 1), 0); /* nobody can write any more */
	close(pipes[0]);
	want_int(end(), 0);
}

/* Without a filter it starts only where that is wanted, and says so. */
static void
test_strict(void)
{
	char *const argv[] = { S("fluxd-net"), S("2"), S("0"), S("-1"), NULL };

	start(IPC_R_NET, argv, -1, false);
	go("strict");
	want(!ready);
	want_int(end(), SANDBOX_EXIT);
	start(IPC_R_NET, argv, -1, false);
	go("relaxed");
	want(ready && lacks_filter);
	want_int(end(), 0);
}

int
main(void)
{
	test_run("worker: started by fluxd only", test_arguments);
	test_run("worker: what no master sends ends it", test_messages);
	test_run("worker: a setting that it does not know ends it",
	    test_settings);
	test_run("worker: listeners are counted", test_listeners);
	test_run("worker: signals are the master's", test_signals);
	test_run("worker: the start is over when it is", test_after_start);
	test_run("worker: files are given once, and read or asked for anew",
	    test_files);
	test_run("worker: what it inherits is closed", test_descriptors);
	test_run("worker: no filter is the end, unless that is wanted",
	    test_strict);
	return test_done();
}
