/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "gc.h"

#include "inventory.h"
#include "mark.h"
#include "resource_id.h"
#include "str.h"

#include <stdio.h>

/* What is ours, lives, and is not in git: learned from streams and the set. */

#define GC_ID_MAX 600 /* names of 253 bytes twice, and the kind */

char *
gc_own_id(const struct cluster *c, const char *kind, const json_t *meta)
{
	const char *label =
	    sw_json_str(json_object_get(meta, "labels"), OBJ_MARK_LABEL);
	auto_free char *id = NULL;

	if (label[0] == '\0')
		return NULL;
	id = resource_id_make(sw_json_str(meta, "namespace"), kind,
	    sw_json_str(meta, "name"));
	if (strlen(id) > GC_ID_MAX)
		return NULL;
	for (size_t i = 0; i < c->config.gc_names.n; i++) {
		auto_free char *mark = mark_of(c->config.gc_names.v[i], id);

		if (strcmp(mark, label) == 0)
			return fx_steal(&id);
	}
	return NULL;
}

void
stray_drop(struct gc *g, struct object *o)
{
	if (o->in_flight) {
		o->gone_later = 1; /* whoever holds it lets it go */
		return;
	}
	if (o->listed)
		inventory_shrunk(g->cluster->inventory);
	objects_remove(&g->strays, o);
	object_free(&o);
}

void
stray_let_go(struct gc *g, struct object *o)
{
	o->in_flight = false;
	if (o->gone_later != 0)
		stray_drop(g, o);
}

void
stray_lost(struct gc *g, struct object *o)
{
	if (o->listed)
		gc_note(g, "warning",
		    "the inventory names it, but it is not marked as ours; it "
		    "is left alone",
		    o->id);
	stray_drop(g, o);
}

static void
set_mark(struct object *o, const char *mark)
{
	snprintf(o->mark, sizeof(o->mark), "%s", mark);
}

void
stray_listed(struct gc *g, struct kind *k, const char *id, const char *ns,
    const char *name)
{
	struct object *o = object_new(k, id, ns, name);
	const struct stream *s = kind_stream(k, ns);

	o->api_version = k->api_version;
	o->rank = object_rank(k->kind);
	o->listed = true;
	/* a list that is on its way may have gone past it already */
	if (s != NULL)
		o->seen = s->generation;
	k->held = true;
	objects_add(&g->strays, o);
}

/* A former set's mark counts for what the inventory names and proves only; it
 * is looked at each time, for what proves it may go. */
void
stray_read(struct gc *g, struct object *o, const json_t *meta, struct live *out)
{
	const struct cluster *c = g->cluster;
	const char *label =
	    sw_json_str(json_object_get(meta, "labels"), OBJ_MARK_LABEL);
	bool found = false;

	for (size_t i = 0; i < c->config.gc_names.n && !found; i++) {
		auto_free char *mark = mark_of(c->config.gc_names.v[i], o->id);

		found = strcmp(mark, label) == 0;
		if (found || i == 0)
			set_mark(o, mark);
	}
	if (!found && o->listed && inventory_proves(c->inventory, o->id, meta))
		set_mark(o, label);
	live_read(o, meta, out);
}

static struct object *
find(struct gc *g, const struct stream *s, const json_t *meta)
{
	return objects_find(&g->strays, s->kind, sw_json_str(meta, "namespace"),
	    sw_json_str(meta, "name"));
}

/* An object of ours that is new to us.  NULL: it is none, or git has it. */
static struct object *
meet(struct gc *g, const struct stream *s, const json_t *meta)
{
	struct cluster *c = g->cluster;
	const char *ns = sw_json_str(meta, "namespace");
	const char *name = sw_json_str(meta, "name");
	auto_free char *id = gc_own_id(c, s->kind->kind, meta);
	struct buf path = BUF_INIT(4096);
	bool has_path = kind_path(s->kind, ns, name, &path) == FX_OK;
	struct object *o;

	buf_clear(&path);
	if (id == NULL || !has_path || g->strays.n == OBJ_MAX ||
	    objects_by_id(&c->objects, id, s->kind->api_version) != NULL)
		return NULL;
	o = object_new(s->kind, id, ns, name);
	o->api_version = s->kind->api_version;
	o->rank = object_rank(s->kind->kind);
	objects_add(&g->strays, o);
	return o;
}

void
gc_seen(struct stream *s, const json_t *meta)
{
	struct gc *g = s->cluster->gc;
	struct object *o = g != NULL ? find(g, s, meta) : NULL;
	struct live seen;

	if (g == NULL || (o == NULL && (o = meet(g, s, meta)) == NULL))
		return;
	o->seen = s->generation;
	stray_read(g, o, meta, &seen);
	if (seen.version != 0 && seen.version <= o->live.version &&
	    strcmp(seen.uid, o->live.uid) == 0)
		return; /* older than what a request has shown */
	if (seen.ours)
		o->live = seen;
	else
		stray_lost(g, o); /* its mark is another one */
}

void
gc_gone(struct stream *s, const json_t *meta)
{
	struct gc *g = s->cluster->gc;
	struct object *o = g != NULL ? find(g, s, meta) : NULL;

	if (o != NULL)
		stray_drop(g, o);
}

void
gc_settle(struct stream *s)
{
	struct gc *g = s->cluster->gc;

	for (size_t i = g != NULL ? g->strays.n : 0; i-- > 0;) {
		struct object *o = g->strays.v[i];

		if (o->kind == s->kind && o->seen != s->generation &&
		    (s->ns[0] == '\0' || strcmp(s->ns, o->ns) == 0))
			stray_drop(g, o);
	}
}

bool
gc_takes(struct cluster *c, struct object *o)
{
	bool ours =
	    o->state >= OBJ_CHECK && o->live.uid[0] != '\0' && o->live.ours;

	if (c->gc == NULL)
		return false;
	o->kind->held = true;
	if (!ours && !o->listed)
		return false;
	if (!ours)
		o->live = (struct live){ 0 }; /* somebody has to look */
	o->drifted = false;
	o->not_before_us = 0;
	free(fx_steal(&o->error));
	free(fx_steal(&o->fields));
	objects_add(&c->gc->strays, o);
	return true;
}

void
gc_came(struct cluster *c, struct object *o)
{
	struct object *stray;

	if (c->gc == NULL)
		return;
	while ((stray = objects_by_id(&c->gc->strays, o->id, o->api_version)) !=
	    NULL) {
		o->listed |= stray->listed;
		stray->listed = false;
		stray_drop(c->gc, stray);
	}
}
