/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "inventory.h"

#include "gc.h"
#include "inventory_text.h"
#include "mark.h"
#include "pass.h"
#include "resource_id.h"
#include "str.h"

#include <stdio.h>

#define INV_KEY "inventory"
#define INV_BODY_MAX (4u << 20)	    /* of an answer, its text escaped */
#define INV_TRIES 4		    /* of a write that others are faster than */
#define INV_AGAIN_US (10 * CLK_MIN) /* after the server refused one */

struct inventory {
	struct cluster *cluster;
	char *ns, *name; /* of the ConfigMap; ns NULL: inventory_place */
	char *claim;
	uint64_t version; /* its resourceVersion; 0: it is not there */
	bool read;
	bool ours; /* our set is the first that it names */
	bool lost; /* … and then was not: another process writes it */
	bool busy;
	bool shrunk;
	unsigned tries;
	int64_t again_us;
	char *former[INV_SETS_MAX - 1]; /* other sets that it names */
	size_t nformer;
	struct inv_doc rest; /* entries of kinds that we know nothing about */
	unsigned resolved;   /* version of the catalog they were looked up in */
	char *told;	     /* why it is not kept; NULL: it is */
};

static void ask(struct inventory *);

/* ---- the end of a request --------------------------------------------- */

static void
finish(struct inventory *inv)
{
	inv->busy = false;
	pass_step(inv->cluster);
}

static void
kept(struct inventory *inv)
{
	const struct cluster_hooks *h = &inv->cluster->hooks;

	free(fx_steal(&inv->told));
	h->inventory(h->arg, inv->claim, true, NULL);
	finish(inv);
}

static void
not_kept(struct inventory *inv, const char *why)
{
	const struct cluster_hooks *h = &inv->cluster->hooks;
	bool known = inv->told != NULL && strcmp(inv->told, why) == 0;
	char *told = xstrdup(why);

	free(inv->told);
	inv->told = told;
	h->inventory(h->arg, inv->claim, false, known ? NULL : why);
	finish(inv);
}

/* Nobody is there or knows us: so it would go with everything else. */
static void
failed(struct inventory *inv, const struct answer *a)
{
	bool nobody = a->status.http == 0 && a->err.code != FX_ELIMIT;

	if (nobody || a->status.what == SW_LOGIN) {
		pass_fail(inv->cluster->pass, &a->err);
		finish(inv);
	} else {
		inv->again_us = clk_now_us() + INV_AGAIN_US;
		not_kept(inv, a->err.text);
	}
}

/* ---- what it is to say ------------------------------------------------ */

static const char *
our_set(const struct inventory *inv)
{
	return inv->cluster->config.gc_names.v[0];
}

static struct inv_entry
entry_of(const struct object *o)
{
	return (
	    struct inv_entry){ o->kind->group, o->kind->kind, o->ns, o->name };
}

/* Will it be marked, or is it? */
static bool
is_member(const struct cluster *c, const struct object *o)
{
	struct inv_entry e = entry_of(o);

	return o->listed ||
	    (!o->ignored && cluster_allows(c, o) && inv_may_hold(&e));
}

static bool
lacks_some(const struct cluster *c)
{
	for (size_t i = 0; i < c->objects.n; i++)
		if (!c->objects.v[i]->listed && is_member(c, c->objects.v[i]))
			return true;
	return false;
}

/* May anything still have the mark of another set? */
static bool
needs_former(const struct inventory *inv)
{
	const struct cluster *c = inv->cluster;

	for (size_t i = 0; i < c->gc->strays.n; i++)
		if (c->gc->strays.v[i]->listed)
			return true;
	for (size_t i = 0; i < c->objects.n; i++)
		if (c->objects.v[i]->listed && !c->objects.v[i]->live.ours)
			return true;
	return inv->rest.n > 0;
}

static void
forget_former(struct inventory *inv)
{
	while (inv->nformer > 0)
		free(inv->former[--inv->nformer]);
}

