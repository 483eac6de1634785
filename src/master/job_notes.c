/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "job_notes.h"

#include "master.h"

#define SEARCH_LIMIT_US (2 * CLK_MIN) /* manifest asks git-local for notes */
#define AGAIN_US (100 * CLK_MS)	      /* when a worker has died */
#define AGAIN_MAX_US (10 * CLK_SEC)   /* for so long */
#define JOB_MAX 64		      /* bytes of an id in a note */

struct job_search {
	struct master *m;
	struct ipc_req req;
	char job[JOB_MAX + 1];
	int64_t until_us; /* it is not tried again after that */
	struct loop_timer again;
	struct job_search *next;
};

static void search(struct job_search *);

/* Upstream's are hexadecimal groups; nothing else stands in a note. */
static bool
is_job(const char *s)
{
	size_t n = strlen(s);

	return n != 0 && n <= JOB_MAX &&
	    strspn(s,
		"0123456789abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == n;
}

static void
unknown(const struct ipc_req *req)
{
	(void)ipc_reply_job_is(req,
	    &(struct ipc_job_is){ .status = IPC_JOB_UNKNOWN });
}

/* The first search is over. */
static void
next(struct job_search *s)
{
	struct job_notes *jn = &s->m->job_notes;

	jn->searches = s->next;
	jn->n--;
	free(s);
	if (jn->searches != NULL)
		search(jn->searches);
}

static void
found(const struct job_search *s, const struct ipc_job_note_is *a)
{
	(void)ipc_reply_job_is(&s->req,
	    &(struct ipc_job_is){
		.status = IPC_JOB_SUCCEEDED,
		.revision = a->commit,
		.spec = a->spec,
		.result = a->result,
	    });
}

static void
failed(struct job_search *s, const struct fx_err *err)
{
	if (child_comes_back(err) && clk_now_us() < s->until_us) {
		loop_timer_in(s->m->loop, &s->again, AGAIN_US);
		return;
	}
	(void)ipc_reply_fail(&s->req, err);
	next(s);
}

static int
on_note(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct job_search *s = arg;
	struct ipc_job_note_is a;
	int r;

	if (err != NULL) {
		failed(s, err);
		return FX_OK;
	}
	r = ipc_job_note_is_decode(&f->body, &a, &f->fd);
	if (r != FX_OK) {
		(void)ipc_reply_failf(&s->req, FX_ERETRY,
		    "the answer was malformed");
		next(s);
		return r;
	}
	if (a.commit[0] == '\0')
		unknown(&s->req);
	else
		found(s, &a);
	ipc_job_note_is_clear(&a);
	next(s);
	return FX_OK;
}

static void
search(struct job_search *s)
{
	struct ipc_job_note q = { .to = s->m->mirror.head, .job = s->job };
	struct fx_err err = { 0 };

	if (MST_ASK(mst_child(s->m, IPC_R_MANIFEST), job_note, JOB_NOTE, &q,
		SEARCH_LIMIT_US, on_note, s) != NULL)
		return;
	fx_fail(&err, FX_EAGAIN, "too many requests wait already");
	failed(s, &err);
}

static void
on_again(struct loop *l, void *arg)
{
	(void)l;
	search(arg);
}

void
job_notes_ask(struct master *m, const struct ipc_req *req, const char *job)
{
	struct job_notes *jn = &m->job_notes;
	struct job_search **last = &jn->searches, *s;
	struct fx_err err = { 0 };

	if (!is_job(job) || m->mirror.status == MIRROR_UNCONFIGURED) {
		unknown(req);
		return;
	}
	if (mirror_check(m, &err) != FX_OK) {
		(void)ipc_reply_fail(req, &err);
		return;
	}
	if (jn->n > JOB_NOTES_WAITING) {
		(void)ipc_reply_failf(req, FX_EAGAIN,
		    "too many jobs are being looked for");
		return;
	}
	s = xcalloc(1, sizeof(*s));
	*s = (struct job_search){ .m = m,
		.req = *req,
		.until_us = clk_now_us() + AGAIN_MAX_US,
		.again = { .fn = on_again, .arg = s } };
	memcpy(s->job, job, strlen(job));
	while (*last != NULL)
		last = &(*last)->next;
	*last = s;
	if (jn->n++ == 0)
		search(s);
}
