/*
 * jobs: what clients asked for, in order, and what became of it.
 *
 * Accepted means journalled: the id is answered after the record is on disk.
 * Jobs run one at a time, in order.  Of those that have ended the last
 * JOBS_KEPT are remembered, one entry each, in the order in which they were
 * accepted; at start the journal's unfinished ones are run again.
 */
#ifndef FX_JOBS_H
#define FX_JOBS_H

#include "base.h"
#include "ipc.h"
#include "journal.h"

struct master;

#define JOBS_KEPT 100	      /* that have ended */
#define JOBS_WAITING_MAX 1000 /* accepted and not yet run; more are refused */
#define JOB_ID_LEN 36

struct job {
	char id[JOB_ID_LEN + 1]; /* 16 random bytes, 8-4-4-4-12 hex digits */
	enum ipc_update_kind kind;
	enum ipc_job_status status;
	int64_t queued_us;   /* wall clock */
	int64_t accepted_us; /* by this process; 0: by one before it */
	char *user, *message, *spec, *error; /* owned */
	char revision[IPC_MAX_OID + 1];
	struct job *next; /* younger */
};

struct jobs {
	struct job *oldest, *youngest;
	size_t n, nwaiting;
	struct job *running;
	struct job *cursor; /* of a rewrite of the journal */
	struct ledger journal;
	int64_t started_us;
};

/* Before lock-down: read the journal from these two files (-1: none kept). */
int jobs_open(struct jobs *, int a, int b, struct fx_err *) FX_MUSTUSE;
/* Run what was left unfinished. */
void jobs_resume(struct master *);

/* Accept.  FX_EAGAIN: too many wait; FX_ESYS: cannot be written down. */
int jobs_add(struct master *, const struct ipc_update *, struct job **,
    struct fx_err *) FX_MUSTUSE;
const struct job *jobs_find(const struct jobs *, const char *id);
/* The revision of a job that begins so; or NULL. */
const char *jobs_revision(const struct jobs *, const char *start);

#endif
