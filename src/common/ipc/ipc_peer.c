/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ipc_peer.h"
#include "ipc_peer_parts.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void
ipc_peer_init(struct ipc_peer *p, int fd, enum ipc_role self, enum ipc_role who,
    uint32_t instance)
{
	memset(p, 0, sizeof(*p));
	p->fd = fd;
	p->self = self;
	p->who = who;
	p->instance = instance;
	p->phase = IPC_PH_START;
	buf_init(&p->in, IPC_MAX_FRAME + 4 + IPC_READ_STEP);
	buf_init(&p->out, IPC_MAX_QUEUE);
}

void
ipc_slim(struct buf *b)
{
	if (buf_left(b) == 0 && b->cap > IPC_READ_STEP)
		buf_wipe(b);
}

void
ipc_peer_handlers(struct ipc_peer *p, const struct ipc_handler *h, size_t n,
    void *ctx)
{
	p->handlers = h;
	p->nhandlers = n;
	p->ctx = ctx;
}

struct ipc_ask *
ipc_find_ask(struct ipc_peer *p, uint64_t seq)
{
	struct ipc_ask *a = p->asks;

	while (a != NULL && a->seq != seq)
		a = a->next;
	return a;
}

void
ipc_drop_ask(struct ipc_peer *p, uint64_t seq)
{
	struct ipc_ask *a;

	for (struct ipc_ask **at = &p->asks; *at != NULL; at = &(*at)->next) {
		if ((*at)->seq != seq)
			continue;
		a = *at;
		*at = a->next;
		free(a);
		p->nasks--;
		return;
	}
}

struct ipc_grant *
ipc_find_grant(const struct ipc_peer *p, uint64_t seq)
{
	struct ipc_grant *g = p->grants;

	while (g != NULL && g->seq != seq)
		g = g->next;
	return g;
}

void
ipc_drop_grant(struct ipc_peer *p, uint64_t seq)
{
	struct ipc_grant *g;

	for (struct ipc_grant **at = &p->grants; *at != NULL;
	     at = &(*at)->next) {
		if ((*at)->seq != seq)
			continue;
		g = *at;
		*at = g->next;
		free(g);
		return;
	}
}

int
ipc_broke(struct ipc_peer *p, int code, const char *fmt, ...)
{
	va_list ap;

	if (p->broken.code == FX_OK) {
		p->broken.code = code;
		va_start(ap, fmt);
		vsnprintf(p->broken.text, sizeof(p->broken.text), fmt, ap);
		va_end(ap);
	}
	return code;
}

uint64_t
ipc_expect(struct ipc_peer *p, uint32_t type, ipc_answer_fn *fn, void *arg)
{
	struct ipc_ask *a = xcalloc(1, sizeof(*a));

	a->seq = ++p->next_seq;
	a->type = type;
	a->credit = IPC_CREDIT_FIRST;
	a->fn = fn;
	a->arg = arg;
	a->next = p->asks;
	p->asks = a;
	p->nasks++;
	return a->seq;
}

void
ipc_peer_close(struct ipc_peer *p)
{
	struct ipc_ask *a;
	struct ipc_grant *g;
	struct ipc_out_fd *o;

	if (p->fd != -1)
		close(p->fd);
	p->fd = -1;
	while ((a = p->asks) != NULL) {
		p->asks = a->next;
		p->nasks--;
		/* nobody is left to blame for what the function says */
		if (a->fn != NULL)
			(void)a->fn(a->arg, NULL);
		free(a);
	}
	while ((g = p->grants) != NULL) {
		p->grants = g->next;
		free(g);
	}
	while ((o = p->fds_out) != NULL) {
		p->fds_out = o->next;
		close(o->fd);
		free(o);
	}
	for (size_t i = 0; i < p->nfds_in; i++)
		close(p->fds_in[i]);
	p->nfds_in = 0;
	buf_wipe(&p->in);
	buf_wipe(&p->out);
}

short
ipc_peer_events(const struct ipc_peer *p)
{
	return (short)(POLLIN | (buf_left(&p->out) != 0 ? POLLOUT : 0));
}
