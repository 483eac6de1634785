/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "quote.h"

#include <stdio.h>

#include "str.h"

/* The letter behind the backslash of a control byte that has one, or 0. */
static char
escape_letter(uint32_t cp)
{
	static const char letters[] = "abtnvfr"; /* 7 to 13 */

	return cp >= 7 && cp <= 13 ? letters[cp - 7] : '\0';
}

static bool
is_printable(uint32_t cp)
{
	return cp >= 0x20 && cp != 0x7f && !(cp >= 0x80 && cp <= 0xa0) &&
	    cp != 0xad && !(cp >= 0x2000 && cp <= 0x200f) &&
	    !(cp >= 0x2028 && cp <= 0x202f) &&
	    !(cp >= 0x205f && cp <= 0x206f) && cp != 0x3000 && cp != 0xfeff &&
	    !(cp >= 0xe000 && cp <= 0xf8ff) &&
	    !(cp >= 0xe0000 && cp <= 0xe007f) && cp < 0xf0000;
}

size_t
quote_next(const char *s, size_t left, char mark, char out[QUOTE_ESCAPE_MAX])
{
	uint32_t cp;
	size_t n = str_utf8_next(s, left, &cp);

	if (n == 0) {
		snprintf(out, QUOTE_ESCAPE_MAX, "\\x%02x", (uint8_t)*s);
		return 1;
	}
	if (cp == (uint32_t)mark || cp == '\\')
		snprintf(out, QUOTE_ESCAPE_MAX, "\\%c", (char)cp);
	else if (is_printable(cp))
		snprintf(out, QUOTE_ESCAPE_MAX, "%.*s", (int)n, s);
	else if (escape_letter(cp) != '\0')
		snprintf(out, QUOTE_ESCAPE_MAX, "\\%c", escape_letter(cp));
	else if (cp < 0x80)
		snprintf(out, QUOTE_ESCAPE_MAX, "\\x%02x", cp);
	else if (cp < 0x10000)
		snprintf(out, QUOTE_ESCAPE_MAX, "\\u%04x", cp);
	else
		snprintf(out, QUOTE_ESCAPE_MAX, "\\U%08x", cp);
	return n;
}

void
str_add_quoted(struct buf *b, const char *s, size_t n)
{
	char shown[QUOTE_ESCAPE_MAX];
	int r = str_addc(b, '"');

	for (size_t step; n > 0 && r == FX_OK; s += step, n -= step) {
		step = quote_next(s, n, '"', shown);
		r = str_add(b, shown);
	}
	(void)str_addc(b, '"');
}

char *
str_quoted(const char *s)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	str_add_quoted(&b, s, strlen(s));
	return str_take(&b);
}
