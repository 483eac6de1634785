/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "result.h"

#include "answer.h"
#include "gojson.h"
#include "image_ref.h"
#include "record.h"
#include "resource_id.h"
#include "str.h"
#include "table.h"

void
result_clear(struct result *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].id);
		free(r->v[i].status);
		free(r->v[i].text);
		json_decref(r->v[i].update);
	}
	free(r->v);
	*r = (struct result){ 0 };
}

static void
add_row(struct result *r, const char *id, const json_t *of, char *text,
    json_t *update)
{
	struct result_row *last = r->n == 0 ? NULL : &r->v[r->n - 1];
	bool same = last != NULL && strcmp(last->id, id) == 0;

	r->v = xreallocarray(r->v, r->n + 1, sizeof(*r->v));
	r->v[r->n++] = (struct result_row){
		.id = xstrdup(id),
		.status = xstrdup(record_text(of, "Status")),
		.text = text,
		.update = json_incref(update),
		.continuing = same,
		.checked = update != NULL,
	};
}

/* "web: shop/web:1 -> 2" */
static char *
describe(const json_t *update)
{
	auto_free char *current = record_image(update, "Current");
	struct image_ref target = { 0 };
	struct fx_err ignored;
	char *text;

	(void)!image_ref_parse(record_text(update, "Target"), &target,
	    &ignored);
	text = xasprintf("%s: %s -> %s", record_text(update, "Container"),
	    current, target.tag == NULL ? "" : target.tag);
	image_ref_clear(&target);
	return text;
}

static bool
is_shown(const json_t *of, int64_t verbosity)
{
	const char *status = record_text(of, "Status");

	if (strcmp(status, "ignored") == 0)
		return verbosity >= RESULT_IGNORED_TOO;
	if (strcmp(status, "skipped") == 0)
		return verbosity >= RESULT_SKIPPED_TOO;
	return true;
}

static void
add_workload(struct result *r, const char *id, const json_t *of)
{
	const json_t *updates = json_object_get(of, "PerContainer");
	const char *error = record_text(of, "Error");
	json_t *update;
	char *text;
	size_t i;

	if (*error != '\0')
		add_row(r, id, of, xstrdup(error), NULL);
	json_array_foreach (updates, i, update) {
		if (*record_text(update, "Container") == '\0') {
			add_row(r, id, of, xstrdup(""), NULL);
			continue;
		}
		text = describe(update);
		record_print(update, record_update);
		add_row(r, id, of, text, update);
	}
	if (*error == '\0' && json_array_size(updates) == 0)
		add_row(r, id, of, xstrdup(""), NULL);
}

/* The result with each id as it is printed; *out is owned. */
static int
read_all(const json_t *result, json_t **out, struct ctl_error *err)
{
	auto_json json_t *all = json_object();
	struct resource_id id;
	struct fx_err why = { 0 };
	const char *key;
	json_t *value, *read;
	int r;

	json_object_foreach ((json_t *)(uintptr_t)result, key, value) {
		auto_free char *printed = NULL;

		if (resource_id_parse(key, &id, &why) != FX_OK)
			return ctl_fail(err, FX_ESYNTAX,
			    "decoding response from server: %s", why.text);
		printed = resource_id_print(&id);
		resource_id_clear(&id);
		r = record_object(value, record_result, &read, err);
		if (r != FX_OK)
			return r;
		json_object_set_new(all, printed, read);
	}
	*out = gojson_sorted(all);
	return FX_OK;
}

int
result_read(const json_t *result, int64_t verbosity, struct result *out,
    struct ctl_error *err)
{
	auto_json json_t *all = NULL;
	struct result rows = { 0 };
	const char *id;
	json_t *of;
	int r = read_all(result, &all, err);

	if (r != FX_OK)
		return r;
	json_object_foreach (all, id, of)
		if (is_shown(of, verbosity))
			add_workload(&rows, id, of);
	*out = rows;
	return FX_OK;
}

int
result_value(const json_t *result, json_t **out, struct ctl_error *err)
{
	json_t *of;
	const char *id;
	int r = read_all(result, out, err);

	if (r != FX_OK)
		return r;
	json_object_foreach (*out, id, of)
		record_print(of, record_result);
	return FX_OK;
}

void
result_add_row(struct buf *b, const struct result_row *row)
{
	if (!row->continuing)
		table_add_cell(b, row->id);
	(void)str_addc(b, '\t');
	if (!row->continuing)
		table_add_cell(b, row->status);
	(void)str_addc(b, '\t');
	table_add_cell(b, row->text);
	(void)str_addc(b, '\n');
}

char *
result_updated(const json_t *result)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	auto_error struct ctl_error ignored = { 0 };
	auto_json json_t *all = NULL;
	const char *id, *between = "";
	json_t *of;

	/* it was read once before, for the table */
	if (read_all(result, &all, &ignored) != FX_OK)
		fx_bug("a result that was read before");
	json_object_foreach (all, id, of) {
		if (strcmp(record_text(of, "Status"), "success") != 0)
			continue;
		(void)str_addf(&b, "%s%s", between, id);
		between = ",";
	}
	return str_take(&b);
}
