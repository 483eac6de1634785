/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "objects.h"

#include "json.h"

#include <stdio.h>
#include <strings.h>

#define SLOTS_FIRST 256

/* ---- the table -------------------------------------------------------- */

/* FNV-1a from a start that nobody outside knows. */
static uint64_t
hash_text(uint64_t h, const char *s)
{
	do {
		h = (h ^ (uint8_t)*s) * 0x100000001b3;
	} while (*s++ != '\0');
	return h;
}

static size_t
id_slot(const struct objects *t, const char *id)
{
	uint64_t h = hash_text(t->seed, id);

	return (size_t)(h ^ h >> 32) & (t->nslots - 1);
}

static size_t
key_slot(const struct objects *t, const struct kind *k, const char *ns,
    const char *name)
{
	uint64_t h = hash_text(t->seed ^ (uintptr_t)k, ns);

	h = hash_text(h, name);
	return (size_t)(h ^ h >> 32) & (t->nslots - 1);
}

static void
link_object(struct objects *t, struct object *o)
{
	size_t i = id_slot(t, o->id), k = key_slot(t, o->kind, o->ns, o->name);

	o->next_id = t->by_id[i];
	t->by_id[i] = o;
	o->next_key = t->by_key[k];
	t->by_key[k] = o;
}

static void
resize(struct objects *t, size_t nslots)
{
	free(t->by_id);
	free(t->by_key);
	t->by_id = xcalloc(nslots, sizeof(*t->by_id));
	t->by_key = xcalloc(nslots, sizeof(*t->by_key));
	t->nslots = nslots;
	for (size_t i = 0; i < t->n; i++)
		link_object(t, t->v[i]);
}

void
objects_init(struct objects *t, uint64_t seed)
{
	*t = (struct objects){ .seed = seed };
	resize(t, SLOTS_FIRST);
}

void
objects_clear(struct objects *t)
{
	for (size_t i = 0; i < t->n; i++)
		object_free(&t->v[i]);
	free(t->v);
	free(t->by_id);
	free(t->by_key);
	*t = (struct objects){ 0 };
}

struct object *
objects_by_id(const struct objects *t, const char *id)
{
	struct object *o = t->by_id[id_slot(t, id)];

	while (o != NULL && strcmp(o->id, id) != 0)
		o = o->next_id;
	return o;
}

struct object *
objects_find(const struct objects *t, const struct kind *k, const char *ns,
    const char *name)
{
	struct object *o = t->by_key[key_slot(t, k, ns, name)];

	while (o != NULL &&
	    (o->kind != k || strcmp(o->name, name) != 0 ||
		strcmp(o->ns, ns) != 0))
		o = o->next_key;
	return o;
}

void
objects_add(struct objects *t, struct object *o)
{
	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? SLOTS_FIRST : 2 * t->cap;
		t->v = xreallocarray(t->v, t->cap, sizeof(struct object *));
	}
	o->pos = t->n;
	t->v[t->n++] = o;
	if (t->n > t->nslots)
		resize(t, 2 * t->nslots);
	else
		link_object(t, o);
}

void
objects_remove(struct objects *t, struct object *o)
{
	struct object **p = &t->by_id[id_slot(t, o->id)];

	while (*p != o)
		p = &(*p)->next_id;
	*p = o->next_id;
	p = &t->by_key[key_slot(t, o->kind, o->ns, o->name)];
	while (*p != o)
		p = &(*p)->next_key;
	*p = o->next_key;
	t->v[o->pos] = t->v[--t->n];
	t->v[o->pos]->pos = o->pos;
}

void
object_free(struct object **op)
{
	struct object *o = *op;

	if (o == NULL)
		return;
	free(o->id);
	free(o->ns);
	free(o->name);
	free(o->source);
	free(o->fields);
	free(o->later);
	free(o->error);
	free(o);
	*op = NULL;
}

/* ---- order ------------------------------------------------------------ */

unsigned
object_rank(const char *kind)
{
	static const struct {
		const char *kind;
		unsigned rank;
	} ranks[] = {
		{ "namespace", 0 },
		{ "customresourcedefinition", 1 },
		{ "serviceaccount", 1 },
		{ "clusterrole", 1 },
		{ "role", 1 },
		{ "persistentvolume", 1 },
		{ "service", 1 },
		{ "resourcequota", 2 },
		{ "limitrange", 2 },
		{ "secret", 2 },
		{ "configmap", 2 },
		{ "rolebinding", 2 },
		{ "clusterrolebinding", 2 },
		{ "persistentvolumeclaim", 2 },
		{ "ingress", 2 },
		{ "daemonset", 3 },
		{ "deployment", 3 },
		{ "replicationcontroller", 3 },
		{ "replicaset", 3 },
		{ "job", 3 },
		{ "cronjob", 3 },
		{ "statefulset", 3 },
		/* last, or a webhook whose server is made in the same pass
		 * would stand in the way of it */
		{ "mutatingwebhookconfiguration", 5 },
		{ "validatingwebhookconfiguration", 5 },
	};

	for (size_t i = 0; i < nitems(ranks); i++)
		if (strcasecmp(kind, ranks[i].kind) == 0)
			return ranks[i].rank;
	return 4;
}

int
object_compare(const void *a, const void *b)
{
	const struct object *x = *(struct object *const *)a;
	const struct object *y = *(struct object *const *)b;
	int r;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if ((r = strcmp(x->name, y->name)) != 0 ||
	    (r = strcmp(x->ns, y->ns)) != 0)
		return r;
	return strcmp(x->id, y->id);
}

