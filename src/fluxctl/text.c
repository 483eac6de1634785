/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "text.h"

#include "str.h"

#include <ctype.h>
#include <stdarg.h>
#include <unistd.h>

static void
write_printable(FILE *to, const char *s, size_t left)
{
	auto_buf struct buf b = BUF_INIT(SIZE_MAX);
	size_t n;

	for (; left > 0; s += n, left -= n) {
		for (n = 0; n < left && s[n] != '\n' && s[n] != '\t'; n++)
			continue;
		if (n != 0)
			str_printable(&b, s, n, n);
		else
			n = str_addc(&b, *s) == FX_OK;
	}
	(void)fwrite(buf_head(&b), 1, buf_left(&b), to);
}

void
ctl_print(FILE *to, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return;
	}
	write_printable(to, text, (size_t)n);
}

void
ctl_write(FILE *to, const char *s, size_t n)
{
	if (isatty(fileno(to)) != 0)
		write_printable(to, s, n);
	else
		(void)fwrite(s, 1, n, to);
}

const char *
ctl_system_text(int number)
{
	static char text[128];

	(void)snprintf(text, sizeof(text), "%s", strerror(number));
	*text = (char)tolower((unsigned char)*text);
	return text;
}

/* The letter after the backslash of a control byte that has one, or 0. */
static char
escape_letter(uint32_t cp)
{
	static const char letters[] = "abtnvfr"; /* 7 to 13 */

	return cp >= 7 && cp <= 13 ? letters[cp - 7] : '\0';
}

/* What Go's strconv.IsPrint refuses and can come here: controls, spaces other
 * than U+0020, the soft hyphen, format and private-use characters. */
static bool
is_go_printable(uint32_t cp)
{
	return cp >= 0x20 && cp != 0x7f && !(cp >= 0x80 && cp <= 0xa0) &&
	    cp != 0xad && !(cp >= 0x2000 && cp <= 0x200f) &&
	    !(cp >= 0x2028 && cp <= 0x202f) &&
	    !(cp >= 0x205f && cp <= 0x206f) && cp != 0x3000 && cp != 0xfeff &&
	    !(cp >= 0xe000 && cp <= 0xf8ff);
}

static void
add_escaped(struct buf *b, uint32_t cp, char quote, const char *raw, size_t n)
{
	if (cp == (uint32_t)(unsigned char)quote || cp == '\\')
		(void)str_addf(b, "\\%c", (char)cp);
	else if (is_go_printable(cp))
		(void)str_addn(b, raw, n);
	else if (escape_letter(cp) != '\0')
		(void)str_addf(b, "\\%c", escape_letter(cp));
	else if (cp < 0x80)
		(void)str_addf(b, "\\x%02x", (unsigned)cp);
	else if (cp < 0x10000)
		(void)str_addf(b, "\\u%04x", (unsigned)cp);
	else
		(void)str_addf(b, "\\U%08x", (unsigned)cp);
}

void
ctl_add_quoted(struct buf *b, const char *s)
{
	size_t left = strlen(s), step;
	uint32_t cp;

	(void)str_addc(b, '"');
	for (; left > 0; s += step, left -= step) {
		step = str_utf8_next(s, left, &cp);
		if (step != 0) {
			add_escaped(b, cp, '"', s, step);
			continue;
		}
		step = 1;
		(void)str_addf(b, "\\x%02x", (unsigned char)*s);
	}
	(void)str_addc(b, '"');
}

char *
ctl_quoted(const char *s)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	ctl_add_quoted(&b, s);
	return str_take(&b);
}

char *
ctl_quoted_byte(unsigned char c)
{
	struct buf b = BUF_INIT(16);
	char raw[2] = { (char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)) };

	/* Go takes the byte for a code point: U+0080 to U+00FF in UTF-8 */
	(void)str_addc(&b, '\'');
	if (c < 0x80)
		add_escaped(&b, c, '\'', (const char[]){ (char)c }, 1);
	else
		add_escaped(&b, c, '\'', raw, sizeof(raw));
	(void)str_addc(&b, '\'');
	return str_take(&b);
}
