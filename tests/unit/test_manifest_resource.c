/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "buf.h"
#include "policies.h"
#include "resource.h"
#include "resource_id.h"
#include "str.h"
#include "test.h"

/* What a file comes to: ids, one after the other, or the error. */
static int
on_resource(void *arg, struct resource *r, struct node *object, struct arena *a,
    struct fx_err *err)
{
	auto_free char *id = resource_id_make(r->ns, r->kind, r->name);
	struct buf *out = arg;

	(void)object;
	(void)a;
	(void)err;
	want_int(str_addf(out, "%s%s%s%s", buf_left(out) == 0 ? "" : " ", id,
		     r->policy & RESOURCE_IGNORE ? "!ignore" : "",
		     r->policy & RESOURCE_SYNC_ONLY ? "!sync_only" : ""),
	    FX_OK);
	if (r->unfit != NULL)
		want_int(str_addf(out, "!unfit(%s)", r->unfit), FX_OK);
	for (size_t i = 0; i < r->nscopes; i++)
		want_int(str_addf(out, "!%s=%s:%s", r->scopes[i].api_version,
			     r->scopes[i].kind,
			     r->scopes[i].namespaced ? "ns" : "cluster"),
		    FX_OK);
	return FX_OK;
}

static char *
ids_of(const char *text)
{
	struct buf out = BUF_INIT(4096);
	struct fx_err err = { 0 };
	const char *stage;

	if (resource_each(text, strlen(text), on_resource, &out, &stage,
		&err) != FX_OK) {
		(void)resource_blame(stage, "a.yaml", &err);
		buf_clear(&out);
		return xstrdup(err.text);
	}
	return str_take(&out);
}

struct row {
	const char *text, *wanted;
};

static void
run(const struct row *tv, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		auto_free char *got = ids_of(tv[i].text);

		if (!want_str(got, tv[i].wanted))
			printf("# of [%s]\n", tv[i].text);
	}
}

static void
test_documents(void)
{
	static const struct row tv[] = {
		{ "", "" },
		{ "# only a comment\n", "" },
		{ "null", "" },
		{ "---", "" },
		{ "---\n...\n---\n...\n", "" },
		{ "a: b", "" },
		{ "kind: ''", "" },
		{ "Kind: A", "" },
		{ "kind:", "" },
		{ "kind: foo", "<cluster>:foo/" },
		{ "kind: 3", "<cluster>:3/" },
		{ "kind: A\nmetadata: {name: 123, namespace: 12}", "12:a/123" },
		{ "kind: A\nmetadata: {name: n}", "<cluster>:a/false" },
		{ "kind: A\nmetadata: {name: 012}", "<cluster>:a/10" },
		{ "kind: A\nmetadata: null", "<cluster>:a/" },
		{ "kind: A\nmetadata: {name: x, annotations: }",
		    "<cluster>:a/x" },
		{ "kind: list\nitems: 3", "<cluster>:list/" },
		{ "kind: Deployment\nmetadata: {name: a}\n---\n"
		  "kind: Deployment\nmetadata: {name: b, namespace: b}\n",
		    "<cluster>:deployment/a b:deployment/b" },
		{ "# c\n---\nkind: A\n---\nkind: B\n",
		    "<cluster>:a/ <cluster>:b/" },
		{ "kind: ConfigMap\nmetadata: {name: x}\n---\n...\n---\n...\n"
		  "---\n...\n---\n...\n",
		    "<cluster>:configmap/x" },
		{ "kind: A\nmetadata: {name: x}\n---\nkind: a\n"
		  "metadata: {name: x}\n",
		    "<cluster>:a/x <cluster>:a/x" },
	};

	run(tv, nitems(tv));
}

