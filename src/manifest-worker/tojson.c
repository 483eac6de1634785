/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "tojson.h"

#include "decimal.h"
#include "str.h"

#include <math.h>
#include <stdio.h>

struct tojson {
	struct buf *out; /* may be NULL */
	size_t written;
	struct fx_err *err;
};

static int
put(struct tojson *j, const char *s, size_t n)
{
	j->written += n;
	if (j->written > TOJSON_MAX ||
	    (j->out != NULL && buf_put(j->out, s, n) != FX_OK))
		return fx_fail(j->err, FX_ELIMIT,
		    "object is longer than %lu bytes as JSON", TOJSON_MAX);
	return FX_OK;
}

/* Bytes of a string that JSON takes as they are, from the start. */
static size_t
plain_span(const char *s, size_t n)
{
	uint32_t cp;
	size_t i = 0, w;

	while (i < n) {
		if ((uint8_t)s[i] < 0x80) {
			if ((uint8_t)s[i] < 0x20 || s[i] == '"' || s[i] == '\\')
				break;
			i++;
			continue;
		}
		if ((w = str_utf8_next(s + i, n - i, &cp)) == 0)
			break;
		i += w;
	}
	return i;
}

static int
put_string(struct tojson *j, const char *s, size_t n)
{
	char tmp[8];
	int r = put(j, "\"", 1);

	while (n > 0 && r == FX_OK) {
		size_t span = plain_span(s, n);

		if (span > 0) {
			r = put(j, s, span);
		} else {
			span = 1;
			if ((uint8_t)*s >= 0x80) /* as Go: not UTF-8 */
				r = put(j, "\xef\xbf\xbd", 3);
			else if (*s == '"' || *s == '\\')
				r = put(j, (char[]){ '\\', *s }, 2);
			else {
				snprintf(tmp, sizeof(tmp), "\\u%04x",
				    (unsigned)*s);
				r = put(j, tmp, 6);
			}
		}
		s += span;
		n -= span;
	}
	return r == FX_OK ? put(j, "\"", 1) : r;
}

static int
put_float(struct tojson *j, double f, bool key)
{
	char tmp[DECIMAL_MAX];

	if (!isfinite(f))
		return fx_fail(j->err, FX_EFAIL, "json: unsupported value: %s",
		    isnan(f)	? "NaN"
			: f > 0 ? "+Inf"
				: "-Inf");
	decimal_print_json(f, tmp);
	return key ? put_string(j, tmp, strlen(tmp)) : put(j, tmp, strlen(tmp));
}

static int
put_scalar(struct tojson *j, const struct node *n, bool key)
{
	char tmp[NODE_TEXT_MAX];
	const char *text;
	size_t len;

	if (key && n->kind == NODE_NULL)
		return fx_fail(j->err, FX_EFAIL,
		    "unsupported map key of type: null");
	if (n->kind == NODE_FLOAT)
		return put_float(j, n->f, key);
	text = node_text(n, tmp, &len);
	return key || n->kind == NODE_STR ? put_string(j, text, len)
					  : put(j, text, len);
}

static int
put_node(struct tojson *j, const struct node *n)
{
	bool map = n->kind == NODE_MAP;
	int r;

	if (!map && n->kind != NODE_SEQ)
		return put_scalar(j, n, false);
	r = put(j, map ? "{" : "[", 1);
	for (uint32_t i = 0; i < n->n && r == FX_OK; i++) {
		if (i != 0)
			r = put(j, ",", 1);
		if (r == FX_OK && map)
			r = put_scalar(j, n->pairs[i].key, true);
		if (r == FX_OK && map)
			r = put(j, ":", 1);
		if (r == FX_OK)
			r = put_node(j, map ? n->pairs[i].value : n->items[i]);
	}
	return r == FX_OK ? put(j, map ? "}" : "]", 1) : r;
}

int
tojson_write(struct buf *out, const struct node *n, struct fx_err *err)
{
	struct tojson j = { .out = out, .err = err };

	return put_node(&j, n);
}
