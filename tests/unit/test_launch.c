/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fluxd-launch, the real program, with this one as its master.  The workers'
 * programs are links to this one too: main() sees from its name that it is a
 * worker and says on its channel how it was started.
 */
#include "base.h"
#include "fd.h"
#include "ipc_peer.h"
#include "launcher.h"
#include "no_seccomp.h"
#include "sandbox.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define UID_BASE 64300
#define PATIENCE_MS 60000 /* for what must come */

extern char **environ;

/* ---- the worker ---------------------------------------------------------- */

/* Descriptors other than 0 to 3 and the one of the listing itself. */
static int
foreign_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	const struct dirent *e;
	int n = 0;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && atoi(e->d_name) > 3 &&
		    atoi(e->d_name) != dirfd(d))
			n++;
	if (d != NULL)
		closedir(d);
	return n;
}

static bool
can_have_socket(void)
{
	auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd != -1;
}

/* Families, but for IPv4 and IPv6, that the filter lets through: that the
 * kernel has none such is another error. */
static int
count_families(void)
{
	int n = 0;

	for (int f = 0; f < 46; f++) {
		auto_fd int fd = f == AF_INET || f == AF_INET6
		    ? -1
		    : socket(f, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		n += f != AF_INET && f != AF_INET6 &&
		    (fd != -1 || errno != EPERM);
	}
	return n;
}

/* One line: arguments, user, environment, descriptors, signals. */
static int
be_worker(int argc, char *argv[])
{
	char text[512], b;
	int death = 0, n;

	prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
	n = snprintf(text, sizeof(text),
	    "argc=%d name=%s role=%s instance=%s uid=%s euid=%u gid=%u "
	    "groups=%d env=%d fds=%d death=%d parent=%d socket=%d "
	    "families=%d",
	    argc, argv[0], argv[1], argv[2], argv[3], (unsigned)geteuid(),
	    (unsigned)getgid(), getgroups(0, NULL), environ[0] != NULL,
	    foreign_fds(), death, (int)getppid(), can_have_socket(),
	    count_families());
	if (send(3, text, (size_t)n, MSG_NOSIGNAL) != n)
		return 3;
	fcntl(3, F_SETFL, 0);
	while (recv(3, &b, 1, 0) == 1)
		if (b == 'x') /* told to end */
			return 5;
	return 0;
}

/* ---- the master ---------------------------------------------------------- */

static char base[] = "/tmp/test-launch.XXXXXX";
static struct ipc_peer launcher;
static pid_t launcher_pid;
static bool ready;
static struct ipc_ready ready_is; /* numbers only */
static struct ipc_exited exited;
static int nexited;
static bool without_seccomp; /* the next launcher's kernel */
static int left_open = -1;   /* is inherited by it */

static char *
in_base(const char *name)
{
	return xasprintf("%s/%s", base, name);
}

struct ctx {
	int unused;
};

static int
on_ready(struct ctx *c, const struct ipc_req *req, struct ipc_ready *m)
{
	(void)c;
	(void)req;
	ready = true;
	ready_is = *m;
	want_str(m->root, "host");
	want_str(m->missing,
	    without_seccomp ? "seccomp: Function not implemented" : "");
	launcher.phase = IPC_PH_RUN;
	return FX_OK;
}
IPC_HANDLER(ready, on_ready, struct ctx)

static int
on_exited(struct ctx *c, const struct ipc_req *req, struct ipc_exited *m)
{
	(void)c;
	(void)req;
	exited = *m;
	nexited++;
	return FX_OK;
}
IPC_HANDLER(exited, on_exited, struct ctx)

static const struct ipc_handler handlers[] = {
	{ IPC_T_READY, on_ready_frame },
	{ IPC_T_EXITED, on_exited_frame },
};

/* Move frames until *done, or the launcher is gone, or it is silent. */
static void
turn_until(const bool *done)
{
	struct pollfd pfd = { launcher.fd, 0, 0 };

	while (!*done) {
		if (ipc_peer_write(&launcher) != FX_OK)
			break;
		pfd.events = ipc_peer_events(&launcher);
		if (!ipc_peer_pending(&launcher) &&
		    poll(&pfd, 1, PATIENCE_MS) != 1)
			break;
		if (ipc_peer_read(&launcher, 16) != FX_OK)
			break;
	}
}

static void
start_launcher(const char *option)
{
	auto_free char *program =
	    xasprintf("%s/fluxd-launch", getenv("FX_BUILDDIR"));
	auto_free char *dir = xasprintf("--libexec-dir=%s", base);
	auto_free char *uids = xasprintf("--worker-uid-base=%d", UID_BASE);
	char *argv[] = { (char *)(uintptr_t) "fluxd-launch", dir, uids,
		(char *)(uintptr_t)option, NULL };
	char *env[] = { (char *)(uintptr_t) "CANARY=secret", NULL };
	int pair[2];

	want(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	launcher_pid = fork();
	if (launcher_pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		dup2(pair[1], 3);
		(void)signal(SIGUSR1, SIG_IGN); /* must not reach a worker */
		(void)!setgroups(1, &(gid_t){ 4711 }); /* nor must this */
		if (left_open != -1)
			dup2(left_open, 40);
		if (without_seccomp)
			lose_seccomp();
		execve(program, argv, env);
		_exit(127);
	}
	close(pair[1]);
	ipc_peer_init(&launcher, pair[0], IPC_R_MASTER, IPC_R_LAUNCHER, 0);
	ipc_peer_handlers(&launcher, handlers, nitems(handlers), NULL);
	ready = false;
}

static void
tell_path(uint64_t number, const char *path)
{
	struct ipc_path m = { .number = number,
		.path = (char *)(uintptr_t)path };

	want_int(ipc_tell_path(&launcher, &m), FX_OK);
}

static void
go(void)
{
	struct ipc_go m = { 0 };

	want_int(ipc_tell_go(&launcher, &m), FX_OK);
	turn_until(&ready);
	want(ready);
}

/* The launcher's exit status, after it has been waited for. */
static int
end_launcher(void)
{
	int status = -1;

	ipc_peer_close(&launcher);
	waitpid(launcher_pid, &status, 0);
	return status;
}

/* One answer, as the tests look at it. */
struct answer {
	bool done;
	struct fx_err err;
	int fd;
	uint64_t pid, uid, seccomp, no_new_privs, caps;
};

static int
on_answer(void *arg, struct ipc_frame *f)
{
	struct answer *a = arg;
	struct ipc_spawned s;
	struct ipc_opened o;
	struct ipc_inspected i;
	int r = ipc_take_failed(f, &a->err);

	a->done = true;
	if (f == NULL || r != FX_OK)
		return FX_OK;
	if (f->type == IPC_T_SPAWNED) {
		r = ipc_spawned_decode(&f->body, &s, &f->fd);
		a->pid = s.pid;
		a->fd = s.channel;
	} else if (f->type == IPC_T_OPENED) {
		r = ipc_opened_decode(&f->body, &o, &f->fd);
		a->fd = o.fd;
	} else {
		r = ipc_inspected_decode(&f->body, &i, &f->fd);
		a->pid = i.pid;
		a->uid = i.uid;
		a->seccomp = i.seccomp;
		a->no_new_privs = i.no_new_privs;
		a->caps = i.caps;
	}
	return r;
}

static struct answer
ask_spawn(enum ipc_role role, uint32_t instance)
{
	struct ipc_spawn m = { .role = role, .instance = instance };
	struct answer a = { .fd = -1 };

	want(ipc_ask_spawn(&launcher, &m, on_answer, &a) != 0);
	turn_until(&a.done);
	return a;
}

static struct answer
ask_open(uint64_t number)
{
	struct ipc_open m = { .number = number };
	struct answer a = { .fd = -1 };

	want(ipc_ask_open(&launcher, &m, on_answer, &a) != 0);
	turn_until(&a.done);
	return a;
}

static struct answer
ask_inspect(enum ipc_role role, uint32_t instance)
{
	struct ipc_inspect m = { .role = role, .instance = instance };
	struct answer a = { .fd = -1 };

	want(ipc_ask_inspect(&launcher, &m, on_answer, &a) != 0);
	turn_until(&a.done);
	return a;
}

static void
wait_exit(int before)
{
	for (int i = 0; i < PATIENCE_MS / 50 && nexited == before; i++) {
		struct pollfd pfd = { launcher.fd, POLLIN, 0 };

		if (ipc_peer_write(&launcher) != FX_OK)
			break;
		(void)poll(&pfd, 1, 50);
		if (ipc_peer_read(&launcher, 1) != FX_OK)
			break;
	}
	want_int(nexited, before + 1);
}

static void
hear(int fd, char *text, size_t size)
{
	struct pollfd pfd = { fd, POLLIN, 0 };
	ssize_t n;

	text[0] = '\0';
	if (poll(&pfd, 1, PATIENCE_MS) == 1 &&
	    (n = recv(fd, text, size - 1, 0)) > 0)
		text[n] = '\0';
}

/* ---- cases --------------------------------------------------------------- */

/* The connector is its own user from the start; the others change at their
 * lock-down.  It alone can have a socket. */
static void
start_one(enum ipc_role role)
{
	auto_free char *want_line = NULL;
	char text[512];
	struct answer a;
	bool caps = sandbox_has_caps(), net = role == IPC_R_NET;
	int before = nexited, id = UID_BASE + (int)role;

	start_launcher(NULL);
	go();
	want_int(ready_is.table_id, ipc_table_id());
	a = ask_spawn(role, 7);
	want_int(a.err.code, FX_OK);
	want(a.fd != -1);
	hear(a.fd, text, sizeof(text));
	want_line = xasprintf("argc=4 name=%s role=%d instance=7 uid=%d "
			      "euid=%d gid=%d groups=%d env=0 "
			      "fds=0 death=9 parent=%d socket=%d families=0",
	    ipc_role_executable(role), role, caps ? id : -1,
	    caps && net ? id : (int)geteuid(), caps ? id : (int)getgid(),
	    caps ? 0 : getgroups(0, NULL), (int)launcher_pid, net);
#ifndef FX_TEST_BUILD /* there the environment is passed on */
	want_str(text, want_line);
#endif
	want(send(a.fd, "x", 1, MSG_NOSIGNAL) == 1);
	wait_exit(before);
	want_int(exited.role, role);
	want_int(exited.instance, 7);
	want_int(exited.pid, a.pid);
	want(WIFEXITED((int)exited.status));
	want_int(WEXITSTATUS((int)exited.status), 5);
	close(a.fd);
	want_int(end_launcher(), 0);
}

static void
test_start(void)
{
	start_one(IPC_R_KEY);
	start_one(IPC_R_NET);
}

static void
test_kill(void)
{
	struct ipc_kill m = { .role = IPC_R_NET };
	struct answer a, b;
	int before;

	start_launcher(NULL);
	go();
	a = ask_spawn(IPC_R_NET, 0);
	want_int(a.err.code, FX_OK);
	b = ask_spawn(IPC_R_NET, 0);
	want_int(b.err.code, FX_ECONFLICT);
	before = nexited;
	want_int(ipc_tell_kill(&launcher, &m), FX_OK);
	wait_exit(before);
	want(WIFSIGNALED((int)exited.status));
	want_int(WTERMSIG((int)exited.status), SIGKILL);
	/* nobody there: not an error, its end may have crossed the order */
	want_int(ipc_tell_kill(&launcher, &m), FX_OK);
	b = ask_spawn(IPC_R_NET, 0);
	want_int(b.err.code, FX_OK);
	close(a.fd);
	close(b.fd);
	want_int(end_launcher(), 0);
}

static bool
is_alive(uint64_t pid)
{
	return kill((pid_t)pid, 0) == 0;
}

/* Two of one role are two: each has its channel, its end, its place. */
static void
two_of(enum ipc_role role)
{
	struct ipc_kill m = { .role = role, .instance = 1 };
	struct answer a, b, c;
	char text[512];
	int before;

	a = ask_spawn(role, 0);
	b = ask_spawn(role, 1);
	want(a.err.code == FX_OK && b.err.code == FX_OK);
	want(a.pid != b.pid);
	hear(a.fd, text, sizeof(text));
	want(strstr(text, " instance=0 ") != NULL);
	hear(b.fd, text, sizeof(text));
	want(strstr(text, " instance=1 ") != NULL);
	want_int(ask_inspect(role, 0).pid, a.pid);
	want_int(ask_inspect(role, 1).pid, b.pid);
	want_int(ask_inspect(role, 2).err.code, FX_EUNKNOWN);

	before = nexited;
	want_int(ipc_tell_kill(&launcher, &m), FX_OK);
	wait_exit(before);
	want_int(exited.role, role);
	want_int(exited.instance, 1);
	want_int(exited.pid, b.pid);
	want(is_alive(a.pid));
	c = ask_spawn(role, 0);
	want_int(c.err.code, FX_ECONFLICT);
	c = ask_spawn(role, 1);
	want_int(c.err.code, FX_OK);
	hear(c.fd, text, sizeof(text));
	want(strstr(text, " instance=1 ") != NULL);
	close(a.fd);
	close(b.fd);
	close(c.fd);
}

static void
test_instances(void)
{
	start_launcher(NULL);
	go();
	two_of(IPC_R_KEY);
	two_of(IPC_R_NET);
	want_int(end_launcher(), 0);
}

/* As many as there are places, and each place again once it is empty. */
static void
test_limit(void)
{
	struct ipc_kill m = { .role = IPC_R_KEY, .instance = 5 };
	struct answer a[LAUNCH_MAX_CHILDREN], more;
	char text[512];
	int before;

	start_launcher(NULL);
	go();
	for (uint32_t i = 0; i < nitems(a); i++) {
		a[i] = ask_spawn(IPC_R_KEY, i);
		want_int(a[i].err.code, FX_OK);
	}
	more = ask_spawn(IPC_R_KEY, nitems(a));
	want_int(more.err.code, FX_ELIMIT);
	want_str(more.err.text, "64 processes run");
	more = ask_spawn(IPC_R_NET, 0);
	want_int(more.err.code, FX_ELIMIT);
	before = nexited;
	want_int(ipc_tell_kill(&launcher, &m), FX_OK);
	wait_exit(before);
	want_int(exited.pid, a[m.instance].pid);
	more = ask_spawn(IPC_R_KEY, nitems(a));
	want_int(more.err.code, FX_OK);
	hear(more.fd, text, sizeof(text));
	want(strstr(text, " instance=64 ") != NULL);
	for (size_t i = 0; i < nitems(a); i++)
		close(a[i].fd);
	close(more.fd);
	want_int(end_launcher(), 0);
}

static void
test_no_program(void)
{
	struct answer a;
	int before = nexited;

	start_launcher(NULL);
	go();
	a = ask_spawn(IPC_R_API, 0); /* no link of this name */
	want_int(a.err.code, FX_OK);
	if (nexited == before)
		wait_exit(before);
	want_int(WEXITSTATUS((int)exited.status), 127);
	close(a.fd);
	want_int(end_launcher(), 0);
}

static void
test_end(void)
{
	struct ipc_stop m = { 0 };
	struct answer a, b;
	char text[512];
	int status;

	want(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);

	/* the channel closes */
	start_launcher(NULL);
	go();
	a = ask_spawn(IPC_R_KEY, 0);
	b = ask_spawn(IPC_R_NET, 3);
	want(is_alive(a.pid) && is_alive(b.pid));
	want_int(end_launcher(), 0);
	want(!is_alive(a.pid) && !is_alive(b.pid));
	close(a.fd);
	close(b.fd);

	/* STOP, with the channel open */
	start_launcher(NULL);
	go();
	a = ask_spawn(IPC_R_KEY, 0);
	want_int(ipc_tell_stop(&launcher, &m), FX_OK);
	want_int(ipc_peer_write(&launcher), FX_OK);
	waitpid(launcher_pid, NULL, 0);
	want(!is_alive(a.pid));
	close(a.fd);
	ipc_peer_close(&launcher);

	/* the launcher is killed: the kernel does it */
	start_launcher(NULL);
	go();
	a = ask_spawn(IPC_R_KEY, 0);
	hear(a.fd, text, sizeof(text)); /* it runs */
	kill(launcher_pid, SIGKILL);
	waitpid(launcher_pid, NULL, 0);
	/* it is our child now */
	want_int(waitpid((pid_t)a.pid, &status, 0), a.pid);
	want(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(a.fd);
	ipc_peer_close(&launcher);
}

/* Who starts the connector: confined as that is, and missed at once. */
static void
test_launch_net(void)
{
	struct answer starter, net;
	bool never = false;
	char text[512];
	int status;

	start_launcher(NULL);
	go();
	starter = ask_inspect(IPC_R_LAUNCH_NET, 0);
	want_int(starter.err.code, FX_OK);
	want_int(starter.caps, 0);
	want_int(starter.no_new_privs, 1);
	want_int(starter.seccomp, 2);
	want_int(starter.uid,
	    sandbox_has_caps() ? UID_BASE + IPC_R_NET : (int)getuid());
	net = ask_spawn(IPC_R_NET, 0);
	hear(net.fd, text, sizeof(text)); /* it runs */
	want(kill((pid_t)starter.pid, SIGKILL) == 0);
	turn_until(&never); /* until the launcher has closed the channel */
	status = end_launcher();
	want(WIFEXITED(status) && WEXITSTATUS(status) == 71);
	want(!is_alive(starter.pid) && !is_alive(net.pid));
	close(net.fd);

	/* and it does not outlive the launcher */
	start_launcher(NULL);
	go();
	starter = ask_inspect(IPC_R_LAUNCH_NET, 0);
	kill(launcher_pid, SIGKILL);
	waitpid(launcher_pid, NULL, 0);
	want_int(waitpid((pid_t)starter.pid, &status, 0), starter.pid);
	ipc_peer_close(&launcher);
}

static void
test_open(void)
{
	auto_free char *secret = in_base("secret"), *none = in_base("none"),
		       *log = in_base("log"), *lock = in_base("lock"),
		       *link = in_base("link"), *fifo = in_base("fifo"),
		       *text = NULL;
	struct answer a;
	struct stat st;
	int fd = open(secret, O_CREAT | O_WRONLY | O_CLOEXEC, 0400);
	char got[16];

	want(write(fd, "shh", 3) == 3);
	close(fd);
	want(symlink(secret, link) == 0 && mkfifo(fifo, 0600) == 0);
	start_launcher(NULL);
	tell_path(IPC_FILE_DEPLOY_KEY, secret);
	tell_path(IPC_FILE_KUBECONFIG, none);
	tell_path(IPC_FILE_LOG, log);
	tell_path(IPC_FILE_MIRROR_LOCK, link);
	tell_path(IPC_FILE_GIT_CA, base);
	tell_path(IPC_FILE_SA_TOKEN, link); /* tokens are links to rotate */
	tell_path(IPC_FILE_SA_CA, fifo);
	go();

	a = ask_open(IPC_FILE_DEPLOY_KEY);
	want(a.fd != -1);
	want(read(a.fd, got, sizeof(got)) == 3 && memcmp(got, "shh", 3) == 0);
	want_int(fcntl(a.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(a.fd);
	a = ask_open(IPC_FILE_SA_TOKEN);
	want(a.fd != -1);
	close(a.fd);
	a = ask_open(IPC_FILE_KUBECONFIG); /* not there, which has its code */
	want_int(a.err.code, FX_EUNKNOWN);
	text = xasprintf("open %s: No such file or directory", none);
	want_str(a.err.text, text);
	a = ask_open(IPC_FILE_GIT_CA);
	want_int(a.err.code, FX_EDENIED);
	a = ask_open(IPC_FILE_SA_CA); /* and does not wait for a writer */
	want_int(a.err.code, FX_EDENIED);
	a = ask_open(IPC_FILE_KNOWN_HOSTS_USER);
	want_int(a.err.code, FX_EUNKNOWN);
	/* a git worker's link must not turn into a descriptor */
	a = ask_open(IPC_FILE_MIRROR_LOCK);
	want_int(a.err.code, FX_ESYS);
	a = ask_open(IPC_FILE_LOG);
	want(a.fd != -1 && fstat(a.fd, &st) == 0);
	want_int(st.st_mode, S_IFREG | 0600);
	want_int(fcntl(a.fd, F_GETFL) & (O_ACCMODE | O_APPEND),
	    O_WRONLY | O_APPEND);
	close(a.fd);
	want_int(end_launcher(), 0);

	start_launcher(NULL);
	tell_path(IPC_FILE_MIRROR_LOCK, lock);
	go();
	a = ask_open(IPC_FILE_MIRROR_LOCK);
	want(a.fd != -1 && fstat(a.fd, &st) == 0);
	want_int(st.st_mode, S_IFREG | 0600);
	close(a.fd);
	/* nor somebody else's file, by another name */
	want(
	    unlink(lock) == 0 && linkat(AT_FDCWD, log, AT_FDCWD, lock, 0) == 0);
	a = ask_open(IPC_FILE_MIRROR_LOCK);
	want_int(a.err.code, FX_EDENIED);
	want_int(end_launcher(), 0);
	unlink(fifo);
	unlink(link);
	unlink(secret);
	unlink(log);
	unlink(lock);
}

static void
late(uint64_t number, const char *path)
{
	struct ipc_late_path m = { .number = number,
		.path = (char *)(uintptr_t)path };

	want_int(ipc_tell_late_path(&launcher, &m), FX_OK);
}

static void
test_late_paths(void)
{
	struct answer a;

	start_launcher(NULL);
	go();
	late(IPC_FILE_NAMED, "/etc/hostname-not-there");
	late(IPC_FILE_NAMED, "/etc/passwd"); /* used already: stays */
	late(IPC_FILE_NAMED + 1, "etc/passwd");
	late(IPC_FILE_NAMED + 2, "/etc/passwd");
	a = ask_open(IPC_FILE_NAMED);
	want_str(a.err.text,
	    "open /etc/hostname-not-there: No such file or directory");
	a = ask_open(IPC_FILE_NAMED + 1);
	want_int(a.err.code, FX_EUNKNOWN);
	a = ask_open(IPC_FILE_NAMED + 2);
	want(a.fd != -1);
	close(a.fd);
	want_int(end_launcher(), 0);
}

/* What a master that has fallen may try: the launcher ends. */
static void
test_violations(void)
{
	static const struct {
		const char *what;
		uint64_t role, instance, number, late;
	} tv[] = {
		{ "spawn the master", IPC_R_MASTER, 0, 0, 0 },
		{ "spawn the launcher", IPC_R_LAUNCHER, 0, 0, 0 },
		{ "spawn its helper", IPC_R_LAUNCH_NET, 0, 0, 0 },
		{ "spawn no role", IPC_R_COUNT, 0, 0, 0 },
		{ "spawn role 2^32+3", (1ull << 32) + 3, 0, 0, 0 },
		{ "instance 2^32", IPC_R_KEY, 1ull << 32, 0, 0 },
		{ "open no number", 0, 0, IPC_FILE_COUNT, 0 },
		{ "open past the named", 0, 0,
		    IPC_FILE_NAMED + IPC_MAX_NAMED_PATHS, 0 },
		{ "open 2^64-1", 0, 0, UINT64_MAX, 0 },
		{ "late path of a fixed number", 0, 0, 0, IPC_FILE_DEPLOY_KEY },
		{ "late path past the named", 0, 0, 0,
		    IPC_FILE_NAMED + IPC_MAX_NAMED_PATHS },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct ipc_spawn s = { .role = tv[i].role,
			.instance = tv[i].instance };
		struct answer a = { .fd = -1 };
		bool never = false;
		int status;

		start_launcher(NULL);
		tell_path(IPC_FILE_DEPLOY_KEY, "/etc/passwd");
		go();
		if (tv[i].late != 0 || strncmp(tv[i].what, "late", 4) == 0)
			late(tv[i].late, "/etc/passwd");
		else if (tv[i].number != 0)
			a = ask_open(tv[i].number);
		else
			(void)ipc_ask_spawn(&launcher, &s, on_answer, &a);
		turn_until(&never);
		status = end_launcher();
		test_check(WIFEXITED(status) && WEXITSTATUS(status) == 71,
		    __FILE__, __LINE__, tv[i].what);
	}
}

/* Paths only before GO, each number once, absolute. */
static void
test_bad_paths(void)
{
	static const struct {
		uint64_t first, second;
		const char *path;
	} tv[] = {
		{ IPC_FILE_LOG, IPC_FILE_LOG, "/a" },
		{ IPC_FILE_LOG, IPC_FILE_COUNT, "/a" },
		{ IPC_FILE_LOG, IPC_FILE_DEPLOY_KEY, "a" },
		{ IPC_FILE_LOG, IPC_FILE_DEPLOY_KEY, "" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		int status;

		start_launcher(NULL);
		tell_path(tv[i].first, "/a");
		tell_path(tv[i].second, tv[i].path);
		want_int(ipc_tell_go(&launcher, &(struct ipc_go){ 0 }), FX_OK);
		turn_until(&ready);
		status = end_launcher();
		want(!ready);
		want(WIFEXITED(status) && WEXITSTATUS(status) == 71);
	}
}

static void
test_inspect(void)
{
	struct answer a, s;

	start_launcher(NULL);
	go();
	s = ask_spawn(IPC_R_KEY, 0);
	a = ask_inspect(IPC_R_KEY, 0);
	want_int(a.err.code, FX_OK);
	want_int(a.pid, s.pid);
	want_int(a.uid, geteuid());
	want_int(a.no_new_privs, 1); /* inherited, as is the deny-list */
	want_int(a.seccomp, 2);
	a = ask_inspect(IPC_R_KEY, 1);
	want_int(a.err.code, FX_EUNKNOWN);
	close(s.fd);
	want_int(end_launcher(), 0);
}

/* Of the launcher itself: no more than it needs, whatever it was given. */
static void
test_launcher(void)
{
	/* CHOWN DAC_OVERRIDE KILL SETGID SETUID SETPCAP SYS_CHROOT */
	const uint64_t most = 0x401e3, least = 0x400e1;
	struct answer a;
	char byte;
	int end[2];

	want(pipe2(end, O_CLOEXEC | O_NONBLOCK) == 0);
	left_open = end[1];
	start_launcher(NULL);
	close(end[1]);
	left_open = -1;
	go();
	want_int(read(end[0], &byte, 1), 0); /* nobody can write any more */
	close(end[0]);
	a = ask_inspect(IPC_R_LAUNCHER, 0);
	want_int(a.err.code, FX_OK);
	want_int(a.pid, launcher_pid);
	want_int(a.no_new_privs, 1);
	want_int(a.seccomp, 2);
	want_int(a.caps & ~most, 0);
	want_int(a.caps & least, sandbox_has_caps() ? least : 0);
	want_int(end_launcher(), 0);
}

static void
test_options(void)
{
	static const char *const bad[] = { "--libexec-dir=libexec",
		"--libexec-dir=", "--nonsense", "nonsense",
		"--worker-uid-base=0", "--worker-uid-base=root",
		"--worker-uid-base=4294967296" };
	int status;

	for (size_t i = 0; i < nitems(bad); i++) {
		start_launcher(bad[i]);
		turn_until(&ready);
		status = end_launcher();
		want(!ready);
		test_check(WIFEXITED(status) && WEXITSTATUS(status) == 71,
		    __FILE__, __LINE__, bad[i]);
	}

	/* without a filter it starts only where that is wanted */
	without_seccomp = true;
	start_launcher("--sandbox=strict");
	turn_until(&ready);
	status = end_launcher();
	want(!ready);
	want(WIFEXITED(status) && WEXITSTATUS(status) == 71);
	start_launcher("--sandbox=relaxed");
	go();
	want_int(end_launcher(), 0);
	without_seccomp = false;
}

static void
test_status(void)
{
	static const char good[] =
	    "Name:\tx\nUid:\t64104\t64104\t64104\t64104\n"
	    "CapEff:\t00000000000000c1\n"
	    "NoNewPrivs:\t1\nSeccomp:\t2\n"
	    "Seccomp_filters:\t2\n";
	static const char two[] = "Name:\tx\nUid:\t1\t1\t0\t1\n";
	static const char fake[] = "Name:\tUid:\t0\t0\t0\t0\n";
	struct launch_status s = { 0 };

	want_int(launch_parse_status(good, &s), FX_OK);
	want_int(s.uid, 64104);
	want_int(s.caps, 0xc1);
	want_int(s.no_new_privs, 1);
	want_int(s.seccomp, 2);
	want_int(launch_parse_status(two, &s), FX_EDENIED);
	want_int(launch_parse_status(fake, &s), FX_ESYNTAX);
	want_int(launch_parse_status("", &s), FX_ESYNTAX);
}

/* The name of a process is its own to choose. */
static void
test_stat(void)
{
	static const char good[] =
	    "12 (a) R 1 2 3) (x) S 1 12 12 0 -1 4194560 100 0 0 0 250 50 0 0 "
	    "20 0 1 0 4242 8192000 300 18446744073709551615 1 1 0 0 0 0 0\n";
	struct launch_usage u = { 0 };
	uint64_t tick_us = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);

	for (uint64_t n = 1; n <= 2; n++) {
		want_int(launch_parse_stat(good, &u), FX_OK);
		want_int(u.cpu_us, n * 300 * tick_us);
		want_int(u.address_space, n * 8192000);
		want_int(u.resident, n * 300 * (uint64_t)sysconf(_SC_PAGESIZE));
	}
	want_int(launch_parse_stat("", &u), FX_ESYNTAX);
	want_int(launch_parse_stat("12 (a) S 1 2", &u), FX_ESYNTAX);
	want_int(launch_parse_stat("12 a S 1 12 12 0 -1 4 1 0 0 0 2 5 0 0 20 0 "
				   "1 0 4 8 3",
		     &u),
	    FX_ESYNTAX);
	want_int(u.address_space, 2 * 8192000);
	launch_add_usage(getpid(), &u);
	want(u.address_space > 2 * 8192000);
}

static void
test_users(void)
{
	auto_free char *path = in_base("passwd");
	struct launch_user u[IPC_R_COUNT];
	FILE *f = fopen(path, "we");

	want(f != NULL);
	fputs("root:x:0:0::/:/bin/sh\nfluxd-key:x:901:902::/:/bin/false\n"
	      "fluxd-net:x:0:0:::\nfluxd-git:x:903:904::/:/bin/false\n",
	    f);
	fclose(f);
	launch_users(u, path, 64100);
	want_int(u[IPC_R_KEY].uid, 901);
	want_int(u[IPC_R_KEY].gid, 902);
	want_int(u[IPC_R_GIT_LOCAL].uid, 903);
	want_int(u[IPC_R_GIT_REMOTE].uid, 903);
	/* a user that is root is none */
	want_int(u[IPC_R_NET].uid, 64100 + IPC_R_NET);
	want_int(u[IPC_R_API].uid, 64100 + IPC_R_API);
	want_int(u[IPC_R_API].gid, 64100 + IPC_R_API);
	unlink(path);
	launch_users(u, path, 64100);
	want_int(u[IPC_R_GIT_LOCAL].uid, u[IPC_R_GIT_REMOTE].uid);
	want_int(u[IPC_R_KEY].uid, 64100 + IPC_R_KEY);
}

static void
make_links(void)
{
	static const char *const programs[] = { "fluxd-key", "fluxd-net" };
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	want(n > 0);
	self[n > 0 ? n : 0] = '\0';
	for (size_t i = 0; i < nitems(programs); i++) {
		auto_free char *link = in_base(programs[i]);

		want(symlink(self, link) == 0);
	}
}

static void
remove_links(void)
{
	auto_free char *key = in_base("fluxd-key"), *net = in_base("fluxd-net");

	unlink(key);
	unlink(net);
	rmdir(base);
}

int
main(int argc, char *argv[])
{
	const char *name = strrchr(argv[0], '/');

	name = name == NULL ? argv[0] : name + 1;
	if (strcmp(name, "fluxd-key") == 0 || strcmp(name, "fluxd-net") == 0)
		_exit(be_worker(argc, argv)); /* without LeakSanitizer */
	/* the connector's user passes through it */
	if (getenv("FX_BUILDDIR") == NULL || mkdtemp(base) == NULL ||
	    chmod(base, 0755) == -1)
		return 1;
	make_links();
	test_run("a worker starts with its numbers and nothing else",
	    test_start);
	test_run("a worker is killed, once", test_kill);
	test_run("two instances of a role are two", test_instances);
	test_run("64 processes at once and no more", test_limit);
	test_run("a program that is not there is an exit", test_no_program);
	test_run("nobody outlives the launcher", test_end);
	test_run("the connector is started by a process of its user",
	    test_launch_net);
	test_run("paths are opened by number", test_open);
	test_run("paths named late are taken once", test_late_paths);
	test_run("what no master asks ends the launcher", test_violations);
	test_run("a bad table of paths ends it before GO", test_bad_paths);
	test_run("what confines a process is read from the kernel",
	    test_inspect);
	test_run("the launcher keeps no more than it needs", test_launcher);
	test_run("options that make no sense end it", test_options);
	test_run("/proc/PID/status by lines, not by words", test_status);
	test_run("launch: what a process has used", test_stat);
	test_run("users: by program, else by number", test_users);
	remove_links();
	return test_done();
}
