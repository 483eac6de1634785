/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "fields.h"

#include "json.h"
#include "str.h"

#include <sha2.h>

#define COVER_DEPTH_MAX 128 /* far beyond what a schema describes */

bool
fields_is_ours(const json_t *entry)
{
	return strcmp(sw_json_str(entry, "manager"), SW_MANAGER) == 0 &&
	    strcmp(sw_json_str(entry, "operation"), "Apply") == 0 &&
	    sw_json_str(entry, "subresource")[0] == '\0';
}

const json_t *
fields_ours(const json_t *metadata)
{
	const json_t *entry, *list = json_object_get(metadata, "managedFields");
	const json_t *found = NULL;
	size_t i;

	json_array_foreach (list, i, entry)
		if (fields_is_ours(entry))
			found = json_object_get(entry, "fieldsV1");
	return found;
}

#define WRITERS_MAX 4
#define WRITER_TEXT_MAX 128

/* Another one, and not about its status. */
static bool
is_writer(const json_t *entry)
{
	return !fields_is_ours(entry) &&
	    strcmp(sw_json_str(entry, "subresource"), "status") != 0 &&
	    sw_json_str(entry, "manager")[0] != '\0';
}

/* The newest that is older than `before`, or as old and further on. */
static const json_t *
next_writer(const json_t *list, const json_t *before)
{
	const json_t *entry, *best = NULL;
	bool past = before == NULL;
	size_t i;

	json_array_foreach (list, i, entry) {
		int older = before == NULL ? -1
					   : strcmp(sw_json_str(entry, "time"),
						 sw_json_str(before, "time"));

		if (is_writer(entry) && (older < 0 || (older == 0 && past)) &&
		    (best == NULL ||
			strcmp(sw_json_str(entry, "time"),
			    sw_json_str(best, "time")) > 0))
			best = entry;
		past = past || entry == before;
	}
	return best;
}

char *
fields_writers(const json_t *metadata)
{
	const json_t *list = json_object_get(metadata, "managedFields");
	const json_t *entry = NULL;
	struct buf out = BUF_INIT(WRITERS_MAX * (WRITER_TEXT_MAX * 4 + 8));
	const char *name;

	for (size_t n = 0;
	     n < WRITERS_MAX && (entry = next_writer(list, entry)) != NULL;
	     n++) {
		name = sw_json_str(entry, "manager");
		if (n > 0)
			(void)str_add(&out, ", ");
		str_printable(&out, name, strlen(name), WRITER_TEXT_MAX);
	}
	if (buf_left(&out) > 0)
		return str_take(&out);
	buf_clear(&out);
	return NULL;
}

static int
digest_piece(const char *p, size_t n, void *ctx)
{
	SHA256Update(ctx, (const uint8_t *)p, n);
	return 0;
}

void
fields_digest(const json_t *fields, uint8_t out[FIELDS_DIGEST])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	SHA2_CTX ctx;

	memset(out, 0, FIELDS_DIGEST);
	if (fields == NULL)
		return;
	SHA256Init(&ctx);
	if (json_dump_callback(fields, digest_piece, &ctx,
		JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		fx_bug("cannot compute a digest");
	SHA256Final(hash, &ctx);
	memcpy(out, hash, FIELDS_DIGEST);
}

static bool covers(const json_t *node, const json_t *v, unsigned depth);

/* Does an element have the key fields that "k:{…}" names? */
static bool
key_matches(const char *key, const json_t *element)
{
	auto_json json_t *want =
	    json_loads(key, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	const char *name;
	json_t *wanted;

	if (!json_is_object(want) || !json_is_object(element))
		return false;
	json_object_foreach (want, name, wanted) {
		const json_t *has = json_object_get(element, name);

		/* the one key field that the schema gives a default */
		if (has == NULL && strcmp(name, "protocol") == 0 &&
		    strcmp(json_string_value(wanted) != NULL
			    ? json_string_value(wanted)
			    : "",
			"TCP") == 0)
			continue;
		if (has == NULL || !json_equal(has, wanted))
			return false;
	}
	return true;
}

/* An element of a list that is merged, not replaced: by key or by value. */
static bool
covers_element(const json_t *node, const json_t *element, unsigned depth)
{
	const char *key;
	json_t *child;

	json_object_foreach ((json_t *)node, key, child) {
		if (key[0] == 'k' && key[1] == ':' &&
		    key_matches(key + 2, element))
			return covers(child, element, depth);
		if (key[0] == 'v' && key[1] == ':') {
			auto_json json_t *v = json_loads(key + 2,
			    JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

			if (v != NULL && json_equal(v, element))
				return true;
		}
	}
	return false;
}

static bool
covers_member(const json_t *node, const char *name, const json_t *v,
    unsigned depth)
{
	auto_free char *key = xasprintf("f:%s", name);
	const json_t *child = json_object_get(node, key);

	return json_is_null(v) || (child != NULL && covers(child, v, depth));
}

static bool
covers(const json_t *node, const json_t *v, unsigned depth)
{
	const char *name;
	json_t *member;
	size_t i;

	/* an empty node owns everything below it */
	if (json_is_null(v) || json_object_size(node) == 0)
		return true;
	if (depth == COVER_DEPTH_MAX)
		return false;
	if (json_is_object(v)) {
		json_object_foreach ((json_t *)v, name, member)
			if (!covers_member(node, name, member, depth + 1))
				return false;
	} else if (json_is_array(v)) {
		json_array_foreach (v, i, member)
			if (!covers_element(node, member, depth + 1))
				return false;
	}
	return true;
}

static bool
is_identity(const char *name)
{
	return strcmp(name, "name") == 0 || strcmp(name, "namespace") == 0 ||
	    strcmp(name, "creationTimestamp") == 0;
}

static bool
covers_metadata(const json_t *fields, const json_t *metadata)
{
	const json_t *node = json_object_get(fields, "f:metadata");
	const char *name;
	json_t *member;

	if (node != NULL && json_object_size(node) == 0)
		return true;
	json_object_foreach ((json_t *)metadata, name, member)
		if (!is_identity(name) && !covers_member(node, name, member, 1))
			return false;
	return true;
}

bool
fields_cover(const json_t *fields, const json_t *object)
{
	const char *name;
	json_t *member;

	if (!json_is_object(fields))
		return false;
	json_object_foreach ((json_t *)object, name, member) {
		if (strcmp(name, "apiVersion") == 0 ||
		    strcmp(name, "kind") == 0 || strcmp(name, "status") == 0)
			continue;
		if (strcmp(name, "metadata") == 0) {
			if (!covers_metadata(fields, member))
				return false;
		} else if (!covers_member(fields, name, member, 0)) {
			return false;
		}
	}
	return true;
}
