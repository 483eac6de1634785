/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "pkt.h"
#include "test.h"
#include "text.h"

static void
test_table(void)
{
	static const struct {
		const char *text;
		unsigned flushes;
		int want;
		const char *error;
	} tv[] = {
		{ "0008abcd0000", 1, FX_OK, "" },
		{ "0008abcd0000zzzz", 1, FX_OK, "" },
		{ "00040000", 1, FX_OK, "" },
		{ "FFF0", 1, FX_OK, "" },
		{ "001e# service=git-upload-pack\n00000008abcd0000!", 2, FX_OK,
		    "" },
		{ "0001", 1, FX_ESYNTAX,
		    "the server does not speak git's protocol: \"0001\" is no "
		    "line length" },
		{ "0002", 1, FX_ESYNTAX,
		    "the server does not speak git's protocol: \"0002\" is no "
		    "line length" },
		{ "0003", 1, FX_ESYNTAX,
		    "the server does not speak git's protocol: \"0003\" is no "
		    "line length" },
		{ "fff1", 1, FX_ESYNTAX,
		    "the server does not speak git's protocol: \"fff1\" is no "
		    "line length" },
		{ "0008abcd00\x1b[", 1, FX_ESYNTAX,
		    "the server does not speak git's protocol: \"00\\x1b[\" is "
		    "no line length" },
		{ "HTTP/1.1", 1, FX_ESYNTAX,
		    "the server does not speak git's protocol: \"HTTP\" is no "
		    "line length" },
		{ "0014ERR no\x1b[2J such\n", 1, FX_EDENIED,
		    "remote: no\\x1b[2J such" },
		{ "0008ERR ", 1, FX_EDENIED, "remote: " },
	};

	/* whole, and byte by byte */
	for (size_t i = 0; i < 2 * nitems(tv); i++) {
		const char *s = tv[i / 2].text;
		size_t n = strlen(s), step = i % 2 == 0 ? n : 1;
		struct fx_err err = { 0 };
		struct pkt_watch w;
		int r = FX_OK;

		pkt_watch_init(&w, tv[i / 2].flushes);
		for (size_t at = 0; at < n && r == FX_OK; at += step)
			r = pkt_watch_feed(&w, s + at, step, &err);
		want_int(r, tv[i / 2].want);
		want_str(err.text, tv[i / 2].error);
	}
}

static void
test_endless(void)
{
	static char chunk[65520];
	struct fx_err err = { 0 };
	struct pkt_watch w;
	uint64_t fed = 0;
	int r;

	/* many small refs */
	pkt_watch_init(&w, 1);
	do
		r = pkt_watch_feed(&w, "0005x", 5, &err);
	while (r == FX_OK && ++fed < 10 * PKT_MAX_LINES);
	want_int(r, FX_ELIMIT);
	want_int(fed, PKT_MAX_LINES);
	want_str(err.text, "the server lists more than 750000 refs");

	/* few large ones */
	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "fff0", 4);
	pkt_watch_init(&w, 1);
	fed = 0;
	do
		r = pkt_watch_feed(&w, chunk, sizeof(chunk), &err);
	while (r == FX_OK && (fed += sizeof(chunk)) < 2ull * PKT_MAX_BYTES);
	want_int(r, FX_ELIMIT);
	want(fed <= PKT_MAX_BYTES);
	want_str(err.text, "the server's list of refs is larger than 64 MiB");
}

/* A line of the largest length is one; its complaint is cut. */
static void
test_longest_line(void)
{
	static char line[PKT_LINE_MAX];
	struct fx_err err = { 0 };
	struct pkt_watch w;

	memset(line, 'x', sizeof(line));
	memcpy(line, "fff0ERR ", 8);
	pkt_watch_init(&w, 1);
	want_int(pkt_watch_feed(&w, line, sizeof(line), &err), FX_EDENIED);
	want_int(strlen(err.text), strlen("remote: ") + PKT_ERR_MAX - 4);
	pkt_watch_init(&w, 1);
	want_int(pkt_watch_feed(&w, "fff1", 4, &err), FX_ESYNTAX);
}

static void
test_text(void)
{
	static const struct {
		const char *text;
		size_t max;
		const char *want;
	} tv[] = {
		{ "", 8, "" },
		{ "as it is", 8, "as it is" },
		{ "cut here: not shown", 8, "cut here" },
		{ "\n\none\r\ntwo\n", 80, "one two" },
		{ "one\ntwo", 4, "one" },
		{ "one\ntwo", 5, "one t" },
		{ "\x1b\x1b\x1b\x1b", 2, "\\x1b\\x1b" },
		{ "not at all", 0, "" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *got =
		    text_one_line(tv[i].text, strlen(tv[i].text), tv[i].max);

		want_str(got, tv[i].want);
	}
}

int
main(void)
{
	test_run("pkt: lengths, ends and complaints, in pieces of any size",
	    test_table);
	test_run("pkt: a list without end is cut off", test_endless);
	test_run("pkt: a line has a largest length", test_longest_line);
	test_run("text: what a server says is cut and in one line", test_text);
	return test_done();
}
