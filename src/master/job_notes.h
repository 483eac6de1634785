/*
 * job_notes: jobs that only the repository remembers.
 *
 * A job that has committed left a note on its commit.  One that is not
 * remembered here any more, after a restart with another state directory or
 * after a hundred others, is looked for among the notes of the configured
 * branch.  A search costs the git and manifest workers some work, so there is
 * one at a time and few may wait: whoever asks for jobs that never were does
 * not hold up a sync.
 */
#ifndef FX_JOB_NOTES_H
#define FX_JOB_NOTES_H

#include "base.h"
#include "ipc_peer.h"

struct master;
struct job_search;

#define JOB_NOTES_WAITING 16 /* searches that may wait */

struct job_notes {
	struct job_search *searches; /* the first one is under way */
	size_t n;
};

/* Answer JOB: as succeeded, or as unknown, or with why that is not known. */
void job_notes_ask(struct master *, const struct ipc_req *, const char *job);

#endif
