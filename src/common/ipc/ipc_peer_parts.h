/*
 * ipc_peer_parts: what the files of a peer share, and nobody else needs.
 *
 * ipc_peer.c has its life and the lists of what is asked on either side,
 * ipc_send.c what goes out, ipc_receive.c what comes in and how it is judged,
 * ipc_wait.c the waiting of those that work inside library calls.
 */
#ifndef FX_IPC_PEER_PARTS_H
#define FX_IPC_PEER_PARTS_H

#include "ipc_peer.h"

#include <sys/socket.h>

#define IPC_READ_STEP 65536  /* bytes asked of the socket at once */
#define IPC_ENVELOPE_ITEMS 3 /* type, sequence, part */

/* A descriptor that waits until its frame is sent. */
struct ipc_out_fd {
	uint64_t at; /* stream offset of the first byte of its frame */
	int fd;	     /* owned */
	struct ipc_out_fd *next;
};

union ipc_fd_control {
	char bytes[CMSG_SPACE(IPC_MAX_FDS * sizeof(int))];
	struct cmsghdr align;
};

/* The channel cannot be used any more; the first reason is kept.  Returns the
 * code. */
int
ipc_broke(struct ipc_peer *, int code, const char *fmt, ...) FX_PRINTF(3, 4);

/* A buffer that has grown for bulk and is empty keeps nothing. */
void ipc_slim(struct buf *);

/* The ASK of theirs with this sequence, or NULL. */
struct ipc_grant *ipc_find_grant(const struct ipc_peer *, uint64_t seq);

/* Forget an ASK, of theirs or of ours; nothing if there is none. */
void ipc_drop_grant(struct ipc_peer *, uint64_t seq);
void ipc_drop_ask(struct ipc_peer *, uint64_t seq);

#endif
