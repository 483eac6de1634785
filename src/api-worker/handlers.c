/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include <grp.h>

#include "ask.h"
#include "call.h"
#include "exposition.h"
#include "jsonr.h"

#define METRICS_QUEUE_MAX (256u << 10) /* bytes waiting for the master */

/* ---- the server's hooks ------------------------------------------------- */

enum access { OPEN, TOKEN };

static const struct {
	void (*serve)(struct http_request *);
	enum access access;
} routes[ROUTE_COUNT] = {
#define ROUTE(name, methods, path, query, access, handler)                     \
	[ROUTE_##name] = { handler, access },
#include "routes.def"
};

void
aw_route(struct http_request *r)
{
	struct answer *a = &r->answer;

	if (r->route.id < ROUTE_COUNT)
		routes[r->route.id].serve(r);
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

/* A route that does not exist is nobody's secret.  Whoever comes by the Unix
 * socket is known to the kernel, and a listener of its own for metrics is there
 * for those who have no token. */
static bool
may_serve(struct http_request *r)
{
	struct aw_state *s = r->ctx;

	return !s->token.wanted || r->route.id >= ROUTE_COUNT ||
	    routes[r->route.id].access == OPEN || !http_is_public(r) ||
	    token_fits(&s->token, http_header(r, "Authorization"));
}

static int
on_token(void *arg, struct ipc_frame *f)
{
	struct http_request *r = arg;
	struct aw_state *s = r->ctx;
	int rc = token_take(&s->token, f);

	r->ask = 0;
	if (rc == FX_OK && may_serve(r))
		aw_route(r);
	else
		answer_unauthorized(&r->answer, r->accept);
	if (r->answer.status != 0)
		http_answered(r);
	return rc;
}

/* A token that is not ours may be the one that is in the file now. */
static void
aw_serve(struct http_request *r)
{
	const struct ipc_reopen m = { .which = IPC_FILE_API_TOKEN };

	if (may_serve(r)) {
		aw_route(r);
		return;
	}
	if (http_header(r, "Authorization") != NULL)
		r->ask = ipc_ask_reopen(aw_master(r), &m, on_token, r);
	if (r->ask == 0)
		answer_unauthorized(&r->answer, r->accept);
}

void
aw_abandon(struct http_request *r)
{
	ipc_cancel(aw_master(r), r->ask);
	r->ask = 0;
	aw_forget(r);
}

/* The names of counts that others' servers keep of scrapes, too. */
static void
count_scrape(struct aw_state *s, unsigned status)
{
	auto_free char *labels = xasprintf("code=\"%u\"", status);

	worker_metric(s->w, METRIC_SCRAPES, labels, 1000000);
}

/* What is measured is the API; its labels are a small fixed set. */
void
aw_answered(const struct http_request *r, unsigned status, int64_t took_us)
{
	struct aw_state *s = r->ctx;
	auto_free char *labels = NULL;

	/* observations are lost before they crowd out questions */
	if (buf_left(&s->w->master.out) > METRICS_QUEUE_MAX ||
	    r->route.name == NULL || r->route.id == ROUTE_Healthz ||
	    r->route.id == ROUTE_Readyz || r->route.id == ROUTE_NO_PAGE ||
	    r->route.id == ROUTE_REDIRECT)
		return;
	if (r->route.id == ROUTE_Metrics) {
		count_scrape(s, status);
		return;
	}
	labels = xasprintf("method=\"%s\",route=\"%s\",status_code=\"%u\","
			   "ws=\"%s\"",
	    route_method_name(r->method), r->route.name, status,
	    r->caller != NULL ? "true" : "false");
	worker_metric(s->w, METRIC_REQUEST_DURATION, labels, took_us);
}

/* ---- the master's word --------------------------------------------------- */

static int
aw_on_reload(struct aw_state *s, const struct ipc_req *req,
    struct ipc_reload *m)
{
	(void)req;
	(void)m;
	if (s->token.wanted)
		token_again(&s->token);
	return FX_OK;
}
IPC_HANDLER(reload, aw_on_reload, struct aw_state)
IPC_HANDLER(call, call_begin, struct aw_state)

const struct ipc_handler aw_handlers[] = {
	{ IPC_T_RELOAD, aw_on_reload_frame },
	{ IPC_T_CALL, call_begin_frame },
};
const size_t aw_nhandlers = nitems(aw_handlers);

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
	w->master.relay = call_control;
	places_init(&s->places, w->loop);
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
	calls_clear(s);
	http_free(&s->http);
	places_clear(&s->places);
	token_clear(&s->token);
}
