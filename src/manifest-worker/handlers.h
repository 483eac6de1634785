/*
 * handlers: what fluxd-manifest answers, and what it asks others for.
 */
#ifndef FX_MW_HANDLERS_H
#define FX_MW_HANDLERS_H

#include "base.h"
#include "set.h"
#include "tree.h"
#include "worker.h"

/* Encoded size of a row beside its strings; generous. */
#define ROW_COST 64

struct mw {
	struct worker *worker; /* not owned */
	struct tree tree;
	char *commit; /* owned; whose files the tree has; "" if none */
	bool loaded;  /* the set is what the tree says */
	struct set set;
};

/* After lock-down: the settings. */
void mw_open(struct mw *, struct worker *);
void mw_close(struct mw *);

/* ---- questions to others; each waits for its answer ---------------------- */

/* Bring the tree to a commit.  *changed: it has other files than before. */
int mw_ask_tree(struct mw *, const char *commit, bool *changed,
    struct fx_err *) FX_MUSTUSE;

/* The content of a blob; `at` is its place in the list that was asked for.
 * Called while the channel is being read: it must not send.  Anything but
 * FX_OK cancels the rest and is returned. */
typedef int
mw_blob_fn(void *arg, size_t at, const void *, size_t n, struct fx_err *);

/* At most IPC_MAX_LIST blobs, none of them larger than `max` bytes. */
int mw_ask_blobs(struct mw *, struct ipc_oid *oids, size_t n, size_t max,
    mw_blob_fn *, void *arg, struct fx_err *) FX_MUSTUSE;

/* A note; the same rules. */
typedef int mw_note_fn(void *arg, const struct ipc_note *, struct fx_err *);

/* The notes of the commits after `from` (empty: all) up to `to`, oldest first,
 * of at most `max` commits.  *commits: how many were looked at. */
int mw_ask_notes(struct mw *, const char *from, const char *to, uint64_t max,
    mw_note_fn *, void *arg, uint64_t *commits, struct fx_err *) FX_MUSTUSE;

/* The scopes of the set's kinds: with them it is committed. */
int mw_ask_scopes(struct mw *, struct fx_err *) FX_MUSTUSE;

/* ---- answers to others ----------------------------------------------------
 */

int mw_on_load(struct mw *, const struct ipc_req *, struct ipc_load *);
int mw_on_set(struct mw *, const struct ipc_req *, struct ipc_set *);
int mw_on_bodies(struct mw *, const struct ipc_req *, struct ipc_bodies *);
int mw_on_events(struct mw *, const struct ipc_req *, struct ipc_events *);
int mw_on_declared(struct mw *, const struct ipc_req *, struct ipc_declared *);
int mw_on_job_note(struct mw *, const struct ipc_req *, struct ipc_job_note *);

/* Why a stream could not be sent to its end; FX_OK if it could. */
int mw_stream_ended(struct fx_err *, int code);

extern const struct ipc_handler mw_handlers[];
extern const size_t mw_nhandlers;

extern const struct sandbox mw_sandbox;

#endif
