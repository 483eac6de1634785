/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "client.h"

#include "str.h"
#include "text.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define STATUS_LINE_MAX 256 /* bytes that are shown */
#define TIMEOUT_MIN_MS 1000 /* --timeout=0 means one question, not none */

struct client {
	struct url url;
	char *token; /* owned; empty: none */
	int64_t timeout_ns;
};

/* One request on its way. */
struct transfer {
	struct reply *reply;
	char address[80]; /* of the first connection tried: "1.2.3.4:80" */
	bool too_large;
};

void
reply_clear(struct reply *r)
{
	free(r->status_line);
	free(r->content_type);
	buf_clear(&r->body);
	*r = (struct reply){ 0 };
}

struct client *
client_new(struct url *url, const char *token, int64_t timeout_ns)
{
	struct client *c = xcalloc(1, sizeof(*c));

	c->url = *url;
	*url = (struct url){ 0 };
	c->token = xstrdup(token);
	c->timeout_ns = timeout_ns;
	return c;
}

void
client_free(struct client **p)
{
	struct client *c = *p;

	if (c == NULL)
		return;
	url_clear(&c->url);
	explicit_bzero(c->token, strlen(c->token));
	free(c->token);
	free(c);
	*p = NULL;
}

int64_t
client_timeout_ns(const struct client *c)
{
	return c->timeout_ns;
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	if (buf_put(&t->reply->body, data, size * n) == FX_OK)
		return size * n;
	t->too_large = true;
	return CURL_WRITEFUNC_ERROR;
}

/* Keeps what follows the version in "HTTP/1.1 404 Not Found"; of several
 * answers (100, redirects) the last one counts. */
static size_t
on_header(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;
	const char *space;

	if (len < 5 || memcmp(data, "HTTP/", 5) != 0)
		return len;
	space = memchr(data, ' ', len);
	if (space == NULL)
		return len;
	buf_reset(&t->reply->body);
	free(t->reply->status_line);
	t->reply->status_line = xstrndup(space + 1,
	    strnlen(space + 1, len - (size_t)(space + 1 - data)));
	for (char *s = t->reply->status_line; *s != '\0'; s++)
		if (*s == '\r' || *s == '\n')
			*s = '\0';
	return len;
}

static void
describe_address(const struct sockaddr *sa, char *out, size_t n)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;
	char text[INET6_ADDRSTRLEN];

	if (sa->sa_family == AF_INET &&
	    inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)) != NULL)
		snprintf(out, n, "%s:%u", text, ntohs(in->sin_port));
	else if (sa->sa_family == AF_INET6 &&
	    inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)) != NULL)
		snprintf(out, n, "[%s]:%u", text, ntohs(in6->sin6_port));
}

static curl_socket_t
on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct transfer *t = arg;

	(void)purpose;
	if (t->address[0] == '\0')
		describe_address(&to->addr, t->address, sizeof(t->address));
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static bool
is_loopback(const char *host)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/*
 * libcurl finds the other proxy variables by itself, but not HTTP_PROXY, which
 * a web server could have made of a header (httpoxy).
 */
static void
set_proxy(CURL *h, const struct url *url)
{
	auto_free char *host = url_hostname(url);
	const char *proxy = getenv("HTTP_PROXY");

	if (url->socket != NULL || is_loopback(host))
		curl_easy_setopt(h, CURLOPT_PROXY, "");
	else if (strcmp(url->scheme, "http") == 0 && proxy != NULL &&
	    *proxy != '\0' && getenv("REQUEST_METHOD") == NULL)
		curl_easy_setopt(h, CURLOPT_PROXY, proxy);
}

/* Certificates where these variables name them, as Go has it. */
static void
set_certificates(CURL *h)
{
	const char *file = getenv("SSL_CERT_FILE"),
		   *dir = getenv("SSL_CERT_DIR");

	if (file != NULL && *file != '\0')
		curl_easy_setopt(h, CURLOPT_CAINFO, file);
	if (dir != NULL && *dir != '\0')
		curl_easy_setopt(h, CURLOPT_CAPATH, dir);
}

/* libcurl's setters cannot fail here but for memory, which ends us anyway. */
static void
set_options(CURL *h, const struct client *c, struct transfer *t,
    const struct curl_slist *headers, const char *body)
{
	long ms = TIMEOUT_MIN_MS;

	if (c->timeout_ns / 1000000 > ms)
		ms = c->timeout_ns / 1000000 > INT32_MAX
		    ? INT32_MAX
		    : (long)(c->timeout_ns / 1000000);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, ms);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	/* the status line is part of error texts, and HTTP/2 has none */
	curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h, CURLOPT_USERAGENT, "fluxctl/" PACKAGE_VERSION);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, t);
	if (body != NULL)
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, body);
	set_proxy(h, &c->url);
	set_certificates(h);
	if (c->url.socket != NULL) {
		/* a redirect would go to the socket, whatever host it names */
		curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, c->url.socket);
		return;
	}
	curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(h, CURLOPT_MAXREDIRS, (long)CLIENT_REDIRECTS_MAX);
}

