/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "sw.h"

#include "fd.h"
#include "inventory.h"
#include "log.h"
#include "marker.h"
#include "metric_ids.h"
#include "str.h"

#include <stdio.h>

#define CREDIT_WAIT_US (5 * CLK_MS)
#define PART_ERRORS_MAX 1024
#define VERSION_MAX (64 * 1024)
/* Clients wait ten seconds; this once for a connection and once for the answer.
 * Who lets them wait longer is taken for dead by the master. */
#define VERSION_US (4 * CLK_SEC)

/* ---- scopes ----------------------------------------------------------- */

struct scopes_ask {
	struct sw *sw;
	struct ipc_req req;
	struct ipc_scopes m; /* owned */
};

static const char *
default_namespace(const struct sw *sw)
{
	if (sw->w->cfg.k8s_default_namespace[0] != '\0')
		return sw->w->cfg.k8s_default_namespace;
	return sw->login.kc.ns != NULL ? sw->login.kc.ns : "default";
}

static bool
knows_all(const struct cluster *c, const struct ipc_scopes *m)
{
	for (size_t i = 0; i < m->kinds_len; i++)
		if (cluster_find_kind(c, m->kinds[i].api_version,
			m->kinds[i].kind) == NULL)
			return false;
	return true;
}

static void
answer_scopes(struct sw *sw, const struct ipc_req *req,
    const struct ipc_scopes *m)
{
	struct ipc_scope *scopes = xcalloc(m->kinds_len + 1, sizeof(*scopes));
	struct ipc_scopes_are out = { .scopes = scopes,
		.scopes_len = m->kinds_len,
		.default_ns = (char *)(uintptr_t)default_namespace(sw) };

	for (size_t i = 0; i < m->kinds_len; i++) {
		const struct disc_kind *d = cluster_find_kind(sw->cluster,
		    m->kinds[i].api_version, m->kinds[i].kind);
		char why[FX_ERR_TEXT_MAX] = "";

		if (d == NULL)
			cluster_why_unknown(sw->cluster,
			    m->kinds[i].api_version, m->kinds[i].kind, why,
			    sizeof(why));
		scopes[i].scope = d == NULL ? IPC_SCOPE_UNKNOWN
		    : d->namespaced	    ? IPC_SCOPE_NAMESPACED
					    : IPC_SCOPE_CLUSTER;
		scopes[i].why = xstrdup(why);
	}
	(void)ipc_reply_scopes_are(req, &out);
	for (size_t i = 0; i < m->kinds_len; i++)
		free(scopes[i].why);
	free(scopes);
}

static void
on_refreshed(void *arg, const struct fx_err *err)
{
	struct scopes_ask *ask = arg;
	struct fx_err e = *err;

	if (err->code != FX_OK)
		log_at(LVL_WARN, KS("warning", "cannot ask for API resources"),
		    KS("err", err->text));
	if (err->code == FX_OK || ask->sw->cluster->refresh.loaded) {
		answer_scopes(ask->sw, &ask->req, &ask->m);
	} else {
		fx_wrap(&e, "error looking up API resources");
		(void)ipc_reply_fail(&ask->req, &e);
	}
	ipc_scopes_clear(&ask->m);
	free(ask);
}

static int
sw_on_scopes(struct sw *sw, const struct ipc_req *req, struct ipc_scopes *m)
{
	struct cluster *c = sw->cluster;
	struct scopes_ask *ask;

	readers_rest(&sw->readers); /* a load is what ends in a pass */
	if (sw->dead.code != FX_OK)
		return ipc_reply_fail(req, &sw->dead);
	if (c->refresh.loaded && !c->catalog_stale &&
	    (knows_all(c, m) || !refresh_may_help(c))) {
		answer_scopes(sw, req, m);
		return FX_OK;
	}
	ask = xcalloc(1, sizeof(*ask));
	*ask = (struct scopes_ask){ sw, *req, *m };
	*m = (struct ipc_scopes){ 0 };
	refresh_catalog(c, on_refreshed, ask);
	return FX_OK;
}
IPC_HANDLER(scopes, sw_on_scopes, struct sw)

