/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "answer.h"
#include "clock.h"
#include "test.h"
#include "wait.h"

#define JSON_TYPE "application/json; charset=utf-8"

static struct reply
make_reply(long status, const char *line, const char *type, const char *body)
{
	struct reply reply = { .status = status };

	reply.status_line = xstrdup(line);
	reply.content_type = xstrdup(type);
	buf_init(&reply.body, 1024);
	want_int(buf_put(&reply.body, body, strlen(body)), FX_OK);
	return reply;
}

static void
test_errors(void)
{
	/* clang-format off */
	static const struct {
		long status;
		const char *line, *type, *body;
		bool shaped;
		const char *text;
	} tv[] = {
		{ 422, "422 Unprocessable Entity", JSON_TYPE,
		  "{\"type\":\"user\",\"help\":\"Help.\\n\",\"error\":\"short\"}", true, "Help.\n" },
		/* any case of the names, but not of the type */
		{ 500, "500 Internal Server Error", JSON_TYPE,
		  "{\"Type\":\"user\",\"HELP\":\"Help.\",\"Error\":\"short\"}", true, "Help." },
		/* not shaped: without error, or with an empty one */
		{ 400, "400 Bad Request", JSON_TYPE, "{}", false, "executing HTTP request: 400 Bad Request {}" },
		{ 400, "400 Bad Request", JSON_TYPE, "{\"help\":\"x\",\"error\":\"\"}", false,
		  "executing HTTP request: 400 Bad Request {\"help\":\"x\",\"error\":\"\"}" },
		{ 422, "422 X", "Application/JSON", "{\"error\":\"e\"}", false, "executing HTTP request: 422 X {\"error\":\"e\"}" },
		{ 400, "400 Bad Request", JSON_TYPE, "null", false, "executing HTTP request: 400 Bad Request null" },
		{ 400, "400 Bad Request", JSON_TYPE, "{\"help\":7}", false, "executing HTTP request: decoding response body of error: "
		  "json: cannot unmarshal number into Go struct field .help of type string" },
		/* what only the library refuses is in its words */
		{ 400, "400 Bad Request", JSON_TYPE, "{\"help\":\"\\u0000\"}", false, "executing HTTP request: decoding response body of error: "
		  "\\u0000 is not allowed without JSON_ALLOW_NUL near '\"\\u0000\"'" },
		/* the status is what the server sent */
		{ 500, "500 Oh no", "text/plain", "boom\n", false, "executing HTTP request: 500 Oh no boom\n" },
		{ 302, "302 Found", "", "", false, "executing HTTP request: 302 Found " },
		/* a shaped body counts only as JSON */
		{ 422, "422 X", "text/plain", "{\"error\":\"e\"}", false, "executing HTTP request: 422 X {\"error\":\"e\"}" },
		{ 200, "200 OK", JSON_TYPE, "", false, "decoding response from server: EOF" },
	};
	/* clang-format on */

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_error struct ctl_error err = { 0 };
		auto_reply struct reply reply = make_reply(tv[i].status,
		    tv[i].line, tv[i].type, tv[i].body);
		json_t *json = NULL;

		want(answer_json(&reply, false, &json, &err) != FX_OK);
		want_int(err.shaped, tv[i].shaped);
		want_str(err.text, tv[i].text);
	}
}

static void
test_authentication(void)
{
	auto_error struct ctl_error err = { 0 };
	auto_reply struct reply reply =
	    make_reply(401, "401 Unauthorized", "text/plain", "no");
	json_t *json = NULL;

	want(answer_json(&reply, true, &json, &err) != FX_OK);
	want(err.shaped);
	want(strstr(err.text, "FLUX_SERVICE_TOKEN") != NULL);
	want(strstr(err.text, "--token") != NULL);
}

