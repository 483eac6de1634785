/*
 * sync: the flow that makes the cluster equal to a commit.
 *
 *	marker -> load (manifest) -> apply (sync) -> events -> marker
 *
 * Asked for when the head differs from the one synced, when --sync-interval
 * has passed, when sync was restarted, or when a repair could not be done.
 * Requests coalesce to the newest head; a running pass finishes first.  What
 * became of a resource does not fail a pass; what does is tried again, soon or
 * later by the class of the error (sync.c), or waits for the next reason.
 */
#ifndef FX_SYNC_H
#define FX_SYNC_H

#include "base.h"
#include "buf.h"
#include "ipc.h"
#include "loop.h"

struct master;

enum sync_phase {
	SYNC_IDLE,
	SYNC_READING, /* the marker */
	SYNC_LOADING,
	SYNC_APPLYING,
	SYNC_TELLING, /* events */
	SYNC_MOVING,  /* the marker */
};

struct sync_flow {
	enum sync_phase phase;
	bool wanted;
	char head[IPC_MAX_OID + 1];   /* newest seen */
	char target[IPC_MAX_OID + 1]; /* of the running pass */
	char shown[IPC_MAX_OID + 1];  /* revision in the metrics */
	char loaded[IPC_MAX_OID + 1]; /* what set is of */
	uint64_t set;
	uint32_t loaded_by; /* incarnation of manifest that has the set */
	bool incomplete;
	size_t nbad; /* files left out of the load */
	int64_t started_us, started_wall_us;
	struct ipc_applied applied;
	struct buf errors; /* "id: text; id: text" for the log, bounded */
	struct buf files;  /* where these are from: "file; file" */
	char *bad;	   /* the same, of the last load that left out files */
	struct fx_err refused; /* why the target cannot be loaded; FX_OK: it
				  can, or that is not known yet */
	struct fx_err unread;  /* why the marker could not be read */
	bool retrying;	       /* the timer of retry runs */
	int64_t backoff_us;    /* of retry; 0: the last pass was well */
	struct loop_timer interval; /* --sync-interval since the last end */
	struct loop_timer retry;    /* … since a pass that failed */
};

void sync_init(struct master *);
/* The mirror has this head. */
void sync_head_is(struct master *, const char *head);
void sync_request(struct master *);
/* Somebody wants the head synced; a pass that runs will do. */
void sync_unless_running(struct master *);
/* Does the flow use the cluster right now? */
bool sync_uses_cluster(const struct master *);
/* The apply lane became free. */
void sync_lane_is_free(struct master *);
/* Manifest was started anew: it has no set any more. */
void sync_lost_set(struct master *);
/* The set that manifest has of the newest head, or of whatever it loaded last;
 * 0: none. */
uint64_t sync_set_of_head(struct master *);
uint64_t sync_set_of_any(struct master *);
/* Why the newest head will not be loaded as it is; NULL: it may be. */
const struct fx_err *sync_refusal(const struct master *);
/* Will this revision never be synced as it is?  Then err says why. */
bool sync_is_refused(const struct master *, const char *revision,
    struct fx_err *err);

#endif
