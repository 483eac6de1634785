/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "set_load.h"

/* ---- what is gone ------------------------------------------------------- */

static void
add_gone(struct set *s, const struct set_entry *e)
{
	size_t n = s->ngone;

	if (n == SET_MAX_GONE) { /* older sets have to be told everything */
		for (size_t i = 0; i < n; i++)
			free(s->gone[i].id);
		s->ngone = 0;
		s->oldest = s->next_number;
		return;
	}
	if ((n & (n - 1)) == 0) /* grows at powers of two */
		s->gone = xreallocarray(s->gone, n == 0 ? 1 : n * 2,
		    sizeof(*s->gone));
	s->gone[s->ngone++] = (struct set_gone){
		.index = e->index,
		.since = s->next_number,
		.id = name_print(&e->name),
	};
}

/* ---- what is new -------------------------------------------------------- */

struct fresh {
	char *id; /* owned */
	struct set_item *item;
};

static int
fresh_order(const void *pa, const void *pb)
{
	const struct fresh *a = pa, *b = pb;
	int r = strcmp(a->id, b->id);

	/* the same id in two groups */
	return r != 0 ? r
		      : strcmp(a->item->name.r->kind->api_version,
			    b->item->name.r->kind->api_version);
}

/* The items that are not in the set before, by id. */
static struct fresh *
find_fresh(struct set *s, size_t *n)
{
	struct fresh *v;
	size_t k = 0;

	*n = 0;
	for (size_t i = 0; i < s->nitems; i++)
		*n += s->items[i].old == NULL;
	v = xcalloc(*n + 1, sizeof(*v));
	for (size_t i = 0; i < s->nitems; i++)
		if (s->items[i].old == NULL)
			v[k++] = (struct fresh){ name_print(&s->items[i].name),
				&s->items[i] };
	qsort(v, k, sizeof(*v), fresh_order);
	return v;
}

/* ---- the new set -------------------------------------------------------- */

static bool
same_content(const struct name *a, const struct name *b)
{
	return a->r == b->r ||
	    memcmp(a->r->hash, b->r->hash, sizeof(a->r->hash)) == 0;
}

/* Is there anything about it that sync has to be told? */
static bool
same_entry(const struct set_entry *e, const struct set_item *item)
{
	return same_content(&e->name, &item->name) &&
	    strcmp(e->source, item->source) == 0 &&
	    (e->name.r->kind == item->name.r->kind ||
		(strcmp(e->name.r->kind->api_version,
		     item->name.r->kind->api_version) == 0 &&
		    strcmp(e->name.r->kind->kind, item->name.r->kind->kind) ==
			0));
}

static void
make_entry(struct set_entry *e, const struct set_item *item, uint64_t index,
    uint64_t since)
{
	*e = (struct set_entry){
		.name = item->name,
		.index = index,
		.since = since,
		.blob = item->blob,
		.source = item->source,
	};
}

static int
string_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The entries that stay, in their order; true if one differs or is gone. */
static bool
keep_old(struct set *s, const struct names *names, struct set_entry *v,
    size_t *n)
{
	bool news = false;

	for (size_t i = 0; i < s->n; i++) {
		struct set_entry *e = &s->v[i];
		struct set_item *item =
		    (struct set_item *)names_get(names, &e->name);
		bool same;

		if (item == NULL) {
			add_gone(s, e);
			news = true;
			continue;
		}
		item->old = e;
		same = same_entry(e, item);
		news |= !same;
		if (!same_content(&e->name, &item->name))
			set_push(&s->changed, &s->nchanged,
			    name_print(&item->name));
		make_entry(&v[(*n)++], item, e->index,
		    same ? e->since : s->next_number);
	}
	return news;
}

/* The ones that are new follow, so the order stays that of the index. */
static bool
add_new(struct set *s, struct set_entry *v, size_t *n)
{
	size_t nfresh;
	struct fresh *fresh = find_fresh(s, &nfresh);

	for (size_t i = 0; i < nfresh; i++) {
		make_entry(&v[(*n)++], fresh[i].item, s->next_index++,
		    s->next_number);
		set_push(&s->changed, &s->nchanged, fresh[i].id);
	}
	free(fresh);
	return nfresh != 0;
}

void
set_replace(struct set *s)
{
	struct set_entry *v = xcalloc(s->nitems + 1, sizeof(*v));
	struct names names;
	size_t n = 0;
	bool news;

	names_init(&names, s->nitems, s->hash_seed);
	for (size_t i = 0; i < s->nitems; i++)
		(void)names_put(&names, &s->items[i].name);
	news = keep_old(s, &names, v, &n);
	names_clear(&names);
	news |= add_new(s, v, &n);
	if (s->nchanged != 0)
		qsort(s->changed, s->nchanged, sizeof(char *), string_order);
	free(s->v);
	s->v = v;
	s->n = n;
	if (news || s->number == 0) {
		s->number = s->next_number++;
		if (s->oldest == 0)
			s->oldest = s->number;
	}
}

/* ---- questions ---------------------------------------------------------- */

bool
set_has_been(const struct set *s, uint64_t number)
{
	return number != 0 && number >= s->first && number <= s->number;
}

bool
set_has_base(const struct set *s, uint64_t base)
{
	return base != 0 && base >= s->oldest && base <= s->number;
}

const struct set_entry *
set_find(const struct set *s, uint64_t index)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->v[mid].index == index)
			return &s->v[mid];
		if (s->v[mid].index < index)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}
