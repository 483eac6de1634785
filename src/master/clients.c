/* SPDX-License-Identifier: Apache-2.0 */
/* What clients ask, through the api worker. */
#include "base.h"
#include "master.h"

#include "log.h"
#include "status.h"
#include "str.h"

#include <stdio.h>

#define CLIENT_LIMIT_US (10 * CLK_SEC) /* a client's question to a worker */

/* Who waits while a worker is asked. */
struct client_wait {
	struct master *m;
	struct ipc_req req;
};

static int
on_client_pong(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	auto_free struct ipc_req *req = arg;
	struct ipc_client_pong out = { 0 };

	(void)f;
	if (err != NULL)
		(void)ipc_reply_fail(req, err);
	else
		(void)ipc_reply_client_pong(req, &out);
	return FX_OK;
}

static int
on_client_ping(struct child *c, const struct ipc_req *req,
    struct ipc_client_ping *a)
{
	struct ipc_cluster q = { 0 };
	struct ipc_req *keep = xmalloc(sizeof(*keep));

	(void)a;
	*keep = *req;
	if (MST_ASK(mst_child(c->m, IPC_R_SYNC), cluster, CLUSTER, &q,
		CLIENT_LIMIT_US, on_client_pong, keep) != NULL)
		return FX_OK;
	free(keep);
	return ipc_reply_failf(req, FX_EAGAIN, "too many requests");
}
IPC_HANDLER(client_ping, on_client_ping, struct child)

static int
on_notify(struct child *c, const struct ipc_req *req, struct ipc_notify *a)
{
	struct master *m = c->m;
	struct ipc_notified out = { 0 };

	/* A repository that is called something else here and there is fetched
	 * once too often rather than once too few: that costs next to nothing,
	 * and who wants a fetch may ask for one anyway. */
	if (a->kind == IPC_CHANGE_GIT) {
		if (m->has_url && git_url_equivalent(a->url, m->cfg.git_url) &&
		    strcmp(a->branch, m->cfg.git_branch) != 0)
			log_at(LVL_INFO, KS("component", "daemon"),
			    KS("msg", "notified about unrelated change"),
			    KS("url", a->url), KS("branch", a->branch));
		else
			mirror_notify(m);
	}
	return ipc_reply_notified(req, &out);
}
IPC_HANDLER(notify, on_notify, struct child)

static int
on_update(struct child *c, const struct ipc_req *req, struct ipc_update *a)
{
	struct ipc_update_job out;
	struct fx_err err = { 0 };
	struct job *j = NULL;

	if (a->kind != IPC_UPDATE_SYNC)
		return ipc_reply_failf(req, FX_EUNKNOWN,
		    "this kind of update is not yet supported by this daemon");
	if (jobs_add(c->m, a, &j, &err) != FX_OK)
		return ipc_reply_fail(req, &err);
	out.job = j->id;
	return ipc_reply_update_job(req, &out);
}
IPC_HANDLER(update, on_update, struct child)

static int
on_job(struct child *c, const struct ipc_req *req, struct ipc_job *a)
{
	const struct job *j = jobs_find(&c->m->jobs, a->job);

	if (j == NULL) {
		job_notes_ask(c->m, req, a->job);
		return FX_OK;
	}
	return ipc_reply_job_is(req,
	    &(struct ipc_job_is){
		.status = j->status,
		.error = j->error,
		.revision = (char *)(uintptr_t)j->revision,
		.spec = j->spec,
	    });
}
IPC_HANDLER(job, on_job, struct child)

static int
on_repository(struct child *c, const struct ipc_req *req,
    struct ipc_repository *a)
{
	(void)a;
	repository_ask(c->m, req);
	return FX_OK;
}
IPC_HANDLER(repository, on_repository, struct child)

static int
on_sync_status(struct child *c, const struct ipc_req *req,
    struct ipc_sync_status *a)
{
	status_ask(c->m, req, a->ref);
	return FX_OK;
}
IPC_HANDLER(sync_status, on_sync_status, struct child)

static char *
joined_paths(const struct config *cfg)
{
	struct buf b = BUF_INIT(IPC_MAX_TEXT);

	for (size_t i = 0; i < cfg->git_path.n; i++)
		(void)str_addf(&b, "%s%s", i == 0 ? "" : ",",
		    cfg->git_path.v[i]);
	return str_take(&b);
}

int
mst_reply_git_config(struct master *m, const struct ipc_req *req)
{
	auto_free char *path = joined_paths(&m->cfg), *line = NULL;
	const struct ipc_key_public_is *k = &m->key;
	struct ipc_git_config_is out = { .url = m->url_show,
		.branch = m->cfg.git_branch,
		.path = path,
		.md5 = k->md5,
		.md5_art = k->md5_art,
		.sha256 = k->sha256,
		.sha256_art = k->sha256_art,
		.error = m->mirror.error.text };

	if (k->line != NULL && k->line[0] != '\0')
		line = xasprintf("%s\n", k->line);
	out.key = line;
	out.status = (char *)(uintptr_t)mirror_status_name(m->mirror.status);
	return ipc_reply_git_config_is(req, &out);
}

static int
on_git_config(struct child *c, const struct ipc_req *req,
    struct ipc_git_config *a)
{
	/* without a key ring there is nothing to regenerate, and that is fine
	 */
	if (!a->regenerate || !c->m->has_key_ring)
		return mst_reply_git_config(c->m, req);
	keyring_regenerate(c->m, req);
	return FX_OK;
}
IPC_HANDLER(git_config, on_git_config, struct child)

