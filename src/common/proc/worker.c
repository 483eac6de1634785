/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "worker.h"

#include "fd.h"
#include "log.h"
#include "str.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#define FRAMES_PER_TURN 16 /* handled before timers and other sources */
#define EXIT_START_OVER 1  /* what failed may not fail the next time */
#define EXIT_CHANNEL 71	   /* the channel broke; the master says why */

static void FX_NORETURN
die(const char *role, const char *what)
{
	fprintf(stderr, "%s: %s\n", role, what);
	exit(EXIT_CHANNEL);
}

/* ---- log and metrics: told to the master ----------------------------------
 */

static char *
cut(const char *s, size_t max)
{
	return xstrndup(s, strnlen(s, max));
}

static void
send_log(void *arg, enum log_level level, const char *caller,
    const struct log_pair *p, size_t n)
{
	struct worker *w = arg;
	struct ipc_log_pair pairs[LOG_PAIRS_MAX];
	struct ipc_log m = { .level = level,
		.caller = (char *)(uintptr_t)caller,
		.pairs = pairs,
		.pairs_len = n };

	for (size_t i = 0; i < n; i++)
		pairs[i] = (struct ipc_log_pair){
			.key = cut(p[i].key, IPC_MAX_NAME),
			.value = cut(p[i].value == NULL ? "" : p[i].value,
			    IPC_MAX_LOG_VALUE),
			.kind = p[i].kind,
		};
	/* a record too large for a frame is lost, the channel is not */
	(void)ipc_tell_log(&w->master, &m);
	for (size_t i = 0; i < n; i++) {
		free(pairs[i].key);
		free(pairs[i].value);
	}
}

void
worker_metric(struct worker *w, unsigned metric, const char *labels,
    int64_t value_us)
{
	struct ipc_metric m = { .metric = metric,
		.labels = (char *)(uintptr_t)labels,
		.value_us = value_us };

	(void)ipc_tell_metric(&w->master, &m);
}

/* ---- START: what the master gives -----------------------------------------
 */

static int
on_config(struct worker *w, const struct ipc_req *req, struct ipc_config *m)
{
	int r = FX_OK;

	(void)req;
	for (size_t i = 0; r == FX_OK && i < m->settings_len; i++)
		r = config_receive(&w->cfg, m->settings[i].name,
		    m->settings[i].value);
	return r;
}
IPC_HANDLER(config, on_config, struct worker)

static int
on_file(struct worker *w, const struct ipc_req *req, struct ipc_file *m)
{
	(void)req;
	if (m->which >= IPC_FILE_COUNT || m->fd == -1)
		return FX_EDENIED;
	fd_close(&w->files[m->which]);
	w->files[m->which] = m->fd;
	m->fd = -1;
	return FX_OK;
}
IPC_HANDLER(file, on_file, struct worker)

static int
on_no_file(struct worker *w, const struct ipc_req *req, struct ipc_no_file *m)
{
	(void)req;
	if (m->which >= IPC_FILE_COUNT)
		return FX_EDENIED;
	free(w->no_file[m->which]);
	w->no_file[m->which] = fx_steal(&m->why);
	return FX_OK;
}
IPC_HANDLER(no_file, on_no_file, struct worker)

static int
on_listener(struct worker *w, const struct ipc_req *req, struct ipc_listener *m)
{
	(void)req;
	if (w->nlisteners == WORKER_MAX_LISTENERS || m->fd == -1)
		return FX_ELIMIT;
	w->listeners[w->nlisteners++] =
	    (struct worker_listener){ (enum ipc_listener_kind)m->kind, m->fd };
	m->fd = -1;
	return FX_OK;
}
IPC_HANDLER(listener, on_listener, struct worker)

static int
on_go(struct worker *w, const struct ipc_req *req, struct ipc_go *m)
{
	(void)req;
	(void)m;
	w->go = true;
	return FX_OK;
}
IPC_HANDLER(go, on_go, struct worker)

static const struct ipc_handler start_handlers[] = {
	{ IPC_T_CONFIG, on_config_frame },
	{ IPC_T_FILE, on_file_frame },
	{ IPC_T_NO_FILE, on_no_file_frame },
	{ IPC_T_LISTENER, on_listener_frame },
	{ IPC_T_GO, on_go_frame },
};

