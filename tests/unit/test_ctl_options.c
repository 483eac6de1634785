/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "options.h"
#include "str.h"
#include "suggest.h"
#include "test.h"
#include "values.h"

#define WORDS_MAX 8

static const char *const variables[] = { "FLUX_URL", "FLUX_TIMEOUT",
	"FLUX_SERVICE_TOKEN", "WEAVE_CLOUD_TOKEN", "FLUX_FORWARD_NAMESPACE",
	"FLUX_FORWARD_LABELS" };

static void
clear_environment(void)
{
	for (size_t i = 0; i < nitems(variables); i++)
		unsetenv(variables[i]);
}

static int
parse(const char *const words[WORDS_MAX], struct ctl_line *line,
    struct ctl_error *err)
{
	const char *argv[WORDS_MAX + 2] = { "fluxctl" };
	int argc = 1;

	for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++)
		argv[argc++] = words[i];
	return ctl_parse(argc, argv, line, err);
}

/* Command lines that are refused, how far the reader got, and why. */
static void
test_refused(void)
{
	/* clang-format off */
	static const struct {
		const char *words[WORDS_MAX];
		enum ctl_command_id command;
		const char *error;
	} tv[] = {
		{ { "--bogus" }, CTL_ROOT, "unknown flag: --bogus" },
		{ { "version", "--bogus=x" }, CTL_CMD_version, "unknown flag: --bogus" },
		/* a flag of another command */
		{ { "sync", "--visual" }, CTL_CMD_sync, "unknown flag: --visual" },
		/* no abbreviation */
		{ { "version", "--time=1s" }, CTL_CMD_version, "unknown flag: --time" },
		{ { "-zz" }, CTL_ROOT, "unknown shorthand flag: 'z' in -zz" },
		{ { "identity", "-lx" }, CTL_CMD_identity, "unknown shorthand flag: 'x' in -x" },
		{ { "identity", "-r=" }, CTL_CMD_identity, "unknown shorthand flag: '=' in -=" },
		{ { "version", "-\xc3\xa9" }, CTL_CMD_version, "unknown shorthand flag: '\xc3\x83' in -\xc3\xa9" },
		{ { "version", "-'" }, CTL_CMD_version, "unknown shorthand flag: '\\'' in -'" },
		{ { "--timeout" }, CTL_ROOT, "flag needs an argument: --timeout" },
		{ { "version", "-u" }, CTL_CMD_version, "flag needs an argument: 'u' in -u" },
		{ { "--=x", "version" }, CTL_CMD_version, "bad flag syntax: --=x" },
		{ { "version", "---" }, CTL_CMD_version, "bad flag syntax: ---" },
		{ { "version", "--timeout=5" }, CTL_CMD_version,
		  "invalid argument \"5\" for \"--timeout\" flag: time: missing unit in duration \"5\"" },
		{ { "--timeout", "zz", "version" }, CTL_CMD_version,
		  "invalid argument \"zz\" for \"--timeout\" flag: time: invalid duration \"zz\"" },
		{ { "version", "--help=maybe" }, CTL_CMD_version,
		  "invalid argument \"maybe\" for \"-h, --help\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax" },
		{ { "identity", "-l=maybe" }, CTL_CMD_identity,
		  "invalid argument \"maybe\" for \"-l, --fingerprint\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax" },
		{ { "version", "--k8s-fwd-labels", "bad" }, CTL_CMD_version,
		  "invalid argument \"bad\" for \"--k8s-fwd-labels\" flag: bad must be formatted as key=value" },
		{ { "version", "--k8s-fwd-labels", "a=b,c=d,e" }, CTL_CMD_version,
		  "invalid argument \"a=b,c=d,e\" for \"--k8s-fwd-labels\" flag: e must be formatted as key=value" },
		{ { "version", "--k8s-fwd-labels", "a=b,\"c=d" }, CTL_CMD_version,
		  "invalid argument \"a=b,\\\"c=d\" for \"--k8s-fwd-labels\" flag: "
		  "parse error on line 1, column 9: extraneous or missing \" in quoted-field" },
		{ { "version", "--k8s-fwd-labels", "a=b,c\"=d" }, CTL_CMD_version,
		  "invalid argument \"a=b,c\\\"=d\" for \"--k8s-fwd-labels\" flag: "
		  "parse error on line 1, column 6: bare \" in non-quoted-field" },
		{ { "syn" }, CTL_ROOT,
		  "unknown command \"syn\" for \"fluxctl\"\n\nDid you mean this?\n\tsync\n" },
		{ { "SYN" }, CTL_ROOT,
		  "unknown command \"SYN\" for \"fluxctl\"\n\nDid you mean this?\n\tsync\n" },
		{ { "s" }, CTL_ROOT,
		  "unknown command \"s\" for \"fluxctl\"\n\nDid you mean this?\n\tsandbox\n\tsave\n\tsync\n" },
		{ { "versoin" }, CTL_ROOT,
		  "unknown command \"versoin\" for \"fluxctl\"\n\nDid you mean this?\n\tversion\n" },
		/* help is never proposed, and \"wersionsx\" is three edits away */
		{ { "hel" }, CTL_ROOT, "unknown command \"hel\" for \"fluxctl\"" },
		{ { "wersionsx" }, CTL_ROOT, "unknown command \"wersionsx\" for \"fluxctl\"" },
		{ { "list" }, CTL_ROOT,
		  "unknown command \"list\" for \"fluxctl\"\n\nDid you mean this?\n\tlist-images\n\tlist-workloads\n" },
		{ { "list-images", "-l", "x" }, CTL_CMD_list_images,
		  "invalid argument \"x\" for \"-l, --limit\" flag: strconv.ParseInt: parsing \"x\": invalid syntax" },
		{ { "list-images", "--limit=9223372036854775808" }, CTL_CMD_list_images,
		  "invalid argument \"9223372036854775808\" for \"-l, --limit\" flag: "
		  "strconv.ParseInt: parsing \"9223372036854775808\": value out of range" },
		{ { "lock", "--verbose=x" }, CTL_CMD_lock,
		  "invalid argument \"x\" for \"-v, --verbose\" flag: strconv.ParseInt: parsing \"x\": invalid syntax" },
		{ { "release", "--exclude", "a,\"b" }, CTL_CMD_release,
		  "invalid argument \"a,\\\"b\" for \"--exclude\" flag: "
		  "parse error on line 1, column 5: extraneous or missing \" in quoted-field" },
		{ { "a\"b" }, CTL_ROOT, "unknown command \"a\\\"b\" for \"fluxctl\"" },
		{ { "a\x01\xff" }, CTL_ROOT, "unknown command \"a\\x01\\xff\" for \"fluxctl\"" },
		/* an unknown flag is taken to have a value before the command is known */
		{ { "--bogus", "version" }, CTL_ROOT, "unknown flag: --bogus" },
		{ { "--bogus", "x", "version" }, CTL_CMD_version, "unknown flag: --bogus" },
		{ { "--help", "version", "foo" }, CTL_ROOT, "unknown command \"foo\" for \"fluxctl\"" },
		/* which command is asked before flags are */
		{ { "--timeout", "5", "foo" }, CTL_ROOT, "unknown command \"foo\" for \"fluxctl\"" },
	};
	/* clang-format on */

	clear_environment();
	for (size_t i = 0; i < nitems(tv); i++) {
		auto_error struct ctl_error err = { 0 };
		struct ctl_line line;

		want(parse(tv[i].words, &line, &err) != FX_OK);
		want_str(err.text, tv[i].error);
		want_int(line.command, tv[i].command);
		want(!err.shaped);
		ctl_line_clear(&line);
	}
}

