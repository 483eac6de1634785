/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ipc_peer.h"
#include "ipc_wire.h"

#include "clock.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_STEP 65536	 /* bytes asked of the socket at once */
#define ENVELOPE_MAX 64	 /* bytes of length, array header, type, seq, part */
#define ENVELOPE_ITEMS 3 /* type, sequence, part */

struct ipc_out_fd {
	uint64_t at; /* stream offset of the first byte of its frame */
	int fd;	     /* owned */
	struct ipc_out_fd *next;
};

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
	buf_init(&p->in, IPC_MAX_FRAME + 4 + READ_STEP);
	buf_init(&p->out, IPC_MAX_QUEUE);
}

void
ipc_peer_handlers(struct ipc_peer *p, const struct ipc_handler *h, size_t n,
    void *ctx)
{
	p->handlers = h;
	p->nhandlers = n;
	p->ctx = ctx;
}

/* ---- asks and grants ------------------------------------------------------
 */

struct ipc_ask *
ipc_find_ask(struct ipc_peer *p, uint64_t seq)
{
	struct ipc_ask *a = p->asks;

	while (a != NULL && a->seq != seq)
		a = a->next;
	return a;
}

static void
drop_ask(struct ipc_peer *p, uint64_t seq)
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

static struct ipc_grant *
find_grant(const struct ipc_peer *p, uint64_t seq)
{
	struct ipc_grant *g = p->grants;

	while (g != NULL && g->seq != seq)
		g = g->next;
	return g;
}

static void
drop_grant(struct ipc_peer *p, uint64_t seq)
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

/* ---- sending --------------------------------------------------------------
 */

short
ipc_peer_events(const struct ipc_peer *p)
{
	return (short)(POLLIN | (buf_left(&p->out) != 0 ? POLLOUT : 0));
}

static int
broke(struct ipc_peer *, int code, const char *fmt, ...) FX_PRINTF(3, 4);

static int
broke(struct ipc_peer *p, int code, const char *fmt, ...)
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

static void
queue_fd(struct ipc_peer *p, uint64_t at, int fd)
{
	struct ipc_out_fd *o = xcalloc(1, sizeof(*o)), **last = &p->fds_out;

	o->at = at;
	o->fd = fd;
	while (*last != NULL)
		last = &(*last)->next;
	*last = o;
}

static int
put_envelope(struct buf *b, uint32_t type, uint64_t seq, uint32_t part)
{
	int r =
	    wire_put_array(b, ENVELOPE_ITEMS + ipc_nfields(type), ENVELOPE_MAX);

	if (r == FX_OK)
		r = wire_put_u64(b, type);
	if (r == FX_OK)
		r = wire_put_u64(b, seq);
	if (r == FX_OK)
		r = wire_put_u64(b, part);
	return r;
}

int
ipc_queue(struct ipc_peer *p, uint32_t type, uint64_t seq, uint32_t part,
    const struct buf *body, int fd)
{
	auto_buf struct buf head = BUF_INIT(ENVELOPE_MAX);
	uint64_t at = p->sent + buf_left(&p->out);
	uint32_t length;
	size_t n;
	int r;

	r = put_envelope(&head, type, seq, part);
	n = buf_left(&head) + buf_left(body);
	if (r != FX_OK || p->fd == -1 || n > IPC_MAX_FRAME) {
		if (fd != -1)
			close(fd);
		return p->fd == -1 ? FX_ESHORT : FX_ELIMIT;
	}
	length = htole32((uint32_t)n);
	if (buf_put(&p->out, &length, sizeof(length)) != FX_OK ||
	    buf_put(&p->out, buf_head(&head), buf_left(&head)) != FX_OK ||
	    buf_put(&p->out, buf_head(body), buf_left(body)) != FX_OK) {
		if (fd != -1)
			close(fd);
		/* part of a frame may be queued: the channel is unusable */
		return broke(p, FX_ELIMIT, "send queue is full");
	}
	if (fd != -1)
		queue_fd(p, at, fd);
	return FX_OK;
}

