/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "pass.h"

#include "body.h"
#include "str.h"

#include <stdio.h>

/*
 * The work of a stage: for each object that needs it, in rank order, fetch the
 * body and apply it.  Bodies are asked for in batches and forgotten as soon as
 * they were sent; no rank begins before the one below it has ended.
 */

#define APPLY_QUERY                                                            \
	"?fieldManager=" SW_MANAGER "&force=true&fieldValidation=Strict"

/* as the server says it */
#define TOO_LARGE "Request entity too large: limit is 3145728"

#define FIGHT_US (60 * CLK_SEC)	     /* repairs closer than this are a fight */
#define FIGHT_MAX_US (300 * CLK_SEC) /* between two repairs of one object */
#define FIGHT_SHIFT_MAX 9

/* One PATCH on its way. */
struct patch {
	struct pass *pass;
	struct object *object;
	size_t bytes;
};

static void
again(struct pass *p, struct object *o)
{
	p->again[p->nagain++] = o;
}

/* A repair that comes soon after the last one waits longer and longer: some
 * other controller wants something else. */
static void
note_repair(struct object *o)
{
	int64_t now = clk_now_us(), wait;

	if (o->repaired_us != 0 && now - o->repaired_us < FIGHT_US)
		o->fights++;
	else if (o->fights > 0 && now > o->not_before_us + FIGHT_US)
		o->fights = 0;
	o->repaired_us = now;
	wait = o->fights < 2 ? 0
			     : CLK_SEC
		<< (o->fights < FIGHT_SHIFT_MAX ? o->fights : FIGHT_SHIFT_MAX);
	o->not_before_us = now + (wait > FIGHT_MAX_US ? FIGHT_MAX_US : wait);
}

static void
patched(struct pass *p, struct object *o, const json_t *meta)
{
	struct cluster *c = p->cluster;

	p->result.patched++;
	if (p->repair)
		note_repair(o);
	if (object_applied(o, meta))
		drift_found(c, o);
	if (o->live.deleting)
		pass_error(p, o,
		    "it is being deleted; it will be made anew when it is "
		    "gone");
	else if (o->state == OBJ_DIRTY && !o->drifted)
		pass_error(p, o,
		    "the server's answer is not what was applied: mark, "
		    "checksum or ownership are missing from it");
	else if (o->is_crd)
		crd_applied(p, o);
}

static void
not_patched(struct pass *p, struct object *o, const struct answer *a)
{
	struct cluster *c = p->cluster;

	if (a->status.what == SW_NO_KIND) {
		o->kind->known = false;
		c->catalog_stale = true;
	}
	if (object_not_applied(o, a->err.text))
		drift_found(c, o);
	/* nobody there, or nobody who knows us: the others would fare the
	 * same, one deadline after the other */
	if (a->status.http == 0 || a->status.what == SW_LOGIN)
		pass_fail(p, &a->err);
	else
		pass_error(p, o, a->err.text);
}

static void
on_patch(void *arg, struct answer *a)
{
	struct patch *x = arg;
	struct pass *p = x->pass;
	struct object *o = x->object;
	auto_json json_t *doc = NULL;

	p->in_flight--;
	p->held -= x->bytes;
	free(x);
	if (a->err.code == FX_OK)
		doc = sw_json(buf_head(&a->body), buf_left(&a->body), &a->err);
	if (doc != NULL)
		patched(p, o, json_object_get(doc, "metadata"));
	else
		not_patched(p, o, a);
	pass_step(p->cluster);
}

static void
send_patch(struct pass *p, struct object *o, struct buf *body)
{
	struct buf path = BUF_INIT(4096);
	struct patch *x = xcalloc(1, sizeof(*x));
	struct request *r;

	if (kind_path(o->kind, o->ns, o->name, &path) != FX_OK)
		fx_bug("%s was let in", o->id);
	(void)str_add(&path, APPLY_QUERY);
	*x = (struct patch){ p, o, buf_left(body) };
	r = request_new("PATCH", str_take(&path));
	r->accept = ACCEPT_META;
	r->content_type = "application/apply-patch+yaml";
	r->body = *body;
	*body = (struct buf){ .max = r->body.max };
	r->answer_max = META_BODY_MAX;
	r->timeout_us = p->cluster->config.timeout_us;
	r->done = on_patch;
	r->arg = x;
	object_sent(o);
	p->in_flight++;
	client_send(p->cluster->client, LANE_REQUESTS, r);
}

/* After a restart: nothing to send if our entry has all of the body. */
static bool
is_covered(struct object *o, const json_t *body)
{
	struct fx_err ignored;
	auto_json json_t *fields = NULL;

	if (o->state != OBJ_CHECK || o->fields == NULL)
		return false;
	fields = sw_json(o->fields, strlen(o->fields), &ignored);
	free(fx_steal(&o->fields));
	if (!fields_cover(fields, body)) {
		o->state = OBJ_DIRTY;
		return false;
	}
	o->state = OBJ_CLEAN;
	o->has_digest = true;
	o->drifted = false;
	return true;
}

