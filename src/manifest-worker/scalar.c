/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "scalar.h"

#include "decimal.h"
#include "str.h"

#include <math.h>
#include <stdio.h>

#define TAG_PREFIX "tag:yaml.org,2002:"

/* What a scalar turned out to be; a timestamp is a string that would not
 * survive without quotes. */
enum found { F_NULL, F_BOOL, F_INT, F_FLOAT, F_STR, F_TIMESTAMP, F_MERGE };

static const char *const found_tags[] = {
	[F_NULL] = "!!null",
	[F_BOOL] = "!!bool",
	[F_INT] = "!!int",
	[F_FLOAT] = "!!float",
	[F_STR] = "!!str",
	[F_TIMESTAMP] = "!!timestamp",
	[F_MERGE] = "!!merge",
};

/* ---- words -------------------------------------------------------------- */

static const struct word {
	const char *text;
	enum found found;
	double value;
} words[] = {
	{ "y", F_BOOL, 1 },
	{ "Y", F_BOOL, 1 },
	{ "yes", F_BOOL, 1 },
	{ "Yes", F_BOOL, 1 },
	{ "YES", F_BOOL, 1 },
	{ "true", F_BOOL, 1 },
	{ "True", F_BOOL, 1 },
	{ "TRUE", F_BOOL, 1 },
	{ "on", F_BOOL, 1 },
	{ "On", F_BOOL, 1 },
	{ "ON", F_BOOL, 1 },
	{ "n", F_BOOL, 0 },
	{ "N", F_BOOL, 0 },
	{ "no", F_BOOL, 0 },
	{ "No", F_BOOL, 0 },
	{ "NO", F_BOOL, 0 },
	{ "false", F_BOOL, 0 },
	{ "False", F_BOOL, 0 },
	{ "FALSE", F_BOOL, 0 },
	{ "off", F_BOOL, 0 },
	{ "Off", F_BOOL, 0 },
	{ "OFF", F_BOOL, 0 },
	{ "", F_NULL, 0 },
	{ "~", F_NULL, 0 },
	{ "null", F_NULL, 0 },
	{ "Null", F_NULL, 0 },
	{ "NULL", F_NULL, 0 },
	{ ".nan", F_FLOAT, NAN },
	{ ".NaN", F_FLOAT, NAN },
	{ ".NAN", F_FLOAT, NAN },
	{ ".inf", F_FLOAT, INFINITY },
	{ ".Inf", F_FLOAT, INFINITY },
	{ ".INF", F_FLOAT, INFINITY },
	{ "+.inf", F_FLOAT, INFINITY },
	{ "+.Inf", F_FLOAT, INFINITY },
	{ "+.INF", F_FLOAT, INFINITY },
	{ "-.inf", F_FLOAT, -INFINITY },
	{ "-.Inf", F_FLOAT, -INFINITY },
	{ "-.INF", F_FLOAT, -INFINITY },
};

#define WORD_MAX 5 /* bytes of the longest word */

static const struct word *
find_word(const char *s, size_t n)
{
	if (n > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < nitems(words); i++)
		if (strlen(words[i].text) == n &&
		    memcmp(words[i].text, s, n) == 0)
			return &words[i];
	return NULL;
}

/* ---- timestamps --------------------------------------------------------- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One or two digits within a range. */
static bool
take_number(const char **p, const char *end, int min, int max, int *out)
{
	int v;

	if (*p == end || !is_digit(**p))
		return false;
	v = *(*p)++ - '0';
	if (*p != end && is_digit(**p))
		v = v * 10 + (*(*p)++ - '0');
	*out = v;
	return v >= min && v <= max;
}

static bool
take_char(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	(*p)++;
	return true;
}

static int
days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Z or +hh:mm. */
static bool
take_zone(const char **p, const char *end)
{
	int h, m;

	if (take_char(p, end, 'Z'))
		return true;
	if (end - *p != 6 || ((*p)[0] != '+' && (*p)[0] != '-'))
		return false;
	(*p)++;
	return take_number(p, end, 0, 24, &h) && take_char(p, end, ':') &&
	    take_number(p, end, 0, 60, &m) && *p == end;
}

