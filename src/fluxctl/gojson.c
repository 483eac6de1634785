/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "gojson.h"

#include "str.h"

void
gojson_add_string(struct buf *b, const char *s)
{
	(void)str_addc(b, '"');
	str_add_json(b, s, strlen(s), true);
	(void)str_addc(b, '"');
}

static void
add_list(struct buf *b, const json_t *list)
{
	const json_t *element;
	size_t i;

	(void)str_addc(b, '[');
	json_array_foreach (list, i, element) {
		if (i != 0)
			(void)str_addc(b, ',');
		gojson_add(b, element);
	}
	(void)str_addc(b, ']');
}

static void
add_object(struct buf *b, const json_t *object)
{
	const char *key, *between = "";
	json_t *value;

	(void)str_addc(b, '{');
	/* the macro wants a pointer it could write through */
	json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
		(void)str_add(b, between);
		gojson_add_string(b, key);
		(void)str_addc(b, ':');
		gojson_add(b, value);
		between = ",";
	}
	(void)str_addc(b, '}');
}

void
gojson_add(struct buf *b, const json_t *value)
{
	auto_free char *text = NULL;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		add_object(b, value);
		return;
	case JSON_ARRAY:
		add_list(b, value);
		return;
	case JSON_STRING:
		gojson_add_string(b, json_string_value(value));
		return;
	default:
		text = json_dumps(value, JSON_ENCODE_ANY);
		(void)str_add(b, text == NULL ? "null" : text);
	}
}

json_t *
gojson_string(const char *s)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	auto_free char *text = NULL;
	size_t left = strlen(s), n;
	uint32_t cp;

	for (; left > 0; s += n, left -= n) {
		n = str_utf8_next(s, left, &cp);
		if (n != 0) {
			(void)str_addn(&b, s, n);
			continue;
		}
		n = 1;
		(void)str_add(&b, "\xef\xbf\xbd");
	}
	text = str_take(&b);
	return json_string(text);
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *
gojson_sorted(const json_t *object)
{
	auto_free const char **keys =
	    xcalloc(json_object_size(object) + 1, sizeof(*keys));
	json_t *sorted = json_object(), *value;
	const char *key;
	size_t n = 0;

	json_object_foreach ((json_t *)(uintptr_t)object, key, value)
		keys[n++] = key;
	qsort(keys, n, sizeof(*keys), compare_strings);
	for (size_t i = 0; i < n; i++)
		json_object_set(sorted, keys[i],
		    json_object_get(object, keys[i]));
	return sorted;
}
