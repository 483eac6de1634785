/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "http.h"

#include <poll.h>
#include <time.h>

#include <microhttpd.h>

#include "conn.h"
#include "fd.h"
#include "head.h"
#include "str.h"

/* ---- running the library ------------------------------------------------ */

void
http_kick(struct http *h)
{
	loop_timer_at(h->loop, &h->kick, loop_now_us(h->loop));
}

static void
run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	(void)MHD_run(h->daemon);
	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES && ms == 0)
		http_kick(h);
}

static void
on_kick(struct loop *l, void *arg)
{
	(void)l;
	run(arg);
}

static void
on_epoll(struct loop *l, int fd, short revents, void *arg)
{
	(void)l;
	(void)fd;
	(void)revents;
	run(arg);
}

/* ---- requests ----------------------------------------------------------- */

void
http_request_free(struct http_request **at)
{
	struct http_request *r = *at;

	if (r == NULL)
		return;
	r->conn->http->bodies -= r->reserved;
	target_clear(&r->target);
	route_match_clear(&r->route);
	answer_clear(&r->answer);
	buf_clear(&r->body);
	free(r->accept);
	free(r->raw);
	free(r);
	*at = NULL;
}

static enum MHD_Result
send_answer(struct http_request *r)
{
	struct answer *a = &r->answer;
	size_t len = a->type == NULL ? 0 : buf_left(&a->body);
	struct MHD_Response *rs;
	enum MHD_Result ok = MHD_YES;
	int64_t took = loop_now_us(r->conn->http->loop) - r->began_us;

	rs = MHD_create_response_from_buffer(len,
	    len == 0 ? (void *)(uintptr_t) "" : str_take(&a->body),
	    len == 0 ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_FREE);
	if (rs == NULL)
		return MHD_NO;
	if (a->type != NULL)
		ok &= MHD_add_response_header(rs, "Content-Type", a->type);
	if (a->location != NULL)
		ok &= MHD_add_response_header(rs, "Location", a->location);
	if (a->nosniff)
		ok &= MHD_add_response_header(rs, "X-Content-Type-Options",
		    "nosniff");
	if (a->close)
		ok &= MHD_add_response_header(rs, "Connection", "close");
	if (ok == MHD_YES) {
		conn_phase(r->conn, PHASE_SEND);
		ok = MHD_queue_response(r->conn->mhd, a->status, rs);
		r->conn->http->hooks.answered(r, took);
	}
	MHD_destroy_response(rs);
	return ok;
}

/* Answer before the body was read; the connection closes after it. */
static enum MHD_Result
reject(struct http_request *r)
{
	r->answer.close = true;
	r->served = true;
	return send_answer(r);
}

/* A small body always has a place, a larger one if the others leave it one. */
static bool
reserve(struct http_request *r, uint64_t size)
{
	struct http *h = r->conn->http;

	if (size <= HTTP_SMALL_BODY || size <= r->reserved)
		return true;
	if (size - r->reserved > HTTP_MAX_BODIES - h->bodies)
		return false;
	h->bodies += (size_t)size - r->reserved;
	r->reserved = (size_t)size;
	return true;
}

/* The header is complete: judge it before anything else is read. */
static enum MHD_Result
begin(struct http_request *r, const char *method, const char *url,
    const char *version)
{
	struct fx_err err = { 0 };
	struct head head;
	int bad;

	bad =
	    head_check(r->conn->mhd, method, url, r->raw, version, &head, &err);
	r->begun = true;
	r->began_us = loop_now_us(r->conn->http->loop);
	r->method = route_method(method);
	r->accept = fx_steal(&head.accept);
	r->form = head.form;
	conn_phase(r->conn, PHASE_BODY);
	if (bad != FX_OK || target_parse(r->raw, &r->target, &err) != FX_OK) {
		answer_bad_request(&r->answer, r->accept, err.text);
		return reject(r);
	}
	route_find(r->conn->scope, r->method, &r->target, &r->route);
	if (head.length > HTTP_MAX_BODY) {
		answer_trouble(&r->answer, r->accept, 413,
		    "the body of the request is too large");
		return reject(r);
	}
	if (!reserve(r, head.length)) {
		answer_trouble(&r->answer, r->accept, 503,
		    "too many requests at once");
		return reject(r);
	}
	return MHD_YES;
}

static enum MHD_Result
take_body(struct http_request *r, const char *data, size_t n)
{
	/* a chunked body's size is known only now; too much ends it */
	if (!reserve(r, buf_left(&r->body) + n))
		return MHD_NO;
	return buf_put(&r->body, data, n) == FX_OK ? MHD_YES : MHD_NO;
}

static enum MHD_Result
serve(struct http_request *r)
{
	if (!r->served) {
		r->served = true;
		r->conn->http->hooks.serve(r);
	}
	if (r->answer.status != 0)
		return send_answer(r);
	r->asleep = true;
	conn_phase(r->conn, PHASE_ANSWER);
	MHD_suspend_connection(r->conn->mhd);
	return MHD_YES;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *mhd, const char *url,
    const char *method, const char *version, const char *data, size_t *n,
    void **arg)
{
	struct http_request *r = *arg;
	size_t len = *n;

	(void)cls;
	(void)mhd;
	/* what had arrived from a client that was dropped is not served */
	if (r == NULL || r->conn->phase == PHASE_GONE)
		return MHD_NO;
	if (!r->begun)
		return begin(r, method, url, version);
	if (len != 0) {
		*n = 0;
		return take_body(r, data, len);
	}
	return serve(r);
}

