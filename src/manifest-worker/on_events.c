/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "log.h"
#include "note.h"

#define MAX_COMMITS 1000 /* looked at for notes, as for the event of a sync */

_Static_assert(NOTE_MAX <= IPC_MAX_NOTE, "a note that is read fits a frame");
_Static_assert(NOTE_TEXT_MAX <= IPC_MAX_TEXT, "and its text, too");
_Static_assert(NOTE_EVENT_MAX <= IPC_MAX_EVENT, "and its event");
_Static_assert(IPC_PART_TARGET + ROW_COST <= IPC_MAX_FRAME &&
	IPC_MAX_EVENT + IPC_MAX_TEXT + IPC_MAX_OID + 2 * ROW_COST <=
	    IPC_MAX_FRAME,
    "an event fits a frame, and so do several up to the target");

/* Kept while a list of commits is gone through; whoever writes more into notes
 * has the rest told without JSON, that is: in the log only. */
#define JSON_MAX (4u << 20)

/* What the notes tell, gathered before it is sent: sending waits for credit,
 * and that must not happen while another answer is read. */
struct gather {
	struct ipc_event *v; /* owned, with their texts */
	size_t n;
	uint64_t notes;
	uint64_t includes;
	int64_t started_us; /* 0: nobody wants JSON */
	size_t json;	    /* bytes of it */
};

/* For the service; empty if there is none, or if this one is too long. */
static char *
event_json(struct gather *g, const char *commit, const struct note *n)
{
	bool cut = false;
	char *json;

	if (g->started_us == 0)
		return xstrdup("");
	json = note_event_json(n, commit, g->started_us, clk_wall_us(), &cut);
	if (json != NULL && g->json + strlen(json) > JSON_MAX)
		free(fx_steal(&json));
	if (json == NULL || cut)
		log_at(LVL_WARN, KS("component", "upstream"),
		    KS("warning",
			json == NULL
			    ? "an event is too long; it is not sent"
			    : "an event is too long; it is sent without its "
			      "result"),
		    KS("revision", commit));
	if (json == NULL)
		return xstrdup("");
	g->json += strlen(json);
	return json;
}

static void
add_event(struct gather *g, enum ipc_event_kind kind, const char *commit,
    const struct note *n)
{
	if ((g->n & (g->n - 1)) == 0) /* grows at powers of two */
		g->v = xreallocarray(g->v, g->n == 0 ? 1 : g->n * 2,
		    sizeof(*g->v));
	g->v[g->n++] = (struct ipc_event){
		.kind = kind,
		.commit = xstrdup(commit),
		.text = note_event_text(n),
		.json = event_json(g, commit, n),
	};
}

static void
add_note(struct gather *g, const char *commit, const struct note *n)
{
	switch (n->type) {
	case NOTE_RELEASE:
		g->includes |= IPC_INCLUDES_RELEASE;
		add_event(g, IPC_EVENT_RELEASE, commit, n);
		break;
	case NOTE_AUTO:
		g->includes |= IPC_INCLUDES_AUTORELEASE;
		add_event(g, IPC_EVENT_AUTORELEASE, commit, n);
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

static size_t
row_size(const struct ipc_event *e)
{
	return strlen(e->commit) + strlen(e->text) + strlen(e->json) + ROW_COST;
}

static int
send_events(const struct ipc_req *req, struct gather *g)
{
	size_t from = 0, n = 0, bytes, next;
	int r = FX_OK;

	for (; from < g->n && r == FX_OK; from += n) {
		bytes = row_size(&g->v[from]);
		for (n = 1; from + n < g->n && n < IPC_MAX_LIST; n++) {
			next = row_size(&g->v[from + n]);
			if (bytes + next > IPC_PART_TARGET)
				break;
			bytes += next;
		}
		if ((r = ipc_await_credit(req)) == FX_OK)
			r = ipc_reply_event_part(req,
			    &(struct ipc_event_part){ .includes = g->includes,
				.events = g->v + from,
				.events_len = n });
	}
	return r;
}

static void
gather_clear(struct gather *g)
{
	for (size_t i = 0; i < g->n; i++) {
		free(g->v[i].commit);
		free(g->v[i].text);
		free(g->v[i].json);
	}
	free(g->v);
}

int
mw_on_events(struct mw *mw, const struct ipc_req *req, struct ipc_events *m)
{
	struct gather g = { .started_us = m->started_us };
	struct fx_err err = { 0 };
	uint64_t commits = 0;
	int r = mw_ask_notes(mw, m->from, m->to, MAX_COMMITS, on_note, &g,
	    &commits, &err);

	if (commits > g.notes) /* some have none */
		g.includes |= IPC_INCLUDES_OTHER;
	if (r == FX_OK && (r = send_events(req, &g)) != FX_OK)
		mw_stream_ended(&err, r);
	gather_clear(&g);
	if (r != FX_OK)
		return ipc_reply_fail(req, &err);
	return ipc_reply_events_end(req,
	    &(struct ipc_events_end){ .includes = g.includes });
}
