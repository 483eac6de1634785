/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "spec.h"

#include "jsonr.h"
#include "scalar.h"
#include "str.h"

/* ---- what specs look like ----------------------------------------------- */

enum shape { STRING, BOOL, ID, IMAGE, POLICIES, LIST, BY_ID, OBJECT };

struct schema {
	const char *key; /* of a member; NULL ends the members of an object */
	enum shape shape;
	const struct schema *of; /* LIST, BY_ID: each; OBJECT: its members */
};

static const struct schema a_string = { NULL, STRING, NULL };
static const struct schema an_id = { NULL, ID, NULL };

static const struct schema image_members[] = {
	{ "ServiceSpecs", LIST, &a_string },
	{ "ImageSpec", STRING, NULL }, /* read by the job */
	{ "Kind", STRING, NULL },
	{ "Excludes", LIST, &an_id },
	{ "Force", BOOL, NULL },
	{ NULL, OBJECT, NULL },
};

static const struct schema container_update_members[] = {
	{ "Container", STRING, NULL },
	{ "Current", IMAGE, NULL },
	{ "Target", IMAGE, NULL },
	{ NULL, OBJECT, NULL },
};
static const struct schema container_update = { NULL, OBJECT,
	container_update_members };
static const struct schema container_updates = { NULL, LIST,
	&container_update };
static const struct schema containers_members[] = {
	{ "Kind", STRING, NULL },
	{ "ContainerSpecs", BY_ID, &container_updates },
	{ "SkipMismatches", BOOL, NULL },
	{ "Force", BOOL, NULL },
	{ NULL, OBJECT, NULL },
};

static const struct schema policy_update_members[] = {
	{ "add", POLICIES, NULL },
	{ "remove", POLICIES, NULL },
	{ NULL, OBJECT, NULL },
};
static const struct schema policy_update = { NULL, OBJECT,
	policy_update_members };

static const struct schema auto_container_members[] = {
	{ "Name", STRING, NULL },
	{ "Image", IMAGE, NULL },
	{ NULL, OBJECT, NULL },
};
static const struct schema auto_change_members[] = {
	{ "WorkloadID", ID, NULL },
	{ "Container", OBJECT, auto_container_members },
	{ "ImageID", IMAGE, NULL },
	{ NULL, OBJECT, NULL },
};
static const struct schema auto_change = { NULL, OBJECT, auto_change_members };
static const struct schema auto_members[] = {
	{ "Changes", LIST, &auto_change },
	{ NULL, OBJECT, NULL },
};

static const struct schema no_members[] = { { NULL, OBJECT, NULL } };

/* The names of the types, each with the shape of its spec. */
static const struct schema types[] = {
	[SPEC_IMAGE] = { "image", OBJECT, image_members },
	[SPEC_CONTAINERS] = { "containers", OBJECT, containers_members },
	[SPEC_POLICY] = { "policy", BY_ID, &policy_update },
	[SPEC_AUTO] = { "auto", OBJECT, auto_members },
	[SPEC_SYNC] = { "sync", OBJECT, no_members },
};

const char *
spec_type_name(enum spec_type t)
{
	return types[t].key;
}

/* ---- checking a value against its shape --------------------------------- */

static int
check(const json_t *, const char *key, const struct schema *, struct fx_err *);

static int
check_list(const json_t *v, const char *key, const struct schema *each,
    struct fx_err *err)
{
	int r = FX_OK;

	if (!json_is_array(v))
		return jr_mismatch(v, key, "array", err);
	for (size_t i = 0; r == FX_OK && i < json_array_size(v); i++)
		r = check(json_array_get(v, i), key, each, err);
	return r;
}

/* Keys are ids, or names of policies, which may be any. */
static int
check_map(const json_t *v, bool by_id, const struct schema *each,
    struct fx_err *err)
{
	const char *name;
	json_t *e;
	int r = FX_OK;

