/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ask.h"

#include "jsonw.h"
#include "scalar.h"
#include "spec.h"
#include "str.h"

/* ---- changes from outside ----------------------------------------------- */

static void
notified(struct http_request *r, const struct ipc_notified *m)
{
	(void)m;
	answer_empty(&r->answer, 202);
}
AW_ANSWER(notified, notified)

static int
parse_change(const struct http_request *r, struct spec_change *c,
    struct fx_err *err)
{
	int rc = spec_change_parse((const char *)buf_head(&r->body),
	    buf_left(&r->body), c, err);

	if (rc != FX_OK)
		return rc;
	if (strlen(c->url) <= IPC_MAX_TEXT && strlen(c->name) <= IPC_MAX_TEXT &&
	    strlen(c->branch) <= IPC_MAX_REF)
		return FX_OK;
	spec_change_clear(c);
	return fx_fail(err, FX_ELIMIT, "the source of the change is too long");
}

void
aw_on_notify(struct http_request *r)
{
	struct spec_change c = { 0 };
	struct fx_err err = { 0 };

	if (parse_change(r, &c, &err) != FX_OK) {
		aw_bad_request(r, &err);
		return;
	}
	const struct ipc_notify m = {
		.kind = c.image ? IPC_CHANGE_IMAGE : IPC_CHANGE_GIT,
		.url = c.url,
		.branch = c.branch,
		.image = c.name,
	};
	aw_asked(r, ipc_ask_notify(aw_master(r), &m, notified_frame, r));
	spec_change_clear(&c);
}

/* ---- updates and jobs --------------------------------------------------- */

static void
update_job(struct http_request *r, const struct ipc_update_job *m)
{
	jw_string(answer_json(&r->answer), m->job);
}
AW_ANSWER(update_job, update_job)

/* A sync has no spec worth keeping: its record is who, why and the revision. */
static void
ask_sync(struct http_request *r, const struct spec_update *u)
{
	const struct ipc_update m = {
		.kind = IPC_UPDATE_SYNC,
		.user = u->user,
		.message = u->message,
	};

	aw_asked(r, ipc_ask_update(aw_master(r), &m, update_job_frame, r));
}

static void
refuse_update(struct http_request *r, enum spec_type type)
{
	auto_free char *what = NULL;

	/* automation makes these, never a client */
	if (type == SPEC_AUTO) {
		answer_failed(&r->answer, r->accept,
		    "unknown update type \"auto\"");
		return;
	}
	what = xasprintf("updates of type \"%s\" are", spec_type_name(type));
	aw_unsupported(r, what);
}

void
aw_on_update(struct http_request *r)
{
	struct spec_update u = { 0 };
	struct fx_err err = { 0 };

	if (spec_update_parse((const char *)buf_head(&r->body),
		buf_left(&r->body), &u, &err) != FX_OK)
		aw_bad_request(r, &err);
	else if (u.type == SPEC_SYNC)
		ask_sync(r, &u);
	else
		refuse_update(r, u.type);
	spec_update_clear(&u);
}

/* A member of a job's result, unless it is none: it may come from a note that
 * anybody wrote.  True: it was the first. */
static bool
add_part(struct buf *b, bool first, const char *name, const char *json,
    int (*write)(struct buf *, const char *, struct fx_err *))
{
	struct buf v = BUF_INIT(ANSWER_MAX);
	struct fx_err err = { 0 };

	if (*json != '\0' && write(&v, json, &err) == FX_OK) {
		str_addf(b, "%s\"%s\":", first ? "" : ",", name);
		str_addn(b, (const char *)buf_head(&v), buf_left(&v));
		first = false;
	}
	buf_clear(&v);
	return first;
}

