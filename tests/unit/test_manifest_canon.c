/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "canon.h"
#include "str.h"
#include "test.h"
#include "yread.h"

#include <dirent.h>
#include <time.h>

#define TEXT_MAX (64u << 20)

/* Everything a stream comes to: "document <sha1>" and its text, or "error". */
static char *
dump(const void *text, size_t n)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	struct yread *y = yread_new(text, n);
	struct fx_err err = { 0 };
	struct node *root;

	while (yread_next(y, &root, &err) == FX_OK && root != NULL) {
		auto_buf struct buf doc = BUF_INIT(TEXT_MAX);
		uint8_t hash[CANON_HASH_LEN];

		want_int(canon_write(root, &doc, hash, &err), FX_OK);
		want_int(str_add(&out, "document "), FX_OK);
		str_add_hex(&out, hash, sizeof(hash));
		want_int(str_addc(&out, '\n'), FX_OK);
		want_int(buf_put(&out, buf_head(&doc), buf_left(&doc)), FX_OK);
	}
	if (err.code != FX_OK)
		want_int(str_addf(&out, "error %s\n", err.text), FX_OK);
	yread_free(&y);
	return str_take(&out);
}

static bool
slurp(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	char chunk[4096];
	size_t n;

	if (f == NULL)
		return false;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		want_int(buf_put(out, chunk, n), FX_OK);
	fclose(f);
	return true;
}

/* Each fixture's .expected was printed by upstream's own library. */
static void
test_fixtures(void)
{
	const char *srcdir = getenv("FX_SRCDIR");
	auto_free char *dir = xasprintf("%s/tests/fixtures/manifest",
	    srcdir == NULL ? "." : srcdir);
	struct dirent *e;
	size_t seen = 0;
	DIR *d = opendir(dir);

	if (!want(d != NULL))
		return;
	while ((e = readdir(d)) != NULL) {
		auto_buf struct buf in = BUF_INIT(TEXT_MAX);
		auto_buf struct buf expected = BUF_INIT(TEXT_MAX);
		auto_free char *path = NULL, *got = NULL, *wanted = NULL;

		if (!str_ends(e->d_name, ".yaml"))
			continue;
		path = xasprintf("%s/%s", dir, e->d_name);
		want(slurp(path, &in));
		memcpy(path + strlen(path) - 5, "\0", 1);
		wanted = xasprintf("%s.expected", path);
		want(slurp(wanted, &expected));
		free(wanted);
		wanted = str_take(&expected);
		got = dump(buf_head(&in), buf_left(&in));
		if (!want(strcmp(got, wanted) == 0))
			printf("# %s:\n# got  [%s]\n# want [%s]\n", e->d_name,
			    got, wanted);
		seen++;
	}
	closedir(d);
	want(seen > 30);
}

static const char *
error_of(const char *text, size_t n, char out[256])
{
	auto_free char *got = dump(text, n);

	snprintf(out, 256, "%s", got);
	return out;
}

