/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "api.h"

#include "record.h"
#include "str.h"

/* One of a query's pairs; the last one has no key. */
struct pair {
	const char *key, *value;
};

static char *
make_query(const struct pair *pairs)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	for (const struct pair *p = pairs; p->key != NULL; p++) {
		auto_free char *escaped = url_query_escape(p->value);

		(void)str_addf(&b, "%s%s=%s", p == pairs ? "" : "&", p->key,
		    escaped);
	}
	return str_take(&b);
}

/* The keys are sorted, as the original sorts them; NULL: no query. */
static int
get(const struct client *c, const char *route, const struct pair *pairs,
    json_t **out, struct ctl_error *err)
{
	auto_free char *query = pairs == NULL ? NULL : make_query(pairs);
	auto_reply struct reply reply = { 0 };
	int r = client_request(c, route, query, NULL, &reply, err);

	return r == FX_OK ? answer_json(&reply, false, out, err) : r;
}

static int
post(const struct client *c, const char *route, const char *body, json_t **out,
    struct ctl_error *err)
{
	auto_reply struct reply reply = { 0 };
	int r = client_request(c, route, NULL, body, &reply, err);

	return r == FX_OK ? answer_json(&reply, true, out, err) : r;
}

/* An object, or nothing at all. */
static int
check_object(const json_t *answer, struct ctl_error *err)
{
	if (answer == NULL || json_is_null(answer) || json_is_object(answer))
		return FX_OK;
	return answer_mismatch(err, "an object");
}

/* A copy of a string field. */
static int
copy_string(const json_t *object, const char *name, char **out,
    struct ctl_error *err)
{
	const char *text;
	int r = answer_string(object, name, &text, err);

	if (r == FX_OK)
		*out = xstrdup(text);
	return r;
}

void
git_config_clear(struct git_config *g)
{
	free(g->url);
	free(g->branch);
	free(g->status);
	free(g->errors);
	free(g->key);
	free(g->md5);
	free(g->md5_art);
	*g = (struct git_config){ 0 };
}

static int
read_git_config(const json_t *answer, struct git_config *g,
    struct ctl_error *err)
{
	json_t *remote = NULL, *key = NULL, *prints = NULL, *md5 = NULL;
	int r = check_object(answer, err);

	if (r == FX_OK)
		r = answer_object(answer, "remote", &remote, err);
	if (r == FX_OK)
		r = answer_object(answer, "publicSSHKey", &key, err);
	if (r == FX_OK)
		r = answer_object(key, "fingerprints", &prints, err);
	if (r == FX_OK)
		r = answer_object(prints, "md5", &md5, err);
	if (r == FX_OK)
		r = copy_string(remote, "url", &g->url, err);
	if (r == FX_OK)
		r = copy_string(remote, "branch", &g->branch, err);
	if (r == FX_OK)
		r = copy_string(answer, "status", &g->status, err);
	if (r == FX_OK)
		r = copy_string(answer, "errors", &g->errors, err);
	if (r == FX_OK)
		r = copy_string(key, "key", &g->key, err);
	if (r == FX_OK)
		r = copy_string(md5, "hash", &g->md5, err);
	if (r == FX_OK)
		r = copy_string(md5, "randomart", &g->md5_art, err);
	return r;
}

int
api_git_config(const struct client *c, bool regenerate, struct git_config *out,
    struct ctl_error *err)
{
	auto_git_config struct git_config g = { 0 };
	auto_json json_t *answer = NULL;
	int r;

	r = post(c, "/v9/git-repo-config", regenerate ? "true" : "false",
	    &answer, err);
	if (r == FX_OK)
		r = read_git_config(answer, &g, err);
	if (r != FX_OK)
		return r;
	*out = g;
	g = (struct git_config){ 0 };
	return FX_OK;
}

int
api_update(const struct client *c, const char *update, char **job_id,
    struct ctl_error *err)
{
	auto_json json_t *answer = NULL;
	int r = post(c, "/v9/update-manifests", update, &answer, err);

	if (r != FX_OK)
		return r;
	if (answer != NULL && !json_is_string(answer) && !json_is_null(answer))
		return answer_mismatch(err, "a job's id");
	*job_id =
	    xstrdup(json_is_string(answer) ? json_string_value(answer) : "");
	return FX_OK;
}

void
job_clear(struct job *j)
{
	free(j->error);
	free(j->revision);
	json_decref(j->result);
	*j = (struct job){ 0 };
}

int
api_job(const struct client *c, const char *id, struct job *out,
    struct ctl_error *err)
{
	auto_job struct job j = { 0 };
	auto_json json_t *answer = NULL;
	const char *status = "";
	json_t *result = NULL;
	const struct pair query[] = { { "id", id }, { NULL, NULL } };
	int r = get(c, "/v6/jobs", query, &answer, err);

