/* SPDX-License-Identifier: Apache-2.0 */
/* Frames for the master itself, from the launcher and workers; those of clients
 * are in clients.c. */
#include "base.h"
#include "master.h"

#include "log.h"
#include "relay.h"
#include "str.h"

#include <stdio.h>
#include <unistd.h>

#define OPEN_LIMIT_US (10 * CLK_SEC) /* an answer of the launcher */
#define REOPEN_EVERY_US CLK_SEC

/* ---- life -----------------------------------------------------------------
 */

static int
on_ready(struct child *c, const struct ipc_req *req, struct ipc_ready *a)
{
	(void)req;
	if (a->table_id != ipc_table_id()) {
		log_at(LVL_ERROR, KS("component", "supervisor"),
		    KS("err", "the program is of another version of fluxd"),
		    KS("worker", child_name(c)));
		return FX_EDENIED;
	}
	child_is_ready(c, a);
	return FX_OK;
}
IPC_HANDLER(ready, on_ready, struct child)

static int
on_log(struct child *c, const struct ipc_req *req, struct ipc_log *a)
{
	(void)req;
	return logger_from_child(&c->m->log, c, a);
}
IPC_HANDLER(log, on_log, struct child)

static int
on_metric(struct child *c, const struct ipc_req *req, struct ipc_metric *a)
{
	(void)req;
	return metrics_from_child(c->m->metrics, c->role, a);
}
IPC_HANDLER(metric, on_metric, struct child)

static int
on_exited(struct child *launcher, const struct ipc_req *req,
    struct ipc_exited *a)
{
	struct master *m = launcher->m;

	(void)req;
	for (size_t i = 0; i < m->nchildren; i++)
		if (m->children[i].role == a->role &&
		    m->children[i].instance == a->instance)
			child_exited(&m->children[i], a->pid, a->status);
	return FX_OK;
}
IPC_HANDLER(exited, on_exited, struct child)

/* ---- sync -----------------------------------------------------------------
 */

/* A relative path in a kubeconfig counts from where the kubeconfig is. */
static char *
beside_kubeconfig(const struct master *m, const char *path)
{
	const char *kubeconfig = m->paths[IPC_FILE_KUBECONFIG];
	const char *slash =
	    kubeconfig == NULL ? NULL : strrchr(kubeconfig, '/');

	if (path[0] == '/' || slash == NULL)
		return xstrdup(path);
	return xasprintf("%.*s/%s", (int)(slash - kubeconfig), kubeconfig,
	    path);
}

/* The files that the kubeconfig names, once: later ones are not believed. */
static int
on_paths_named(struct child *c, const struct ipc_req *req,
    struct ipc_paths_named *a)
{
	struct master *m = c->m;

	(void)req;
	if (m->paths_named)
		return FX_OK; /* a new incarnation reads the same kubeconfig */
	m->paths_named = true;
	for (size_t i = 0; i < a->paths_len; i++) {
		auto_free char *path = beside_kubeconfig(m, a->paths[i].s);
		struct ipc_late_path p = { .number = IPC_FILE_NAMED + i,
			.path = path };

		(void)ipc_tell_late_path(&m->launcher.peer, &p);
	}
	return FX_OK;
}
IPC_HANDLER(paths_named, on_paths_named, struct child)

static int
on_endpoint(struct child *c, const struct ipc_req *req, struct ipc_endpoint *a)
{
	struct master *m = c->m;

	(void)req;
	if (m->api_host == NULL) {
		m->api_host = fx_steal(&a->host);
		m->api_port = a->port;
	}
	return FX_OK;
}
IPC_HANDLER(endpoint, on_endpoint, struct child)

/* At start it is the operator who has to do something; later, in a worker that
 * was started anew, the old address stays and passes fail with the reason. */
static int
on_no_endpoint(struct child *c, const struct ipc_req *req,
    struct ipc_no_endpoint *a)
{
	(void)req;
	(void)a; /* logged already, by the worker */
	if (c->m->api_host == NULL)
		mst_stop(c->m, "no usable cluster is configured", 1);
	return FX_OK;
}
IPC_HANDLER(no_endpoint, on_no_endpoint, struct child)

