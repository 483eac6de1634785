/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "settings.h"
#include "test.h"

struct parsed {
	struct config c;
	struct fx_err err;
	char notice[1024];
	int r;
};

static void
parse(struct parsed *p, const char *a, const char *b, const char *d)
{
	char *argv[] = { (char *)(uintptr_t) "fluxd", (char *)(uintptr_t)a,
		(char *)(uintptr_t)b, (char *)(uintptr_t)d, NULL };
	struct buf notice = BUF_INIT(sizeof(p->notice) - 1);
	int argc = 1;

	memset(p, 0, sizeof(*p));
	while (argv[argc] != NULL)
		argc++;
	config_init(&p->c);
	p->r = config_parse(&p->c, argc, argv, &notice, &p->err);
	memcpy(p->notice, buf_head(&notice), buf_left(&notice));
	buf_clear(&notice);
}

static void
test_grammar_errors(void)
{
	static const struct {
		const char *a, *b;
		const char *error; /* NULL: accepted */
	} tv[] = {
		{ "--nope", NULL, "unknown flag: --nope" },
		{ "--git_url=x", NULL, "unknown flag: --git_url" },
		{ "--git-u=x", NULL, "unknown flag: --git-u" },
		{ "-x", NULL, "unknown shorthand flag: 'x' in -x" },
		{ "--git-url", NULL, "flag needs an argument: --git-url" },
		{ "-l", NULL, "flag needs an argument: 'l' in -l" },
		{ "---foo", NULL, "bad flag syntax: ---foo" },
		{ "--=x", NULL, "bad flag syntax: --=x" },
		{ "--git-timeout=20", NULL,
		    "invalid argument \"20\" for \"--git-timeout\" flag: time: "
		    "missing unit in duration \"20\"" },
		{ "--git-timeout=\xc3\xa9\x01", NULL,
		    "invalid argument \"\xc3\xa9\\x01\" for "
		    "\"--git-timeout\" flag: time: invalid duration "
		    "\"\\xc3\\xa9\\x01\"" },
		{ "--git-readonly=\"\xff", NULL,
		    "invalid argument \"\\\"\\xff\" for \"--git-readonly\" "
		    "flag: strconv.ParseBool: parsing \"\\\"\\xff\": invalid "
		    "syntax" },
		{ "--registry-burst=x", NULL,
		    "invalid argument \"x\" for \"--registry-burst\" flag: "
		    "strconv.ParseInt: parsing \"x\": invalid syntax" },
		{ "--registry-rps=x", NULL,
		    "invalid argument \"x\" for \"--registry-rps\" flag: "
		    "strconv.ParseFloat: parsing \"x\": invalid syntax" },
		{ "--git-readonly=maybe", NULL,
		    "invalid argument \"maybe\" for \"--git-readonly\" flag: "
		    "strconv.ParseBool: parsing \"maybe\": invalid syntax" },
		{ "--ssh-keygen-bits=-1", NULL,
		    "invalid argument \"-1\" for \"--ssh-keygen-bits\" flag: "
		    "strconv.ParseUint: parsing \"-1\": invalid syntax" },
		{ "--git-path=a\"b", NULL,
		    "invalid argument \"a\\\"b\" for \"--git-path\" flag: "
		    "parse "
		    "error on line 1, column 2: bare \" in non-quoted-field" },
		/* names of old documents that never were flags */
		{ "--ci-skip", NULL, "unknown flag: --ci-skip" },
		{ "--read-only", NULL, "unknown flag: --read-only" },
		{ "--git-readonly", "false", NULL },
		{ "positional", "--git-branch=x", NULL },
		{ "--", "--nope", NULL },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct parsed p;

		parse(&p, tv[i].a, tv[i].b, NULL);
		want_int(p.r == FX_OK, tv[i].error == NULL);
		if (tv[i].error != NULL)
			want_str(p.err.text, tv[i].error);
		config_clear(&p.c);
	}
}

