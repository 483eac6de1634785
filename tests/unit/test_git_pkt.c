/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "pkt.h"
#include "test.h"

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

int
main(void)
{
	test_run("pkt: lengths, ends and complaints, in pieces of any size",
	    test_table);
	test_run("pkt: a list without end is cut off", test_endless);
	return test_done();
}
