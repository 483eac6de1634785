/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fluxd-launch: the half of the master that keeps what the other gave up.
 *
 * The master decodes what workers say, so it may fall; what it would take to
 * start workers and to open secret files stays here, where only numbers come
 * in.
 *
 * Reads    the master's requests: roles, instances, numbers of paths.  Paths
 *          themselves before GO, and afterwards once per file that the
 *          kubeconfig names.
 * Holds    the capabilities to change users, to chroot, to kill and to pass
 *          by file permissions, if fluxd was started with them.  Opens secret
 *          files, reads none of them.
 * May      execute the workers' programs in one directory, fixed at start;
 *          open the paths of its table; kill and reap what it started; read
 *          /proc/PID/status and stat of it.
 * May not  make or connect a socket, and what else launch_filter.c refuses to
 *          it and to everything below it.  The connector, which has to, is
 *          started by a process from before that filter (launch_net.c).
 * If it falls, what fluxd was started with falls: this is why it is small and
 * takes no text.
 *
 * When the master's end of the channel closes, so does everything here; and
 * when this process ends, the kernel kills the workers.
 */
#include "base.h"
#include "launch.h"

#include "fd.h"
#include "ipc_peer.h"
#include "loop.h"
#include "sandbox.h"
#include "str.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRAMES_PER_TURN 16 /* handled before exits are looked at */
#define MAX_CHILDREN 64	   /* running at once */
#define EXIT_CHANNEL 71	   /* as a worker's whose channel broke */

/* Slots for the files of enum ipc_file_id, then for those named later. */
#define MAX_PATHS (IPC_FILE_COUNT + IPC_MAX_NAMED_PATHS)

#define BIT(cap) (1ull << (cap))
#define KEPT_CAPS                                                              \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_KILL) |              \
	    BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) |             \
	    BIT(CAP_SYS_CHROOT))

struct launcher;

struct child {
	struct launcher *l;
	enum ipc_role role;
	uint32_t instance;
	pid_t pid; /* 0: the slot is free */
	int pidfd; /* readable when the process has ended */
	struct loop_source *ended;
};

struct launcher {
	const char *libexec_dir;
	bool strict;
	bool git_http; /* the repository is behind https or http */
	struct launch_user users[IPC_R_COUNT];
	char *paths[MAX_PATHS]; /* owned; NULL: no such number */
	struct child children[MAX_CHILDREN];
	struct launch_net net; /* starts the connector */
	struct ipc_peer master;
	struct loop *loop;
	bool go;
};

static void FX_NORETURN
die(const char *what)
{
	fprintf(stderr, "fluxd-launch: %s\n", what);
	exit(EXIT_CHANNEL);
}

/* ---- paths ------------------------------------------------------------- */

/* The slot of a path's number, NULL if there can be no such number. */
static char **
path_slot(struct launcher *l, uint64_t number)
{
	if (number < IPC_FILE_COUNT)
		return &l->paths[number];
	if (number >= IPC_FILE_NAMED &&
	    number < IPC_FILE_NAMED + IPC_MAX_NAMED_PATHS)
		return &l->paths[IPC_FILE_COUNT + number - IPC_FILE_NAMED];
	return NULL;
}

static int
on_path(struct launcher *l, const struct ipc_req *req, struct ipc_path *m)
{
	char **slot = path_slot(l, m->number);

	(void)req;
	if (slot == NULL || *slot != NULL || m->path[0] != '/')
		return FX_EDENIED;
	*slot = fx_steal(&m->path);
	return FX_OK;
}
IPC_HANDLER(path, on_path, struct launcher)

/* The text comes from the kubeconfig by way of fluxd-sync: a number is used
 * once, and what makes no sense stays without a path. */
static int
on_late_path(struct launcher *l, const struct ipc_req *req,
    struct ipc_late_path *m)
{
	char **slot = path_slot(l, m->number);

	(void)req;
	if (m->number < IPC_FILE_NAMED || slot == NULL)
		return FX_EDENIED;
	if (*slot == NULL && m->path[0] == '/')
		*slot = fx_steal(&m->path);
	return FX_OK;
}
IPC_HANDLER(late_path, on_late_path, struct launcher)

