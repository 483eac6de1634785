/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "pass.h"

#include "body.h"
#include "delivery.h"
#include "inventory.h"
#include "takeover.h"

/*
 * The work of a stage: for each object that needs it, in rank order, fetch the
 * body and apply it.  Bodies are asked for in batches and forgotten as soon as
 * they were sent; no rank begins before the one below it has ended.
 */

/* As many as are on their way wait behind them, so that the way is never empty
 * while bodies are asked for. */
#define IN_FLIGHT_AND_AHEAD (2 * CLIENT_IN_FLIGHT)

#define REST_FROM 256 /* writes of a kind: more than a list of it costs */

static void
again(struct pass *p, struct object *o)
{
	p->again[p->nagain++] = o;
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

/* Is the record of kubectl to be part of it? */
static bool
is_recorded(const struct object *o)
{
	return o->keep == KEEP_ALWAYS ||
	    (o->keep == KEEP_AUTO && o->live.recorded);
}

/* Git's object becomes the server's; *recreate is what git says about that. */
static void
adapt(const struct cluster *c, const struct object *o, json_t *doc,
    bool *recreate)
{
	json_t *annotations = sw_json_at(doc, "metadata", "annotations");
	auto_json json_t *git = NULL;

	*recreate =
	    strcmp(sw_json_str(annotations, RECREATE_ANNOTATION), "true") == 0;
	if (is_recorded(o))
		git = json_deep_copy(doc);
	body_adapt(doc, o->kind->namespaced);
	if (c->inventory != NULL)
		json_object_set_new(annotations, INV_CLAIM,
		    json_string(inventory_claim(c->inventory)));
	if (git == NULL)
		return;
	if (!o->kind->namespaced)
		json_object_del(json_object_get(git, "metadata"), "namespace");
	/* too large to be recorded: then it is not, as kubectl has it */
	(void)takeover_annotate(doc, git);
}

/* Does the body speak of the object that the set speaks of?  The server asks,
 * too, but not of one that is to be made.  What is no text it refuses. */
static bool
is_of(const struct object *o, const json_t *doc)
{
	const json_t *metadata = json_object_get(doc, "metadata");
	const struct {
		const json_t *is;
		const char *want;
	} tv[] = {
		{ json_object_get(doc, "apiVersion"), o->api_version },
		{ json_object_get(doc, "kind"), o->kind->kind },
		{ json_object_get(metadata, "name"), o->name },
		{ json_object_get(metadata, "namespace"), o->ns },
	};

	for (size_t i = 0; i < nitems(tv); i++)
		if (json_is_string(tv[i].is) &&
		    strcmp(json_string_value(tv[i].is), tv[i].want) != 0)
			return false;
	return true;
}

/* The body of an object whose turn it is. */
static void
apply_body(struct pass *p, struct object *o, const struct buf *text)
{
	struct buf out = BUF_INIT(OBJECT_BODY_MAX);
	struct fx_err err = { 0 };
	auto_json json_t *doc = body_read(text, &err);
	bool recreate;

	if (doc == NULL) {
		refuse(p, o, err.text);
		return;
	}
	adapt(p->cluster, o, doc, &recreate);
	if (!is_of(o, doc)) {
		refuse(p, o, "its content is another object's");
		return;
	}
	if (is_covered(o, doc))
		return;
	if (body_write(&out, doc) != FX_OK) {
		buf_wipe(&out);
		refuse(p, o, TOO_LARGE);
		return;
	}
	delivery_start(p, o, &out, recreate);
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

/* Which kinds listen while the pass writes? */
static void
settle_watches(struct pass *p)
{
	struct cluster *c = p->cluster;

	for (size_t i = 0; i < c->nkinds; i++)
		c->kinds[i]->due = 0;
	for (size_t i = 0; i < p->nqueue; i++)
		p->queue[i]->kind->due += p->queue[i]->state == OBJ_DIRTY;
	for (size_t i = 0; i < c->nkinds; i++)
		if (c->kinds[i]->due >= REST_FROM)
			kind_rest(c->kinds[i]);
		else if (p->stage == STAGE_REST)
			kind_watch(c->kinds[i]);
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
	settle_watches(p);
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
	if (rank_may_begin(p) && p->in_flight < IN_FLIGHT_AND_AHEAD &&
	    p->held < HELD_MAX / 2)
		ask_batch(p);
	return false;
}
