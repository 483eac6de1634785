/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "jsonr.h"
#include "jsonw.h"
#include "str.h"
#include "test.h"

static void
test_write(void)
{
	static const struct {
		const char *in, *out;
	} tv[] = {
		{ NULL, "\"\"" },
		{ "plain", "\"plain\"" },
		{ "Ada L <ada@example.org> & Co",
		    "\"Ada L \\u003cada@example.org\\u003e \\u0026 Co\"" },
		{ "a\"b\\c/d", "\"a\\\"b\\\\c/d\"" },
		{ "l1\nl2\r\tx", "\"l1\\nl2\\r\\tx\"" },
		{ "\x01\x1b\x7f", "\"\\u0001\\u001b\\u007f\"" },
		{ "\xe2\x80\xae", "\"\\u202e\"" },
		{ "\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\"" },
		{ "\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
		{ "a\xff"
		  "b\xc3",
		    "\"a\\ufffdb\\ufffd\"" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct buf b = BUF_INIT(256);
		auto_free char *s = NULL;

		jw_string(&b, tv[i].in);
		s = str_take(&b);
		want_str(s, tv[i].out);
	}
}

/* What Go's stream decoder says about a body. */
static void
test_syntax(void)
{
	static const struct {
		const char *text, *error;
	} tv[] = {
		{ "", "EOF" },
		{ " \n", "EOF" },
		{ "{} junk", NULL },
		{ " null", NULL },
		{ "-0.5e+10,", NULL },
		{ "[-18446744073709551616,{\"a\":18446744073709551616}]",
		    NULL },
		{ "[1,2.5,true,false,\"\\u00e9\\n\"]", NULL },
		{ "nope",
		    "invalid character 'o' in literal null (expecting 'u')" },
		{ "tru\x01",
		    "invalid character '\\x01' in literal true "
		    "(expecting 'e')" },
		{ "nul", "unexpected EOF" },
		{ "{\"a\":", "unexpected EOF" },
		{ "'x'",
		    "invalid character '\\'' looking for beginning of value" },
		{ "[1,]",
		    "invalid character ']' looking for beginning of value" },
		{ "[1 2]", "invalid character '2' after array element" },
		{ "[01]", "invalid character '1' after array element" },
		{ "{a:1}",
		    "invalid character 'a' looking for beginning of object "
		    "key string" },
		{ "{\"a\" 1}", "invalid character '1' after object key" },
		{ "{\"a\":1 \"b\"}",
		    "invalid character '\"' after object key:value pair" },
		{ "\"a\nb\"", "invalid character '\\n' in string literal" },
		{ "\"\\x\"", "invalid character 'x' in string escape code" },
		{ "\"\\u00g0\"",
		    "invalid character 'g' in \\u hexadecimal character "
		    "escape" },
		{ "-x", "invalid character 'x' in numeric literal" },
		{ "1.x",
		    "invalid character 'x' after decimal point in numeric "
		    "literal" },
		{ "1ex",
		    "invalid character 'x' in exponent of numeric literal" },
		{ "\xff",
		    "invalid character '\xc3\xbf' looking for beginning of "
		    "value" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct fx_err err = { 0 };
		auto_json json_t *v =
		    jr_parse(tv[i].text, strlen(tv[i].text), &err);

		want_int(v != NULL, tv[i].error == NULL);
		if (tv[i].error != NULL)
			want_str(err.text, tv[i].error);
	}
}

static char *
repeat(const char *head, const char *s, size_t n, const char *tail)
{
	struct buf b = BUF_INIT(8u << 20);

	str_add(&b, head);
	for (size_t i = 0; i < n; i++)
		str_add(&b, s);
	str_add(&b, tail);
	return str_take(&b);
}

static void
test_limits(void)
{
	const struct {
		const char *head, *s;
		size_t n;
		const char *tail;
		int code;
	} tv[] = {
		{ "", "[", JR_MAX_DEPTH, "", FX_ESHORT },
		{ "", "[", JR_MAX_DEPTH + 1, "", FX_ELIMIT },
		{ "", "{\"a\":", 1000000, "1", FX_ELIMIT },
		{ "[1", ",1", JR_MAX_VALUES - 2, "]", FX_OK },
		{ "[1", ",1", JR_MAX_VALUES - 1, "]", FX_ELIMIT },
		{ "[1", ",{}", 1000000, "]", FX_ELIMIT },
		{ "\"", "\xff", 1, "\"", FX_ESYNTAX },
		{ "\"", "\\u0000", 1, "\"", FX_ESYNTAX },
		{ "\"", "\\ud800", 1, "\"", FX_ESYNTAX },
		{ "", "9", 400, "", FX_ESYNTAX },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *text =
		    repeat(tv[i].head, tv[i].s, tv[i].n, tv[i].tail);
		struct fx_err err = { 0 };
		auto_json json_t *v = jr_parse(text, strlen(text), &err);

		want_int(err.code, tv[i].code);
		want_int(v != NULL, tv[i].code == FX_OK);
	}
}

static void
test_members(void)
{
	static const struct {
		const char *text, *want;
	} tv[] = {
		{ "{\"Kind\":\"git\"}", "git" },
		{ "{\"KIND\":\"git\"}", "git" },
		{ "{\"kInD\":\"a\",\"Kind\":\"b\"}", "b" },
		{ "{\"Kind\":\"b\",\"kind\":\"a\"}", "b" },
		{ "{\"Kind\":\"a\",\"Kind\":\"b\"}", "b" },
		{ "{\"Kind\":null}", "" },
		{ "{\"x\":1}", "" },
		{ "null", "" },
		{ "{\"Kind\":7}", "" },
		{ "{\"Kind\":[]}", "" },
		/* members that nobody knows may be anything */
		{ "{\"x\":18446744073709551616,\"Kind\":\"git\"}", "git" },
		{ "{\"Kind\":10000000000000000000000000}", "" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct fx_err err = { 0 };
		auto_json json_t *v =
		    jr_parse(tv[i].text, strlen(tv[i].text), &err);

		want_str(jr_text(v, "Kind"), tv[i].want);
	}
}

int
main(void)
{
	test_run("json: strings are written as Go writes them", test_write);
	test_run("json: syntax errors speak upstream's words", test_syntax);
	test_run("json: depth, number and kind of values are bounded",
	    test_limits);
	test_run("json: keys match in any letter case, the exact one first",
	    test_members);
	return test_done();
}
