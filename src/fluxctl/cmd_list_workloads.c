/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

#include "api.h"
#include "connect.h"
#include "options.h"
#include "output.h"
#include "record.h"
#include "str.h"
#include "workload.h"

/* "automated,locked"; owned. */
static char *
join_policies(const json_t *workload)
{
	/* sorted by what is shown */
	static const struct {
		const char *field, *shown;
	} flags[] = { { "Automated", "automated" }, { "Ignore", "ignore" },
		{ "Locked", "locked" } };
	struct buf b = BUF_INIT(SIZE_MAX);

	for (size_t i = 0; i < nitems(flags); i++)
		if (json_is_true(json_object_get(workload, flags[i].field)))
			(void)str_addf(&b, "%s%s", buf_left(&b) == 0 ? "" : ",",
			    flags[i].shown);
	return str_take(&b);
}

static void
show_table(struct ctl *c, const json_t *workloads, bool wide)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	bool heading = !c->line->opts.list_workloads_no_headers;
	const json_t *workload;
	size_t i;

	if (heading)
		(void)str_addf(&text,
		    "WORKLOAD\tCONTAINER\tIMAGE\tRELEASE\tPOLICY%s\n",
		    wide ? "\tREADONLY\tERROR" : "");
	json_array_foreach (workloads, i, workload) {
		auto_free char *policies = join_policies(workload);
		const char *const last[] = { policies,
			record_text(workload, "ReadOnly"),
			record_text(workload, "SyncError") };

		workload_add_rows(&text, workload, last,
		    wide ? nitems(last) : 1);
	}
	output_table(c, &text, heading);
}

static bool
has_container(const json_t *workload, const char *name)
{
	const json_t *container;
	size_t i;

	json_array_foreach (json_object_get(workload, "Containers"), i,
	    container)
		if (strcmp(record_text(container, "Name"), name) == 0)
			return true;
	return false;
}

/* Owned; none left is null, as the original has it. */
static json_t *
with_container(const json_t *workloads, const char *name)
{
	json_t *left = json_array(), *workload;
	size_t i;

	json_array_foreach (workloads, i, workload)
		if (has_container(workload, name))
			json_array_append(left, workload);
	if (json_array_size(left) > 0)
		return left;
	json_decref(left);
	return json_null();
}

int
ctl_cmd_list_workloads(struct ctl *c)
{
	const struct ctl_options *o = &c->line->opts;
	auto_json json_t *all = NULL, *shown = NULL;
	int r = ctl_connect(c);

	if (r == FX_OK)
		r = api_workloads(c->client, o->list_workloads_all ? "" : c->ns,
		    &all, &c->error);
	if (r != FX_OK)
		return r;
	shown = *o->list_workloads_container == '\0'
	    ? json_incref(all)
	    : with_container(all, o->list_workloads_container);
	record_sort_by_id(shown);
	if (output_is_value(c)) {
		record_print(shown, record_workload);
		return output_value(c, shown);
	}
	show_table(c, shown, c->format == OUTPUT_WIDE);
	return FX_OK;
}
