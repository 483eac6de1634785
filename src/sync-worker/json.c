/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "json.h"

json_t *
sw_json(const void *p, size_t n, struct fx_err *err)
{
	json_error_t je;
	json_t *j;

	/* Annotations may hold a NUL: one such object must not spoil a page. */
	j = json_loadb(p, n, JSON_ALLOW_NUL, &je);
	if (j == NULL)
		fx_fail(err, FX_ESYNTAX, "answer is not JSON: byte %d: %s",
		    je.position, je.text);
	return j;
}

const char *
sw_json_str(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s != NULL ? s : "";
}

json_t *
sw_json_at(const json_t *j, const char *outer, const char *inner)
{
	return json_object_get(json_object_get(j, outer), inner);
}

uint64_t
sw_json_version(const json_t *meta)
{
	const char *s = sw_json_str(meta, "resourceVersion");
	uint64_t v = 0;

	for (; *s >= '0' && *s <= '9' && v < UINT64_MAX / 10 - 1; s++)
		v = v * 10 + (uint64_t)(*s - '0');
	return *s == '\0' ? v : 0;
}

void
lines_init(struct lines *l)
{
	buf_init(&l->rest, SW_LINE_MAX);
}

void
lines_clear(struct lines *l)
{
	buf_clear(&l->rest);
}

int
lines_feed(struct lines *l, const void *data, size_t n, line_fn *fn, void *arg)
{
	const char *p = data, *nl;
	size_t part;
	int r = FX_OK;

	while (r == FX_OK && (nl = memchr(p, '\n', n)) != NULL) {
		part = (size_t)(nl - p);
		if (buf_left(&l->rest) == 0) {
			r = part > SW_LINE_MAX ? FX_ELIMIT : fn(arg, p, part);
		} else if ((r = buf_put(&l->rest, p, part)) == FX_OK) {
			r = fn(arg, (const char *)buf_head(&l->rest),
			    buf_left(&l->rest));
			/* a large line must not keep its memory */
			buf_clear(&l->rest);
		}
		p = nl + 1;
		n -= part + 1;
	}
	if (r == FX_OK && n > 0)
		r = buf_put(&l->rest, p, n);
	return r;
}
