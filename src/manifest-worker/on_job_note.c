/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "note.h"

#define MAX_COMMITS                                                            \
	1000 /* looked at: a job that is asked for is a recent one */

/* What was found, gathered while another answer is read. */
struct search {
	const char *job;
	char *commit; /* owned; NULL: none yet */
	struct note_shown shown;
};

/* They come oldest first and the newest one counts.  Whoever can push writes
 * notes: one that cannot be shown is none. */
static int
on_note(void *arg, const struct ipc_note *m, struct fx_err *err)
{
	struct search *s = arg;
	struct note_shown shown;
	struct fx_err why = { 0 };

	(void)err;
	if (note_show(m->text.p, m->text.n, s->job, IPC_MAX_SPEC,
		IPC_MAX_RESULT, &shown, &why) != FX_OK)
		return FX_OK;
	note_shown_clear(&s->shown);
	free(s->commit);
	s->shown = shown;
	s->commit = xstrdup(m->commit);
	return FX_OK;
}

int
mw_on_job_note(struct mw *mw, const struct ipc_req *req, struct ipc_job_note *m)
{
	struct search s = { .job = m->job };
	struct fx_err err = { 0 };
	uint64_t commits;
	int r = mw_ask_notes(mw, "", m->to, MAX_COMMITS, on_note, &s, &commits,
	    &err);

	r = r != FX_OK ? ipc_reply_fail(req, &err)
		       : ipc_reply_job_note_is(req,
			     &(struct ipc_job_note_is){
				 .commit = s.commit,
				 .spec = s.shown.spec,
				 .result = s.shown.result,
			     });
	note_shown_clear(&s.shown);
	free(s.commit);
	return r;
}