	/* the library's iterator takes no const object */
	json_object_foreach ((json_t *)(uintptr_t)v, name, e) {
		if (by_id)
			r = scalar_resource_id(name, err);
		if (r == FX_OK)
			r = check(e, name, each, err);
		if (r != FX_OK)
			break;
	}
	return r;
}

static int
check_members(const json_t *v, const struct schema *m, struct fx_err *err)
{
	int r = FX_OK;

	for (; r == FX_OK && m->key != NULL; m++)
		r = check(jr_member(v, m->key), m->key, m, err);
	return r;
}

static int
check_string(const json_t *v, enum shape shape, struct fx_err *err)
{
	const char *s = json_string_value(v);
	bool tagged;

	if (shape == IMAGE)
		return scalar_image(s, &tagged, err);
	/* an empty id stands for none */
	return shape == ID && *s != '\0' ? scalar_resource_id(s, err) : FX_OK;
}

/* Absent and null are zero values, and fit everywhere. */
static int
check(const json_t *v, const char *key, const struct schema *s,
    struct fx_err *err)
{
	if (v == NULL || json_is_null(v))
		return FX_OK;
	switch (s->shape) {
	case STRING:
	case ID:
	case IMAGE:
		return json_is_string(v) ? check_string(v, s->shape, err)
					 : jr_mismatch(v, key, "string", err);
	case BOOL:
		return json_is_boolean(v) ? FX_OK
					  : jr_mismatch(v, key, "bool", err);
	case LIST:
		return check_list(v, key, s->of, err);
	case POLICIES: /* {"name":"value"}, or the list form ["name"] */
		if (json_is_array(v))
			return check_list(v, key, &a_string, err);
		break;
	case BY_ID:
	case OBJECT:
		break;
	}
	if (!json_is_object(v))
		return jr_mismatch(v, key, "object", err);
	if (s->shape == OBJECT)
		return check_members(v, s->of, err);
	return check_map(v, s->shape == BY_ID,
	    s->shape == BY_ID ? s->of : &a_string, err);
}

/* ---- bodies ------------------------------------------------------------- */

/* The first value of the body, which must be an object; null counts as one
 * without members. */
static json_t *
parse_object(const char *body, size_t n, const char *what, struct fx_err *err)
{
	auto_json json_t *v = jr_parse(body, n, err);

	if (v == NULL || json_is_object(v) || json_is_null(v))
		return fx_steal(&v);
	jr_mismatch(v, what, "object", err);
	return NULL;
}

static bool
has_control(const char *s, const char *allowed)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s < 0x20 || *s == 0x7f) &&
		    strchr(allowed, *s) == NULL)
			return true;
	return false;
}

int
spec_cause_check(const char *user, const char *message, struct fx_err *err)
{
	if (strlen(user) > SPEC_MAX_TEXT || strlen(message) > SPEC_MAX_TEXT)
		return fx_fail(err, FX_ELIMIT,
		    "user and message may have %d bytes at most",
		    SPEC_MAX_TEXT);
	if (has_control(user, ""))
		return fx_fail(err, FX_ESYNTAX,
		    "the user must not contain control characters");
	if (has_control(message, "\n\t"))
		return fx_fail(err, FX_ESYNTAX,
		    "the message must not contain control characters");
	return FX_OK;
}

static int
parse_cause(const json_t *body, struct spec_update *out, struct fx_err *err)
{
	const json_t *cause = jr_member(body, "cause");
	const char *user = "", *message = "";
	int r;

	if (cause != NULL && !json_is_object(cause))
		return jr_mismatch(cause, "cause", "object", err);
	if ((r = jr_text(cause, "User", &user, err)) != FX_OK ||
	    (r = jr_text(cause, "Message", &message, err)) != FX_OK ||
	    (r = spec_cause_check(user, message, err)) != FX_OK)
		return r;
	out->user = xstrdup(user);
	out->message = xstrdup(message);
	return FX_OK;
}