/* Flags for a path: the log and the mirror's lock are made and kept open,
 * everything else is there already and is read. */
static int
open_flags(uint64_t number)
{
	const int always = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

	switch (number) {
	case IPC_FILE_LOG:
		return always | O_WRONLY | O_CREAT | O_APPEND;
	case IPC_FILE_MIRROR_LOCK:
		/* near where a git worker writes: never through its link */
		return always | O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW;
	default:
		return always | O_RDONLY;
	}
}

/* -1 and why.  A log may go to a terminal or a pipe; nothing else is read or
 * locked that is not a plain file with one name. */
static int
open_path(const char *path, uint64_t number, struct fx_err *err)
{
	auto_fd int fd = open(path, open_flags(number), 0600);
	struct stat st;
	int out;

	if (fd == -1 || fstat(fd, &st) == -1) {
		fx_fail(err, FX_ESYS, "open %s: %s", path, strerror(errno));
		return -1;
	}
	if ((number != IPC_FILE_LOG && !S_ISREG(st.st_mode)) ||
	    (number == IPC_FILE_MIRROR_LOCK && st.st_nlink != 1)) {
		fx_fail(err, FX_EDENIED, "open %s: not a regular file", path);
		return -1;
	}
	out = fd;
	fd = -1;
	return out;
}

static int
on_open(struct launcher *l, const struct ipc_req *req, struct ipc_open *m)
{
	char **slot = path_slot(l, m->number);
	struct ipc_opened opened;
	struct fx_err err;

	if (slot == NULL)
		return FX_EDENIED;
	if (*slot == NULL)
		return ipc_reply_failf(req, FX_EUNKNOWN, "no path %u",
		    (unsigned)m->number);
	opened.fd = open_path(*slot, m->number, &err);
	if (opened.fd == -1)
		return ipc_reply_fail(req, &err);
	return ipc_reply_opened(req, &opened);
}
IPC_HANDLER(open, on_open, struct launcher)

/* ---- children ---------------------------------------------------------- */

static struct child *
find_child(struct launcher *l, uint64_t role, uint64_t instance)
{
	for (size_t i = 0; i < MAX_CHILDREN; i++) {
		struct child *c = &l->children[i];

		if (c->pid != 0 && c->role == role && c->instance == instance)
			return c;
	}
	return NULL;
}

static struct child *
free_slot(struct launcher *l)
{
	for (size_t i = 0; i < MAX_CHILDREN; i++)
		if (l->children[i].pid == 0)
			return &l->children[i];
	return NULL;
}

static void
child_clear(struct child *c)
{
	loop_del(c->l->loop, &c->ended);
	fd_close(&c->pidfd);
	memset(c, 0, sizeof(*c));
}

static void
on_ended(struct loop *loop, int fd, short revents, void *arg)
{
	struct child *c = arg;
	struct launcher *l = c->l;
	struct ipc_exited m = { .role = c->role,
		.instance = c->instance,
		.pid = (uint64_t)c->pid };
	int status;

	(void)loop;
	(void)fd;
	(void)revents;
	if (waitpid(c->pid, &status, WNOHANG) != c->pid)
		return;
	m.status = (uint64_t)(unsigned)status;
	child_clear(c);
	(void)ipc_tell_exited(&l->master,
	    &m); /* a dead channel ends us anyway */
}

/* ---- starting ---------------------------------------------------------- */

static void FX_NORETURN
run_program(const struct launcher *l, const struct child *c, int channel,
    pid_t launcher)
{
	const struct launch_user *u = &l->users[c->role];
	const struct launch_program p = {
		.dir = l->libexec_dir,
		.name = c->role == IPC_R_GIT_REMOTE && l->git_http
		    ? LAUNCH_GIT_HTTP
		    : ipc_role_executable(c->role),
		.role = c->role,
		.instance = c->instance,
		.uid = u->uid,
		.channel = channel,
		.parent = launcher,
	};

	/* The user changes at lock-down, by the program itself: until then it
	 * reads its libraries, and afterwards it needs chroot. */
	if (u->uid != (uid_t)-1 &&
	    (setgroups(0, NULL) == -1 ||
		setresgid(u->gid, u->gid, u->gid) == -1))
		launch_cannot(&p, "group");
	launch_exec(&p);
}

