/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "export.h"

#include "arena.h"
#include "node.h"
#include "quote.h"
#include "str.h"

#define NAME_BYTES_MAX 253 /* of a name in Kubernetes */

/* Annotations that controllers and kubectl write. */
static const char *const dropped[] = {
	"deployment.kubernetes.io/revision",
	"kubectl.kubernetes.io/last-applied-configuration",
	"kubernetes.io/change-cause",
};

static int
too_large(struct ctl_error *err)
{
	return ctl_fail(err, FX_ELIMIT,
	    "unmarshalling exported yaml: an object needs too much memory");
}

static int
fail_type(const char *what, struct ctl_error *err)
{
	return ctl_fail(err, FX_ESYNTAX,
	    "unmarshalling exported yaml: %s is of another type", what);
}

/* A new mapping with room for n pairs, or NULL. */
static struct node *
new_map(struct arena *a, size_t n)
{
	struct node *map = arena_alloc(a, sizeof(*map));
	struct pair *pairs = arena_alloc(a, n * sizeof(*pairs));

	if (map == NULL || pairs == NULL)
		return NULL;
	*map = (struct node){ .kind = NODE_MAP, .pairs = pairs };
	return map;
}

static bool
is_empty(const struct node *n)
{
	return n->kind == NODE_NULL ||
	    ((n->kind == NODE_MAP || n->kind == NODE_SEQ) && n->n == 0);
}

/*
 * A copy without the members of mappings that are empty; a mapping that
 * becomes empty by that stays.  Shared nodes are copied once for each place:
 * the arena's limit ends what that could grow to.
 */
static struct node *
prune(struct arena *a, struct node *n)
{
	struct node *copy = n, *value;

	if (n->kind == NODE_MAP) {
		copy = new_map(a, n->n);
		for (uint32_t i = 0; copy != NULL && i < n->n; i++) {
			if (is_empty(n->pairs[i].value))
				continue;
			value = prune(a, n->pairs[i].value);
			if (value == NULL)
				return NULL;
			copy->pairs[copy->n++] =
			    (struct pair){ n->pairs[i].key, value };
		}
	} else if (n->kind == NODE_SEQ) {
		copy = arena_alloc(a, sizeof(*copy));
		value = arena_alloc(a, n->n * sizeof(*copy->items));
		if (copy == NULL || value == NULL)
			return NULL;
		*copy = *n;
		copy->items = (struct node **)(void *)value;
		for (uint32_t i = 0; i < n->n; i++) {
			copy->items[i] = prune(a, n->items[i]);
			if (copy->items[i] == NULL)
				return NULL;
		}
	}
	return copy;
}

/* The mapping at keys, which ends with NULL, loses the last key. */
static struct node *
without(struct arena *a, struct node *map, const char *const *keys)
{
	struct node *inner;

	if (keys[1] == NULL)
		return node_without(a, map, keys[0]);
	inner = node_get(map, keys[0]);
	if (!node_is(inner, NODE_MAP))
		return map;
	inner = without(a, inner, keys + 1);
	return inner == NULL ? NULL : node_with(a, map, keys[0], inner);
}

/* A scalar as a string, which is what was written, whatever it would be
 * elsewhere: a name may be y or 01.  NULL: no memory. */
static struct node *
as_string(struct arena *a, const struct node *n)
{
	char tmp[NODE_TEXT_MAX];
	const char *text;
	struct node *s;
	size_t len;

	if (n->kind == NODE_NULL)
		return node_str(a, "");
	text = node_source(n, tmp, &len);
	s = node_str(a, "");
	if (s == NULL)
		return NULL;
	s->s = arena_strn(a, text, len);
	s->n = (uint32_t)len;
	return s->s == NULL ? NULL : s;
}

static bool
is_scalar(const struct node *n)
{
	return n->kind != NODE_MAP && n->kind != NODE_SEQ;
}

static bool
is_dropped(const struct node *key)
{
	for (size_t i = 0; i < nitems(dropped); i++)
		if (node_is_str(key, dropped[i]))
			return true;
	return false;
}

/* What is being put together. */
struct filter {
	struct arena *a;
	struct ctl_error *err;
};

/* Put a value under a key of a mapping that has room; NULL is no memory. */
static int
put(const struct filter *f, struct node *map, const char *key,
    struct node *value)
{
	struct node *k = node_str(f->a, key);

	if (k == NULL || value == NULL)
		return too_large(f->err);
	map->pairs[map->n++] = (struct pair){ k, value };
	return FX_OK;
}

/* A string of the object, unless it has none there. */
static int
put_string(const struct filter *f, struct node *map, const struct node *from,
    const char *key)
{
	const struct node *n = node_get(from, key);
	struct node *s;

	if (n == NULL)
		return FX_OK;
	if (!is_scalar(n))
		return fail_type(key, f->err);
	s = as_string(f->a, n);
	return s != NULL && s->n == 0 ? FX_OK : put(f, map, key, s);
}

