/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "buf.h"
#include "clock.h"
#include "fd.h"
#include "logfmt.h"
#include "loop.h"
#include "quote.h"
#include "str.h"
#include "test.h"

#include <fcntl.h>
#include <unistd.h>

static void
test_buf_limit(void)
{
	auto_buf struct buf b = BUF_INIT(8);
	char out[8];

	want_int(buf_put(&b, "12345678", 8), FX_OK);
	want_int(buf_put(&b, "9", 1), FX_ELIMIT);
	want_int(buf_get(&b, out, 3), FX_OK);
	want_int(buf_put(&b, "9ab", 3), FX_OK);
	want_int(buf_put(&b, "c", 1), FX_ELIMIT);
	want_int(buf_left(&b), 8);
	want_mem(buf_head(&b), "456789ab", 8);
	want_int(buf_get(&b, out, 9), FX_ESHORT);
	want_int(buf_left(&b), 8);
	want(b.cap <= 8);
	want(buf_reserve(&b, SIZE_MAX) == NULL);
	want(buf_reserve(&b, SIZE_MAX - 4) == NULL);
}

static void
test_duration(void)
{
	static const struct {
		const char *text;
		int64_t ns;
		const char *error;
	} tv[] = {
		{ "5m", 300000000000, NULL },
		{ "1h30m", 5400000000000, NULL },
		{ "1.5m", 90000000000, NULL },
		{ "-20ms", -20000000, NULL },
		{ "0", 0, NULL },
		{ "1\xc2\xb5s", 1000, NULL },
		{ "20", 0, "time: missing unit in duration \"20\"" },
		{ "abc", 0, "time: invalid duration \"abc\"" },
		{ "", 0, "time: invalid duration \"\"" },
		{ "3x", 0, "time: unknown unit \"x\" in duration \"3x\"" },
		{ ".s", 0, "time: invalid duration \".s\"" },
		{ "9223372036854775809x", 0,
		    "time: invalid duration \"9223372036854775809x\"" },
		{ "\xc3\xa9", 0, "time: invalid duration \"\\xc3\\xa9\"" },
		{ "5\xc3\xa9", 0,
		    "time: unknown unit \"\\xc3\\xa9\" in duration "
		    "\"5\\xc3\\xa9\"" },
		{ "\"\\\n\xff", 0,
		    "time: invalid duration \"\\\"\\\\\\x0a\\xff\"" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct fx_err err = { 0 };
		int64_t ns = 0;
		int r = fx_parse_duration(tv[i].text, &ns, &err);

		want_int(r == FX_OK, tv[i].error == NULL);
		want_int(ns, tv[i].ns);
		if (tv[i].error != NULL)
			want_str(err.text, tv[i].error);
	}
}

static void
test_duration_print(void)
{
	static const struct {
		int64_t ns;
		const char *text;
	} tv[] = {
		{ 0, "0s" },
		{ 1234567890, "1.23456789s" },
		{ 600000000000, "10m0s" },
		{ 350000000, "350ms" },
		{ 3661500000000, "1h1m1.5s" },
		{ 1500, "1.5\xc2\xb5s" },
		{ -5, "-5ns" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct buf b = BUF_INIT(64);
		auto_free char *s = NULL;

		str_add_duration(&b, tv[i].ns);
		s = str_take(&b);
		want_str(s, tv[i].text);
	}
}

static void
test_base64(void)
{
	static const struct {
		const char *plain, *padded, *url;
	} tv[] = {
		{ "", "", "" },
		{ "f", "Zg==", "Zg" },
		{ "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" },
		{ "\xfb\xff\xfe", "+//+", "-__-" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct buf a = BUF_INIT(64), u = BUF_INIT(64), d = BUF_INIT(64);
		size_t n = strlen(tv[i].plain);

		str_add_base64(&a, (const uint8_t *)tv[i].plain, n, true,
		    false);
		str_add_base64(&u, (const uint8_t *)tv[i].plain, n, false,
		    true);
		want_int(str_unbase64((const char *)buf_head(&a), buf_left(&a),
			     &d),
		    FX_OK);
		want_int(buf_left(&d), n);
		want_mem(buf_head(&d), tv[i].plain, n);
		want_int(buf_left(&a), strlen(tv[i].padded));
		want_mem(buf_head(&a), tv[i].padded, buf_left(&a));
		want_mem(buf_head(&u), tv[i].url, buf_left(&u));
		buf_clear(&a);
		buf_clear(&u);
		buf_clear(&d);
	}
	struct buf d = BUF_INIT(64);

	want_int(str_unbase64("Zg=x", 4, &d), FX_ESYNTAX);
	want_int(str_unbase64("Z", 1, &d), FX_ESYNTAX);
	want_int(str_unbase64("Zg\0=", 4, &d), FX_ESYNTAX);
	buf_clear(&d);
}

static void
test_numbers(void)
{
	uint64_t u = 7;
	int64_t v = 7;
	bool yes = false;

	want_int(fx_parse_u64("0x10", 0, 100, &u), FX_OK);
	want_int(u, 16);
	want_int(fx_parse_u64("010", 0, 100, &u), FX_OK);
	want_int(u, 8);
	want_int(fx_parse_u64("-1", 0, 100, &u), FX_ESYNTAX);
	want_int(fx_parse_u64(" 1", 0, 100, &u), FX_ESYNTAX);
	want_int(fx_parse_u64("1x", 0, 100, &u), FX_ESYNTAX);
	want_int(fx_parse_u64("101", 0, 100, &u), FX_ELIMIT);
	want_int(fx_parse_u64("18446744073709551615", 0, UINT64_MAX, &u),
	    FX_OK);
	want_int(fx_parse_u64("18446744073709551616", 0, UINT64_MAX, &u),
	    FX_ELIMIT);
	want_int(fx_parse_i64("-5", -9, 9, &v), FX_OK);
	want_int(v, -5);
	want_int(fx_parse_bool("T", &yes), FX_OK);
	want(yes);
	want_int(fx_parse_bool("yes", &yes), FX_ESYNTAX);
}

static void
test_printable(void)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out;
	} tv[] = {
		{ "plain", 5, "plain" },
		{ "a\x1b[31m", 6, "a\\x1b[31m" },
		{ "l1\nts=1", 7, "l1\\x0ats=1" },
		{ "x\xe2\x80\xaey", 5, "x\\u{202e}y" },
		{ "\xff\xc3\xa9", 3, "\\xff\xc3\xa9" },
		{ "nul\0l", 5, "nul\\x00l" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct buf b = BUF_INIT(128);
		auto_free char *s = NULL;

		str_printable(&b, tv[i].in, tv[i].n, 100);
		s = str_take(&b);
		want_str(s, tv[i].out);
	}
}

static void
test_json(void)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out, *html;
	} tv[] = {
		{ "plain", 5, "plain", "plain" },
		{ "a\"\\b", 4, "a\\\"\\\\b", "a\\\"\\\\b" },
		{ "\n\r\t\b", 4, "\\n\\r\\t\\u0008", "\\n\\r\\t\\u0008" },
		{ "<a&b>", 5, "<a&b>", "\\u003ca\\u0026b\\u003e" },
		{ "\xe2\x80\xae\xc2\x9b\x7f", 6, "\\u202e\\u009b\\u007f",
		    "\\u202e\\u009b\\u007f" },
		{ "\xff\xc3\xa9", 3, "\\ufffd\xc3\xa9", "\\ufffd\xc3\xa9" },
		{ "n\0l", 3, "n\\u0000l", "n\\u0000l" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct buf b = BUF_INIT(128);
		auto_free char *s = NULL, *html = NULL;

		str_add_json(&b, tv[i].in, tv[i].n, false);
		s = str_take(&b);
		want_str(s, tv[i].out);
		str_add_json(&b, tv[i].in, tv[i].n, true);
		html = str_take(&b);
		want_str(html, tv[i].html);
	}
}

/* daemon's log grammar: quoting of values in both formats */
static void
test_logfmt(void)
{
	static const struct log_pair p[] = {
		{ "ts", "2024-03-01T09:00:00.35Z", LOG_K_STR },
		{ "err", "a \"b\"\n\x1b", LOG_K_STR },
		{ "path", "a\\b", LOG_K_STR },
		{ "e", "", LOG_K_STR },
		{ "n", "null", LOG_K_STR },
		{ "k ey", "3", LOG_K_BARE },
		{ "z", NULL, LOG_K_NULL },
	};
	struct buf b = BUF_INIT(1024);
	auto_free char *s = NULL, *j = NULL;

	logfmt_add_fmt(&b, p, nitems(p));
	s = str_take(&b);
	want_str(s,
	    "ts=2024-03-01T09:00:00.35Z err=\"a \\\"b\\\"\\n\\u001b\" "
	    "path=a\\b e= n=\"null\" key=3 z=null\n");
	logfmt_add_json(&b, p, nitems(p));
	j = str_take(&b);
	want_str(j,
	    "{\"e\":\"\",\"err\":\"a \\\"b\\\"\\n\\u001b\",\"k ey\":3,"
	    "\"n\":\"null\",\"path\":\"a\\\\b\","
	    "\"ts\":\"2024-03-01T09:00:00.35Z\",\"z\":null}\n");
}

static void
test_rfc3339(void)
{
	struct buf b = BUF_INIT(64);
	auto_free char *s = NULL, *t = NULL;

	clk_add_rfc3339(&b, 1709283600350000);
	s = str_take(&b);
	want_str(s, "2024-03-01T09:00:00.35Z");
	clk_add_rfc3339(&b, 1709283600000000);
	t = str_take(&b);
	want_str(t, "2024-03-01T09:00:00Z");
}

static int64_t fake_now;
static int fired[2];

static void
on_timer(struct loop *l, void *arg)
{
	(void)l;
	(*(int *)arg)++;
}

static void
test_loop_timers(void)
{
	struct loop *l;
	struct loop_timer a = { .fn = on_timer, .arg = &fired[0] };
	struct loop_timer b = { .fn = on_timer, .arg = &fired[1] };

	fake_now = 1000;
	clk_fake(&fake_now, NULL);
	l = loop_new();
	loop_timer_in(l, &a, 10);
	loop_timer_in(l, &b, 20);
	loop_turn(l, 0);
	want_int(fired[0] + fired[1], 0);
	fake_now += 10;
	loop_turn(l, 0);
	want_int(fired[0], 1);
	want_int(fired[1], 0);
	loop_timer_stop(l, &b);
	fake_now += 100;
	loop_turn(l, 0);
	want_int(fired[1], 0);
	loop_free(&l);
	clk_fake(NULL, NULL);
}

/* What stops a loop between two turns must not wait for the next event. */
static void
test_loop_stopped(void)
{
	struct loop *l = loop_new();
	struct loop_timer never = { .fn = on_timer, .arg = &fired[0] };
	int64_t before = clk_now_us();

	fired[0] = 0;
	loop_timer_in(l, &never, 20 * CLK_SEC);
	loop_stop(l);
	loop_turn(l, 20 * CLK_SEC);
	want_int(clk_now_us() - before < 10 * CLK_SEC, 1);
	want_int(fired[0], 0);
	loop_free(&l);
}

static void
test_quoted(void)
{
	static const struct {
		const char *in, *out;
	} tv[] = {
		{ "", "\"\"" },
		{ "a'b\"c\\", "\"a'b\\\"c\\\\\"" },
		{ "\a\b\f\n\r\t\v", "\"\\a\\b\\f\\n\\r\\t\\v\"" },
		{ "\x01\x7f", "\"\\x01\\x7f\"" },
		{ "\xc3\xa9", "\"\xc3\xa9\"" },
		{ "\xc2\xa0\xe2\x80\xa8", "\"\\u00a0\\u2028\"" },
		{ "\xff\xc3", "\"\\xff\\xc3\"" },
		{ "\xf3\xa0\x80\x81\xee\x80\x80", "\"\\U000e0001\\ue000\"" },
	};
	auto_buf struct buf small = BUF_INIT(4);

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *text = str_quoted(tv[i].in);

		want_str(text, tv[i].out);
	}
	/* what does not fit is left out whole */
	str_add_quoted(&small, "ab\n", 3);
	if (want_int(buf_left(&small), 4))
		want_mem(buf_head(&small), "\"ab\"", 4);
}

