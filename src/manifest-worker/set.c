/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "set.h"

#include "mark.h"
#include "resource_id.h"
#include "str.h"
#include "tojson.h"

/* A resource of the load at work. */
struct set_item {
	const struct resource *r;
	const struct set_file *file;
	const char *source; /* borrowed from new_files */
	char *id;	    /* owned; as written, later effective */
	const char *ns;	    /* effective, once that is known */
	size_t nth;
	size_t order; /* place in the whole load */
	bool left_out;
};

/* ---- life --------------------------------------------------------------- */

static void
file_free(struct set_file *f)
{
	for (size_t i = 0; i < f->n; i++)
		resource_clear(&f->v[i]);
	free(f->v);
	free(f->oid);
	free(f->text);
	free(f);
}

static void
strings_free(char ***v, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free((*v)[i]);
	free(*v);
	*v = NULL;
	*n = 0;
}

static void
items_free(struct set *s)
{
	for (size_t i = 0; i < s->nitems; i++)
		free(s->items[i].id);
	free(s->items);
	s->items = NULL;
	s->nitems = 0;
}

static void
results_free(struct set *s)
{
	for (size_t i = 0; i < s->nleft_out; i++) {
		free(s->left_out[i].id);
		free(s->left_out[i].source);
		free(s->left_out[i].text);
	}
	free(s->left_out);
	s->left_out = NULL;
	free(s->changed);
	s->changed = NULL;
	s->nleft_out = s->nchanged = 0;
	strings_free(&s->found, &s->nfound);
}

static void
load_drop(struct set *s)
{
	tree_files_clear(&s->new_files);
	items_free(s);
	free(s->kinds);
	s->kinds = NULL;
	s->nkinds = 0;
	s->parsed = 0;
	s->bad = SIZE_MAX;
	results_free(s);
}

static void
entries_free(struct set_entry *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i].id);
	free(v);
}

static void
gone_clear(struct set *s)
{
	for (size_t i = 0; i < s->ngone; i++)
		free(s->gone[i].id);
	free(s->gone);
	s->gone = NULL;
	s->ngone = 0;
}

void
set_init(struct set *s, const char *name, uint64_t seed)
{
	*s = (struct set){ .name = xstrdup(name),
		.next_number = seed + 1,
		.next_index = 1 };
	s->bad = SIZE_MAX;
}

void
set_clear(struct set *s)
{
	load_drop(s);
	gone_clear(s);
	entries_free(s->v, s->n);
	free(s->by_index);
	tree_files_clear(&s->files);
	strings_free(&s->unscoped, &s->nunscoped);
	for (size_t i = 0; i < s->nknown; i++)
		file_free(s->known[i]);
	free(s->known);
	free(s->default_ns);
	free(s->name);
	*s = (struct set){ 0 };
}

/* ---- blobs that are known ----------------------------------------------- */

