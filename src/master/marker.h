/*
 * marker: the revision synced last, kept where the next start finds it.
 *
 * One of two stores behind one interface: a tag of the repository, which every
 * fetch brings, or an annotation of a Secret, which is read when a revision is
 * about to be synced.  With --git-readonly it is always the Secret.
 */
#ifndef FX_MARKER_H
#define FX_MARKER_H

#include "base.h"
#include "ipc.h"

struct master;

/* The end of reading or moving; err is NULL when it worked. */
typedef void marker_fn(struct master *, const struct fx_err *err);

struct marker {
	char revision[IPC_MAX_OID + 1]; /* as the store had it; "": none */
	char recorded[IPC_MAX_OID + 1]; /* where this process left it */
	char target[IPC_MAX_OID + 1];	/* where it is being moved to */
	char where[IPC_MAX_REF + 8];	/* for the log: "tag flux-sync" */
	bool in_secret;
	bool known;    /* the store was read */
	bool warned;   /* of somebody else who moves it; once is enough */
	marker_fn *fn; /* waits */
};

void marker_init(struct master *);
/* A fetch has brought the tag. */
void marker_fetched(struct master *, const char *revision);
/* Know what the store has, before `target` is synced.  One that this process
 * has recorded already needs no look. */
void marker_read(struct master *, const char *target, marker_fn *);
/* Nothing is written where the marker is there already: upstream pushes a new
 * tag at every start, which sets off pipelines for nothing. */
void marker_move(struct master *, const char *target, marker_fn *);

#endif
