/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "sw.h"

#include "fd.h"
#include "log.h"
#include "str.h"

#include <stdio.h>

#define CONNECT_US (30 * CLK_SEC)
#define TOKEN_FRESH_US CLK_MIN /* projected tokens are replaced in time */
#define REOPEN_AGAIN_US (CLK_SEC + 50 * CLK_MS) /* the master's limit */
#define LOGIN_HEADERS (KC_WORDS_MAX + 8)

static void ask_file(struct sw_source *);

/* From now on every request is answered with this. */
static void
die(struct sw *sw, const struct fx_err *err)
{
	sw->dead = *err;
	log_at(LVL_ERROR, KS("err", err->text));
}

/* ---- the connector ---------------------------------------------------- */

struct connect_ask {
	struct sw *sw;
	enum client_lane lane;
};

static int
on_connected(void *arg, struct ipc_frame *f)
{
	struct connect_ask *ask = arg;
	struct client *c = ask->sw->cluster->client;
	enum client_lane lane = ask->lane;
	struct ipc_connected m;
	struct fx_err err = { 0 };
	int r = FX_OK;

	free(ask);
	if (ipc_take_failed(f, &err) != FX_OK) {
		client_not_connected(c, lane, &err);
		return FX_OK;
	}
	r = ipc_connected_decode(&f->body, &m, &f->fd);
	if (r != FX_OK)
		return r;
	client_connected(c, lane, m.fd, m.address);
	m.fd = -1;
	ipc_connected_clear(&m);
	return FX_OK;
}

void
login_connect(void *arg, enum client_lane lane)
{
	struct sw *sw = arg;
	struct ipc_connect m = { .host = sw->login.url.host,
		.port = sw->login.url.port,
		.timeout_ms = CONNECT_US / CLK_MS };
	struct connect_ask *ask = xcalloc(1, sizeof(*ask));
	struct fx_err err = { 0 };

	*ask = (struct connect_ask){ sw, lane };
	if (ipc_ask_connect(&sw->w->master, &m, on_connected, ask) != 0)
		return;
	free(ask);
	fx_fail(&err, FX_EAGAIN, "too many requests wait already");
	client_not_connected(sw->cluster->client, lane, &err);
}

/* ---- headers ---------------------------------------------------------- */

static void
add_header(char **headers, size_t *n, const char *name, const char *value)
{
	if (value != NULL && *n < LOGIN_HEADERS)
		headers[(*n)++] = xasprintf("%s: %s", name, value);
}

/* A header's value may not hold what would begin another one. */
static bool
is_header_value(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return true;
}

static bool
headers_are_clean(char **headers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_header_value(headers[i], strlen(headers[i])))
			return false;
	return true;
}

static void
send_login(struct sw *sw)
{
	const struct kubeconfig *kc = &sw->login.kc;
	char *headers[LOGIN_HEADERS];
	struct fx_err err = { 0 };
	char *auth = NULL;
	size_t n = 0;

	/* who we are is nobody's business on a plain connection */
	if (sw->login.url.tls)
		auth = kubeconfig_authorization(kc);
	add_header(headers, &n, "Authorization", auth);
	add_header(headers, &n, "Impersonate-User", kc->as);
	add_header(headers, &n, "Impersonate-Uid", kc->as_uid);
	for (size_t i = 0; i < kc->as_groups.n; i++)
		add_header(headers, &n, "Impersonate-Group",
		    kc->as_groups.v[i]);
	if (headers_are_clean(headers, n)) {
		client_login(sw->cluster->client, (const char *const *)headers,
		    n);
	} else {
		fx_fail(&err, FX_ESYNTAX,
		    "the API server's credentials hold a control character");
		die(sw, &err);
	}
	for (size_t i = 0; i < n; i++) {
		explicit_bzero(headers[i], strlen(headers[i]));
		free(headers[i]);
	}
	if (auth != NULL)
		explicit_bzero(auth, strlen(auth));
	free(auth);
}

/* ---- files ------------------------------------------------------------ */

static struct kc_file *
file_of(struct sw *sw, size_t i)
{
	struct kubeconfig *kc = &sw->login.kc;
	struct kc_file *const files[] = {
		[SW_FILE_CA] = &kc->ca,
		[SW_FILE_CERT] = &kc->cert,
		[SW_FILE_KEY] = &kc->key,
		[SW_FILE_TOKEN] = &kc->token,
	};

	return files[i];
}

static const char *
file_name(size_t i)
{
	static const char *const names[] = {
		[SW_FILE_CA] = "certificate authority",
		[SW_FILE_CERT] = "client certificate",
		[SW_FILE_KEY] = "client key",
		[SW_FILE_TOKEN] = "token",
	};

	return names[i];
}

