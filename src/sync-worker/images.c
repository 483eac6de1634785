/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "workload.h"

#include "json.h"

/* false: one of them has no image that could be named. */
static bool
read_list(const json_t *containers, struct workload *w)
{
	const json_t *c;
	size_t i;

	json_array_foreach (containers, i, c) {
		auto_free char *image = workload_image(sw_json_str(c, "image"));

		if (image == NULL)
			return false;
		workload_add_image(w, sw_json_str(c, "name"), image);
	}
	return true;
}

/* One image that cannot be named hides the others, as with upstream; but not
 * only those of its own list. */
static void
read_template(const json_t *template, struct workload *w)
{
	const json_t *spec = json_object_get(template, "spec");

	if (!read_list(json_object_get(spec, "containers"), w) ||
	    !read_list(json_object_get(spec, "initContainers"), w))
		workload_drop_images(w);
}

void
images_template(const json_t *object, struct workload *w)
{
	read_template(sw_json_at(object, "spec", "template"), w);
}

void
images_cronjob(const json_t *object, struct workload *w)
{
	const json_t *job = sw_json_at(object, "spec", "jobTemplate");

	read_template(sw_json_at(job, "spec", "template"), w);
}
