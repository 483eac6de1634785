/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "body.h"
#include "clock.h"
#include "json.h"
#include "objects.h"
#include "status.h"
#include "str.h"
#include "takeover.h"
#include "test.h"
#include "threeway.h"
#include "write.h"

static json_t *
text_json(const char *s)
{
	struct fx_err err = { 0 };
	json_t *j = sw_json(s, strlen(s), &err);

	if (j == NULL)
		fx_bug("%s: %s", s, err.text);
	return j;
}

/* Compact, members sorted: to be compared. */
static char *
json_text(const json_t *j)
{
	struct buf b = BUF_INIT(1u << 20);

	if (j == NULL)
		return xstrdup("");
	if (write_json(&b, j, WRITE_GO) != FX_OK)
		fx_bug("a test's text is too long");
	return str_take(&b);
}

/* ---- text ------------------------------------------------------------- */

static void
test_forms(void)
{
	static const struct {
		const char *in, *go, *yaml;
	} tv[] = {
		{ "{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}",
		    "{\"b\":1,\"a\":2}" },
		{ "{\"a\":[0.1,1.0,-0.5,1e21,1e20,1e-7,1.5e300,-0.0]}",
		    "{\"a\":[0.1,1,-0.5,1e+21,100000000000000000000,1e-7,"
		    "1.5e+300,0]}",
		    NULL },
		{ "{\"a\":[true,false,null,\"null\",\"y\",{},[]]}",
		    "{\"a\":[true,false,null,\"null\",\"y\",{},[]]}", NULL },
		{ "{\"<\":\"<a>&\"}",
		    "{\"\\u003c\":\"\\u003ca\\u003e\\u0026\"}",
		    "{\"<\":\"<a>&\"}" },
		{ "{\"a\":\"\\b\\f\\n\\r\\t\\u0001\\\\\\\"\\/\"}",
		    "{\"a\":\"\\b\\f\\n\\r\\t\\u0001\\\\\\\"/\"}", NULL },
		{ "{\"a\":\"\x7f\xc2\x85\xe2\x80\xa8\xef\xbb\xbf\xc3\xa9\xf0"
		  "\x9f\x98\x80\"}",
		    "{\"a\":\"\x7f\xc2\x85\\u2028\xef\xbb\xbf\xc3\xa9\xf0\x9f"
		    "\x98\x80\"}",
		    "{\"a\":\"\\u007f\\u0085\\u2028\\ufeff\xc3\xa9\xf0\x9f\x98"
		    "\x80\"}" },
		{ "{\"a\":\"x\\u0000y\"}", "{\"a\":\"x\\u0000y\"}", NULL },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_json json_t *doc = text_json(tv[i].in);
		struct buf go = BUF_INIT(4096), yaml = BUF_INIT(4096);
		auto_free char *g = NULL, *y = NULL;

		want_int(write_json(&go, doc, WRITE_GO), FX_OK);
		want_int(write_json(&yaml, doc, WRITE_YAML), FX_OK);
		g = str_take(&go);
		y = str_take(&yaml);
		want_str(g, tv[i].go);
		want_str(y, tv[i].yaml != NULL ? tv[i].yaml : tv[i].go);
	}
}