static int
sw_on_rest(struct sw *sw, const struct ipc_req *req, struct ipc_rest *m)
{
	(void)req;
	if (m->on)
		readers_expect(&sw->readers);
	else
		readers_go_on(&sw->readers);
	return FX_OK;
}
IPC_HANDLER(rest, sw_on_rest, struct sw)

/* ---- version ---------------------------------------------------------- */

struct version_ask {
	struct sw *sw;
	struct ipc_req req;
};

static void
on_version(void *arg, struct answer *a)
{
	struct version_ask *ask = arg;
	struct sw *sw = ask->sw;
	const struct kc_url *u = &sw->login.url;
	auto_json json_t *doc = NULL;
	char host[600];
	struct ipc_cluster_is m = { .host = host };

	snprintf(host, sizeof(host),
	    strchr(u->host, ':') != NULL ? "%s://[%s]:%u%s" : "%s://%s:%u%s",
	    u->tls ? "https" : "http", u->host, u->port, u->prefix);
	doc = sw_answer(a);
	if (doc == NULL) {
		(void)ipc_reply_fail(&ask->req, &a->err);
	} else {
		m.version = (char *)(uintptr_t)sw_json_str(doc, "gitVersion");
		if (ipc_reply_cluster_is(&ask->req, &m) == FX_ELIMIT)
			(void)ipc_reply_failf(&ask->req, FX_ELIMIT,
			    "the API server's version is too long");
	}
	free(ask);
}

static int
sw_on_cluster(struct sw *sw, const struct ipc_req *req, struct ipc_cluster *m)
{
	struct version_ask *ask;
	struct request *r;
	struct buf path = BUF_INIT(64);

	(void)m;
	if (sw->dead.code != FX_OK)
		return ipc_reply_fail(req, &sw->dead);
	ask = xcalloc(1, sizeof(*ask));
	*ask = (struct version_ask){ sw, *req };
	(void)str_add(&path, "/version");
	r = cluster_get(sw->cluster, &path, NULL, VERSION_MAX, on_version, ask);
	if (r->timeout_us > VERSION_US)
		r->timeout_us = VERSION_US;
	r->hurried = true;
	client_send(sw->cluster->client, LANE_REQUESTS, r);
	return FX_OK;
}
IPC_HANDLER(cluster, sw_on_cluster, struct sw)

const char *
sw_own_namespace(struct sw *sw)
{
	struct buf text = BUF_INIT(IPC_MAX_NAME);
	auto_fd int fd = -1;

	if (sw->own_ns != NULL)
		return sw->own_ns;
	fd = worker_take_file(sw->w, IPC_FILE_SA_NAMESPACE);
	if (fd == -1 || worker_read_all(sw->w, fd, &text) != FX_OK ||
	    buf_left(&text) == 0) {
		sw->own_ns = xstrdup(
		    sw->login.kc.ns != NULL ? sw->login.kc.ns : "default");
	} else {
		sw->own_ns = str_take(&text);
		sw->own_ns[strcspn(sw->own_ns, " \r\n")] = '\0';
	}
	return sw->own_ns;
}

/* ---- passes ---------------------------------------------------------- */

void
reply_error(void *arg, const char *id, const char *source, const char *text)
{
	struct sw *sw = arg;
	struct sw_reply *rep = &sw->reply;

	last_errors_add(&sw->last_errors, id, text);
	if (rep->nerrors == rep->cap) {
		rep->cap = rep->cap == 0 ? 16 : 2 * rep->cap;
		rep->errors =
		    xreallocarray(rep->errors, rep->cap, sizeof(*rep->errors));
	}
	rep->errors[rep->nerrors++] =
	    (struct sw_error){ xstrdup(id), xstrdup(source), xstrdup(text) };
}