static void
add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *grown = curl_slist_append(*list, line);

	if (grown == NULL)
		fx_bug("out of memory");
	*list = grown;
}

static struct curl_slist *
make_headers(const struct client *c, bool post)
{
	struct curl_slist *list = NULL;
	auto_free char *line = NULL;

	add_header(&list, "Accept: application/json");
	if (post)
		add_header(&list, "Content-Type: application/json");
	if (*c->token == '\0')
		return list;
	line = xasprintf("Authorization: Scope-Probe token=%s", c->token);
	add_header(&list, line);
	explicit_bzero(line, strlen(line));
	return list;
}

/* What went wrong below HTTP, in Go's words where it has some. */
static char *
transport_text(CURL *h, const struct client *c, const struct transfer *t,
    CURLcode code)
{
	auto_free char *host = url_hostname(&c->url), *why = NULL;
	struct buf b = BUF_INIT(128);
	long number = 0;

	switch (code) {
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(h, CURLINFO_OS_ERRNO, &number);
		why = xstrdup(ctl_system_text((int)number));
		if (c->url.socket != NULL)
			return xasprintf("dial unix %s: connect: %s",
			    c->url.socket, why);
		return xasprintf("dial tcp %s: connect: %s", t->address, why);
	case CURLE_COULDNT_RESOLVE_HOST:
		return xasprintf("dial tcp: lookup %s: no such host", host);
	case CURLE_OPERATION_TIMEDOUT:
		str_add_duration(&b, c->timeout_ns);
		why = str_take(&b);
		return xasprintf("no answer within %s", why);
	case CURLE_TOO_MANY_REDIRECTS:
		return xasprintf("stopped after %d redirects",
		    CLIENT_REDIRECTS_MAX);
	case CURLE_GOT_NOTHING:
		return xstrdup("EOF");
	default:
		if (t->too_large)
			return xasprintf("the answer has more than %u bytes",
			    CLIENT_BODY_MAX);
		return xstrdup(curl_easy_strerror(code));
	}
}

static int
fail_transport(const struct client *c, const char *route, const char *query,
    bool post, const char *why, struct ctl_error *err)
{
	auto_free char *url = url_join(&c->url, route, query, true);
	auto_free char *quoted = ctl_quoted(url);

	return ctl_fail(err, FX_EFAIL,
	    "executing HTTP request: executing HTTP request: %s %s: %s",
	    post ? "Post" : "Get", quoted, why);
}

static char *
unusable(const struct client *c)
{
	const struct url *u = &c->url;
	auto_free char *quoted = NULL;
	const char *port = url_port(u);
	uint64_t number;

	if (strcmp(u->scheme, "http") != 0 && strcmp(u->scheme, "https") != 0) {
		quoted = ctl_quoted(u->scheme);
		return xasprintf("unsupported protocol scheme %s", quoted);
	}
	if (*u->host == '\0')
		return xstrdup("http: no Host in request URL");
	/* fx_parse_u64 would read a leading zero as octal */
	if (strspn(port, "0") < strlen(port) &&
	    fx_parse_u64(port + strspn(port, "0"), 0, UINT16_MAX, &number) !=
		FX_OK)
		return xasprintf("dial tcp: address %s: invalid port", port);
	/* a line end in the token would begin a header of its own */
	for (const char *s = c->token; *s != '\0'; s++)
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return xstrdup("net/http: invalid header field value "
				       "for \"Authorization\"");
	return NULL;
}

static void
finish(CURL *h, struct reply *reply)
{
	char *type = NULL;

	curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &reply->status);
	curl_easy_getinfo(h, CURLINFO_CONTENT_TYPE, &type);
	reply->content_type = xstrdup(type == NULL ? "" : type);
	if (reply->status_line == NULL)
		reply->status_line = xasprintf("%ld", reply->status);
}

int
client_request(const struct client *c, const char *route, const char *query,
    const char *body, struct reply *out, struct ctl_error *err)
{
	auto_reply struct reply reply = { .body = BUF_INIT(CLIENT_BODY_MAX) };
	auto_free char *url = url_join(&c->url, route, query, false);
	auto_free char *why = unusable(c);
	struct transfer t = { .reply = &reply };
	struct curl_slist *headers;
	CURLcode code;
	CURL *h;

	if (why != NULL)
		return fail_transport(c, route, query, body != NULL, why, err);
	h = curl_easy_init();
	if (h == NULL)
		fx_bug("libcurl gives no handle");
	headers = make_headers(c, body != NULL);
	set_options(h, c, &t, headers, body);
	curl_easy_setopt(h, CURLOPT_URL, url);
	code = curl_easy_perform(h);
	if (code == CURLE_OK)
		finish(h, &reply);
	else
		why = transport_text(h, c, &t, code);
	curl_easy_cleanup(h);
	curl_slist_free_all(headers);
	if (code != CURLE_OK)
		return fail_transport(c, route, query, body != NULL, why, err);
	*out = reply;
	reply = (struct reply){ 0 };
	return FX_OK;
}
