/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "sw.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/random.h>
#include <time.h>

/*
 * fluxd-sync: makes the cluster what the repository says.
 *
 * Reads    the kubeconfig (the operator's) and what the API server answers;
 *          resources from fluxd-manifest, as JSON it passes on.
 * Holds    the API server's credentials: service account token, or what the
 *          kubeconfig has.
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
seed_json(void)
{
	size_t seed = 0;

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

void
sw_open(struct sw *sw, struct worker *w)
{
	const struct client_hooks client_hooks = { login_connect, login_renew,
		sw };
	const struct cluster_hooks hooks = { feed_set, feed_bodies, reply_error,
		reply_done, reply_note, reply_drift, reply_contested, sw };
	const int64_t timeout_us = w->cfg.sync_timeout / 1000;
	const struct cluster_config config = {
		.timeout_us = timeout_us > 0 ? timeout_us : TIMEOUT_DEFAULT_US,
		/* so that the pass of each interval tries everything */
		.retry_max_us = w->cfg.sync_interval / 1000 / 4 * 3,
		.keep = keep_record(w->cfg.k8s_last_applied),
		.allowed = (const char *const *)w->cfg.k8s_allow_namespace.v,
		.nallowed = w->cfg.k8s_allow_namespace.n,
	};
	const char *bundle;

	*sw = (struct sw){ .w = w, .login.bundle = -1 };
	tzset(); /* dates in certificates open /etc/localtime at first use */
	seed_json();
	client_warm_up();
	/* read only if the kubeconfig names no authority */
	bundle = curl_version_info(CURLVERSION_NOW)->cainfo;
	if (bundle != NULL)
		sw->login.bundle = open(bundle, O_RDONLY | O_CLOEXEC);
	sw->cluster = cluster_new(w->loop, &client_hooks, &hooks, &config);
}

void
sw_start(struct sw *sw)
{
	login_start(sw);
}

void
sw_close(struct sw *sw)
{
	feed_clear(sw);
	reply_clear(sw);
	login_clear(sw);
	cluster_free(&sw->cluster);
	free(sw->own_ns);
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