static bool
is_timestamp(const char *s, size_t n)
{
	const char *p = s, *end = s + n;
	int year = 0, month, day, v;
	char sep;

	for (int i = 0; i < 4; i++) {
		if (p == end || !is_digit(*p))
			return false;
		year = year * 10 + (*p++ - '0');
	}
	if (!take_char(&p, end, '-') || !take_number(&p, end, 1, 12, &month) ||
	    !take_char(&p, end, '-') ||
	    !take_number(&p, end, 1, days_in(year, month), &day))
		return false;
	if (p == end)
		return true;
	sep = *p++;
	if ((sep != 'T' && sep != 't' && sep != ' ') ||
	    !take_number(&p, end, 0, 23, &v) || !take_char(&p, end, ':') ||
	    !take_number(&p, end, 0, 59, &v) || !take_char(&p, end, ':') ||
	    !take_number(&p, end, 0, 59, &v))
		return false;
	if (end - p >= 2 && p[0] == '.' && is_digit(p[1]))
		for (p += 2; p != end && is_digit(*p);)
			p++;
	return (sep == ' ' || take_zone(&p, end)) && p == end;
}

/* ---- numbers ------------------------------------------------------------ */

#define NUMBER_MAX 4096 /* bytes of a number; what is longer is a string */

/* Digits of a base up to the end; false at overflow of 64 bits, or if there is
 * anything else. */
static bool
take_digits(const char *s, unsigned base, uint64_t *out)
{
	uint64_t v = 0, d;

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (is_digit(*s))
			d = (uint64_t)(*s - '0');
		else if ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'f')
			d = (uint64_t)((*s | 0x20) - 'a' + 10);
		else
			return false;
		if (d >= base || __builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, d, &v))
			return false;
	}
	*out = v;
	return true;
}

/* The base that a prefix says, which is skipped: 0x 0o 0b 0. */
static unsigned
take_base(const char **s)
{
	if ((*s)[0] != '0' || (*s)[1] == '\0')
		return 10;
	*s += 2;
	switch ((*s)[-1] | 0x20) {
	case 'x':
		return 16;
	case 'o':
		return 8;
	case 'b':
		return 2;
	default:
		(*s)--;
		return 8;
	}
}

static bool
set_int(struct node *out, bool negative, uint64_t v)
{
	if (negative) {
		if (v > (uint64_t)INT64_MAX + 1)
			return false;
		out->kind = NODE_INT;
		out->i = (int64_t)(0 - v);
	} else if (v <= INT64_MAX) {
		out->kind = NODE_INT;
		out->i = (int64_t)v;
	} else {
		out->kind = NODE_UINT;
		out->u = v;
	}
	return true;
}

static bool
is_int(const char *s, struct node *out)
{
	bool sign = *s == '-' || *s == '+', negative = *s == '-';
	const char *p = s + sign;
	unsigned base = take_base(&p);
	uint64_t v;

	if (take_digits(p, base, &v) && (!sign || negative || v <= INT64_MAX))
		return set_int(out, negative, v);
	/* upstream also takes a sign behind 0b */
	if (s[0] == '0' && s[1] == 'b' && (s[2] == '-' || s[2] == '+') &&
	    take_digits(s + 3, 2, &v) && v <= INT64_MAX)
		return set_int(out, s[2] == '-', v);
	return false;
}

static const char *
skip_digits(const char *s)
{
	while (is_digit(*s))
		s++;
	return s;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? and within range. */
static bool
is_float(const char *s, struct node *out)
{
	const char *p = s + (*s == '-' || *s == '+'), *digits;
	double f;

	digits = p;
	p = skip_digits(p);
	if (*p == '.') {
		if (p == digits && !is_digit(p[1]))
			return false;
		p = skip_digits(p + 1);
	} else if (p == digits) {
		return false;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '-' || *p == '+';
		if (!is_digit(*p))
			return false;
		p = skip_digits(p);
	}
	if (*p != '\0')
		return false;
	f = strtod(s, NULL);
	if (!isfinite(f))
		return false;
	out->kind = NODE_FLOAT;
	out->f = f;
	return true;
}

/* ---- resolution --------------------------------------------------------- */

static enum found
resolve_number(struct node *out, const char *s, size_t n)
{
	char text[NUMBER_MAX];
	size_t len = 0;

	if (n >= sizeof(text))
		return F_STR;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\0')
			return F_STR;
		if (s[i] != '_' || s[0] == '.')
			text[len++] = s[i];
	}
	text[len] = '\0';
	if (s[0] != '.' && is_int(text, out))
		return F_INT;
	return is_float(text, out) ? F_FLOAT : F_STR;
}