static void
refuse(struct pass *p, struct object *o, const char *why)
{
	(void)object_not_applied(o, why);
	pass_error(p, o, why);
}

/* The body of an object whose turn it is. */
static void
apply_body(struct pass *p, struct object *o, const struct buf *text)
{
	struct buf out = BUF_INIT(OBJECT_BODY_MAX);
	struct fx_err err = { 0 };
	auto_json json_t *doc = sw_json(buf_head(text), buf_left(text), &err);

	if (doc == NULL) {
		refuse(p, o, err.text);
		return;
	}
	body_adapt(doc, o->kind->namespaced);
	if (is_covered(o, doc))
		return;
	if (body_write(&out, doc) != FX_OK) {
		buf_wipe(&out);
		refuse(p, o, TOO_LARGE);
		return;
	}
	p->held += buf_left(&out);
	send_patch(p, o, &out);
}

void
pass_body(struct cluster *c, size_t position, const struct buf *body)
{
	struct pass *p = c->pass;
	struct object *o;

	if (p == NULL || position >= p->nbatch ||
	    (o = fx_steal(&p->batch[position])) == NULL ||
	    p->result.err.code != FX_OK)
		return;
	if (p->held + buf_left(body) > HELD_MAX && p->held > 0) {
		p->large = true;
		again(p, o);
		return;
	}
	apply_body(p, o, body);
}

void
pass_body_too_long(struct cluster *c, size_t position)
{
	struct pass *p = c->pass;
	struct object *o;

	if (p == NULL || position >= p->nbatch ||
	    (o = fx_steal(&p->batch[position])) == NULL)
		return;
	refuse(p, o, TOO_LARGE);
}

void
pass_bodies_end(struct cluster *c, const struct fx_err *err)
{
	struct pass *p = c->pass;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->nbatch; i++)
		if (p->batch[i] != NULL && err->code == FX_OK)
			pass_error(p, p->batch[i], "its content did not come");
	p->nbatch = 0;
	if (err->code != FX_OK)
		pass_fail(p, err);
	pass_step(c);
}

/* ---- the queue -------------------------------------------------------- */

static bool
may_send(struct pass *p, struct object *o)
{
	struct buf path = BUF_INIT(4096);
	bool ok = kind_path(o->kind, o->ns, o->name, &path) == FX_OK;

	buf_clear(&path);
	if (!ok)
		pass_error(p, o, "its name cannot be part of a path");
	else if (o->live.deleting && o->live.uid[0] != '\0')
		pass_error(p, o,
		    "it is being deleted; it will be made anew when it is "
		    "gone");
	else
		return true;
	return false;
}

void
work_start(struct pass *p)
{
	struct objects *t = &p->cluster->objects;

	free(p->queue);
	free(p->again);
	p->queue = xcalloc(t->n + 1, sizeof(*p->queue));
	p->again = xcalloc(t->n + 1, sizeof(*p->again));
	p->nqueue = p->next = p->nagain = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct object *o = t->v[i];

		if ((o->state == OBJ_CHECK || o->state == OBJ_DIRTY) &&
		    o->kind->known && pass_wants(p, o) && may_send(p, o))
			p->queue[p->nqueue++] = o;
	}
	qsort(p->queue, p->nqueue, sizeof(*p->queue), object_compare);
}

/* Bodies that had to be dropped are the first to be asked for again. */
static void
take_again(struct pass *p)
{
	while (p->nagain > 0)
		p->queue[--p->next] = p->again[--p->nagain];
}

static void
ask_batch(struct pass *p)
{
	uint64_t indexes[BATCH_MAX];
	size_t max = p->large ? BATCH_SMALL : BATCH_MAX;
	unsigned rank = p->queue[p->next]->rank;

	for (p->nbatch = 0; p->nbatch < max && p->next < p->nqueue &&
	     p->queue[p->next]->rank == rank;
	     p->nbatch++) {
		struct object *o = p->queue[p->next++];

		p->batch[p->nbatch] = o;
		indexes[p->nbatch] = o->index;
	}
	p->cluster->hooks.ask_bodies(p->cluster->hooks.arg, p->cluster->set,
	    indexes, p->nbatch);
}

static bool
rank_may_begin(const struct pass *p)
{
	if (p->next == 0 ||
	    p->queue[p->next]->rank == p->queue[p->next - 1]->rank)
		return true;
	return p->in_flight == 0;
}

bool
work_step(struct pass *p)
{
	if (p->nbatch > 0)
		return false;
	if (p->result.err.code != FX_OK)
		return p->in_flight == 0;
	take_again(p);
	if (p->next == p->nqueue)
		return p->in_flight == 0;
	if (rank_may_begin(p) && p->in_flight < CLIENT_IN_FLIGHT &&
	    p->held < HELD_MAX / 2)
		ask_batch(p);
	return false;
}
