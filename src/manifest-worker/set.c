/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "set_load.h"

#include <sys/random.h>

/* ---- life --------------------------------------------------------------- */

void
set_push(char ***v, size_t *n, char *string)
{
	if ((*n & (*n - 1)) == 0)
		*v = xreallocarray(*v, *n == 0 ? 1 : *n * 2, sizeof(char *));
	(*v)[(*n)++] = string;
}

void
set_strings_free(char ***v, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free((*v)[i]);
	free(*v);
	*v = NULL;
	*n = 0;
}

static void
files_clear(struct set_files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].path);
		free(f->v[i].bad);
	}
	free(f->v);
	*f = (struct set_files){ 0 };
}

static void
left_out_free(struct set_left_out **v, size_t *n)
{
	for (size_t i = 0; i < *n; i++) {
		free((*v)[i].id);
		free((*v)[i].source);
		free((*v)[i].text);
	}
	free(*v);
	*v = NULL;
	*n = 0;
}

void
set_told(struct set *s)
{
	set_strings_free(&s->changed, &s->nchanged);
	set_strings_free(&s->found, &s->nfound);
}

void
set_load_drop(struct set *s)
{
	files_clear(&s->new_files);
	free(s->items);
	s->items = NULL;
	s->nitems = 0;
	left_out_free(&s->new_left_out, &s->nnew_left_out);
	set_strings_free(&s->new_found, &s->nnew_found);
	s->reused = false;
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
	*s = (struct set){
		.name = xstrdup(name),
		.next_number = seed + 1,
		.first = seed + 1,
		.next_index = 1,
		.bad = SIZE_MAX,
	};
	if (getrandom(&s->hash_seed, sizeof(s->hash_seed), 0) !=
	    sizeof(s->hash_seed))
		s->hash_seed = seed;
}

void
set_clear(struct set *s)
{
	set_load_drop(s);
	set_told(s);
	left_out_free(&s->left_out, &s->nleft_out);
	gone_clear(s);
	free(s->v);
	free(s->kinds);
	files_clear(&s->files);
	known_clear(&s->known);
	free(s->default_ns);
	free(s->name);
	*s = (struct set){ 0 };
}

/* ---- the files of a load ------------------------------------------------ */

static void
begin(struct set *s)
{
	set_load_drop(s);
	set_told(s);
	s->parsed = 0;
	s->bad = SIZE_MAX;
	known_drop_texts(&s->known);
}

/* Does the file fail the load?  The first one counts. */
static void
judge(struct set *s, size_t at)
{
	const struct set_file *f = &s->new_files.v[at];

	if (!s->skip_bad && at < s->bad &&
	    (f->bad != NULL || (f->blob != NULL && f->blob->error != NULL)))
		s->bad = at;
}

/* The blob of a file, if it is known.  Most files are where they were, so they
 * are looked for in the set's list at *at first. */
static struct blob *
find_blob(const struct set *s, const struct set_file *f, size_t *at)
{
	const struct set_files *old = &s->files;

	for (size_t i = *at; i < old->n && i < *at + 2; i++)
		if (strcmp(old->v[i].path, f->path) == 0) {
			struct blob *b = old->v[i].blob;

			*at = i + 1;
			if (b != NULL && strcmp(b->oid, f->oid) == 0)
				return b;
			break;
		}
	return known_find(&s->known, f->oid);
}

static int
needed_order(const void *pa, const void *pb)
{
	const struct set_file *a = *(struct set_file *const *)pa;
	const struct set_file *b = *(struct set_file *const *)pb;
	int r = strcmp(a->oid, b->oid);

	return r != 0 ? r : (a > b) - (a < b);
}

/* Of files that are the same blob only the first is asked for: a tree can name
 * one large blob very often. */
