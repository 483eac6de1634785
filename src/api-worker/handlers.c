/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include <grp.h>

#include "exposition.h"
#include "jsonr.h"
#include "jsonw.h"
#include "scalar.h"
#include "spec.h"
#include "str.h"

#define METRICS_QUEUE_MAX (256u << 10) /* bytes waiting for the master */

enum metric_id {
#define METRIC(kind, id, ...) METRIC_##id,
#include "metrics.def"
};

/* ---- asking the master -------------------------------------------------- */

static struct ipc_peer *
master(const struct http_request *r)
{
	struct aw_state *s = r->ctx;

	return &s->w->master;
}

/* The answer will come to the function that was given with the question. */
static void
asked(struct http_request *r, uint64_t seq)
{
	r->ask = seq;
	if (seq == 0)
		answer_trouble(&r->answer, r->accept, 500,
		    "the daemon cannot be asked");
}

static void
forget_work(struct http_request *r)
{
	struct exposition *x = r->work;

	if (x == NULL)
		return;
	exposition_clear(x);
	free(x);
	r->work = NULL;
}

static void
done(struct http_request *r)
{
	r->ask = 0;
	forget_work(r);
	http_answered(r);
}

/* true: the master could not do it, and the client has been told. */
static bool
refused(struct http_request *r, struct ipc_frame *f)
{
	struct fx_err err = { 0 };
	int code = ipc_take_failed(f, &err);

	if (code == FX_OK)
		return false;
	if (code == FX_ELIMIT)
		answer_trouble(&r->answer, r->accept, 503, err.text);
	else
		answer_failed(&r->answer, r->accept, err.text);
	done(r);
	return true;
}

/*
 * Make an ipc_answer_fn of
 *
 *	static void fn(struct http_request *, const struct ipc_NAME *);
 *
 * which fills in the answer.  FAILED has become one already.
 */
#define AW_ANSWER(name, fn)                                                    \
	static int fn##_frame(void *arg, struct ipc_frame *f)                  \
	{                                                                      \
		struct http_request *r = arg;                                  \
		struct ipc_##name m;                                           \
		int rc;                                                        \
                                                                               \
		if (refused(r, f))                                             \
			return FX_OK;                                          \
		rc = ipc_##name##_decode(&f->body, &m, &f->fd);                \
		if (rc != FX_OK)                                               \
			return rc;                                             \
		fn(r, &m);                                                     \
		rc = buf_left(&f->body) != 0 ? FX_ESYNTAX : FX_OK;             \
		ipc_##name##_clear(&m);                                        \
		done(r);                                                       \
		return rc;                                                     \
	}

/* ---- not served yet ----------------------------------------------------- */

static void
unsupported(struct http_request *r, const char *what)
{
	auto_free char *text =
	    xasprintf("%s not yet supported by this daemon", what);

	answer_failed(&r->answer, r->accept, text);
}

static void
bad_request(struct http_request *r, const struct fx_err *err)
{
	answer_bad_request(&r->answer, r->accept, err->text);
}

static const char *
param(const struct http_request *r, const char *key)
{
	const char *v = target_param(&r->target.params, key);

	return v == NULL ? "" : v;
}

/* ---- the daemon itself -------------------------------------------------- */

static void
pong(struct http_request *r, const struct ipc_client_pong *m)
{
	(void)m;
	answer_empty(&r->answer, 204);
}
AW_ANSWER(client_pong, pong)

static void
aw_on_ping(struct http_request *r)
{
	const struct ipc_client_ping m = { 0 };

	asked(r, ipc_ask_client_ping(master(r), &m, pong_frame, r));
}

static void
aw_on_version(struct http_request *r)
{
	jw_string(answer_json(&r->answer), PACKAGE_VERSION);
}

static void
add_process(struct buf *b, const struct ipc_process *p)
{
	str_addc(b, '{');
	jw_member(b, "role", p->role);
	str_addf(b, ",\"instance\":%llu,\"pid\":%llu,",
	    (unsigned long long)p->instance, (unsigned long long)p->pid);
	jw_member(b, "state", p->state);
	str_addf(b,
	    ",\"uid\":%llu,\"seccomp\":%llu,\"noNewPrivs\":%s,"
	    "\"caps\":%llu,",
	    (unsigned long long)p->uid, (unsigned long long)p->seccomp,
	    p->no_new_privs ? "true" : "false", (unsigned long long)p->caps);
	jw_member(b, "landlock", p->landlock);
	str_addc(b, ',');
	jw_member(b, "root", p->root);
	str_addc(b, ',');
	jw_member(b, "holds", p->holds);
	str_addf(b, ",\"restarts\":%llu}", (unsigned long long)p->restarts);
}