static void
test_values(void)
{
	struct parsed p;

	parse(&p, "--git-readonly", "false", NULL);
	want(p.c.git_readonly); /* the value is a stray argument */
	config_clear(&p.c);

	parse(&p, "--git-branch=a", "--git-branch", "b");
	want_str(p.c.git_branch, "b");
	want(p.c.set[CFG_F_git_branch]);
	config_clear(&p.c);

	parse(&p, "--git-poll-interval=1h30m", NULL, NULL);
	want_int(p.c.git_poll_interval, 5400000000000);
	want_int(p.c.sync_interval, 300000000000);
	want(!p.c.set[CFG_F_sync_interval]);
	config_clear(&p.c);

	parse(&p, "--ssh-keygen-bits=0x10", NULL, NULL);
	want_int(p.c.ssh_keygen_bits, 16);
	config_clear(&p.c);
}

static void
test_lists(void)
{
	struct parsed p;

	parse(&p, "--git-path=\"a,b\",c", NULL, NULL);
	want_int(p.c.git_path.n, 2);
	want_str(p.c.git_path.v[0], "a,b");
	want_str(p.c.git_path.v[1], "c");
	config_clear(&p.c);

	parse(&p, "--git-path=a", "--git-path=b,c", "--git-path=");
	want_int(p.c.git_path.n, 3);
	config_clear(&p.c);

	/* the first occurrence replaces the default, an empty one too */
	parse(&p, "--registry-exclude-image=", NULL, NULL);
	want_int(p.c.registry_exclude_image.n, 0);
	want(p.c.set[CFG_F_registry_exclude_image]);
	config_clear(&p.c);
	parse(&p, "x", NULL, NULL);
	want_int(p.c.registry_exclude_image.n, 1);
	want_int(p.c.k8s_exclude_resource.n, 3);
	config_clear(&p.c);
}