int
spec_update_parse(const char *text, size_t n, struct spec_update *out,
    struct fx_err *err)
{
	auto_json json_t *body = parse_object(text, n, "update spec", err);
	const char *type = "";
	size_t t = 0;
	int r;

	if (body == NULL)
		return err->code;
	if ((r = jr_text(body, "type", &type, err)) != FX_OK)
		return r;
	while (t < nitems(types) && strcmp(types[t].key, type) != 0)
		t++;
	if (t == nitems(types))
		return fx_fail(err, FX_ESYNTAX, "unknown spec type: %s", type);
	if (!jr_has(body, "spec"))
		return fx_fail(err, FX_ESHORT, "unexpected end of JSON input");
	r = check(jr_member(body, "spec"), "spec", &types[t], err);
	if (r != FX_OK)
		return r;
	*out = (struct spec_update){ .type = (enum spec_type)t };
	return parse_cause(body, out, err);
}

void
spec_update_clear(struct spec_update *u)
{
	free(u->user);
	free(u->message);
	*u = (struct spec_update){ 0 };
}

static int
parse_git_change(const json_t *source, struct spec_change *out,
    struct fx_err *err)
{
	const char *url = "", *branch = "";
	int r;

	if ((r = jr_text(source, "URL", &url, err)) != FX_OK ||
	    (r = jr_text(source, "Branch", &branch, err)) != FX_OK)
		return r;
	*out = (struct spec_change){
		.url = xstrdup(url),
		.branch = xstrdup(branch),
		.name = xstrdup(""),
	};
	return FX_OK;
}

static int
parse_image_change(const json_t *source, struct spec_change *out,
    struct fx_err *err)
{
	const json_t *name = jr_member(source, "Name");
	const char *domain = "", *image = "";
	int r;

	if (name != NULL && !json_is_object(name))
		return jr_mismatch(name, "Name", "object", err);
	if ((r = jr_text(name, "Domain", &domain, err)) != FX_OK ||
	    (r = jr_text(name, "Image", &image, err)) != FX_OK)
		return r;
	*out = (struct spec_change){
		.image = true,
		.url = xstrdup(""),
		.branch = xstrdup(""),
		.name = xasprintf("%s%s%s", domain, *domain == '\0' ? "" : "/",
		    image),
	};
	return FX_OK;
}

int
spec_change_parse(const char *text, size_t n, struct spec_change *out,
    struct fx_err *err)
{
	auto_json json_t *body = parse_object(text, n, "change", err);
	const json_t *source;
	const char *kind = "";
	bool image;
	int r;

	if (body == NULL)
		return err->code;
	if ((r = jr_text(body, "Kind", &kind, err)) != FX_OK)
		return r;
	image = strcmp(kind, "image") == 0;
	if (!image && strcmp(kind, "git") != 0)
		return fx_fail(err, FX_ESYNTAX, "unknown kind of change");
	if (!jr_has(body, "Source"))
		return fx_fail(err, FX_ESHORT, "unexpected end of JSON input");
	source = jr_member(body, "Source");
	if (source != NULL && !json_is_object(source))
		return jr_mismatch(source, "Source", "object", err);
	return image ? parse_image_change(source, out, err)
		     : parse_git_change(source, out, err);
}

void
spec_change_clear(struct spec_change *c)
{
	free(c->url);
	free(c->branch);
	free(c->name);
	*c = (struct spec_change){ 0 };
}

int
spec_policies_check(const char *text, size_t n, struct fx_err *err)
{
	auto_json json_t *body = jr_parse(text, n, err);

	return body == NULL
	    ? err->code
	    : check(body, "policy updates", &types[SPEC_POLICY], err);
}

int
spec_bool_parse(const char *text, size_t n, bool *out, struct fx_err *err)
{
	auto_json json_t *body = jr_parse(text, n, err);

	if (body == NULL)
		return err->code;
	if (!json_is_boolean(body) && !json_is_null(body))
		return jr_mismatch(body, "value", "bool", err);
	*out = json_is_true(body);
	return FX_OK;
}