/* A long name is no simple key of YAML, and has to be announced. */
static void
test_long_name(void)
{
	char name[1502];
	auto_json json_t *doc = json_object();
	struct buf b = BUF_INIT(4096), small = BUF_INIT(64);

	memset(name, 'k', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	json_object_set_new(doc, name, json_integer(1));
	want_int(write_json(&b, doc, WRITE_YAML), FX_OK);
	want(buf_left(&b) > 1500 && memcmp(buf_head(&b), "{? \"k", 5) == 0);
	want_int(write_json(&small, doc, WRITE_YAML), FX_ELIMIT);
	buf_clear(&b);
	buf_clear(&small);
}

static void
test_refused_numbers(void)
{
	static const char *const texts[] = {
		"{\"a\":9223372036854775808}",
		"{\"a\":-9223372036854775809}",
		"{\"a\":100000000000000000000}",
		"{\"a\":1e400}",
	};

	for (size_t i = 0; i < nitems(texts); i++) {
		struct buf b = buf_view(texts[i], strlen(texts[i]));
		struct fx_err err = { 0 };

		want(body_read(&b, &err) == NULL);
		want_int(err.code, FX_ELIMIT);
		want(strstr(err.text, "a number is beyond") != NULL);
	}
}

/* ---- taking over ------------------------------------------------------ */

#define ENTRY(manager, op, version, fields)                                    \
	"{\"manager\":\"" manager "\",\"operation\":\"" op                     \
	"\",\"apiVersion\":\"" version                                         \
	"\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":" fields ",\"time\":"     \
	"\"t\"}"
#define CSA "kubectl-client-side-apply"
#define A "{\"f:data\":{\"f:a\":{}}}"
#define B "{\"f:data\":{\"f:b\":{}}}"
#define RECORD                                                                 \
	"{\"f:metadata\":{\"f:annotations\":{\"f:kubectl.kubernetes.io/last-"  \
	"applied-configuration\":{}}}}"

static void
test_entries(void)
{
	static const struct {
		const char *what, *list, *out; /* "": nothing to do */
	} tv[] = {
		{ "ours alone", ENTRY("fluxd", "Apply", "v1", A), "" },
		{ "by name", ENTRY(CSA, "Update", "v1", A),
		    ENTRY("fluxd", "Apply", "v1", A) },
		{ "by what only it writes",
		    ENTRY("kubectl", "Update", "v1", RECORD),
		    ENTRY("fluxd", "Apply", "v1", RECORD) },
		{ "kubectl edit is somebody's will",
		    ENTRY("kubectl", "Update", "v1", A), "" },
		{ "kubectl apply --server-side too",
		    ENTRY("kubectl", "Apply", "v1", RECORD), "" },
		{ "of a subresource",
		    "{\"manager\":\"" CSA "\",\"operation\":\"Update\","
		    "\"subresource\":\"scale\",\"fieldsV1\":" A "}",
		    "" },
		{ "joined with ours",
		    ENTRY("fluxd", "Apply", "v1", B) "," ENTRY("x", "Update",
			"v1", A) "," ENTRY(CSA, "Update", "v1", A),
		    ENTRY("fluxd", "Apply", "v1",
			"{\"f:data\":{\"f:a\":{},\"f:b\":{}}}") "," ENTRY("x",
			"Update", "v1", A) },
		{ "of another version than ours: theirs is the newer",
		    ENTRY("fluxd", "Apply", "v1beta1", B) "," ENTRY(CSA,
			"Update", "v1", A),
		    ENTRY("fluxd", "Apply", "v1", A) },
		{ "of two versions: the one that is ours",
		    ENTRY("fluxd", "Apply", "v1beta1", B) "," ENTRY(CSA,
			"Update", "v1beta1",
			A) "," ENTRY(CSA, "Update", "v1", A),
		    ENTRY("fluxd", "Apply", "v1beta1",
			"{\"f:data\":{\"f:a\":{},\"f:b\":{}}}") },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *text = xasprintf("{\"resourceVersion\":\"7\","
						 "\"managedFields\":[%s]}",
		    tv[i].list);
		auto_free char *want_text = xasprintf(
		    "[{\"op\":\"replace\",\"path\":\"/metadata/managedFields\","
		    "\"value\":[%s]},{\"op\":\"replace\",\"path\":\"/metadata/"
		    "resourceVersion\",\"value\":\"7\"}]",
		    tv[i].out);
		auto_json json_t *meta = text_json(text);
		auto_json json_t *wanted = text_json(want_text);
		auto_free char *sorted = json_text(wanted);
		struct buf out = BUF_INIT(4096);
		auto_free char *got = NULL;

		printf("# %s\n", tv[i].what);
		want_int(takeover_has_entry(meta), tv[i].out[0] != '\0');
		want_int(takeover_patch(&out, meta, false),
		    tv[i].out[0] != '\0' ? FX_OK : FX_EUNKNOWN);
		got = str_take(&out);
		want_str(got, tv[i].out[0] != '\0' ? sorted : "");
	}
}

/* What is not a list of entries is nothing to take over, and no trouble. */
static void
test_odd_entries(void)
{
	static const char *const texts[] = {
		"{}",
		"{\"managedFields\":7}",
		"{\"managedFields\":[7,null,[],{}]}",
		"{\"managedFields\":[{\"manager\":[],\"operation\":{}}]}",
		"{\"annotations\":[],\"managedFields\":[{\"operation\":"
		"\"Update\",\"fieldsV1\":{\"f:metadata\":[]}}]}",
	};

	for (size_t i = 0; i < nitems(texts); i++) {
		auto_json json_t *meta = text_json(texts[i]);

		want(!takeover_has_entry(meta));
		want(!takeover_has_annotation(meta));
		want(takeover_last(meta) == NULL);
	}
}

static void
test_strip(void)
{
	auto_json json_t *meta = text_json(
	    "{\"resourceVersion\":\"7\",\"annotations\":{\"" LAST_APPLIED
	    "\":\"{\\\"a\\\":1}\"}}");
	auto_json json_t *last = takeover_last(meta);
	struct buf out = BUF_INIT(4096);
	auto_free char *got = NULL;

	want_int(json_integer_value(json_object_get(last, "a")), 1);
	want_int(takeover_patch(&out, meta, false), FX_EUNKNOWN);
	want_int(takeover_patch(&out, meta, true), FX_OK);
	got = str_take(&out);
	want(strstr(got,
		 "{\"op\":\"remove\",\"path\":\"/metadata/annotations/"
		 "kubectl.kubernetes.io~1last-applied-configuration\"}") !=
	    NULL);
}

static void
test_annotate(void)
{
	static const struct {
		const char *git, *record;
	} tv[] = {
		{ "{\"kind\":\"A\",\"metadata\":{\"name\":\"n\"}}",
		    "{\"kind\":\"A\",\"metadata\":{\"annotations\":{},"
		    "\"name\":\"n\"}}\n" },
		{ "{\"status\":{},\"kind\":\"A\",\"metadata\":{\"name\":\"n\","
		  "\"annotations\":{\"b\":null,\"a\":\"<\",\"" LAST_APPLIED
		  "\":\"old\"}}}",
		    "{\"kind\":\"A\",\"metadata\":{\"annotations\":{\"a\":\"\\"
		    "u003c\",\"b\":null},\"name\":\"n\"},\"status\":{}}\n" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_json json_t *git = text_json(tv[i].git);
		auto_json json_t *doc = json_deep_copy(git);

		want(takeover_annotate(doc, git));
		want_str(sw_json_str(sw_json_at(doc, "metadata", "annotations"),
			     LAST_APPLIED),
		    tv[i].record);
	}
}

/* kubectl's limit is the server's: all annotations together. */
static void
test_annotate_limit(void)
{
	size_t room = 262144 - strlen(LAST_APPLIED) -
	    strlen("{\"data\":\"\",\"metadata\":{\"annotations\":{}}}\n");

	for (size_t more = 0; more < 2; more++) {
		auto_free char *text = xcalloc(room + more + 1, 1);
		auto_json json_t *git = NULL;

		memset(text, 'x', room + more);
		git = json_pack("{s:s, s:{}}", "data", text, "metadata");
		want_int(takeover_annotate(git, git), more == 0);
		want_int(sw_json_at(json_object_get(git, "metadata"),
			     "annotations", LAST_APPLIED) != NULL,
		    more == 0);
	}
}

/* ---- three-way merge -------------------------------------------------- */

static void
test_threeway(void)
{
	static const struct {
		bool strategic;
		const char *what, *last, *git, *live, *out;
	} tv[] = {
		{ true, "equal", "{\"a\":1}", "{\"a\":1}",
		    "{\"a\":1.0,\"x\":2}", "" },
		{ true, "set, changed", NULL,
		    "{\"a\":1,\"b\":{\"c\":2,\"d\":3}}",
		    "{\"b\":{\"c\":1,\"d\":3,\"x\":9}}",
		    "{\"a\":1,\"b\":{\"c\":2}}" },
		{ true, "left git", "{\"a\":1,\"b\":{\"c\":1,\"d\":1}}",
		    "{\"b\":{\"c\":1}}", "{\"a\":1,\"b\":{\"c\":1,\"d\":1}}",
		    "{\"a\":null,\"b\":{\"d\":null}}" },
		{ true, "left git, gone already", "{\"a\":1}", "{}",
		    "{\"x\":1}", "" },
		{ true, "without a record nothing goes", NULL, "{}",
		    "{\"a\":1}", "" },
		{ true, "another type", NULL, "{\"a\":{\"b\":1}}", "{\"a\":1}",
		    "{\"a\":{\"b\":1}}" },
		{ true, "a list without keys", NULL, "{\"args\":[\"a\"]}",
		    "{\"args\":[\"a\",\"b\"]}", "{\"args\":[\"a\"]}" },
		{ true, "one with the server's defaults", NULL,
		    "{\"rules\":[{\"port\":1}]}",
		    "{\"rules\":[{\"port\":1,\"protocol\":\"TCP\"}]}", "" },
		{ true, "an element by its key",
		    "{\"env\":[{\"name\":\"A\",\"value\":\"1\"},{\"name\":"
		    "\"B\"}]}",
		    "{\"env\":[{\"name\":\"A\",\"value\":\"2\"}]}",
		    "{\"env\":[{\"name\":\"A\",\"value\":\"1\"},{\"name\":"
		    "\"B\"},{\"name\":\"X\"}]}",
		    "{\"$setElementOrder/env\":[{\"name\":\"A\"}],\"env\":[{"
		    "\"name\":\"A\",\"value\":\"2\"},{\"$patch\":\"delete\","
		    "\"name\":\"B\"}]}" },
		{ true, "a new one", NULL,
		    "{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
		    "{\"containers\":[{\"name\":\"b\",\"x\":1}]}",
		    "{\"$setElementOrder/containers\":[{\"name\":\"a\"},{"
		    "\"name\":\"b\"}],\"containers\":[{\"name\":\"a\"}]}" },
		{ true, "another order", NULL,
		    "{\"env\":[{\"name\":\"A\"},{\"name\":\"B\"}]}",
		    "{\"env\":[{\"name\":\"B\"},{\"name\":\"A\"}]}",
		    "{\"$setElementOrder/env\":[{\"name\":\"A\"},{\"name\":"
		    "\"B\"}]}" },
		{ true, "twins are set as a whole", NULL,
		    "{\"env\":[{\"name\":\"A\",\"value\":\"1\"},{\"name\":"
		    "\"A\",\"value\":\"2\"}]}",
		    "{\"env\":[{\"name\":\"A\",\"value\":\"1\"}]}",
		    "{\"env\":[{\"$patch\":\"replace\"},{\"name\":\"A\","
		    "\"value\":\"1\"},{\"name\":\"A\",\"value\":\"2\"}]}" },
		{ true, "twins as they should be", NULL,
		    "{\"env\":[{\"name\":\"A\"},{\"name\":\"A\"}]}",
		    "{\"env\":[{\"name\":\"A\",\"x\":1},{\"name\":\"A\"}]}",
		    "" },
		{ true, "ports of a container", NULL,
		    "{\"ports\":[{\"containerPort\":80,\"name\":\"n\"}]}",
		    "{\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"}]}",
		    "{\"$setElementOrder/ports\":[{\"containerPort\":80}],"
		    "\"ports\":[{\"containerPort\":80,\"name\":\"n\"}]}" },
		{ true, "ports of a policy", NULL,
		    "{\"ports\":[{\"port\":80}]}",
		    "{\"ports\":[{\"port\":80},{\"port\":81}]}",
		    "{\"ports\":[{\"port\":80}]}" },
		{ true, "a set", "{\"finalizers\":[\"a\",\"b\"]}",
		    "{\"finalizers\":[\"b\",\"c\"]}",
		    "{\"finalizers\":[\"a\",\"b\",\"x\"]}",
		    "{\"$deleteFromPrimitiveList/finalizers\":[\"a\"],"
		    "\"finalizers\":[\"c\"]}" },
		{ false, "somebody's kind has lists without keys", NULL,
		    "{\"env\":[{\"name\":\"A\"}]}",
		    "{\"env\":[{\"name\":\"A\"},{\"name\":\"B\"}]}",
		    "{\"env\":[{\"name\":\"A\"}]}" },
		{ true, "an element without its key", NULL,
		    "{\"env\":[{\"value\":\"1\"}]}",
		    "{\"env\":[{\"name\":\"A\"}]}",
		    "{\"env\":[{\"value\":\"1\"}]}" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_json json_t *last =
		    tv[i].last != NULL ? text_json(tv[i].last) : NULL;
		auto_json json_t *git = text_json(tv[i].git);
		auto_json json_t *live = text_json(tv[i].live);
		auto_json json_t *patch =
		    threeway_patch(last, git, live, tv[i].strategic);
		auto_free char *got = json_text(patch);

		printf("# %s\n", tv[i].what);
		want_str(got, tv[i].out);
	}
}

