/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "note.h"

#include "gotext.h"
#include "image_ref.h"
#include "resource_id.h"
#include "str.h"

#include <jansson.h>

void
note_open(uint64_t seed)
{
	json_set_alloc_funcs(xmalloc, free);
	json_object_seed((size_t)seed | 1);
}

/* ---- lists -------------------------------------------------------------- */

static void
list_clear(struct note_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct note_list){ 0 };
}

static void
list_add(struct note_list *l, char *s)
{
	if ((l->n & (l->n - 1)) == 0) /* grows at powers of two */
		l->v = xreallocarray(l->v, l->n == 0 ? 1 : l->n * 2,
		    sizeof(char *));
	l->v[l->n++] = s;
}

static int
text_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
list_settle(struct note_list *l)
{
	size_t left = 0;

	if (l->n != 0)
		qsort(l->v, l->n, sizeof(char *), text_order);
	for (size_t i = 0; i < l->n; i++)
		if (left == 0 || strcmp(l->v[left - 1], l->v[i]) != 0)
			l->v[left++] = l->v[i];
		else
			free(l->v[i]);
	l->n = left;
}

/* ---- values ------------------------------------------------------------- */

static int
misfit(const char *what, struct fx_err *err)
{
	return fx_fail(err, FX_ESYNTAX, "%s is not as it should be", what);
}

/* A member that is a string, or is absent or null: then it is empty. */
static int
text_of(const json_t *o, const char *key, const char **out, struct fx_err *err)
{
	const json_t *v = json_object_get(o, key);

	*out = "";
	if (v == NULL || json_is_null(v))
		return FX_OK;
	if (!json_is_string(v))
		return misfit(key, err);
	*out = json_string_value(v);
	return FX_OK;
}

/* A member of a container type; *out is NULL if it is absent or null. */
static int
member(const json_t *o, const char *key, json_type type, json_t **out,
    struct fx_err *err)
{
	json_t *v = json_object_get(o, key);

	*out = v == NULL || json_is_null(v) ? NULL : v;
	return *out == NULL || json_typeof(*out) == type ? FX_OK
							 : misfit(key, err);
}

static int
check_id(const char *s, struct fx_err *err)
{
	struct resource_id id;
	int r = resource_id_parse(s, &id, err);

	if (r == FX_OK)
		resource_id_clear(&id);
	return r;
}

/* An image in a member.  Upstream writes empty ones and cannot read them
 * back; printed: owned by the caller, NULL for none. */
static int
image_of(const json_t *o, const char *key, char **printed, struct fx_err *err)
{
	struct image_ref ref;
	const char *s;
	int r = text_of(o, key, &s, err);

	*printed = NULL;
	if (r != FX_OK || *s == '\0')
		return r;
	if ((r = image_ref_parse(s, &ref, err)) != FX_OK)
		return r;
	*printed = image_ref_print(&ref);
	image_ref_clear(&ref);
	return FX_OK;
}

static int
check_image(const json_t *o, const char *key, struct fx_err *err)
{
	auto_free char *printed = NULL;

	return image_of(o, key, &printed, err);
}

/* [{"Container":…,"Current":…,"Target":…}]; with the targets if wanted. */
static int
read_containers(const json_t *list, struct note_list *targets,
    struct fx_err *err)
{
	const json_t *c;
	const char *name;
	size_t i;
	int r = FX_OK;

	json_array_foreach (list, i, c) {
		auto_free char *target = NULL;

		if (!json_is_object(c))
			return misfit("container", err);
		if ((r = text_of(c, "Container", &name, err)) != FX_OK ||
		    (r = check_image(c, "Current", err)) != FX_OK ||
		    (r = image_of(c, "Target", &target, err)) != FX_OK)
			return r;
		if (targets != NULL && target != NULL)
			list_add(targets, fx_steal(&target));
	}
	return FX_OK;
}

/* ---- what was asked for ------------------------------------------------- */

static int
read_image(struct note *n, json_t *spec, struct fx_err *err)
{
	json_t *workloads, *excludes, *w;
	const char *image;
	size_t i;
	int r;

	n->type = NOTE_RELEASE;
	if ((r = member(spec, "ServiceSpecs", JSON_ARRAY, &workloads, err)) !=
		FX_OK ||
	    (r = member(spec, "Excludes", JSON_ARRAY, &excludes, err)) !=
		FX_OK ||
	    (r = text_of(spec, "ImageSpec", &image, err)) != FX_OK)
		return r;
	json_array_foreach (workloads, i, w) {
		if (!json_is_string(w))
			return misfit("ServiceSpecs", err);
		n->all |= strcmp(json_string_value(w), "<all>") == 0;
	}
	json_array_foreach (excludes, i, w) {
		if (!json_is_string(w))
			return misfit("Excludes", err);
		if ((r = check_id(json_string_value(w), err)) != FX_OK)
			return r;
	}
	return FX_OK;
}

