/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "record.h"

#include "answer.h"
#include "gojson.h"
#include "image_ref.h"
#include "instant.h"
#include "resource_id.h"
#include "str.h"

/* clang-format off */
static const struct record_field labels[] = {
	{ "org.label-schema.build-date",      RECORD_TIME, true, NULL },
	{ "org.opencontainers.image.created", RECORD_TIME, true, NULL },
	{ 0 }
};

static const struct record_field info[] = {
	{ "ID",          RECORD_NAME,    false, NULL },
	{ "Digest",      RECORD_STRING,  true,  NULL },
	{ "ImageID",     RECORD_STRING,  true,  NULL },
	{ "Labels",      RECORD_LENIENT, false, labels },
	{ "CreatedAt",   RECORD_TIME,    true,  NULL },
	{ "LastFetched", RECORD_TIME,    true,  NULL },
	{ 0 }
};

static const struct record_field container[] = {
	{ "Name",                    RECORD_STRING, true,  NULL },
	{ "Current",                 RECORD_IMAGE,  false, info },
	{ "LatestFiltered",          RECORD_IMAGE,  false, info },
	{ "Available",               RECORD_IMAGES, true,  info },
	{ "AvailableError",          RECORD_STRING, true,  NULL },
	{ "AvailableImagesCount",    RECORD_INT,    true,  NULL },
	{ "NewAvailableImagesCount", RECORD_INT,    true,  NULL },
	{ "FilteredImagesCount",     RECORD_INT,    true,  NULL },
	{ "NewFilteredImagesCount",  RECORD_INT,    true,  NULL },
	{ 0 }
};

static const struct record_field rollout[] = {
	{ "Desired",   RECORD_INT,     false, NULL },
	{ "Updated",   RECORD_INT,     false, NULL },
	{ "Ready",     RECORD_INT,     false, NULL },
	{ "Available", RECORD_INT,     false, NULL },
	{ "Outdated",  RECORD_INT,     false, NULL },
	{ "Messages",  RECORD_STRINGS, false, NULL },
	{ 0 }
};

const struct record_field record_workload[] = {
	{ "ID",         RECORD_ID,         false, NULL },
	{ "Containers", RECORD_LIST,       false, container },
	{ "ReadOnly",   RECORD_STRING,     false, NULL },
	{ "Status",     RECORD_STRING,     false, NULL },
	{ "Rollout",    RECORD_OBJECT,     false, rollout },
	{ "SyncError",  RECORD_STRING,     false, NULL },
	{ "Antecedent", RECORD_ID,         false, NULL },
	{ "Labels",     RECORD_STRING_MAP, false, NULL },
	{ "Automated",  RECORD_BOOL,       false, NULL },
	{ "Locked",     RECORD_BOOL,       false, NULL },
	{ "Ignore",     RECORD_BOOL,       false, NULL },
	{ "Policies",   RECORD_STRING_MAP, false, NULL },
	{ 0 }
};

const struct record_field record_images[] = {
	{ "ID",         RECORD_ID,   false, NULL },
	{ "Containers", RECORD_LIST, false, container },
	{ 0 }
};

const struct record_field record_update[] = {
	{ "Container", RECORD_STRING, false, NULL },
	{ "Current",   RECORD_REF,    false, NULL },
	{ "Target",    RECORD_REF,    false, NULL },
	{ 0 }
};

const struct record_field record_result[] = {
	{ "Status",       RECORD_STRING, false, NULL },
	{ "Error",        RECORD_STRING, true,  NULL },
	{ "PerContainer", RECORD_LIST,   false, record_update },
	{ 0 }
};
/* clang-format on */

/* One answer being read. */
struct reading {
	struct ctl_error *err;
	bool lenient; /* a value of another type is as if missing */
	bool labels;  /* and so is a time that is none */
};

static int
mismatch(struct reading *r, const char *name, const char *wanted)
{
	return ctl_fail(r->err, FX_ESYNTAX,
	    "decoding response from server: %s is not %s", name, wanted);
}

/* Below, `in` is NULL where the field is missing or null, and *out is owned;
 * NULL there means that the field is left out. */

static int
read_id(struct reading *r, const char *text, json_t **out)
{
	struct resource_id id = { 0 };
	auto_free char *printed = NULL;
	struct fx_err why = { 0 };

	if (*text != '\0') {
		if (resource_id_parse(text, &id, &why) != FX_OK)
			return ctl_fail(r->err, FX_ESYNTAX,
			    "decoding response from server: %s", why.text);
		printed = resource_id_print(&id);
		resource_id_clear(&id);
	}
	*out = json_string(printed == NULL ? "" : printed);
	return FX_OK;
}

