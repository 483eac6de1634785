/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "jsonload.h"

#include "buf.h"

#define DIGITS_MAX 19 /* more are beyond 64 bits, whatever they are */
#define EXPONENT "e0" /* what makes a real of an integer */

/* Length of the string that s begins with. */
static size_t
string_span(const char *s, size_t n)
{
	size_t i = 1;

	while (i < n && s[i] != '"')
		i += s[i] == '\\' ? 2 : 1;
	return i < n ? i + 1 : n;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_of_number(char c)
{
	return is_digit(c) || (c != '\0' && strchr(".eE+-", c) != NULL);
}

/* How many characters at s are of this class? */
static size_t
span(const char *s, size_t n, bool (*is)(char))
{
	size_t i = 0;

	while (i < n && is(s[i]))
		i++;
	return i;
}

/* Is the number of n characters an integer beyond 64 bits? */
static bool
is_beyond(const char *s, size_t n, bool negative)
{
	const char *last =
	    negative ? "9223372036854775808" : "9223372036854775807";

	return span(s, n, is_digit) == n &&
	    (n > DIGITS_MAX || (n == DIGITS_MAX && memcmp(s, last, n) > 0));
}

static void
put(struct buf *out, const char *s, size_t n)
{
	if (buf_put(out, s, n) != FX_OK)
		fx_bug("JSON that has more integers than bytes");
}

/* The text, with an exponent behind each integer beyond 64 bits. */
static void
widen(struct buf *out, const char *s, size_t n)
{
	size_t done = 0, step;

	for (size_t i = 0; i < n; i += step) {
		step = 1;
		if (s[i] == '"')
			step = string_span(s + i, n - i);
		if (!is_digit(s[i]))
			continue;
		step = span(s + i, n - i, is_of_number);
		if (is_beyond(s + i, step, i > 0 && s[i - 1] == '-')) {
			put(out, s + done, i + step - done);
			put(out, EXPONENT, strlen(EXPONENT));
			done = i + step;
		}
	}
	put(out, s + done, n - done);
}

json_t *
jl_load(const char *text, size_t n, size_t flags, json_error_t *why)
{
	json_t *v = json_loadb(text, n, flags, why);
	struct buf wide = BUF_INIT(n + n / DIGITS_MAX * strlen(EXPONENT));

	if (v != NULL || json_error_code(why) != json_error_numeric_overflow)
		return v;
	widen(&wide, text, n);
	v = json_loadb((const char *)buf_head(&wide), buf_left(&wide), flags,
	    why);
	buf_wipe(&wide);
	return v;
}