static void
test_lists(void)
{
	static const struct row tv[] = {
		{ "kind: List\nitems:\n- {kind: A}\n- {kind: B, metadata: "
		  "{name: x, namespace: z}}\n",
		    "<cluster>:a/ z:b/x" },
		{ "kind: DeploymentList\nmetadata: {name: gone}\nitems: []",
		    "" },
		{ "kind: List\nitems:", "" },
		{ "kind: List\nitems: [{kind: List, items: [{kind: A}]}]",
		    "<cluster>:a/" },
		{ "kind: IPAllowList\nmetadata: {name: x}",
		    "<cluster>:ipallowlist/x" },
		{ "kind: List\nitems: 3",
		    "parsing YAML doc from \"a.yaml\": yaml: unmarshal "
		    "errors:\n  line 1: cannot unmarshal !!int `3` into "
		    "[]map[string]interface {}" },
		{ "kind: List\nitems: [a]",
		    "parsing YAML doc from \"a.yaml\": yaml: unmarshal "
		    "errors:\n  line 2: cannot unmarshal !!str `a` into "
		    "map[string]interface {}" },
		{ "kind: List\nitems: [{kind: A}, {a: b}]",
		    "parsing YAML doc from \"a.yaml\": items[1]: item has no "
		    "kind" },
		{ "kind: List\nitems: [null]",
		    "parsing YAML doc from \"a.yaml\": items[0]: item has no "
		    "kind" },
		{ "{kind: List, items: [{kind: List, items: [{kind: List, "
		  "items: [{kind: List, items: [{kind: List, items: []}]}]}]"
		  "}]}",
		    "parsing YAML doc from \"a.yaml\": items[0]: items[0]: "
		    "items[0]: items[0]: more than 4 lists in lists" },
		{ "kind: List\nitems: [{kind: Deployment, spec: 3}]",
		    "parsing YAML doc from \"a.yaml\": items[0]: yaml: "
		    "unmarshal errors:\n  line 2: cannot unmarshal !!int `3` "
		    "into resource.DeploymentSpec" },
	};

	run(tv, nitems(tv));
}

#define DOC "parsing YAML doc from \"a.yaml\": yaml: unmarshal errors:\n  "

static void
test_errors(void)
{
	static const struct row tv[] = {
		{ "a: 1\nb: 2\nc: @x\n",
		    "scanning multidoc from \"a.yaml\": yaml: line 3: found "
		    "character that cannot start any token" },
		{ "a:\n\t- b\n",
		    "scanning multidoc from \"a.yaml\": yaml: line 2: found "
		    "character that cannot start any token" },
		{ "a: {{ .x }}",
		    "scanning multidoc from \"a.yaml\": yaml: invalid map "
		    "key: map[interface {}]interface {}{\".x\":interface "
		    "{}(nil)}" },
		{ "kind: A\n---\nb: [\n",
		    "scanning multidoc from \"a.yaml\": yaml: line 3: did not "
		    "find expected node content" },
		{ "Manifest text",
		    DOC "line 1: cannot unmarshal !!str `Manifes...` into "
			"resource.baseObject" },
		{ "- a",
		    DOC "line 1: cannot unmarshal !!seq into "
			"resource.baseObject" },
		{ "metadata: {annotations: {a: [b]}, name: x}",
		    DOC "line 4: cannot unmarshal !!seq into string" },
		{ "kind: A\nmetadata: {annotations: [a]}",
		    DOC "line 4: cannot unmarshal !!seq into "
			"map[string]string" },
		{ "kind: A\nmetadata: foo",
		    DOC "line 2: cannot unmarshal !!str `foo` into struct { "
			"Namespace string \"yaml:\\\"namespace\\\"\"; Name "
			"string \"yaml:\\\"name\\\"\"; Annotations "
			"map[string]string "
			"\"yaml:\\\"annotations,omitempty\\\"\" }" },
		{ "kind: [a]\napiVersion: {}",
		    DOC "line 1: cannot unmarshal !!map into string\n"
			"  line 3: cannot unmarshal !!seq into string" },
	};

	run(tv, nitems(tv));
}

#define POD(x) "kind: DaemonSet\nspec: {template: {spec: {" x "}}}"

