/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "answer.h"

#include "str.h"
#include "text.h"

static const char no_authentication[] =
    "The request failed authentication\n"
    "\n"
    "The token is missing or wrong. Give a service token in the environment\n"
    "variable FLUX_SERVICE_TOKEN or with the flag --token.\n";

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
	const json_t *field = jr_member(object, name);

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
	json_t *field = jr_member(object, name);

	if (field != NULL && !json_is_object(field))
		return ctl_fail(err, FX_ESYNTAX,
		    "decoding response from server: %s is not an object", name);
	*out = field;
	return FX_OK;
}

/* What Go says of bytes that are not JSON, or not one value alone; the
 * library's words are for what only it refuses.  Owned. */
static char *
explain(const char *text, size_t n, bool alone, const char *library)
{
	auto_free char *quoted = NULL;
	struct fx_err err = { 0 };
	json_error_t first = { 0 };
	json_t *value = jr_parse(text, n, &err);
	size_t at;

	json_decref(value);
	if (err.code == FX_ESHORT)
		return xstrdup(
		    alone ? "unexpected end of JSON input" : err.text);
	if (err.code == FX_ESYNTAX)
		return xstrdup(err.text);
	value = json_loadb(text, n, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK,
	    &first);
	at = (size_t)first.position;
	at += value == NULL ? n : strspn(text + at, " \t\r\n");
	json_decref(value);
	if (at >= n)
		return xstrdup(library);
	quoted = ctl_quoted_byte((unsigned char)text[at]);
	return xasprintf("invalid character %s after top-level value", quoted);
}

/* NULL: see *why, which is owned. */
static json_t *
load(const struct reply *reply, bool alone, char **why)
{
	const char *text = (const char *)buf_head(&reply->body);
	size_t n = buf_left(&reply->body);
	json_error_t e;
	json_t *value = json_loadb(text, n,
	    JSON_DECODE_ANY | (alone ? 0 : JSON_DISABLE_EOF_CHECK), &e);

	if (value == NULL)
		*why = explain(text, n, alone, e.text);
	return value;
}

/* false: it is none; *why, which is owned, says why not as Go does. */
static bool
is_shape(const json_t *shape, char **why)
{
	static const char *const names[] = { "type", "help", "error" };
	struct fx_err err = { 0 };

	if (!json_is_object(shape) && !json_is_null(shape))
		(void)jr_mismatch(shape, NULL,
		    "struct { Type string \"json:\\\"type\\\"\"; "
		    "Help string \"json:\\\"help\\\"\"; "
		    "Err string \"json:\\\"error,omitempty\\\"\" }",
		    &err);
	for (size_t i = 0; i < nitems(names) && err.code == 0; i++) {
		const json_t *field = jr_member(shape, names[i]);
		auto_free char *name = xasprintf(".%s", names[i]);

		if (field != NULL && !json_is_string(field))
			(void)jr_mismatch(field, name, "string", &err);
	}
	*why = xstrdup(err.text);
	return err.code == 0;
}

/* The daemon's own errors have a help text; anything else is shown as is. */
static int
fail_status(const struct reply *reply, struct ctl_error *err)
{
	auto_json json_t *shape = NULL;
	auto_free char *why = NULL;

	if (reply->status == 401)
		return ctl_fail_shaped(err, no_authentication);
	if (str_starts(reply->content_type, "application/json")) {
		shape = load(reply, true, &why);
		if (shape == NULL || !is_shape(shape, &why))
			return ctl_fail(err, FX_ESYNTAX,
			    "executing HTTP request: "
			    "decoding response body of error: %s",
			    why);
		if (*jr_text(shape, "error") != '\0')
			return ctl_fail_shaped(err, jr_text(shape, "help"));
	}
	return ctl_fail(err, FX_EFAIL, "executing HTTP request: %s %.*s",
	    reply->status_line, (int)buf_left(&reply->body),
	    (const char *)buf_head(&reply->body));
}

int
answer_json(const struct reply *reply, bool post, json_t **out,
    struct ctl_error *err)
{
	auto_free char *why = NULL;

	if (reply->status != 200 && reply->status != 201 &&
	    reply->status != 202 && reply->status != 204)
		return fail_status(reply, err);
	if (buf_left(&reply->body) == 0) {
		*out = NULL;
		return post ? FX_OK
			    : ctl_fail(err, FX_ESHORT,
				  "decoding response from server: EOF");
	}
	*out = load(reply, post, &why);
	if (*out == NULL)
		return ctl_fail(err, FX_ESYNTAX,
		    "decoding response from server: %s", why);
	return FX_OK;
}