static pid_t
start_process(struct launcher *l, const struct child *c, int channel)
{
	const pid_t self = getpid();
	pid_t pid;

	if (c->role == IPC_R_NET)
		return launch_net_spawn(&l->net, c->instance, channel);
	pid = fork();
	if (pid == 0)
		run_program(l, c, channel, self);
	return pid;
}

/* Fork, and watch from then on.  FX_OK and the master's end of the channel. */
static int
start_child(struct launcher *l, struct child *c, int *channel,
    struct fx_err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		pair) == -1)
		return fx_fail(err, FX_ESYS, "socketpair: %s", strerror(errno));
	c->pid = start_process(l, c, pair[1]);
	if (c->pid == -1)
		fx_fail(err, FX_ESYS, "fork: %s", strerror(errno));
	close(pair[1]);
	if (c->pid == -1) {
		close(pair[0]);
		c->pid = 0;
		return err->code;
	}
	/* Not reaped yet, so the number is still its. */
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (c->pidfd == -1)
		die("pidfd_open");
	c->ended = loop_add(l->loop, c->pidfd, POLLIN, on_ended, c);
	*channel = pair[0];
	return FX_OK;
}

static bool
is_worker(uint64_t role)
{
	return role < IPC_R_COUNT && (IPC_S_ANY_WORKER & IPC_BIT(role)) != 0;
}

static int
on_spawn(struct launcher *l, const struct ipc_req *req, struct ipc_spawn *m)
{
	struct child *c = free_slot(l);
	struct ipc_spawned spawned;
	struct fx_err err;

	if (!is_worker(m->role) || m->instance > UINT32_MAX)
		return FX_EDENIED;
	if (find_child(l, m->role, m->instance) != NULL)
		return ipc_reply_failf(req, FX_ECONFLICT, "is running");
	if (c == NULL)
		return ipc_reply_failf(req, FX_ELIMIT, "%d processes run",
		    MAX_CHILDREN);
	*c = (struct child){ .l = l,
		.role = (enum ipc_role)m->role,
		.instance = (uint32_t)m->instance,
		.pidfd = -1 };
	if (start_child(l, c, &spawned.channel, &err) != FX_OK)
		return ipc_reply_fail(req, &err);
	spawned.pid = (uint64_t)c->pid;
	return ipc_reply_spawned(req, &spawned);
}
IPC_HANDLER(spawn, on_spawn, struct launcher)

static void
kill_child(const struct child *c)
{
	(void)syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
}

static int
on_kill(struct launcher *l, const struct ipc_req *req, struct ipc_kill *m)
{
	const struct child *c = find_child(l, m->role, m->instance);

	(void)req;
	if (c != NULL) /* else its EXITED is on the way */
		kill_child(c);
	return FX_OK;
}
IPC_HANDLER(kill, on_kill, struct launcher)

/* ---- looking at them --------------------------------------------------- */

/* The process of a role: one of the children, one half of the master, or who
 * starts the connector. */
static pid_t
pid_of(struct launcher *l, uint64_t role, uint64_t instance)
{
	const struct child *c = find_child(l, role, instance);

	if (role == IPC_R_MASTER)
		return getppid();
	if (role == IPC_R_LAUNCHER)
		return getpid();
	if (role == IPC_R_LAUNCH_NET)
		return l->net.pid;
	return c == NULL ? 0 : c->pid;
}

static int
on_inspect(struct launcher *l, const struct ipc_req *req, struct ipc_inspect *m)
{
	pid_t pid = pid_of(l, m->role, m->instance);
	struct ipc_inspected out;
	struct launch_status s;
	struct fx_err err;

	if (pid == 0)
		return ipc_reply_failf(req, FX_EUNKNOWN, "is not running");
	if (launch_read_status(pid, &s, &err) != FX_OK)
		return ipc_reply_fail(req, &err);
	out.pid = (uint64_t)pid;
	out.uid = s.uid;
	out.seccomp = s.seccomp;
	out.no_new_privs = s.no_new_privs;
	out.caps = s.caps;
	return ipc_reply_inspected(req, &out);
}
IPC_HANDLER(inspect, on_inspect, struct launcher)