static void
test_shapes(void)
{
	static const struct row tv[] = {
		{ POD("containers: [{name: a, args: [1, true]}]"),
		    "<cluster>:daemonset/" },
		{ POD("containers: [{args: [{a: 1}]}]"),
		    DOC "line 7: cannot unmarshal !!map into string" },
		{ POD("containers: [{env: [{name: A, valueFrom: {a: b}}], "
		      "ports: [{containerPort: '80'}]}]"),
		    "<cluster>:daemonset/" },
		{ POD("containers: [{image: ':'}, {image: ''}, {name: x}]"),
		    "<cluster>:daemonset/" },
		{ POD("containers: 3"),
		    DOC "line 5: cannot unmarshal !!int `3` into "
			"[]resource.ContainerSpec" },
		{ POD("initContainers: [a]"),
		    DOC "line 6: cannot unmarshal !!str `a` into "
			"resource.ContainerSpec" },
		{ POD("volumes: {}, containers: {}"),
		    DOC "line 5: cannot unmarshal !!map into "
			"[]resource.ContainerSpec\n"
			"  line 6: cannot unmarshal !!map into "
			"[]resource.Volume" },
		/* upstream reads these under names that nobody writes */
		{ POD("imagePullSecrets: 3"), "<cluster>:daemonset/" },
		{ POD("volumes: [{name: a, secret: {secretName: []}}]"),
		    "<cluster>:daemonset/" },
		{ POD("volumes: [{secret: {secretname: []}}]"),
		    DOC "line 7: cannot unmarshal !!seq into string" },
		{ "kind: Deployment\nspec: {replicas: '5'}",
		    DOC "line 3: cannot unmarshal !!str `5` into int" },
		{ "kind: Deployment\nspec: {replicas: 5.7}",
		    "<cluster>:deployment/" },
		{ "kind: StatefulSet\nspec: {replicas: true}",
		    DOC "line 3: cannot unmarshal !!bool `true` into int" },
		{ "kind: StatefulSet\nspec: {replicas: 1e30}",
		    DOC "line 3: cannot unmarshal !!float `1e+30` into int" },
		{ "kind: Deployment\nspec: {replicas: }",
		    "<cluster>:deployment/" },
		{ "kind: CronJob\nspec: {jobTemplate: {spec: {template: []}}}",
		    DOC "line 5: cannot unmarshal !!seq into "
			"resource.PodTemplate" },
		{ "kind: CronJob\nspec: {jobTemplate: x}",
		    DOC "line 3: cannot unmarshal !!str `x` into struct { "
			"Spec struct { Template resource.PodTemplate } }" },
		{ "kind: Deployment\nspec: {template: {metadata: {labels: "
		  "{a: [], b: 1}}}}",
		    DOC "line 6: cannot unmarshal !!seq into string" },
		{ "kind: Job\nspec: {template: 3}", "<cluster>:job/" },
		{ "kind: HelmRelease\nspec: {values: {a: b}}",
		    "<cluster>:helmrelease/" },
		{ "kind: HelmRelease\nspec: {values: }",
		    "<cluster>:helmrelease/" },
		{ "kind: HelmRelease\nspec: {values: [a]}",
		    "parsing YAML doc from \"a.yaml\": error unmarshaling "
		    "JSON: json: cannot unmarshal array into Go struct field "
		    ".Spec.Values of type map[string]interface {}" },
		{ "kind: FluxHelmRelease\nspec: {values: [a]}",
		    "<cluster>:fluxhelmrelease/" },
	};

	run(tv, nitems(tv));
}

static void
test_names(void)
{
	char *name = xmalloc(255);
	auto_free char *fits = NULL, *longer = NULL, *got = NULL, *id = NULL;
	static const struct row tv[] = {
		{ "kind: A\nmetadata: {name: \"a\\0b\"}",
		    "parsing YAML doc from \"a.yaml\": metadata.name is not "
		    "text" },
		{ "kind: !!binary /w==",
		    "parsing YAML doc from \"a.yaml\": kind is not text" },
	};

	memset(name, 'n', 254);
	name[254] = '\0';
	longer = xasprintf("kind: A\nmetadata: {name: %s}", name);
	name[253] = '\0';
	fits = xasprintf("kind: A\nmetadata: {name: %s}", name);
	id = xasprintf("<cluster>:a/%s", name);
	free(name);
	got = ids_of(fits);
	want_str(got, id);
	free(got);
	got = ids_of(longer);
	want_str(got,
	    "parsing YAML doc from \"a.yaml\": metadata.name is longer than "
	    "253 bytes");
	run(tv, nitems(tv));
}