static void
mark_twins(struct set_files *files, size_t needed)
{
	struct set_file **v = xcalloc(needed + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < files->n; i++)
		if (files->v[i].blob == NULL && files->v[i].bad == NULL)
			v[n++] = &files->v[i];
	qsort(v, n, sizeof(*v), needed_order);
	for (size_t i = 1; i < n; i++)
		if (strcmp(v[i - 1]->oid, v[i]->oid) == 0)
			v[i]->twin = v[i - 1]->twin != SIZE_MAX
			    ? v[i - 1]->twin
			    : (size_t)(v[i - 1] - files->v);
	free(v);
}

void
set_begin(struct set *s, struct tree_files *files)
{
	size_t at = 0, needed = 0;

	begin(s);
	s->new_files.v = xcalloc(files->n + 1, sizeof(*s->new_files.v));
	s->new_files.n = files->n;
	for (size_t i = 0; i < files->n; i++) {
		struct tree_file *tf = &files->v[i];
		struct set_file *f = &s->new_files.v[i];

		*f = (struct set_file){
			.path = fx_steal(&tf->path),
			.oid = tf->oid,
			.bad = fx_steal(&tf->bad),
			.twin = SIZE_MAX,
		};
		if (f->bad == NULL)
			f->blob = find_blob(s, f, &at);
		needed += f->blob == NULL;
		judge(s, i);
	}
	mark_twins(&s->new_files, needed);
	tree_files_clear(files);
}

void
set_reuse(struct set *s)
{
	begin(s);
	s->reused = true;
}

size_t
set_next_needed(const struct set *s, size_t at)
{
	size_t end = s->bad < s->new_files.n ? s->bad : s->new_files.n;

	while (at < end &&
	    (s->new_files.v[at].blob != NULL ||
		s->new_files.v[at].bad != NULL ||
		s->new_files.v[at].twin != SIZE_MAX))
		at++;
	return at < end ? at : s->new_files.n;
}

void
set_parse(struct set *s, size_t at, const void *text, size_t n)
{
	struct set_file *f = &s->new_files.v[at];

	f->blob = known_parse(&s->known, f->oid, text, n);
	s->parsed++;
	judge(s, at);
}

bool
set_has_failed(const struct set *s)
{
	return s->bad != SIZE_MAX;
}

/* ---- leaving out -------------------------------------------------------- */

static void
add_left_out(struct set *s, const struct set_left_out *l)
{
	size_t n = s->nnew_left_out;

	if ((n & (n - 1)) == 0) /* grows at powers of two */
		s->new_left_out = xreallocarray(s->new_left_out,
		    n == 0 ? 1 : n * 2, sizeof(*s->new_left_out));
	s->new_left_out[s->nnew_left_out++] = *l;
}

void
set_leave_out(struct set *s, enum set_reason reason, struct set_item *item,
    char *text)
{
	add_left_out(s,
	    &(struct set_left_out){
		.reason = reason,
		.id = name_print(&item->name),
		.source = xstrdup(item->source),
		.text = text,
	    });
	item->left_out = true;
}

static void
leave_out_file(struct set *s, const struct set_file *f, const char *text)
{
	add_left_out(s,
	    &(struct set_left_out){
		.reason = SET_BAD_FILE,
		.id = xstrdup(""),
		.source = xstrdup(f->path),
		.text = xstrdup(text),
	    });
}

static int
left_out_order(const void *pa, const void *pb)
{
	const struct set_left_out *a = pa, *b = pb;
	int r = (int)a->reason - (int)b->reason;

	if (r == 0)
		r = strcmp(a->id, b->id);
	/* where a resource is and what the server says of its kind may change
	 * while nobody knows the kind: that is no news */
	if (r == 0 && a->reason != SET_NO_SCOPE)
		r = strcmp(a->source, b->source);
	if (r == 0 && a->reason != SET_NO_SCOPE)
		r = strcmp(a->text, b->text);
	return r;
}

static bool
was_left_out(const struct set *s, const struct set_left_out *l)
{
	return s->nleft_out != 0 &&
	    bsearch(l, s->left_out, s->nleft_out, sizeof(*l), left_out_order) !=
	    NULL;
}

