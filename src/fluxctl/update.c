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

static int
show_result(struct ctl *c, const json_t *result, int64_t verbosity)
{
	auto_result struct result rows = { 0 };
	struct buf text = BUF_INIT(SIZE_MAX);
	bool heading = !ctl_flag_on(c->line, "no-headers");
	int r = result_read(result, verbosity, &rows, &c->error);

	if (r != FX_OK)
		return r;
	if (heading)
		(void)str_add(&text, RESULT_HEADING);
	for (size_t i = 0; i < rows.n; i++)
		result_add_row(&text, &rows.v[i]);
	output_table(c, &text, heading);
	(void)fflush(c->out); /* what follows goes to the other stream */
	return FX_OK;
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
	auto_job struct job job = { 0 };
	auto_free char *shown = NULL;
	int r = wait_for_job(c->client, job_id, &job, &c->error);

	if (r == FX_ETIMEOUT)
		fputs(no_result, c->err);
	if (r == FX_OK && job.result != NULL)
		r = show_result(c, job.result, verbosity);
	if (r != FX_OK)
		return r;
	shown = xstrndup(job.revision, SHORT_REVISION);
	if (*job.revision != '\0')
		ctl_print(c->err, "Commit pushed:\t%s\n", shown);
	if (job.result == NULL) {
		fputs("Nothing to do\n", c->err);
		return FX_OK;
	}
	if (!apply || *job.revision == '\0')
		return FX_OK;
	return await_applied(c, job.revision, shown);
}
