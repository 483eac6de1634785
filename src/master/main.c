/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fluxd: the master.
 *
 * Reads    its flags; then message envelopes from its workers, and, by a walk
 *          that builds nothing, the frames it passes on.
 * Holds    nothing secret: sealed descriptors that it cannot read.
 * May      move frames and descriptors, append to the job journal and the log.
 * May not  open or read a file, make a socket, start a process (the launcher
 *          does, by number), parse YAML, JSON, HTTP, TLS or pack files.
 * If it falls, an attacker decides what is asked of the workers: what is
 * applied and what is pushed; it gains neither a key nor a token nor a file.
 */
#include "base.h"
#include "master.h"

#include "fd.h"
#include "launch.h"
#include "log.h"
#include "mst_sandbox.h"
#include "setup.h"
#include "str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOCK_DOWN_S 10		    /* takes milliseconds */
#define STOP_LIMIT_US (4 * CLK_SEC) /* of an orderly stop; 5 s are promised */
#define CHANNEL_FD 3		    /* the launcher's end in its process */
#define EXIT_USAGE 2

/* ---- signals --------------------------------------------------------------
 */

/* A socket, because the master may not read(2). */
static int signal_socket[2] = { -1, -1 };
static volatile sig_atomic_t unsent; /* a signal that did not go through it */

static void
on_signal(int sig)
{
	char byte = (char)sig;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int saved = errno;

	if (sendmsg(signal_socket[1], &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		unsent = sig;
	errno = saved;
}

static int
on_log_reopened(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct ipc_opened a;
	int r;

	if (err != NULL) {
		log_at(LVL_ERROR, KS("err", err->text));
		return FX_OK;
	}
	r = ipc_opened_decode(&f->body, &a, &f->fd);
	if (r == FX_OK && a.fd != -1)
		logger_reopen(&m->log, a.fd);
	return r;
}

/* One that has just started reads it anyway.  The file may be opened again,
 * whenever that was done last: it has changed since. */
static void
reload_token(struct master *m)
{
	struct child *api = mst_child(m, IPC_R_API);
	const struct ipc_reload q = { 0 };

	if (m->paths[IPC_FILE_API_TOKEN] == NULL || api->state != CHILD_RUNNING)
		return;
	m->reopened_us[IPC_FILE_API_TOKEN] = 0;
	(void)ipc_tell_reload(&api->peer, &q);
}

/* SIGHUP: the log anew; the deploy key, known hosts and the clients' token are
 * read again. */
static void
reload(struct master *m)
{
	struct ipc_open q = { .number = IPC_FILE_LOG };

	log_at(LVL_INFO, KS("info", "reloading"));
	if (m->paths[IPC_FILE_LOG] != NULL)
		(void)MST_ASK(&m->launcher, open, OPEN, &q, STOP_LIMIT_US,
		    on_log_reopened, m);
	child_restart(mst_child(m, IPC_R_KEY));
	child_restart(mst_child(m, IPC_R_GIT_REMOTE));
	reload_token(m);
}

static void
take_signal(struct master *m, int sig)
{
	if (sig == SIGHUP && !m->stopping)
		reload(m);
	else if (sig != SIGHUP && m->stopping)
		loop_stop(m->loop); /* asked twice: at once */
	else if (sig != SIGHUP)
		mst_stop(m, sig == SIGINT ? "interrupt" : "terminated", 0);
}

static void
on_signal_socket(struct loop *l, int fd, short revents, void *arg)
{
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	(void)l;
	(void)revents;
	if (recvmsg(fd, &msg, MSG_DONTWAIT) == 1)
		take_signal(arg, byte);
}

/* It has ended the wait for something to happen, as any signal does. */
static void
take_unsent(struct master *m)
{
	int sig = unsent;

	if (sig == 0)
		return;
	unsent = 0;
	take_signal(m, sig);
}

static volatile sig_atomic_t locked_down;

/* libseccomp may run in circles where it has no memory.  Workers have the
 * master to notice that; after the lock-down nothing can stop an alarm. */
static void
on_alarm(int sig)
{
	static const char text[] = "fluxd: the lock-down does not end\n";

	(void)sig;
	if (locked_down)
		return;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

static int
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		signal_socket) == -1)
		return FX_ESYS;
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)sigaction(SIGHUP, &sa, NULL);
	sa.sa_handler = on_alarm;
	(void)sigaction(SIGALRM, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &sa, NULL);
	return FX_OK;
}

