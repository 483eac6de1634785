/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "reads.h"

#include "last_errors.h"
#include "log.h"
#include "resource_id.h"

/* WORKLOADS: what the cluster runs, in the order in which it is read. */

#define PART_MAX 256	   /* workloads of one part */
#define UNSUPPORTED_MAX 16 /* kinds of ids that the log complains of */
#define PAIR_OVERHEAD 64   /* bytes that a text costs beside itself */

struct workloads_ask {
	struct read_ask ask;
	struct ipc_workloads m; /* owned */
	unsigned unsupported;
};

struct workload_reading {
	struct reading reading;
	struct workload workload;
};

static struct workloads_ask *
mine(void *ask)
{
	return ask;
}

/* ---- reading ------------------------------------------------------------- */

static struct reading *
make(void *arg, const struct place *at, json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");
	struct workload_reading *x;
	struct workload w;

	if (workload_is_addon(object))
		return NULL;
	if (workload_read(at->what, object, &w) != FX_OK) {
		read_odd(arg, sw_json_str(meta, "namespace"),
		    sw_json_str(meta, "name"), "no id can have this name");
		return NULL;
	}
	if (w.cut)
		read_odd(arg, sw_json_str(meta, "namespace"),
		    sw_json_str(meta, "name"),
		    "more labels, containers or messages than are listed");
	x = xcalloc(1, sizeof(*x));
	x->workload = w;
	x->reading.bytes = sizeof(*x) + w.bytes +
	    (w.nlabels + w.ncontainers + w.nmessages) * PAIR_OVERHEAD;
	return &x->reading;
}

static void
drop(struct reading *r)
{
	struct workload_reading *x = (struct workload_reading *)r;

	workload_clear(&x->workload);
	free(x);
}

/* The words are upstream's; what was asked for by name is left out without any.
 */
static void
passed(void *arg, const struct place *at, const char *why)
{
	(void)arg;
	if (at->name == NULL)
		log_at(LVL_WARN, KS("warning", "not allowed to list resources"),
		    KS("err", why));
}

static void
unreadable(void *arg, const struct place *at, const char *why)
{
	read_odd(arg, at->ns, at->kind, why);
}

/* ---- what to read ---------------------------------------------------------
 */

/* The words are upstream's; a client may ask for thousands of them. */
static void
unsupported(struct read_ask *ask, const char *id)
{
	if (mine(ask)->unsupported++ < UNSUPPORTED_MAX)
		log_at(LVL_WARN,
		    KS("warning",
			"automation of this resource kind is not supported"),
		    KS("resource", id));
}

static void
add_id(struct read_ask *ask, const char *text)
{
	const struct workload_kind *k;
	struct resource_id id;
	struct fx_err err;

	if (resource_id_parse(text, &id, &err) != FX_OK)
		return;
	k = workload_kind_find(id.kind);
	if (!read_allows(ask->sw, id.ns))
		;
	else if (k == NULL)
		unsupported(ask, text);
	else if (strcmp(id.ns, RESOURCE_CLUSTER) != 0)
		read_kind(ask, ask->reader, k, id.ns, id.name);
	resource_id_clear(&id);
}

static void
add_namespace(struct read_ask *ask, const char *ns)
{
	for (size_t i = 0; i < workload_nkinds; i++)
		read_kind(ask, ask->reader, &workload_kinds[i], ns, NULL);
}

static void
begin(struct read_ask *ask)
{
	const struct reader_hooks hooks = { make, drop, read_go_on, passed,
		unreadable, ask };
	const struct ipc_workloads *m = &mine(ask)->m;
	const struct cluster_config *cfg = &ask->sw->cluster->config;

	ask->reader = reader_new(&ask->sw->readers, false, &hooks);
	for (size_t i = 0; i < m->ids_len; i++)
		add_id(ask, m->ids[i].s);
	if (m->ids_len > 0)
		;
	else if (m->ns[0] == '\0' && cfg->nallowed > 0)
		for (size_t i = 0; i < cfg->nallowed; i++)
			add_namespace(ask, cfg->allowed[i]);
	else if (read_allows(ask->sw, m->ns))
		add_namespace(ask, m->ns);
	reader_start(ask->reader);
}

/* ---- telling --------------------------------------------------------------
 */

static struct ipc_named *
named(const struct workload_pair *pairs, size_t n)
{
	struct ipc_named *v = xcalloc(n + 1, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = (struct ipc_named){ pairs[i].name, pairs[i].value };
	return v;
}

static struct ipc_text *
texts(char *const *text, size_t n)
{
	struct ipc_text *v = xcalloc(n + 1, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i].s = text[i];
	return v;
}

/* Its texts are borrowed, its lists are not. */
static struct ipc_workload
as_message(const struct sw *sw, const struct workload *w)
{
	const char *error = last_errors_find(&sw->last_errors, w->id);

	return (struct ipc_workload){ .id = w->id,
		.status = w->status,
		.desired = w->desired,
		.updated = w->updated,
		.ready = w->ready,
		.available = w->available,
		.outdated = w->outdated,
		.messages = texts(w->messages, w->nmessages),
		.messages_len = w->nmessages,
		.error = (char *)(uintptr_t)error,
		.antecedent = w->antecedent,
		.labels = named(w->labels, w->nlabels),
		.labels_len = w->nlabels,
		.containers = named(w->containers, w->ncontainers),
		.containers_len = w->ncontainers };
}

/* One part of what is there; false: nothing is. */
static bool
send_part(struct read_ask *ask)
{
	struct ipc_workload v[PART_MAX];
	struct reading *taken[PART_MAX];
	struct ipc_workloads_part part = { .workloads = v };
	size_t n = 0, bytes = 0;

	while (n < PART_MAX && bytes < READ_PART &&
	    (taken[n] = reader_take(ask->reader)) != NULL) {
		v[n] = as_message(ask->sw,
		    &((struct workload_reading *)taken[n])->workload);
		bytes += taken[n++]->bytes;
	}
	part.workloads_len = n;
	if (n > 0)
		(void)ipc_reply_workloads_part(&ask->req, &part);
	for (size_t i = 0; i < n; i++) {
		free(v[i].messages);
		free(v[i].labels);
		free(v[i].containers);
		drop(taken[i]);
	}
	return n > 0;
}

static void
go_on(struct read_ask *ask)
{
	const struct ipc_workloads_end end = { 0 };
	struct fx_err err;

	while (ipc_credit(&ask->req) && send_part(ask))
		;
	if (!reader_is_done(ask->reader, &err))
		return;
	if (err.code != FX_OK) {
		read_fail(ask, &err);
		return;
	}
	(void)ipc_reply_workloads_end(&ask->req, &end);
	read_end(ask);
}

static void
clear(struct read_ask *ask)
{
	ipc_workloads_clear(&mine(ask)->m);
}

int
sw_on_workloads(struct sw *sw, const struct ipc_req *req,
    struct ipc_workloads *m)
{
	static const struct read_type type = { sizeof(struct workloads_ask),
		begin, go_on, clear, "workloads" };
	struct read_ask *ask = read_new(sw, req, &type);

	if (ask == NULL)
		return FX_OK;
	mine(ask)->m = *m;
	*m = (struct ipc_workloads){ 0 };
	read_start(ask);
	return FX_OK;
}
