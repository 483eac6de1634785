/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "sync_bed.h"

#include "fd.h"
#include "git_url.h"
#include "log.h"
#include "mark.h"
#include "resource_id.h"
#include "settings.h"
#include "str.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PASS_US (300 * CLK_SEC)
#define WAIT_US                                                                \
	(60 * CLK_SEC) /* for what a busy machine does in its own time */

static char *
need_env(const char *name)
{
	char *s = getenv(name);

	if (s == NULL)
		fx_bug("%s is not set: see tests/testbed/bed env", name);
	return s;
}

/* ---- the made-up repository -----------------------------------------------
 */

struct bed_res *
bed_add(struct bed *b, const char *api_version, const char *kind,
    const char *ns, const char *name, const char *rest)
{
	struct bed_res *r;

	b->res = xreallocarray(b->res, b->nres + 1, sizeof(*b->res));
	r = &b->res[b->nres];
	*r = (struct bed_res){ .api_version = xstrdup(api_version),
		.kind = xstrdup(kind),
		.ns = xstrdup(ns),
		.name = xstrdup(name),
		.rest = xstrdup(rest),
		.metadata = xstrdup(""),
		.annotations = xstrdup(""),
		.index = b->nres++ };
	return r;
}

struct bed_res *
bed_find(const struct bed *b, const char *name)
{
	for (size_t i = 0; i < b->nres; i++)
		if (strcmp(b->res[i].name, name) == 0)
			return &b->res[i];
	fx_bug("no %s", name);
}

void
bed_free_set(struct bed *b)
{
	for (size_t i = 0; i < b->nres; i++) {
		free(b->res[i].api_version);
		free(b->res[i].kind);
		free(b->res[i].ns);
		free(b->res[i].name);
		free(b->res[i].rest);
		free(b->res[i].metadata);
		free(b->res[i].annotations);
	}
	free(b->res);
	free(fx_steal(&b->url));
	free(fx_steal(&b->set_name));
	buf_clear(&b->log);
	b->res = NULL;
	b->nres = 0;
}

void
bed_commit(struct bed *b)
{
	b->set++;
}

static void
res_hash(const struct bed_res *r, char out[41])
{
	snprintf(out, 41, "%040x", r->version + 0x1000u);
}

/* As the worker finds it out from its settings. */
static const char *
set_name(struct bed *b)
{
	auto_free char *url = git_url_safe(b->url != NULL ? b->url : "");

	if (b->set_name == NULL)
		b->set_name = mark_set_name(url, "master", NULL, 0);
	return b->set_name;
}

char *
bed_mark(struct bed *b, const char *ns, const char *kind, const char *name)
{
	auto_free char *id = resource_id_make(ns, kind, name);

	return mark_of(set_name(b), id);
}

static void
res_body(struct bed *b, const struct bed_res *r, struct buf *out)
{
	auto_free char *mark = bed_mark(b, r->ns, r->kind, r->name);
	char hash[41];

	res_hash(r, hash);
	(void)str_addf(out,
	    "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{"
	    "\"name\":\"%s\"%s%s%s,\"labels\":{\"fluxcd.io/sync-gc-mark\":"
	    "\"%s\"},\"annotations\":{\"fluxcd.io/"
	    "sync-checksum\":\"%s\"%s}%s}%s}",
	    r->api_version, r->kind, r->name,
	    r->ns[0] != '\0' ? ",\"namespace\":\"" : "", r->ns,
	    r->ns[0] != '\0' ? "\"" : "", mark, hash, r->annotations,
	    r->metadata, r->rest);
}

/* ---- manifest -------------------------------------------------------------
 */

#define SET_PART 256

/* One part of the set, or its end.  What a delta would leave out is left to
 * the sets made anew: every base is answered with everything. */