static void
processes(struct http_request *r, const struct ipc_processes_are *m)
{
	struct buf *b = answer_json(&r->answer);

	str_addc(b, '[');
	for (size_t i = 0; i < m->processes_len; i++) {
		if (i != 0)
			str_addc(b, ',');
		add_process(b, &m->processes[i]);
	}
	str_addc(b, ']');
}
AW_ANSWER(processes_are, processes)

static void
aw_on_sandbox(struct http_request *r)
{
	const struct ipc_processes m = { 0 };

	asked(r, ipc_ask_processes(master(r), &m, processes_frame, r));
}

/* ---- metrics ------------------------------------------------------------ */

static int
add_sample(struct exposition *x, const struct ipc_sample *s)
{
	uint64_t buckets[IPC_MAX_BUCKETS];

	for (size_t i = 0; i < s->buckets_len; i++)
		buckets[i] = s->buckets[i].n;
	if (s->metric > METRIC_REPAIRED_OBJECTS)
		return FX_ESYNTAX;
	return exposition_add(x, (unsigned)s->metric, s->labels, s->value_us,
	    s->count, buckets, s->buckets_len);
}

static int
take_samples(struct exposition *x, struct ipc_frame *f)
{
	struct ipc_metrics_part m;
	int r = ipc_metrics_part_decode(&f->body, &m, &f->fd);

	if (r != FX_OK)
		return r;
	for (size_t i = 0; r == FX_OK && i < m.samples_len; i++)
		r = add_sample(x, &m.samples[i]);
	ipc_metrics_part_clear(&m);
	return r;
}

static void
metrics_end(struct http_request *r, const struct ipc_metrics_end *m)
{
	(void)m;
	answer_text(&r->answer, 200, "");
	r->answer.type = EXPOSITION_TYPE;
	exposition_write(r->work, &r->answer.body);
}
AW_ANSWER(metrics_end, metrics_end)

static int
metrics_frame(void *arg, struct ipc_frame *f)
{
	struct http_request *r = arg;

	return f != NULL && f->type == IPC_T_METRICS_PART
	    ? take_samples(r->work, f)
	    : metrics_end_frame(arg, f);
}

static void
aw_on_metrics(struct http_request *r)
{
	const struct ipc_metrics m = { 0 };

	r->work = xcalloc(1, sizeof(struct exposition));
	asked(r, ipc_ask_metrics(master(r), &m, metrics_frame, r));
	if (r->ask == 0)
		forget_work(r);
}

/* ---- the repository and its key ----------------------------------------- */

static void
add_fingerprint(struct buf *b, const char *name, const char *hash,
    const char *art)
{
	str_addf(b, "\"%s\":{", name);
	jw_member(b, "hash", hash);
	str_addc(b, ',');
	jw_member(b, "randomart", art);
	str_addc(b, '}');
}

static void
add_public_key(struct buf *b, const struct ipc_git_config_is *m)
{
	str_addc(b, '{');
	jw_member(b, "key", m->key);
	str_add(b, ",\"fingerprints\":");
	if (*m->key == '\0') {
		str_add(b, "null}");
		return;
	}
	str_addc(b, '{');
	add_fingerprint(b, "md5", m->md5, m->md5_art);
	str_addc(b, ',');
	add_fingerprint(b, "sha256", m->sha256, m->sha256_art);
	str_add(b, "}}");
}

static void
git_config(struct http_request *r, const struct ipc_git_config_is *m)
{
	struct buf *b = answer_json(&r->answer);

	str_add(b, "{\"remote\":{");
	jw_member(b, "url", m->url);
	str_addc(b, ',');
	jw_member(b, "branch", m->branch);
	str_addc(b, ',');
	jw_member(b, "path", m->path);
	str_add(b, "},\"publicSSHKey\":");
	add_public_key(b, m);
	str_addc(b, ',');
	jw_member(b, "status", m->status);
	str_addc(b, ',');
	jw_member(b, "errors", m->error);
	str_addc(b, '}');
}
AW_ANSWER(git_config_is, git_config)

