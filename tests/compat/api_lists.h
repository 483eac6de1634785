/*
 * api_lists: what the scripted master says about repository and cluster.
 *
 * What a namespace's name is decides what is "in" it (see api_lists.c).  The
 * state of the repository and of the export is set by a notification whose URL
 * is "state WORD".
 */
#ifndef FX_API_LISTS_H
#define FX_API_LISTS_H

#include "base.h"

#include "ipc_peer.h"

#define LISTS_BIG_PARTS 40 /* of the namespace "big" */
#define LISTS_BIG_EACH 200 /* workloads in each */

struct lists_stream;

struct lists {
	int asked; /* where questions are reported */
	char state[32];
	unsigned questions; /* for the repository, since the state was set */
	struct lists_stream *streams;
};

void lists_init(struct lists *, int asked);
void lists_state(struct lists *, const char *url);
int lists_answer(struct lists *, struct ipc_peer *, struct ipc_frame *);

/* Send what there is credit for. */
void lists_continue(struct lists *);

#endif
