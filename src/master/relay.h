/*
 * relay: frames that one worker sends for another, through the master.
 *
 * A worker's ASK for another role is checked against its row (done by the
 * peer), against what this very worker may have (a connection only to its
 * pinned endpoint), and put to the right instance with a new sequence; parts,
 * credit and the final answer travel back the same way.  Nothing in the frame
 * says where it goes: the channel does.  When either end dies, the other is
 * told or the question is cancelled.
 */
#ifndef FX_RELAY_H
#define FX_RELAY_H

#include "base.h"
#include "child.h"

/* The ipc_peer's relay function; ctx is the child the frame came from. */
int relay_frame(void *ctx, struct ipc_peer *, struct ipc_frame *);

/* The child's channel is gone: cancel what it asked of others. */
void relay_forget(struct child *);

#endif
