/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "api_bed.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "ipc.h"
#include "api_lists.h"
#include "ipc_peer.h"
#include "str.h"

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- the master's side -------------------------------------------------- */

struct script {
	struct lists lists;
	struct ipc_peer peer;
	int asked; /* where questions are reported */
	bool ready;
	unsigned metrics; /* observations that came */
	unsigned parts;	  /* of revisions that are still to be sent */
	struct ipc_req revisions;
};

static void
report(struct script *s, const struct ipc_frame *f)
{
	struct buf b = BUF_INIT(1u << 20);

	ipc_print(&b, f->type, &f->body);
	str_addc(&b, '\n');
	/* a test that does not read what was asked loses it */
	(void)!write(s->asked, buf_head(&b), buf_left(&b));
	buf_clear(&b);
}

static int
on_ready(struct script *s, const struct ipc_req *req, struct ipc_ready *m)
{
	(void)req;
	s->ready = m->table_id == ipc_table_id();
	s->peer.phase = IPC_PH_RUN;
	return FX_OK;
}
IPC_HANDLER(ready, on_ready, struct script)

static int
on_log(struct script *s, const struct ipc_req *req, struct ipc_log *m)
{
	(void)s;
	(void)req;
	(void)m;
	return FX_OK;
}
IPC_HANDLER(log, on_log, struct script)

static int
on_metric(struct script *s, const struct ipc_req *req, struct ipc_metric *m)
{
	(void)req;
	(void)m;
	s->metrics++;
	return FX_OK;
}
IPC_HANDLER(metric, on_metric, struct script)

static int
on_client_ping(struct script *s, const struct ipc_req *req,
    struct ipc_client_ping *m)
{
	const struct ipc_client_pong pong = { 0 };

	(void)s;
	(void)m;
	return ipc_reply_client_pong(req, &pong);
}
IPC_HANDLER(client_ping, on_client_ping, struct script)

static int
on_notify(struct script *s, const struct ipc_req *req, struct ipc_notify *m)
{
	const struct ipc_notified done = { 0 };

	lists_state(&s->lists, m->url);
	return ipc_reply_notified(req, &done);
}
IPC_HANDLER(notify, on_notify, struct script)

static int
on_update(struct script *s, const struct ipc_req *req, struct ipc_update *m)
{
	struct ipc_update_job job = {
		.job = (char *)"b8a1a1b0-07c3-91d2-5f6e-0123456789ab",
	};

	(void)s;
	if (strcmp(m->message, "full") == 0)
		return ipc_reply_failf(req, FX_ELIMIT, "the queue is full");
	return ipc_reply_update_job(req, &job);
}
IPC_HANDLER(update, on_update, struct script)

static int
on_job(struct script *s, const struct ipc_req *req, struct ipc_job *m)
{
	static const struct {
		const char *id;
		struct ipc_job_is is;
	} jobs[] = {
		{ "queued", { .status = IPC_JOB_QUEUED } },
		{ "b8a1a1b0-07c3-91d2-5f6e-0123456789ab",
		    { .status = IPC_JOB_RUNNING } },
		{ "failed",
		    { .status = IPC_JOB_FAILED,
			.error = (char *)"no changes made in repo" } },
		{ "synced",
		    { .status = IPC_JOB_SUCCEEDED,
			.revision = (char *)"0123456789abcdef0123456789abcdef"
					    "01234567" } },
		{ "spec",
		    { .status = IPC_JOB_SUCCEEDED,
			.revision = (char *)"0123456789",
			.spec = (char *)"{\"spec\":{\"a:B/c\":{\"add\":"
					"[\"locked\"]}},\"cause\":{\"user\":"
					"\"Ada <a@b>\"},\"type\":\"policy\"}",
			.result =
			    (char *)"{\"a:b/c\":{\"PerContainer\":null"
				    ",\"Status\":\"success\",\"x\":1}}" } },
		{ "forged",
		    { .status = IPC_JOB_SUCCEEDED,
			.spec = (char *)"{\"type\":\"zz\",\"spec\":{}}",
			.result = (char *)"{\"nonsense\":{}}" } },
		{ "a/b",
		    { .status = IPC_JOB_SUCCEEDED,
			.revision = (char *)"aaaaaaa" } },
	};
	const struct ipc_job_is unknown = { .status = IPC_JOB_UNKNOWN };
	auto_free char *count = xasprintf("%u", s->metrics);
	const struct ipc_job_is metrics = { .status = IPC_JOB_SUCCEEDED,
		.error = count };

	if (strcmp(m->job, "metrics") == 0)
		return ipc_reply_job_is(req, &metrics);
	if (strcmp(m->job, "never") == 0)
		return FX_OK;
	for (size_t i = 0; i < nitems(jobs); i++)
		if (strcmp(jobs[i].id, m->job) == 0)
			return ipc_reply_job_is(req, &jobs[i].is);
	return ipc_reply_job_is(req, &unknown);
}
IPC_HANDLER(job, on_job, struct script)

