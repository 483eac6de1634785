/*
 * journal: what was accepted from clients, on disk before it is answered.
 *
 * A ledger of which a line is the state of one job; the last one of an id
 * counts.
 */
#ifndef FX_JOURNAL_H
#define FX_JOURNAL_H

#include "base.h"
#include "ledger.h"

#define JOURNAL_MAX (4 << 20) /* bytes of a file */

/* A job as it is written. */
struct journal_record {
	const char *id;
	unsigned kind;	   /* enum ipc_update_kind */
	unsigned state;	   /* enum ipc_job_status */
	int64_t queued_us; /* wall clock */
	const char *user, *message, *spec, *revision, *error;
};

typedef void journal_fn(void *arg, const struct journal_record *);

/* Each as that of the ledger. */
int journal_open(struct ledger *, int a, int b, journal_fn *, void *arg,
    struct fx_err *) FX_MUSTUSE;
int journal_append(struct ledger *, const struct journal_record *,
    struct fx_err *) FX_MUSTUSE;
int journal_rewrite(struct ledger *,
    bool (*next)(void *arg, struct journal_record *), void *arg,
    struct fx_err *) FX_MUSTUSE;

#endif
