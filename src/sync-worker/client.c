/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "lane.h"

#include "fd.h"
#include "str.h"

#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>

#define PAUSE_SHIFT_MAX 6
#define TRY_ROOM_US CLK_SEC /* for one more try after an answer */
#define WATCH_CONNECTIONS 8 /* 100 watches each */

void
client_warm_up(void)
{
	multi_warm_up();
}

int64_t
client_jitter_us(struct client *c, int64_t max_us)
{
	/* xorshift64: spreads retries, guards nothing */
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return max_us / 2 + (int64_t)(c->random % (uint64_t)(max_us / 2 + 1));
}

/* ---- requests --------------------------------------------------------- */

struct request *
request_new(const char *method, char *path)
{
	struct request *r = xcalloc(1, sizeof(*r));

	r->method = method;
	r->path = path;
	r->state = xcalloc(1, sizeof(*r->state));
	return r;
}

static void
request_free(struct request *r)
{
	transfer_reset(r);
	free(r->path);
	free(r->etag);
	buf_wipe(&r->body);
	free(r->state->said);
	free(r->state);
	free(r);
}

void
request_drop(struct request **rp)
{
	request_free(*rp);
	*rp = NULL;
}

static void
lane_wake(struct lane *l)
{
	loop_timer_at(l->client->loop, &l->pump_timer,
	    loop_now_us(l->client->loop));
}

/* A try that has no time left would hide what was said before. */
static int64_t
last_start_us(const struct request_state *st)
{
	return st->deadline_us - (st->said != NULL ? TRY_ROOM_US : 0);
}

static void
lane_queue(struct lane *l, struct request *r)
{
	struct request_state *st = r->state;

	lane_put(l->tail, r);
	l->tail = &st->next;
	if (last_start_us(st) < l->due_us)
		l->due_us = last_start_us(st);
	if (st->not_before_us < l->due_us && st->not_before_us != 0)
		l->due_us = st->not_before_us;
	lane_wake(l);
}

/* Deliver the end of a request that is on no list any more. */
static void
request_end(struct request *r, const struct sw_status *status,
    const struct fx_err *err)
{
	struct request_state *st = r->state;
	struct answer a = { .status = *status,
		.body = st->body,
		.content_type = st->content_type,
		.etag = st->etag,
		.err = *err,
		.sent = &r->body,
		.others_answered = err->code == FX_ETIMEOUT &&
		    st->started_us != 0 &&
		    st->lane->heard_us >= st->started_us };

	st->body = (struct buf){ .max = a.body.max };
	r->done(r->arg, &a);
	buf_clear(&a.body);
	request_free(r);
}

static void
request_fail(struct request *r, int code, const char *text)
{
	struct sw_status none = { .what = SW_RETRY };
	struct fx_err err = { 0 };

	fx_fail(&err, code, "%s", text);
	request_end(r, &none, &err);
}

static void
request_end_as(struct request *r, const struct sw_status *status)
{
	struct fx_err err = { 0 };

	if (status->what != SW_DONE)
		fx_fail(&err, status_code(status->what), "%s", status->message);
	request_end(r, status, &err);
}

/* What the server said before counts more than that it says nothing now. */
static void
request_time_out(struct request *r, const char *text)
{
	if (r->state->said != NULL)
		request_end_as(r, r->state->said);
	else
		request_fail(r, FX_ETIMEOUT, text);
}

void
client_send(struct client *c, enum client_lane which, struct request *r)
{
	struct request_state *st = r->state;

	st->lane = &c->lanes[which];
	buf_init(&st->body, r->answer_max);
	buf_init(&st->error, CLIENT_ERROR_BODY);
	st->deadline_us = clk_now_us() + r->timeout_us;
	lane_queue(st->lane, r);
}

void
client_cancel(struct client *c, struct request **rp)
{
	struct request *r = *rp;

	(void)c;
	if (r == NULL)
		return;
	lane_take(r->state->lane, r);
	request_free(r);
	*rp = NULL;
}

/* ---- the end of a try ------------------------------------------------- */