#define MANY_REVISIONS 3000
#define TOO_MANY_PARTS 100 /* full ones, longer than an answer together */

static int
reply_revisions(const struct ipc_req *req, size_t from, size_t to)
{
	struct ipc_oid *oids = xcalloc(to - from, sizeof(*oids));
	struct ipc_sync_status_part m = { oids, to - from, 0 };
	int r;

	for (size_t i = from; i < to; i++)
		oids[i - from].hex = xasprintf("%040zx", i);
	r = ipc_reply_sync_status_part(req, &m);
	for (size_t i = from; i < to; i++)
		free(oids[i - from].hex);
	free(oids);
	return r;
}

/* As fast as the worker takes them. */
static void
continue_revisions(struct script *s)
{
	const struct ipc_sync_status_is end = { 0 };

	for (; s->parts != 0 && ipc_credit(&s->revisions); s->parts--) {
		(void)reply_revisions(&s->revisions, 0, IPC_MAX_LIST);
		if (s->parts == 1)
			(void)ipc_reply_sync_status_is(&s->revisions, &end);
	}
}

static int
on_sync_status(struct script *s, const struct ipc_req *req,
    struct ipc_sync_status *m)
{
	const struct ipc_sync_status_is end = { 0 };

	if (strcmp(m->ref, "bad") == 0)
		return ipc_reply_failf(req, FX_EUNKNOWN,
		    "fatal: bad revision '..%s', full output:\n <none>",
		    m->ref);
	if (strcmp(m->ref, "0123456") == 0) {
		struct ipc_oid two[] = {
			{ (char *)"0123456789abcdef0123456789abcdef01234567" },
			{ (char *)"89abcdef0123456789abcdef0123456789abcdef" },
		};
		const struct ipc_sync_status_part part = { two, 2, 0 };

		(void)ipc_reply_sync_status_part(req, &part);
	}
	if (strcmp(m->ref, "many") == 0)
		for (size_t i = 0; i < MANY_REVISIONS; i += 1000)
			(void)reply_revisions(req, i, i + 1000);
	if (strcmp(m->ref, "toomany") == 0) {
		s->revisions = *req;
		s->parts = TOO_MANY_PARTS;
		return FX_OK;
	}
	if (strcmp(m->ref, "half") == 0) {
		(void)reply_revisions(req, 0, 10);
		return ipc_reply_failf(req, FX_EFAIL, "git went away");
	}
	return ipc_reply_sync_status_is(req, &end);
}
IPC_HANDLER(sync_status, on_sync_status, struct script)

static int
on_git_config(struct script *s, const struct ipc_req *req,
    struct ipc_git_config *m)
{
	const struct ipc_git_config_is is = {
		.url = (char *)"ssh://git@git.example.org/shop/conf",
		.branch = (char *)"main",
		.path = (char *)"apps,infra",
		.key = (char *)"ssh-ed25519 AAAA flux@pod\n",
		.md5 = (char *)"aa:bb",
		.md5_art = (char *)"+-[MD5]-+\n|<&> |\n",
		.sha256 = (char *)"kq0",
		.sha256_art = (char *)"+-[SHA256]-+\n",
		.status = (char *)"ready",
	};

	(void)s;
	if (m->regenerate)
		return ipc_reply_failf(req, FX_EDENIED,
		    "keys are not made by this daemon yet");
	return ipc_reply_git_config_is(req, &is);
}
IPC_HANDLER(git_config, on_git_config, struct script)

static int
on_metrics(struct script *s, const struct ipc_req *req, struct ipc_metrics *m)
{
	struct ipc_sample samples[] = {
		{ .metric = 5, .labels = (char *)"", .value_us = 1000000 },
		{ .metric = 4,
		    .labels = (char *)"success=\"true\"",
		    .value_us = 7000000 },
	};
	struct ipc_metrics_part part = { .samples = &samples[0],
		.samples_len = 1 };
	const struct ipc_metrics_end end = { 0 };

	(void)s;
	(void)m;
	(void)ipc_reply_metrics_part(req, &part);
	part.samples = &samples[1];
	(void)ipc_reply_metrics_part(req, &part);
	return ipc_reply_metrics_end(req, &end);
}
IPC_HANDLER(metrics, on_metrics, struct script)

