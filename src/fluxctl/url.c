/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "url.h"

#include "quote.h"
#include "str.h"

#include <ctype.h>
#include <stdio.h>

/* The API's place behind a socket: there is no URL that could say it. */
#define SOCKET_BASE "/api/flux"

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

static int
fail(struct ctl_error *err, const char *url, const char *why)
{
	auto_free char *quoted = str_quoted(url);

	return ctl_fail(err, FX_ESYNTAX, "parse %s: %s", quoted, why);
}

/* Finds the scheme's colon; 0 when there is no scheme, -1 for ":foo". */
static ptrdiff_t
scheme_length(const char *s)
{
	for (const char *p = s; *p != '\0'; p++) {
		if (*p == ':')
			return p == s ? -1 : p - s;
		if (p == s ? !isalpha((unsigned char)*p)
			   : !is_alnum(*p) && strchr("+-.", *p) == NULL)
			return 0;
	}
	return 0;
}

static int
check_bytes(const char *url, struct ctl_error *err)
{
	char bad[8];

	for (const char *s = url; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return fail(err, url,
			    "net/url: invalid control character in URL");
		if (*s != '%' ||
		    (isxdigit((unsigned char)s[1]) &&
			isxdigit((unsigned char)s[2])))
			continue;
		snprintf(bad, sizeof(bad), "%.3s", s);
		{
			auto_free char *quoted = str_quoted(bad);
			auto_free char *why =
			    xasprintf("invalid URL escape %s", quoted);

			return fail(err, url, why);
		}
	}
	return FX_OK;
}

static int
check_host(const char *url, const char *host, struct ctl_error *err)
{
	auto_free char *quoted = NULL, *why = NULL;
	const char *port, *end;

	if (*host == '[') {
		end = strchr(host, ']');
		if (end == NULL)
			return fail(err, url, "missing ']' in host");
		port = end + 1;
	} else {
		port = strrchr(host, ':');
		if (port == NULL)
			port = host + strlen(host);
	}
	for (const char *s = host; s < port; s++) {
		char one[2] = { *s };

		if (strchr(" \"<>\\^`{|}", *s) == NULL)
			continue;
		quoted = str_quoted(one);
		why = xasprintf("invalid character %s in host name", quoted);
		return fail(err, url, why);
	}
	if (*port == '\0' ||
	    (*port == ':' && port[1 + strspn(port + 1, "0123456789")] == '\0'))
		return FX_OK;
	quoted = str_quoted(port);
	why = xasprintf("invalid port %s after host", quoted);
	return fail(err, url, why);
}

static int
parse_authority(const char *url, const char *s, size_t n, struct url *out,
    struct ctl_error *err)
{
	const char *at = memrchr(s, '@', n);

	if (at != NULL) {
		out->userinfo = xstrndup(s, (size_t)(at - s));
		n -= (size_t)(at - s) + 1;
		s = at + 1;
	}
	out->host = xstrndup(s, n);
	return check_host(url, out->host, err);
}

static int
parse(const char *url, struct url *out, struct ctl_error *err)
{
	ptrdiff_t scheme = scheme_length(url);
	const char *s = url, *end;
	int r;

	if (strlen(url) > URL_MAX)
		return ctl_fail(err, FX_ELIMIT, "a URL of more than %d bytes",
		    URL_MAX);
	if (scheme < 0)
		return fail(err, url, "missing protocol scheme");
	r = check_bytes(url, err);
	if (r != FX_OK)
		return r;
	out->scheme = xstrndup(url, (size_t)scheme);
	for (char *c = out->scheme; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	if (scheme > 0)
		s += scheme + 1;
	if (str_starts(s, "//")) {
		s += 2;
		end = s + strcspn(s, "/?#");
		r = parse_authority(url, s, (size_t)(end - s), out, err);
		if (r != FX_OK)
			return r;
		s = end;
	} else {
		out->host = xstrdup("");
		end = s + strcspn(s, "/?#");
		if (scheme == 0 && memchr(s, ':', (size_t)(end - s)) != NULL)
			return fail(err, url,
			    "first path segment in URL cannot contain colon");
	}
	/* a query of the base is replaced, a fragment never sent */
	out->path = xstrndup(s, strcspn(s, "?#"));
	return FX_OK;
}

int
url_parse(const char *text, struct url *out, struct ctl_error *err)
{
	auto_url struct url u = { 0 };
	int r = parse(text, &u, err);

	if (r != FX_OK)
		return ctl_wrap(err, r, "parsing URL");
	if (strcmp(u.scheme, "unix") == 0) {
		if (*u.host != '\0' || u.path[0] != '/' || u.path[1] == '\0')
			return ctl_fail(err, FX_ESYNTAX,
			    "parsing URL: %s: a socket is written "
			    "unix:///path/of/the.sock",
			    text);
		u.socket = u.path;
		free(u.scheme);
		free(u.host);
		u.scheme = xstrdup("http");
		u.host = xstrdup("localhost");
		u.path = xstrdup(SOCKET_BASE);
	}
	*out = u;
	u = (struct url){ 0 };
	return FX_OK;
}

void
url_clear(struct url *u)
{
	if (u->userinfo != NULL)
		explicit_bzero(u->userinfo, strlen(u->userinfo));
	free(u->scheme);
	free(u->userinfo);
	free(u->host);
	free(u->path);
	free(u->socket);
	*u = (struct url){ 0 };
}

/* What a path may hold as it is; anything else is percent-encoded. */
static bool
is_path_char(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("-_.~$&+,/:;=@", c) != NULL);
}

