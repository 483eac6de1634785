/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "history.h"
#include "local_repo.h"
#include "mirror.h"
#include "notes.h"
#include "objects.h"
#include "str.h"
#include "test.h"
#include "tree.h"

/* A work tree in w, the state directory with the mirror in m, both in a
 * directory of the test's own, where git(1) runs. */
static char top[] = "/tmp/fluxd-test-git.XXXXXX";
static struct mirror mirror;
static struct tree_memory memory;

static const char *sh(const char *fmt, ...) FX_PRINTF(1, 2);

/* Run a shell script; its first line of output, in a buffer of the call's. */
static const char *
sh(const char *fmt, ...)
{
	static char line[4][256];
	static unsigned turn;
	char *out = line[turn++ % nitems(line)];
	auto_free char *script = NULL, *all = NULL;
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	if (vasprintf(&script, fmt, ap) < 0)
		abort();
	va_end(ap);
	all = xasprintf("cd %s/w 2>/dev/null || cd %s; set -e; export HOME=%s "
			"GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='1700000000 "
			"+0000' "
			"GIT_COMMITTER_DATE='1700000000 +0000'; { %s\n}",
	    top, top, top, script);
	if ((f = popen(all, "r")) == NULL)
		abort();
	if (fgets(out, sizeof(line[0]), f) == NULL)
		out[0] = '\0';
	while (fgetc(f) != EOF)
		;
	if (pclose(f) != 0) {
		printf("# failed: %s\n", script);
		exit(1);
	}
	out[strcspn(out, "\n")] = '\0';
	return out;
}

static int
heed_nobody(void *arg, struct fx_err *err)
{
	(void)arg;
	(void)err;
	return FX_OK;
}

/* Of an operation that has all the time it wants. */
static struct link unhurried = { .calls = { .heed = heed_nobody },
	.deadline_us = CLK_NEVER };

static void
open_mirror(const char *origin)
{
	auto_free char *dir = xasprintf("%s/m", top);
	const struct mirror_conf conf = { dir, origin, "main", "flux-sync",
		"flux", true, false };
	struct fx_err err = { 0 };

	mirror_clear(&mirror);
	want_int(mirror_init(&mirror, &conf, &err), FX_OK);
	want_int(mirror_open(&mirror, &err), FX_OK);
	want_str(err.text, "");
}

static void
set_up(void)
{
	struct fx_err err = { 0 };

	if (mkdtemp(top) == NULL || gw_lib_open(64 << 20, &err) != FX_OK)
		abort();
	(void)sh("mkdir m && git init -q -b main w && cd w && git config "
		 "user.name U && git config user.email u@e");
	open_mirror("file:///x");
}

/* Commit what is in the work tree and bring everything into the mirror. */
static const char *
commit_on(const char *branch, const char *message)
{
	return sh("git add -A && git commit -q --allow-empty -m '%s' && git "
		  "push -q -f %s/m/repository.git %s && git rev-parse HEAD",
	    message, top, branch);
}

static const char *
commit(const char *message)
{
	return commit_on("main", message);
}

/* ---- trees ---- */

static int
add_item(void *arg, const struct tree_item *item, struct fx_err *err)
{
	(void)err;
	return str_addf(arg, "%s%s %o%s", buf_left(arg) == 0 ? "" : "|",
	    item->path, item->mode, item->removed ? " removed" : "");
}

static char *
list(const char *id, const char *base, const char *roots, bool *full,
    struct fx_err *err)
{
	struct buf out = BUF_INIT(1 << 20);
	char *copy = xstrdup(roots), *v[8];
	struct tree_query q = { .commit = id,
		.base = base,
		.roots = v,
		.max_object = 64 << 20,
		.fn = add_item,
		.arg = &out };
	struct tree_result result = { 0 };

	for (char *s = strtok(copy, ","); s != NULL; s = strtok(NULL, ","))
		v[q.nroots++] = s;
	if (tree_list(&mirror, &q, &memory, &result, err) != FX_OK)
		buf_reset(&out);
	*full = result.full;
	free(copy);
	return str_take(&out);
}

static void
want_list(const char *id, const char *base, const char *roots, bool full,
    const char *wanted)
{
	struct fx_err err = { 0 };
	bool got_full;
	auto_free char *got = list(id, base, roots, &got_full, &err);

	want_str(err.text, "");
	want_str(got, wanted);
	want_int(got_full, full);
}

static void
want_refused(const char *id, const char *roots, int code, const char *text)
{
	struct fx_err err = { 0 };
	bool full;
	auto_free char *got = list(id, "", roots, &full, &err);

	want_int(err.code, code);
	want_str(err.text, text);
	want_str(got, "");
}

