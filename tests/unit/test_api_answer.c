/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "answer.h"
#include "str.h"
#include "test.h"

static void
test_negotiate(void)
{
	static const struct {
		const char *accept;
		enum answer_form want;
	} tv[] = {
		{ NULL, FORM_SHORT },
		{ "", FORM_SHORT },
		{ "*/*", FORM_SHORT },
		{ "image/png", FORM_SHORT },
		{ "application/*", FORM_SHORT },
		{ "application/json", FORM_JSON },
		{ "text/plain", FORM_HELP },
		{ "text/plain, application/json", FORM_JSON },
		{ "application/json;q=0.5, text/plain", FORM_HELP },
		{ "application/json; q=0.5, text/plain;q=0.4", FORM_JSON },
		{ "text/plain;q=0.1,*/*", FORM_HELP },
		{ "application/json;q=0", FORM_JSON },
		{ "application/json;version=1;q=0.2, text/plain;q=0.3",
		    FORM_HELP },
		/* a broken quality ends its line */
		{ "text/plain;q=x, application/json", FORM_JSON },
		{ "image/png, text/plain;q=7", FORM_SHORT },
		/* junk only */
		{ ",", FORM_JSON },
		{ "()", FORM_JSON },
		/* several headers */
		{ "image/png\napplication/json", FORM_JSON },
		{ "()\ntext/plain", FORM_HELP },
		{ "\napplication/json", FORM_SHORT },
		{ "Application/JSON", FORM_SHORT },
	};

	for (size_t i = 0; i < nitems(tv); i++)
		if (!want_int(answer_negotiate(tv[i].accept), tv[i].want))
			printf("# Accept: %s\n", tv[i].accept);
}

static const char json[] = "application/json";

/* Status, type and whole or beginning of the body. */
static void
want_answer(struct answer *a, unsigned status, const char *type,
    const char *begins)
{
	auto_free char *body = str_take(&a->body);

	want_int(a->status, status);
	want_str(a->type, type);
	if (!want(str_starts(body, begins)))
		printf("#  got [%s]\n", body);
	answer_clear(a);
}

static void
test_errors(void)
{
	struct answer a;

	answer_init(&a);
	answer_no_route(&a, NULL, "/v6/nosuch");
	want_answer(&a, 404, ANSWER_TEXT, "API endpoint not found");
	answer_no_route(&a, json, "/v6/<\"");
	want(memmem(a.body.data, a.body.len, "/v6/\\u003c\\\"", 12) != NULL);
	want_answer(&a, 404, ANSWER_JSON, "{\"type\":\"missing\",\"help\":\"");
	answer_deprecated(&a, "*/*");
	want_answer(&a, 410, ANSWER_TEXT, "API endpoint deprecated");
	answer_no_job(&a, "*/*", "x");
	want_answer(&a, 404, ANSWER_TEXT, "unknown job \"x\"");
	answer_no_job(&a, NULL, "a\"\n\x7f");
	want_answer(&a, 404, ANSWER_TEXT, "unknown job \"a\\\"\\n\\x7f\"");
	answer_no_job(&a, "text/plain", "x");
	want_answer(&a, 404, ANSWER_TEXT, "Job not found\n\n");
	answer_bad_request(&a, "text/plain", "why");
	want_answer(&a, 400, ANSWER_TEXT, "why");
	answer_bad_request(&a, json, "why");
	want_answer(&a, 400, ANSWER_JSON,
	    "{\"type\":\"user\",\"help\":\"why\\n\",\"error\":\"why\"}");
	answer_failed(&a, NULL, "why");
	want_answer(&a, 422, ANSWER_TEXT, "why");
	answer_failed(&a, "text/plain", "why");
	want_answer(&a, 422, ANSWER_TEXT, "Error: why\n\n");
	answer_failed(&a, json, "why");
	want_answer(&a, 422, ANSWER_JSON,
	    "{\"type\":\"user\",\"help\":\"Error: why\\n\\n");
	answer_unsupported(&a, NULL, "why");
	want_answer(&a, 422, ANSWER_TEXT, "why");
	answer_unsupported(&a, json, "why");
	want_answer(&a, 422, ANSWER_JSON,
	    "{\"type\":\"user\",\"help\":\"Error: why\\n\\nThe request was "
	    "understood, and nothing was changed: ");
	answer_trouble(&a, json, 503, "why");
	want_answer(&a, 503, ANSWER_JSON,
	    "{\"type\":\"server\",\"help\":\"Error: why\\n\","
	    "\"error\":\"why\"}");
	answer_no_page(&a);
	want(a.nosniff);
	want_answer(&a, 404, ANSWER_TEXT, "404 page not found\n");
}

static void
test_redirect(void)
{
	struct answer a;

	answer_init(&a);
	answer_redirect(&a, "/x y\"", "a=<b>&c", true);
	want_str(a.location, "/x%20y%22?a=<b>&c");
	want_answer(&a, 301, "text/html; charset=utf-8",
	    "<a href=\"/x%20y%22?a=&lt;b&gt;&amp;c\">Moved Permanently</a>."
	    "\n\n");
	answer_redirect(&a, "/x", NULL, false);
	want_str(a.location, "/x");
	want(a.type == NULL);
	answer_clear(&a);
}

/* An answer begun and then replaced leaves nothing behind. */
static void
test_replaced(void)
{
	struct answer a;

	answer_init(&a);
	str_add(answer_json(&a), "[\"half");
	a.close = true;
	answer_failed(&a, NULL, "no");
	want(a.close);
	want_int(buf_left(&a.body), 2);
	want_answer(&a, 422, ANSWER_TEXT, "no");
}

int
main(void)
{
	test_run("answer: Accept is read by upstream's rules", test_negotiate);
	test_run("answer: errors have upstream's shapes", test_errors);
	test_run("answer: redirects are Go's", test_redirect);
	test_run("answer: an error replaces what was begun", test_replaced);
	return test_done();
}
