/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "note_shape.h"

#include "image_ref.h"
#include "resource_id.h"
#include "str.h"

/* ---- the shapes --------------------------------------------------------- */

enum form {
	TEXT,	  /* absent: empty */
	REMARK,	  /* absent or empty: left out */
	FLAG,	  /* absent: false */
	ID,	  /* of a resource */
	IMAGE,	  /* absent or empty: left out */
	LIST,	  /* absent: null, as are the next two */
	BY_ID,	  /* an object with an id for each key */
	POLICIES, /* {"name":"value"}; or the names of those that are "true" */
	OBJECT,	  /* absent: one whose members are */
};

struct shape {
	const char *key; /* of a member, and in errors; NULL ends the members */
	enum form form;
	const struct shape *of; /* LIST, BY_ID: each; OBJECT: its members */
};

static const struct shape container_members[] = {
	{ "Container", TEXT, NULL },
	{ "Current", IMAGE, NULL },
	{ "Target", IMAGE, NULL },
	{ NULL, OBJECT, NULL },
};
static const struct shape container = { "container", OBJECT,
	container_members };

static const struct shape a_workload = { "ServiceSpecs", TEXT, NULL };
static const struct shape an_exclude = { "Excludes", ID, NULL };
static const struct shape image_members[] = {
	{ "ServiceSpecs", LIST, &a_workload },
	{ "ImageSpec", TEXT, NULL },
	{ "Kind", TEXT, NULL },
	{ "Excludes", LIST, &an_exclude },
	{ "Force", FLAG, NULL },
	{ NULL, OBJECT, NULL },
};

static const struct shape container_specs = { "ContainerSpecs", LIST,
	&container };
static const struct shape containers_members[] = {
	{ "Kind", TEXT, NULL },
	{ "ContainerSpecs", BY_ID, &container_specs },
	{ "SkipMismatches", FLAG, NULL },
	{ "Force", FLAG, NULL },
	{ NULL, OBJECT, NULL },
};

static const struct shape auto_container_members[] = {
	{ "Name", TEXT, NULL },
	{ "Image", IMAGE, NULL },
	{ NULL, OBJECT, NULL },
};
static const struct shape change_members[] = {
	{ "WorkloadID", ID, NULL },
	{ "Container", OBJECT, auto_container_members },
	{ "ImageID", IMAGE, NULL },
	{ NULL, OBJECT, NULL },
};
static const struct shape change = { "Changes", OBJECT, change_members };
static const struct shape auto_members[] = {
	{ "Changes", LIST, &change },
	{ NULL, OBJECT, NULL },
};

static const struct shape policy_members[] = {
	{ "add", POLICIES, NULL },
	{ "remove", POLICIES, NULL },
	{ NULL, OBJECT, NULL },
};
static const struct shape policy_update = { "policy update", OBJECT,
	policy_members };

static const struct shape no_members[] = { { NULL, OBJECT, NULL } };

/* The spec of each type. */
static const struct {
	const char *type;
	struct shape spec;
} types[] = {
	{ "image", { "spec", OBJECT, image_members } },
	{ "containers", { "spec", OBJECT, containers_members } },
	{ "auto", { "spec", OBJECT, auto_members } },
	{ "policy", { "spec", BY_ID, &policy_update } },
	{ "sync", { "spec", OBJECT, no_members } },
};

static const struct shape a_text = { "type", TEXT, NULL };
static const struct shape a_job = { "jobID", TEXT, NULL };
static const struct shape cause_members[] = {
	{ "Message", TEXT, NULL },
	{ "User", TEXT, NULL },
	{ NULL, OBJECT, NULL },
};
static const struct shape cause = { "cause", OBJECT, cause_members };

static const struct shape result_members[] = {
	{ "Status", TEXT, NULL },
	{ "Error", REMARK, NULL },
	{ "PerContainer", LIST, &container },
	{ NULL, OBJECT, NULL },
};
static const struct shape a_result = { "result", OBJECT, result_members };
static const struct shape results = { "result", BY_ID, &a_result };

/* ---- values ------------------------------------------------------------- */

static json_t *
misfit(const char *what, struct fx_err *err)
{
	fx_fail(err, FX_ESYNTAX, "%s is not as it should be", what);
	return NULL;
}

static char *
print_id(const char *s, struct fx_err *err)
{
	struct resource_id id;
	char *printed;

	if (resource_id_parse(s, &id, err) != FX_OK)
		return NULL;
	printed = resource_id_print(&id);
	resource_id_clear(&id);
	return printed;
}

static char *
print_image(const char *s, struct fx_err *err)
{
	struct image_ref ref;
	char *printed;

	if (image_ref_parse(s, &ref, err) != FX_OK)
		return NULL;
	printed = image_ref_print(&ref);
	image_ref_clear(&ref);
	return printed;
}

static json_t *copy(const json_t *, const struct shape *, struct fx_err *);

static bool
may_be_left_out(const struct shape *s)
{
	return s->form == IMAGE || s->form == REMARK;
}

/* Upstream writes empty images where there is none and cannot read them back:
 * those are null here, and left out by the object they are in, as are remarks
 * that say nothing. */
static json_t *
copy_string(const json_t *v, const struct shape *s, struct fx_err *err)
{
	const char *text = v == NULL ? "" : json_string_value(v);
	auto_free char *printed = NULL;

	if (text == NULL)
		return misfit(s->key, err);
	if (s->form == TEXT)
		return json_string(text);
	if (may_be_left_out(s) && *text == '\0')
		return json_null();
	if (s->form == REMARK)
		return json_string(text);
	printed = s->form == ID ? print_id(text, err) : print_image(text, err);
	return printed == NULL ? NULL : json_string(printed);
}

