/*
 * wait: asking the daemon until something is done.
 */
#ifndef CTL_WAIT_H
#define CTL_WAIT_H

#include "api.h"
#include "base.h"

/*
 * When to ask again: after a delay that doubles up to a cap, and never past
 * the deadline.
 */
struct backoff {
	int64_t delay_us;
	int64_t cap_us;
	int64_t deadline_us; /* instant */
};

/* false: the next question would come too late.  Else how long to wait. */
bool backoff_next(struct backoff *, int64_t now_us, int64_t *wait_us);

/* Sleeps. */
void wait_us(int64_t us);

/*
 * Until the job is over.  FX_ETIMEOUT, with the text "timeout"; FX_EFAIL when
 * the job failed, with its error, and *out is filled in all the same.
 */
int wait_for_job(const struct client *, const char *id, struct job *out,
    struct ctl_error *) FX_MUSTUSE;

/* Until the revision is applied; FX_ETIMEOUT as above. */
int wait_for_sync(const struct client *, const char *revision,
    struct ctl_error *) FX_MUSTUSE;

#endif