#define META(x) "kind: A\nmetadata: {annotations: {" x "}}"

static void
test_policies(void)
{
	static const struct row tv[] = {
		{ META("fluxcd.io/ignore: 'true'"), "<cluster>:a/!ignore" },
		{ META("fluxcd.io/ignore: true"), "<cluster>:a/!ignore" },
		{ META("fluxcd.io/ignore: yes"), "<cluster>:a/!ignore" },
		{ META("fluxcd.io/ignore: 'yes'"), "<cluster>:a/" },
		{ META("fluxcd.io/ignore: sync_only"),
		    "<cluster>:a/!sync_only" },
		{ META("flux.weave.works/ignore: 'true'"),
		    "<cluster>:a/!ignore" },
		{ META("flux.weave.works/ignore: 'true', "
		       "fluxcd.io/ignore: 'false'"),
		    "<cluster>:a/" },
		{ META("fluxcd.io/ignore: "), "<cluster>:a/" },
		{ META("fluxcd.io/ignore: 'True'"), "<cluster>:a/" },
		{ META("fluxcd.io/ignore: 'false'"), "<cluster>:a/" },
		{ META("fluxcd.io/ignore: 'sync_only '"), "<cluster>:a/" },
		{ META("flux.weave.works/ignore: sync_only"),
		    "<cluster>:a/!sync_only" },
		{ META("flux.weave.works/ignore: 'true', "
		       "fluxcd.io/ignore: sync_only"),
		    "<cluster>:a/!sync_only" },
		{ META("filter.fluxcd.io/ignore: 'true'"), "<cluster>:a/" },
		{ META("example.com/ignore: 'true'"), "<cluster>:a/" },
		/* A27: no text, and still only this object's trouble */
		{ META("fluxcd.io/automated: true, fluxcd.io/tag.x: 3"),
		    "<cluster>:a/" },
	};

	run(tv, nitems(tv));
}

#define CRD "kind: CustomResourceDefinition\nmetadata: {name: c}\nspec: "
#define CRD_ID "<cluster>:customresourcedefinition/c"

static void
test_definitions(void)
{
	static const struct row tv[] = {
		{ CRD "{group: g.io, names: {kind: Foo}, scope: Namespaced, "
		      "version: v1beta1}",
		    CRD_ID "!g.io/v1beta1=Foo:ns" },
		{ CRD "{group: g.io, names: {kind: Foo}, scope: Namespaced, "
		      "version: v0, versions: [{name: v1}, {name: v2}]}",
		    CRD_ID "!g.io/v1=Foo:ns!g.io/v2=Foo:ns" },
		{ CRD "{group: g.io, names: {kind: Foo}, scope: Cluster, "
		      "version: v1}",
		    CRD_ID "!g.io/v1=Foo:cluster" },
		{ CRD "{group: g.io, names: {kind: Foo}, version: v1}",
		    CRD_ID "!g.io/v1=Foo:cluster" },
		{ "apiVersion: apiextensions.k8s.io/v1beta1\n" CRD
		  "{group: g.io, names: {kind: Foo}, version: v1}",
		    CRD_ID "!g.io/v1=Foo:ns" },
		{ CRD "{group: [], names: {kind: Foo}, version: v1}", CRD_ID },
		{ CRD "3", CRD_ID },
	};

	run(tv, nitems(tv));
}

