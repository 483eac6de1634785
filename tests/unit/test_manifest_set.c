/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "bodies.h"
#include "str.h"
#include "test.h"

#include <malloc.h>
#include <time.h>

struct given {
	const char *path, *oid, *text;
};

/* What the server of these tests knows. */
static struct set_scope
scope_of(const struct kind *k)
{
	static char unknown[] = "resource not found for API x, kind y";
	static const struct {
		const char *kind;
		enum known_scope scope;
		const char *why;
	} kinds[] = {
		{ "ConfigMap", KNOWN_NAMESPACED, NULL },
		{ "Deployment", KNOWN_NAMESPACED, NULL },
		{ "Service", KNOWN_NAMESPACED, NULL },
		{ "Namespace", KNOWN_CLUSTER, NULL },
		{ "CustomResourceDefinition", KNOWN_CLUSTER, NULL },
		{ "Broken", KNOWN_FAILED,
		    "error looking up: connection refused" },
	};

	for (size_t i = 0; i < nitems(kinds); i++)
		if (strcmp(kinds[i].kind, k->kind) == 0)
			return (struct set_scope){ kinds[i].scope,
				(char *)(uintptr_t)kinds[i].why };
	return (struct set_scope){ KNOWN_UNKNOWN, unknown };
}

static int
load(struct set *s, const struct given *g, size_t n, struct fx_err *err)
{
	struct tree_files files = { 0 };
	struct set_scope *scopes;
	int r;

	files.v = xcalloc(n + 1, sizeof(*files.v));
	for (size_t i = 0; i < n; i++)
		files.v[files.n++] =
		    (struct tree_file){ xstrdup(g[i].path), g[i].oid, NULL };
	set_begin(s, &files);
	for (size_t at = set_next_needed(s, 0); at < n;
	     at = set_next_needed(s, at + 1))
		set_parse(s, at, g[at].text, strlen(g[at].text));
	if ((r = set_collect(s, err)) != FX_OK)
		return r;
	scopes = xcalloc(s->nkinds + 1, sizeof(*scopes));
	for (size_t i = 0; i < s->nkinds; i++)
		scopes[i] = scope_of(s->kinds[i]);
	r = set_commit(s, scopes, "dflt", err);
	free(scopes);
	return r;
}

/* All ids of the set, or those that changed, or those left out. */
static char *
ids_of(const struct set *s)
{
	struct buf out = BUF_INIT(1 << 20);

	for (size_t i = 0; i < s->n; i++) {
		auto_free char *id = name_print(&s->v[i].name);

		want_int(str_addf(&out, "%s%s", i == 0 ? "" : " ", id), FX_OK);
	}
	return str_take(&out);
}

static char *
changed_of(const struct set *s)
{
	struct buf out = BUF_INIT(1 << 20);

	for (size_t i = 0; i < s->nchanged; i++)
		want_int(str_addf(&out, "%s%s", i == 0 ? "" : " ",
			     s->changed[i]),
		    FX_OK);
	return str_take(&out);
}

static void
want_load(struct set *s, const struct given *g, size_t n, const char *ids,
    const char *changed)
{
	struct fx_err err = { 0 };
	auto_free char *got = NULL, *diff = NULL;

	want_int(load(s, g, n, &err), FX_OK);
	if (err.code != FX_OK)
		printf("# %s\n", err.text);
	got = ids_of(s);
	diff = changed_of(s);
	want_str(got, ids);
	want_str(diff, changed);
}

static void
want_error(const struct given *g, size_t n, const char *text)
{
	struct set s;
	struct fx_err err = { 0 };

	set_init(&s, "set", 0);
	want(load(&s, g, n, &err) != FX_OK);
	want_str(err.text, text);
	want_int(s.number, 0);
	set_clear(&s);
}

#define CM(name) "kind: ConfigMap\napiVersion: v1\nmetadata: {name: " name "}\n"
#define IN(ns, name)                                                           \
	"kind: ConfigMap\napiVersion: v1\nmetadata: {name: " name              \
	", namespace: " ns "}\n"

