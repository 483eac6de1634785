/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "update.h"

#include "api.h"
#include "gojson.h"
#include "options.h"
#include "output.h"
#include "result.h"
#include "str.h"
#include "text.h"
#include "wait.h"

#define SHORT_REVISION 7 /* digits that are shown */

static const char no_result[] =
    "\n"
    "We timed out waiting for the result of the operation. This does not\n"
    "necessarily mean it has failed. You can check the state of the\n"
    "cluster, or commit logs, to see if there was a result. In general, it\n"
    "is safe to retry operations.\n";

static const char not_applied[] =
    "\n"
    "The operation succeeded, but we timed out waiting for the commit to be\n"
    "applied. This does not necessarily mean there is a problem. Use\n"
    "\n"
    "    fluxctl sync\n"
    "\n"
    "to run a sync interactively.\n";

int
update_send(struct ctl *c, const char *type, const char *message, json_t *spec,
    char **job_id)
{
	auto_json json_t *update = json_object();
	struct buf b = BUF_INIT(SIZE_MAX);
	auto_free char *body = NULL;
	json_t *cause = json_object();

	json_object_set_new(cause, "Message", gojson_string(message));
	json_object_set_new(cause, "User", gojson_string(c->user));
	json_object_set_new(update, "type", json_string(type));
	json_object_set_new(update, "cause", cause);
	json_object_set_new(update, "spec", spec);
	gojson_add(&b, update);
	body = str_take(&b);
	return api_update(c->client, body, job_id, &c->error);
}

/* There is nothing in the repository, or in what was chosen, to be changed. */
static bool
is_no_change(const struct ctl_error *err)
{
	return !err->shaped &&
	    (str_starts(err->text, "no changes made in repo") ||
		str_starts(err->text, "no changes found"));
}

int
update_wait(struct ctl *c, const char *job_id, struct job *job)
{
	int r = wait_for_job(c->client, job_id, job, &c->error);

	if (r == FX_EFAIL && is_no_change(&c->error))
		c->outcome = CTL_NO_CHANGE;
	return r;
}

int
update_show(struct ctl *c, const json_t *result, int64_t verbosity)
{
	auto_result struct result rows = { 0 };
	struct buf text = BUF_INIT(SIZE_MAX);
	bool heading = !ctl_flag_on(c->line, "no-headers");
	int r = result_read(result, verbosity, &rows, &c->error);

	if (r != FX_OK)
		return r;
	if (heading)
		(void)str_add(&text, RESULT_HEADING);
	for (size_t i = 0; i < rows.n; i++) {
		result_add_row(&text, &rows.v[i]);
		if (strcmp(rows.v[i].status, "failed") == 0)
			c->outcome = CTL_IN_PART;
	}
	if (output_is_value(c))
		buf_clear(&text);
	else
		output_table(c, &text, heading);
	(void)fflush(c->out); /* what follows goes to the other stream */
	return FX_OK;
}

static int
report(struct ctl *c, const struct job *job, json_t *applied)
{
	auto_json json_t *all = json_object();
	json_t *result = NULL;
	int r = FX_OK;

	if (job->result != NULL)
		r = result_value(job->result, &result, &c->error);
	json_object_set_new(all, "revision", gojson_string(job->revision));
	json_object_set(all, "applied", applied);
	json_object_set_new(all, "result",
	    result == NULL ? json_null() : result);
	return r == FX_OK ? output_value(c, all) : r;
}

static int
await_applied(struct ctl *c, const char *revision, const char *shown)
{
	int r = wait_for_sync(c->client, revision, &c->error);

	if (r == FX_ETIMEOUT) {
		fputs(not_applied, c->err);
		ctl_error_clear(&c->error);
		c->outcome = CTL_NOT_APPLIED;
		return FX_OK;
	}
	if (r == FX_OK)
		ctl_print(c->err, "Commit applied:\t%s\n", shown);
	return r;
}

int
update_await(struct ctl *c, const char *job_id, bool apply, int64_t verbosity)
{
	auto_json json_t *applied = json_null();
	auto_job struct job job = { 0 };
	auto_free char *shown = NULL;
	int r = update_wait(c, job_id, &job);

	if (r == FX_ETIMEOUT)
		fputs(no_result, c->err);
	if (r == FX_OK && job.result != NULL)
		r = update_show(c, job.result, verbosity);
	if (r != FX_OK)
		return r;
	shown = xstrndup(job.revision, SHORT_REVISION);
	if (*job.revision != '\0')
		ctl_print(c->err, "Commit pushed:\t%s\n", shown);
	if (job.result == NULL) {
		fputs("Nothing to do\n", c->err);
	} else if (apply && *job.revision != '\0') {
		r = await_applied(c, job.revision, shown);
		applied = json_boolean(c->outcome != CTL_NOT_APPLIED);
	}
	return r == FX_OK && output_is_value(c) ? report(c, &job, applied) : r;
}