	if (r == FX_OK)
		r = check_object(answer, err);
	if (r == FX_OK)
		r = answer_string(answer, "StatusString", &status, err);
	if (r == FX_OK)
		r = copy_string(answer, "Err", &j.error, err);
	if (r == FX_OK)
		r = answer_object(answer, "Result", &result, err);
	if (r == FX_OK)
		r = copy_string(result, "revision", &j.revision, err);
	if (r == FX_OK)
		r = answer_object(result, "result", &j.result, err);
	json_incref(j.result);
	if (r != FX_OK)
		return r;
	if (strcmp(status, "failed") == 0)
		j.state = JOB_FAILED;
	else if (strcmp(status, "succeeded") == 0)
		j.state = JOB_SUCCEEDED;
	*out = j;
	j = (struct job){ 0 };
	return FX_OK;
}

int
api_is_applied(const struct client *c, const char *revision, bool *applied,
    struct ctl_error *err)
{
	auto_json json_t *answer = NULL;
	const struct pair query[] = { { "ref", revision }, { NULL, NULL } };
	const json_t *element;
	size_t i;
	int r = get(c, "/v6/sync", query, &answer, err);

	if (r != FX_OK)
		return r;
	if (!json_is_array(answer) && !json_is_null(answer))
		return answer_mismatch(err, "a list of revisions");
	json_array_foreach (answer, i, element)
		if (!json_is_string(element) && !json_is_null(element))
			return answer_mismatch(err, "a list of revisions");
	*applied = json_array_size(answer) == 0;
	return FX_OK;
}

static int
get_list(const struct client *c, const char *route, const struct pair *query,
    const struct record_field *record, json_t **out, struct ctl_error *err)
{
	auto_json json_t *answer = NULL;
	int r = get(c, route, query, &answer, err);

	return r == FX_OK ? record_list(answer, record, out, err) : r;
}

int
api_workloads(const struct client *c, const char *ns, json_t **out,
    struct ctl_error *err)
{
	const struct pair query[] = { { "namespace", ns }, { NULL, NULL } };

	return get_list(c, "/v6/services", query, record_workload, out, err);
}

int
api_workloads_of(const struct client *c, const char *ids, json_t **out,
    struct ctl_error *err)
{
	const struct pair query[] = {
		{ "namespace", "" },
		{ "services", ids },
		{ NULL, NULL },
	};

	return get_list(c, "/v11/services", query, record_workload, out, err);
}

int
api_images(const struct client *c, const char *id, const char *ns, json_t **out,
    struct ctl_error *err)
{
	const struct pair query[] = {
		{ "containerFields", "" },
		{ "namespace", id == NULL ? ns : "" },
		{ "service", id == NULL ? "<all>" : id },
		{ NULL, NULL },
	};

	return get_list(c, "/v10/images", query, record_images, out, err);
}

int
api_export(const struct client *c, struct buf *out, struct ctl_error *err)
{
	auto_json json_t *answer = NULL;
	int r = get(c, "/v6/export", NULL, &answer, err);

	if (r != FX_OK || json_is_null(answer))
		return r;
	if (!json_is_string(answer) ||
	    str_unbase64(json_string_value(answer), json_string_length(answer),
		out) != FX_OK)
		return answer_mismatch(err, "base64 text");
	return FX_OK;
}

int
api_sandbox(const struct client *c, json_t **out, struct ctl_error *err)
{
	auto_json json_t *answer = NULL;
	const json_t *element;
	size_t i;
	int r = get(c, "/v12/sandbox", NULL, &answer, err);

	if (r != FX_OK)
		return r;
	if (!json_is_array(answer))
		return answer_mismatch(err, "a list of processes");
	json_array_foreach (answer, i, element)
		if (!json_is_object(element))
			return answer_mismatch(err, "a list of processes");
	*out = fx_steal(&answer);
	return FX_OK;
}

static const struct record_field record_sync_error[] = {
	{ "ID", RECORD_STRING, false, NULL },
	{ "Error", RECORD_STRING, false, NULL },
	{ NULL, RECORD_STRING, false, NULL },
};

int
api_sync_errors(const struct client *c, json_t **out, long long *total,
    struct ctl_error *err)
{
	auto_json json_t *answer = NULL;
	int r = get(c, "/v12/sync-errors", NULL, &answer, err);

	if (r == FX_OK)
		r = check_object(answer, err);
	if (r == FX_OK)
		r = record_list(jr_member(answer, "errors"), record_sync_error,
		    out, err);
	if (r == FX_OK)
		*total = json_integer_value(jr_member(answer, "total"));
	return r;
}