/* n copies of a text. */
static char *
repeat(const char *s, size_t n)
{
	size_t len = strlen(s);
	char *p = xmalloc(n * len + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(p + i * len, s, len);
	p[n * len] = '\0';
	return p;
}

static double
cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* Instrumented builds are slow; the bounds below are for plain ones. */
#if defined(FX_TEST_BUILD)
#	define SLOWER 20
#else
#	define SLOWER 1
#endif

static void
want_quick(const char *text, const char *wanted, double max_ms)
{
	double before = cpu_ms();
	char got[256];

	error_of(text, strlen(text), got);
	want(cpu_ms() - before <= max_ms * SLOWER);
	want_str(got, wanted);
}

/* A22: refused in 10 ms, with a tenfold margin 100. */
static void
test_nesting(void)
{
	static const char *const open[] = { "[", "{", "- ", "[{a: ", "? ",
		"{? " };

	for (size_t i = 0; i < nitems(open); i++) {
		auto_free char *deep = repeat(open[i], 100000);

		want_quick(deep, "error yaml: exceeded max depth of 128\n",
		    100);
	}
}

static void
test_nesting_allowed(void)
{
	auto_free char *open = repeat("[", YREAD_MAX_DEPTH);
	auto_free char *close = repeat("]", YREAD_MAX_DEPTH);
	auto_free char *text = xasprintf("%s%s", open, close);
	auto_free char *more = xasprintf("[%s%s]", open, close);
	char got[256];

	error_of(text, strlen(text), got);
	want(str_starts(got, "document "));
	error_of(more, strlen(more), got);
	want_str(got, "error yaml: exceeded max depth of 128\n");
}

/* Depth counts with the aliases written out. */
static void
test_alias_depth(void)
{
	struct buf b = BUF_INIT(1u << 20);
	auto_free char *text = NULL;
	char got[256];

	want_int(str_add(&b, "a0: &a0 [x]\n"), FX_OK);
	for (int i = 1; i < 200; i++)
		want_int(str_addf(&b, "a%d: &a%d [*a%d]\n", i, i, i - 1),
		    FX_OK);
	text = str_take(&b);
	error_of(text, strlen(text), got);
	want_str(got, "error yaml: exceeded max depth of 128\n");
}

/* A23: an alias bomb that would be 10^29 nodes, in 10 ms (times ten). */
static void
test_alias_bomb(void)
{
	struct buf b = BUF_INIT(1u << 20);
	auto_free char *text = NULL;

	want_int(str_add(&b, "a0: &a0 [l,l,l,l,l,l,l,l,l,l]\n"), FX_OK);
	for (int i = 1; i < 29; i++) {
		want_int(str_addf(&b, "a%d: &a%d [", i, i), FX_OK);
		for (int j = 0; j < 10; j++)
			want_int(str_addf(&b, "%s*a%d", j == 0 ? "" : ",",
				     i - 1),
			    FX_OK);
		want_int(str_add(&b, "]\n"), FX_OK);
	}
	text = str_take(&b);
	want_quick(text, "error yaml: document contains excessive aliasing\n",
	    100);
}

/* A merge bomb multiplies pairs, not nodes; keys that are equal do not. */
static void
test_merge_bomb(void)
{
	struct buf b = BUF_INIT(1u << 20);
	auto_free char *text = NULL;
	double before = cpu_ms();
	char got[256];

	want_int(str_add(&b, "a0: &a0 {a: 1, b: 2, c: 3}\n"), FX_OK);
	for (int i = 1; i < 40; i++)
		want_int(str_addf(&b, "a%d: &a%d {<<: [*a%d, *a%d, *a%d]}\n", i,
			     i, i - 1, i - 1, i - 1),
		    FX_OK);
	text = str_take(&b);
	error_of(text, strlen(text), got);
	want_str(got, "error yaml: document contains excessive aliasing\n");
	want(cpu_ms() - before <= 100 * SLOWER);
}

/* Before it is known that keys are equal, each of them takes room. */
static void
test_many_merges(void)
{
	auto_free char *merged = repeat("*a,", 4000);
	auto_free char *text = NULL;
	struct buf b = BUF_INIT(1u << 20);
	char got[256];

	want_int(str_add(&b, "a: &a {"), FX_OK);
	for (int i = 0; i < 1000; i++)
		want_int(str_addf(&b, "k%d,", i), FX_OK);
	want_int(str_addf(&b, "}\nb: {<<: [%s]}\n", merged), FX_OK);
	text = str_take(&b);
	error_of(text, strlen(text), got);
	want_str(got,
	    "error yaml: document needs more than 50331648 bytes of memory\n");
}

/* A24: in 50 ms, with a tenfold margin 500. */
static void
test_anchors(void)
{
	struct buf b = BUF_INIT(16u << 20);
	auto_free char *text = NULL, *got = NULL;
	double before;

	for (int i = 0; i < 50000; i++)
		want_int(str_addf(&b, "- &a%d x\n- *a%d\n", i, i / 2), FX_OK);
	text = str_take(&b);
	before = cpu_ms();
	got = dump(text, strlen(text));
	want(cpu_ms() - before <= 500 * SLOWER);
	want(str_starts(got, "document "));
	want(strstr(got, "error") == NULL);
}

static void
test_directives(void)
{
	auto_free char *few = repeat("%TAG !a! x\n", 3);
	auto_free char *many = repeat("%TAG !a! x\n", 500000);

	want_quick(few, "error yaml: line 1: found duplicate %TAG directive\n",
	    100);
	want_quick(many, "error yaml: more than 64 %TAG directives\n", 100);
}

/* A25: ten megabytes of one scalar, of scalars, and of nothing. */
static void
test_sizes(void)
{
	auto_free char *line = repeat("x", 10u << 20);
	auto_free char *items = repeat("- a\n", 2500000);
	auto_free char *documents = repeat("---\n", 150000);
	auto_free char *got = dump(line, strlen(line));
	char err[256];

	want(str_starts(got, "document "));
	error_of(items, strlen(items), err);
	want_str(err,
	    "error yaml: document needs more than 50331648 bytes of memory\n");
	free(got);
	got = dump(documents, strlen(documents));
	want(str_ends(got, "error yaml: more than 100000 documents\n"));
}

/* Aliases to a long text: few nodes, many bytes. */
static void
test_canonical_limit(void)
{
	auto_free char *text = repeat("x", 1u << 20);
	auto_free char *aliases = repeat("- *a\n", 20);
	auto_free char *all = xasprintf("- &a %s\n%s", text, aliases);
	struct yread *y = yread_new(all, strlen(all));
	uint8_t hash[CANON_HASH_LEN];
	struct fx_err err = { 0 };
	struct node *root;

	want_int(yread_next(y, &root, &err), FX_OK);
	want_int(canon_write(root, NULL, hash, &err), FX_ELIMIT);
	want_str(err.text,
	    "document is longer than 16777216 bytes when its aliases are "
	    "written out");
	yread_free(&y);
}

int
main(void)
{
	test_run("A25: canon: bytes, hashes and errors are upstream's",
	    test_fixtures);
	test_run("A22: yread: 100,000 levels are refused at once",
	    test_nesting);
	test_run("yread: the deepest allowed document is read",
	    test_nesting_allowed);
	test_run("yread: depth counts what aliases stand for",
	    test_alias_depth);
	test_run("A23: yread: an alias bomb is refused at once",
	    test_alias_bomb);
	test_run("yread: a merge bomb is refused at once", test_merge_bomb);
	test_run("yread: what merges bring together has a limit",
	    test_many_merges);
	test_run("A24: yread: 50,000 anchors take no time", test_anchors);
	test_run("yread: %TAG directives are counted", test_directives);
	test_run("yread: size is bounded by memory, not by luck", test_sizes);
	test_run("canon: what aliases write out is bounded",
	    test_canonical_limit);
	return test_done();
}