void
set_compare_left_out(struct set *s)
{
	if (s->nnew_left_out != 0)
		qsort(s->new_left_out, s->nnew_left_out,
		    sizeof(*s->new_left_out), left_out_order);
	for (size_t i = 0; i < s->nnew_left_out; i++)
		s->new_left_out[i].news = !was_left_out(s, &s->new_left_out[i]);
	left_out_free(&s->left_out, &s->nleft_out);
	s->left_out = fx_steal(&s->new_left_out);
	s->nleft_out = s->nnew_left_out;
	s->nnew_left_out = 0;
}

void
set_drop_left_out(struct set *s)
{
	size_t left = 0;

	for (size_t i = 0; i < s->nitems; i++)
		if (!s->items[i].left_out)
			s->items[left++] = s->items[i];
	s->nitems = left;
}

/* ---- collecting --------------------------------------------------------- */

static char *
duplicate_text(const struct set_item *first, const struct set_item *again)
{
	auto_free char *id = name_print(&again->name);

	if (first->source == again->source)
		return xasprintf("duplicate definition of '%s' (in %s)", id,
		    again->source);
	return xasprintf("duplicate definition of '%s' (in %s and %s)", id,
	    first->source, again->source);
}

static int
duplicate(struct set *s, struct set_item *first, struct set_item *again,
    struct fx_err *err)
{
	char *text = duplicate_text(first, again);

	if (!s->skip_bad) {
		fx_fail(err, FX_EFAIL, "%s", text);
		free(text);
		return err->code;
	}
	if (!first->left_out)
		set_leave_out(s, SET_DUPLICATE, first, xstrdup(text));
	set_leave_out(s, SET_DUPLICATE, again, text);
	return FX_OK;
}

int
set_check_duplicates(struct set *s, struct fx_err *err)
{
	struct names names;
	int r = FX_OK;

	names_init(&names, s->nitems, s->hash_seed);
	for (size_t i = 0; i < s->nitems && r == FX_OK; i++) {
		struct name *first = names_put(&names, &s->items[i].name);

		if (first != NULL)
			r = duplicate(s, (struct set_item *)first, &s->items[i],
			    err);
	}
	names_clear(&names);
	return r;
}

static void
add_items(struct set *s, const struct set_file *f)
{
	for (size_t i = 0; i < f->blob->n; i++) {
		const struct known_resource *r = &f->blob->v[i];

		s->items[s->nitems++] = (struct set_item){
			.name = name_make(r, r->ns, r->ns_digest),
			.blob = f->blob,
			.source = f->path,
		};
	}
}

/* What is wrong with the file, or FX_OK. */
static int
file_error(const struct set_file *f, struct fx_err *err)
{
	if (f->bad != NULL)
		return fx_fail(err, FX_EFAIL, "%s", f->bad);
	if (f->blob->error == NULL)
		return FX_OK;
	fx_fail(err, f->blob->code, "%s", f->blob->error);
	return resource_blame(f->blob->stage, f->path, err);
}

/* What the first nfiles hold, as far as they can be read. */
static int
collect_items(struct set *s, size_t nfiles, struct fx_err *err)
{
	struct set_file *v = s->new_files.v;
	struct fx_err why = { 0 };
	size_t total = 0;

	for (size_t i = 0; i < nfiles; i++) {
		if (v[i].twin != SIZE_MAX)
			v[i].blob = v[v[i].twin].blob;
		v[i].oid = NULL;
		if (file_error(&v[i], &why) != FX_OK)
			leave_out_file(s, &v[i], why.text);
		else
			total += v[i].blob->n;
	}
	if (total > SET_MAX_RESOURCES)
		return fx_fail(err, FX_ELIMIT,
		    "the repository defines more than %d resources",
		    SET_MAX_RESOURCES);
	s->items = xcalloc(total + 1, sizeof(*s->items));
	for (size_t i = 0; i < nfiles; i++)
		if (v[i].bad == NULL && v[i].blob->error == NULL)
			add_items(s, &v[i]);
	return FX_OK;
}

/* The file that fails the load.  What it defines twice is wrong before what is
 * wrong further down. */