/* The words are upstream's, and so is method=Sync in front of them. */
void
reply_note(void *arg, const char *key, const char *text, const char *id,
    const char *source)
{
	enum log_level level = strcmp(key, "info") == 0 ? LVL_INFO : LVL_WARN;

	(void)arg;
	if (strcmp(key, "resources") == 0)
		log_at(level, KS("method", "Sync"),
		    KS("warning",
			"not applying resources; excluded by namespace "
			"constraints"),
		    KS(key, text));
	else if (source != NULL)
		log_at(level, KS("method", "Sync"), KS(key, text),
		    KS("resource", id), KS("source", source));
	else
		log_at(level, KS("method", "Sync"), KS(key, text),
		    KS("resource", id));
}

void
reply_contested(void *arg, const char *id, const char *source,
    const char *rivals)
{
	struct sw *sw = arg;

	log_at(LVL_WARN,
	    KS("warning", "somebody else changes it again and again"),
	    KS("resource", id), KS("source", source), KS("rivals", rivals));
	worker_metric(sw->w, METRIC_CONTESTED_OBJECTS, "", 1000000);
}

void
reply_unlisted(void *arg, uint64_t n, const char *kinds, const char *why)
{
	struct sw *sw = arg;

	worker_metric(sw->w, METRIC_UNLISTED_KINDS, "", (int64_t)n * 1000000);
	if (why != NULL)
		log_at(LVL_WARN, KS("method", "Sync"),
		    KS("warning", "not allowed to list resources"),
		    KS("err", why), KS("kinds", kinds));
}

void
reply_inventory(void *arg, const char *where, bool kept, const char *why)
{
	struct sw *sw = arg;

	worker_metric(sw->w, METRIC_INVENTORY_KEPT, "", kept ? 1000000 : 0);
	if (why != NULL)
		log_at(LVL_WARN, KS("method", "Sync"),
		    KS("warning", "the inventory is not kept"),
		    KS("configmap", where), KS("err", why));
}

void
reply_drift(void *arg, uint64_t objects)
{
	struct sw *sw = arg;
	struct ipc_drift m = { .objects = objects };

	(void)ipc_tell_drift(&sw->w->master, &m);
}

void
reply_collect(void *arg, const char *key, const char *text, bool dry,
    const char *id)
{
	enum log_level level = strcmp(key, "info") == 0 ? LVL_INFO : LVL_WARN;

	(void)arg;
	if (id != NULL)
		log_at(level, KS(key, text), KB("dry-run", dry),
		    KS("resource", id));
	else
		log_at(level, KS(key, text), KB("dry-run", dry));
}

void
reply_clear(struct sw *sw)
{
	struct sw_reply *rep = &sw->reply;

	for (size_t i = 0; i < rep->nerrors; i++) {
		free(rep->errors[i].id);
		free(rep->errors[i].source);
		free(rep->errors[i].text);
	}
	free(rep->errors);
	loop_timer_stop(sw->w->loop, &rep->timer);
	*rep = (struct sw_reply){ 0 };
}

/* One part of errors, as many as fill it. */
static void
send_part(struct sw_reply *rep)
{
	struct ipc_sync_error e[PART_ERRORS_MAX];
	size_t n = 0, bytes = 0;

	for (; n < nitems(e) && rep->sent + n < rep->nerrors &&
	     bytes < IPC_PART_TARGET;
	     n++) {
		const struct sw_error *from = &rep->errors[rep->sent + n];

		e[n] = (struct ipc_sync_error){ from->id, from->source,
			from->text };
		bytes += strlen(from->id) + strlen(from->source) +
		    strlen(from->text);
	}
	rep->sent += n;
	if (rep->result.repair)
		(void)ipc_reply_repair_errors(&rep->req,
		    &(struct ipc_repair_errors){ .errors = e,
			.errors_len = n });
	else
		(void)ipc_reply_apply_errors(&rep->req,
		    &(struct ipc_apply_errors){ .errors = e, .errors_len = n });
}

static void
send_end(struct sw_reply *rep)
{
	const struct pass_result *r = &rep->result;
	const struct ipc_repaired repaired = { .patched = r->patched,
		.errors = r->errors };
	const struct ipc_applied applied = {
		.resources = r->resources,
		.patched = r->patched,
		.unchanged = r->unchanged,
		.ignored = r->ignored,
		.deleted = r->deleted,
		.errors = r->errors,
	};

	if (r->repair)
		(void)ipc_reply_repaired(&rep->req, &repaired);
	else
		(void)ipc_reply_applied(&rep->req, &applied);
}