static void
test_tree(void)
{
	const char *one, *two;

	(void)sh("mkdir -p a/b c .hidden x.yaml && echo 1 >a/1.yaml && "
		 "echo 2 >a/b/2.yml && echo 3 >c/3.yaml && echo >c/Chart.yaml "
		 "&& echo >c/values.yaml && echo >n.json && echo >N.YAML && "
		 "echo >.hidden/h.yaml && echo >.yaml && echo >x.yaml/in.yaml "
		 "&& ln -s a/1.yaml l.yaml && ln -s c d && echo >README");
	one = commit("first");
	want_list(one, "", "", true,
	    ".hidden/h.yaml 100644|.yaml 100644|a/1.yaml 100644|a/b/2.yml "
	    "100644|c/3.yaml 100644|c/Chart.yaml 100644|c/values.yaml "
	    "100644|d 120000|l.yaml 120000|x.yaml/in.yaml 100644");
	want_list(one, one, "", false, "");
	/* the roots have to be there; links lead out of them */
	want_list(one, "", "a,README,a/b/2.yml,./c/../a//1.yaml/", true,
	    ".hidden/h.yaml 100644|.yaml 100644|a/1.yaml 100644|a/b/2.yml "
	    "100644|c/3.yaml 100644|c/Chart.yaml 100644|c/values.yaml "
	    "100644|d 120000|l.yaml 120000|x.yaml/in.yaml 100644");
	want_refused(one, "a,gone/x", FX_EUNKNOWN,
	    "unable to read root path \"gone/x\": stat gone/x: no such file "
	    "or directory");
	want_refused(one, "../x", FX_EDENIED,
	    "git path \"../x\" leads out of the repository");
	want_refused("1111111111111111111111111111111111111111", "",
	    FX_EUNKNOWN,
	    "commit 1111111111111111111111111111111111111111: object not "
	    "found - no match for id "
	    "(1111111111111111111111111111111111111111)");

	/* a file becomes a directory, a link a file, a chart ends */
	(void)sh("rm a/1.yaml l.yaml c/values.yaml && mkdir a/1.yaml && echo "
		 ">a/1.yaml/z.yaml && echo >l.yaml && echo new >>a/b/2.yml && "
		 "chmod +x .yaml && rm -r .hidden");
	two = commit("second");
	want_list(one, "", "README", true,
	    ".hidden/h.yaml 100644|.yaml 100644|a/1.yaml 100644|a/b/2.yml "
	    "100644|c/3.yaml 100644|c/Chart.yaml 100644|c/values.yaml "
	    "100644|d 120000|l.yaml 120000|x.yaml/in.yaml 100644");
	want_list(two, one, "", false,
	    ".hidden/h.yaml 100644 removed|.yaml 100755|a/1.yaml 100644 "
	    "removed|a/1.yaml/z.yaml 100644|a/b/2.yml 100644|c/values.yaml "
	    "100644 removed|l.yaml 100644");
	/* a base that is gone is no base */
	want_list(two, "1111111111111111111111111111111111111111", "c", true,
	    ".yaml 100755|a/1.yaml/z.yaml 100644|a/b/2.yml 100644|c/3.yaml "
	    "100644|c/Chart.yaml 100644|d 120000|l.yaml 100644|x.yaml/in.yaml "
	    "100644");
}

/* Links to files of other names, and roots that are reached through links. */
static void
test_links(void)
{
	static const struct {
		const char *root, *error;
		int code;
	} roots[] = {
		{ "via/sub", "", FX_OK },
		{ "via/../real", "", FX_OK },
		{ "chain/x.tmpl", "", FX_OK },
		{ "out", "git path \"out\": it leads out of the repository",
		    FX_EDENIED },
		{ "abs",
		    "git path \"abs\": a symbolic link leaves the repository",
		    FX_EDENIED },
		{ "loop",
		    "git path \"loop\": too many levels of symbolic links",
		    FX_ELIMIT },
		{ "dangling",
		    "unable to read root path \"dangling\": stat dangling: no "
		    "such file or directory",
		    FX_EUNKNOWN },
	};
	auto_free char *one = NULL, *two = NULL, *three = NULL;

	(void)sh("git checkout -q --orphan links && git rm -rfq . && mkdir -p "
		 "real/sub && echo >real/sub/x.tmpl && echo >real/other && "
		 "echo >real/later && ln -s real/sub/x.tmpl x.yaml && ln -s "
		 "real via && ln -s via/sub chain && ln -s ../../y out && ln "
		 "-s /etc abs && ln -s loop loop && ln -s gone dangling");
	one = xstrdup(commit_on("links", "one"));
	want_list(one, "", "", true,
	    "abs 120000|chain 120000|dangling 120000|loop 120000|out "
	    "120000|real/sub/x.tmpl 100644|via 120000|x.yaml 120000");
	/* the target changes, the link does not */
	(void)sh("echo new >real/sub/x.tmpl");
	two = xstrdup(commit_on("links", "two"));
	want_list(two, one, "", false, "real/sub/x.tmpl 100644");
	/* a link to what was there all along */
	(void)sh("ln -s real/later l.yaml");
	three = xstrdup(commit_on("links", "three"));
	want_list(three, two, "", true,
	    "abs 120000|chain 120000|dangling 120000|l.yaml 120000|loop "
	    "120000|out 120000|real/later 100644|real/sub/x.tmpl 100644|via "
	    "120000|x.yaml 120000");
	/* only the commit listed last is a base */
	want_list(three, one, "", true,
	    "abs 120000|chain 120000|dangling 120000|l.yaml 120000|loop "
	    "120000|out 120000|real/later 100644|real/sub/x.tmpl 100644|via "
	    "120000|x.yaml 120000");
	for (size_t i = 0; i < nitems(roots); i++) {
		struct fx_err err = { 0 };
		bool full;
		auto_free char *got =
		    list(three, "", roots[i].root, &full, &err);

		want_int(err.code, roots[i].code);
		want_str(err.text, roots[i].error);
		want_int(*got != '\0', roots[i].code == FX_OK);
	}
}

/* ---- objects made behind git's back ---- */

static git_oid
make_object(git_object_t type, const void *p, size_t n)
{
	git_odb *odb = NULL;
	git_oid oid;

	want_int(git_repository_odb(&odb, mirror.repo), 0);
	want_int(git_odb_write(&oid, odb, p, n, type), 0);
	git_odb_free(odb);
	return oid;
}

