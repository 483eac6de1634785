/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "takeover.h"

#include "fields.h"
#include "json.h"
#include "write.h"

#define CLIENT_SIDE "kubectl-client-side-apply"
#define ANNOTATIONS_MAX                                                        \
	262144 /* bytes of all keys and values, at the server                  \
		*/

/* ---- entries ---------------------------------------------------------- */

static bool
owns_annotation(const json_t *fields)
{
	return json_object_get(sw_json_at(fields, "f:metadata",
				   "f:annotations"),
		   "f:" LAST_APPLIED) != NULL;
}

/* By its name, or by what only it writes: old kubectl called itself otherwise,
 * and others may have taken the annotation from it since. */
static bool
is_client_side(const json_t *entry)
{
	return strcmp(sw_json_str(entry, "operation"), "Update") == 0 &&
	    sw_json_str(entry, "subresource")[0] == '\0' &&
	    (strcmp(sw_json_str(entry, "manager"), CLIENT_SIDE) == 0 ||
		owns_annotation(json_object_get(entry, "fieldsV1")));
}

bool
takeover_has_entry(const json_t *metadata)
{
	const json_t *entry, *list = json_object_get(metadata, "managedFields");
	size_t i;

	json_array_foreach (list, i, entry)
		if (is_client_side(entry))
			return true;
	return false;
}

bool
takeover_has_annotation(const json_t *metadata)
{
	return sw_json_at(metadata, "annotations", LAST_APPLIED) != NULL;
}

/* Sets of fields can be joined only if they speak of one version: ours, if one
 * of theirs has it, or else the newest of theirs. */
static const char *
common_version(const json_t *list)
{
	const char *ours = "", *theirs = "", *version;
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry)
		if (fields_is_ours(entry))
			ours = sw_json_str(entry, "apiVersion");
	json_array_foreach (list, i, entry) {
		if (!is_client_side(entry))
			continue;
		version = sw_json_str(entry, "apiVersion");
		if (strcmp(theirs, ours) != 0 || theirs[0] == '\0')
			theirs = version;
	}
	return theirs;
}

/* The list with their entries and ours made one of ours. */
static json_t *
joined(const json_t *list)
{
	const char *version = common_version(list);
	json_t *entry, *mine = NULL, *out = json_array();
	size_t i;

	json_array_foreach (list, i, entry) {
		if (!fields_is_ours(entry) && !is_client_side(entry)) {
			json_array_append(out, entry);
		} else if (strcmp(sw_json_str(entry, "apiVersion"), version) !=
		    0) {
			continue;
		} else if (mine == NULL) {
			mine = json_deep_copy(entry);
			json_object_set_new(mine, "manager",
			    json_string(SW_MANAGER));
			json_object_set_new(mine, "operation",
			    json_string("Apply"));
			json_array_append_new(out, mine);
		} else {
			json_object_update_recursive(json_object_get(mine,
							 "fieldsV1"),
			    json_object_get(entry, "fieldsV1"));
		}
	}
	return out;
}

static json_t *
operation(const char *op, const char *path, json_t *value)
{
	json_t *o = json_pack("{s:s, s:s}", "op", op, "path", path);

	if (value != NULL)
		json_object_set_new(o, "value", value);
	return o;
}

int
takeover_patch(struct buf *out, const json_t *metadata, bool strip)
{
	auto_json json_t *patch = json_array();

	if (takeover_has_entry(metadata))
		json_array_append_new(patch,
		    operation("replace", "/metadata/managedFields",
			joined(json_object_get(metadata, "managedFields"))));
	if (strip && takeover_has_annotation(metadata))
		json_array_append_new(patch,
		    operation("remove",
			"/metadata/annotations/kubectl.kubernetes.io~1"
			"last-applied-configuration",
			NULL));
	if (json_array_size(patch) == 0)
		return FX_EUNKNOWN;
	json_array_append_new(patch,
	    operation("replace", "/metadata/resourceVersion",
		json_string(sw_json_str(metadata, "resourceVersion"))));
	return write_json(out, patch, WRITE_GO);
}

/* ---- the annotation --------------------------------------------------- */

json_t *
takeover_last(const json_t *metadata)
{
	const char *text =
	    sw_json_str(json_object_get(metadata, "annotations"), LAST_APPLIED);
	struct fx_err ignored;
	json_t *last = sw_json(text, strlen(text), &ignored);

	if (json_is_object(last))
		return last;
	json_decref(last);
	return NULL;
}

static size_t
annotations_size(const json_t *annotations)
{
	const char *key;
	size_t n = 0;
	json_t *v;

	json_object_foreach ((json_t *)annotations, key, v)
		n += strlen(key) + json_string_length(v);
	return n;
}

/* kubectl's text for the object: without the annotation itself, but with a map
 * of annotations in any case. */
static int
last_applied_text(struct buf *out, const json_t *git)
{
	auto_json json_t *copy = json_copy((json_t *)git);
	auto_json json_t *annotations = NULL;
	json_t *metadata = json_copy(json_object_get(git, "metadata"));
	int r;

	annotations = json_copy(json_object_get(metadata, "annotations"));
	if (!json_is_object(annotations)) {
		json_decref(annotations);
		annotations = json_object();
	}
	json_object_del(annotations, LAST_APPLIED);
	json_object_set(metadata, "annotations", annotations);
	json_object_set_new(copy, "metadata", metadata);
	r = write_json(out, copy, WRITE_GO);
	return r == FX_OK ? buf_put(out, "\n", 1) : r;
}

bool
takeover_annotate(json_t *object, const json_t *git)
{
	struct buf text = BUF_INIT(ANNOTATIONS_MAX);
	json_t *annotations = sw_json_at(object, "metadata", "annotations");
	bool fits;

	json_object_del(annotations, LAST_APPLIED);
	fits = last_applied_text(&text, git) == FX_OK &&
	    annotations_size(annotations) + strlen(LAST_APPLIED) +
		    buf_left(&text) <=
		ANNOTATIONS_MAX;
	if (fits && !json_is_object(annotations)) {
		annotations = json_object();
		json_object_set_new(json_object_get(object, "metadata"),
		    "annotations", annotations);
	}
	if (fits)
		json_object_set_new(annotations, LAST_APPLIED,
		    json_stringn((const char *)buf_head(&text),
			buf_left(&text)));
	buf_wipe(&text); /* of a Secret, it may be */
	return fits;
}