/* Errors go out as the receiver takes them, then the end. */
static void
send_reply(struct loop *l, void *arg)
{
	struct sw *sw = arg;
	struct sw_reply *rep = &sw->reply;

	while (rep->sent < rep->nerrors && ipc_credit(&rep->req))
		send_part(rep);
	if (rep->sent < rep->nerrors && !ipc_cancelled(&rep->req)) {
		loop_timer_in(l, &rep->timer, CREDIT_WAIT_US);
		return;
	}
	send_end(rep);
	reply_clear(sw);
}

/* Is nothing wrong any more with what was an error? */
static bool
is_right(void *arg, const char *id)
{
	const struct objects *t = &((struct sw *)arg)->cluster->objects;
	const struct object *o = NULL;
	bool right = false;

	while ((o = objects_next(t, id, o)) != NULL) {
		if (o->error != NULL || object_is_contested(o))
			return false;
		right |= o->state == OBJ_CLEAN;
	}
	return right;
}

static void
learn_errors(struct sw *sw, const struct pass_result *result)
{
	if (result->err.code != FX_OK) {
		last_errors_drop(&sw->last_errors);
		return;
	}
	last_errors_settle(&sw->last_errors, !result->repair);
	if (result->repair)
		last_errors_forget(&sw->last_errors, is_right, sw);
}

void
reply_done(void *arg, const struct pass_result *result)
{
	struct sw *sw = arg;
	struct sw_reply *rep = &sw->reply;

	learn_errors(sw, result);
	readers_go_on(&sw->readers);
	rep->result = *result;
	if (result->err.code != FX_OK) {
		(void)ipc_reply_fail(&rep->req, &result->err);
		reply_clear(sw);
		return;
	}
	rep->timer = (struct loop_timer){ .fn = send_reply, .arg = sw };
	send_reply(sw->w->loop, sw);
}

/* May a pass begin?  Answers if not. */
static bool
begin(struct sw *sw, const struct ipc_req *req)
{
	if (sw->dead.code != FX_OK) {
		(void)ipc_reply_fail(req, &sw->dead);
		return false;
	}
	if (sw->reply.active) {
		(void)ipc_reply_failf(req, FX_EAGAIN,
		    "another pass is running");
		return false;
	}
	sw->reply.active = true;
	sw->reply.req = *req;
	return true;
}

static void
begun(struct sw *sw, int r, struct fx_err *err)
{
	struct pass_result failed = { .err = *err };

	if (r != FX_OK)
		reply_done(sw, &failed);
}

static int
sw_on_apply(struct sw *sw, const struct ipc_req *req, struct ipc_apply *m)
{
	struct fx_err err = { 0 };

	if (!begin(sw, req))
		return FX_OK;
	if (sw->cluster->inventory != NULL)
		inventory_place(sw->cluster->inventory, sw_own_namespace(sw));
	begun(sw, pass_apply(sw->cluster, m->set, m->incomplete, &err), &err);
	return FX_OK;
}
IPC_HANDLER(apply, sw_on_apply, struct sw)

static int
sw_on_repair(struct sw *sw, const struct ipc_req *req, struct ipc_repair *m)
{
	struct fx_err err = { 0 };

	(void)m;
	if (begin(sw, req))
		begun(sw, pass_repair(sw->cluster, &err), &err);
	return FX_OK;
}
IPC_HANDLER(repair, sw_on_repair, struct sw)

/* ---- marker ----------------------------------------------------------- */

struct marker_wait {
	struct sw *sw;
	struct ipc_req req;
};

static void
on_marker(void *arg, const char *revision, const struct fx_err *err)
{
	auto_free struct marker_wait *wait = arg;
	struct sw *sw = wait->sw;
	auto_free char *where = xasprintf("kubernetes %s:secret/%s", sw->own_ns,
	    sw->w->cfg.k8s_secret_name);
	const struct ipc_marker_is is = { .revision =
					      (char *)(uintptr_t)revision,
		.where = where };
	const struct ipc_marker_written written = { 0 };

	if (err != NULL)
		(void)ipc_reply_fail(&wait->req, err);
	else if (wait->req.type == IPC_T_MARKER_READ)
		(void)ipc_reply_marker_is(&wait->req, &is);
	else
		(void)ipc_reply_marker_written(&wait->req, &written);
}

