/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "rpc_call.h"

#include "jsonr.h"
#include "str.h"

#define API "/api/flux"
#define LIST_MAX (96 * 1024) /* bytes of a list of texts: no call is longer */

/* ---- arguments --------------------------------------------------------- */

static void
add_escaped(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxy"
			   "z"
			   "0123456789-._~",
			*s) != NULL)
			(void)str_addc(b, *s);
		else
			(void)str_addf(b, "%%%02X", (unsigned char)*s);
}

/* The first of them has a question mark before it. */
static void
add_param(struct buf *b, const char *key, const char *value)
{
	bool first = memchr(buf_head(b), '?', buf_left(b)) == NULL;

	(void)str_addf(b, "%c%s=", first ? '?' : '&', key);
	add_escaped(b, value);
}

/* Go leaves what is null at its zero value. */
static int
read_text(const json_t *v, const char *field, const char **out,
    struct fx_err *err)
{
	*out = "";
	if (v == NULL || json_is_null(v))
		return FX_OK;
	*out = json_string_value(v);
	return *out == NULL ? jr_mismatch(v, field, "string", err) : FX_OK;
}

static int
read_texts(const json_t *v, const char *field, struct buf *out,
    struct fx_err *err)
{
	const char *one;

	if (v != NULL && !json_is_null(v) && !json_is_array(v))
		return jr_mismatch(v, field, "[]string", err);
	for (size_t i = 0; i < json_array_size(v); i++) {
		if (read_text(json_array_get(v, i), field, &one, err) != FX_OK)
			return err->code;
		(void)str_addf(out, "%s%s", i == 0 ? "" : ",", one);
	}
	return FX_OK;
}

static int
read_nothing(const json_t *arg, struct buf *target, struct buf *body,
    struct fx_err *err)
{
	(void)target;
	(void)body;
	if (arg != NULL && !json_is_null(arg) && !json_is_object(arg))
		return jr_mismatch(arg, NULL, "struct {}", err);
	return FX_OK;
}

static int
read_param(const json_t *arg, const char *key, struct buf *target,
    struct fx_err *err)
{
	const char *value;

	if (read_text(arg, NULL, &value, err) != FX_OK)
		return err->code;
	add_param(target, key, value);
	return FX_OK;
}

static int
read_namespace(const json_t *arg, struct buf *target, struct buf *body,
    struct fx_err *err)
{
	(void)body;
	return read_param(arg, "namespace", target, err);
}

static int
read_service(const json_t *arg, struct buf *target, struct buf *body,
    struct fx_err *err)
{
	(void)body;
	return read_param(arg, "service", target, err);
}

static int
read_job(const json_t *arg, struct buf *target, struct buf *body,
    struct fx_err *err)
{
	(void)body;
	return read_param(arg, "id", target, err);
}

static int
read_ref(const json_t *arg, struct buf *target, struct buf *body,
    struct fx_err *err)
{
	(void)body;
	return read_param(arg, "ref", target, err);
}

/* An object with these texts, and a list of texts. */
static int
read_options(const json_t *arg, const char *const names[3],
    const char *const keys[3], struct buf *target, struct fx_err *err)
{
	struct buf list = BUF_INIT(LIST_MAX);
	auto_free char *joined = NULL;
	const char *value;
	int r = FX_OK;

	if (arg != NULL && !json_is_null(arg) && !json_is_object(arg))
		return jr_mismatch(arg, NULL, "Options", err);
	for (size_t i = 0; i < 2 && r == FX_OK; i++) {
		if (names[i] == NULL)
			continue;
		r = read_text(jr_member(arg, names[i]), names[i], &value, err);
		if (r == FX_OK && *value != '\0')
			add_param(target, keys[i], value);
	}
	if (r == FX_OK)
		r = read_texts(jr_member(arg, names[2]), names[2], &list, err);
	joined = str_take(&list);
	if (r == FX_OK && *joined != '\0')
		add_param(target, keys[2], joined);
	return r;
}

static int
read_services(const json_t *arg, struct buf *target, struct buf *body,
    struct fx_err *err)
{
	static const char *const names[] = { "Namespace", NULL, "Services" };
	static const char *const keys[] = { "namespace", NULL, "services" };

	(void)body;
	return read_options(arg, names, keys, target, err);
}

