/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "lane.h"

#include "fd.h"

#include <stdio.h>
#include <strings.h>

/* of a stream, whose own limit is its whole life; the socket is connected, so
 * what is left is TLS */
#define STREAM_CONNECT_MS 10000

/* ---- what libcurl calls ----------------------------------------------- */

static void
take_header(const char *line, size_t n, const char *name, char *out,
    size_t size)
{
	size_t k = strlen(name);

	if (n <= k || strncasecmp(line, name, k) != 0)
		return;
	for (line += k, n -= k; n > 0 && *line == ' '; n--)
		line++;
	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		n--;
	if (n < size) {
		memcpy(out, line, n);
		out[n] = '\0';
	}
}

static void
heard(struct request_state *st)
{
	st->heard_us = st->lane->heard_us = loop_now_us(st->lane->client->loop);
}

static size_t
on_header(char *line, size_t one, size_t n, void *arg)
{
	struct request_state *st = ((struct request *)arg)->state;

	(void)one;
	heard(st);
	take_header(line, n, "content-type:", st->content_type,
	    sizeof(st->content_type));
	take_header(line, n, "etag:", st->etag, sizeof(st->etag));
	take_header(line, n, "retry-after:", st->retry_after,
	    sizeof(st->retry_after));
	return n;
}

long
transfer_code(const struct request *r)
{
	long code = 0;

	curl_easy_getinfo(r->state->easy, CURLINFO_RESPONSE_CODE, &code);
	return code;
}

static size_t
on_body(char *p, size_t one, size_t n, void *arg)
{
	struct request *r = arg;
	struct request_state *st = r->state;
	size_t room;
	int res;

	(void)one;
	heard(st);
	if (transfer_code(r) >= 300) {
		/* past its beginning an error's text says nothing new */
		room = CLIENT_ERROR_BODY - buf_left(&st->error);
		return buf_put(&st->error, p, n < room ? n : room) == FX_OK ? n
									    : 0;
	}
	res = r->stream != NULL ? r->stream(r->arg, p, n)
				: buf_put(&st->body, p, n);
	st->refused = res;
	if (res == FX_OK)
		lane_tail(r);
	return res == FX_OK ? n : 0;
}

static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct lane *l = arg;
	int fd = l->spare;

	(void)purpose;
	(void)addr;
	if (fd == -1 || l->nfds == CONNECTIONS_MAX) {
		l->starved = true;
		return CURL_SOCKET_BAD;
	}
	l->spare = -1;
	l->fds[l->nfds++] = fd;
	return fd;
}

static int
on_close(void *arg, curl_socket_t fd)
{
	struct lane *l = arg;
	int owned = fd;

	for (size_t i = 0; i < l->nfds; i++)
		if (l->fds[i] == fd) {
			l->fds[i] = l->fds[--l->nfds];
			break;
		}
	fd_close(&owned);
	return 0;
}

static CURLcode
on_ssl_ctx(CURL *easy, void *ctx, void *arg)
{
	const struct client *c = arg;

	(void)easy;
	return tls_apply(&c->tls, ctx) == FX_OK ? CURLE_OK
						: CURLE_SSL_CERTPROBLEM;
}

/* ---- one try ---------------------------------------------------------- */