static void
test_namespaces(void)
{
	static const struct given g[] = {
		{ "a.yaml", "1", CM("a") "---\n" IN("other", "b") },
		{ "n.yaml", "2",
		    "kind: Namespace\nmetadata: {name: prod, namespace: "
		    "odd}\n" },
	};
	struct set s;

	set_init(&s, "set", 0);
	want_load(&s, g, nitems(g),
	    "<cluster>:namespace/prod dflt:configmap/a other:configmap/b",
	    "<cluster>:namespace/prod dflt:configmap/a other:configmap/b");
	want_str(s.v[0].name.ns, "");
	want_str(s.v[1].name.ns, "dflt");
	want_str(s.v[1].source, "a.yaml");
	want_int(s.parsed, 2);
	set_clear(&s);
}

static void
test_duplicates(void)
{
	static const struct given twice[] = {
		{ "a.yaml", "1", CM("x") "---\n" CM("x") },
	};
	static const struct given across[] = {
		{ "a.yaml", "1", CM("x") },
		{ "b.yaml", "2", CM("y") "---\n" CM("x") },
		{ "c.yaml", "3", CM("y") },
	};
	static const struct given same_file[] = {
		{ "a.yaml", "1", CM("x") },
		{ "b.yaml", "1", CM("x") },
	};
	/* what lies below two of the configured paths */
	static const struct given same_path[] = {
		{ "a.yaml", "1", CM("x") },
		{ "a.yaml", "1", CM("x") },
	};
	static const struct given lower[] = {
		{ "a.yaml", "1",
		    "kind: A\nmetadata: {name: x}\n---\n"
		    "kind: a\nmetadata: {name: x}\n" },
	};
	static const struct given later[] = {
		{ "a.yaml", "1", CM("x") },
		{ "b.yaml", "2", IN("dflt", "x") },
	};
	static const struct given before_error[] = {
		{ "a.yaml", "1", CM("x") "---\n" CM("x") "---\na: [" },
	};
	static const struct given file_order[] = {
		{ "a.yaml", "1", CM("x") },
		{ "b.yaml", "2", CM("x") },
		{ "c.yaml", "3", "a: [" },
	};
	static const struct given error_first[] = {
		{ "a.yaml", "1", CM("x") },
		{ "b.yaml", "3", "a: @" },
		{ "c.yaml", "2", CM("x") },
	};

	want_error(twice, nitems(twice),
	    "duplicate definition of '<cluster>:configmap/x' (in a.yaml)");
	want_error(across, nitems(across),
	    "duplicate definition of '<cluster>:configmap/x' (in a.yaml and "
	    "b.yaml)");
	want_error(same_file, nitems(same_file),
	    "duplicate definition of '<cluster>:configmap/x' (in a.yaml and "
	    "b.yaml)");
	want_error(same_path, nitems(same_path),
	    "duplicate definition of '<cluster>:configmap/x' (in a.yaml and "
	    "a.yaml)");
	want_error(lower, nitems(lower),
	    "duplicate definition of '<cluster>:a/x' (in a.yaml)");
	/* the same only once the namespace is filled in */
	want_error(later, nitems(later),
	    "duplicate definition of 'dflt:configmap/x' (in a.yaml and "
	    "b.yaml)");
	want_error(before_error, nitems(before_error),
	    "duplicate definition of '<cluster>:configmap/x' (in a.yaml)");
	want_error(file_order, nitems(file_order),
	    "duplicate definition of '<cluster>:configmap/x' (in a.yaml and "
	    "b.yaml)");
	want_error(error_first, nitems(error_first),
	    "scanning multidoc from \"b.yaml\": yaml: found character that "
	    "cannot start any token");
}

/* A stream of lists with n resources: nearly all of them are aliases, which
 * take five bytes each, and no document has too many. */
static char *
many_resources(const char *kind, size_t n)
{
	const size_t of_list = 40000;
	struct buf b = BUF_INIT(8 << 20);

	while (n > 0) {
		size_t k = n < of_list ? n : of_list;

		want_int(str_addf(&b,
			     "---\nkind: List\nitems:\n"
			     "- &a {kind: %s}\n",
			     kind),
		    FX_OK);
		for (size_t i = 1; i < k; i++)
			want_int(str_add(&b, "- *a\n"), FX_OK);
		n -= k;
	}
	return str_take(&b);
}

