/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "spec.h"

#include "jsonr.h"
#include "schema.h"
#include "str.h"

/* ---- what specs look like ----------------------------------------------- */

/* clang-format off */
#define MEMBER(key, shape, type) { key, SHAPE_##shape, type, NULL, false }
#define NESTED(key, shape, type, of) { key, SHAPE_##shape, type, of, false }
#define OPTIONAL(key, shape, type) { key, SHAPE_##shape, type, NULL, true }
#define NO_MORE { NULL, SHAPE_ANY, NULL, NULL, false }

static const struct schema a_string = MEMBER(NULL, STRING, "update.ResourceSpec");
static const struct schema an_id = MEMBER(NULL, ID, "string");

static const struct schema image_members[] = {
	NESTED("ServiceSpecs", LIST, "[]update.ResourceSpec", &a_string),
	MEMBER("ImageSpec", STRING, "update.ImageSpec"), /* read by the job */
	MEMBER("Kind", STRING, "update.ReleaseKind"),
	NESTED("Excludes", LIST, "[]resource.ID", &an_id),
	MEMBER("Force", BOOL, "bool"),
	NO_MORE,
};

static const struct schema container_update_members[] = {
	MEMBER("Container", STRING, "string"),
	MEMBER("Current", IMAGE, "string"),
	MEMBER("Target", IMAGE, "string"),
	NO_MORE,
};
static const struct schema container_update =
	NESTED(NULL, OBJECT, "update.ContainerUpdate", container_update_members);
static const struct schema container_updates =
	NESTED(NULL, LIST, "[]update.ContainerUpdate", &container_update);
static const struct schema containers_members[] = {
	MEMBER("Kind", STRING, "update.ReleaseKind"),
	NESTED("ContainerSpecs", BY_ID, "map[resource.ID][]update.ContainerUpdate", &container_updates),
	MEMBER("SkipMismatches", BOOL, "bool"),
	MEMBER("Force", BOOL, "bool"),
	NO_MORE,
};

static const struct schema policy_update_members[] = {
	MEMBER("add", POLICIES, "map[policy.Policy]string"),
	MEMBER("remove", POLICIES, "map[policy.Policy]string"),
	NO_MORE,
};
static const struct schema policy_update =
	NESTED(NULL, OBJECT, "resource.PolicyUpdate", policy_update_members);

static const struct schema auto_container_members[] = {
	MEMBER("Name", STRING, "string"),
	MEMBER("Image", IMAGE, "string"),
	NO_MORE,
};
static const struct schema auto_change_members[] = {
	MEMBER("WorkloadID", ID, "string"),
	NESTED("Container", OBJECT, "resource.Container", auto_container_members),
	MEMBER("ImageID", IMAGE, "string"),
	NO_MORE,
};
static const struct schema auto_change =
	NESTED(NULL, OBJECT, "update.Change", auto_change_members);
static const struct schema auto_members[] = {
	NESTED("Changes", LIST, "[]update.Change", &auto_change),
	NO_MORE,
};

static const struct schema no_members[] = { NO_MORE };

/* The names of the types, each with the shape of its spec. */
static const struct schema types[] = {
	[SPEC_IMAGE] = NESTED("image", OBJECT, "update.ReleaseImageSpec", image_members),
	[SPEC_CONTAINERS] = NESTED("containers", OBJECT, "update.ReleaseContainersSpec", containers_members),
	[SPEC_POLICY] = NESTED("policy", BY_ID, "resource.PolicyUpdates", &policy_update),
	[SPEC_AUTO] = NESTED("auto", OBJECT, "update.Automated", auto_members),
	[SPEC_SYNC] = NESTED("sync", OBJECT, "update.ManualSync", no_members),
};

static const struct schema cause_members[] = {
	MEMBER("Message", STRING, "string"),
	MEMBER("User", STRING, "string"),
	NO_MORE,
};
static const struct schema update_members[] = {
	MEMBER("type", STRING, "string"),
	NESTED("cause", OBJECT, "update.Cause", cause_members),
	MEMBER("spec", ANY, NULL),
	NO_MORE,
};
static const struct schema update = NESTED(NULL, OBJECT, "struct { Type string; Cause update.Cause; Spec json.RawMessage }", update_members);

static const struct schema workload_result_members[] = {
	MEMBER("Status", STRING, "update.WorkloadUpdateStatus"),
	OPTIONAL("Error", STRING, "string"),
	NESTED("PerContainer", LIST, "[]update.ContainerUpdate", &container_update),
	NO_MORE,
};
static const struct schema workload_result =
	NESTED(NULL, OBJECT, "update.WorkloadResult", workload_result_members);
static const struct schema result =
	NESTED(NULL, BY_ID, "update.Result", &workload_result);

static const struct schema change_members[] = {
	MEMBER("Kind", STRING, "string"),
	MEMBER("Source", ANY, NULL),
	NO_MORE,
};
static const struct schema change = NESTED(NULL, OBJECT, "struct { Kind string; Source json.RawMessage }", change_members);
static const struct schema git_members[] = {
	MEMBER("URL", STRING, "string"),
	MEMBER("Branch", STRING, "string"),
	NO_MORE,
};
static const struct schema git_change =
	NESTED(NULL, OBJECT, "v9.GitUpdate", git_members);