static void
test_deletions(void)
{
	auto_json json_t *last = text_json(
	    "{\"a\":1,\"b\":{\"c\":1,\"d\":2},\"env\":[{\"name\":\"A\"},{"
	    "\"name\":\"B\"}],\"args\":[1,2]}");
	auto_json json_t *git = text_json("{\"b\":{\"c\":5},\"new\":1,\"env\":["
					  "{\"name\":\"A\",\"x\":1}],\"args\":"
					  "[1]}");
	auto_json json_t *patch = threeway_deletions(last, git, true);
	auto_json json_t *none = threeway_deletions(git, git, true);
	auto_free char *got = json_text(patch);

	want_str(got,
	    "{\"$setElementOrder/env\":[{\"name\":\"A\"}],\"a\":null,\"b\":{"
	    "\"d\":null},\"env\":[{\"$patch\":\"delete\",\"name\":\"B\"}]}");
	want(none == NULL);
}

/* ---- refusals --------------------------------------------------------- */

static void
test_refusals(void)
{
	static const struct {
		int http;
		const char *message;
		bool immutable, duplicate;
	} tv[] = {
		{ 422,
		    "Deployment.apps \\\"w\\\" is invalid: spec.selector: "
		    "Invalid value: {...}: field is immutable",
		    true, false },
		{ 422,
		    "Service \\\"s\\\" is invalid: spec.clusterIPs[0]: "
		    "Invalid value: [\\\"1\\\"]: may not change once set",
		    true, false },
		{ 422,
		    "PersistentVolumeClaim \\\"p\\\" is invalid: spec: "
		    "Forbidden: spec is immutable after creation except\\n"
		    " core.PersistentVolumeClaimSpec{",
		    true, false },
		{ 422,
		    "StatefulSet.apps \\\"s\\\" is invalid: spec: Forbidden:"
		    " updates to statefulset spec for fields other than "
		    "'replicas' are forbidden",
		    true, false },
		{ 422,
		    "RoleBinding \\\"r\\\" is invalid: roleRef: Invalid "
		    "value: {}: cannot change roleRef",
		    true, false },
		{ 422,
		    "Deployment.apps \\\"w\\\" is invalid: spec.replicas: "
		    "Invalid value: -1",
		    false, false },
		/* a conflict is no proof of anything */
		{ 409, "field is immutable", false, false },
		{ 500,
		    "failed to create typed patch object (s/w; apps/v1, "
		    "Kind=Deployment): .spec.env: duplicate entries for key "
		    "[name=\\\"A\\\"]",
		    false, true },
		{ 422, "duplicate entries for key", false, false },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *body =
		    xasprintf("{\"kind\":\"Status\",\"message\":\"%s\"}",
			tv[i].message);
		struct sw_status st;

		status_read(&st, tv[i].http, NULL, body, strlen(body));
		want_int(st.immutable, tv[i].immutable);
		want_int(st.duplicate, tv[i].duplicate);
	}
}

