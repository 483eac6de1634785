/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "scalar.h"

#include "image_ref.h"
#include "resource_id.h"
#include "str.h"

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
	struct buf b = BUF_INIT(FX_ERR_TEXT_MAX); /* no more is shown */
	auto_free char *quoted = NULL;

	scalar_quote(&b, s);
	quoted = str_take(&b);
	return fx_wrap(err, "%s %s", what, quoted);
}

int
scalar_resource_id(const char *text, struct fx_err *err)
{
	struct resource_id id = { 0 };
	int r = resource_id_parse(text, &id, err);

	resource_id_clear(&id);
	return r;
}

int
scalar_resource_spec(const char *text, struct fx_err *err)
{
	if (strcmp(text, "<all>") == 0 ||
	    scalar_resource_id(text, err) == FX_OK)
		return FX_OK;
	return fx_wrap(err, "invalid workload spec");
}

int
scalar_image_spec(const char *text, struct fx_err *err)
{
	struct image_ref ref = { 0 };
	bool tagged;
	int r;

	if (strcmp(text, "<all latest>") == 0)
		return FX_OK;
	if ((r = image_ref_parse(text, &ref, err)) != FX_OK)
		return r;
	tagged = *ref.tag != '\0';
	image_ref_clear(&ref);
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