static void
default_signals(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	struct sigaction ign = { .sa_handler = SIG_IGN };
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &dfl, NULL); /* some cannot be set */
	/* the master decides: a terminal's signals reach the whole group */
	(void)sigaction(SIGINT, &ign, NULL);
	(void)sigaction(SIGTERM, &ign, NULL);
	(void)sigaction(SIGHUP, &ign, NULL);
	(void)sigaction(SIGPIPE, &ign, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* argv is the launcher's, hence trusted; a person at a shell is told. */
static void
parse_argv(struct worker *w, int argc, char *argv[], enum ipc_role one,
    enum ipc_role other)
{
	uint64_t role, instance;
	int64_t uid;

	if (argc != 4 || fx_parse_u64(argv[1], 0, IPC_R_COUNT, &role) != 0 ||
	    fx_parse_u64(argv[2], 0, UINT32_MAX, &instance) != 0 ||
	    fx_parse_i64(argv[3], -1, UINT32_MAX, &uid) != 0 ||
	    (role != one && role != other))
		die(ipc_role_name(one), "started by fluxd only");
	w->role = (enum ipc_role)role;
	w->instance = (uint32_t)instance;
	w->uid = (uid_t)uid;
}

void
worker_init(struct worker *w, int argc, char *argv[], enum ipc_role one,
    enum ipc_role other)
{
	struct pollfd pfd = { WORKER_CHANNEL_FD, POLLIN, 0 };
	uint8_t first;
	int r = FX_OK;

	fx_frugal();
	memset(w, 0, sizeof(*w));
	parse_argv(w, argc, argv, one, other);
	sandbox_early(getppid());
	/* glibc 2.41 sets up its generator at first use, with calls that no
	 * filter lets through later */
	(void)!getrandom(&first, sizeof(first), 0);
	default_signals();
	if (close_range(WORKER_CHANNEL_FD + 1, ~0u, 0) == -1)
		die(ipc_role_name(w->role), "close_range");
	if (fd_set_nonblock(WORKER_CHANNEL_FD) != FX_OK ||
	    fd_set_cloexec(WORKER_CHANNEL_FD, true) != FX_OK)
		die(ipc_role_name(w->role), "started by fluxd only");
	for (size_t i = 0; i < nitems(w->files); i++)
		w->files[i] = -1;
	config_init(&w->cfg);
	w->loop = loop_new();
	ipc_peer_init(&w->master, WORKER_CHANNEL_FD, w->role, IPC_R_MASTER,
	    w->instance);
	/* numbers that no incarnation before has used: an answer that comes too
	 * late for its question must not be taken for that to another one */
	w->master.next_seq = (uint64_t)clk_now_us();
	ipc_peer_handlers(&w->master, start_handlers, nitems(start_handlers),
	    w);
	log_to(send_log, w);
	while (!w->go && r == FX_OK) {
		if (!ipc_peer_pending(&w->master))
			(void)poll(&pfd, 1, -1);
		r = ipc_peer_read(&w->master, 1);
	}
	if (!w->go)
		die(ipc_role_name(w->role), "the master ended at start");
}

/* ---- lock-down ------------------------------------------------------------
 */

void
worker_lock_down(struct worker *w, const struct sandbox *sb,
    const struct sandbox_paths *paths)
{
	struct sandbox_state st = { 0 };
	struct ipc_ready m = { .table_id = ipc_table_id() };

	sandbox_enter(sb, w->uid, paths, strcmp(w->cfg.sandbox, "strict") == 0,
	    &st);
	m.landlock = st.landlock;
	m.missing = st.missing;
	m.root = (char *)(uintptr_t)(st.empty_root ? "empty" : "host");
	if (ipc_tell_ready(&w->master, &m) != FX_OK)
		die(ipc_role_name(w->role), "cannot say READY");
	w->master.phase = IPC_PH_RUN;
	(void)malloc_trim(0); /* what starting took */
}

/* ---- RUN ------------------------------------------------------------------
 */

static int
on_ping(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	struct ipc_req req = { p, f->seq, f->type };
	struct ipc_pong m = { 0 };

	(void)ctx;
	return ipc_reply_pong(&req, &m);
}

static void
on_channel(struct loop *l, int fd, short revents, void *arg)
{
	struct worker *w = arg;
	int r = ipc_peer_read(&w->master, FRAMES_PER_TURN);

	(void)fd;
	(void)revents;
	if (r == FX_OK)
		return;
	if (r != FX_ESHORT)
		fprintf(stderr, "%s: channel: %s\n", ipc_role_name(w->role),
		    w->master.broken.text);
	ipc_peer_close(&w->master);
	loop_stop(l);
}

static void
own_handlers(struct worker *w, const struct ipc_handler *h, size_t n, void *ctx)
{
	w->handlers = xcalloc(n + 1, sizeof(*w->handlers));
	if (n != 0) /* who is asked nothing has none */
		memcpy(w->handlers, h, n * sizeof(*h));
	w->handlers[n] = (struct ipc_handler){ IPC_T_PING, on_ping };
	ipc_peer_handlers(&w->master, w->handlers, n + 1, ctx);
}

int
worker_run(struct worker *w, const struct ipc_handler *h, size_t n, void *ctx)
{
	own_handlers(w, h, n, ctx);
	w->channel = loop_add(w->loop, w->master.fd, POLLIN, on_channel, w);
	while (!w->master.stopped && w->master.fd != -1) {
		bool pending = ipc_peer_pending(&w->master);

		if (ipc_peer_write(&w->master) != FX_OK)
			break;
		loop_events(w->channel, ipc_peer_events(&w->master));
		if (pending)
			on_channel(w->loop, w->master.fd, POLLIN, w);
		loop_turn(w->loop, pending ? 0 : CLK_NEVER);
	}
	return w->master.broken.code == FX_OK ? 0 : EXIT_CHANNEL;
}

int
worker_take_file(struct worker *w, enum ipc_file_id which)
{
	int fd = w->files[which];

	w->files[which] = -1;
	return fd;
}

void
worker_start_over(struct worker *w, const char *why)
{
	log_at(LVL_ERROR, KS("err", why));
	(void)!ipc_peer_write(&w->master);
	exit(EXIT_START_OVER);
}

int
worker_read_all(struct worker *w, int fd, struct buf *out)
{
	int r = fd_read_all(fd, out);

	if (r != FX_ESYS)
		return r;
	buf_wipe(out);
	worker_start_over(w, "a file cannot be read; starting over");
}
