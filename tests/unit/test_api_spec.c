/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "scalar.h"
#include "spec.h"
#include "str.h"
#include "target.h"
#include "test.h"

#define ANY "\x01" /* an error whose text is ours */

struct parsed {
	const char *text;
	const char *error; /* NULL: accepted */
};

static void
want_parsed(const struct parsed *p, int r, const struct fx_err *err)
{
	if (!want_int(r == FX_OK, p->error == NULL))
		printf("# %s: %s\n", p->text, err->text);
	if (p->error != NULL && strcmp(p->error, ANY) != 0)
		want_str(err->text, p->error);
}

static void
test_update(void)
{
#define IMAGE(s) "{\"type\":\"image\",\"spec\":{" s "}}"
#define CONTAINERS(s)                                                          \
	"{\"type\":\"containers\",\"spec\":{\"ContainerSpecs\":" s "}}"
#define POLICY(s) "{\"type\":\"policy\",\"spec\":" s "}"
	static const struct parsed tv[] = {
		{ "", "EOF" },
		{ "nope",
		    "invalid character 'o' in literal null (expecting 'u')" },
		{ "{}", "unknown spec type: " },
		{ "null", "unknown spec type: " },
		{ "5", ANY },
		{ "{\"type\":\"zz\",\"spec\":{}}", "unknown spec type: zz" },
		{ "{\"type\":7}", ANY },
		{ "{\"type\":\"image\"}", "unexpected end of JSON input" },
		{ "{\"type\":\"image\",\"spec\":null}", NULL },
		{ "{\"type\":\"image\",\"spec\":[]}", ANY },
		{ "{\"TYPE\":\"sync\",\"SPEC\":{}} junk", NULL },
		{ "{\"type\":\"sync\",\"cause\":null,\"spec\":null}", NULL },
		{ "{\"type\":\"sync\",\"cause\":7,\"spec\":{}}", ANY },
		{ IMAGE("\"ServiceSpecs\":[\"zzz\"],\"ImageSpec\":\"a:b:c\""),
		    NULL },
		{ IMAGE("\"ServiceSpecs\":\"<all>\""), ANY },
		{ IMAGE("\"ServiceSpecs\":[7]"), ANY },
		{ IMAGE("\"Force\":\"yes\""), ANY },
		{ IMAGE("\"Excludes\":null"), NULL },
		{ IMAGE("\"Excludes\":[\"bad\"]"),
		    "parsing bad: invalid service ID" },
		{ IMAGE("\"Excludes\":[\"a:b/c\",\"\"]"), NULL },
		{ CONTAINERS("{\"a:b/c\":[{\"Container\":\"x\","
			     "\"Current\":\"\",\"Target\":\"y:1\"}]}"),
		    "parsing \"\": blank image name: invalid image ID" },
		{ CONTAINERS("{\"a:b/c\":[{\"Container\":\"x\","
			     "\"Target\":\"y:1\"}]}"),
		    NULL },
		{ CONTAINERS("{\"bad\":[]}"),
		    "parsing bad: invalid service ID" },
		{ CONTAINERS("{\"a:b/c\":{}}"), ANY },
		{ CONTAINERS("null"), NULL },
		{ POLICY("{\"bad\":{}}"), "parsing bad: invalid service ID" },
		{ POLICY("{\"a:b/c\":{\"add\":[\"automated\"],"
			 "\"remove\":null}}"),
		    NULL },
		{ POLICY("{\"a:b/c\":{\"add\":{\"automated\":\"true\"}}}"),
		    NULL },
		{ POLICY("{\"a:b/c\":{\"add\":{\"automated\":true}}}"), ANY },
		{ POLICY("{\"a:b/c\":{\"add\":\"automated\"}}"), ANY },
		{ POLICY("{\"a:b/c\":null}"), NULL },
		{ POLICY("[]"), ANY },
		{ "{\"type\":\"auto\",\"spec\":{\"Changes\":[]}}", NULL },
		{ "{\"type\":\"auto\",\"spec\":{\"Changes\":[{\"WorkloadID\":"
		  "\"a:b/c\",\"Container\":{\"Name\":\"x\",\"Image\":\"y\"},"
		  "\"ImageID\":\"y:1\"}]}}",
		    NULL },
		{ "{\"type\":\"auto\",\"spec\":{\"Changes\":[{\"WorkloadID\":"
		  "\"bad\"}]}}",
		    "parsing bad: invalid service ID" },
		{ "{\"type\":\"sync\",\"spec\":{},\"cause\":{\"User\":"
		  "\"a\\nb\"}}",
		    ANY },
		{ "{\"type\":\"sync\",\"spec\":{},\"cause\":{\"User\":"
		  "\"a\\u0000b\"}}",
		    ANY },
		{ "{\"type\":\"sync\",\"spec\":{},\"cause\":{\"Message\":"
		  "\"a\\u001bb\"}}",
		    ANY },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct spec_update u = { 0 };
		struct fx_err err = { 0 };

		want_parsed(&tv[i],
		    spec_update_parse(tv[i].text, strlen(tv[i].text), &u, &err),
		    &err);
		spec_update_clear(&u);
	}
}

