/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "scalar.h"

#include "str.h"

#define ID_CHARS                                                               \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
#define QUOTED_MAX 4096

/* Characters that Go does not print as they are: C1 controls, soft hyphen,
 * and what is invisible or turns the direction of text. */
static bool
is_hidden(uint32_t cp)
{
	return (cp >= 0x80 && cp <= 0xa0) || cp == 0xad ||
	    (cp >= 0x2000 && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202f) ||
	    (cp >= 0x205f && cp <= 0x206f) || cp == 0x3000 || cp == 0xfeff;
}

static void
quote_ascii(struct buf *out, char c)
{
	static const char escapes[] = "\aa\bb\ff\nn\rr\tt\vv\\\\\"\"";

	for (const char *e = escapes; *e != '\0'; e += 2)
		if (*e == c) {
			str_addf(out, "\\%c", e[1]);
			return;
		}
	if ((unsigned char)c < 0x20 || c == 0x7f)
		str_addf(out, "\\x%02x", (unsigned)c);
	else
		str_addc(out, c);
}

void
scalar_quote(struct buf *out, const char *s)
{
	size_t left = strlen(s);

	str_addc(out, '"');
	while (left != 0) {
		uint32_t cp = 0;
		size_t n = str_utf8_next(s, left, &cp);

		if (n == 0)
			str_addf(out, "\\x%02x", (unsigned char)*s);
		else if (n == 1)
			quote_ascii(out, *s);
		else if (is_hidden(cp))
			str_addf(out, "\\u%04x", (unsigned)cp);
		else
			str_addn(out, s, n);
		if (n == 0)
			n = 1;
		s += n;
		left -= n;
	}
	str_addc(out, '"');
}

int
scalar_wrap(struct fx_err *err, const char *what, const char *s)
{
	struct buf b = BUF_INIT(QUOTED_MAX);
	auto_free char *quoted = NULL;

	scalar_quote(&b, s);
	quoted = str_take(&b);
	return fx_wrap(err, "%s %s", what, quoted);
}

/* A run of at least one of these characters, then `after`. */
static bool
skip_run(const char **s, const char *accept, char after)
{
	size_t n = strspn(*s, accept);

	if (n == 0 || (*s)[n] != after)
		return false;
	*s += n + (after != '\0');
	return true;
}

int
scalar_resource_id(const char *text, struct fx_err *err)
{
	const char *s = text;

	if (skip_run(&s, ID_CHARS, '/') && skip_run(&s, ID_CHARS, '\0'))
		return FX_OK;
	s = text;
	if (str_starts(s, "<cluster>:"))
		s += strlen("<cluster>:");
	else if (!skip_run(&s, ID_CHARS, ':'))
		s = "";
	if (skip_run(&s, ID_CHARS, '/') && skip_run(&s, ID_CHARS ".:", '\0'))
		return FX_OK;
	return fx_fail(err, FX_ESYNTAX, "parsing %s: invalid service ID", text);
}

int
scalar_resource_spec(const char *text, struct fx_err *err)
{
	if (strcmp(text, "<all>") == 0 ||
	    scalar_resource_id(text, err) == FX_OK)
		return FX_OK;
	return fx_wrap(err, "invalid workload spec");
}

static bool
is_alnum(char c)
{
	return c != '\0' && strchr(ID_CHARS, c) != NULL && c != '_' && c != '-';
}

/* Upstream's expression is not anchored: a dot between two letters or digits
 * anywhere makes a domain, and so does "localhost". */
static bool
is_domain(const char *s, size_t n)
{
	static const char localhost[] = "localhost";

	if (memmem(s, n, localhost, sizeof(localhost) - 1) != NULL)
		return true;
	for (size_t i = 1; i + 1 < n; i++)
		if (s[i] == '.' && is_alnum(s[i - 1]) && is_alnum(s[i + 1]))
			return true;
	return false;
}

static int
malformed(const char *text, struct fx_err *err)
{
	fx_fail(err, FX_ESYNTAX,
	    "expected image name as either <image>:<tag> or just <image>: "
	    "invalid image ID");
	return text == NULL ? err->code : scalar_wrap(err, "parsing", text);
}

int
scalar_image(const char *text, bool *tagged, struct fx_err *err)
{
	static const char mark[] = "@sha256:";
	const char *path = text, *slash = strchr(text, '/');
	const char *end, *colon, *digest;

	if (*text == '\0') {
		fx_fail(err, FX_ESYNTAX, "blank image name: invalid image ID");
		return scalar_wrap(err, "parsing", text);
	}
	if (*text == '/' || str_ends(text, "/"))
		return malformed(text, err);
	if (slash != NULL &&
	    (strchr(slash + 1, '/') != NULL ||
		is_domain(text, (size_t)(slash - text))))
		path = slash + 1;
	end = path + strlen(path);
	if ((digest = strstr(path, mark)) != NULL) {
		if (digest == path || digest[sizeof(mark) - 1] == '\0')
			return malformed(text, err);
		end = digest;
	}
	colon = memchr(path, ':', (size_t)(end - path));
	*tagged = colon != NULL;
	if (colon == NULL)
		return FX_OK;
	if (colon == path || colon + 1 == end)
		return malformed(text, err);
	if (memchr(colon + 1, ':', (size_t)(end - colon - 1)) != NULL)
		return malformed(NULL, err);
	return FX_OK;
}

int
scalar_image_spec(const char *text, struct fx_err *err)
{
	bool tagged = false;
	int r;

	if (strcmp(text, "<all latest>") == 0)
		return FX_OK;
	if ((r = scalar_image(text, &tagged, err)) != FX_OK)
		return r;
	if (!tagged)
		return fx_fail(err, FX_ESYNTAX,
		    "blank tag (if you want latest, explicitly state the tag "
		    ":latest): invalid image ID");
	return FX_OK;
}

int
scalar_release_kind(const char *text, struct fx_err *err)
{
	if (strcmp(text, "plan") == 0 || strcmp(text, "execute") == 0)
		return FX_OK;
	return fx_fail(err, FX_ESYNTAX, "invalid release kind");
}
