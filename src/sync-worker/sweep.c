/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "gc.h"

#include "str.h"

/*
 * Which kinds hold something of ours?  Each kind that can be listed is, by
 * mark, in one of its versions: all versions of a group show the same objects.
 */

#define SWEEP_AGAIN_US (24 * 60 * CLK_MIN) /* what was listed */
#define SWEEP_FAILED_US (10 * CLK_MIN)	   /* what could not be */
#define REPORT_MAX 2048			   /* bytes of the log's text */

/* ---- what there is to list -------------------------------------------- */

static int
compare_kinds(const char *api_a, const char *kind_a, const char *api_b,
    const char *kind_b)
{
	size_t na = strchr(api_a, '/') != NULL ? strcspn(api_a, "/") : 0;
	size_t nb = strchr(api_b, '/') != NULL ? strcspn(api_b, "/") : 0;
	int r = memcmp(api_a, api_b, na < nb ? na : nb);

	if (r == 0)
		r = (na > nb) - (na < nb);
	return r != 0 ? r : strcmp(kind_a, kind_b);
}

/* By group and kind, the version that the server likes best in front. */
static int
compare_found(const void *a, const void *b)
{
	const struct disc_kind *x = *(const struct disc_kind *const *)a;
	const struct disc_kind *y = *(const struct disc_kind *const *)b;
	int r = compare_kinds(x->api_version, x->kind, y->api_version, y->kind);

	return r != 0 ? r : (x->order > y->order) - (x->order < y->order);
}

static int
compare_swept(const void *a, const void *b)
{
	const struct sweep_kind *x = a, *y = b;

	return compare_kinds(x->api_version, x->kind, y->api_version, y->kind);
}

static struct sweep_kind *
find(const struct sweep *s, const char *api_version, const char *kind)
{
	/* what compares does not write through these */
	const struct sweep_kind key = { .api_version =
					    (char *)(uintptr_t)api_version,
		.kind = (char *)(uintptr_t)kind };

	return s->n == 0
	    ? NULL
	    : bsearch(&key, s->v, s->n, sizeof(*s->v), compare_swept);
}

static void
free_kinds(struct sweep_kind *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].api_version);
		free(v[i].kind);
		free(v[i].resource);
		free(v[i].why);
	}
	free(v);
}

static void
stop(struct sweep *s)
{
	for (size_t i = 0; i < nitems(s->slots); i++) {
		list_cancel(&s->slots[i].listing);
		s->slots[i].of = NULL;
	}
	s->running = 0;
}

void
sweep_clear(struct sweep *s)
{
	stop(s);
	free_kinds(s->v, s->n);
	free(s->told);
	s->v = NULL;
	s->told = NULL;
	s->n = 0;
}

/* Everything that can be listed; owned by the caller. */
static const struct disc_kind **
gather(const struct cluster *c, size_t *n)
{
	const struct refresh *r = &c->refresh;
	const struct disc_kind **v =
	    xcalloc(r->parts[0].now.nkinds + r->parts[1].now.nkinds + 1,
		sizeof(*v));

	*n = 0;
	for (size_t p = 0; p < nitems(r->parts); p++)
		for (size_t i = 0; i < r->parts[p].now.nkinds; i++) {
			const struct disc_kind *d = &r->parts[p].now.kinds[i];

			if (d->can_list &&
			    !cluster_excludes(c, d->api_version, d->kind))
				v[(*n)++] = d;
		}
	if (*n > 0)
		qsort(v, *n, sizeof(*v), compare_found);
	return v;
}

/* What was known of a kind counts on. */
static void
add(struct sweep *s, const struct disc_kind *d, const struct sweep *before)
{
	struct sweep_kind *k = &s->v[s->n++];
	struct sweep_kind *old = find(before, d->api_version, d->kind);

	*k = (struct sweep_kind){ .api_version = xstrdup(d->api_version),
		.kind = xstrdup(d->kind),
		.resource = xstrdup(d->resource),
		.namespaced = d->namespaced };
	if (old == NULL)
		return;
	k->failed = old->failed;
	k->due_us = old->due_us;
	k->why = fx_steal(&old->why);
}