static void
test_short_flag(void)
{
	static const struct {
		const char *a, *b, *value;
	} tv[] = {
		{ "-l", ":1", ":1" },
		{ "-l:1", NULL, ":1" },
		{ "-l=:1", NULL, ":1" },
		{ "-l=", NULL, "=" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct parsed p;

		parse(&p, tv[i].a, tv[i].b, NULL);
		want_int(p.r, FX_OK);
		want_int(p.c.listen.n, 1);
		want_str(p.c.listen.v[0], tv[i].value);
		config_clear(&p.c);
	}
}

static void
test_help_and_old(void)
{
	struct parsed p;

	parse(&p, "--help", NULL, NULL);
	want_int(p.r, FX_ECANCELLED);
	config_clear(&p.c);
	parse(&p, "-h", NULL, NULL);
	want_int(p.r, FX_ECANCELLED);
	config_clear(&p.c);
	parse(&p, "--k8s-in-cluster", "--k8s-namespace-whitelist=a", NULL);
	want_int(p.r, FX_OK);
	want_str(p.notice,
	    "Flag --k8s-in-cluster has been deprecated, No longer used\n"
	    "Flag --k8s-namespace-whitelist has been deprecated, Changed to "
	    "--k8s-allow-namespace, use that instead\n");
	config_clear(&p.c);
}

/* Every flag of upstream's list, with its type and default. */
static void
test_upstream_flags(void)
{
	static const struct {
		const char *flag;
		enum cfg_type type;
		const char *def;
	} tv[] = {
#define F(flag, type, def) { flag, CFG_##type, def }
		F("log-format", STRING, "fmt"),
		F("listen", LIST, ":3030"),
		F("listen-metrics", STRING, ""),
		F("kubernetes-kubectl", STRING, ""),
		F("version", BOOL, "false"),
		F("k8s-verbosity", INT, "0"),
		F("git-url", STRING, ""),
		F("git-branch", STRING, "master"),
		F("git-path", LIST, ""),
		F("git-user", STRING, "Weave Flux"),
		F("git-email", STRING, "support@weave.works"),
		F("git-set-author", BOOL, "false"),
		F("git-label", STRING, ""),
		F("git-sync-tag", STRING, "flux-sync"),
		F("git-notes-ref", STRING, "flux"),
		F("git-ci-skip", BOOL, "false"),
		F("git-ci-skip-message", STRING, ""),
		F("git-poll-interval", DURATION, "5m"),
		F("git-timeout", DURATION, "20s"),
		F("git-readonly", BOOL, "false"),
		F("git-secret", BOOL, "false"),
		F("manifest-generation", BOOL, "false"),
		F("sops", BOOL, "false"),
		F("git-gpg-key-import", LIST, ""),
		F("git-signing-key", STRING, ""),
		F("git-verify-signatures-mode", STRING, ""),
		F("git-verify-signatures", BOOL, "false"),
		F("sync-interval", DURATION, "5m"),
		F("sync-timeout", DURATION, "1m"),
		F("sync-garbage-collection", BOOL, "false"),
		F("sync-garbage-collection-dry", BOOL, "false"),
		F("sync-state", STRING, "git"),
		F("registry-disable-scanning", BOOL, "false"),
		F("automation-interval", DURATION, "5m"),
		F("registry-poll-interval", DURATION, "5m"),
		F("registry-rps", FLOAT, "50"),
		F("registry-burst", INT, "10"),
		F("registry-trace", BOOL, "false"),
		F("registry-insecure-host", LIST, ""),
		F("registry-exclude-image", LIST, "k8s.gcr.io/*"),
		F("registry-include-image", LIST, ""),
		F("registry-use-labels", LIST,
		    "index.docker.io/weaveworks/*,index.docker.io/fluxcd/*"),
		F("registry-ecr-region", LIST, ""),
		F("registry-ecr-include-id", LIST, ""),
		F("registry-ecr-exclude-id", LIST, "602401143452,918309763551"),
		F("registry-require", LIST, ""),
		F("docker-config", STRING, ""),
		F("registry-cache-expiry", DURATION, "0s"),
		F("memcached-hostname", STRING, "memcached"),
		F("memcached-port", INT, "11211"),
		F("memcached-timeout", DURATION, "1s"),
		F("memcached-service", STRING, "memcached"),
		F("k8s-secret-name", STRING, "flux-git-deploy"),
		F("k8s-secret-volume-mount-path", STRING, "/etc/fluxd/ssh"),
		F("k8s-secret-data-key", STRING, "identity"),
		F("ssh-keygen-bits", UINT, ""),
		F("ssh-keygen-type", STRING, ""),
		F("ssh-keygen-format", STRING, ""),
		F("ssh-keygen-dir", STRING, ""),
		F("k8s-allow-namespace", LIST, ""),
		F("k8s-namespace-whitelist", LIST, ""),
		F("k8s-default-namespace", STRING, ""),
		F("k8s-unsafe-exclude-resource", LIST,
		    "*metrics.k8s.io/*,webhook.certmanager.k8s.io/*,v1/Event"),
		F("k8s-in-cluster", BOOL, "true"),
		F("kube-config", STRING, ""),
		F("connect", STRING, ""),
		F("token", STRING, ""),
		F("rpc-timeout", DURATION, "10s"),
#undef F
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		const struct cfg_row *row = NULL;

		for (int f = 0; f < CFG_COUNT; f++)
			if (strcmp(cfg_rows[f].flag, tv[i].flag) == 0)
				row = &cfg_rows[f];
		if (!want(row != NULL)) {
			printf("# missing: --%s\n", tv[i].flag);
			continue;
		}
		want_int(row->type, tv[i].type);
		want_str(row->def, tv[i].def);
	}
}

/* What a worker receives is what the master has. */
static void
test_round_trip(void)
{
	static struct ipc_setting s[IPC_MAX_SETTINGS];
	auto_buf struct buf scratch = BUF_INIT(8192);
	struct parsed p;
	struct config w;
	size_t n;

	parse(&p, "--git-path=a,b", "--git-timeout=3s", "--git-url=file:///r");
	n = config_for_role(&p.c, IPC_R_GIT_LOCAL, s, nitems(s), &scratch);
	config_init(&w);
	for (size_t i = 0; i < n; i++)
		want_int(config_receive(&w, s[i].name, s[i].value), FX_OK);
	want_str(w.git_url, "file:///r");
	want_int(w.git_path.n, 2);
	want_str(w.git_path.v[1], "b");
	want_int(w.git_max_file, 8388608);
	want(!w.set[CFG_F_sync_interval]); /* not its business */
	want_int(config_receive(&w, "no-such", "1"), FX_EUNKNOWN);
	config_clear(&w);
	config_clear(&p.c);
}

int
main(void)
{
	test_run("flags: errors read as upstream's", test_grammar_errors);
	test_run("flags: values, the last one wins", test_values);
	test_run("flags: lists are CSV and accumulate", test_lists);
	test_run("flags: the short form and its quirk", test_short_flag);
	test_run("flags: help and deprecation notices", test_help_and_old);
	test_run("flags: all of upstream's, typed, with their defaults",
	    test_upstream_flags);
	test_run("settings: reach the roles they are for", test_round_trip);
	return test_done();
}
