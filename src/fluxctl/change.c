/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "change.h"

#include "answer.h"
#include "connect.h"
#include "gojson.h"
#include "quote.h"
#include "str.h"
#include "update.h"
#include "workload.h"

#define ANY_TAG "*" /* a pattern that is none */

/* Takes the value over; the key may be any bytes. */
static void
set(json_t *object, const char *key, json_t *value)
{
	auto_json json_t *clean = gojson_string(key);

	json_object_set_new(object, json_string_value(clean), value);
}

static void
set_on(json_t *policies, const char *name)
{
	set(policies, name, json_string("true"));
}

/* A pattern with its kind in front: "glob:", "semver:" or "regexp:". */
static json_t *
pattern(const char *text)
{
	auto_free char *full = NULL;

	if (str_starts(text, "regex:"))
		full = xasprintf("regexp:%s", text + strlen("regex:"));
	else if (str_starts(text, "glob:") || str_starts(text, "semver:") ||
	    str_starts(text, "regexp:"))
		full = xstrdup(text);
	else
		full = xasprintf("glob:%s", text);
	return gojson_string(full);
}

static int
add_tag(const char *pair, json_t *add, json_t *remove, struct ctl_error *err)
{
	const char *equals = strchr(pair, '=');
	auto_free char *name = NULL, *quoted = NULL;

	if (equals == NULL || strchr(equals + 1, '=') != NULL) {
		quoted = str_quoted(pair);
		return ctl_fail(err, FX_ESYNTAX,
		    "invalid container/tag pair: %s. Expected format is "
		    "'container=filter'",
		    quoted);
	}
	name = xasprintf("tag.%.*s", (int)(equals - pair), pair);
	if (strcmp(equals + 1, ANY_TAG) == 0)
		set_on(remove, name);
	else
		set(add, name, pattern(equals + 1));
	return FX_OK;
}

/* What a workload's policies get and lose. */
static int
fill(const struct change *ch, const char *user, json_t *add, json_t *remove,
    struct ctl_error *err)
{
	int r = FX_OK;

	if (ch->automate)
		set_on(add, "automated");
	if (ch->lock)
		set_on(add, "locked");
	if (ch->lock && *user != '\0') {
		set(add, "locked_user", gojson_string(user));
		set(add, "locked_msg", gojson_string(ch->message));
	}
	if (ch->deautomate)
		set_on(remove, "automated");
	if (ch->unlock) {
		set_on(remove, "locked");
		set_on(remove, "locked_msg");
		set_on(remove, "locked_user");
	}
	if (ch->tag_all != NULL && *ch->tag_all != '\0')
		set(add, "tag_all", pattern(ch->tag_all));
	for (size_t i = 0; r == FX_OK && ch->tags != NULL && i < ch->tags->n;
	     i++)
		r = add_tag(ch->tags->v[i], add, remove, err);
	return r;
}

/* *spec is owned. */
static int
make_spec(const struct change *ch, const char *ns, const char *user,
    json_t **spec, struct ctl_error *err)
{
	auto_json json_t *add = json_object(), *remove = json_object();
	auto_free char *id = NULL;
	json_t *policies;
	int r = workload_id(ch->workload, ns, &id, err);

	if (r == FX_OK)
		r = fill(ch, user, add, remove, err);
	if (r != FX_OK)
		return r;
	policies = json_object();
	json_object_set_new(policies, "add", gojson_sorted(add));
	json_object_set_new(policies, "remove", gojson_sorted(remove));
	*spec = json_object();
	set(*spec, id, policies);
	return FX_OK;
}

static int
check(const struct change *ch, struct ctl_error *err)
{
	auto_json json_t *spec = NULL;

	if (*ch->workload == '\0')
		return ctl_fail(err, FX_ESYNTAX, "-w, --workload is required");
	if (ch->automate && ch->deautomate)
		return ctl_fail(err, FX_ESYNTAX,
		    "automate and deautomate both specified");
	if (ch->lock && ch->unlock)
		return ctl_fail(err, FX_ESYNTAX,
		    "lock and unlock both specified");
	return make_spec(ch, WORKLOAD_ANY_NS, "", &spec, err);
}

int
change_policies(struct ctl *c, const struct change *ch)
{
	auto_free char *job = NULL;
	json_t *spec = NULL;
	int r = check(ch, &c->error);

	if (r == FX_OK)
		r = ctl_connect(c);
	if (r == FX_OK)
		r = make_spec(ch, c->ns, c->user, &spec, &c->error);
	if (r == FX_OK)
		r = update_send(c, "policy", ch->message, spec, &job);
	if (r == FX_OK)
		r = update_await(c, job, false, ch->verbosity);
	return r;
}
