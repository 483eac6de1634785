/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "jsonr.h"

#include <strings.h>

#include "jsonload.h"
#include "str.h"

/* ---- the scanner: grammar and limits, nothing is built ------------------ */

struct scan {
	const char *p; /* next byte */
	const char *end;
	unsigned depth;
	unsigned values;
	struct fx_err *err;
};

static int scan_value(struct scan *);

/* A byte as Go quotes it in an error: 'o', '\n', '\x01', '\u0080'. */
static void
quote_byte(char out[16], unsigned char c)
{
	static const char escapes[] = "\aa\bb\ff\nn\rr\tt\vv\\\\''";

	for (const char *e = escapes; *e != '\0'; e += 2)
		if ((unsigned char)*e == c) {
			snprintf(out, 16, "'\\%c'", e[1]);
			return;
		}
	if (c < 0x20 || c == 0x7f)
		snprintf(out, 16, "'\\x%02x'", c);
	else if (c < 0x7f)
		snprintf(out, 16, "'%c'", c);
	else if (c <= 0xa0 || c == 0xad)
		snprintf(out, 16, "'\\u%04x'", c);
	else
		snprintf(out, 16, "'%c%c'", 0xc0 | (c >> 6), 0x80 | (c & 0x3f));
}

/* The byte at s->p, or the end of the text, does not fit here. */
static int
unexpected(struct scan *s, const char *context)
{
	char c[16];

	if (s->p == s->end)
		return fx_fail(s->err, FX_ESHORT, "unexpected EOF");
	quote_byte(c, (unsigned char)*s->p);
	return fx_fail(s->err, FX_ESYNTAX, "invalid character %s %s", c,
	    context);
}

