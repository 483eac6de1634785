/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "values.h"

#include "quote.h"
#include "str.h"

#include <limits.h>

int
value_bool(const char *text, bool *out, struct ctl_error *err)
{
	auto_free char *quoted = NULL;
	int r = fx_parse_bool(text, out);

	if (r == FX_OK)
		return FX_OK;
	quoted = str_quoted(text);
	return ctl_fail(err, r, "strconv.ParseBool: parsing %s: invalid syntax",
	    quoted);
}

int
value_duration(const char *text, int64_t *ns, struct ctl_error *err)
{
	struct fx_err why = { 0 };
	int r = fx_parse_duration(text, ns, &why);

	return r == FX_OK ? FX_OK : ctl_fail(err, r, "%s", why.text);
}

/* The base that a number's prefix says, which *s is moved behind. */
static unsigned
take_prefix(const char **s)
{
	static const char letters[] = "box";
	static const unsigned bases[] = { 2, 8, 16 };
	const char *letter;

	if ((*s)[0] != '0' || (*s)[1] == '\0')
		return 10;
	letter = strchr(letters, (*s)[1] | 0x20);
	*s += letter == NULL ? 1 : 2;
	return letter == NULL ? 8 : bases[letter - letters];
}

static unsigned
digit_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c);

	return at == NULL ? UINT_MAX : (unsigned)(at - digits);
}

/* Go's numbers have prefixes, and underscores between digits, of which a prefix
 * counts as one. */
static int
parse_int(const char *text, int64_t *out)
{
	const char *s = text + (*text == '-' || *text == '+');
	unsigned base = take_prefix(&s), digit;
	bool any = false, after_digit = base != 10;
	uint64_t v = 0, max = (uint64_t)INT64_MAX + (*text == '-');

	for (; *s != '\0'; s++) {
		if (*s == '_' && after_digit && s[1] != '\0') {
			after_digit = false;
			continue;
		}
		digit = digit_value(*s);
		if (digit >= base)
			return FX_ESYNTAX;
		if (v > (UINT64_MAX - digit) / base)
			return FX_ELIMIT;
		v = v * base + digit;
		any = after_digit = true;
	}
	if (!any)
		return FX_ESYNTAX;
	if (v > max)
		return FX_ELIMIT;
	*out = *text == '-' ? (int64_t)(0 - v) : (int64_t)v;
	return FX_OK;
}

int
value_int(const char *text, int64_t *out, struct ctl_error *err)
{
	auto_free char *quoted = NULL;
	int r = parse_int(text, out);

	if (r == FX_OK)
		return FX_OK;
	quoted = str_quoted(text);
	return ctl_fail(err, r, "strconv.ParseInt: parsing %s: %s", quoted,
	    r == FX_ELIMIT ? "value out of range" : "invalid syntax");
}

int
value_count(const char *text, int64_t *out, struct ctl_error *err)
{
	if (strcmp(text, VALUE_ONE_MORE) != 0)
		return value_int(text, out, err);
	if (*out < INT64_MAX)
		(*out)++;
	return FX_OK;
}

void
ctl_list_clear(struct ctl_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct ctl_list){ 0 };
}

void
ctl_map_clear(struct ctl_map *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->v[i]);
	free(m->v);
	*m = (struct ctl_map){ 0 };
}

/* Takes the pair over. */
static void
map_put(struct ctl_map *m, char *pair)
{
	size_t key = (size_t)(strchr(pair, '=') - pair) + 1;

	for (size_t i = 0; i < m->n; i++) {
		if (strncmp(m->v[i], pair, key) != 0)
			continue;
		free(m->v[i]);
		m->v[i] = pair;
		return;
	}
	m->v = xreallocarray(m->v, m->n + 1, sizeof(*m->v));
	m->v[m->n++] = pair;
}

static int
fail_csv(struct ctl_error *err, const char *record, const char *at,
    const char *what)
{
	return ctl_fail(err, FX_ESYNTAX,
	    "parse error on line 1, column %zu: %s", (size_t)(at - record) + 1,
	    what);
}

