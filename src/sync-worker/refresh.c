/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cluster.h"

#include "str.h"

#include <stdio.h>

/* One list of a group version, of the legacy form. */
struct group_ask {
	struct catalog_part *part;
	size_t group; /* its number in part->next */
};

void
refresh_init(struct cluster *c)
{
	static const char *const paths[] = { "/api", "/apis" };

	for (size_t i = 0; i < nitems(paths); i++)
		c->refresh.parts[i] =
		    (struct catalog_part){ .cluster = c, .path = paths[i] };
}

void
refresh_clear(struct cluster *c)
{
	struct refresh_wait *w;

	for (size_t i = 0; i < nitems(c->refresh.parts); i++) {
		catalog_clear(&c->refresh.parts[i].now);
		catalog_clear(&c->refresh.parts[i].next);
		free(c->refresh.parts[i].etag);
	}
	while ((w = c->refresh.waiting) != NULL) {
		c->refresh.waiting = w->next;
		free(w);
	}
}

/* Both documents are there, or are not to be had: tell who waits. */
static void
finish(struct cluster *c)
{
	struct refresh *r = &c->refresh;
	struct refresh_wait *w, *waiting = fx_steal(&r->waiting);
	struct fx_err err = { 0 };

	if (r->parts[0].outstanding + r->parts[1].outstanding > 0) {
		r->waiting = waiting;
		return;
	}
	r->running = false;
	for (size_t i = 0; i < nitems(r->parts); i++)
		if (r->parts[i].err.code != FX_OK)
			err = r->parts[i].err;
	if (err.code == FX_OK)
		r->loaded = true;
	else
		c->catalog_stale = true;
	while ((w = waiting) != NULL) {
		waiting = w->next;
		w->fn(w->arg, &err);
		free(w);
	}
}

/* The whole document is here: it replaces the one before. */
static void
part_done(struct catalog_part *p)
{
	if (--p->outstanding > 0)
		return;
	if (p->err.code == FX_OK) {
		catalog_sort(&p->next);
		catalog_clear(&p->now);
		p->now = p->next;
		p->cluster->refresh.version++;
		p->next = (struct catalog){ 0 };
	}
	catalog_clear(&p->next);
	finish(p->cluster);
}

static void
on_group(void *arg, struct answer *a)
{
	struct group_ask *ask = arg;
	struct catalog_part *p = ask->part;
	auto_json json_t *doc = sw_answer(a);

	/* one group that cannot be read is its own trouble only */
	if (doc == NULL ||
	    catalog_add_resources(&p->next, ask->group, doc, &a->err) != FX_OK)
		catalog_set_broken(&p->next, ask->group, a->err.text);
	free(ask);
	part_done(p);
}

static void
ask_groups(struct catalog_part *p)
{
	for (size_t i = 0; i < p->next.ngroups; i++) {
		struct buf path = BUF_INIT(1024);
		struct group_ask *ask = xcalloc(1, sizeof(*ask));

		*ask = (struct group_ask){ p, i };
		disc_add_group_path(&path, p->next.groups[i].api_version);
		p->outstanding++;
		client_send(p->cluster->client, LANE_REQUESTS,
		    cluster_get(p->cluster, &path, NULL, DISC_BODY_MAX,
			on_group, ask));
	}
}

static void
read_document(struct catalog_part *p, struct answer *a)
{
	auto_json json_t *doc =
	    sw_json(buf_head(&a->body), buf_left(&a->body), &p->err);

	if (doc == NULL)
		return;
	if (disc_is_aggregated(a->content_type)) {
		if (catalog_add_aggregated(&p->next, doc, &p->err) == FX_OK &&
		    a->etag[0] != '\0')
			p->etag = xstrdup(a->etag);
	} else if (catalog_add_versions(&p->next, doc, &p->err) == FX_OK) {
		ask_groups(p);
	}
}

static void
on_document(void *arg, struct answer *a)
{
	struct catalog_part *p = arg;

	if (a->status.http == 304) {
		p->outstanding--;
		finish(p->cluster);
		return;
	}
	free(fx_steal(&p->etag));
	/* an aggregated server alone has no /api */
	if (a->status.http == 404 && strcmp(p->path, "/api") == 0)
		;
	else if (a->err.code != FX_OK)
		p->err = a->err;
	else
		read_document(p, a);
	if (p->err.code != FX_OK)
		fx_wrap(&p->err, "discovery of %s", p->path);
	part_done(p);
}

void
refresh_catalog(struct cluster *c, refreshed_fn *fn, void *arg)
{
	struct refresh *r = &c->refresh;
	struct refresh_wait *w = xcalloc(1, sizeof(*w));

	*w = (struct refresh_wait){ fn, arg, r->waiting };
	r->waiting = w;
	if (r->running)
		return;
	r->running = true;
	c->catalog_stale = false;
	for (size_t i = 0; i < nitems(r->parts); i++) {
		struct catalog_part *p = &r->parts[i];
		struct buf path = BUF_INIT(64);
		struct request *req;

		(void)str_add(&path, p->path);
		p->err = (struct fx_err){ 0 };
		p->outstanding++;
		req = cluster_get(c, &path, DISC_ACCEPT, DISC_BODY_MAX,
		    on_document, p);
		req->etag = p->etag != NULL ? xstrdup(p->etag) : NULL;
		client_send(c->client, LANE_REQUESTS, req);
	}
}

/* A CRD's kind may show a while after its last event. */
#define CATALOG_LAG_US (60 * CLK_SEC)

bool
refresh_may_help(const struct cluster *c)
{
	for (size_t i = 0; i < nitems(c->catalog_kinds); i++) {
		const struct kind *k = &c->catalog_kinds[i];

		if (k->nstreams == 0 || !k->streams[0].answered)
			return true; /* nothing would tell us of a change */
	}
	return !c->refresh.loaded || c->catalog_stale ||
	    clk_now_us() - c->catalog_changed_us < CATALOG_LAG_US;
}

const struct disc_kind *
cluster_find_kind(const struct cluster *c, const char *api_version,
    const char *kind)
{
	return catalog_find(&c->refresh.parts[strchr(api_version, '/') != NULL]
				 .now,
	    api_version, kind);
}

void
cluster_why_unknown(const struct cluster *c, const char *api_version,
    const char *kind, char *out, size_t size)
{
	const struct disc_group *g =
	    catalog_group(&c->refresh.parts[strchr(api_version, '/') != NULL]
			       .now,
		api_version);

	if (g == NULL)
		snprintf(out, size,
		    "error looking up API resources for %.200s.%.200s: server "
		    "resources for %.200s not found",
		    kind, api_version, api_version);
	else if (g->broken != NULL)
		snprintf(out, size,
		    "error looking up API resources for %.200s.%.200s: %.400s",
		    kind, api_version, g->broken);
	else
		snprintf(out, size,
		    "resource not found for API %.200s, kind %.200s",
		    api_version, kind);
}