static void
take_catalog(struct sweep *s)
{
	struct sweep before = { .v = s->v, .n = s->n };
	size_t n;
	const struct disc_kind **v = gather(s->cluster, &n);

	stop(s);
	s->v = xcalloc(n + 1, sizeof(*s->v));
	s->n = 0;
	for (size_t i = 0; i < n; i++)
		if (i == 0 ||
		    compare_kinds(v[i - 1]->api_version, v[i - 1]->kind,
			v[i]->api_version, v[i]->kind) != 0)
			add(s, v[i], &before);
	free(v);
	free_kinds(before.v, before.n);
	s->catalog = s->cluster->refresh.version;
}

/* Kinds whose streams tell need no list. */
static void
take_streams(struct sweep *s)
{
	struct cluster *c = s->cluster;

	for (size_t i = 0; i < c->nkinds; i++) {
		const struct kind *k = c->kinds[i];
		struct sweep_kind *of = k->streams != NULL
		    ? find(s, k->api_version, k->kind)
		    : NULL;

		if (of != NULL)
			of->by = k;
	}
}

/* ---- lists ------------------------------------------------------------ */

static void fill_slots(struct sweep *);
static void slot_list(struct sweep_slot *);

static size_t
spaces(const struct sweep_slot *slot)
{
	const struct cluster *c = slot->sweep->cluster;

	return slot->kind.namespaced && c->config.nallowed > 0
	    ? c->config.nallowed
	    : 1;
}

/* From now on the kind's stream tells. */
static void
hold(struct sweep_slot *slot)
{
	struct cluster *c = slot->sweep->cluster;
	struct kind *k = kind_get(c, slot->of->api_version, slot->of->kind);

	if (k == NULL) {
		fx_fail(&slot->err, FX_ELIMIT, "more than %d kinds", KINDS_MAX);
		return;
	}
	k->held = true;
	kind_resolve(c, k);
	if (!k->known)
		return; /* it went from the catalog meanwhile */
	kind_list(c, k);
	slot->of->by = k;
}

static void
slot_end(struct sweep_slot *slot)
{
	struct sweep *s = slot->sweep;
	struct sweep_kind *k = slot->of;
	bool failed;

	if (slot->found)
		hold(slot);
	failed = slot->err.code != FX_OK;
	k->failed = failed;
	k->due_us = clk_now_us() + (failed ? SWEEP_FAILED_US : SWEEP_AGAIN_US);
	free(k->why);
	k->why = failed ? xstrdup(slot->err.text) : NULL;
	slot->of = NULL;
	s->running--;
	fill_slots(s);
	pass_step(s->cluster);
}

static void
on_item(void *arg, const json_t *meta)
{
	struct sweep_slot *slot = arg;
	auto_free char *id = NULL;

	if (slot->found)
		return;
	id = gc_own_id(slot->sweep->cluster, slot->of->kind, meta);
	slot->found = id != NULL;
}

static void
on_list(void *arg, const struct answer *a, const char *version)
{
	struct sweep_slot *slot = arg;

	(void)version;
	slot->listing = NULL;
	if (a->err.code != FX_OK && slot->err.code == FX_OK)
		slot->err = a->err;
	if (a->status.what == SW_NO_KIND)
		slot->sweep->cluster->catalog_stale = true;
	if (!slot->found && ++slot->space < spaces(slot))
		slot_list(slot);
	else
		slot_end(slot);
}

static void
slot_list(struct sweep_slot *slot)
{
	struct cluster *c = slot->sweep->cluster;
	bool some = slot->kind.namespaced && c->config.nallowed > 0;

	slot->listing = list_start(c, &slot->kind,
	    some ? c->config.allowed[slot->space] : "", true, on_item, on_list,
	    slot);
}

static struct sweep_kind *
next_due(struct sweep *s)
{
	int64_t now = clk_now_us();

	for (; s->next < s->n; s->next++)
		if (s->v[s->next].by == NULL && s->v[s->next].due_us <= now)
			return &s->v[s->next++];
	return NULL;
}

