/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "login.h"

#include "fd.h"
#include "forward_channel.h"
#include "plugin.h"
#include "text.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct login {
	struct kube *kube; /* borrowed */
	int channel;	   /* to the process that runs the plugin */
	pid_t pid;	   /* its */
	bool has;	   /* credentials */
	int64_t until;	   /* seconds since 1970 that they hold */
};

/* ---- the process that runs the plugin ------------------------------------ */

static int
run_once(const struct kube *kube, int channel, int64_t timeout_ns)
{
	auto_error struct ctl_error err = { 0 };
	struct buf out = BUF_INIT(PLUGIN_OUTPUT_MAX);
	auto_fd int fd = -1;
	int r = plugin_run(kube, timeout_ns, &out, &err);

	if (r == FX_OK) {
		fd = fd_sealed("credentials", buf_head(&out), buf_left(&out));
		if (fd == -1)
			r = ctl_fail(&err, FX_ESYS, "memfd: %s",
			    ctl_system_text(errno));
	}
	buf_wipe(&out);
	return r == FX_OK ? channel_send(channel, CHANNEL_DONE, "", fd)
			  : channel_send(channel, CHANNEL_FAILED, err.text, -1);
}

static void FX_NORETURN
serve(const struct kube *kube, int channel, int64_t timeout_ns)
{
	enum channel_letter letter;
	char *text = NULL;

	while (channel_receive(channel, &letter, &text, NULL) == FX_OK) {
		free(fx_steal(&text));
		if (run_once(kube, channel, timeout_ns) != FX_OK)
			break;
	}
	channel_exit(0);
}

int
login_start(struct kube *kube, int64_t timeout_ns, int ours, struct login **out,
    struct ctl_error *err)
{
	pid_t us = getpid(), pid;
	struct login *l;
	int ends[2];

	*out = NULL;
	if (!plugin_is_needed(kube))
		return FX_OK;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		return ctl_fail(err, FX_ESYS, "socketpair: %s",
		    ctl_system_text(errno));
	pid = fork();
	if (pid == 0) {
		(void)close(ends[0]);
		(void)close(ours);
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
		if (getppid() != us)
			_exit(1);
		/* whoever reads our output must not wait for this end of it */
		channel_let_go(STDOUT_FILENO);
		serve(kube, ends[1], timeout_ns);
	}
	(void)close(ends[1]);
	if (pid == -1) {
		(void)close(ends[0]);
		return ctl_fail(err, FX_ESYS, "fork: %s",
		    ctl_system_text(errno));
	}
	l = xcalloc(1, sizeof(*l));
	l->kube = kube;
	l->channel = ends[0];
	l->pid = pid;
	*out = l;
	return FX_OK;
}

/* ---- the one that needs the credentials ---------------------------------- */

static int
take(struct login *l, int fd, struct ctl_error *err)
{
	struct buf out = BUF_INIT(PLUGIN_OUTPUT_MAX);
	int r = fd_read_all(fd, &out);

	if (r != FX_OK)
		(void)ctl_fail(err, r, "what the exec plugin said is lost");
	else
		r = plugin_take(l->kube, &out, &l->until, err);
	buf_wipe(&out);
	return r;
}

int
login_renew(struct login *l, bool refused, struct ctl_error *err)
{
	enum channel_letter letter = CHANNEL_FAILED;
	auto_free char *text = NULL;
	auto_fd int fd = -1;
	int r;

	if (l == NULL || (l->has && !refused && time(NULL) <= l->until))
		return FX_OK;
	l->has = false;
	r = channel_send(l->channel, CHANNEL_CONNECT, "", -1);
	if (r == FX_OK)
		r = channel_receive(l->channel, &letter, &text, &fd);
	if (r != FX_OK)
		return ctl_fail(err, r,
		    "the process that runs the exec plugin has ended");
	if (letter != CHANNEL_DONE)
		return ctl_fail(err, FX_EFAIL, "%s", text);
	r = take(l, fd, err);
	l->has = r == FX_OK;
	return r;
}

void
login_free(struct login **p)
{
	struct login *l = *p;

	if (l == NULL)
		return;
	channel_end(l->channel, l->pid);
	free(l);
	*p = NULL;
}
