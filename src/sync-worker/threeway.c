/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "threeway.h"

#include "json.h"

/* git is NULL in no function here, the others may be. */
struct sides {
	const json_t *last, *git, *live;
	bool strategic;
	bool deletions; /* live is not known: as if it were git's */
};

static json_t *diff_object(const struct sides *);

static struct sides
below(const struct sides *s, const char *key)
{
	return (struct sides){ .last = json_object_get(s->last, key),
		.git = json_object_get(s->git, key),
		.live = json_object_get(s->live, key),
		.strategic = s->strategic,
		.deletions = s->deletions };
}

/* Numbers are equal by value: 1 and 1.0 are one to the server. */
static bool
is_equal(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b) &&
	    json_typeof(a) != json_typeof(b))
		return json_number_value(a) == json_number_value(b);
	return json_equal(a, b);
}

/* ---- lists with keys -------------------------------------------------- */

static bool
has_member(const json_t *list, const char *name)
{
	return json_object_get(json_array_get(list, 0), name) != NULL;
}

/* The member that tells the elements of a list apart; NULL: the list is
 * replaced whole.  From the types of Kubernetes (patchMergeKey). */
static const char *
merge_key(const char *field, const json_t *list)
{
	static const struct {
		const char *field, *key;
	} keys[] = {
		{ "containers", "name" },
		{ "initContainers", "name" },
		{ "ephemeralContainers", "name" },
		{ "volumes", "name" },
		{ "env", "name" },
		{ "imagePullSecrets", "name" },
		{ "secrets", "name" },
		{ "webhooks", "name" },
		{ "volumeMounts", "mountPath" },
		{ "volumeDevices", "devicePath" },
		{ "hostAliases", "ip" },
		{ "topologySpreadConstraints", "topologyKey" },
		{ "ownerReferences", "uid" },
	};

	/* those of a container, or of a Service; of a policy they have none */
	if (strcmp(field, "ports") == 0)
		return has_member(list, "containerPort") ? "containerPort"
		    : has_member(list, "port") &&
			(has_member(list, "targetPort") ||
			    has_member(list, "nodePort") ||
			    has_member(list, "name"))
		    ? "port"
		    : NULL;
	for (size_t i = 0; i < nitems(keys); i++)
		if (strcmp(field, keys[i].field) == 0 &&
		    (json_array_size(list) == 0 ||
			has_member(list, keys[i].key)))
			return keys[i].key;
	return NULL;
}

static const json_t *
element(const json_t *list, const char *key, const json_t *of)
{
	const json_t *want = json_object_get(of, key), *v;
	size_t i;

	json_array_foreach (list, i, v)
		if (want != NULL && is_equal(json_object_get(v, key), want))
			return v;
	return NULL;
}

static bool
has_twins(const json_t *list, const char *key)
{
	const json_t *v;
	size_t i;

	json_array_foreach (list, i, v)
		if (element(list, key, v) != v)
			return true;
	return false;
}

static json_t *
only_key(const json_t *v, const char *key)
{
	json_t *out = json_object();

	json_object_set(out, key, json_object_get(v, key));
	return out;
}

/* Does the live value have all that git's has? */
static bool
is_within(const json_t *git, const json_t *live)
{
	const char *key;
	json_t *v;
	size_t i;

	if (json_is_object(git)) {
		json_object_foreach ((json_t *)git, key, v)
			if (!is_within(v, json_object_get(live, key)))
				return false;
		return json_is_object(live);
	}
	if (json_is_array(git)) {
		if (json_array_size(git) != json_array_size(live))
			return false;
		json_array_foreach (git, i, v)
			if (!is_within(v, json_array_get(live, i)))
				return false;
		return true;
	}
	return is_equal(git, live);
}

/* Elements cannot be told apart by their key, so the list is set as a whole. */
static void
replace_list(json_t *patch, const char *field, const struct sides *s)
{
	json_t *list;

	if (s->deletions || is_within(s->git, s->live))
		return;
	list = json_copy((json_t *)s->git);
	json_array_insert_new(list, 0, json_pack("{s:s}", "$patch", "replace"));
	json_object_set_new(patch, field, list);
}

static void
take_away(json_t *list, const struct sides *s, const char *key)
{
	const json_t *v;
	json_t *gone;
	size_t i;

	json_array_foreach (s->last, i, v) {
		if (json_object_get(v, key) == NULL ||
		    element(s->git, key, v) != NULL ||
		    (!s->deletions && element(s->live, key, v) == NULL))
			continue;
		gone = only_key(v, key);
		json_object_set_new(gone, "$patch", json_string("delete"));
		json_array_append_new(list, gone);
	}
}