/* ---- metrics --------------------------------------------------------------
 */

static void
show_usage(struct metrics *ms, const struct ipc_usage_is *u)
{
	metrics_set_us(ms, METRIC_CPU, (int64_t)u->cpu_us);
	metrics_set(ms, METRIC_RESIDENT, "", (int64_t)u->resident);
	metrics_set(ms, METRIC_ADDRESS_SPACE, "", (int64_t)u->address_space);
}

#define TARGET_SHOWN 200 /* characters of its URL: it is but a label */

/* While the process is asked for it, no sooner: nothing ticks here. */
static void
show_connection(struct master *m)
{
	auto_free char *labels = NULL;
	int64_t us = m->service_since_us;

	if (m->service.target == NULL)
		return;
	labels = xasprintf("target=\"%.*s\"", TARGET_SHOWN, m->service.target);
	metrics_set(m->metrics, METRIC_CONNECTION_DURATION, labels,
	    us == 0 ? 0 : (clk_now_us() - us) / CLK_SEC);
}

static int
on_usage(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	auto_free struct client_wait *w = arg;
	struct master *m = w->m;
	struct ipc_usage_is a;
	int r = FX_OK;

	/* without it the other families are shown all the same */
	if (err == NULL &&
	    (r = ipc_usage_is_decode(&f->body, &a, &f->fd)) == FX_OK)
		show_usage(m->metrics, &a);
	metrics_set(m->metrics, METRIC_SCRAPES_IN_FLIGHT, "", m->scrapes--);
	(void)metrics_reply(m->metrics, &w->req);
	return r;
}

static int
on_metrics(struct child *c, const struct ipc_req *req, struct ipc_metrics *a)
{
	struct master *m = c->m;
	struct ipc_usage q = { 0 };
	struct client_wait *w = xmalloc(sizeof(*w));

	(void)a;
	*w = (struct client_wait){ m, *req };
	m->scrapes++;
	metrics_set(m->metrics, METRIC_LOG_DROPPED, "",
	    (int64_t)m->log.dropped);
	show_connection(m);
	if (MST_ASK(&m->launcher, usage, USAGE, &q, CLIENT_LIMIT_US, on_usage,
		w) != NULL)
		return FX_OK;
	free(w);
	m->scrapes--;
	return ipc_reply_failf(req, FX_EAGAIN, "too many requests");
}
IPC_HANDLER(metrics, on_metrics, struct child)

/* ---- processes ------------------------------------------------------------
 */

/* What the roles table says that it may hold; there is a password only where
 * the URL has one, and a token where clients must send one or the service
 * wants one. */
static const char *
holds_of(const struct child *c)
{
	const struct master *m = c->m;

	if ((c->role == IPC_R_GIT_REMOTE && m->password_fd == -1) ||
	    (c->role == IPC_R_UPSTREAM && m->token_fd == -1) ||
	    (c->role == IPC_R_API && m->paths[IPC_FILE_API_TOKEN] == NULL))
		return "nothing";
	return ipc_role_holds(c->role);
}

static void
row_of(struct ipc_process *row, const struct child *c, char *landlock, size_t n)
{
	snprintf(landlock, n, c->landlock == 0 ? "none" : "abi %u",
	    (unsigned)c->landlock);
	*row = (struct ipc_process){
		.role = (char *)(uintptr_t)child_name(c),
		.instance = c->instance,
		.pid = c->pid,
		.state = (char *)(uintptr_t)child_state_name(c->state),
		.uid = c->uid,
		.seccomp = c->seccomp,
		.no_new_privs = c->no_new_privs,
		.caps = c->caps,
		.landlock = landlock,
		.root = (char *)(uintptr_t)c->root,
		.holds = (char *)(uintptr_t)holds_of(c),
		.restarts = c->restarts,
	};
}

static int
on_processes(struct child *c, const struct ipc_req *req,
    struct ipc_processes *a)
{
	struct master *m = c->m;
	const struct child *own[] = { &m->self, &m->launcher, &m->launch_net };
	struct ipc_process rows[MST_MAX_CHILDREN + nitems(own)];
	char landlock[MST_MAX_CHILDREN + nitems(own)][32];
	struct ipc_processes_are out = { .processes = rows };
	size_t n = 0;

	(void)a;
	for (size_t i = 0; i < nitems(own) + m->nchildren; i++) {
		const struct child *p =
		    i < nitems(own) ? own[i] : &m->children[i - nitems(own)];

		if (p->on_demand && p->state == CHILD_OFF)
			continue;
		row_of(&rows[n], p, landlock[n], sizeof(landlock[n]));
		n++;
	}
	out.processes_len = n;
	return ipc_reply_processes_are(req, &out);
}
IPC_HANDLER(processes, on_processes, struct child)

const struct ipc_handler mst_client_handlers[] = {
	{ IPC_T_CLIENT_PING, on_client_ping_frame },
	{ IPC_T_NOTIFY, on_notify_frame },
	{ IPC_T_UPDATE, on_update_frame },
	{ IPC_T_JOB, on_job_frame },
	{ IPC_T_REPOSITORY, on_repository_frame },
	{ IPC_T_SYNC_STATUS, on_sync_status_frame },
	{ IPC_T_GIT_CONFIG, on_git_config_frame },
	{ IPC_T_METRICS, on_metrics_frame },
	{ IPC_T_PROCESSES, on_processes_frame },
};
const size_t mst_nclient_handlers = nitems(mst_client_handlers);
