/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

#include "api.h"
#include "connect.h"
#include "gojson.h"
#include "output.h"
#include "quote.h"
#include "record.h"
#include "text.h"
#include "wait.h"

#define SHORT_REVISION 7 /* what is shown and asked for */

static int
check_repository(struct ctl *c, const struct git_config *config)
{
	const char *more =
	    *config->errors == '\0' ? "" : "\n\nFull error message: ";

	if (strcmp(config->status, "ready") == 0)
		return FX_OK;
	if (strcmp(config->status, "unconfigured") == 0)
		return ctl_fail(&c->error, FX_EFAIL,
		    "no git repository is configured");
	if (strcmp(config->status, "unreachable") == 0)
		return ctl_fail(&c->error, FX_EFAIL,
		    "can not connect to git repository with URL %s"
		    "\n\nFull error message: %s",
		    config->url, config->errors);
	return ctl_fail(&c->error, FX_EFAIL,
	    "git repository %s is not ready to sync%s%s", config->url, more,
	    config->errors);
}

/* The branch's head is not signed as it must be, and the daemon stays with the
 * last commit that is: a warning. */
static bool
is_unverified_head(const char *text)
{
	return strstr(text, "branch HEAD in the git repo is not verified") !=
	    NULL &&
	    strstr(text, "last verified commit was") != NULL;
}

static int
run_job(struct ctl *c, struct job *job)
{
	static const char update[] =
	    "{\"type\":\"sync\",\"cause\":{\"Message\":\"\",\"User\":\"\"},"
	    "\"spec\":{}}";
	auto_free char *id = NULL, *quoted = NULL;
	int r = api_update(c->client, update, &id, &c->error);

	if (r != FX_OK)
		return r;
	r = wait_for_job(c->client, id, job, &c->error);
	if (r != FX_OK && !c->error.shaped &&
	    is_unverified_head(c->error.text)) {
		ctl_print(c->err, "Warning: %s\n", c->error.text);
		ctl_error_clear(&c->error);
		r = FX_OK;
	}
	if (r != FX_OK) {
		quoted = str_quoted(id);
		ctl_print(c->err, "Failed to complete sync job (ID %s)\n",
		    quoted);
		return r;
	}
	if (job->revision == NULL || *job->revision == '\0')
		return ctl_fail(&c->error, FX_EFAIL,
		    "the daemon does not say which revision it synchronized");
	return FX_OK;
}

/*
 * A revision that cannot be loaded or fetched is never applied: after a
 * time-out show what the daemon says about the repository, if anything.
 */
static void
explain_timeout(struct ctl *c)
{
	auto_git_config struct git_config config = { 0 };
	auto_error struct ctl_error ignored = { 0 };

	if (api_git_config(c->client, false, &config, &ignored) != FX_OK ||
	    *config.errors == '\0')
		return;
	ctl_print(c->err, "The git repository is %s: %s\n", config.status,
	    config.errors);
}

/* That a revision is applied does not mean that all of it could be.  *errors is
 * owned; NULL: the daemon does not tell. */
static void
show_errors(struct ctl *c, json_t **errors, long long *total)
{
	auto_error struct ctl_error ignored = { 0 };
	const json_t *e;
	size_t i;

	if (api_sync_errors(c->client, errors, total, &ignored) != FX_OK ||
	    json_array_size(*errors) == 0)
		return;
	c->outcome = CTL_IN_PART;
	ctl_print(c->err, "\nThese could not be applied:\n");
	json_array_foreach (*errors, i, e)
		ctl_print(c->err, "%s: %s\n", record_text(e, "ID"),
		    record_text(e, "Error"));
	if (*total > (long long)i)
		ctl_print(c->err, "and %lld more\n", *total - (long long)i);
}

/* All that became of it, for programs. */
static int
report(struct ctl *c, const struct git_config *config, const char *revision,
    bool applied)
{
	auto_json json_t *all = json_object(), *errors = NULL;
	long long total = 0;

	if (applied) {
		fputs("Done.\n", c->err);
		show_errors(c, &errors, &total);
	}
	if (!output_is_value(c))
		return FX_OK;
	json_object_set_new(all, "url", gojson_string(config->url));
	json_object_set_new(all, "branch", gojson_string(config->branch));
	json_object_set_new(all, "revision", gojson_string(revision));
	json_object_set_new(all, "applied", json_boolean(applied));
	json_object_set_new(all, "errors",
	    errors == NULL ? json_null() : json_incref(errors));
	json_object_set_new(all, "total", json_integer(total));
	return output_value(c, all);
}

int
ctl_cmd_sync(struct ctl *c)
{
	auto_git_config struct git_config config = { 0 };
	auto_job struct job job = { 0 };
	auto_free char *revision = NULL;
	int r = ctl_connect(c);

	if (r == FX_OK)
		r = api_git_config(c->client, false, &config, &c->error);
	if (r == FX_OK)
		r = check_repository(c, &config);
	if (r != FX_OK)
		return r;
	ctl_print(c->err, "Synchronizing with %s\n", config.url);
	r = run_job(c, &job);
	if (r != FX_OK)
		return r;
	revision = xstrndup(job.revision, SHORT_REVISION);
	ctl_print(c->err,
	    "Revision of %s to apply is %s\n"
	    "Waiting for %s to be applied ...\n",
	    config.branch, revision, revision);
	r = wait_for_sync(c->client, revision, &c->error);
	if (r == FX_OK)
		return report(c, &config, job.revision, true);
	if (r != FX_ETIMEOUT)
		return r;
	c->outcome = CTL_NOT_APPLIED;
	explain_timeout(c);
	return report(c, &config, job.revision, false) == FX_OK ? r : FX_EFAIL;
}
