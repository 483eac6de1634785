/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "json.h"
#include "str.h"
#include "test.h"
#include "tojson.h"
#include "yaml_write.h"
#include "yread.h"

#include <stdio.h>

/* Objects go out as YAML and are read again by the reader of fluxctl, which
 * resolves scalars as upstream's does. */

#define DOC_MAX (8u << 20)

static json_t *
parse(const char *text)
{
	struct fx_err err = { 0 };
	json_t *j = sw_json(text, strlen(text), &err);

	want_str(err.text, "");
	return j;
}

/* The only document of the YAML, as JSON. */
static json_t *
read_back(const struct buf *yaml)
{
	struct yread *y = yread_new(buf_head(yaml), buf_left(yaml));
	auto_buf struct buf text = BUF_INIT(DOC_MAX);
	struct node *root = NULL, *more = NULL;
	struct fx_err err = { 0 };
	json_t *back = NULL;

	if (want_int(yread_next(y, &root, &err), FX_OK) && want(root != NULL) &&
	    want_int(tojson_write(&text, root, &err), FX_OK))
		back = sw_json(buf_head(&text), buf_left(&text), &err);
	want_str(err.text, "");
	want_int(yread_next(y, &more, &err), FX_OK);
	want(more == NULL);
	yread_free(&y);
	return back;
}

/* What goes out comes back; apiVersion and kind are those given. */
static bool
survives(const json_t *object)
{
	auto_buf struct buf yaml = BUF_INIT(DOC_MAX);
	struct fx_err err = { 0 };
	auto_json json_t *back = NULL, *wanted = json_deep_copy(object);
	bool same;

	json_object_set_new(wanted, "apiVersion", json_string("apps/v1"));
	json_object_set_new(wanted, "kind", json_string("Thing"));
	if (!want_int(yaml_write(&yaml, "apps/v1", "Thing", object, &err),
		FX_OK))
		return false;
	back = read_back(&yaml);
	same = json_equal(wanted, back);
	if (!same)
		printf("# %.*s", (int)buf_left(&yaml),
		    (const char *)buf_head(&yaml));
	return same;
}

/* As JSON writes them. */
static const char *const strings[] = {
	"",
	" ",
	"a",
	"web",
	"apps/v1",
	"/bin/sh",
	"a.b-c_d@e",
	/* truth values and nothing, of one version of YAML or another */
	"y",
	"Y",
	"yes",
	"Yes",
	"YES",
	"n",
	"N",
	"no",
	"No",
	"on",
	"On",
	"off",
	"OFF",
	"true",
	"True",
	"TRUE",
	"false",
	"tRuE",
	"null",
	"Null",
	"NULL",
	"~",
	"yesterday",
	"nothing",
	/* numbers */
	"0",
	"1",
	"-1",
	"+1",
	"007",
	"0777",
	"0o17",
	"0x1F",
	"0b11",
	"1_000",
	"_1",
	"1.0",
	"1.",
	".5",
	"1e3",
	"1E3",
	"1e+22",
	".inf",
	"-.inf",
	".Inf",
	".nan",
	".NaN",
	"inf",
	"nan",
	"08",
	"1:30:00",
	"190:20",
	"123456789012345678901234567890",
	"0.1.2",
	/* times */
	"2020-01-01",
	"2001-12-14t21:59:43.10-05:00",
	"2024-03-01T09:00:00Z",
	/* signs of YAML */
	"-",
	"- a",
	"-a",
	"a: b",
	"a:",
	":a",
	"a:b",
	"a #b",
	"#",
	"&a",
	"*a",
	"!t",
	"!!str",
	"|",
	">",
	"%a",
	"@a",
	"`a",
	"'",
	"\\\"",
	"a'b",
	"[a",
	"{a",
	"a]",
	"a, b",
	",",
	"?",
	"? a",
	"---",
	"--- a",
	"...",
	"<<",
	"=",
	"key: [1, 2",
	"\\\\",
	"\\\\n",
	/* white space */
	"\\n",
	"a\\n",
	"\\na",
	"a\\nb",
	"a\\n\\nb\\n",
	"a\\n  b",
	"  a\\nb",
	"\\t",
	"\\ta",
	"a\\t",
	" a",
	"a ",
	"a  b",
	"a\\r\\nb",
	"\\r",
	/* what is not printed, and what is not ASCII */
	"\\u0000",
	"a\\u0000b",
	"\\u0001",
	"\\u001b[31m",
	"\\u007f",
	"\\u0085",
	"\\u00a0",
	"\\u2028",
	"\\u2029",
	"\\ufeff",
	"\\ufeffa",
	"\\ufffe",
	"\\uffff",
	"\xc3\xa4",
	"\xe2\x82\xac",
	"\xf0\x9f\x98\x80",
	"\\u202e",
};

static void
test_strings(void)
{
	for (size_t i = 0; i < nitems(strings); i++) {
		auto_free char *value = xasprintf("{\"a\":\"%s\"}", strings[i]);
		auto_free char *list =
		    xasprintf("{\"a\":[\"%s\",[\"%s\"],{\"b\":\"%s\"}]}",
			strings[i], strings[i], strings[i]);
		auto_json json_t *v = parse(value), *l = parse(list);

		if (!want(survives(v)) || !want(survives(l)))
			printf("# value %s\n", strings[i]);
	}
}

