/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "resource.h"

#include "policy.h"
#include "quote.h"
#include "shape.h"
#include "str.h"
#include "tojson.h"
#include "yread.h"

#define SOURCE_QUOTED_MAX 600 /* bytes of a path in an error */
#define MAX_LIST_DEPTH 4      /* lists in lists */

void
resource_scopes_free(struct resource_scope *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].api_version);
		free(v[i].kind);
	}
	free(v);
}

void
resource_clear(struct resource *r)
{
	free(r->text);
	free(r->policies);
	free(r->unfit);
	resource_scopes_free(r->scopes, r->nscopes);
	*r = (struct resource){ 0 };
}

/* ---- the header --------------------------------------------------------- */

/* The text of a scalar as a C string; empty if there is none. */
static int
header_text(const struct node *n, const char *what, struct buf *out,
    struct fx_err *err)
{
	char tmp[NODE_TEXT_MAX];
	const char *s = "";
	size_t len = 0;

	if (n != NULL && n->kind != NODE_NULL)
		s = node_text(n, tmp, &len);
	if (len > RESOURCE_MAX_NAME)
		return fx_fail(err, FX_ELIMIT, "%s is longer than %d bytes",
		    what, RESOURCE_MAX_NAME);
	if (memchr(s, '\0', len) != NULL || !str_is_utf8(s, len))
		return fx_fail(err, FX_ESYNTAX, "%s is not text", what);
	if (str_addn(out, s, len) != FX_OK || str_addc(out, '\0') != FX_OK)
		return fx_fail(err, FX_ELIMIT, "header is too long");
	return FX_OK;
}

/* shape_header has been checked before. */
static int
read_header(struct resource *r, const struct node *object, struct fx_err *err)
{
	struct buf text = BUF_INIT(4 * (RESOURCE_MAX_NAME + 1));
	const struct node *meta = node_get(object, "metadata");
	size_t at[4] = { 0 };
	int ret;

	if ((ret = header_text(node_get(object, "apiVersion"), "apiVersion",
		 &text, err)) == FX_OK) {
		at[1] = buf_left(&text);
		ret = header_text(node_get(object, "kind"), "kind", &text, err);
	}
	if (ret == FX_OK) {
		at[2] = buf_left(&text);
		ret = header_text(node_get(meta, "namespace"),
		    "metadata.namespace", &text, err);
	}
	if (ret == FX_OK) {
		at[3] = buf_left(&text);
		ret = header_text(node_get(meta, "name"), "metadata.name",
		    &text, err);
	}
	if (ret != FX_OK) {
		buf_clear(&text);
		return ret;
	}
	r->text = xmalloc(buf_left(&text));
	memcpy(r->text, buf_head(&text), buf_left(&text));
	buf_clear(&text);
	r->api_version = r->text;
	r->kind = r->text + at[1];
	r->ns = r->text + at[2];
	r->name = r->text + at[3];
	return FX_OK;
}

static void
read_policy(struct resource *r, const struct node *object)
{
	const struct node *all = node_path(object,
	    (const char *const[]){ "metadata", "annotations", NULL });
	struct policy_set set = { 0 };

	for (uint32_t i = 0; node_is(all, NODE_MAP) && i < all->n; i++) {
		const struct node *key = all->pairs[i].key;
		char tmp[NODE_TEXT_MAX];
		auto_free char *value = NULL;
		const char *s;
		size_t n;

		if (key->kind != NODE_STR || strlen(key->s) != key->n)
			continue;
		s = node_text(all->pairs[i].value, tmp, &n);
		value =
		    xstrndup(s, all->pairs[i].value->kind == NODE_NULL ? 0 : n);
		policy_add(&set, key->s, value);
	}
	if (policy_has(&set, POLICY_IGNORE))
		r->policy |= RESOURCE_IGNORE;
	if (policy_is_sync_only(&set))
		r->policy |= RESOURCE_SYNC_ONLY;
	r->policies = policies_pack(&set);
	policy_clear(&set);
}

/* ---- definitions of kinds ----------------------------------------------- */

/* A string of a definition, or NULL. */
static const char *
definition_text(const struct node *n)
{
	return node_is(n, NODE_STR) && strlen(n->s) == n->n &&
		n->n <= RESOURCE_MAX_NAME
	    ? n->s
	    : NULL;
}

