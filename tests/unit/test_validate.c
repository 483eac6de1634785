/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "buf.h"
#include "log.h"
#include "logfmt.h"
#include "setup.h"
#include "str.h"
#include "test.h"

/* What was logged, a record a line. */
static struct buf logged = BUF_INIT(65536);

static void
sink(void *arg, enum log_level level, const char *caller,
    const struct log_pair *p, size_t n)
{
	(void)arg;
	(void)level;
	(void)caller;
	logfmt_add_fmt(&logged, p, n);
}

struct outcome {
	struct config c;
	struct fx_err err;
	int r;
	char *log; /* owned */
};

static void
validate(struct outcome *o, const char *const flags[4])
{
	char *argv[6] = { (char *)(uintptr_t) "fluxd" };
	struct buf notice = BUF_INIT(4096);
	int argc = 1;

	memset(o, 0, sizeof(*o));
	for (; argc < 5 && flags[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)flags[argc - 1];
	config_init(&o->c);
	want_int(config_parse(&o->c, argc, argv, &notice, &o->err), FX_OK);
	buf_clear(&notice);
	log_to(sink, NULL);
	o->r = setup_validate(&o->c, &o->err);
	o->log = str_take(&logged);
}

static void
outcome_clear(struct outcome *o)
{
	config_clear(&o->c);
	free(o->log);
}

/* What is refused at the start, and in which words. */
static void
test_refused(void)
{
	static const struct {
		const char *flags[4];
		const char *error;
	} tv[] = {
		{ { "--git-path=a,/b" },
		    "subdirectory given as --git-path should not have leading "
		    "forward slash" },
		{ { "--ssh-keygen-type=dsa" },
		    "--ssh-keygen-type must be ed25519, ecdsa or rsa" },
		{ { "--ssh-keygen-bits=0" },
		    "--ssh-keygen-bits=0: an RSA key has 1024 to 8192 bits" },
		{ { "--ssh-keygen-bits=0x10", "--ssh-keygen-type=ecdsa" },
		    "--ssh-keygen-bits=16: an ECDSA key has 256, 384 or 521 "
		    "bits" },
		{ { "--ssh-keygen-format=DER" },
		    "--ssh-keygen-format must be RFC4716, PEM or PKCS8" },
		{ { "--sync-gc-limit=some" },
		    "--sync-gc-limit: \"some\" is neither a number nor a "
		    "percentage" },
		{ { "--sync-gc-limit=101%" },
		    "--sync-gc-limit: \"101%\" is neither a number nor a "
		    "percentage" },
		{ { "--sync-gc-former=x" },
		    "--sync-gc-former: \"x\" is not the name of a sync set, "
		    "which has 43 characters" },
		{ {
		      "--sync-gc-inventory=a",
		  },
		    "--sync-gc-inventory needs --sync-garbage-collection" },
		{ { "--sync-garbage-collection", "--sync-gc-inventory=A" },
		    "--sync-gc-inventory: \"A\" cannot be the name of a "
		    "ConfigMap" },
		{ { "--sync-garbage-collection", "--sync-gc-inventory=a/b" },
		    "--sync-gc-inventory: \"a/b\" cannot be the name of a "
		    "ConfigMap" },
		{ { "--sync-garbage-collection", "--sync-gc-inventory=.." },
		    "--sync-gc-inventory: \"..\" cannot be the name of a "
		    "ConfigMap" },
		{ { "--k8s-protect-namespace=flux,," },
		    "--k8s-protect-namespace has an empty item" },
		{ { "--git-verify-signatures-mode=x" },
		    "'x' is not a valid git-verify-signatures-mode" },
		{ { "--git-verify-signatures-mode=all" },
		    "--git-verify-signatures-mode=all: verifying signatures is "
		    "not yet supported by this daemon" },
		{ { "--git-verify-signatures" },
		    "--git-verify-signatures-mode=all: verifying signatures is "
		    "not yet supported by this daemon" },
		{ { "--registry-require=x" },
		    "--registry-require value \"x\" is not in possible values "
		    "{ecr}" },
		{ { "--git-label=" }, "--git-label is empty" },
		{ { "--k8s-allow-namespace=a,,b" },
		    "--k8s-allow-namespace has an empty item" },
		{ { "--sync-interval=0" },
		    "--sync-interval must be greater than zero" },
		{ { "--git-timeout=-1s" },
		    "--git-timeout must be greater than zero" },
		{ { "--sync-state=disk" }, "unknown sync state mode" },
		{ { "--sandbox=none" }, "--sandbox must be strict or relaxed" },
		{ { "--k8s-last-applied=no" },
		    "--k8s-last-applied must be auto, always or never" },
		{ { "--log-level=trace" },
		    "--log-level must be debug, info, warn or error" },
		{ { "--worker-uid-base=0" },
		    "--worker-uid-base is not a user id" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct outcome o;

		validate(&o, tv[i].flags);
		want(o.r != FX_OK);
		want_str(o.err.text, tv[i].error);
		outcome_clear(&o);
	}
}

/* What is taken, and the records it leaves. */
static void
test_warned(void)
{
	static const struct {
		const char *flags[4];
		const char *record;
	} tv[] = {
		{ { NULL }, "" },
		{ { "--git-verify-signatures",
		      "--git-verify-signatures-mode=none" },
		    "" },
		{ { "--git-readonly" },
		    "warning=\"--git-readonly prevents use of "
		    "--sync-state=git. "
		    "Forcing to --sync-state=secret\"\n" },
		{ { "--git-readonly", "--git-email=e", "--git-user=u",
		      "--sync-state=secret" },
		    "warning=\"Configuring any of {git-user, git-email} has no "
		    "effect when --git-readonly is set\"\n" },
		{ { "--git-label=l", "--git-notes-ref=n" },
		    "overridden=git-notes-ref value=l\n" },
		{ { "--git-secret" },
		    "warning=\"flag is not yet in effect\" flag=git-secret\n" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct outcome o;

		validate(&o, tv[i].flags);
		want_int(o.r, FX_OK);
		if (!want(strstr(o.log, tv[i].record) != NULL))
			printf("# %s", o.log);
		if (tv[i].record[0] == '\0')
			want_str(o.log, "");
		outcome_clear(&o);
	}
}

static void
test_values(void)
{
	static const char *const label[4] = { "--git-label=l",
		"--git-sync-tag=t" };
	static const char *const readonly[4] = { "--git-readonly" };
	static const char *const old[4] = { "--registry-poll-interval=7m",
		"--k8s-allow-namespace=a", "--k8s-namespace-whitelist=b" };
	static const char *const both[4] = { "--registry-poll-interval=7m",
		"--automation-interval=3m" };
	struct outcome o;

	validate(&o, label);
	want_str(o.c.git_sync_tag, "l");
	want_str(o.c.git_notes_ref, "l");
	outcome_clear(&o);
	validate(&o, readonly);
	want_str(o.c.sync_state, "secret");
	outcome_clear(&o);
	validate(&o, old);
	want_int(o.c.automation_interval, 420000000000);
	want_int(o.c.k8s_allow_namespace.n, 2);
	want_str(o.c.k8s_allow_namespace.v[1], "b");
	outcome_clear(&o);
	validate(&o, both);
	want_int(o.c.automation_interval, 180000000000);
	outcome_clear(&o);
}

int
main(void)
{
	test_run("flags: what cannot work is refused, in upstream's words",
	    test_refused);
	test_run("flags: what has no effect is said", test_warned);
	test_run("flags: old names and labels stand for others", test_values);
	return test_done();
}
