/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "rollout.h"

#include "answer.h"
#include "api.h"
#include "clock.h"
#include "options.h"
#include "output.h"
#include "record.h"
#include "result.h"
#include "str.h"
#include "text.h"
#include "wait.h"
#include "workload.h"

#define ASK_AGAIN_US (2 * CLK_SEC)

static long long
count_of(const json_t *workload, const char *name)
{
	return json_integer_value(
	    json_object_get(json_object_get(workload, "Rollout"), name));
}

/* "1/2", or "1/2 (1 outdated, 1 ready)"; owned. */
static char *
describe_replicas(const json_t *workload, int64_t verbosity)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	(void)str_addf(&b, "%lld/%lld", count_of(workload, "Updated"),
	    count_of(workload, "Desired"));
	if (verbosity > 0)
		(void)str_addf(&b, " (%lld outdated, %lld ready)",
		    count_of(workload, "Outdated"),
		    count_of(workload, "Ready"));
	return str_take(&b);
}

static void
show_workload(struct ctl *c, const json_t *workload, int64_t verbosity)
{
	auto_free char *replicas = describe_replicas(workload, verbosity);
	const char *const last[] = { replicas };
	bool heading = !ctl_flag_on(c->line, "no-headers");
	struct buf b = BUF_INIT(SIZE_MAX);

	if (output_is_value(c))
		return;
	if (heading)
		(void)str_add(&b,
		    "WORKLOAD\tCONTAINER\tIMAGE\tRELEASE\tREPLICAS\n");
	workload_add_rows(&b, workload, last, nitems(last));
	(void)str_addc(&b, '\n');
	output_table(c, &b, heading);
}

/* true if the workload has one; even an empty list of messages is one. */
static bool
show_problem(struct ctl *c, const json_t *workload)
{
	const json_t *messages =
	    json_object_get(json_object_get(workload, "Rollout"), "Messages");
	const json_t *message;
	size_t i;

	if (!json_is_array(messages))
		return false;
	(void)fflush(c->out);
	c->outcome = CTL_IN_PART;
	ctl_print(c->err, "There was a problem releasing %s:\n",
	    record_text(workload, "ID"));
	json_array_foreach (messages, i, message)
		ctl_print(c->err, "%s\n", json_string_value(message));
	return true;
}

/* Shows all workloads once; true if there is nothing more to wait for. */
static bool
show_all(struct ctl *c, const json_t *workloads, int64_t verbosity)
{
	const json_t *workload;
	size_t i, ready = 0;

	json_array_foreach (workloads, i, workload) {
		show_workload(c, workload, verbosity);
		ready += strcmp(record_text(workload, "Status"), "ready") == 0;
		if (show_problem(c, workload))
			return true;
	}
	(void)fflush(c->out);
	if (ready != json_array_size(workloads))
		return false;
	fputs("All workloads ready.\n", c->err);
	return true;
}

int
rollout_watch(struct ctl *c, const json_t *result, int64_t verbosity)
{
	auto_free char *ids = result_updated(result);
	bool done = false;
	int r = FX_OK;

	/* asking for no workload would be asking for all of them */
	if (*ids == '\0')
		return FX_OK;
	fputs("Monitoring rollout ...\n", c->err);
	while (!done) {
		auto_json json_t *workloads = NULL;

		r = api_workloads_of(c->client, ids, &workloads, &c->error);
		if (r != FX_OK)
			return r;
		done = show_all(c, workloads, verbosity);
		if (!done)
			wait_us(ASK_AGAIN_US);
	}
	return r;
}
