/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "text.h"

#include "quote.h"
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

char *
ctl_quoted_byte(unsigned char c)
{
	/* Go takes the byte for a code point: U+0080 to U+00FF in UTF-8 */
	const char raw[] = { (char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)) };
	const char ascii = (char)c;
	char shown[QUOTE_ESCAPE_MAX];

	if (c < 0x80)
		(void)quote_next(&ascii, 1, '\'', shown);
	else
		(void)quote_next(raw, sizeof(raw), '\'', shown);
	return xasprintf("'%s'", shown);
}
