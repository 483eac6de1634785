/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "launcher.h"

#include "fd.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct launch_child *
find_child(struct launcher *l, uint64_t role, uint64_t instance)
{
	for (size_t i = 0; i < LAUNCH_MAX_CHILDREN; i++) {
		struct launch_child *c = &l->children[i];

		if (c->pid != 0 && c->role == role && c->instance == instance)
			return c;
	}
	return NULL;
}

static struct launch_child *
free_slot(struct launcher *l)
{
	for (size_t i = 0; i < LAUNCH_MAX_CHILDREN; i++)
		if (l->children[i].pid == 0)
			return &l->children[i];
	return NULL;
}

static void
child_clear(struct launch_child *c)
{
	loop_del(c->l->loop, &c->ended);
	fd_close(&c->pidfd);
	memset(c, 0, sizeof(*c));
}

static void
on_ended(struct loop *loop, int fd, short revents, void *arg)
{
	struct launch_child *c = arg;
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

static void FX_NORETURN
run_program(const struct launcher *l, const struct launch_child *c, int channel,
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
start_process(struct launcher *l, const struct launch_child *c, int channel)
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
start_child(struct launcher *l, struct launch_child *c, int *channel,
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
		launch_die("pidfd_open");
	c->ended = loop_add(l->loop, c->pidfd, POLLIN, on_ended, c);
	*channel = pair[0];
	return FX_OK;
}

static bool
is_worker(uint64_t role)
{
	return role < IPC_R_COUNT && (IPC_S_ANY_WORKER & IPC_BIT(role)) != 0;
}

int
launch_on_spawn(struct launcher *l, const struct ipc_req *req,
    struct ipc_spawn *m)
{
	struct launch_child *c = free_slot(l);
	struct ipc_spawned spawned;
	struct fx_err err;

	if (!is_worker(m->role) || m->instance > UINT32_MAX)
		return FX_EDENIED;
	if (find_child(l, m->role, m->instance) != NULL)
		return ipc_reply_failf(req, FX_ECONFLICT, "is running");
	if (c == NULL)
		return ipc_reply_failf(req, FX_ELIMIT, "%d processes run",
		    LAUNCH_MAX_CHILDREN);
	*c = (struct launch_child){ .l = l,
		.role = (enum ipc_role)m->role,
		.instance = (uint32_t)m->instance,
		.pidfd = -1 };
	if (start_child(l, c, &spawned.channel, &err) != FX_OK)
		return ipc_reply_fail(req, &err);
	spawned.pid = (uint64_t)c->pid;
	return ipc_reply_spawned(req, &spawned);
}

static void
kill_child(const struct launch_child *c)
{
	(void)syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
}

int
launch_on_kill(struct launcher *l, const struct ipc_req *req,
    struct ipc_kill *m)
{
	const struct launch_child *c = find_child(l, m->role, m->instance);

	(void)req;
	if (c != NULL) /* else its EXITED is on the way */
		kill_child(c);
	return FX_OK;
}

/* The process of a role: one of the children, one half of the master, or who
 * starts the connector. */
static pid_t
pid_of(struct launcher *l, uint64_t role, uint64_t instance)
{
	const struct launch_child *c = find_child(l, role, instance);

	if (role == IPC_R_MASTER)
		return getppid();
	if (role == IPC_R_LAUNCHER)
		return getpid();
	if (role == IPC_R_LAUNCH_NET)
		return l->net.pid;
	return c == NULL ? 0 : c->pid;
}

int
launch_on_inspect(struct launcher *l, const struct ipc_req *req,
    struct ipc_inspect *m)
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

int
launch_on_usage(struct launcher *l, const struct ipc_req *req,
    struct ipc_usage *m)
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

/* Nobody is left behind, not even for the moment between our end and the
 * kernel's signal. */
void
launch_end_children(struct launcher *l)
{
	for (size_t i = 0; i < LAUNCH_MAX_CHILDREN; i++)
		if (l->children[i].pid != 0)
			kill_child(&l->children[i]);
	for (size_t i = 0; i < LAUNCH_MAX_CHILDREN; i++)
		if (l->children[i].pid != 0)
			(void)waitpid(l->children[i].pid, NULL, 0);
	launch_net_end(&l->net);
}
