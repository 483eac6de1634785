/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "reads.h"

#include "log.h"
#include "str.h"
#include "yaml_write.h"

#include <stdio.h>

/*
 * EXPORT: each namespace and its workloads as YAML, in an order that is the
 * same each time.  Namespaces are read by one reader; while each is told, a
 * second one reads what is in it.
 */

#define DOCUMENT_MAX (8u << 20) /* bytes of YAML of one object */

struct export_ask {
	struct read_ask ask;   /* its reader: the namespaces */
	struct reader *inside; /* of the namespace that is told; NULL */
	struct buf out;	       /* not sent yet */
	struct fx_err err;     /* the namespaces cannot be had */
};

struct export_reading {
	struct reading reading;
	char *ns; /* of a namespace: its name; NULL */
	struct buf yaml;
};

static struct export_ask *
mine(void *ask)
{
	return ask;
}

/* ---- reading ------------------------------------------------------------- */

/* What is the server's own, or ours: with it the file could not be committed
 * without harm. */
static void
strip(json_t *meta)
{
	json_object_del(meta, "managedFields");
	json_object_del(json_object_get(meta, "labels"), OBJ_MARK_LABEL);
	json_object_del(json_object_get(meta, "annotations"), OBJ_CHECKSUM);
}

static struct reading *
make(void *arg, const struct place *at, json_t *object)
{
	json_t *meta = json_object_get(object, "metadata");
	const char *ns = sw_json_str(meta, "namespace"),
		   *name = sw_json_str(meta, "name");
	struct export_reading *x;
	struct fx_err err = { 0 };

	if (workload_is_addon(object))
		return NULL;
	strip(meta);
	x = xcalloc(1, sizeof(*x));
	buf_init(&x->yaml, DOCUMENT_MAX);
	if (yaml_write(&x->yaml, at->api_version, at->kind, object, &err) !=
	    FX_OK) {
		read_odd(arg, ns, name, err.text);
		buf_clear(&x->yaml);
	}
	if (at->what == NULL)
		x->ns = xstrdup(name);
	x->reading.bytes = sizeof(*x) + buf_left(&x->yaml);
	return &x->reading;
}

static void
drop(struct reading *r)
{
	struct export_reading *x = (struct export_reading *)r;

	buf_clear(&x->yaml);
	free(x->ns);
	free(x);
}

/* The words are upstream's. */
static void
passed(void *arg, const struct place *at, const char *why)
{
	if (at->what != NULL)
		log_at(LVL_WARN, KS("warning", "not allowed to list resources"),
		    KS("err", why));
	else if (at->name != NULL)
		log_at(LVL_WARN,
		    KS("warning", "cannot access allowed namespace"),
		    KS("namespace", at->name), KS("err", why));
	else
		fx_fail(&mine(arg)->err, FX_EDENIED, "%s", why);
}

static void
unreadable(void *arg, const struct place *at, const char *why)
{
	read_odd(arg, at->ns, at->kind, why);
}

static struct reader *
new_reader(struct read_ask *ask)
{
	const struct reader_hooks hooks = { make, drop, read_go_on, passed,
		unreadable, ask };

	return reader_new(&ask->sw->readers, true, &hooks);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
begin(struct read_ask *ask)
{
	const struct cluster_config *cfg = &ask->sw->cluster->config;
	struct place at = { .api_version = "v1",
		.kind = "Namespace",
		.ns = (char *)(uintptr_t) "" };
	char **names = xcalloc(cfg->nallowed + 1, sizeof(*names));

	ask->reader = new_reader(ask);
	for (size_t i = 0; i < cfg->nallowed; i++)
		names[i] = (char *)(uintptr_t)cfg->allowed[i];
	if (cfg->nallowed > 0)
		qsort(names, cfg->nallowed, sizeof(*names), compare);
	for (size_t i = 0; i < cfg->nallowed; i++) {
		at.name = names[i];
		reader_add(ask->reader, &at);
	}
	if (cfg->nallowed == 0)
		reader_add(ask->reader, &at);
	free(names);
	reader_start(ask->reader);
}

static void
look_inside(struct read_ask *ask, const char *ns)
{
	struct export_ask *e = mine(ask);

	e->inside = new_reader(ask);
	for (size_t i = 0; i < workload_nkinds; i++)
		read_kind(ask, e->inside, &workload_kinds[i], ns, NULL);
	reader_start(e->inside);
}

/* ---- telling --------------------------------------------------------------
 */

enum step {
	STEP_MORE, /* a document was appended, or a namespace is over */
	STEP_WAIT, /* the next one has not come yet */
	STEP_LAST, /* there is none */
	STEP_LOST, /* it cannot be had */
};

static enum step
next_document(struct read_ask *ask, struct fx_err *err)
{
	struct export_ask *e = mine(ask);
	struct reader *r = e->inside != NULL ? e->inside : ask->reader;
	struct export_reading *x = (struct export_reading *)reader_take(r);

	if (x != NULL) {
		if (buf_put(&e->out, buf_head(&x->yaml), buf_left(&x->yaml)) !=
		    FX_OK)
			fx_bug("a document longer than DOCUMENT_MAX");
		if (x->ns != NULL)
			look_inside(ask, x->ns);
		drop(&x->reading);
		return STEP_MORE;
	}
	if (!reader_is_done(r, err))
		return STEP_WAIT;
	if (err->code == FX_OK && e->err.code != FX_OK)
		*err = e->err;
	if (err->code != FX_OK)
		return STEP_LOST;
	if (r == ask->reader)
		return STEP_LAST;
	reader_free(&e->inside);
	return STEP_MORE;
}

static void
send_part(struct read_ask *ask)
{
	struct buf *out = &mine(ask)->out;
	size_t n = buf_left(out) < READ_PART ? buf_left(out) : READ_PART;
	struct ipc_export_part part = {
		.yaml = { (uint8_t *)(uintptr_t)buf_head(out), n }
	};

	(void)ipc_reply_export_part(&ask->req, &part);
	buf_skip(out, n);
}

static void
go_on(struct read_ask *ask)
{
	const struct ipc_export_end end = { 0 };
	struct buf *out = &mine(ask)->out;
	struct fx_err err = { 0 };
	enum step step = STEP_MORE;

	for (;;) {
		while (step == STEP_MORE && buf_left(out) < READ_PART)
			step = next_document(ask, &err);
		if (step == STEP_WAIT)
			return;
		if (step == STEP_LOST) {
			read_fail(ask, &err);
			return;
		}
		if (buf_left(out) == 0)
			break;
		if (!ipc_credit(&ask->req))
			return;
		send_part(ask);
	}
	(void)ipc_reply_export_end(&ask->req, &end);
	read_end(ask);
}

static void
clear(struct read_ask *ask)
{
	reader_free(&mine(ask)->inside);
	buf_clear(&mine(ask)->out);
}

int
sw_on_export(struct sw *sw, const struct ipc_req *req, struct ipc_export *m)
{
	static const struct read_type type = { sizeof(struct export_ask), begin,
		go_on, clear, "export" };
	struct read_ask *ask = read_new(sw, req, &type);

	(void)m;
	if (ask == NULL)
		return FX_OK;
	buf_init(&mine(ask)->out, DOCUMENT_MAX + READ_PART);
	read_start(ask);
	return FX_OK;
}
