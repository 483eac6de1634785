/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "inventory_text.h"

#include "discovery.h"
#include "str.h"

#define HEAD "fluxd inventory 1"
#define NOTHING "-"			/* no group, or no namespace */
#define ENCODED_MAX (3 * DISC_TEXT_MAX) /* bytes of a name */

/* ---- words ------------------------------------------------------------ */

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* A word of these characters, of up to `max` bytes. */
static bool
is_word(const char *s, const char *chars, size_t max)
{
	size_t n = strspn(s, chars);

	return n > 0 && n <= max && s[n] == '\0';
}

static bool
is_group(const char *s)
{
	return is_word(s, LOWER "-.", DISC_TEXT_MAX);
}

static bool
is_kind(const char *s)
{
	return is_word(s, LOWER UPPER "-", DISC_TEXT_MAX);
}

static bool
is_namespace(const char *s)
{
	return is_word(s, LOWER "-", DISC_TEXT_MAX);
}

/* What can be part of a path. */
static bool
is_name(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= DISC_TEXT_MAX && strpbrk(s, "/%") == NULL &&
	    strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
}

/* What stands for nothing is no name. */
static bool
is_empty_or(bool (*is)(const char *), const char *s)
{
	return s[0] == '\0' || (is(s) && strcmp(s, NOTHING) != 0);
}

bool
inv_may_hold(const struct inv_entry *e)
{
	return is_empty_or(is_group, e->group) && is_kind(e->kind) &&
	    is_empty_or(is_namespace, e->ns) && is_name(e->name);
}

/* ---- writing ---------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	const struct inv_entry *x = a, *y = b;
	int r;

	if ((r = strcmp(x->group, y->group)) != 0 ||
	    (r = strcmp(x->kind, y->kind)) != 0 ||
	    (r = strcmp(x->ns, y->ns)) != 0)
		return r;
	return strcmp(x->name, y->name);
}

static const char *
or_nothing(const char *s)
{
	return s[0] != '\0' ? s : NOTHING;
}

static bool
same_kind(const struct inv_entry *a, const struct inv_entry *b)
{
	return strcmp(a->group, b->group) == 0 && strcmp(a->kind, b->kind) == 0;
}

/* One entry; `before` is the one in front of it. */
static int
put_entry(struct buf *out, const struct inv_entry *e,
    const struct inv_entry *before)
{
	bool new_kind = before == NULL || !same_kind(e, before);
	int r = FX_OK;

	if (new_kind)
		r = str_addf(out, "%skind %s %s", before != NULL ? "\n" : "",
		    or_nothing(e->group), e->kind);
	if (r == FX_OK && (new_kind || strcmp(e->ns, before->ns) != 0))
		r = str_addf(out, "\n %s", or_nothing(e->ns));
	if (r != FX_OK || (r = str_addc(out, ' ')) != FX_OK)
		return r;
	/* what follows says nothing of the limit */
	if (out->max - buf_left(out) < 3 * strlen(e->name) + 1)
		return FX_ELIMIT;
	disc_add_encoded(out, e->name);
	return FX_OK;
}

int
inv_write(struct buf *out, const char *const *sets, size_t nsets,
    struct inv_entry *v, size_t n)
{
	const struct inv_entry *before = NULL;
	size_t kinds = 0, entries = 0;
	int r = str_add(out, HEAD "\n");

	if (nsets > INV_SETS_MAX)
		return FX_ELIMIT;
	for (size_t i = 0; i < nsets && r == FX_OK; i++)
		r = str_addf(out, "set %s\n", sets[i]);
	if (n > 0)
		qsort(v, n, sizeof(*v), compare);
	for (size_t i = 0; i < n && r == FX_OK; i++) {
		if (before != NULL && compare(before, &v[i]) == 0)
			continue;
		kinds += before == NULL || !same_kind(before, &v[i]);
		if (kinds > INV_KINDS_MAX || ++entries > INV_ENTRIES_MAX)
			return FX_ELIMIT;
		r = put_entry(out, &v[i], before);
		before = &v[i];
	}
	return r == FX_OK && before != NULL ? str_addc(out, '\n') : r;
}

/* ---- reading ---------------------------------------------------------- */

struct reading {
	struct inv_doc *doc;
	size_t cap, kinds;
	const char *group, *kind; /* of the lines that follow; NULL: none yet */
};

