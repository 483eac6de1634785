/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "git_url_parts.h"

#include <strings.h>

#include "git_url.h"
#include "str.h"

static const char *const schemes[] = { "ssh", "git", "git+ssh", "http", "https",
	"ftp", "ftps", "rsync", "file" };

bool
url_is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

bool
url_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

struct url_span
url_span(const char *p, const char *end)
{
	return (struct url_span){ p, (size_t)(end - p) };
}

bool
url_span_is(struct url_span s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

const char *
url_span_find(struct url_span s, char c)
{
	return s.n == 0 ? NULL : memchr(s.p, c, s.n);
}

const char *
url_span_rfind(struct url_span s, char c)
{
	return s.n == 0 ? NULL : memrchr(s.p, c, s.n);
}

/* ---- escapes, by Go's rules ---- */

static bool
must_escape(char c, enum url_place where)
{
	if (url_is_alnum(c) || url_one_of(c, "-_.~"))
		return false;
	switch (where) {
	case URL_IN_HOST:
		return !url_one_of(c, "!$&'()*+,;=:[]<>\"");
	case URL_IN_USER:
		return !url_one_of(c, "$&+,;=");
	case URL_IN_PATH:
		return !url_one_of(c, "$&+,/:;=@");
	case URL_IN_FRAGMENT:
		return !url_one_of(c, "$&+,/:;=?@!()*");
	}
	return true;
}

int
url_next_byte(struct url_span s, size_t *i)
{
	int hi, lo;

	if (s.p[*i] != '%')
		return (unsigned char)s.p[(*i)++];
	if (s.n - *i < 3 || (hi = str_hex_value(s.p[*i + 1])) < 0 ||
	    (lo = str_hex_value(s.p[*i + 2])) < 0)
		return -1;
	*i += 3;
	return hi << 4 | lo;
}

static bool
escapes_ok(struct url_span s, enum url_place where)
{
	for (size_t i = 0; i < s.n;) {
		bool escaped = s.p[i] == '%';
		int c = url_next_byte(s, &i);

		if (c < 0)
			return false;
		if (where != URL_IN_HOST)
			continue;
		/* in a host only bytes that are not ASCII may be escaped */
		if (escaped ? c < 0x80 && c != '%'
			    : c < 0x80 && must_escape((char)c, URL_IN_HOST))
			return false;
	}
	return true;
}

void
url_add_byte(struct buf *b, char c)
{
	if (str_addc(b, c) != FX_OK)
		fx_bug("git_url: a text of at most %d bytes was too long",
		    GIT_URL_MAX);
}

void
url_add_span(struct buf *b, struct url_span s)
{
	for (size_t i = 0; i < s.n; i++)
		url_add_byte(b, s.p[i]);
}

void
url_add_text(struct buf *b, const char *s)
{
	url_add_span(b, (struct url_span){ s, strlen(s) });
}

void
url_add_escaped(struct buf *b, char c, enum url_place where)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned v = (unsigned char)c;

	if (!must_escape(c, where)) {
		url_add_byte(b, c);
		return;
	}
	url_add_byte(b, '%');
	url_add_byte(b, digits[v >> 4]);
	url_add_byte(b, digits[v & 15]);
}

void
url_add_decoded(struct buf *b, struct url_span s)
{
	for (size_t i = 0; i < s.n;)
		url_add_byte(b, (char)url_next_byte(s, &i));
}

void
url_add_normal(struct buf *b, struct url_span s, enum url_place where)
{
	for (size_t i = 0; i < s.n;)
		url_add_escaped(b, (char)url_next_byte(s, &i), where);
}

void
url_add_as_written(struct buf *b, struct url_span s, enum url_place where)
{
	for (size_t i = 0; i < s.n; i++)
		if (!url_one_of(s.p[i], "!$&'()*+,;=:@[]%") &&
		    must_escape(s.p[i], where)) {
			url_add_normal(b, s, where);
			return;
		}
	url_add_span(b, s);
}

/* ---- the interpretation ---- */

static bool
port_ok(struct url_span s)
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
host_ok(struct url_span s)
{
	const char *end = s.p + s.n, *cut;

	if (s.n != 0 && s.p[0] == '[') {
		/* no zones: they mean nothing to another machine */
		if ((cut = url_span_rfind(s, ']')) == NULL ||
		    url_span_find(s, '%') != NULL)
			return false;
		return port_ok(url_span(cut + 1, end)) &&
		    escapes_ok(s, URL_IN_HOST);
	}
	if ((cut = url_span_rfind(s, ':')) != NULL &&
	    !port_ok(url_span(cut, end)))
		return false;
	return escapes_ok(s, URL_IN_HOST);
}