/* Where to; NULL if we can do nothing, and then that is answered. */
static struct marker_wait *
marker_wait_for(struct sw *sw, const struct ipc_req *req)
{
	struct marker_wait *wait;

	if (sw->dead.code != FX_OK) {
		(void)ipc_reply_fail(req, &sw->dead);
		return NULL;
	}
	wait = xcalloc(1, sizeof(*wait));
	*wait = (struct marker_wait){ sw, *req };
	return wait;
}

static int
sw_on_marker_read(struct sw *sw, const struct ipc_req *req,
    struct ipc_marker_read *m)
{
	struct marker_wait *wait = marker_wait_for(sw, req);

	(void)m;
	if (wait != NULL)
		marker_read(sw->cluster, sw_own_namespace(sw),
		    sw->w->cfg.k8s_secret_name, on_marker, wait);
	return FX_OK;
}
IPC_HANDLER(marker_read, sw_on_marker_read, struct sw)

static int
sw_on_marker_write(struct sw *sw, const struct ipc_req *req,
    struct ipc_marker_write *m)
{
	struct marker_wait *wait = marker_wait_for(sw, req);

	if (wait != NULL)
		marker_write(sw->cluster, sw_own_namespace(sw),
		    sw->w->cfg.k8s_secret_name, m->revision, on_marker, wait);
	return FX_OK;
}
IPC_HANDLER(marker_write, sw_on_marker_write, struct sw)

IPC_HANDLER(workloads, sw_on_workloads, struct sw)
IPC_HANDLER(export, sw_on_export, struct sw)
IPC_HANDLER(key_store, sw_on_key_store, struct sw)

static int
sw_on_sync_errors(struct sw *sw, const struct ipc_req *req,
    struct ipc_sync_errors *m)
{
	const struct last_errors *all = &sw->last_errors;
	struct ipc_failed_object errors[IPC_MAX_SHOWN];
	struct ipc_sync_errors_are out = { .total = all->n, .errors = errors };

	(void)m;
	while (out.errors_len < nitems(errors) && out.errors_len < all->n) {
		errors[out.errors_len] =
		    (struct ipc_failed_object){ all->v[out.errors_len].id,
			    all->v[out.errors_len].text };
		out.errors_len++;
	}
	return ipc_reply_sync_errors_are(req, &out);
}
IPC_HANDLER(sync_errors, sw_on_sync_errors, struct sw)

static int
sw_on_no_file(struct sw *sw, const struct ipc_req *req, struct ipc_no_file *m)
{
	(void)sw;
	(void)req;
	(void)m;
	return FX_OK; /* what cannot be opened is told in answer to REOPEN */
}
IPC_HANDLER(no_file, sw_on_no_file, struct sw)

const struct ipc_handler sw_handlers[] = {
	{ IPC_T_SCOPES, sw_on_scopes_frame },
	{ IPC_T_CLUSTER, sw_on_cluster_frame },
	{ IPC_T_REST, sw_on_rest_frame },
	{ IPC_T_APPLY, sw_on_apply_frame },
	{ IPC_T_REPAIR, sw_on_repair_frame },
	{ IPC_T_MARKER_READ, sw_on_marker_read_frame },
	{ IPC_T_MARKER_WRITE, sw_on_marker_write_frame },
	{ IPC_T_WORKLOADS, sw_on_workloads_frame },
	{ IPC_T_EXPORT, sw_on_export_frame },
	{ IPC_T_KEY_STORE, sw_on_key_store_frame },
	{ IPC_T_SYNC_ERRORS, sw_on_sync_errors_frame },
	{ IPC_T_NO_FILE, sw_on_no_file_frame },
};
const size_t sw_nhandlers = nitems(sw_handlers);