static void
request_again(struct request *r, int64_t pause_us)
{
	struct request_state *st = r->state;

	transfer_reset(r);
	st->not_before_us = clk_now_us() + pause_us;
	lane_queue(st->lane, r);
}

/* What is on its way comes back or not; nothing is added to it. */
static void
lane_hold(struct lane *l, int64_t until_us)
{
	if (until_us > l->hold_until_us)
		l->hold_until_us = until_us;
}

static int64_t
pause_us(struct client *c, unsigned tries)
{
	int64_t ms = CLIENT_GROW_MS
	    << (tries < PAUSE_SHIFT_MAX ? tries : PAUSE_SHIFT_MAX);

	if (ms > CLIENT_GROW_MAX_MS)
		ms = CLIENT_GROW_MAX_MS;
	return client_jitter_us(c, ms * CLK_MS);
}

/* May an answer that speaks of the moment be followed by another try? */
static bool
may_repeat(const struct request *r, const struct sw_status *status)
{
	unsigned max = r->tries_max != 0 ? r->tries_max : CLIENT_TRIES_MAX;
	bool passing = status->what == SW_RETRY ||
	    (status->what == SW_CONFLICT && !r->conflict_is_final);

	/* 429: it was not looked at */
	return passing && (!r->once || status->http == 429) &&
	    r->state->tries + 1 < max;
}

static void
keep_said(struct request_state *st, const struct sw_status *status)
{
	if (st->said == NULL)
		st->said = xcalloc(1, sizeof(*st->said));
	*st->said = *status;
}

void
lane_answered(struct request *r)
{
	struct client *c = r->state->lane->client;
	struct request_state *st = r->state;
	struct sw_status status;
	int64_t wait;

	status_read(&status, (int)transfer_code(r),
	    st->retry_after[0] != '\0' ? st->retry_after : NULL,
	    buf_head(&st->error), buf_left(&st->error));
	if (status.what == SW_LOGIN && !st->renewed) {
		st->renewed = true;
		c->logged_in = false;
		request_again(r, 0);
		c->hooks.renew(c->hooks.arg);
		return;
	}
	if (may_repeat(r, &status)) {
		wait = pause_us(c, st->tries++);
		if (status.retry_after_s > 0)
			wait += status.retry_after_s * CLK_SEC;
		if (status.http == 429)
			lane_hold(st->lane, clk_now_us() + wait);
		if (clk_now_us() + wait + TRY_ROOM_US < st->deadline_us) {
			keep_said(st, &status);
			request_again(r, wait);
			return;
		}
	}
	request_end_as(r, &status);
}

/* Nothing came since this request went out: whoever was there is gone.  Other
 * requests need not find that out one by one, and a watch, which hears nothing
 * for minutes when all is well, would find out last.  Another try that was
 * short of time proves nothing. */
static void
give_up_silent(struct client *c, const struct request *r)
{
	const struct request_state *st = r->state;
	bool brief =
	    st->tries > 0 && clk_now_us() - st->started_us < TRY_ROOM_US;

	if (st->lane->heard_us >= st->started_us || brief)
		return;
	for (size_t i = 0; i < LANE_COUNT; i++) {
		struct lane *l = &c->lanes[i];

		if (l->heard_us >= st->started_us)
			continue;
		for (size_t k = 0; k < l->nfds; k++)
			(void)shutdown(l->fds[k], SHUT_RDWR);
	}
}

static bool
is_transient(CURLcode res)
{
	switch (res) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_HTTP2:
	case CURLE_PARTIAL_FILE:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2_STREAM:
		return true;
	default:
		return false;
	}
}