static void
test_keys(void)
{
	for (size_t i = 0; i < nitems(strings); i++) {
		auto_free char *text =
		    xasprintf("{\"%s\":{\"%s\":1},\"x\":[{\"%s\":\"v\"}]}",
			strings[i], strings[i], strings[i]);
		auto_json json_t *j = NULL;

		if (strstr(strings[i], "u0000") != NULL)
			continue; /* no JSON of ours has such a key */
		j = parse(text);
		if (!want(survives(j)))
			printf("# key %s\n", strings[i]);
	}
}

static void
test_values(void)
{
	static const char *const tv[] = {
		"{}",
		"{\"a\":null,\"b\":true,\"c\":false}",
		"{\"a\":0,\"b\":-1,\"c\":9223372036854775807,"
		"\"d\":-9223372036854775808}",
		"{\"a\":0.5,\"b\":-2.25,\"c\":1e22,\"d\":1.5e-7,"
		"\"e\":0.1,\"f\":1e-320,\"g\":1.7976931348623157e308}",
		"{\"a\":{},\"b\":[],\"c\":[[],{}],\"d\":{\"e\":{}}}",
		"{\"a\":[{\"b\":[{\"c\":1},2]},[[3]]]}",
		/* what the server says of itself does not count */
		"{\"kind\":\"Other\",\"apiVersion\":\"v9\",\"a\":1}",
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_json json_t *j = parse(tv[i]);

		if (!want(survives(j)))
			printf("# %s\n", tv[i]);
	}
}

/* How a document looks, for people. */
static void
test_form(void)
{
	auto_json json_t *j = parse(
	    "{\"metadata\":{\"name\":\"web\",\"labels\":{\"app\":\"web\","
	    "\"on\":\"no\"},\"generation\":3},\"spec\":{\"args\":[\"a b\",\"\"]"
	    ",\"none\":{},\"image\":\"r.io:5000/x:1\",\"ready\":true,"
	    "\"share\":0.1,\"much\":1.5e300,\"bytes\":18446744073709552000}}");
	auto_buf struct buf yaml = BUF_INIT(DOC_MAX);
	struct fx_err err = { 0 };
	auto_free char *text = NULL;

	want_int(yaml_write(&yaml, "apps/v1", "Deployment", j, &err), FX_OK);
	text = str_take(&yaml);
	want_str(text,
	    "---\n"
	    "apiVersion: apps/v1\n"
	    "kind: Deployment\n"
	    "metadata:\n"
	    "  name: web\n"
	    "  labels:\n"
	    "    app: web\n"
	    "    \"on\": \"no\"\n"
	    "  generation: 3\n"
	    "spec:\n"
	    "  args:\n"
	    "  - \"a b\"\n"
	    "  - \"\"\n"
	    "  none: {}\n"
	    "  image: \"r.io:5000/x:1\"\n"
	    "  ready: true\n"
	    "  share: 0.1\n"
	    "  much: 1.5e+300\n"
	    "  bytes: 1.8446744073709552e+19\n");
}

/* Documents follow each other. */
static void
test_stream(void)
{
	auto_json json_t *j = parse("{\"a\":\"x\\n\"}");
	auto_buf struct buf yaml = BUF_INIT(DOC_MAX);
	struct fx_err err = { 0 };
	struct yread *y;
	struct node *root;
	unsigned n = 0;

	for (int i = 0; i < 3; i++)
		want_int(yaml_write(&yaml, "v1", "Thing", j, &err), FX_OK);
	y = yread_new(buf_head(&yaml), buf_left(&yaml));
	while (yread_next(y, &root, &err) == FX_OK && root != NULL)
		n++;
	want_str(err.text, "");
	want_int(n, 3);
	yread_free(&y);
}

/* Lists in lists. */
static json_t *
nested(unsigned depth, unsigned width)
{
	json_t *j = json_array(), *outer;

	for (unsigned i = 0; i < width; i++)
		json_array_append_new(j, json_integer(0));
	for (unsigned i = 0; i < depth; i++) {
		outer = json_array();
		json_array_append_new(outer, j);
		j = outer;
	}
	return json_pack("{s:o}", "a", j);
}

static void
test_depth(void)
{
	auto_json json_t *deep = nested(YAML_DEPTH_MAX - 2, 3),
			 *deeper = nested(YAML_DEPTH_MAX, 3),
			 *wide = nested(YAML_DEPTH_MAX - 2, 100000);
	auto_buf struct buf yaml = BUF_INIT(DOC_MAX);
	struct fx_err err = { 0 };

	want(survives(deep));
	want_int(yaml_write(&yaml, "v1", "Thing", deeper, &err), FX_ELIMIT);
	want_str(err.text, "nested too deeply");
	buf_reset(&yaml);
	/* many elements far down: some bytes each, not an indentation each */
	want_int(yaml_write(&yaml, "v1", "Thing", wide, &err), FX_OK);
	want(buf_left(&yaml) < 100000 * 8);
}

static void
test_full(void)
{
	auto_json json_t *j = parse("{\"a\":\"0123456789\"}");
	auto_buf struct buf yaml = BUF_INIT(32);
	struct fx_err err = { 0 };

	want_int(yaml_write(&yaml, "v1", "Thing", j, &err), FX_ELIMIT);
	want_str(err.text, "longer than 32 bytes of YAML");
}

int
main(void)
{
	test_run("yaml: strings stay strings as values", test_strings);
	test_run("yaml: and as keys", test_keys);
	test_run("yaml: other values stay what they are", test_values);
	test_run("yaml: a document is what people would write", test_form);
	test_run("yaml: documents follow each other", test_stream);
	test_run("yaml: nesting is bounded, and so is its indentation",
	    test_depth);
	test_run("yaml: a document that is too long is refused", test_full);
	return test_done();
}