static int
trust_files(struct sw *sw, struct fx_err *err)
{
	struct kubeconfig *kc = &sw->login.kc;
	struct tls *tls = client_tls(sw->cluster->client);
	auto_buf struct buf bundle = BUF_INIT(8u << 20);

	if (!sw->login.url.tls || kc->insecure)
		return FX_OK;
	if (buf_left(&kc->ca.data) > 0) {
		if (tls_trust(tls, &kc->ca.data, err) != FX_OK)
			return fx_wrap(err, "certificate authority");
		return FX_OK;
	}
	/* nothing said: whom the system believes */
	if (sw->login.bundle == -1 ||
	    worker_read_all(sw->w, sw->login.bundle, &bundle) != FX_OK)
		return fx_fail(err, FX_EFAIL,
		    "the kubeconfig names no certificate authority and the "
		    "system has no bundle of them");
	return tls_trust(tls, &bundle, err);
}

static int
be_somebody(struct sw *sw, struct fx_err *err)
{
	struct kubeconfig *kc = &sw->login.kc;

	if (buf_left(&kc->cert.data) == 0 && buf_left(&kc->key.data) == 0)
		return FX_OK;
	return tls_identity(client_tls(sw->cluster->client), &kc->cert.data,
	    &kc->key.data, err);
}

/* Is everything there that was waited for?  Then requests may go. */
static void
check_files(struct sw *sw)
{
	struct fx_err err = { 0 };

	for (size_t i = 0; i < SW_FILE_COUNT; i++)
		if (sw->login.files[i].pending)
			return;
	if (!sw->login.up &&
	    (trust_files(sw, &err) != FX_OK ||
		be_somebody(sw, &err) != FX_OK)) {
		die(sw, &err);
		return;
	}
	sw->login.up = true;
	fd_close(&sw->login.bundle);
	send_login(sw);
	if (sw->login.files[SW_FILE_TOKEN].wanted)
		loop_timer_in(sw->w->loop, &sw->login.timer, TOKEN_FRESH_US);
}

static size_t
index_of(const struct sw_source *src)
{
	return (size_t)(src - src->sw->login.files);
}

/* Take the content of an open file; keep what we had if there is none. */
static void
take_content(struct sw_source *src, int fd)
{
	struct sw *sw = src->sw;
	size_t i = index_of(src);
	struct kc_file *file = file_of(sw, i);
	struct buf content = BUF_INIT(KC_SECRET_MAX);
	struct fx_err err = { 0 };

	src->pending = false;
	if (worker_read_all(sw->w, fd, &content) == FX_OK &&
	    buf_left(&content) > 0) {
		buf_wipe(&file->data);
		file->data = content;
	} else {
		buf_wipe(&content);
		if (buf_left(&file->data) == 0) {
			fx_fail(&err, FX_EFAIL, "%s: empty, or too large",
			    file_name(i));
			die(sw, &err);
			return;
		}
	}
	check_files(sw);
}

static void
not_opened(struct sw_source *src, const struct fx_err *err)
{
	struct sw *sw = src->sw;
	struct fx_err e = *err;
	size_t i = index_of(src);

	if (e.code == FX_EAGAIN || e.code == FX_ERETRY) {
		loop_timer_in(sw->w->loop, &src->timer, REOPEN_AGAIN_US);
		return;
	}
	src->pending = false;
	if (buf_left(&file_of(sw, i)->data) == 0) {
		fx_wrap(&e, "API server's %s", file_name(i));
		die(sw, &e);
		return;
	}
	log_at(LVL_WARN, KS("warning", "keeping the API server's old token"),
	    KS("err", e.text));
	check_files(sw);
}

static int
on_reopened(void *arg, struct ipc_frame *f)
{
	struct sw_source *src = arg;
	struct ipc_reopened m;
	struct fx_err err = { 0 };
	int r;

	if (f == NULL)
		return FX_OK; /* the channel is closed: the end */
	if (ipc_take_failed(f, &err) != FX_OK) {
		not_opened(src, &err);
		return FX_OK;
	}
	r = ipc_reopened_decode(&f->body, &m, &f->fd);
	if (r != FX_OK)
		return r;
	take_content(src, m.fd);
	ipc_reopened_clear(&m);
	return FX_OK;
}

static void
ask_file(struct sw_source *src)
{
	struct ipc_reopen m = { .which = src->which };

	src->pending = true;
	if (ipc_ask_reopen(&src->sw->w->master, &m, on_reopened, src) == 0)
		loop_timer_in(src->sw->w->loop, &src->timer, REOPEN_AGAIN_US);
}

static void
on_file_timer(struct loop *l, void *arg)
{
	(void)l;
	ask_file(arg);
}

/* ---- fresh tokens ----------------------------------------------------- */

static void
on_token_timer(struct loop *l, void *arg)
{
	struct sw *sw = arg;

	(void)l;
	if (!sw->login.files[SW_FILE_TOKEN].pending)
		ask_file(&sw->login.files[SW_FILE_TOKEN]);
}

void
login_renew(void *arg)
{
	struct sw *sw = arg;
	struct sw_source *src = &sw->login.files[SW_FILE_TOKEN];

	/* what cannot change is sent once more, and then refused for good */
	if (!src->wanted)
		send_login(sw);
	else if (!src->pending)
		ask_file(src);
}

