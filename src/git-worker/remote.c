/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "remote.h"

#include <stdio.h>

#include "buf.h"
#include "local_repo.h"
#include "text.h"

#define SERVER_TEXT_MAX 512 /* bytes shown of what a server says */

int
remote_init(struct remote *m, const struct transport_carrier *c,
    const struct buf *trust, size_t ntrust, struct fx_err *err)
{
	int r;

	if (m->link.url.kind == GIT_URL_FILE)
		return FX_OK;
	if ((c->kinds & TRANSPORT_KIND(m->link.url.kind)) == 0)
		return fx_fail(err, FX_EFAIL,
		    "this program is not for URLs of this kind");
	m->carrier = c;
	if ((r = c->open(&m->link, trust, ntrust, &m->at, err)) != FX_OK)
		return r;
	return transport_register(&m->link, c, m->at, err);
}

void
remote_clear(struct remote *m)
{
	git_remote_free(fx_steal(&m->git));
	if (m->at != NULL)
		m->carrier->close(m->at);
	m->at = NULL;
	git_url_clear(&m->link.url);
}

static void
begin(struct remote *m, int64_t deadline_us)
{
	m->link.deadline_us = deadline_us;
	m->link.err = (struct fx_err){ 0 };
}

/* The kept remote, for the mirror as it is open now, ready for an operation. */
static int
prepare(struct remote *m, struct mirror *mirror, struct fx_err *err)
{
	int r;

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

/* ---- in the middle of libgit2's work ---- */

static int
look(struct remote *m)
{
	struct fx_err err;

	if (link_check(&m->link, &err) != FX_OK)
		return link_failed(&m->link, &err);
	return 0;
}

static int
on_received(const git_indexer_progress *stats, void *arg)
{
	(void)stats;
	return look(arg);
}

static int
on_packed(int stage, uint32_t current, uint32_t total, void *arg)
{
	(void)stage;
	(void)current;
	(void)total;
	return look(arg);
}

static int
on_sent(unsigned current, unsigned total, size_t bytes, void *arg)
{
	(void)current;
	(void)total;
	(void)bytes;
	return look(arg);
}

/* libgit2's own initialisers: its macros leave members out. */
static void
init_options(struct remote *m, git_remote_callbacks *c, git_fetch_options *f,
    git_push_options *p)
{
	if ((c != NULL &&
		git_remote_init_callbacks(c, GIT_REMOTE_CALLBACKS_VERSION) !=
		    0) ||
	    (f != NULL &&
		git_fetch_options_init(f, GIT_FETCH_OPTIONS_VERSION) != 0) ||
	    (p != NULL &&
		git_push_options_init(p, GIT_PUSH_OPTIONS_VERSION) != 0))
		fx_bug("libgit2 does not know its own options");
	c = c != NULL ? c : f != NULL ? &f->callbacks : &p->callbacks;
	c->transfer_progress = on_received;
	c->pack_progress = on_packed;
	c->push_transfer_progress = on_sent;
	c->payload = m;
}

/* ---- fetch ---- */

/* What the server has of a ref, NULL if nothing. */
static const git_oid *
find_head(const git_remote_head **heads, size_t n, const char *ref)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(heads[i]->name, ref) == 0)
			return &heads[i]->oid;
	return NULL;
}

static int
download(struct remote *m, const char *const *refs, size_t n,
    struct fx_err *err)
{
	git_fetch_options opts;
	char *list[3];
	git_strarray specs = { list, n };
	int r;

	for (size_t i = 0; i < n; i++)
		list[i] = xasprintf("+%s:%s", refs[i], refs[i]);
	init_options(m, NULL, &opts, NULL);
	opts.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	opts.prune = GIT_FETCH_NO_PRUNE;
	if ((r = git_remote_download(m->git, &specs, &opts)) != 0)
		r = fail(m, r, err, "fetch");
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	return r;
}

/* Objects first, then the refs; before them those that are gone, for an old
 * ref can stand in the way of a new one below it. */
static int
take(struct remote *m, struct mirror *mirror, struct fx_err *err)
{
	const char *const refs[] = { mirror->branch, mirror->tag,
		mirror->notes };
	const git_remote_head **heads = NULL;
	const git_oid *oids[nitems(refs)];
	size_t n = 0;
	int r;

	if ((r = git_remote_ls(&heads, &n, m->git)) != 0)
		return fail(m, r, err, "list refs");
	for (size_t i = 0; i < nitems(refs); i++) {
		oids[i] = find_head(heads, n, refs[i]);
		if (oids[i] == NULL &&
		    (r = mirror_take_ref(mirror, refs[i], NULL, err)) != FX_OK)
			return r;
	}
	if ((r = download(m, refs, nitems(refs), err)) != FX_OK)
		return r;
	for (size_t i = 0; i < nitems(refs) && r == FX_OK; i++)
		if (oids[i] != NULL)
			r = mirror_take_ref(mirror, refs[i], oids[i], err);
	return r == FX_OK ? FX_OK : fx_wrap(err, "update refs");
}

int
remote_fetch(struct remote *m, struct mirror *mirror, int64_t deadline_us,
    struct fx_err *err)
{
	git_remote_callbacks callbacks;
	int r;

