/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "objects.h"

#include "clock.h"
#include "json.h"
#include "str.h"
#include "takeover.h"

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

static size_t
group_length(const char *api_version)
{
	const char *slash = strchr(api_version, '/');

	return slash != NULL ? (size_t)(slash - api_version) : 0;
}

bool
api_same_group(const char *a, const char *b)
{
	size_t n = group_length(a);

	return n == group_length(b) && memcmp(a, b, n) == 0;
}

struct object *
objects_next(const struct objects *t, const char *id,
    const struct object *after)
{
	struct object *o =
	    after != NULL ? after->next_id : t->by_id[id_slot(t, id)];

	while (o != NULL && strcmp(o->id, id) != 0)
		o = o->next_id;
	return o;
}

struct object *
objects_by_id(const struct objects *t, const char *id, const char *api_version)
{
	struct object *o = objects_next(t, id, NULL);

	while (o != NULL && !api_same_group(o->api_version, api_version))
		o = objects_next(t, id, o);
	return o;
}

struct object *
objects_by_index(const struct objects *t, const char *id, uint64_t index)
{
	struct object *o = objects_next(t, id, NULL);

	while (o != NULL && o->index != index)
		o = objects_next(t, id, o);
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

/* There are as many as git has resources, so each is one piece of memory; and
 * an id ends in the name. */
struct object *
object_new(struct kind *k, const char *id, const char *ns, const char *name)
{
	size_t nid = strlen(id), nns = strlen(ns), nname = strlen(name);
	bool ends = nid >= nname && strcmp(id + nid - nname, name) == 0;
	struct object *o =
	    xcalloc(1, sizeof(*o) + nid + nns + 2 + (ends ? 0 : nname + 1));
	char *at = (char *)(o + 1);

	o->kind = k;
	o->id = memcpy(at, id, nid + 1);
	o->ns = memcpy(at + nid + 1, ns, nns + 1);
	o->name = ends ? o->id + nid - nname
		       : memcpy(at + nid + nns + 2, name, nname + 1);
	return o;
}

void
object_free(struct object **op)
{
	struct object *o = *op;

	if (o == NULL)
		return;
	free(o->source);
	free(o->fields);
	free(o->takeover);
	free(o->rivals);
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

/* Where no entry tells who wrote what: everything but the status, which has no
 * part in the generation; an object that has none changes with each write. */
static void
digest_content(const json_t *meta, uint8_t out[FIELDS_DIGEST])
{
	static const char *const names[] = { "generation", "labels",
		"annotations", "deletionTimestamp" };
	auto_json json_t *content = json_object();

	for (size_t i = 0; i < nitems(names); i++)
		json_object_set(content, names[i],
		    json_object_get(meta, names[i]));
	if (json_object_get(content, "generation") == NULL)
		json_object_set(content, "resourceVersion",
		    json_object_get(meta, "resourceVersion"));
	fields_digest(content, out);
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
	out->ours =
	    strcmp(sw_json_str(json_object_get(meta, "labels"), OBJ_MARK_LABEL),
		o->mark) == 0;
	out->marked = out->ours &&
	    strcmp(sw_json_str(annotations, OBJ_CHECKSUM), o->hash) == 0;
	out->spare = spare_read(annotations);
	out->ignored = out->spare == SPARE_IGNORE;
	out->deleting = json_object_get(meta, "deletionTimestamp") != NULL;
	out->dependent =
	    json_array_size(json_object_get(meta, "ownerReferences")) > 0;
	out->recorded = takeover_has_annotation(meta);
	out->foreign = takeover_has_entry(meta) ||
	    (out->recorded && o->keep == KEEP_NEVER);
	if (!o->merged)
		return;
	out->foreign = false;
	out->owned = true;
	digest_content(meta, out->digest);
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
	if (!seen->marked || !seen->owned || seen->foreign)
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

/* Objects to be taken over are many at once, when fluxd follows another: what
 * their list shows saves a request for each. */
static void
keep_takeover(struct object *o, const struct live *seen, const json_t *meta)
{
	struct buf patch = BUF_INIT(OBJ_TAKEOVER_MAX);

	free(fx_steal(&o->takeover));
	if (seen->foreign &&
	    takeover_patch(&patch, meta, o->keep == KEEP_NEVER) == FX_OK)
		o->takeover = str_take(&patch);
	buf_clear(&patch);
}

/* Known already: the echo of our own request, which each one has. */
static bool
is_echo(const struct object *o, const json_t *meta)
{
	uint64_t version = sw_json_version(meta);

	return version != 0 && version <= o->live.version &&
	    o->state >= OBJ_CHECK &&
	    strcmp(sw_json_str(meta, "uid"), o->live.uid) == 0;
}

bool
object_observe(struct object *o, const json_t *meta)
{
	struct live seen;

	if (is_echo(o, meta))
		return false;
	live_read(o, meta, &seen);
	if (o->in_flight) {
		if (o->later == NULL)
			o->later = xcalloc(1, sizeof(*o->later));
		*o->later = seen;
		return false;
	}
	keep_takeover(o, &seen, meta);
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
	free(fx_steal(&o->takeover));
	o->has_digest = false;
	o->live.ignored = false;
	o->live.deleting = false;
	o->failures = 0;
	o->retry_us = 0;
	/* one that could not be applied may be made anew now */
	if (o->error != NULL && o->state != OBJ_LOOK)
		o->drifted = true;
	return becomes(o, OBJ_LOOK) || o->drifted;
}

void
object_changed(struct object *o)
{
	o->live.marked = false;
	free(fx_steal(&o->fields));
	if (o->state > OBJ_LOOK)
		o->state = OBJ_DIRTY;
	o->has_digest = false;
	o->merged = false;
	o->fights = 0;
	o->not_before_us = 0;
	free(fx_steal(&o->rivals));
	o->failures = 0;
	o->retry_us = 0;
}

/* ---- what comes of it ------------------------------------------------- */

#define FIGHT_US (60 * CLK_SEC)	     /* repairs closer than this are a fight */
#define FIGHT_MAX_US (300 * CLK_SEC) /* between two repairs of one object */
#define FIGHT_SHIFT_MAX 9
#define LOOK_US CLK_SEC /* between two looks at what was right */
#define REFUSED_FIRST_US (5 * CLK_SEC)
#define REFUSED_SHIFT_MAX 16

void
object_repaired(struct object *o)
{
	int64_t now = clk_now_us(), wait = 0;
	int64_t since = o->not_before_us > o->repaired_us ? o->not_before_us
							  : o->repaired_us;

	if (o->repaired_us != 0 && now - since < FIGHT_US) {
		o->fights++;
	} else {
		o->fights = 0;
		free(fx_steal(&o->rivals));
	}
	if (o->fights >= 2)
		wait = CLK_SEC
		    << (o->fights < FIGHT_SHIFT_MAX ? o->fights
						    : FIGHT_SHIFT_MAX);
	o->repaired_us = now;
	o->not_before_us = now + (wait > FIGHT_MAX_US ? FIGHT_MAX_US : wait);
}

void
object_was_right(struct object *o)
{
	o->not_before_us = clk_now_us() + LOOK_US;
}

bool
object_is_contested(const struct object *o)
{
	return o->fights >= OBJ_CONTESTED &&
	    clk_now_us() < o->not_before_us + FIGHT_US;
}

void
object_refused(struct object *o, int64_t max_us)
{
	unsigned shift =
	    o->failures < REFUSED_SHIFT_MAX ? o->failures : REFUSED_SHIFT_MAX;
	int64_t wait = o->failures == 0 ? 0 : REFUSED_FIRST_US << shift;

	o->failures++;
	o->retry_us = clk_now_us() + (wait < max_us ? wait : max_us);
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
	o->state = o->live.marked && o->live.owned && !o->live.foreign
	    ? OBJ_CLEAN
	    : OBJ_DIRTY;
	o->drifted = false;
	if (o->state == OBJ_CLEAN) {
		o->failures = 0;
		o->retry_us = 0;
	}
	free(fx_steal(&o->takeover));
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
