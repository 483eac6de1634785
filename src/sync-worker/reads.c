/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "reads.h"

#include "log.h"

#include <stdio.h>

/* ---- one question ------------------------------------------------------- */

static void
read_free(struct read_ask *ask)
{
	struct sw *sw = ask->sw;
	struct read_ask **at = &sw->reads;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	loop_timer_stop(sw->w->loop, &ask->deadline);
	reader_free(&ask->reader);
	ask->type->clear(ask);
	free(ask);
}

void
read_go_on(void *arg)
{
	struct read_ask *ask = arg;

	ask->type->go_on(ask);
}

void
read_end(struct read_ask *ask)
{
	if (ask->odd > 0)
		log_at(LVL_WARN, KS("warning", "objects not told of in full"),
		    KS("in", ask->type->what), KI("objects", ask->odd),
		    KS("first", ask->odd_first), KS("err", ask->odd_why));
	read_free(ask);
}

void
read_fail(struct read_ask *ask, const struct fx_err *err)
{
	(void)ipc_reply_fail(&ask->req, err);
	read_end(ask);
}

void
read_odd(struct read_ask *ask, const char *ns, const char *name,
    const char *why)
{
	if (ask->odd++ > 0)
		return;
	snprintf(ask->odd_first, sizeof(ask->odd_first), "%s/%s", ns, name);
	snprintf(ask->odd_why, sizeof(ask->odd_why), "%s", why);
}

static void
on_deadline(struct loop *l, void *arg)
{
	struct fx_err err = { 0 };

	(void)l;
	fx_fail(&err, FX_ETIMEOUT, "context deadline exceeded");
	read_fail(arg, &err);
}

struct read_ask *
read_new(struct sw *sw, const struct ipc_req *req, const struct read_type *type)
{
	struct read_ask *ask;

	if (sw->dead.code != FX_OK) {
		(void)ipc_reply_fail(req, &sw->dead);
		return NULL;
	}
	if (sw->readers.n >= READERS_MAX) {
		(void)ipc_reply_failf(req, FX_EAGAIN,
		    "too many clients read the cluster");
		return NULL;
	}
	ask = xcalloc(1, type->size);
	*ask = (struct read_ask){ .sw = sw, .type = type, .req = *req };
	ask->deadline = (struct loop_timer){ .fn = on_deadline, .arg = ask };
	ask->next = sw->reads;
	sw->reads = ask;
	loop_timer_in(sw->w->loop, &ask->deadline, READ_MAX_US);
	return ask;
}

static struct read_ask *
find(const struct sw *sw, uint64_t seq)
{
	struct read_ask *ask = sw->reads;

	while (ask != NULL && ask->req.seq != seq)
		ask = ask->next;
	return ask;
}

int
read_on_control(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	struct read_ask *ask = find(ctx, f->seq);
	struct fx_err err = { 0 };

	(void)p;
	if (ask == NULL)
		return FX_OK;
	if (f->type == IPC_T_CANCEL) {
		fx_fail(&err, FX_ECANCELLED, "cancelled");
		read_fail(ask, &err);
	} else if (ask->reader != NULL) {
		ask->type->go_on(ask);
	}
	return FX_OK;
}

void
reads_clear(struct sw *sw)
{
	while (sw->reads != NULL)
		read_free(sw->reads);
	readers_clear(&sw->readers);
}

/* ---- which kinds there are ---------------------------------------------- */

/* The question may be over by the time the catalog comes. */
struct catalog_wait {
	struct sw *sw;
	uint64_t seq;
};

/* Those APIs of a kind that have to be read. */
static size_t
served_apis(const struct cluster *c, const struct workload_kind *k,
    const char *served[WORKLOAD_APIS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < nitems(k->apis); i++)
		if (k->apis[i] != NULL && (n == 0 || k->all_apis) &&
		    cluster_find_kind(c, k->apis[i], k->kind) != NULL)
			served[n++] = k->apis[i];
	return n;
}

static bool
knows_all(const struct cluster *c)
{
	const char *served[WORKLOAD_APIS_MAX];

	for (size_t i = 0; i < workload_nkinds; i++)
		if (served_apis(c, &workload_kinds[i], served) <
		    (workload_kinds[i].all_apis ? WORKLOAD_APIS_MAX : 1))
			return false;
	return true;
}

static void
on_catalog(void *arg, const struct fx_err *err)
{
	struct catalog_wait *wait = arg;
	struct read_ask *ask = find(wait->sw, wait->seq);
	bool usable = err->code == FX_OK || wait->sw->cluster->refresh.loaded;

	free(wait);
	if (ask == NULL)
		return;
	if (usable)
		ask->type->begin(ask);
	else
		read_fail(ask, err);
}

void
read_start(struct read_ask *ask)
{
	struct cluster *c = ask->sw->cluster;
	struct catalog_wait *wait;

	if (c->refresh.loaded && !c->catalog_stale &&
	    (knows_all(c) || !refresh_may_help(c))) {
		ask->type->begin(ask);
		return;
	}
	wait = xcalloc(1, sizeof(*wait));
	*wait = (struct catalog_wait){ ask->sw, ask->req.seq };
	refresh_catalog(c, on_catalog, wait);
}

/* ---- places ------------------------------------------------------------- */

bool
read_allows(const struct sw *sw, const char *ns)
{
	const struct cluster_config *cfg = &sw->cluster->config;

	for (size_t i = 0; i < cfg->nallowed; i++)
		if (strcmp(cfg->allowed[i], ns) == 0)
			return true;
	return cfg->nallowed == 0;
}

void
read_kind(struct read_ask *ask, struct reader *r, const struct workload_kind *k,
    const char *ns, const char *name)
{
	const char *served[WORKLOAD_APIS_MAX];
	size_t n = served_apis(ask->sw->cluster, k, served);

	for (size_t i = 0; i < n; i++)
		reader_add(r,
		    &(struct place){ .api_version = served[i],
			.kind = k->kind,
			.what = k,
			/* borrowed: it is copied */
			.ns = (char *)(uintptr_t)ns,
			.name = (char *)(uintptr_t)name,
			.newer = i == 0 && n > 1,
			.older = i > 0 });
}