static size_t
known_at(const struct set *s, const char *oid, bool *found)
{
	size_t low = 0, high = s->nknown;

	*found = false;
	while (low < high && !*found) {
		size_t mid = low + (high - low) / 2;
		int r = strcmp(oid, s->known[mid]->oid);

		if (r == 0) {
			*found = true;
			return mid;
		}
		if (r < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static struct set_file *
known(const struct set *s, const char *oid)
{
	bool found;
	size_t at = known_at(s, oid, &found);

	return found ? s->known[at] : NULL;
}

/* Insertion moves pointers only; a first load of 10,000 blobs moves 400 MB of
 * them, a fraction of what parsing costs. */
static void
known_add(struct set *s, struct set_file *f)
{
	bool found;
	size_t at = known_at(s, f->oid, &found);

	if (s->nknown == s->cap_known) {
		s->cap_known = s->cap_known == 0 ? 64 : s->cap_known * 2;
		s->known = xreallocarray(s->known, s->cap_known,
		    sizeof(struct set_file *));
	}
	memmove(s->known + at + 1, s->known + at,
	    (s->nknown - at) * sizeof(struct set_file *));
	s->known[at] = f;
	s->nknown++;
}

static void
mark_used(struct set *s, const struct tree_files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		struct set_file *f = known(s, files->v[i].oid);

		if (f != NULL)
			f->used = true;
	}
}

/* Forget the blobs that neither the set nor the load at work has. */
static void
known_purge(struct set *s)
{
	size_t left = 0;

	for (size_t i = 0; i < s->nknown; i++)
		s->known[i]->used = false;
	mark_used(s, &s->files);
	mark_used(s, &s->new_files);
	for (size_t i = 0; i < s->nknown; i++) {
		if (s->known[i]->used) {
			s->known[left++] = s->known[i];
			continue;
		}
		if (s->known[i]->text != NULL)
			s->kept -= s->known[i]->size;
		file_free(s->known[i]);
	}
	s->nknown = left;
}

/* ---- loading ------------------------------------------------------------ */

static int
file_order(const void *pa, const void *pb)
{
	const struct tree_file *a = *(struct tree_file *const *)pa;
	const struct tree_file *b = *(struct tree_file *const *)pb;
	int r = strcmp(a->oid, b->oid);

	return r != 0 ? r : (a > b) - (a < b);
}

/* Of files that are the same blob only the first is asked for: a tree can name
 * one large blob very often. */
static void
mark_twins(struct tree_files *files)
{
	struct tree_file **v = xcalloc(files->n + 1, sizeof(*v));

	for (size_t i = 0; i < files->n; i++)
		v[i] = &files->v[i];
	qsort(v, files->n, sizeof(*v), file_order);
	for (size_t i = 0; i < files->n; i++)
		v[i]->twin = i > 0 && strcmp(v[i - 1]->oid, v[i]->oid) == 0;
	free(v);
}

void
set_begin(struct set *s, struct tree_files *files)
{
	load_drop(s);
	s->new_files = *files;
	*files = (struct tree_files){ 0 };
	mark_twins(&s->new_files);
	for (size_t i = 0; i < s->nknown; i++) {
		free(s->known[i]->text);
		s->known[i]->text = NULL;
	}
	s->kept = 0;
	known_purge(s);
}

size_t
set_next_needed(const struct set *s, size_t at)
{
	if (s->bad != SIZE_MAX)
		return s->new_files.n;
	while (at < s->new_files.n && known(s, s->new_files.v[at].oid) != NULL)
		at++;
	return at;
}

/* The names by which resources are told apart: the printed id, and the API
 * group beside it, which the id leaves out. */
static size_t
group_span(const char *api_version)
{
	const char *slash = strchr(api_version, '/');

	return slash == NULL ? 0 : (size_t)(slash - api_version);
}

static int
name_order(const char *ida, const struct resource *a, const char *idb,
    const struct resource *b)
{
	size_t ga = group_span(a->api_version), gb = group_span(b->api_version);
	int r = strcmp(ida, idb);

	if (r != 0)
		return r;
	r = memcmp(a->api_version, b->api_version, ga < gb ? ga : gb);
	return r != 0 ? r : (ga > gb) - (ga < gb);
}

static int
item_order(const void *pa, const void *pb)
{
	const struct set_item *a = pa, *b = pb;
	int r = name_order(a->id, a->r, b->id, b->r);

	return r != 0 ? r : (a->order > b->order) - (a->order < b->order);
}

/* Sort the items; an error names the definition that comes again first. */
static int
check_duplicates(struct set_item *v, size_t n, struct fx_err *err)
{
	const struct set_item *first = NULL, *again = NULL;

	if (n != 0)
		qsort(v, n, sizeof(*v), item_order);
	for (size_t i = 1; i < n; i++)
		if (name_order(v[i - 1].id, v[i - 1].r, v[i].id, v[i].r) == 0 &&
		    (again == NULL || v[i].order < again->order)) {
			first = &v[i - 1];
			again = &v[i];
		}
	if (again == NULL)
		return FX_OK;
	if (first->source == again->source)
		return fx_fail(err, FX_EFAIL,
		    "duplicate definition of '%s' (in %s)", again->id,
		    again->source);
	return fx_fail(err, FX_EFAIL,
	    "duplicate definition of '%s' (in %s and %s)", again->id,
	    first->source, again->source);
}

struct gather {
	struct set_file *file;
	size_t cap;
};

static int
gather(void *arg, struct resource *r, struct node *object, struct arena *a,
    struct fx_err *err)
{
	struct gather *g = arg;
	struct set_file *f = g->file;

	(void)object;
	(void)a;
	if (f->n == SET_MAX_RESOURCES)
		return fx_fail(err, FX_ELIMIT,
		    "a file defines more than %d resources", SET_MAX_RESOURCES);
	if (f->n == g->cap) {
		g->cap = g->cap == 0 ? 1 : g->cap * 2;
		f->v = xreallocarray(f->v, g->cap, sizeof(*f->v));
	}
	f->v[f->n++] = *r;
	*r = (struct resource){ 0 };
	return FX_OK;
}

/* What a file defines twice is wrong before what is wrong further down. */
static int
check_file(const struct set_file *f, const char *source, struct fx_err *err)
{
	struct set_item *v;
	int r;

	if (f->n < 2)
		return FX_OK;
	v = xcalloc(f->n, sizeof(*v));
	for (size_t i = 0; i < f->n; i++)
		v[i] = (struct set_item){ .r = &f->v[i],
			.source = source,
			.id = resource_id_make(f->v[i].ns, f->v[i].kind,
			    f->v[i].name),
			.order = i };
	r = check_duplicates(v, f->n, err);
	for (size_t i = 0; i < f->n; i++)
		free(v[i].id);
	free(v);
	return r;
}

void
set_parse(struct set *s, size_t at, const void *text, size_t n)
{
	const struct tree_file *tf = &s->new_files.v[at];
	struct set_file *f;
	struct gather g = { 0 };
	struct fx_err err = { 0 }, twice = { 0 };
	int r;

	if (known(s, tf->oid) != NULL)
		return;
	f = xcalloc(1, sizeof(*f));
	g.file = f;
	s->parsed++;
	r = resource_each(text, n, tf->path, gather, &g, &err);
	if (check_file(f, tf->path, &twice) != FX_OK) {
		r = twice.code;
		err = twice;
	}
	if (r != FX_OK) {
		if (at < s->bad) {
			s->bad = at;
			s->bad_err = err;
		}
		file_free(f);
		return;
	}
	if (f->n != 0)
		f->v = xreallocarray(f->v, f->n, sizeof(*f->v));
	f->oid = xstrdup(tf->oid);
	f->size = n;
	if (n <= SET_KEEP - s->kept) {
		f->text = xmalloc(n + 1);
		if (n != 0)
			memcpy(f->text, text, n);
		s->kept += n;
	}
	known_add(s, f);
}

/* ---- collecting --------------------------------------------------------- */

static int
collect_items(struct set *s, size_t nfiles, struct fx_err *err)
{
	size_t total = 0;

	for (size_t i = 0; i < nfiles; i++)
		total += known(s, s->new_files.v[i].oid)->n;
	if (total > SET_MAX_RESOURCES)
		return fx_fail(err, FX_ELIMIT,
		    "the repository defines more than %d resources",
		    SET_MAX_RESOURCES);
	s->items = xcalloc(total + 1, sizeof(*s->items));
	for (size_t i = 0; i < nfiles; i++) {
		const struct set_file *f = known(s, s->new_files.v[i].oid);

		for (size_t j = 0; j < f->n; j++) {
			const struct resource *r = &f->v[j];

			s->items[s->nitems] = (struct set_item){
				.r = r,
				.file = f,
				.source = s->new_files.v[i].path,
				.id = resource_id_make(r->ns, r->kind, r->name),
				.nth = j,
				.order = s->nitems,
			};
			s->nitems++;
		}
	}
	return FX_OK;
}

static int
kind_order(const void *pa, const void *pb)
{
	const struct set_kind *a = pa, *b = pb;
	int r = strcmp(a->api_version, b->api_version);

	return r != 0 ? r : strcmp(a->kind, b->kind);
}

static void
collect_kinds(struct set *s)
{
	size_t n = 0;

	s->kinds = xcalloc(s->nitems + 1, sizeof(*s->kinds));
	for (size_t i = 0; i < s->nitems; i++)
		s->kinds[i] = (struct set_kind){ s->items[i].r->api_version,
			s->items[i].r->kind };
	qsort(s->kinds, s->nitems, sizeof(*s->kinds), kind_order);
	for (size_t i = 0; i < s->nitems; i++)
		if (n == 0 || kind_order(&s->kinds[n - 1], &s->kinds[i]) != 0)
			s->kinds[n++] = s->kinds[i];
	s->nkinds = n;
}

int
set_collect(struct set *s, struct fx_err *err)
{
	size_t nfiles = s->bad != SIZE_MAX ? s->bad : s->new_files.n;
	int r = collect_items(s, nfiles, err);

	if (r == FX_OK)
		r = check_duplicates(s->items, s->nitems, err);
	if (r == FX_OK && s->bad != SIZE_MAX) {
		*err = s->bad_err;
		r = err->code;
	}
	if (r == FX_OK)
		collect_kinds(s);
	return r;
}

/* ---- namespaces --------------------------------------------------------- */

/* Does a definition of the same load tell the scope of the kind? */
static bool
defined_scope(const struct set *s, const struct set_kind *k, bool *namespaced)
{
	for (size_t i = 0; i < s->nitems; i++)
		for (size_t j = 0; j < s->items[i].r->nscopes; j++) {
			const struct resource_scope *d =
			    &s->items[i].r->scopes[j];

			if (strcmp(d->api_version, k->api_version) == 0 &&
			    strcmp(d->kind, k->kind) == 0) {
				*namespaced = d->namespaced;
				return true;
			}
		}
	return false;
}

static void
leave_out(struct set *s, struct set_item *item, bool news, char *text)
{
	size_t n = s->nleft_out;

	if ((n & (n - 1)) == 0) /* grows at powers of two */
		s->left_out = xreallocarray(s->left_out, n == 0 ? 1 : n * 2,
		    sizeof(*s->left_out));
	s->left_out[s->nleft_out++] = (struct set_left_out){
		.id = xstrdup(item->id),
		.source = xstrdup(item->source),
		.text = text,
		.news = news,
	};
	item->left_out = true;
}

static int
string_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
was_unscoped(const struct set *s, const char *id)
{
	return s->nunscoped != 0 &&
	    bsearch(&id, s->unscoped, s->nunscoped, sizeof(char *),
		string_order) != NULL;
}

static void
push_string(char ***v, size_t *n, char *string)
{
	if ((*n & (*n - 1)) == 0)
		*v = xreallocarray(*v, *n == 0 ? 1 : *n * 2, sizeof(char *));
	(*v)[(*n)++] = string;
}

/* The namespace an item really has; its id follows. */
static int
place_item(struct set *s, struct set_item *item, const struct set_scope *scope,
    const char *default_ns, char ***unscoped, size_t *nunscoped,
    struct fx_err *err)
{
	const struct resource *r = item->r;
	bool was = was_unscoped(s, item->id);
	auto_free char *partial = NULL;

	if (scope->scope == SET_FAILED)
		return fx_fail(err, FX_ERETRY, "%s", scope->why);
	if (scope->scope == SET_UNKNOWN) {
		push_string(unscoped, nunscoped, xstrdup(item->id));
		partial = resource_id_make("", r->kind, r->name);
		leave_out(s, item, !was,
		    xasprintf("cannot find scope of resource %s: %s",
			strchr(partial, ':') + 1, scope->why));
		return FX_OK;
	}
	item->ns = scope->scope == SET_CLUSTER ? ""
	    : *r->ns == '\0'		       ? default_ns
					       : r->ns;
	free(item->id);
	item->id = resource_id_make(item->ns, r->kind, r->name);
	if (was)
		push_string(&s->found, &s->nfound, xstrdup(item->id));
	if (r->unfit != NULL)
		leave_out(s, item, false, xstrdup(r->unfit));
	return FX_OK;
}

/* Where discovery does not know a kind, definitions of the load may. */
static struct set_scope *
complete_scopes(const struct set *s, const struct set_scope *asked)
{
	struct set_scope *v = xcalloc(s->nkinds + 1, sizeof(*v));
	bool namespaced;

	for (size_t i = 0; i < s->nkinds; i++) {
		v[i] = asked[i];
		if (v[i].scope != SET_NAMESPACED && v[i].scope != SET_CLUSTER &&
		    defined_scope(s, &s->kinds[i], &namespaced))
			v[i].scope = namespaced ? SET_NAMESPACED : SET_CLUSTER;
	}
	return v;
}

static int
place_items(struct set *s, const struct set_scope *asked,
    const char *default_ns, char ***unscoped, size_t *nunscoped,
    struct fx_err *err)
{
	struct set_scope *scopes = complete_scopes(s, asked);
	size_t left = 0;
	int r = FX_OK;

	for (size_t i = 0; i < s->nitems && r == FX_OK; i++) {
		struct set_item *item = &s->items[i];
		struct set_kind want = { item->r->api_version, item->r->kind };
		const struct set_kind *k = bsearch(&want, s->kinds, s->nkinds,
		    sizeof(*s->kinds), kind_order);

		r = place_item(s, item, &scopes[k - s->kinds], default_ns,
		    unscoped, nunscoped, err);
	}
	free(scopes);
	if (r != FX_OK)
		return r;
	for (size_t i = 0; i < s->nitems; i++) {
		if (s->items[i].left_out)
			free(s->items[i].id);
		else
			s->items[left++] = s->items[i];
	}
	s->nitems = left;
	return check_duplicates(s->items, s->nitems, err);
}

/* ---- the new set -------------------------------------------------------- */

/* Is there anything about it that sync has to be told? */
static bool
same_entry(const struct set_entry *e, const struct set_item *item)
{
	return memcmp(e->r->hash, item->r->hash, sizeof(e->r->hash)) == 0 &&
	    strcmp(e->source, item->source) == 0 &&
	    strcmp(e->ns, item->ns) == 0 &&
	    strcmp(e->r->api_version, item->r->api_version) == 0 &&
	    strcmp(e->r->kind, item->r->kind) == 0;
}

static void
add_gone(struct set *s, struct set_entry *e)
{
	size_t n = s->ngone;
	struct set_gone *g;

	if (n == SET_MAX_GONE) { /* older sets have to be told everything */
		gone_clear(s);
		s->oldest = s->next_number;
		return;
	}
	if ((n & (n - 1)) == 0)
		s->gone = xreallocarray(s->gone, n == 0 ? 1 : n * 2,
		    sizeof(*s->gone));
	g = &s->gone[s->ngone++];
	g->index = e->index;
	g->since = s->next_number;
	g->id = fx_steal(&e->id);
}

/* The item becomes an entry; `old` is the one of the same name, or NULL. */
static void
make_entry(struct set *s, struct set_item *item, const struct set_entry *old,
    struct set_entry *e, bool *news, bool *changed)
{
	bool same = old != NULL && same_entry(old, item);

	*news |= !same;
	*changed = old == NULL ||
	    memcmp(old->r->hash, item->r->hash, sizeof(old->r->hash)) != 0;
	e->index = old != NULL ? old->index : s->next_index++;
	e->since = same ? old->since : s->next_number;
	e->id = fx_steal(&item->id);
	e->r = item->r;
	e->file = item->file;
	e->source = item->source;
	e->ns = item->ns;
	e->nth = item->nth;
}

/* Merge the sorted items with the sorted entries.  true: something differs. */
static bool
merge(struct set *s)
{
	struct set_entry *v = xcalloc(s->nitems + 1, sizeof(*v));
	size_t i = 0, j = 0;
	bool news = false, changed;

	s->changed = xcalloc(s->nitems + 1, sizeof(*s->changed));
	while (i < s->nitems || j < s->n) {
		struct set_item *item = &s->items[i];
		int order = i == s->nitems ? 1
		    : j == s->n
		    ? -1
		    : name_order(item->id, item->r, s->v[j].id, s->v[j].r);

		if (order > 0) {
			add_gone(s, &s->v[j++]);
			news = true;
			continue;
		}
		make_entry(s, item, order == 0 ? &s->v[j] : NULL, &v[i], &news,
		    &changed);
		if (changed)
			s->changed[s->nchanged++] = &v[i];
		j += order == 0;
		i++;
	}
	entries_free(s->v, s->n);
	s->v = v;
	s->n = s->nitems;
	return news;
}

static int
index_order(const void *pa, const void *pb)
{
	const struct set_entry *a = *(struct set_entry *const *)pa;
	const struct set_entry *b = *(struct set_entry *const *)pb;

	return (a->index > b->index) - (a->index < b->index);
}

static void
make_index(struct set *s)
{
	free(s->by_index);
	s->by_index = xcalloc(s->n + 1, sizeof(struct set_entry *));
	for (size_t i = 0; i < s->n; i++)
		s->by_index[i] = &s->v[i];
	qsort(s->by_index, s->n, sizeof(struct set_entry *), index_order);
}

int
set_commit(struct set *s, const struct set_scope *scopes,
    const char *default_ns, struct fx_err *err)
{
	char **unscoped = NULL, *ns = xstrdup(default_ns);
	size_t nunscoped = 0;
	int r = place_items(s, scopes, ns, &unscoped, &nunscoped, err);

	if (r != FX_OK) {
		strings_free(&unscoped, &nunscoped);
		free(ns);
		return r;
	}
	if (merge(s) || s->number == 0) {
		s->number = s->next_number++;
		if (s->oldest == 0)
			s->oldest = s->number;
	}
	make_index(s);
	items_free(s);
	tree_files_clear(&s->files);
	s->files = s->new_files;
	s->new_files = (struct tree_files){ 0 };
	known_purge(s);
	free(s->default_ns);
	s->default_ns = ns;
	strings_free(&s->unscoped, &s->nunscoped);
	if (nunscoped != 0)
		qsort(unscoped, nunscoped, sizeof(char *), string_order);
	s->unscoped = unscoped;
	s->nunscoped = nunscoped;
	return FX_OK;
}

/* ---- questions ---------------------------------------------------------- */

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

		if (s->by_index[mid]->index == index)
			return s->by_index[mid];
		if (s->by_index[mid]->index < index)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* ---- bodies ------------------------------------------------------------- */

static int
want_order(const void *pa, const void *pb)
{
	const struct set_want *a = pa, *b = pb;
	int r = strcmp(a->entry->file->oid, b->entry->file->oid);

	if (r == 0)
		r = (a->entry->nth > b->entry->nth) -
		    (a->entry->nth < b->entry->nth);
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
	auto_free char *checksum = NULL, *mark = mark_of(b->set->name, e->id);

	if (memcmp(r->hash, e->r->hash, sizeof(r->hash)) != 0)
		return other_content(e, err);
	str_add_hex(&hex, r->hash, sizeof(r->hash));
	checksum = str_take(&hex);
	buf_reset(&b->json);
	return resource_body(&b->json, a, object,
	    &(struct resource_extra){ e->ns, mark, checksum }, err);
}

static int
on_body(void *arg, struct resource *r, struct node *object, struct arena *a,
    struct fx_err *err)
{
	struct bodies *b = arg;
	size_t nth = b->nth++;
	int ret;

	while (b->done < b->n && b->v[b->done].entry->nth == nth) {
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
	int r = resource_each(text, len, v[0].entry->source, on_body, &b, err);

	buf_clear(&b.json);
	if (b.done == n)
		return FX_OK;
	return r != FX_OK ? r : other_content(v[b.done].entry, err);
}
