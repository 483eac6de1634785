/* SPDX-License-Identifier: Apache-2.0 */
/* Flag interactions: in upstream's order, with its words. */
#include "base.h"
#include "setup.h"

#include "keygen.h"
#include "log.h"
#include "share.h"
#include "str.h"

static void
replace(char **s, const char *with)
{
	free(*s);
	*s = xstrdup(with);
}

static void
check_readonly(struct config *c)
{
	static const struct {
		enum cfg_field f;
		const char *name;
	} useless[] = {
		{ CFG_F_git_user, "git-user" },
		{ CFG_F_git_email, "git-email" },
		{ CFG_F_git_sync_tag, "git-sync-tag" },
		{ CFG_F_git_set_author, "git-set-author" },
		{ CFG_F_git_ci_skip, "git-ci-skip" },
		{ CFG_F_git_ci_skip_message, "git-ci-skip-message" },
	};
	auto_buf struct buf b = BUF_INIT(1024);
	auto_free char *text = NULL;
	size_t n = 0;

	if (!c->git_readonly)
		return;
	if (strcmp(c->sync_state, "git") == 0) {
		log_at(LVL_WARN,
		    KS("warning",
			"--git-readonly prevents use of --sync-state=git. "
			"Forcing to --sync-state=secret"));
		replace(&c->sync_state, "secret");
	}
	(void)str_add(&b, "Configuring any of {");
	for (size_t i = 0; i < nitems(useless); i++)
		if (c->set[useless[i].f])
			(void)str_addf(&b, "%s%s", n++ == 0 ? "" : ", ",
			    useless[i].name);
	(void)str_add(&b, "} has no effect when --git-readonly is set");
	text = str_take(&b);
	if (n != 0)
		log_at(LVL_WARN, KS("warning", text));
}

static int
check_verify_mode(struct config *c, struct fx_err *err)
{
	if (c->git_verify && !c->set[CFG_F_git_verify_mode])
		replace(&c->git_verify_mode, "all");
	if (strcmp(c->git_verify_mode, "") == 0 ||
	    strcmp(c->git_verify_mode, "none") == 0)
		return FX_OK;
	if (strcmp(c->git_verify_mode, "all") != 0 &&
	    strcmp(c->git_verify_mode, "first-parent") != 0)
		return fx_fail(err, FX_ESYNTAX,
		    "'%s' is not a valid git-verify-signatures-mode",
		    c->git_verify_mode);
	/* going on unverified would be worse than not starting */
	return fx_fail(err, FX_EUNKNOWN,
	    "--git-verify-signatures-mode=%s: verifying signatures is not yet "
	    "supported by this daemon",
	    c->git_verify_mode);
}

static int
check_label(struct config *c, struct fx_err *err)
{
	static const struct {
		enum cfg_field f;
		const char *name;
	} overridden[] = {
		{ CFG_F_git_sync_tag, "git-sync-tag" },
		{ CFG_F_git_notes_ref, "git-notes-ref" },
	};

	if (!c->set[CFG_F_git_label])
		return FX_OK;
	/* upstream would read and push a tag without a name for ever */
	if (c->git_label[0] == '\0')
		return fx_fail(err, FX_ESYNTAX, "--git-label is empty");
	replace(&c->git_sync_tag, c->git_label);
	replace(&c->git_notes_ref, c->git_label);
	for (size_t i = 0; i < nitems(overridden); i++)
		if (c->set[overridden[i].f])
			log_at(LVL_WARN, KS("overridden", overridden[i].name),
			    KS("value", c->git_label));
	return FX_OK;
}

static int
check_lists(struct config *c, struct fx_err *err)
{
	for (size_t i = 0; i < c->git_path.n; i++)
		if (c->git_path.v[i][0] == '/')
			return fx_fail(err, FX_ESYNTAX,
			    "subdirectory given as --git-path should not have "
			    "leading forward slash");
	for (size_t i = 0; i < c->registry_require.n; i++)
		if (strcmp(c->registry_require.v[i], "ecr") != 0)
			return fx_fail(err, FX_ESYNTAX,
			    "--registry-require value \"%s\" is not in "
			    "possible "
			    "values {ecr}",
			    c->registry_require.v[i]);
	/* the deprecated name's items count too */
	for (size_t i = 0; i < c->k8s_namespace_whitelist.n; i++) {
		struct str_list *l = &c->k8s_allow_namespace;

		l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
		l->v[l->n++] = xstrdup(c->k8s_namespace_whitelist.v[i]);
	}
	for (size_t i = 0; i < c->k8s_allow_namespace.n; i++)
		if (c->k8s_allow_namespace.v[i][0] == '\0')
			return fx_fail(err, FX_ESYNTAX,
			    "--k8s-allow-namespace has an empty item");
	return FX_OK;
}

#define SET_NAME_LENGTH 43 /* of a sync set: SHA-256 in base64 */

#define OBJECT_NAME_MAX 253 /* as DNS has it */

