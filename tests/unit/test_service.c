/* SPDX-License-Identifier: Apache-2.0 */
/* Where the service of --connect is, what leads there, and when it is asked
 * again. */
#include "base.h"
#include "retry.h"
#include "service_url.h"
#include "str.h"
#include "test.h"

static void
test_urls(void)
{
	static const struct {
		const char *url, *events, *error;
	} tv[] = {
		{ "wss://h/api/flux", "https://h:443/api/flux/v6/events",
		    NULL },
		{ "https://h/api/flux/", "https://h:443/api/flux/v6/events",
		    NULL },
		{ "ws://fluxcloud", "http://fluxcloud:80/v6/events", NULL },
		{ "http://fluxcloud:8080", "http://fluxcloud:8080/v6/events",
		    NULL },
		{ "HTTP://[::1]:3/x?y=z#f", "http://[::1]:3/x/v6/events",
		    NULL },
		{ "ftp://h", NULL,
		    "inferring WS/HTTP endpoints: unsupported scheme ftp" },
		{ "fluxcloud", NULL,
		    "inferring WS/HTTP endpoints: unsupported scheme " },
		{ "fluxcloud:80", NULL,
		    "inferring WS/HTTP endpoints: unsupported scheme "
		    "fluxcloud" },
		{ "http:/h", NULL,
		    "inferring WS/HTTP endpoints: unsupported scheme http" },
		{ "http://u:p@h/x", NULL,
		    "--connect: no user and no password can stand in the URL; "
		    "see --token" },
		{ "http://h/@", "http://h:80/@/v6/events", NULL },
		{ "http://", NULL, "--connect: server: not a usable URL" },
		{ "http://h:0/", NULL, "--connect: server: not a usable URL" },
		{ "http://h:65536/", NULL,
		    "--connect: server: not a usable URL" },
		{ "http://h h/", NULL, "--connect: not a usable URL" },
		{ "http://h/\"", NULL, "--connect: not a usable URL" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct service_url u;
		struct fx_err err = { 0 };
		int r = service_url_parse(&u, tv[i].url, &err);

		if (!want_int(r == FX_OK, tv[i].error == NULL))
			printf("# %s: %s\n", tv[i].url, err.text);
		if (tv[i].error != NULL)
			want_str(err.text, tv[i].error);
		else
			want_str(u.events, tv[i].events);
		service_url_clear(&u);
	}
}

static void
test_tokens(void)
{
	auto_free char *longest = xcalloc(1, SERVICE_TOKEN_MAX + 2);

	want(service_token_is_clean(""));
	want(service_token_is_clean("abc DEF ~ !"));
	want(!service_token_is_clean("a\r\nX: y"));
	want(!service_token_is_clean("a\t"));
	want(!service_token_is_clean("\xc3\xa9"));
	memset(longest, 'a', SERVICE_TOKEN_MAX);
	want(service_token_is_clean(longest));
	longest[SERVICE_TOKEN_MAX] = 'a';
	want(!service_token_is_clean(longest));
}

static const char *env[8]; /* "NAME=value" */

static char *
get(const char *name)
{
	for (size_t i = 0; i < nitems(env) && env[i] != NULL; i++)
		if (str_starts(env[i], name) && env[i][strlen(name)] == '=')
			return (char *)(uintptr_t)env[i] + strlen(name) + 1;
	return NULL;
}

/* What Go's ProxyFromEnvironment makes of it. */
static void
test_proxies(void)
{
	static const struct {
		const char *url, *env[3], *proxy;
	} tv[] = {
		{ "http://h", { NULL }, NULL },
		{ "http://h", { "HTTP_PROXY=http://p:3128/" }, "p:3128" },
		{ "http://h", { "http_proxy=p" }, "p:80" },
		{ "http://h", { "HTTP_PROXY=a", "http_proxy=b" }, "a:80" },
		{ "http://h", { "HTTP_PROXY=", "http_proxy=b" }, "b:80" },
		{ "https://h", { "HTTP_PROXY=p" }, NULL },
		{ "wss://h", { "https_proxy=http://u:p%40w@p:1" },
		    "u:p%40w@p:1" },
		{ "http://h", { "HTTP_PROXY=[::2]:8" }, "[::2]:8" },
		{ "https://h", { "HTTPS_PROXY=socks5://p" }, "! none of HTTP" },
		{ "https://h", { "HTTPS_PROXY=http://p/\x01 q" },
		    "! not a usable URL" },
		/* not for those */
		{ "http://localhost", { "HTTP_PROXY=p" }, NULL },
		{ "http://127.1.2.3:8", { "HTTP_PROXY=p" }, NULL },
		{ "http://[::1]", { "HTTP_PROXY=p" }, NULL },
		{ "http://h", { "HTTP_PROXY=p", "NO_PROXY=*" }, NULL },
		{ "http://h.x", { "HTTP_PROXY=p", "no_proxy=a, h.x ,b" },
		    NULL },
		{ "http://a.h.x", { "HTTP_PROXY=p", "NO_PROXY=H.x" }, NULL },
		{ "http://ah.x", { "HTTP_PROXY=p", "NO_PROXY=h.x" }, "p:80" },
		{ "http://a.h.x", { "HTTP_PROXY=p", "NO_PROXY=.h.x" }, NULL },
		{ "http://h.x", { "HTTP_PROXY=p", "NO_PROXY=.h.x" }, "p:80" },
		{ "http://a.h.x", { "HTTP_PROXY=p", "NO_PROXY=*.h.x" }, NULL },
		{ "http://h:81", { "HTTP_PROXY=p", "NO_PROXY=h:80" }, "p:80" },
		{ "http://h:80", { "HTTP_PROXY=p", "NO_PROXY=h:80" }, NULL },
		{ "http://10.1.2.3", { "HTTP_PROXY=p", "NO_PROXY=10.1.0.0/16" },
		    NULL },
		{ "http://10.2.2.3", { "HTTP_PROXY=p", "NO_PROXY=10.1.0.0/16" },
		    "p:80" },
		{ "http://10.2.2.3", { "HTTP_PROXY=p", "NO_PROXY=10.1.0.0/99" },
		    "p:80" },
		{ "http://10.2.2.3", { "HTTP_PROXY=p", "NO_PROXY=10.2.2.3" },
		    NULL },
		{ "http://[fd00::1]", { "HTTP_PROXY=p", "NO_PROXY=fd00::/8" },
		    NULL },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct service_url u;
		struct fx_err err = { 0 };
		auto_free char *proxy = NULL;

		memcpy(env, tv[i].env, sizeof(tv[i].env));
		want_int(service_url_parse(&u, tv[i].url, &err), FX_OK);
		proxy = service_proxy(&u, get, &err);
		if (tv[i].proxy != NULL && tv[i].proxy[0] == '!') {
			want(proxy == NULL && err.code == FX_ESYNTAX &&
			    strstr(err.text, tv[i].proxy + 2) != NULL);
		} else {
			want_int(err.code, FX_OK);
			if (!want_str(proxy, tv[i].proxy))
				printf("# row %zu\n", i);
		}
		service_url_clear(&u);
	}
}

static void
test_way(void)
{
	struct service_url u;
	struct kc_url way;
	struct fx_err err = { 0 };

	want_int(service_url_parse(&u, "wss://h/x", &err), FX_OK);
	want_int(service_way(&u, "", &way, &err), FX_OK);
	want_str(way.host, "h");
	want_int(way.port, 443);
	want_int(service_way(&u, "p:3128", &way, &err), FX_OK);
	want_str(way.host, "p");
	want_int(way.port, 3128);
	service_url_clear(&u);
}

static void
test_verdicts(void)
{
	static const struct {
		long status;
		enum verdict verdict;
	} tv[] = {
		{ 0, VERDICT_AGAIN },
		{ 200, VERDICT_TAKEN },
		{ 201, VERDICT_TAKEN },
		{ 202, VERDICT_TAKEN },
		{ 203, VERDICT_AGAIN },
		{ 204, VERDICT_TAKEN },
		{ 206, VERDICT_AGAIN },
		{ 301, VERDICT_AGAIN },
		{ 400, VERDICT_REFUSED },
		{ 401, VERDICT_AGAIN },
		{ 403, VERDICT_AGAIN },
		{ 404, VERDICT_AGAIN },
		{ 410, VERDICT_AGAIN },
		{ 413, VERDICT_REFUSED },
		{ 415, VERDICT_REFUSED },
		{ 422, VERDICT_REFUSED },
		{ 429, VERDICT_AGAIN },
		{ 500, VERDICT_AGAIN },
		{ 503, VERDICT_AGAIN },
		{ 999, VERDICT_AGAIN },
	};

	for (size_t i = 0; i < nitems(tv); i++)
		if (!want_int(retry_judge(tv[i].status), tv[i].verdict))
			printf("# %ld\n", tv[i].status);
}

static void
test_pauses(void)
{
	want_int(retry_pause_us(1, 0), CLK_SEC);
	want_int(retry_pause_us(2, 0), 2 * CLK_SEC);
	want_int(retry_pause_us(9, 0), 256 * CLK_SEC);
	want_int(retry_pause_us(10, 0), 5 * CLK_MIN);
	want_int(retry_pause_us(UINT32_MAX, 0), 5 * CLK_MIN);
	want_int(retry_pause_us(1, 30 * CLK_SEC), 30 * CLK_SEC);
	want_int(retry_pause_us(9, 30 * CLK_SEC), 256 * CLK_SEC);
	want_int(retry_pause_us(1, 86400 * CLK_SEC), 5 * CLK_MIN);
}

int
main(void)
{
	test_run("service: where events are posted to", test_urls);
	test_run("service: what a token may hold", test_tokens);
	test_run("service: the environment's proxy as Go reads it",
	    test_proxies);
	test_run("service: whom to connect to", test_way);
	test_run("service: what each answer means", test_verdicts);
	test_run("service: pauses grow, to a bound", test_pauses);
	return test_done();
}