/* ---- what is seen ----------------------------------------------------- */

static bool
is_ignored(const json_t *annotations)
{
	const json_t *v = json_object_get(annotations, "fluxcd.io/ignore");

	/* of the two spellings the newer one decides if it is there */
	if (v == NULL)
		v = json_object_get(annotations, "flux.weave.works/ignore");
	return json_is_string(v) && strcmp(json_string_value(v), "true") == 0;
}

void
live_read(const struct object *o, const json_t *meta, struct live *out)
{
	const json_t *ours = fields_ours(meta);
	const json_t *annotations = json_object_get(meta, "annotations");

	*out = (struct live){ 0 };
	snprintf(out->uid, sizeof(out->uid), "%s", sw_json_str(meta, "uid"));
	out->version = sw_json_version(meta);
	out->owned = ours != NULL;
	fields_digest(ours, out->digest);
	out->marked =
	    strcmp(sw_json_str(json_object_get(meta, "labels"), OBJ_MARK_LABEL),
		o->mark) == 0 &&
	    strcmp(sw_json_str(annotations, OBJ_CHECKSUM), o->hash) == 0;
	out->ignored = is_ignored(annotations);
	out->deleting = json_object_get(meta, "deletionTimestamp") != NULL;
}

/* Go to a state that needs work; true if there was none to do before. */
static bool
becomes(struct object *o, enum object_state state)
{
	bool was_clean = o->state == OBJ_CLEAN;

	o->state = state;
	if (was_clean && !o->live.ignored && !o->ignored)
		o->drifted = true;
	return was_clean && o->drifted;
}

static bool
judge(struct object *o, const struct live *seen, const json_t *fields)
{
	uint8_t right[FIELDS_DIGEST];
	bool same = o->has_digest && strcmp(o->live.uid, seen->uid) == 0;

	memcpy(right, o->live.digest, sizeof(right));
	free(fx_steal(&o->fields));
	o->live = *seen;
	memcpy(o->live.digest, right, sizeof(right));
	if (!seen->marked || !seen->owned)
		return becomes(o, OBJ_DIRTY);
	if (same && memcmp(right, seen->digest, sizeof(right)) == 0) {
		o->state = OBJ_CLEAN;
		o->drifted = false;
		return false;
	}
	if (o->has_digest)
		return becomes(o, OBJ_DIRTY);
	/* Never applied by this process: its body has to tell. */
	memcpy(o->live.digest, seen->digest, sizeof(right));
	o->fields = json_dumps(fields, JSON_COMPACT);
	if (o->fields == NULL || strlen(o->fields) > OBJ_FIELDS_MAX) {
		free(fx_steal(&o->fields));
		return becomes(o, OBJ_DIRTY);
	}
	return becomes(o, OBJ_CHECK);
}

bool
object_observe(struct object *o, const json_t *meta)
{
	struct live seen;

	live_read(o, meta, &seen);
	if (seen.version != 0 && o->live.version != 0 &&
	    seen.version <= o->live.version &&
	    strcmp(seen.uid, o->live.uid) == 0 && o->state >= OBJ_CHECK)
		return false; /* known already: the echo of our own request */
	if (o->in_flight) {
		if (o->later == NULL)
			o->later = xcalloc(1, sizeof(*o->later));
		*o->later = seen;
		return false;
	}
	return judge(o, &seen, fields_ours(meta));
}

bool
object_vanished(struct object *o, uint64_t version)
{
	if (version != 0 && version <= o->live.version)
		return false;
	if (o->in_flight) {
		o->gone_later = version != 0 ? version : UINT64_MAX;
		return false;
	}
	free(fx_steal(&o->fields));
	o->has_digest = false;
	o->live.ignored = false;
	o->live.deleting = false;
	return becomes(o, OBJ_LOOK);
}

void
object_changed(struct object *o)
{
	o->live.marked = false;
	free(fx_steal(&o->fields));
	if (o->state > OBJ_LOOK)
		o->state = OBJ_DIRTY;
	o->has_digest = false;
	o->fights = 0;
}

void
object_sent(struct object *o)
{
	o->in_flight = true;
	o->gone_later = 0;
	free(fx_steal(&o->later));
}

/* What was seen while the request was on its way counts if it is newer. */
static bool
look_at_later(struct object *o)
{
	struct live *later = fx_steal(&o->later);
	bool changed = false;

	o->in_flight = false;
	if (later != NULL && o->has_digest &&
	    (later->version == 0 || later->version > o->live.version))
		changed = judge(o, later, NULL);
	free(later);
	if (o->gone_later != 0)
		changed = object_vanished(o, o->gone_later) || changed;
	o->gone_later = 0;
	return changed;
}

bool
object_applied(struct object *o, const json_t *meta)
{
	live_read(o, meta, &o->live);
	o->has_digest = o->live.owned;
	o->state = o->live.marked && o->live.owned ? OBJ_CLEAN : OBJ_DIRTY;
	o->drifted = false;
	free(fx_steal(&o->error));
	return look_at_later(o);
}

bool
object_not_applied(struct object *o, const char *error)
{
	free(o->error);
	o->error = xstrdup(error);
	o->state = OBJ_DIRTY;
	o->drifted = false;
	return look_at_later(o);
}
