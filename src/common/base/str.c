/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int
str_add(struct buf *b, const char *s)
{
	return buf_put(b, s, strlen(s));
}

int
str_addn(struct buf *b, const char *s, size_t n)
{
	return buf_put(b, s, n);
}

int
str_addc(struct buf *b, char c)
{
	return buf_put(b, &c, 1);
}

int
str_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	uint8_t *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return FX_EFAIL;
	/* vsnprintf wants room for a NUL that is not content */
	to = buf_reserve(b, (size_t)n + 1);
	if (to == NULL)
		return FX_ELIMIT;
	va_start(ap, fmt);
	vsnprintf((char *)to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	buf_commit(b, (size_t)n);
	return FX_OK;
}

char *
str_take(struct buf *b)
{
	char *s = xstrndup((const char *)buf_head(b), buf_left(b));

	buf_clear(b);
	return s;
}

size_t
str_utf8_next(const char *text, size_t left, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *p = (const uint8_t *)text;
	size_t n;
	uint32_t v;

	if (left == 0)
		return 0;
	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	if ((p[0] & 0xe0) == 0xc0) {
		n = 2;
		v = p[0] & 0x1f;
	} else if ((p[0] & 0xf0) == 0xe0) {
		n = 3;
		v = p[0] & 0x0f;
	} else if ((p[0] & 0xf8) == 0xf0) {
		n = 4;
		v = p[0] & 0x07;
	} else {
		return 0;
	}
	if (left < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return n;
}

bool
str_is_utf8(const char *s, size_t n)
{
	uint32_t cp;
	size_t step;

	for (size_t i = 0; i < n; i += step) {
		step = str_utf8_next(s + i, n - i, &cp);
		if (step == 0)
			return false;
	}
	return true;
}

/* Characters that move the cursor or reorder text on a terminal. */
static bool
is_unsafe(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x61c ||
	    (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	    (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff;
}

void
str_printable(struct buf *b, const char *s, size_t n, size_t max)
{
	bool cut = n > max;
	size_t step;
	uint32_t cp;
	int r = FX_OK;

	if (cut)
		n = max;
	for (size_t i = 0; i < n && r == FX_OK; i += step) {
		step = str_utf8_next(s + i, n - i, &cp);
		if (step == 0) {
			step = 1;
			r = str_addf(b, "\\x%02x", (uint8_t)s[i]);
		} else if (cp < 0x80 && is_unsafe(cp)) {
			r = str_addf(b, "\\x%02x", (unsigned)cp);
		} else if (is_unsafe(cp)) {
			r = str_addf(b, "\\u{%x}", (unsigned)cp);
		} else {
			r = str_addn(b, s + i, step);
		}
	}
	if (cut)
		(void)str_add(b, "...");
}

/* Go has no short forms for other control characters. */
static void
add_json_char(struct buf *b, uint32_t cp)
{
	static const char short_forms[] = "\"\"\\\\\nn\rr\tt";

	for (const char *p = short_forms; *p != '\0'; p += 2)
		if ((uint32_t)*p == cp) {
			(void)str_addf(b, "\\%c", p[1]);
			return;
		}
	(void)str_addf(b, "\\u%04x", (unsigned)cp);
}

void
str_add_json(struct buf *b, const char *s, size_t n, bool html)
{
	size_t step;
	uint32_t cp;

	for (size_t i = 0; i < n; i += step) {
		step = str_utf8_next(s + i, n - i, &cp);
		if (step == 0) {
			step = 1;
			(void)str_add(b, "\\ufffd");
		} else if (cp == '"' || cp == '\\' || is_unsafe(cp) ||
		    (html && (cp == '<' || cp == '>' || cp == '&'))) {
			add_json_char(b, cp);
		} else {
			(void)str_addn(b, s + i, step);
		}
	}
}

int
fx_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;
	uint64_t v;

	if (*s < '0' || *s > '9')
		return FX_ESYNTAX;
	errno = 0;
	v = strtoull(s, &end, 0);
	if (*end != '\0')
		return FX_ESYNTAX;
	if (errno == ERANGE || v < min || v > max)
		return FX_ELIMIT;
	*out = v;
	return FX_OK;
}

int
fx_parse_i64(const char *s, int64_t min, int64_t max, int64_t *out)
{
	const char *digits = *s == '-' || *s == '+' ? s + 1 : s;
	char *end;
	int64_t v;

	if (*digits < '0' || *digits > '9')
		return FX_ESYNTAX;
	errno = 0;
	v = strtoll(s, &end, 0);
	if (*end != '\0')
		return FX_ESYNTAX;
	if (errno == ERANGE || v < min || v > max)
		return FX_ELIMIT;
	*out = v;
	return FX_OK;
}

int
fx_parse_bool(const char *s, bool *out)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE",
		"True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE",
		"False" };

	for (size_t i = 0; i < nitems(yes); i++) {
		if (strcmp(s, yes[i]) == 0) {
			*out = true;
			return FX_OK;
		}
		if (strcmp(s, no[i]) == 0) {
			*out = false;
			return FX_OK;
		}
	}
	return FX_ESYNTAX;
}