static void
set_step(struct bed *b)
{
	struct ipc_set_entry e[SET_PART];
	char id[SET_PART][512], hash[SET_PART][41], mark[SET_PART][64];
	struct ipc_set_part part = { .entries = e };
	struct ipc_set_end end = { .set = b->set,
		.base = b->deltas ? b->set_base : 0 };
	size_t n = 0;

	for (; n < SET_PART && b->set_next < b->nres; b->set_next++) {
		const struct bed_res *r = &b->res[b->set_next];

		auto_free char *text =
		    resource_id_make(r->ns, r->kind, r->name);
		auto_free char *m = bed_mark(b, r->ns, r->kind, r->name);

		if (r->gone && end.base == 0)
			continue;
		snprintf(id[n], sizeof(id[n]), "%s", text);
		snprintf(mark[n], sizeof(mark[n]), "%s", m);
		res_hash(r, hash[n]);
		e[n] = (struct ipc_set_entry){ .index = r->index,
			.removed = r->gone,
			.id = id[n],
			.api_version = r->api_version,
			.kind = r->kind,
			.ns = r->ns,
			.name = r->name,
			.source = (char *)(uintptr_t) "test.yaml",
			.hash = hash[n],
			.mark = mark[n],
			.policy = r->ignored ? IPC_POLICY_IGNORE : 0 };
		n++;
	}
	part.entries_len = n;
	if (n > 0) {
		(void)ipc_reply_set_part(&b->set_req, &part);
		return;
	}
	for (size_t i = 0; i < b->nres; i++)
		end.count += !b->res[i].gone;
	(void)ipc_reply_set_end(&b->set_req, &end);
	b->set_req.type = 0;
}

/* One chunk of a body, or the end of them. */
static void
bodies_step(struct bed *b)
{
	struct ipc_chunk c = { .index = b->bodies_next };
	struct ipc_body_part part = { .chunks = &c, .chunks_len = 1 };
	struct ipc_bodies_end end = { 0 };

	if (b->bodies_next == b->wanted.indexes_len) {
		(void)ipc_reply_bodies_end(&b->bodies_req, &end);
		b->bodies_req.type = 0;
		ipc_bodies_clear(&b->wanted);
		return;
	}
	if (buf_left(&b->body) == 0) {
		buf_init(&b->body, 8u << 20);
		res_body(b, &b->res[b->wanted.indexes[b->bodies_next].n],
		    &b->body);
		b->bodies++;
	}
	c.data.p = (uint8_t *)(uintptr_t)buf_head(&b->body);
	c.data.n = buf_left(&b->body) > IPC_MAX_CHUNK ? IPC_MAX_CHUNK
						      : buf_left(&b->body);
	c.last = c.data.n == buf_left(&b->body);
	(void)ipc_reply_body_part(&b->bodies_req, &part);
	buf_skip(&b->body, c.data.n);
	if (c.last) {
		buf_clear(&b->body);
		b->bodies_next++;
	}
}

static void
answer_steps(struct bed *b)
{
	while (b->set_req.type != 0 && ipc_credit(&b->set_req))
		set_step(b);
	while (b->bodies_req.type != 0 && ipc_credit(&b->bodies_req))
		bodies_step(b);
}

/* ---- connector ------------------------------------------------------------
 */

static int
connect_to(const char *host, uint64_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == -1) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fd_set_nonblock(fd) != FX_OK)
		fx_bug("cannot make a socket non-blocking");
	return fd;
}

/* A connection whose other side never says a word. */
static int
silent_socket(void)
{
	static int keep[64];
	static size_t nkeep;
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == -1)
		fx_bug("socketpair");
	keep[nkeep++ % nitems(keep)] = sv[1];
	return sv[0];
}

static void
answer_connect(struct bed *b, const struct ipc_req *req,
    const struct ipc_connect *m)
{
	struct ipc_connected out = { .address =
					 (char *)(uintptr_t) "127.0.0.1" };

	b->connects++;
	out.fd = b->no_connect	? -1
	    : b->silent_connect ? silent_socket()
				: connect_to(m->host, m->port);
	if (out.fd == -1)
		(void)ipc_reply_failf(req, FX_ERETRY,
		    "dial tcp %s: connection refused", m->host);
	else
		(void)ipc_reply_connected(req, &out);
}

