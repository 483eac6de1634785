/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "note.h"
#include "str.h"
#include "test.h"

#define JOB "\"jobID\":\"7d0a2f11-0b1c-4e5d-8a90-1234567890ab\""
#define CAUSE(message, user)                                                   \
	"\"cause\":{\"Message\":\"" message "\",\"User\":\"" user "\"}"
#define NOTE(type, cause, spec, result)                                        \
	"{" JOB ",\"spec\":{\"type\":\"" type "\"," cause ",\"spec\":" spec    \
	"},\"result\":" result "}\n"

#define IMAGE_SPEC(workloads)                                                  \
	"{\"ServiceSpecs\":[" workloads                                        \
	"],\"ImageSpec\":\"quay.io/acme/app:1.1\",\"Kind\":\"execute\","       \
	"\"Excludes\":null,\"Force\":false}"
#define CONTAINER(current, target)                                             \
	"{\"Container\":\"app\",\"Current\":\"" current                        \
	"\",\"Target\":\"" target "\"}"
#define DONE(containers)                                                       \
	"{\"Status\":\"success\",\"PerContainer\":[" containers "]}"
#define APP CONTAINER("quay.io/acme/app:1.0", "quay.io/acme/app:1.1")
#define RESULT                                                                 \
	"{\"prod:deployment/web\":" DONE(                                      \
	    APP) ",\"prod:helmrelease/db\":{\"Status\":\"skipped\","           \
		 "\"Error\":\"locked\",\"PerContainer\":null}}"
#define CONTAINER_SPECS                                                        \
	"{\"Kind\":\"execute\",\"ContainerSpecs\":{\"prod:deployment/"         \
	"web\":[" APP "]},\"SkipMismatches\":true,\"Force\":false}"
#define AUTO_SPEC                                                              \
	"{\"Changes\":[{\"WorkloadID\":\"prod:deployment/web\","               \
	"\"Container\":{\"Name\":\"app\",\"Image\":\"quay.io/acme/app:1.0\"}," \
	"\"ImageID\":\"quay.io/acme/app:1.1\"}]}"

static const char *const types[] = { [NOTE_RELEASE] = "release",
	[NOTE_AUTO] = "auto",
	[NOTE_POLICY] = "policy",
	[NOTE_OTHER] = "other" };

/* "type: text", or "! " and the error. */
static char *
read_note(const char *text, size_t n)
{
	struct note note = { 0 };
	struct fx_err err = { 0 };
	char *out;

	if (note_parse(text, n, &note, &err) != FX_OK) {
		want(note.job == NULL);
		return xasprintf("! %s", err.text);
	}
	if (note.type == NOTE_RELEASE || note.type == NOTE_AUTO) {
		auto_free char *event = note_event_text(&note);

		out = xasprintf("%s: %s", types[note.type], event);
	} else {
		out = xstrdup(types[note.type]);
	}
	note_clear(&note);
	return out;
}

