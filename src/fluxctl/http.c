/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "http.h"

#include "str.h"
#include "text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#define TIMEOUT_MIN_MS 1000 /* --timeout=0 means one question, not none */

void
reply_clear(struct reply *r)
{
	free(r->status_line);
	free(r->content_type);
	buf_clear(&r->body);
	*r = (struct reply){ 0 };
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
	struct http_note *note = arg;

	(void)purpose;
	if (note->address[0] == '\0')
		describe_address(&to->addr, note->address,
		    sizeof(note->address));
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

void
http_init(CURL *h, int64_t timeout_ns, struct http_note *note)
{
	long ms = TIMEOUT_MIN_MS;

	if (timeout_ns / 1000000 > ms)
		ms = timeout_ns / 1000000 > INT32_MAX
		    ? INT32_MAX
		    : (long)(timeout_ns / 1000000);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, ms);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	/* the status line is part of error texts, and HTTP/2 has none; nor
	 * can a connection be upgraded with it */
	curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h, CURLOPT_USERAGENT, "fluxctl/" PACKAGE_VERSION);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, note->detail);
	curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, note);
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	struct reply *reply = arg;

	if (buf_put(&reply->body, data, size * n) == FX_OK)
		return size * n;
	reply->too_large = true;
	return CURL_WRITEFUNC_ERROR;
}

/* Keeps what follows the version in "HTTP/1.1 404 Not Found"; of several
 * answers (100, redirects) the last one counts. */
static size_t
on_header(char *data, size_t size, size_t n, void *arg)
{
	struct reply *reply = arg;
	size_t len = size * n;
	const char *space;

	if (len < 5 || memcmp(data, "HTTP/", 5) != 0)
		return len;
	space = memchr(data, ' ', len);
	if (space == NULL)
		return len;
	buf_reset(&reply->body);
	free(reply->status_line);
	reply->status_line = xstrndup(space + 1,
	    strnlen(space + 1, len - (size_t)(space + 1 - data)));
	for (char *s = reply->status_line; *s != '\0'; s++)
		if (*s == '\r' || *s == '\n')
			*s = '\0';
	return len;
}

void
http_into(CURL *h, struct reply *reply)
{
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, reply);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, reply);
}

void
http_finish(CURL *h, struct reply *reply)
{
	char *type = NULL;

	curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &reply->status);
	curl_easy_getinfo(h, CURLINFO_CONTENT_TYPE, &type);
	reply->content_type = xstrdup(type == NULL ? "" : type);
	if (reply->status_line == NULL)
		reply->status_line = xasprintf("%ld", reply->status);
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
void
http_proxy(CURL *h, const char *scheme, const char *host)
{
	const char *proxy = getenv("HTTP_PROXY");

	if (is_loopback(host))
		curl_easy_setopt(h, CURLOPT_PROXY, "");
	else if (strcmp(scheme, "http") == 0 && proxy != NULL &&
	    *proxy != '\0' && getenv("REQUEST_METHOD") == NULL)
		curl_easy_setopt(h, CURLOPT_PROXY, proxy);
}

void
http_certificates(CURL *h)
{
	const char *file = getenv("SSL_CERT_FILE"),
		   *dir = getenv("SSL_CERT_DIR");

	if (file != NULL && *file != '\0')
		curl_easy_setopt(h, CURLOPT_CAINFO, file);
	if (dir != NULL && *dir != '\0')
		curl_easy_setopt(h, CURLOPT_CAPATH, dir);
}

void
http_add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *grown = curl_slist_append(*list, line);

	if (grown == NULL)
		fx_no_memory();
	*list = grown;
}

bool
http_is_value(const char *s)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

char *
http_why(CURL *h, CURLcode code, const char *host, int64_t timeout_ns,
    const struct http_note *note, const struct reply *reply)
{
	struct buf b = BUF_INIT(128);
	auto_free char *limit = NULL;
	long number = 0;

	if (reply != NULL && reply->too_large)
		return xasprintf("the answer has more than %zu bytes",
		    reply->body.max);
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(h, CURLINFO_OS_ERRNO, &number);
		return xasprintf("dial tcp %s: connect: %s", note->address,
		    ctl_system_text((int)number));
	case CURLE_COULDNT_RESOLVE_HOST:
		return xasprintf("dial tcp: lookup %s: no such host", host);
	case CURLE_OPERATION_TIMEDOUT:
		str_add_duration(&b, timeout_ns);
		limit = str_take(&b);
		return xasprintf("no answer within %s", limit);
	case CURLE_GOT_NOTHING:
		return xstrdup("EOF");
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		/* which of many reasons it was */
		if (note->detail[0] != '\0')
			return xstrdup(note->detail);
		return xstrdup(curl_easy_strerror(code));
	default:
		return xstrdup(curl_easy_strerror(code));
	}
}