/* Of a long text the beginning and the end are shown, and all of it counts. */
static void
test_long_refusal(void)
{
	auto_free char *middle = xcalloc(20001, 1);
	auto_free char *body = NULL;
	struct sw_status st;

	memset(middle, 'x', 20000);
	body = xasprintf("{\"kind\":\"Status\",\"message\":\"begin %s field is "
			 "immutable %s end\"}",
	    middle, middle);
	status_read(&st, 422, NULL, body, strlen(body));
	want(st.immutable);
	want(strlen(st.message) < SW_MESSAGE_MAX);
	want(str_starts(st.message, "begin x"));
	want(str_ends(st.message, "x end"));
	want(strstr(st.message, " ... ") != NULL);
}

/* ---- patience --------------------------------------------------------- */

static int64_t now;

static void
test_fights(void)
{
	/* seconds until the next repair may come, for each in a row */
	static const int waits[] = { 0, 0, 4, 8, 16, 32, 64, 128, 256, 300,
		300 };
	struct object o = { .id = (char *)(uintptr_t) "o" };

	now = 1000 * CLK_SEC;
	clk_fake(&now, &now);
	for (size_t i = 0; i < nitems(waits); i++) {
		object_repaired(&o);
		want_int((o.not_before_us - clk_now_us()) / CLK_SEC, waits[i]);
		want_int(object_is_contested(&o), i >= 3);
		now = o.not_before_us + CLK_SEC;
	}
	/* a minute of peace, and it is forgotten */
	now = o.not_before_us + 61 * CLK_SEC;
	want(!object_is_contested(&o));
	object_repaired(&o);
	want_int(o.fights, 0);
	want_int(o.not_before_us, clk_now_us());
	clk_fake(NULL, NULL);
}

