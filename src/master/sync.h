/*
 * sync: the flow that makes the cluster equal to a commit.
 *
 *	load (manifest) -> apply (sync) -> commits (git-local) -> tag
 *	(git-local) -> push (git-remote)
 *
 * Asked for when the head differs from the one synced, when --sync-interval
 * has passed, when sync was restarted, or when a repair could not be done.
 * Requests coalesce to the newest head; a running pass finishes first.  A pass
 * that failed because a worker died starts over at once, any other failure
 * waits for the next reason.
 */
#ifndef FX_SYNC_H
#define FX_SYNC_H

#include "base.h"
#include "buf.h"
#include "ipc.h"
#include "loop.h"

struct master;
struct child_call;

enum sync_phase {
	SYNC_IDLE,
	SYNC_LOADING,
	SYNC_APPLYING,
	SYNC_LISTING, /* commits for the event */
	SYNC_TAGGING,
	SYNC_PUSHING,
};

struct sync_flow {
	enum sync_phase phase;
	bool wanted;
	char head[IPC_MAX_OID + 1];	/* newest seen */
	char target[IPC_MAX_OID + 1];	/* of the running pass */
	char recorded[IPC_MAX_OID + 1]; /* where this process left the marker */
	struct child_call *call;
	uint64_t set;
	uint32_t loaded_by; /* incarnation of manifest that loaded last */
	bool incomplete;
	int64_t started_us;
	struct ipc_applied applied;
	struct buf errors;  /* "id: text; id: text" for the log, bounded */
	struct buf changed; /* "id, id" for the event, bounded */
	size_t nchanged;
	size_t ncommits;
	char newest[IPC_MAX_OID + 1], oldest[IPC_MAX_OID + 1];
	bool warned_external, warned_marker;
	int64_t backoff_us;	    /* of retry; 0: the last pass was well */
	struct loop_timer interval; /* --sync-interval since the last end */
	struct loop_timer retry;    /* … since a pass that failed */
};

void sync_init(struct master *);
/* The mirror has this head. */
void sync_head_is(struct master *, const char *head);
void sync_request(struct master *);
/* Does the flow use the cluster right now? */
bool sync_uses_cluster(const struct master *);
/* The apply lane became free. */
void sync_lane_is_free(struct master *);
/* The revision recorded as synced, for clients; "" if none. */
const char *sync_recorded(const struct master *);

#endif
