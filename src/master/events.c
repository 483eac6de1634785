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
	event_list_clear(&ev->commits);
	event_list_clear(&ev->errors);
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

/* ---- what is told ---------------------------------------------------------
 */

static bool
has_service(const struct master *m)
{
	return m->cfg.connect[0] != '\0';
}

/* Without JSON it is told to the log alone. */
static void
tell(struct master *m, const char *text, const char *json)
{
	bool send = has_service(m) && json[0] != '\0';

	log_at(LVL_INFO, KS("component", "daemon"), KS("event", text),
	    KS("logupstream", send ? "true" : "false"));
	if (send)
		spool_add(m, text, json);
}

/* ---- the sync event -------------------------------------------------------
 */

void
events_applying(struct master *m)
{
	event_list_clear(&m->events.errors);
}

void
events_failed(struct master *m, const struct ipc_sync_error *e, size_t n)
{
	for (size_t i = 0; i < n && has_service(m); i++)
		event_add_error(&m->events.errors, e[i].id, e[i].source,
		    e[i].text);
}

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
settle_ids(struct events *ev)
{
	size_t left = 0;

	if (ev->nchanged != 0)
		qsort(ev->changed, ev->nchanged, sizeof(*ev->changed), compare);
	for (size_t i = 0; i < ev->nchanged; i++)
		if (left == 0 ||
		    strcmp(ev->changed[left - 1], ev->changed[i]) != 0)
			ev->changed[left++] = ev->changed[i];
		else
			free(ev->changed[i]);
	ev->nchanged = left;
}

static char *
sync_text(const struct events *ev)
{
	auto_buf struct buf b = BUF_INIT(TEXT_MAX + 2 * IPC_MAX_ID + 256);
	size_t i = 0;

	(void)str_add(&b, "Sync: ");
	if (ev->ncommits > 2)
		(void)str_addf(&b, "%.7s..", ev->oldest);
	(void)str_addf(&b, "%.7s, ", ev->newest);
	if (ev->nchanged == 0)
		(void)str_add(&b, "no workloads changed");
	for (; i < ev->nchanged && buf_left(&b) <= TEXT_MAX; i++)
		(void)str_addf(&b, "%s%s", i == 0 ? "" : ", ", ev->changed[i]);
	if (i < ev->nchanged)
		(void)str_addf(&b, ", and %zu more", ev->nchanged - i);
	return str_take(&b);
}

static void
add_includes(struct event_sync *s, uint64_t includes)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} names[] = {
		{ IPC_INCLUDES_AUTORELEASE, "autorelease" },
		{ IPC_INCLUDES_OTHER, "other" },
		{ IPC_INCLUDES_RELEASE, "release" },
		{ IPC_INCLUDES_POLICY, "update_policy" },
	};
	size_t n = 0;

	for (size_t i = 0; i < nitems(names); i++)
		if ((includes & names[i].bit) != 0)
			s->includes[n++] = names[i].name;
}

static char *
sync_json(const struct master *m, uint64_t includes)
{
	const struct events *ev = &m->events;
	struct event_list ids = EVENT_LIST_INIT(EVENT_IDS_MAX);
	auto_buf struct buf b = BUF_INIT(EVENT_JSON_MAX);
	struct event_sync s = { .ids = &ids,
		.commits = &ev->commits,
		.errors = &ev->errors,
		.initial = ev->from[0] == '\0',
		.started_us = m->sync.started_wall_us };
	size_t left_out;

	for (size_t i = 0; i < ev->nchanged; i++)
		event_add_id(&ids, ev->changed[i]);
	/* on an initial sync somebody else's notes count as none */
	add_includes(&s, s.initial ? includes & IPC_INCLUDES_OTHER : includes);
	event_sync(&b, &s);
	left_out = ids.left_out + ev->commits.left_out + ev->errors.left_out;
	if (left_out != 0)
		log_at(LVL_WARN, KS("component", "upstream"),
		    KS("warning",
			"the event of a sync is too long for its service; "
			"some of it is left out"),
		    KI("ids", ids.left_out),
		    KI("commits", ev->commits.left_out),
		    KI("errors", ev->errors.left_out));
	event_list_clear(&ids);
	return str_take(&b);
}

static void
say_sync(struct master *m, uint64_t includes)
{
	struct events *ev = &m->events;
	auto_free char *text = NULL, *json = NULL;

	if (ev->said_sync)
		return;
	ev->said_sync = true;
	settle_ids(ev);
	text = sync_text(ev);
	if (has_service(m))
		json = sync_json(m, includes);
	tell(m, text, json);
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

/* JSON as our encoder writes it, which the spool can keep in a line. */
static bool
is_one_line(const char *json)
{
	while ((unsigned char)*json >= ' ')
		json++;
	return *json == '\0';
}

static int
on_part(struct master *m, struct ipc_frame *f)
{
	struct events *ev = &m->events;
	struct ipc_event_part part;
	int r = ipc_event_part_decode(&f->body, &part, &f->fd);

	if (r != FX_OK)
		return r;
	say_sync(m, part.includes);
	for (size_t i = 0; i < part.events_len && r == FX_OK; i++) {
		if (ev->from[0] == '\0')
			say_foreign(ev);
		else if (!is_one_line(part.events[i].json))
			r = FX_ESYNTAX;
		else
			tell(m, part.events[i].text, part.events[i].json);
	}
	ipc_event_part_clear(&part);
	return r;
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
	if (f->type == IPC_T_EVENT_PART)
		return on_part(m, f);
	r = ipc_events_end_decode(&f->body, &a, &f->fd);
	if (r != FX_OK)
		return r;
	say_sync(m, a.includes);
	if (ev->from[0] == '\0' && (a.includes & ~IPC_INCLUDES_OTHER) != 0)
		say_foreign(ev);
	end(m, NULL, NULL);
	return FX_OK;
}

static void
ask_events(struct master *m)
{
	struct events *ev = &m->events;
	struct ipc_events q = { .from = ev->from,
		.to = ev->to,
		.started_us = has_service(m) ? m->sync.started_wall_us : 0 };

	if (MST_ASK(mst_child(m, IPC_R_MANIFEST), events, EVENTS, &q,
		NOTES_LIMIT_US, on_events, m) == NULL)
		busy(m, "loading notes from repo");
}

/* ---- commits --------------------------------------------------------------
 */

static void ask_commits(struct master *);

static int
on_commit_part(struct master *m, struct ipc_frame *f)
{
	struct events *ev = &m->events;
	struct ipc_commit_part part;
	int r = ipc_commit_part_decode(&f->body, &part, &f->fd);

	if (r != FX_OK)
		return r;
	for (size_t i = 0; i < part.commits_len; i++) {
		if (ev->ncommits++ == 0)
			set(ev->newest, part.commits[i].oid);
		set(ev->oldest, part.commits[i].oid);
		if (has_service(m))
			event_add_commit(&ev->commits, part.commits[i].oid,
			    part.commits[i].subject);
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
		return on_commit_part(m, f);
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
	event_list_clear(&ev->commits);
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

void
events_init(struct master *m)
{
	buf_init(&m->events.commits.json, EVENT_COMMITS_MAX);
	buf_init(&m->events.errors.json, EVENT_ERRORS_MAX);
}