static void
add_entry(struct buf *tree, const char *mode, const char *name, size_t n,
    const git_oid *oid)
{
	want_int(str_add(tree, mode), FX_OK);
	want_int(str_addc(tree, ' '), FX_OK);
	want_int(str_addn(tree, name, n), FX_OK);
	want_int(str_addc(tree, '\0'), FX_OK);
	want_int(buf_put(tree, oid->id, 20), FX_OK);
}

static void
make_commit(const git_oid *tree, char hex[GW_OID_HEX])
{
	auto_buf struct buf text = BUF_INIT(1024);
	git_oid oid;

	git_oid_tostr(hex, GW_OID_HEX, tree);
	want_int(str_addf(&text,
		     "tree %s\nauthor A <a@a> 1 +0000\ncommitter A <a@a> 1 "
		     "+0000\n\nodd\n",
		     hex),
	    FX_OK);
	oid = make_object(GIT_OBJECT_COMMIT, buf_head(&text), buf_left(&text));
	git_oid_tostr(hex, GW_OID_HEX, &oid);
}

/* A commit of one file with any name. */
static void
odd_commit(const char *name, size_t n, char hex[GW_OID_HEX])
{
	auto_buf struct buf tree = BUF_INIT(8192);
	git_oid oid = make_object(GIT_OBJECT_BLOB, "x\n", 2);

	add_entry(&tree, "100644", name, n, &oid);
	oid = make_object(GIT_OBJECT_TREE, buf_head(&tree), buf_left(&tree));
	make_commit(&oid, hex);
}

/* A directory of n entries that are all the same object. */
static git_oid
many_of(const char *mode, const char *suffix, size_t n, const git_oid *oid)
{
	auto_buf struct buf tree = BUF_INIT(1 << 20);
	char name[32];

	for (size_t i = 0; i < n; i++)
		add_entry(&tree, mode, name,
		    (size_t)snprintf(name, sizeof(name), "%05zu%s", i, suffix),
		    oid);
	return make_object(GIT_OBJECT_TREE, buf_head(&tree), buf_left(&tree));
}

/* A19: names no git would check out, and names that are only strange. */
static void
test_names(void)
{
	static const struct {
		const char *name, *wanted, *error;
	} tv[] = {
		{ "..", NULL,
		    "the repository has an entry \"..\", which git refuses" },
		{ ".", NULL,
		    "the repository has an entry \".\", which git refuses" },
		{ ".git", NULL,
		    "the repository has an entry \".git\", which git refuses" },
		{ ".GIT", NULL,
		    "the repository has an entry \".GIT\", which git refuses" },
		{ "git~1", NULL,
		    "the repository has an entry \"git~1\", which git "
		    "refuses" },
		{ "a/../b.yaml", NULL,
		    "the repository has an entry \"a/../b.yaml\", which git "
		    "refuses" },
		{ "e\033[2J.yaml", "e\\x1b[2J.yaml 100644", NULL },
		{ "n\nl.yaml", "n\\x0al.yaml 100644", NULL },
		{ "r\rl.yaml", "r\\x0dl.yaml 100644", NULL },
		{ "\377.yaml", "\\xff.yaml 100644", NULL },
		{ "\342\200\256.yaml", "\\u{202e}.yaml 100644", NULL },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		char id[GW_OID_HEX];

		odd_commit(tv[i].name, strlen(tv[i].name), id);
		if (tv[i].error != NULL)
			want_refused(id, "", FX_EDENIED, tv[i].error);
		else
			want_list(id, "", "", true, tv[i].wanted);
	}
}

/* A name of more bytes than any path may have. */
static void
test_long_name(void)
{
	char name[TREE_MAX_PATH + 1], id[GW_OID_HEX];

	memset(name, 'n', sizeof(name));
	odd_commit(name, sizeof(name), id);
	want_refused(id, "", FX_ELIMIT,
	    "below \"\": a path is longer than 4096 bytes");
	memset(name, '\033', sizeof(name));
	memcpy(name + 4091, ".yaml", 5);
	odd_commit(name, sizeof(name) - 1, id);
	{
		struct fx_err err = { 0 };
		bool full;
		auto_free char *got = list(id, "", "", &full, &err);

		want_int(err.code, FX_ELIMIT);
		want_str(got, "");
	}
}

/* A20 */
static void
test_deep(void)
{
	const char *id = sh(
	    "b=$(echo x | git hash-object -w --stdin); t=$(printf '100644 "
	    "blob %%s\\ta.yaml\\n' $b | git mktree); for i in $(seq 63); do "
	    "t=$(printf '040000 tree %%s\\td\\n' $t | git mktree); done; ok=$("
	    "git commit-tree $t -m x); t=$(printf '040000 tree %%s\\td\\n' $t "
	    "| git mktree); t=$(printf '040000 tree %%s\\td\\n' $t "
	    "| git mktree); bad=$(git commit-tree $t -m x); git push -q -f "
	    "%s/m/repository.git $ok:refs/heads/ok $bad:refs/heads/bad; echo "
	    "$ok $bad",
	    top);
	auto_free char *ok = xstrndup(id, 40), *bad = xstrdup(id + 41);
	auto_free char *got = NULL;
	struct fx_err err = { 0 };
	bool full;

	got = list(ok, "", "", &full, &err);
	want_int(strlen(got), 63 * 2 + strlen("a.yaml 100644"));
	want_refused(bad, "", FX_ELIMIT,
	    "the repository has directories nested more than 64 deep");
}

static int
count_item(void *arg, const struct tree_item *item, struct fx_err *err)
{
	(void)item;
	(void)err;
	++*(uint64_t *)arg;
	return FX_OK;
}