/* Are git's elements in git's order in the live list? */
static bool
is_in_order(const struct sides *s, const char *key)
{
	const json_t *v;
	size_t i, at = 0;

	json_array_foreach (s->live, i, v)
		if (element(s->git, key, v) != NULL &&
		    element(s->git, key, v) != json_array_get(s->git, at++))
			return false;
	return true;
}

static void
diff_keyed(json_t *patch, const char *field, const char *key,
    const struct sides *s)
{
	json_t *list = json_array(), *order = json_array(), *change;
	auto_free char *order_name = xasprintf("$setElementOrder/%s", field);
	const json_t *v;
	size_t i;

	json_array_foreach (s->git, i, v) {
		struct sides e = { .last = element(s->last, key, v),
			.git = v,
			.live = element(s->live, key, v),
			.strategic = true,
			.deletions = s->deletions };

		json_array_append_new(order, only_key(v, key));
		if (e.live == NULL && !e.deletions) {
			json_array_append(list, (json_t *)v);
		} else if ((change = diff_object(&e)) != NULL) {
			json_object_set(change, key, json_object_get(v, key));
			json_array_append_new(list, change);
		}
	}
	take_away(list, s, key);
	if (json_array_size(list) > 0)
		json_object_set(patch, field, list);
	if (json_array_size(list) > 0 ||
	    (!s->deletions && !is_in_order(s, key)))
		json_object_set(patch, order_name, order);
	json_decref(list);
	json_decref(order);
}

/* ---- a list that is a set --------------------------------------------- */

static bool
contains(const json_t *list, const json_t *want)
{
	const json_t *v;
	size_t i;

	json_array_foreach (list, i, v)
		if (is_equal(v, want))
			return true;
	return false;
}

static void
diff_set(json_t *patch, const char *field, const struct sides *s)
{
	json_t *more = json_array(), *less = json_array(), *v;
	auto_free char *less_name =
	    xasprintf("$deleteFromPrimitiveList/%s", field);
	size_t i;

	json_array_foreach (s->git, i, v)
		if (!s->deletions && !contains(s->live, v))
			json_array_append(more, v);
	json_array_foreach (s->last, i, v)
		if (!contains(s->git, v) &&
		    (s->deletions || contains(s->live, v)))
			json_array_append(less, v);
	if (json_array_size(more) > 0)
		json_object_set(patch, field, more);
	if (json_array_size(less) > 0)
		json_object_set(patch, less_name, less);
	json_decref(more);
	json_decref(less);
}

/* ---- values ----------------------------------------------------------- */

static void
diff_list(json_t *patch, const char *field, const struct sides *s)
{
	const char *key = s->strategic ? merge_key(field, s->git) : NULL;

	if (key != NULL && has_twins(s->git, key))
		replace_list(patch, field, s);
	else if (key != NULL)
		diff_keyed(patch, field, key, s);
	else if (s->strategic && strcmp(field, "finalizers") == 0)
		diff_set(patch, field, s);
	else if (!s->deletions && !is_within(s->git, s->live))
		json_object_set(patch, field, (json_t *)s->git);
}

static void
diff_member(json_t *patch, const char *field, const struct sides *s)
{
	json_t *change;

	if (s->live == NULL && !s->deletions) {
		if (!json_is_null(s->git))
			json_object_set(patch, field, (json_t *)s->git);
	} else if (json_is_object(s->git) &&
	    (s->deletions || json_is_object(s->live))) {
		if ((change = diff_object(s)) != NULL)
			json_object_set_new(patch, field, change);
	} else if (json_is_array(s->git) &&
	    (s->deletions || json_is_array(s->live))) {
		diff_list(patch, field, s);
	} else if (!s->deletions && !is_equal(s->git, s->live)) {
		json_object_set(patch, field, (json_t *)s->git);
	}
}

/* NULL: no difference.  Depth is bounded by jansson's parser. */
static json_t *
diff_object(const struct sides *s)
{
	json_t *patch = json_object(), *v;
	const char *key;

	json_object_foreach ((json_t *)s->git, key, v) {
		struct sides member = below(s, key);

		diff_member(patch, key, &member);
	}
	json_object_foreach ((json_t *)s->last, key, v)
		if (json_object_get(s->git, key) == NULL &&
		    (s->deletions || json_object_get(s->live, key) != NULL))
			json_object_set_new(patch, key, json_null());
	if (json_object_size(patch) > 0)
		return patch;
	json_decref(patch);
	return NULL;
}

json_t *
threeway_patch(const json_t *last, const json_t *git, const json_t *live,
    bool strategic)
{
	const struct sides s = { last, git, live, strategic, false };

	return diff_object(&s);
}

json_t *
threeway_deletions(const json_t *last, const json_t *git, bool strategic)
{
	const struct sides s = { last, git, NULL, strategic, true };

	return diff_object(&s);
}

const char *
threeway_content_type(bool strategic)
{
	return strategic ? "application/strategic-merge-patch+json"
			 : "application/merge-patch+json";
}
