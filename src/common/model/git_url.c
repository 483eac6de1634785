/* SPDX-License-Identifier: Apache-2.0 */
/* The strict grammar. */
#include "base.h"

#include "git_url.h"

#include "buf.h"
#include "git_url_parts.h"
#include "str.h"

static char *
decoded(struct url_span s)
{
	struct buf b = BUF_INIT(GIT_URL_MAX);
	char *text;

	url_add_decoded(&b, s);
	text = str_take(&b);
	return text;
}

/* A name or an address; what begins with - would be an option to somebody. */
static bool
host_is_strict(struct url_span s)
{
	bool v6 = s.n != 0 && s.p[0] == '[';

	if (v6)
		s = (struct url_span){ s.p + 1, s.n - 2 };
	if (s.n == 0 || s.n > GIT_URL_HOST_MAX || s.p[0] == '-' ||
	    s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (v6 ? str_hex_value(s.p[i]) < 0 && !url_one_of(s.p[i], ":.")
		       : !url_is_alnum(s.p[i]) && !url_one_of(s.p[i], "-._"))
			return false;
	return true;
}

static int
take_host(struct url_span s, struct git_url *u, struct fx_err *err)
{
	const char *end = s.p + s.n, *colon = url_span_rfind(s, ':');
	auto_free char *digits = NULL;
	uint64_t port;

	if (colon != NULL && url_span_find(url_span(colon, end), ']') == NULL) {
		digits = xstrndup(colon + 1, (size_t)(end - colon - 1));
		s = url_span(s.p, colon);
	}
	if (!host_is_strict(s))
		return fx_fail(err, FX_ESYNTAX,
		    "git URL: the host is not a name or an address");
	if (digits != NULL && *digits != '\0') {
		/* leading zeros would be read as an octal number */
		if (*digits == '0' ||
		    fx_parse_u64(digits, 1, 65535, &port) != FX_OK)
			return fx_fail(err, FX_ESYNTAX,
			    "git URL: the port is not between 1 and 65535");
		u->port = (unsigned)port;
	}
	u->host =
	    s.p[0] == '[' ? xstrndup(s.p + 1, s.n - 2) : xstrndup(s.p, s.n);
	return FX_OK;
}

/* Text that becomes part of a command line or a header at the other end. */
static bool
text_is_strict(const char *s, const char *refused)
{
	if (*s == '-' || url_has_control(s))
		return false;
	for (; *s != '\0'; s++)
		if (url_one_of(*s, refused))
			return false;
	return true;
}

static int
check(const struct git_url *u, struct fx_err *err)
{
	/* sshd hands the command with the path to a shell: we quote, and do
	 * not rely on it */
	const char *refused = u->kind == GIT_URL_SSH ? "'\"`$\\" : "";

	if (*u->path == '\0')
		return fx_fail(err, FX_ESYNTAX, "git URL: there is no path");
	if (!text_is_strict(u->path, refused))
		return fx_fail(err, FX_ESYNTAX,
		    "git URL: the path begins with - or has a quote, a "
		    "control character, $ or \\");
	if (!text_is_strict(u->user, u->kind == GIT_URL_SSH ? " :/" : ":"))
		return fx_fail(err, FX_ESYNTAX,
		    "git URL: the user has a character that cannot be used");
	if (u->password != NULL && url_has_control(u->password))
		return fx_fail(err, FX_ESYNTAX,
		    "git URL: the password has a control character");
	return FX_OK;
}

static const struct {
	const char *scheme;
	enum git_url_kind kind;
	unsigned port;
} kinds[] = {
	{ "ssh", GIT_URL_SSH, 22 },
	{ "git+ssh", GIT_URL_SSH, 22 },
	{ "http", GIT_URL_HTTP, 80 },
	{ "https", GIT_URL_HTTPS, 443 },
	{ "file", GIT_URL_FILE, 0 },
};

static int
take_kind(struct url_span scheme, struct git_url *u, struct fx_err *err)
{
	for (size_t i = 0; i < nitems(kinds); i++)
		if (url_span_is(scheme, kinds[i].scheme)) {
			u->kind = kinds[i].kind;
			u->port = kinds[i].port;
			return FX_OK;
		}
	return fx_fail(err, FX_ESYNTAX,
	    "git URL: %.*s is not supported; use ssh, https, http, file or "
	    "an absolute path",
	    (int)scheme.n, scheme.p);
}

static char *
escaped_path(struct url_span s)
{
	struct buf b = BUF_INIT(4 * GIT_URL_MAX);

	url_add_as_written(&b, s, URL_IN_PATH);
	return str_take(&b);
}

static bool
has_nul(struct url_span s)
{
	for (size_t i = 0; i < s.n;)
		if (url_next_byte(s, &i) == 0)
			return true;
	return false;
}

static int
parse_standard(const struct url_parts *p, struct git_url *u, struct fx_err *err)
{
	int r;

	if ((r = take_kind(p->scheme, u, err)) != FX_OK)
		return r;
	if (!p->authority)
		return fx_fail(err, FX_ESYNTAX,
		    "git URL: // has to follow the scheme");
	if (p->query.n != 0 || p->force_query || p->fragment.n != 0)
		return fx_fail(err, FX_ESYNTAX,
		    "git URL: there is an unescaped ? or #; write %%3F, %%23");
	if (has_nul(p->user) || has_nul(p->password) || has_nul(p->path))
		return fx_fail(err, FX_ESYNTAX, "git URL: there is a NUL");
	u->user = decoded(p->user);
	if (p->password.p != NULL)
		u->password = decoded(p->password);
	if (u->kind == GIT_URL_FILE) {
		if (p->has_user ||
		    (p->host.n != 0 && !url_span_is(p->host, "localhost")))
			return fx_fail(err, FX_ESYNTAX,
			    "git URL: file:// takes no host");
		u->host = xstrdup("");
	} else if ((r = take_host(p->host, u, err)) != FX_OK) {
		return r;
	}
	if (u->kind == GIT_URL_HTTP || u->kind == GIT_URL_HTTPS)
		u->path = escaped_path(p->path);
	else
		u->path = decoded(p->path);
	/* /~user is a home directory, as for git itself */
	if (u->kind == GIT_URL_SSH && str_starts(u->path, "/~"))
		memmove(u->path, u->path + 1, strlen(u->path));
	return FX_OK;
}

/* [host] and [host:port] need no brackets for take_host; [a:b::c] does. */
static struct url_span
scp_host(struct url_span s)
{
	const char *colon;

	if (s.n < 2 || s.p[0] != '[')
		return s;
	colon = url_span_find(s, ':');
	if (colon != NULL && colon != url_span_rfind(s, ':'))
		return s;
	return (struct url_span){ s.p + 1, s.n - 2 };
}

/* user@host:path or [host]:path, by git's rule: a colon before any slash. */
static int
parse_scp(const char *text, struct git_url *u, struct fx_err *err)
{
	const char *at, *colon, *host = text;
	int r;

	if (*host != '[' && (at = strchr(text, '@')) != NULL &&
	    at < text + strcspn(text, ":/"))
		host = at + 1;
	colon = *host == '[' ? strstr(host, "]:") : strchr(host, ':');
	if (colon == NULL || memchr(host, '/', (size_t)(colon - host)) != NULL)
		return fx_fail(err, FX_ESYNTAX,
		    "git URL: neither a URL nor host:path nor an absolute "
		    "path");
	if (*host == '[')
		colon++;
	/* scheme:// that is none of ours, or user:password@host:path */
	if (str_starts(colon, "://") || str_starts(colon, "::") ||
	    strchr(colon, '@') != NULL)
		return fx_fail(err, FX_ESYNTAX,
		    "git URL: not well-formed, or of a kind that is not "
		    "supported; user and password must be percent-encoded");
	u->kind = GIT_URL_SSH;
	u->port = 22;
	u->user = xstrndup(text, host == text ? 0 : (size_t)(host - text - 1));
	if ((r = take_host(scp_host(url_span(host, colon)), u, err)) != FX_OK)
		return r;
	u->path = xstrdup(colon + 1);
	return FX_OK;
}

static int
parse(const char *text, struct git_url *u, struct fx_err *err)
{
	struct url_parts p;
	int r;

	if (strlen(text) > GIT_URL_MAX)
		return fx_fail(err, FX_ELIMIT, "git URL: more than %d bytes",
		    GIT_URL_MAX);
	if (url_has_control(text))
		return fx_fail(err, FX_ESYNTAX,
		    "git URL: there is a control character");
	if (*text == '/') {
		u->kind = GIT_URL_FILE;
		u->user = xstrdup("");
		u->host = xstrdup("");
		u->path = xstrdup(text);
	} else if (url_split_standard(text, &p)) {
		if ((r = parse_standard(&p, u, err)) != FX_OK)
			return r;
	} else if ((r = parse_scp(text, u, err)) != FX_OK) {
		return r;
	}
	if (u->kind == GIT_URL_SSH && *u->user == '\0') {
		free(u->user);
		u->user = xstrdup("git");
	}
	return check(u, err);
}

int
git_url_parse(const char *text, struct git_url *out, struct fx_err *err)
{
	struct git_url u = { 0 };
	int r;

	if ((r = parse(text, &u, err)) != FX_OK) {
		git_url_clear(&u);
		return r;
	}
	*out = u;
	return FX_OK;
}

void
git_url_clear(struct git_url *u)
{
	if (u->password != NULL)
		explicit_bzero(u->password, strlen(u->password));
	free(u->password);
	free(u->user);
	free(u->host);
	free(u->path);
	memset(u, 0, sizeof(*u));
}

char *
git_url_bare(const char *text)
{
	struct git_url u;
	struct fx_err err = { 0 };
	struct url_parts p;
	const char *cut;

	if (git_url_parse(text, &u, &err) != FX_OK)
		return NULL;
	git_url_clear(&u);
	if (*text == '/' || !url_split_standard(text, &p) ||
	    p.password.p == NULL)
		return xstrdup(text);
	cut = p.password.p - 1; /* the colon */
	return xasprintf("%.*s%s", (int)(cut - text), text,
	    p.password.p + p.password.n);
}