static void
public_key(struct http_request *r, const struct ipc_git_config_is *m)
{
	add_public_key(answer_json(&r->answer), m);
}
AW_ANSWER(git_config_is, public_key)

static void
new_key(struct http_request *r, const struct ipc_git_config_is *m)
{
	(void)m;
	answer_empty(&r->answer, 204);
}
AW_ANSWER(git_config_is, new_key)

/* The master answers at all. */
static void
healthy(struct http_request *r, const struct ipc_git_config_is *m)
{
	(void)m;
	answer_text(&r->answer, 200, "ok\n");
}
AW_ANSWER(git_config_is, healthy)

static void
ready(struct http_request *r, const struct ipc_git_config_is *m)
{
	auto_free char *text = NULL;

	if (strcmp(m->status, "ready") == 0) {
		answer_text(&r->answer, 200, "ok\n");
		return;
	}
	text = xasprintf("git repository %s: %s\n", m->status, m->error);
	answer_text(&r->answer, 503, text);
}
AW_ANSWER(git_config_is, ready)

static void
ask_git_config(struct http_request *r, bool regenerate, ipc_answer_fn *fn)
{
	const struct ipc_git_config m = { .regenerate = regenerate };

	asked(r, ipc_ask_git_config(master(r), &m, fn, r));
}

static void
aw_on_git_config(struct http_request *r)
{
	struct fx_err err = { 0 };
	bool regenerate = false;

	if (spec_bool_parse((const char *)buf_head(&r->body),
		buf_left(&r->body), &regenerate, &err) != FX_OK)
		bad_request(r, &err);
	else
		ask_git_config(r, regenerate, git_config_frame);
}

static void
aw_on_public_key(struct http_request *r)
{
	ask_git_config(r, false, public_key_frame);
}

static void
aw_on_new_key(struct http_request *r)
{
	ask_git_config(r, true, new_key_frame);
}

static void
aw_on_healthz(struct http_request *r)
{
	ask_git_config(r, false, healthy_frame);
}

static void
aw_on_readyz(struct http_request *r)
{
	ask_git_config(r, false, ready_frame);
}

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

static void
aw_on_notify(struct http_request *r)
{
	struct spec_change c = { 0 };
	struct fx_err err = { 0 };

	if (parse_change(r, &c, &err) != FX_OK) {
		bad_request(r, &err);
		return;
	}
	const struct ipc_notify m = {
		.kind = c.image ? IPC_CHANGE_IMAGE : IPC_CHANGE_GIT,
		.url = c.url,
		.branch = c.branch,
		.image = c.name,
	};
	asked(r, ipc_ask_notify(master(r), &m, notified_frame, r));
	spec_change_clear(&c);
}

/* ---- updates, jobs and what became of them ------------------------------ */

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

	asked(r, ipc_ask_update(master(r), &m, update_job_frame, r));
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
	unsupported(r, what);
}

static void
aw_on_update(struct http_request *r)
{
	struct spec_update u = { 0 };
	struct fx_err err = { 0 };

	if (spec_update_parse((const char *)buf_head(&r->body),
		buf_left(&r->body), &u, &err) != FX_OK)
		bad_request(r, &err);
	else if (u.type == SPEC_SYNC)
		ask_sync(r, &u);
	else
		refuse_update(r, u.type);
	spec_update_clear(&u);
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
	struct buf *b;

	if (m->status == IPC_JOB_UNKNOWN || m->status >= nitems(names)) {
		answer_no_job(&r->answer, r->accept, param(r, "id"));
		return;
	}
	b = answer_json(&r->answer);
	str_add(b, "{\"Result\":{");
	if (*m->revision != '\0')
		jw_member(b, "revision", m->revision);
	/* written by our own encoder when the job was accepted */
	if (*m->spec != '\0')
		str_addf(b, "%s\"spec\":%s", *m->revision != '\0' ? "," : "",
		    m->spec);
	str_add(b, "},");
	jw_member(b, "Err", m->error);
	str_addc(b, ',');
	jw_member(b, "StatusString", names[m->status]);
	str_addc(b, '}');
}
AW_ANSWER(job_is, job_is)

