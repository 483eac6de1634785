/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cluster.h"

struct kind *
kind_get(struct cluster *c, const char *api_version, const char *kind)
{
	struct kind *k;

	for (size_t i = 0; i < c->nkinds; i++)
		if (strcmp(c->kinds[i]->kind, kind) == 0 &&
		    strcmp(c->kinds[i]->api_version, api_version) == 0)
			return c->kinds[i];
	if (c->nkinds == KINDS_MAX)
		return NULL;
	if (c->kinds == NULL)
		c->kinds = xcalloc(KINDS_MAX, sizeof(struct kind *));
	k = xcalloc(1, sizeof(*k));
	k->api_version = xstrdup(api_version);
	k->group = xstrndup(api_version,
	    strchr(api_version, '/') != NULL ? strcspn(api_version, "/") : 0);
	k->kind = xstrdup(kind);
	c->kinds[c->nkinds++] = k;
	return k;
}

void
kind_resolve(struct cluster *c, struct kind *k)
{
	const struct disc_kind *d =
	    cluster_find_kind(c, k->api_version, k->kind);
	char why[FX_ERR_TEXT_MAX];

	free(fx_steal(&k->why));
	if (d == NULL) {
		cluster_why_unknown(c, k->api_version, k->kind, why,
		    sizeof(why));
		k->why = xstrdup(why);
		return;
	}
	k->known = true;
	free(k->resource);
	k->resource = xstrdup(d->resource);
	k->namespaced = d->namespaced;
	k->can_list = d->can_list;
	k->can_watch = d->can_watch;
	k->excluded = cluster_excludes(c, k->api_version, k->kind);
}

void
kinds_resolve(struct cluster *c)
{
	for (size_t i = 0; i < c->nkinds; i++) {
		struct kind *k = c->kinds[i];

		if (k->objects > 0 && !k->known)
			kind_resolve(c, k);
	}
}

int
kind_path(const struct kind *k, const char *ns, const char *name,
    struct buf *out)
{
	const struct disc_kind d = { .api_version = k->api_version,
		.resource = k->resource,
		.namespaced = k->namespaced };

	return disc_add_path(out, &d, ns, name);
}

void
kinds_clear(struct cluster *c)
{
	for (size_t i = 0; i < c->nkinds; i++) {
		struct kind *k = c->kinds[i];

		kind_stop(k);
		free(k->api_version);
		free(k->group);
		free(k->kind);
		free(k->resource);
		free(k->why);
		free(k);
	}
	free(c->kinds);
}
