/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "answer.h"
#include "arena.h"
#include "export.h"
#include "gojson.h"
#include "instant.h"
#include "paths.h"
#include "record.h"
#include "result.h"
#include "str.h"
#include "test.h"
#include "yamlout.h"
#include "yread.h"

static void
test_instant(void)
{
	/* clang-format off */
	static const struct {
		const char *text, *printed, *brief;
	} tv[] = {
		{ "2020-02-01T10:00:00Z", "2020-02-01T10:00:00Z", "01 Feb 20 10:00 UTC" },
		{ "2020-02-01T10:00:00.500Z", "2020-02-01T10:00:00.5Z", "01 Feb 20 10:00 UTC" },
		{ "2020-02-29T23:59:59.123456789012Z", "2020-02-29T23:59:59.123456789Z", "29 Feb 20 23:59 UTC" },
		{ "2020-01-01T00:30:00+02:00", "2019-12-31T22:30:00Z", "01 Jan 20 00:30 +0200" },
		{ "2020-01-01T00:30:00-00:45", "2020-01-01T01:15:00Z", "01 Jan 20 00:30 -0045" },
		{ "2020-01-01T00:30:00,25+00:00", "2020-01-01T00:30:00.25Z", "01 Jan 20 00:30 UTC" },
		{ "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "01 Jan 01 00:00 UTC" },
		{ "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "31 Dec 99 23:59 UTC" },
		{ "0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "01 Jan 00 00:00 UTC" },
		{ "", NULL, NULL },
		{ "2020-02-01", NULL, NULL },
		{ "2020-02-01 10:00:00Z", NULL, NULL },
		{ "2020-02-01T10:00:00", NULL, NULL },
		{ "2020-02-01T10:00:00.Z", NULL, NULL },
		{ "2020-02-01T10:00:00Zx", NULL, NULL },
		{ "2020-02-01T10:00:00+2", NULL, NULL },
		{ "2019-02-29T10:00:00Z", NULL, NULL },
		{ "2020-13-01T10:00:00Z", NULL, NULL },
		{ "2020-00-01T10:00:00Z", NULL, NULL },
		{ "2020-01-01T24:00:00Z", NULL, NULL },
		{ "2020-01-01T10:00:60Z", NULL, NULL },
		{ "+020-01-01T10:00:00Z", NULL, NULL },
	};
	/* clang-format on */

	want_int(setenv("TZ", "UTC0", 1), 0);
	for (size_t i = 0; i < nitems(tv); i++) {
		auto_error struct ctl_error err = { 0 };
		struct buf b = BUF_INIT(64);
		auto_free char *printed = NULL, *brief = NULL;
		struct instant t;

		if (instant_parse(tv[i].text, &t, &err) == FX_OK) {
			instant_add(&b, &t);
			printed = str_take(&b);
			instant_add_short(&b, &t);
			brief = str_take(&b);
			want_int(instant_is_zero(&t), i == 6);
		}
		want_str(printed, tv[i].printed);
		want_str(brief, tv[i].brief);
	}
}

static void
test_gojson(void)
{
	/* clang-format off */
	static const struct {
		const char *in, *out;
	} tv[] = {
		{ "", "\"\"" },
		{ "a\"\\/", "\"a\\\"\\\\/\"" },
		{ "\n\r\t\b\x1b", "\"\\n\\r\\t\\u0008\\u001b\"" },
		{ "<a>&", "\"\\u003ca\\u003e\\u0026\"" },
		{ "\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
		{ "\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\"" },
		/* ours: what moves or reorders a terminal's text */
		{ "\x7f\xc2\x9b\xe2\x80\xae", "\"\\u007f\\u009b\\u202e\"" },
		{ "a\xff", "\"a\\ufffd\"" },
	};
	/* clang-format on */

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_json json_t *clean = gojson_string(tv[i].in);
		auto_free char *text = NULL;
		struct buf b = BUF_INIT(256);

		gojson_add_string(&b, tv[i].in);
		text = str_take(&b);
		want_str(text, tv[i].out);
		want(json_is_string(clean));
	}
}

/* Answers of a list of workloads, and what is kept of them. */
static void
test_record(void)
{
	/* clang-format off */
	static const struct {
		const char *in, *out, *error;
	} tv[] = {
		{ "null", "null", NULL },
		{ "[]", "[]", NULL },
		{ "[null]", "[{\"ID\":\"\",\"Containers\":null}]", NULL },
		{ "[{\"x\":1,\"id\":\"A:B/C\"}]", "[{\"ID\":\"A:b/C\",\"Containers\":null}]", NULL },
		{ "[{\"ID\":\"a:b/c\",\"Containers\":[{\"Available\":[]}]}]",
		  "[{\"ID\":\"a:b/c\",\"Containers\":[{\"Current\":{\"ID\":\"\",\"Labels\":{}},"
		  "\"LatestFiltered\":{\"ID\":\"\",\"Labels\":{}}}]}]", NULL },
		/* within an image, what is of another type is as if missing */
		{ "[{\"Containers\":[{\"Current\":{\"ID\":\"a:1\",\"Digest\":1,\"Labels\":[],\"CreatedAt\":2},"
		  "\"LatestFiltered\":{\"ID\":\"a/\",\"Digest\":\"d\"}}]}]",
		  "[{\"ID\":\"\",\"Containers\":[{\"Current\":{\"ID\":\"a:1\",\"Labels\":{}},"
		  "\"LatestFiltered\":{\"ID\":\"\",\"Labels\":{}}}]}]", NULL },
		{ "{}", NULL, "decoding response from server: the answer is not a list" },
		{ "[1]", NULL, "decoding response from server: the answer is not an object" },
		{ "[{\"ID\":1}]", NULL, "decoding response from server: ID is not a string" },
		{ "[{\"ID\":\"a\"}]", NULL, "decoding response from server: parsing a: invalid service ID" },
		{ "[{\"Containers\":{}}]", NULL, "decoding response from server: Containers is not a list" },
		{ "[{\"Containers\":[{\"Name\":[]}]}]", NULL, "decoding response from server: Name is not a string" },
		{ "[{\"Containers\":[{\"FilteredImagesCount\":1.5}]}]", NULL,
		  "decoding response from server: FilteredImagesCount is not an integer" },
		{ "[{\"Containers\":[{\"Current\":{\"CreatedAt\":\"x\"}}]}]", NULL,
		  "decoding response from server: parsing time \"x\"" },
	};
	/* clang-format on */

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_json json_t *in = json_loads(tv[i].in, JSON_DECODE_ANY,
				     NULL),
				 *out = NULL;
		auto_error struct ctl_error err = { 0 };
		auto_free char *text = NULL;
		struct buf b = BUF_INIT(4096);

		if (record_list(in, record_images, &out, &err) == FX_OK) {
			gojson_add(&b, out);
			text = str_take(&b);
		}
		want_str(err.text, tv[i].error);
		want_str(text, tv[i].out);
	}
}

/* A result's rows at each verbosity. */
static void
test_result(void)
{
	static const char result[] =
	    "{\"b:c/d\":{\"Status\":\"success\",\"PerContainer\":"
	    "[{\"Container\":\"x\",\"Current\":\"i:1\",\"Target\":\"i:2\"},"
	    "{\"Container\":\"\"}]},"
	    "\"a:B/c\":{\"Status\":\"skipped\",\"Error\":\"locked\"},"
	    "\"a:b/d\":{\"Status\":\"ignored\"}}";
	static const char *const rows[] = {
		"b:c/d\tsuccess\tx: i:1 -> 2\n\t\t\n",
		"a:b/c\tskipped\tlocked\nb:c/d\tsuccess\tx: i:1 -> 2\n\t\t\n",
		"a:b/c\tskipped\tlocked\na:b/d\tignored\t\n"
		"b:c/d\tsuccess\tx: i:1 -> 2\n\t\t\n",
	};
	auto_json json_t *in = json_loads(result, 0, NULL);
	auto_free char *updated = result_updated(in);

	for (size_t v = 0; v < nitems(rows); v++) {
		auto_error struct ctl_error err = { 0 };
		auto_result struct result r = { 0 };
		struct buf b = BUF_INIT(4096);
		auto_free char *text = NULL;

		want_int(result_read(in, (int64_t)v, &r, &err), FX_OK);
		for (size_t i = 0; i < r.n; i++)
			result_add_row(&b, &r.v[i]);
		text = str_take(&b);
		want_str(text, rows[v]);
	}
	want_str(updated, "b:c/d");
}

static void
test_paths(void)
{
	static const struct {
		const char *dir, *below, *out;
	} tv[] = {
		{ "out", "a/b", "out/a/b" },
		{ "./out//", "a", "out/a" },
		{ ".", "a", "a" },
		{ "", "a", "a" },
		{ "x/../y", "a", "y/a" },
		{ "x/../../y", "a", "../y/a" },
		{ "../..", "a", "../../a" },
		{ "/", "a", "/a" },
		{ "/..", "a", "/a" },
		{ "/x/./..", "a", "/a" },
		{ "a/..", "b", "b" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *path = path_join(tv[i].dir, tv[i].below);

		want_str(path, tv[i].out);
	}
}

/* Objects of an export, what is kept of them, and where they go. */
static void
test_export(void)
{
	/* clang-format off */
	static const struct {
		const char *in, *out, *path, *error;
	} tv[] = {
		{ "kind: Deployment\nmetadata: {name: web, namespace: shop, uid: x}\nspec: {a: null, b: {}, c: [{}, null], d: {e: []}}\nstatus: {}\n",
		  "kind: Deployment\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  c:\n  - {}\n  - null\n  d: {}\n",
		  "shop/web-dep.yaml", NULL },
		{ "kind: Namespace\nmetadata: {name: a.b, namespace: x}\n",
		  "kind: Namespace\nmetadata:\n  name: a.b\n  namespace: x\n", "a.b-ns.yaml", NULL },
		{ "kind: X\nmetadata: {name: 1, labels: {a: 1, b: true, c: null}, annotations: {kubernetes.io/change-cause: x}}\nspec: {}\n",
		  "kind: X\nmetadata:\n  labels:\n    a: \"1\"\n    b: \"true\"\n    c: \"\"\n  name: \"1\"\n", "1-X.yaml", NULL },
		{ "kind: X\nmetadata: {name: a}\nspec: {template: {metadata: {creationTimestamp: x}, spec: {}}}\n",
		  "kind: X\nmetadata:\n  name: a\nspec:\n  template: {}\n", "a-X.yaml", NULL },
		{ "kind: y\nmetadata: {name: 01, namespace: on, labels: {n: 1.0, 1_0: ~, a: !!int 07}}\nspec: {y: 01}\n",
		  "kind: \"y\"\nmetadata:\n  labels:\n    \"1_0\": \"\"\n    a: \"07\"\n    \"n\": \"1.0\"\n  name: \"01\"\n  namespace: \"on\"\nspec:\n  true: 1\n",
		  "on/01-y.yaml", NULL },
		{ "{}\n", "{}\n", NULL, "saving yaml object: \"\" cannot be part of a file name" },
		{ "kind: [a]\n", NULL, NULL, "unmarshalling exported yaml: kind is of another type" },
		{ "metadata: a\n", NULL, NULL, "unmarshalling exported yaml: metadata is of another type" },
		{ "metadata: {labels: {a: []}}\n", NULL, NULL, "unmarshalling exported yaml: labels is of another type" },
		{ "spec: [a]\n", NULL, NULL, "unmarshalling exported yaml: spec is of another type" },
		{ "a\n", NULL, NULL, "unmarshalling exported yaml: an object is of another type" },
	};
	/* clang-format on */

	for (size_t i = 0; i < nitems(tv); i++) {
		struct yread *y = yread_new(tv[i].in, strlen(tv[i].in));
		auto_error struct ctl_error err = { 0 };
		auto_export struct export e = { 0 };
		auto_free char *text = NULL, *path = NULL;
		struct buf b = BUF_INIT(4096);
		struct fx_err why = { 0 };
		struct node *root;

		yread_keep_source(y);
		want_int(yread_next(y, &root, &why), FX_OK);
		if (export_filter(yread_arena(y), root, &e, &err) == FX_OK &&
		    yamlout_node(&b, e.manifest, &err) == FX_OK) {
			text = str_take(&b);
			(void)!export_path(&e, &path, &err);
		}
		want_str(err.text, tv[i].error);
		want_str(text, tv[i].out);
		want_str(path, tv[i].path);
		yread_free(&y);
	}
}

/* What a few aliases stand for is bounded when it is copied, too. */
static void
test_export_bomb(void)
{
	struct buf b = BUF_INIT(65536);
	auto_error struct ctl_error err = { 0 };
	auto_export struct export e = { 0 };
	auto_free char *text = NULL;
	struct fx_err why = { 0 };
	struct node *root = NULL;
	struct yread *y;

	str_add(&b, "kind: A\nspec:\n  a0: &a0 {x: y}\n");
	for (int i = 1; i < 40; i++)
		str_addf(&b, "  a%d: &a%d {l: *a%d, r: *a%d}\n", i, i, i - 1,
		    i - 1);
	text = str_take(&b);
	y = yread_new(text, strlen(text));
	if (yread_next(y, &root, &why) == FX_OK)
		want_int(export_filter(yread_arena(y), root, &e, &err),
		    FX_ELIMIT);
	else
		want_int(why.code, FX_ESYNTAX);
	yread_free(&y);
}

int
main(void)
{
	test_run("instant: times are read and written as Go does",
	    test_instant);
	test_run("gojson: strings are Go's, and safe for a terminal",
	    test_gojson);
	test_run("record: an answer becomes what the original holds",
	    test_record);
	test_run("result: rows by verbosity", test_result);
	test_run("paths: joined as Go joins them", test_paths);
	test_run("export: what is kept, and where it goes", test_export);
	test_run("export: aliases are bounded", test_export_bomb);
	return test_done();
}
