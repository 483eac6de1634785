/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "gc.h"

#include <stdio.h>
#include <strings.h>

/* Which strays are to go: nothing that somebody wants, or may want. */

void
gc_note(const struct gc *g, const char *key, const char *text, const char *id)
{
	const struct cluster *c = g->cluster;

	c->hooks.collect(c->hooks.arg, key, text, c->config.gc_dry, id);
}

/* Two groups may show one object, so a different one is told by its uid; as
 * long as the uid of git's is not known it may be the same. */
bool
gc_in_git(const struct gc *g, const struct object *o)
{
	const struct objects *t = &g->cluster->objects;
	const struct object *x = NULL;

	while ((x = objects_next(t, o->id, x)) != NULL)
		if (api_same_group(x->api_version, o->api_version) ||
		    x->live.uid[0] == '\0' ||
		    strcmp(x->live.uid, o->live.uid) == 0)
			return true;
	return false;
}

bool
gc_is_certain(const struct object *o)
{
	const struct stream *s = kind_stream(o->kind, o->ns);

	return s != NULL && !o->kind->excluded &&
	    (s->state == STREAM_LIVE || s->state == STREAM_STALE);
}

bool
gc_protects(const struct cluster *c, const struct object *o)
{
	for (size_t i = 0; i < c->config.gc_protect.n; i++)
		if (strcasecmp(c->config.gc_protect.v[i], o->kind->kind) == 0)
			return true;
	return false;
}

bool
gc_may_go(const struct gc *g, const struct object *o)
{
	static const char *const kept[] = {
		[SPARE_IGNORE] = "resource has ignore policy true",
		/* the space is upstream's */
		[SPARE_SYNC_ONLY] = "resource has ignore policy sync_only ",
		[SPARE_PRUNE] = "an annotation says not to prune it",
	};
	const struct cluster *c = g->cluster;
	char text[128];
	const char *why;

	if (!o->live.ours || o->live.dependent ||
	    (!gc_is_certain(o) && !o->looked) || gc_in_git(g, o) ||
	    !cluster_allows(c, o))
		return false;
	if (o->live.deleting) {
		gc_note(g, "warning", "cluster resource is still being deleted",
		    o->id);
		return false;
	}
	why = o->live.spare != SPARE_NOT ? kept[o->live.spare]
	    : gc_protects(c, o)		 ? "its kind is protected"
					 : NULL;
	if (why == NULL)
		return true;
	snprintf(text, sizeof(text), "skipping GC of cluster resource; %s",
	    why);
	gc_note(g, "info", text, o->id);
	return false;
}