void
lane_broke_off(struct request *r, CURLcode res)
{
	struct request_state *st = r->state;
	struct lane *l = st->lane;
	struct client *c = l->client;
	char text[CURL_ERROR_SIZE + 64];

	if (res == CURLE_COULDNT_CONNECT && l->starved) {
		request_again(r, 0); /* once there is a socket */
		return;
	}
	if (is_transient(res) && r->stream == NULL &&
	    (!r->once || res == CURLE_COULDNT_CONNECT)) {
		int64_t wait = pause_us(c, st->tries++);

		if (clk_now_us() + wait < st->deadline_us) {
			request_again(r, wait);
			return;
		}
	}
	snprintf(text, sizeof(text), "API server: %s",
	    st->problem[0] != '\0' ? st->problem : curl_easy_strerror(res));
	if (st->refused != FX_OK) {
		request_fail(r, st->refused,
		    st->refused == FX_ELIMIT ? "API server: answer too long"
					     : "API server: answer malformed");
	} else if (res == CURLE_OPERATION_TIMEDOUT) {
		if (!r->hurried && st->said == NULL)
			give_up_silent(c, r);
		request_time_out(r, text);
	} else {
		request_fail(r, is_transient(res) ? FX_ERETRY : FX_EFAIL, text);
	}
}

void
lane_reap(struct lane *l)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(l->multi.curl, &left)) != NULL) {
		CURLcode res = m->data.result;
		struct request *r;
		char *private;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private);
		r = (struct request *)(void *)private;
		lane_take(l, r);
		if (res == CURLE_OK)
			lane_answered(r);
		else
			lane_broke_off(r, res);
	}
	if (l->waiting != NULL)
		lane_wake(l);
}

/* ---- waiting requests ------------------------------------------------- */

/* Is there a connection for one more, or is one being made? */
static bool
may_start(struct lane *l, int64_t now)
{
	struct client *c = l->client;

	if (!c->logged_in || l->in_flight >= l->in_flight_max ||
	    now < l->hold_until_us)
		return false;
	if (l->spare != -1 || (l->nfds > 0 && !l->starved))
		return true;
	if (!l->connecting && now >= l->connect_after_us) {
		l->connecting = true;
		c->hooks.connect(c->hooks.arg, l->which);
	}
	return l->spare != -1;
}

/* Take the first waiting request whose time has come: to be started (*start)
 * or because its deadline passed. */
static struct request *
next_ready(struct lane *l, int64_t now, bool *start)
{
	/* most of the time there is no room, and all of them wait for it */
	if (l->in_flight >= l->in_flight_max && now < l->due_us)
		return NULL;
	for (struct request *r = l->waiting; r != NULL; r = r->state->next) {
		struct request_state *st = r->state;

		*start = last_start_us(st) > now;
		if (*start && (st->not_before_us > now || !may_start(l, now)))
			continue;
		lane_take(l, r);
		return r;
	}
	return NULL;
}

/* When the first of them has to be looked at again. */
static int64_t
first_due(const struct lane *l, int64_t now)
{
	int64_t when = CLK_NEVER;

	for (struct request *r = l->waiting; r != NULL; r = r->state->next) {
		const struct request_state *st = r->state;

		if (last_start_us(st) < when)
			when = last_start_us(st);
		if (st->not_before_us > now && st->not_before_us < when)
			when = st->not_before_us;
	}
	return when;
}

static void
arm_pump(struct lane *l, int64_t now)
{
	int64_t when;

	if (l->due_us <= now || l->waiting == NULL)
		l->due_us = first_due(l, now);
	when = l->due_us;
	if (l->waiting != NULL && !l->connecting && l->connect_after_us > now &&
	    l->connect_after_us < when)
		when = l->connect_after_us;
	if (l->waiting != NULL && l->hold_until_us > now &&
	    l->hold_until_us < when)
		when = l->hold_until_us;
	if (when != CLK_NEVER)
		loop_timer_at(l->client->loop, &l->pump_timer, when);
}

static void
expire(struct lane *l, struct request *r)
{
	char text[FX_ERR_TEXT_MAX];

	if (l->connect_error.code == FX_OK) {
		request_time_out(r, "API server: no answer in time");
		return;
	}
	snprintf(text, sizeof(text), "API server: %.900s",
	    l->connect_error.text);
	/* whatever stands in the way: later it may be gone */
	request_fail(r, FX_ETIMEOUT, text);
}

