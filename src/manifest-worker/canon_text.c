/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "canon_text.h"

/* ---- characters --------------------------------------------------------- */

size_t
text_width(const struct text *t)
{
	uint8_t b = (uint8_t)t->s[t->at];
	size_t w = b < 0xc0 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;

	return w <= t->n - t->at ? w : 1;
}

bool
text_has(const struct text *t, const char *bytes)
{
	size_t n = strlen(bytes);

	return t->n - t->at >= n && memcmp(t->s + t->at, bytes, n) == 0;
}

bool
text_is_space(const struct text *t)
{
	return t->at < t->n && t->s[t->at] == ' ';
}

bool
text_space_follows(const struct text *t)
{
	return t->at + 1 < t->n && t->s[t->at + 1] == ' ';
}

/* CR, LF, next line, line separator, paragraph separator. */
bool
text_is_break(const struct text *t)
{
	return t->at < t->n &&
	    (t->s[t->at] == '\r' || t->s[t->at] == '\n' ||
		text_has(t, "\xc2\x85") || text_has(t, "\xe2\x80\xa8") ||
		text_has(t, "\xe2\x80\xa9"));
}

static bool
is_blank_or_end(const struct text *t)
{
	return t->at >= t->n || t->s[t->at] == ' ' || t->s[t->at] == '\t' ||
	    t->s[t->at] == '\0' || text_is_break(t);
}

bool
text_is_printable(const struct text *t)
{
	uint8_t b = (uint8_t)t->s[t->at];
	uint8_t next = t->at + 1 < t->n ? (uint8_t)t->s[t->at + 1] : 0;

	if (b < 0x80)
		return b == '\n' || (b >= 0x20 && b <= 0x7e);
	if (b == 0xc2)
		return next >= 0xa0;
	if (b == 0xed)
		return next < 0xa0;
	if (b == 0xef)
		return !text_has(t, "\xef\xbb\xbf") &&
		    !text_has(t, "\xef\xbf\xbe") &&
		    !text_has(t, "\xef\xbf\xbf");
	return b > 0xc2 && b <= 0xee;
}

struct seen {
	bool leading_space, leading_break, trailing_space, trailing_break;
	bool break_space, space_break; /* a space behind, before a line end */
	bool indicators;	       /* would mean something else */
	bool breaks, special;
};

static bool
is_indicator(const struct text *t, bool after_white)
{
	struct text next = *t;
	bool before_white;

	next.at += text_width(t);
	before_white = is_blank_or_end(&next);
	if (t->at == 0 && strchr("#,[]{}&*!|>'\"%@`", t->s[0]) != NULL)
		return t->s[0] != '\0';
	switch (t->s[t->at]) {
	case '?':
	case '-':
		return t->at == 0 && before_white;
	case ':':
		return before_white;
	case '#':
		return after_white;
	default:
		return false;
	}
}

static void
look_at_white(struct seen *seen, const struct text *t, bool *was_space,
    bool *was_break)
{
	bool last = t->at + text_width(t) == t->n;

	if (text_is_space(t)) {
		seen->leading_space |= t->at == 0;
		seen->trailing_space |= last;
		seen->break_space |= *was_break;
		*was_space = true;
		*was_break = false;
	} else if (text_is_break(t)) {
		seen->breaks = true;
		seen->leading_break |= t->at == 0;
		seen->trailing_break |= last;
		seen->space_break |= *was_space;
		*was_space = false;
		*was_break = true;
	} else {
		*was_space = *was_break = false;
	}
}

struct traits
text_analyse(const char *s, size_t n)
{
	struct text t = { s, n, 0 };
	struct seen seen = { 0 };
	bool was_space = false, was_break = false, after_white = true;
	bool outer;

	seen.indicators = text_has(&t, "---") || text_has(&t, "...");
	for (; t.at < n; t.at += text_width(&t)) {
		seen.indicators |= is_indicator(&t, after_white);
		seen.special |= !text_is_printable(&t);
		look_at_white(&seen, &t, &was_space, &was_break);
		after_white = is_blank_or_end(&t);
	}
	outer = seen.leading_space || seen.leading_break ||
	    seen.trailing_space || seen.trailing_break;
	return (struct traits){
		.multiline = seen.breaks,
		.plain = !outer && !seen.break_space && !seen.space_break &&
		    !seen.special && !seen.breaks && !seen.indicators,
		.single =
		    !seen.break_space && !seen.space_break && !seen.special,
		.block = n != 0 && !seen.trailing_space && !seen.space_break &&
		    !seen.special,
	};
}

/* Digits with colons, which YAML 1.1 reads to the base of sixty:
 * [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)? */
bool
text_is_base60(const char *s, size_t n)
{
	size_t i = n != 0 && (s[0] == '-' || s[0] == '+'), groups = 0;

	if (i >= n || s[i] < '0' || s[i] > '9')
		return false;
	while (i < n && ((s[i] >= '0' && s[i] <= '9') || s[i] == '_'))
		i++;
	for (; i + 1 < n && s[i] == ':'; groups++) {
		i++;
		if (i + 1 < n && s[i] >= '0' && s[i] <= '5' &&
		    s[i + 1] >= '0' && s[i + 1] <= '9')
			i++;
		if (s[i] < '0' || s[i] > '9')
			return false;
		i++;
	}
	if (groups != 0 && i < n && s[i] == '.')
		for (i++;
		     i < n && ((s[i] >= '0' && s[i] <= '9') || s[i] == '_');)
			i++;
	return groups != 0 && i == n;
}