static const struct schema name_members[] = {
	MEMBER("Domain", STRING, "string"),
	MEMBER("Image", STRING, "string"),
	NO_MORE,
};
static const struct schema image_change_members[] = {
	NESTED("Name", OBJECT, "image.Name", name_members),
	NO_MORE,
};
static const struct schema image_change =
	NESTED(NULL, OBJECT, "v9.ImageUpdate", image_change_members);

static const struct schema a_bool = MEMBER(NULL, BOOL, "bool");
/* clang-format on */

const char *
spec_type_name(enum spec_type t)
{
	return types[t].key;
}

/* ---- bodies ------------------------------------------------------------- */

/* The first value of the body, if it fits. */
static json_t *
parse(const char *body, size_t n, const struct schema *s, struct fx_err *err)
{
	auto_json json_t *v = jr_parse(body, n, err);

	if (v != NULL && schema_check(v, s, false, err) != FX_OK)
		return NULL;
	return fx_steal(&v);
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

/* Which type it is; FX_ESYNTAX: none, or it has no spec, or one that does not
 * fit. */
static int
find_type(const json_t *body, bool blank, enum spec_type *out,
    struct fx_err *err)
{
	const char *name = jr_text(body, "type");
	size_t t = 0;

	while (t < nitems(types) && strcmp(types[t].key, name) != 0)
		t++;
	if (t == nitems(types))
		return fx_fail(err, FX_ESYNTAX, "unknown spec type: %s", name);
	if (!jr_has(body, "spec"))
		return fx_fail(err, FX_ESYNTAX, "unexpected end of JSON input");
	*out = (enum spec_type)t;
	return schema_check(jr_member(body, "spec"), &types[t], blank, err);
}

int
spec_update_parse(const char *text, size_t n, struct spec_update *out,
    struct fx_err *err)
{
	auto_json json_t *body = parse(text, n, &update, err);
	const json_t *cause = jr_member(body, "cause");
	const char *user = jr_text(cause, "User");
	const char *message = jr_text(cause, "Message");
	enum spec_type type;
	int r;

	if (body == NULL)
		return err->code;
	if ((r = find_type(body, false, &type, err)) != FX_OK ||
	    (r = spec_cause_check(user, message, err)) != FX_OK)
		return r;
	*out = (struct spec_update){
		.type = type,
		.user = xstrdup(user),
		.message = xstrdup(message),
	};
	return FX_OK;
}

void
spec_update_clear(struct spec_update *u)
{
	free(u->user);
	free(u->message);
	*u = (struct spec_update){ 0 };
}

int
spec_change_parse(const char *text, size_t n, struct spec_change *out,
    struct fx_err *err)
{
	auto_json json_t *body = parse(text, n, &change, err);
	const char *kind = jr_text(body, "Kind");
	bool image = strcmp(kind, "image") == 0;
	const json_t *source = jr_member(body, "Source"), *name;
	int r;

	if (body == NULL)
		return err->code;
	if (!image && strcmp(kind, "git") != 0)
		return fx_fail(err, FX_ESYNTAX, "unknown kind of change");
	if (!jr_has(body, "Source"))
		return fx_fail(err, FX_ESYNTAX, "unexpected end of JSON input");
	r = schema_check(source, image ? &image_change : &git_change, false,
	    err);
	if (r != FX_OK)
		return r;
	name = jr_member(source, "Name");
	*out = (struct spec_change){
		.image = image,
		.url = xstrdup(image ? "" : jr_text(source, "URL")),
		.branch = xstrdup(image ? "" : jr_text(source, "Branch")),
		.name = image ? xasprintf("%s%s%s", jr_text(name, "Domain"),
				    *jr_text(name, "Domain") == '\0' ? "" : "/",
				    jr_text(name, "Image"))
			      : xstrdup(""),
	};
	return FX_OK;
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
	auto_json json_t *body = parse(text, n, &types[SPEC_POLICY], err);

	return body == NULL ? err->code : FX_OK;
}

int
spec_bool_parse(const char *text, size_t n, bool *out, struct fx_err *err)
{
	auto_json json_t *body = parse(text, n, &a_bool, err);

	if (body == NULL)
		return err->code;
	*out = json_is_true(body);
	return FX_OK;
}

/* ---- what is shown of jobs ---------------------------------------------- */

int
spec_update_write(struct buf *b, const char *text, struct fx_err *err)
{
	auto_json json_t *body = jr_parse(text, strlen(text), err);
	enum spec_type type;
	int r;

	if (body == NULL)
		return err->code;
	if ((r = schema_check(body, &update, true, err)) != FX_OK ||
	    (r = find_type(body, true, &type, err)) != FX_OK)
		return r;
	str_addf(b, "{\"type\":\"%s\",\"cause\":", types[type].key);
	schema_write(b, jr_member(body, "cause"), &update_members[1]);
	str_add(b, ",\"spec\":");
	schema_write(b, jr_member(body, "spec"), &types[type]);
	str_addc(b, '}');
	return FX_OK;
}

int
spec_result_write(struct buf *b, const char *text, struct fx_err *err)
{
	auto_json json_t *body = jr_parse(text, strlen(text), err);
	int r;

	if (body == NULL)
		return err->code;
	if ((r = schema_check(body, &result, true, err)) != FX_OK)
		return r;
	if (json_object_size(body) == 0)
		return fx_fail(err, FX_ESHORT, "a result of nothing");
	schema_write(b, body, &result);
	return FX_OK;
}
