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
#include "launcher.h"

#include "fd.h"
#include "sandbox.h"
#include "str.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRAMES_PER_TURN 16 /* handled before exits are looked at */
#define EXIT_CHANNEL 71	   /* as a worker's whose channel broke */

#define BIT(cap) (1ull << (cap))
#define KEPT_CAPS                                                              \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_KILL) |              \
	    BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) |             \
	    BIT(CAP_SYS_CHROOT))

void
launch_die(const char *what)
{
	fprintf(stderr, "fluxd-launch: %s\n", what);
	exit(EXIT_CHANNEL);
}

static int
on_go(struct launcher *l, const struct ipc_req *req, struct ipc_go *m)
{
	(void)req;
	(void)m;
	l->go = true;
	return FX_OK;
}
IPC_HANDLER(go, on_go, struct launcher)

IPC_HANDLER(path, launch_on_path, struct launcher)
IPC_HANDLER(late_path, launch_on_late_path, struct launcher)
IPC_HANDLER(open, launch_on_open, struct launcher)
IPC_HANDLER(spawn, launch_on_spawn, struct launcher)
IPC_HANDLER(kill, launch_on_kill, struct launcher)
IPC_HANDLER(inspect, launch_on_inspect, struct launcher)
IPC_HANDLER(usage, launch_on_usage, struct launcher)

static const struct ipc_handler handlers[] = {
	{ IPC_T_PATH, launch_on_path_frame },
	{ IPC_T_GO, on_go_frame },
	{ IPC_T_LATE_PATH, launch_on_late_path_frame },
	{ IPC_T_SPAWN, launch_on_spawn_frame },
	{ IPC_T_KILL, launch_on_kill_frame },
	{ IPC_T_INSPECT, launch_on_inspect_frame },
	{ IPC_T_USAGE, launch_on_usage_frame },
	{ IPC_T_OPEN, launch_on_open_frame },
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
			launch_die("--worker-uid-base: not a user id");
		else if (c == '?')
			launch_die("started by fluxd only");
		/* after the base: the order is the master's */
		if (c == 'u' && caps)
			launch_users(l->users, "/etc/passwd", (uint32_t)base);
		if (c != 'g' || !caps)
			continue;
		if (stat(optarg, &st) == -1)
			launch_die("--git-owner-of: no such directory");
		l->users[IPC_R_GIT_REMOTE] = l->users[IPC_R_GIT_LOCAL] =
		    (struct launch_user){ st.st_uid, st.st_gid };
	}
	if (optind != argc || l->libexec_dir[0] != '/')
		launch_die("started by fluxd only");
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
		launch_die("close_range");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1 || chdir("/") == -1)
		launch_die("/dev/null");
	if (fd_set_nonblock(LAUNCH_CHANNEL_FD) != FX_OK ||
	    fd_set_cloexec(LAUNCH_CHANNEL_FD, true) != FX_OK)
		launch_die("started by fluxd only");
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
		launch_die(l->master.broken.code != FX_OK
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
		launch_die("capabilities");
	r = launch_load_filter(false);
	if (r != 0 && l->strict)
		launch_die("seccomp: the filter could not be loaded");
	if (r != 0)
		m.missing = why = xasprintf("seccomp: %s", strerror(-r));
	if (ipc_tell_ready(&l->master, &m) != FX_OK)
		launch_die("cannot say READY");
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
		launch_die("the connector's starter does not start");
	take_paths(&l);
	lock_down(&l);
	serve(&l);
	launch_end_children(&l);
	return l.master.broken.code == FX_OK && l.net.fd != -1 ? 0
							       : EXIT_CHANNEL;
}