/* What goes through the master to somebody else comes here. */
static int
on_relay(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	struct bed *b = ctx;
	struct ipc_req req = { p, f->seq, f->type };
	int r = FX_OK;

	if (f->type == IPC_T_CONNECT) {
		struct ipc_connect m;

		if ((r = ipc_connect_decode(&f->body, &m, &f->fd)) != FX_OK)
			return r;
		answer_connect(b, &req, &m);
		ipc_connect_clear(&m);
	} else if (f->type == IPC_T_SET) {
		struct ipc_set m;

		if ((r = ipc_set_decode(&f->body, &m, &f->fd)) != FX_OK)
			return r;
		b->set_req = req;
		b->set_base = m.base;
		b->set_next = 0;
		b->full_sets++;
	} else if (f->type == IPC_T_BODIES) {
		struct ipc_bodies m;

		if ((r = ipc_bodies_decode(&f->body, &m, &f->fd)) != FX_OK)
			return r;
		if (b->no_bodies) {
			ipc_bodies_clear(&m);
			return ipc_reply_failf(&req, FX_ERETRY,
			    "manifest ended");
		}
		b->bodies_req = req;
		b->bodies_next = 0;
		b->wanted = m;
	}
	return r;
}

/* ---- master ---------------------------------------------------------------
 */

static int
on_ready(struct bed *b, const struct ipc_req *req, struct ipc_ready *m)
{
	(void)req;
	(void)m;
	b->is_ready = true;
	b->peer.phase = IPC_PH_RUN;
	return FX_OK;
}
IPC_HANDLER(ready, on_ready, struct bed)

static int
on_log(struct bed *b, const struct ipc_req *req, struct ipc_log *m)
{
	struct log_pair pairs[LOG_PAIRS_MAX];
	struct buf out = BUF_INIT(sizeof(b->last_log) - 1);
	auto_free char *s = NULL;

	(void)req;
	for (size_t i = 0; i < m->pairs_len; i++)
		(void)str_addf(&out, "%s=%s ", m->pairs[i].key,
		    m->pairs[i].value);
	s = str_take(&out);
	snprintf(b->last_log, sizeof(b->last_log), "%s", s);
	printf("# log: %s\n", s);
	for (size_t i = 0; i < m->pairs_len && i < nitems(pairs); i++)
		pairs[i] = (struct log_pair){ m->pairs[i].key,
			m->pairs[i].value, (enum log_kind)m->pairs[i].kind };
	logfmt_add_fmt(&b->log, pairs, m->pairs_len);
	return FX_OK;
}
IPC_HANDLER(log, on_log, struct bed)

static int
on_metric(struct bed *b, const struct ipc_req *req, struct ipc_metric *m)
{
	(void)b;
	(void)req;
	(void)m;
	return FX_OK;
}
IPC_HANDLER(metric, on_metric, struct bed)

static int
on_endpoint(struct bed *b, const struct ipc_req *req, struct ipc_endpoint *m)
{
	(void)b;
	(void)req;
	(void)m;
	return FX_OK;
}
IPC_HANDLER(endpoint, on_endpoint, struct bed)

static int
on_no_endpoint(struct bed *b, const struct ipc_req *req,
    struct ipc_no_endpoint *m)
{
	(void)b;
	(void)req;
	(void)m;
	return FX_OK;
}
IPC_HANDLER(no_endpoint, on_no_endpoint, struct bed)

static int
on_paths_named(struct bed *b, const struct ipc_req *req,
    struct ipc_paths_named *m)
{
	(void)req;
	for (size_t i = 0; i < m->paths_len; i++)
		b->paths[b->npaths++] = fx_steal(&m->paths[i].s);
	return FX_OK;
}
IPC_HANDLER(paths_named, on_paths_named, struct bed)

