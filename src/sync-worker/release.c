/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "workload.h"

#include "json.h"
#include "str.h"

/*
 * The images of a Helm release.  Its chart knows them; what is had here are the
 * values given to it, in which images have a few usual forms.  Where they have
 * others, annotations of the release say the paths.
 */

#define WHOLE_CHART "chart-image"
#define REPOSITORY "repository.fluxcd.io/"
#define REGISTRY "registry.fluxcd.io/"
#define TAG "tag.fluxcd.io/"

/* registry/name:tag, without those that are NULL; NULL: no image. */
static char *
join(const char *registry, const char *name, const char *tag)
{
	auto_free char *text = xasprintf("%s%s%s%s%s",
	    registry != NULL ? registry : "", registry != NULL ? "/" : "", name,
	    tag != NULL ? ":" : "", tag != NULL ? tag : "");

	return workload_image(text);
}

static const char *
string(const json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key));
}

/* The image that a mapping describes; NULL: none. */
static char *
interpret(const json_t *m)
{
	const json_t *image = json_object_get(m, "image");
	const char *name = json_string_value(image);

	if (json_is_object(image)) {
		m = image;
		name = string(m, "repository");
	}
	return name == NULL
	    ? NULL
	    : join(string(m, "registry"), name, string(m, "tag"));
}

static void
add_interpreted(struct workload *w, const char *name, const json_t *m)
{
	auto_free char *image = interpret(m);

	if (image != NULL)
		workload_add_image(w, name, image);
}

/* ---- by annotations --------------------------------------------------- */

/* What a dotted path leads to; NULL: not a string. */
static const char *
follow(const json_t *values, const char *path)
{
	const json_t *j = values;

	for (;;) {
		size_t n = strcspn(path, ".");
		auto_free char *key = xstrndup(path, n);

		j = json_object_get(j, key);
		if (path[n] == '\0' || j == NULL)
			return json_string_value(j);
		path += n + 1;
	}
}

/* The value that an annotation's path leads to; an empty path is none.  false:
 * it leads nowhere. */
static bool
mapped(const json_t *notes, const char *prefix, const char *container,
    const json_t *values, const char **out)
{
	auto_free char *key = xasprintf("%s%s", prefix, container);
	const char *path = string(notes, key);

	*out = NULL;
	if (path == NULL || *path == '\0')
		return true;
	*out = follow(values, path);
	return *out != NULL;
}

static void
add_mapped(struct workload *w, const char *container, const json_t *notes,
    const json_t *values)
{
	const char *registry, *name, *tag;
	auto_free char *image = NULL;

	if (!mapped(notes, REPOSITORY, container, values, &name) ||
	    !mapped(notes, REGISTRY, container, values, &registry) ||
	    !mapped(notes, TAG, container, values, &tag) || name == NULL)
		return;
	image = join(registry, name, tag);
	if (image != NULL)
		workload_add_image(w, container, image);
}

/* ---- all of them ------------------------------------------------------ */

static int
compare(const void *a, const void *b)
{
	const struct workload_pair *x = a, *y = b;
	bool whole = strcmp(x->name, WHOLE_CHART) == 0;

	if (whole != (strcmp(y->name, WHOLE_CHART) == 0))
		return whole ? -1 : 1;
	return strcmp(x->name, y->name);
}

void
images_release(const json_t *object, struct workload *w)
{
	/* jansson asks for what it does not write to */
	json_t *values = sw_json_at(object, "spec", "values"), *value;
	json_t *notes = sw_json_at(object, "metadata", "annotations");
	const char *name;

	add_interpreted(w, WHOLE_CHART, values);
	json_object_foreach (values, name, value)
		if (json_is_object(value))
			add_interpreted(w, name, value);
	json_object_foreach (notes, name, value)
		if (str_starts(name, REPOSITORY))
			add_mapped(w, name + strlen(REPOSITORY), notes, values);
	if (w->ncontainers > 0)
		qsort(w->containers, w->ncontainers, sizeof(*w->containers),
		    compare);
}