static bool
split_authority(struct url_span s, struct url_parts *out)
{
	const char *at = url_span_rfind(s, '@'), *colon;
	struct url_span info;

	out->authority = true;
	out->host = at == NULL ? s : url_span(at + 1, s.p + s.n);
	if (!host_ok(out->host))
		return false;
	if (at == NULL)
		return true;
	info = url_span(s.p, at);
	for (size_t i = 0; i < info.n; i++)
		if (!url_is_alnum(info.p[i]) &&
		    !url_one_of(info.p[i], "-._:~!$&'()*+,;=%@"))
			return false;
	out->has_user = true;
	out->user = info;
	if ((colon = url_span_find(info, ':')) != NULL) {
		out->user = url_span(info.p, colon);
		out->password = url_span(colon + 1, at);
	}
	return escapes_ok(info, URL_IN_USER);
}

/* "scheme:", if the text begins with one. */
static const char *
skip_scheme(const char *s, struct url_span *scheme)
{
	size_t i = 0;

	while (url_is_alnum(s[i]) || (i != 0 && url_one_of(s[i], "+-.")))
		i++;
	if (i == 0 || s[i] != ':' || (s[0] >= '0' && s[0] <= '9'))
		return NULL;
	*scheme = (struct url_span){ s, i };
	return s + i + 1;
}

static bool
known_scheme(struct url_span s)
{
	for (size_t i = 0; i < nitems(schemes); i++)
		if (url_span_is(s, schemes[i]))
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

bool
url_has_control(const char *s)
{
	return has_control_before(s, s + strlen(s));
}

/* As net/url parses: fragment, query, then what is left. */
bool
url_split_standard(const char *text, struct url_parts *out)
{
	const char *p, *end = text + strlen(text), *cut;
	struct url_span rest;

	memset(out, 0, sizeof(*out));
	if ((cut = strchr(text, '#')) != NULL) {
		out->fragment = url_span(cut + 1, end);
		end = cut;
	}
	if ((p = skip_scheme(text, &out->scheme)) == NULL || p > end ||
	    !known_scheme(out->scheme) || has_control_before(text, end) ||
	    !escapes_ok(out->fragment, URL_IN_FRAGMENT))
		return false;
	rest = url_span(p, end);
	if ((cut = url_span_find(rest, '?')) != NULL) {
		out->query = url_span(cut + 1, end);
		out->force_query = out->query.n == 0;
		rest = url_span(p, cut);
	}
	out->standard = true;
	if (rest.n == 0 || rest.p[0] != '/') {
		out->opaque = rest;
		return true;
	}
	out->path = rest;
	if (rest.n > 1 && rest.p[1] == '/') {
		struct url_span a = { rest.p + 2, rest.n - 2 };

		if ((cut = url_span_find(a, '/')) == NULL)
			cut = a.p + a.n;
		out->path = url_span(cut, a.p + a.n);
		if (!split_authority(url_span(a.p, cut), out))
			return false;
	}
	return escapes_ok(out->path, URL_IN_PATH);
}

/* ^([a-zA-Z0-9_]+@)?([a-zA-Z0-9._-]+):([a-zA-Z0-9./_-]+)(?:\?||$)(.*)$ */
static bool
split_scp(const char *text, struct url_parts *out)
{
	const char *p = text, *start;

	memset(out, 0, sizeof(*out));
	while (url_is_alnum(*p) || *p == '_')
		p++;
	if (*p == '@' && p != text) {
		out->has_user = true;
		out->user = url_span(text, p++);
	} else {
		p = text;
	}
	for (start = p; url_is_alnum(*p) || url_one_of(*p, "._-"); p++)
		;
	out->host = url_span(start, p);
	if (p == start || *p++ != ':')
		return false;
	for (start = p; url_is_alnum(*p) || url_one_of(*p, "./_-"); p++)
		;
	out->path = url_span(start, p);
	if (p == start || strchr(p, '\n') != NULL)
		return false;
	if (*p == '?')
		p++;
	out->query = (struct url_span){ p, strlen(p) };
	out->scheme = (struct url_span){ "ssh", 3 };
	return true;
}

void
url_interpret(const char *text, struct url_parts *out)
{
	if (url_split_standard(text, out))
		return;
	if (split_scp(text, out))
		return;
	memset(out, 0, sizeof(*out));
	out->scheme = (struct url_span){ "file", 4 };
	out->path = (struct url_span){ text, strlen(text) };
}