static int
check_ref(struct reading *r, const char *text)
{
	struct image_ref image;
	struct fx_err why = { 0 };

	if (image_ref_parse(text, &image, &why) != FX_OK)
		return ctl_fail(r->err, FX_ESYNTAX,
		    "decoding response from server: %s", why.text);
	image_ref_clear(&image);
	return FX_OK;
}

static int
read_time(struct reading *r, const char *text, json_t **out)
{
	struct instant t;

	if (*text == '\0')
		return FX_OK;
	if (instant_parse(text, &t, r->err) != FX_OK) {
		if (r->labels) {
			ctl_error_clear(r->err);
			return FX_OK;
		}
		return ctl_wrap(r->err, FX_ESYNTAX,
		    "decoding response from server");
	}
	if (!instant_is_zero(&t))
		*out = json_string(text);
	return FX_OK;
}

static int
read_text(struct reading *r, const struct record_field *f, const json_t *in,
    json_t **out)
{
	const char *text = "";

	if (json_is_string(in))
		text = json_string_value(in);
	else if (in != NULL && !r->lenient)
		return mismatch(r, f->name, "a string");
	if (f->type == RECORD_ID)
		return read_id(r, text, out);
	/* one that is missing is none; one that is there has a name */
	if (f->type == RECORD_REF && in != NULL && check_ref(r, text) != FX_OK)
		return FX_ESYNTAX;
	if (f->type == RECORD_TIME)
		return read_time(r, text, out);
	if (*text != '\0' || !f->omit_empty)
		*out = json_string(text);
	return FX_OK;
}

static int
read_bool(struct reading *r, const struct record_field *f, const json_t *in,
    json_t **out)
{
	if (in != NULL && !json_is_boolean(in))
		return mismatch(r, f->name, "true or false");
	*out = json_boolean(json_is_true(in));
	return FX_OK;
}

static int
read_int(struct reading *r, const struct record_field *f, const json_t *in,
    json_t **out)
{
	if (in != NULL && !json_is_integer(in))
		return mismatch(r, f->name, "an integer");
	if (json_integer_value(in) != 0 || !f->omit_empty)
		*out = json_integer(json_integer_value(in));
	return FX_OK;
}

static int
read_strings(struct reading *r, const struct record_field *f, const json_t *in,
    json_t **out)
{
	const json_t *element;
	size_t i;

	if (in != NULL && !json_is_array(in))
		return mismatch(r, f->name, "a list");
	json_array_foreach (in, i, element)
		if (!json_is_string(element))
			return mismatch(r, f->name, "a list of strings");
	*out = in == NULL ? json_null() : json_copy((json_t *)(uintptr_t)in);
	return FX_OK;
}

static int
read_string_map(struct reading *r, const struct record_field *f, json_t *in,
    json_t **out)
{
	auto_json json_t *strings = NULL;
	const char *key;
	json_t *value;

	if (in == NULL) {
		*out = json_null();
		return FX_OK;
	}
	if (!json_is_object(in))
		return mismatch(r, f->name, "an object");
	strings = json_object();
	json_object_foreach (in, key, value) {
		if (!json_is_string(value) && !json_is_null(value))
			return mismatch(r, f->name, "an object of strings");
		json_object_set_new(strings, key,
		    json_is_null(value) ? json_string("") : json_incref(value));
	}
	*out = gojson_sorted(strings);
	return FX_OK;
}

static int read_fields(struct reading *, const struct record_field *,
    const json_t *, json_t **out);

/* Of an image whose name cannot be read the original keeps the name, or not
 * even that.  *out is owned. */
static bool
is_readable(const json_t *in, json_t **out)
{
	auto_error struct ctl_error ignored = { 0 };
	struct reading r = { .err = &ignored };
	const json_t *id = in == NULL ? NULL : jr_member(in, "ID");
	const char *text = json_string_value(id);

	*out = NULL;
	if (text == NULL || check_ref(&r, text) == FX_OK)
		return true;
	if (*text != '/' && !str_ends(text, "/"))
		*out = json_pack("{s:s}", "ID", text);
	return false;
}

static int
read_object(struct reading *r, const struct record_field *f, const json_t *in,
    json_t **out)
{
	struct reading inner = { r->err, f->type != RECORD_OBJECT,
		f->type == RECORD_LENIENT };
	auto_json json_t *name = NULL;

	if (in != NULL && !json_is_object(in)) {
		if (!inner.lenient)
			return mismatch(r, f->name, "an object");
		in = NULL;
	}
	if (f->type == RECORD_IMAGE && !is_readable(in, &name))
		in = name;
	return read_fields(&inner, f->fields, in, out);
}

