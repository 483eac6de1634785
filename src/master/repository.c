/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "repository.h"

#include "master.h"

#define WAIT_LIMIT_US (10 * CLK_SEC) /* for a load */

struct repository_wait {
	struct master *m;
	struct ipc_req req;
	struct loop_timer limit;
	struct repository_wait *next;
};

/* Fill in what is known; false: it is not known yet. */
static bool
look(struct master *m, struct ipc_repository_is *out)
{
	const struct fx_err *refusal = sync_refusal(m);

	*out = (struct ipc_repository_is){ .read_only = m->cfg.git_readonly };
	if (m->mirror.status != MIRROR_READY) {
		out->state = m->mirror.status == MIRROR_UNCONFIGURED
		    ? IPC_REPOSITORY_NONE
		    : IPC_REPOSITORY_NOT_READY;
		return true;
	}
	out->state = IPC_REPOSITORY_READY;
	out->set = sync_set_of_head(m);
	if (out->set == 0 && refusal != NULL)
		out->error = (char *)(uintptr_t)refusal->text;
	return out->set != 0 || refusal != NULL;
}

/* There will be no load, or not in time: an older one is better than none. */
static void
settle(struct master *m, const struct ipc_req *req)
{
	struct ipc_repository_is out;
	char none[] = "the manifests have not been loaded yet";

	if (!look(m, &out) && (out.set = sync_set_of_any(m)) == 0)
		out.error = m->repository.why.code != FX_OK
		    ? m->repository.why.text
		    : none;
	(void)ipc_reply_repository_is(req, &out);
}

static void
on_limit(struct loop *l, void *arg)
{
	struct repository_wait *w = arg, **at = &w->m->repository.waits;

	(void)l;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	settle(w->m, &w->req);
	free(w);
}

/* Is a pass under way, or about to be? */
static bool
may_come(const struct master *m)
{
	return m->sync.phase != SYNC_IDLE || m->sync.wanted ||
	    m->sync.retrying || m->repository.why.code == FX_OK;
}

void
repository_ask(struct master *m, const struct ipc_req *req)
{
	struct repository_wait *w;
	struct ipc_repository_is out;

	if (look(m, &out) || !may_come(m)) {
		settle(m, req);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	*w = (struct repository_wait){ .m = m,
		.req = *req,
		.limit = { .fn = on_limit, .arg = w },
		.next = m->repository.waits };
	m->repository.waits = w;
	loop_timer_in(m->loop, &w->limit, WAIT_LIMIT_US);
}

/* A worker that died is back at once, and the pass is run again.  So it is
 * where the head has moved on meanwhile. */
void
repository_loaded(struct master *m, const struct fx_err *err)
{
	struct repository_wait *w, *list;
	struct ipc_repository_is known;

	m->repository.why = err == NULL ? (struct fx_err){ 0 } : *err;
	if (!look(m, &known) && (err == NULL || child_comes_back(err)))
		return;
	list = fx_steal(&m->repository.waits);
	while ((w = list) != NULL) {
		list = w->next;
		loop_timer_stop(m->loop, &w->limit);
		settle(m, &w->req);
		free(w);
	}
}