static void
fill_slots(struct sweep *s)
{
	struct sweep_kind *k;

	for (size_t i = 0; i < nitems(s->slots); i++) {
		struct sweep_slot *slot = &s->slots[i];

		if (slot->of != NULL)
			continue;
		if ((k = next_due(s)) == NULL)
			return;
		*slot = (struct sweep_slot){ .sweep = s,
			.of = k,
			.kind = { .api_version = k->api_version,
			    .resource = k->resource,
			    .namespaced = k->namespaced } };
		s->running++;
		slot_list(slot);
	}
}

void
sweep_start(struct sweep *s)
{
	if (s->v == NULL || s->catalog != s->cluster->refresh.version)
		take_catalog(s);
	take_streams(s);
	if (s->running == 0)
		s->next = 0;
	fill_slots(s);
}

bool
sweep_is_running(const struct sweep *s)
{
	return s->running > 0;
}

/* ---- what could not be listed ----------------------------------------- */

/* NULL: it could. */
static const char *
why_not(const struct sweep_kind *k)
{
	if (k->by == NULL)
		return k->failed ? k->why : NULL;
	for (size_t i = 0; i < k->by->nstreams; i++) {
		const struct stream *s = &k->by->streams[i];

		if (s->state == STREAM_DENIED || s->state == STREAM_FAILED)
			return s->error.code != FX_OK ? s->error.text
						      : "it cannot be listed";
	}
	return NULL;
}

/* A group of kinds whose server is down. */
static bool
is_broken(const struct cluster *c, const struct disc_group *g)
{
	return g->broken != NULL && !cluster_excludes(c, g->api_version, "");
}

struct report {
	struct buf kinds;
	const char *why; /* of the first */
};

static void
report_add(struct report *r, const char *api_version, const char *kind,
    const char *why)
{
	(void)str_addf(&r->kinds, "%s%s/%s", r->why != NULL ? ", " : "",
	    api_version, kind);
	if (r->why == NULL)
		r->why = why;
}

static struct report
gather_report(const struct sweep *s)
{
	const struct cluster *c = s->cluster;
	struct report r = { .kinds = BUF_INIT(REPORT_MAX) };

	for (size_t i = 0; i < s->n; i++) {
		const char *why = why_not(&s->v[i]);

		if (why != NULL)
			report_add(&r, s->v[i].api_version, s->v[i].kind, why);
	}
	for (size_t p = 0; p < nitems(c->refresh.parts); p++)
		for (size_t i = 0; i < c->refresh.parts[p].now.ngroups; i++) {
			const struct disc_group *g =
			    &c->refresh.parts[p].now.groups[i];

			if (is_broken(c, g))
				report_add(&r, g->api_version, "*", g->broken);
		}
	return r;
}

uint64_t
sweep_unlisted(const struct sweep *s)
{
	const struct refresh *r = &s->cluster->refresh;
	uint64_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += (s->v[i].by == NULL || s->v[i].by->objects == 0) &&
		    why_not(&s->v[i]) != NULL;
	for (size_t p = 0; p < nitems(r->parts); p++)
		for (size_t i = 0; i < r->parts[p].now.ngroups; i++)
			n += is_broken(s->cluster, &r->parts[p].now.groups[i]);
	return n;
}

void
sweep_report(struct sweep *s)
{
	const struct cluster *c = s->cluster;
	struct report r = gather_report(s);
	auto_free char *kinds = str_take(&r.kinds);
	auto_free char *text = NULL;

	if (s->told != NULL && strcmp(s->told, kinds) == 0)
		return;
	free(s->told);
	s->told = fx_steal(&kinds);
	if (r.why == NULL)
		return;
	text = xasprintf("garbage collection cannot list some kinds, so what "
			 "they hold is kept%s: %s (%s)",
	    c->inventory != NULL ? " unless the inventory names it" : "",
	    s->told, r.why);
	c->hooks.collect(c->hooks.arg, "warning", text, c->config.gc_dry, NULL);
}