static void
test_cause(void)
{
	static const char text[] =
	    "{\"type\":\"sync\",\"cause\":{\"Message\":\"l1\\nl2\",\"user\":"
	    "\"Ada L <ada@example.org>\"},\"spec\":{}}";
	struct spec_update u = { 0 };
	struct fx_err err = { 0 };
	struct buf b = BUF_INIT(SPEC_MAX_TEXT + 2);
	auto_free char *s = NULL;

	want_int(spec_update_parse(text, strlen(text), &u, &err), FX_OK);
	want_int(u.type, SPEC_SYNC);
	want_str(u.user, "Ada L <ada@example.org>");
	want_str(u.message, "l1\nl2");
	spec_update_clear(&u);
	for (int i = 0; i <= SPEC_MAX_TEXT; i++)
		str_addc(&b, 'x');
	s = str_take(&b);
	want_int(spec_cause_check("", s, &err), FX_ELIMIT);
	want_int(spec_cause_check("", s + 1, &err), FX_OK);
	want_int(spec_cause_check(s, "", &err), FX_ELIMIT);
}

static void
test_change(void)
{
	static const struct {
		const char *text;
		bool image;
		const char *url, *branch, *name, *error;
	} tv[] = {
		{ "{\"Kind\":\"git\",\"Source\":{\"URL\":\"git@h:a/b\","
		  "\"Branch\":\"main\"}}",
		    false, "git@h:a/b", "main", "", NULL },
		{ "{\"kind\":\"git\",\"source\":{\"url\":\"u\"}}", false, "u",
		    "", "", NULL },
		{ "{\"Kind\":\"git\",\"Source\":null}", false, "", "", "",
		    NULL },
		{ "{\"Kind\":\"image\",\"Source\":{\"Name\":{\"Domain\":"
		  "\"r.example.org\",\"Image\":\"shop/web\"}}}",
		    true, "", "", "r.example.org/shop/web", NULL },
		{ "{\"Kind\":\"image\",\"Source\":{\"Name\":{\"Image\":"
		  "\"web\"}}}",
		    true, "", "", "web", NULL },
		{ "{\"Kind\":\"image\",\"Source\":{\"Name\":\"web\"}}", false,
		    NULL, NULL, NULL, ANY },
		{ "{\"Kind\":\"zz\",\"Source\":{}}", false, NULL, NULL, NULL,
		    "unknown kind of change" },
		{ "null", false, NULL, NULL, NULL, "unknown kind of change" },
		{ "{\"Kind\":\"git\"}", false, NULL, NULL, NULL,
		    "unexpected end of JSON input" },
		{ "{\"Kind\":\"git\",\"Source\":{\"URL\":7}}", false, NULL,
		    NULL, NULL, ANY },
		{ "", false, NULL, NULL, NULL, "EOF" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		const struct parsed p = { tv[i].text, tv[i].error };
		struct spec_change c = { 0 };
		struct fx_err err = { 0 };

		want_parsed(&p,
		    spec_change_parse(tv[i].text, strlen(tv[i].text), &c, &err),
		    &err);
		want_int(c.image, tv[i].image);
		want_str(c.url, tv[i].url);
		want_str(c.branch, tv[i].branch);
		want_str(c.name, tv[i].name);
		spec_change_clear(&c);
	}
}

static void
test_bool(void)
{
	static const struct {
		const char *text;
		bool value;
		const char *error;
	} tv[] = {
		{ "true", true, NULL },
		{ "false", false, NULL },
		{ "null", false, NULL },
		{ "true false", true, NULL },
		{ "", false, "EOF" },
		{ "1", false, ANY },
		{ "\"true\"", false, ANY },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		const struct parsed p = { tv[i].text, tv[i].error };
		struct fx_err err = { 0 };
		bool v = false;

		want_parsed(&p,
		    spec_bool_parse(tv[i].text, strlen(tv[i].text), &v, &err),
		    &err);
		want_int(v, tv[i].value);
	}
}

static void
test_types(void)
{
#define INTO(what, where) "json: cannot unmarshal " what " into Go " where
	static const struct parsed tv[] = {
		{ "{\"type\":7}",
		    INTO("number", "struct field .type of type string") },
		{ "{\"type\":\"sync\",\"cause\":[],\"spec\":{}}",
		    INTO("array", "struct field .cause of type update.Cause") },
		{ "{\"type\":\"sync\",\"cause\":{\"User\":true}}",
		    INTO("bool",
			"struct field Cause.cause.User of type string") },
		{ IMAGE("\"Force\":\"yes\""),
		    INTO("string",
			"struct field ReleaseImageSpec.Force of type bool") },
		{ IMAGE("\"ServiceSpecs\":\"<all>\""),
		    INTO("string",
			"struct field ReleaseImageSpec.ServiceSpecs of type "
			"[]update.ResourceSpec") },
		{ CONTAINERS("{\"a:b/c\":[{\"Container\":{}}]}"),
		    INTO("object",
			"struct field ContainerUpdate.ContainerSpecs.Container "
			"of type string") },
		{ POLICY("{\"a:b/c\":{\"add\":{\"automated\":true}}}"),
		    INTO("bool", "value of type string") },
		{ POLICY("[]"),
		    INTO("array", "value of type resource.PolicyUpdates") },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct spec_update u = { 0 };
		struct fx_err err = { 0 };

		want_parsed(&tv[i],
		    spec_update_parse(tv[i].text, strlen(tv[i].text), &u, &err),
		    &err);
		spec_update_clear(&u);
	}
}

struct rewritten {
	const char *in;
	const char *out; /* NULL: it is none */
};

static void
want_rewritten(const struct rewritten *t, size_t n,
    int (*write)(struct buf *, const char *, struct fx_err *))
{
	for (size_t i = 0; i < n; i++) {
		struct buf b = BUF_INIT(1u << 20);
		struct fx_err err = { 0 };
		auto_free char *s = NULL;

		if (!want_int(write(&b, t[i].in, &err) == FX_OK,
			t[i].out != NULL))
			printf("# %s: %s\n", t[i].in, err.text);
		s = str_take(&b);
		want_str(s, t[i].out == NULL ? "" : t[i].out);
	}
}

static void
test_update_write(void)
{
#define SPEC(type, spec)                                                       \
	"{\"type\":\"" type "\",\"cause\":{\"Message\":\"\",\"User\":\"\"},"   \
	"\"spec\":" spec "}"
	static const struct rewritten tv[] = {
		{ "{\"Spec\":{\"Kind\":\"execute\",\"ImageSpec\":\"<all latest>"
		  "\",\"excludes\":[\"a:B/c\",\"\"],\"Force\":true,\"x\":[1]},"
		  "\"cause\":{\"user\":\"Ada <a@b>\",\"message\":\"m\\u2028\"},"
		  "\"type\":\"image\"} trailing",
		    "{\"type\":\"image\",\"cause\":{\"Message\":\"m\\u2028\","
		    "\"User\":\"Ada \\u003ca@b\\u003e\"},\"spec\":{"
		    "\"ServiceSpecs\":null,\"ImageSpec\":\"\\u003call latest"
		    "\\u003e\",\"Kind\":\"execute\",\"Excludes\":[\"a:b/c\","
		    "\"\"],\"Force\":true}}" },
		{ IMAGE(""),
		    SPEC("image",
			"{\"ServiceSpecs\":null,\"ImageSpec\":\"\",\"Kind\":"
			"\"\",\"Excludes\":null,\"Force\":false}") },
		/* an image that is none is left out, whoever wrote it */
		{ CONTAINERS(
		      "{\"z:b/c\":null,\"a:b/c\":[{\"Container\":\"x\","
		      "\"Current\":\"\",\"Target\":\"y:1@sha256:ab\"}]}"),
		    SPEC("containers",
			"{\"Kind\":\"\",\"ContainerSpecs\":{\"a:b/c\":[{"
			"\"Container\":\"x\",\"Target\":\"y@sha256:ab\"}],"
			"\"z:b/c\":null},\"SkipMismatches\":false,"
			"\"Force\":false}") },
		{ POLICY("{\"a:b/c\":{\"add\":[\"locked\",\"automated\"],"
			 "\"remove\":{\"tag.x\":\"glob:*\"}},\"a:B/d\":null}"),
		    SPEC("policy",
			"{\"a:b/c\":{\"add\":{\"automated\":\"true\","
			"\"locked\":\"true\"},\"remove\":{\"tag.x\":"
			"\"glob:*\"}},\"a:b/d\":{\"add\":null,\"remove\":"
			"null}}") },
		{ POLICY("null"), SPEC("policy", "null") },
		{ "{\"type\":\"sync\",\"spec\":{\"x\":1}}",
		    SPEC("sync", "{}") },
		{ "{\"type\":\"auto\",\"spec\":{\"Changes\":[{\"WorkloadID\":"
		  "\"a:b/c\",\"Container\":{\"Name\":\"x\",\"Image\":\"\"},"
		  "\"ImageID\":\"y:1\"}]}}",
		    SPEC("auto",
			"{\"Changes\":[{\"WorkloadID\":\"a:b/c\",\"Container\":"
			"{\"Name\":\"x\"},\"ImageID\":\"y:1\"}]}") },
		{ "{\"type\":\"\",\"spec\":{}}", NULL },
		{ "{\"type\":\"zz\",\"spec\":{}}", NULL },
		{ "{\"type\":\"image\"}", NULL },
		{ IMAGE("\"Excludes\":[\"bad\"]"), NULL },
		{ CONTAINERS("{\"a:b/c\":[{\"Target\":\"a:b:c\"}]}"), NULL },
		{ "{\"type\":\"sync\",\"spec\":", NULL },
		{ "[]", NULL },
		{ "null", NULL },
		{ "", NULL },
	};

	want_rewritten(tv, nitems(tv), spec_update_write);
}

static void
test_result_write(void)
{
	static const struct rewritten tv[] = {
		{ "{\"shop:deployment/web\":{\"PerContainer\":[{\"Target\":"
		  "\"a:2\",\"Container\":\"web\",\"Current\":\"a:1\"}],"
		  "\"Status\":\"success\"},\"shop:deployment/api\":{\"Status\":"
		  "\"ignored\",\"Error\":\"not included\"}}",
		    "{\"shop:deployment/"
		    "api\":{\"Status\":\"ignored\",\"Error\":"
		    "\"not included\",\"PerContainer\":null},\"shop:deployment/"
		    "web\":{\"Status\":\"success\",\"PerContainer\":[{"
		    "\"Container\":\"web\",\"Current\":\"a:1\",\"Target\":"
		    "\"a:2\"}]}}" },
		{ "{\"a:b/c\":{\"Status\":\"success\",\"Error\":\"\","
		  "\"PerContainer\":[]},\"a:B/c\":null}",
		    "{\"a:b/c\":{\"Status\":\"\",\"PerContainer\":null}}" },
		{ "{\"a:b/c\":{\"PerContainer\":[{\"Current\":\"\"}]}}",
		    "{\"a:b/c\":{\"Status\":\"\",\"PerContainer\":[{"
		    "\"Container\":\"\"}]}}" },
		/* nothing is not shown as a table of nothing */
		{ "{}", NULL },
		{ "null", NULL },
		{ "{\"bad\":{}}", NULL },
		{ "{\"a:b/c\":{\"Status\":7}}", NULL },
		{ "{\"a:b/c\":{\"PerContainer\":[{\"Target\":\":x\"}]}}",
		    NULL },
		{ "nope", NULL },
		{ "", NULL },
	};

	want_rewritten(tv, nitems(tv), spec_result_write);
}

static void
test_ids(void)
{
	static const struct {
		const char *text;
		bool ok;
	} tv[] = {
		{ "shop:Deployment/web", true },
		{ "Shop:deployment/Web", true },
		{ "deployment/web", true },
		{ "deployment/web.v2", false },
		{ "<cluster>:clusterrole/system:x", true },
		{ "sh.op:deployment/web", false },
		{ "shop:deployment/a/b", false },
		{ "shop:a:b", false },
		{ "web", false },
		{ "", false },
		{ "shop:deployment/", false },
		{ ":deployment/x", false },
		{ "<all>", false },
		{ "shop:deployment/web\n", false },
	};
	struct fx_err err = { 0 };

	for (size_t i = 0; i < nitems(tv); i++)
		if (!want_int(scalar_resource_id(tv[i].text, &err) == FX_OK,
			tv[i].ok))
			printf("# %s\n", tv[i].text);
	want_int(scalar_resource_spec("<all>", &err), FX_OK);
	want_int(scalar_resource_spec("zzz", &err), FX_ESYNTAX);
	want_str(err.text,
	    "invalid workload spec: parsing zzz: invalid service ID");
}

static void
test_image_specs(void)
{
	static const struct parsed tv[] = {
		{ "<all latest>", NULL },
		{ "alpine:3", NULL },
		{ "alpine",
		    "blank tag (if you want latest, explicitly state the tag "
		    ":latest): invalid image ID" },
		{ "", "parsing \"\": blank image name: invalid image ID" },
	};
	struct fx_err err = { 0 };

	for (size_t i = 0; i < nitems(tv); i++)
		want_parsed(&tv[i], scalar_image_spec(tv[i].text, &err), &err);
	want_int(scalar_release_kind("plan", &err), FX_OK);
	want_int(scalar_release_kind("execute", &err), FX_OK);
	want_int(scalar_release_kind("Plan", &err), FX_ESYNTAX);
	want_str(err.text, "invalid release kind");
}

/* However long a name is, an error begins with what was wrong with it. */
static void
test_wrap(void)
{
	char name[TARGET_MAX + 1];
	struct fx_err err = { 0 };

	memset(name, '\x01', TARGET_MAX);
	name[TARGET_MAX] = '\0';
	want_int(scalar_resource_id(name, &err), FX_ESYNTAX);
	want_int(scalar_wrap(&err, "parsing service spec", name), FX_ESYNTAX);
	want(str_starts(err.text, "parsing service spec \"\\x01\\x01"));
	want_int(strlen(err.text), FX_ERR_TEXT_MAX - 1);
	want(strspn(err.text + strlen("parsing service spec \""), "\\x01") ==
	    strlen(err.text + strlen("parsing service spec \"")));
}

int
main(void)
{
	test_run("spec: update bodies are taken and refused as upstream does",
	    test_update);
	test_run("spec: who and why are short and printable", test_cause);
	test_run("spec: changes", test_change);
	test_run("spec: a bare boolean", test_bool);
	test_run("scalar: resource ids", test_ids);
	test_run("spec: the texts of Go's decoder", test_types);
	test_run("spec: what notes hold, as Go's encoder writes it",
	    test_update_write);
	test_run("spec: what jobs did, as Go's encoder writes it",
	    test_result_write);
	test_run("scalar: image specs and release kinds", test_image_specs);
	test_run("scalar: a name longer than an error", test_wrap);
	return test_done();
}