#define set(option, value)                                                     \
	do {                                                                   \
		if (curl_easy_setopt(e, option, value) != CURLE_OK)            \
			fx_bug("libcurl refuses " #option);                    \
	} while (0)

static void
add_header(struct request *r, const char *text)
{
	struct curl_slist *l = curl_slist_append(r->state->headers, text);

	if (l == NULL)
		fx_no_memory();
	r->state->headers = l;
}

static void
add_pair(struct request *r, const char *name, const char *value)
{
	auto_free char *s = NULL;

	if (value == NULL)
		return;
	s = xasprintf("%s: %s", name, value);
	add_header(r, s);
}

static void
set_headers(struct client *c, struct request *r)
{
	CURL *e = r->state->easy;
	char host[300];

	snprintf(host, sizeof(host),
	    strchr(c->url.host, ':') != NULL ? "[%s]:%u" : "%s:%u", c->url.host,
	    c->url.port);
	add_pair(r, "Accept",
	    r->accept != NULL ? r->accept : "application/json");
	add_pair(r, "Content-Type", r->content_type);
	add_pair(r, "If-None-Match", r->etag);
	/* the name that TLS verifies may be another one than where we are */
	if (c->tls_name != NULL)
		add_pair(r, "Host", host);
	add_header(r, "Expect:");
	for (size_t i = 0; i < c->nheaders; i++)
		add_header(r, c->headers[i]);
	set(CURLOPT_HTTPHEADER, r->state->headers);
}

static void
set_url(struct client *c, struct request *r)
{
	const char *host = c->tls_name != NULL ? c->tls_name : c->url.host;
	auto_free char *url =
	    xasprintf(strchr(host, ':') != NULL ? "%s://[%s]:%u%s%s"
						: "%s://%s:%u%s%s",
		c->url.tls ? "https" : "http", host, c->url.port, c->url.prefix,
		r->path);
	CURL *e = r->state->easy;

	set(CURLOPT_URL, url);
	set(CURLOPT_PATH_AS_IS, 1L);
	set(CURLOPT_PROTOCOLS_STR, c->url.tls ? "https" : "http");
	set(CURLOPT_PROXY, "");
	if (r->state->lane->resolve[0] != '\0') {
		r->state->resolve =
		    curl_slist_append(NULL, r->state->lane->resolve);
		set(CURLOPT_RESOLVE, r->state->resolve);
	}
	set(CURLOPT_HTTP_VERSION,
	    c->url.tls ? (long)CURL_HTTP_VERSION_2TLS
		       : (long)CURL_HTTP_VERSION_1_1);
	set(CURLOPT_PIPEWAIT, 1L);
}

static void
set_socket(struct request *r)
{
	struct lane *l = r->state->lane;
	CURL *e = r->state->easy;

	set(CURLOPT_OPENSOCKETFUNCTION, on_open);
	set(CURLOPT_OPENSOCKETDATA, l);
	set(CURLOPT_SOCKOPTFUNCTION, multi_on_sockopt);
	set(CURLOPT_CLOSESOCKETFUNCTION, on_close);
	set(CURLOPT_CLOSESOCKETDATA, l);
	set(CURLOPT_TCP_NODELAY, 0L); /* the connector has set it */
	set(CURLOPT_NOSIGNAL, 1L);
}

static void
set_tls(struct client *c, CURL *e)
{
	/* else a certificate from a stranger makes OpenSSL look into /etc */
	set(CURLOPT_CAINFO, NULL);
	set(CURLOPT_CAPATH, NULL);
	set(CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	set(CURLOPT_SSL_CTX_DATA, c);
	set(CURLOPT_SSL_VERIFYPEER, c->insecure ? 0L : 1L);
	set(CURLOPT_SSL_VERIFYHOST, c->insecure ? 0L : 2L);
}

static void
wipe_list(struct curl_slist **list)
{
	for (struct curl_slist *l = *list; l != NULL; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(*list);
	*list = NULL;
}

/* Forget a try. */
void
transfer_reset(struct request *r)
{
	struct request_state *st = r->state;

	if (st->easy != NULL) {
		curl_multi_remove_handle(st->lane->multi.curl, st->easy);
		curl_easy_cleanup(st->easy);
		st->easy = NULL;
		st->lane->in_flight--;
	}
	wipe_list(&st->headers);
	curl_slist_free_all(st->resolve);
	st->resolve = NULL;
	buf_clear(&st->body);
	buf_clear(&st->error);
	st->content_type[0] = st->etag[0] = st->retry_after[0] = '\0';
	st->problem[0] = '\0';
	st->refused = FX_OK;
}

void
transfer_start(struct request *r)
{
	struct request_state *st = r->state;
	struct lane *l = st->lane;
	CURL *e = curl_easy_init();
	int64_t now = clk_now_us();

	if (e == NULL)
		fx_bug("curl_easy_init");
	transfer_reset(r);
	/* the time it stood behind others is not the server's */
	if (st->started_us == 0)
		st->deadline_us = now + r->timeout_us;
	st->easy = e;
	st->started_us = st->heard_us = now;
	set(CURLOPT_PRIVATE, r);
	set(CURLOPT_ERRORBUFFER, st->problem);
	set_url(l->client, r);
	set_headers(l->client, r);
	set_socket(r);
	set_tls(l->client, e);
	if (buf_left(&r->body) > 0) {
		set(CURLOPT_POSTFIELDS, (const char *)buf_head(&r->body));
		set(CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)buf_left(&r->body));
	}
	set(CURLOPT_CUSTOMREQUEST, r->method);
	set(CURLOPT_USERAGENT, "fluxd/" PACKAGE_VERSION " (linux)");
	set(CURLOPT_HEADERFUNCTION, on_header);
	set(CURLOPT_HEADERDATA, r);
	set(CURLOPT_WRITEFUNCTION, on_body);
	set(CURLOPT_WRITEDATA, r);
	set(CURLOPT_TIMEOUT_MS, (long)((st->deadline_us - now) / CLK_MS) + 1);
	if (r->stream != NULL) {
		set(CURLOPT_CONNECTTIMEOUT_MS, (long)STREAM_CONNECT_MS);
		if (!l->silence_timer.linked)
			loop_timer_at(l->client->loop, &l->silence_timer,
			    now + SILENCE_US);
	}
	l->in_flight++;
	if (curl_multi_add_handle(l->multi.curl, e) != CURLM_OK)
		fx_bug("curl_multi_add_handle");
}
