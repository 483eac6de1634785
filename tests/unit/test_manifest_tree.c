/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "str.h"
#include "test.h"
#include "tree.h"

#define MAX_SIZE 1000

struct given {
	const char *path;
	const char *target; /* of a link */
	uint32_t mode;	    /* 0: a file, or a link if there is a target */
	uint64_t size;
};

static void
put(struct tree *t, const struct given *g)
{
	uint32_t mode = g->mode != 0 ? g->mode
	    : g->target != NULL	     ? 0120000
				     : 0100644;

	tree_put(t, g->path, g->path, mode, g->size);
}

static void
build(struct tree *t, const struct given *g, size_t n)
{
	struct fx_err err = { 0 };
	bool changed;

	/* backwards: the order of the entries must not matter */
	for (size_t i = n; i-- > 0;)
		put(t, &g[i]);
	want_int(tree_settle(t, false, &changed, &err), FX_OK);
	for (size_t at = tree_next_link(t, 0); at < t->n;
	     at = tree_next_link(t, at + 1))
		for (size_t i = 0; i < n; i++)
			if (strcmp(g[i].path, t->v[at].path) == 0)
				tree_set_target(t, at, g[i].target,
				    strlen(g[i].target));
	want_int(tree_next_link(t, 0), t->n);
}

/* "source=oid", or the source alone where they are the same, or what is wrong
 * with it; or the error of the whole walk. */
static char *
walk(const struct tree *t, const char *roots)
{
	struct buf out = BUF_INIT(65536);
	auto_free char *copy = xstrdup(roots);
	char *paths[8], *save = NULL;
	struct tree_files files = { 0 };
	struct fx_err err = { 0 };
	size_t n = 0;

	for (char *p = strtok_r(copy, ",", &save); p != NULL && n < 8;
	     p = strtok_r(NULL, ",", &save))
		paths[n++] = p;
	if (tree_walk(t, paths, n, MAX_SIZE, &files, &err) != FX_OK)
		return xstrdup(err.text);
	for (size_t i = 0; i < files.n; i++) {
		const struct tree_file *f = &files.v[i];
		bool same = f->bad == NULL && strcmp(f->path, f->oid) == 0;

		if (f->bad != NULL) {
			want_int(str_addf(&out, "%s%s", i == 0 ? "" : " ",
				     f->bad),
			    FX_OK);
			continue;
		}
		want_int(str_addf(&out, "%s%s%s%s", i == 0 ? "" : " ", f->path,
			     same ? "" : "=", same ? "" : f->oid),
		    FX_OK);
	}
	tree_files_clear(&files);
	return str_take(&out);
}

struct row {
	const char *roots, *wanted;
};

static void
run(const struct given *g, size_t ng, const struct row *tv, size_t n)
{
	struct tree t = { 0 };

	build(&t, g, ng);
	for (size_t i = 0; i < n; i++) {
		auto_free char *got = walk(&t, tv[i].roots);

		if (!want_str(got, tv[i].wanted))
			printf("# of [%s]\n", tv[i].roots);
	}
	tree_clear(&t);
}

static void
test_order(void)
{
	static const struct given g[] = {
		{ .path = "a.yaml" },
		{ .path = "a/z.yaml" },
		{ .path = "a/b/c.yml" },
		{ .path = "a-b.yaml" },
		{ .path = ".hidden/x.yaml" },
		{ .path = ".yaml" },
		{ .path = "B.yaml" },
		{ .path = "x.yaml/in.yaml" },
		{ .path = "no.YAML" },
		{ .path = "no.json" },
		{ .path = "no.yaml.txt" },
		{ .path = "b.no.yaml" },
		{ .path = "yaml" },
		{ .path = "sub.yaml", .mode = 0160000 },
		{ .path = "run.yaml", .mode = 0100755 },
	};
	static const struct row tv[] = {
		{ "",
		    ".hidden/x.yaml .yaml B.yaml a/b/c.yml a/z.yaml "
		    "a-b.yaml a.yaml b.no.yaml run.yaml x.yaml/in.yaml" },
		{ "a", "a/b/c.yml a/z.yaml" },
		{ "./a//b/.", "a/b/c.yml" },
		{ "a/b/../b", "a/b/c.yml" },
		{ "a.yaml,a/b", "a.yaml a/b/c.yml" },
		{ "no.json", "" },
		{ "a,a", "a/b/c.yml a/z.yaml a/b/c.yml a/z.yaml" },
		{ "nowhere", "" },
		{ "a/nowhere.yaml", "" },
		{ "../x",
		    "unable to read root path \"../x\": the path leaves "
		    "the repository" },
		{ "a/../../x",
		    "unable to read root path \"../x\": the path "
		    "leaves the repository" },
	};

	run(g, nitems(g), tv, nitems(tv));
}