static const char *
path_of(const struct bed *b, uint64_t which)
{
	if (which >= IPC_FILE_NAMED && which - IPC_FILE_NAMED < b->npaths)
		return b->paths[which - IPC_FILE_NAMED];
	return which == IPC_FILE_SA_TOKEN ? getenv("BED_TOKEN_FILE") : NULL;
}

static int
on_reopen(struct bed *b, const struct ipc_req *req, struct ipc_reopen *m)
{
	const char *path = path_of(b, m->which);
	struct ipc_reopened out = {
		.fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC)
	};

	if (out.fd == -1)
		return ipc_reply_failf(req, FX_ESYS, "open %s: not found",
		    path == NULL ? "?" : path);
	return ipc_reply_reopened(req, &out);
}
IPC_HANDLER(reopen, on_reopen, struct bed)

static int
on_auto_repaired(void *arg, struct ipc_frame *f)
{
	struct bed *b = arg;
	struct ipc_repaired m;

	if (f == NULL || f->type != IPC_T_REPAIRED)
		return FX_OK;
	if (ipc_repaired_decode(&f->body, &m, &f->fd) == FX_OK)
		b->repaired += m.patched;
	return FX_OK;
}

static int
on_drift(struct bed *b, const struct ipc_req *req, struct ipc_drift *m)
{
	struct ipc_repair ask = { 0 };

	(void)req;
	(void)m;
	b->drift++;
	if (b->auto_repair)
		(void)ipc_ask_repair(&b->peer, &ask, on_auto_repaired, b);
	return FX_OK;
}
IPC_HANDLER(drift, on_drift, struct bed)

static const struct ipc_handler handlers[] = {
	{ IPC_T_READY, on_ready_frame },
	{ IPC_T_LOG, on_log_frame },
	{ IPC_T_METRIC, on_metric_frame },
	{ IPC_T_ENDPOINT, on_endpoint_frame },
	{ IPC_T_NO_ENDPOINT, on_no_endpoint_frame },
	{ IPC_T_PATHS_NAMED, on_paths_named_frame },
	{ IPC_T_REOPEN, on_reopen_frame },
	{ IPC_T_DRIFT, on_drift_frame },
};

static void
on_channel(struct loop *l, int fd, short revents, void *arg)
{
	struct bed *b = arg;

	(void)l;
	(void)fd;
	if ((revents & POLLOUT) && ipc_peer_write(&b->peer) != FX_OK)
		b->closed = true;
	if (!(revents & (POLLIN | POLLHUP | POLLERR)))
		return;
	if (ipc_peer_read(&b->peer, 64) != FX_OK) {
		printf("# channel: %s\n", b->peer.broken.text);
		b->closed = true;
	}
}

static void
turn(struct bed *b, int64_t max_us)
{
	if (b->closed)
		return;
	answer_steps(b);
	if (ipc_peer_write(&b->peer) != FX_OK)
		b->closed = true;
	loop_events(b->channel, ipc_peer_events(&b->peer));
	loop_turn(b->loop, ipc_peer_pending(&b->peer) ? 0 : max_us);
	if (ipc_peer_pending(&b->peer))
		on_channel(b->loop, b->peer.fd, POLLIN, b);
}

static void
give_file(struct bed *b, enum ipc_file_id which, const char *path)
{
	struct ipc_file m = { .which = which, .fd = open(path, O_RDONLY) };

	if (m.fd == -1)
		fx_bug("cannot open %s", path);
	(void)ipc_tell_file(&b->peer, &m);
}

static void
start_process(struct bed *b)
{
	const char *dir = need_env("FX_BUILDDIR");
	auto_free char *path = xasprintf("%s/fluxd-sync", dir);
	char role[16];
	int sv[2];

	snprintf(role, sizeof(role), "%d", IPC_R_SYNC);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		fx_bug("socketpair");
	b->pid = fork();
	if (b->pid == 0) {
		dup2(sv[1], 3);
		execl(path, path, role, "0", "-1", (char *)NULL);
		_exit(127);
	}
	close(sv[1]);
	if (fd_set_nonblock(sv[0]) != FX_OK)
		fx_bug("cannot make a socket non-blocking");
	ipc_peer_init(&b->peer, sv[0], IPC_R_MASTER, IPC_R_SYNC, 0);
}