/*
 * One field of a CSV record (RFC 4180: quotes around it, doubled inside);
 * moves *p behind the comma, or to NULL at the end.
 */
static int
csv_field(const char *record, const char **p, struct buf *out,
    struct ctl_error *err)
{
	const char *s = *p;
	bool quoted = *s == '"', closed = !quoted;

	for (s += quoted; *s != '\0'; s++) {
		if (quoted && *s == '"' && *++s != '"') {
			closed = true;
			break;
		}
		if (!quoted && *s == ',')
			break;
		if (!quoted && *s == '"')
			return fail_csv(err, record, s,
			    "bare \" in non-quoted-field");
		(void)str_addc(out, *s);
	}
	if (!closed || (*s != '\0' && *s != ','))
		return fail_csv(err, record, closed ? s - 1 : s,
		    "extraneous or missing \" in quoted-field");
	*p = *s == ',' ? s + 1 : NULL;
	return FX_OK;
}

/* Takes the word over. */
static void
list_put(struct ctl_list *l, char *word)
{
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = word;
}

int
value_list(const char *text, bool first, struct ctl_list *out,
    struct ctl_error *err)
{
	struct ctl_list parsed = { 0 };
	int r = FX_OK;

	for (const char *p = *text == '\0' ? NULL : text; p != NULL;) {
		struct buf field = BUF_INIT(SIZE_MAX);

		r = csv_field(text, &p, &field, err);
		list_put(&parsed, str_take(&field));
		if (r != FX_OK) {
			ctl_list_clear(&parsed);
			return r;
		}
	}
	if (first)
		ctl_list_clear(out);
	for (size_t i = 0; i < parsed.n; i++)
		list_put(out, parsed.v[i]);
	free(parsed.v);
	return r;
}

static int
map_put_checked(struct ctl_map *m, char *pair, struct ctl_error *err)
{
	auto_free char *owned = pair;

	if (strchr(pair, '=') == NULL)
		return ctl_fail(err, FX_ESYNTAX,
		    "%s must be formatted as key=value", pair);
	map_put(m, fx_steal(&owned));
	return FX_OK;
}

static size_t
count_equals(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += *s == '=';
	return n;
}

/* The pairs of the text; the original reads CSV only where it sees more than
 * one equals sign. */
static int
map_parse(const char *text, struct ctl_map *m, struct ctl_error *err)
{
	size_t n = strlen(text);
	int r = FX_OK;

	switch (count_equals(text)) {
	case 0:
		return ctl_fail(err, FX_ESYNTAX,
		    "%s must be formatted as key=value", text);
	case 1:
		while (n > 0 && text[n - 1] == '"')
			n--;
		for (; n > 0 && *text == '"'; n--)
			text++;
		return map_put_checked(m, xstrndup(text, n), err);
	default:
		break;
	}
	for (const char *p = text; r == FX_OK && p != NULL;) {
		auto_buf struct buf field = BUF_INIT(SIZE_MAX);

		r = csv_field(text, &p, &field, err);
		if (r == FX_OK)
			r = map_put_checked(m, str_take(&field), err);
	}
	return r;
}

int
value_map(const char *text, bool first, struct ctl_map *out,
    struct ctl_error *err)
{
	struct ctl_map parsed = { 0 };
	int r = map_parse(text, &parsed, err);

	if (r != FX_OK) {
		ctl_map_clear(&parsed);
		return r;
	}
	if (first)
		ctl_map_clear(out);
	for (size_t i = 0; i < parsed.n; i++)
		map_put(out, fx_steal(&parsed.v[i]));
	free(parsed.v);
	return FX_OK;
}

static int
compare_pairs(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
ctl_map_print(const struct ctl_map *m, struct buf *out)
{
	auto_free char **sorted = xcalloc(m->n + 1, sizeof(*sorted));

	if (m->n != 0)
		memcpy(sorted, m->v, m->n * sizeof(*sorted));
	qsort(sorted, m->n, sizeof(*sorted), compare_pairs);
	for (size_t i = 0; i < m->n; i++)
		(void)str_addf(out, "%s%s", i == 0 ? "" : ",", sorted[i]);
}