/* ---- stopping -------------------------------------------------------------
 */

static void
on_stop_limit(struct loop *l, void *arg)
{
	(void)arg;
	loop_stop(l);
}

void
mst_stop(struct master *m, const char *reason, int exit_status)
{
	if (m->stopping)
		return;
	log_at(LVL_INFO, KS("exiting", reason));
	log_at(LVL_INFO, KS("component", "sync-loop"), KS("stopping", "true"));
	m->stopping = true;
	m->exit_status = exit_status;
	m->stop_by = (struct loop_timer){ .fn = on_stop_limit, .arg = m };
	loop_timer_in(m->loop, &m->stop_by, STOP_LIMIT_US);
	for (size_t i = 0; i < m->nchildren; i++)
		child_stop(&m->children[i]);
}

void
mst_lost_launcher(struct master *m)
{
	mst_stop(m, "the launcher ended", 1);
	loop_stop(m->loop);
}

static bool
all_off(const struct master *m)
{
	for (size_t i = 0; i < m->nchildren; i++)
		if (m->children[i].state != CHILD_OFF)
			return false;
	return true;
}

/* ---- the launcher ---------------------------------------------------------
 */

static void FX_NORETURN
exec_launcher(const struct master *m, int channel)
{
	auto_free char *program =
	    xasprintf("%s/fluxd-launch", m->cfg.libexec_dir);
	auto_free char *dir = xasprintf("--libexec-dir=%s", m->cfg.libexec_dir);
	auto_free char *mode = xasprintf("--sandbox=%s", m->cfg.sandbox);
	auto_free char *base = xasprintf("--worker-uid-base=%llu",
	    (unsigned long long)m->cfg.worker_uid_base);
	auto_free char *owner = xasprintf("--git-owner-of=%s", m->url.path);
	bool local = m->has_url && m->url.kind == GIT_URL_FILE;
	bool http = m->has_url && git_url_is_http(m->cfg.git_url);
	char git_http[] = "--git-http";
	char *argv[] = { program, dir, mode, base,
		local	   ? owner
		    : http ? git_http
			   : NULL,
		NULL };
	char *envp[] = { NULL };

	/* the end of the master is the end of everything */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(channel, CHANNEL_FD) == -1 ||
	    (channel == CHANNEL_FD &&
		fd_set_cloexec(channel, false) != FX_OK) ||
	    close_range(CHANNEL_FD + 1, ~0u, 0) == -1)
		_exit(EXIT_USAGE);
	execve(program, argv, envp);
	fprintf(stderr, "fluxd: %s: %s\n", program, strerror(errno));
	_exit(EXIT_USAGE);
}

static void
tell_paths(struct master *m)
{
	struct ipc_go go = { 0 };

	for (size_t i = 0; i < IPC_FILE_COUNT; i++) {
		struct ipc_path p = { .number = i, .path = m->paths[i] };

		if (p.path != NULL)
			(void)ipc_tell_path(&m->launcher.peer, &p);
	}
	(void)ipc_tell_go(&m->launcher.peer, &go);
}

static int
start_launcher(struct master *m, struct fx_err *err)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		ends) == -1)
		return fx_fail(err, FX_ESYS, "socketpair: %s", strerror(errno));
	pid = fork();
	if (pid == -1)
		return fx_fail(err, FX_ESYS, "fork: %s", strerror(errno));
	if (pid == 0)
		exec_launcher(m, ends[1]);
	close(ends[1]);
	child_adopt(&m->launcher, ends[0], (uint64_t)pid);
	tell_paths(m);
	return FX_OK;
}