static void
skip_space(struct scan *s)
{
	while (s->p != s->end &&
	    (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n'))
		s->p++;
}

static bool
take(struct scan *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static bool
take_digits(struct scan *s)
{
	const char *from = s->p;

	while (s->p != s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return s->p != from;
}

static int
scan_literal(struct scan *s, const char *word)
{
	for (const char *w = word; *w != '\0'; w++)
		if (!take(s, *w)) {
			char context[64];

			snprintf(context, sizeof(context),
			    "in literal %s (expecting '%c')", word, *w);
			return unexpected(s, context);
		}
	return FX_OK;
}

static int
scan_number(struct scan *s)
{
	take(s, '-');
	if (!take(s, '0') && !take_digits(s))
		return unexpected(s, "in numeric literal");
	if (take(s, '.') && !take_digits(s))
		return unexpected(s, "after decimal point in numeric literal");
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			take(s, '-');
		if (!take_digits(s))
			return unexpected(s, "in exponent of numeric literal");
	}
	return FX_OK;
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	    (c >= 'A' && c <= 'F');
}

static int
scan_escape(struct scan *s)
{
	if (s->p == s->end || strchr("bfnrt\\/\"u", *s->p) == NULL ||
	    *s->p == '\0')
		return unexpected(s, "in string escape code");
	if (!take(s, 'u')) {
		s->p++;
		return FX_OK;
	}
	for (int i = 0; i < 4; i++) {
		if (s->p == s->end || !is_hex(*s->p))
			return unexpected(s,
			    "in \\u hexadecimal character escape");
		s->p++;
	}
	return FX_OK;
}

static int
scan_string(struct scan *s)
{
	int r;

	for (s->p++; !take(s, '"');) {
		if (s->p == s->end || (unsigned char)*s->p < 0x20)
			return unexpected(s, "in string literal");
		if (!take(s, '\\'))
			s->p++;
		else if ((r = scan_escape(s)) != FX_OK)
			return r;
	}
	return FX_OK;
}

static int
scan_array(struct scan *s)
{
	int r;

	s->p++;
	skip_space(s);
	if (take(s, ']'))
		return FX_OK;
	for (;;) {
		if ((r = scan_value(s)) != FX_OK)
			return r;
		skip_space(s);
		if (take(s, ']'))
			return FX_OK;
		if (!take(s, ','))
			return unexpected(s, "after array element");
	}
}

static int
scan_object(struct scan *s)
{
	int r;

	s->p++;
	skip_space(s);
	if (take(s, '}'))
		return FX_OK;
	for (;;) {
		skip_space(s);
		if (s->p == s->end || *s->p != '"')
			return unexpected(s,
			    "looking for beginning of object key string");
		if ((r = scan_string(s)) != FX_OK)
			return r;
		skip_space(s);
		if (!take(s, ':'))
			return unexpected(s, "after object key");
		if ((r = scan_value(s)) != FX_OK)
			return r;
		skip_space(s);
		if (take(s, '}'))
			return FX_OK;
		if (!take(s, ','))
			return unexpected(s, "after object key:value pair");
	}
}

static int
scan_value(struct scan *s)
{
	int r;

	skip_space(s);
	if (++s->values > JR_MAX_VALUES)
		return fx_fail(s->err, FX_ELIMIT, "more than %d JSON values",
		    JR_MAX_VALUES);
	switch (s->p == s->end ? '\0' : *s->p) {
	case '{':
	case '[':
		if (++s->depth > JR_MAX_DEPTH)
			return fx_fail(s->err, FX_ELIMIT, "exceeded max depth");
		r = *s->p == '{' ? scan_object(s) : scan_array(s);
		s->depth--;
		return r;
	case '"':
		return scan_string(s);
	case 't':
		return scan_literal(s, "true");
	case 'f':
		return scan_literal(s, "false");
	case 'n':
		return scan_literal(s, "null");
	case '-':
	case '0' ... '9':
		return scan_number(s);
	default:
		return unexpected(s, "looking for beginning of value");
	}
}

/* ---- values ------------------------------------------------------------- */

void
jr_open(void)
{
	json_set_alloc_funcs(xmalloc, free);
	json_object_seed(0);
}

json_t *
jr_parse(const char *text, size_t n, struct fx_err *err)
{
	struct scan s = { .p = text, .end = text + n, .err = err };
	const char *start;
	json_error_t why;
	json_t *v;

	skip_space(&s);
	start = s.p;
	if (start == s.end) {
		fx_fail(err, FX_ESHORT, "EOF");
		return NULL;
	}
	if (scan_value(&s) != FX_OK)
		return NULL;
	/* NUL and what is not UTF-8 the library refuses, and so do we */
	v = jl_load(start, (size_t)(s.p - start), JSON_DECODE_ANY, &why);
	if (v == NULL)
		fx_fail(err, FX_ESYNTAX, "%s", why.text);
	return v;
}

void
jr_free_at(json_t **v)
{
	json_decref(*v);
	*v = NULL;
}

static json_t *
find(const json_t *object, const char *key)
{
	json_t *found = json_object_get(object, key);
	const char *k;
	json_t *v;

	if (found != NULL)
		return found;
	/* the library's iterator takes no const object */
	json_object_foreach ((json_t *)(uintptr_t)object, k, v)
		if (strcasecmp(k, key) == 0)
			found = v;
	return found;
}

json_t *
jr_member(const json_t *object, const char *key)
{
	json_t *v = find(object, key);

	return json_is_null(v) ? NULL : v;
}

bool
jr_has(const json_t *object, const char *key)
{
	return find(object, key) != NULL;
}

const char *
jr_text(const json_t *object, const char *key)
{
	const char *s = json_string_value(jr_member(object, key));

	return s == NULL ? "" : s;
}

int
jr_mismatch(const json_t *v, const char *field, const char *type,
    struct fx_err *err)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "object",
		[JSON_ARRAY] = "array",
		[JSON_STRING] = "string",
		[JSON_INTEGER] = "number",
		[JSON_REAL] = "number",
		[JSON_TRUE] = "bool",
		[JSON_FALSE] = "bool",
		[JSON_NULL] = "null",
	};

	return fx_fail(err, FX_ESYNTAX,
	    "json: cannot unmarshal %s into Go %s%s of type %s",
	    names[json_typeof(v)], field == NULL ? "value" : "struct field ",
	    field == NULL ? "" : field, type);
}
