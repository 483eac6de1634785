/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "image_ref.h"

#include "quote.h"

#define DIGEST_MARK "@sha256:"
#define GRAMMAR                                                                \
	"expected image name as either <image>:<tag> or just <image>: "        \
	"invalid image ID"

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

/* n bytes that hold "localhost", or a dot between letters or digits. */
static bool
is_domain(const char *s, size_t n)
{
	static const char local[] = "localhost";

	if (memmem(s, n, local, strlen(local)) != NULL)
		return true;
	for (size_t i = 1; i + 1 < n; i++)
		if (s[i] == '.' && is_alnum(s[i - 1]) && is_alnum(s[i + 1]))
			return true;
	return false;
}

/* Length of the domain at the beginning; 0 if there is none. */
static size_t
domain_span(const char *s)
{
	size_t n = strcspn(s, "/");

	if (s[n] == '\0')
		return 0;
	return strchr(s + n + 1, '/') != NULL || is_domain(s, n) ? n : 0;
}

static int
bad(const char *s, struct fx_err *err)
{
	auto_free char *quoted = str_quoted(s);

	return fx_fail(err, FX_ESYNTAX, "parsing %s: " GRAMMAR, quoted);
}

int
image_ref_parse(const char *s, struct image_ref *out, struct fx_err *err)
{
	size_t domain, all = strlen(s), path;
	const char *p, *end = s + all, *digest;

	if (all == 0)
		return fx_fail(err, FX_ESYNTAX,
		    "parsing \"\": blank image name: invalid image ID");
	if (*s == '/' || s[all - 1] == '/')
		return bad(s, err);
	domain = domain_span(s);
	p = s + domain + (domain != 0);
	if ((digest = strstr(p, DIGEST_MARK)) != NULL) {
		end = digest;
		digest += strlen(DIGEST_MARK);
		if (end == p || *digest == '\0')
			return bad(s, err);
	}
	path = strcspn(p, ":");
	if (p + path >= end) {
		path = (size_t)(end - p);
	} else {
		const char *tag = p + path + 1;

		if (memchr(tag, ':', (size_t)(end - tag)) != NULL)
			return fx_fail(err, FX_ESYNTAX, GRAMMAR);
		if (path == 0 || tag == end)
			return bad(s, err);
	}
	*out = (struct image_ref){
		.domain = xstrndup(s, domain),
		.path = xstrndup(p, path),
		.tag = p + path == end
		    ? xstrdup("")
		    : xstrndup(p + path + 1, (size_t)(end - p) - path - 1),
		.digest = xstrdup(digest == NULL ? "" : digest),
	};
	return FX_OK;
}

void
image_ref_clear(struct image_ref *r)
{
	free(r->domain);
	free(r->path);
	free(r->tag);
	free(r->digest);
	*r = (struct image_ref){ 0 };
}

char *
image_ref_print(const struct image_ref *r)
{
	bool digest = *r->digest != '\0';

	return xasprintf("%s%s%s%s%s", r->domain, *r->domain == '\0' ? "" : "/",
	    r->path,
	    digest		  ? DIGEST_MARK
		: *r->tag != '\0' ? ":"
				  : "",
	    digest ? r->digest : r->tag);
}