static void
test_counts(void)
{
	auto_free char *most = many_resources("A", KNOWN_MAX_RESOURCES);
	auto_free char *more = many_resources("A", KNOWN_MAX_RESOURCES + 1);
	const struct given g[] = { { "a.yaml", "1", most },
		{ "b.yaml", "2", "kind: B\n" } };
	struct known known = { 0 };
	const struct blob *b = known_parse(&known, "1", more, strlen(more));
	struct fx_err err = { 0 };
	struct set s;

	if (want(b->error != NULL))
		want_str(b->error, "a file defines more than 200000 resources");
	known_clear(&known);
	set_init(&s, "set", 0);
	want(load(&s, g, 1, &err) != FX_OK);
	want_str(err.text,
	    "duplicate definition of '<cluster>:a/' (in a.yaml)");
	err = (struct fx_err){ 0 };
	want(load(&s, g, 2, &err) != FX_OK);
	want_str(err.text, "the repository defines more than 200000 resources");
	set_clear(&s);
}

/* Two kinds of the same name in different groups are two resources. */
static void
test_groups(void)
{
	static const struct given g[] = {
		{ "a.yaml", "1",
		    "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n---\n"
		    "apiVersion: serving.example/v1\nkind: Service\n"
		    "metadata: {name: x}\n" },
	};
	static const struct given versions[] = {
		{ "a.yaml", "1",
		    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: "
		    "x}\n---\napiVersion: apps/v1beta1\nkind: Deployment\n"
		    "metadata: {name: x}\n" },
	};
	struct set s;

	set_init(&s, "set", 0);
	want_load(&s, g, nitems(g), "dflt:service/x dflt:service/x",
	    "dflt:service/x dflt:service/x");
	want(s.v[0].index != s.v[1].index);
	set_clear(&s);
	want_error(versions, nitems(versions),
	    "duplicate definition of '<cluster>:deployment/x' (in a.yaml)");
}

#define CRD                                                                    \
	"kind: CustomResourceDefinition\nmetadata: {name: c}\n"                \
	"spec: {group: foo.example.com, version: v1beta1, scope: Namespaced, " \
	"names: {kind: Foo}}\n"
#define FOO                                                                    \
	"apiVersion: foo.example.com/v1beta1\nkind: Foo\n"                     \
	"metadata: {name: fooinstance, namespace: bar}\n"

static void
test_definitions(void)
{
	static const struct given together[] = {
		{ "a.yaml", "1", CRD "---\n" FOO },
	};
	static const struct given alone[] = {
		{ "a.yaml", "2", FOO },
		{ "n.yaml", "3", "kind: Namespace\nmetadata: {name: bar}\n" },
	};
	static const struct given asked[] = {
		{ "a.yaml", "4", "kind: Broken\nmetadata: {name: x}\n" },
	};
	struct set s;

	set_init(&s, "set", 0);
	want_load(&s, together, 1,
	    "<cluster>:customresourcedefinition/c bar:foo/fooinstance",
	    "<cluster>:customresourcedefinition/c bar:foo/fooinstance");
	want_int(s.nleft_out, 0);
	set_clear(&s);

	set_init(&s, "set", 0);
	want_load(&s, alone, 2, "<cluster>:namespace/bar",
	    "<cluster>:namespace/bar");
	want_int(s.nleft_out, 1);
	want_str(s.left_out[0].id, "bar:foo/fooinstance");
	want_str(s.left_out[0].source, "a.yaml");
	want_str(s.left_out[0].text,
	    "cannot find scope of resource foo/fooinstance: resource not "
	    "found for API x, kind y");
	want(s.left_out[0].news);
	/* again: no news */
	want_load(&s, alone, 2, "<cluster>:namespace/bar", "");
	want_int(s.nleft_out, 1);
	want(!s.left_out[0].news);
	/* and now the scope is known */
	want_load(&s, together, 1,
	    "<cluster>:customresourcedefinition/c bar:foo/fooinstance",
	    "<cluster>:customresourcedefinition/c bar:foo/fooinstance");
	want_int(s.nfound, 1);
	want_str(s.found[0], "bar:foo/fooinstance");
	want_load(&s, together, 1,
	    "<cluster>:customresourcedefinition/c bar:foo/fooinstance", "");
	want_int(s.nfound, 0);
	set_clear(&s);

	want_error(asked, 1, "error looking up: connection refused");
}

/* One object that no JSON can hold does not hold up the others. */
static void
test_unfit(void)
{
	static const struct given g[] = {
		{ "a.yaml", "1", CM("a") "---\n" CM("b") "data: {x: .inf}\n" },
	};
	struct set s;

	set_init(&s, "set", 0);
	want_load(&s, g, 1, "dflt:configmap/a", "dflt:configmap/a");
	want_int(s.nleft_out, 1);
	want_str(s.left_out[0].id, "dflt:configmap/b");
	want_str(s.left_out[0].text, "json: unsupported value: +Inf");
	set_clear(&s);
}