static int
on_usage(struct launcher *l, const struct ipc_req *req, struct ipc_usage *m)
{
	struct launch_usage u = { 0 };
	struct rusage ended;

	(void)m;
	launch_add_usage(getppid(), &u);
	launch_add_usage(getpid(), &u);
	launch_add_usage(l->net.pid, &u);
	for (size_t i = 0; i < nitems(l->children); i++)
		if (l->children[i].pid != 0)
			launch_add_usage(l->children[i].pid, &u);
	if (getrusage(RUSAGE_CHILDREN, &ended) == 0)
		u.cpu_us +=
		    (uint64_t)(ended.ru_utime.tv_sec + ended.ru_stime.tv_sec) *
			1000000 +
		    (uint64_t)(ended.ru_utime.tv_usec + ended.ru_stime.tv_usec);
	return ipc_reply_usage_is(req,
	    &(struct ipc_usage_is){ .cpu_us = u.cpu_us,
		.resident = u.resident,
		.address_space = u.address_space });
}
IPC_HANDLER(usage, on_usage, struct launcher)

/* ---- life -------------------------------------------------------------- */

static int
on_go(struct launcher *l, const struct ipc_req *req, struct ipc_go *m)
{
	(void)req;
	(void)m;
	l->go = true;
	return FX_OK;
}
IPC_HANDLER(go, on_go, struct launcher)

static const struct ipc_handler handlers[] = {
	{ IPC_T_PATH, on_path_frame },
	{ IPC_T_GO, on_go_frame },
	{ IPC_T_LATE_PATH, on_late_path_frame },
	{ IPC_T_SPAWN, on_spawn_frame },
	{ IPC_T_KILL, on_kill_frame },
	{ IPC_T_INSPECT, on_inspect_frame },
	{ IPC_T_USAGE, on_usage_frame },
	{ IPC_T_OPEN, on_open_frame },
};

/* Options are the master's, from before it met anybody. */
static void
parse_options(struct launcher *l, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "libexec-dir", required_argument, NULL, 'l' },
		{ "worker-uid-base", required_argument, NULL, 'u' },
		{ "git-owner-of", required_argument, NULL, 'g' },
		{ "git-http", no_argument, NULL, 'h' },
		{ "sandbox", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	const bool caps = sandbox_has_caps();
	uint64_t base = 0;
	struct stat st;
	int c;

	l->libexec_dir = FX_LIBEXECDIR;
	l->strict = true;
	for (int i = 0; i < IPC_R_COUNT; i++)
		l->users[i].uid = (uid_t)-1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'l')
			l->libexec_dir = optarg;
		else if (c == 'h')
			l->git_http = true;
		else if (c == 's')
			l->strict = strcmp(optarg, "relaxed") != 0;
		else if (c == 'u' &&
		    fx_parse_u64(optarg, 1, INT32_MAX, &base) != FX_OK)
			die("--worker-uid-base: not a user id");
		else if (c == '?')
			die("started by fluxd only");
		/* after the base: the order is the master's */
		if (c == 'u' && caps)
			launch_users(l->users, "/etc/passwd", (uint32_t)base);
		if (c != 'g' || !caps)
			continue;
		if (stat(optarg, &st) == -1)
			die("--git-owner-of: no such directory");
		l->users[IPC_R_GIT_REMOTE] = l->users[IPC_R_GIT_LOCAL] =
		    (struct launch_user){ st.st_uid, st.st_gid };
	}
	if (optind != argc || l->libexec_dir[0] != '/')
		die("started by fluxd only");
}

/* Away from the terminal, whose ^C is for the master alone; nothing to read,
 * nowhere to print but standard error. */
static void
settle(void)
{
	auto_fd int null = -1;

	(void)setsid(); /* fails for who leads a group already: as good */
	launch_default_signals();
	(void)signal(SIGPIPE, SIG_IGN);
	if (close_range(LAUNCH_CHANNEL_FD + 1, ~0u, 0) == -1)
		die("close_range");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1 || chdir("/") == -1)
		die("/dev/null");
	if (fd_set_nonblock(LAUNCH_CHANNEL_FD) != FX_OK ||
	    fd_set_cloexec(LAUNCH_CHANNEL_FD, true) != FX_OK)
		die("started by fluxd only");
}

