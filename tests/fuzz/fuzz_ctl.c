/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fluxctl makes of a daemon's answers.  The first byte says which: lists
 * of workloads (w) and images (i), a job's result (r), the export (e).
 */
#include "base.h"
#include "fuzz.h"

#include "answer.h"
#include "export.h"
#include "gojson.h"
#include "record.h"
#include "result.h"
#include "str.h"
#include "yamlout.h"
#include "yread.h"

/* No byte of it may do anything to a terminal. */
static void
check_printable(const struct buf *b, const char *allowed)
{
	const uint8_t *s = buf_head(b);

	for (size_t i = 0; i < buf_left(b); i++)
		if ((s[i] < 0x20 && strchr(allowed, s[i]) == NULL) ||
		    s[i] == 0x7f)
			abort();
	if (buf_left(b) > 0 && !str_is_utf8((const char *)s, buf_left(b)))
		abort();
}

/* What was read can be read again, and then stays as it is: only an image
 * without a name loses what else is known of it, as with the original. */
static void
try_list(const json_t *in, const struct record_field *record)
{
	auto_error struct ctl_error err = { 0 };
	auto_json json_t *out = NULL, *again = NULL, *third = NULL;
	auto_buf struct buf text = BUF_INIT(SIZE_MAX);

	if (record_list(in, record, &out, &err) != FX_OK)
		return;
	record_sort_by_id(out);
	gojson_add(&text, out);
	check_printable(&text, "");
	if (record_list(out, record, &again, &err) != FX_OK ||
	    record_list(again, record, &third, &err) != FX_OK ||
	    !json_equal(again, third))
		abort();
}

static void
try_result(const json_t *in)
{
	auto_error struct ctl_error err = { 0 };
	auto_result struct result rows = { 0 };
	auto_buf struct buf text = BUF_INIT(SIZE_MAX);

	if (!json_is_object(in) || result_read(in, 2, &rows, &err) != FX_OK)
		return;
	for (size_t i = 0; i < rows.n; i++)
		result_add_row(&text, &rows.v[i]);
	check_printable(&text, "\t\n");
	free(result_updated(in));
}

/* One path below the directory. */
static void
check_path(const char *path)
{
	if (*path == '/' || *path == '.' || strstr(path, "/.") != NULL ||
	    strpbrk(path, "\n\x1b") != NULL)
		abort();
}

static void
try_export(const uint8_t *data, size_t size)
{
	struct yread *y = yread_new(data, size);
	struct fx_err why = { 0 };
	struct node *object;

	while (yread_next(y, &object, &why) == FX_OK && object != NULL) {
		auto_error struct ctl_error err = { 0 };
		auto_export struct export e = { 0 };
		auto_buf struct buf text = BUF_INIT(1u << 20);
		auto_free char *path = NULL;

		if (export_filter(yread_arena(y), object, &e, &err) != FX_OK ||
		    yamlout_node(&text, e.manifest, &err) != FX_OK)
			continue;
		if (export_path(&e, &path, &err) == FX_OK)
			check_path(path);
	}
	yread_free(&y);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_json json_t *in = NULL;

	if (size == 0)
		return 0;
	if (*data == 'e') {
		try_export(data + 1, size - 1);
		return 0;
	}
	in =
	    json_loadb((const char *)data + 1, size - 1, JSON_DECODE_ANY, NULL);
	if (in == NULL)
		return 0;
	if (*data == 'r')
		try_result(in);
	else
		try_list(in, *data == 'w' ? record_workload : record_images);
	return 0;
}