static void
test_patience(void)
{
	static const int waits[] = { 0, 10, 20, 40, 80, 160, 225, 225 };
	struct object o = { .id = (char *)(uintptr_t) "o" };

	now = 1000 * CLK_SEC;
	clk_fake(&now, &now);
	for (size_t i = 0; i < nitems(waits); i++) {
		object_refused(&o, 225 * CLK_SEC);
		want_int((o.retry_us - clk_now_us()) / CLK_SEC, waits[i]);
	}
	/* another content is worth another try at once */
	object_changed(&o);
	want_int(o.retry_us, 0);
	clk_fake(NULL, NULL);
}

static void
test_writers(void)
{
	auto_json json_t *meta = text_json(
	    "{\"managedFields\":["
	    "{\"manager\":\"fluxd\",\"operation\":\"Apply\",\"time\":\"9\"},"
	    "{\"manager\":\"old\",\"operation\":\"Update\",\"time\":\"1\"},"
	    "{\"manager\":\"twin-a\",\"operation\":\"Update\",\"time\":\"3\"},"
	    "{\"manager\":\"twin-b\",\"operation\":\"Update\",\"time\":\"3\"},"
	    "{\"manager\":\"kubelet\",\"operation\":\"Update\",\"time\":\"8\","
	    "\"subresource\":\"status\"},"
	    "{\"manager\":\"hpa\\n\",\"operation\":\"Update\",\"time\":\"5\","
	    "\"subresource\":\"scale\"},"
	    "{\"manager\":\"oldest\",\"operation\":\"Update\",\"time\":\"0\"}]"
	    "}");
	auto_json json_t *nobody = text_json("{\"managedFields\":[7,{}]}");
	auto_free char *text = fields_writers(meta);

	want_str(text, "hpa\\x0a, twin-a, twin-b, old");
	want(fields_writers(nobody) == NULL);
	want(fields_writers(NULL) == NULL);
}

int
main(void)
{
	test_run("write: what YAML reads the same, and what Go writes",
	    test_forms);
	test_run("write: names beyond YAML's simple keys, and limits",
	    test_long_name);
	test_run("bodies: numbers that the server would change are refused",
	    test_refused_numbers);
	test_run("take-over: whose entries, and what becomes of them",
	    test_entries);
	test_run("take-over: odd metadata", test_odd_entries);
	test_run("take-over: the record is read and taken off", test_strip);
	test_run("take-over: the record in kubectl's form", test_annotate);
	test_run("take-over: no record beyond the server's limit",
	    test_annotate_limit);
	test_run("three-way: what becomes a patch", test_threeway);
	test_run("three-way: deletions alone", test_deletions);
	test_run("status: immutable fields and twins", test_refusals);
	test_run("status: long texts", test_long_refusal);
	test_run("objects: a fight is fought ever more rarely", test_fights);
	test_run("objects: a refusal is not repeated in every pass",
	    test_patience);
	test_run("fields: who else writes", test_writers);
	return test_done();
}
