/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "log.h"
#include "note.h"

#define MAX_COMMITS 1000 /* looked at for notes, as for the event of a sync */

_Static_assert(NOTE_MAX <= IPC_MAX_NOTE, "a note that is read fits a frame");
_Static_assert(NOTE_TEXT_MAX <= IPC_MAX_TEXT, "and its text, too");

/* What the notes tell, gathered before it is sent: sending waits for credit,
 * and that must not happen while another answer is read. */
struct gather {
	struct ipc_event *v; /* owned, with their texts */
	size_t n;
	uint64_t notes;
	uint64_t includes;
};

static void
add_event(struct gather *g, enum ipc_event_kind kind, const char *commit,
    char *text)
{
	if ((g->n & (g->n - 1)) == 0) /* grows at powers of two */
		g->v = xreallocarray(g->v, g->n == 0 ? 1 : g->n * 2,
		    sizeof(*g->v));
	g->v[g->n++] = (struct ipc_event){
		.kind = kind,
		.commit = xstrdup(commit),
		.text = text,
	};
}

static void
add_note(struct gather *g, const char *commit, const struct note *n)
{
	switch (n->type) {
	case NOTE_RELEASE:
		g->includes |= IPC_INCLUDES_RELEASE;
		add_event(g, IPC_EVENT_RELEASE, commit, note_event_text(n));
		break;
	case NOTE_AUTO:
		g->includes |= IPC_INCLUDES_AUTORELEASE;
		add_event(g, IPC_EVENT_AUTORELEASE, commit, note_event_text(n));
		break;
	case NOTE_POLICY:
		g->includes |= IPC_INCLUDES_POLICY;
		break;
	case NOTE_OTHER:
		g->includes |= IPC_INCLUDES_OTHER;
		break;
	}
}

/* Whoever can push can write notes: one that cannot be read is reported and
 * counts as none.  Upstream does not move the marker until it is gone. */
static int
on_note(void *arg, const struct ipc_note *m, struct fx_err *err)
{
	struct gather *g = arg;
	struct note note;
	struct fx_err why = { 0 };

	(void)err;
	g->notes++;
	if (note_parse(m->text.p, m->text.n, &note, &why) == FX_OK) {
		add_note(g, m->commit, &note);
		note_clear(&note);
	} else {
		g->includes |= IPC_INCLUDES_OTHER;
		log_at(LVL_WARN, KS("component", "daemon"),
		    KS("warning", "ignoring a note that cannot be read"),
		    KS("revision", m->commit), KS("err", why.text));
	}
	return FX_OK;
}

static int
send_events(const struct ipc_req *req, struct gather *g)
{
	size_t from = 0, bytes = 0;
	int r = FX_OK;

	for (size_t i = 0; i < g->n && r == FX_OK; i++) {
		bytes +=
		    strlen(g->v[i].commit) + strlen(g->v[i].text) + ROW_COST;
		if (i + 1 < g->n && bytes < IPC_PART_TARGET &&
		    i + 1 - from < IPC_MAX_LIST)
			continue;
		if ((r = ipc_await_credit(req)) == FX_OK)
			r = ipc_reply_event_part(req,
			    &(struct ipc_event_part){ .events = g->v + from,
				.events_len = i + 1 - from });
		from = i + 1;
		bytes = 0;
	}
	return r;
}

static void
gather_clear(struct gather *g)
{
	for (size_t i = 0; i < g->n; i++) {
		free(g->v[i].commit);
		free(g->v[i].text);
	}
	free(g->v);
}

int
mw_on_events(struct mw *mw, const struct ipc_req *req, struct ipc_events *m)
{
	struct gather g = { 0 };
	struct fx_err err = { 0 };
	uint64_t commits = 0;
	int r = mw_ask_notes(mw, m->from, m->to, MAX_COMMITS, on_note, &g,
	    &commits, &err);

	if (r == FX_OK && (r = send_events(req, &g)) != FX_OK)
		mw_stream_ended(&err, r);
	gather_clear(&g);
	if (r != FX_OK)
		return ipc_reply_fail(req, &err);
	if (commits > g.notes) /* some have none */
		g.includes |= IPC_INCLUDES_OTHER;
	return ipc_reply_events_end(req,
	    &(struct ipc_events_end){ .includes = g.includes });
}
