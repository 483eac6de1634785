/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "event.h"
#include "fd.h"
#include "log.h"
#include "retry.h"
#include "str.h"

#define CA_MAX (4u << 20) /* bytes of the bundle */

static void ask_next(struct uw *, uint64_t done, bool refused);

/* ---- the connector ---------------------------------------------------- */

uint64_t
uw_ask_socket(struct uw *u, const struct kc_url *to, int64_t span_us,
    ipc_answer_fn *fn)
{
	const struct ipc_connect m = { .host = (char *)(uintptr_t)to->host,
		.port = to->port,
		.timeout_ms = (uint64_t)(span_us / CLK_MS) };

	return ipc_ask_connect(&u->w->master, &m, fn, u);
}

int
uw_take_socket(struct ipc_frame *f, int *fd, struct fx_err *err)
{
	struct ipc_connected m;
	int r;

	*fd = -1;
	if (ipc_take_failed(f, err) != FX_OK)
		return FX_OK;
	r = ipc_connected_decode(&f->body, &m, &f->fd);
	if (r != FX_OK)
		return r;
	*fd = m.fd;
	m.fd = -1;
	ipc_connected_clear(&m);
	return FX_OK;
}

static int
on_connected(void *arg, struct ipc_frame *f)
{
	struct uw *u = arg;
	struct fx_err err = { 0 };
	int fd, r;

	if (f == NULL)
		return FX_OK; /* the channel is gone, and so are we */
	r = uw_take_socket(f, &fd, &err);
	if (r != FX_OK)
		return r;
	if (fd == -1)
		post_not_connected(u->post, &err);
	else
		post_connected(u->post, fd);
	return FX_OK;
}

static void
connect_post(void *arg, int64_t span_us)
{
	struct uw *u = arg;
	struct fx_err err = { 0 };

	if (uw_ask_socket(u, &u->way, span_us, on_connected) != 0)
		return;
	(void)fx_fail(&err, FX_EAGAIN, "too many requests wait already");
	post_not_connected(u->post, &err);
}

/* ---- an event --------------------------------------------------------- */

static void
send(struct uw *u)
{
	post_send(u->post, &u->json);
}

static void
on_again(struct loop *loop, void *arg)
{
	struct uw *u = arg;

	(void)loop;
	if (buf_left(&u->json) != 0)
		send(u);
	else
		ask_next(u, 0, false);
}

static void
later(struct uw *u, const struct post_outcome *o)
{
	int64_t us = retry_pause_us(++u->failures, o->retry_after_us);
	struct buf b = BUF_INIT(64);
	auto_free char *pause = NULL;

	str_add_duration(&b, us * 1000);
	pause = str_take(&b);
	log_at(LVL_ERROR, KS("component", "upstream"), KS("err", o->text),
	    KS("event", u->text), KS("again-in", pause));
	loop_timer_in(u->w->loop, &u->again, us);
}

static void
on_posted(void *arg, const struct post_outcome *o)
{
	struct uw *u = arg;
	enum verdict v = retry_judge(o->status);

	if (v == VERDICT_AGAIN) {
		later(u, o);
		return;
	}
	if (v == VERDICT_REFUSED)
		log_at(LVL_ERROR, KS("component", "upstream"),
		    KS("err", "the service refuses an event; it is dropped"),
		    KS("answer", o->text), KS("event", u->text));
	else if (u->failures != 0)
		log_at(LVL_INFO, KS("component", "upstream"),
		    KS("info", "the service takes events again"));
	u->failures = 0;
	ask_next(u, u->number, v == VERDICT_REFUSED);
}

