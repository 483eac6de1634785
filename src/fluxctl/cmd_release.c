/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

#include "api.h"
#include "connect.h"
#include "gojson.h"
#include "image_ref.h"
#include "menu.h"
#include "options.h"
#include "output.h"
#include "result.h"
#include "rollout.h"
#include "str.h"
#include "text.h"
#include "update.h"
#include "wait.h"
#include "workload.h"

#define ALL_WORKLOADS "<all>"
#define NEWEST_IMAGES "<all latest>"
#define IMAGE_FLAGS "--update-image=<image> or --update-all-images"

static int
check_flags(struct ctl *c)
{
	const struct ctl_options *o = &c->line->opts;
	bool one = *o->release_image != '\0';
	/* who chooses in the menu need not say so beforehand */
	bool newest = o->release_all_images || (o->release_interactive && !one);

	if (one == newest)
		return ctl_fail(&c->error, FX_ESYNTAX,
		    one ? "please supply only one of " IMAGE_FLAGS
			: "please supply exactly one of " IMAGE_FLAGS);
	if (o->release_workload.n + o->release_controller.n == 0 &&
	    !o->release_all)
		return ctl_fail(&c->error, FX_ESYNTAX,
		    "please supply either --all, or at least one "
		    "--workload=<workload>");
	if (o->release_watch && o->release_dry_run)
		return ctl_fail(&c->error, FX_ESYNTAX,
		    "cannot use --watch with --dry-run");
	if (o->release_interactive && output_is_value(c))
		return ctl_fail(&c->error, FX_ESYNTAX,
		    "cannot use --interactive with --output-format=%s",
		    o->release_output_format);
	if (!o->release_force)
		return FX_OK;
	if (o->release_all && newest)
		return ctl_fail(&c->error, FX_ESYNTAX,
		    "--force has no effect when used with --all and "
		    "--update-all-images");
	if (o->release_all)
		fputs("Warning: --force will not ignore locked workloads when "
		      "used with --all\n",
		    c->err);
	else if (newest)
		fputs("Warning: --force will not ignore container image tags "
		      "when used with --update-all-images\n",
		    c->err);
	return FX_OK;
}

static int
add_workloads(json_t *ids, const struct ctl_list *given, const char *ns,
    struct ctl_error *err)
{
	int r = FX_OK;

	for (size_t i = 0; r == FX_OK && i < given->n; i++) {
		auto_free char *id = NULL;

		r = workload_id(given->v[i], ns, &id, err);
		if (r == FX_OK)
			json_array_append_new(ids, gojson_string(id));
	}
	return r;
}

/* An image with a tag, as it is printed. */
static int
read_image(const char *text, json_t **out, struct ctl_error *err)
{
	auto_free char *printed = NULL;
	struct image_ref image;
	struct fx_err why = { 0 };
	int r = image_ref_parse(text, &image, &why);

	if (r != FX_OK)
		return ctl_fail(err, r, "%s", why.text);
	if (*image.tag == '\0') {
		r = ctl_fail(err, FX_ESYNTAX,
		    "blank tag (if you want latest, explicitly state the tag "
		    ":latest): invalid image ID");
	} else {
		printed = image_ref_print(&image);
		*out = gojson_string(printed);
	}
	image_ref_clear(&image);
	return r;
}

/* What is to be released where; the lists are the caller's. */
static int
read_lists(struct ctl *c, const char *ns, json_t *workloads, json_t **image,
    json_t *excludes)
{
	const struct ctl_options *o = &c->line->opts;
	int r = FX_OK;

	if (o->release_all) {
		json_array_append_new(workloads, json_string(ALL_WORKLOADS));
	} else {
		r = add_workloads(workloads, &o->release_workload, ns,
		    &c->error);
		if (r == FX_OK)
			r = add_workloads(workloads, &o->release_controller, ns,
			    &c->error);
	}
	if (r != FX_OK)
		return r;
	if (*o->release_image == '\0')
		*image = json_string(NEWEST_IMAGES);
	else
		r = read_image(o->release_image, image, &c->error);
	if (r == FX_OK)
		r = add_workloads(excludes, &o->release_exclude, ns, &c->error);
	return r;
}

