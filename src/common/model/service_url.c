/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "service_url.h"

#include "str.h"

#include <arpa/inet.h>
#include <strings.h>

#define EVENTS_PATH "/v6/events"
#define WEBSOCKET_PATH "/v11/daemon"

static const struct {
	const char *scheme, *http;
} schemes[] = {
	{ "ws", "http" },
	{ "wss", "https" },
	{ "http", "http" },
	{ "https", "https" },
};

/* As Go finds it: letters up to a colon.  The rest of the URL is behind. */
static const char *
http_scheme(const char *url, const char **rest, struct fx_err *err)
{
	size_t n = strcspn(url, ":/?#");

	*rest = url + n;
	if (url[n] != ':')
		n = 0;
	for (size_t i = 0; i < nitems(schemes); i++)
		if (strlen(schemes[i].scheme) == n &&
		    strncasecmp(schemes[i].scheme, url, n) == 0 &&
		    str_starts(*rest, "://"))
			return schemes[i].http;
	(void)fx_fail(err, FX_ESYNTAX,
	    "inferring WS/HTTP endpoints: unsupported scheme %.*s",
	    n < 32 ? (int)n : 32, url);
	return NULL;
}

/* It is shown in logs and metrics. */
static bool
is_printable(const char *s)
{
	while (*s > ' ' && *s <= '~' && *s != '"' && *s != '\\')
		s++;
	return *s == '\0';
}

int
service_url_parse(struct service_url *u, const char *url, struct fx_err *err)
{
	const char *rest, *scheme = http_scheme(url, &rest, err);
	auto_free char *base = NULL;

	*u = (struct service_url){ 0 };
	if (scheme == NULL)
		return err->code;
	if (!is_printable(url))
		return fx_fail(err, FX_ESYNTAX, "--connect: not a usable URL");
	/* it would be shown in the log, and sent where it should not be */
	if (memchr(rest, '@', 3 + strcspn(rest + 3, "/?#")) != NULL)
		return fx_fail(err, FX_ESYNTAX,
		    "--connect: no user and no password can stand in the URL; "
		    "see --token");
	/* upstream makes the paths from the path alone */
	base = xasprintf("%s%.*s", scheme, (int)strcspn(rest, "?#"), rest);
	if (kubeconfig_url(base, &u->at, err) != FX_OK)
		return fx_wrap(err, "--connect");
	u->events =
	    xasprintf(strchr(u->at.host, ':') != NULL ? "%s://[%s]:%u%s%s"
						      : "%s://%s:%u%s%s",
		scheme, u->at.host, u->at.port, u->at.prefix, EVENTS_PATH);
	u->target = xasprintf("%s%s", u->at.tls ? "wss" : "ws", rest);
	u->websocket =
	    xasprintf("%s%.*s%s" WEBSOCKET_PATH, u->at.tls ? "wss" : "ws",
		3 + (int)strcspn(rest + 3, "/?#"), rest, u->at.prefix);
	return FX_OK;
}

void
service_url_clear(struct service_url *u)
{
	free(u->events);
	free(u->target);
	free(u->websocket);
	*u = (struct service_url){ 0 };
}

