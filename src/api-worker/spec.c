/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "spec.h"

#include "jsonr.h"
#include "scalar.h"
#include "str.h"

/* ---- checks of single values --------------------------------------------- */

static int
is_id(const json_t *v, const char *key, struct fx_err *err)
{
	if (!json_is_string(v))
		return jr_mismatch(v, key, "string", err);
	/* an empty id stands for none */
	return *json_string_value(v) == '\0'
	    ? FX_OK
	    : scalar_resource_id(json_string_value(v), err);
}

static int
is_image(const json_t *v, const char *key, struct fx_err *err)
{
	bool tagged;

	if (!json_is_string(v))
		return jr_mismatch(v, key, "string", err);
	return scalar_image(json_string_value(v), &tagged, err);
}

/* An array, each element of which is null or passes the check. */
static int
is_array_of(const json_t *v, const char *key,
    int (*check)(const json_t *, const char *, struct fx_err *),
    struct fx_err *err)
{
	int r;

	if (!json_is_array(v))
		return jr_mismatch(v, key, "array", err);
	for (size_t i = 0; i < json_array_size(v); i++) {
		json_t *e = json_array_get(v, i);

		if (!json_is_null(e) && (r = check(e, key, err)) != FX_OK)
			return r;
	}
	return FX_OK;
}

/* An object whose keys are ids and whose values pass the check. */
static int
is_map_of(const json_t *v, const char *key,
    int (*check)(const json_t *, const char *, struct fx_err *),
    struct fx_err *err)
{
	const char *id;
	json_t *e;
	int r;

	if (!json_is_object(v))
		return jr_mismatch(v, key, "object", err);
	/* the library's iterator takes no const object */
	json_object_foreach((json_t *)(uintptr_t)v, id, e)
	{
		if ((r = scalar_resource_id(id, err)) != FX_OK)
			return r;
		if (!json_is_null(e) && (r = check(e, key, err)) != FX_OK)
			return r;
	}
	return FX_OK;
}

static int
is_ids(const json_t *v, const char *key, struct fx_err *err)
{
	return is_array_of(v, key, is_id, err);
}

/* ---- the five specs --------------------------------------------------------
 */

static int
is_container_update(const json_t *v, const char *key, struct fx_err *err)
{
	static const struct jr_rule rules[] = {
		{ "Container", jr_is_string },
		{ "Current", is_image },
		{ "Target", is_image },
	};

	return jr_check(v, key, rules, nitems(rules), err);
}

static int
is_container_updates(const json_t *v, const char *key, struct fx_err *err)
{
	return is_array_of(v, key, is_container_update, err);
}

static int
is_container_specs(const json_t *v, const char *key, struct fx_err *err)
{
	return is_map_of(v, key, is_container_updates, err);
}

/* {"name":"value"}, or the list form ["name"]. */
static int
is_policy_set(const json_t *v, const char *key, struct fx_err *err)
{
	const char *name;
	json_t *e;

	if (json_is_array(v))
		return jr_is_strings(v, key, err);
	if (!json_is_object(v))
		return jr_mismatch(v, key, "policy set", err);
	json_object_foreach((json_t *)(uintptr_t)v, name,
	    e) if (!json_is_string(e) && !json_is_null(e)) return jr_mismatch(e,
	    name, "string", err);
	return FX_OK;
}

static int
is_policy_update(const json_t *v, const char *key, struct fx_err *err)
{
	static const struct jr_rule rules[] = {
		{ "add", is_policy_set },
		{ "remove", is_policy_set },
	};

	return jr_check(v, key, rules, nitems(rules), err);
}

static int
is_container(const json_t *v, const char *key, struct fx_err *err)
{
	static const struct jr_rule rules[] = {
		{ "Name", jr_is_string },
		{ "Image", is_image },
	};

	return jr_check(v, key, rules, nitems(rules), err);
}

static int
is_auto_change(const json_t *v, const char *key, struct fx_err *err)
{
	static const struct jr_rule rules[] = {
		{ "WorkloadID", is_id },
		{ "Container", is_container },
		{ "ImageID", is_image },
	};

	return jr_check(v, key, rules, nitems(rules), err);
}

static int
is_auto_changes(const json_t *v, const char *key, struct fx_err *err)
{
	return is_array_of(v, key, is_auto_change, err);
}

static int
check_image(const json_t *spec, const char *key, struct fx_err *err)
{
	static const struct jr_rule rules[] = {
		{ "ServiceSpecs", jr_is_strings },
		{ "ImageSpec", jr_is_string },
		{ "Kind", jr_is_string },
		{ "Excludes", is_ids },
		{ "Force", jr_is_bool },
	};

	return jr_check(spec, key, rules, nitems(rules), err);
}

static int
check_containers(const json_t *spec, const char *key, struct fx_err *err)
{
	static const struct jr_rule rules[] = {
		{ "Kind", jr_is_string },
		{ "ContainerSpecs", is_container_specs },
		{ "SkipMismatches", jr_is_bool },
		{ "Force", jr_is_bool },
	};

	return jr_check(spec, key, rules, nitems(rules), err);
}

static int
check_policy(const json_t *spec, const char *key, struct fx_err *err)
{
	return json_is_null(spec) ? FX_OK
				  : is_map_of(spec, key, is_policy_update, err);
}

static int
check_auto(const json_t *spec, const char *key, struct fx_err *err)
{
	static const struct jr_rule rules[] = {
		{ "Changes", is_auto_changes },
	};

	return jr_check(spec, key, rules, nitems(rules), err);
}

static int
check_sync(const json_t *spec, const char *key, struct fx_err *err)
{
	return jr_check(spec, key, NULL, 0, err);
}

static const struct {
	const char *name;
	int (*check)(const json_t *, const char *, struct fx_err *);
} types[] = {
	[SPEC_IMAGE] = { "image", check_image },
	[SPEC_CONTAINERS] = { "containers", check_containers },
	[SPEC_POLICY] = { "policy", check_policy },
	[SPEC_AUTO] = { "auto", check_auto },
	[SPEC_SYNC] = { "sync", check_sync },
};

const char *
spec_type_name(enum spec_type t)
{
	return types[t].name;
}

/* ---- bodies ---------------------------------------------------------------
 */

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
	while (t < nitems(types) && strcmp(types[t].name, type) != 0)
		t++;
	if (t == nitems(types))
		return fx_fail(err, FX_ESYNTAX, "unknown spec type: %s", type);
	if (!jr_has(body, "spec"))
		return fx_fail(err, FX_ESHORT, "unexpected end of JSON input");
	if (jr_member(body, "spec") != NULL &&
	    (r = types[t].check(jr_member(body, "spec"), "spec", err)) != FX_OK)
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

	return body == NULL ? err->code
			    : check_policy(body, "policy updates", err);
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