static int
read_container_specs(struct note *n, json_t *spec, struct fx_err *err)
{
	json_t *all, *list;
	const char *id;
	int r = member(spec, "ContainerSpecs", JSON_OBJECT, &all, err);

	n->type = NOTE_RELEASE;
	if (r != FX_OK)
		return r;
	json_object_foreach (all, id, list) {
		if ((r = check_id(id, err)) != FX_OK)
			return r;
		if (!json_is_null(list) && !json_is_array(list))
			return misfit("ContainerSpecs", err);
		if ((r = read_containers(list, NULL, err)) != FX_OK)
			return r;
	}
	return FX_OK;
}

static int
read_auto(struct note *n, json_t *spec, struct fx_err *err)
{
	json_t *changes, *c, *container;
	const char *id;
	size_t i;
	int r = member(spec, "Changes", JSON_ARRAY, &changes, err);

	n->type = NOTE_AUTO;
	if (r != FX_OK)
		return r;
	json_array_foreach (changes, i, c) {
		if (!json_is_object(c))
			return misfit("Changes", err);
		if ((r = text_of(c, "WorkloadID", &id, err)) != FX_OK ||
		    (r = check_id(id, err)) != FX_OK ||
		    (r = member(c, "Container", JSON_OBJECT, &container,
			 err)) != FX_OK ||
		    (r = check_image(container, "Image", err)) != FX_OK ||
		    (r = check_image(c, "ImageID", err)) != FX_OK)
			return r;
	}
	return FX_OK;
}

/* {"automated":"true"}, or the same as a list of names. */
static int
check_policies(const json_t *change, const char *key, struct fx_err *err)
{
	json_t *set = json_object_get(change, key), *v;
	const char *name;
	size_t i;

	if (set == NULL || json_is_null(set))
		return FX_OK;
	if (!json_is_object(set) && !json_is_array(set))
		return misfit(key, err);
	json_array_foreach (set, i, v) {
		if (!json_is_string(v))
			return misfit(key, err);
	}
	json_object_foreach (set, name, v) {
		if (!json_is_string(v))
			return misfit(key, err);
	}
	return FX_OK;
}

static int
read_policy(struct note *n, json_t *spec, struct fx_err *err)
{
	json_t *change;
	const char *id;
	int r;

	n->type = NOTE_POLICY;
	json_object_foreach (spec, id, change) {
		if ((r = check_id(id, err)) != FX_OK)
			return r;
		if (!json_is_object(change))
			return misfit("policy update", err);
		if ((r = check_policies(change, "add", err)) != FX_OK ||
		    (r = check_policies(change, "remove", err)) != FX_OK)
			return r;
	}
	return FX_OK;
}

static int
read_sync(struct note *n, json_t *spec, struct fx_err *err)
{
	(void)spec;
	(void)err;
	n->type = NOTE_OTHER;
	return FX_OK;
}

static int
read_spec(struct note *n, const json_t *spec, struct fx_err *err)
{
	static const struct {
		const char *type;
		int (*read)(struct note *, json_t *, struct fx_err *);
	} types[] = {
		{ "image", read_image },
		{ "containers", read_container_specs },
		{ "auto", read_auto },
		{ "policy", read_policy },
		{ "sync", read_sync },
	};
	json_t *cause, *inner;
	const char *type, *user, *message;
	int r;

	if ((r = text_of(spec, "type", &type, err)) != FX_OK ||
	    (r = member(spec, "cause", JSON_OBJECT, &cause, err)) != FX_OK ||
	    (r = text_of(cause, "User", &user, err)) != FX_OK ||
	    (r = text_of(cause, "Message", &message, err)) != FX_OK ||
	    (r = member(spec, "spec", JSON_OBJECT, &inner, err)) != FX_OK)
		return r;
	n->user = xstrdup(user);
	n->message = xstrdup(message);
	for (size_t i = 0; i < nitems(types); i++)
		if (strcmp(types[i].type, type) == 0)
			return types[i].read(n, inner, err);
	return fx_fail(err, FX_ESYNTAX, "unknown spec type: %s", type);
}

