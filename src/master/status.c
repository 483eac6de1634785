/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "status.h"

#include "master.h"
#include "str.h"

#include <stdio.h>

#define STATUS_MAX 4096		    /* commits shown as not yet applied */
#define LIMIT_US CLK_MIN	    /* of a question to git-local */
#define AGAIN_MAX_US (10 * CLK_SEC) /* it is not asked again after that */
#define AGAIN_US (100 * CLK_MS)
#define HOLD_US CLK_SEC /* something may be pending before it is said */
#define SHORT_OID 7	/* digits of a revision as clients cut it */
#define REF_SHOWN 200	/* bytes of a revision in an error */
#define WHOLE_OID 40	/* digits of one that is not cut */

/* Commits not yet applied, collected while git-local streams them. */
struct status_wait {
	struct master *m;
	struct ipc_req req;
	char ref[IPC_MAX_REF + 1];
	char marker[IPC_MAX_OID + 1];
	bool fetching;	 /* something, while git-local was asked */
	bool from_start; /* the marker is no commit of the repository */
	struct ipc_oid *revisions; /* owned, with their texts */
	size_t n;
	int64_t until_us, hold_until_us;
	struct loop_timer again;
	struct status_wait *next; /* held, too */
};

static void ask(struct status_wait *);

static void
forget(struct status_wait *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->revisions[i].hex);
	w->n = 0;
}

static void
status_free(struct status_wait *w)
{
	forget(w);
	free(w->revisions);
	free(w);
}

static int
collect(struct status_wait *w, struct ipc_frame *f)
{
	struct ipc_commit_part part;
	int r = ipc_commit_part_decode(&f->body, &part, &f->fd);

	if (r != FX_OK)
		return r;
	for (size_t i = 0; i < part.commits_len && w->n < STATUS_MAX; i++)
		w->revisions[w->n++].hex = fx_steal(&part.commits[i].oid);
	ipc_commit_part_clear(&part);
	return FX_OK;
}

/* Would the answer soon be another one?  Then it waits. */
static bool
hold(struct status_wait *w)
{
	struct master *m = w->m;
	bool passing = m->sync.phase != SYNC_IDLE || m->sync.wanted;

	if (w->n == 0 || !passing || clk_now_us() >= w->hold_until_us)
		return false;
	forget(w);
	w->next = m->sync_status.held;
	m->sync_status.held = w;
	loop_timer_at(m->loop, &w->again, w->hold_until_us);
	return true;
}

static void
answer(struct status_wait *w)
{
	const struct ipc_sync_status_part part = {
		.revisions = w->revisions,
		.revisions_len = w->n,
	};
	const struct ipc_sync_status_is end = { 0 };

	(void)ipc_reply_sync_status_part(&w->req, &part);
	(void)ipc_reply_sync_status_is(&w->req, &end);
	status_free(w);
}

/* ---- errors ---------------------------------------------------------------
 */

static bool
is_whole(const char *ref)
{
	return strlen(ref) == WHOLE_OID &&
	    strspn(ref, "0123456789abcdefABCDEF") == WHOLE_OID;
}

/* In git's words, which upstream shows twice. */
static void
no_such_revision(const struct status_wait *w, struct fx_err *err)
{
	auto_free char *text = is_whole(w->ref)
	    ? xasprintf("fatal: Invalid revision range %s..%s", w->marker,
		  w->ref)
	    : xasprintf("fatal: bad revision '%s..%.*s'", w->marker, REF_SHOWN,
		  w->ref);

	fx_fail(err, FX_EUNKNOWN, "%s, full output:\n %s\n", text, text);
}

/* Which of both is not there is not said: without the marker it shows. */
static void
unknown(struct status_wait *w)
{
	const char *ours = strlen(w->ref) < SHORT_OID
	    ? NULL
	    : jobs_revision(&w->m->jobs, w->ref);
	struct fx_err err = { 0 };

	if (!w->from_start && w->marker[0] != '\0') {
		w->from_start = true;
		ask(w);
	} else if (ours != NULL) {
		w->revisions[w->n++].hex = xstrdup(ours);
		answer(w);
	} else {
		no_such_revision(w, &err);
		(void)ipc_reply_fail(&w->req, &err);
		status_free(w);
	}
}

static void
failed(struct status_wait *w, const struct fx_err *err)
{
	bool no_such = err->code == FX_EUNKNOWN || err->code == FX_ESYNTAX;

	forget(w);
	/* what is being fetched may be what is not there */
	if ((child_comes_back(err) ||
		(no_such && (w->fetching || w->m->mirror.call != NULL))) &&
	    clk_now_us() < w->until_us) {
		loop_timer_in(w->m->loop, &w->again, AGAIN_US);
	} else if (no_such) {
		unknown(w);
	} else {
		(void)ipc_reply_fail(&w->req, err);
		status_free(w);
	}
}

/* ---- the question ---------------------------------------------------------
 */

static int
on_commits(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct status_wait *w = arg;

	if (f != NULL && f->type == IPC_T_COMMIT_PART)
		return collect(w, f);
	if (err != NULL)
		failed(w, err);
	else if (!hold(w))
		answer(w);
	return FX_OK;
}

static void
ask(struct status_wait *w)
{
	struct master *m = w->m;
	struct ipc_commits q = { .to = w->ref, .max = STATUS_MAX };
	struct fx_err err = { 0 };

	snprintf(w->marker, sizeof(w->marker), "%s", m->marker.revision);
	w->fetching = m->mirror.call != NULL;
	q.from = w->from_start ? NULL : w->marker;
	if (MST_ASK(mst_child(m, IPC_R_GIT_LOCAL), commits, COMMITS, &q,
		LIMIT_US, on_commits, w) != NULL)
		return;
	fx_fail(&err, FX_EAGAIN, "too many requests");
	failed(w, &err);
}

static void
on_again(struct loop *l, void *arg)
{
	struct status_wait *w = arg, **at = &w->m->sync_status.held;

	(void)l;
	while (*at != NULL && *at != w)
		at = &(*at)->next;
	if (*at == w)
		*at = w->next;
	ask(w);
}

void
status_pass_ended(struct master *m)
{
	struct status_wait *w, *list = fx_steal(&m->sync_status.held);

	while ((w = list) != NULL) {
		list = w->next;
		loop_timer_stop(m->loop, &w->again);
		ask(w);
	}
}

void
status_ask(struct master *m, const struct ipc_req *req, const char *ref)
{
	bool is_head = ref[0] == '\0' || strcmp(ref, "HEAD") == 0;
	struct fx_err err = { 0 };
	struct status_wait *w;

	if (mirror_check(m, &err) != FX_OK ||
	    sync_is_refused(m, is_head ? m->sync.head : ref, &err)) {
		(void)ipc_reply_fail(req, &err);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	*w = (struct status_wait){ .m = m,
		.req = *req,
		.revisions = xcalloc(STATUS_MAX, sizeof(*w->revisions)),
		.until_us = clk_now_us() + AGAIN_MAX_US,
		.hold_until_us = clk_now_us() + HOLD_US,
		.again = { .fn = on_again, .arg = w } };
	/* as git takes a range without an end */
	snprintf(w->ref, sizeof(w->ref), "%s", is_head ? "HEAD" : ref);
	ask(w);
}