static void
test_success(void)
{
	static const struct {
		long status;
		bool post;
		const char *body;
		bool ok, value;
	} tv[] = {
		{ 200, false, "[]", true, true },
		{ 201, false, "\"x\"", true, true },
		{ 202, true, "", true, false },
		{ 204, true, "", true, false },
		{ 200, true, "{\"a\":1}", true, true },
		/* GET reads a stream, POST a whole document */
		{ 200, false, "{} junk", true, true },
		{ 200, true, "{} junk", false, false },
		{ 200, true, "nope", false, false },
		{ 200, false, "{", false, false },
		{ 203, false, "{}", false, false },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_error struct ctl_error err = { 0 };
		auto_reply struct reply reply =
		    make_reply(tv[i].status, "?", JSON_TYPE, tv[i].body);
		auto_json json_t *json = NULL;

		want_int(answer_json(&reply, tv[i].post, &json, &err) == FX_OK,
		    tv[i].ok);
		want_int(json != NULL, tv[i].value);
	}
}

/* Deeper than the parser's limit: an error, not a stack overflow. */
static void
test_depth(void)
{
	auto_error struct ctl_error err = { 0 };
	auto_reply struct reply reply =
	    make_reply(200, "200 OK", JSON_TYPE, "");
	json_t *json = NULL;

	reply.body.max = CLIENT_BODY_MAX;
	for (size_t i = 0; i < 1000000; i++)
		if (buf_put(&reply.body, "[", 1) != FX_OK)
			break;
	want_int(buf_left(&reply.body), 1000000);
	want(answer_json(&reply, false, &json, &err) != FX_OK);
}

static void
test_fields(void)
{
	static const struct {
		const char *object;
		bool ok;
		const char *value;
	} tv[] = {
		{ "{\"Err\":\"x\"}", true, "x" },
		{ "{\"err\":\"x\"}", true, "x" },
		{ "{\"ERR\":\"x\",\"Err\":\"y\"}", true, "y" },
		{ "{}", true, "" },
		{ "{\"Err\":null}", true, "" },
		{ "{\"Err\":1}", false, NULL },
		{ "{\"Err\":{}}", false, NULL },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_error struct ctl_error err = { 0 };
		auto_json json_t *json = json_loads(tv[i].object, 0, NULL);
		const char *value = NULL;

		want(json != NULL);
		want_int(answer_string(json, "Err", &value, &err) == FX_OK,
		    tv[i].ok);
		want_str(value, tv[i].value);
	}
}

/* 100 ms, doubled up to 5 s, nothing past the deadline. */
static void
test_backoff(void)
{
	static const int64_t ms[] = { 100, 200, 400, 800, 1600, 3200, 5000,
		5000 };
	struct backoff b = {
		.delay_us = 100 * CLK_MS,
		.cap_us = 5 * CLK_SEC,
		.deadline_us = 17 * CLK_SEC,
	};
	int64_t now = 0, wait = 0;

	for (size_t i = 0; i < nitems(ms); i++) {
		if (!backoff_next(&b, now, &wait))
			break;
		want_int(wait, ms[i] * CLK_MS);
		now += wait;
	}
	/* 11.3 s are over: 5 s more are within 17 s, then no more */
	want_int(now, 16300 * CLK_MS);
	want(!backoff_next(&b, now, &wait));
}

static void
test_backoff_edges(void)
{
	static const struct {
		int64_t deadline, now;
		bool again;
	} tv[] = {
		{ 1000, 0, true },
		{ 1000, 1, false },
		{ 0, 0, false },
		{ -5000, 0, false },
		{ INT64_MAX, 0, true },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct backoff b = { 1000, 4000, tv[i].deadline };
		int64_t wait;

		want_int(backoff_next(&b, tv[i].now, &wait), tv[i].again);
	}
}

int
main(void)
{
	test_run("answer: each failure has its form and text", test_errors);
	test_run("answer: 401 tells about tokens", test_authentication);
	test_run("answer: successes by status and method", test_success);
	test_run("answer: depth is limited", test_depth);
	test_run("answer: names match in any case, exact ones first",
	    test_fields);
	test_run("wait: delays double up to the cap and end in time",
	    test_backoff);
	test_run("wait: the deadline itself is still in time",
	    test_backoff_edges);
	return test_done();
}