static int
make_text(struct inventory *inv, struct buf *out)
{
	const struct cluster *c = inv->cluster;
	const struct objects *strays = &c->gc->strays;
	const char *sets[INV_SETS_MAX] = { our_set(inv) };
	size_t n = 0;
	struct inv_entry *v =
	    xcalloc(c->objects.n + strays->n + inv->rest.n + 1, sizeof(*v));
	int r;

	for (size_t i = 0; i < c->objects.n; i++)
		if (is_member(c, c->objects.v[i]))
			v[n++] = entry_of(c->objects.v[i]);
	for (size_t i = 0; i < strays->n; i++)
		if (strays->v[i]->listed)
			v[n++] = entry_of(strays->v[i]);
	for (size_t i = 0; i < inv->rest.n; i++)
		v[n++] = inv->rest.v[i];
	for (size_t i = 0; i < inv->nformer; i++)
		sets[1 + i] = inv->former[i];
	r = inv_write(out, sets, 1 + inv->nformer, v, n);
	free(v);
	return r;
}

/* ---- writing ---------------------------------------------------------- */

/* For the ConfigMap, or to make it; NULL: it cannot have that name. */
static struct request *
request_for(struct inventory *inv, const char *method, bool named,
    answer_fn *done)
{
	/* what makes paths does not write through these */
	const struct disc_kind maps = { .api_version = (char *)(uintptr_t) "v1",
		.resource = (char *)(uintptr_t) "configmaps",
		.namespaced = true };
	struct buf path = BUF_INIT(4096);
	struct request *r;

	if (disc_add_path(&path, &maps, inv->ns, named ? inv->name : NULL) !=
	    FX_OK) {
		buf_clear(&path);
		return NULL;
	}
	r = cluster_get(inv->cluster, &path, NULL, INV_BODY_MAX, done, inv);
	r->method = method;
	return r;
}

static void
go(struct inventory *inv, struct request *r)
{
	if (r == NULL)
		not_kept(inv, "it cannot be a ConfigMap's name");
	else
		client_send(inv->cluster->client, LANE_REQUESTS, r);
}

/* The ConfigMap is as we left it, or as others did. */
static json_t *
make_body(const struct inventory *inv, const char *text)
{
	auto_free char *version =
	    xasprintf("%llu", (unsigned long long)inv->version);

	if (inv->version == 0)
		return json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "apiVersion",
		    "v1", "kind", "ConfigMap", "metadata", "name", inv->name,
		    "data", INV_KEY, text);
	return json_pack("{s:{s:s}, s:{s:s}}", "metadata", "resourceVersion",
	    version, "data", INV_KEY, text);
}

static void
written(struct inventory *inv, const json_t *answer)
{
	struct cluster *c = inv->cluster;

	inv->version = sw_json_version(json_object_get(answer, "metadata"));
	for (size_t i = 0; i < c->objects.n; i++)
		c->objects.v[i]->listed = is_member(c, c->objects.v[i]);
	inv->ours = true;
	kept(inv);
}

static void record(struct inventory *);

static void
on_written(void *arg, struct answer *a)
{
	struct inventory *inv = arg;
	auto_json json_t *doc = sw_answer(a);
	bool missing = a->status.what == SW_MISSING && inv->version != 0;

	if (doc != NULL) {
		written(inv, doc);
		return;
	}
	inv->shrunk = true; /* if it was: else it is written in vain */
	if ((a->status.what == SW_CONFLICT || missing) &&
	    ++inv->tries < INV_TRIES) {
		/* somebody was faster, or took it away */
		ask(inv);
	} else {
		failed(inv, a);
	}
}

static void
record(struct inventory *inv)
{
	bool make = inv->version == 0;
	auto_buf struct buf out = BUF_INIT(INV_TEXT_MAX);
	auto_free char *text = NULL, *bytes = NULL;
	auto_json json_t *body = NULL;
	struct request *r;