static int
add_strings(const struct filter *f, struct node *copy, const struct pair *from,
    const char *key)
{
	struct pair p;

	if (is_dropped(from->key))
		return FX_OK;
	if (!is_scalar(from->value))
		return fail_type(key, f->err);
	p.key = as_string(f->a, from->key);
	p.value = as_string(f->a, from->value);
	if (p.key == NULL || p.value == NULL)
		return too_large(f->err);
	copy->pairs[copy->n++] = p;
	return FX_OK;
}

/* A mapping of strings, unless it is empty. */
static int
put_strings(const struct filter *f, struct node *map, const struct node *from,
    const char *key)
{
	const struct node *n = node_get(from, key);
	struct node *copy;
	struct pair *scratch;
	int r = FX_OK;

	if (n == NULL || n->kind == NODE_NULL)
		return FX_OK;
	if (n->kind != NODE_MAP)
		return fail_type(key, f->err);
	copy = new_map(f->a, n->n);
	scratch = arena_alloc(f->a, n->n * sizeof(*scratch));
	if (copy == NULL || scratch == NULL)
		return too_large(f->err);
	for (uint32_t i = 0; r == FX_OK && i < n->n; i++)
		r = add_strings(f, copy, &n->pairs[i], key);
	/* as strings, keys may have another order */
	copy->n = (uint32_t)node_settle(copy->pairs, copy->n, scratch);
	return r != FX_OK || copy->n == 0 ? r : put(f, map, key, copy);
}

static int
put_metadata(const struct filter *f, struct node *map,
    const struct node *object)
{
	const struct node *from = node_get(object, "metadata");
	struct node *meta = new_map(f->a, 4);
	int r;

	if (from == NULL || from->kind == NODE_NULL)
		return FX_OK;
	if (from->kind != NODE_MAP)
		return fail_type("metadata", f->err);
	if (meta == NULL)
		return too_large(f->err);
	r = put_strings(f, meta, from, "annotations");
	if (r == FX_OK)
		r = put_strings(f, meta, from, "labels");
	if (r == FX_OK)
		r = put_string(f, meta, from, "name");
	if (r == FX_OK)
		r = put_string(f, meta, from, "namespace");
	if (r != FX_OK || meta->n == 0)
		return r;
	return put(f, map, "metadata", meta);
}

static int
put_spec(const struct filter *f, struct node *map, const struct node *object)
{
	static const char *const created[] = { "template", "metadata",
		"creationTimestamp", NULL };
	struct node *spec = node_get(object, "spec");

	if (spec == NULL || spec->kind == NODE_NULL)
		return FX_OK;
	if (spec->kind != NODE_MAP)
		return fail_type("spec", f->err);
	spec = without(f->a, spec, created);
	if (spec != NULL)
		spec = prune(f->a, spec);
	return spec != NULL && spec->n == 0 ? FX_OK : put(f, map, "spec", spec);
}

static char *
copy_string(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n == NULL ? xstrdup("") : xstrndup(n->s, n->n);
}

int
export_filter(struct arena *a, const struct node *object, struct export *out,
    struct ctl_error *err)
{
	const struct filter f = { a, err };
	struct node *map = new_map(a, 4);
	const struct node *meta;
	int r;

	if (map == NULL)
		return too_large(err);
	if (object->kind != NODE_MAP && object->kind != NODE_NULL)
		return fail_type("an object", err);
	r = put_string(&f, map, object, "apiVersion");
	if (r == FX_OK)
		r = put_string(&f, map, object, "kind");
	if (r == FX_OK)
		r = put_metadata(&f, map, object);
	if (r == FX_OK)
		r = put_spec(&f, map, object);
	if (r != FX_OK)
		return r;
	meta = node_get(map, "metadata");
	*out = (struct export){
		.manifest = map,
		.kind = copy_string(map, "kind"),
		.name = copy_string(meta, "name"),
		.ns = copy_string(meta, "namespace"),
	};
	return FX_OK;
}

void
export_clear(struct export *e)
{
	free(e->kind);
	free(e->name);
	free(e->ns);
	*e = (struct export){ 0 };
}

/* Kubernetes' names, and nothing that means anything to a file system: they
 * come from the daemon. */
static bool
is_file_name(const char *s)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t n = strlen(s);

	return n > 0 && n <= NAME_BYTES_MAX && strchr(first, *s) != NULL &&
	    strspn(s,
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") == n;
}

int
export_path(const struct export *e, char **out, struct ctl_error *err)
{
	const char *names[] = { e->name, e->kind, e->ns };
	auto_free char *quoted = NULL;

	for (size_t i = 0; i < nitems(names); i++) {
		if (is_file_name(names[i]) ||
		    (names[i] == e->ns && *e->ns == '\0'))
			continue;
		quoted = str_quoted(names[i]);
		return ctl_fail(err, FX_EDENIED,
		    "saving yaml object: %s cannot be part of a file name",
		    quoted);
	}
	if (strcmp(e->kind, "Namespace") == 0)
		*out = xasprintf("%s-ns.yaml", e->name);
	else
		*out = xasprintf("%s%s%s-%s.yaml", e->ns,
		    *e->ns == '\0' ? "" : "/", e->name,
		    strcmp(e->kind, "Deployment") == 0 ? "dep" : e->kind);
	return FX_OK;
}
