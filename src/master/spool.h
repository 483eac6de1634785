/*
 * spool: events that wait until the service of --connect has taken them.
 *
 * An event that was added is on disk, so that the marker may move: a service
 * that is down holds up nothing, and nothing is lost when fluxd ends, at any
 * instruction; the service may be told twice.  It is told in order.  The spool
 * has bounds: beyond them the oldest goes, counted and logged.  Where the disk
 * takes nothing more, events wait in memory alone, and the log says so.
 *
 * fluxd-upstream asks for the next event and says with that what became of the
 * one before.
 */
#ifndef FX_SPOOL_H
#define FX_SPOOL_H

#include "base.h"
#include "child.h"
#include "event.h"
#include "ipc_peer.h"
#include "ledger.h"

#define SPOOL_EVENTS_MAX 1000
#define SPOOL_BYTES_MAX (4u << 20) /* of their JSON */
#define SPOOL_TEXT_MAX 256	   /* bytes of a text for people */

struct spool_event {
	uint64_t number;
	char *text, *json; /* owned */
	struct spool_event *next;
};

struct spool {
	struct spool_event *oldest, **tail;
	size_t n, bytes;
	uint64_t last; /* number given */
	struct ledger ledger;
	struct ipc_req asker; /* who waits for an event; peer NULL: nobody */
};

/* Before lock-down: read what waits from these two files. */
int spool_open(struct spool *, int a, int b, struct fx_err *) FX_MUSTUSE;
/* Metrics and log of what was found. */
void spool_resume(struct master *);

/* The JSON is one line; text is the event for people. */
void spool_add(struct master *, const char *text, const char *json);

/* fluxd-upstream has ended. */
void spool_lost_asker(struct master *);

/* Handler of EVENT_NEXT. */
int
spool_on_next(struct child *, const struct ipc_req *, struct ipc_event_next *);

#endif