/* ---- what came of it ---------------------------------------------------- */

static int
read_result(struct note *n, json_t *result, struct fx_err *err)
{
	json_t *one, *containers;
	const char *id, *status, *text;
	int r;

	json_object_foreach (result, id, one) {
		bool done;

		if ((r = check_id(id, err)) != FX_OK)
			return r;
		if (!json_is_object(one))
			return misfit("result", err);
		if ((r = text_of(one, "Status", &status, err)) != FX_OK ||
		    (r = text_of(one, "Error", &text, err)) != FX_OK ||
		    (r = member(one, "PerContainer", JSON_ARRAY, &containers,
			 err)) != FX_OK)
			return r;
		done = strcmp(status, "success") == 0;
		if ((r = read_containers(containers, done ? &n->images : NULL,
			 err)) != FX_OK)
			return r;
		if (done)
			list_add(&n->workloads, xstrdup(id));
	}
	list_settle(&n->images);
	list_settle(&n->workloads);
	return FX_OK;
}

/* ---- the note ----------------------------------------------------------- */

/* Ids are opaque, but they are compared and shown: upstream's are hexadecimal
 * groups. */
static bool
is_job(const char *s)
{
	size_t n = strlen(s);

	return n != 0 && n <= NOTE_MAX_JOB &&
	    strspn(s,
		"0123456789abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == n;
}

static int
read_note(struct note *n, const json_t *o, struct fx_err *err)
{
	json_t *spec, *result;
	const char *job;
	int r;

	if ((r = text_of(o, "jobID", &job, err)) != FX_OK)
		return r;
	if (!is_job(job))
		return misfit("jobID", err);
	n->job = xstrdup(job);
	if ((r = member(o, "spec", JSON_OBJECT, &spec, err)) != FX_OK ||
	    (r = member(o, "result", JSON_OBJECT, &result, err)) != FX_OK ||
	    (r = read_spec(n, spec, err)) != FX_OK)
		return r;
	return read_result(n, result, err);
}

int
note_parse(const void *text, size_t n, struct note *out, struct fx_err *err)
{
	struct note note = { 0 };
	json_error_t why;
	json_t *o;
	int r;

	if (n > NOTE_MAX)
		return fx_fail(err, FX_ELIMIT, "note has more than %d bytes",
		    NOTE_MAX);
	if ((o = json_loadb(text, n, 0, &why)) == NULL)
		return fx_fail(err, FX_ESYNTAX, "%s", why.text);
	r = json_is_object(o) ? read_note(&note, o, err) : misfit("note", err);
	json_decref(o);
	if (r == FX_OK)
		*out = note;
	else
		note_clear(&note);
	return r;
}

void
note_clear(struct note *n)
{
	free(n->job);
	free(n->user);
	free(n->message);
	list_clear(&n->images);
	list_clear(&n->workloads);
	*n = (struct note){ 0 };
}

/* ---- its event ---------------------------------------------------------- */

/* Everything in it stands in the note, which bounds it. */
#define TEXT_ROOM (4 * NOTE_MAX)

static void
add_list(struct buf *b, const struct note_list *l, const char *none)
{
	for (size_t i = 0; i < l->n; i++)
		(void)str_addf(b, "%s%s", i == 0 ? "" : ", ", l->v[i]);
	if (l->n == 0)
		(void)str_add(b, none);
}

char *
note_event_text(const struct note *n)
{
	auto_buf struct buf b = BUF_INIT(TEXT_ROOM);
	struct buf out = BUF_INIT(NOTE_TEXT_MAX);

	(void)str_add(&b,
	    n->type == NOTE_AUTO ? "Automated release of " : "Released: ");
	add_list(&b, &n->images, "no image changes");
	if (n->type != NOTE_AUTO) {
		(void)str_add(&b, " to ");
		if (n->all)
			(void)str_add(&b, "all workloads");
		else
			add_list(&b, &n->workloads, "no workloads");
		if (*n->user != '\0')
			(void)str_addf(&b, ", by %s", n->user);
		if (*n->message != '\0') {
			(void)str_add(&b, ", with message ");
			go_quote(&b, n->message, strlen(n->message));
		}
	}
	str_printable(&out, (const char *)buf_head(&b), buf_left(&b),
	    NOTE_TEXT_CUT);
	return str_take(&out);
}