	if (inv->nformer > 0 && !needs_former(inv)) {
		forget_former(inv);
		inv->shrunk = true;
	}
	if (inv->ours && !inv->shrunk && !lacks_some(inv->cluster)) {
		finish(inv);
		return;
	}
	if (make_text(inv, &out) != FX_OK) {
		not_kept(inv, "it would be longer than it may be");
		return;
	}
	text = str_take(&out);
	body = make_body(inv, text);
	bytes = json_dumps(body, JSON_COMPACT);
	r = request_for(inv, make ? "POST" : "PATCH", !make, on_written);
	if (r != NULL) {
		r->accept = ACCEPT_META;
		r->content_type =
		    make ? "application/json" : "application/merge-patch+json";
		r->conflict_is_final = true;
		inv->shrunk = false;
		buf_init(&r->body, INV_BODY_MAX);
		if (bytes == NULL || str_add(&r->body, bytes) != FX_OK)
			fx_bug("an inventory that is longer than its limit");
	}
	go(inv, r);
}

/* ---- reading ---------------------------------------------------------- */

/* An API version of this group, as far as groups are told by it. */
static char *
api_of(const char *group)
{
	return xasprintf("%s%s", group, group[0] != '\0' ? "/" : "");
}

/* In whatever version. */
static struct kind *
known_kind(const struct cluster *c, const char *group, const char *kind)
{
	for (size_t i = 0; i < c->nkinds; i++)
		if (strcmp(c->kinds[i]->group, group) == 0 &&
		    strcmp(c->kinds[i]->kind, kind) == 0)
			return c->kinds[i];
	return NULL;
}

/* An entry becomes a stray, unless git has it or it is one.  false: nothing is
 * known of its kind. */
static bool
take_entry(struct cluster *c, const struct inv_entry *e)
{
	auto_free char *api = api_of(e->group);
	auto_free char *id = resource_id_make(e->ns, e->kind, e->name);
	struct object *o = objects_by_id(&c->objects, id, api);
	struct kind *k = known_kind(c, e->group, e->kind);

	if (o == NULL)
		o = objects_by_id(&c->gc->strays, id, api);
	if (o != NULL)
		o->listed = true;
	else if (k == NULL)
		return false;
	/* there may be several readings, each of something else */
	else if (c->gc->strays.n < INV_ENTRIES_MAX)
		stray_listed(c->gc, k, id, e->ns, e->name);
	return true;
}

static void
take_entries(struct inventory *inv)
{
	struct inv_doc *rest = &inv->rest;
	size_t n = 0;

	for (size_t i = 0; i < rest->n; i++)
		if (!take_entry(inv->cluster, &rest->v[i]))
			rest->v[n++] = rest->v[i];
	rest->n = n;
	if (n == 0)
		inv_clear(rest);
}

static void
take_set(struct inventory *inv, const char *name)
{
	bool known = strcmp(name, our_set(inv)) == 0;

	for (size_t i = 0; i < inv->nformer && !known; i++)
		known = strcmp(name, inv->former[i]) == 0;
	if (!known && inv->nformer < nitems(inv->former))
		inv->former[inv->nformer++] = xstrdup(name);
}

/* Takes the document.  false: it is another's now. */
static bool
take_doc(struct inventory *inv, struct inv_doc *doc)
{
	bool ours = doc->nsets > 0 && strcmp(doc->sets[0], our_set(inv)) == 0;

	inv->lost = inv->ours && !ours && doc->nsets > 0;
	inv->ours = ours;
	if (inv->lost || doc->nsets == 0) {
		inv_clear(doc);
		return !inv->lost;
	}
	for (size_t i = 0; i < doc->nsets; i++)
		take_set(inv, doc->sets[i]);
	/* what is in it once more, or was taken out by somebody */
	inv_clear(&inv->rest);
	inv->rest = *doc;
	inv->resolved = 0;
	take_entries(inv);
	return true;
}

static void
take_map(struct inventory *inv, const json_t *map)
{
	const json_t *text = sw_json_at(map, "data", INV_KEY);
	const char *s = json_is_string(text) ? json_string_value(text) : "";
	struct inv_doc doc = { 0 };
	struct fx_err err = { 0 };

	inv->version = sw_json_version(json_object_get(map, "metadata"));
	/* one that is empty was made for us to fill */
	if (text != NULL &&
	    inv_read(s, json_string_length(text), &doc, &err) != FX_OK) {
		const struct cluster_hooks *h = &inv->cluster->hooks;

		fx_wrap(&err, "it is made anew, for it is damaged");
		h->inventory(h->arg, inv->claim, false, err.text);
	}
	if (take_doc(inv, &doc))
		record(inv);
	else
		not_kept(inv,
		    "another sync set has taken it over: each fluxd needs one "
		    "of its own");
}