/* Few objects that are millions of files: A20 in breadth. */
static void
test_wide(void)
{
	static const struct {
		const char *suffix;
		size_t n; /* times 100 directories of 100 files */
		uint64_t reported;
		const char *error;
	} tv[] = {
		{ "", 396, 0, "" }, /* 3,999,996 with the directories */
		{ "", 397, 0,
		    "the repository has more than 4000000 files and "
		    "directories" },
		{ ".yaml", 20, TREE_MAX_ENTRIES, "" },
		{ ".yaml", 21, TREE_MAX_ENTRIES,
		    "the repository has more than 200000 manifest files" },
	};
	const git_oid blob = make_object(GIT_OBJECT_BLOB, "x\n", 2);

	for (size_t i = 0; i < nitems(tv); i++) {
		const git_oid files =
		    many_of("100644", tv[i].suffix, 100, &blob);
		const git_oid middle = many_of("40000", "", 100, &files);
		const git_oid root = many_of("40000", "", tv[i].n, &middle);
		char id[GW_OID_HEX];
		uint64_t reported = 0;
		const struct tree_query q = { .commit = id,
			.base = "",
			.max_object = 64 << 20,
			.fn = count_item,
			.arg = &reported };
		struct tree_result result;
		struct fx_err err = { 0 };

		make_commit(&root, id);
		want_int(tree_list(&mirror, &q, &memory, &result, &err),
		    *tv[i].error == '\0' ? FX_OK : FX_ELIMIT);
		want_str(err.text, tv[i].error);
		want_int(reported, tv[i].reported);
	}
}

static int
refuse_item(void *arg, const struct tree_item *item, struct fx_err *err)
{
	(void)item;
	return fx_fail(err, FX_ECANCELLED, "%u", ++*(unsigned *)arg);
}

static void
test_cancel(void)
{
	unsigned calls = 0;
	const char *id = sh("git rev-parse main");
	const struct tree_query q = { .commit = id,
		.base = "",
		.max_object = 64 << 20,
		.fn = refuse_item,
		.arg = &calls };
	struct tree_result result;
	struct fx_err err = { 0 };

	want_int(tree_list(&mirror, &q, &memory, &result, &err), FX_ECANCELLED);
	want_int(calls, 1);
}

static void
test_big_tree(void)
{
	const char *id = sh("git rev-parse main");
	unsigned calls = 0;
	const struct tree_query q = { .commit = id,
		.base = "",
		.max_object = 10,
		.fn = refuse_item,
		.arg = &calls };
	struct tree_result result;
	struct fx_err err = { 0 };

	want_int(tree_list(&mirror, &q, &memory, &result, &err), FX_ELIMIT);
	want_str(err.text, "an object is larger than 10 bytes");
}

/* ---- history ---- */

static int
add_commit(void *arg, git_commit *c)
{
	auto_free char *subject = history_subject(c);

	return str_addf(arg, "%s%s", buf_left(arg) == 0 ? "" : "|", subject);
}

static void
want_history(const char *from, const char *to, char *const *roots, size_t n,
    uint64_t max, bool more, const char *wanted)
{
	struct buf out = BUF_INIT(1 << 16);
	const struct history_query q = { .from = from,
		.to = to,
		.roots = roots,
		.nroots = n,
		.max = max,
		.max_object = 1 << 20,
		.fn = add_commit,
		.arg = &out };
	auto_free char *got = NULL;
	struct fx_err err = { 0 };
	bool got_more;

	want_int(history_list(&mirror, &q, &got_more, &err), FX_OK);
	want_str(err.text, "");
	got = str_take(&out);
	want_str(got, wanted);
	want_int(got_more, more);
}

/* 3 commits, then a branch of 2 merged: git log's answers */
static void
test_history(void)
{
	char *prod[] = { (char *)(uintptr_t) "prod" };
	char *dev[] = { (char *)(uintptr_t) "./dev/" };
	char *both[] = { prod[0], dev[0] };
	char first[64];

	(void)sh(
	    "n=0; ci() { n=$((n + 1)); GIT_COMMITTER_DATE=\"$((1700000000 + "
	    "n)) +0000\" git \"$@\"; }; git checkout -q --orphan hist && git "
	    "rm -rfq . && mkdir dev prod && echo 1 >dev/a && echo 1 >prod/a "
	    "&& git add -A && ci commit -qm initial && echo 2 >dev/a && ci "
	    "commit -qam dev1 && echo 2 >dev/b && git add -A && ci commit "
	    "-qm 'dev2\n\nbody' && git checkout -qb side && echo 2 >prod/a "
	    "&& ci commit -qam update && echo 3 >dev/a && ci commit -qam dev3 "
	    "&& git checkout -q hist && ci merge -q --no-ff -m merge side && "
	    "git push -q -f %s/m/repository.git hist:main "
	    "hist~3:refs/tags/main2",
	    top);
	snprintf(first, sizeof(first), "%s",
	    sh("git rev-list --max-parents=0 "
	       "hist"));
	want_history("", "main", NULL, 0, 0, false,
	    "merge|dev3|update|dev2|dev1|initial");
	want_history("", "HEAD", prod, 1, 0, false, "update|initial");
	want_history(first, "HEAD", prod, 1, 0, false, "update");
	want_history("", "HEAD", dev, 1, 0, false, "dev3|dev2|dev1|initial");
	want_history("", "HEAD", both, 2, 0, false,
	    "dev3|update|dev2|dev1|initial");
	want_history(first, "main", NULL, 0, 2, true, "merge|dev3");
	want_history("", "main2", NULL, 0, 0, false, "initial");
	first[7] = '\0'; /* the client abbreviates */
	want_history(first, "main", NULL, 0, 0, false,
	    "merge|dev3|update|dev2|dev1");
}