static void
test_unfit(void)
{
	static const struct row tv[] = {
		{ "kind: A\nspec: {a: .inf}",
		    "<cluster>:a/!unfit(json: unsupported value: +Inf)" },
		{ "kind: A\nspec: [-.inf]",
		    "<cluster>:a/!unfit(json: unsupported value: -Inf)" },
		{ "kind: A\nspec: {.nan: x}",
		    "<cluster>:a/!unfit(json: unsupported value: NaN)" },
		{ "kind: A\nspec: {~: x}",
		    "<cluster>:a/!unfit(unsupported map key of type: null)" },
	};

	run(tv, nitems(tv));
}

/* The largest object that is rendered has 8 MiB as JSON: control characters
 * become six bytes each. */
static void
test_json_limit(void)
{
	const size_t frame = strlen("{'kind':'A','spec':''}"), max = 8388608;
	const size_t controls = (max - frame) / 6, rest = (max - frame) % 6;

	for (size_t more = 0; more < 2; more++) {
		struct buf b = BUF_INIT(8 << 20);
		auto_free char *text = NULL, *got = NULL;

		want_int(str_add(&b, "kind: A\nspec: \""), FX_OK);
		for (size_t i = 0; i < controls; i++)
			want_int(str_add(&b, "\\x01"), FX_OK);
		for (size_t i = 0; i < rest + more; i++)
			want_int(str_addc(&b, 'x'), FX_OK);
		want_int(str_addc(&b, '"'), FX_OK);
		text = str_take(&b);
		got = ids_of(text);
		want_str(got,
		    more == 0 ? "<cluster>:a/"
			      : "<cluster>:a/!unfit(object is longer than "
				"8388608 bytes as JSON)");
	}
}

/* What is shown of policies, which is what a frame and a server can hold. */
static void
test_packed_policies(void)
{
	static const struct {
		const char *name, *value;
		bool kept;
	} tv[] = {
		{ "a", "", true },
		{ "locked_msg", "gr\xc3\xbc\xc3\x9f", true },
		{ "\xff", "x", false },
		{ "x", "\xc3", false },
		{ "x", "\xed\xa0\x80", false },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *key = xasprintf("fluxcd.io/%s", tv[i].name);
		struct policy_set set = { 0 };
		auto_free struct policies *ps = NULL;

		policy_add(&set, key, tv[i].value);
		ps = policies_pack(&set);
		if (!want_int(ps != NULL, tv[i].kept))
			printf("# row %zu\n", i);
		policy_clear(&set);
	}
}

static void
test_policy_count(void)
{
	struct policy_set set = { 0 };
	auto_free struct policies *ps = NULL;
	const char *last = NULL;
	size_t n = 0;

	for (int i = 0; i < POLICIES_MAX + 1; i++) {
		auto_free char *key = xasprintf("fluxcd.io/%05d", i);

		policy_add(&set, key, "");
	}
	ps = policies_pack(&set);
	want_int(ps->n, POLICIES_MAX);
	for (const char *p = policies_next(ps, NULL); p != NULL;
	     p = policies_next(ps, p), n++)
		last = p;
	want_int(n, POLICIES_MAX);
	want_str(last, "01023");
	policy_clear(&set);
}

/* ---- bodies ------------------------------------------------------------- */

struct body {
	struct resource_extra extra;
	char *json, *hash;
};

static int
on_body(void *arg, struct resource *r, struct node *object, struct arena *a,
    struct fx_err *err)
{
	struct buf out = BUF_INIT(4096), hash = BUF_INIT(64);
	struct body *b = arg;

	str_add_hex(&hash, r->hash, sizeof(r->hash));
	b->hash = str_take(&hash);
	want_int(resource_body(&out, a, object, &b->extra, err), FX_OK);
	b->json = str_take(&out);
	return FX_OK;
}