void
bed_start(struct bed *b, const char *kubeconfig, const char *server,
    const char *token, const char *ca, const char *setting, const char *value)
{
	struct ipc_setting s[4 + BED_SETTINGS] = {
		{ (char *)(uintptr_t) "k8s-api-server",
		    (char *)(uintptr_t)(server != NULL ? server : "") },
		{ (char *)(uintptr_t) "sync-timeout",
		    (char *)(uintptr_t) "10s" },
		{ (char *)(uintptr_t)setting, (char *)(uintptr_t)value },
	};
	struct ipc_config cfg = { .settings = s,
		.settings_len = setting != NULL ? 3 : 2 };
	struct ipc_go go = { 0 };
	int64_t until_us;

	if (b->url != NULL)
		s[cfg.settings_len++] =
		    (struct ipc_setting){ (char *)(uintptr_t) "git-url",
			    b->url };
	for (size_t i = 0; i < b->nsettings; i++)
		s[cfg.settings_len++] = b->settings[i];
	buf_clear(&b->log);
	buf_init(&b->log, 4u << 20);
	if (b->set == 0)
		b->set = 1;
	b->closed = b->is_ready = false;
	b->set_req.type = b->bodies_req.type = 0;
	ipc_bodies_clear(&b->wanted);
	buf_clear(&b->body);
	b->npaths = 0;
	b->loop = loop_new();
	start_process(b);
	ipc_peer_handlers(&b->peer, handlers, nitems(handlers), b);
	b->peer.relay = on_relay;
	b->channel = loop_add(b->loop, b->peer.fd, POLLIN, on_channel, b);
	(void)ipc_tell_config(&b->peer, &cfg);
	if (kubeconfig != NULL)
		give_file(b, IPC_FILE_KUBECONFIG, kubeconfig);
	if (token != NULL)
		give_file(b, IPC_FILE_SA_TOKEN, token);
	if (ca != NULL)
		give_file(b, IPC_FILE_SA_CA, ca);
	(void)ipc_tell_go(&b->peer, &go);
	until_us = clk_now_us() + WAIT_US;
	while (!b->is_ready && !b->closed && clk_now_us() < until_us)
		turn(b, 10 * CLK_MS);
}

void
bed_set(struct bed *b, const char *setting, const char *value)
{
	if (b->nsettings == BED_SETTINGS)
		fx_bug("too many settings");
	b->settings[b->nsettings++] =
	    (struct ipc_setting){ (char *)(uintptr_t)setting,
		    (char *)(uintptr_t)value };
}

unsigned
bed_logged(const struct bed *b, const char *text)
{
	const char *p = (const char *)buf_head(&b->log);
	const char *end = p + buf_left(&b->log);
	size_t n = strlen(text);
	unsigned found = 0;

	while (p != NULL && p < end &&
	    (p = memmem(p, (size_t)(end - p), text, n)) != NULL) {
		found++;
		p += n;
	}
	return found;
}

static int
end_process(struct bed *b)
{
	int status = 0;

	loop_del(b->loop, &b->channel);
	ipc_peer_close(&b->peer);
	waitpid(b->pid, &status, 0);
	for (size_t i = 0; i < b->npaths; i++)
		free(b->paths[i]);
	b->npaths = 0;
	loop_free(&b->loop);
	return status;
}

void
bed_stop(struct bed *b)
{
	int status = end_process(b);

	/* killed by its own filter, or by a sanitizer's finding */
	if (status != 0) {
		printf("# fluxd-sync ended with status 0x%x\n", status);
		b->bad_ends++;
	}
}

void
bed_serve(struct bed *b, int64_t span_us)
{
	int64_t end = clk_now_us() + span_us;

	while (clk_now_us() < end && !b->closed)
		turn(b, 10 * CLK_MS);
}

