/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "bodies.h"

#include "mark.h"
#include "str.h"
#include "tojson.h"

/* Its place in its blob. */
static size_t
nth_of(const struct set_entry *e)
{
	return (size_t)(e->name.r - e->blob->v);
}

static int
want_order(const void *pa, const void *pb)
{
	const struct set_want *a = pa, *b = pb;
	size_t na = nth_of(a->entry), nb = nth_of(b->entry);
	int r = strcmp(a->entry->blob->oid, b->entry->blob->oid);

	if (r == 0)
		r = (na > nb) - (na < nb);
	return r != 0 ? r : (a->at > b->at) - (a->at < b->at);
}

void
set_sort_wants(struct set_want *v, size_t n)
{
	if (n != 0)
		qsort(v, n, sizeof(*v), want_order);
}

struct bodies {
	const struct set *set;
	const struct set_want *v;
	size_t n, done;
	size_t nth; /* of the resource that comes next */
	set_body_fn *fn;
	void *arg;
	struct buf json;
};

static int
other_content(const struct set_entry *e, struct fx_err *err)
{
	return fx_fail(err, FX_EFAIL, "%s: content is not what was loaded",
	    e->source);
}

static int
make_body(struct bodies *b, const struct set_entry *e, const struct resource *r,
    struct node *object, struct arena *a, struct fx_err *err)
{
	auto_buf struct buf hex = BUF_INIT(2 * CANON_HASH_LEN);
	auto_free char *checksum = NULL, *id = NULL, *mark = NULL;

	if (memcmp(r->hash, e->name.r->hash, sizeof(r->hash)) != 0)
		return other_content(e, err);
	id = name_print(&e->name);
	mark = mark_of(b->set->name, id);
	str_add_hex(&hex, r->hash, sizeof(r->hash));
	checksum = str_take(&hex);
	buf_reset(&b->json);
	return resource_body(&b->json, a, object,
	    &(struct resource_extra){ e->name.ns, mark, checksum }, err);
}

static int
on_body(void *arg, struct resource *r, struct node *object, struct arena *a,
    struct fx_err *err)
{
	struct bodies *b = arg;
	size_t nth = b->nth++;
	int ret;

	while (b->done < b->n && nth_of(b->v[b->done].entry) == nth) {
		const struct set_want *w = &b->v[b->done];

		if ((ret = make_body(b, w->entry, r, object, a, err)) !=
			FX_OK ||
		    (ret = b->fn(b->arg, w, &b->json, err)) != FX_OK)
			return ret;
		b->done++;
	}
	/* nothing more is wanted of this file: no need to read on */
	return b->done == b->n ? FX_ECANCELLED : FX_OK;
}

int
set_bodies(const struct set *s, const struct set_want *v, size_t n,
    const void *text, size_t len, set_body_fn *fn, void *arg,
    struct fx_err *err)
{
	struct bodies b = { .set = s,
		.v = v,
		.n = n,
		.fn = fn,
		.arg = arg,
		.json = BUF_INIT(TOJSON_MAX) };
	const char *stage = NULL;
	int r = resource_each(text, len, on_body, &b, &stage, err);

	buf_clear(&b.json);
	if (b.done == n)
		return FX_OK;
	if (r != FX_OK)
		return resource_blame(stage, v[0].entry->source, err);
	return other_content(v[b.done].entry, err);
}
