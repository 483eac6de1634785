/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ipc_peer.h"
#include "ipc_peer_parts.h"
#include "ipc_wire.h"

#include <endian.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Keep received descriptors; false when there are more than anybody may send.
 */
static bool
collect_fds(struct ipc_peer *p, struct msghdr *msg)
{
	bool ok = (msg->msg_flags & MSG_CTRUNC) == 0;
	size_t n;
	int fd;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (p->nfds_in < IPC_MAX_FDS) {
				p->fds_in[p->nfds_in++] = fd;
			} else {
				close(fd);
				ok = false;
			}
		}
	}
	return ok;
}

static int
receive(struct ipc_peer *p)
{
	uint8_t *to = buf_reserve(&p->in, IPC_READ_STEP);
	struct iovec iov = { to, IPC_READ_STEP };
	union ipc_fd_control control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (to == NULL)
		return FX_OK; /* frames wait to be handled first */
	msg.msg_control = control.bytes;
	msg.msg_controllen = sizeof(control.bytes);
	do {
		n = recvmsg(p->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == EAGAIN ? FX_EAGAIN : FX_ESHORT;
	if (!collect_fds(p, &msg))
		return ipc_broke(p, FX_ELIMIT, "too many descriptors");
	if (n == 0)
		return FX_ESHORT;
	buf_commit(&p->in, (size_t)n);
	return FX_OK;
}

/* The length of the next frame if it is here in full, else 0; negative: the
 * length itself is a violation. */
static int64_t
next_frame(const struct ipc_peer *p)
{
	uint32_t length;

	if (buf_left(&p->in) < sizeof(length))
		return 0;
	memcpy(&length, buf_head(&p->in), sizeof(length));
	length = le32toh(length);
	if (length == 0 || length > IPC_MAX_FRAME)
		return -1;
	return buf_left(&p->in) - sizeof(length) >= length ? length : 0;
}

bool
ipc_peer_pending(const struct ipc_peer *p)
{
	return p->fd != -1 && next_frame(p) != 0;
}

static int
open_envelope(struct buf *b, struct ipc_frame *f)
{
	uint64_t type, part;
	size_t items;
	int r = wire_get_array(b, 256, &items);

	if (r == FX_OK)
		r = wire_get_u64(b, &type);
	if (r == FX_OK)
		r = wire_get_u64(b, &f->seq);
	if (r == FX_OK)
		r = wire_get_u64(b, &part);
	if (r != FX_OK)
		return r;
	if (type >= IPC_T_COUNT || part > UINT32_MAX)
		return FX_EUNKNOWN;
	f->type = (uint32_t)type;
	f->part = (uint32_t)part;
	if (items != IPC_ENVELOPE_ITEMS + ipc_nfields(f->type))
		return FX_ESYNTAX;
	/* what has no fields nobody decodes */
	if (ipc_nfields(f->type) == 0 && buf_left(b) != 0)
		return FX_ESYNTAX;
	f->body = *b;
	return FX_OK;
}

/* Hand the frame the descriptor it says it has. */
static int
claim_fd(struct ipc_peer *p, struct ipc_frame *f)
{
	bool has_fd = false;
	int r;

	f->fd = -1;
	if (!ipc_may_have_fd(f->type))
		return FX_OK;
	r = ipc_walk(f->type, &f->body, &has_fd);
	if (r != FX_OK || !has_fd)
		return r;
	if (p->nfds_in == 0)
		return FX_ESYNTAX;
	f->fd = p->fds_in[0];
	p->nfds_in--;
	memmove(p->fds_in, p->fds_in + 1, p->nfds_in * sizeof(p->fds_in[0]));
	return FX_OK;
}

static int
run_handler(struct ipc_peer *p, struct ipc_frame *f)
{
	for (size_t i = 0; i < p->nhandlers; i++)
		if (p->handlers[i].type == f->type)
			return p->handlers[i].run(p->ctx, p, f);
	return FX_EDENIED;
}

static int
on_ask(struct ipc_peer *p, struct ipc_frame *f)
{
	struct ipc_grant *g;
	size_t n = 0;

	if (f->seq == 0 || ipc_find_grant(p, f->seq) != NULL || p->awaiting)
		return FX_EDENIED;
	for (g = p->grants; g != NULL; g = g->next)
		n++;
	if (n >= IPC_MAX_ASKS)
		return FX_ELIMIT;
	g = xcalloc(1, sizeof(*g));
	g->seq = f->seq;
	g->type = f->type;
	g->credit = IPC_CREDIT_FIRST;
	g->next = p->grants;
	p->grants = g;
	return FX_OK;
}

static int
on_part(struct ipc_peer *p, struct ipc_frame *f, const struct ipc_rule *rule)
{
	struct ipc_ask *a = ipc_find_ask(p, f->seq);
	int r;

	if (a == NULL || rule->of != a->type || a->credit == 0 ||
	    f->part != a->parts + 1)
		return FX_EDENIED;
	a->parts++;
	a->credit--;
	if (a->fn == NULL)
		return FX_OK;
	r = a->fn(a->arg, f);
	if (r != FX_OK)
		return r;
	/* the function may have cancelled it */
	a = ipc_find_ask(p, f->seq);
	if (a != NULL && a->fn != NULL && !a->relayed)
		ipc_grant_parts(p, f->seq, 1);
	return FX_OK;
}

static int
on_answer(struct ipc_peer *p, struct ipc_frame *f, const struct ipc_rule *rule)
{
	struct ipc_ask *a = ipc_find_ask(p, f->seq);
	ipc_answer_fn *fn;
	void *arg;

	if (a == NULL || (rule->of != a->type && rule->of != IPC_T_ANY_ASK))
		return FX_EDENIED;
	fn = a->fn;
	arg = a->arg;
	ipc_drop_ask(p, f->seq);
	return fn == NULL ? FX_OK : fn(arg, f);
}

static int
on_control(struct ipc_peer *p, struct ipc_frame *f)
{
	struct ipc_grant *g = ipc_find_grant(p, f->seq);
	struct ipc_credit m;
	struct buf copy = f->body;
	int no_fd = -1, r = FX_OK;

	/* the answer may have crossed it */
	if (g == NULL)
		return f->seq == 0 ? FX_EDENIED : FX_OK;
	if (f->type == IPC_T_CANCEL) {
		g->cancelled = true;
	} else {
		r = ipc_credit_decode(&copy, &m, &no_fd);
		if (r == FX_OK &&
		    (m.parts == 0 || m.parts > IPC_CREDIT_FIRST ||
			g->credit > 2 * IPC_CREDIT_FIRST))
			r = FX_EDENIED;
		if (r == FX_OK)
			g->credit += (uint32_t)m.parts;
	}
	if (r == FX_OK && p->relay != NULL)
		r = p->relay(p->ctx, p, f);
	return r;
}

/* Is it for us, or to be passed on? */
static int
route(struct ipc_peer *p, struct ipc_frame *f, const struct ipc_rule *rule)
{
	bool has_fd;
	int r;

	if ((rule->to & IPC_BIT(p->self)) != 0)
		return run_handler(p, f);
	if (p->relay == NULL)
		return FX_EDENIED;
	r = ipc_walk(f->type, &f->body, &has_fd);
	return r == FX_OK ? p->relay(p->ctx, p, f) : r;
}

static int
judge(struct ipc_peer *p, struct ipc_frame *f)
{
	const struct ipc_rule *rule = ipc_rule(f->type);
	int r = ipc_permit(f->type, p->self, p->who, p->phase);

	if (r != FX_OK)
		return r;
	if (rule->kind != IPC_PART && f->part != 0)
		return FX_EDENIED;
	switch (rule->kind) {
	case IPC_EVENT:
		if (f->seq != 0)
			return FX_EDENIED;
		if (f->type == IPC_T_STOP) {
			p->stopped = true;
			return FX_OK;
		}
		return route(p, f, rule);
	case IPC_ASK:
		r = on_ask(p, f);
		return r == FX_OK ? route(p, f, rule) : r;
	case IPC_PART:
		return on_part(p, f, rule);
	case IPC_ANSWER:
		return on_answer(p, f, rule);
	case IPC_CONTROL:
		return on_control(p, f);
	}
	return FX_EUNKNOWN;
}

/* Take one complete frame of `length` bytes off the buffer and run it. */
static int
run_frame(struct ipc_peer *p, size_t length)
{
	struct ipc_frame f = { .fd = -1 };
	auto_free uint8_t *copy = xmalloc(length);
	struct buf b;
	int r;

	/* A handler may make the peer read more or close: keep the frame. */
	buf_skip(&p->in, sizeof(uint32_t));
	memcpy(copy, buf_head(&p->in), length);
	buf_skip(&p->in, length);
	b = buf_view(copy, length);
	r = open_envelope(&b, &f);
	if (r == FX_OK)
		r = claim_fd(p, &f);
	if (r == FX_OK)
		r = judge(p, &f);
	if (f.fd != -1)
		close(f.fd);
	/* a manifest may be a Secret */
	explicit_bzero(copy, length);
	if (r != FX_OK)
		return ipc_broke(p, r, "%s frame: %s", ipc_type_name(f.type),
		    fx_code_name(r));
	return FX_OK;
}

static int
run_frames(struct ipc_peer *p, size_t max_frames)
{
	int64_t length;
	int r = FX_OK;

	for (; max_frames > 0 && r == FX_OK && p->fd != -1; max_frames--) {
		length = next_frame(p);
		if (length < 0)
			return ipc_broke(p, FX_ELIMIT,
			    "frame length out of range");
		if (length == 0)
			break;
		r = run_frame(p, (size_t)length);
	}
	if (r == FX_OK && p->fd != -1 && buf_left(&p->in) == 0 &&
	    p->nfds_in != 0)
		r = ipc_broke(p, FX_EDENIED,
		    "descriptor without a frame for it");
	return r;
}

int
ipc_peer_read(struct ipc_peer *p, size_t max_frames)
{
	int r, got = FX_OK;

	if (p->fd == -1)
		return FX_ESHORT;
	if (p->broken.code != FX_OK)
		return p->broken.code;
	if (next_frame(p) == 0)
		got = receive(p);
	if (got != FX_OK && got != FX_EAGAIN && got != FX_ESHORT)
		return got;
	r = run_frames(p, max_frames);
	ipc_slim(&p->in);
	if (r != FX_OK)
		return r;
	return got == FX_EAGAIN ? FX_OK : got;
}