static void
test_utf8(void)
{
	static const struct {
		const char *text;
		size_t n;
		bool is;
	} tv[] = {
		{ "", 0, true },
		{ "a\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80", 10, true },
		{ "\xf4\x8f\xbf\xbf", 4, true },
		{ "\xf4\x90\x80\x80", 4, false }, /* past the last */
		{ "\xed\x9f\xbf", 3, true },
		{ "\xed\xa0\x80", 3, false }, /* half of a pair */
		{ "\xc1\xbf", 2, false },     /* longer than needed */
		{ "\xe0\x9f\xbf", 3, false },
		{ "\xf0\x8f\xbf\xbf", 4, false },
		{ "\xc2\x80", 1, false }, /* cut, whatever is behind it */
		{ "\xe2\x82\xac", 2, false },
		{ "\xc2\x40", 2, false },
		{ "\x80", 1, false },
		{ "\xff", 1, false },
	};

	for (size_t i = 0; i < nitems(tv); i++)
		if (!want_int(str_is_utf8(tv[i].text, tv[i].n), tv[i].is))
			printf("# row %zu\n", i);
}

static void
test_hex(void)
{
	uint8_t out[2] = { 0 };

	want_int(str_unhex("0aF1", out, 2), FX_OK);
	want(out[0] == 0x0a && out[1] == 0xf1);
	want_int(str_unhex("0aF10", out, 2), FX_ESYNTAX);
	want_int(str_unhex("0aF", out, 2), FX_ESYNTAX);
	want_int(str_unhex("0ag1", out, 2), FX_ESYNTAX);
}