bool
bed_wait(struct bed *b, const uint64_t *what, uint64_t wanted, int64_t span_us)
{
	int64_t end = clk_now_us() + span_us;

	while (*what < wanted && clk_now_us() < end && !b->closed)
		turn(b, 10 * CLK_MS);
	return *what >= wanted;
}

bool
bed_wait_log(struct bed *b, const char *text, int64_t span_us)
{
	int64_t end = clk_now_us() + span_us;

	while (strstr(b->last_log, text) == NULL && clk_now_us() < end &&
	    !b->closed)
		turn(b, 10 * CLK_MS);
	return strstr(b->last_log, text) != NULL;
}

/* ---- questions ------------------------------------------------------------
 */

static void
add_errors(struct bed_result *res, const struct ipc_sync_error *e, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(res->errors);

		snprintf(res->errors + len, sizeof(res->errors) - len,
		    "%s: %s; ", e[i].id, e[i].text);
	}
	res->nerrors += n;
}

static int
on_result(void *arg, struct ipc_frame *f)
{
	struct bed_result *res = arg;
	struct ipc_apply_errors ae;
	struct ipc_repair_errors re;
	int r = FX_OK;

	if (f != NULL && f->type == IPC_T_APPLY_ERRORS) {
		r = ipc_apply_errors_decode(&f->body, &ae, &f->fd);
		if (r == FX_OK)
			add_errors(res, ae.errors, ae.errors_len);
		ipc_apply_errors_clear(&ae);
		return r;
	}
	if (f != NULL && f->type == IPC_T_REPAIR_ERRORS) {
		r = ipc_repair_errors_decode(&f->body, &re, &f->fd);
		if (r == FX_OK)
			add_errors(res, re.errors, re.errors_len);
		ipc_repair_errors_clear(&re);
		return r;
	}
	res->done = true;
	if (ipc_take_failed(f, &res->err) != FX_OK)
		return FX_OK;
	return f->type == IPC_T_APPLIED
	    ? ipc_applied_decode(&f->body, &res->applied, &f->fd)
	    : ipc_repaired_decode(&f->body, &res->repaired, &f->fd);
}

static struct bed_result
wait_result(struct bed *b, struct bed_result *res)
{
	int64_t end = clk_now_us() + PASS_US;

	while (!res->done && !b->closed && clk_now_us() < end)
		turn(b, 10 * CLK_MS);
	return *res;
}

/* What a pass costs, for whoever reads the log of the test. */
static void
print_cost(const struct bed *b, int64_t began_us)
{
	auto_free char *path = xasprintf("/proc/%d/smaps_rollup", (int)b->pid);
	FILE *f = fopen(path, "r");
	char line[256];
	long pss = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (str_starts(line, "Pss:"))
			pss = strtol(line + 4, NULL, 10);
	if (f != NULL)
		fclose(f);
	printf("# pass: %lld ms, PSS %ld kB\n",
	    (long long)(clk_now_us() - began_us) / CLK_MS, pss);
}

struct bed_result
bed_apply(struct bed *b)
{
	struct bed_result res = { 0 };
	struct ipc_apply m = { .set = b->set, .incomplete = b->incomplete };
	int64_t began_us = clk_now_us();

	(void)ipc_ask_apply(&b->peer, &m, on_result, &res);
	(void)wait_result(b, &res);
	print_cost(b, began_us);
	return res;
}

struct bed_result
bed_apply_until(struct bed *b, bool (*is_it)(const struct bed_result *))
{
	int64_t end = clk_now_us() + WAIT_US;
	struct bed_result res = bed_apply(b);

	while (!is_it(&res) && !b->closed && clk_now_us() < end) {
		bed_serve(b, 50 * CLK_MS);
		res = bed_apply(b);
	}
	return res;
}