/* In place; false: not as we write it. */
static bool
decode_name(char *s)
{
	char *out = s, *from = s;

	if (!is_word(s, LOWER UPPER "-._~%", ENCODED_MAX))
		return false;
	while (*from != '\0') {
		int hi, lo;

		if (*from != '%') {
			*out++ = *from++;
			continue;
		}
		if ((hi = str_hex_value(from[1])) < 0 ||
		    (lo = str_hex_value(from[2])) < 0 || hi + lo == 0)
			return false;
		*out++ = (char)(hi << 4 | lo);
		from += 3;
	}
	*out = '\0';
	return is_name(s);
}

/* "-" is the empty one. */
static const char *
word_or_nothing(const char *s)
{
	return strcmp(s, NOTHING) == 0 ? "" : s;
}

static int
add_set(struct reading *r, const char *name, struct fx_err *err)
{
	struct inv_doc *d = r->doc;

	if (r->kind != NULL || strlen(name) != INV_SET_NAME ||
	    !is_word(name, LOWER UPPER "-_", INV_SET_NAME))
		return fx_fail(err, FX_ESYNTAX, "not a sync set's name");
	if (d->nsets == INV_SETS_MAX)
		return fx_fail(err, FX_ELIMIT, "more than %d sync sets",
		    INV_SETS_MAX);
	d->sets[d->nsets++] = name;
	return FX_OK;
}

static int
begin_kind(struct reading *r, char *line, struct fx_err *err)
{
	const char *group = strsep(&line, " ");

	if (line == NULL || !is_kind(line) || !is_group(group))
		return fx_fail(err, FX_ESYNTAX, "not a group and a kind");
	if (++r->kinds > INV_KINDS_MAX)
		return fx_fail(err, FX_ELIMIT, "more than %d kinds",
		    INV_KINDS_MAX);
	r->group = word_or_nothing(group);
	r->kind = line;
	return FX_OK;
}

static int
add_names(struct reading *r, char *line, struct fx_err *err)
{
	const char *ns = strsep(&line, " ");
	struct inv_doc *d = r->doc;
	char *name;

	if (r->kind == NULL || line == NULL || !is_namespace(ns))
		return fx_fail(err, FX_ESYNTAX, "not a namespace and names");
	while ((name = strsep(&line, " ")) != NULL) {
		if (!decode_name(name))
			return fx_fail(err, FX_ESYNTAX, "not a name");
		if (d->n == INV_ENTRIES_MAX)
			return fx_fail(err, FX_ELIMIT, "more than %d objects",
			    INV_ENTRIES_MAX);
		if (d->n == r->cap) {
			r->cap = r->cap == 0 ? 256 : 2 * r->cap;
			d->v = xreallocarray(d->v, r->cap, sizeof(*d->v));
		}
		d->v[d->n++] = (struct inv_entry){ r->group, r->kind,
			word_or_nothing(ns), name };
	}
	return FX_OK;
}

static int
read_line(struct reading *r, char *line, struct fx_err *err)
{
	if (str_starts(line, "set "))
		return add_set(r, line + strlen("set "), err);
	if (str_starts(line, "kind "))
		return begin_kind(r, line + strlen("kind "), err);
	if (line[0] == ' ')
		return add_names(r, line + 1, err);
	return fx_fail(err, FX_ESYNTAX, "neither set, kind nor names");
}

static int
read_lines(struct reading *r, struct fx_err *err)
{
	char *rest = r->doc->text, *line;
	int code = FX_OK;

	if (strcmp(strsep(&rest, "\n"), HEAD) != 0)
		return fx_fail(err, FX_ESYNTAX,
		    "it does not begin with \"" HEAD "\"");
	for (int i = 2; code == FX_OK && (line = strsep(&rest, "\n")) != NULL;
	     i++) {
		if (line[0] == '\0' && rest == NULL)
			break; /* behind the last newline */
		if ((code = read_line(r, line, err)) != FX_OK)
			fx_wrap(err, "line %d", i);
	}
	if (code == FX_OK && r->doc->nsets == 0)
		code = fx_fail(err, FX_ESYNTAX, "it names no sync set");
	return code;
}

int
inv_read(const char *text, size_t n, struct inv_doc *doc, struct fx_err *err)
{
	struct reading r = { .doc = doc };
	int code;

	*doc = (struct inv_doc){ 0 };
	if (n > INV_TEXT_MAX)
		return fx_fail(err, FX_ELIMIT, "longer than %u bytes",
		    INV_TEXT_MAX);
	if (memchr(text, '\0', n) != NULL)
		return fx_fail(err, FX_ESYNTAX, "a byte 0 in it");
	doc->text = xstrndup(text, n);
	if ((code = read_lines(&r, err)) != FX_OK)
		inv_clear(doc);
	return code;
}

void
inv_clear(struct inv_doc *doc)
{
	free(doc->text);
	free(doc->v);
	*doc = (struct inv_doc){ 0 };
}