static int
on_next(void *arg, struct ipc_frame *f)
{
	struct uw *u = arg;
	struct ipc_event_chunk part;
	struct ipc_event_is a;
	struct fx_err err = { 0 };
	int r;

	if (f == NULL)
		return FX_OK;
	if (ipc_take_failed(f, &err) != FX_OK) {
		buf_clear(&u->json);
		loop_timer_in(u->w->loop, &u->again, RETRY_FIRST_US);
		return FX_OK;
	}
	if (f->type == IPC_T_EVENT_CHUNK) {
		r = ipc_event_chunk_decode(&f->body, &part, &f->fd);
		if (r == FX_OK) {
			r = buf_put(&u->json, part.json.p, part.json.n);
			ipc_event_chunk_clear(&part);
		}
		return r;
	}
	r = ipc_event_is_decode(&f->body, &a, &f->fd);
	if (r != FX_OK)
		return r;
	u->number = a.number;
	free(u->text);
	u->text = fx_steal(&a.text);
	ipc_event_is_clear(&a);
	send(u);
	return FX_OK;
}

/* The channel takes one question more, or it is gone. */
static void
ask_next(struct uw *u, uint64_t done, bool refused)
{
	const struct ipc_event_next q = { .done = done, .refused = refused };

	buf_clear(&u->json);
	(void)ipc_ask_event_next(&u->w->master, &q, on_next, u);
}

/* ---- life ------------------------------------------------------------- */

/* All of a file that was given; "" if none was. */
static char *
read_secret(struct uw *u, enum ipc_file_id which)
{
	auto_fd int fd = worker_take_file(u->w, which);
	struct buf b = BUF_INIT(SERVICE_TOKEN_MAX + 1);
	char *s;

	if (fd != -1 && worker_read_all(u->w, fd, &b) != FX_OK)
		worker_start_over(u->w, "a secret cannot be read");
	s = xstrndup((const char *)buf_head(&b), buf_left(&b));
	buf_wipe(&b);
	return s;
}

/* Without it nobody is trusted, and that error is a clear one. */
static void
read_trust(struct uw *u)
{
	auto_fd int fd = worker_take_file(u->w, IPC_FILE_GIT_CA);
	auto_buf struct buf pem = BUF_INIT(CA_MAX);
	struct fx_err err = { 0 };
	const char *why = u->w->no_file[IPC_FILE_GIT_CA];

	if (!u->url.at.tls)
		return;
	if (fd != -1 && worker_read_all(u->w, fd, &pem) == FX_OK) {
		if (tls_trust(&u->tls, &pem, &err) == FX_OK)
			return;
		why = err.text;
	}
	log_at(LVL_ERROR, KS("component", "upstream"),
	    KS("err", "no certificate authorities"),
	    KS("why", why == NULL ? "" : why));
}

void
uw_open(struct uw *u, struct worker *w)
{
	const struct post_hooks hooks = { connect_post, on_posted, u };

	*u = (struct uw){ .w = w };
	buf_init(&u->json, EVENT_JSON_MAX);
	u->again = (struct loop_timer){ .fn = on_again, .arg = u };
	u->post = post_new(w->loop, &hooks);
	uw_calls_open(u);
}

void
uw_start(struct uw *u)
{
	const struct config *cfg = &u->w->cfg;
	struct post_target target = { .url = &u->url, .tls = &u->tls };
	struct fx_err err = { 0 };

	if (service_url_parse(&u->url, cfg->connect, &err) != FX_OK ||
	    service_way(&u->url, cfg->connect_proxy, &u->way, &err) != FX_OK)
		fx_bug("%s", err.text); /* the master has checked it */
	u->token = read_secret(u, IPC_FILE_UPSTREAM_TOKEN);
	u->proxy_login = read_secret(u, IPC_FILE_PROXY_LOGIN);
	read_trust(u);
	target.token = u->token;
	target.proxy = cfg->connect_proxy;
	target.proxy_login = u->proxy_login;
	post_to(u->post, &target);
	ask_next(u, 0, false);
	uw_calls_start(u, &target);
}

static void
wipe(char **s)
{
	explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void
uw_close(struct uw *u)
{
	uw_calls_close(u);
	post_free(&u->post);
	loop_timer_stop(u->w->loop, &u->again);
	wipe(&u->token);
	wipe(&u->proxy_login);
	tls_clear(&u->tls);
	service_url_clear(&u->url);
	buf_clear(&u->json);
	free(u->text);
}