static void
aw_on_job(struct http_request *r)
{
	const char *id = param(r, "id");
	struct ipc_job m = { .job = (char *)(uintptr_t)id };

	if (strlen(id) > IPC_MAX_NAME)
		answer_no_job(&r->answer, r->accept, id);
	else
		asked(r, ipc_ask_job(master(r), &m, job_is_frame, r));
}

static int
take_revisions(struct http_request *r, struct ipc_frame *f)
{
	struct ipc_sync_status_part m;
	struct buf *b = &r->answer.body;
	int rc = ipc_sync_status_part_decode(&f->body, &m, &f->fd);

	if (rc != FX_OK)
		return rc;
	for (size_t i = 0; i < m.revisions_len; i++) {
		str_addc(b, buf_left(b) == 0 ? '[' : ',');
		jw_string(b, m.revisions[i].hex);
	}
	ipc_sync_status_part_clear(&m);
	return FX_OK;
}

static void
sync_status(struct http_request *r, const struct ipc_sync_status_is *m)
{
	(void)m;
	str_add(&r->answer.body, buf_left(&r->answer.body) == 0 ? "[]" : "]");
	r->answer.status = 200;
	r->answer.type = ANSWER_JSON;
}
AW_ANSWER(sync_status_is, sync_status)

static int
sync_status_any_frame(void *arg, struct ipc_frame *f)
{
	return f != NULL && f->type == IPC_T_SYNC_STATUS_PART
	    ? take_revisions(arg, f)
	    : sync_status_frame(arg, f);
}

static void
aw_on_sync_status(struct http_request *r)
{
	const char *ref = param(r, "ref");
	struct ipc_sync_status m = { .ref = (char *)(uintptr_t)ref };

	if (strlen(ref) > IPC_MAX_REF)
		answer_failed(&r->answer, r->accept,
		    "the name of the revision is too long");
	else
		asked(r,
		    ipc_ask_sync_status(master(r), &m, sync_status_any_frame,
			r));
}

/* ---- understood, checked, and not served yet ---------------------------- */

static void
aw_on_services(struct http_request *r)
{
	const char *ns = param(r, "namespace"), *ids = param(r, "services");
	struct fx_err err = { 0 };

	for (const char *s = ids; *ids != '\0' && s != NULL;) {
		auto_free char *id = xstrndup(s, strcspn(s, ","));

		if (scalar_resource_id(id, &err) != FX_OK) {
			scalar_wrap(&err, "parsing service spec", id);
			bad_request(r, &err);
			return;
		}
		s = strchr(s, ',');
		s = s == NULL ? NULL : s + 1;
	}
	if (*ns != '\0' && *ids != '\0')
		answer_failed(&r->answer, r->accept,
		    "cannot filter by 'namespace' and 'workloads' at the same "
		    "time");
	else
		unsupported(r, "listing workloads is");
}

static void
aw_on_images(struct http_request *r)
{
	const char *service = param(r, "service");
	struct fx_err err = { 0 };

	if (*service == '\0')
		service = "<all>";
	if (scalar_resource_spec(service, &err) != FX_OK) {
		scalar_wrap(&err, "parsing service spec", service);
		bad_request(r, &err);
	} else if (*param(r, "namespace") != '\0' &&
	    strcmp(service, "<all>") != 0) {
		answer_failed(&r->answer, r->accept,
		    "cannot filter by 'namespace' and 'workload' at the same "
		    "time");
	} else {
		unsupported(r, "listing images is");
	}
}

static void
aw_on_export(struct http_request *r)
{
	unsupported(r, "exporting is");
}

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

	return v == NULL ? param(r, key) : v;
}