static int
on_reopened(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	auto_free struct ipc_req *req = arg;
	struct ipc_opened a;
	struct ipc_reopened out = { .fd = -1 };
	int r;

	if (err != NULL) {
		(void)ipc_reply_fail(req, err);
		return FX_OK;
	}
	r = ipc_opened_decode(&f->body, &a, &f->fd);
	if (r != FX_OK)
		return r;
	out.fd = a.fd;
	(void)ipc_reply_reopened(req, &out);
	return FX_OK;
}

static bool
may_reopen(const struct master *m, enum ipc_role role, uint64_t which)
{
	if (role == IPC_R_API)
		return which == IPC_FILE_API_TOKEN;
	if (which >= IPC_FILE_NAMED)
		return m->paths_named &&
		    which < IPC_FILE_NAMED + IPC_MAX_NAMED_PATHS;
	return which == IPC_FILE_KUBECONFIG || which == IPC_FILE_SA_TOKEN ||
	    which == IPC_FILE_SA_CA;
}

static int
on_reopen(struct child *c, const struct ipc_req *req, struct ipc_reopen *a)
{
	struct master *m = c->m;
	struct ipc_open q = { .number = a->which };
	struct ipc_req *keep;
	int64_t now = clk_now_us();

	if (!may_reopen(m, c->role, a->which))
		return FX_EDENIED;
	if (m->reopened_us[a->which] != 0 &&
	    now - m->reopened_us[a->which] < REOPEN_EVERY_US)
		return ipc_reply_failf(req, FX_EAGAIN,
		    "opened less than a second ago");
	m->reopened_us[a->which] = now;
	keep = xmalloc(sizeof(*keep));
	*keep = *req;
	if (MST_ASK(&m->launcher, open, OPEN, &q, OPEN_LIMIT_US, on_reopened,
		keep) != NULL)
		return FX_OK;
	free(keep);
	return ipc_reply_failf(req, FX_EAGAIN, "the launcher is overloaded");
}
IPC_HANDLER(reopen, on_reopen, struct child)

static int
on_drift(struct child *c, const struct ipc_req *req, struct ipc_drift *a)
{
	(void)req;
	(void)a;
	repair_request(c->m);
	return FX_OK;
}
IPC_HANDLER(drift, on_drift, struct child)
IPC_HANDLER(event_next, spool_on_next, struct child)

static int
on_service(struct child *c, const struct ipc_req *req, struct ipc_service *a)
{
	struct master *m = c->m;

	(void)req;
	m->service_since_us =
	    a->state == IPC_SERVICE_CONNECTED ? clk_now_us() : 0;
	if (a->state == IPC_SERVICE_GONE)
		mst_stop(m, "the service of --connect is gone", 1);
	return FX_OK;
}
IPC_HANDLER(service, on_service, struct child)

static const struct ipc_handler handlers[] = {
	{ IPC_T_READY, on_ready_frame },
	{ IPC_T_LOG, on_log_frame },
	{ IPC_T_METRIC, on_metric_frame },
	{ IPC_T_EXITED, on_exited_frame },
	{ IPC_T_PATHS_NAMED, on_paths_named_frame },
	{ IPC_T_ENDPOINT, on_endpoint_frame },
	{ IPC_T_NO_ENDPOINT, on_no_endpoint_frame },
	{ IPC_T_REOPEN, on_reopen_frame },
	{ IPC_T_DRIFT, on_drift_frame },
	{ IPC_T_EVENT_NEXT, spool_on_next_frame },
	{ IPC_T_SERVICE, on_service_frame },
};

/* What a row of the table of messages does not let a role send never gets to
 * its handler, so all of them have the same ones. */
void
mst_wire(struct child *c)
{
	static struct ipc_handler all[32];
	static size_t n;

	if (n == 0) {
		memcpy(all, handlers, sizeof(handlers));
		memcpy(all + nitems(handlers), mst_client_handlers,
		    mst_nclient_handlers * sizeof(*all));
		n = nitems(handlers) + mst_nclient_handlers;
		if (n > nitems(all))
			fx_bug("too many handlers");
	}
	ipc_peer_handlers(&c->peer, all, n, c);
	c->peer.relay = relay_frame;
}
