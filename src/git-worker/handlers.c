/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "clock.h"
#include "fd.h"
#include "local_repo.h"
#include "log.h"
#include "mirror_files.h"

#include <malloc.h>

#define TRUST_MAX (4u << 20) /* bytes of known_hosts, of authorities */
#define PASSWORD_MAX 4096    /* bytes of the password for git over https */

/* ---- opening ---- */

int
gw_open_mirror(struct gw *g, struct worker *w, bool writer)
{
	auto_free char *origin = git_url_safe(w->cfg.git_url);
	const struct mirror_conf conf = {
		.dir = w->cfg.mirror_dir,
		.origin = origin,
		.branch = w->cfg.git_branch,
		.tag = w->cfg.git_sync_tag,
		.notes = w->cfg.git_notes_ref,
		.writer = writer,
		.refuse_rewind = w->cfg.git_refuse_rewind,
	};

	g->worker = w;
	g->dir_fd = mirror_hold_dir(w->cfg.mirror_dir);
	return mirror_init(&g->mirror, &conf, &g->why);
}

/* The password comes apart from the URL, which everybody sees. */
static int
read_password(struct gw *g)
{
	struct buf text = BUF_INIT(PASSWORD_MAX);
	auto_fd int fd = worker_take_file(g->worker, IPC_FILE_GIT_PASSWORD);
	struct git_url *u = &g->remote.link.url;

	if (fd == -1)
		return FX_OK;
	/* one allocation: growing would leave copies behind */
	if (buf_reserve(&text, PASSWORD_MAX) == NULL ||
	    worker_read_all(g->worker, fd, &text) != FX_OK) {
		buf_wipe(&text);
		return fx_fail(&g->why, FX_ELIMIT,
		    "the git password cannot be read");
	}
	if (u->password != NULL)
		explicit_bzero(u->password, strlen(u->password));
	free(u->password);
	u->password = xstrndup((const char *)buf_head(&text), buf_left(&text));
	buf_wipe(&text);
	return FX_OK;
}

/* What the server is recognised by; a file that is not there is an empty one.
 */
static int
read_trust(struct gw *g, enum ipc_file_id which, struct buf *out)
{
	auto_fd int fd = worker_take_file(g->worker, which);

	if (fd != -1 && worker_read_all(g->worker, fd, out) != FX_OK)
		return fx_fail(&g->why, FX_ELIMIT,
		    "a file of host keys or authorities cannot be read or is "
		    "larger than %u bytes",
		    TRUST_MAX);
	return FX_OK;
}

static int
open_remote(struct gw *g, const struct gw_way *way)
{
	struct buf trust[GW_MAX_TRUST];
	int r = FX_OK;

	for (size_t i = 0; i < way->nfiles; i++)
		buf_init(&trust[i], TRUST_MAX);
	for (size_t i = 0; i < way->nfiles && r == FX_OK; i++)
		r = read_trust(g, way->files[i], &trust[i]);
	if (r == FX_OK)
		r = remote_init(&g->remote, way->carrier, trust, way->nfiles,
		    &g->why);
	for (size_t i = 0; i < way->nfiles; i++)
		buf_clear(&trust[i]);
	return r;
}

void
gw_open_remote(struct gw *g, struct worker *w, const struct gw_way *way)
{
	struct link *l = &g->remote.link;

	l->calls = gw_calls(w);
	if (gw_open_mirror(g, w, true) != FX_OK ||
	    git_url_parse(w->cfg.git_url, &l->url, &g->why) != FX_OK ||
	    read_password(g) != FX_OK || open_remote(g, way) != FX_OK)
		return; /* every request is answered with why */
}

void
gw_close_remote(struct gw *g)
{
	remote_clear(&g->remote);
	mirror_clear(&g->mirror);
	fd_close(&g->dir_fd);
}

int
gw_ready(struct gw *g, struct fx_err *err)
{
	if (g->why.code != FX_OK) {
		*err = g->why;
		return err->code;
	}
	/* this process may change what it found at its start, and nothing that
	 * has taken its place */
	if (!mirror_is_dir(g->dir_fd, g->worker->cfg.mirror_dir))
		worker_start_over(g->worker,
		    "the mirror's directory was removed; starting over");
	return mirror_open(&g->mirror, err);
}

/* ---- requests ---- */

static int64_t
deadline(uint64_t timeout_ms)
{
	/* a day is as good as for ever, and does not overflow */
	uint64_t day_ms = 24ull * 3600 * 1000;

	return clk_now_us() +
	    (int64_t)(timeout_ms < day_ms ? timeout_ms : day_ms) * CLK_MS;
}

/* Somebody took back what had been there. */
static void
tell_rewind(struct gw *g, struct ipc_fetched *out)
{
	const struct mirror_rewind *w = &g->mirror.rewind;
	const char *to = *w->to == '\0' ? "nothing" : w->to;
	bool refused = g->mirror.refuse_rewind;

	if (*w->from == '\0')
		return;
	if (refused)
		out->refused =
		    xasprintf("a rewind from %.8s to %.8s is not followed",
			w->from, to);
	/* said once, however often it is looked at */
	if ((!refused && *w->to == '\0') || strcmp(g->told_rewind, w->to) == 0)
		return;
	memcpy(g->told_rewind, w->to, sizeof(g->told_rewind));
	log_at(LVL_WARN, KS("warning", "the branch was rewound"),
	    KS("branch", g->mirror.branch), KS("old", w->from), KS("new", to),
	    KB("refused", refused));
}

