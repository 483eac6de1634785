/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The starter of the connector: one loop, started before the launcher has its
 * filter and its table of paths.
 *
 * Reads    the launcher's orders: the number of an instance, and the end of a
 *          channel.
 * Holds    nothing.
 * May      execute fluxd-net, as a child of the launcher.
 * May not  become another user, have capabilities, and what launch_filter.c
 *          refuses to it and to the connector.
 * If it falls, what falls with the connector falls, and programs can be run as
 * the connector's user.
 */
#include "base.h"
#include "launch.h"

#include "fd.h"
#include "sandbox.h"
#include "sandbox_parts.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "fluxd-launchnet" /* as ps shows it; 15 bytes is the limit */

/* Both ends are this file: records of a socket that keeps their boundaries. */
struct order {
	uint32_t instance; /* and the channel, as a descriptor */
};

struct done {
	pid_t pid; /* -1: it could not be forked; 0: locked down, at start */
	int error; /* why not */
};

union fd_control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

/* ---- in the starter ----------------------------------------------------- */

/* The channel of a worker to be, -1 when the launcher has ended. */
static int
take_order(struct order *o)
{
	union fd_control control = { { 0 } };
	struct iovec iov = { o, sizeof(*o) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control) };
	const struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(LAUNCH_CHANNEL_FD, &msg, MSG_CMSG_CLOEXEC) != sizeof(*o))
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (c != NULL && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* For good: the connector's user, no capabilities, no other descriptor.  The
 * programs' directory is entered while it can be: above it may be folders that
 * this user may not pass. */
static int
become(int channel, const char *dir, const struct launch_user *u)
{
	if (dup2(channel, LAUNCH_CHANNEL_FD) == -1 ||
	    close_range(LAUNCH_CHANNEL_FD + 1, ~0u, 0) == -1 ||
	    chdir(dir) == -1)
		return FX_ESYS;
	if (u->uid != (uid_t)-1 &&
	    (sandbox_lock_privileges() != FX_OK || setgroups(0, NULL) == -1 ||
		setresgid(u->gid, u->gid, u->gid) == -1 ||
		setresuid(u->uid, u->uid, u->uid) == -1))
		return FX_ESYS;
	return sandbox_keep_caps(0);
}

/* CLONE_PARENT: the new process is the launcher's child, to be looked at,
 * killed and reaped like every other one; and dies with it. */
static void FX_NORETURN
serve(struct launch_program *p)
{
	struct order order;
	struct done done = { 0, 0 };

	while (send(LAUNCH_CHANNEL_FD, &done, sizeof(done), MSG_NOSIGNAL) ==
	    sizeof(done)) {
		p->channel = take_order(&order);
		if (p->channel == -1)
			break;
		p->instance = order.instance;
		done.pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0,
		    0, 0, 0);
		if (done.pid == 0)
			launch_exec(p);
		done.error = errno;
		close(p->channel);
	}
	_exit(0);
}

static void FX_NORETURN
be_starter(int channel, const char *dir, const struct launch_user *u,
    bool strict, pid_t launcher)
{
	struct launch_program p = {
		.dir = ".",
		.name = ipc_role_executable(IPC_R_NET),
		.role = IPC_R_NET,
		.uid = u->uid,
		.parent = launcher,
	};

	(void)prctl(PR_SET_NAME, NAME, 0, 0, 0);
	if (become(channel, dir, u) != FX_OK)
		sandbox_die(NAME, "%s", strerror(errno));
	sandbox_early(launcher); /* the change of user undid it */
	if (launch_load_filter(true) != 0 && strict)
		sandbox_die(NAME, "the filter could not be loaded");
	serve(&p);
}

/* ---- in the launcher ---------------------------------------------------- */

/* The starter's word; -1 and errno. */
static pid_t
await(const struct launch_net *n)
{
	struct done done;
	ssize_t got;

	do
		got = recv(n->fd, &done, sizeof(done), 0);
	while (got == -1 && errno == EINTR);
	if (got != sizeof(done)) {
		errno = got == -1 ? errno : ECONNRESET;
		return -1;
	}
	errno = done.error;
	return done.pid;
}

int
launch_net_start(struct launch_net *n, const char *dir,
    const struct launch_user *user, bool strict)
{
	const pid_t self = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return FX_ESYS;
	n->pid = fork();
	if (n->pid == 0)
		be_starter(pair[1], dir, user, strict, self);
	close(pair[1]);
	n->fd = pair[0];
	return n->pid == -1 || await(n) != 0 ? FX_ESYS : FX_OK;
}

pid_t
launch_net_spawn(const struct launch_net *n, uint32_t instance, int channel)
{
	struct order order = { instance };
	union fd_control control = { { 0 } };
	struct iovec iov = { &order, sizeof(order) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &channel, sizeof(channel));
	if (sendmsg(n->fd, &msg, MSG_NOSIGNAL) != sizeof(order))
		return -1;
	return await(n);
}

void
launch_net_end(struct launch_net *n)
{
	(void)kill(n->pid, SIGKILL); /* not reaped: the number is its */
	(void)waitpid(n->pid, NULL, 0);
}
