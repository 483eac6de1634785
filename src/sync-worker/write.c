/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "write.h"

#include "decimal.h"
#include "str.h"

#include <stdio.h>

/* Longer names of members are no "simple keys" of YAML (1024 bytes with what is
 * around them): such a one has to be announced. */
#define SIMPLE_KEY_MAX 1000

struct writer {
	struct buf *out;
	enum write_form form;
};

static int put_value(struct writer *, const json_t *);

/* ---- strings ---------------------------------------------------------- */

/* Characters that YAML refuses, or takes for something else, when raw. */
static bool
is_odd_in_yaml(uint32_t cp)
{
	return (cp >= 0x7f && cp <= 0x9f) || cp == 0x2028 || cp == 0x2029 ||
	    cp == 0xfeff || cp == 0xfffe || cp == 0xffff;
}

static bool
is_escaped_by_go(uint32_t cp)
{
	return cp == '<' || cp == '>' || cp == '&' || cp == 0x2028 ||
	    cp == 0x2029;
}

static bool
must_escape(const struct writer *w, uint32_t cp)
{
	return cp < 0x20 || cp == '"' || cp == '\\' ||
	    (w->form == WRITE_GO ? is_escaped_by_go(cp) : is_odd_in_yaml(cp));
}

static int
put_escape(struct writer *w, uint32_t cp)
{
	static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *p = short_forms; *p != '\0'; p += 2)
		if ((uint32_t)*p == cp)
			return str_addn(w->out, (char[]){ '\\', p[1] }, 2);
	return str_addf(w->out, "\\u%04x", (unsigned)cp);
}

static int
put_string(struct writer *w, const char *s, size_t n)
{
	size_t i = 0, from = 0, width;
	int r = str_addc(w->out, '"');
	uint32_t cp;

	while (i < n && r == FX_OK) {
		width = str_utf8_next(s + i, n - i, &cp);
		if (width == 0)
			return FX_ESYNTAX; /* jansson lets none in */
		if (must_escape(w, cp)) {
			r = str_addn(w->out, s + from, i - from);
			if (r == FX_OK)
				r = put_escape(w, cp);
			from = i + width;
		}
		i += width;
	}
	if (r == FX_OK)
		r = str_addn(w->out, s + from, n - from);
	return r == FX_OK ? str_addc(w->out, '"') : r;
}

/* ---- the rest --------------------------------------------------------- */

static int
put_member(struct writer *w, const char *key, const json_t *v)
{
	size_t n = strlen(key);
	int r = FX_OK;

	if (w->form == WRITE_YAML && n > SIMPLE_KEY_MAX)
		r = str_add(w->out, "? ");
	if (r == FX_OK)
		r = put_string(w, key, n);
	if (r == FX_OK)
		r = str_addc(w->out, ':');
	return r == FX_OK ? put_value(w, v) : r;
}

static int
compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
put_object(struct writer *w, const json_t *object)
{
	size_t n = json_object_size(object), i = 0;
	const char **keys = xcalloc(n + 1, sizeof(*keys));
	int r = str_addc(w->out, '{');
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)object, key, v)
		keys[i++] = key;
	if (w->form == WRITE_GO)
		qsort(keys, n, sizeof(*keys), compare_keys);
	for (i = 0; i < n && r == FX_OK; i++) {
		if (i > 0)
			r = str_addc(w->out, ',');
		if (r == FX_OK)
			r = put_member(w, keys[i],
			    json_object_get(object, keys[i]));
	}
	free(keys);
	return r == FX_OK ? str_addc(w->out, '}') : r;
}

static int
put_array(struct writer *w, const json_t *array)
{
	int r = str_addc(w->out, '[');
	json_t *v;
	size_t i;

	json_array_foreach (array, i, v) {
		if (r == FX_OK && i > 0)
			r = str_addc(w->out, ',');
		if (r == FX_OK)
			r = put_value(w, v);
	}
	return r == FX_OK ? str_addc(w->out, ']') : r;
}

/* Depth is bounded by jansson's parser. */
static int
put_value(struct writer *w, const json_t *v)
{
	char number[DECIMAL_MAX];

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return put_object(w, v);
	case JSON_ARRAY:
		return put_array(w, v);
	case JSON_STRING:
		return put_string(w, json_string_value(v),
		    json_string_length(v));
	case JSON_INTEGER:
		return str_addf(w->out, "%lld",
		    (long long)json_integer_value(v));
	case JSON_REAL:
		decimal_print_json(json_real_value(v), number);
		return str_add(w->out, number);
	case JSON_TRUE:
		return str_add(w->out, "true");
	case JSON_FALSE:
		return str_add(w->out, "false");
	case JSON_NULL:
		break;
	}
	return str_add(w->out, "null");
}

int
write_json(struct buf *out, const json_t *v, enum write_form form)
{
	struct writer w = { out, form };

	return put_value(&w, v);
}
