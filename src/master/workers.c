/* SPDX-License-Identifier: Apache-2.0 */
/* Which workers there are, and what each of them is given. */
#include "base.h"
#include "master.h"

#include "log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Files that the launcher opens for a role at each of its starts. */
static const enum ipc_file_id key_files[] = { IPC_FILE_DEPLOY_KEY };
static const enum ipc_file_id ssh_files[] = { IPC_FILE_KNOWN_HOSTS_SYSTEM,
	IPC_FILE_KNOWN_HOSTS_USER };
static const enum ipc_file_id https_files[] = { IPC_FILE_GIT_CA };
static const enum ipc_file_id kubeconfig_files[] = { IPC_FILE_KUBECONFIG,
	IPC_FILE_SA_NAMESPACE };
static const enum ipc_file_id in_cluster_files[] = { IPC_FILE_SA_TOKEN,
	IPC_FILE_SA_CA, IPC_FILE_SA_NAMESPACE };
static const enum ipc_file_id api_files[] = { IPC_FILE_API_TOKEN };

#define FILES(list) (*out = (list), nitems(list))

size_t
mst_files_of(const struct child *c, const enum ipc_file_id **out)
{
	const struct master *m = c->m;

	*out = NULL;
	switch (c->role) {
	case IPC_R_KEY:
		/* who makes a key sees no other */
		return c->on_demand ? 0 : FILES(key_files);
	case IPC_R_GIT_REMOTE:
		if (m->has_url && m->url.kind == GIT_URL_SSH)
			return FILES(ssh_files);
		return m->url.kind == GIT_URL_HTTPS ? FILES(https_files) : 0;
	case IPC_R_SYNC:
		return m->paths[IPC_FILE_KUBECONFIG] != NULL
		    ? FILES(kubeconfig_files)
		    : FILES(in_cluster_files);
	case IPC_R_UPSTREAM:
		return m->service.at.tls ? FILES(https_files) : 0;
	case IPC_R_API:
		return m->paths[IPC_FILE_API_TOKEN] != NULL ? FILES(api_files)
							    : 0;
	default:
		return 0;
	}
}

/* Without a repository only clients and the cluster are served. */
static bool
is_needed(const struct master *m, enum ipc_role role)
{
	switch (role) {
	case IPC_R_KEY:
		return m->has_key_ring;
	case IPC_R_GIT_REMOTE:
	case IPC_R_GIT_LOCAL:
	case IPC_R_MANIFEST:
		return m->has_url;
	case IPC_R_UPSTREAM:
		return m->cfg.connect[0] != '\0';
	default:
		return true;
	}
}

void
mst_init_children(struct master *m)
{
	static const enum ipc_role roles[] = { IPC_R_API, IPC_R_NET, IPC_R_KEY,
		IPC_R_GIT_REMOTE, IPC_R_GIT_LOCAL, IPC_R_MANIFEST, IPC_R_SYNC,
		IPC_R_UPSTREAM };
	static const enum ipc_role for_keys[] = { IPC_R_KEY, IPC_R_SYNC };

	_Static_assert(nitems(roles) + nitems(for_keys) <= MST_MAX_CHILDREN,
	    "too many workers");
	child_init(&m->launcher, m, IPC_R_LAUNCHER, 0);
	for (size_t i = 0; i < nitems(roles); i++) {
		struct child *c = &m->children[m->nchildren++];

		child_init(c, m, roles[i], 0);
		if (!is_needed(m, roles[i]))
			c->state = CHILD_OFF;
	}
	/* behind the others: a role's first child is the one that serves */
	for (size_t i = 0; i < nitems(for_keys); i++) {
		struct child *c = &m->children[m->nchildren++];

		child_init(c, m, for_keys[i], MST_KEY_INSTANCE);
		c->on_demand = true;
		c->state = CHILD_OFF;
	}
	keyring_init(m);
}

