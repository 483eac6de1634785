/* SPDX-License-Identifier: Apache-2.0 */
/* The event of a note as JSON: the bytes that upstream's encoder makes. */
#include "base.h"
#include "note.h"

#include "event.h"
#include "jsonw.h"
#include "str.h"

#include <jansson.h>

#define IDS_MAX (32 * 1024) /* bytes of the ids in an event */

static const json_t *
member(const json_t *o, const char *key)
{
	return json_object_get(o, key);
}

static void put(struct buf *, const json_t *);

static void
put_object(struct buf *b, const json_t *o)
{
	const char *key, *comma = "";
	json_t *value;

	(void)str_addc(b, '{');
	/* the library's iterator takes no const object */
	json_object_foreach ((json_t *)(uintptr_t)o, key, value) {
		(void)str_add(b, comma);
		jw_string(b, key);
		(void)str_addc(b, ':');
		put(b, value);
		comma = ",";
	}
	(void)str_addc(b, '}');
}

static void
put_array(struct buf *b, const json_t *a)
{
	(void)str_addc(b, '[');
	for (size_t i = 0; i < json_array_size(a); i++) {
		if (i != 0)
			(void)str_addc(b, ',');
		put(b, json_array_get(a, i));
	}
	(void)str_addc(b, ']');
}

/* Of what the shape of a note has; numbers are not among it. */
static void
put(struct buf *b, const json_t *v)
{
	if (json_is_object(v))
		put_object(b, v);
	else if (json_is_array(v))
		put_array(b, v);
	else if (json_is_string(v))
		jw_string(b, json_string_value(v));
	else if (json_is_boolean(v))
		(void)str_add(b, json_is_true(v) ? "true" : "false");
	else
		(void)str_add(b, "null");
}

/* "<id> failed: <error>", or the ids of several; nothing was written: none. */
static void
add_failure(struct buf *b, const json_t *result)
{
	auto_buf struct buf ids = BUF_INIT(NOTE_MAX);
	const char *id, *error = NULL;
	size_t n = 0;
	json_t *one;

	json_object_foreach ((json_t *)(uintptr_t)result, id, one) {
		if (strcmp(json_string_value(member(one, "Status")),
			"failed") != 0)
			continue;
		(void)str_addf(&ids, "%s%s", n++ == 0 ? "" : ", ", id);
		error = json_string_value(member(one, "Error"));
	}
	(void)str_addc(&ids, '\0');
	if (n == 1)
		(void)str_addf(b, "%s failed: %s", (const char *)buf_head(&ids),
		    error == NULL ? "" : error);
	else if (n > 1)
		(void)str_addf(b, "Multiple workloads failed: %s",
		    (const char *)buf_head(&ids));
}

/* Releases name which of two kinds the spec is of; the other one is null. */
static void
put_release_spec(struct buf *b, const json_t *spec)
{
	bool image =
	    strcmp(json_string_value(member(spec, "type")), "image") == 0;

	(void)str_addf(b, "{\"Type\":\"%s\",\"ReleaseImageSpec\":",
	    image ? "releaseImageSpecType" : "releaseContainersSpecType");
	put(b, image ? member(spec, "spec") : NULL);
	(void)str_add(b, ",\"ReleaseContainersSpec\":");
	put(b, image ? NULL : member(spec, "spec"));
	(void)str_add(b, "},\"cause\":");
	put(b, member(spec, "cause"));
}

static void
put_metadata(struct buf *b, const struct note *n, const char *commit,
    bool with_result)
{
	const json_t *spec = member(n->whole, "spec");
	const json_t *result = member(n->whole, "result");
	auto_buf struct buf failure = BUF_INIT(2 * NOTE_MAX);
	auto_free char *text = NULL;

	(void)str_addc(b, '{');
	jw_member(b, "Revision", commit);
	(void)str_add(b, ",\"result\":");
	put(b, with_result ? result : NULL);
	add_failure(&failure, result);
	text = str_take(&failure);
	if (*text != '\0' && with_result) {
		(void)str_addc(b, ',');
		jw_member(b, "error", text);
	}
	(void)str_add(b, ",\"spec\":");
	if (n->type == NOTE_AUTO)
		put(b, member(spec, "spec"));
	else
		put_release_spec(b, spec);
	(void)str_addc(b, '}');
}

/* NULL: it is too long. */
static char *
try(const struct note *n, const char *commit, const struct event *ev,
    bool with_result)
{
	/* more than the escapes can make of a note */
	auto_buf struct buf b = BUF_INIT(8 * NOTE_MAX);

	event_begin(&b, ev);
	put_metadata(&b, n, commit, with_result);
	(void)str_addc(&b, '}');
	return buf_left(&b) > NOTE_EVENT_MAX ? NULL : str_take(&b);
}

/* The spec is what a person asked for and is told even when its result does not
 * fit; one that does not fit itself is nothing that the daemon has written. */
char *
note_event_json(const struct note *n, const char *commit, int64_t started_us,
    int64_t ended_us, bool *cut)
{
	struct event_list ids = EVENT_LIST_INIT(IDS_MAX);
	const struct event ev = { n->type == NOTE_AUTO ? "autorelease"
						       : "release",
		&ids, started_us, ended_us };
	char *json;

	for (size_t i = 0; i < n->workloads.n; i++)
		event_add_id(&ids, n->workloads.v[i]);
	*cut = ids.left_out != 0;
	json = try(n, commit, &ev, true);
	if (json == NULL) {
		*cut = true;
		json = try(n, commit, &ev, false);
	}
	event_list_clear(&ids);
	return json;
}
