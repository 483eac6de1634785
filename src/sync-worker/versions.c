/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "delivery.h"

#include "fields.h"
#include "str.h"
#include "write.h"

/*
 * An object whose managed fields speak of a version that its CRD no longer has
 * cannot be applied by anybody: the server would have to convert them.  They
 * are made to speak of the version that is applied, and then it is tried once
 * more.
 */

static void read_fields(struct delivery *);

/* Do two entries tell of one writer, but for the version? */
static bool
is_one_writer(const json_t *a, const json_t *b)
{
	static const char *const names[] = { "manager", "operation",
		"subresource" };

	for (size_t i = 0; i < nitems(names); i++)
		if (strcmp(sw_json_str(a, names[i]),
			sw_json_str(b, names[i])) != 0)
			return false;
	return true;
}

static json_t *
of_one_writer(const json_t *list, const json_t *entry)
{
	json_t *other;
	size_t i;

	json_array_foreach (list, i, other)
		if (is_one_writer(entry, other))
			return other;
	return NULL;
}

/* The list in one version.  Of two entries of one writer the server would keep
 * the last: they are joined. */
static json_t *
in_version(const json_t *list, const char *version)
{
	json_t *entry, *twin, *out = json_array();
	size_t i;

	json_array_foreach (list, i, entry) {
		if ((twin = of_one_writer(out, entry)) != NULL) {
			json_object_update_recursive(json_object_get(twin,
							 "fieldsV1"),
			    json_object_get(entry, "fieldsV1"));
			continue;
		}
		twin = json_deep_copy(entry);
		json_object_set_new(twin, "apiVersion", json_string(version));
		json_array_append_new(out, twin);
	}
	return out;
}

static json_t *
replace(const char *path, json_t *value)
{
	return json_pack("{s:s, s:s, s:o}", "op", "replace", "path", path,
	    "value", value);
}

static void
on_rewritten(void *arg, struct answer *a)
{
	struct delivery *d = arg;

	d->request = NULL;
	if (a->status.what == SW_CONFLICT && d->conflicts++ < CONFLICTS_MAX)
		read_fields(d); /* somebody was faster */
	else
		delivery_go_on(d, a, "cannot renew the managed fields");
}

static void
rewrite(struct delivery *d, const json_t *metadata)
{
	const json_t *list = json_object_get(metadata, "managedFields");
	auto_json json_t *patch = json_array();
	struct request *r =
	    delivery_request(d, "PATCH", FIELD_MANAGER, on_rewritten);

	json_array_append_new(patch,
	    replace("/metadata/managedFields",
		in_version(list, d->object->api_version)));
	json_array_append_new(patch,
	    replace("/metadata/resourceVersion",
		json_string(sw_json_str(metadata, "resourceVersion"))));
	r->content_type = "application/json-patch+json";
	r->conflict_is_final = true;
	buf_init(&r->body, META_BODY_MAX);
	if (write_json(&r->body, patch, WRITE_GO) == FX_OK) {
		delivery_send(d, r);
		return;
	}
	request_drop(&r);
	delivery_refused(d, TOO_LARGE);
}

static void
on_fields(void *arg, struct answer *a)
{
	struct delivery *d = arg;
	auto_json json_t *doc = NULL;
	const json_t *metadata = delivery_metadata(a, &doc);

	d->request = NULL;
	if (metadata != NULL)
		rewrite(d, metadata);
	else
		delivery_go_on(d, a, "cannot renew the managed fields");
}

static void
read_fields(struct delivery *d)
{
	delivery_send(d, delivery_request(d, "GET", NULL, on_fields));
}

void
delivery_renew(struct delivery *d, const char *why)
{
	delivery_warn(d, "managed fields of a version that is gone are renewed",
	    why);
	d->renewed = true;
	read_fields(d);
}