/* clang-format off */
static const struct unit {
	const char *name;
	int64_t ns;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 }, /* U+00B5, micro sign */
	{ "\xce\xbcs", 1000 }, /* U+03BC, Greek mu */
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60000000000 },
	{ "h", 3600000000000 },
};
/* clang-format on */

static const struct unit *
unit_find(const char *s, size_t n)
{
	for (size_t i = 0; i < nitems(units); i++)
		if (strlen(units[i].name) == n &&
		    memcmp(units[i].name, s, n) == 0)
			return &units[i];
	return NULL;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* As Go's package of time quotes: what is no plain ASCII byte by byte. */
static void
add_quoted_bytes(struct buf *b, const char *s, size_t n)
{
	(void)str_addc(b, '"');
	for (; n > 0; s++, n--) {
		uint8_t c = (uint8_t)*s;

		if (c >= 0x80 || c < ' ')
			(void)str_addf(b, "\\x%02x", c);
		else if (c == '"' || c == '\\')
			(void)str_addf(b, "\\%c", c);
		else
			(void)str_addc(b, (char)c);
	}
	(void)str_addc(b, '"');
}

/* `time: WHY "whole"`; with a unit `time: WHY "unit" in duration "whole"`. */
static int
fail_duration(struct fx_err *err, int code, const char *why, const char *unit,
    size_t n, const char *whole)
{
	auto_buf struct buf b = BUF_INIT(FX_ERR_TEXT_MAX);

	if (unit != NULL) {
		add_quoted_bytes(&b, unit, n);
		(void)str_add(&b, " in duration ");
	}
	add_quoted_bytes(&b, whole, strlen(whole));
	return fx_fail(err, code, "time: %s %.*s", why, (int)buf_left(&b),
	    (const char *)buf_head(&b));
}

/* One "12.5h" of a duration; moves *p behind it. */
static int
duration_part(const char **p, const char *whole, long double *sum,
    struct fx_err *err)
{
	const char *s = *p, *start = s, *word;
	const struct unit *u;
	long double v = 0, scale = 1;

	for (; is_digit(*s); s++)
		v = v * 10 + (*s - '0');
	if (v > 9223372036854775808.0L)
		return fail_duration(err, FX_ELIMIT, "invalid duration", NULL,
		    0, whole);
	if (*s == '.') {
		for (s++; is_digit(*s); s++) {
			scale /= 10;
			v += scale * (*s - '0');
		}
	}
	if (s == start || (s == start + 1 && *start == '.'))
		return fail_duration(err, FX_ESYNTAX, "invalid duration", NULL,
		    0, whole);
	for (word = s; *s != '\0' && *s != '.' && !is_digit(*s);)
		s++;
	if (s == word)
		return fail_duration(err, FX_ESYNTAX,
		    "missing unit in duration", NULL, 0, whole);
	u = unit_find(word, (size_t)(s - word));
	if (u == NULL)
		return fail_duration(err, FX_ESYNTAX, "unknown unit", word,
		    (size_t)(s - word), whole);
	*sum += v * (long double)u->ns;
	*p = s;
	return FX_OK;
}

int
fx_parse_duration(const char *text, int64_t *ns, struct fx_err *err)
{
	const char *s = text;
	long double sum = 0;
	bool negative = false;
	int r;

	if (*s == '-' || *s == '+')
		negative = *s++ == '-';
	if (strcmp(s, "0") == 0) {
		*ns = 0;
		return FX_OK;
	}
	if (*s == '\0')
		return fail_duration(err, FX_ESYNTAX, "invalid duration", NULL,
		    0, text);
	while (*s != '\0') {
		r = duration_part(&s, text, &sum, err);
		if (r != FX_OK)
			return r;
	}
	if (sum >= 9223372036854775807.0L)
		return fail_duration(err, FX_ELIMIT, "invalid duration", NULL,
		    0, text);
	*ns = negative ? -(int64_t)sum : (int64_t)sum;
	return FX_OK;
}

/* v in units of 10^digits, without trailing zeros: 1500000000, 9 is "1.5". */
static void
add_fraction(struct buf *b, uint64_t v, int digits)
{
	uint64_t unit = 1;
	char text[24];
	int n;

	for (int i = 0; i < digits; i++)
		unit *= 10;
	(void)str_addf(b, "%llu", (unsigned long long)(v / unit));
	if (v % unit == 0)
		return;
	n = snprintf(text, sizeof(text), ".%0*llu", digits,
	    (unsigned long long)(v % unit));
	while (text[n - 1] == '0')
		n--;
	(void)str_addn(b, text, (size_t)n);
}

void
str_add_duration(struct buf *b, int64_t ns)
{
	uint64_t v = ns < 0 ? (uint64_t)0 - (uint64_t)ns : (uint64_t)ns;
	uint64_t minutes;

	if (ns < 0)
		(void)str_addc(b, '-');
	if (v == 0) {
		(void)str_add(b, "0s");
	} else if (v < 1000) {
		(void)str_addf(b, "%lluns", (unsigned long long)v);
	} else if (v < 1000000) {
		add_fraction(b, v, 3);
		(void)str_add(b, "\xc2\xb5s");
	} else if (v < 1000000000) {
		add_fraction(b, v, 6);
		(void)str_add(b, "ms");
	} else {
		minutes = v / 60000000000u;
		if (minutes >= 60)
			(void)str_addf(b, "%lluh",
			    (unsigned long long)(minutes / 60));
		if (minutes > 0)
			(void)str_addf(b, "%llum",
			    (unsigned long long)(minutes % 60));
		add_fraction(b, v % 60000000000u, 9);
		(void)str_addc(b, 's');
	}
}

void
str_add_hex(struct buf *b, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		(void)str_addc(b, digits[p[i] >> 4]);
		(void)str_addc(b, digits[p[i] & 15]);
	}
}