static void
add_scope(struct resource *r, const char *group, const struct node *version,
    const char *kind, bool namespaced)
{
	const char *v = definition_text(version);

	if (v == NULL)
		return;
	r->scopes =
	    xreallocarray(r->scopes, r->nscopes + 1, sizeof(*r->scopes));
	r->scopes[r->nscopes++] = (struct resource_scope){
		.api_version = xasprintf("%s/%s", group, v),
		.kind = xstrdup(kind),
		.namespaced = namespaced,
	};
}

/* A definition that is not as it should be says nothing. */
static void
read_definition(struct resource *r, const struct node *object)
{
	const struct node *spec = node_get(object, "spec");
	const struct node *versions = node_get(spec, "versions");
	const struct node *scope = node_get(spec, "scope");
	const char *group = definition_text(node_get(spec, "group"));
	const char *kind = definition_text(
	    node_path(spec, (const char *const[]){ "names", "kind", NULL }));
	bool namespaced = node_is_str(scope, "Namespaced");

	if (group == NULL || kind == NULL)
		return;
	/* the old API's default */
	if (scope == NULL &&
	    strcmp(r->api_version, "apiextensions.k8s.io/v1beta1") == 0)
		namespaced = true;
	if (!node_is(versions, NODE_SEQ) || versions->n == 0) {
		add_scope(r, group, node_get(spec, "version"), kind,
		    namespaced);
		return;
	}
	for (uint32_t i = 0; i < versions->n; i++)
		add_scope(r, group, node_get(versions->items[i], "name"), kind,
		    namespaced);
}

/* ---- documents ---------------------------------------------------------- */

struct reading {
	resource_fn *fn;
	void *arg;
	struct arena *arena;
	int stop; /* what fn returned to end the reading, or FX_OK */
};

static int
full(struct fx_err *err)
{
	return fx_fail(err, FX_ELIMIT, "document needs too much memory");
}

/*
 * The object without our own label and annotation: manifests copied out of a
 * cluster have them, and stale ones would win over those of this pass.
 */
static struct node *
without_marks(struct arena *a, struct node *object)
{
	static const struct {
		const char *map, *key;
	} ours[] = {
		{ "labels", RESOURCE_MARK_LABEL },
		{ "annotations", RESOURCE_CHECKSUM_ANNOTATION },
	};

	for (size_t i = 0; i < nitems(ours) && object != NULL; i++) {
		struct node *meta = node_get(object, "metadata");
		struct node *map = node_get(meta, ours[i].map), *rest;

		if (node_get(map, ours[i].key) == NULL)
			continue;
		rest = node_without(a, map, ours[i].key);
		meta = node_with(a, meta, ours[i].map, rest);
		object = node_with(a, object, "metadata", meta);
	}
	return object;
}

/* Upstream decodes this kind by way of JSON, with other words. */
static int
check_helm_release(const struct node *object, struct fx_err *err)
{
	const struct node *spec = node_get(object, "spec");
	const struct node *n =
	    node_is(spec, NODE_MAP) ? node_get(spec, "values") : spec;
	const char *what;

	if (n == NULL || n->kind == NODE_NULL || n->kind == NODE_MAP)
		return FX_OK;
	what = n->kind == NODE_SEQ ? "array"
	    : n->kind == NODE_STR  ? "string"
	    : n->kind == NODE_BOOL ? "bool"
				   : "number";
	return fx_fail(err, FX_ESYNTAX,
	    "error unmarshaling JSON: json: cannot unmarshal %s into Go "
	    "struct field .Spec%s of type %s",
	    what, n == spec ? "" : ".Values",
	    n == spec ? "struct { Values map[string]interface {} }"
		      : "map[string]interface {}");
}

static int
check_kind(const struct resource *r, const struct node *object,
    struct fx_err *err)
{
	const struct shape *shape = shape_of_kind(r->kind);

	if (shape != NULL)
		return shape_check(object, shape, err);
	if (strcmp(r->kind, "HelmRelease") == 0)
		return check_helm_release(object, err);
	return FX_OK;
}

static int
finish(struct reading *in, struct resource *r, struct node *object,
    struct fx_err *err)
{
	struct fx_err unfit = { 0 };
	int ret = check_kind(r, object, err);

	if (ret != FX_OK)
		return ret;
	read_policy(r, object);
	if (strcmp(r->kind, "CustomResourceDefinition") == 0)
		read_definition(r, object);
	if (tojson_write(NULL, object, &unfit) != FX_OK)
		r->unfit = xstrdup(unfit.text);
	in->stop = in->fn(in->arg, r, object, in->arena, err);
	return in->stop;
}