/* `tag` is NULL where the text alone decides, else in short form. */
static enum found
resolve(struct node *out, const char *tag, const char *s, size_t n)
{
	const struct word *w;

	out->kind = NODE_STR;
	if (n != 0 && strchr("+-0123456789yYnNtTfFoO~.", s[0]) == NULL)
		return F_STR;
	if (n != 0 && s[0] == '\0')
		return F_STR;
	if ((w = find_word(s, n)) != NULL) {
		if (w->found == F_BOOL) {
			out->kind = NODE_BOOL;
			out->b = w->value != 0;
		} else if (w->found == F_FLOAT) {
			out->kind = NODE_FLOAT;
			out->f = w->value;
		} else {
			out->kind = NODE_NULL;
		}
		return w->found;
	}
	if (strchr("+-.0123456789", s[0]) == NULL)
		return F_STR;
	if ((tag == NULL || strcmp(tag, "!!timestamp") == 0) &&
	    is_timestamp(s, n))
		return F_TIMESTAMP;
	return resolve_number(out, s, n);
}

bool
scalar_is_str(const char *s, size_t n)
{
	struct node tmp;

	return resolve(&tmp, NULL, s, n) == F_STR;
}

/* The standard alphabet with padding; line ends may stand anywhere. */
static int
decode_binary(struct node *out, const char *s, size_t n, struct arena *arena,
    struct fx_err *err)
{
	auto_buf struct buf packed = BUF_INIT(n), raw = BUF_INIT(n);
	char *copy;

	for (size_t i = 0; i < n; i++)
		if (s[i] != '\n' && s[i] != '\r' &&
		    str_addc(&packed, s[i]) != FX_OK)
			return FX_ELIMIT;
	if (buf_left(&packed) % 4 != 0 ||
	    str_unbase64((const char *)buf_head(&packed), buf_left(&packed),
		&raw) != FX_OK)
		return fx_fail(err, FX_ESYNTAX,
		    "yaml: !!binary value contains invalid base64 data");
	copy = arena_strn(arena, (const char *)buf_head(&raw), buf_left(&raw));
	if (copy == NULL)
		return FX_ELIMIT;
	out->kind = NODE_STR;
	out->s = copy;
	out->n = (uint32_t)buf_left(&raw);
	return FX_OK;
}

/* A tag that was written must be what the text is, or what it can become. */
static int
obey_tag(struct node *out, const char *tag, enum found found, const char *s,
    size_t n, struct fx_err *err)
{
	if (strcmp(tag, found_tags[found]) == 0)
		return FX_OK;
	if (strcmp(tag, "!!float") == 0 && found == F_INT &&
	    out->kind == NODE_INT) {
		out->kind = NODE_FLOAT;
		out->f = (double)out->i;
		return FX_OK;
	}
	return fx_fail(err, FX_ESYNTAX, "yaml: cannot decode %s `%.*s` as a %s",
	    found_tags[found], n > FX_ERR_TEXT_MAX ? FX_ERR_TEXT_MAX : (int)n,
	    s, tag);
}

int
scalar_resolve(struct node *out, const char *tag, const char *s, size_t n,
    bool plain, struct arena *arena, struct fx_err *err)
{
	static const char *const typed[] = { "!!bool", "!!int", "!!float",
		"!!null", "!!timestamp" };
	char name[32];
	enum found found;

	out->s = s;
	out->n = (uint32_t)n;
	if (tag == NULL && plain) {
		resolve(out, NULL, s, n);
		return FX_OK;
	}
	out->kind = NODE_STR;
	if (tag == NULL)
		return FX_OK;
	if (strncmp(tag, TAG_PREFIX, strlen(TAG_PREFIX)) == 0) {
		tag += strlen(TAG_PREFIX);
		if (strcmp(tag, "binary") == 0)
			return decode_binary(out, s, n, arena, err);
		snprintf(name, sizeof(name), "!!%.20s", tag);
		for (size_t i = 0; i < nitems(typed); i++)
			if (strcmp(name, typed[i]) == 0) {
				found = resolve(out, name, s, n);
				return obey_tag(out, name, found, s, n, err);
			}
	}
	return FX_OK; /* !!str, and tags nobody knows, keep the text */
}

/* ---- printing ----------------------------------------------------------- */

void
scalar_print_float(double f, char out[NODE_TEXT_MAX])
{
	if (isnan(f))
		snprintf(out, NODE_TEXT_MAX, ".nan");
	else if (isinf(f))
		snprintf(out, NODE_TEXT_MAX, "%s.inf", f < 0 ? "-" : "");
	else
		decimal_print(f, -4, 6, 2, out);
}
