/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "events.h"

#include "buf.h"
#include "child.h"
#include "log.h"
#include "master.h"
#include "str.h"

#include <stdio.h>

#define COMMITS_LIMIT_US CLK_MIN
#define NOTES_LIMIT_US (2 * CLK_MIN) /* manifest asks git-local for them */
#define COMMITS_MAX 10000	     /* looked at for one event */
#define CHANGED_MAX 10000	     /* ids kept for one event */
#define TEXT_MAX 8000		     /* bytes of the ids in the log */

static void
set(char to[IPC_MAX_OID + 1], const char *oid)
{
	snprintf(to, IPC_MAX_OID + 1, "%s", oid);
}

static void
end(struct master *m, const struct fx_err *err, const char *what)
{
	struct events *ev = &m->events;
	struct fx_err e = { 0 };

	if (err != NULL) {
		e = *err;
		fx_wrap(&e, "%s", what);
		ev->fn(m, &e);
		return;
	}
	set(ev->told, ev->to);
	for (size_t i = 0; i < ev->nchanged; i++)
		free(ev->changed[i]);
	free(fx_steal(&ev->changed));
	ev->nchanged = ev->cap = 0;
	ev->fn(m, NULL);
}

static void
busy(struct master *m, const char *what)
{
	struct fx_err err = { 0 };

	fx_fail(&err, FX_EAGAIN, "too many requests wait already");
	end(m, &err, what);
}

/* ---- the sync event -------------------------------------------------------
 */

