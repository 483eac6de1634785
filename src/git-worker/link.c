/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "link.h"

#include <errno.h>
#include <poll.h>

#include "clock.h"

int
link_failed(struct link *l, const struct fx_err *err)
{
	if (l->err.code == FX_OK)
		l->err = *err;
	return -1;
}

int
link_silent(const struct link *l, struct fx_err *err)
{
	return fx_fail(err, FX_ETIMEOUT,
	    "no answer from %s within the time limit", l->url.host);
}

int
link_heed(struct link *l, struct fx_err *err)
{
	int64_t now = clk_now_us();

	if (now - l->heeded_us < LINK_HEED_US)
		return FX_OK;
	l->heeded_us = now;
	return l->calls.heed(l->calls.arg, err);
}

int
link_check(struct link *l, struct fx_err *err)
{
	if (l->deadline_us <= clk_now_us())
		return fx_fail(err, FX_ETIMEOUT,
		    "not finished within the time limit");
	return link_heed(l, err);
}

int
link_wait(struct link *l, int fd, short events, int64_t deadline_us,
    struct fx_err *err)
{
	struct pollfd p[] = { { fd, events, 0 },
		{ l->calls.channel, POLLIN, 0 } };
	int64_t ms;
	int r;

	if ((r = l->calls.heed(l->calls.arg, err)) != FX_OK)
		return r;
	ms = (deadline_us - clk_now_us() + CLK_MS - 1) / CLK_MS;
	if (ms <= 0)
		return link_silent(l, err);
	if (poll(p, nitems(p), ms < LINK_SLICE_MS ? (int)ms : LINK_SLICE_MS) ==
		-1 &&
	    errno != EINTR)
		return fx_fail(err, FX_ESYS, "poll: %s", strerror(errno));
	return FX_OK;
}
