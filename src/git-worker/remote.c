/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "remote.h"

#include <stdio.h>

#include "buf.h"
#include "http.h"
#include "local_repo.h"
#include "ssh.h"
#include "text.h"
#include "transport.h"

#define SERVER_TEXT_MAX 512 /* bytes shown of what a server says */

int
remote_init(struct remote *m, const struct buf *ca, struct fx_err *err)
{
	int r;

	switch (m->link.url.kind) {
	case GIT_URL_SSH:
		m->ssh = ssh_new(&m->link);
		return transport_register(&m->link, &ssh_carrier, m->ssh, err);
	case GIT_URL_HTTP:
	case GIT_URL_HTTPS:
		if ((r = http_new(&m->link, ca, &m->http, err)) != FX_OK)
			return r;
		return transport_register(&m->link, &http_carrier, m->http,
		    err);
	case GIT_URL_FILE:
		return FX_OK;
	case GIT_URL_GIT:
		break;
	}
	return fx_fail(err, FX_EFAIL,
	    "git:// URLs are not supported: use ssh or https");
}

void
remote_clear(struct remote *m)
{
	git_remote_free(fx_steal(&m->git));
	ssh_free(&m->ssh);
	http_free(&m->http);
	git_url_clear(&m->link.url);
	known_hosts_clear(&m->link.known);
}

/* The kept remote, for the mirror as it is open now, ready for an operation. */
static int
prepare(struct remote *m, struct mirror *mirror, int64_t deadline_us,
    struct fx_err *err)
{
	int r;

	m->link.deadline_us = deadline_us;
	m->link.err = (struct fx_err){ 0 };
	if (m->git != NULL && m->opened == mirror->opened)
		return FX_OK;
	git_remote_free(fx_steal(&m->git));
	r = git_remote_create_anonymous(&m->git, mirror->repo, TRANSPORT_URL);
	if (r != 0)
		return gw_git_fail(r, err, "remote");
	m->opened = mirror->opened;
	return FX_OK;
}

/* What the transport said explains more than what libgit2 made of it. */
static int
fail(struct remote *m, int r, struct fx_err *err, const char *what)
{
	(void)git_remote_disconnect(m->git);
	if (m->link.err.code != FX_OK) {
		*err = m->link.err;
		return err->code;
	}
	return gw_git_fail(r, err, "%s", what);
}

/* libgit2's own initialisers: its macros leave members out. */
static void
init_options(git_remote_callbacks *c, git_fetch_options *f, git_push_options *p)
{
	if ((c != NULL &&
		git_remote_init_callbacks(c, GIT_REMOTE_CALLBACKS_VERSION) !=
		    0) ||
	    (f != NULL &&
		git_fetch_options_init(f, GIT_FETCH_OPTIONS_VERSION) != 0) ||
	    (p != NULL &&
		git_push_options_init(p, GIT_PUSH_OPTIONS_VERSION) != 0))
		fx_bug("libgit2 does not know its own options");
}

/* ---- fetch ---- */

static bool
remote_has(const git_remote_head **heads, size_t n, const char *ref)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(heads[i]->name, ref) == 0)
			return true;
	return false;
}

/* Forget what the server no longer has.  It goes first: an old ref can stand
 * in the way of a new one below it. */
static int
prune(struct remote *m, struct mirror *mirror, struct fx_err *err)
{
	const char *const refs[] = { mirror->branch, mirror->tag,
		mirror->notes };
	const git_remote_head **heads = NULL;
	size_t n = 0;
	int r;

	if ((r = git_remote_ls(&heads, &n, m->git)) != 0)
		return fail(m, r, err, "list refs");
	for (size_t i = 0; i < nitems(refs); i++)
		if (!remote_has(heads, n, refs[i]) &&
		    (r = mirror_set_ref(mirror, refs[i], NULL, err)) != FX_OK)
			return r;
	return FX_OK;
}

static int
download(struct remote *m, struct mirror *mirror, struct fx_err *err)
{
	git_fetch_options opts;
	auto_free char *branch = NULL, *tag = NULL, *notes = NULL;
	git_strarray specs;
	char *list[3];
	int r;

	list[0] = branch = xasprintf("+%s:%s", mirror->branch, mirror->branch);
	list[1] = tag = xasprintf("+%s:%s", mirror->tag, mirror->tag);
	list[2] = notes = xasprintf("+%s:%s", mirror->notes, mirror->notes);
	specs = (git_strarray){ list, nitems(list) };
	init_options(NULL, &opts, NULL);
	opts.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	opts.prune = GIT_FETCH_NO_PRUNE;
	if ((r = git_remote_download(m->git, &specs, &opts)) != 0)
		return fail(m, r, err, "fetch");
	r = git_remote_update_tips(m->git, &opts.callbacks, 0,
	    GIT_REMOTE_DOWNLOAD_TAGS_NONE, NULL);
	if (r != 0)
		return fail(m, r, err, "update refs");
	return FX_OK;
}

int
remote_fetch(struct remote *m, struct mirror *mirror, int64_t deadline_us,
    struct fx_err *err)
{
	git_remote_callbacks none;
	int r;