void
lane_pump(struct loop *loop, void *arg)
{
	struct lane *l = arg;
	int64_t now = clk_now_us();
	struct request *r;
	bool start;

	(void)loop;
	while ((r = next_ready(l, now, &start)) != NULL) {
		if (start) {
			transfer_start(r);
			lane_put(&l->running, r);
		} else {
			expire(l, r);
		}
	}
	arm_pump(l, now);
}

void
client_connected(struct client *c, enum client_lane which, int fd,
    const char *address)
{
	struct lane *l = &c->lanes[which];
	const char *host = c->tls_name != NULL ? c->tls_name : c->url.host;

	fd_close(&l->spare);
	l->spare = fd;
	l->connecting = false;
	l->starved = false;
	l->connect_tries = 0;
	l->connect_after_us = 0;
	l->connect_error.code = FX_OK;
	/* a numeric host needs no help, and IPv6 would be misread */
	if (strspn(host, "0123456789.") < strlen(host) &&
	    strchr(host, ':') == NULL)
		snprintf(l->resolve, sizeof(l->resolve), "%s:%u:%s", host,
		    c->url.port, address);
	lane_wake(l);
}

void
client_not_connected(struct client *c, enum client_lane which,
    const struct fx_err *err)
{
	struct lane *l = &c->lanes[which];

	l->connecting = false;
	l->connect_error = *err;
	l->connect_after_us = clk_now_us() + pause_us(c, l->connect_tries++);
	lane_wake(l);
}

/* ---- life ------------------------------------------------------------- */

struct client *
client_new(struct loop *loop, const struct client_hooks *hooks)
{
	struct client *c = xcalloc(1, sizeof(*c));

	c->loop = loop;
	c->hooks = *hooks;
	if (getrandom(&c->random, sizeof(c->random), 0) !=
	    (ssize_t)sizeof(c->random))
		fx_bug("getrandom");
	c->random |= 1;
	lane_init(c, LANE_REQUESTS, CLIENT_IN_FLIGHT, 2);
	lane_init(c, LANE_WATCHES, CLIENT_WATCHES, WATCH_CONNECTIONS);
	return c;
}

static void
wipe_headers(struct client *c)
{
	for (size_t i = 0; i < c->nheaders; i++) {
		explicit_bzero(c->headers[i], strlen(c->headers[i]));
		free(c->headers[i]);
	}
	c->nheaders = 0;
}

static void
free_list(struct request **list)
{
	struct request *r;

	while ((r = *list) != NULL) {
		*list = r->state->next;
		request_free(r);
	}
}

void
client_free(struct client **cp)
{
	struct client *c = *cp;

	if (c == NULL)
		return;
	for (size_t i = 0; i < LANE_COUNT; i++) {
		struct lane *l = &c->lanes[i];

		free_list(&l->running);
		free_list(&l->waiting);
		multi_close(&l->multi);
		loop_timer_stop(c->loop, &l->pump_timer);
		loop_timer_stop(c->loop, &l->silence_timer);
		loop_timer_stop(c->loop, &l->tail_timer);
		fd_close(&l->spare);
	}
	wipe_headers(c);
	tls_clear(&c->tls);
	free(c->tls_name);
	free(c);
	*cp = NULL;
}

void
client_server(struct client *c, const struct kc_url *url,
    const char *tls_server_name, bool insecure)
{
	c->url = *url;
	free(c->tls_name);
	c->tls_name = tls_server_name != NULL ? xstrdup(tls_server_name) : NULL;
	c->insecure = insecure;
}

struct tls *
client_tls(struct client *c)
{
	return &c->tls;
}

void
client_login(struct client *c, const char *const *headers, size_t n)
{
	wipe_headers(c);
	for (size_t i = 0; i < n && i < HEADERS_MAX; i++)
		c->headers[c->nheaders++] = xstrdup(headers[i]);
	c->logged_in = true;
	for (size_t i = 0; i < LANE_COUNT; i++)
		lane_wake(&c->lanes[i]);
}
