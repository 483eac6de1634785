/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "gc.h"
#include "pass.h"

#include "inventory.h"
#include "str.h"

#define GC_WAIT_US (10 * CLK_SEC) /* for lists: what is late is kept */
#define GC_TRIES 4		  /* of one object that changes meanwhile */
#define GC_SOURCE "<cluster>"	  /* of errors, as upstream says it */
#define GC_LOOK_US (10 * CLK_MIN) /* between looks at what is to stay */

/* ---- the queue -------------------------------------------------------- */

static void
warn_outdated(const struct gc *g)
{
	const struct objects *t = &g->cluster->objects;

	for (size_t i = 0; i < t->n; i++)
		if (t->v[i]->state >= OBJ_CHECK && t->v[i]->live.ours &&
		    !t->v[i]->live.marked)
			gc_note(g, "warning",
			    "resource to be synced has not been updated; "
			    "skipping",
			    t->v[i]->id);
}

static void
error(struct pass *p, const struct object *o, const char *text)
{
	struct cluster *c = p->cluster;

	p->gc_errors++;
	c->hooks.error(c->hooks.arg, o->id, GC_SOURCE, text);
}

/* The other way round: what was applied last goes first. */
static int
compare_back(const void *a, const void *b)
{
	return object_compare(b, a);
}

static void
fill_queue(struct gc *g)
{
	struct object *o;
	size_t n = 0;

	g->queue = xcalloc(g->strays.n + 1, sizeof(*g->queue));
	for (size_t i = 0; i < g->strays.n; i++)
		if (gc_may_go(g, g->strays.v[i]))
			g->queue[n++] = g->strays.v[i];
	qsort(g->queue, n, sizeof(*g->queue), compare_back);
	for (size_t i = 0; i < n; i++) {
		o = g->queue[i];
		/* one object that two API groups show */
		if (g->nqueue > 0 &&
		    strcmp(g->queue[g->nqueue - 1]->live.uid, o->live.uid) == 0)
			continue;
		o->in_flight = true;
		o->fights = 0;
		g->queue[g->nqueue++] = o;
	}
}

static bool
is_too_much(const struct gc *g)
{
	const struct cluster *c = g->cluster;

	return share_exceeds(&c->config.gc_limit, g->nqueue,
	    c->objects.n + g->nqueue);
}

static void
refuse(struct pass *p)
{
	struct gc *g = p->cluster->gc;
	auto_free char *text =
	    xasprintf("garbage collection would delete %zu of %zu resources, "
		      "more than "
		      "--sync-gc-limit=%llu%s allows; nothing is deleted",
		g->nqueue, p->cluster->objects.n + g->nqueue,
		(unsigned long long)p->cluster->config.gc_limit.n,
		p->cluster->config.gc_limit.percent ? "%" : "");

	/* one error for all of them, with the first one's name */
	error(p, g->queue[g->nqueue - 1], text);
	g->next = g->nqueue;
}

static void
judge(struct pass *p)
{
	struct gc *g = p->cluster->gc;

	warn_outdated(g);
	fill_queue(g);
	if (is_too_much(g)) {
		refuse(p);
		return;
	}
	for (size_t i = 0; i < g->nqueue; i++)
		gc_note(g, "info",
		    "cluster resource not in resources to be synced; deleting",
		    g->queue[i]->id);
	if (p->cluster->config.gc_dry)
		g->next = g->nqueue;
}

/* ---- requests --------------------------------------------------------- */

static void
finish(struct gc_slot *s)
{
	struct gc *g = s->cluster->gc;

	s->object = NULL;
	g->in_flight--;
	pass_step(s->cluster);
}

static void
failed(struct gc_slot *s, const struct answer *a)
{
	struct pass *p = s->cluster->pass;

	/* nobody there, or nobody who knows us: so it would go with all */
	if (a->status.http == 0 || a->status.what == SW_LOGIN)
		pass_fail(p, &a->err);
	else
		error(p, s->object, a->err.text);
	finish(s);
}

