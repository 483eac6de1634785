/*
 * events: what a pass brought, told to the log as upstream tells it.
 *
 *	commits (git-local) -> events (manifest, from the notes) -> the log
 *
 * First one "Sync: …" for the commits since the last one told, then a line for
 * each release that a note of these commits records, oldest first.  Told means
 * told at least once: the marker moves only afterwards, so whatever a process
 * did not live to tell, the next one does; and what this process has told it
 * does not repeat when moving the marker takes another try.
 */
#ifndef FX_EVENTS_H
#define FX_EVENTS_H

#include "base.h"
#include "ipc.h"

struct master;

typedef void events_fn(struct master *, const struct fx_err *err);

struct events {
	char told[IPC_MAX_OID + 1]; /* by this process; "": nothing yet */
	char from[IPC_MAX_OID + 1], to[IPC_MAX_OID + 1]; /* being told */
	char newest[IPC_MAX_OID + 1], oldest[IPC_MAX_OID + 1];
	size_t ncommits;
	bool said_sync, said_foreign; /* of from..to */
	char **changed;		      /* ids since the last told; owned */
	size_t nchanged, cap;
	events_fn *fn;
};

/* A resource that a load found new or different. */
void events_changed(struct master *, const char *id);
/* Tell what is new up to a commit; fn may be called at once.  An error means
 * that it is not told, and that the marker must not move. */
void events_tell(struct master *, const char *to, events_fn *);

#endif
