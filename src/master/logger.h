/*
 * logger: the daemon's log; only the master writes it.
 *
 * Records are formatted at once and kept in a bounded ring until the
 * descriptor takes them; writing never blocks, and what does not fit is dropped
 * and counted.  A worker's record is tagged with the worker it came from by the
 * channel, limited in rate, and escaped like everything else.
 */
#ifndef FX_LOGGER_H
#define FX_LOGGER_H

#include "base.h"
#include "buf.h"
#include "child.h"
#include "log.h"

#define LOGGER_RING_MAX (1u << 20) /* bytes that may wait */

struct logger {
	int fd; /* where records go; owned unless it is standard error */
	bool json;
	enum log_level level;
	struct buf ring; /* whole records, oldest first */
	struct loop *loop;
	struct loop_source *source; /* while something waits */
	uint64_t dropped;
};

/* Before the loop exists records are written directly. */
void logger_init(struct logger *, int fd, bool json, enum log_level);
void logger_attach(struct logger *, struct loop *);
/* Take over another descriptor (SIGHUP). */
void logger_reopen(struct logger *, int fd);
/* Write what waits, for at most max_us. */
void logger_flush(struct logger *, int64_t max_us);

/* A worker's record; who it is from is added.  FX_EDENIED: a key that no worker
 * uses. */
int logger_from_child(struct logger *, struct child *,
    const struct ipc_log *) FX_MUSTUSE;

#endif