/* ---- lock-down ------------------------------------------------------------
 */

static void
lock_down(struct master *m)
{
	struct launch_user users[IPC_R_COUNT];
	struct sandbox_state st = { 0 };
	uid_t uid = (uid_t)-1;

	if (sandbox_has_caps()) {
		launch_users(users, "/etc/passwd",
		    (uint32_t)m->cfg.worker_uid_base);
		uid = users[IPC_R_MASTER].uid;
	}
	(void)alarm(LOCK_DOWN_S);
	sandbox_enter(&mst_sandbox, uid, NULL,
	    strcmp(m->cfg.sandbox, "strict") == 0, &st);
	locked_down = true;
	m->self.landlock = st.landlock;
	snprintf(m->self.root, sizeof(m->self.root), "%s",
	    st.empty_root ? "empty" : "host");
	snprintf(m->self.missing, sizeof(m->self.missing), "%s", st.missing);
}

/* ---- start ----------------------------------------------------------------
 */

static int
usage_error(const struct fx_err *err)
{
	auto_buf struct buf b = BUF_INIT(65536);

	config_usage(&b);
	fprintf(stderr, "Error: %s\n\n%.*s", err->text, (int)buf_left(&b),
	    (const char *)buf_head(&b));
	return EXIT_USAGE;
}

/* Flags; true if that was all that was wanted, with the exit status. */
static bool
read_flags(struct master *m, int argc, char *argv[], int *status)
{
	auto_buf struct buf notice = BUF_INIT(65536), usage = BUF_INIT(65536);
	struct fx_err err = { 0 };
	int r;

	config_init(&m->cfg);
	r = config_parse(&m->cfg, argc, argv, &notice, &err);
	fprintf(stderr, "%.*s", (int)buf_left(&notice),
	    (const char *)buf_head(&notice));
	if (r == FX_OK && !m->cfg.version) {
		if (m->cfg.libexec_dir[0] == '\0') {
			free(m->cfg.libexec_dir);
			m->cfg.libexec_dir = xstrdup(FX_LIBEXECDIR);
		}
		return false;
	}
	*status = 0;
	if (r == FX_OK) {
		printf("%s\n", PACKAGE_VERSION);
	} else if (r == FX_ECANCELLED) {
		config_usage(&usage);
		fprintf(stderr, "%.*s", (int)buf_left(&usage),
		    (const char *)buf_head(&usage));
	} else {
		*status = usage_error(&err);
	}
	return true;
}

static enum log_level
level_of(const char *name)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };

	for (size_t i = 0; i < nitems(names); i++)
		if (strcmp(name, names[i]) == 0)
			return (enum log_level)i;
	return LVL_INFO;
}