/* Command lines that are taken, and what they mean. */
static void
test_taken(void)
{
	/* clang-format off */
	static const struct {
		const char *words[WORDS_MAX];
		enum ctl_command_id command;
		const char *url;
		int64_t timeout_s;
		bool fingerprint, visual, regenerate, help;
		size_t nargs;
		const char *last;
	} tv[] = {
		{ { NULL }, CTL_ROOT, "", 60, 0, 0, 0, 0, 0, NULL },
		{ { "" }, CTL_ROOT, "", 60, 0, 0, 0, 0, 1, "" },
		{ { "-" }, CTL_ROOT, "", 60, 0, 0, 0, 0, 1, "-" },
		{ { "--", "version" }, CTL_ROOT, "", 60, 0, 0, 0, 0, 1, "version" },
		{ { "-h" }, CTL_ROOT, "", 60, 0, 0, 0, 1, 0, NULL },
		{ { "--help", "version" }, CTL_ROOT, "", 60, 0, 0, 0, 1, 1, "version" },
		{ { "version", "-h" }, CTL_CMD_version, "", 60, 0, 0, 0, 1, 0, NULL },
		{ { "--help=false", "version" }, CTL_CMD_version, "", 60, 0, 0, 0, 0, 0, NULL },
		/* global flags before and after the command, all spellings */
		{ { "--url", "U", "sync" }, CTL_CMD_sync, "U", 60, 0, 0, 0, 0, 0, NULL },
		{ { "sync", "--url=U" }, CTL_CMD_sync, "U", 60, 0, 0, 0, 0, 0, NULL },
		{ { "-u", "U", "sync" }, CTL_CMD_sync, "U", 60, 0, 0, 0, 0, 0, NULL },
		{ { "-uU", "sync" }, CTL_CMD_sync, "U", 60, 0, 0, 0, 0, 0, NULL },
		{ { "-u=U", "sync" }, CTL_CMD_sync, "U", 60, 0, 0, 0, 0, 0, NULL },
		{ { "-u=", "sync" }, CTL_CMD_sync, "=", 60, 0, 0, 0, 0, 0, NULL },
		{ { "--url=a=b", "sync" }, CTL_CMD_sync, "a=b", 60, 0, 0, 0, 0, 0, NULL },
		/* the last one counts */
		{ { "-uU", "sync", "-u", "V" }, CTL_CMD_sync, "V", 60, 0, 0, 0, 0, 0, NULL },
		{ { "--url", "sync", "sync" }, CTL_CMD_sync, "sync", 60, 0, 0, 0, 0, 0, NULL },
		{ { "--timeout", "1.5h", "sync" }, CTL_CMD_sync, "", 5400, 0, 0, 0, 0, 0, NULL },
		{ { "--timeout=-5s", "sync" }, CTL_CMD_sync, "", -5, 0, 0, 0, 0, 0, NULL },
		{ { "--timeout=0", "sync" }, CTL_CMD_sync, "", 0, 0, 0, 0, 0, 0, NULL },
		/* booleans: bundled, with values, never with a word of their own */
		{ { "identity", "-lv" }, CTL_CMD_identity, "", 60, 1, 1, 0, 0, 0, NULL },
		{ { "identity", "-lr=true" }, CTL_CMD_identity, "", 60, 1, 0, 1, 0, 0, NULL },
		{ { "identity", "-l=T", "--visual=0" }, CTL_CMD_identity, "", 60, 1, 0, 0, 0, 0, NULL },
		{ { "identity", "-l", "--fingerprint=False" }, CTL_CMD_identity, "", 60, 0, 0, 0, 0, 0, NULL },
		{ { "identity", "--visual", "false" }, CTL_CMD_identity, "", 60, 0, 1, 0, 0, 1, "false" },
		{ { "identity", "-lu", "U" }, CTL_CMD_identity, "U", 60, 1, 0, 0, 0, 0, NULL },
		/* words and flags mixed; -- ends flags */
		{ { "help", "sync", "-uU", "x" }, CTL_CMD_help, "U", 60, 0, 0, 0, 0, 2, "x" },
		{ { "help", "--", "-uU" }, CTL_CMD_help, "", 60, 0, 0, 0, 0, 1, "-uU" },
		{ { "version", "-" }, CTL_CMD_version, "", 60, 0, 0, 0, 0, 1, "-" },
	};
	/* clang-format on */

	clear_environment();
	for (size_t i = 0; i < nitems(tv); i++) {
		auto_error struct ctl_error err = { 0 };
		const struct ctl_options *o;
		struct ctl_line line;

		want_int(parse(tv[i].words, &line, &err), FX_OK);
		want_str(err.text, NULL);
		o = &line.opts;
		want_int(line.command, tv[i].command);
		want_str(o->url, tv[i].url);
		want_int(o->timeout, tv[i].timeout_s * 1000000000);
		want_int(o->identity_fingerprint, tv[i].fingerprint);
		want_int(o->identity_visual, tv[i].visual);
		want_int(o->identity_regenerate, tv[i].regenerate);
		want_int(o->help, tv[i].help);
		want_int(line.nargs, tv[i].nargs);
		if (line.nargs > 0)
			want_str(line.args[line.nargs - 1], tv[i].last);
		ctl_line_clear(&line);
	}
}