	if (m->link.url.kind == GIT_URL_FILE)
		return local_fetch(m->link.url.path, mirror, err);
	if ((r = prepare(m, mirror, deadline_us, err)) != FX_OK)
		return r;
	init_options(&none, NULL, NULL);
	r = git_remote_connect(m->git, GIT_DIRECTION_FETCH, &none, NULL, NULL);
	if (r != 0)
		return fail(m, r, err, "connect");
	if ((r = prune(m, mirror, err)) == FX_OK)
		r = download(m, mirror, err);
	(void)git_remote_disconnect(m->git);
	return r;
}

int
remote_check_write(struct remote *m, struct mirror *mirror, int64_t deadline_us,
    struct fx_err *err)
{
	git_remote_callbacks none;
	int r;

	if (m->link.url.kind == GIT_URL_FILE)
		return local_check_write(m->link.url.path, err);
	if ((r = prepare(m, mirror, deadline_us, err)) != FX_OK)
		return r;
	init_options(&none, NULL, NULL);
	r = git_remote_connect(m->git, GIT_DIRECTION_PUSH, &none, NULL, NULL);
	if (r != 0)
		return fail(m, r, err, "connect");
	(void)git_remote_disconnect(m->git);
	return FX_OK;
}

/* ---- push ---- */

/* What the server said during a push. */
struct answers {
	bool rejected;
	struct fx_err err; /* the first ref that was not taken */
	struct buf said;   /* progress: what hooks print */
};

/* Words of git and of hosts for "somebody else was faster". */
static int
code_of_status(const char *status)
{
	static const char *const races[] = { "fetch first", "non-fast-forward",
		"stale info", "cannot lock ref", "failed to update ref",
		"reference already exists", "incorrect old value" };

	for (size_t i = 0; i < nitems(races); i++)
		if (strcasestr(status, races[i]) != NULL)
			return FX_ECONFLICT;
	return FX_EDENIED;
}

static int
on_update(const char *ref, const char *status, void *arg)
{
	struct answers *a = arg;
	auto_free char *shown_ref = NULL, *shown = NULL;

	if (status == NULL || a->rejected)
		return 0;
	a->rejected = true;
	shown_ref = text_one_line(ref, strlen(ref), SERVER_TEXT_MAX);
	shown = text_one_line(status, strlen(status), SERVER_TEXT_MAX);
	(void)fx_fail(&a->err, code_of_status(status),
	    "! [remote rejected] %s (%s)", shown_ref, shown);
	return 0;
}

static int
on_progress(const char *text, int n, void *arg)
{
	struct answers *a = arg;
	size_t room = SERVER_TEXT_MAX - buf_left(&a->said);

	if (n > 0 &&
	    buf_put(&a->said, text, (size_t)n < room ? (size_t)n : room) !=
		FX_OK)
		return 0; /* full: the rest is not shown */
	return 0;
}

static int
judge_answers(struct answers *a, struct fx_err *err)
{
	auto_free char *said = NULL;

	if (!a->rejected)
		return FX_OK;
	said = text_one_line((const char *)buf_head(&a->said),
	    buf_left(&a->said), SERVER_TEXT_MAX);
	if (*said == '\0')
		return fx_fail(err, a->err.code, "%s", a->err.text);
	return fx_fail(err, a->err.code, "%s: %s", a->err.text, said);
}

/* The mirror shows at once what the server now has. */
static int
follow(struct mirror *mirror, const struct remote_update *u, struct fx_err *err)
{
	git_oid oid;
	int r;

	if (*u->src == '\0')
		return mirror_set_ref(mirror, u->dst, NULL, err);
	if ((r = git_reference_name_to_id(&oid, mirror->repo, u->src)) != 0)
		return mirror_fail(mirror, r, err, "%s", u->src);
	return mirror_set_ref(mirror, u->dst, &oid, err);
}

static int
push(struct remote *m, char **specs, size_t n, struct fx_err *err)
{
	git_push_options opts;
	struct answers a = { .said = BUF_INIT(SERVER_TEXT_MAX) };
	git_strarray list = { specs, n };
	int r;

	init_options(NULL, NULL, &opts);
	opts.callbacks.push_update_reference = on_update;
	opts.callbacks.sideband_progress = on_progress;
	opts.callbacks.payload = &a;
	if ((r = git_remote_push(m->git, &list, &opts)) != 0) {
		r = fail(m, r, err, "push");
	} else {
		(void)git_remote_disconnect(m->git);
		r = judge_answers(&a, err);
	}
	buf_clear(&a.said);
	return r;
}

static int
push_updates(struct remote *m, const struct remote_update *u, size_t n,
    struct fx_err *err)
{
	char **specs = xcalloc(n, sizeof(*specs));
	int r;

	for (size_t i = 0; i < n; i++)
		specs[i] = xasprintf("%s%s:%s", u[i].force ? "+" : "", u[i].src,
		    u[i].dst);
	r = push(m, specs, n, err);
	for (size_t i = 0; i < n; i++)
		free(specs[i]);
	free(specs);
	return r;
}

int
remote_push(struct remote *m, struct mirror *mirror,
    const struct remote_update *u, size_t n, int64_t deadline_us,
    struct fx_err *err)
{
	int r;

	if (m->link.url.kind == GIT_URL_FILE)
		r = local_push(m->link.url.path, mirror, u, n, err);
	else if ((r = prepare(m, mirror, deadline_us, err)) == FX_OK)
		r = push_updates(m, u, n, err);
	for (size_t i = 0; i < n && r == FX_OK; i++)
		r = follow(mirror, &u[i], err);
	return r;
}