static int
read_images(const json_t *arg, struct buf *target, struct buf *body,
    struct fx_err *err)
{
	static const char *const names[] = { "Namespace", "Spec",
		"OverrideContainerFields" };
	static const char *const keys[] = { "namespace", "service",
		"containerFields" };

	(void)body;
	return read_options(arg, names, keys, target, err);
}

/* What it is the route judges. */
static int
read_body(const json_t *arg, struct buf *target, struct buf *body,
    struct fx_err *err)
{
	auto_free char *text = arg == NULL
	    ? xstrdup("null")
	    : json_dumps(arg, JSON_COMPACT | JSON_ENCODE_ANY);

	(void)target;
	if (text == NULL || buf_put(body, text, strlen(text)) != FX_OK)
		return fx_fail(err, FX_ELIMIT, "the argument is too long");
	return FX_OK;
}

static int
read_flag(const json_t *arg, struct buf *target, struct buf *body,
    struct fx_err *err)
{
	(void)target;
	if (arg != NULL && !json_is_null(arg) && !json_is_boolean(arg))
		return jr_mismatch(arg, NULL, "bool", err);
	return str_add(body, json_is_true(arg) ? "true" : "false");
}

/* ---- methods ------------------------------------------------------------ */

#define NO_STATUS "{\"Result\":{},\"Err\":\"\",\"StatusString\":\"\"}"
#define NO_CONFIG                                                              \
	"{\"remote\":{\"url\":\"\",\"branch\":\"\",\"path\":\"\"},"            \
	"\"publicSSHKey\":{\"key\":\"\",\"fingerprints\":null},"               \
	"\"status\":\"\",\"errors\":\"\"}"

/* clang-format off */
static const struct rpc_method methods[] = {
	{ "Ping", "GET", API "/v11/ping", NULL, false, read_nothing },
	{ "Version", "GET", API "/v11/version", NULL, true, read_nothing },
	{ "Export", "GET", API "/v6/export", "null", true, read_nothing },
	{ "ListServices", "GET", API "/v6/services", "null", true,
	    read_namespace },
	{ "ListServicesWithOptions", "GET", API "/v11/services", "null", true,
	    read_services },
	{ "ListImages", "GET", API "/v6/images", "null", true, read_service },
	{ "ListImagesWithOptions", "GET", API "/v10/images", "null", true,
	    read_images },
	{ "UpdateManifests", "POST", API "/v9/update-manifests", "\"\"", true,
	    read_body },
	{ "NotifyChange", "POST", API "/v11/notify", "", false, read_body },
	{ "JobStatus", "GET", API "/v6/jobs", NO_STATUS, true, read_job },
	{ "SyncStatus", "GET", API "/v6/sync", "null", true, read_ref },
	{ "GitRepoConfig", "POST", API "/v9/git-repo-config", NO_CONFIG, true,
	    read_flag },
};
/* clang-format on */

const struct rpc_method *
rpc_find(const char *name, struct fx_err *err)
{
	const char *dot = strrchr(name, '.');
	size_t service = dot == NULL ? 0 : (size_t)(dot - name);

	if (dot == NULL) {
		(void)fx_fail(err, FX_ESYNTAX,
		    "rpc: service/method request ill-formed: %.200s", name);
		return NULL;
	}
	if (service != strlen(RPC_SERVICE) ||
	    strncmp(name, RPC_SERVICE, service) != 0) {
		(void)fx_fail(err, FX_EUNKNOWN,
		    "rpc: can't find service %.200s", name);
		return NULL;
	}
	for (size_t i = 0; i < nitems(methods); i++)
		if (strcmp(methods[i].name, dot + 1) == 0)
			return &methods[i];
	(void)fx_fail(err, FX_EUNKNOWN, "rpc: can't find method %.200s", name);
	return NULL;
}

int
rpc_read(const struct rpc_method *m, const json_t *params, struct buf *target,
    struct buf *body, struct fx_err *err)
{
	if (params == NULL || json_is_null(params))
		return fx_fail(err, FX_ESYNTAX,
		    "jsonrpc: request body missing params");
	if (!json_is_array(params))
		return jr_mismatch(params, NULL, "[1]interface {}", err);
	(void)str_add(target, m->path);
	return m->read(json_array_get(params, 0), target, body, err);
}