static int
on_processes(struct script *s, const struct ipc_req *req,
    struct ipc_processes *m)
{
	struct ipc_process p = {
		.role = (char *)"api",
		.pid = 42,
		.state = (char *)"running",
		.uid = 64108,
		.seccomp = 2,
		.no_new_privs = true,
		.landlock = (char *)"abi 7",
		.root = (char *)"empty",
		.holds = (char *)"nothing",
		.restarts = 1,
	};
	const struct ipc_processes_are are = { .processes = &p,
		.processes_len = 1 };

	(void)s;
	(void)m;
	return ipc_reply_processes_are(req, &are);
}
IPC_HANDLER(processes, on_processes, struct script)

#define QUIET 3 /* the first of them are no questions */

static const struct ipc_handler answers[] = {
	{ IPC_T_READY, on_ready_frame },
	{ IPC_T_LOG, on_log_frame },
	{ IPC_T_METRIC, on_metric_frame },
	{ IPC_T_CLIENT_PING, on_client_ping_frame },
	{ IPC_T_NOTIFY, on_notify_frame },
	{ IPC_T_UPDATE, on_update_frame },
	{ IPC_T_JOB, on_job_frame },
	{ IPC_T_SYNC_STATUS, on_sync_status_frame },
	{ IPC_T_GIT_CONFIG, on_git_config_frame },
	{ IPC_T_METRICS, on_metrics_frame },
	{ IPC_T_PROCESSES, on_processes_frame },
};

static int
answer(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	for (size_t i = 0; i < nitems(answers); i++) {
		if (answers[i].type != f->type)
			continue;
		if (i >= QUIET)
			report(ctx, f);
		return answers[i].run(ctx, p, f);
	}
	return FX_EDENIED;
}

/* What is for other processes; there is nobody to pass it on to. */
static int
answer_for(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	struct script *s = ctx;

	if (ipc_rule(f->type)->kind == IPC_CONTROL)
		return FX_OK;
	report(s, f);
	return lists_answer(&s->lists, p, f);
}

/* Turns until the test closes its end of `stop` or the worker is gone. */
static void
serve(struct script *s, int stop)
{
	struct pollfd p[2] = { { .fd = stop, .events = POLLIN } };
	int r = FX_OK;

	while (r == FX_OK) {
		lists_continue(&s->lists);
		continue_revisions(s);
		(void)!ipc_peer_write(&s->peer);
		p[1] = (struct pollfd){ .fd = s->peer.fd,
			.events = ipc_peer_events(&s->peer) };
		if (!ipc_peer_pending(&s->peer) && poll(p, 2, -1) == -1)
			die("poll");
		if (p[0].revents != 0)
			return;
		r = ipc_peer_read(&s->peer, 64);
	}
	if (r != FX_ESHORT)
		fprintf(stderr, "# channel: %s\n", s->peer.broken.text);
}

/* ---- starting it -------------------------------------------------------- */

static int
listen_tcp(int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(fd, 512) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) == -1)
		die("listen");
	*port = ntohs(a.sin_port);
	return fd;
}

static struct sockaddr_un
unix_address(const struct bed *b)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", b->path);
	return a;
}

static int
listen_unix(struct bed *b)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(b->dir, sizeof(b->dir), "/tmp/fx-api-XXXXXX");
	if (mkdtemp(b->dir) == NULL)
		die("mkdtemp");
	snprintf(b->path, sizeof(b->path), "%s/api.sock", b->dir);
	a = unix_address(b);
	/* open to all: it is the credentials that are tested */
	if (fd == -1 || bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    chmod(b->dir, 0755) == -1 || chmod(b->path, 0666) == -1 ||
	    listen(fd, 64) == -1)
		die("listen");
	return fd;
}

static pid_t
spawn_worker(int channel, int uid)
{
	const char *build = getenv("FX_BUILDDIR");
	auto_free char *path =
	    xasprintf("%s/fluxd-api", build == NULL ? "." : build);
	auto_free char *role = xasprintf("%d", IPC_R_API);
	auto_free char *as = xasprintf("%d", uid);
	pid_t pid = fork();

	if (pid == -1)
		die("fork");
	if (pid != 0)
		return pid;
	/* dup2 to itself would keep close-on-exec */
	if (channel == 3 && fd_set_cloexec(3, false) != FX_OK)
		die("fcntl");
	if (channel != 3 && dup2(channel, 3) != 3)
		die("dup2");
	execl(path, "fluxd-api", role, "0", as, (char *)NULL);
	die(path);
	return -1;
}