void
bed_apply_killed(struct bed *b, int64_t after_us)
{
	struct bed_result res = { 0 };
	struct ipc_apply m = { .set = b->set, .incomplete = b->incomplete };

	(void)ipc_ask_apply(&b->peer, &m, on_result, &res);
	bed_serve(b, after_us);
	kill(b->pid, SIGKILL);
	printf("# killed %s the end of the pass\n",
	    res.done ? "after" : "before");
	(void)end_process(b);
	/* what it had asked for has been done by now, or never will be */
	(void)bed_audit_mark();
}

struct bed_result
bed_repair(struct bed *b)
{
	struct bed_result res = { 0 };
	struct ipc_repair m = { 0 };

	(void)ipc_ask_repair(&b->peer, &m, on_result, &res);
	return wait_result(b, &res);
}

struct answer_text {
	bool done;
	int n;
	char *out;
	size_t size;
};

static int
on_scopes(void *arg, struct ipc_frame *f)
{
	struct answer_text *a = arg;
	struct ipc_scopes_are m;
	struct fx_err err = { 0 };

	a->done = true;
	a->n = -1;
	if (ipc_take_failed(f, &err) != FX_OK) {
		snprintf(a->out, a->size, "%s", err.text);
		return FX_OK;
	}
	if (ipc_scopes_are_decode(&f->body, &m, &f->fd) != FX_OK)
		return FX_ESYNTAX;
	a->n = (int)m.scopes[0].scope;
	snprintf(a->out, a->size, "%s", m.scopes[0].why);
	ipc_scopes_are_clear(&m);
	return FX_OK;
}

int
bed_scope(struct bed *b, const char *api_version, const char *kind, char *why,
    size_t size)
{
	struct ipc_kind k = { (char *)(uintptr_t)api_version,
		(char *)(uintptr_t)kind };
	struct ipc_scopes m = { .kinds = &k, .kinds_len = 1 };
	struct answer_text a = { .out = why, .size = size };

	(void)ipc_ask_scopes(&b->peer, &m, on_scopes, &a);
	while (!a.done && !b->closed)
		turn(b, 10 * CLK_MS);
	return a.n;
}

static int
on_cluster(void *arg, struct ipc_frame *f)
{
	struct answer_text *a = arg;
	struct ipc_cluster_is m;
	struct fx_err err = { 0 };

	a->done = true;
	a->n = ipc_take_failed(f, &err);
	if (a->n != FX_OK) {
		snprintf(a->out, a->size, "%s", err.text);
		return FX_OK;
	}
	if (ipc_cluster_is_decode(&f->body, &m, &f->fd) != FX_OK)
		return FX_ESYNTAX;
	snprintf(a->out, a->size, "%s %s", m.host, m.version);
	ipc_cluster_is_clear(&m);
	return FX_OK;
}

int
bed_cluster(struct bed *b, char *out, size_t size)
{
	struct ipc_cluster m = { 0 };
	struct answer_text a = { .out = out, .size = size };

	out[0] = '\0';
	(void)ipc_ask_cluster(&b->peer, &m, on_cluster, &a);
	while (!a.done && !b->closed)
		turn(b, 10 * CLK_MS);
	return a.n;
}

/* ---- the cluster, from outside --------------------------------------------
 */

static char *command_line(const char *fmt, va_list ap) FX_PRINTF(1, 0);

static char *
command_line(const char *fmt, va_list ap)
{
	char args[4096];

	vsnprintf(args, sizeof(args), fmt, ap);
	return xasprintf("%s --kubeconfig=%s %s", need_env("BED_KUBECTL"),
	    need_env("BED_KUBECONFIG"), args);
}

long
bed_rss_kb(const struct bed *b)
{
	auto_free char *path = xasprintf("/proc/%d/statm", (int)b->pid);
	FILE *f = fopen(path, "r");
	long size, rss = 0;

	if (f == NULL || fscanf(f, "%ld %ld", &size, &rss) != 2)
		rss = -1;
	if (f != NULL)
		fclose(f);
	return rss * (getpagesize() / 1024);
}

