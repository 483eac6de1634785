/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "image.h"

#include "quote.h"
#include "str.h"

#define DIGEST_MARK "@sha256:"

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

/* The original's expression is not anchored: a dot between two letters or
 * digits anywhere makes a domain, and so does "localhost". */
static bool
is_domain(const char *s, size_t n)
{
	if (memmem(s, n, "localhost", strlen("localhost")) != NULL)
		return true;
	for (size_t i = 1; i + 1 < n; i++)
		if (s[i] == '.' && is_alnum(s[i - 1]) && is_alnum(s[i + 1]))
			return true;
	return false;
}

/* Where the path begins. */
static const char *
find_path(const char *text)
{
	const char *slash = strchr(text, '/');

	if (slash != NULL &&
	    (strchr(slash + 1, '/') != NULL ||
		is_domain(text, (size_t)(slash - text))))
		return slash + 1;
	return text;
}

static int
malformed(const char *text, struct ctl_error *err)
{
	auto_free char *quoted = str_quoted(text);

	return ctl_fail(err, FX_ESYNTAX,
	    "parsing %s: expected image name as either <image>:<tag> or just "
	    "<image>: invalid image ID",
	    quoted);
}

static struct image_part
part(const char *from, const char *to)
{
	return (struct image_part){ from, (size_t)(to - from) };
}

int
image_parse(const char *text, struct image *out, struct ctl_error *err)
{
	const char *path = find_path(text), *end = text + strlen(text);
	const char *digest = strstr(path, DIGEST_MARK), *colon;
	struct image image = { 0 };

	if (*text == '\0')
		return ctl_fail(err, FX_ESYNTAX,
		    "parsing \"\": blank image name: invalid image ID");
	if (*text == '/' || end[-1] == '/')
		return malformed(text, err);
	if (digest != NULL) {
		image.digest = part(digest + strlen(DIGEST_MARK), end);
		end = digest;
		if (digest == path || image.digest.n == 0)
			return malformed(text, err);
	}
	colon = memchr(path, ':', (size_t)(end - path));
	if (colon != NULL) {
		image.tag = part(colon + 1, end);
		if (colon == path || image.tag.n == 0)
			return malformed(text, err);
		if (memchr(colon + 1, ':', image.tag.n) != NULL)
			return ctl_fail(err, FX_ESYNTAX,
			    "expected image name as either <image>:<tag> or "
			    "just <image>: invalid image ID");
		end = colon;
	}
	image.name = part(text, end);
	*out = image;
	return FX_OK;
}

char *
image_print(const struct image *i)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	(void)str_addn(&b, i->name.s, i->name.n);
	if (i->digest.n != 0) {
		(void)str_add(&b, DIGEST_MARK);
		(void)str_addn(&b, i->digest.s, i->digest.n);
	} else if (i->tag.n != 0) {
		(void)str_addc(&b, ':');
		(void)str_addn(&b, i->tag.s, i->tag.n);
	}
	return str_take(&b);
}