static int
open_log(struct master *m)
{
	int fd = STDERR_FILENO;

	if (m->cfg.log_file[0] != '\0') {
		fd = open(m->cfg.log_file,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
		if (fd == -1) {
			fprintf(stderr, "fluxd: %s: %s\n", m->cfg.log_file,
			    strerror(errno));
			return FX_ESYS;
		}
	}
	logger_init(&m->log, fd, strcmp(m->cfg.log_format, "json") == 0,
	    level_of(m->cfg.log_level));
	return FX_OK;
}

static int
prepare(struct master *m, int argc, char *argv[], struct fx_err *err)
{
	int r = setup_validate(&m->cfg, err);
	uint8_t first;

	if (r == FX_OK)
		r = setup_url(m, argc, argv, err);
	if (r == FX_OK)
		r = setup_paths(m, err);
	if (r == FX_OK)
		r = setup_state(m, err);
	if (r == FX_OK)
		r = listen_all(&m->listeners, &m->cfg, err);
	if (r == FX_OK && catch_signals() != FX_OK)
		r = fx_fail(err, FX_ESYS, "socketpair: %s", strerror(errno));
	tzset(); /* reads files; nothing may later */
	/* glibc 2.41 sets up its generator at first use; not after lock-down */
	(void)!getrandom(&first, sizeof(first), 0);
	setup_wipe_environment();
	return r;
}

static void
log_configuration(const struct master *m)
{
	const struct config *c = &m->cfg;

	log_at(LVL_INFO, KS("url", m->url_show), KS("user", c->git_user),
	    KS("email", c->git_email), KS("signing-key", c->git_signing_key),
	    KS("verify-signatures-mode", "none"),
	    KS("sync-tag", c->git_sync_tag), KS("state", c->sync_state),
	    KB("readonly", c->git_readonly),
	    KB("registry-disable-scanning", c->registry_disable_scanning),
	    KS("notes-ref", c->git_notes_ref),
	    KB("set-author", c->git_set_author),
	    KB("git-secret", c->git_secret), KB("sops", c->sops));
	if (c->connect[0] != '\0')
		log_at(LVL_INFO, KS("component", "upstream"),
		    KS("URL", c->connect));
	else
		log_at(LVL_INFO, KS("upstream", "no upstream URL given"));
	for (size_t i = 0; i < m->listeners.n; i++)
		log_at(LVL_INFO,
		    KS(m->listeners.v[i].kind == IPC_LISTEN_METRICS
			    ? "metrics-addr"
			    : "addr",
			m->listeners.v[i].address));
}

static void
serve(struct master *m)
{
	while (!loop_is_stopped(m->loop) && !(m->stopping && all_off(m))) {
		for (size_t i = 0; i < m->nchildren; i++)
			child_flush(&m->children[i]);
		child_flush(&m->launcher);
		loop_turn(m->loop, CLK_NEVER);
		take_unsent(m);
	}
}

/* The launcher's children are gone, or it kills what is left of them. */
static void
end_launcher(struct master *m)
{
	struct ipc_stop stop = { 0 };
	struct pollfd p = { m->launcher.peer.fd, POLLIN, 0 };

	if (m->launcher.peer.fd == -1)
		return;
	/* closing the channel, when we end, says the same */
	if (ipc_tell_stop(&m->launcher.peer, &stop) == FX_OK &&
	    ipc_peer_write(&m->launcher.peer) == FX_OK)
		(void)poll(&p, 1, 500);
}

static int
run(struct master *m, int argc, char *argv[])
{
	struct fx_err err = { 0 };

	m->uid = getuid();
	m->loop = loop_new();
	m->metrics = metrics_new();
	logger_attach(&m->log, m->loop);
	log_at(LVL_INFO, KS("version", PACKAGE_VERSION));
	if (prepare(m, argc, argv, &err) != FX_OK) {
		log_at(LVL_ERROR, KS("err", err.text));
		return 1;
	}
	mst_init_children(m);
	child_init(&m->self, m, IPC_R_MASTER, 0);
	m->self.pid = (uint64_t)getpid();
	m->self.state = CHILD_RUNNING;
	child_init(&m->launch_net, m, IPC_R_LAUNCH_NET, 0);
	if (start_launcher(m, &err) != FX_OK) {
		log_at(LVL_ERROR, KS("err", err.text));
		return 1;
	}
	(void)loop_add(m->loop, signal_socket[0], POLLIN, on_signal_socket, m);
	lock_down(m);
	log_configuration(m);
	for (size_t i = 0; i < m->nchildren; i++)
		if (m->children[i].state != CHILD_OFF)
			child_start(&m->children[i]);
	marker_init(m);
	sync_init(m);
	mirror_init(m);
	jobs_resume(m);
	spool_resume(m);
	serve(m);
	end_launcher(m);
	logger_flush(&m->log, CLK_SEC);
	return m->exit_status;
}

int
main(int argc, char *argv[])
{
	static struct master m;
	int status;

	fx_frugal();
	/* whoever started us may have left some open */
	if (close_range(STDERR_FILENO + 1, ~0u, 0) == -1)
		return 1;
	if (read_flags(&m, argc, argv, &status))
		return status;
	sandbox_early(0);
	if (open_log(&m) != FX_OK)
		return 1;
	return run(&m, argc, argv);
}