static void
test_charts(void)
{
	static const struct given g[] = {
		{ .path = "c1/Chart.yaml" },
		{ .path = "c1/values.yaml" },
		{ .path = "c1/templates/d.yaml" },
		{ .path = "c1/charts/c0/Chart.yaml" },
		{ .path = "c1/charts/c0/values.yaml" },
		{ .path = "c1.yaml" },
		{ .path = "c2/Chart.yaml" },
		{ .path = "c2/d.yaml" },
		{ .path = "c3/Chart.yml" },
		{ .path = "c3/values.yaml" },
		{ .path = "c4/Chart.yaml/x.yaml" },
		{ .path = "c4/values.yaml/x.yaml" },
		{ .path = "xChart.yaml" },
		{ .path = "values.yaml" },
		{ .path = "cl", .target = "c1" },
	};
	static const struct row tv[] = {
		{ "",
		    "c1.yaml c2/Chart.yaml c2/d.yaml c3/Chart.yml "
		    "c3/values.yaml values.yaml xChart.yaml" },
		{ "c1", "" },
		{ "c1/templates", "" },
		{ "c1/templates/d.yaml", "" },
		{ "cl/templates", "" },
	};

	run(g, nitems(g), tv, nitems(tv));
}

static void
test_root_chart(void)
{
	static const struct given g[] = {
		{ .path = "Chart.yaml" },
		{ .path = "values.yaml" },
		{ .path = "a/b.yaml" },
	};
	static const struct row tv[] = { { "", "" }, { "a", "" } };

	run(g, nitems(g), tv, nitems(tv));
}

/* A18: what a link ends at is inside of the tree, or it is an error. */
static void
test_links(void)
{
	static const struct given good[] = {
		{ .path = "d/real.yaml" },
		{ .path = "d/one.yaml", .target = "real.yaml" },
		{ .path = "e/two.yaml", .target = "../d/one.yaml" },
		{ .path = "e/three.yaml", .target = "./../l/real.yaml" },
		{ .path = "l", .target = "d" },
		{ .path = "other", .target = "/etc/passwd" },
		{ .path = "dangling", .target = "nothing" },
	};
	static const struct row good_tv[] = {
		{ "",
		    "d/one.yaml=d/real.yaml d/real.yaml "
		    "e/three.yaml=d/real.yaml e/two.yaml=d/real.yaml" },
		/* links lead out of the configured path */
		{ "e", "e/three.yaml=d/real.yaml e/two.yaml=d/real.yaml" },
		{ "l", "" },
		{ "l/real.yaml", "l/real.yaml=d/real.yaml" },
		{ "d/one.yaml", "d/one.yaml=d/real.yaml" },
		{ "other/x",
		    "unable to read root path \"other/x\": the "
		    "symbolic link leaves the repository" },
	};
	static const struct {
		const char *target, *wanted;
	} bad[] = {
		{ "/var/run/secrets/token",
		    "the symbolic link leaves the repository" },
		{ "/proc/self/environ",
		    "the symbolic link leaves the repository" },
		{ "../../outside.yaml", "the path leaves the repository" },
		{ "d/../../../x.yaml", "the path leaves the repository" },
		{ "", "read s/x.yaml: is a directory" },
		{ "../d", "read s/x.yaml: is a directory" },
		{ "gone.yaml", "open s/x.yaml: no such file or directory" },
		{ "x.yaml", "too many levels of symbolic links" },
		{ "y/../x.yaml", "too many levels of symbolic links" },
	};

	run(good, nitems(good), good_tv, nitems(good_tv));
	for (size_t i = 0; i < nitems(bad); i++) {
		const struct given g[] = {
			{ .path = "d/real.yaml" },
			{ .path = "s/x.yaml", .target = bad[i].target },
		};
		auto_free char *wanted =
		    xasprintf("unable to read file at \"s/x.yaml\": %s",
			bad[i].wanted);
		const struct row tv = { "s", wanted };

		run(g, nitems(g), &tv, 1);
	}
}

static void
test_link_chain(void)
{
	for (int n = 40; n <= 41; n++) {
		struct tree t = { 0 };
		struct given g[43];
		char names[43][16], targets[43][16];
		auto_free char *got = NULL;

		g[0] = (struct given){ .path = "real.yaml" };
		for (int i = 1; i <= n; i++) {
			snprintf(names[i], 16, "l%02d%s", i,
			    i == n ? ".yaml" : "");
			snprintf(targets[i], 16, "l%02d", i - 1);
			g[i] = (struct given){ .path = names[i],
				.target = i == 1 ? "real.yaml" : targets[i] };
		}
		build(&t, g, (size_t)n + 1);
		got = walk(&t, names[n]);
		want_str(got,
		    n == 40 ? "l40.yaml=real.yaml"
			    : "unable to read file at \"l41.yaml\": too many "
			      "levels of symbolic links");
		tree_clear(&t);
	}
}

/* What is still to be followed is bounded, whatever becomes of it: here each
 * target ends in thousands of "./". */
