/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "logfmt.h"
#include "str.h"

static void
add_key(struct buf *b, const char *key)
{
	for (; *key != '\0'; key++)
		if ((uint8_t)*key > ' ' && *key != '=' && *key != '"' &&
		    *key != 0x7f)
			(void)str_addc(b, *key);
}

static size_t
value_len(const char *s)
{
	return strnlen(s, LOG_VALUE_MAX);
}

static bool
needs_quotes(const char *s, size_t n)
{
	uint32_t cp;
	size_t step;

	for (size_t i = 0; i < n; i += step) {
		step = str_utf8_next(s + i, n - i, &cp);
		if (step == 0 || cp <= ' ' || cp == '=' || cp == '"' ||
		    (cp >= 0x7f && cp < 0xa0) || cp == 0xfffd)
			return true;
		/* beyond upstream: reordering characters are escaped too */
		if (cp >= 0x200b && cp <= 0x206f)
			return true;
	}
	return false;
}

static void
add_quoted(struct buf *b, const char *s, size_t n)
{
	(void)str_addc(b, '"');
	str_add_json(b, s, n, false);
	(void)str_addc(b, '"');
}

static void
add_fmt_value(struct buf *b, const struct log_pair *p)
{
	size_t n;

	if (p->kind == LOG_K_NULL || p->value == NULL) {
		(void)str_add(b, "null");
		return;
	}
	n = value_len(p->value);
	if (p->kind == LOG_K_STR &&
	    (needs_quotes(p->value, n) || strcmp(p->value, "null") == 0))
		add_quoted(b, p->value, n);
	else
		(void)str_addn(b, p->value, n);
}

void
logfmt_add_fmt(struct buf *b, const struct log_pair *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i != 0)
			(void)str_addc(b, ' ');
		add_key(b, p[i].key);
		(void)str_addc(b, '=');
		add_fmt_value(b, &p[i]);
	}
	(void)str_addc(b, '\n');
}

/* The pair that prints next: smallest key above `after`; the last one of equal
 * keys wins. */
static const struct log_pair *
next_pair(const struct log_pair *p, size_t n, const char *after)
{
	const struct log_pair *best = NULL;

	for (size_t i = 0; i < n; i++) {
		if (after != NULL && strcmp(p[i].key, after) <= 0)
			continue;
		if (best == NULL || strcmp(p[i].key, best->key) <= 0)
			best = &p[i];
	}
	return best;
}

void
logfmt_add_json(struct buf *b, const struct log_pair *p, size_t n)
{
	const struct log_pair *q = next_pair(p, n, NULL);
	char before = '{';

	if (q == NULL)
		(void)str_addc(b, '{');
	for (; q != NULL; q = next_pair(p, n, q->key)) {
		(void)str_addc(b, before);
		before = ',';
		add_quoted(b, q->key, strlen(q->key));
		(void)str_addc(b, ':');
		if (q->kind == LOG_K_NULL || q->value == NULL)
			(void)str_add(b, "null");
		else if (q->kind == LOG_K_BARE)
			(void)str_add(b, q->value);
		else
			add_quoted(b, q->value, value_len(q->value));
	}
	(void)str_add(b, "}\n");
}
