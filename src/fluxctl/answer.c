/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "answer.h"

#include "str.h"

#include <strings.h>

static const char no_authentication[] =
    "The request failed authentication\n"
    "\n"
    "The token is missing or wrong. Give a service token in the environment\n"
    "variable FLUX_SERVICE_TOKEN or with the flag --token.\n";

json_t *
answer_field(const json_t *object, const char *name)
{
	json_t *field = json_object_get(object, name), *other;
	const char *key;

	if (field == NULL) {
		/* json_object_foreach wants a pointer it could write through */
		json_object_foreach ((json_t *)(uintptr_t)object, key, other)
			if (strcasecmp(key, name) == 0)
				field = other;
	}
	return json_is_null(field) ? NULL : field;
}

int
answer_mismatch(struct ctl_error *err, const char *wanted)
{
	return ctl_fail(err, FX_ESYNTAX,
	    "decoding response from server: not %s", wanted);
}

int
answer_string(const json_t *object, const char *name, const char **out,
    struct ctl_error *err)
{
	const json_t *field = answer_field(object, name);

	if (field != NULL && !json_is_string(field))
		return ctl_fail(err, FX_ESYNTAX,
		    "decoding response from server: %s is not a string", name);
	*out = field == NULL ? "" : json_string_value(field);
	return FX_OK;
}

int
answer_object(const json_t *object, const char *name, json_t **out,
    struct ctl_error *err)
{
	json_t *field = answer_field(object, name);

	if (field != NULL && !json_is_object(field))
		return ctl_fail(err, FX_ESYNTAX,
		    "decoding response from server: %s is not an object", name);
	*out = field;
	return FX_OK;
}

static json_t *
load(const struct reply *reply, size_t flags, json_error_t *why)
{
	return json_loadb((const char *)buf_head(&reply->body),
	    buf_left(&reply->body), JSON_DECODE_ANY | flags, why);
}

/* The daemon's own errors have a help text; anything else is shown as is. */
static int
fail_status(const struct reply *reply, struct ctl_error *err)
{
	auto_json json_t *shape = NULL;
	const char *error, *help;
	json_error_t why;

	if (reply->status == 401)
		return ctl_fail_shaped(err, no_authentication);
	if (strncasecmp(reply->content_type, "application/json", 16) == 0) {
		shape = load(reply, 0, &why);
		if (shape == NULL)
			return ctl_fail(err, FX_ESYNTAX,
			    "executing HTTP request: "
			    "decoding response body of error: %s",
			    why.text);
		error = json_string_value(answer_field(shape, "error"));
		help = json_string_value(answer_field(shape, "help"));
		if (error != NULL && *error != '\0')
			return ctl_fail_shaped(err, help == NULL ? "" : help);
	}
	return ctl_fail(err, FX_EFAIL, "executing HTTP request: %s %.*s",
	    reply->status_line, (int)buf_left(&reply->body),
	    (const char *)buf_head(&reply->body));
}

int
answer_json(const struct reply *reply, bool post, json_t **out,
    struct ctl_error *err)
{
	json_error_t why;

	if (reply->status != 200 && reply->status != 201 &&
	    reply->status != 202 && reply->status != 204)
		return fail_status(reply, err);
	if (buf_left(&reply->body) == 0) {
		*out = NULL;
		return post ? FX_OK
			    : ctl_fail(err, FX_ESHORT,
				  "decoding response from server: EOF");
	}
	*out = load(reply, post ? 0 : JSON_DISABLE_EOF_CHECK, &why);
	if (*out == NULL)
		return ctl_fail(err, FX_ESYNTAX,
		    "decoding response from server: %s", why.text);
	return FX_OK;
}