static int
check_update_images(const struct http_request *r,
    const struct target_params *form, struct fx_err *err)
{
	const struct target_params *query = &r->target.params;
	const char *image = param(r, "image"), *kind = param(r, "kind");
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

static void
aw_on_update_images(struct http_request *r)
{
	struct target_params form = { 0 };
	struct fx_err err = { 0 };

	if ((r->form &&
		params_parse((const char *)buf_head(&r->body),
		    buf_left(&r->body), &form, &err) != FX_OK) ||
	    check_update_images(r, &form, &err) != FX_OK)
		bad_request(r, &err);
	else
		refuse_update(r, SPEC_IMAGE);
	params_clear(&form);
}

static void
aw_on_policies(struct http_request *r)
{
	struct fx_err err = { 0 };

	if (spec_policies_check((const char *)buf_head(&r->body),
		buf_left(&r->body), &err) != FX_OK ||
	    spec_cause_check(param(r, "user"), param(r, "message"), &err) !=
		FX_OK)
		bad_request(r, &err);
	else
		refuse_update(r, SPEC_POLICY);
}

/* ---- the server's hooks ------------------------------------------------- */

static void (*const serve[ROUTE_COUNT])(struct http_request *) = {
#define ROUTE(name, methods, path, query, handler) [ROUTE_##name] = handler,
#include "routes.def"
};

static void
aw_serve(struct http_request *r)
{
	struct answer *a = &r->answer;

	if (r->route.id < ROUTE_COUNT)
		serve[r->route.id](r);
	else if (r->route.id == ROUTE_DEPRECATED)
		answer_deprecated(a, r->accept);
	else if (r->route.id == ROUTE_NOT_FOUND)
		answer_no_route(a, r->accept, r->route.path);
	else if (r->route.id == ROUTE_REDIRECT)
		answer_redirect(a, r->route.path, r->target.query,
		    r->method == M_GET);
	else
		answer_no_page(a);
}

static void
aw_abandon(struct http_request *r)
{
	ipc_cancel(master(r), r->ask);
	r->ask = 0;
	forget_work(r);
}

/* What is measured is the API; its labels are a small fixed set. */
static void
aw_answered(const struct http_request *r, int64_t took_us)
{
	struct aw_state *s = r->ctx;
	auto_free char *labels = NULL;

	/* observations are lost before they crowd out questions */
	if (buf_left(&s->w->master.out) > METRICS_QUEUE_MAX ||
	    r->route.name == NULL || r->route.id == ROUTE_Metrics ||
	    r->route.id == ROUTE_Healthz || r->route.id == ROUTE_Readyz ||
	    r->route.id == ROUTE_NO_PAGE || r->route.id == ROUTE_REDIRECT)
		return;
	labels = xasprintf("method=\"%s\",route=\"%s\",status_code=\"%u\","
			   "ws=\"false\"",
	    route_method_name(r->method), r->route.name, r->answer.status);
	worker_metric(s->w, METRIC_REQUEST_DURATION, labels, took_us);
}

/* ---- life --------------------------------------------------------------- */

static int
find_group(struct peer_rule *rule, const char *name, struct fx_err *err)
{
	const struct group *g = getgrnam(name);

	if (g == NULL)
		return fx_fail(err, FX_EUNKNOWN,
		    "--listen-group: there is no group %s", name);
	rule->has_group = true;
	rule->group = g->gr_gid;
	return FX_OK;
}

int
aw_open(struct aw_state *s, struct worker *w, struct fx_err *err)
{
	const struct http_hooks hooks = {
		.ctx = s,
		.serve = aw_serve,
		.abandon = aw_abandon,
		.answered = aw_answered,
	};
	bool metrics_apart = *w->cfg.listen_metrics != '\0';
	int r;

	s->w = w;
	jr_open();
	if (*w->cfg.listen_group != '\0' &&
	    (r = find_group(&s->rule, w->cfg.listen_group, err)) != FX_OK)
		return r;
	if ((r = http_new(&s->http, w->loop, &hooks, err)) != FX_OK)
		return r;
	for (size_t i = 0; i < w->nlisteners; i++) {
		const struct worker_listener *l = &w->listeners[i];
		bool local = l->kind == IPC_LISTEN_UNIX;

		if (local && peer_owner(l->fd, &s->rule.owner) != FX_OK)
			return fx_fail(err, FX_ESYS,
			    "a listener is no Unix socket");
		http_listen(s->http, l->fd,
		    l->kind == IPC_LISTEN_METRICS ? SCOPE_METRICS
			: metrics_apart		  ? SCOPE_API
						  : SCOPE_ALL,
		    local ? &s->rule : NULL);
	}
	return FX_OK;
}

void
aw_close(struct aw_state *s)
{
	http_free(&s->http);
}