static void
test_differences(void)
{
	static const struct given first[] = {
		{ "a.yaml", "1", CM("a") },
		{ "b.yaml", "2", CM("b") },
		{ "c.yaml", "3", CM("c") },
	};
	static const struct given second[] = {
		{ "a.yaml", "1", CM("a") },
		{ "b.yaml", "4", CM("b") "data: {x: y}\n" },
		{ "d.yaml", "5", CM("d") },
	};
	static const struct given comment[] = {
		{ "a.yaml", "6", "# only a comment\n" CM("a") },
		{ "b.yaml", "4", CM("b") "data: {x: y}\n" },
		{ "d.yaml", "5", CM("d") },
	};
	static const struct given moved[] = {
		{ "a.yaml", "6", "# only a comment\n" CM("a") },
		{ "b.yaml", "4", CM("b") "data: {x: y}\n" },
		{ "e.yaml", "5", CM("d") },
	};
	static const struct given bad[] = {
		{ "a.yaml", "7", "a: [" },
	};
	struct fx_err err = { 0 };
	uint64_t one, two, index_a, index_b;
	struct set s;

	set_init(&s, "set", 1000);
	want_load(&s, first, 3,
	    "dflt:configmap/a dflt:configmap/b dflt:configmap/c",
	    "dflt:configmap/a dflt:configmap/b dflt:configmap/c");
	one = s.number;
	want_int(one, 1001);
	index_a = s.v[0].index;
	index_b = s.v[1].index;
	want(!set_has_base(&s, 0));
	want(!set_has_base(&s, 7));
	want(set_has_base(&s, one));
	want(!set_has_base(&s, one + 1));

	want_load(&s, second, 3,
	    "dflt:configmap/a dflt:configmap/b dflt:configmap/d",
	    "dflt:configmap/b dflt:configmap/d");
	two = s.number;
	want_int(two, one + 1);
	want_int(s.parsed, 2);
	want_int(s.v[0].index, index_a);
	want_int(s.v[0].since, one);
	want_int(s.v[1].index, index_b);
	want_int(s.v[1].since, two);
	want_int(s.v[2].since, two);
	want_int(s.ngone, 1);
	want_str(s.gone[0].id, "dflt:configmap/c");
	want_int(s.gone[0].since, two);
	want(set_find(&s, index_b) == &s.v[1]);
	want(set_find(&s, s.gone[0].index) == NULL);

	/* a comment changes the file but not the resource, nor the set */
	want_load(&s, comment, 3,
	    "dflt:configmap/a dflt:configmap/b dflt:configmap/d", "");
	want_int(s.parsed, 1);
	want_int(s.number, two);

	/* a file that moved is told to sync, but is no change of a resource */
	want_load(&s, moved, 3,
	    "dflt:configmap/a dflt:configmap/b dflt:configmap/d", "");
	want_int(s.parsed, 0);
	want_int(s.number, two + 1);
	want_int(s.v[2].since, two + 1);

	/* a failed load leaves the set as it is, and what is known known */
	want(load(&s, bad, 1, &err) != FX_OK);
	want_int(s.n, 3);
	want_int(s.number, two + 1);
	want_load(&s, moved, 3,
	    "dflt:configmap/a dflt:configmap/b dflt:configmap/d", "");
	want_int(s.parsed, 0);
	want_int(s.number, two + 1);
	set_clear(&s);
}

/* ---- doing without what is wrong ----------------------------------------- */

static char *
left_out_of(const struct set *s)
{
	struct buf out = BUF_INIT(1 << 20);

	for (size_t i = 0; i < s->nleft_out; i++)
		want_int(str_addf(&out, "%s%s[%s] %s: %s", i == 0 ? "" : "\n",
			     s->left_out[i].news ? "+" : "", s->left_out[i].id,
			     s->left_out[i].source, s->left_out[i].text),
		    FX_OK);
	return str_take(&out);
}

/* A26, A27: everything else is applied, and each thing that is left out is
 * told, the first time as news. */
