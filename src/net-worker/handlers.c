/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "dial.h"
#include "log.h"

#define HOST_CHARS                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:"

struct request {
	struct nw_state *state;
	struct ipc_req req; /* whom to answer */
	struct dial *dial;
};

/* The master starts a worker that ended anew, and that takes a millisecond. */
static void
on_end(struct loop *loop, void *arg)
{
	struct nw_state *s = arg;

	(void)loop;
	exit(ipc_peer_write(&s->worker->master) == FX_OK ? 0 : 1);
}

void
nw_open(struct nw_state *s, struct worker *w)
{
	s->worker = w;
	s->end = (struct loop_timer){ .fn = on_end, .arg = s };
	s->conf.path = "/etc/resolv.conf";
	s->hosts.path = "/etc/hosts";
	resolve_file_look(&s->conf);
	resolve_file_look(&s->hosts);
}

static void
end_when_idle(struct nw_state *s)
{
	if (s->stale && s->dials == 0)
		loop_timer_in(s->worker->loop, &s->end, 0);
}

static void
on_dialled(void *arg, int fd, const char *address, const struct fx_err *err)
{
	struct request *q = arg;
	struct ipc_connected m = {
		.address = (char *)(uintptr_t)address,
		.fd = fd, /* the channel's from now on */
	};

	/* if nobody waits any more, the answer is dropped on its way */
	if (fd != -1)
		(void)ipc_reply_connected(&q->req, &m);
	else
		(void)ipc_reply_fail(&q->req, err);
	q->state->dials--;
	end_when_idle(q->state);
	dial_free(&q->dial);
	free(q);
}

static int
nw_on_connect(struct nw_state *s, const struct ipc_req *req,
    struct ipc_connect *m)
{
	uint64_t ms = m->timeout_ms;
	struct request *q;

	if (m->host[0] == '\0' ||
	    m->host[strspn(m->host, HOST_CHARS)] != '\0' || m->port == 0 ||
	    m->port > 65535)
		return ipc_reply_failf(req, FX_ESYNTAX,
		    "connect: not a host and a port");
	if (!s->stale &&
	    (resolve_file_replaced(&s->conf) ||
		resolve_file_replaced(&s->hosts))) {
		log_at(LVL_INFO,
		    KS("msg",
			"resolver configuration replaced, starting anew"));
		s->stale = true;
	}
	if (s->stale) {
		end_when_idle(s);
		return ipc_reply_failf(req, FX_ERETRY,
		    "connect to %s: the resolver's configuration was replaced",
		    m->host);
	}
	if (s->dials == NW_MAX_DIALS)
		return ipc_reply_failf(req, FX_ELIMIT,
		    "connect to %s: %d connections are being made already",
		    m->host, NW_MAX_DIALS);
	if (ms > NW_MAX_TIMEOUT_MS)
		ms = NW_MAX_TIMEOUT_MS;
	q = xcalloc(1, sizeof(*q));
	q->state = s;
	q->req = *req;
	q->dial = dial_new(s->worker->loop, m->host, (unsigned)m->port,
	    (int64_t)ms * CLK_MS, NULL, on_dialled, q);
	s->dials++;
	return FX_OK;
}
IPC_HANDLER(connect, nw_on_connect, struct nw_state)

const struct ipc_handler nw_handlers[] = {
	{ IPC_T_CONNECT, nw_on_connect_frame },
};
const size_t nw_nhandlers = nitems(nw_handlers);
