/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "marker.h"

#include "child.h"
#include "log.h"
#include "master.h"

#include <stdio.h>

#define TAG_LIMIT_US CLK_MIN
#define KILL_MARGIN_US (250 * CLK_MS) /* the worker's own deadline is first */

static void
set(char to[IPC_MAX_OID + 1], const char *revision)
{
	snprintf(to, IPC_MAX_OID + 1, "%s", revision);
}

/* The call is over, or could not even be made. */
static void
end(struct master *m, const struct fx_err *err, const char *what)
{
	struct marker *k = &m->marker;
	struct fx_err e = { 0 };

	if (err != NULL && what != NULL) {
		e = *err;
		fx_wrap(&e, "%s", what);
		err = &e;
	}
	k->fn(m, err);
}

static void
busy(struct master *m)
{
	struct fx_err err = { 0 };

	fx_fail(&err, FX_EAGAIN, "too many requests wait already");
	end(m, &err, NULL);
}

static int64_t
secret_limit_us(const struct master *m)
{
	/* it is at most a GET and a PATCH, each with that limit */
	return 2 * (m->cfg.sync_timeout / 1000) + KILL_MARGIN_US;
}

/* ---- reading --------------------------------------------------------------
 */

static void
warn_external(struct marker *k)
{
	if (k->recorded[0] == '\0' || k->warned ||
	    strcmp(k->recorded, k->revision) == 0)
		return;
	k->warned = true;
	log_at(LVL_WARN, KS("component", "sync-loop"),
	    KS("warning",
		"detected external change in sync state; the sync state should "
		"not be shared by fluxd instances"),
	    KS("state", k->where));
}

static int
on_is(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct marker *k = &m->marker;
	struct ipc_marker_is a;
	int r;

	if (err != NULL) {
		end(m, err, NULL);
		return FX_OK;
	}
	r = ipc_marker_is_decode(&f->body, &a, &f->fd);
	if (r != FX_OK)
		return r;
	set(k->revision, a.revision);
	snprintf(k->where, sizeof(k->where), "%s", a.where);
	k->known = true;
	ipc_marker_is_clear(&a);
	warn_external(k);
	end(m, NULL, NULL);
	return FX_OK;
}

void
marker_fetched(struct master *m, const char *revision)
{
	if (!m->marker.in_secret)
		set(m->marker.revision, revision);
}

void
marker_read(struct master *m, const char *target, marker_fn *fn)
{
	struct marker *k = &m->marker;
	struct ipc_marker_read q = { 0 };

	k->fn = fn;
	if (!k->in_secret)
		warn_external(k);
	if (!k->in_secret || (k->known && strcmp(k->recorded, target) == 0)) {
		end(m, NULL, NULL);
		return;
	}
	if (MST_ASK(mst_child(m, IPC_R_SYNC), marker_read, MARKER_READ, &q,
		secret_limit_us(m), on_is, m) == NULL)
		busy(m);
}

/* ---- moving ---------------------------------------------------------------
 */

static int
on_moved(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct marker *k = &m->marker;

	(void)f;
	if (err != NULL) {
		end(m, err, k->in_secret ? NULL : "pushing tag to origin");
		return FX_OK;
	}
	log_at(LVL_INFO, KS("component", "sync-loop"), KS("state", k->where),
	    KS("old", k->revision), KS("new", k->target));
	set(k->revision, k->target);
	set(k->recorded, k->target);
	end(m, NULL, NULL);
	return FX_OK;
}

static void
push(struct master *m)
{
	char dst[IPC_MAX_REF + 16];
	struct ipc_ref_update u = { .src = (char *)(uintptr_t)IPC_STAGED_TAG,
		.dst = dst,
		.force = true };
	struct ipc_push q = { .updates = &u,
		.updates_len = 1,
		.timeout_ms = (uint64_t)(m->cfg.git_timeout / 1000000) };

	snprintf(dst, sizeof(dst), "refs/tags/%s", m->cfg.git_sync_tag);
	if (MST_ASK(mst_child(m, IPC_R_GIT_REMOTE), push, PUSH, &q,
		m->cfg.git_timeout / 1000 + KILL_MARGIN_US, on_moved,
		m) == NULL)
		busy(m);
}

static int
on_tagged(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	char what[IPC_MAX_REF + 32];

	(void)f;
	snprintf(what, sizeof(what), "moving tag %s", m->cfg.git_sync_tag);
	if (err != NULL)
		end(m, err, what);
	else
		push(m);
	return FX_OK;
}

void
marker_move(struct master *m, const char *target, marker_fn *fn)
{
	struct marker *k = &m->marker;
	struct ipc_marker_write to_secret = { .revision = k->target };
	struct ipc_tag to_tag = { .commit = k->target };
	struct child_call *call;
	const char *there = k->recorded[0] != '\0' ? k->recorded : k->revision;

	k->fn = fn;
	set(k->target, target);
	if (strcmp(there, target) == 0) {
		set(k->recorded, target);
		end(m, NULL, NULL);
		return;
	}
	call = k->in_secret
	    ? MST_ASK(mst_child(m, IPC_R_SYNC), marker_write, MARKER_WRITE,
		  &to_secret, secret_limit_us(m), on_moved, m)
	    : MST_ASK(mst_child(m, IPC_R_GIT_LOCAL), tag, TAG, &to_tag,
		  TAG_LIMIT_US, on_tagged, m);
	if (call == NULL)
		busy(m);
}

void
marker_init(struct master *m)
{
	struct marker *k = &m->marker;

	/* --git-readonly has turned the state into a Secret's already */
	k->in_secret = strcmp(m->cfg.sync_state, "secret") == 0;
	snprintf(k->where, sizeof(k->where), "tag %s", m->cfg.git_sync_tag);
}
