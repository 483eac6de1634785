/*
 * ledger: lines that are on disk when they are said to be.
 *
 * Two files, opened before lock-down, of which one is current.  Appending
 * writes a line and syncs.  When the current file has grown, the lines that
 * still count are written to the other one under the next generation, synced,
 * and only then does it become current: any instruction may be the last one.
 * Half a line at the end is what a crash leaves, and is cut off; a line within
 * that is damaged is left out and counted.
 *
 * A line is fields between tabs, then a checksum; what they mean is for its
 * owner to say.
 */
#ifndef FX_LEDGER_H
#define FX_LEDGER_H

#include "base.h"
#include "buf.h"

#define LEDGER_FIELDS_MAX 12
#define LEDGER_COMPACT (256 * 1024) /* bytes after which it is rewritten */

struct ledger {
	const char *name; /* for errors; a literal */
	size_t max;	  /* bytes of a file */
	int fds[2];	  /* owned; -1: none, nothing is kept */
	int current;
	uint64_t generation;
	int64_t size;	   /* bytes in the current file … */
	int64_t rewritten; /* … and when it began */
	size_t damaged; /* lines that could not be read; a rewrite mends it */
};

/* The fields of a line, which may be written to; false: it is damaged. */
typedef bool ledger_fn(void *arg, char *fields[], size_t n);

/* Take the two files and give every line of the current one to fn, oldest
 * first.  Before lock-down: it reads. */
int ledger_open(struct ledger *, const char *name, size_t max, int a, int b,
    ledger_fn *, void *arg, struct fx_err *) FX_MUSTUSE;

/* Append the checksum to the line that began `start` bytes into the buf.
 * FX_ELIMIT: it does not fit. */
int ledger_end_line(struct buf *, size_t start) FX_MUSTUSE;

/* On disk when it returns FX_OK, and else not found again. */
int ledger_append(struct ledger *, const struct buf *line,
    struct fx_err *) FX_MUSTUSE;

bool ledger_is_large(const struct ledger *);

/* These lines are all that still counts.  A failure leaves the old file
 * current. */
int ledger_rewrite(struct ledger *, const struct buf *lines,
    struct fx_err *) FX_MUSTUSE;

#endif