static void
on_map(void *arg, struct answer *a)
{
	struct inventory *inv = arg;
	auto_json json_t *doc = sw_answer(a);

	if (doc == NULL && a->status.what != SW_MISSING) {
		failed(inv, a);
		return;
	}
	inv->read = true;
	if (doc != NULL) {
		take_map(inv, doc);
		return;
	}
	inv->version = 0;
	inv->ours = false;
	record(inv);
}

static void
ask(struct inventory *inv)
{
	go(inv, request_for(inv, "GET", true, on_map));
}

void
inventory_keep(struct inventory *inv)
{
	if (inv->lost || clk_now_us() < inv->again_us)
		return;
	inv->busy = true;
	inv->tries = 0;
	if (inv->read)
		record(inv);
	else
		ask(inv);
}

bool
inventory_is_busy(const struct inventory *inv)
{
	return inv->busy;
}

/* ---- for garbage collection ------------------------------------------- */

void
inventory_shrunk(struct inventory *inv)
{
	inv->shrunk = true;
}

/* Make it known in the version that the server likes best. */
static void
find_kind(struct cluster *c, const char *group, const char *kind)
{
	const struct catalog *all = &c->refresh.parts[group[0] != '\0'].now;
	auto_free char *api = api_of(group);
	const struct disc_kind *best = NULL;

	for (size_t i = 0; i < all->nkinds; i++) {
		const struct disc_kind *d = &all->kinds[i];

		if (strcmp(d->kind, kind) == 0 &&
		    api_same_group(d->api_version, api) &&
		    (best == NULL || d->order < best->order))
			best = d;
	}
	if (best != NULL)
		(void)kind_get(c, best->api_version, best->kind);
}

/* What the catalog lacks, perhaps for the moment only, waits for it. */
void
inventory_resolve(struct inventory *inv)
{
	const struct inv_doc *rest = &inv->rest;

	if (inv->resolved == inv->cluster->refresh.version)
		return;
	inv->resolved = inv->cluster->refresh.version;
	for (size_t i = 0; i < rest->n; i++) {
		const struct inv_entry *e = &rest->v[i];

		/* those of one kind share its name */
		if (i == 0 || e->kind != rest->v[i - 1].kind)
			find_kind(inv->cluster, e->group, e->kind);
	}
	take_entries(inv);
}

bool
inventory_proves(const struct inventory *inv, const char *id,
    const json_t *meta)
{
	const char *label =
	    sw_json_str(json_object_get(meta, "labels"), OBJ_MARK_LABEL);
	const char *claim =
	    sw_json_str(json_object_get(meta, "annotations"), INV_CLAIM);

	if (inv->lost || strcmp(claim, inv->claim) != 0)
		return false;
	for (size_t i = 0; i < inv->nformer; i++) {
		auto_free char *mark = mark_of(inv->former[i], id);

		if (strcmp(mark, label) == 0)
			return true;
	}
	return false;
}

/* ---- all of it -------------------------------------------------------- */

struct inventory *
inventory_new(struct cluster *c, const char *name)
{
	struct inventory *inv = xcalloc(1, sizeof(*inv));

	inv->cluster = c;
	inv->name = xstrdup(name);
	return inv;
}

void
inventory_place(struct inventory *inv, const char *ns)
{
	if (inv->ns != NULL)
		return;
	inv->ns = xstrdup(ns);
	inv->claim = xasprintf("%s/%s", ns, inv->name);
}

const char *
inventory_claim(const struct inventory *inv)
{
	return inv->claim;
}

void
inventory_free(struct inventory **ip)
{
	struct inventory *inv = *ip;

	if (inv == NULL)
		return;
	forget_former(inv);
	inv_clear(&inv->rest);
	free(inv->ns);
	free(inv->name);
	free(inv->claim);
	free(inv->told);
	free(inv);
	*ip = NULL;
}
