/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "post.h"

#include "fd.h"
#include "multi.h"
#include "str.h"

#include <stdio.h>

#define ANSWER_MAX (64 * 1024) /* bytes of an answer; nobody needs more */
#define SHOWN_MAX 200	       /* of a refusal's body that are told */

struct post {
	struct post_target target;
	struct post_hooks hooks;
	struct multi multi;
	int fd; /* connected, not yet libcurl's; -1 */
	int64_t deadline_us;
	const struct buf *json; /* borrowed */
	CURL *easy;
	struct curl_slist *headers, *resolve;
	struct buf shown; /* the beginning of the answer */
	size_t answer;	  /* bytes of it */
	char problem[CURL_ERROR_SIZE];
};

/* ---- what libcurl calls ----------------------------------------------- */

static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct post *p = arg;
	int fd = p->fd;

	(void)purpose;
	(void)addr;
	p->fd = -1;
	return fd == -1 ? CURL_SOCKET_BAD : fd;
}

/* Older versions call connect(2) all the same, to which the filter says yes
 * without doing it. */
static int
on_sockopt(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static CURLcode
on_ssl_ctx(CURL *easy, void *ctx, void *arg)
{
	const struct post *p = arg;

	(void)easy;
	return tls_apply(p->target.tls, ctx) == FX_OK ? CURLE_OK
						      : CURLE_SSL_CERTPROBLEM;
}

static size_t
on_body(char *data, size_t one, size_t n, void *arg)
{
	struct post *p = arg;
	size_t room = SHOWN_MAX - buf_left(&p->shown);

	(void)one;
	p->answer += n;
	if (p->answer > ANSWER_MAX)
		return 0;
	return buf_put(&p->shown, data, n < room ? n : room) == FX_OK ? n : 0;
}

/* ---- a request -------------------------------------------------------- */

/* Every option has to take: a transfer with one missing is another transfer. */
#define set(option, value)                                                     \
	do {                                                                   \
		if (curl_easy_setopt(p->easy, option, value) != CURLE_OK)      \
			fx_bug("libcurl refuses " #option);                    \
	} while (0)

static struct curl_slist *
added(struct curl_slist *list, const char *line)
{
	struct curl_slist *l = curl_slist_append(list, line);

	if (l == NULL)
		fx_no_memory();
	return l;
}

static void
set_headers(struct post *p)
{
	if (*p->target.token != '\0') {
		char *line = xasprintf("Authorization: Scope-Probe token=%s",
		    p->target.token);

		p->headers = added(p->headers, line);
		explicit_bzero(line, strlen(line));
		free(line);
	}
	p->headers = added(p->headers, "Content-Type: application/json");
	p->headers = added(p->headers, "Accept: application/json");
	p->headers = added(p->headers, "Expect:");
	set(CURLOPT_HTTPHEADER, p->headers);
	set(CURLOPT_USERAGENT, "fluxd/" PACKAGE_VERSION);
}

/* Some address, so that no name is resolved; the socket is connected to the
 * right one. */
static void
add_resolved(struct post *p, const char *host_port)
{
	size_t host = strcspn(host_port, ":");
	auto_free char *line = xasprintf("%s:127.0.0.1", host_port);

	/* numbers need no help, and IPv6 would be misread */
	if (host_port[0] != '[' && strspn(host_port, "0123456789.") < host)
		p->resolve = added(p->resolve, line);
}

static void
set_way(struct post *p)
{
	const struct kc_url *at = &p->target.url->at;
	auto_free char *host = xasprintf("%s:%u", at->host, at->port);
	auto_free char *proxy = xasprintf("%s%s",
	    *p->target.proxy == '\0' ? "" : "http://", p->target.proxy);

	set(CURLOPT_URL, p->target.url->events);
	set(CURLOPT_PATH_AS_IS, 1L);
	set(CURLOPT_PROTOCOLS_STR, at->tls ? "https" : "http");
	set(CURLOPT_FOLLOWLOCATION, 0L);
	set(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	set(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	set(CURLOPT_NOPROXY, "");
	set(CURLOPT_PROXY, proxy);
	if (*p->target.proxy_login != '\0')
		set(CURLOPT_PROXYUSERPWD, p->target.proxy_login);
	if (strchr(at->host, ':') == NULL)
		add_resolved(p, host);
	if (*p->target.proxy != '\0')
		add_resolved(p, p->target.proxy);
	set(CURLOPT_RESOLVE, p->resolve);
	set(CURLOPT_OPENSOCKETFUNCTION, on_open);
	set(CURLOPT_OPENSOCKETDATA, p);
	set(CURLOPT_SOCKOPTFUNCTION, on_sockopt);
	set(CURLOPT_TCP_NODELAY, 0L); /* the connector has set it */
	set(CURLOPT_FORBID_REUSE, 1L);
	set(CURLOPT_NOSIGNAL, 1L);
}

static void
set_tls(struct post *p)
{
	/* else a certificate from a stranger makes OpenSSL look into /etc */
	set(CURLOPT_CAINFO, NULL);
	set(CURLOPT_CAPATH, NULL);
	set(CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	set(CURLOPT_SSL_CTX_DATA, p);
	set(CURLOPT_SSL_VERIFYPEER, 1L);
	set(CURLOPT_SSL_VERIFYHOST, 2L);
	set(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static void
start(struct post *p)
{
	int64_t ms = (p->deadline_us - clk_now_us()) / CLK_MS;

	p->easy = curl_easy_init();
	if (p->easy == NULL)
		fx_no_memory();
	p->problem[0] = '\0';
	set(CURLOPT_ERRORBUFFER, p->problem);
	set_way(p);
	set_headers(p);
	set_tls(p);
	set(CURLOPT_POST, 1L);
	set(CURLOPT_POSTFIELDS, (const char *)buf_head(p->json));
	set(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)buf_left(p->json));
	set(CURLOPT_WRITEFUNCTION, on_body);
	set(CURLOPT_WRITEDATA, p);
	set(CURLOPT_TIMEOUT_MS, (long)(ms > 0 ? ms : 1));
	if (curl_multi_add_handle(p->multi.curl, p->easy) != CURLM_OK)
		fx_bug("curl_multi_add_handle");
}

/* ---- the end of it ---------------------------------------------------- */

static void
clear(struct post *p)
{
	if (p->easy != NULL) {
		curl_multi_remove_handle(p->multi.curl, p->easy);
		curl_easy_cleanup(p->easy);
		p->easy = NULL;
	}
	for (struct curl_slist *l = p->headers; l != NULL; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(p->headers);
	curl_slist_free_all(p->resolve);
	p->headers = p->resolve = NULL;
	fd_close(&p->fd);
	buf_clear(&p->shown);
	p->answer = 0;
	p->json = NULL;
}

static void
end(struct post *p, const struct post_outcome *o)
{
	clear(p);
	p->hooks.done(p->hooks.arg, o);
}

static void
print(struct post_outcome *o, const char *before, const char *s, size_t n)
{
	struct buf b = BUF_INIT(POST_TEXT_MAX - 1);
	auto_free char *text = NULL;

	(void)str_add(&b, before);
	str_printable(&b, s, n, SHOWN_MAX);
	text = str_take(&b);
	snprintf(o->text, sizeof(o->text), "%s", text);
}

/* As upstream words it: the status, then what the body says. */
static void
answered(struct post *p, struct post_outcome *o)
{
	curl_off_t seconds = 0;
	char before[32];

	(void)curl_easy_getinfo(p->easy, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds > 0)
		o->retry_after_us =
		    seconds < 86400 ? seconds * CLK_SEC : 86400 * CLK_SEC;
	snprintf(before, sizeof(before), "%ld ", o->status);
	print(o, before, (const char *)buf_head(&p->shown),
	    buf_left(&p->shown));
}

/* An answer with a status is one, however it goes on. */
static void
reap(void *arg)
{
	struct post *p = arg;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(p->multi.curl, &left)) != NULL) {
		struct post_outcome o = { 0 };
		const char *why;

		if (m->msg != CURLMSG_DONE || m->easy_handle != p->easy)
			continue;
		(void)curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE,
		    &o.status);
		why = p->problem[0] != '\0'
		    ? p->problem
		    : curl_easy_strerror(m->data.result);
		if (m->data.result != CURLE_OK &&
		    m->data.result != CURLE_WRITE_ERROR)
			o.status = 0;
		if (o.status != 0)
			answered(p, &o);
		else
			print(&o, "", why, strlen(why));
		end(p, &o);
	}
}

void
post_send(struct post *p, const struct buf *json)
{
	p->json = json;
	p->deadline_us = clk_now_us() + POST_LIMIT_US;
	p->hooks.connect(p->hooks.arg, POST_LIMIT_US);
}

void
post_connected(struct post *p, int fd)
{
	p->fd = fd;
	start(p);
}

void
post_not_connected(struct post *p, const struct fx_err *err)
{
	struct post_outcome o = { 0 };

	print(&o, "", err->text, strlen(err->text));
	end(p, &o);
}

/* ---- life ------------------------------------------------------------- */

struct post *
post_new(struct loop *loop, const struct post_hooks *hooks)
{
	struct post *p = xcalloc(1, sizeof(*p));

	p->hooks = *hooks;
	p->fd = -1;
	buf_init(&p->shown, SHOWN_MAX);
	multi_open(&p->multi, loop, NULL, reap, p);
	return p;
}

void
post_to(struct post *p, const struct post_target *target)
{
	p->target = *target;
}

void
post_free(struct post **pp)
{
	struct post *p = *pp;

	if (p == NULL)
		return;
	clear(p);
	multi_close(&p->multi);
	free(p);
	*pp = NULL;
}
