/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "fuzz.h"

#include "ipc_limits.h"
#include "json.h"
#include "resource_id.h"
#include "tojson.h"
#include "workload.h"
#include "yaml_write.h"
#include "yread.h"

/*
 * An object as tenants may have it stored: what is made of it fits into a
 * message, and what is written of it is read as the same again.
 */

#define INPUT_MAX (64u * 1024)
#define YAML_MAX (8u << 20)

static void
check_workload(const struct workload *w)
{
	struct resource_id id;
	struct fx_err err;

	if (resource_id_parse(w->id, &id, &err) != FX_OK ||
	    strlen(w->id) > IPC_MAX_ID || strlen(w->status) > IPC_MAX_NAME ||
	    strlen(w->antecedent) > IPC_MAX_ID || w->nlabels > IPC_MAX_LABELS ||
	    w->ncontainers > IPC_MAX_CONTAINERS ||
	    w->nmessages > IPC_MAX_CONDITIONS || w->bytes > WORKLOAD_BYTES_MAX)
		abort();
	resource_id_clear(&id);
}

static bool same(const json_t *, const json_t *);

static bool
same_members(const json_t *a, const json_t *b)
{
	json_t *map = (json_t *)(uintptr_t)a, *value;
	const char *key;

	json_object_foreach (map, key, value)
		if (!same(value, json_object_get(b, key)))
			return false;
	return json_object_size(a) == json_object_size(b);
}

/* Whole numbers come back as such, however they were written. */
static bool
same(const json_t *a, const json_t *b)
{
	if (json_is_real(a) || json_is_real(b))
		return json_is_number(a) && json_is_number(b) &&
		    json_number_value(a) == json_number_value(b);
	if (json_is_object(a) && json_is_object(b))
		return same_members(a, b);
	if (!json_is_array(a) || !json_is_array(b))
		return json_equal(a, b);
	for (size_t i = 0; i < json_array_size(a); i++)
		if (!same(json_array_get(a, i), json_array_get(b, i)))
			return false;
	return json_array_size(a) == json_array_size(b);
}

static void
check_yaml(json_t *object)
{
	auto_buf struct buf yaml = BUF_INIT(YAML_MAX);
	auto_buf struct buf text = BUF_INIT(YAML_MAX);
	auto_json json_t *back = NULL;
	struct fx_err err = { 0 };
	struct node *root;
	struct yread *y;

	if (yaml_write(&yaml, "v1", "K", object, &err) != FX_OK)
		return;
	y = yread_new(buf_head(&yaml), buf_left(&yaml));
	if (yread_next(y, &root, &err) != FX_OK || root == NULL ||
	    tojson_write(&text, root, &err) != FX_OK)
		abort();
	back = sw_json(buf_head(&text), buf_left(&text), &err);
	/* 1e19 comes back as a whole number that jansson has no room for */
	if (back == NULL)
		back =
		    json_loadb((const char *)buf_head(&text), buf_left(&text),
			JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
	json_object_set_new(object, "apiVersion", json_string("v1"));
	json_object_set_new(object, "kind", json_string("K"));
	if (back == NULL || !same(object, back))
		abort();
	yread_free(&y);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fx_err err = { 0 };
	auto_json json_t *object = NULL;

	if (size <= INPUT_MAX)
		object = sw_json(data, size, &err);
	for (size_t i = 0; object != NULL && i < workload_nkinds; i++) {
		struct workload w;

		if (workload_read(&workload_kinds[i], object, &w) != FX_OK)
			continue;
		check_workload(&w);
		workload_clear(&w);
	}
	if (json_is_object(object))
		check_yaml(object);
	return 0;
}