static void
test_bodies(void)
{
	static const struct {
		const char *text, *ns, *json;
	} tv[] = {
		{ "kind: A", "", "{\"kind\":\"A\",\"metadata\":{@}}" },
		{ "kind: A\nmetadata: {name: x}", "d",
		    "{\"kind\":\"A\",\"metadata\":{\"name\":\"x\",@,"
		    "\"namespace\":\"d\"}}" },
		{ "kind: A\nmetadata: {namespace: '', labels: ,"
		  " annotations: {}}",
		    "d",
		    "{\"kind\":\"A\",\"metadata\":{\"annotations\":"
		    "{\"fluxcd.io/sync-checksum\":\"C\"},\"labels\":"
		    "{\"fluxcd.io/sync-gc-mark\":\"M\"},\"namespace\":"
		    "\"d\"}}" },
		{ "kind: A\nmetadata: {labels: {a: b}, annotations: {c: d}}",
		    "",
		    "{\"kind\":\"A\",\"metadata\":{\"annotations\":{\"c\":"
		    "\"d\",\"fluxcd.io/sync-checksum\":\"C\"},\"labels\":"
		    "{\"a\":\"b\",\"fluxcd.io/sync-gc-mark\":\"M\"}}}" },
		/* git's own values are stale: ours count */
		{ "kind: A\nmetadata: {labels: {fluxcd.io/sync-gc-mark: old},"
		  " annotations: {fluxcd.io/sync-checksum: old}}",
		    "",
		    "{\"kind\":\"A\",\"metadata\":{\"annotations\":"
		    "{\"fluxcd.io/sync-checksum\":\"C\"},\"labels\":"
		    "{\"fluxcd.io/sync-gc-mark\":\"M\"}}}" },
		/* something else than a mapping is left as it is */
		{ "kind: A\nmetadata: {labels: foo}", "",
		    "{\"kind\":\"A\",\"metadata\":{\"labels\":\"foo\","
		    "\"annotations\":{\"fluxcd.io/sync-checksum\":\"C\"}}}" },
		{ "kind: Namespace\nmetadata: {name: o, namespace: odd}", "",
		    "{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"o\","
		    "\"namespace\":\"odd\",@}}" },
		{ "kind: A\ndata: {1: x, true: w, 1.5: z, q: \"a\\\"\\n\\x01"
		  "\\\\é\", f: [1.0, 1e3, -0.0, 1e21, 1e-7, 0.1, 123456789.0, "
		  "18446744073709551615, null, yes]}\nmetadata: {name: x}",
		    "",
		    "{\"data\":{\"true\":\"w\",\"1\":\"x\",\"1.5\":\"z\","
		    "\"f\":[1,1000,0,1e+21,1e-7,0.1,123456789,"
		    "18446744073709551615,null,true],"
		    "\"q\":\"a\\\"\\u000a\\u0001\\\\\xc3\xa9\"},"
		    "\"kind\":\"A\",\"metadata\":{\"name\":\"x\",@}}" },
	};
	static const char ours[] = "\"labels\":{\"fluxcd.io/sync-gc-mark\":"
				   "\"M\"},\"annotations\":"
				   "{\"fluxcd.io/sync-checksum\":\"C\"}";

	for (size_t i = 0; i < nitems(tv); i++) {
		struct body b = { .extra = { tv[i].ns, "M", "C" } };
		struct fx_err err = { 0 };
		const char *stage;
		const char *at = strchr(tv[i].json, '@');
		auto_free char *wanted = at == NULL
		    ? xstrdup(tv[i].json)
		    : xasprintf("%.*s%s%s", (int)(at - tv[i].json), tv[i].json,
			  ours, at + 1);

		want_int(resource_each(tv[i].text, strlen(tv[i].text), on_body,
			     &b, &stage, &err),
		    FX_OK);
		want_str(b.json, wanted);
		free(b.json);
		free(b.hash);
	}
}

/* A manifest that was copied out of the cluster has the checksum of the one
 * it is a copy of. */
