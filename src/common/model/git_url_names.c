/* SPDX-License-Identifier: Apache-2.0 */
/* The names that others know a repository by, as upstream makes them. */
#include "base.h"

#include "git_url.h"

#include <ctype.h>

#include "buf.h"
#include "git_url_parts.h"
#include "str.h"

static void
add_lower(struct buf *b, struct url_span s)
{
	for (size_t i = 0; i < s.n; i++)
		url_add_byte(b, (char)tolower((unsigned char)s.p[i]));
}

static void
add_path(struct buf *b, const struct url_parts *u)
{
	if (u->path.n != 0 && u->path.p[0] != '/' && u->host.n != 0)
		url_add_byte(b, '/');
	if (u->standard)
		url_add_as_written(b, u->path, URL_IN_PATH);
	else
		for (size_t i = 0; i < u->path.n; i++)
			url_add_escaped(b, u->path.p[i], URL_IN_PATH);
}

/* As net/url prints, without the password. */
static char *
print(const struct url_parts *u)
{
	struct buf b = BUF_INIT(4 * GIT_URL_MAX);

	add_lower(&b, u->scheme);
	url_add_byte(&b, ':');
	if (u->opaque.n != 0) {
		url_add_span(&b, u->opaque);
	} else {
		if (u->host.n != 0 || u->path.n != 0 || u->has_user)
			url_add_text(&b, "//");
		if (u->has_user) {
			url_add_normal(&b, u->user, URL_IN_USER);
			url_add_byte(&b, '@');
		}
		url_add_normal(&b, u->host, URL_IN_HOST);
		add_path(&b, u);
	}
	if (u->force_query || u->query.n != 0) {
		url_add_byte(&b, '?');
		url_add_span(&b, u->query);
	}
	if (u->fragment.n != 0) {
		url_add_byte(&b, '#');
		url_add_as_written(&b, u->fragment, URL_IN_FRAGMENT);
	}
	return str_take(&b);
}

char *
git_url_safe(const char *text)
{
	struct url_parts u;

	if (strlen(text) > GIT_URL_MAX)
		return xstrdup("<unparseable>");
	url_interpret(text, &u);
	return print(&u);
}

char *
git_url_show(const char *text)
{
	const char *colon;
	struct url_parts u;

	url_interpret(text, &u);
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
	struct url_parts u;

	buf_init(&p->host, GIT_URL_MAX);
	buf_init(&p->path, GIT_URL_MAX);
	if (strlen(text) > GIT_URL_MAX)
		return;
	url_interpret(text, &u);
	url_add_decoded(&p->host, u.host);
	if (u.standard)
		url_add_decoded(&p->path, u.path);
	else
		url_add_span(&p->path, u.path);
}

static struct url_span
content(const struct buf *b)
{
	return (struct url_span){ (const char *)buf_head(b), buf_left(b) };
}

/* Without one leading / and one trailing .git. */
static struct url_span
compared_path(const struct buf *b)
{
	struct url_span s = content(b);

	if (s.n != 0 && s.p[0] == '/')
		s = (struct url_span){ s.p + 1, s.n - 1 };
	if (s.n >= 4 && memcmp(s.p + s.n - 4, ".git", 4) == 0)
		s.n -= 4;
	return s;
}

static bool
span_equal(struct url_span a, struct url_span b)
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
	struct url_parts u;

	url_interpret(text, &u);
	return url_span_is(u.scheme, "http") || url_span_is(u.scheme, "https");
}
