/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "set_load.h"

/* ---- definitions in the load -------------------------------------------- */

/* Where the server does not know a kind, definitions of the same load may. */
struct definitions {
	const struct resource_scope **v; /* owned list; sorted */
	size_t n;
};

static int
definition_order(const void *pa, const void *pb)
{
	const struct resource_scope *a =
	    *(const struct resource_scope *const *)pa;
	const struct resource_scope *b =
	    *(const struct resource_scope *const *)pb;
	int r = strcmp(a->api_version, b->api_version);

	return r != 0 ? r : strcmp(a->kind, b->kind);
}

static struct definitions
find_definitions(const struct set *s)
{
	struct definitions d = { 0 };
	size_t total = 0;

	for (size_t i = 0; i < s->nitems; i++)
		if (s->items[i].name.r->more != NULL)
			total += s->items[i].name.r->more->nscopes;
	d.v = xcalloc(total + 1, sizeof(*d.v));
	for (size_t i = 0; i < s->nitems; i++) {
		const struct known_more *more = s->items[i].name.r->more;

		for (size_t j = 0; more != NULL && j < more->nscopes; j++)
			d.v[d.n++] = &more->scopes[j];
	}
	qsort(d.v, d.n, sizeof(*d.v), definition_order);
	return d;
}

static void
complete(struct kind *k, const struct definitions *d)
{
	const struct resource_scope want = { k->api_version, k->kind, false };
	const struct resource_scope *key = &want,
				    *const *found = bsearch(&key, d->v, d->n,
					sizeof(*d->v), definition_order);

	if (found != NULL)
		k->scope =
		    (*found)->namespaced ? KNOWN_NAMESPACED : KNOWN_CLUSTER;
}

static void
note_scopes(struct set *s, const struct set_scope *scopes)
{
	struct definitions d = find_definitions(s);

	for (size_t i = 0; i < s->nkinds; i++) {
		struct kind *k = s->kinds[i];

		free(k->why);
		k->why = NULL;
		k->answer = k->scope = scopes[i].scope;
		if (k->scope == KNOWN_NAMESPACED || k->scope == KNOWN_CLUSTER)
			continue;
		if (scopes[i].why != NULL)
			k->why = xstrdup(scopes[i].why);
		complete(k, &d);
	}
	free(d.v);
}

/* ---- placing ------------------------------------------------------------ */

/* Was it left out before, for want of a scope?  Under the id as written. */
static bool
was_unscoped(const struct set *s, const struct set_item *item)
{
	auto_free char *id = NULL;
	size_t low = 0, high = s->nleft_out;

	if (high == 0)
		return false;
	id = name_print(&item->name);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct set_left_out *l = &s->left_out[mid];
		int r = l->reason != SET_NO_SCOPE ? -1 : strcmp(id, l->id);

		if (r == 0)
			return true;
		if (r < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

static int
place_item(struct set *s, struct set_item *item, const char *default_ns,
    uint32_t default_digest, struct fx_err *err)
{
	const struct known_resource *r = item->name.r;
	bool was;

	if (r->kind->scope == KNOWN_FAILED)
		return fx_fail(err, FX_ERETRY, "%s",
		    r->kind->why == NULL ? "" : r->kind->why);
	if (r->kind->scope == KNOWN_UNKNOWN) {
		auto_free char *id = name_print_short(&item->name);

		set_leave_out(s, SET_NO_SCOPE, item,
		    xasprintf("cannot find scope of resource %s: %s", id,
			r->kind->why == NULL ? "" : r->kind->why));
		return FX_OK;
	}
	was = was_unscoped(s, item);
	if (r->kind->scope == KNOWN_CLUSTER)
		item->name = name_make(r, "", 0);
	else if (*r->ns == '\0')
		item->name = name_make(r, default_ns, default_digest);
	if (was)
		set_push(&s->new_found, &s->nnew_found,
		    name_print(&item->name));
	if (r->more != NULL && r->more->unfit != NULL)
		set_leave_out(s, SET_UNFIT, item, xstrdup(r->more->unfit));
	return FX_OK;
}

int
set_place(struct set *s, const struct set_scope *scopes, const char *default_ns,
    struct fx_err *err)
{
	uint32_t digest = known_ns_digest(default_ns);
	int r = FX_OK;

	note_scopes(s, scopes);
	for (size_t i = 0; i < s->nitems && r == FX_OK; i++)
		r = place_item(s, &s->items[i], default_ns, digest, err);
	if (r != FX_OK)
		return r;
	set_drop_left_out(s);
	r = set_check_duplicates(s, err);
	set_drop_left_out(s);
	return r;
}