static void
send_listener(struct script *s, enum ipc_listener_kind kind, int fd)
{
	const struct ipc_listener m = { .kind = kind, .fd = fd };

	(void)ipc_tell_listener(&s->peer, &m);
}

static void
send_start(struct script *s, const struct bed *b, const struct bed_options *o,
    const int fds[3])
{
	struct ipc_setting settings[] = {
		{ (char *)"sandbox", (char *)"relaxed" },
		{ (char *)"listen-group",
		    (char *)(uintptr_t)(o->group == NULL ? "" : o->group) },
		{ (char *)"listen-metrics",
		    (char *)(uintptr_t)(o->metrics_apart ? ":1" : "") },
	};
	const struct ipc_config config = { settings, nitems(settings), 0 };
	const struct ipc_go go = { 0 };

	(void)b;
	(void)ipc_tell_config(&s->peer, &config);
	send_listener(s, IPC_LISTEN_API, fds[0]);
	send_listener(s, IPC_LISTEN_UNIX, fds[1]);
	if (o->metrics_apart)
		send_listener(s, IPC_LISTEN_METRICS, fds[2]);
	(void)ipc_tell_go(&s->peer, &go);
}

static void FX_NORETURN
play_master(struct bed *b, const struct bed_options *o, const int fds[3],
    int stop)
{
	struct script s = { .asked = b->asked };
	int ch[2], status = 0;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ch) == -1 ||
	    fd_set_nonblock(ch[0]) != FX_OK || fd_set_nonblock(b->asked) != 0)
		die("socketpair");
	pid = spawn_worker(ch[1], o->uid);
	close(ch[1]);
	ipc_peer_init(&s.peer, ch[0], IPC_R_MASTER, IPC_R_API, 0);
	struct ipc_handler all[nitems(answers) + 1];
	for (size_t i = 0; i < nitems(answers); i++)
		all[i] = (struct ipc_handler){ answers[i].type, answer };
	all[nitems(answers)] =
	    (struct ipc_handler){ IPC_T_REPOSITORY, answer_for };
	ipc_peer_handlers(&s.peer, all, nitems(all), &s);
	s.peer.relay = answer_for;
	lists_init(&s.lists, b->asked);
	send_start(&s, b, o, fds);
	(void)!write(b->asked, &pid, sizeof(pid));
	serve(&s, stop);
	ipc_peer_close(&s.peer);
	if (waitpid(pid, &status, 0) != pid || !s.ready)
		status = 255 << 8;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

void
bed_start(struct bed *b, const struct bed_options *o)
{
	int fds[3], report_pipe[2], stop[2];

	*b = (struct bed){ 0 };
	fds[0] = listen_tcp(&b->port);
	fds[1] = listen_unix(b);
	fds[2] = listen_tcp(&b->metrics_port);
	if (pipe2(report_pipe, O_CLOEXEC) == -1 || pipe2(stop, O_CLOEXEC) == -1)
		die("pipe");
	fflush(stdout);
	b->master = fork();
	if (b->master == -1)
		die("fork");
	if (b->master == 0) {
		close(report_pipe[0]);
		close(stop[1]);
		b->asked = report_pipe[1];
		play_master(b, o, fds, stop[0]);
	}
	close(report_pipe[1]);
	close(stop[0]);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	b->asked = report_pipe[0];
	b->stop = stop[1];
	if (read(b->asked, &b->worker, sizeof(b->worker)) !=
	    (ssize_t)sizeof(b->worker))
		die("the worker did not start");
}

int
bed_stop(struct bed *b)
{
	int status = -1;

	close(b->stop);
	close(b->asked);
	if (waitpid(b->master, &status, 0) != b->master)
		die("waitpid");
	unlink(b->path);
	rmdir(b->dir);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- the client's side -------------------------------------------------- */

static void
set_timeout(int fd)
{
	const struct timeval ten = { .tv_sec = 10 };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ten, sizeof(ten));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &ten, sizeof(ten));
}

int
bed_connect(int port)
{
	const struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 ||
	    connect(fd, (const struct sockaddr *)&a, sizeof(a)) == -1)
		die("connect");
	set_timeout(fd);
	return fd;
}

