/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cluster.h"

#include "mark.h"
#include "resource_id.h"

#include <stdio.h>

void
set_drop(struct cluster *c)
{
	uint64_t seed = c->objects.seed;

	objects_clear(&c->staged);
	objects_init(&c->staged, seed);
	for (size_t i = 0; i < c->ngone; i++)
		free(c->gone[i].id);
	c->ngone = 0;
}

void
set_begin(struct cluster *c)
{
	set_drop(c);
}

static void
add_gone(struct cluster *c, const char *id, uint64_t index)
{
	if (c->ngone == c->gone_cap) {
		c->gone_cap = c->gone_cap == 0 ? 64 : 2 * c->gone_cap;
		c->gone = xreallocarray(c->gone, c->gone_cap, sizeof(*c->gone));
	}
	c->gone[c->ngone++] = (struct set_gone){ xstrdup(id), index };
}

/* Who parses the repository has no say in whose an object is: its id follows
 * from where it is, and its mark from that and from our own settings. */
static bool
is_itself(const struct cluster *c, const struct set_item *item)
{
	auto_free char *id = resource_id_make(item->ns, item->kind, item->name);
	auto_free char *mark = mark_of(c->config.gc_names.v[0], id);

	return strcmp(id, item->id) == 0 && strcmp(mark, item->mark) == 0;
}

int
set_add(struct cluster *c, const struct set_item *item, struct fx_err *err)
{
	struct object *o;
	struct kind *k;

	if (c->staged.n + c->ngone >= OBJ_MAX)
		return fx_fail(err, FX_ELIMIT, "more than %d resources",
		    OBJ_MAX);
	if (item->removed) {
		add_gone(c, item->id, item->index);
		return FX_OK;
	}
	if (!is_itself(c, item))
		return fx_fail(err, FX_EDENIED,
		    "%.200s: id or mark is another one's", item->id);
	if (objects_by_id(&c->staged, item->id, item->api_version) != NULL)
		return fx_fail(err, FX_ESYNTAX, "%s is in the set twice",
		    item->id);
	if ((k = kind_get(c, item->api_version, item->kind)) == NULL)
		return fx_fail(err, FX_ELIMIT, "more than %d kinds", KINDS_MAX);
	o = object_new(k, item->id, item->ns, item->name);
	o->source = xstrdup(item->source);
	o->api_version = k->api_version;
	o->index = item->index;
	snprintf(o->hash, sizeof(o->hash), "%s", item->hash);
	snprintf(o->mark, sizeof(o->mark), "%s", item->mark);
	o->ignored = item->ignored;
	o->rank = object_rank(item->kind);
	o->keep = c->config.keep;
	o->is_crd = strcmp(item->kind, "CustomResourceDefinition") == 0 &&
	    api_same_group(item->api_version, CRD_API);
	objects_add(&c->staged, o);
	return FX_OK;
}

static struct object *
find_like(const struct objects *t, const struct object *o)
{
	return objects_by_id(t, o->id, o->api_version);
}

static struct object *
find_gone(const struct cluster *c, const struct set_gone *g)
{
	return objects_by_index(&c->objects, g->id, g->index);
}

static void
forget(struct cluster *c, struct object *o)
{
	objects_remove(&c->objects, o);
	o->kind->objects--;
	if (gc_takes(c, o))
		return;
	if (o->kind->objects == 0 && !o->kind->held)
		kind_stop(o->kind);
	object_free(&o);
}

static bool
is_same_place(const struct object *a, const struct object *b)
{
	return a->kind == b->kind && strcmp(a->ns, b->ns) == 0 &&
	    strcmp(a->name, b->name) == 0;
}

/* What the set says now about an object we have; takes `now`. */
static void
update(struct object *o, struct object *now)
{
	char *source = o->source;
	bool changed =
	    strcmp(o->hash, now->hash) != 0 || strcmp(o->mark, now->mark) != 0;

	o->source = now->source;
	now->source = source;
	o->index = now->index;
	o->ignored = now->ignored;
	memcpy(o->hash, now->hash, sizeof(o->hash));
	memcpy(o->mark, now->mark, sizeof(o->mark));
	if (changed)
		object_changed(o);
	object_free(&now);
}

static void
merge(struct cluster *c, struct object *now)
{
	struct object *o = find_like(&c->objects, now);

	if (o != NULL && is_same_place(o, now)) {
		update(o, now);
		return;
	}
	if (o != NULL)
		forget(c, o);
	now->kind->objects++;
	objects_add(&c->objects, now);
	gc_came(c, now);
}

/* Resources that the set will have. */
static size_t
count_after(const struct cluster *c, bool delta)
{
	size_t n = c->staged.n;

	if (!delta)
		return n;
	n = c->objects.n;
	for (size_t i = 0; i < c->staged.n; i++)
		if (find_like(&c->objects, c->staged.v[i]) == NULL)
			n++;
	for (size_t i = 0; i < c->ngone; i++)
		if (find_gone(c, &c->gone[i]) != NULL)
			n--;
	return n;
}

/* A whole set: what it does not name is no longer in it. */
static void
forget_others(struct cluster *c)
{
	for (size_t i = c->objects.n; i-- > 0;)
		if (find_like(&c->staged, c->objects.v[i]) == NULL)
			forget(c, c->objects.v[i]);
}

int
set_end(struct cluster *c, uint64_t number, uint64_t base, uint64_t count,
    struct fx_err *err)
{
	if (base != 0 && base != c->set)
		return fx_fail(err, FX_ENEEDFULL,
		    "the set is a change to one that is not here");
	if (count_after(c, base != 0) != count)
		return fx_fail(err, FX_ENEEDFULL,
		    "the set has %zu resources and not %llu",
		    count_after(c, base != 0), (unsigned long long)count);
	if (base == 0)
		forget_others(c);
	for (size_t i = 0; i < c->ngone; i++) {
		struct object *o = find_gone(c, &c->gone[i]);

		if (o != NULL)
			forget(c, o);
	}
	for (size_t i = 0; i < c->staged.n; i++)
		merge(c, c->staged.v[i]);
	c->staged.n = 0; /* they live on in c->objects, or are freed */
	set_drop(c);
	c->set = number;
	return FX_OK;
}
