/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "schema.h"

#include "image_ref.h"
#include "jsonr.h"
#include "jsonw.h"
#include "resource_id.h"
#include "str.h"

/* ---- texts of texts ----------------------------------------------------- */

/* An id or an image as it is printed, owned by the caller; an empty text for
 * none.  NULL and why: it is neither. */
static char *
print_id(const char *s, struct fx_err *err)
{
	struct resource_id id = { 0 };
	char *printed = NULL;

	if (*s == '\0')
		return xstrdup("");
	if (resource_id_parse(s, &id, err) == FX_OK)
		printed = resource_id_print(&id);
	resource_id_clear(&id);
	return printed;
}

static char *
print_image(const char *s, struct fx_err *err)
{
	struct image_ref ref = { 0 };
	char *printed = NULL;

	if (image_ref_parse(s, &ref, err) == FX_OK)
		printed = image_ref_print(&ref);
	image_ref_clear(&ref);
	return printed;
}

/* ---- checking ----------------------------------------------------------- */

/* Where a value stands, as Go says it: the struct that it is a member of, and
 * the members that lead there. */
struct place_in {
	const char *type; /* NULL: it is no member */
	const char *path;
	bool blank;
};

static int check(const json_t *, const struct schema *, const struct place_in *,
    struct fx_err *);

static int
mismatch(const json_t *v, const struct schema *s, const struct place_in *in,
    struct fx_err *err)
{
	auto_free char *field = NULL;

	if (in->type != NULL)
		field = xasprintf("%s.%s", in->type, in->path);
	return jr_mismatch(v, field, s->type, err);
}

static int
check_list(const json_t *v, const struct schema *s, const struct place_in *in,
    struct fx_err *err)
{
	int r = FX_OK;

	for (size_t i = 0; r == FX_OK && i < json_array_size(v); i++)
		r = check(json_array_get(v, i), s->of, in, err);
	return r;
}

static int
check_by_id(const json_t *v, const struct schema *s, const struct place_in *in,
    struct fx_err *err)
{
	const char *key;
	json_t *e;
	int r;

	/* the library's iterator takes no const object */
	json_object_foreach ((json_t *)(uintptr_t)v, key, e) {
		struct resource_id id;

		if ((r = resource_id_parse(key, &id, err)) != FX_OK)
			return r;
		resource_id_clear(&id);
		if ((r = check(e, s->of, in, err)) != FX_OK)
			return r;
	}
	return FX_OK;
}

/* "update.Cause" is Cause; "struct { … }" has no name. */
static const char *
struct_name(const char *type)
{
	const char *dot = strrchr(type, '.');

	if (str_starts(type, "struct "))
		return "";
	return dot == NULL ? type : dot + 1;
}

static int
check_members(const json_t *v, const struct schema *s,
    const struct place_in *in, struct fx_err *err)
{
	int r = FX_OK;

	for (const struct schema *m = s->of; r == FX_OK && m->key != NULL;
	     m++) {
		auto_free char *path = in->type == NULL
		    ? xstrdup(m->key)
		    : xasprintf("%s.%s", in->path, m->key);
		const struct place_in inner = {
			.type = struct_name(s->type),
			.path = path,
			.blank = in->blank,
		};

		r = check(jr_member(v, m->key), m, &inner, err);
	}
	return r;
}

/* Names and texts; both forms are read by a decoder of their own. */
static int
check_policies(const json_t *v, struct fx_err *err)
{
	static const struct schema text = { NULL, SHAPE_STRING, "string", NULL,
		false };
	const struct place_in in = { 0 };
	const char *key;
	json_t *e;
	int r;

	if (json_is_array(v)) {
		const struct schema list = { NULL, SHAPE_LIST,
			"[]policy.Policy", &text, false };

		return check_list(v, &list, &in, err);
	}
	json_object_foreach ((json_t *)(uintptr_t)v, key, e)
		if ((r = check(e, &text, &in, err)) != FX_OK)
			return r;
	return FX_OK;
}

static int
check_text(const json_t *v, const struct schema *s, const struct place_in *in,
    struct fx_err *err)
{
	const char *text = json_string_value(v);
	auto_free char *printed = NULL;

	if (s->shape == SHAPE_STRING || (*text == '\0' && in->blank))
		return FX_OK;
	printed =
	    s->shape == SHAPE_ID ? print_id(text, err) : print_image(text, err);
	return printed == NULL ? err->code : FX_OK;
}

static bool
has_type(const json_t *v, enum shape shape)
{
	switch (shape) {
	case SHAPE_ANY:
		return true;
	case SHAPE_STRING:
	case SHAPE_ID:
	case SHAPE_IMAGE:
		return json_is_string(v);
	case SHAPE_BOOL:
		return json_is_boolean(v);
	case SHAPE_LIST:
		return json_is_array(v);
	case SHAPE_POLICIES:
		return json_is_object(v) || json_is_array(v);
	case SHAPE_BY_ID:
	case SHAPE_OBJECT:
		break;
	}
	return json_is_object(v);
}

