/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ipc_peer.h"
#include "ipc_peer_parts.h"

#include "clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

/* For poll(2): milliseconds, rounded up so that it is over afterwards. */
static int
poll_ms(int64_t deadline_us)
{
	int64_t left = deadline_us - clk_now_us();

	if (deadline_us == CLK_NEVER)
		return -1;
	if (left <= 0)
		return 0;
	left = (left + CLK_MS - 1) / CLK_MS;
	return left < INT_MAX ? (int)left : INT_MAX;
}

/* Move frames in and out once; blocks until something moves, or until then. */
static int
pump(struct ipc_peer *p, int64_t deadline_us)
{
	struct pollfd pfd;
	int r = ipc_peer_write(p);

	if (r != FX_OK)
		return r;
	if (!ipc_peer_pending(p)) {
		pfd = (struct pollfd){ p->fd, ipc_peer_events(p), 0 };
		if (poll(&pfd, 1, poll_ms(deadline_us)) == -1 &&
		    errno != EINTR && errno != ENOMEM)
			return FX_ESYS;
		if ((pfd.revents & (POLLIN | POLLHUP | POLLERR)) == 0)
			return FX_OK;
	}
	r = ipc_peer_read(p, 1);
	return r == FX_OK && p->stopped ? FX_ECANCELLED : r;
}

int
ipc_await_until(struct ipc_peer *p, uint64_t seq, int64_t deadline_us)
{
	int r = FX_OK;

	if (seq == 0)
		return FX_ESHORT;
	p->awaiting = true;
	while (r == FX_OK && ipc_find_ask(p, seq) != NULL) {
		if (deadline_us <= clk_now_us()) {
			ipc_cancel(p, seq);
			r = FX_ETIMEOUT;
		} else {
			r = pump(p, deadline_us);
		}
	}
	p->awaiting = false;
	return r;
}

int
ipc_await(struct ipc_peer *p, uint64_t seq)
{
	return ipc_await_until(p, seq, CLK_NEVER);
}

int
ipc_heed(struct ipc_peer *p)
{
	int r;

	p->awaiting = true;
	do
		r = p->stopped ? FX_ECANCELLED : ipc_peer_read(p, 1);
	while (r == FX_OK && ipc_peer_pending(p));
	p->awaiting = false;
	return r == FX_OK && p->stopped ? FX_ECANCELLED : r;
}

bool
ipc_credit(const struct ipc_req *req)
{
	const struct ipc_grant *g = ipc_find_grant(req->peer, req->seq);

	return g != NULL && !g->cancelled && g->credit > 0;
}

bool
ipc_cancelled(const struct ipc_req *req)
{
	const struct ipc_grant *g = ipc_find_grant(req->peer, req->seq);

	return g == NULL || g->cancelled;
}

int
ipc_await_credit(const struct ipc_req *req)
{
	int r = FX_OK;

	req->peer->awaiting = true;
	while (r == FX_OK && !ipc_credit(req))
		r = ipc_cancelled(req) ? FX_ECANCELLED
				       : pump(req->peer, CLK_NEVER);
	req->peer->awaiting = false;
	return r;
}

void
ipc_grant_parts(struct ipc_peer *p, uint64_t seq, uint32_t n)
{
	struct ipc_ask *a = ipc_find_ask(p, seq);
	struct ipc_credit m = { .parts = n };
	auto_buf struct buf b = BUF_INIT(16);
	int fd = -1;

	if (a == NULL)
		return;
	a->credit += n;
	/* a closed or full channel shows at the next read */
	if (ipc_credit_encode(&b, &m, &fd) == FX_OK)
		(void)ipc_queue(p, IPC_T_CREDIT, seq, 0, &b, -1);
}

void
ipc_cancel(struct ipc_peer *p, uint64_t seq)
{
	struct ipc_ask *a = ipc_find_ask(p, seq);
	struct buf none = BUF_INIT(0);

	if (a == NULL || a->fn == NULL)
		return;
	a->fn = NULL;
	(void)ipc_queue(p, IPC_T_CANCEL, seq, 0, &none, -1);
}
