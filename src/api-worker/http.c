/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "http.h"

#include <malloc.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <microhttpd.h>

#include "conn.h"
#include "fd.h"
#include "head.h"
#include "str.h"

/* Bytes of a piece of a long answer.  The library puts a piece into what is
 * left of the connection's memory, as much as fits if it is let, and a client
 * that does not read keeps it: this is what 256 of those cost, more than once.
 */
#define STREAM_PIECE 4000

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

/* Pieces of lists leave holes between what stays. */
static void
on_tidy(struct loop *l, void *arg)
{
	(void)l;
	(void)arg;
	(void)malloc_trim(0);
}

/* ---- requests ----------------------------------------------------------- */

void
http_request_free(struct http_request **at)
{
	struct http_request *r = *at;

	if (r == NULL)
		return;
	if (r->ask != 0 || r->work != NULL)
		r->conn->http->hooks.abandon(r);
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

static void
report(struct http_request *r, unsigned status)
{
	struct http *h = r->conn->http;

	h->hooks.answered(r, status, loop_now_us(h->loop) - r->began_us);
}

static void
go_to_sleep(struct http_request *r)
{
	r->asleep = true;
	MHD_suspend_connection(r->conn->mhd);
}

/* A long answer that goes on is making headway. */
static void
count_sent(struct http_request *r, size_t n)
{
	r->step += n;
	if (r->step < HTTP_SEND_STEP)
		return;
	r->step = 0;
	conn_phase(r->conn, PHASE_SEND);
}

/* The library wants more of a long answer.  One that was cut ends without the
 * last chunk, so that nobody takes it for whole. */
static ssize_t
read_body(void *cls, uint64_t pos, char *out, size_t max)
{
	struct http_request *r = cls;
	struct answer *a = &r->answer;
	size_t n = buf_left(&a->body);

	(void)pos;
	if (r->conn->phase != PHASE_GONE && n == 0 && a->rest == REST_MORE)
		r->more(r);
	if (r->conn->phase == PHASE_GONE || a->rest == REST_LOST)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = buf_left(&a->body);
	if (n == 0 && a->rest == REST_NONE)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		go_to_sleep(r);
		return 0;
	}
	n = n < max ? n : max;
	n = n < STREAM_PIECE ? n : STREAM_PIECE;
	memcpy(out, buf_head(&a->body), n);
	buf_skip(&a->body, n);
	count_sent(r, n);
	return (ssize_t)n;
}