/* Into a twin, from nothing; the mirror serves until that is complete. */
static int
fetch_anew(struct gw *g, int64_t deadline_us, struct fx_err *err)
{
	struct mirror *m = &g->mirror, twin;
	struct fx_err ignored;
	int r;

	if ((r = mirror_make_twin(m, &twin, err)) != FX_OK)
		return r;
	r = remote_fetch(&g->remote, &twin, deadline_us, err);
	if (r == FX_OK && m->refuse_rewind && !mirror_follows(&twin, m))
		r = fx_fail(err, FX_EDENIED, "a rewind is not followed");
	if (r == FX_OK)
		r = mirror_swap(m, &twin, err);
	else if (mirror_remove(twin.path, &ignored) != FX_OK)
		log_at(LVL_WARN, KS("warning", "rubbish is left"),
		    KS("err", ignored.text));
	mirror_clear(&twin);
	if (r == FX_OK && (r = mirror_open(m, err)) == FX_OK)
		m->created = true;
	return r;
}

/* A failure that is none of the server's may be the mirror's. */
static int
fetch_somehow(struct gw *g, int64_t deadline_us, struct fx_err *err)
{
	struct mirror *m = &g->mirror;
	struct fx_err why = { 0 };
	int r;

	if (!mirror_is_damaged(m)) {
		r = remote_fetch(&g->remote, m, deadline_us, err);
		if (r == FX_OK || g->remote.link.err.code != FX_OK)
			return r;
		mirror_sweep(m->path, true);
	} else {
		r = fx_fail(err, FX_EFAIL, "objects are missing or broken");
	}
	if (m->created || fetch_anew(g, deadline_us, &why) != FX_OK)
		return r;
	log_at(LVL_WARN, KS("warning", "the mirror was damaged and is new"),
	    KS("err", err->text));
	return FX_OK;
}

static int
fetch(struct gw *g, uint64_t timeout_ms, struct ipc_fetched *out,
    struct fx_err *err)
{
	struct mirror *m = &g->mirror;
	struct fx_err why = { 0 };
	int r;

	if ((r = gw_ready(g, err)) != FX_OK ||
	    (r = fetch_somehow(g, deadline(timeout_ms), err)) != FX_OK)
		return r;
	tell_rewind(g, out);
	out->created = m->created;
	/* what was fetched is good without it */
	if (local_compact(m, &g->remote.link, &why) != FX_OK)
		log_at(LVL_WARN, KS("warning", "the mirror was not packed"),
		    KS("err", why.text));
	if ((r = mirror_open(m, err)) != FX_OK ||
	    (r = mirror_commit_of(m, m->branch, out->head, err)) != FX_OK)
		return r;
	return mirror_commit_of(m, m->tag, out->marker, err);
}

static int
gw_on_fetch(struct gw *g, const struct ipc_req *req, struct ipc_fetch *m)
{
	char head[GW_OID_HEX] = "", marker[GW_OID_HEX] = "";
	struct ipc_fetched out = { .head = head, .marker = marker };
	struct fx_err err = { 0 };
	int r = fetch(g, m->timeout_ms, &out, &err);

	r = r != FX_OK ? ipc_reply_fail(req, &err)
		       : ipc_reply_fetched(req, &out);
	free(out.refused);
	(void)malloc_trim(0); /* what receiving a pack took */
	return r;
}
IPC_HANDLER(fetch, gw_on_fetch, struct gw)

static int
gw_on_push(struct gw *g, const struct ipc_req *req, struct ipc_push *m)
{
	struct remote_update u[IPC_MAX_REFS];
	const struct ipc_pushed out = { 0 };
	struct fx_err err = { 0 };

	for (size_t i = 0; i < m->updates_len; i++)
		u[i] = (struct remote_update){ m->updates[i].src,
			m->updates[i].dst, m->updates[i].force };
	if (gw_ready(g, &err) != FX_OK ||
	    remote_push(&g->remote, &g->mirror, u, m->updates_len,
		deadline(m->timeout_ms), &err) != FX_OK)
		return ipc_reply_fail(req, &err);
	(void)malloc_trim(0); /* it went through all directories */
	return ipc_reply_pushed(req, &out);
}
IPC_HANDLER(push, gw_on_push, struct gw)

static int
gw_on_check_write(struct gw *g, const struct ipc_req *req,
    struct ipc_check_write *m)
{
	const struct ipc_writable out = { 0 };
	struct fx_err err = { 0 };

	if (gw_ready(g, &err) != FX_OK ||
	    remote_check_write(&g->remote, &g->mirror, deadline(m->timeout_ms),
		&err) != FX_OK)
		return ipc_reply_fail(req, &err);
	return ipc_reply_writable(req, &out);
}
IPC_HANDLER(check_write, gw_on_check_write, struct gw)

const struct ipc_handler gw_remote_handlers[] = {
	{ IPC_T_FETCH, gw_on_fetch_frame },
	{ IPC_T_PUSH, gw_on_push_frame },
	{ IPC_T_CHECK_WRITE, gw_on_check_write_frame },
};
const size_t gw_nremote_handlers = nitems(gw_remote_handlers);
