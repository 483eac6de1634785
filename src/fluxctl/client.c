/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "client.h"

#include "http.h"
#include "quote.h"
#include "str.h"
#include "text.h"

#include <curl/curl.h>
#include <netinet/in.h>

struct client {
	struct url url;
	char *token; /* owned; empty: none */
	int64_t timeout_ns;
	CURLSH *connections;	 /* that are kept from request to request */
	struct forward *forward; /* owned; NULL: the URL leads there */
};

struct client *
client_new(struct url *url, const char *token, int64_t timeout_ns,
    struct forward *forward)
{
	struct client *c = xcalloc(1, sizeof(*c));

	c->url = *url;
	*url = (struct url){ 0 };
	c->token = xstrdup(token);
	c->timeout_ns = timeout_ns;
	c->forward = forward;
	c->connections = curl_share_init();
	if (c->connections == NULL ||
	    curl_share_setopt(c->connections, CURLSHOPT_SHARE,
		CURL_LOCK_DATA_CONNECT) != CURLSHE_OK)
		fx_bug("libcurl shares no connections");
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
	(void)curl_share_cleanup(c->connections);
	forward_free(&c->forward);
	free(c);
	*p = NULL;
}

int64_t
client_timeout_ns(const struct client *c)
{
	return c->timeout_ns;
}

/* A socket that leads to the daemon by way of the API server. */
static curl_socket_t
on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	(void)purpose;
	(void)to;
	return forward_connect(arg);
}

static int
on_socket_made(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static void
set_way(CURL *h, const struct client *c)
{
	auto_free char *host = url_hostname(&c->url);

	if (c->forward != NULL) {
		curl_easy_setopt(h, CURLOPT_PROXY, "");
		curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, on_socket);
		curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, c->forward);
		curl_easy_setopt(h, CURLOPT_SOCKOPTFUNCTION, on_socket_made);
		/* not every server's end is shown to us */
		curl_easy_setopt(h, CURLOPT_MAXAGE_CONN, FORWARD_IDLE_MAX);
		return;
	}
	if (c->url.socket != NULL) {
		/* a redirect would go to the socket, whatever host it names */
		curl_easy_setopt(h, CURLOPT_PROXY, "");
		curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, c->url.socket);
		return;
	}
	http_proxy(h, c->url.scheme, host);
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(h, CURLOPT_MAXREDIRS, (long)CLIENT_REDIRECTS_MAX - 1);
}

static void
set_options(CURL *h, const struct client *c, const struct curl_slist *headers,
    const char *body)
{
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	if (body != NULL) {
		/* libcurl repeats what it sent on a connection that turns out
		 * to be dead; a POST that was heard must not come twice */
		curl_easy_setopt(h, CURLOPT_FRESH_CONNECT, 1L);
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, body);
	}
	curl_easy_setopt(h, CURLOPT_SHARE, c->connections);
	curl_easy_setopt(h, CURLOPT_MAXCONNECTS, 1L);
	http_certificates(h);
	set_way(h, c);
}

static struct curl_slist *
make_headers(const struct client *c, bool post)
{
	struct curl_slist *list = NULL;
	auto_free char *line = NULL;

	http_add_header(&list, "Accept: application/json");
	if (post)
		http_add_header(&list, "Content-Type: application/json");
	if (*c->token == '\0')
		return list;
	line = xasprintf("Authorization: Scope-Probe token=%s", c->token);
	http_add_header(&list, line);
	explicit_bzero(line, strlen(line));
	return list;
}

/* What went wrong below HTTP, in Go's words where it has some. */
static char *
transport_text(CURL *h, const struct client *c, const struct http_note *note,
    const struct reply *reply, CURLcode code)
{
	auto_free char *host = url_hostname(&c->url);
	char *why = c->forward == NULL ? NULL : forward_why(c->forward);
	long number = 0;

	if (why != NULL)
		return why;
	if (code == CURLE_TOO_MANY_REDIRECTS)
		return xasprintf("stopped after %d redirects",
		    CLIENT_REDIRECTS_MAX);
	if (code != CURLE_COULDNT_CONNECT || c->url.socket == NULL)
		return http_why(h, code, host, c->timeout_ns, note, reply);
	curl_easy_getinfo(h, CURLINFO_OS_ERRNO, &number);
	return xasprintf("dial unix %s: connect: %s", c->url.socket,
	    ctl_system_text((int)number));
}

/* Where the last answer that there may be sent us, as it said it; NULL: it is
 * not known. */
static char *
last_location(CURL *h)
{
	struct curl_header *found;

	return curl_easy_header(h, "Location", 0, CURLH_HEADER,
		   CLIENT_REDIRECTS_MAX - 1, &found) == CURLHE_OK
	    ? xstrdup(found->value)
	    : NULL;
}

static int
fail_transport(const char *url, bool post, CURLcode code, const char *why,
    struct ctl_error *err)
{
	auto_free char *quoted = str_quoted(url);

	return ctl_fail(err,
	    code == CURLE_OPERATION_TIMEDOUT ? FX_ETIMEOUT : FX_EFAIL,
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
		quoted = str_quoted(u->scheme);
		return xasprintf("unsupported protocol scheme %s", quoted);
	}
	if (*u->host == '\0')
		return xstrdup("http: no Host in request URL");
	/* fx_parse_u64 would read a leading zero as octal */
	if (strspn(port, "0") < strlen(port) &&
	    fx_parse_u64(port + strspn(port, "0"), 0, UINT16_MAX, &number) !=
		FX_OK)
		return xasprintf("dial tcp: address %s: invalid port", port);
	if (!http_is_value(c->token))
		return xstrdup("net/http: invalid header field value "
			       "for \"Authorization\"");
	return NULL;
}

int
client_request(const struct client *c, const char *route, const char *query,
    const char *body, struct reply *out, struct ctl_error *err)
{
	auto_reply struct reply reply = { .body = BUF_INIT(CLIENT_BODY_MAX) };
	auto_free char *url = url_join(&c->url, route, query, false);
	auto_free char *shown = url_join(&c->url, route, query, true);
	auto_free char *why = unusable(c), *location = NULL;
	struct http_note note = { 0 };
	struct curl_slist *headers;
	CURLcode code;
	CURL *h;

	if (why != NULL)
		return fail_transport(shown, body != NULL, CURLE_OK, why, err);
	h = curl_easy_init();
	if (h == NULL)
		fx_bug("libcurl gives no handle");
	headers = make_headers(c, body != NULL);
	http_init(h, c->timeout_ns, &note);
	http_into(h, &reply);
	set_options(h, c, headers, body);
	curl_easy_setopt(h, CURLOPT_URL, url);
	code = curl_easy_perform(h);
	if (code == CURLE_OK)
		http_finish(h, &reply);
	else
		why = transport_text(h, c, &note, &reply, code);
	if (code == CURLE_TOO_MANY_REDIRECTS)
		location = last_location(h);
	curl_easy_cleanup(h);
	curl_slist_free_all(headers);
	if (code != CURLE_OK)
		return fail_transport(location != NULL ? location : shown,
		    body != NULL, code, why, err);
	*out = reply;
	reply = (struct reply){ 0 };
	return FX_OK;
}