static int
object_read(struct reading *, struct node *, unsigned depth, struct fx_err *);

/* The objects of a list.  A mistake names the item; upstream crashed on it. */
static int
list_read(struct reading *in, const struct node *list, unsigned depth,
    struct fx_err *err)
{
	const struct node *items = node_get(list, "items");
	int r = shape_check(list, &shape_list, err);

	if (r != FX_OK || items->kind == NODE_NULL)
		return r;
	if (depth == MAX_LIST_DEPTH)
		return fx_fail(err, FX_ELIMIT, "more than %d lists in lists",
		    MAX_LIST_DEPTH);
	for (uint32_t i = 0; i < items->n; i++) {
		r = object_read(in, items->items[i], depth + 1, err);
		if (r != FX_OK)
			return in->stop != FX_OK ? r
						 : fx_wrap(err, "items[%u]", i);
	}
	return FX_OK;
}

/* A document, or an item of a list (depth > 0). */
static int
object_read(struct reading *in, struct node *object, unsigned depth,
    struct fx_err *err)
{
	struct resource r = { 0 };
	int ret;

	if ((object = without_marks(in->arena, object)) == NULL)
		return full(err);
	if ((ret = canon_write(object, NULL, r.hash, err)) != FX_OK ||
	    (ret = shape_check(object, &shape_header, err)) != FX_OK ||
	    (ret = read_header(&r, object, err)) != FX_OK)
		return ret;
	if (*r.kind == '\0')
		ret = depth == 0 ? FX_OK
				 : fx_fail(err, FX_ESYNTAX, "item has no kind");
	else if (str_ends(r.kind, "List") && node_get(object, "items") != NULL)
		ret = list_read(in, object, depth, err);
	else
		ret = finish(in, &r, object, err);
	resource_clear(&r);
	return ret;
}

int
resource_blame(const char *stage, const char *source, struct fx_err *err)
{
	auto_buf struct buf quoted = BUF_INIT(SOURCE_QUOTED_MAX);

	if (stage == NULL)
		return err->code;
	str_add_quoted(&quoted, source, strlen(source));
	return fx_wrap(err, "%s from %.*s", stage, (int)buf_left(&quoted),
	    (const char *)buf_head(&quoted));
}

int
resource_each(const void *text, size_t n, resource_fn *fn, void *arg,
    const char **stage, struct fx_err *err)
{
	struct yread *y = yread_new(text, n);
	struct reading in = { fn, arg, yread_arena(y), FX_OK };
	struct node *object;
	int r;

	*stage = NULL;
	for (;;) {
		if ((r = yread_next(y, &object, err)) != FX_OK) {
			*stage = "scanning multidoc";
			break;
		}
		if (object == NULL)
			break;
		if ((r = object_read(&in, object, 0, err)) != FX_OK) {
			if (in.stop == FX_OK)
				*stage = "parsing YAML doc";
			break;
		}
	}
	yread_free(&y);
	return r;
}

/* ---- bodies ------------------------------------------------------------- */

/* A value in a mapping of the metadata.  Where git has something else than a
 * mapping it is left for the server to complain about. */
static struct node *
with_entry(struct arena *a, struct node *meta, const char *map, const char *key,
    const char *value)
{
	struct node *m = node_get(meta, map);

	if (m != NULL && m->kind != NODE_NULL && m->kind != NODE_MAP)
		return meta;
	m = node_with(a, node_is(m, NODE_MAP) ? m : NULL, key,
	    node_str(a, value));
	return m == NULL ? NULL : node_with(a, meta, map, m);
}

int
resource_body(struct buf *out, struct arena *a, struct node *object,
    const struct resource_extra *x, struct fx_err *err)
{
	struct node *meta = node_get(object, "metadata");

	if (!node_is(meta, NODE_MAP))
		meta = NULL;
	meta = with_entry(a, meta, "labels", RESOURCE_MARK_LABEL, x->mark);
	if (meta != NULL)
		meta = with_entry(a, meta, "annotations",
		    RESOURCE_CHECKSUM_ANNOTATION, x->checksum);
	if (meta != NULL && *x->ns != '\0')
		meta = node_with(a, meta, "namespace", node_str(a, x->ns));
	if (meta == NULL ||
	    (object = node_with(a, object, "metadata", meta)) == NULL)
		return full(err);
	return tojson_write(out, object, err);
}