static void
test_copied(void)
{
	static const char plain[] =
	    "kind: A\nmetadata:\n  annotations: {a: b}\n"
	    "  labels: {c: d}\n";
	static const char copied[] =
	    "kind: A\nmetadata:\n  annotations: {a: b, "
	    "fluxcd.io/sync-checksum: 1234}\n"
	    "  labels: {c: d, fluxcd.io/sync-gc-mark: sha256.x}\n";
	static const char shared[] =
	    "kind: A\nmetadata:\n  labels: &l {c: d, "
	    "fluxcd.io/sync-gc-mark: sha256.x}\nspec: *l\n";
	struct body a = { .extra = { "", "M", "C" } }, b = a, c = a;
	struct fx_err err = { 0 };
	const char *stage;

	want_int(resource_each(plain, strlen(plain), on_body, &a, &stage, &err),
	    FX_OK);
	want_int(resource_each(copied, strlen(copied), on_body, &b, &stage,
		     &err),
	    FX_OK);
	want_str(b.hash, a.hash);
	want_str(b.json, a.json);
	/* only our own label goes, not its double elsewhere */
	want_int(resource_each(shared, strlen(shared), on_body, &c, &stage,
		     &err),
	    FX_OK);
	want_str(c.json,
	    "{\"kind\":\"A\",\"metadata\":{\"labels\":{\"c\":\"d\","
	    "\"fluxcd.io/sync-gc-mark\":\"M\"},\"annotations\":"
	    "{\"fluxcd.io/sync-checksum\":\"C\"}},\"spec\":{\"c\":\"d\","
	    "\"fluxcd.io/sync-gc-mark\":\"sha256.x\"}}");
	free(a.json);
	free(a.hash);
	free(b.json);
	free(b.hash);
	free(c.json);
	free(c.hash);
}

#define NAMED_X "5a2b4f113d9618dc91f036d5aa949f41575e6f01"
#define NAMED_J "c4ffa1e7050049ba0c4d06f540c10537353356aa"
#define KIND_A "f8cbf9ef90940df699fe03741f7ea39aeb7cb62b"

/* The checksum is the one that upstream computes, and the comments and the
 * form of a file are not part of it. */
static void
test_checksums(void)
{
	static const struct {
		const char *text, *hash;
	} tv[] = {
		{ "kind: A\n", KIND_A },
		{ "\xef\xbb\xbfkind: A\n", KIND_A },
		{ "# a comment\n---\n# another\nkind: A\n", KIND_A },
		{ "{\"kind\":\"A\",\"metadata\":{\"name\":\"j\"}}", NAMED_J },
		{ "kind: A\nmetadata:\n  name: x\n", NAMED_X },
		{ "# c\nmetadata: {name: \"x\"}\nkind: 'A' # d\n", NAMED_X },
		{ "kind: A\r\nmetadata:\r\n  name: x\r\n", NAMED_X },
		{ "\xef\xbb\xbfkind: A\nmetadata:\n  name: x\n", NAMED_X },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct body b = { .extra = { "", "M", "C" } };
		struct fx_err err = { 0 };
		const char *stage;

		want_int(resource_each(tv[i].text, strlen(tv[i].text), on_body,
			     &b, &stage, &err),
		    FX_OK);
		want_str(b.hash, tv[i].hash);
		free(b.json);
		free(b.hash);
	}
}

int
main(void)
{
	test_run("resource: documents with a kind are resources",
	    test_documents);
	test_run("resource: lists are what they hold", test_lists);
	test_run("resource: errors are upstream's, with the line", test_errors);
	test_run("resource: kinds with pods must have their form", test_shapes);
	test_run("resource: names are bounded text", test_names);
	test_run("resource: annotations say what is ignored", test_policies);
	test_run("resource: definitions tell the scope of their kind",
	    test_definitions);
	test_run("resource: what JSON cannot say is kept apart", test_unfit);
	test_run("resource: an object has 8 MiB as JSON", test_json_limit);
	test_run("resource: policies that cannot be shown are not kept",
	    test_packed_policies);
	test_run("resource: policies are counted", test_policy_count);
	test_run("resource: bodies have namespace, mark and checksum",
	    test_bodies);
	test_run("resource: a copy's stale marks are not part of it",
	    test_copied);
	test_run("resource: checksums are upstream's, whatever the form",
	    test_checksums);
	return test_done();
}