/* A history of many branches and merges, in which the same content comes back
 * again and again: each commit sets one of three files to one of two values. */
#define HISTORY_COMMITS 100

static unsigned
next_random(void)
{
	static unsigned seed = 1;

	seed = seed * 1103515245 + 12345;
	return seed >> 16;
}

static void
import_history(void)
{
	static const char *const dirs[] = { "dev", "prod", "base" };
	auto_free char *path = xasprintf("%s/import", top);
	FILE *f = fopen(path, "w");

	if (f == NULL)
		abort();
	for (unsigned i = 1; i <= HISTORY_COMMITS; i++) {
		unsigned parent = i - 1 - (i > 6 ? next_random() % 5 : 0);
		unsigned other = i > 8 ? i - 1 - next_random() % 7 : 0;

		/* two at a time have the same date */
		fprintf(f,
		    "commit refs/heads/x%u\nmark :%u\n"
		    "committer a <a@b> %u +0000\ndata <<E\nc%u\nE\n",
		    i, i, 1700000000 + i / 2, i);
		if (i > 1)
			fprintf(f, "from :%u\n", parent);
		if (other != 0 && other != parent && next_random() % 2 == 0)
			fprintf(f, "merge :%u\n", other);
		if (next_random() % 8 != 0)
			fprintf(f, "M 100644 inline %s/a\ndata 1\n%u\n",
			    dirs[next_random() % 3], next_random() % 2);
		fprintf(f, "\n");
	}
	fclose(f);
	(void)sh("git -C %s/m/repository.git fast-import --quiet --force <%s",
	    top, path);
}

/* One listing; git's own stands in a line of a file. */
struct listing {
	char from[8], to[8]; /* branches; from may be "" */
	unsigned paths;
};

#define LISTINGS 300

static char *const listing_roots[] = { (char *)(uintptr_t) "prod",
	(char *)(uintptr_t) "dev" };
static const char *const listing_paths[] = { "", "prod", "prod dev" };

static void
ask_git(const struct listing *l, const char *script)
{
	FILE *f = fopen(script, "w");

	if (f == NULL)
		abort();
	for (unsigned i = 0; i < LISTINGS; i++)
		fprintf(f, "git log --format=%%s %s%s%s -- %s | paste -sd'|'\n",
		    l[i].from, l[i].from[0] == '\0' ? "" : "..", l[i].to,
		    listing_paths[l[i].paths]);
	fclose(f);
	(void)sh("cd %s/m/repository.git && sh %s >%s.out", top, script,
	    script);
}

static void
test_like_git(void)
{
	struct listing l[LISTINGS];
	auto_free char *script = xasprintf("%s/log", top);
	auto_free char *out = xasprintf("%s.out", script);
	char line[4096];
	FILE *f;

	import_history();
	for (unsigned i = 0; i < LISTINGS; i++) {
		unsigned to = 40 + next_random() % (HISTORY_COMMITS - 40) + 1;

		snprintf(l[i].to, sizeof(l[i].to), "x%u", to);
		l[i].from[0] = '\0';
		l[i].paths = i % 3;
		if (i % 6 != 0)
			snprintf(l[i].from, sizeof(l[i].from), "x%u",
			    to - 1 - next_random() % 30);
	}
	ask_git(l, script);
	if ((f = fopen(out, "r")) == NULL)
		abort();
	for (unsigned i = 0; i < LISTINGS; i++) {
		if (!want(fgets(line, sizeof(line), f) != NULL))
			break;
		line[strcspn(line, "\n")] = '\0';
		want_history(l[i].from, l[i].to, listing_roots, l[i].paths, 0,
		    false, line);
	}
	fclose(f);
}

/* ---- notes ---- */

static void
want_note(const char *commit, size_t max, int code, const char *wanted)
{
	git_odb_object *o = NULL;
	struct notes n;
	struct fx_err err = { 0 };
	git_oid oid;
	int r;

	want_int(oid_parse(commit, &oid, &err), FX_OK);
	want_int(notes_open(&n, &mirror, 1 << 20, &err), FX_OK);
	r = notes_read(&n, &oid, max, &o, &err);
	want_int(r, code);
	want((o != NULL) == (wanted != NULL));
	if (o != NULL && wanted != NULL) {
		want_int(git_odb_object_size(o), strlen(wanted));
		want_mem(git_odb_object_data(o), wanted, strlen(wanted));
	}
	git_odb_object_free(o);
	notes_close(&n);
}

/* In the mirror, as somebody. */
#define BARE                                                                   \
	"cd %s/m/repository.git; git() { command git -c user.name=a "          \
	"-c user.email=a@b \"$@\"; }; "

/* The notes ref becomes a commit of a tree. */
static void
set_notes(const char *tree)
{
	(void)sh(BARE "git update-ref refs/notes/flux "
		      "$(git commit-tree -m n %s)",
	    top, tree);
}

/* The tree of one entry: mode and kind, object, name. */
static const char *
one_entry(const char *kind, const char *id, const char *name)
{
	return sh(BARE "printf '%s %s\t%s\n' | git mktree --missing", top, kind,
	    id, name);
}

