/*
 * events: what a pass brought, told as upstream tells it: to the log and, with
 * --connect, to the spool for the service.
 *
 *	commits (git-local) -> events (manifest, from the notes) -> log, spool
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
#include "event.h"
#include "ipc.h"

struct master;

typedef void events_fn(struct master *, const struct fx_err *err);

struct events {
	char told[IPC_MAX_OID + 1]; /* by this process; "": nothing yet */
	char from[IPC_MAX_OID + 1], to[IPC_MAX_OID + 1]; /* being told */
	char newest[IPC_MAX_OID + 1], oldest[IPC_MAX_OID + 1];
	size_t ncommits;
	bool said_sync, said_foreign;	   /* of from..to */
	struct event_list commits, errors; /* for the service of --connect */
	char **changed;			   /* ids since the last told; owned */
	size_t nchanged, cap;
	events_fn *fn;
};

void events_init(struct master *);

/* A pass begins to apply; what of it fails is part of its event. */
void events_applying(struct master *);
void events_failed(struct master *, const struct ipc_sync_error *, size_t n);
/* A resource that a load found new or different. */
void events_changed(struct master *, const char *id);
/* Tell what is new up to a commit; fn may be called at once.  An error means
 * that it is not told, and that the marker must not move. */
void events_tell(struct master *, const char *to, events_fn *);

#endif