static void
test_environment(void)
{
	/* clang-format off */
	static const struct {
		const char *env[2][2];
		const char *words[WORDS_MAX];
		const char *url, *token, *ns, *labels;
		int64_t timeout_s;
	} tv[] = {
		{ { { "FLUX_URL", "E" } }, { "sync" }, "E", "", "default", "app=flux", 60 },
		{ { { "FLUX_URL", "E" } }, { "-uF", "sync" }, "F", "", "default", "app=flux", 60 },
		{ { { "FLUX_URL", "" } }, { "sync" }, "", "", "default", "app=flux", 60 },
		/* a flag that was given empty was given */
		{ { { "FLUX_URL", "E" } }, { "--url=", "sync" }, "", "", "default", "app=flux", 60 },
		{ { { "FLUX_TIMEOUT", "5s" } }, { "sync" }, "", "", "default", "app=flux", 5 },
		{ { { "FLUX_TIMEOUT", "zz" } }, { "sync" }, "", "", "default", "app=flux", 60 },
		{ { { "FLUX_SERVICE_TOKEN", "A" } }, { "sync" }, "", "A", "default", "app=flux", 60 },
		{ { { "FLUX_SERVICE_TOKEN", "A" }, { "WEAVE_CLOUD_TOKEN", "B" } }, { "sync" },
		  "", "B", "default", "app=flux", 60 },
		{ { { "FLUX_SERVICE_TOKEN", "A" }, { "WEAVE_CLOUD_TOKEN", "B" } }, { "-tC", "sync" },
		  "", "C", "default", "app=flux", 60 },
		{ { { "FLUX_FORWARD_NAMESPACE", "n" }, { "FLUX_FORWARD_LABELS", "b=2,a=1" } },
		  { "sync" }, "", "", "n", "a=1,b=2", 60 },
		{ { { "FLUX_FORWARD_LABELS", "bad" } }, { "sync" }, "", "", "default", "app=flux", 60 },
	};
	/* clang-format on */

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_error struct ctl_error err = { 0 };
		struct buf b = BUF_INIT(256);
		auto_free char *labels = NULL;
		struct ctl_line line;

		clear_environment();
		for (size_t k = 0; k < 2 && tv[i].env[k][0] != NULL; k++)
			setenv(tv[i].env[k][0], tv[i].env[k][1], 1);
		want_int(parse(tv[i].words, &line, &err), FX_OK);
		want_str(line.opts.url, tv[i].url);
		want_str(line.opts.token, tv[i].token);
		want_str(line.opts.fwd_ns, tv[i].ns);
		want_int(line.opts.timeout, tv[i].timeout_s * 1000000000);
		ctl_map_print(&line.opts.fwd_labels, &b);
		labels = str_take(&b);
		want_str(labels, tv[i].labels);
		ctl_line_clear(&line);
	}
	clear_environment();
}

