/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "json.h"

#include "client.h"
#include "jsonload.h"

json_t *
sw_json(const void *p, size_t n, struct fx_err *err)
{
	json_error_t je;
	json_t *j;

	/* Annotations may hold a NUL: one such object must not spoil a page. */
	j = jl_load(p, n, JSON_ALLOW_NUL, &je);
	if (j == NULL)
		fx_fail(err, FX_ESYNTAX, "answer is not JSON: byte %d: %s",
		    je.position, je.text);
	return j;
}

json_t *
sw_answer(struct answer *a)
{
	return a->err.code != FX_OK
	    ? NULL
	    : sw_json(buf_head(&a->body), buf_left(&a->body), &a->err);
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

void
items_init(struct items *t)
{
	*t = (struct items){ 0 };
	buf_init(&t->frame, SW_FRAME_MAX);
	buf_init(&t->item, SW_LINE_MAX);
}

void
items_clear(struct items *t)
{
	buf_clear(&t->frame);
	buf_clear(&t->item);
}

/* A byte within a string, or its end. */
static void
in_string(struct items *t, char c)
{
	if (t->escaped)
		t->escaped = false;
	else if (c == '\\')
		t->escaped = true;
	else if (c == '"')
		t->in_string = false;
	if (t->in_string && t->depth == 1 && t->name_len < sizeof(t->name))
		t->name[t->name_len++] = c;
}

static void
begin_string(struct items *t)
{
	t->in_string = true;
	if (t->depth == 1)
		t->name_len = 0;
}

/* A byte outside of strings.  true: it ends an element. */
static bool
structure(struct items *t, char c)
{
	switch (c) {
	case '"':
		begin_string(t);
		break;
	case ':':
		if (t->depth == 1)
			t->is_items = t->name_len == 5 &&
			    memcmp(t->name, "items", 5) == 0;
		break;
	case '{':
	case '[':
		t->depth++;
		if (c == '[' && t->depth == 2 && t->is_items)
			t->in_items = true;
		break;
	case '}':
	case ']':
		if (t->depth > 0)
			t->depth--;
		if (t->depth == 1)
			t->in_items = false;
		return t->in_items && t->depth == 2;
	default:
		break;
	}
	return false;
}

/* Where do bytes go at this moment?  NULL: between elements, nowhere. */
static struct buf *
target(struct items *t)
{
	if (!t->in_items)
		return &t->frame;
	return t->depth > 2 ? &t->item : NULL;
}

int
items_feed(struct items *t, const void *data, size_t n, line_fn *fn, void *arg)
{
	const char *p = data, *end = p + n, *from = p;
	struct buf *to = target(t);
	int r = FX_OK;

	for (; p < end && r == FX_OK; p++) {
		bool ended = false;
		struct buf *next;

		if (t->in_string)
			in_string(t, *p);
		else
			ended = structure(t, *p);
		next = target(t);
		if (next == to && !ended)
			continue;
		/* an opening bracket belongs to what it opens, a closing one
		 * to what it closes, and the array's own to the frame */
		if (to != NULL)
			r = buf_put(to, from,
			    (size_t)(p - from) + (next != &t->item));
		from = next == &t->item || to == NULL ? p : p + 1;
		if (r == FX_OK && ended) {
			r = fn(arg, (const char *)buf_head(&t->item),
			    buf_left(&t->item));
			buf_reset(&t->item);
		}
		to = next;
	}
	if (r == FX_OK && to != NULL)
		r = buf_put(to, from, (size_t)(end - from));
	return r;
}

bool
items_whole(const struct items *t)
{
	return t->depth == 0 && !t->in_string && buf_left(&t->frame) > 0;
}

json_t *
items_end(struct items *t, struct fx_err *err)
{
	return sw_json(buf_head(&t->frame), buf_left(&t->frame), err);
}