int
bed_connect_unix(const struct bed *b)
{
	const struct sockaddr_un a = unix_address(b);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 ||
	    connect(fd, (const struct sockaddr *)&a, sizeof(a)) == -1)
		die("connect");
	set_timeout(fd);
	return fd;
}

ssize_t
bed_recv(int fd, void *to, size_t n)
{
	ssize_t got;

	while ((got = recv(fd, to, n, 0)) == -1 && errno == EINTR)
		continue;
	return got;
}

bool
bed_send(int fd, const void *from, size_t n)
{
	const char *p = from;

	while (n != 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent == -1 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

char *
bed_talk(int fd, const void *request, size_t n)
{
	struct buf b = BUF_INIT(64u << 20);
	char chunk[65536];
	ssize_t got;

	/* the worker may close before it has read all: that is an answer too */
	(void)bed_send(fd, request, n);
	while ((got = bed_recv(fd, chunk, sizeof(chunk))) > 0)
		if (buf_put(&b, chunk, (size_t)got) != FX_OK)
			break;
	if (got == -1 && errno == EAGAIN)
		(void)str_add(&b, "(timeout)");
	close(fd);
	return str_take(&b);
}

char *
bed_exchange(int port, const void *request, size_t n)
{
	return bed_talk(bed_connect(port), request, n);
}

char *
bed_read_answer(int fd, bool head_only)
{
	struct buf b = BUF_INIT(64u << 20);
	size_t want = 0; /* bytes in all; 0: not known yet */
	char c;

	while (want == 0 || buf_left(&b) < want) {
		if (bed_recv(fd, &c, 1) != 1) {
			buf_clear(&b);
			return NULL;
		}
		if (buf_put(&b, &c, 1) != FX_OK)
			die("a very long answer");
		size_t n = buf_left(&b);
		const char *text = (const char *)buf_head(&b);

		if (want != 0 || n < 4 || memcmp(text + n - 4, "\r\n\r\n", 4))
			continue;
		const char *len = memmem(text, n, "Content-Length: ", 16);
		want = n;
		if (len != NULL && !head_only)
			want += strtoul(len + 16, NULL, 10);
	}
	return str_take(&b);
}

static char *
asked_within(struct bed *b, int wait_ms)
{
	struct pollfd p = { .fd = b->asked, .events = POLLIN };
	struct buf line = BUF_INIT(1u << 20);
	char c;

	while (poll(&p, 1, wait_ms) == 1 && read(b->asked, &c, 1) == 1 &&
	    c != '\n')
		(void)str_addc(&line, c);
	return str_take(&line);
}

char *
bed_asked(struct bed *b)
{
	return asked_within(b, BED_WAIT_MS);
}

void
bed_forget_asked(struct bed *b)
{
	for (bool more = true; more;) {
		auto_free char *line = asked_within(b, BED_QUIET_MS);

		more = *line != '\0';
	}
}

bool
bed_asked_nothing(struct bed *b)
{
	auto_free char *line = asked_within(b, BED_QUIET_MS);

	if (*line != '\0')
		printf("# asked: %.200s\n", line);
	return *line == '\0';
}

long
bed_rss_kib(const struct bed *b)
{
	auto_free char *path = xasprintf("/proc/%d/status", (int)b->worker);
	FILE *f = fopen(path, "re");
	char line[256];
	long kib = -1;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (str_starts(line, "VmRSS:"))
			kib = strtol(line + 6, NULL, 10);
	if (f != NULL)
		fclose(f);
	return kib;
}

long
bed_fds(const struct bed *b)
{
	auto_free char *path = xasprintf("/proc/%d/fd", (int)b->worker);
	DIR *d = opendir(path);
	long n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n - 2;
}

bool
bed_fds_fall(const struct bed *b, long to)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int64_t end = clk_now_us() + BED_WAIT_MS * CLK_MS;

	while (bed_fds(b) > to && clk_now_us() < end)
		(void)nanosleep(&pause, NULL);
	return bed_fds(b) <= to;
}

long
bed_idle_fds(const struct bed *b)
{
	static const char kept[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd = bed_connect(b->port);
	long n;

	for (int i = 0; i < 3; i++) {
		auto_free char *r = NULL;

		if (!bed_send(fd, kept, strlen(kept)) ||
		    (r = bed_read_answer(fd, false)) == NULL)
			die("the worker does not answer");
	}
	n = bed_fds(b) - 1;
	close(fd);
	return n;
}