static void
test_long_targets(void)
{
	char targets[2][TREE_MAX_TARGET + 1];
	struct given g[] = {
		{ .path = "d/real.yaml" },
		{ .path = "l1", .target = targets[0] },
		{ .path = "l2", .target = targets[1] },
		{ .path = "one.yaml", .target = "l2/real.yaml" },
		{ .path = "two.yaml", .target = "l1/real.yaml" },
		/* too long for a target: it was not even asked for */
		{ .path = "long.yaml",
		    .target = "d/real.yaml",
		    .size = TREE_MAX_TARGET + 1 },
		{ .path = "longest.yaml",
		    .target = "d/real.yaml",
		    .size = TREE_MAX_TARGET },
	};
	const struct row tv[] = {
		{ "one.yaml", "one.yaml=d/real.yaml" },
		{ "two.yaml",
		    "unable to read file at \"two.yaml\": path is too "
		    "long" },
		{ "long.yaml",
		    "unable to read file at \"long.yaml\": file name too "
		    "long" },
		{ "longest.yaml", "longest.yaml=d/real.yaml" },
	};

	for (size_t i = 0; i < nitems(targets); i++) {
		size_t n = (size_t)snprintf(targets[i], sizeof(targets[i]),
		    "%s", i == 0 ? "l2" : "d");

		targets[i][n++] = '/';
		while (n + 2 <= TREE_MAX_TARGET) {
			targets[i][n++] = '.';
			targets[i][n++] = '/';
		}
		targets[i][n] = '\0';
	}
	run(g, nitems(g), tv, nitems(tv));
}

static void
test_size(void)
{
	static const struct given g[] = {
		{ .path = "big.yaml", .size = MAX_SIZE + 1 },
		{ .path = "fits.yaml", .size = MAX_SIZE },
		{ .path = "link.yaml", .target = "big.yaml" },
	};
	static const struct row tv[] = {
		{ "fits.yaml", "fits.yaml" },
		{ "",
		    "unable to read file at \"big.yaml\": file has 1001 "
		    "bytes, more than the 1000 of --git-max-file fits.yaml "
		    "unable to read file at \"link.yaml\": file has 1001 "
		    "bytes, more than the 1000 of --git-max-file" },
		{ "link.yaml",
		    "unable to read file at \"link.yaml\": file "
		    "has 1001 bytes, more than the 1000 of "
		    "--git-max-file" },
	};

	run(g, nitems(g), tv, nitems(tv));
}

/* Commits are followed by what differs. */
static void
test_changes(void)
{
	static const struct given g[] = {
		{ .path = "a.yaml" },
		{ .path = "b.yaml" },
		{ .path = "d/c.yaml" },
	};
	struct tree t = { 0 };
	struct fx_err err = { 0 };
	bool changed;
	char *got;

	build(&t, g, nitems(g));
	tree_put(&t, "b.yaml", "new", 0100644, 1);
	tree_put(&t, "d", "file", 0100644, 1);
	tree_put(&t, "0.yaml", "first", 0100644, 1);
	tree_remove(&t, "d/c.yaml");
	tree_remove(&t, "never.yaml");
	want_int(tree_settle(&t, false, &changed, &err), FX_OK);
	got = walk(&t, "");
	want_str(got, "0.yaml=first a.yaml b.yaml=new");
	free(got);
	tree_put(&t, "z.yaml", "z", 0100644, 1);
	tree_forget(&t);
	want_int(tree_settle(&t, false, &changed, &err), FX_OK);
	got = walk(&t, "");
	want_str(got, "0.yaml=first a.yaml b.yaml=new");
	want(!changed);
	free(got);
	/* or everything is told anew */
	tree_put(&t, "z.yaml", "z", 0100644, 1);
	want_int(tree_settle(&t, true, &changed, &err), FX_OK);
	got = walk(&t, "");
	want_str(got, "z.yaml=z");
	want(changed);
	free(got);
	tree_clear(&t);
}

static void
test_limit(void)
{
	struct tree t = { 0 };
	struct fx_err err = { 0 };
	bool changed;
	char name[32];

	for (int i = 0; i < TREE_MAX_ENTRIES; i++) {
		snprintf(name, sizeof(name), "%06d.yaml", i);
		tree_put(&t, name, "x", 0100644, 1);
	}
	want_int(tree_settle(&t, false, &changed, &err), FX_OK);
	tree_put(&t, "more.yaml", "x", 0100644, 1);
	want_int(tree_settle(&t, false, &changed, &err), FX_ELIMIT);
	want_str(err.text,
	    "the repository has more than 200000 manifest files");
	tree_clear(&t);
	for (int i = 0; i < 2 * TREE_MAX_ENTRIES; i++)
		tree_put(&t, "x.yaml", "x", 0100644, 1);
	want_int(t.nchanges, TREE_MAX_ENTRIES + 1);
	want_int(tree_settle(&t, false, &changed, &err), FX_ELIMIT);
	tree_clear(&t);
}

int
main(void)
{
	test_run("tree: files are met in the order of a walk", test_order);
	test_run("tree: charts are not read, from wherever one looks",
	    test_charts);
	test_run("tree: a repository that is a chart has no manifests",
	    test_root_chart);
	test_run("A18: tree: links stay inside", test_links);
	test_run("tree: forty links are followed and no more", test_link_chain);
	test_run("A18: tree: long targets are refused", test_long_targets);
	test_run("tree: large files are refused before they are read",
	    test_size);
	test_run("tree: differences keep it up to date", test_changes);
	test_run("A20: tree: the number of files is bounded", test_limit);
	return test_done();
}
