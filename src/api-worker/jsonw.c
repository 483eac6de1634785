/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "jsonw.h"

#include "str.h"

static void
add_ascii(struct buf *out, char c)
{
	switch (c) {
	case '"':
	case '\\':
		str_addf(out, "\\%c", c);
		return;
	case '\n':
		str_add(out, "\\n");
		return;
	case '\r':
		str_add(out, "\\r");
		return;
	case '\t':
		str_add(out, "\\t");
		return;
	default:
		break;
	}
	if ((unsigned char)c < 0x20 || c == '<' || c == '>' || c == '&')
		str_addf(out, "\\u%04x", (unsigned)c);
	else
		str_addc(out, c);
}

void
jw_string(struct buf *out, const char *s)
{
	size_t left = s == NULL ? 0 : strlen(s);

	str_addc(out, '"');
	while (left != 0) {
		uint32_t cp = 0;
		size_t n = str_utf8_next(s, left, &cp);

		if (n == 1)
			add_ascii(out, *s);
		else if (n == 0)
			str_add(out, "\\ufffd");
		else if (cp == 0x2028 || cp == 0x2029)
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

void
jw_member(struct buf *out, const char *name, const char *value)
{
	str_addf(out, "\"%s\":", name);
	jw_string(out, value);
}