/* Percent-encoded bytes are checked to be well-formed when a URL is parsed. */
static char *
decode(const char *s)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	char digits[3] = { 0 };
	uint8_t byte;

	for (; *s != '\0'; s++) {
		if (*s == '%') {
			memcpy(digits, s + 1, 2);
			if (str_unhex(digits, &byte, 1) == FX_OK) {
				(void)str_addc(&b, (char)byte);
				s += 2;
				continue;
			}
		}
		(void)str_addc(&b, *s);
	}
	return str_take(&b);
}

/* Append the elements of a path, each behind a slash; ".." takes one away. */
static void
add_elements(struct buf *b, const char *path)
{
	size_t n;

	for (const char *s = path; *s != '\0'; s += n) {
		s += strspn(s, "/");
		n = strcspn(s, "/");
		if (n == 0 || (n == 1 && *s == '.'))
			continue;
		if (n != 2 || s[0] != '.' || s[1] != '.') {
			(void)str_addc(b, '/');
			(void)str_addn(b, s, n);
			continue;
		}
		while (b->len > 0 && b->data[b->len - 1] != '/')
			b->len--;
		if (b->len > 0)
			b->len--;
	}
}

static void
add_path(struct buf *b, const struct url *u, const char *route)
{
	auto_free char *base = decode(u->path), *path = NULL;
	bool rootless = *u->scheme == '\0' && *u->host == '\0' && *base != '/';
	struct buf clean = BUF_INIT(SIZE_MAX);

	add_elements(&clean, base);
	add_elements(&clean, route);
	path = str_take(&clean);
	for (const char *s = path + rootless; *s != '\0'; s++)
		if (is_path_char(*s))
			(void)str_addc(b, *s);
		else
			(void)str_addf(b, "%%%02X", (unsigned char)*s);
}

char *
url_join(const struct url *u, const char *route, const char *query, bool shown)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	size_t user = u->userinfo == NULL ? 0 : strcspn(u->userinfo, ":");

	if (*u->scheme != '\0')
		(void)str_addf(&b, "%s://", u->scheme);
	if (u->userinfo != NULL && shown && u->userinfo[user] == ':')
		(void)str_addf(&b, "%.*s:***@", (int)user, u->userinfo);
	else if (u->userinfo != NULL)
		(void)str_addf(&b, "%s@", u->userinfo);
	(void)str_add(&b, u->host);
	add_path(&b, u, route);
	if (query != NULL)
		(void)str_addf(&b, "?%s", query);
	return str_take(&b);
}

char *
url_hostname(const struct url *u)
{
	const char *s = u->host;

	if (*s == '[')
		return xstrndup(s + 1, strcspn(s + 1, "]"));
	return xstrndup(s, strcspn(s, ":"));
}

const char *
url_port(const struct url *u)
{
	const char *s = u->host;

	if (*s == '[')
		s += strcspn(s, "]");
	s += strcspn(s, ":");
	return *s == ':' ? s + 1 : s;
}

char *
url_query_escape(const char *s)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	for (; *s != '\0'; s++) {
		if (is_alnum(*s) || strchr("-_.~", *s) != NULL)
			(void)str_addc(&b, *s);
		else if (*s == ' ')
			(void)str_addc(&b, '+');
		else
			(void)str_addf(&b, "%%%02X", (unsigned char)*s);
	}
	return str_take(&b);
}