static void
test_notes(void)
{
	auto_free char *id = xstrdup(sh(BARE "git rev-parse main", top));
	auto_free char *none = xstrdup(sh(BARE "git rev-parse main~1", top));
	auto_free char *blob = NULL, *tree = NULL, *prefix = NULL;
	struct notes n;
	struct fx_err err = { 0 };

	want_note(id, 100, FX_OK, NULL);
	(void)sh(BARE "git notes --ref=flux add -m '{\"jobID\":\"1\"}' %s", top,
	    id);
	want_note(id, 100, FX_OK, "{\"jobID\":\"1\"}\n");
	want_note(none, 100, FX_OK, NULL);
	want_note(id, 5, FX_ELIMIT, NULL);

	/* spread over directories, one or as many as there can be */
	blob = xstrdup(sh(BARE "echo deep | git hash-object -w --stdin", top));
	tree = xstrdup(one_entry("100644 blob", blob, id + 2));
	prefix = xstrndup(id, 2);
	set_notes(one_entry("040000 tree", tree, prefix));
	want_note(id, 100, FX_OK, "deep\n");
	set_notes(sh(BARE "e='100644 blob %s'; for i in $(seq 39 -2 1); do "
			  "e=\"040000 tree $(printf '%%s\\t%%s\\n' \"$e\" "
			  "\"$(echo %s | cut -c$i-$((i + 1)))\" | git "
			  "mktree)\"; done; echo ${e##* }",
	    top, blob, id));
	want_note(id, 100, FX_OK, "deep\n");

	/* what is no note: a directory of its name, a submodule, an object
	 * that is not there, a ref to something else */
	set_notes(one_entry("040000 tree", tree, id));
	want_note(id, 100, FX_OK, NULL);
	set_notes(one_entry("160000 commit", id, id));
	want_note(id, 100, FX_OK, NULL);
	set_notes(one_entry("100644 blob",
	    "1111111111111111111111111111111111111111", id));
	want_note(id, 100, FX_EUNKNOWN, NULL);
	(void)sh(BARE "git update-ref refs/notes/flux %s", top, blob);
	want_int(notes_open(&n, &mirror, 1 << 20, &err), FX_ESYNTAX);
	notes_close(&n);
	(void)sh(BARE "git update-ref -d refs/notes/flux", top);
}

static void
test_revisions(void)
{
	static const struct {
		const char *rev;
		int want;
	} tv[] = {
		{ "main", FX_OK },
		{ "HEAD^1", FX_OK },
		{ "refs/heads/main~2", FX_OK },
		{ "nope", FX_EUNKNOWN },
		{ "1111111111111111111111111111111111111111", FX_EUNKNOWN },
		{ "", FX_ESYNTAX },
		{ "-x", FX_ESYNTAX },
		{ ":/initial", FX_ESYNTAX },
		{ "main^{/x}", FX_ESYNTAX },
		{ "HEAD@{1}", FX_ESYNTAX },
		{ "main:dev/a", FX_ESYNTAX },
		{ "a b", FX_ESYNTAX },
		{ "a\nb", FX_ESYNTAX },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct fx_err err = { 0 };
		git_oid oid;

		want_int(commit_resolve(&mirror, tv[i].rev, &oid, &err),
		    tv[i].want);
	}
	for (int n = 256; n <= 257; n++) { /* the longest one, and longer */
		auto_free char *rev = xasprintf("%0*d", n, 0);
		struct fx_err err = { 0 };
		git_oid oid;

		want(commit_resolve(&mirror, rev, &oid, &err) != FX_OK);
		want_int(strcmp(err.text, "not a revision") == 0, n == 257);
	}
}

/* ---- blobs and the tag ---- */

static void
test_blob(void)
{
	auto_free char *hex = xstrdup(sh("git rev-parse hist:dev/a"));
	auto_free char *tree = xstrdup(sh("git rev-parse hist:dev"));
	git_odb_object *o = NULL;
	struct fx_err err = { 0 };

	want_int(blob_read(&mirror, hex, 2, &o, &err), FX_OK);
	want_int(git_odb_object_size(o), 2);
	want_mem(git_odb_object_data(o), "3\n", 2);
	git_odb_object_free(o);
	want_int(blob_read(&mirror, hex, 1, &o, &err), FX_ELIMIT);
	want(strstr(err.text, hex) != NULL);
	want_int(blob_read(&mirror, tree, 100, &o, &err), FX_ESYNTAX);
	want_int(blob_read(&mirror, "main", 100, &o, &err), FX_ESYNTAX);
	want_int(blob_read(&mirror, "1111111111111111111111111111111111111111",
		     100, &o, &err),
	    FX_EUNKNOWN);
}

/* byte by byte what git tag makes */
static void
test_tag(void)
{
	static const int64_t wall = 1700000000 * CLK_SEC;
	auto_free char *id = xstrdup(sh("git rev-parse hist"));
	auto_free char *theirs = NULL;
	char hex[GW_OID_HEX];
	struct fx_err err = { 0 };
	git_tag *tag = NULL;
	git_oid oid;

	clk_fake(NULL, &wall);
	want_int(tag_make(&mirror, id, "Weave Flux", "support@weave.works",
		     "refs/fluxd/t", &oid, &err),
	    FX_OK);
	clk_fake(NULL, NULL);
	git_oid_tostr(hex, sizeof(hex), &oid);
	theirs = xstrdup(sh("git -c user.name='Weave Flux' -c "
			    "user.email=support@weave.works tag -f -a -m "
			    "'Sync pointer' flux-sync hist >/dev/null && git "
			    "rev-parse flux-sync"));
	want_str(hex, theirs);
	want_int(tag_make(&mirror, id, "a<b\nc>", "x\n@y", "refs/fluxd/t", &oid,
		     &err),
	    FX_OK);
	want_int(git_tag_lookup(&tag, mirror.repo, &oid), 0);
	want_str(git_tag_tagger(tag)->name, "abc");
	want_str(git_tag_tagger(tag)->email, "x@y");
	git_tag_free(tag);
	want_int(tag_make(&mirror, id, "", "x", "refs/fluxd/t", &oid, &err),
	    FX_EFAIL);
	want_int(tag_make(&mirror, "1111111111111111111111111111111111111111",
		     "a", "x", "refs/fluxd/t", &oid, &err),
	    FX_EUNKNOWN);
}