static int
check(const json_t *v, const struct schema *s, const struct place_in *in,
    struct fx_err *err)
{
	if (v == NULL || json_is_null(v))
		return FX_OK;
	if (!has_type(v, s->shape))
		return mismatch(v, s, in, err);
	switch (s->shape) {
	case SHAPE_ANY:
	case SHAPE_BOOL:
		break;
	case SHAPE_STRING:
	case SHAPE_ID:
	case SHAPE_IMAGE:
		return check_text(v, s, in, err);
	case SHAPE_POLICIES:
		return check_policies(v, err);
	case SHAPE_LIST:
		return check_list(v, s, in, err);
	case SHAPE_BY_ID:
		return check_by_id(v, s, in, err);
	case SHAPE_OBJECT:
		return check_members(v, s, in, err);
	}
	return FX_OK;
}

int
schema_check(const json_t *v, const struct schema *s, bool blank,
    struct fx_err *err)
{
	const struct place_in in = { .blank = blank };

	return check(v, s, &in, err);
}

/* ---- writing ------------------------------------------------------------ */

struct pair {
	char *key; /* owned */
	size_t at; /* of equal keys the last counts */
	const json_t *value;
};

static int
compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order != 0 ? order : x->at < y->at ? -1 : 1;
}

/* An object's members in the order of their keys, ids as they are printed. */
static struct pair *
sorted(const json_t *v, bool ids, size_t *n)
{
	struct pair *pairs = xcalloc(json_object_size(v) + 1, sizeof(*pairs));
	struct fx_err err = { 0 };
	const char *key;
	json_t *e;

	*n = 0;
	json_object_foreach ((json_t *)(uintptr_t)v, key, e) {
		pairs[*n] = (struct pair){
			.key = ids ? print_id(key, &err) : xstrdup(key),
			.at = *n,
			.value = e,
		};
		(*n)++;
	}
	qsort(pairs, *n, sizeof(*pairs), compare_pairs);
	return pairs;
}

/* of: each value; NULL: texts. */
static void
write_map(struct buf *b, const json_t *v, const struct schema *of)
{
	size_t n;
	auto_free struct pair *pairs = sorted(v, of != NULL, &n);
	bool first = true;

	str_addc(b, '{');
	for (size_t i = 0; i < n; i++) {
		/* two spellings of an id are one id */
		if (i + 1 == n || strcmp(pairs[i].key, pairs[i + 1].key) != 0) {
			if (!first)
				str_addc(b, ',');
			first = false;
			jw_string(b, pairs[i].key);
			str_addc(b, ':');
			if (of != NULL)
				schema_write(b, pairs[i].value, of);
			else
				jw_string(b, json_string_value(pairs[i].value));
		}
		free(pairs[i].key);
	}
	str_addc(b, '}');
}

/* A list of policies is a map to "true". */
static void
write_policies(struct buf *b, const json_t *v)
{
	auto_json json_t *map = NULL;

	if (json_is_object(v)) {
		write_map(b, v, NULL);
		return;
	}
	map = json_object();
	for (size_t i = 0; i < json_array_size(v); i++)
		if (json_is_string(json_array_get(v, i)))
			(void)json_object_set_new(map,
			    json_string_value(json_array_get(v, i)),
			    json_string("true"));
	write_map(b, map, NULL);
}

static void
write_list(struct buf *b, const json_t *v, const struct schema *each)
{
	str_addc(b, '[');
	for (size_t i = 0; i < json_array_size(v); i++) {
		if (i != 0)
			str_addc(b, ',');
		schema_write(b, json_array_get(v, i), each);
	}
	str_addc(b, ']');
}

static bool
is_omitted(const json_t *v, const struct schema *s)
{
	const char *text = json_string_value(v);

	if (!s->omit && s->shape != SHAPE_IMAGE)
		return false;
	return text == NULL || *text == '\0';
}

static void
write_members(struct buf *b, const json_t *v, const struct schema *m)
{
	bool first = true;

	str_addc(b, '{');
	for (; m->key != NULL; m++) {
		const json_t *e = jr_member(v, m->key);

		if (is_omitted(e, m))
			continue;
		str_addf(b, "%s\"%s\":", first ? "" : ",", m->key);
		first = false;
		schema_write(b, e, m);
	}
	str_addc(b, '}');
}

static void
write_text(struct buf *b, const char *text, enum shape shape)
{
	struct fx_err err = { 0 };
	auto_free char *printed = NULL;

	if (text != NULL && shape == SHAPE_ID)
		printed = print_id(text, &err);
	else if (text != NULL && shape == SHAPE_IMAGE)
		printed = print_image(text, &err);
	jw_string(b, shape == SHAPE_STRING ? text : printed);
}

void
schema_write(struct buf *b, const json_t *v, const struct schema *s)
{
	bool none = v == NULL || json_is_null(v);

	switch (s->shape) {
	case SHAPE_STRING:
	case SHAPE_ID:
	case SHAPE_IMAGE:
		write_text(b, none ? NULL : json_string_value(v), s->shape);
		return;
	case SHAPE_BOOL:
		str_add(b, json_is_true(v) ? "true" : "false");
		return;
	case SHAPE_OBJECT:
		write_members(b, v, s->of);
		return;
	case SHAPE_ANY:
		break;
	case SHAPE_POLICIES:
	case SHAPE_LIST:
	case SHAPE_BY_ID:
		if (none)
			break;
		if (s->shape == SHAPE_POLICIES)
			write_policies(b, v);
		else if (s->shape == SHAPE_LIST)
			write_list(b, v, s->of);
		else
			write_map(b, v, s->of);
		return;
	}
	str_add(b, "null");
}
