/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

#include "api.h"
#include "connect.h"
#include "image_ref.h"
#include "instant.h"
#include "options.h"
#include "output.h"
#include "record.h"
#include "str.h"
#include "table.h"
#include "workload.h"

#define NO_DATA "image data not available"

/* The parts of an image's ID; one that cannot be read is a path.  To be
 * cleared. */
static struct image_ref
image_of(const json_t *info)
{
	const char *id = record_text(info, "ID");
	struct image_ref image;
	struct fx_err ignored;

	if (image_ref_parse(id, &image, &ignored) != FX_OK)
		image = (struct image_ref){ xstrdup(""), xstrdup(id),
			xstrdup(""), xstrdup("") };
	return image;
}

static void
add_created(struct buf *b, const json_t *info)
{
	auto_error struct ctl_error ignored = { 0 };
	struct instant t;

	if (instant_parse(record_text(info, "CreatedAt"), &t, &ignored) ==
	    FX_OK)
		instant_add_short(b, &t);
}

/* The images that a container could run, newest first, with marks for where
 * it is; past the limit only the one that it runs. */
static void
add_available(struct buf *b, const json_t *container, int64_t limit)
{
	const json_t *current = json_object_get(container, "Current"), *info;
	FX_CLEANUP(image_ref_clear)
	struct image_ref running = image_of(current);
	const char *mark;
	bool found = false;
	size_t i;

	json_array_foreach (json_object_get(container, "Available"), i, info) {
		FX_CLEANUP(image_ref_clear)
		struct image_ref image = image_of(info);

		mark = found ? "   " : "|  ";
		if (strcmp(image.tag, running.tag) == 0) {
			mark = "'->";
			found = true;
		}
		if (limit > 0 && (int64_t)i >= limit) {
			if (strcmp(record_text(info, "ID"),
				record_text(current, "ID")) != 0)
				continue;
			if ((int64_t)i > limit)
				(void)str_addf(b,
				    "\t\t: (%lld image(s) omitted)\t\n",
				    (long long)((int64_t)i - limit));
		}
		(void)str_addf(b, "\t\t%s ", mark);
		table_add_cell(b, image.tag);
		(void)str_addc(b, '\t');
		add_created(b, info);
		(void)str_addc(b, '\n');
	}
	if (found)
		return;
	(void)str_add(b, "\t\t'-> ");
	table_add_cell(b, *running.tag == '\0' ? "(untagged)" : running.tag);
	(void)str_add(b, "\t?\n");
}

static void
add_container(struct buf *b, const char *id, const json_t *container,
    int64_t limit)
{
	const char *why = record_text(container, "AvailableError");
	FX_CLEANUP(image_ref_clear)
	struct image_ref image =
	    image_of(json_object_get(container, "Current"));

	(void)str_addf(b, "%s\t", id);
	table_add_cell(b, record_text(container, "Name"));
	(void)str_addc(b, '\t');
	table_add_cell(b, image.domain);
	if (*image.domain != '\0')
		(void)str_addc(b, '/');
	table_add_cell(b, image.path);
	(void)str_addc(b, '\t');
	if (json_array_size(json_object_get(container, "Available")) == 0)
		table_add_cell(b, *why == '\0' ? NO_DATA : why);
	(void)str_addc(b, '\n');
	add_available(b, container, limit);
}

static void
show_table(struct ctl *c, const json_t *workloads)
{
	const struct ctl_options *o = &c->line->opts;
	struct buf text = BUF_INIT(SIZE_MAX);
	const json_t *workload, *containers;
	const char *id;
	size_t i;

	if (!o->list_images_no_headers)
		(void)str_add(&text, "WORKLOAD\tCONTAINER\tIMAGE\tCREATED\n");
	json_array_foreach (workloads, i, workload) {
		id = record_text(workload, "ID");
		containers = json_object_get(workload, "Containers");
		if (json_array_size(containers) == 0)
			(void)str_addf(&text, "%s\t\t\t\n", id);
		for (size_t k = 0; k < json_array_size(containers); k++)
			add_container(&text, k == 0 ? id : "",
			    json_array_get(containers, k),
			    o->list_images_limit);
	}
	output_table(c, &text, !o->list_images_no_headers);
}

/* Leaves the first images of each container; 0: all. */
static void
cut_available(const json_t *workloads, int64_t limit)
{
	const json_t *workload, *container;
	json_t *available;
	size_t i, k;

	json_array_foreach (workloads, i, workload)
		json_array_foreach (json_object_get(workload, "Containers"), k,
		    container) {
			available = json_object_get(container, "Available");
			while (limit > 0 &&
			    json_array_size(available) > (size_t)limit)
				json_array_remove(available,
				    json_array_size(available) - 1);
		}
}

static int
list(struct ctl *c, json_t **out)
{
	const struct ctl_options *o = &c->line->opts;
	auto_free char *id = NULL;
	const char *given;
	int r = workload_flag(o->list_images_workload,
	    o->list_images_controller,
	    "can't specify both the controller and image", &given, &c->error);

	if (r == FX_OK && *given != '\0')
		r = workload_check(given, &c->error);
	if (r == FX_OK)
		r = ctl_connect(c);
	if (r == FX_OK && *given != '\0')
		r = workload_id(given, c->ns, &id, &c->error);
	if (r == FX_OK)
		r = api_images(c->client, id, c->ns, out, &c->error);
	return r;
}

int
ctl_cmd_list_images(struct ctl *c)
{
	const struct ctl_options *o = &c->line->opts;
	auto_json json_t *workloads = NULL;
	int r = list(c, &workloads);

	if (r != FX_OK)
		return r;
	record_sort_by_id(workloads);
	if (!output_is_value(c)) {
		show_table(c, workloads);
		return FX_OK;
	}
	if (o->list_images_limit < 0)
		return ctl_fail(&c->error, FX_ESYNTAX,
		    "opts.limit cannot be less than 0");
	cut_available(workloads, o->list_images_limit);
	record_print(workloads, record_images);
	return output_value(c, workloads);
}
