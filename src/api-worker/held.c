/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "held.h"

void
held_begin(struct held *h, struct ipc_peer *peer, uint64_t seq)
{
	h->peer = peer;
	h->seq = seq;
	/* for the peer it is passed on, to a client */
	if (seq != 0)
		ipc_find_ask(peer, seq)->relayed = true;
}

int
held_keep(struct held *h, const struct ipc_frame *f)
{
	struct buf *b = &h->parts[h->n];
	bool has_fd;
	int r = ipc_walk(f->type, &f->body, &has_fd);

	if (r != FX_OK)
		return r;
	if (h->n == nitems(h->parts))
		fx_bug("more parts than credit");
	buf_init(b, IPC_MAX_FRAME);
	if (buf_put(b, buf_head(&f->body), buf_left(&f->body)) != FX_OK)
		return FX_ELIMIT;
	h->n++;
	return FX_OK;
}

bool
held_take(struct held *h, struct buf *out)
{
	if (h->n == 0)
		return false;
	*out = h->parts[0];
	h->n--;
	memmove(h->parts, h->parts + 1, h->n * sizeof(h->parts[0]));
	if (h->seq != 0)
		ipc_grant_parts(h->peer, h->seq, 1);
	return true;
}

void
held_clear(struct held *h)
{
	if (h->seq != 0)
		ipc_cancel(h->peer, h->seq);
	for (size_t i = 0; i < h->n; i++)
		buf_clear(&h->parts[i]);
	*h = (struct held){ 0 };
}