/* How much may go out in one call, and with which descriptor. */
static size_t
next_piece(const struct ipc_peer *p, int *fd)
{
	const struct ipc_out_fd *o = p->fds_out;
	size_t n = buf_left(&p->out);

	*fd = -1;
	if (o != NULL && o->at == p->sent) {
		*fd = o->fd;
		o = o->next;
	}
	if (o != NULL && o->at - p->sent < n)
		n = (size_t)(o->at - p->sent);
	return n;
}

union fd_control {
	char bytes[CMSG_SPACE(IPC_MAX_FDS * sizeof(int))];
	struct cmsghdr align;
};

static ssize_t
send_piece(int sock, const void *data, size_t n, int fd)
{
	struct iovec iov = { (void *)(uintptr_t)data, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union fd_control control;
	struct cmsghdr *c;

	if (fd != -1) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int
ipc_peer_write(struct ipc_peer *p)
{
	struct ipc_out_fd *o;
	size_t n;
	ssize_t w;
	int fd;

	while (p->fd != -1 && buf_left(&p->out) != 0) {
		n = next_piece(p, &fd);
		w = send_piece(p->fd, buf_head(&p->out), n, fd);
		if (w == -1 && errno == EINTR)
			continue;
		if (w == -1)
			return errno == EAGAIN ? FX_OK : FX_ESHORT;
		if (fd != -1) {
			o = p->fds_out;
			p->fds_out = o->next;
			close(o->fd);
			free(o);
		}
		buf_skip(&p->out, (size_t)w);
		p->sent += (uint64_t)w;
	}
	return p->fd == -1 ? FX_ESHORT : FX_OK;
}

/* ---- receiving ------------------------------------------------------------
 */

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
	uint8_t *to = buf_reserve(&p->in, READ_STEP);
	struct iovec iov = { to, READ_STEP };
	union fd_control control;
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
		return broke(p, FX_ELIMIT, "too many descriptors");
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
	if (items != ENVELOPE_ITEMS + ipc_nfields(f->type))
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

	if (f->seq == 0 || find_grant(p, f->seq) != NULL || p->awaiting)
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
	drop_ask(p, f->seq);
	return fn == NULL ? FX_OK : fn(arg, f);
}

static int
on_control(struct ipc_peer *p, struct ipc_frame *f)
{
	struct ipc_grant *g = find_grant(p, f->seq);
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

/* The master knows who is at the other end; a worker trusts the master to have
 * looked, and checks only that the row may reach it. */
static bool
is_permitted(const struct ipc_peer *p, const struct ipc_rule *rule)
{
	bool from =
	    p->self != IPC_R_MASTER || (rule->from & IPC_BIT(p->who)) != 0;
	bool to = p->self == IPC_R_MASTER || (rule->to & IPC_BIT(p->self)) != 0;

	return from && to && (rule->phases & p->phase) != 0;
}

static int
judge(struct ipc_peer *p, struct ipc_frame *f)
{
	const struct ipc_rule *rule = ipc_rule(f->type);
	int r;

	if (rule == NULL)
		return FX_EUNKNOWN;
	if (!is_permitted(p, rule) || (rule->kind != IPC_PART && f->part != 0))
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
	/* frames may carry secrets */
	explicit_bzero(copy, length);
	if (r != FX_OK)
		return broke(p, r, "%s frame: %s", ipc_type_name(f.type),
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
			return broke(p, FX_ELIMIT, "frame length out of range");
		if (length == 0)
			break;
		r = run_frame(p, (size_t)length);
	}
	if (r == FX_OK && p->fd != -1 && buf_left(&p->in) == 0 &&
	    p->nfds_in != 0)
		r = broke(p, FX_EDENIED, "descriptor without a frame for it");
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
	if (r != FX_OK)
		return r;
	return got == FX_EAGAIN ? FX_OK : got;
}

/* ---- waiting --------------------------------------------------------------
 */

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
	const struct ipc_grant *g = find_grant(req->peer, req->seq);

	return g != NULL && !g->cancelled && g->credit > 0;
}

bool
ipc_cancelled(const struct ipc_req *req)
{
	const struct ipc_grant *g = find_grant(req->peer, req->seq);

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

/* ---- answering ------------------------------------------------------------
 */

int
ipc_reply_raw(const struct ipc_req *req, uint32_t type, const struct buf *body,
    int fd)
{
	struct ipc_grant *g = find_grant(req->peer, req->seq);
	const struct ipc_rule *rule = ipc_rule(type);
	uint32_t part = 0;

	if (g == NULL) {
		if (fd != -1)
			close(fd);
		return FX_ECANCELLED;
	}
	if (rule->kind == IPC_PART) {
		if (g->credit == 0)
			fx_bug("%s sent beyond credit", rule->name);
		g->credit--;
		part = ++g->parts;
	} else {
		drop_grant(req->peer, req->seq);
	}
	return ipc_queue(req->peer, type, req->seq, part, body, fd);
}

int
ipc_reply_fail(const struct ipc_req *req, const struct fx_err *err)
{
	struct ipc_failed m = { .code = err->code,
		.text = (char *)(uintptr_t)err->text };

	return ipc_reply_failed(req, &m);
}

int
ipc_reply_failf(const struct ipc_req *req, int code, const char *fmt, ...)
{
	struct fx_err err = { .code = code };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err.text, sizeof(err.text), fmt, ap);
	va_end(ap);
	return ipc_reply_fail(req, &err);
}

int
ipc_take_failed(struct ipc_frame *f, struct fx_err *err)
{
	struct ipc_failed m;
	int r;

	if (f == NULL)
		return fx_fail(err, FX_ERETRY,
		    "the process that worked on it ended");
	if (f->type != IPC_T_FAILED)
		return FX_OK;
	r = ipc_failed_decode(&f->body, &m, &f->fd);
	if (r != FX_OK)
		return fx_fail(err, FX_ESYNTAX, "malformed failure");
	if (m.code >= 0 || m.code < FX_CODE_MIN)
		m.code = FX_EFAIL;
	r = fx_fail(err, (int)m.code, "%s", m.text);
	ipc_failed_clear(&m);
	return r;
}

/* ---- typed senders --------------------------------------------------------
 */

/* clang-format off */
#define IPC_RECORD(n, ...)
#define IPC_MSG(id, n, ...)						\
int									\
ipc_tell_##n(struct ipc_peer *p, const struct ipc_##n *m)		\
{									\
	auto_buf struct buf b = BUF_INIT(IPC_MAX_FRAME);		\
	int fd = -1, r = ipc_##n##_encode(&b, m, &fd);			\
									\
	return r == FX_OK ? ipc_queue(p, IPC_T_##id, 0, 0, &b, fd) : r;	\
}									\
									\
int									\
ipc_reply_##n(const struct ipc_req *req, const struct ipc_##n *m)	\
{									\
	auto_buf struct buf b = BUF_INIT(IPC_MAX_FRAME);		\
	int fd = -1, r = ipc_##n##_encode(&b, m, &fd);			\
									\
	if (r != FX_OK && IPC_T_##id == IPC_T_FAILED)			\
		fx_bug("a failure's text is over its limit");		\
	if (r != FX_OK)							\
		return ipc_reply_failf(req, FX_ELIMIT,			\
		    "%s: a field is over its limit", #n);		\
	return ipc_reply_raw(req, IPC_T_##id, &b, fd);			\
}									\
									\
uint64_t								\
ipc_ask_##n(struct ipc_peer *p, const struct ipc_##n *m,		\
    ipc_answer_fn *fn, void *arg)					\
{									\
	auto_buf struct buf b = BUF_INIT(IPC_MAX_FRAME);		\
	int fd = -1, r = ipc_##n##_encode(&b, m, &fd);			\
	uint64_t seq;							\
									\
	if (r != FX_OK || p->fd == -1 || p->nasks >= IPC_MAX_ASKS)	\
		return 0;						\
	seq = ipc_expect(p, IPC_T_##id, fn, arg);			\
	if (ipc_queue(p, IPC_T_##id, seq, 0, &b, fd) == FX_OK)		\
		return seq;						\
	drop_ask(p, seq);						\
	return 0;							\
}
#include "ipc_messages.def"
#include "ipc_undef.h"
/* clang-format on */