bool
service_token_is_clean(const char *s)
{
	if (strlen(s) > SERVICE_TOKEN_MAX)
		return false;
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

/* ---- the proxy ----------------------------------------------------------
 */

struct address {
	int family;
	unsigned char bytes[16];
};

static bool
read_address(const char *s, struct address *a)
{
	a->family = strchr(s, ':') != NULL ? AF_INET6 : AF_INET;
	return inet_pton(a->family, s, a->bytes) == 1;
}

/* "10.0.0.0/8" */
static bool
is_in_net(const struct address *a, const char *entry, size_t n)
{
	auto_free char *net = xstrndup(entry, n);
	char *slash = strchr(net, '/');
	struct address b;
	uint64_t bits;

	if (slash == NULL)
		return false;
	*slash = '\0';
	if (!read_address(net, &b) || b.family != a->family ||
	    fx_parse_u64(slash + 1, 0, a->family == AF_INET ? 32 : 128,
		&bits) != FX_OK)
		return false;
	for (uint64_t i = 0; i < bits; i++)
		if (((a->bytes[i / 8] ^ b.bytes[i / 8]) >> (7 - i % 8)) & 1)
			return false;
	return true;
}

/* "example.org" is it and what is below it, ".example.org" what is below it;
 * with a port only there. */
static bool
is_excepted_name(const struct kc_url *at, const char *entry, size_t n)
{
	auto_free char *name = xstrndup(entry, n);
	char *colon = strrchr(name, ':');
	size_t host = strlen(at->host);
	const char *plain = name;
	uint64_t port;

	if (colon != NULL && strchr(name, ':') == colon) {
		if (fx_parse_u64(colon + 1, 1, UINT16_MAX, &port) != FX_OK ||
		    port != at->port)
			return false;
		*colon = '\0';
	}
	if (str_starts(plain, "*."))
		plain++;
	if (strcasecmp(plain, at->host) == 0)
		return true;
	n = strlen(plain);
	return n > 0 && host > n &&
	    strcasecmp(at->host + host - n, plain) == 0 &&
	    (plain[0] == '.' || at->host[host - n - 1] == '.');
}

static bool
is_excepted(const struct kc_url *at, const char *list)
{
	struct address a = { 0 };
	bool numeric = read_address(at->host, &a);
	size_t n;

	if (strcasecmp(at->host, "localhost") == 0 ||
	    (numeric && a.family == AF_INET && a.bytes[0] == 127) ||
	    strcmp(at->host, "::1") == 0)
		return true;
	for (; list != NULL && *list != '\0'; list += n + (list[n] == ',')) {
		const char *entry = list;
		size_t left = n = strcspn(list, ",");

		while (left > 0 && *entry == ' ')
			entry++, left--;
		while (left > 0 && entry[left - 1] == ' ')
			left--;
		if (left == 0)
			continue;
		if ((left == 1 && *entry == '*') ||
		    (numeric && is_in_net(&a, entry, left)) ||
		    is_excepted_name(at, entry, left))
			return true;
	}
	return false;
}

static const char *
either(char *(*get)(const char *), const char *upper, const char *lower)
{
	const char *s = get(upper);

	return s != NULL && *s != '\0' ? s : get(lower);
}

char *
service_proxy(const struct service_url *u, char *(*get)(const char *name),
    struct fx_err *err)
{
	const char *s = u->at.tls ? either(get, "HTTPS_PROXY", "https_proxy")
				  : either(get, "HTTP_PROXY", "http_proxy");
	const char *authority, *at;
	struct kc_url where;
	auto_free char *base = NULL;

	if (s == NULL || *s == '\0' ||
	    is_excepted(&u->at, either(get, "NO_PROXY", "no_proxy")))
		return NULL;
	authority = strstr(s, "://");
	if (authority != NULL && strncasecmp(s, "http://", 7) != 0) {
		(void)fx_fail(err, FX_ESYNTAX,
		    "the proxy of the environment is none of HTTP");
		return NULL;
	}
	authority = authority == NULL ? s : authority + 3;
	at = memrchr(authority, '@', strcspn(authority, "/?#"));
	base = xasprintf("http://%s", at == NULL ? authority : at + 1);
	if (kubeconfig_url(base, &where, err) != FX_OK) {
		(void)fx_fail(err, FX_ESYNTAX,
		    "the proxy of the environment is not a usable URL");
		return NULL;
	}
	return xasprintf(strchr(where.host, ':') != NULL ? "%.*s[%s]:%u"
							 : "%.*s%s:%u",
	    at == NULL ? 0 : (int)(at + 1 - authority), authority, where.host,
	    where.port);
}

int
service_way(const struct service_url *u, const char *proxy, struct kc_url *way,
    struct fx_err *err)
{
	auto_free char *url = xasprintf("http://%s", proxy);

	*way = u->at;
	return *proxy == '\0' ? FX_OK : kubeconfig_url(url, way, err);
}