static void
job_is(struct http_request *r, const struct ipc_job_is *m)
{
	static const char *const names[] = {
		[IPC_JOB_QUEUED] = "queued",
		[IPC_JOB_RUNNING] = "running",
		[IPC_JOB_FAILED] = "failed",
		[IPC_JOB_SUCCEEDED] = "succeeded",
	};
	bool first = *m->revision == '\0';
	struct buf *b;

	if (m->status == IPC_JOB_UNKNOWN || m->status >= nitems(names)) {
		answer_no_job(&r->answer, r->accept, aw_param(r, "id"));
		return;
	}
	b = answer_json(&r->answer);
	str_add(b, "{\"Result\":{");
	if (!first)
		jw_member(b, "revision", m->revision);
	first = add_part(b, first, "spec", m->spec, spec_update_write);
	(void)add_part(b, first, "result", m->result, spec_result_write);
	str_add(b, "},");
	jw_member(b, "Err", m->error);
	str_addc(b, ',');
	jw_member(b, "StatusString", names[m->status]);
	str_addc(b, '}');
}
AW_ANSWER(job_is, job_is)

void
aw_on_job(struct http_request *r)
{
	const char *id = aw_param(r, "id");
	struct ipc_job m = { .job = (char *)(uintptr_t)id };

	if (strlen(id) > IPC_MAX_NAME)
		answer_no_job(&r->answer, r->accept, id);
	else
		aw_asked(r, ipc_ask_job(aw_master(r), &m, job_is_frame, r));
}

/* ---- updates as old clients ask for them -------------------------------- */

/* Every value of a parameter must pass the check. */
static int
check_params(const struct target_params *ps, const char *key, const char *what,
    int (*check)(const char *, struct fx_err *), struct fx_err *err)
{
	for (size_t i = 0; i < ps->n; i++)
		if (strcmp(ps->v[i].key, key) == 0 &&
		    check(ps->v[i].value, err) != FX_OK)
			return scalar_wrap(err, what, ps->v[i].value);
	return FX_OK;
}

/* A form's value wins over the query's. */
static const char *
form_value(const struct target_params *form, const struct http_request *r,
    const char *key)
{
	const char *v = target_param(form, key);

	return v == NULL ? aw_param(r, key) : v;
}

static int
check_update_images(const struct http_request *r,
    const struct target_params *form, struct fx_err *err)
{
	const struct target_params *query = &r->target.params;
	const char *image = aw_param(r, "image"), *kind = aw_param(r, "kind");
	int rc;

	if ((rc = check_params(form, "service", "parsing service spec",
		 scalar_resource_spec, err)) != FX_OK ||
	    (rc = check_params(query, "service", "parsing service spec",
		 scalar_resource_spec, err)) != FX_OK)
		return rc;
	if (scalar_image_spec(image, err) != FX_OK)
		return scalar_wrap(err, "parsing image spec", image);
	if (scalar_release_kind(kind, err) != FX_OK)
		return scalar_wrap(err, "parsing release kind", kind);
	if ((rc = check_params(query, "exclude", "parsing excluded service",
		 scalar_resource_id, err)) != FX_OK)
		return rc;
	return spec_cause_check(form_value(form, r, "user"),
	    form_value(form, r, "message"), err);
}

void
aw_on_update_images(struct http_request *r)
{
	struct target_params form = { 0 };
	struct fx_err err = { 0 };

	if ((r->form &&
		params_parse((const char *)buf_head(&r->body),
		    buf_left(&r->body), &form, &err) != FX_OK) ||
	    check_update_images(r, &form, &err) != FX_OK)
		aw_bad_request(r, &err);
	else
		refuse_update(r, SPEC_IMAGE);
	params_clear(&form);
}

void
aw_on_policies(struct http_request *r)
{
	struct fx_err err = { 0 };

	if (spec_policies_check((const char *)buf_head(&r->body),
		buf_left(&r->body), &err) != FX_OK ||
	    spec_cause_check(aw_param(r, "user"), aw_param(r, "message"),
		&err) != FX_OK)
		aw_bad_request(r, &err);
	else
		refuse_update(r, SPEC_POLICY);
}
