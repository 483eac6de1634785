/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "body.h"

#include "json.h"
#include "str.h"
#include "takeover.h"
#include "write.h"

/* ---- content ---------------------------------------------------------- */

/* Its group has no dot, or ends as those of the server do. */
bool
body_is_builtin(const json_t *object)
{
	const char *version = sw_json_str(object, "apiVersion");
	const char *slash = strchr(version, '/');
	auto_free char *group = NULL;

	if (slash == NULL)
		return true;
	group = xstrndup(version, (size_t)(slash - version));
	return strchr(group, '.') == NULL || str_ends(group, ".k8s.io");
}

/* A null would become "" in a map of strings, and be owned elsewhere. */
static void
drop_nulls(json_t *v)
{
	const char *key;
	json_t *member;
	void *next;
	size_t i;

	json_array_foreach (v, i, member)
		drop_nulls(member);
	json_object_foreach_safe (v, next, key, member) {
		if (json_is_null(member))
			json_object_del(v, key);
		else
			drop_nulls(member);
	}
}

/* What only the server writes. */
static void
adapt_metadata(json_t *metadata, bool namespaced)
{
	static const char *const names[] = { "managedFields", "resourceVersion",
		"uid", "selfLink", "generation", "creationTimestamp" };

	for (size_t i = 0; i < nitems(names); i++)
		json_object_del(metadata, names[i]);
	/* in git it is a copy of some live object's */
	json_object_del(json_object_get(metadata, "annotations"), LAST_APPLIED);
	if (!namespaced)
		json_object_del(metadata, "namespace");
	drop_nulls(metadata);
}

/* stringData is not stored, so ownership of it would be recorded for fields
 * that do not exist. */
static void
adapt_secret(json_t *object)
{
	json_t *plain = json_object_get(object, "stringData");
	json_t *data = json_object_get(object, "data"), *v;
	const char *key;

	if (!json_is_object(plain))
		return;
	json_object_foreach (plain, key, v)
		if (!json_is_string(v))
			return; /* the server says what is wrong
				   with it */
	if (!json_is_object(data)) {
		data = json_object();
		json_object_set_new(object, "data", data);
	}
	json_object_foreach (plain, key, v) {
		struct buf b = BUF_INIT(8u << 20);
		auto_free char *text = NULL;

		str_add_base64(&b, (const uint8_t *)json_string_value(v),
		    json_string_length(v), true, false);
		text = str_take(&b);
		json_object_set_new(data, key, json_string(text));
		explicit_bzero(text, strlen(text));
	}
	json_object_del(object, "stringData");
}

/* A placeholder that tools write for others to fill in; the server would
 * refuse it. */
static void
adapt_crd(json_t *object)
{
	json_t *conversion = sw_json_at(object, "spec", "conversion");
	json_t *client = sw_json_at(conversion, "webhook", "clientConfig");
	const char *bundle = sw_json_str(client, "caBundle");

	if (bundle[0] == '\0' || strcmp(bundle, "Cg==") == 0)
		json_object_del(client, "caBundle");
}

void
body_adapt(json_t *object, bool namespaced)
{
	const char *kind = sw_json_str(object, "kind");

	json_object_del(object, "status");
	adapt_metadata(json_object_get(object, "metadata"), namespaced);
	/* in what we cannot type a null may have a meaning */
	if (!body_is_builtin(object))
		return;
	drop_nulls(object);
	if (strcmp(kind, "Secret") == 0)
		adapt_secret(object);
	else if (strcmp(kind, "CustomResourceDefinition") == 0)
		adapt_crd(object);
	/* its rules are gathered by a controller, which would put them back */
	else if (strcmp(kind, "ClusterRole") == 0 &&
	    json_object_get(object, "aggregationRule") != NULL)
		json_object_del(object, "rules");
}

/* ---- form -------------------------------------------------------------- */

json_t *
body_read(const struct buf *text, struct fx_err *err)
{
	json_error_t je;
	json_t *doc = json_loadb((const char *)buf_head(text), buf_left(text),
	    JSON_ALLOW_NUL, &je);

	if (doc == NULL && json_error_code(&je) == json_error_numeric_overflow)
		fx_fail(err, FX_ELIMIT,
		    "a number is beyond what the API server stores (%s)",
		    je.text);
	else if (doc == NULL)
		fx_fail(err, FX_ESYNTAX, "content is not JSON: byte %d: %s",
		    je.position, je.text);
	return doc;
}

int
body_write(struct buf *out, const json_t *object)
{
	return write_json(out, object, WRITE_YAML);
}
