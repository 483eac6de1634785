/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "instant.h"

#include "quote.h"
#include "str.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define YEAR_ONE (-62135596800ll) /* 0001-01-01T00:00:00Z */
#define NS_DIGITS 9

/* Exactly n digits of value min to max; moves *s behind them. */
static bool
number(const char **s, size_t n, int min, int max, int *out)
{
	int v = 0;

	for (; n > 0; n--, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		v = v * 10 + (**s - '0');
	}
	*out = v;
	return v >= min && v <= max;
}

static bool
literal(const char **s, char c)
{
	return *(*s)++ == c;
}

static bool
fraction(const char **s, unsigned *ns)
{
	unsigned scale = 100000000; /* of the first of nine digits */

	*ns = 0;
	if (**s != '.' && **s != ',')
		return true;
	for ((*s)++; **s >= '0' && **s <= '9'; (*s)++, scale /= 10)
		*ns += (unsigned)(**s - '0') * scale;
	return (*s)[-1] >= '0' && (*s)[-1] <= '9';
}

/* "Z", "+02:00" */
static bool
zone(const char **s, struct instant *out)
{
	int hours, minutes, sign = **s == '-' ? -1 : 1;

	out->offset = 0;
	out->utc = **s == 'Z';
	if (out->utc)
		return *++*s == '\0';
	if (**s != '+' && **s != '-')
		return false;
	(*s)++;
	if (!number(s, 2, 0, 24, &hours) || !literal(s, ':') ||
	    !number(s, 2, 0, 60, &minutes))
		return false;
	out->offset = sign * (hours * 3600 + minutes * 60);
	return **s == '\0';
}

static int
month_days(const struct tm *tm)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	int y = tm->tm_year + 1900;
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[tm->tm_mon] + (tm->tm_mon == 1 && leap);
}

static bool
parse(const char *s, struct instant *out)
{
	struct tm tm = { 0 };

	if (!number(&s, 4, 0, 9999, &tm.tm_year) || !literal(&s, '-') ||
	    !number(&s, 2, 1, 12, &tm.tm_mon) || !literal(&s, '-') ||
	    !number(&s, 2, 1, 31, &tm.tm_mday) || !literal(&s, 'T') ||
	    !number(&s, 2, 0, 23, &tm.tm_hour) || !literal(&s, ':') ||
	    !number(&s, 2, 0, 59, &tm.tm_min) || !literal(&s, ':') ||
	    !number(&s, 2, 0, 59, &tm.tm_sec) || !fraction(&s, &out->ns) ||
	    !zone(&s, out))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if (tm.tm_mday > month_days(&tm))
		return false;
	out->sec = (int64_t)timegm(&tm) - out->offset;
	return true;
}

int
instant_parse(const char *text, struct instant *out, struct ctl_error *err)
{
	auto_free char *quoted = NULL;
	struct instant t;

	if (parse(text, &t)) {
		*out = t;
		return FX_OK;
	}
	quoted = str_quoted(text);
	return ctl_fail(err, FX_ESYNTAX, "parsing time %s", quoted);
}

bool
instant_is_zero(const struct instant *t)
{
	return t->sec == YEAR_ONE && t->ns == 0;
}

static struct tm
broken_down(int64_t seconds)
{
	time_t sec = (time_t)seconds;
	struct tm tm = { 0 };

	(void)gmtime_r(&sec, &tm);
	return tm;
}

void
instant_add(struct buf *b, const struct instant *t)
{
	struct tm tm = broken_down(t->sec);
	char digits[NS_DIGITS + 2];
	size_t n = NS_DIGITS;

	(void)str_addf(b, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (t->ns != 0) {
		snprintf(digits, sizeof(digits), "%09u", t->ns);
		while (digits[n - 1] == '0')
			n--;
		(void)str_addf(b, ".%.*s", (int)n, digits);
	}
	(void)str_addc(b, 'Z');
}

static void
add_zone(struct buf *b, const struct instant *t)
{
	time_t sec = (time_t)t->sec;
	int minutes = abs(t->offset) / 60;
	struct tm local = { 0 };

	if (t->utc)
		(void)str_add(b, "UTC");
	else if (localtime_r(&sec, &local) != NULL &&
	    local.tm_gmtoff == t->offset)
		(void)str_add(b, local.tm_zone);
	else
		(void)str_addf(b, "%c%02d%02d", t->offset < 0 ? '-' : '+',
		    minutes / 60, minutes % 60);
}

void
instant_add_short(struct buf *b, const struct instant *t)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = broken_down(t->sec + t->offset);

	/* the remainder of a negative year does not occur: years are 0 on */
	(void)str_addf(b, "%02d %.3s %02d %02d:%02d ", tm.tm_mday,
	    months + (size_t)tm.tm_mon * 3, (tm.tm_year + 1900) % 100,
	    tm.tm_hour, tm.tm_min);
	add_zone(b, t);
}
