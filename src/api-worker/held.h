/*
 * held: a streamed answer that comes as fast as a client takes it.
 *
 * Parts are kept as they came, IPC_CREDIT_FIRST of them at most, and the
 * sender has credit for another when one of them is taken out.
 */
#ifndef FX_API_HELD_H
#define FX_API_HELD_H

#include "base.h"
#include "buf.h"
#include "ipc_peer.h"

struct held {
	struct ipc_peer *peer;
	uint64_t seq; /* of the question; 0: not asked, or all is here */
	struct buf parts[IPC_CREDIT_FIRST]; /* owned, oldest first */
	size_t n;
};

/* A question was sent with this sequence. */
void held_begin(struct held *, struct ipc_peer *, uint64_t seq);

/* Keep a part; in the function that gets the answer.  FX_ESYNTAX: it does not
 * decode. */
int held_keep(struct held *, const struct ipc_frame *) FX_MUSTUSE;

/* The oldest part, which becomes the caller's; false: none is here. */
bool held_take(struct held *, struct buf *out);

/* Give all of it back; what would still come is no longer wanted. */
void held_clear(struct held *);

#endif