static int
read_list(struct reading *r, const struct record_field *f, const json_t *in,
    json_t **out)
{
	const struct record_field one = { f->name,
		f->type == RECORD_IMAGES ? RECORD_IMAGE : RECORD_OBJECT, false,
		f->fields };
	auto_json json_t *list = NULL;
	json_t *element, *read;
	size_t i;
	int ret;

	if (in == NULL ||
	    (f->omit_empty && json_is_array(in) && json_array_size(in) == 0)) {
		*out = f->omit_empty ? NULL : json_null();
		return FX_OK;
	}
	if (!json_is_array(in))
		return mismatch(r, f->name, "a list");
	list = json_array();
	json_array_foreach (in, i, element) {
		read = NULL;
		ret = read_object(r, &one,
		    json_is_null(element) ? NULL : element, &read);
		if (ret != FX_OK)
			return ret;
		json_array_append_new(list, read);
	}
	*out = fx_steal(&list);
	return FX_OK;
}

static int
read_field(struct reading *r, const struct record_field *f, json_t *in,
    json_t **out)
{
	switch (f->type) {
	case RECORD_BOOL:
		return read_bool(r, f, in, out);
	case RECORD_INT:
		return read_int(r, f, in, out);
	case RECORD_STRINGS:
		return read_strings(r, f, in, out);
	case RECORD_STRING_MAP:
		return read_string_map(r, f, in, out);
	case RECORD_OBJECT:
	case RECORD_LENIENT:
	case RECORD_IMAGE:
		return read_object(r, f, in, out);
	case RECORD_LIST:
	case RECORD_IMAGES:
		return read_list(r, f, in, out);
	default:
		return read_text(r, f, in, out);
	}
}

static int
read_fields(struct reading *r, const struct record_field *f, const json_t *in,
    json_t **out)
{
	auto_json json_t *object = json_object();
	json_t *value;
	int ret;

	for (; f->name != NULL; f++) {
		value = NULL;
		ret = read_field(r, f,
		    in == NULL ? NULL : jr_member(in, f->name), &value);
		if (ret != FX_OK)
			return ret;
		if (value != NULL)
			json_object_set_new(object, f->name, value);
	}
	*out = fx_steal(&object);
	return FX_OK;
}

int
record_list(const json_t *answer, const struct record_field *element,
    json_t **out, struct ctl_error *err)
{
	const struct record_field list = { "the answer", RECORD_LIST, false,
		element };
	struct reading r = { .err = err };

	return read_list(&r, &list, json_is_null(answer) ? NULL : answer, out);
}

int
record_object(const json_t *answer, const struct record_field *fields,
    json_t **out, struct ctl_error *err)
{
	const struct record_field object = { "the answer", RECORD_OBJECT, false,
		fields };
	struct reading r = { .err = err };

	return read_object(&r, &object, json_is_null(answer) ? NULL : answer,
	    out);
}

char *
record_image(const json_t *object, const char *name)
{
	const char *text = record_text(object, name);
	struct image_ref image;
	struct fx_err ignored;
	char *printed;

	if (image_ref_parse(text, &image, &ignored) != FX_OK)
		return xstrdup(text);
	printed = image_ref_print(&image);
	image_ref_clear(&image);
	return printed;
}

static char *
print_time(const json_t *object, const char *name)
{
	auto_error struct ctl_error ignored = { 0 };
	struct buf b = BUF_INIT(SIZE_MAX);
	struct instant t;

	/* it was read once before */
	if (instant_parse(record_text(object, name), &t, &ignored) == FX_OK)
		instant_add(&b, &t);
	return str_take(&b);
}

static void
print_text(json_t *object, const struct record_field *f)
{
	auto_free char *printed = NULL;

	if (json_object_get(object, f->name) == NULL)
		return;
	printed = f->type == RECORD_TIME ? print_time(object, f->name)
					 : record_image(object, f->name);
	json_object_set_new(object, f->name, json_string(printed));
}

void
record_print(json_t *value, const struct record_field *f)
{
	json_t *element;
	size_t i;

	json_array_foreach (value, i, element)
		record_print(element, f);
	for (; json_is_object(value) && f->name != NULL; f++)
		if (f->type == RECORD_REF || f->type == RECORD_NAME ||
		    f->type == RECORD_TIME)
			print_text(value, f);
		else if (f->fields != NULL)
			record_print(json_object_get(value, f->name),
			    f->fields);
}

const char *
record_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text == NULL ? "" : text;
}

static int
compare_ids(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;

	return strcmp(json_string_value(json_object_get(x, "ID")),
	    json_string_value(json_object_get(y, "ID")));
}

void
record_sort_by_id(json_t *list)
{
	size_t n = json_array_size(list);
	auto_free json_t **v = xcalloc(n + 1, sizeof(json_t *));

	for (size_t i = 0; i < n; i++)
		v[i] = json_incref(json_array_get(list, i));
	qsort(v, n, sizeof(*v), compare_ids);
	for (size_t i = 0; i < n; i++)
		json_array_set_new(list, i, v[i]);
}