	begin(m, deadline_us);
	mirror->rewind = (struct mirror_rewind){ 0 };
	if (m->link.url.kind == GIT_URL_FILE)
		return local_fetch(m->link.url.path, mirror, &m->link, err);
	if ((r = prepare(m, mirror, err)) != FX_OK)
		return r;
	init_options(m, &callbacks, NULL, NULL);
	r = git_remote_connect(m->git, GIT_DIRECTION_FETCH, &callbacks, NULL,
	    NULL);
	if (r != 0)
		return fail(m, r, err, "connect");
	r = take(m, mirror, err);
	(void)git_remote_disconnect(m->git);
	return r;
}

int
remote_check_write(struct remote *m, struct mirror *mirror, int64_t deadline_us,
    struct fx_err *err)
{
	git_remote_callbacks callbacks;
	int r;

	begin(m, deadline_us);
	if (m->link.url.kind == GIT_URL_FILE)
		return local_check_write(m->link.url.path, err);
	if ((r = prepare(m, mirror, err)) != FX_OK)
		return r;
	init_options(m, &callbacks, NULL, NULL);
	r = git_remote_connect(m->git, GIT_DIRECTION_PUSH, &callbacks, NULL,
	    NULL);
	if (r != 0)
		return fail(m, r, err, "connect");
	(void)git_remote_disconnect(m->git);
	return FX_OK;
}

/* ---- push ---- */

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
	struct remote_answers *a = &((struct remote *)arg)->answers;
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
	struct remote_answers *a = &((struct remote *)arg)->answers;
	size_t room = SERVER_TEXT_MAX - buf_left(&a->said);

	if (n > 0 &&
	    buf_put(&a->said, text, (size_t)n < room ? (size_t)n : room) !=
		FX_OK)
		return 0; /* full: the rest is not shown */
	return 0;
}

static int
judge_answers(struct remote_answers *a, struct fx_err *err)
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
	struct remote_answers *a = &m->answers;
	git_strarray list = { specs, n };
	int r;

	*a = (struct remote_answers){ .said = BUF_INIT(SERVER_TEXT_MAX) };
	init_options(m, NULL, NULL, &opts);
	opts.callbacks.push_update_reference = on_update;
	opts.callbacks.sideband_progress = on_progress;
	if ((r = git_remote_push(m->git, &list, &opts)) != 0) {
		r = fail(m, r, err, "push");
	} else {
		(void)git_remote_disconnect(m->git);
		r = judge_answers(a, err);
	}
	buf_clear(&a->said);
	return r;
}

/* What is to be pushed was made by somebody else: a mirror that was made anew
 * or packed since then has it no more. */
static int
check_sources(struct mirror *mirror, const struct remote_update *u, size_t n,
    struct fx_err *err)
{
	git_oid oid;

	for (size_t i = 0; i < n; i++)
		if (*u[i].src != '\0' &&
		    git_reference_name_to_id(&oid, mirror->repo, u[i].src) !=
			0) {
			git_error_clear();
			return fx_fail(err, FX_ERETRY,
			    "%s is not there any more", u[i].src);
		}
	return FX_OK;
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

/* Does the server refuse to have a tag moved, in words of git or of hosts? */
static bool
refuses_move(const struct mirror *mirror, const struct remote_update *u,
    size_t n, const struct fx_err *err)
{
	static const char *const words[] = { "force", "fast-forward",
		"already exists", "would clobber" };
	git_oid there;

	if (n != 1 || !u->force || *u->src == '\0' ||
	    strncmp(u->dst, "refs/tags/", 10) != 0 ||
	    (err->code != FX_EDENIED && err->code != FX_ECONFLICT) ||
	    git_reference_name_to_id(&there, mirror->repo, u->dst) != 0)
		return false;
	for (size_t i = 0; i < nitems(words); i++)
		if (strcasestr(err->text, words[i]) != NULL)
			return true;
	return false;
}

/* Then it is deleted and made anew; if it must not be deleted either, the
 * first answer counts. */
static int
replace(struct remote *m, struct mirror *mirror, const struct remote_update *u,
    struct fx_err *err)
{
	const struct remote_update gone = { "", u->dst, false };
	struct fx_err why = { 0 };
	int r;

	if ((r = prepare(m, mirror, &why)) != FX_OK ||
	    (r = push_updates(m, &gone, 1, &why)) != FX_OK ||
	    (r = follow(mirror, &gone, &why)) != FX_OK)
		return err->code;
	if ((r = prepare(m, mirror, err)) == FX_OK)
		r = push_updates(m, u, 1, err);
	return r;
}

int
remote_push(struct remote *m, struct mirror *mirror,
    const struct remote_update *u, size_t n, int64_t deadline_us,
    struct fx_err *err)
{
	int r;

	begin(m, deadline_us);
	if ((r = check_sources(mirror, u, n, err)) != FX_OK)
		return r;
	if (m->link.url.kind == GIT_URL_FILE)
		r = local_push(m->link.url.path, mirror, u, n, &m->link, err);
	else if ((r = prepare(m, mirror, err)) == FX_OK)
		r = push_updates(m, u, n, err);
	if (r != FX_OK && m->git != NULL && refuses_move(mirror, u, n, err))
		r = replace(m, mirror, u, err);
	for (size_t i = 0; i < n && r == FX_OK; i++)
		r = follow(mirror, &u[i], err);
	return r;
}
