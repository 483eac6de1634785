/*
 * journal: what was accepted from clients, on disk before it is answered.
 *
 * Two files, opened before lock-down, of which one is current.  A record is
 * one line: the state of one job, with a checksum; the last one of an id
 * counts.  Appending writes and syncs.  When the current file has grown, the
 * live records are written to the other one under the next generation, synced,
 * and only then does it become current: any instruction may be the last one.
 * Half a line at the end is what a crash leaves, and is cut off; a line within
 * that is damaged is left out and counted.
 */
#ifndef FX_JOURNAL_H
#define FX_JOURNAL_H

#include "base.h"

#define JOURNAL_MAX (4 << 20)	      /* bytes of a file */
#define JOURNAL_COMPACT (256u * 1024) /* bytes after which it is rewritten */

/* A job as it is written. */
struct journal_record {
	const char *id;
	unsigned kind;	   /* enum ipc_update_kind */
	unsigned state;	   /* enum ipc_job_status */
	int64_t queued_us; /* wall clock */
	const char *user, *message, *spec, *revision, *error;
};

struct journal {
	int fds[2]; /* owned; -1: none, nothing is kept */
	int current;
	uint64_t generation;
	int64_t size;	   /* bytes in the current file … */
	int64_t rewritten; /* … and when it began */
	size_t damaged; /* lines that could not be read; a rewrite mends it */
};

typedef void journal_fn(void *arg, const struct journal_record *);

/* Take the two files and give every record of the current one to fn, oldest
 * first.  Before lock-down: it reads. */
int journal_open(struct journal *, int a, int b, journal_fn *, void *arg,
    struct fx_err *) FX_MUSTUSE;

/* On disk when it returns FX_OK, and else not found again. */
int journal_append(struct journal *, const struct journal_record *,
    struct fx_err *) FX_MUSTUSE;

bool journal_is_large(const struct journal *);

/* Rewrite: begin, put each live record, end.  A failure leaves the old file
 * current. */
int journal_rewrite(struct journal *,
    bool (*next)(void *arg, struct journal_record *), void *arg,
    struct fx_err *) FX_MUSTUSE;

#endif
