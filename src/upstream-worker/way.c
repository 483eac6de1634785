/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "way.h"

#include "fd.h"
#include "multi.h"
#include "str.h"

static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct way *w = arg;
	int fd = w->fd;

	(void)purpose;
	(void)addr;
	w->fd = -1;
	return fd == -1 ? CURL_SOCKET_BAD : fd;
}

static CURLcode
on_ssl_ctx(CURL *easy, void *ctx, void *arg)
{
	const struct way *w = arg;

	(void)easy;
	return tls_apply(w->tls, ctx) == FX_OK ? CURLE_OK
					       : CURLE_SSL_CERTPROBLEM;
}

struct curl_slist *
way_add(struct curl_slist *list, const char *line)
{
	struct curl_slist *l = curl_slist_append(list, line);

	if (l == NULL)
		fx_no_memory();
	return l;
}

/* Every option has to take: a transfer with one missing is another transfer. */
#define set(option, value)                                                     \
	do {                                                                   \
		if (curl_easy_setopt(easy, option, value) != CURLE_OK)         \
			fx_bug("libcurl refuses " #option);                    \
	} while (0)

/* Some address, so that no name is resolved; the socket is connected to the
 * right one. */
void
way_resolve(struct way *w, CURL *easy, const char *host_port)
{
	size_t host = strcspn(host_port, ":");
	auto_free char *line = xasprintf("%s:127.0.0.1", host_port);

	/* numbers need no help, and IPv6 would be misread */
	if (host_port[0] == '[' || strspn(host_port, "0123456789.") >= host)
		return;
	w->resolve = way_add(w->resolve, line);
	set(CURLOPT_RESOLVE, w->resolve);
}

static void
set_tls(struct way *w, CURL *easy)
{
	/* else a certificate from a stranger makes OpenSSL look into /etc */
	set(CURLOPT_CAINFO, NULL);
	set(CURLOPT_CAPATH, NULL);
	set(CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	set(CURLOPT_SSL_CTX_DATA, w);
	set(CURLOPT_SSL_VERIFYPEER, 1L);
	set(CURLOPT_SSL_VERIFYHOST, 2L);
	set(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

void
way_set(struct way *w, CURL *easy)
{
	const struct kc_url *at = &w->url->at;
	auto_free char *host =
	    xasprintf(strchr(at->host, ':') == NULL ? "%s:%u" : "[%s]:%u",
		at->host, at->port);

	set(CURLOPT_URL, w->url->events);
	set(CURLOPT_PATH_AS_IS, 1L);
	set(CURLOPT_PROTOCOLS_STR, at->tls ? "https" : "http");
	set(CURLOPT_FOLLOWLOCATION, 0L);
	set(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	set(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	set(CURLOPT_NOPROXY, "");
	set(CURLOPT_PROXY, "");
	way_resolve(w, easy, host);
	set(CURLOPT_OPENSOCKETFUNCTION, on_open);
	set(CURLOPT_OPENSOCKETDATA, w);
	set(CURLOPT_SOCKOPTFUNCTION, multi_on_sockopt);
	set(CURLOPT_TCP_NODELAY, 0L); /* the connector has set it */
	set(CURLOPT_NOSIGNAL, 1L);
	set_tls(w, easy);
}

void
way_clear(struct way *w)
{
	curl_slist_free_all(w->resolve);
	w->resolve = NULL;
	fd_close(&w->fd);
}
