/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "str.h"
#include "table.h"
#include "test.h"
#include "text.h"

static void
test_align(void)
{
	/* clang-format off */
	static const struct {
		const char *in, *out;
	} tv[] = {
		{ "", "" },
		{ "A\tBB\tC\n", "A  BB  C\n" },
		{ "aaa\tb\t\n\tb\tcc\n", "aaa  b  \n     b  cc\n" },
		/* the text after the last tab is free: never padded or counted */
		{ "a\tvery long\nbb\tx\n", "a   very long\nbb  x\n" },
		/* a column of empty cells is as wide as the padding */
		{ "\t\tx\n\t\ty\n", "    x\n    y\n" },
		/* a line without a tab ends all columns */
		{ "a\tb\n\nlonger\tb\n", "a  b\n\nlonger  b\n" },
		{ "a\tb\nplain\nlonger\tb\n", "a  b\nplain\nlonger  b\n" },
		/* a column's run ends where a line lacks that cell */
		{ "a\tb\tc\na\tx\na\tlong\tc\n", "a  b  c\na  x\na  long  c\n" },
		{ "a\tbbbb\tc\nlonger\tx\n", "a       bbbb  c\nlonger  x\n" },
		/* code points, not bytes and not cells of the terminal */
		{ "\xc3\xa9\tx\nab\tx\n", "\xc3\xa9   x\nab  x\n" },
		{ "\xe6\x97\xa5\tx\nab\tx\n", "\xe6\x97\xa5   x\nab  x\n" },
		{ "abc\tx\n\xc3\xa9\xc3\xa9\tx\n", "abc  x\n\xc3\xa9\xc3\xa9   x\n" },
		{ "\xff\tx\nab\tx\n", "\xff   x\nab  x\n" },
		/* no line end at the end */
		{ "a\tb", "a  b" },
		{ "a\t", "a  " },
		/* heading cells that end with a space, as the result table's */
		{ "WORKLOAD \tSTATUS \tUPDATES\nshop:deployment/web\tsuccess\t\n",
		  "WORKLOAD             STATUS   UPDATES\n"
		  "shop:deployment/web  success  \n" },
	};
	/* clang-format on */

	for (size_t i = 0; i < nitems(tv); i++) {
		struct buf out = BUF_INIT(4096);
		auto_free char *text = NULL;

		table_align(tv[i].in, strlen(tv[i].in), &out);
		text = str_take(&out);
		want_str(text, tv[i].out);
	}
}

/* A cell from outside cannot make lines or columns of its own. */
static void
test_foreign_cell(void)
{
	struct buf b = BUF_INIT(256);
	auto_free char *text = NULL;

	table_add_cell(&b, "a\tb\nc\x1b[2J");
	text = str_take(&b);
	want_str(text, "a\\x09b\\x0ac\\x1b[2J");
}

static void
test_print(void)
{
	static const struct {
		const char *in, *out;
	} tv[] = {
		{ "", "" },
		{ "a\n\tb\n\n", "a\n\tb\n\n" },
		{ "a\rb\x1b]0;title\x07", "a\\x0db\\x1b]0;title\\x07" },
		{ "\xe2\x80\xaegnp.exe", "\\u{202e}gnp.exe" },
		{ "\xc3\xa9\xff", "\xc3\xa9\\xff" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		char *text = NULL;
		size_t n = 0;
		FILE *to = open_memstream(&text, &n);

		ctl_print(to, "%s", tv[i].in);
		fclose(to);
		want_str(text, tv[i].out);
		free(text);
	}
}

int
main(void)
{
	test_run("table: columns are aligned as tabwriter aligns them",
	    test_align);
	test_run("table: a foreign cell stays one cell", test_foreign_cell);
	test_run("text: what moves a terminal is shown, line ends pass",
	    test_print);
	return test_done();
}