static void
take_paths(struct launcher *l)
{
	struct pollfd pfd = { LAUNCH_CHANNEL_FD, POLLIN, 0 };
	int r = FX_OK;

	ipc_peer_init(&l->master, LAUNCH_CHANNEL_FD, IPC_R_LAUNCHER,
	    IPC_R_MASTER, 0);
	ipc_peer_handlers(&l->master, handlers, nitems(handlers), l);
	while (!l->go && r == FX_OK) {
		if (!ipc_peer_pending(&l->master))
			(void)poll(&pfd, 1, -1);
		r = ipc_peer_read(&l->master, 1);
	}
	if (!l->go)
		die(l->master.broken.code != FX_OK
			? l->master.broken.text
			: "the master ended at start");
}

static void
lock_down(struct launcher *l)
{
	struct ipc_ready m = { .table_id = ipc_table_id(),
		.missing = (char *)(uintptr_t) "",
		.root = (char *)(uintptr_t) "host" };
	auto_free char *why = NULL;
	int r;

	if (sandbox_keep_caps(sandbox_has_caps() ? KEPT_CAPS : 0) != FX_OK)
		die("capabilities");
	r = launch_load_filter(false);
	if (r != 0 && l->strict)
		die("seccomp: the filter could not be loaded");
	if (r != 0)
		m.missing = why = xasprintf("seccomp: %s", strerror(-r));
	if (ipc_tell_ready(&l->master, &m) != FX_OK)
		die("cannot say READY");
	l->master.phase = IPC_PH_RUN;
}

static void
on_channel(struct loop *loop, int fd, short revents, void *arg)
{
	struct launcher *l = arg;
	int r = ipc_peer_read(&l->master, FRAMES_PER_TURN);

	(void)loop;
	(void)fd;
	(void)revents;
	if (r == FX_OK)
		return;
	if (r != FX_ESHORT)
		fprintf(stderr, "fluxd-launch: channel: %s\n",
		    l->master.broken.text);
	ipc_peer_close(&l->master);
}

/* Without it no connector can be started any more: everything anew. */
static void
on_net_ended(struct loop *loop, int fd, short revents, void *arg)
{
	struct launcher *l = arg;

	(void)loop;
	(void)fd;
	(void)revents;
	fprintf(stderr, "fluxd-launch: the connector's starter ended\n");
	fd_close(&l->net.fd);
	ipc_peer_close(&l->master);
}

static void
serve(struct launcher *l)
{
	struct loop_source *channel =
	    loop_add(l->loop, l->master.fd, POLLIN, on_channel, l);

	(void)loop_add(l->loop, l->net.fd, 0, on_net_ended, l);

	while (!l->master.stopped && l->master.fd != -1) {
		bool pending = ipc_peer_pending(&l->master);

		if (ipc_peer_write(&l->master) != FX_OK)
			break;
		loop_events(channel, ipc_peer_events(&l->master));
		if (pending)
			on_channel(l->loop, l->master.fd, POLLIN, l);
		loop_turn(l->loop, pending ? 0 : CLK_NEVER);
	}
}

/* Nobody is left behind, not even for the moment between our end and the
 * kernel's signal. */
static void
end_children(struct launcher *l)
{
	for (size_t i = 0; i < MAX_CHILDREN; i++)
		if (l->children[i].pid != 0)
			kill_child(&l->children[i]);
	for (size_t i = 0; i < MAX_CHILDREN; i++)
		if (l->children[i].pid != 0)
			(void)waitpid(l->children[i].pid, NULL, 0);
	launch_net_end(&l->net);
}

int
main(int argc, char *argv[])
{
	static struct launcher l;

	fx_frugal();
	sandbox_early(getppid());
	settle();
	parse_options(&l, argc, argv);
	l.loop = loop_new();
	/* before there is anything in here that it should not have */
	if (launch_net_start(&l.net, l.libexec_dir, &l.users[IPC_R_NET],
		l.strict) != FX_OK)
		die("the connector's starter does not start");
	take_paths(&l);
	lock_down(&l);
	serve(&l);
	end_children(&l);
	return l.master.broken.code == FX_OK && l.net.fd != -1 ? 0
							       : EXIT_CHANNEL;
}