/* ---- the mirror ---- */

static void
want_commit(const char *ref, const char *wanted)
{
	char hex[GW_OID_HEX];
	struct fx_err err = { 0 };

	want_int(mirror_commit_of(&mirror, ref, hex, &err), FX_OK);
	want_str(hex, wanted);
}

static void
test_mirror(void)
{
	auto_free char *id = xstrdup(sh("git rev-parse hist"));
	struct mirror reader = { 0 };
	auto_free char *dir = xasprintf("%s/m", top);
	const struct mirror_conf conf = { dir, "file:///x", "main", "flux-sync",
		"flux", false, false };
	struct fx_err err = { 0 };
	git_odb_object *o;

	(void)sh("git push -q -f %s/m/repository.git flux-sync; cd "
		 "%s/m/repository.git; touch refs/heads/main.lock "
		 "objects/pack/pack_git2_x packed-refs.lock",
	    top, top);
	want_commit("refs/heads/main", id);
	want_commit("refs/tags/flux-sync", id);
	want_commit("refs/heads/none", "");

	/* again: what a crash left is swept, what is not ours is dropped */
	open_mirror("file:///x");
	want(!mirror.created);
	want_str(sh("cd %s/m/repository.git; find . -name '*.lock' -o -name "
		    "'*_git2_*'",
		     top),
	    "");
	want_commit("refs/heads/main", id);
	want_commit("refs/heads/bad", "");

	/* a reader notices damage, and the writer starts over */
	want_int(mirror_init(&reader, &conf, &err), FX_OK);
	want_int(mirror_open(&reader, &err), FX_OK);
	want_int(mirror_open(&mirror, &err), FX_OK);
	want(!mirror.created);
	want_int(blob_read(&reader, "2222222222222222222222222222222222222222",
		     9, &o, &err),
	    FX_EUNKNOWN);
	want_int(mirror_open(&mirror, &err), FX_OK);
	/* whoever asked for that was wrong, not the mirror */
	want(!mirror_is_damaged(&mirror));
	(void)sh("rm -r %s/m/repository.git/objects/*", top);
	mirror_clear(&reader); /* forgets what it has seen */
	want_int(mirror_init(&reader, &conf, &err), FX_OK);
	want_int(mirror_open(&reader, &err), FX_OK);
	want(!mirror_is_damaged(&mirror));
	want_int(blob_read(&reader, id, 9, &o, &err), FX_EGONE);
	want(mirror_is_damaged(&mirror));
	/* a writer that starts now sees it, too */
	open_mirror("file:///x");
	want(mirror.created);
	want(!mirror_is_damaged(&mirror));
	want_commit("refs/heads/main", "");
	want_int(mirror_open(&reader, &err), FX_OK);
	want_int(mirror_commit_of(&reader, "refs/heads/main", (char[65]){ 0 },
		     &err),
	    FX_OK);

	/* gone, from elsewhere, of another format, broken */
	(void)sh("rm -r %s/m/repository.git", top);
	want_int(mirror_open(&reader, &err), FX_EGONE);
	want_int(mirror_open(&mirror, &err), FX_OK);
	want(mirror.created);
	want_int(mirror_open(&reader, &err), FX_OK);
	open_mirror("file:///other");
	want(mirror.created);
	open_mirror("file:///other");
	want(!mirror.created);
	(void)sh("sed -i 's/mirror 1/mirror 0/' "
		 "%s/m/repository.git/fluxd-mirror",
	    top);
	open_mirror("file:///other");
	want(mirror.created);
	(void)sh("git push -q -f %s/m/repository.git hist:main; rm -r "
		 "%s/m/repository.git/objects/*",
	    top, top);
	open_mirror("file:///other");
	want(mirror.created);
	/* what cannot be removed is put aside */
	(void)sh("cd %s/m/repository.git && rm fluxd-mirror && d=$(printf "
		 "'d/%%.0s' $(seq 20)) && mkdir -p $d",
	    top);
	open_mirror("file:///other");
	want(mirror.created);
	want_str(sh("ls -d %s/m/set-aside.* | wc -l", top), "1");
	(void)sh("rm -r %s/m/set-aside.*", top);
	(void)sh("echo x >%s/m/repository.git/HEAD", top);
	open_mirror("file:///other");
	want(mirror.created);
	mirror_clear(&reader);
}

