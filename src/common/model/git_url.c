/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "git_url.h"

#include <ctype.h>
#include <strings.h>

#include "buf.h"
#include "str.h"

/* A piece of the text; not owned, not terminated. */
struct span {
	const char *p;
	size_t n;
};

/*
 * What upstream takes a text for.  It tries a standard URL (Go's net/url, some
 * schemes), then host:path, then takes it for a local path, so this never
 * fails.  Pieces are as written, still escaped where `standard`.
 */
struct parts {
	bool standard;	/* net/url accepted it, with a scheme of git's */
	bool authority; /* … and there was a // */
	bool has_user;
	bool force_query; /* a lone ? at the end */
	struct span scheme, opaque, user, password, host, path, query, fragment;
};

enum place { IN_PATH, IN_USER, IN_HOST, IN_FRAGMENT };

static const char *const schemes[] = { "ssh", "git", "git+ssh", "http", "https",
	"ftp", "ftps", "rsync", "file" };

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

static bool
one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static struct span
span(const char *p, const char *end)
{
	return (struct span){ p, (size_t)(end - p) };
}

static bool
span_is(struct span s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static const char *
span_find(struct span s, char c)
{
	return s.n == 0 ? NULL : memchr(s.p, c, s.n);
}

static const char *
span_rfind(struct span s, char c)
{
	return s.n == 0 ? NULL : memrchr(s.p, c, s.n);
}

/* ---- escapes, by Go's rules ---- */

static bool
must_escape(char c, enum place where)
{
	if (is_alnum(c) || one_of(c, "-_.~"))
		return false;
	switch (where) {
	case IN_HOST:
		return !one_of(c, "!$&'()*+,;=:[]<>\"");
	case IN_USER:
		return !one_of(c, "$&+,;=");
	case IN_PATH:
		return !one_of(c, "$&+,/:;=@");
	case IN_FRAGMENT:
		return !one_of(c, "$&+,/:;=?@!()*");
	}
	return true;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte at s.p[*i], unescaped; moves *i past it.  -1: a broken escape. */
static int
next_byte(struct span s, size_t *i)
{
	int hi, lo;

	if (s.p[*i] != '%')
		return (unsigned char)s.p[(*i)++];
	if (s.n - *i < 3 || (hi = hex_value(s.p[*i + 1])) < 0 ||
	    (lo = hex_value(s.p[*i + 2])) < 0)
		return -1;
	*i += 3;
	return hi << 4 | lo;
}

static bool
escapes_ok(struct span s, enum place where)
{
	for (size_t i = 0; i < s.n;) {
		bool escaped = s.p[i] == '%';
		int c = next_byte(s, &i);

		if (c < 0)
			return false;
		if (where != IN_HOST)
			continue;
		/* in a host only bytes that are not ASCII may be escaped */
		if (escaped ? c < 0x80 && c != '%'
			    : c < 0x80 && must_escape((char)c, IN_HOST))
			return false;
	}
	return true;
}

static void
add_byte(struct buf *b, char c)
{
	if (str_addc(b, c) != FX_OK)
		fx_bug("git_url: a text of at most %d bytes was too long",
		    GIT_URL_MAX);
}

static void
add_span(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		add_byte(b, s.p[i]);
}

static void
add_text(struct buf *b, const char *s)
{
	add_span(b, (struct span){ s, strlen(s) });
}

static void
add_escaped_byte(struct buf *b, char c, enum place where)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned v = (unsigned char)c;

	if (!must_escape(c, where)) {
		add_byte(b, c);
		return;
	}
	add_byte(b, '%');
	add_byte(b, digits[v >> 4]);
	add_byte(b, digits[v & 15]);
}

/* Append s unescaped; its escapes are known to be well-formed. */
static void
add_decoded(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n;)
		add_byte(b, (char)next_byte(s, &i));
}

/* Append s unescaped and escaped again. */
static void
add_normal(struct buf *b, struct span s, enum place where)
{
	for (size_t i = 0; i < s.n;)
		add_escaped_byte(b, (char)next_byte(s, &i), where);
}