/* What is too long for its place is cut. */
static void
test_cuts(void)
{
	auto_buf struct buf b = BUF_INIT(4 * LOG_VALUE_MAX);
	auto_free char *long_text = xcalloc(1, 2 * LOG_VALUE_MAX + 1);
	const struct log_pair pair = { "k", long_text, LOG_K_STR };
	struct fx_err err = { 0 };

	memset(long_text, 'x', 2 * LOG_VALUE_MAX);
	logfmt_add_fmt(&b, &pair, 1);
	want_int(buf_left(&b), strlen("k=\n") + LOG_VALUE_MAX);
	buf_reset(&b);
	str_printable(&b, long_text, 20, 10);
	want_int(str_addc(&b, '\0'), FX_OK);
	want_str((const char *)buf_head(&b), "xxxxxxxxxx...");
	want_int(fx_fail(&err, FX_ELIMIT, "%s", long_text), FX_ELIMIT);
	want_int(fx_wrap(&err, "outside"), FX_ELIMIT);
	want_int(strlen(err.text), FX_ERR_TEXT_MAX - 1);
	want(str_starts(err.text, "outside: xxx"));
}

/* Nobody changes it any more, and nobody takes the seals off. */
static void
test_sealed(void)
{
	auto_fd int fd = fd_sealed("test", "shh", 3);
	char got[8];

	want_int(pread(fd, got, sizeof(got), 0), 3);
	want_mem(got, "shh", 3);
	want_int(pwrite(fd, "x", 1, 0), -1);
	want_int(pwrite(fd, "x", 1, 3), -1);
	want_int(ftruncate(fd, 0), -1);
	want_int(fcntl(fd, F_GET_SEALS),
	    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

int
main(void)
{
	test_run("buf: a limit holds and nothing is stored past it",
	    test_buf_limit);
	test_run("str: durations are read as Go reads them", test_duration);
	test_run("str: durations are printed as Go prints them",
	    test_duration_print);
	test_run("str: base64 round trips in both alphabets", test_base64);
	test_run("str: numbers and booleans take the whole text", test_numbers);
	test_run("str: what moves a terminal is shown, not sent",
	    test_printable);
	test_run("str: text inside a JSON string", test_json);
	test_run("log: records are quoted as upstream quotes them",
	    test_logfmt);
	test_run("clock: RFC 3339 without trailing zeros", test_rfc3339);
	test_run("loop: timers fire once, at their time", test_loop_timers);
	test_run("loop: a stopped one waits for nothing", test_loop_stopped);
	test_run("quote: as Go does", test_quoted);
	test_run("str: UTF-8 is what the standard says", test_utf8);
	test_run("str: hex digits are as many as they have to be", test_hex);
	test_run("base: what is too long is cut", test_cuts);
	test_run("fd: a sealed file stays as it is", test_sealed);
	return test_done();
}