void
http_answered(struct http_request *r)
{
	if (!r->asleep)
		return; /* still inside the handler */
	r->asleep = false;
	conn_phase(r->conn, PHASE_SEND);
	MHD_resume_connection(r->conn->mhd);
	http_kick(r->conn->http);
}

/* ---- what the library tells --------------------------------------------- */

static void
on_connection(void *cls, struct MHD_Connection *mhd, void **arg,
    enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info;
	struct http_conn *c = *arg;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (c != NULL)
			conn_free(c);
		*arg = NULL;
		return;
	}
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	c = info == NULL ? NULL : conn_by_fd(cls, info->connect_fd);
	if (c != NULL)
		c->mhd = mhd;
	*arg = c;
}

/* The request line was read: the request begins to exist. */
static void *
on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_conn *c = info == NULL ? NULL : info->socket_context;
	struct http_request *r;

	(void)cls;
	if (c == NULL || c->request != NULL)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	r->conn = c;
	r->ctx = c->http->hooks.ctx;
	r->raw = xstrdup(target == NULL ? "" : target);
	buf_init(&r->body, HTTP_MAX_BODY);
	answer_init(&r->answer);
	c->request = r;
	/* the library takes them apart next, and would run out of its memory
	 * and neither answer nor close */
	if (params_too_many(r->raw, strlen(r->raw)))
		conn_drop(c);
	return r;
}

static void
on_completed(void *cls, struct MHD_Connection *mhd, void **arg,
    enum MHD_RequestTerminationCode why)
{
	struct http_request *r = *arg;
	struct http_conn *c = r == NULL ? NULL : r->conn;

	(void)cls;
	(void)mhd;
	(void)why;
	*arg = NULL;
	if (c == NULL)
		return;
	http_request_free(&c->request);
	conn_phase(c, PHASE_HEAD);
}

/* Targets are decoded by us, whole; the library leaves them alone. */
static size_t
keep_escapes(void *cls, struct MHD_Connection *mhd, char *s)
{
	(void)cls;
	(void)mhd;
	return strlen(s);
}

/* ---- life --------------------------------------------------------------- */

int
http_new(struct http **out, struct loop *loop, const struct http_hooks *hooks,
    struct fx_err *err)
{
	unsigned flags =
	    MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;
	const union MHD_DaemonInfo *info;
	struct http *h = xcalloc(1, sizeof(*h));
	struct MHD_OptionItem options[] = {
		{ MHD_OPTION_CONNECTION_LIMIT, HTTP_MAX_CONNECTIONS, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_MAX, NULL },
#if MHD_VERSION >= 0x00097701
		/* as strict as a client that keeps to every MUST allows */
		{ MHD_OPTION_CLIENT_DISCIPLINE_LVL, 2, NULL },
#endif
		{ MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};

#if MHD_VERSION >= 0x00097701
	flags |= MHD_USE_NO_THREAD_SAFETY; /* there are no threads */
#endif
	/* the library's Date makes the C library read the time zone, once */
	tzset();
	h->loop = loop;
	h->hooks = *hooks;
	h->kick = (struct loop_timer){ .fn = on_kick, .arg = h };
	h->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, h,
	    MHD_OPTION_ARRAY, options, MHD_OPTION_NOTIFY_CONNECTION,
	    on_connection, h, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
	    MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
	    MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
	if (h->daemon == NULL) {
		free(h);
		return fx_fail(err, FX_ESYS, "libmicrohttpd does not start");
	}
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	h->source = loop_add(loop, info->epoll_fd, POLLIN, on_epoll, h);
	*out = h;
	return FX_OK;
}

void
http_free(struct http **at)
{
	struct http *h = *at;

	if (h == NULL)
		return;
	for (size_t i = 0; i < h->nlisteners; i++)
		loop_del(h->loop, &h->listeners[i].source);
	/* the library wants nobody asleep when it stops */
	for (struct http_conn *c = h->conns; c != NULL; c = c->next)
		if (c->request != NULL && c->request->asleep) {
			h->hooks.abandon(c->request);
			answer_trouble(&c->request->answer, NULL, 503,
			    "the daemon stops");
			http_answered(c->request);
		}
	h->nlisteners = 0;
	run(h);
	loop_del(h->loop, &h->source);
	MHD_stop_daemon(h->daemon);
	loop_timer_stop(h->loop, &h->kick);
	free(h);
	*at = NULL;
}

void
http_listen(struct http *h, int fd, enum route_scope scope,
    const struct peer_rule *rule)
{
	struct http_listener *ls = &h->listeners[h->nlisteners];

	if (h->nlisteners == MAX_LISTENERS || fd_set_nonblock(fd) != FX_OK)
		fx_bug("listener %d cannot be watched", fd);
	*ls = (struct http_listener){
		.http = h,
		.fd = fd,
		.scope = scope,
		.rule = rule,
	};
	ls->source = loop_add(h->loop, fd, POLLIN, conn_on_listener, ls);
	h->nlisteners++;
}

size_t
http_connections(const struct http *h)
{
	return h->nconns;
}