static struct child *
find_child(struct master *m, enum ipc_role role, uint32_t instance)
{
	for (size_t i = 0; i < m->nchildren; i++)
		if (m->children[i].role == role &&
		    m->children[i].instance == instance)
			return &m->children[i];
	fx_bug("no child for role %d", role);
}

struct child *
mst_child(struct master *m, enum ipc_role role)
{
	return find_child(m, role, 0);
}

struct child *
mst_key_child(struct master *m, enum ipc_role role)
{
	return find_child(m, role, MST_KEY_INSTANCE);
}

int
mst_send_config(struct master *m, struct child *c)
{
	static struct ipc_setting settings[IPC_MAX_SETTINGS];
	auto_buf struct buf scratch = BUF_INIT(16384);
	struct ipc_config msg = { .settings = settings };

	msg.settings_len = config_for_role(&m->cfg, c->role, settings,
	    nitems(settings), &scratch);
	return ipc_tell_config(&c->peer, &msg);
}

static int
give_file(struct child *c, enum ipc_file_id which, int fd)
{
	struct ipc_file msg = { .which = which };

	msg.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return msg.fd == -1 ? FX_ESYS : ipc_tell_file(&c->peer, &msg);
}

static int
give_listeners(struct master *m, struct child *c)
{
	int r = FX_OK;

	for (size_t i = 0; r == FX_OK && i < m->listeners.n; i++) {
		struct ipc_listener msg = { .kind = m->listeners.v[i].kind };

		msg.fd = fcntl(m->listeners.v[i].fd, F_DUPFD_CLOEXEC, 3);
		r = msg.fd == -1 ? FX_ESYS : ipc_tell_listener(&c->peer, &msg);
	}
	return r;
}

int
mst_give_held(struct master *m, struct child *c)
{
	struct ipc_no_file no = { .which = IPC_FILE_KUBECONFIG };
	int r = FX_OK;

	switch (c->role) {
	case IPC_R_KEY:
		return c->on_demand || m->keyring.fd == -1
		    ? FX_OK
		    : give_file(c, IPC_FILE_MADE_KEY, m->keyring.fd);
	case IPC_R_GIT_REMOTE:
		if (m->password_fd != -1)
			r = give_file(c, IPC_FILE_GIT_PASSWORD, m->password_fd);
		if (r == FX_OK && m->lock_fd != -1)
			r = give_file(c, IPC_FILE_MIRROR_LOCK, m->lock_fd);
		return r;
	case IPC_R_GIT_LOCAL:
		return m->lock_fd == -1
		    ? FX_OK
		    : give_file(c, IPC_FILE_MIRROR_LOCK, m->lock_fd);
	case IPC_R_SYNC:
		if (c->on_demand && m->keyring.new_fd != -1)
			r = give_file(c, IPC_FILE_MADE_KEY, m->keyring.new_fd);
		/* its sign that it runs in a cluster */
		if (r == FX_OK && m->paths[IPC_FILE_KUBECONFIG] == NULL)
			r = ipc_tell_no_file(&c->peer, &no);
		return r;
	case IPC_R_API:
		return give_listeners(m, c);
	case IPC_R_UPSTREAM:
		if (m->token_fd != -1)
			r = give_file(c, IPC_FILE_UPSTREAM_TOKEN, m->token_fd);
		if (r == FX_OK && m->proxy_fd != -1)
			r = give_file(c, IPC_FILE_PROXY_LOGIN, m->proxy_fd);
		return r;
	default:
		return FX_OK;
	}
}

static bool
is_at(const struct kc_url *u, const char *host, uint64_t port)
{
	return strcmp(host, u->host) == 0 && port == u->port;
}