static void
get_object(struct gc_slot *s, answer_fn *done)
{
	struct buf path = BUF_INIT(4096);
	const struct object *o = s->object;

	if (kind_path(o->kind, o->ns, o->name, &path) != FX_OK)
		fx_bug("%s was let in", o->id);
	client_send(s->cluster->client, LANE_REQUESTS,
	    cluster_get(s->cluster, &path, ACCEPT_META, META_BODY_MAX, done,
		s));
}

/* ---- looks ------------------------------------------------------------ */

/* Only the inventory knows of it, for no list or watch shows it. */
static bool
needs_look(const struct gc *g, const struct object *o)
{
	bool shown = gc_is_certain(o) && o->live.uid[0] != '\0';

	return o->listed && !shown && o->kind->known && !o->kind->excluded &&
	    o->not_before_us <= clk_now_us() && !gc_in_git(g, o) &&
	    cluster_allows(g->cluster, o);
}

static void
fill_looks(struct gc *g)
{
	g->queue = xcalloc(g->strays.n + 1, sizeof(*g->queue));
	for (size_t i = 0; i < g->strays.n; i++)
		if (needs_look(g, g->strays.v[i])) {
			g->strays.v[i]->in_flight = true;
			g->queue[g->nqueue++] = g->strays.v[i];
		}
}

/* It is there.  What is to stay is not asked for in every pass. */
static void
looked(struct gc *g, struct object *o, const json_t *meta)
{
	const struct live *live = &o->live;

	stray_read(g, o, meta, &o->live);
	if (!live->ours) {
		stray_lost(g, o);
		return;
	}
	o->looked = true;
	if (live->spare != SPARE_NOT || live->dependent || live->deleting ||
	    gc_protects(g->cluster, o))
		o->not_before_us = clk_now_us() + GC_LOOK_US;
}

static void
on_looked(void *arg, struct answer *a)
{
	struct gc_slot *s = arg;
	struct gc *g = s->cluster->gc;
	struct object *o = s->object;
	auto_json json_t *doc = sw_answer(a);

	if (doc != NULL) {
		looked(g, o, json_object_get(doc, "metadata"));
	} else if (a->status.what == SW_MISSING ||
	    a->status.what == SW_NO_KIND) {
		stray_drop(g, o);
	} else if (a->status.what == SW_DENIED) {
		o->not_before_us = clk_now_us() + GC_LOOK_US;
		gc_note(g, "warning", a->err.text, o->id);
	} else {
		failed(s, a);
		return;
	}
	finish(s);
}

static void
look_at(struct gc_slot *s)
{
	get_object(s, on_looked);
}

/* ---- deletion --------------------------------------------------------- */

static void delete_object(struct gc_slot *);

/* The object as it is now: is it still to go? */
static void
on_again(void *arg, struct answer *a)
{
	struct gc_slot *s = arg;
	struct gc *g = s->cluster->gc;
	struct object *o = s->object;
	auto_json json_t *doc = sw_answer(a);

	if (doc != NULL) {
		stray_read(g, o, json_object_get(doc, "metadata"), &o->live);
		if (gc_may_go(g, o))
			delete_object(s);
		else
			finish(s);
	} else if (a->status.what == SW_MISSING ||
	    a->status.what == SW_NO_KIND) {
		stray_drop(g, o);
		finish(s);
	} else {
		failed(s, a);
	}
}

static void
look_again(struct gc_slot *s)
{
	if (++s->tries == GC_TRIES) {
		error(s->cluster->pass, s->object,
		    "it was not deleted: it changed each time before it could "
		    "be");
		finish(s);
		return;
	}
	get_object(s, on_again);
}

/* Gone, or going: then the answer is the object with its deletionTimestamp. */
static void
deleted(struct gc_slot *s, const struct answer *a)
{
	struct object *o = s->object;
	struct fx_err ignored;
	auto_json json_t *doc =
	    sw_json(buf_head(&a->body), buf_left(&a->body), &ignored);
	const json_t *meta = json_object_get(doc, "metadata");

	s->cluster->pass->result.deleted++;
	if (strcmp(sw_json_str(meta, "uid"), o->live.uid) == 0)
		stray_read(s->cluster->gc, o, meta, &o->live);
	else
		stray_drop(s->cluster->gc, o);
}

