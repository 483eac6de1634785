/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "clock.h"
#include "git_url.h"
#include "mark.h"
#include "note.h"

void
mw_open(struct mw *mw, struct worker *w)
{
	const struct config *cfg = &w->cfg;
	auto_free char *url = git_url_safe(cfg->git_url);
	auto_free char *name = mark_set_name(url, cfg->git_branch,
	    cfg->git_path.v, cfg->git_path.n);

	mw->worker = w;
	mw->commit = xstrdup("");
	/* numbers that no earlier run of this process has used since boot */
	set_init(&mw->set, name, (uint64_t)clk_now_us());
	mw->set.skip_bad = cfg->sync_skip_bad;
	note_open(mw->set.hash_seed);
}

void
mw_close(struct mw *mw)
{
	tree_clear(&mw->tree);
	set_clear(&mw->set);
	free(mw->commit);
}

int
mw_stream_ended(struct fx_err *err, int code)
{
	return code == FX_OK
	    ? FX_OK
	    : fx_fail(err, code, "nobody waits for the answer any more");
}

IPC_HANDLER(load, mw_on_load, struct mw)
IPC_HANDLER(set, mw_on_set, struct mw)
IPC_HANDLER(bodies, mw_on_bodies, struct mw)
IPC_HANDLER(events, mw_on_events, struct mw)
IPC_HANDLER(declared, mw_on_declared, struct mw)
IPC_HANDLER(job_note, mw_on_job_note, struct mw)

const struct ipc_handler mw_handlers[] = {
	{ IPC_T_LOAD, mw_on_load_frame },
	{ IPC_T_SET, mw_on_set_frame },
	{ IPC_T_BODIES, mw_on_bodies_frame },
	{ IPC_T_EVENTS, mw_on_events_frame },
	{ IPC_T_DECLARED, mw_on_declared_frame },
	{ IPC_T_JOB_NOTE, mw_on_job_note_frame },
};
const size_t mw_nhandlers = nitems(mw_handlers);
