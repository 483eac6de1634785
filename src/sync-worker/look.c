/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "pass.h"

#include "str.h"

/*
 * Objects that git has and no list of marked ones showed: do they exist, and
 * does somebody want them left alone?  A few are asked for by name; more of
 * one kind by one list of it, so that a first sync costs a constant.
 */

struct look {
	struct cluster *cluster;
	struct kind *kind;
	char *id; /* of the one object; NULL: a list */
	char *ns; /* listed; "": all */
};

static void
look_free(struct look *l)
{
	free(l->id);
	free(l->ns);
	free(l);
}

static void
look_end(struct look *l)
{
	struct cluster *c = l->cluster;

	look_free(l);
	c->pass->looking--;
	pass_step(c);
}

static struct look *
look_new(struct pass *p, struct kind *k)
{
	struct look *l = xcalloc(1, sizeof(*l));

	l->cluster = p->cluster;
	l->kind = k;
	p->looking++;
	return l;
}

static bool
is_looked_for(const struct look *l, const struct object *o)
{
	return o->kind == l->kind && o->state == OBJ_LOOK &&
	    (l->ns == NULL || l->ns[0] == '\0' || strcmp(o->ns, l->ns) == 0);
}

/* It is not there (or may not be read): applying it makes it. */
static void
absent(struct object *o)
{
	o->live = (struct live){ 0 };
	o->has_digest = false;
	o->state = OBJ_DIRTY;
}

static void
on_object(void *arg, struct answer *a)
{
	struct look *l = arg;
	struct pass *p = l->cluster->pass;
	struct object *o =
	    objects_by_id(&l->cluster->objects, l->id, l->kind->api_version);
	auto_json json_t *doc = NULL;

	if (o == NULL || o->state != OBJ_LOOK) {
		look_end(l);
		return;
	}
	doc = sw_answer(a);
	if (doc != NULL)
		(void)object_observe(o, json_object_get(doc, "metadata"));
	else if (a->status.what == SW_MISSING || a->status.what == SW_NO_KIND ||
	    a->status.what == SW_DENIED)
		absent(o);
	else if (a->status.http == 0)
		pass_fail(p, &a->err);
	else
		pass_error(p, o, a->err.text);
	look_end(l);
}

static void
look_one(struct pass *p, struct object *o)
{
	struct buf path = BUF_INIT(4096);
	struct look *l;

	if (kind_path(o->kind, o->ns, o->name, &path) != FX_OK) {
		pass_error(p, o, "its name cannot be part of a path");
		buf_clear(&path);
		return;
	}
	l = look_new(p, o->kind);
	l->id = xstrdup(o->id);
	client_send(p->cluster->client, LANE_REQUESTS,
	    cluster_get(p->cluster, &path, ACCEPT_META, META_BODY_MAX,
		on_object, l));
}

/* ---- a whole kind ----------------------------------------------------- */

static void
take_item(void *arg, const json_t *meta)
{
	struct look *l = arg;
	struct object *o = objects_find(&l->cluster->objects, l->kind,
	    sw_json_str(meta, "namespace"), sw_json_str(meta, "name"));

	if (o != NULL && o->state == OBJ_LOOK)
		(void)object_observe(o, meta);
}

static void
list_failed(struct look *l, const struct answer *a)
{
	struct pass *p = l->cluster->pass;
	struct objects *t = &l->cluster->objects;

	if (a->status.http == 0 && a->err.code != FX_ELIMIT)
		pass_fail(p, &a->err);
	for (size_t i = 0; i < t->n && p->result.err.code == FX_OK; i++) {
		struct object *o = t->v[i];

		if (!is_looked_for(l, o) || !pass_wants(p, o))
			continue;
		if (a->status.what == SW_DENIED)
			look_one(p, o);
		else
			pass_error(p, o, a->err.text);
	}
	look_end(l);
}

static void
on_list(void *arg, const struct answer *a, const char *version)
{
	struct look *l = arg;
	struct objects *t = &l->cluster->objects;

	(void)version;
	if (a->err.code != FX_OK) {
		list_failed(l, a);
		return;
	}
	for (size_t i = 0; i < t->n; i++)
		if (is_looked_for(l, t->v[i]))
			absent(t->v[i]);
	look_end(l);
}

static void
look_scope(struct pass *p, struct kind *k, const char *ns)
{
	struct look *l = look_new(p, k);

	l->ns = xstrdup(ns);
	(void)list_start(l->cluster, k, ns, false, take_item, on_list, l);
}

/* ---- all kinds -------------------------------------------------------- */

struct missing {
	struct object *few[LOOK_SINGLY];
	size_t n;
	const char *ns; /* of all of them; "": of several */
};

static struct missing
count_missing(struct pass *p, const struct kind *k)
{
	struct objects *t = &p->cluster->objects;
	struct missing m = { .n = 0 };

	for (size_t i = 0; i < t->n; i++) {
		struct object *o = t->v[i];

		if (o->kind != k || o->state != OBJ_LOOK || !pass_wants(p, o))
			continue;
		if (m.n < LOOK_SINGLY)
			m.few[m.n] = o;
		if (m.n == 0)
			m.ns = o->ns;
		else if (strcmp(m.ns, o->ns) != 0)
			m.ns = "";
		m.n++;
	}
	return m;
}

/* Nobody is to ask for these: they are applied, whatever they look like. */
static void
look_at_none(struct pass *p, const struct kind *k)
{
	struct objects *t = &p->cluster->objects;

	for (size_t i = 0; i < t->n; i++)
		if (t->v[i]->kind == k && t->v[i]->state == OBJ_LOOK)
			absent(t->v[i]);
}

static void
look_kind(struct pass *p, struct kind *k)
{
	struct missing m = count_missing(p, k);
	struct objects *t = &p->cluster->objects;
	bool denied = k->nstreams == 0 || k->streams[0].state == STREAM_DENIED;

	if (m.n <= LOOK_SINGLY) {
		for (size_t i = 0; i < m.n; i++)
			look_one(p, m.few[i]);
	} else if (denied) {
		for (size_t i = 0; i < t->n; i++)
			if (t->v[i]->kind == k && t->v[i]->state == OBJ_LOOK &&
			    pass_wants(p, t->v[i]))
				look_one(p, t->v[i]);
	} else if (m.ns[0] != '\0') {
		look_scope(p, k, m.ns);
	} else {
		for (size_t i = 0; i < k->nstreams; i++)
			look_scope(p, k, k->streams[i].ns);
	}
}

void
look_start(struct pass *p)
{
	for (size_t i = 0; i < p->cluster->nkinds; i++)
		if (p->cluster->kinds[i]->excluded)
			look_at_none(p, p->cluster->kinds[i]);
		else if (p->cluster->kinds[i]->known)
			look_kind(p, p->cluster->kinds[i]);
}