static bool
is_object_name(const char *s)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	size_t n = strlen(s);

	return n > 0 && n <= OBJECT_NAME_MAX && strspn(s, chars) == n &&
	    s[0] != '-' && s[0] != '.' && s[n - 1] != '-' && s[n - 1] != '.';
}

static int
check_gc(const struct config *c, struct fx_err *err)
{
	struct share limit;

	if (share_parse(c->sync_gc_limit, &limit, err) != FX_OK)
		return fx_wrap(err, "--sync-gc-limit");
	for (size_t i = 0; i < c->sync_gc_former.n; i++)
		if (strlen(c->sync_gc_former.v[i]) != SET_NAME_LENGTH)
			return fx_fail(err, FX_ESYNTAX,
			    "--sync-gc-former: \"%.80s\" is not the name of "
			    "a sync set, which has %d characters",
			    c->sync_gc_former.v[i], SET_NAME_LENGTH);
	if (c->sync_gc_inventory[0] != '\0') {
		if (!is_object_name(c->sync_gc_inventory))
			return fx_fail(err, FX_ESYNTAX,
			    "--sync-gc-inventory: \"%.80s\" cannot be the "
			    "name of a ConfigMap",
			    c->sync_gc_inventory);
		if (!c->sync_gc && !c->sync_gc_dry)
			return fx_fail(err, FX_ESYNTAX,
			    "--sync-gc-inventory needs "
			    "--sync-garbage-collection");
	}
	for (size_t i = 0; i < c->k8s_protect_namespace.n; i++)
		if (c->k8s_protect_namespace.v[i][0] == '\0')
			return fx_fail(err, FX_ESYNTAX,
			    "--k8s-protect-namespace has an empty item");
	return FX_OK;
}

static int
check_words(const struct config *c, struct fx_err *err)
{
	const struct {
		const char *given, *known[4], *error;
	} words[] = {
		{ c->sync_state, { "git", "secret" },
		    "unknown sync state mode" },
		{ c->sandbox, { "strict", "relaxed" },
		    "--sandbox must be strict or relaxed" },
		{ c->k8s_last_applied, { "auto", "always", "never" },
		    "--k8s-last-applied must be auto, always or never" },
		{ c->log_level, { "debug", "info", "warn", "error" },
		    "--log-level must be debug, info, warn or error" },
	};
	size_t k;

	for (size_t i = 0; i < nitems(words); i++) {
		for (k = 0; k < nitems(words[i].known); k++)
			if (words[i].known[k] != NULL &&
			    strcmp(words[i].given, words[i].known[k]) == 0)
				break;
		if (k == nitems(words[i].known))
			return fx_fail(err, FX_ESYNTAX, "%s", words[i].error);
	}
	return FX_OK;
}

static int
check_numbers(const struct config *c, struct fx_err *err)
{
	const struct {
		const char *name;
		int64_t ns;
	} spans[] = {
		{ "git-poll-interval", c->git_poll_interval },
		{ "git-timeout", c->git_timeout },
		{ "sync-interval", c->sync_interval },
		{ "sync-timeout", c->sync_timeout },
		{ "automation-interval", c->automation_interval },
	};

	/* upstream's timers would fire without end */
	for (size_t i = 0; i < nitems(spans); i++)
		if (spans[i].ns <= 0)
			return fx_fail(err, FX_ESYNTAX,
			    "--%s must be greater than zero", spans[i].name);
	if (c->worker_uid_base == 0 || c->worker_uid_base > 0x7fffff00)
		return fx_fail(err, FX_ESYNTAX,
		    "--worker-uid-base is not a user id");
	return FX_OK;
}

/* Better than an error when the key is wanted. */
static int
check_keygen(const struct config *c, struct fx_err *err)
{
	const uint64_t *bits =
	    c->set[CFG_F_ssh_keygen_bits] ? &c->ssh_keygen_bits : NULL;
	struct keygen unused;

	return keygen_parse(c->ssh_keygen_type, bits, c->ssh_keygen_format,
	    &unused, err);
}

/* Say once what is accepted and does nothing yet. */
static void
warn_later(const struct config *c)
{
	for (int f = 0; f < CFG_COUNT; f++)
		if (c->set[f] && cfg_rows[f].effect == CFG_LATER)
			log_at(LVL_WARN,
			    KS("warning", "flag is not yet in effect"),
			    KS("flag", cfg_rows[f].flag));
}

int
setup_validate(struct config *c, struct fx_err *err)
{
	int r;

	check_readonly(c);
	if (c->set[CFG_F_registry_poll_interval] &&
	    !c->set[CFG_F_automation_interval])
		c->automation_interval = c->registry_poll_interval;
	r = check_verify_mode(c, err);
	if (r == FX_OK)
		r = check_label(c, err);
	if (r == FX_OK)
		r = check_lists(c, err);
	if (r == FX_OK)
		r = check_gc(c, err);
	if (r == FX_OK)
		r = check_numbers(c, err);
	if (r == FX_OK)
		r = check_words(c, err);
	if (r == FX_OK)
		r = check_keygen(c, err);
	if (r == FX_OK)
		warn_later(c);
	return r;
}
