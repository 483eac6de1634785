/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "sw.h"

#include "git_url.h"
#include "log.h"
#include "mark.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/random.h>
#include <time.h>

/*
 * fluxd-sync: makes the cluster what the repository says.
 *
 * Reads    the kubeconfig (the operator's) and what the API server answers;
 *          resources from fluxd-manifest, as JSON it passes on; namespaces and
 *          ids that clients ask for.
 * Holds    the API server's credentials: service account token, or what the
 *          kubeconfig has.  A second process of the kind, which is started for
 *          that and ends with it, holds a new deploy key to be stored.
 * May      talk to the API server over sockets that the connector made, and
 *          ask for fresh descriptors of the files it named at start.
 * May not  open a path, make or connect a socket, start programs, reach
 *          anything but the API server.
 * If it falls, an attacker can do to the cluster what fluxd's account may do,
 * and nothing else: no repository is written, no key is read, nobody else is
 * reached.
 */

#define TIMEOUT_DEFAULT_US CLK_MIN

static void
open_json(void)
{
	size_t seed = 0;

	/* a value that could not be made would be missing in what is applied */
	json_set_alloc_funcs(xmalloc, free);
	/* by itself jansson would open /dev/urandom at its first object */
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		fx_bug("getrandom");
	json_object_seed(seed | 1);
}

/* The master has checked it. */
static enum keep_record
keep_record(const char *value)
{
	return strcmp(value, "always") == 0 ? KEEP_ALWAYS
	    : strcmp(value, "never") == 0   ? KEEP_NEVER
					    : KEEP_AUTO;
}

static struct names
names(const struct str_list *l)
{
	return (struct names){ (const char *const *)l->v, l->n };
}

/* The name of our sync set, and those that are ours by the operator's word. */
static struct names
set_names(struct sw *sw)
{
	const struct config *cfg = &sw->w->cfg;
	auto_free char *url = git_url_safe(cfg->git_url);
	size_t n = 1 + cfg->sync_gc_former.n;

	sw->gc_names = xcalloc(n, sizeof(*sw->gc_names));
	sw->gc_names[0] = mark_set_name(url, cfg->git_branch, cfg->git_path.v,
	    cfg->git_path.n);
	for (size_t i = 1; i < n; i++)
		sw->gc_names[i] = xstrdup(cfg->sync_gc_former.v[i - 1]);
	sw->ngc_names = n;
	return (struct names){ (const char *const *)sw->gc_names, n };
}

static struct cluster_config
make_config(struct sw *sw)
{
	const struct config *cfg = &sw->w->cfg;
	const int64_t timeout_us = cfg->sync_timeout / 1000;
	struct cluster_config out = {
		.timeout_us = timeout_us > 0 ? timeout_us : TIMEOUT_DEFAULT_US,
		/* so that the pass of each interval tries everything */
		.retry_max_us = cfg->sync_interval / 1000 / 4 * 3,
		.keep = keep_record(cfg->k8s_last_applied),
		.allowed = (const char *const *)cfg->k8s_allow_namespace.v,
		.nallowed = cfg->k8s_allow_namespace.n,
		.protected = names(&cfg->k8s_protect_namespace),
		.excluded = names(&cfg->k8s_exclude_resource),
		.gc = cfg->sync_gc || cfg->sync_gc_dry,
		.gc_dry = cfg->sync_gc_dry,
		.inventory = cfg->sync_gc_inventory[0] != '\0'
		    ? cfg->sync_gc_inventory
		    : NULL,
		.gc_names = set_names(sw),
		.gc_protect = names(&cfg->sync_gc_protect),
	};

	if (share_parse(cfg->sync_gc_limit, &out.gc_limit, &sw->dead) != FX_OK)
		fx_wrap(&sw->dead, "--sync-gc-limit");
	return out;
}

void
sw_open(struct sw *sw, struct worker *w)
{
	const struct client_hooks client_hooks = { login_connect, login_renew,
		sw };
	const struct cluster_hooks hooks = { feed_set, feed_bodies, reply_error,
		reply_done, reply_note, reply_drift, reply_contested,
		reply_collect, reply_unlisted, reply_inventory, sw };
	struct cluster_config config;
	const char *bundle;

	*sw = (struct sw){ .w = w, .login.bundle = -1 };
	tzset(); /* dates in certificates open /etc/localtime at first use */
	open_json();
	client_warm_up();
	/* read only if the kubeconfig names no authority */
	bundle = curl_version_info(CURLVERSION_NOW)->cainfo;
	if (bundle != NULL)
		sw->login.bundle = open(bundle, O_RDONLY | O_CLOEXEC);
	config = make_config(sw);
	sw->cluster = cluster_new(w->loop, &client_hooks, &hooks, &config);
	readers_init(&sw->readers, sw->cluster);
	w->master.relay = read_on_control;
}

void
sw_start(struct sw *sw)
{
	/* who changes URL, branch or paths and wants the old objects collected
	 * has to name the old set: --sync-gc-former */
	if (sw->cluster->config.gc)
		log_at(LVL_INFO, KS("info", "garbage collection is on"),
		    KS("sync-set", sw->gc_names[0]));
	login_start(sw);
}

void
sw_close(struct sw *sw)
{
	reads_clear(sw);
	feed_clear(sw);
	reply_clear(sw);
	last_errors_clear(&sw->last_errors);
	login_clear(sw);
	cluster_free(&sw->cluster);
	free(sw->own_ns);
	for (size_t i = 0; i < sw->ngc_names; i++)
		free(sw->gc_names[i]);
	free(sw->gc_names);
}

int
main(int argc, char *argv[])
{
	struct worker w;
	static struct sw sw;
	int r;

	worker_init(&w, argc, argv, IPC_R_SYNC, IPC_R_SYNC);
	sw_open(&sw, &w);
	worker_lock_down(&w, &sw_sandbox, NULL);
	sw_start(&sw);
	r = worker_run(&w, sw_handlers, sw_nhandlers, &sw);
	sw_close(&sw);
	return r;
}
