/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames as a fallen worker can send them: the first byte picks the worker,
 * the rest is what it writes.  Whatever arrives, the peer either takes it or
 * gives the channel up, and what decodes encodes to the same bytes.
 */
#include "base.h"

#include "fuzz.h"
#include "ipc.h"
#include "ipc_peer.h"

#include <sys/socket.h>
#include <unistd.h>

/* What the walk accepts must decode, and encode to the same bytes. */
static void
recode(struct ipc_frame *f)
{
	auto_buf struct buf out = BUF_INIT(IPC_MAX_FRAME);
	struct buf in = f->body;
	int fd = -1, r = FX_EUNKNOWN;
	bool has_fd, walks = ipc_walk(f->type, &f->body, &has_fd) == FX_OK;

	if (has_fd)
		return; /* no descriptor travels here */
	switch (f->type) {
#define IPC_RECORD(n, ...)
#define IPC_MSG(id, n, ...)                                                    \
	case IPC_T_##id: {                                                     \
		struct ipc_##n m;                                              \
                                                                               \
		r = ipc_##n##_decode(&in, &m, &fd);                            \
		if (r == FX_OK) {                                              \
			r = ipc_##n##_encode(&out, &m, &fd);                   \
			ipc_##n##_clear(&m);                                   \
		}                                                              \
		break;                                                         \
	}
#include "ipc_messages.def"
#include "ipc_undef.h"
	}
	if (walks != (r == FX_OK))
		abort();
	if (walks &&
	    (buf_left(&out) != buf_left(&f->body) ||
		memcmp(buf_head(&out), buf_head(&f->body), buf_left(&out)) !=
		    0))
		abort();
}

static int
on_any(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	(void)ctx;
	(void)p;
	recode(f);
	return FX_OK;
}

static int
on_answer(void *arg, struct ipc_frame *f)
{
	(void)arg;
	if (f != NULL)
		recode(f);
	return FX_OK;
}

static void
all_handlers(struct ipc_handler *h)
{
	for (uint32_t t = 1; t < IPC_T_COUNT; t++)
		h[t - 1] = (struct ipc_handler){ t, on_any };
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ipc_handler handlers[IPC_T_COUNT - 1];
	struct ipc_commits ask = { .to = (char *)(uintptr_t) "HEAD" };
	struct ipc_peer p;
	int fds[2];

	if (size < 2 || size > 65536 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == -1)
		return 0;
	all_handlers(handlers);
	ipc_peer_init(&p, fds[0], IPC_R_MASTER,
	    (enum ipc_role)(data[0] % IPC_R_COUNT), 0);
	p.phase = (data[0] & 0x80) != 0 ? IPC_PH_START : IPC_PH_RUN;
	p.relay = on_any;
	ipc_peer_handlers(&p, handlers, nitems(handlers), NULL);
	(void)ipc_ask_commits(&p, &ask, on_answer, NULL);
	if (write(fds[1], data + 1, size - 1) == (ssize_t)size - 1)
		while (ipc_peer_read(&p, 16) == FX_OK && ipc_peer_pending(&p))
			;
	ipc_peer_close(&p);
	close(fds[1]);
	return 0;
}