/* Many fetches, many packs: they become one, and readers go on. */
static void
test_compact(void)
{
	auto_free char *dir = xasprintf("%s/m", top);
	const struct mirror_conf conf = { dir, "file:///x", "main", "flux-sync",
		"flux", false, false };
	struct mirror reader = { 0 };
	struct fx_err err = { 0 };
	auto_free char *id = NULL;

	open_mirror("file:///x");
	id = xstrdup(sh("git push -q -f %s/m/repository.git hist:main "
			"flux-sync && git rev-parse hist",
	    top));
	want_int(mirror_init(&reader, &conf, &err), FX_OK);
	want_int(mirror_open(&reader, &err), FX_OK);
	want_int(mirror_clutter(&mirror), MIRROR_TIDY);
	want_int(local_compact(&mirror, &unhurried, &err), FX_OK);
	(void)sh("cd %s/m/repository.git && for i in $(seq %d); do o=$(echo $i "
		 "| git hash-object -w --stdin); echo $o | git pack-objects -q "
		 "objects/pack/pack >/dev/null; done",
	    top, MIRROR_MAX_PACKS + 1);
	want_int(mirror_clutter(&mirror), MIRROR_SCATTERED);
	/* once it failed half-way, it is left alone */
	(void)sh("mkdir %s/m/repository.new", top);
	want_int(mirror_clutter(&mirror), MIRROR_TIDY);
	(void)sh("rmdir %s/m/repository.new", top);
	want_int(local_compact(&mirror, &unhurried, &err), FX_OK);
	want_str(err.text, "");
	want_int(mirror_open(&mirror, &err), FX_OK);
	want(!mirror.created);
	want_int(mirror_clutter(&mirror), MIRROR_TIDY);
	want_commit("refs/heads/main", id);
	want_commit("refs/tags/flux-sync", id);
	want_str(sh("cd %s/m && git -C repository.git fsck 2>&1; ls | tr '\\n' "
		    "' '",
		     top),
	    "repository.git ");
	want_int(mirror_open(&reader, &err), FX_OK);
	want_int(mirror_commit_of(&reader, "refs/heads/main", (char[65]){ 0 },
		     &err),
	    FX_OK);
	mirror_clear(&reader);

	/* many small objects, or much that nothing leads to any more */
	(void)sh("cd %s/m/repository.git/objects && mkdir -p 17 && cd 17 && "
		 "touch $(seq %d)",
	    top, MIRROR_MAX_LOOSE / 256 + 1);
	want_int(mirror_clutter(&mirror), MIRROR_SCATTERED);
	want_int(local_compact(&mirror, &unhurried, &err), FX_OK);
	want_int(mirror_open(&mirror, &err), FX_OK);
	want_int(mirror_clutter(&mirror), MIRROR_TIDY);
	(void)sh("truncate -s 70M %s/m/repository.git/objects/pack/x.pack",
	    top);
	want_int(mirror_clutter(&mirror), MIRROR_SCATTERED);
	want_int(local_compact(&mirror, &unhurried, &err), FX_OK);
	want_int(mirror_open(&mirror, &err), FX_OK);
	want(!mirror.created);
	want_int(mirror_clutter(&mirror), MIRROR_TIDY);
	want_commit("refs/heads/main", id);

	/* nothing helped */
	(void)sh("truncate -s 300M %s/m/repository.git/objects/pack/x.pack && "
		 "mkdir %s/m/repository.new",
	    top, top);
	want_int(local_compact(&mirror, &unhurried, &err), FX_ELIMIT);
	want(mirror_is_damaged(&mirror));
	want_int(mirror_open(&mirror, &err), FX_OK);
	want_commit("refs/heads/main", id);
}

/* An attempt that failed half-way leaves a lock; the next one must not fail
 * because of it. */
static void
test_stale_lock(void)
{
	auto_free char *id = xstrdup(sh("git rev-parse hist"));
	auto_free char *lock = xasprintf("%s/refs/fluxd/t.lock", mirror.path);
	struct fx_err err = { 0 };
	git_oid oid;
	FILE *f;

	want_int(oid_parse(id, &oid, &err), FX_OK);
	want_int(mirror_set_ref(&mirror, "refs/fluxd/t", &oid, &err), FX_OK);
	f = fopen(lock, "we");
	if (want(f != NULL))
		fclose(f);
	want_int(mirror_set_ref(&mirror, "refs/fluxd/t", &oid, &err), FX_OK);
	want_str(err.text, "");
	want(access(lock, F_OK) == -1);
	f = fopen(lock, "we");
	if (want(f != NULL))
		fclose(f);
	want_int(mirror_set_ref(&mirror, "refs/fluxd/t", NULL, &err), FX_OK);
}

static void
test_names_of_refs(void)
{
	static const char *const bad[] = { "", "a b", "a..b", "-x^", "x.lock",
		"a\nb" };
	struct fx_err err = { 0 };
	struct mirror m;

	for (size_t i = 0; i < nitems(bad); i++) {
		const struct mirror_conf conf = { "/d", "o", bad[i], "t", "n",
			false, false };

		want_int(mirror_init(&m, &conf, &err), FX_ESYNTAX);
	}
}

int
main(void)
{
	set_up();
	test_run("tree: candidates of a commit, and what changed since a base",
	    test_tree);
	test_run("tree: what links lead to is listed, inside of the tree",
	    test_links);
	test_run("tree: names that lead elsewhere are refused, others shown",
	    test_names);
	test_run("tree: a path has a limit, also when it is made printable",
	    test_long_name);
	test_run("tree: directories inside of each other have a limit",
	    test_deep);
	test_run("tree: files and directories have limits", test_wide);
	test_run("tree: a walk that nobody wants ends at once", test_cancel);
	test_run("tree: a directory beyond the limit is not read",
	    test_big_tree);
	test_run("history: as git log lists it, for paths and merges",
	    test_history);
	test_run("history: equals git's own, in a thicket of merges",
	    test_like_git);
	test_run("A34 notes: flat and spread; what is none is passed over",
	    test_notes);
	test_run("objects: revisions name commits and never search",
	    test_revisions);
	test_run("objects: a file is read if it is one and not too large",
	    test_blob);
	test_run("objects: the sync tag is the one git would make", test_tag);
	test_run("mirror: kept while it is ours, else made anew", test_mirror);
	test_run("mirror: many packs become one, and junk goes", test_compact);
	test_run("mirror: a lock left behind locks nobody out",
	    test_stale_lock);
	test_run("mirror: bad ref names are refused", test_names_of_refs);
	mirror_clear(&mirror);
	tree_memory_clear(&memory);
	(void)sh("rm -rf %s", top);
	return test_done();
}
