/*
 * worker_util: a real worker process with the test as its master.
 *
 * The worker is started as the launcher starts it, gets its settings and
 * files, locks itself down and serves; the test asks and gets answers.
 */
#ifndef WORKER_UTIL_H
#define WORKER_UTIL_H

#include "base.h"
#include "clock.h"
#include "fd.h"
#include "ipc_peer.h"
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKER_PATIENCE_US CLK_MIN

struct worker_under_test {
	pid_t pid;
	struct ipc_peer peer;
	bool ready;
};

static int
worker_on_ready(struct worker_under_test *w, const struct ipc_req *req,
    struct ipc_ready *m)
{
	(void)req;
	want(m->table_id == ipc_table_id());
	if (m->missing[0] != '\0')
		printf("# not confined by: %s\n", m->missing);
	w->ready = true;
	w->peer.phase = IPC_PH_RUN;
	return FX_OK;
}
IPC_HANDLER(ready, worker_on_ready, struct worker_under_test)

static int
worker_on_log(struct worker_under_test *w, const struct ipc_req *req,
    struct ipc_log *m)
{
	(void)w;
	(void)req;
	for (size_t i = 0; i < m->pairs_len; i++)
		printf("# log: %s=%s\n", m->pairs[i].key, m->pairs[i].value);
	return FX_OK;
}
IPC_HANDLER(log, worker_on_log, struct worker_under_test)

/* Of sync: there is no cluster here. */
static int
worker_on_no_endpoint(struct worker_under_test *w, const struct ipc_req *req,
    struct ipc_no_endpoint *m)
{
	(void)w;
	(void)req;
	printf("# no endpoint: %s\n", m->why);
	return FX_OK;
}
IPC_HANDLER(no_endpoint, worker_on_no_endpoint, struct worker_under_test)

/* Of upstream: one event, which it will not get rid of. */
static int
worker_on_event_next(struct worker_under_test *w, const struct ipc_req *req,
    struct ipc_event_next *m)
{
	static uint8_t json[] = "{}";
	const struct ipc_event_chunk part = { .json = { json, 2 } };
	const struct ipc_event_is end = { .number = 1,
		.text = (char *)(uintptr_t) "an event" };

	(void)w;
	(void)m;
	(void)ipc_reply_event_chunk(req, &part);
	return ipc_reply_event_is(req, &end);
}
IPC_HANDLER(event_next, worker_on_event_next, struct worker_under_test)

static const struct ipc_handler worker_test_handlers[] = {
	{ IPC_T_READY, worker_on_ready_frame },
	{ IPC_T_LOG, worker_on_log_frame },
	{ IPC_T_NO_ENDPOINT, worker_on_no_endpoint_frame },
	{ IPC_T_EVENT_NEXT, worker_on_event_next_frame },
};

/* Turns of the channel until *flag; false if the worker is gone. */
static inline bool
worker_await(struct worker_under_test *w, const bool *flag)
{
	int64_t end = clk_now_us() + WORKER_PATIENCE_US;
	int r = FX_OK;

	while (!*flag && r == FX_OK && clk_now_us() < end) {
		struct pollfd p = { w->peer.fd, ipc_peer_events(&w->peer), 0 };

		if (!ipc_peer_pending(&w->peer))
			(void)poll(&p, 1, 100);
		r = ipc_peer_write(&w->peer);
		if (r == FX_OK)
			r = ipc_peer_read(&w->peer, 16);
	}
	if (!*flag)
		printf("# channel: %s\n", w->peer.broken.text);
	return want(*flag);
}

/* The beginning of a start: settings are name, value, …, NULL. */
static inline void
worker_begin(struct worker_under_test *w, enum ipc_role role, int instance,
    char *const settings[])
{
	const char *dir = getenv("FX_BUILDDIR");
	auto_free char *path = xasprintf("%s/%s", dir == NULL ? "." : dir,
	    ipc_role_executable(role));
	auto_free char *number = xasprintf("%d", (int)role);
	auto_free char *which = xasprintf("%d", instance);
	struct ipc_setting list[16];
	struct ipc_config config = { .settings = list };
	int pair[2];

	*w = (struct worker_under_test){ 0 };
	want_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	fflush(stdout);
	w->pid = fork();
	if (w->pid == 0) {
		/* 3 may be its number already: then dup2 keeps CLOEXEC */
		int high = fcntl(pair[1], F_DUPFD, 100);

		dup2(high, 3);
		close(high);
		/* an instrumented worker cannot look for leaks at its end:
		 * that takes a thread that traces, which is forbidden */
		setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		execl(path, ipc_role_executable(role), number, which, "-1",
		    (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	want_int(fd_set_nonblock(pair[0]), FX_OK);
	ipc_peer_init(&w->peer, pair[0], IPC_R_MASTER, role,
	    (uint32_t)instance);
	ipc_peer_handlers(&w->peer, worker_test_handlers,
	    nitems(worker_test_handlers), w);
	for (; settings[2 * config.settings_len] != NULL;
	     config.settings_len++) {
		char *const *s = settings + 2 * config.settings_len;

		list[config.settings_len] = (struct ipc_setting){ s[0], s[1] };
	}
	want_int(ipc_tell_config(&w->peer, &config), FX_OK);
}

/* A file: -1 for none; stays the caller's. */
static inline void
worker_give(struct worker_under_test *w, enum ipc_file_id which, int file)
{
	struct ipc_file f = { .which = which };

	if (file == -1)
		return;
	f.fd = fcntl(file, F_DUPFD_CLOEXEC, 3);
	want_int(ipc_tell_file(&w->peer, &f), FX_OK);
}

static inline void
worker_go(struct worker_under_test *w)
{
	struct ipc_go go = { 0 };

	want_int(ipc_tell_go(&w->peer, &go), FX_OK);
	worker_await(w, &w->ready);
}

static inline void
worker_start(struct worker_under_test *w, enum ipc_role role,
    char *const settings[], enum ipc_file_id which, int file)
{
	worker_begin(w, role, 0, settings);
	worker_give(w, which, file);
	worker_go(w);
}

/* Stop it as the master does; it must end by itself and in peace. */
static inline void
worker_stop(struct worker_under_test *w)
{
	int status = -1;

	ipc_peer_close(&w->peer);
	want(waitpid(w->pid, &status, 0) == w->pid);
	if (WIFEXITED(status) && status != 0)
		printf("# the worker ended: exit status %d\n",
		    WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		printf("# the worker ended: signal %d\n", WTERMSIG(status));
	want_int(status, 0);
}

#endif