static void
test_skip_bad(void)
{
	static const char bad_meta[] = "kind: ConfigMap\nmetadata: {name: p, "
				       "annotations: {a: [b]}}\n";
	static const struct given twice[] = {
		{ "a.yaml", "1", CM("a") "---\n" CM("x") "---\n" CM("x") },
	};
	static const struct given across[] = {
		{ "a.yaml", "1", CM("x") "---\n" CM("a") },
		{ "b.yaml", "2", CM("x") },
		{ "c.yaml", "3", CM("x") "---\n" CM("c") },
	};
	static const struct given twins[] = {
		{ "a.yaml", "1", CM("x") },
		{ "b.yaml", "1", CM("x") },
		{ "c.yaml", "2", CM("c") },
	};
	static const struct given later[] = {
		{ "a.yaml", "1", CM("x") },
		{ "b.yaml", "2", IN("dflt", "x") "---\n" CM("b") },
	};
	static const struct given scan[] = {
		{ "a.yaml", "1", CM("a") },
		{ "b.yaml", "2", CM("b") "---\na: @\n" },
		{ "c.yaml", "3", CM("c") },
	};
	static const struct given two_bad[] = {
		{ "a.yaml", "1", "a: @" },
		{ "b.yaml", "1", "a: @" },
		{ "c.yaml", "2", bad_meta },
		{ "d.yaml", "3", CM("d") },
	};
	/* a name in a file that is left out is no duplicate */
	static const struct given hidden[] = {
		{ "a.yaml", "1", CM("x") "---\na: @\n" },
		{ "b.yaml", "2", CM("x") },
	};
	static const struct {
		const struct given *g;
		size_t n;
		const char *ids, *left_out;
	} tv[] = {
		{ twice, nitems(twice), "dflt:configmap/a",
		    "+[<cluster>:configmap/x] a.yaml: duplicate definition of "
		    "'<cluster>:configmap/x' (in a.yaml)\n"
		    "+[<cluster>:configmap/x] a.yaml: duplicate definition of "
		    "'<cluster>:configmap/x' (in a.yaml)" },
		{ across, nitems(across), "dflt:configmap/a dflt:configmap/c",
		    "+[<cluster>:configmap/x] a.yaml: duplicate definition of "
		    "'<cluster>:configmap/x' (in a.yaml and b.yaml)\n"
		    "+[<cluster>:configmap/x] b.yaml: duplicate definition of "
		    "'<cluster>:configmap/x' (in a.yaml and b.yaml)\n"
		    "+[<cluster>:configmap/x] c.yaml: duplicate definition of "
		    "'<cluster>:configmap/x' (in a.yaml and c.yaml)" },
		{ twins, nitems(twins), "dflt:configmap/c",
		    "+[<cluster>:configmap/x] a.yaml: duplicate definition of "
		    "'<cluster>:configmap/x' (in a.yaml and b.yaml)\n"
		    "+[<cluster>:configmap/x] b.yaml: duplicate definition of "
		    "'<cluster>:configmap/x' (in a.yaml and b.yaml)" },
		{ later, nitems(later), "dflt:configmap/b",
		    "+[dflt:configmap/x] a.yaml: duplicate definition of "
		    "'dflt:configmap/x' (in a.yaml and b.yaml)\n"
		    "+[dflt:configmap/x] b.yaml: duplicate definition of "
		    "'dflt:configmap/x' (in a.yaml and b.yaml)" },
		{ scan, nitems(scan), "dflt:configmap/a dflt:configmap/c",
		    "+[] b.yaml: scanning multidoc from \"b.yaml\": yaml: line "
		    "5: found character that cannot start any token" },
		{ two_bad, nitems(two_bad), "dflt:configmap/d",
		    "+[] a.yaml: scanning multidoc from \"a.yaml\": yaml: "
		    "found character that cannot start any token\n"
		    "+[] b.yaml: scanning multidoc from \"b.yaml\": yaml: "
		    "found character that cannot start any token\n"
		    "+[] c.yaml: parsing YAML doc from \"c.yaml\": yaml: "
		    "unmarshal errors:\n  line 5: cannot unmarshal !!seq into "
		    "string" },
		{ hidden, nitems(hidden), "dflt:configmap/x",
		    "+[] a.yaml: scanning multidoc from \"a.yaml\": yaml: line "
		    "5: found character that cannot start any token" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *got = NULL, *again = NULL;
		struct set s;

		set_init(&s, "set", 0);
		s.skip_bad = true;
		want_load(&s, tv[i].g, tv[i].n, tv[i].ids, tv[i].ids);
		got = left_out_of(&s);
		want_str(got, tv[i].left_out);
		/* the same again: known, and no news */
		want_load(&s, tv[i].g, tv[i].n, tv[i].ids, "");
		want_int(s.parsed, 0);
		again = left_out_of(&s);
		want(strchr(again, '+') == NULL);
		set_clear(&s);
	}
}

/* A file that cannot even be read fails the load, or is done without. */
static void
test_unreadable(void)
{
	for (int skip = 0; skip < 2; skip++) {
		struct tree_files files = { xcalloc(2, sizeof(*files.v)), 2 };
		struct set_scope ns = { KNOWN_NAMESPACED, NULL };
		struct fx_err err = { 0 };
		struct set s;

		files.v[0] = (struct tree_file){ xstrdup("a.yaml"), NULL,
			xstrdup("unable to read file at \"a.yaml\": why") };
		files.v[1] = (struct tree_file){ xstrdup("b.yaml"), "1", NULL };
		set_init(&s, "set", 0);
		s.skip_bad = skip;
		set_begin(&s, &files);
		/* nothing is asked for in vain */
		want_int(set_next_needed(&s, 0), skip ? 1 : 2);
		if (skip)
			set_parse(&s, 1, CM("b"), strlen(CM("b")));
		want_int(set_collect(&s, &err), skip ? FX_OK : FX_EFAIL);
		if (skip) {
			want_int(set_commit(&s, &ns, "dflt", &err), FX_OK);
			want_int(s.n, 1);
			want_int(s.nleft_out, 1);
			want_str(s.left_out[0].text,
			    "unable to read file at \"a.yaml\": why");
		} else {
			want_str(err.text,
			    "unable to read file at \"a.yaml\": why");
		}
		set_clear(&s);
	}
}

/* The same files again: only a change of scopes or of the namespace is work,
 * and then all is as if they had been loaded. */
static void
test_reuse(void)
{
	static const struct given g[] = {
		{ "a.yaml", "1", CM("a") },
		{ "b.yaml", "2", FOO },
	};
	struct set_scope scopes[2] = { { KNOWN_NAMESPACED, NULL },
		{ KNOWN_UNKNOWN, NULL } };
	struct fx_err err = { 0 };
	uint64_t number;
	struct set s;

	set_init(&s, "set", 0);
	want_load(&s, g, 2, "dflt:configmap/a", "dflt:configmap/a");
	number = s.number;
	want_str(s.kinds[1]->kind, "ConfigMap");
	scopes[0].scope = KNOWN_UNKNOWN;
	scopes[1].scope = KNOWN_NAMESPACED;
	set_reuse(&s);
	want_int(set_commit(&s, scopes, "dflt", &err), FX_OK);
	want_int(s.number, number);
	want_int(s.nchanged, 0);
	want_int(s.nleft_out, 1);
	want(!s.left_out[0].news);
	/* the kind appears */
	scopes[0].scope = KNOWN_NAMESPACED;
	set_reuse(&s);
	want_int(set_commit(&s, scopes, "dflt", &err), FX_OK);
	want_int(s.number, number + 1);
	want_int(s.n, 2);
	want_int(s.nchanged, 1);
	want_str(s.changed[0], "bar:foo/fooinstance");
	want_int(s.nfound, 1);
	want_int(s.nleft_out, 0);
	/* the namespace of those without one is another */
	set_reuse(&s);
	want_int(set_commit(&s, scopes, "other", &err), FX_OK);
	want_int(s.nchanged, 1);
	want_str(s.changed[0], "other:configmap/a");
	want_int(s.ngone, 1);
	/* the server cannot be asked */
	scopes[0].scope = KNOWN_FAILED;
	set_reuse(&s);
	want_int(set_commit(&s, scopes, "other", &err), FX_ERETRY);
	want_int(s.n, 2);
	scopes[0].scope = KNOWN_NAMESPACED;
	set_reuse(&s);
	want_int(set_commit(&s, scopes, "other", &err), FX_OK);
	want_int(s.nchanged, 0);
	set_clear(&s);
}

/* ---- bodies ------------------------------------------------------------- */

static int
on_body(void *arg, const struct set_want *w, const struct buf *json,
    struct fx_err *err)
{
	struct buf *out = arg;

	(void)err;
	want_int(str_addf(out, "%zu:", w->at), FX_OK);
	want_int(buf_put(out, buf_head(json), buf_left(json)), FX_OK);
	return FX_OK;
}

#define BODY(name, hash, mark)                                                 \
	"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":"          \
	"{\"name\":\"" name "\",\"labels\":{\"fluxcd.io/sync-gc-mark\":"       \
	"\"sha256." mark "\"},\"annotations\":{\"fluxcd.io/sync-checksum\":"   \
	"\"" hash "\"},\"namespace\":\"dflt\"}}"

static void
test_bodies(void)
{
	static const char text[] = CM("a") "---\nkind: List\nitems:\n"
					   "- {kind: ConfigMap, apiVersion: "
					   "v1, metadata: {name: b}}\n"
					   "- {kind: ConfigMap, apiVersion: "
					   "v1, metadata: {name: c}}\n";
	static const struct given g[] = { { "a.yaml", "1", text } };
	struct buf out = BUF_INIT(4096);
	struct fx_err err = { 0 };
	auto_free char *json = NULL;
	struct set_want w[2];
	struct set s;

	set_init(&s, "set", 0);
	want_load(&s, g, 1,
	    "dflt:configmap/a dflt:configmap/b dflt:configmap/c",
	    "dflt:configmap/a dflt:configmap/b dflt:configmap/c");
	want_int(s.v[1].blob->size, strlen(text));
	w[0] = (struct set_want){ &s.v[2], 0 };
	w[1] = (struct set_want){ &s.v[0], 1 };
	set_sort_wants(w, 2);
	want_int(set_bodies(&s, w, 2, text, strlen(text), on_body, &out, &err),
	    FX_OK);
	json = str_take(&out);
	want_str(json,
	    "1:" BODY("a", "cba7ded31697991824d90ad97cf04e0aabaf63fc",
		"HMLqmpWRdQNOVu0M-qGFxyFPrQYIWZ_-6kxAF3ALOPo") "0:" BODY("c",
		"a9a425f291a7a0a3d46db657b3023a8ada83673c",
		"QUVzAFj3_0uJKGeOby5V7DT-IkEq5KOMextBIwpurZ4"));
	/* another blob than the one that was loaded */
	want_int(set_bodies(&s, w, 1, CM("b"), strlen(CM("b")), on_body, &out,
		     &err),
	    FX_EFAIL);
	want_str(err.text, "a.yaml: content is not what was loaded");
	want_int(set_bodies(&s, w, 2, CM("a"), strlen(CM("a")), on_body, &out,
		     &err),
	    FX_EFAIL);
	set_clear(&s);
	buf_clear(&out);
}

/* One blob under many names is parsed once. */
static void
test_twins(void)
{
	static const struct given g[] = {
		{ "a.yaml", "1", "" },
		{ "b.yaml", "2", CM("x") },
		{ "c.yaml", "1", "" },
	};
	struct set s;

	set_init(&s, "set", 0);
	want_load(&s, g, 3, "dflt:configmap/x", "dflt:configmap/x");
	want_int(s.parsed, 2);
	want_int(s.files.v[0].twin, SIZE_MAX);
	want(s.files.v[2].twin == 0);
	set_clear(&s);
}

/* What is kept for bodies is bounded, and belongs to what changed last. */
static void
test_kept(void)
{
	size_t big = KNOWN_KEEP / 2 + 100;
	auto_free char *filler = xmalloc(big + 1);
	auto_free char *one = NULL, *two = NULL;
	struct given g[3];
	struct set s;

	memset(filler, 'x', big);
	filler[big] = '\0';
	one = xasprintf("%sdata: {x: %s}\n", CM("a"), filler);
	two = xasprintf("%sdata: {x: %s}\n", CM("b"), filler);
	g[0] = (struct given){ "a.yaml", "1", one };
	g[1] = (struct given){ "b.yaml", "2", two };
	g[2] = (struct given){ "c.yaml", "3", CM("c") };
	set_init(&s, "set", 0);
	want_load(&s, g, 3,
	    "dflt:configmap/a dflt:configmap/b dflt:configmap/c",
	    "dflt:configmap/a dflt:configmap/b dflt:configmap/c");
	want(s.known.texts.used <= KNOWN_KEEP);
	want(s.v[0].blob->text != NULL);
	want(s.v[1].blob->text == NULL);
	want(s.v[2].blob->text != NULL);
	g[2].oid = "4";
	want_load(&s, g, 3,
	    "dflt:configmap/a dflt:configmap/b dflt:configmap/c", "");
	want(s.v[0].blob->text == NULL);
	want(s.v[2].blob->text != NULL);
	want(s.known.texts.used >= strlen(g[2].text));
	want(s.known.texts.used < 2 * strlen(g[2].text));
	set_clear(&s);
}

/* More removed resources than are remembered: older sets get everything. */
static void
test_gone(void)
{
	struct buf many = BUF_INIT(16 << 20);
	auto_free char *text = NULL, *ids = NULL;
	struct fx_err err = { 0 };
	struct given g[2] = { { "a.yaml", "1", NULL },
		{ "b.yaml", "2", CM("kept") } };
	uint64_t one, two;
	struct set s;

	for (int i = 0; i < SET_MAX_GONE + 10; i++)
		want_int(str_addf(&many,
			     "---\n{kind: ConfigMap, metadata: {name: x%d}}\n",
			     i),
		    FX_OK);
	text = str_take(&many);
	g[0].text = text;
	set_init(&s, "set", 0);
	want_int(load(&s, g, 2, &err), FX_OK);
	one = s.number;
	want_int(load(&s, g + 1, 1, &err), FX_OK);
	two = s.number;
	want(!set_has_base(&s, one));
	want(set_has_base(&s, two));
	ids = ids_of(&s);
	want_str(ids, "dflt:configmap/kept");
	want(s.ngone <= SET_MAX_GONE);
	set_clear(&s);
}

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t
heap_bytes(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* Ten thousand files: the work of a load is that of what changed, and what is
 * kept is small.  About 10 ms and 400 bytes a file; the bounds have room for
 * what sanitizers add. */
static void
test_scale(void)
{
	enum { N = 10000 };
	struct given *g = xcalloc(N, sizeof(*g));
	struct fx_err err = { 0 };
	size_t heap;
	double cpu;
	struct set s;

	for (int i = 0; i < N; i++)
		g[i] = (struct given){ xasprintf("%05d.yaml", i),
			xasprintf("%040x", (unsigned)i * 2654435761u),
			xasprintf("apiVersion: v1\nkind: ConfigMap\n"
				  "metadata:\n  name: cm-%d\ndata:\n"
				  "  a: b\n  c: d\n",
			    i) };
	heap = heap_bytes();
	set_init(&s, "set", 0);
	want_int(load(&s, g, N, &err), FX_OK);
	want_int(s.parsed, N);
	set_told(&s);
	free((char *)(uintptr_t)g[77].oid);
	g[77].oid = xstrdup("new");
	cpu = cpu_seconds();
	want_int(load(&s, g, N, &err), FX_OK);
	want(cpu_seconds() - cpu < 0.5);
	want((heap_bytes() - heap) / N < 512);
	want_int(s.parsed, 1);
	want_int(s.nchanged, 0);
	set_clear(&s);
	for (int i = 0; i < N; i++) {
		free((char *)(uintptr_t)g[i].path);
		free((char *)(uintptr_t)g[i].oid);
		free((char *)(uintptr_t)g[i].text);
	}
	free(g);
}

int
main(void)
{
	test_run("set: resources get the namespace they really have",
	    test_namespaces);
	test_run("A26: set: duplicates are found as written and as placed",
	    test_duplicates);
	test_run("A20: set: resources are counted, of a file and of all",
	    test_counts);
	test_run("set: groups are told apart, versions are not", test_groups);
	test_run("set: definitions of the same load tell scopes",
	    test_definitions);
	test_run("A27: set: an object that JSON cannot hold is left out",
	    test_unfit);
	test_run("A26, A27: set: what is wrong is done without, if it may be",
	    test_skip_bad);
	test_run("set: files that cannot be read are wrong like others",
	    test_unreadable);
	test_run("set: the same files again are no work", test_reuse);
	test_run("set: differences name what changed, once", test_differences);
	test_run("set: bodies come from their place in the blob", test_bodies);
	test_run("set: one blob under many names is parsed once", test_twins);
	test_run("set: blobs kept for bodies are bounded", test_kept);
	test_run("set: removed resources are remembered for a while",
	    test_gone);
	test_run("set: a load parses what changed", test_scale);
	return test_done();
}