bool
bed_kubectl(const char *fmt, ...)
{
	auto_free char *cmd = NULL;
	auto_free char *quiet = NULL;
	va_list ap;

	va_start(ap, fmt);
	cmd = command_line(fmt, ap);
	va_end(ap);
	quiet = xasprintf("%s >/dev/null 2>&1 </dev/null", cmd);
	return system(quiet) == 0;
}

char *
bed_kubectl_get(const char *fmt, ...)
{
	struct buf out = BUF_INIT(1u << 20);
	auto_free char *cmd = NULL;
	char chunk[4096];
	va_list ap;
	size_t n;
	FILE *p;

	va_start(ap, fmt);
	cmd = command_line(fmt, ap);
	va_end(ap);
	p = popen(cmd, "r");
	if (p == NULL)
		fx_bug("popen");
	while ((n = fread(chunk, 1, sizeof(chunk), p)) > 0)
		(void)str_addn(&out, chunk, n);
	pclose(p);
	return str_take(&out);
}

/* Is the text in what was written to the log from there on? */
static bool
log_has_since(FILE *f, long from, const char *text)
{
	char *line = NULL;
	size_t cap = 0;
	bool found = false;

	fseek(f, from, SEEK_SET);
	while (!found && getline(&line, &cap, f) > 0)
		found = strstr(line, text) != NULL;
	free(line);
	return found;
}

/* The answer to a request is out before its line is in the log: a request of
 * our own closes the gap.  The log, with what has been asked up to now. */
static FILE *
settled_log(void)
{
	static unsigned asked;
	auto_free char *mark =
	    xasprintf("bed-settle-%d-%u", (int)getpid(), asked++);
	auto_free char *cmd =
	    xasprintf("curl -sf --noproxy '*' --cacert '%s' -A %s -o /dev/null "
		      "-H \"Authorization: Bearer $BED_API_TOKEN\" "
		      "'%s/version'",
		need_env("BED_API_CA"), mark, need_env("BED_API_URL"));
	FILE *f = fopen(need_env("BED_AUDIT_LOG"), "r");
	int64_t end = clk_now_us() + WAIT_US;
	long from;

	if (f == NULL)
		fx_bug("no audit log");
	fseek(f, 0, SEEK_END);
	from = ftell(f);
	if (system(cmd) != 0)
		fx_bug("the API server does not answer");
	while (!log_has_since(f, from, mark)) {
		if (clk_now_us() >= end)
			fx_bug("a request does not get into the audit log");
		usleep(10000);
	}
	return f;
}

long
bed_audit_mark(void)
{
	FILE *f = settled_log();
	long at;

	fseek(f, 0, SEEK_END);
	at = ftell(f);
	fclose(f);
	return at;
}

/* Lines of fluxd since the mark that have the first text, or have not (absent),
 * and the second. */
static unsigned
audit_lines(long mark, const char *a, bool absent, const char *b)
{
	FILE *f = settled_log();
	char *line = NULL;
	size_t cap = 0;
	unsigned n = 0;

	fseek(f, mark, SEEK_SET);
	while (getline(&line, &cap, f) > 0)
		if (strstr(line, "\"userAgent\":\"fluxd/") != NULL &&
		    strstr(line, "\"stage\":\"ResponseStarted\"") == NULL &&
		    (strstr(line, a) == NULL) == absent &&
		    strstr(line, b) != NULL)
			n++;
	free(line);
	fclose(f);
	return n;
}

unsigned
bed_audit(long mark, const char *verb, const char *resource)
{
	char v[64], r[128];

	snprintf(v, sizeof(v), "\"verb\":\"%s\"",
	    verb != NULL ? verb : "watch");
	snprintf(r, sizeof(r), resource != NULL ? "\"resource\":\"%s\"" : "%s",
	    resource != NULL ? resource : "");
	return audit_lines(mark, v, verb == NULL, r);
}

unsigned
bed_audit_conflicts(long mark, const char *verb)
{
	char v[64];

	snprintf(v, sizeof(v), "\"verb\":\"%s\"", verb);
	return audit_lines(mark, v, false, "\"code\":409");
}