bool
mst_may_connect(const struct master *m, const struct child *c, const char *host,
    uint64_t port)
{
	if (c->role == IPC_R_GIT_REMOTE)
		return m->has_url && m->url.host[0] != '\0' &&
		    strcmp(host, m->url.host) == 0 && port == m->url.port;
	if (c->role == IPC_R_SYNC)
		return m->api_host != NULL && strcmp(host, m->api_host) == 0 &&
		    port == m->api_port;
	if (c->role == IPC_R_UPSTREAM)
		return is_at(&m->service.at, host, port) ||
		    is_at(&m->service_way, host, port);
	return false;
}

static int
on_key(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct ipc_key_public_is a;
	int r;

	if (err != NULL) {
		/* asked again when it is back */
		if (err->code != FX_ERETRY)
			keyring_uses_none(m, err);
		return FX_OK;
	}
	r = ipc_key_public_is_decode(&f->body, &a, &f->fd);
	if (r != FX_OK)
		return r;
	if (a.line[0] != '\0' &&
	    (m->key.line == NULL || strcmp(m->key.line, a.line) != 0)) {
		log_at(LVL_INFO, KS("component", "cluster"),
		    KS("identity", m->paths[IPC_FILE_DEPLOY_KEY]));
		log_at(LVL_INFO, KS("component", "cluster"),
		    KS("identity.pub", a.line));
	}
	ipc_key_public_is_clear(&m->key);
	m->key = a;
	keyring_uses(m, &a);
	return FX_OK;
}

static int
on_cluster(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct ipc_cluster_is a;
	char version[IPC_MAX_NAME + 16];
	int r;

	(void)arg;
	if (err != NULL) {
		log_at(LVL_WARN, KS("ping", err->text));
		return FX_OK;
	}
	r = ipc_cluster_is_decode(&f->body, &a, &f->fd);
	if (r != FX_OK)
		return r;
	snprintf(version, sizeof(version), "kubernetes-%s", a.version);
	log_at(LVL_INFO, KS("host", a.host), KS("version", version));
	log_at(LVL_INFO, KB("ping", true));
	ipc_cluster_is_clear(&a);
	return FX_OK;
}

#define FIRST_QUESTION_US (30 * CLK_SEC)

void
mst_child_changed(struct master *m, struct child *c)
{
	struct ipc_key_public key = { 0 };
	struct ipc_cluster cluster = { 0 };

	if (c->role == IPC_R_UPSTREAM && c->state != CHILD_RUNNING) {
		spool_lost_asker(m);
		m->service_since_us = 0;
	}
	if (c->state != CHILD_RUNNING || c->on_demand || m->stopping)
		return;
	if (c->role == IPC_R_KEY) {
		keyring_runs(m, c);
		(void)MST_ASK(c, key_public, KEY_PUBLIC, &key,
		    FIRST_QUESTION_US, on_key, m);
	}
	if (c->role == IPC_R_MANIFEST && c->restarts != 0)
		sync_lost_set(m);
	if (c->role == IPC_R_SYNC) {
		if (c->restarts == 0)
			(void)MST_ASK(c, cluster, CLUSTER, &cluster,
			    FIRST_QUESTION_US, on_cluster, m);
		else
			sync_request(m); /* it has forgotten what it watched */
	}
}

const char *
mst_exit_text(uint64_t wait_status)
{
	static char text[64];
	int st = (int)wait_status;

	if (WIFEXITED(st))
		snprintf(text, sizeof(text), "exit status %d%s",
		    WEXITSTATUS(st),
		    WEXITSTATUS(st) == FX_EXIT_NO_MEMORY ? " (out of memory)"
							 : "");
	else if (WIFSIGNALED(st))
		snprintf(text, sizeof(text), "killed by signal %d%s",
		    WTERMSIG(st),
		    WTERMSIG(st) == 31 ? " (a forbidden system call)" : "");
	else
		snprintf(text, sizeof(text), "wait status %d", st);
	return text;
}

void
mst_count(struct master *m, enum metric id, const struct child *c)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "worker=\"%s\"", child_name(c));
	metrics_add(m->metrics, id, labels, 1);
}
