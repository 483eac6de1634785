/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ipc_peer.h"
#include "ipc_peer_parts.h"
#include "ipc_wire.h"

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENVELOPE_MAX 64 /* bytes of length, array header, type, seq, part */

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
	int r = wire_put_array(b, IPC_ENVELOPE_ITEMS + ipc_nfields(type),
	    ENVELOPE_MAX);

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
		return ipc_broke(p, FX_ELIMIT, "send queue is full");
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

static ssize_t
send_piece(int sock, const void *data, size_t n, int fd)
{
	struct iovec iov = { (void *)(uintptr_t)data, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union ipc_fd_control control;
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
	ipc_slim(&p->out);
	return p->fd == -1 ? FX_ESHORT : FX_OK;
}

int
ipc_reply_raw(const struct ipc_req *req, uint32_t type, const struct buf *body,
    int fd)
{
	struct ipc_grant *g = ipc_find_grant(req->peer, req->seq);
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
		ipc_drop_grant(req->peer, req->seq);
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

/* ---- typed senders ------------------------------------------------------- */

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
	ipc_drop_ask(p, seq);						\
	return 0;							\
}
#include "ipc_messages.def"
#include "ipc_undef.h"
/* clang-format on */