static struct MHD_Response *
response_of(struct http_request *r)
{
	struct answer *a = &r->answer;
	size_t len = a->type == NULL ? 0 : buf_left(&a->body);
	struct MHD_Response *rs;

	if (a->rest != REST_NONE) {
		rs = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN,
		    STREAM_PIECE, read_body, r, NULL);
		/* in chunks, a head alone would be followed by the last one,
		 * which clients take for the beginning of their next answer */
		if (rs != NULL && r->method == M_HEAD)
			(void)MHD_set_response_options(rs,
			    MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
		return rs;
	}
	return MHD_create_response_from_buffer(len,
	    len == 0 ? (void *)(uintptr_t) "" : str_take(&a->body),
	    len == 0 ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result
send_answer(struct http_request *r)
{
	struct answer *a = &r->answer;
	bool whole = a->rest == REST_NONE;
	struct MHD_Response *rs = response_of(r);
	enum MHD_Result ok = MHD_YES;

	if (rs == NULL)
		return MHD_NO;
	if (!whole && r->conn->http->nconns > HTTP_CROWD)
		a->close = true;
	if (a->type != NULL)
		ok &= MHD_add_response_header(rs, "Content-Type", a->type);
	if (a->location != NULL)
		ok &= MHD_add_response_header(rs, "Location", a->location);
	if (a->nosniff)
		ok &= MHD_add_response_header(rs, "X-Content-Type-Options",
		    "nosniff");
	if (a->challenge)
		ok &= MHD_add_response_header(rs, "WWW-Authenticate",
		    "Scope-Probe realm=\"fluxd\"");
	if (a->close)
		ok &= MHD_add_response_header(rs, "Connection", "close");
	if (ok == MHD_YES) {
		conn_phase(r->conn, PHASE_SEND);
		ok = MHD_queue_response(r->conn->mhd, a->status, rs);
		r->sending = !whole;
		if (whole)
			report(r, a->status);
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
	conn_phase(r->conn, PHASE_ANSWER);
	go_to_sleep(r);
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
http_wake(struct http_request *r)
{
	if (!r->asleep)
		return; /* the library, or the handler, is at it */
	r->asleep = false;
	MHD_resume_connection(r->conn->mhd);
	http_kick(r->conn->http);
}

void
http_answered(struct http_request *r)
{
	if (r->caller != NULL) {
		r->caller->answered(r);
		return;
	}
	if (r->asleep && !r->sending)
		conn_phase(r->conn, PHASE_SEND);
	http_wake(r);
}

void
http_give_up(struct http_request *r, unsigned status, const char *why)
{
	r->conn->http->hooks.abandon(r);
	if (r->sending)
		r->answer.rest = REST_LOST;
	else
		answer_trouble(&r->answer, r->accept, status, why);
	http_answered(r);
}

void
http_cut(struct http_request *r)
{
	if (r->caller != NULL)
		r->caller->cut(r);
	else
		conn_drop(r->conn);
}

const struct peer_id *
http_peer(const struct http_request *r)
{
	return r->caller != NULL ? &r->caller->peer : &r->conn->peer;
}

bool
http_is_public(const struct http_request *r)
{
	return r->caller == NULL && !r->conn->local &&
	    r->conn->scope != SCOPE_METRICS;
}

const char *
http_header(const struct http_request *r, const char *name)
{
	return r->caller != NULL
	    ? NULL
	    : MHD_lookup_connection_value(r->conn->mhd, MHD_HEADER_KIND, name);
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

/* What a long answer came to.  Its head said 200 before anybody knew. */
static unsigned
long_status(const struct http_request *r, enum MHD_RequestTerminationCode why)
{
	if (r->answer.rest == REST_LOST)
		return HTTP_STATUS_LOST;
	return why == MHD_REQUEST_TERMINATED_COMPLETED_OK ? r->answer.status
							  : HTTP_STATUS_LEFT;
}

static void
on_completed(void *cls, struct MHD_Connection *mhd, void **arg,
    enum MHD_RequestTerminationCode why)
{
	struct http_request *r = *arg;
	struct http_conn *c = r == NULL ? NULL : r->conn;

	(void)cls;
	(void)mhd;
	*arg = NULL;
	if (c == NULL)
		return;
	if (r->sending)
		report(r, long_status(r, why));
	if (!c->http->tidy.linked)
		loop_timer_in(c->http->loop, &c->http->tidy, HTTP_TIDY_US);
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
	h->tidy = (struct loop_timer){ .fn = on_tidy, .arg = h };
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
		if (c->request != NULL && c->request->asleep)
			http_give_up(c->request, 503, "the daemon stops");
	h->nlisteners = 0;
	run(h);
	loop_del(h->loop, &h->source);
	MHD_stop_daemon(h->daemon);
	loop_timer_stop(h->loop, &h->kick);
	loop_timer_stop(h->loop, &h->tidy);
	free(h);
	*at = NULL;
}

void
http_listen(struct http *h, int fd, enum route_scope scope,
    const struct peer_rule *rule)
{
	struct http_listener *ls = &h->listeners[h->nlisteners];
	const int size = HTTP_SEND_BUFFER;

	if (h->nlisteners == MAX_LISTENERS || fd_set_nonblock(fd) != FX_OK ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) == -1)
		fx_bug("listener %d cannot be used", fd);
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