static void
on_deleted(void *arg, struct answer *a)
{
	struct gc_slot *s = arg;

	if (a->status.what == SW_CONFLICT) {
		look_again(s);
		return;
	}
	if (a->err.code == FX_OK)
		deleted(s, a);
	else if (a->status.what == SW_MISSING || a->status.what == SW_NO_KIND)
		stray_drop(s->cluster->gc, s->object);
	else {
		failed(s, a);
		return;
	}
	finish(s);
}

static void
delete_object(struct gc_slot *s)
{
	const struct object *o = s->object;
	struct buf path = BUF_INIT(4096), body = BUF_INIT(1024);
	struct request *r;

	if (kind_path(o->kind, o->ns, o->name, &path) != FX_OK)
		fx_bug("%s was let in", o->id);
	(void)str_addf(&body,
	    "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\","
	    "\"propagationPolicy\":\"Background\",\"preconditions\":{"
	    "\"uid\":\"%s\"",
	    o->live.uid);
	if (o->live.version != 0)
		(void)str_addf(&body, ",\"resourceVersion\":\"%llu\"",
		    (unsigned long long)o->live.version);
	(void)str_add(&body, "}}");
	r = request_new("DELETE", str_take(&path));
	r->accept = ACCEPT_META;
	r->content_type = "application/json";
	r->body = body;
	r->answer_max = META_BODY_MAX;
	r->timeout_us = s->cluster->config.timeout_us;
	r->conflict_is_final = true;
	r->done = on_deleted;
	r->arg = s;
	client_send(s->cluster->client, LANE_REQUESTS, r);
}

static struct gc_slot *
free_slot(struct gc *g)
{
	for (size_t i = 0; i < nitems(g->slots); i++)
		if (g->slots[i].object == NULL)
			return &g->slots[i];
	return NULL;
}

/* The queue, to its end.  Of deletions no rank begins before the one above it
 * has ended. */
static bool
step_queue(struct pass *p, void (*start)(struct gc_slot *))
{
	struct gc *g = p->cluster->gc;
	struct gc_slot *s;

	if (p->result.err.code != FX_OK)
		g->next = g->nqueue;
	while (g->next < g->nqueue && (s = free_slot(g)) != NULL) {
		struct object *o = g->queue[g->next];

		if (start == delete_object && g->in_flight > 0 && g->next > 0 &&
		    g->queue[g->next - 1]->rank != o->rank)
			return false;
		g->next++;
		if (o->gone_later != 0)
			continue; /* a watch has shown that it is gone */
		*s = (struct gc_slot){ p->cluster, o, 0 };
		g->in_flight++;
		start(s);
	}
	return g->in_flight == 0;
}

/* ---- in a pass -------------------------------------------------------- */

/* Kinds that git no longer has, and that held something of ours. */
static void
list_held(struct cluster *c)
{
	if (c->inventory != NULL)
		inventory_resolve(c->inventory);
	for (size_t i = 0; i < c->nkinds; i++) {
		struct kind *k = c->kinds[i];

		if (!k->held || k->objects > 0)
			continue;
		if (!k->known)
			kind_resolve(c, k);
		if (k->known)
			kind_list(c, k);
	}
}

static bool
is_listing(const struct cluster *c)
{
	for (size_t i = 0; i < c->nkinds; i++)
		if (c->kinds[i]->held && kind_is_listing(c->kinds[i]))
			return true;
	return sweep_is_running(&c->gc->sweep);
}

/* Waits for lists, but not for ever, and for what the last pass did not wait
 * for not again. */
static void
wait_for_sweep(struct gc *g)
{
	g->until_us = clk_now_us();
	if (!sweep_is_running(&g->sweep) || g->swept == g->cluster->npasses)
		g->until_us += GC_WAIT_US;
}