static json_t *
copy_list(const json_t *v, const struct shape *s, struct fx_err *err)
{
	json_t *out = json_array(), *one = out;

	if (!json_is_array(v))
		one = misfit(s->key, err);
	for (size_t i = 0; one != NULL && i < json_array_size(v); i++) {
		one = json_array_get(v, i);
		one = json_is_null(one) ? misfit(s->of->key, err)
					: copy(one, s->of, err);
		if (one != NULL)
			(void)json_array_append_new(out, one);
	}
	if (one == NULL)
		json_decref(out);
	return one == NULL ? NULL : out;
}

static int
key_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The same in the order of the keys, as upstream prints it; takes it. */
static json_t *
sort(json_t *o)
{
	size_t n = 0, max = json_object_size(o);
	auto_free const char **keys = xcalloc(max + 1, sizeof(*keys));
	json_t *out = json_object(), *member;
	const char *key;

	json_object_foreach (o, key, member)
		keys[n++] = key;
	qsort(keys, n, sizeof(*keys), key_order);
	for (size_t i = 0; i < n; i++)
		(void)json_object_set(out, keys[i],
		    json_object_get(o, keys[i]));
	json_decref(o);
	return out;
}

static json_t *
copy_by_id(const json_t *v, const struct shape *s, struct fx_err *err)
{
	json_t *out = json_object(), *one = out;
	const char *key;
	json_t *member;

	if (!json_is_object(v))
		one = misfit(s->key, err);
	/* the library's iterator takes no const object */
	json_object_foreach ((json_t *)(uintptr_t)v, key, member) {
		auto_free char *id = print_id(key, err);
		bool wanted = !json_is_null(member) || s->of->form == LIST;

		one = id == NULL ? NULL
		    : !wanted	 ? misfit(s->of->key, err)
				 : copy(member, s->of, err);
		if (one == NULL)
			break;
		(void)json_object_set_new(out, id, one);
	}
	if (one == NULL)
		json_decref(out);
	return one == NULL ? NULL : sort(out);
}

static json_t *
copy_policies(const json_t *v, const struct shape *s, struct fx_err *err)
{
	json_t *out = json_object(), *member;
	const char *name;
	bool good = json_is_object(v) || json_is_array(v);

	for (size_t i = 0; good && i < json_array_size(v); i++) {
		name = json_string_value(json_array_get(v, i));
		good = name != NULL;
		if (good)
			(void)json_object_set_new(out, name,
			    json_string("true"));
	}
	json_object_foreach ((json_t *)(uintptr_t)v, name, member) {
		good &= json_is_string(member);
		(void)json_object_set(out, name, member);
	}
	if (good)
		return out;
	json_decref(out);
	return misfit(s->key, err);
}

static json_t *
copy_object(const json_t *v, const struct shape *s, struct fx_err *err)
{
	json_t *out, *one;

	if (v != NULL && !json_is_object(v))
		return misfit(s->key, err);
	out = json_object();
	for (const struct shape *m = s->of; m->key != NULL; m++) {
		one = copy(json_object_get(v, m->key), m, err);
		if (one == NULL) {
			json_decref(out);
			return NULL;
		}
		if (may_be_left_out(m) && json_is_null(one))
			json_decref(one);
		else
			(void)json_object_set_new(out, m->key, one);
	}
	return out;
}

/* A value of the shape, or NULL and why.  Absent and null are the same. */
static json_t *
copy(const json_t *v, const struct shape *s, struct fx_err *err)
{
	if (json_is_null(v))
		v = NULL;
	switch (s->form) {
	case TEXT:
	case REMARK:
	case ID:
	case IMAGE:
		return copy_string(v, s, err);
	case FLAG:
		if (v != NULL && !json_is_boolean(v))
			return misfit(s->key, err);
		return json_boolean(json_is_true(v));
	case LIST:
		return v == NULL ? json_null() : copy_list(v, s, err);
	case BY_ID:
		return v == NULL ? json_null() : copy_by_id(v, s, err);
	case POLICIES:
		return v == NULL ? json_null() : copy_policies(v, s, err);
	case OBJECT:
		return copy_object(v, s, err);
	}
	return misfit(s->key, err);
}

/* ---- the note ----------------------------------------------------------- */

/* Put a copy into the object; false: there is none. */
static bool
add(json_t *out, const json_t *from, const struct shape *s, struct fx_err *err)
{
	json_t *v = copy(json_object_get(from, s->key), s, err);

	return v != NULL && json_object_set_new(out, s->key, v) == 0;
}

static bool
add_spec(json_t *out, const json_t *spec, struct fx_err *err)
{
	const char *type;

	if (!add(out, spec, &a_text, err) || !add(out, spec, &cause, err))
		return false;
	type = json_string_value(json_object_get(out, "type"));
	for (size_t i = 0; i < nitems(types); i++)
		if (strcmp(types[i].type, type) == 0)
			return add(out, spec, &types[i].spec, err);
	fx_fail(err, FX_ESYNTAX, "unknown spec type: %s", type);
	return false;
}

json_t *
note_shape(const json_t *note, struct fx_err *err)
{
	json_t *spec = json_object_get(note, "spec"), *out, *inner;

	if (!json_is_object(note))
		return misfit("note", err);
	if (spec != NULL && !json_is_null(spec) && !json_is_object(spec))
		return misfit("spec", err);
	out = json_object();
	inner = json_object();
	if (add(out, note, &a_job, err) &&
	    json_object_set(out, "spec", inner) == 0 &&
	    add_spec(inner, spec, err) && add(out, note, &results, err)) {
		json_decref(inner);
		return out;
	}
	json_decref(inner);
	json_decref(out);
	return NULL;
}