void
events_changed(struct master *m, const char *id)
{
	struct events *ev = &m->events;

	if (ev->nchanged == CHANGED_MAX)
		return;
	if (ev->nchanged == ev->cap) {
		ev->cap = ev->cap == 0 ? 16 : 2 * ev->cap;
		ev->changed =
		    xreallocarray(ev->changed, ev->cap, sizeof(*ev->changed));
	}
	ev->changed[ev->nchanged++] = xstrdup(id);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, each once: a pass that had to start over has named some again. */
static void
add_ids(struct events *ev, struct buf *b)
{
	const char *last = NULL;
	size_t left = 0;

	if (ev->nchanged == 0) {
		(void)str_add(b, "no workloads changed");
		return;
	}
	qsort(ev->changed, ev->nchanged, sizeof(*ev->changed), compare);
	for (size_t i = 0; i < ev->nchanged; last = ev->changed[i++]) {
		if (last != NULL && strcmp(last, ev->changed[i]) == 0)
			continue;
		if (buf_left(b) > TEXT_MAX)
			left++;
		else
			(void)str_addf(b, "%s%s", last == NULL ? "" : ", ",
			    ev->changed[i]);
	}
	if (left > 0)
		(void)str_addf(b, ", and %zu more", left);
}

static void
log_event(const char *text)
{
	log_at(LVL_INFO, KS("component", "daemon"), KS("event", text),
	    KS("logupstream", "false"));
}

static void
say_sync(struct events *ev)
{
	auto_buf struct buf b = BUF_INIT(TEXT_MAX + 2 * IPC_MAX_ID + 256);
	auto_free char *text = NULL;

	if (ev->said_sync)
		return;
	ev->said_sync = true;
	(void)str_add(&b, "Sync: ");
	if (ev->ncommits > 2)
		(void)str_addf(&b, "%.7s..", ev->oldest);
	(void)str_addf(&b, "%.7s, ", ev->newest);
	add_ids(ev, &b);
	text = str_take(&b);
	log_event(text);
}

/* ---- events from notes ----------------------------------------------------
 */

/* Nothing was synced yet and somebody's notes are there: their releases are
 * not ours to tell. */
static void
say_foreign(struct events *ev)
{
	if (ev->said_foreign)
		return;
	ev->said_foreign = true;
	log_at(LVL_WARN, KS("component", "daemon"),
	    KS("warning",
		"no notes expected on initial sync; this repo may be in use by "
		"another fluxd"));
}

static int
on_part(struct events *ev, struct ipc_frame *f)
{
	struct ipc_event_part part;
	int r = ipc_event_part_decode(&f->body, &part, &f->fd);

	if (r != FX_OK)
		return r;
	for (size_t i = 0; i < part.events_len; i++) {
		if (ev->from[0] == '\0')
			say_foreign(ev);
		else
			log_event(part.events[i].text);
	}
	ipc_event_part_clear(&part);
	return FX_OK;
}

static int
on_events(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct events *ev = &m->events;
	struct ipc_events_end a;
	int r;

	if (err != NULL) {
		end(m, err, "loading notes from repo");
		return FX_OK;
	}
	say_sync(ev);
	if (f->type == IPC_T_EVENT_PART)
		return on_part(ev, f);
	r = ipc_events_end_decode(&f->body, &a, &f->fd);
	if (r != FX_OK)
		return r;
	if (ev->from[0] == '\0' && (a.includes & ~IPC_INCLUDES_OTHER) != 0)
		say_foreign(ev);
	end(m, NULL, NULL);
	return FX_OK;
}

static void
ask_events(struct master *m)
{
	struct events *ev = &m->events;
	struct ipc_events q = { .from = ev->from, .to = ev->to };

	if (MST_ASK(mst_child(m, IPC_R_MANIFEST), events, EVENTS, &q,
		NOTES_LIMIT_US, on_events, m) == NULL)
		busy(m, "loading notes from repo");
}

/* ---- commits --------------------------------------------------------------
 */

static void ask_commits(struct master *);

static int
on_commit_part(struct events *ev, struct ipc_frame *f)
{
	struct ipc_commit_part part;
	int r = ipc_commit_part_decode(&f->body, &part, &f->fd);

	if (r != FX_OK)
		return r;
	for (size_t i = 0; i < part.commits_len; i++) {
		if (ev->ncommits++ == 0)
			set(ev->newest, part.commits[i].oid);
		set(ev->oldest, part.commits[i].oid);
	}
	ipc_commit_part_clear(&part);
	return FX_OK;
}

/* The marker's commit is not in the repository: of another one, or of a history
 * that was rewritten.  Upstream fails here, and for ever. */
static void
begin_anew(struct master *m)
{
	struct events *ev = &m->events;

	log_at(LVL_WARN, KS("component", "daemon"),
	    KS("warning",
		"the revision synced last is not in the repository; taken as "
		"an initial sync"),
	    KS("revision", ev->from));
	ev->from[0] = '\0';
	ask_commits(m);
}

static int
on_commits(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct events *ev = &m->events;
	struct ipc_commits_end a;
	int r;

	if (err != NULL) {
		if (err->code == FX_EUNKNOWN && ev->from[0] != '\0')
			begin_anew(m);
		else
			end(m, err, "listing commits");
		return FX_OK;
	}
	if (f->type == IPC_T_COMMIT_PART)
		return on_commit_part(ev, f);
	r = ipc_commits_end_decode(&f->body, &a, &f->fd);
	if (r != FX_OK)
		return r;
	if (a.more)
		log_at(LVL_WARN, KS("component", "daemon"),
		    KS("warning",
			"too many commits; the event tells the newest only"),
		    KI("commits", ev->ncommits));
	if (ev->ncommits == 0)
		end(m, NULL, NULL); /* none touches the configured paths */
	else
		ask_events(m);
	return FX_OK;
}

static void
ask_commits(struct master *m)
{
	struct events *ev = &m->events;
	struct ipc_commits q = { .from = ev->from,
		.to = ev->to,
		.max = COMMITS_MAX };

	ev->ncommits = 0;
	if (MST_ASK(mst_child(m, IPC_R_GIT_LOCAL), commits, COMMITS, &q,
		COMMITS_LIMIT_US, on_commits, m) == NULL)
		busy(m, "listing commits");
}

void
events_tell(struct master *m, const char *to, events_fn *fn)
{
	struct events *ev = &m->events;

	ev->fn = fn;
	ev->said_sync = ev->said_foreign = false;
	set(ev->from, ev->told[0] != '\0' ? ev->told : m->marker.revision);
	set(ev->to, to);
	if (strcmp(ev->from, ev->to) == 0)
		end(m, NULL, NULL);
	else
		ask_commits(m);
}