static void
start_sweep(struct cluster *c)
{
	struct gc *g = c->gc;

	g->phase = GC_SWEEP;
	wait_for_sweep(g);
	loop_timer_at(c->loop, &g->timer, g->until_us);
	list_held(c);
	sweep_start(&g->sweep);
}

void
gc_begin_sweep(struct pass *p)
{
	struct cluster *c = p->cluster;
	struct gc *g = c->gc;

	if (g == NULL || p->incomplete || !c->refresh.loaded ||
	    c->catalog_stale || sweep_is_running(&g->sweep))
		return;
	g->swept = c->npasses;
	sweep_start(&g->sweep);
}

static void
on_catalog(void *arg, const struct fx_err *err)
{
	struct cluster *c = arg;
	struct fx_err e = *err;

	if (err->code != FX_OK) {
		fx_wrap(&e, "cannot ask for API resources");
		gc_note(c->gc, "warning", e.text, NULL);
	}
	start_sweep(c);
	pass_step(c);
}

static void
on_timer(struct loop *l, void *arg)
{
	(void)l;
	pass_step(arg);
}

void
gc_start(struct pass *p)
{
	struct cluster *c = p->cluster;
	struct gc *g = c->gc;

	p->step = STEP_GC;
	g->nqueue = g->next = 0;
	g->phase = GC_DONE;
	if (p->incomplete) {
		gc_note(g, "warning",
		    "not collecting garbage: some of what git has could not "
		    "be loaded",
		    NULL);
	} else if (!c->refresh.loaded || c->catalog_stale) {
		g->phase = GC_CATALOG;
		refresh_catalog(c, on_catalog, c);
	} else {
		start_sweep(c);
	}
}

static void
end_queue(struct gc *g)
{
	for (size_t i = 0; i < g->nqueue; i++)
		stray_let_go(g, g->queue[i]);
	free(fx_steal(&g->queue));
	g->nqueue = g->next = 0;
}

static void
end(struct pass *p)
{
	struct cluster *c = p->cluster;
	struct gc *g = c->gc;

	loop_timer_stop(c->loop, &g->timer);
	end_queue(g);
	for (size_t i = 0; i < g->strays.n; i++)
		g->strays.v[i]->looked = false;
	g->phase = GC_RECORD;
	if (c->inventory != NULL && p->result.err.code == FX_OK)
		inventory_keep(c->inventory);
}

bool
gc_step(struct pass *p)
{
	struct gc *g = p->cluster->gc;

	switch (g->phase) {
	case GC_CATALOG:
		return false;
	case GC_SWEEP:
		if (is_listing(p->cluster) && clk_now_us() < g->until_us)
			return false;
		sweep_report(&g->sweep);
		fill_looks(g);
		g->phase = GC_LOOK;
		FX_FALLTHROUGH;
	case GC_LOOK:
		if (!step_queue(p, look_at))
			return false;
		end_queue(g);
		g->phase = GC_DELETE;
		if (p->result.err.code == FX_OK)
			judge(p);
		FX_FALLTHROUGH;
	case GC_DELETE:
		if (!step_queue(p, delete_object))
			return false;
		end(p);
		FX_FALLTHROUGH;
	case GC_RECORD:
		if (p->cluster->inventory != NULL &&
		    inventory_is_busy(p->cluster->inventory))
			return false;
		g->phase = GC_DONE;
		break;
	case GC_DONE:
		break;
	}
	return true;
}

/* ---- all of it -------------------------------------------------------- */

struct gc *
gc_new(struct cluster *c)
{
	struct gc *g = xcalloc(1, sizeof(*g));

	g->cluster = c;
	g->phase = GC_DONE;
	g->sweep.cluster = c;
	g->timer = (struct loop_timer){ .fn = on_timer, .arg = c };
	objects_init(&g->strays, c->objects.seed);
	return g;
}

void
gc_free(struct gc **gp)
{
	struct gc *g = *gp;

	if (g == NULL)
		return;
	loop_timer_stop(g->cluster->loop, &g->timer);
	sweep_clear(&g->sweep);
	free(g->queue);
	objects_clear(&g->strays);
	free(g);
	*gp = NULL;
}