/* *spec is owned. */
static int
make_spec(struct ctl *c, const char *ns, bool plan, json_t **spec)
{
	auto_json json_t *workloads = json_array(), *excludes = json_array();
	auto_json json_t *image = NULL;
	int r = read_lists(c, ns, workloads, &image, excludes);

	if (r != FX_OK)
		return r;
	*spec = json_object();
	json_object_set(*spec, "ServiceSpecs", workloads);
	json_object_set(*spec, "ImageSpec", image);
	json_object_set_new(*spec, "Kind",
	    json_string(plan ? "plan" : "execute"));
	json_object_set_new(*spec, "Excludes",
	    json_array_size(excludes) == 0 ? json_null()
					   : json_incref(excludes));
	json_object_set_new(*spec, "Force",
	    json_boolean(c->line->opts.release_force));
	return FX_OK;
}

/* Whatever can be said without a daemon. */
static int
check(struct ctl *c)
{
	auto_json json_t *spec = NULL;
	int r = check_flags(c);

	return r == FX_OK ? make_spec(c, WORKLOAD_ANY_NS, true, &spec) : r;
}

/*
 * Lets the user choose from the plan and sends what was chosen.  *job_id is
 * replaced, or freed where there is nothing to follow.
 */
static int
choose(struct ctl *c, const struct job *plan, char **job_id)
{
	const struct ctl_options *o = &c->line->opts;
	auto_result struct result rows = { 0 };
	json_t *spec, *chosen = NULL;
	int r = result_read(plan->result, o->release_verbose, &rows, &c->error);

	free(fx_steal(job_id));
	if (r == FX_OK)
		r = menu_run(c, &rows, &chosen);
	if (r != FX_OK || chosen == NULL)
		return r;
	fputs("Submitting selected release ...\n", c->err);
	spec = json_object();
	json_object_set_new(spec, "Kind", json_string("execute"));
	json_object_set_new(spec, "ContainerSpecs", chosen);
	json_object_set_new(spec, "SkipMismatches", json_false());
	json_object_set_new(spec, "Force", json_boolean(o->release_force));
	return update_send(c, "containers", o->release_message, spec, job_id);
}

static int
follow(struct ctl *c, const struct job *first, const char *job_id)
{
	const struct ctl_options *o = &c->line->opts;
	bool apply = !o->release_dry_run || o->release_interactive;
	int r = update_await(c, job_id, apply, o->release_verbose);

	if (r != FX_OK || !o->release_watch || first->result == NULL)
		return r;
	return rollout_watch(c, first->result, o->release_verbose);
}

/* Nothing was there to be changed, which a plan gives the reasons for; whether
 * it can be had or not, the command has failed. */
static void
explain(struct ctl *c)
{
	struct ctl_error failed = c->error;
	auto_free char *job_id = NULL;
	auto_job struct job job = { 0 };
	json_t *spec = NULL;
	int r;

	c->error = (struct ctl_error){ 0 };
	r = make_spec(c, c->ns, true, &spec);
	if (r == FX_OK)
		r = update_send(c, "image", "", spec, &job_id);
	if (r == FX_OK)
		r = wait_for_job(c->client, job_id, &job, &c->error);
	if (r == FX_OK && job.result != NULL)
		r = update_show(c, job.result, c->line->opts.release_verbose);
	ctl_error_clear(&c->error);
	c->error = failed;
	c->outcome = CTL_NO_CHANGE;
}

int
ctl_cmd_release(struct ctl *c)
{
	const struct ctl_options *o = &c->line->opts;
	bool plan = o->release_dry_run || o->release_interactive;
	auto_free char *job_id = NULL;
	auto_job struct job job = { 0 };
	json_t *spec = NULL;
	int r = check(c);

	if (r == FX_OK)
		r = ctl_connect(c);
	if (r == FX_OK)
		r = make_spec(c, c->ns, plan, &spec);
	if (r != FX_OK)
		return r;
	fprintf(c->err, "Submitting %srelease ...\n", plan ? "dry-run " : "");
	r = update_send(c, "image", o->release_message, spec, &job_id);
	if (r == FX_OK)
		r = update_wait(c, job_id, &job);
	if (c->outcome == CTL_NO_CHANGE && !plan && o->release_verbose > 0)
		explain(c);
	if (r == FX_OK && o->release_interactive)
		r = choose(c, &job, &job_id);
	if (r != FX_OK || job_id == NULL)
		return r;
	return follow(c, &job, job_id);
}
