/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "forward.h"

#include "fd.h"
#include "forward_channel.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHANNEL_END_MS 500 /* for a good-bye */

struct forward {
	int channel;
	pid_t pid;
	char *why; /* owned: why the last connection was not made, or NULL */
};

int
channel_send(int channel, enum channel_letter letter, const char *text, int fd)
{
	char byte = (char)letter;
	struct iovec parts[] = { { &byte, 1 },
		{ (void *)(uintptr_t)text, strnlen(text, CHANNEL_TEXT_MAX) } };
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} control = { 0 };
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = nitems(parts) };
	struct cmsghdr *c;

	if (fd != -1) {
		m.msg_control = control.room;
		m.msg_controllen = sizeof(control.room);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	while (sendmsg(channel, &m, MSG_NOSIGNAL) == -1)
		if (errno != EINTR)
			return FX_ESYS;
	return FX_OK;
}

int
channel_receive(int channel, enum channel_letter *letter, char **text, int *fd)
{
	char packet[1 + CHANNEL_TEXT_MAX];
	struct iovec part = { packet, sizeof(packet) };
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} control;
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (fd != NULL) {
		*fd = -1;
		m.msg_control = control.room;
		m.msg_controllen = sizeof(control.room);
	}
	while ((n = recvmsg(channel, &m, MSG_CMSG_CLOEXEC)) == -1)
		if (errno != EINTR)
			return FX_ESYS;
	if (n == 0)
		return FX_ESYS;
	c = fd == NULL ? NULL : CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(c), sizeof(int));
	*letter = (enum channel_letter)packet[0];
	*text = xstrndup(packet + 1, (size_t)n - 1);
	return FX_OK;
}

void
channel_end(int channel, pid_t pid)
{
	struct pollfd hangup = { .fd = channel };
	bool ended;

	(void)shutdown(channel, SHUT_WR);
	ended = poll(&hangup, 1, CHANNEL_END_MS) == 1;
	(void)close(channel);
	/* one that may not be killed by us ends when we do */
	if (!ended && kill(pid, SIGTERM) == -1)
		return;
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}

void
channel_exit(int status)
{
#ifdef FX_COVERAGE
	exit(status); /* writes the counters */
#else
	_exit(status);
#endif
}

void
channel_let_go(int fd)
{
	auto_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null != -1)
		(void)dup2(null, fd);
}

int
forward_start(const struct ctl_options *opts, struct forward **out,
    struct ctl_error *err)
{
	struct forward *f;
	pid_t us = getpid(), pid;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		return ctl_fail(err, FX_ESYS, "socketpair: %s",
		    ctl_system_text(errno));
	(void)fflush(NULL); /* nothing is to be written twice */
	pid = fork();
	if (pid == 0) {
		(void)close(ends[0]);
		/* whoever ends us does not leave it behind */
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
		if (getppid() != us)
			_exit(1);
		forwarder_run(ends[1], opts);
	}
	(void)close(ends[1]);
	if (pid == -1) {
		(void)close(ends[0]);
		return ctl_fail(err, FX_ESYS, "fork: %s",
		    ctl_system_text(errno));
	}
	f = xcalloc(1, sizeof(*f));
	f->channel = ends[0];
	f->pid = pid;
	*out = f;
	return FX_OK;
}

/* The text is owned; after a failure it says why. */
static int
receive(struct forward *f, char **text)
{
	enum channel_letter letter;

	if (channel_receive(f->channel, &letter, text, NULL) != FX_OK) {
		*text = xstrdup("the process that forwards has ended");
		return FX_ESYS;
	}
	return letter == CHANNEL_DONE ? FX_OK : FX_EFAIL;
}

int
forward_await(struct forward *f, char **ns, struct ctl_error *err)
{
	auto_free char *text = NULL;
	int r = receive(f, &text);

	if (r != FX_OK)
		return ctl_fail(err, r, "%s", text);
	*ns = fx_steal(&text);
	return FX_OK;
}

int
forward_connect(struct forward *f)
{
	auto_fd int ours = -1, theirs = -1;
	auto_free char *text = NULL;
	int ends[2], r;

	free(f->why);
	f->why = NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		return -1;
	ours = ends[0];
	theirs = ends[1];
	(void)channel_send(f->channel, CHANNEL_CONNECT, "", theirs);
	if (receive(f, &text) != FX_OK) {
		f->why = fx_steal(&text);
		return -1;
	}
	r = ours;
	ours = -1;
	return r;
}

char *
forward_why(struct forward *f)
{
	char *why = fx_steal(&f->why);

	if (why != NULL)
		return why;
	(void)channel_send(f->channel, CHANNEL_WHY, "", -1);
	(void)receive(f, &why);
	if (why != NULL && *why == '\0') {
		free(why);
		why = NULL;
	}
	return why;
}

void
forward_free(struct forward **p)
{
	struct forward *f = *p;

	if (f == NULL)
		return;
	channel_end(f->channel, f->pid);
	free(f->why);
	free(f);
	*p = NULL;
}