/* Counts, numbers and lists, and old flags, which are told about. */
static void
test_kinds(void)
{
	/* clang-format off */
	static const struct {
		const char *words[WORDS_MAX];
		int64_t verbose, limit;
		const char *workloads; /* joined with | */
		const char *notes;
	} tv[] = {
		{ { "release" }, 0, 10, "", "" },
		{ { "release", "-v" }, 1, 10, "", "" },
		{ { "release", "-vv", "--verbose" }, 3, 10, "", "" },
		{ { "release", "-v", "--verbose=7" }, 7, 10, "", "" },
		{ { "release", "-vfv=0" }, 0, 10, "", "" },
		{ { "list-images", "-l5" }, 0, 5, "", "" },
		{ { "list-images", "--limit", "-3" }, 0, -3, "", "" },
		{ { "list-images", "-l=0x10" }, 0, 16, "", "" },
		{ { "release", "--workload=a,b", "--workload", "c" }, 0, 10, "a|b|c", "" },
		{ { "release", "--workload=" }, 0, 10, "", "" },
		{ { "release", "--workload=\"a,b\",\"c\"\"d\",,e" }, 0, 10, "a,b|c\"d||e", "" },
		{ { "release", "-ca", "--controller", "b" }, 0, 10, "",
		  "Flag --controller has been deprecated, changed to --workload, use that instead\n"
		  "Flag --controller has been deprecated, changed to --workload, use that instead\n" },
	};
	/* clang-format on */

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_error struct ctl_error err = { 0 };
		struct buf joined = BUF_INIT(256);
		auto_free char *workloads = NULL, *notes = NULL;
		const struct ctl_list *list;
		struct ctl_line line;

		want_int(parse(tv[i].words, &line, &err), FX_OK);
		want_int(line.opts.release_verbose, tv[i].verbose);
		want_int(line.opts.list_images_limit, tv[i].limit);
		list = &line.opts.release_workload;
		for (size_t k = 0; k < list->n; k++)
			str_addf(&joined, "%s%s", k == 0 ? "" : "|",
			    list->v[k]);
		workloads = str_take(&joined);
		want_str(workloads, tv[i].workloads);
		notes = xstrndup((const char *)buf_head(&line.notes),
		    buf_left(&line.notes));
		want_str(notes, tv[i].notes);
		ctl_line_clear(&line);
	}
}