/* Paths and fragments stay as written unless a byte must not stand there. */
static void
add_as_written(struct buf *b, struct span s, enum place where)
{
	for (size_t i = 0; i < s.n; i++)
		if (!one_of(s.p[i], "!$&'()*+,;=:@[]%") &&
		    must_escape(s.p[i], where)) {
			add_normal(b, s, where);
			return;
		}
	add_span(b, s);
}

/* ---- upstream's interpretation ---- */

static bool
port_ok(struct span s)
{
	if (s.n == 0)
		return true;
	if (s.p[0] != ':')
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

static bool
host_ok(struct span s)
{
	const char *end = s.p + s.n, *cut;

	if (s.n != 0 && s.p[0] == '[') {
		/* no zones: they mean nothing to another machine */
		if ((cut = span_rfind(s, ']')) == NULL ||
		    span_find(s, '%') != NULL)
			return false;
		return port_ok(span(cut + 1, end)) && escapes_ok(s, IN_HOST);
	}
	if ((cut = span_rfind(s, ':')) != NULL && !port_ok(span(cut, end)))
		return false;
	return escapes_ok(s, IN_HOST);
}

static bool
split_authority(struct span s, struct parts *out)
{
	const char *at = span_rfind(s, '@'), *colon;
	struct span info;

	out->authority = true;
	out->host = at == NULL ? s : span(at + 1, s.p + s.n);
	if (!host_ok(out->host))
		return false;
	if (at == NULL)
		return true;
	info = span(s.p, at);
	for (size_t i = 0; i < info.n; i++)
		if (!is_alnum(info.p[i]) &&
		    !one_of(info.p[i], "-._:~!$&'()*+,;=%@"))
			return false;
	out->has_user = true;
	out->user = info;
	if ((colon = span_find(info, ':')) != NULL) {
		out->user = span(info.p, colon);
		out->password = span(colon + 1, at);
	}
	return escapes_ok(info, IN_USER);
}

/* "scheme:", if the text begins with one. */
static const char *
skip_scheme(const char *s, struct span *scheme)
{
	size_t i = 0;

	while (is_alnum(s[i]) || (i != 0 && one_of(s[i], "+-.")))
		i++;
	if (i == 0 || s[i] != ':' || (s[0] >= '0' && s[0] <= '9'))
		return NULL;
	*scheme = (struct span){ s, i };
	return s + i + 1;
}

static bool
known_scheme(struct span s)
{
	for (size_t i = 0; i < nitems(schemes); i++)
		if (span_is(s, schemes[i]))
			return true;
	return false;
}

static bool
has_control_before(const char *s, const char *end)
{
	for (; s < end; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	return false;
}

static bool
has_control(const char *s)
{
	return has_control_before(s, s + strlen(s));
}

/* As net/url parses: fragment, query, then what is left. */
static bool
split_standard(const char *text, struct parts *out)
{
	const char *p, *end = text + strlen(text), *cut;
	struct span rest;

	memset(out, 0, sizeof(*out));
	if ((cut = strchr(text, '#')) != NULL) {
		out->fragment = span(cut + 1, end);
		end = cut;
	}
	if ((p = skip_scheme(text, &out->scheme)) == NULL || p > end ||
	    !known_scheme(out->scheme) || has_control_before(text, end) ||
	    !escapes_ok(out->fragment, IN_FRAGMENT))
		return false;
	rest = span(p, end);
	if ((cut = span_find(rest, '?')) != NULL) {
		out->query = span(cut + 1, end);
		out->force_query = out->query.n == 0;
		rest = span(p, cut);
	}
	out->standard = true;
	if (rest.n == 0 || rest.p[0] != '/') {
		out->opaque = rest;
		return true;
	}
	out->path = rest;
	if (rest.n > 1 && rest.p[1] == '/') {
		struct span a = { rest.p + 2, rest.n - 2 };

		if ((cut = span_find(a, '/')) == NULL)
			cut = a.p + a.n;
		out->path = span(cut, a.p + a.n);
		if (!split_authority(span(a.p, cut), out))
			return false;
	}
	return escapes_ok(out->path, IN_PATH);
}

/* ^([a-zA-Z0-9_]+@)?([a-zA-Z0-9._-]+):([a-zA-Z0-9./_-]+)(?:\?||$)(.*)$ */
static bool
split_scp(const char *text, struct parts *out)
{
	const char *p = text, *start;

	memset(out, 0, sizeof(*out));
	while (is_alnum(*p) || *p == '_')
		p++;
	if (*p == '@' && p != text) {
		out->has_user = true;
		out->user = span(text, p++);
	} else {
		p = text;
	}
	for (start = p; is_alnum(*p) || one_of(*p, "._-"); p++)
		;
	out->host = span(start, p);
	if (p == start || *p++ != ':')
		return false;
	for (start = p; is_alnum(*p) || one_of(*p, "./_-"); p++)
		;
	out->path = span(start, p);
	if (p == start || strchr(p, '\n') != NULL)
		return false;
	if (*p == '?')
		p++;
	out->query = (struct span){ p, strlen(p) };
	out->scheme = (struct span){ "ssh", 3 };
	return true;
}

static void
interpret(const char *text, struct parts *out)
{
	if (split_standard(text, out))
		return;
	if (split_scp(text, out))
		return;
	memset(out, 0, sizeof(*out));
	out->scheme = (struct span){ "file", 4 };
	out->path = (struct span){ text, strlen(text) };
}

static void
add_lower(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		add_byte(b, (char)tolower((unsigned char)s.p[i]));
}

static void
add_path(struct buf *b, const struct parts *u)
{
	if (u->path.n != 0 && u->path.p[0] != '/' && u->host.n != 0)
		add_byte(b, '/');
	if (u->standard)
		add_as_written(b, u->path, IN_PATH);
	else
		for (size_t i = 0; i < u->path.n; i++)
			add_escaped_byte(b, u->path.p[i], IN_PATH);
}

/* As net/url prints, without the password. */
static char *
print(const struct parts *u)
{
	struct buf b = BUF_INIT(4 * GIT_URL_MAX);

	add_lower(&b, u->scheme);
	add_byte(&b, ':');
	if (u->opaque.n != 0) {
		add_span(&b, u->opaque);
	} else {
		if (u->host.n != 0 || u->path.n != 0 || u->has_user)
			add_text(&b, "//");
		if (u->has_user) {
			add_normal(&b, u->user, IN_USER);
			add_byte(&b, '@');
		}
		add_normal(&b, u->host, IN_HOST);
		add_path(&b, u);
	}
	if (u->force_query || u->query.n != 0) {
		add_byte(&b, '?');
		add_span(&b, u->query);
	}
	if (u->fragment.n != 0) {
		add_byte(&b, '#');
		add_as_written(&b, u->fragment, IN_FRAGMENT);
	}
	return str_take(&b);
}

char *
git_url_safe(const char *text)
{
	struct parts u;

	if (strlen(text) > GIT_URL_MAX)
		return xstrdup("<unparseable>");
	interpret(text, &u);
	return print(&u);
}

char *
git_url_show(const char *text)
{
	const char *colon;
	struct parts u;

	interpret(text, &u);
	/* what is no URL with a host may have a password in an odd place */
	if (!u.authority && (colon = strchr(text, ':')) != NULL &&
	    strchr(colon, '@') != NULL)
		return xstrdup("<unparseable>");
	return git_url_safe(text);
}

/* What upstream compares of a URL. */
struct place_of {
	struct buf host; /* with port */
	struct buf path;
};

static void
place_clear(struct place_of *p)
{
	buf_clear(&p->host);
	buf_clear(&p->path);
}

static void
place_init(struct place_of *p, const char *text)
{
	struct parts u;

	buf_init(&p->host, GIT_URL_MAX);
	buf_init(&p->path, GIT_URL_MAX);
	if (strlen(text) > GIT_URL_MAX)
		return;
	interpret(text, &u);
	add_decoded(&p->host, u.host);
	if (u.standard)
		add_decoded(&p->path, u.path);
	else
		add_span(&p->path, u.path);
}

static struct span
content(const struct buf *b)
{
	return (struct span){ (const char *)buf_head(b), buf_left(b) };
}

/* Without one leading / and one trailing .git. */
static struct span
compared_path(const struct buf *b)
{
	struct span s = content(b);

	if (s.n != 0 && s.p[0] == '/')
		s = (struct span){ s.p + 1, s.n - 1 };
	if (s.n >= 4 && memcmp(s.p + s.n - 4, ".git", 4) == 0)
		s.n -= 4;
	return s;
}

static bool
span_equal(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
git_url_equivalent(const char *one, const char *other)
{
	FX_CLEANUP(place_clear) struct place_of a, b;

	place_init(&a, one);
	place_init(&b, other);
	return span_equal(content(&a.host), content(&b.host)) &&
	    span_equal(compared_path(&a.path), compared_path(&b.path));
}

bool
git_url_is_http(const char *text)
{
	struct parts u;

	interpret(text, &u);
	return span_is(u.scheme, "http") || span_is(u.scheme, "https");
}

/* ---- the strict grammar ---- */

static char *
decoded(struct span s)
{
	struct buf b = BUF_INIT(GIT_URL_MAX);
	char *text;

	add_decoded(&b, s);
	text = str_take(&b);
	return text;
}

/* A name or an address; what begins with - would be an option to somebody. */
static bool
host_is_strict(struct span s)
{
	bool v6 = s.n != 0 && s.p[0] == '[';

	if (v6)
		s = (struct span){ s.p + 1, s.n - 2 };
	if (s.n == 0 || s.n > GIT_URL_HOST_MAX || s.p[0] == '-' ||
	    s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (v6 ? hex_value(s.p[i]) < 0 && !one_of(s.p[i], ":.")
		       : !is_alnum(s.p[i]) && !one_of(s.p[i], "-._"))
			return false;
	return true;
}

static int
take_host(struct span s, struct git_url *u, struct fx_err *err)
{
	const char *end = s.p + s.n, *colon = span_rfind(s, ':');
	auto_free char *digits = NULL;
	uint64_t port;

	if (colon != NULL && span_find(span(colon, end), ']') == NULL) {
		digits = xstrndup(colon + 1, (size_t)(end - colon - 1));
		s = span(s.p, colon);
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
	if (*s == '-' || has_control(s))
		return false;
	for (; *s != '\0'; s++)
		if (one_of(*s, refused))
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
	if (u->password != NULL && has_control(u->password))
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
take_kind(struct span scheme, struct git_url *u, struct fx_err *err)
{
	for (size_t i = 0; i < nitems(kinds); i++)
		if (span_is(scheme, kinds[i].scheme)) {
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
escaped_path(struct span s)
{
	struct buf b = BUF_INIT(4 * GIT_URL_MAX);

	add_as_written(&b, s, IN_PATH);
	return str_take(&b);
}

static bool
has_nul(struct span s)
{
	for (size_t i = 0; i < s.n;)
		if (next_byte(s, &i) == 0)
			return true;
	return false;
}

static int
parse_standard(const struct parts *p, struct git_url *u, struct fx_err *err)
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
		    (p->host.n != 0 && !span_is(p->host, "localhost")))
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
static struct span
scp_host(struct span s)
{
	const char *colon;

	if (s.n < 2 || s.p[0] != '[')
		return s;
	colon = span_find(s, ':');
	if (colon != NULL && colon != span_rfind(s, ':'))
		return s;
	return (struct span){ s.p + 1, s.n - 2 };
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
	if ((r = take_host(scp_host(span(host, colon)), u, err)) != FX_OK)
		return r;
	u->path = xstrdup(colon + 1);
	return FX_OK;
}

static int
parse(const char *text, struct git_url *u, struct fx_err *err)
{
	struct parts p;
	int r;

	if (strlen(text) > GIT_URL_MAX)
		return fx_fail(err, FX_ELIMIT, "git URL: more than %d bytes",
		    GIT_URL_MAX);
	if (has_control(text))
		return fx_fail(err, FX_ESYNTAX,
		    "git URL: there is a control character");
	if (*text == '/') {
		u->kind = GIT_URL_FILE;
		u->user = xstrdup("");
		u->host = xstrdup("");
		u->path = xstrdup(text);
	} else if (split_standard(text, &p)) {
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
	struct parts p;
	const char *cut;

	if (git_url_parse(text, &u, &err) != FX_OK)
		return NULL;
	git_url_clear(&u);
	if (*text == '/' || !split_standard(text, &p) || p.password.p == NULL)
		return xstrdup(text);
	cut = p.password.p - 1; /* the colon */
	return xasprintf("%.*s%s", (int)(cut - text), text,
	    p.password.p + p.password.n);
}