static void
test_notes(void)
{
	static const struct {
		const char *text, *wanted;
	} tv[] = {
		{ NOTE("image", CAUSE("", "Ann \\u003cann@example.com\\u003e"),
		      IMAGE_SPEC("\"prod:deployment/web\""), RESULT),
		    "release: Released: quay.io/acme/app:1.1 to "
		    "prod:deployment/web, by Ann <ann@example.com>" },
		/* both spellings of < and > */
		{ NOTE("image", CAUSE("", "Ann <ann@example.com>"),
		      IMAGE_SPEC("\"prod:deployment/web\""), RESULT),
		    "release: Released: quay.io/acme/app:1.1 to "
		    "prod:deployment/web, by Ann <ann@example.com>" },
		{ NOTE("image", CAUSE("say \\\"hi\\\"\\nnow", "ada"),
		      IMAGE_SPEC("\"<all>\""), RESULT),
		    "release: Released: quay.io/acme/app:1.1 to all "
		    "workloads, by ada, with message \"say "
		    "\\\"hi\\\"\\nnow\"" },
		{ NOTE("image", CAUSE("", ""),
		      IMAGE_SPEC("\"prod:deployment/web\""), "{}"),
		    "release: Released: no image changes to no workloads" },
		{ NOTE("image", CAUSE("", ""), IMAGE_SPEC("\"a:b/c\""), "null"),
		    "release: Released: no image changes to no workloads" },
		{ NOTE("containers", CAUSE("fix", "ada"), CONTAINER_SPECS,
		      RESULT),
		    "release: Released: quay.io/acme/app:1.1 to "
		    "prod:deployment/web, by ada, with message \"fix\"" },
		/* what upstream writes and cannot read back */
		{ NOTE("containers", CAUSE("", ""),
		      "{\"ContainerSpecs\":{\"prod:deployment/web\":["
		      "{\"Container\":\"app\",\"Current\":\"\",\"Target\":"
		      "\"a:2\"}]}}",
		      "{\"prod:deployment/web\":" DONE(
			  CONTAINER("", "a:2")) "}"),
		    "release: Released: a:2 to prod:deployment/web" },
		{ NOTE("auto", CAUSE("", ""), AUTO_SPEC, RESULT),
		    "auto: Automated release of quay.io/acme/app:1.1" },
		/* distinct targets, sorted as texts; workloads sorted */
		{ NOTE("auto", CAUSE("", ""), "{\"Changes\":null}",
		      "{\"b:deployment/x\":" DONE(CONTAINER("a:1",
			  "a:v2") "," CONTAINER("a:1",
			  "a:v10")) ",\"a:deployment/x\":" DONE(CONTAINER("a:1",
			  "a:v2")) ",\"a:deployment/y\":{\"Status\":"
				   "\"ignored\",\"PerContainer\":[" CONTAINER(
				       "a:1", "a:v3") "]}}"),
		    "auto: Automated release of a:v10, a:v2" },
		{ NOTE("image", CAUSE("", ""), IMAGE_SPEC("\"x:y/z\""),
		      "{\"b:deployment/x\":" DONE(
			  "") ",\"a:deployment/y\":" DONE("") "}"),
		    "release: Released: no image changes to a:deployment/y, "
		    "b:deployment/x" },
		/* a tag beside a digest is not printed */
		{ NOTE("auto", CAUSE("", ""), "{\"Changes\":[]}",
		      "{\"b:deployment/x\":" DONE(
			  CONTAINER("a:1", "a:2@sha256:ab")) "}"),
		    "auto: Automated release of a@sha256:ab" },
		{ NOTE("policy", CAUSE("", ""),
		      "{\"prod:deployment/web\":{\"add\":{\"automated\":"
		      "\"true\",\"tag.app\":\"semver:~1.0\"},\"remove\":"
		      "{\"locked\":\"true\"}}}",
		      "null"),
		    "policy" },
		{ NOTE("policy", CAUSE("", ""),
		      "{\"prod:deployment/web\":{\"add\":[\"automated\"],"
		      "\"remove\":null}}",
		      "null"),
		    "policy" },
		{ NOTE("sync", CAUSE("", ""), "{}", "null"), "other" },
		/* the old form of an id */
		{ NOTE("auto", CAUSE("", ""), "{}",
		      "{\"prod/web\":" DONE(APP) "}"),
		    "auto: Automated release of quay.io/acme/app:1.1" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *got = read_note(tv[i].text, strlen(tv[i].text));

		if (!want_str(got, tv[i].wanted))
			printf("# of %s\n", tv[i].text);
	}
}

/* A34: what is not a note, or not quite one. */
static void
test_hostile(void)
{
#define POLICY(x) NOTE("policy", CAUSE("", ""), x, "null")
#define IMAGE(spec) NOTE("image", CAUSE("", ""), spec, "null")
#define JOBS(id) "{\"jobID\":" id ",\"spec\":{\"type\":\"sync\"}}"
	static const struct {
		const char *text, *wanted; /* NULL: any error */
	} tv[] = {
		{ "", NULL },
		{ "hello", NULL },
		{ "[]", "note is not as it should be" },
		{ "{}", "jobID is not as it should be" },
		{ "{} {}", NULL },
		{ JOBS("\"\""), "jobID is not as it should be" },
		{ JOBS("3"), "jobID is not as it should be" },
		{ JOBS("\"a b\""), "jobID is not as it should be" },
		{ JOBS("\"a\\nts=1 err=forged\""),
		    "jobID is not as it should be" },
		{ JOBS("\"../../etc/passwd\""),
		    "jobID is not as it should be" },
		{ JOBS("\"0123456789012345678901234567890123456789012345678901"
		       "2345678901234\""),
		    "jobID is not as it should be" },
		{ JOBS("\"a\\u0000b\""), NULL },
		{ "{" JOB "}", "unknown spec type: " },
		{ NOTE("reboot", CAUSE("", ""), "{}", "null"),
		    "unknown spec type: reboot" },
		{ "{" JOB ",\"spec\":3}", "spec is not as it should be" },
		{ "{" JOB ",\"spec\":{\"type\":\"sync\",\"cause\":[]}}",
		    "cause is not as it should be" },
		{ "{" JOB ",\"spec\":{\"type\":\"sync\",\"cause\":{\"User\":"
		  "{}}}}",
		    "User is not as it should be" },
		{ NOTE("sync", CAUSE("", ""), "3", "null"),
		    "spec is not as it should be" },
		{ NOTE("sync", CAUSE("", ""), "{}", "[]"),
		    "result is not as it should be" },
		{ NOTE("sync", CAUSE("", ""), "{}", "{\"x\":{}}"),
		    "parsing x: invalid service ID" },
		{ NOTE("sync", CAUSE("", ""), "{}", "{\"a:b/c\":3}"),
		    "result is not as it should be" },
		{ NOTE("sync", CAUSE("", ""), "{}",
		      "{\"a:b/c\":{\"PerContainer\":{}}}"),
		    "PerContainer is not as it should be" },
		{ NOTE("sync", CAUSE("", ""), "{}",
		      "{\"a:b/c\":{\"PerContainer\":[3]}}"),
		    "container is not as it should be" },
		{ NOTE("sync", CAUSE("", ""), "{}",
		      "{\"a:b/c\":" DONE(CONTAINER("a:b:c", "a")) "}"),
		    "expected image name as either <image>:<tag> or just "
		    "<image>: invalid image ID" },
		{ IMAGE("{\"ServiceSpecs\":\"x\"}"),
		    "ServiceSpecs is not as it should be" },
		{ IMAGE("{\"ServiceSpecs\":[1]}"),
		    "ServiceSpecs is not as it should be" },
		{ IMAGE("{\"Excludes\":[\"x y\"]}"),
		    "parsing x y: invalid service ID" },
		{ NOTE("auto", CAUSE("", ""), "{\"Changes\":[{}]}", "null"),
		    "parsing : invalid service ID" },
		{ NOTE("auto", CAUSE("", ""), "{\"Changes\":[0]}", "null"),
		    "Changes is not as it should be" },
		{ NOTE("containers", CAUSE("", ""),
		      "{\"ContainerSpecs\":{\"a:b/c\":{}}}", "null"),
		    "ContainerSpecs is not as it should be" },
		{ POLICY("{\"a:b/c\":{\"add\":{\"automated\":true}}}"),
		    "add is not as it should be" },
		{ POLICY("{\"a:b/c\":{\"remove\":[1]}}"),
		    "remove is not as it should be" },
		{ POLICY("{\"a:b/c\":null}"),
		    "policy update is not as it should be" },
		{ POLICY("{\"a\":{}}"), "parsing a: invalid service ID" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *got = read_note(tv[i].text, strlen(tv[i].text));

		want(str_starts(got, "! "));
		if (tv[i].wanted != NULL)
			want_str(got + 2, tv[i].wanted);
	}
}

/* A34: sizes and depths. */
static void
test_bounds(void)
{
	static const struct {
		const char *before, *piece;
		size_t n;
		const char *error; /* in the text */
	} tv[] = {
		{ "", "[", 1000000, "more than 262144 bytes" },
		{ "", "[", NOTE_MAX, "maximum parsing depth" },
		{ "{\"jobID\":", "{\"a\":", NOTE_MAX / 5 - 3,
		    "maximum parsing depth" },
		{ "", "x", 100 << 20, "more than 262144 bytes" },
		{ "\"", "x", NOTE_MAX - 1, "! " },
		{ "[", "{},", NOTE_MAX / 3 - 1, "! " },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		size_t b = strlen(tv[i].before), k = strlen(tv[i].piece);
		size_t n = b + k * tv[i].n;
		char *text = xmalloc(n);
		auto_free char *got = NULL;

		memcpy(text, tv[i].before, b);
		for (size_t at = b; at < n; at += k)
			memcpy(text + at, tv[i].piece, k);
		got = read_note(text, n);
		if (!want(strstr(got, tv[i].error) != NULL))
			printf("# [%s]\n", got);
		free(text);
	}
}

/* A35: what people wrote is shown without harm. */
static void
test_texts(void)
{
	static const char note[] = NOTE("image",
	    CAUSE("\\u001b[31mred\\u202e\\r\\n",
		"eve\\nts=2020 err=forged \\u001b[2J\\u202e"),
	    IMAGE_SPEC("\"<all>\""), "{}");
	struct buf many = BUF_INIT(NOTE_MAX);
	auto_free char *got = read_note(note, strlen(note)), *text = NULL,
		       *cut = NULL;
	size_t n;

	want_str(got,
	    "release: Released: no image changes to all workloads, by "
	    "eve\\x0ats=2020 err=forged \\x1b[2J\\u{202e}, with message "
	    "\"\\x1b[31mred\\u202e\\r\\n\"");
	want_int(str_addf(&many,
		     "{" JOB ",\"spec\":{\"type\":\"auto\"},\"result\":{"),
	    FX_OK);
	for (int i = 0; i < 400; i++)
		want_int(str_addf(&many,
			     "%s\"ns:deployment/w%d\":" DONE(CONTAINER("",
				 "registry.example.org/team/"
				 "app-%d:1")),
			     i == 0 ? "" : ",", i, i),
		    FX_OK);
	want_int(str_add(&many, "}}"), FX_OK);
	text = str_take(&many);
	cut = read_note(text, strlen(text));
	n = strlen(cut);
	want(n > NOTE_TEXT_CUT && n <= NOTE_TEXT_MAX);
	want_str(cut + n - 3, "...");
}

/* What clients are shown of a note: what they can read, whatever stands there.
 */
static void
test_shown(void)
{
#define SHOWN(type, cause, spec)                                               \
	"{\"type\":\"" type "\"," cause ",\"spec\":" spec "}"
	static const struct {
		const char *text, *spec, *result; /* NULL: nothing */
	} tv[] = {
		{ NOTE("image", CAUSE("m", "u"), IMAGE_SPEC("\"<all>\""),
		      RESULT),
		    SHOWN("image", CAUSE("m", "u"), IMAGE_SPEC("\"<all>\"")),
		    "{\"prod:deployment/web\":{\"Status\":\"success\","
		    "\"PerContainer\":[" APP "]},"
		    "\"prod:helmrelease/db\":{\"Status\":\"skipped\","
		    "\"Error\":\"locked\",\"PerContainer\":null}}" },
		/* images that are empty; upstream's client reads none of it */
		{ NOTE("containers", CAUSE("", ""),
		      "{\"ContainerSpecs\":{\"a:b/c\":[" CONTAINER("",
			  "a:2") "]}}",
		      "{\"a:b/c\":" DONE(CONTAINER("", "")) "}"),
		    SHOWN("containers", CAUSE("", ""),
			"{\"Kind\":\"\",\"ContainerSpecs\":{\"a:b/c\":["
			"{\"Container\":\"app\",\"Target\":\"a:2\"}]},"
			"\"SkipMismatches\":false,\"Force\":false}"),
		    "{\"a:b/c\":{\"Status\":\"success\","
		    "\"PerContainer\":[{\"Container\":\"app\"}]}}" },
		{ NOTE("auto", CAUSE("", ""), AUTO_SPEC, "{}"),
		    SHOWN("auto", CAUSE("", ""), AUTO_SPEC), "" },
		{ NOTE("policy", CAUSE("", ""),
		      "{\"a:b/c\":{\"add\":[\"automated\"]}}", "null"),
		    SHOWN("policy", CAUSE("", ""),
			"{\"a:b/c\":{\"add\":{\"automated\":\"true\"},"
			"\"remove\":null}}"),
		    "" },
		/* what nobody knows is not passed on, in no spelling */
		{ "{" JOB ",\"JobID\":3,\"spec\":{\"type\":\"sync\","
		  "\"Cause\":[],\"spec\":{\"x\":1}},\"more\":{},"
		  "\"result\":{\"a:B/c\":{\"status\":7,\"Status\":"
		  "\"ignored\",\"perContainer\":1}}}",
		    SHOWN("sync", CAUSE("", ""), "{}"),
		    "{\"a:b/c\":{\"Status\":\"ignored\","
		    "\"PerContainer\":null}}" },
		/* what has another type than clients want */
		{ IMAGE("{\"Force\":\"yes\"}"), NULL, NULL },
		{ IMAGE("{\"Kind\":1}"), NULL, NULL },
		{ IMAGE("{\"ImageSpec\":{}}"), NULL, NULL },
		{ NOTE("containers", CAUSE("", ""), "{\"SkipMismatches\":0}",
		      "null"),
		    NULL, NULL },
		{ NOTE("", CAUSE("", ""), "{}", "null"), NULL, NULL },
		{ NOTE("sync", CAUSE("", ""), "{}",
		      "{\"a:b/c\":{\"Error\":[]}}"),
		    NULL, NULL },
		/* of another job */
		{ "{\"jobID\":\"7d0a\",\"spec\":{\"type\":\"sync\"}}", NULL,
		    NULL },
		{ "{\"jobID\":\"x\",\"spec\":{\"type\":\"sync\",\"cause\":"
		  "{\"Message\":\"7d0a2f11-0b1c-4e5d-8a90-1234567890ab\"}}}",
		    NULL, NULL },
	};
	static const char job[] = "7d0a2f11-0b1c-4e5d-8a90-1234567890ab";

	for (size_t i = 0; i < nitems(tv); i++) {
		struct note_shown s = { 0 };
		struct fx_err err = { 0 };
		int r = note_show(tv[i].text, strlen(tv[i].text), job, 65536,
		    65536, &s, &err);

		if (want_int(r == FX_OK, tv[i].spec != NULL) && r == FX_OK) {
			want_str(s.spec, tv[i].spec);
			want_str(s.result, tv[i].result);
			note_shown_clear(&s);
			/* what is too long is not there */
			want_int(note_show(tv[i].text, strlen(tv[i].text), job,
				     strlen(tv[i].spec) - 1, 65536, &s, &err),
			    FX_OK);
			want_str(s.spec, "");
			want_str(s.result, tv[i].result);
		} else if (r != FX_OK) {
			want(err.text[0] != '\0');
		}
		note_shown_clear(&s);
	}
}

#define EVENT(type, ids, metadata)                                             \
	"{\"id\":0,\"serviceIDs\":[" ids "],\"type\":\"" type                  \
	"\",\"startedAt\":\"2020-03-01T10:00:00.5Z\",\"endedAt\":"             \
	"\"2020-03-01T10:00:01Z\",\"logLevel\":\"info\",\"metadata\":{"        \
	"\"Revision\":\"0123\",\"result\":" metadata "}}"
#define FAILED(id, error)                                                      \
	"\"" id "\":{\"Status\":\"failed\",\"Error\":\"" error                 \
	"\",\"PerContainer\":null}"
#define CAUSED(message, user)                                                  \
	",\"cause\":{\"Message\":\"" message "\",\"User\":\"" user "\"}"
#define OF_IMAGE(spec)                                                         \
	",\"spec\":{\"Type\":\"releaseImageSpecType\","                        \
	"\"ReleaseImageSpec\":" spec ",\"ReleaseContainersSpec\":null}"
#define WEB "\"prod:deployment/web\""

static char *
event_of(const char *text, bool *cut)
{
	struct note note = { 0 };
	struct fx_err err = { 0 };
	char *json = NULL;

	if (want_int(note_parse(text, strlen(text), &note, &err), FX_OK))
		json = note_event_json(&note, "0123", 1583056800500000,
		    1583056801000000, cut);
	note_clear(&note);
	return json;
}

static void
test_json(void)
{
	static const struct {
		const char *text, *wanted;
	} tv[] = {
		{ NOTE("image", CAUSE("", "ada"), IMAGE_SPEC("\"<all>\""),
		      RESULT),
		    EVENT("release", WEB,
			"{\"prod:deployment/web\":" DONE(
			    APP) ",\"prod:helmrelease/db\":{\"Status\":"
				 "\"skipped\",\"Error\":\"locked\","
				 "\"PerContainer\":null}}" OF_IMAGE(
				     IMAGE_SPEC("\"\\u003call\\u003e\""))
				     CAUSED("", "ada")) },
		/* nothing done, two failures, keys in no order */
		{ NOTE("image", CAUSE("a & b", ""), IMAGE_SPEC(""),
		      "{" FAILED("z:b/c", "no") "," FAILED("a:b/c", "not") "}"),
		    EVENT("release", "",
			"{" FAILED("a:b/c", "not") "," FAILED("z:b/c",
			    "no") "},\"error\":\"Multiple workloads failed: "
				  "a:b/c, z:b/c\"" OF_IMAGE(IMAGE_SPEC(""))
				      CAUSED("a \\u0026 b", "")) },
		{ NOTE("containers", CAUSE("", ""), CONTAINER_SPECS,
		      "{" FAILED("a:b/c", "not") "}"),
		    EVENT("release", "",
			"{" FAILED("a:b/c",
			    "not") "},\"error\":\"a:b/c failed: not\","
				   "\"spec\":{\"Type\":"
				   "\"releaseContainersSpecType\","
				   "\"ReleaseImageSpec\":null,"
				   "\"ReleaseContainersSpec\":" CONTAINER_SPECS
				   "}" CAUSED("", "")) },
		{ NOTE("auto", CAUSE("", ""), AUTO_SPEC, "null"),
		    EVENT("autorelease", "", "null,\"spec\":" AUTO_SPEC) },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		bool cut = true;
		auto_free char *json = event_of(tv[i].text, &cut);

		want_str(json, tv[i].wanted);
		want(!cut);
	}
}

/* A result that is too long goes; a spec that is is told by nobody. */
static void
test_long_json(void)
{
	static const char before[] = "{" JOB ",\"spec\":{\"type\":\"image\","
				     "\"spec\":{\"ImageSpec\":\"";
	struct buf result = BUF_INIT(NOTE_MAX), spec = BUF_INIT(NOTE_MAX);
	auto_free char *one = NULL, *two = NULL, *json = NULL;
	bool cut = false;

	(void)str_addf(&result, "%sx\"}},\"result\":{", before);
	for (int i = 0; i < 2000; i++)
		(void)str_addf(&result,
		    "%s\"a-long-namespace:deployment/a-long-name-%d\":" DONE(
			""),
		    i == 0 ? "" : ",", i);
	(void)str_add(&result, "}}");
	one = str_take(&result);
	json = event_of(one, &cut);
	want(cut && json != NULL && strlen(json) <= NOTE_EVENT_MAX);
	want(json != NULL && strstr(json, ",\"result\":null,") != NULL &&
	    strstr(json, "\"ImageSpec\":\"x\"") != NULL);
	(void)str_add(&spec, before);
	for (int i = 0; i < 30000; i++)
		(void)str_add(&spec, "<<<<<");
	(void)str_add(&spec, "\"}}}");
	two = str_take(&spec);
	want_str(event_of(two, &cut), NULL);
}

int
main(void)
{
	note_open(1);
	test_run("note: what upstream writes is read and told in its words",
	    test_notes);
	test_run("A34: note: clients are shown what they can read", test_shown);
	test_run("A34: note: what is not as it should be is refused",
	    test_hostile);
	test_run("A34: note: size and depth are bounded", test_bounds);
	test_run("A35: note: texts are shown without harm", test_texts);
	test_run("note: its event as upstream's encoder writes it", test_json);
	test_run("A34: note: an event has a limit", test_long_json);
	return test_done();
}