/* The first occurrence replaces the default, later ones merge. */
static void
test_labels(void)
{
	/* clang-format off */
	static const struct {
		const char *words[WORDS_MAX];
		const char *labels;
	} tv[] = {
		{ { "version" }, "app=flux" },
		{ { "version", "--k8s-fwd-labels=a=b" }, "a=b" },
		{ { "version", "--k8s-fwd-labels=a=b,c=d" }, "a=b,c=d" },
		{ { "version", "--k8s-fwd-labels=a=b", "--k8s-fwd-labels=a=x,b=y" }, "a=x,b=y" },
		{ { "version", "--k8s-fwd-labels=a=b", "--k8s-fwd-labels=c=d" }, "a=b,c=d" },
		/* with one equals sign the text is no CSV record */
		{ { "version", "--k8s-fwd-labels=a=b,c" }, "a=b,c" },
		{ { "version", "--k8s-fwd-labels=\"a=b\"" }, "a=b" },
		{ { "version", "--k8s-fwd-labels=a=b=c" }, "a=b=c" },
		{ { "version", "--k8s-fwd-labels=a=b,\"c=d,\"\"e\"" }, "a=b,c=d,\"e" },
	};
	/* clang-format on */

	clear_environment();
	for (size_t i = 0; i < nitems(tv); i++) {
		auto_error struct ctl_error err = { 0 };
		struct buf b = BUF_INIT(256);
		auto_free char *labels = NULL;
		struct ctl_line line;

		want_int(parse(tv[i].words, &line, &err), FX_OK);
		ctl_map_print(&line.opts.fwd_labels, &b);
		labels = str_take(&b);
		want_str(labels, tv[i].labels);
		ctl_line_clear(&line);
	}
}

static void
test_edits(void)
{
	static const struct {
		const char *a, *b;
		size_t edits;
	} tv[] = {
		{ "", "", 0 },
		{ "", "abc", 3 },
		{ "sync", "sync", 0 },
		{ "SYNC", "sync", 0 },
		{ "syn", "sync", 1 },
		{ "snyc", "sync", 2 },
		{ "kitten", "sitting", 3 },
	};
	char huge[1000];

	for (size_t i = 0; i < nitems(tv); i++) {
		want_int(ctl_edits(tv[i].a, tv[i].b), tv[i].edits);
		want_int(ctl_edits(tv[i].b, tv[i].a), tv[i].edits);
	}
	memset(huge, 'a', sizeof(huge));
	huge[sizeof(huge) - 1] = '\0';
	want(ctl_edits(huge, "sync") > 100);
}

/* Help prints the tables as they stand: rows are in the order of names. */
static void
test_order(void)
{
	for (size_t i = 0; i + 1 < CTL_COMMANDS; i++)
		want(
		    strcmp(ctl_commands[i].name, ctl_commands[i + 1].name) < 0);
}

int
main(void)
{
	test_run("options: what cannot be read is refused with its reason",
	    test_refused);
	test_run("options: flags and words may be mixed in every spelling",
	    test_taken);
	test_run("options: the environment fills in what was not given",
	    test_environment);
	test_run("options: a map is replaced once and then merged",
	    test_labels);
	test_run("suggest: edits between words", test_edits);
	test_run("commands: the table is in the order of names", test_order);
	test_run("options: counts, numbers, lists and old flags", test_kinds);
	return test_done();
}