static int
fail_file(struct set *s, const struct set_file *f, struct fx_err *err)
{
	int r = FX_OK;

	s->nitems = 0;
	if (f->blob != NULL) {
		free(s->items);
		s->items = xcalloc(f->blob->n + 1, sizeof(*s->items));
		add_items(s, f);
		r = set_check_duplicates(s, err);
	}
	return r == FX_OK ? file_error(f, err) : r;
}

static void
collect_kinds(struct set *s)
{
	struct known *known = &s->known;

	for (size_t i = 0; i < known->nkinds; i++)
		known->kinds[i]->in_load = false;
	for (size_t i = 0; i < s->nitems; i++)
		s->items[i].name.r->kind->in_load = true;
	free(s->kinds);
	s->kinds = xcalloc(known->nkinds + 1, sizeof(struct kind *));
	s->nkinds = 0;
	for (size_t i = 0; i < known->nkinds; i++)
		if (known->kinds[i]->in_load)
			s->kinds[s->nkinds++] = known->kinds[i];
}

int
set_collect(struct set *s, struct fx_err *err)
{
	size_t nfiles = s->bad != SIZE_MAX ? s->bad : s->new_files.n;
	int r;

	known_settle(&s->known);
	if ((r = collect_items(s, nfiles, err)) != FX_OK ||
	    (r = set_check_duplicates(s, err)) != FX_OK)
		return r;
	if (s->bad != SIZE_MAX)
		return fail_file(s, &s->new_files.v[s->bad], err);
	set_drop_left_out(s);
	collect_kinds(s);
	return FX_OK;
}

/* ---- the new set -------------------------------------------------------- */

/* The load again from the files that the set has: the scopes have changed. */
static int
collect_again(struct set *s, struct fx_err *err)
{
	s->new_files.n = s->files.n;
	s->new_files.v = xcalloc(s->files.n + 1, sizeof(*s->new_files.v));
	for (size_t i = 0; i < s->files.n; i++) {
		const struct set_file *f = &s->files.v[i];

		s->new_files.v[i] = (struct set_file){
			.path = xstrdup(f->path),
			.blob = f->blob,
			.bad = f->bad == NULL ? NULL : xstrdup(f->bad),
			.twin = SIZE_MAX,
		};
	}
	return set_collect(s, err);
}

static bool
same_answers(const struct set *s, const struct set_scope *scopes,
    const char *default_ns)
{
	for (size_t i = 0; i < s->nkinds; i++)
		if (s->kinds[i]->answer != scopes[i].scope ||
		    scopes[i].scope == KNOWN_FAILED)
			return false;
	return strcmp(s->default_ns, default_ns) == 0;
}

/* Forget the blobs that the set does not have. */
static void
purge(struct set *s)
{
	for (size_t i = 0; i < s->known.n; i++)
		s->known.v[i]->used = false;
	for (size_t i = 0; i < s->files.n; i++)
		if (s->files.v[i].blob != NULL)
			s->files.v[i].blob->used = true;
	known_purge(&s->known);
}

int
set_commit(struct set *s, const struct set_scope *scopes,
    const char *default_ns, struct fx_err *err)
{
	auto_free char *ns = xstrdup(default_ns);
	char *before;
	int r = FX_OK;

	if (s->reused && same_answers(s, scopes, ns)) {
		for (size_t i = 0; i < s->nleft_out; i++)
			s->left_out[i].news = false;
		return FX_OK;
	}
	if (s->reused)
		r = collect_again(s, err);
	if (r != FX_OK || (r = set_place(s, scopes, ns, err)) != FX_OK)
		return r;
	before =
	    s->default_ns; /* the entries have it until they are replaced */
	s->default_ns = fx_steal(&ns);
	set_replace(s);
	free(before);
	files_clear(&s->files);
	s->files = s->new_files;
	s->new_files = (struct set_files){ 0 };
	set_compare_left_out(s);
	s->found = fx_steal(&s->new_found);
	s->nfound = s->nnew_found;
	s->nnew_found = 0;
	set_load_drop(s);
	purge(s);
	return FX_OK;
}