int
str_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
str_unhex(const char *s, uint8_t *out, size_t n)
{
	if (strlen(s) != 2 * n)
		return FX_ESYNTAX;
	for (size_t i = 0; i < n; i++) {
		int hi = str_hex_value(s[2 * i]);
		int lo = str_hex_value(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return FX_ESYNTAX;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return FX_OK;
}

static const char alphabet[2][65] = {
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

void
str_add_base64(struct buf *b, const uint8_t *p, size_t n, bool pad, bool url)
{
	const char *set = alphabet[url];

	for (size_t i = 0; i < n; i += 3) {
		size_t k = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)p[i] << 16;

		if (k > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (k > 2)
			v |= p[i + 2];
		for (size_t j = 0; j <= k; j++)
			(void)str_addc(b, set[v >> (18 - 6 * j) & 63]);
		for (size_t j = k; pad && j < 3; j++)
			(void)str_addc(b, '=');
	}
}

int
str_unbase64(const char *s, size_t n, struct buf *out)
{
	uint32_t v = 0;
	unsigned bits = 0;
	const char *at;
	uint8_t byte;
	int r;

	while (n > 0 && s[n - 1] == '=')
		n--;
	if (n % 4 == 1)
		return FX_ESYNTAX;
	for (size_t i = 0; i < n; i++) {
		at = s[i] == '\0' ? NULL : strchr(alphabet[0], s[i]);
		if (at == NULL)
			return FX_ESYNTAX;
		v = (v << 6 | (uint32_t)(at - alphabet[0])) & 0xffffff;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		byte = (uint8_t)(v >> bits);
		r = buf_put(out, &byte, 1);
		if (r != FX_OK)
			return r;
	}
	return FX_OK;
}

bool
str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && strcmp(s + n - k, suffix) == 0;
}