/* ---- start ------------------------------------------------------------ */

/* Files that the kubeconfig names are opened by their number in this list. */
static void
name_files(struct sw *sw)
{
	struct ipc_text paths[SW_FILE_COUNT];
	struct ipc_paths_named m = { .paths = paths };

	for (size_t i = 0; i < SW_FILE_COUNT; i++) {
		struct kc_file *file = file_of(sw, i);

		/* data wins over a file, but a token's file over its data */
		if (file->path == NULL ||
		    (i != SW_FILE_TOKEN && buf_left(&file->data) > 0))
			continue;
		sw->login.files[i].wanted = true;
		sw->login.files[i].which = IPC_FILE_NAMED + m.paths_len;
		paths[m.paths_len++].s = file->path;
	}
	if (m.paths_len > 0)
		(void)ipc_tell_paths_named(&sw->w->master, &m);
}

static void
want_account(struct sw *sw)
{
	struct sw_login *l = &sw->login;

	l->files[SW_FILE_TOKEN].wanted = l->files[SW_FILE_CA].wanted = true;
	l->files[SW_FILE_TOKEN].which = IPC_FILE_SA_TOKEN;
	l->files[SW_FILE_CA].which = IPC_FILE_SA_CA;
}

static int
read_kubeconfig(struct sw *sw, struct fx_err *err)
{
	struct buf text = BUF_INIT(KC_FILE_MAX);
	auto_fd int fd = worker_take_file(sw->w, IPC_FILE_KUBECONFIG);
	struct kc_source source = { 0 };
	int r;

	r = fd == -1 ? FX_OK : worker_read_all(sw->w, fd, &text);
	source.text = buf_head(&text);
	source.n = buf_left(&text);
	if (r != FX_OK)
		fx_fail(err, r, "cannot be read, or is too large");
	else
		r = kubeconfig_parse(&sw->login.kc, &source, 1, NULL, err);
	if (r == FX_OK)
		r = kubeconfig_for_daemon(&sw->login.kc, err);
	buf_wipe(&text);
	return r == FX_OK ? FX_OK : fx_wrap(err, "kubeconfig");
}

static int
find_server(struct sw *sw, struct fx_err *err)
{
	struct sw_login *l = &sw->login;
	const char *server;

	if (read_kubeconfig(sw, err) != FX_OK)
		return err->code;
	l->in_cluster = l->kc.server == NULL;
	server = l->in_cluster ? sw->w->cfg.k8s_api_server : l->kc.server;
	if (server == NULL || server[0] == '\0')
		return fx_fail(err, FX_EFAIL,
		    "invalid configuration: no configuration has been "
		    "provided, try setting KUBERNETES_MASTER environment "
		    "variable");
	return kubeconfig_url(server, &l->url, err);
}

static void
get_file(struct sw *sw, size_t i)
{
	struct sw_source *src = &sw->login.files[i];
	auto_fd int fd = -1;

	if (!src->wanted)
		return;
	src->pending = true;
	if (src->which < IPC_FILE_COUNT)
		fd = worker_take_file(sw->w, (enum ipc_file_id)src->which);
	if (fd == -1)
		ask_file(src);
	else
		take_content(src, fd);
}

void
login_start(struct sw *sw)
{
	struct sw_login *l = &sw->login;
	struct ipc_endpoint where = { .host = l->url.host };
	struct fx_err err = { 0 };
	bool waits = false;

	l->timer = (struct loop_timer){ .fn = on_token_timer, .arg = sw };
	for (size_t i = 0; i < SW_FILE_COUNT; i++) {
		l->files[i].sw = sw;
		l->files[i].timer = (struct loop_timer){ .fn = on_file_timer,
			.arg = &l->files[i] };
	}
	if (find_server(sw, &err) != FX_OK) {
		const struct ipc_no_endpoint none = { .why = err.text };

		die(sw, &err);
		(void)ipc_tell_no_endpoint(&sw->w->master, &none);
		return;
	}
	where.port = l->url.port;
	(void)ipc_tell_endpoint(&sw->w->master, &where);
	client_server(sw->cluster->client, &l->url, l->kc.tls_server_name,
	    l->kc.insecure);
	if (l->in_cluster)
		want_account(sw);
	else
		name_files(sw);
	for (size_t i = 0; i < SW_FILE_COUNT; i++)
		waits = waits || l->files[i].wanted;
	for (size_t i = 0; i < SW_FILE_COUNT; i++)
		l->files[i].pending = l->files[i].wanted;
	for (size_t i = 0; i < SW_FILE_COUNT && sw->dead.code == FX_OK; i++)
		get_file(sw, i);
	if (!waits)
		check_files(sw);
}

void
login_clear(struct sw *sw)
{
	for (size_t i = 0; i < SW_FILE_COUNT; i++)
		loop_timer_stop(sw->w->loop, &sw->login.files[i].timer);
	loop_timer_stop(sw->w->loop, &sw->login.timer);
	kubeconfig_clear(&sw->login.kc);
	fd_close(&sw->login.bundle);
}
