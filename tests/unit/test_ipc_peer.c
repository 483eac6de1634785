/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "clock.h"
#include "ipc.h"
#include "ipc_peer.h"
#include "ipc_peer_parts.h"
#include "ipc_random.h"
#include "ipc_wire.h"
#include "memory.h"
#include "str.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct pair {
	struct ipc_peer master, worker;
	int asked; /* by the worker's handler */
	int parts, last_type;
	bool closed;
	struct ipc_req req;
	int fd_got;
};

static int
on_commits(struct pair *t, const struct ipc_req *req, struct ipc_commits *m)
{
	t->asked++;
	t->req = *req;
	want_str(m->to, "HEAD");
	return FX_OK;
}
IPC_HANDLER(commits, on_commits, struct pair)

static int
on_file(struct pair *t, const struct ipc_req *req, struct ipc_file *m)
{
	(void)req;
	t->fd_got = m->fd;
	m->fd = -1;
	return FX_OK;
}
IPC_HANDLER(file, on_file, struct pair)

static const struct ipc_handler handlers[] = {
	{ IPC_T_COMMITS, on_commits_frame },
	{ IPC_T_FILE, on_file_frame },
};

static int
on_answer(void *arg, struct ipc_frame *f)
{
	struct pair *t = arg;

	if (f == NULL) {
		t->closed = true;
		return FX_OK;
	}
	t->last_type = (int)f->type;
	if (f->type == IPC_T_COMMIT_PART)
		t->parts++;
	return FX_OK;
}

static void
pair_open(struct pair *t, enum ipc_role worker)
{
	int fds[2];

	memset(t, 0, sizeof(*t));
	t->fd_got = -1;
	want_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		     0, fds),
	    0);
	ipc_peer_init(&t->master, fds[0], IPC_R_MASTER, worker, 0);
	ipc_peer_init(&t->worker, fds[1], worker, IPC_R_MASTER, 0);
	ipc_peer_handlers(&t->worker, handlers, nitems(handlers), t);
	t->master.phase = t->worker.phase = IPC_PH_RUN;
}

static void
pair_close(struct pair *t)
{
	ipc_peer_close(&t->master);
	ipc_peer_close(&t->worker);
}

/* Everything queued reaches the other side and is handled; the worst result. */
static int
settle(struct ipc_peer *from, struct ipc_peer *to)
{
	int r = ipc_peer_write(from);

	for (int i = 0; r == FX_OK && i < 20; i++)
		r = ipc_peer_read(to, 8);
	return r;
}

static void
test_ask_and_stream(void)
{
	struct ipc_commits ask = { .to = (char *)(uintptr_t) "HEAD" };
	struct ipc_commit_part part = { 0 };
	struct ipc_commits_end end = { 0 };
	struct pair t;

	pair_open(&t, IPC_R_GIT_LOCAL);
	want(ipc_ask_commits(&t.master, &ask, on_answer, &t) != 0);
	want_int(settle(&t.master, &t.worker), FX_OK);
	want_int(t.asked, 1);
	for (int i = 0; i < IPC_CREDIT_FIRST; i++) {
		want(ipc_credit(&t.req));
		want_int(ipc_reply_commit_part(&t.req, &part), FX_OK);
	}
	want(!ipc_credit(&t.req));
	want_int(settle(&t.worker, &t.master), FX_OK);
	want_int(t.parts, IPC_CREDIT_FIRST);
	/* handling them granted as many again */
	want_int(settle(&t.master, &t.worker), FX_OK);
	want(ipc_credit(&t.req));
	want_int(ipc_reply_commits_end(&t.req, &end), FX_OK);
	want_int(settle(&t.worker, &t.master), FX_OK);
	want_int(t.last_type, IPC_T_COMMITS_END);
	/* an answer is given once */
	want_int(ipc_reply_commits_end(&t.req, &end), FX_ECANCELLED);
	pair_close(&t);
}

static void
test_failed_and_closed(void)
{
	struct ipc_commits ask = { .to = (char *)(uintptr_t) "HEAD" };
	struct pair t;

	pair_open(&t, IPC_R_GIT_LOCAL);
	want(ipc_ask_commits(&t.master, &ask, on_answer, &t) != 0);
	want_int(settle(&t.master, &t.worker), FX_OK);
	want_int(ipc_reply_failf(&t.req, FX_EUNKNOWN, "no %s", "HEAD"), FX_OK);
	want_int(settle(&t.worker, &t.master), FX_OK);
	want_int(t.last_type, IPC_T_FAILED);
	want(ipc_ask_commits(&t.master, &ask, on_answer, &t) != 0);
	ipc_peer_close(&t.master);
	want(t.closed);
	want_int(ipc_peer_read(&t.worker, 8), FX_ESHORT);
	pair_close(&t);
}

static void
test_fd_travels(void)
{
	struct ipc_file m = { .which = IPC_FILE_DEPLOY_KEY, .fd = dup(1) };
	struct pair t;

	pair_open(&t, IPC_R_KEY);
	t.worker.phase = IPC_PH_START;
	want_int(ipc_tell_file(&t.master, &m), FX_OK);
	want_int(settle(&t.master, &t.worker), FX_OK);
	want(t.fd_got != -1);
	want(fcntl(t.fd_got, F_GETFD) == FD_CLOEXEC);
	close(t.fd_got);
	/* the sender's copy is gone */
	want_int(fcntl(m.fd, F_GETFD), -1);
	want_int(errno, EBADF);
	pair_close(&t);
}

/* Write raw bytes into the master's side, as a worker that fell could. */
static int
attack(enum ipc_role who, const void *bytes, size_t n, int fds)
{
	char control[CMSG_SPACE(253 * sizeof(int))] = { 0 };
	struct iovec iov = { (void *)(uintptr_t)bytes, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct pair t;
	int r, before = dup(0), after;

	close(before);
	pair_open(&t, who);
	if (fds > 0) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE((size_t)fds * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)fds * sizeof(int));
		for (int i = 0; i < fds; i++)
			memcpy(CMSG_DATA(c) + (size_t)i * sizeof(int),
			    &(int){ 1 }, sizeof(int));
	}
	want(sendmsg(t.worker.fd, &msg, 0) == (ssize_t)n);
	r = ipc_peer_read(&t.master, 8);
	want(t.master.broken.code == FX_OK || t.master.broken.text[0] != '\0');
	pair_close(&t);
	after = dup(0);
	close(after);
	want_int(after, before); /* no descriptor stays behind */
	return r;
}

/* A83: bytes that are no frame; each must break its channel. */
static void
test_byte_attacks(void)
{
	static const struct {
		const char *what;
		const char *bytes;
		size_t n;
		int fds;
		int code;
	} tv[] = {
		{ "length 0", "\0\0\0\0", 4, 0, FX_ELIMIT },
		{ "a byte too long", "\x01\0\x05\0", 4, 0, FX_ELIMIT },
		{ "length 2^32-1", "\xff\xff\xff\xff", 4, 0, FX_ELIMIT },
		{ "not an array", "\x01\0\0\0\x01", 5, 0, FX_ESYNTAX },
		{ "a short envelope", "\x02\0\0\0\x93\x01", 6, 0, FX_ELIMIT },
		{ "an array claiming 2^28 elements",
		    "\x05\0\0\0\xdd\x0f\xff\xff\xff", 9, 0, FX_ELIMIT },
		{ "an unknown type", "\x06\0\0\0\x93\xcd\x7f\xff\0\0", 10, 0,
		    FX_EUNKNOWN },
		{ "253 descriptors", "\x04\0\0\0", 4, 253, FX_ELIMIT },
		{ "one descriptor too many", "\x04\0\0\0", 4, IPC_MAX_FDS + 1,
		    FX_ELIMIT },
	};

	_Static_assert(IPC_MAX_FRAME == 0x50000, "0x50001 is too long");
	for (size_t i = 0; i < nitems(tv); i++)
		if (!want_int(attack(IPC_R_API, tv[i].bytes, tv[i].n,
				  tv[i].fds),
			tv[i].code))
			printf("# %s\n", tv[i].what);
}

/* A frame as nobody of ours would make it. */
struct forged {
	uint64_t type, seq, part;
	enum { WHOLE, LONGER, A_FIELD_MORE, SAYS_FD } form;
	bool fd; /* a descriptor comes with it */
};

static void
put_forged(struct buf *b, const struct forged *f)
{
	static const char longer[] = { '\0' };
	auto_buf struct buf in = BUF_INIT(1 << 20);
	const uint32_t type = (uint32_t)f->type;
	uint32_t n;

	want_int(wire_put_array(&in,
		     3 + ipc_nfields(type) + (f->form == A_FIELD_MORE), 64),
	    FX_OK);
	want(wire_put_u64(&in, f->type) == FX_OK &&
	    wire_put_u64(&in, f->seq) == FX_OK &&
	    wire_put_u64(&in, f->part) == FX_OK);
	ipc_put_random(&in, ipc_fields(type));
	if (f->form == LONGER || f->form == A_FIELD_MORE)
		want_int(buf_put(&in, longer, 1), FX_OK);
	n = (uint32_t)buf_left(&in);
	if (f->form == SAYS_FD) /* the last field */
		in.data[n - 1] = 0xc3;
	want(buf_put(b, (uint8_t[]){ (uint8_t)n, (uint8_t)(n >> 8), 0, 0 },
		 4) == FX_OK &&
	    buf_put(b, buf_head(&in), n) == FX_OK);
}

static void
send_with_fd(int fd, const void *p, size_t n, bool with)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { (void *)(uintptr_t)p, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c = (struct cmsghdr *)control;

	if (with) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &(int){ 1 }, sizeof(int));
	}
	want(sendmsg(fd, &msg, 0) == (ssize_t)n);
}

static void
send_forged(int fd, const struct forged *f)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);

	put_forged(&b, f);
	send_with_fd(fd, buf_head(&b), buf_left(&b), f->fd);
}

static int
take_any(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	(void)ctx;
	(void)p;
	(void)f;
	return FX_OK;
}

/* Everything is taken, so that it is the peer who refuses. */
static void
take_all(struct ipc_peer *p)
{
	static struct ipc_handler all[IPC_T_COUNT];

	for (uint32_t t = 0; t < IPC_T_COUNT; t++)
		all[t] = (struct ipc_handler){ t, take_any };
	ipc_peer_handlers(p, all, nitems(all), NULL);
	p->relay = p->self == IPC_R_MASTER ? take_any : NULL;
}

/* A83: frames that break the rules, from a worker that fell to the master, or
 * the other way; all but the last are taken.  The question that waits is
 * COMMITS with the sequence 1. */
#define ASKED (1u << 0)
#define RELAYED (1u << 1) /* its credit is somebody else's to give */
#define STARTING (1u << 2)
#define AWAITING (1u << 3)
#define TO_WORKER (1u << 4)
#define NOBODY (1u << 5) /* to take it or to pass it on */

/* What the last of n frames leads to. */
static int
break_rule(enum ipc_role who, unsigned how, const struct forged *f, size_t n)
{
	const struct ipc_commits ask = { .to = (char *)"HEAD" };
	struct ipc_peer *to;
	struct pair t;
	int r = FX_OK;

	pair_open(&t, who);
	to = (how & TO_WORKER) != 0 ? &t.worker : &t.master;
	take_all(to);
	if ((how & NOBODY) != 0) {
		to->nhandlers = 0;
		to->relay = NULL;
	}
	to->awaiting = (how & AWAITING) != 0;
	if ((how & STARTING) != 0)
		to->phase = IPC_PH_START;
	if ((how & ASKED) != 0)
		want_int(ipc_ask_commits(to, &ask, on_answer, &t), 1);
	if ((how & RELAYED) != 0)
		ipc_find_ask(to, 1)->relayed = true;
	for (size_t i = 0; i < n; i++) {
		want_int(r, FX_OK);
		send_forged(to == &t.master ? t.worker.fd : t.master.fd, &f[i]);
		/* and what is behind it */
		r = ipc_peer_read(to, 8);
		if (r == FX_OK)
			r = ipc_peer_read(to, 8);
	}
	pair_close(&t);
	return r;
}

#define PART(n)                                                                \
	{                                                                      \
		IPC_T_COMMIT_PART, 1, n, WHOLE, false                          \
	}
#define PLAIN(type, seq)                                                       \
	{                                                                      \
		IPC_T_##type, seq, 0, WHOLE, false                             \
	}

static void
test_frame_attacks(void)
{
	static const struct {
		const char *what;
		enum ipc_role who;
		unsigned how;
		struct forged f[IPC_CREDIT_FIRST + 1];
		int code;
	} tv[] = {
		{ "an answer nobody asked for", IPC_R_GIT_LOCAL, 0,
		    { PLAIN(COMMITS_END, 1) }, FX_EDENIED },
		{ "a part nobody asked for", IPC_R_GIT_LOCAL, 0, { PART(1) },
		    FX_EDENIED },
		{ "a failure of nothing", IPC_R_GIT_LOCAL, 0,
		    { PLAIN(FAILED, 1) }, FX_EDENIED },
		{ "an answer twice", IPC_R_GIT_LOCAL, ASKED,
		    { PLAIN(COMMITS_END, 1), PLAIN(COMMITS_END, 1) },
		    FX_EDENIED },
		{ "a part after the answer", IPC_R_GIT_LOCAL, ASKED,
		    { PLAIN(COMMITS_END, 1), PART(1) }, FX_EDENIED },
		{ "another question's answer", IPC_R_GIT_LOCAL, ASKED,
		    { PLAIN(TAGGED, 1) }, FX_EDENIED },
		{ "another question's part", IPC_R_GIT_LOCAL, ASKED,
		    { { IPC_T_TREE_PART, 1, 1, WHOLE, false } }, FX_EDENIED },
		{ "the second part first", IPC_R_GIT_LOCAL, ASKED, { PART(2) },
		    FX_EDENIED },
		{ "a part without a number", IPC_R_GIT_LOCAL, ASKED,
		    { PART(0) }, FX_EDENIED },
		{ "a part twice", IPC_R_GIT_LOCAL, ASKED, { PART(1), PART(1) },
		    FX_EDENIED },
		{ "a part beyond credit", IPC_R_GIT_LOCAL, ASKED | RELAYED,
		    { PART(1), PART(2), PART(3), PART(4), PART(5) },
		    FX_EDENIED },
		{ "a question without a sequence", IPC_R_API, 0,
		    { PLAIN(CLIENT_PING, 0) }, FX_EDENIED },
		{ "a question twice", IPC_R_API, 0,
		    { PLAIN(CLIENT_PING, 7), PLAIN(CLIENT_PING, 7) },
		    FX_EDENIED },
		{ "a sequence twice", IPC_R_API, 0,
		    { PLAIN(CLIENT_PING, 7), PLAIN(METRICS, 7) }, FX_EDENIED },
		{ "an event with a sequence", IPC_R_SYNC, 0,
		    { PLAIN(DRIFT, 7) }, FX_EDENIED },
		{ "an event in parts", IPC_R_SYNC, 0,
		    { { IPC_T_DRIFT, 0, 1, WHOLE, false } }, FX_EDENIED },
		{ "what another role may send", IPC_R_API, 0,
		    { PLAIN(DRIFT, 0) }, FX_EDENIED },
		{ "what only the master may send", IPC_R_API, 0,
		    { PLAIN(FETCH, 7) }, FX_EDENIED },
		{ "what belongs to the start", IPC_R_SYNC, 0,
		    { PLAIN(READY, 0) }, FX_EDENIED },
		{ "what has to wait for it", IPC_R_SYNC, STARTING,
		    { PLAIN(DRIFT, 0) }, FX_EDENIED },
		{ "what is for another role", IPC_R_API, TO_WORKER,
		    { PLAIN(FETCH, 7) }, FX_EDENIED },
		{ "settings in the middle", IPC_R_API, TO_WORKER,
		    { PLAIN(CONFIG, 0) }, FX_EDENIED },
		{ "a question while it waits", IPC_R_GIT_LOCAL,
		    TO_WORKER | AWAITING, { PLAIN(COMMITS, 7) }, FX_EDENIED },
		{ "what nobody takes", IPC_R_API, NOBODY,
		    { PLAIN(CLIENT_PING, 7) }, FX_EDENIED },
		{ "what nobody passes on", IPC_R_GIT_REMOTE, NOBODY,
		    { PLAIN(CONNECT, 7) }, FX_EDENIED },
		{ "a type of more bits", IPC_R_API, 0,
		    { { 1ull << 32 | IPC_T_CLIENT_PING, 7, 0, WHOLE, false } },
		    FX_EUNKNOWN },
		{ "a part of more bits", IPC_R_GIT_LOCAL, ASKED,
		    { PART(1ull << 32 | 1) }, FX_EUNKNOWN },
		{ "credit for no sequence", IPC_R_API, 0, { PLAIN(CREDIT, 0) },
		    FX_EDENIED },
		{ "a cancelled event", IPC_R_API, 0, { PLAIN(CANCEL, 0) },
		    FX_EDENIED },
		{ "a byte where there are no fields", IPC_R_API, 0,
		    { { IPC_T_CLIENT_PING, 7, 0, LONGER, false } },
		    FX_ESYNTAX },
		{ "a field more", IPC_R_SYNC, 0,
		    { { IPC_T_DRIFT, 0, 0, A_FIELD_MORE, false } },
		    FX_ESYNTAX },
		{ "a malformed frame for others", IPC_R_GIT_REMOTE, 0,
		    { { IPC_T_CONNECT, 7, 0, LONGER, false } }, FX_ESYNTAX },
		{ "a descriptor where none belongs", IPC_R_SYNC, 0,
		    { { IPC_T_DRIFT, 0, 0, WHOLE, true } }, FX_EDENIED },
		{ "a field that says so, and no descriptor", IPC_R_KEY,
		    TO_WORKER | STARTING,
		    { { IPC_T_FILE, 0, 0, SAYS_FD, false } }, FX_ESYNTAX },
		{ "a descriptor that the field denies", IPC_R_KEY,
		    TO_WORKER | STARTING, { { IPC_T_FILE, 0, 0, WHOLE, true } },
		    FX_EDENIED },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		size_t n = nitems(tv[i].f);

		while (n > 0 && tv[i].f[n - 1].type == IPC_T_NONE)
			n--;
		if (!want_int(break_rule(tv[i].who, tv[i].how, tv[i].f, n),
			tv[i].code))
			printf("# %s\n", tv[i].what);
	}
}

/* Credit that nobody of ours would give, for a question of its own. */
static void
test_credit_attacks(void)
{
	static const struct {
		const char *what;
		uint64_t parts[4];
		int code;
	} tv[] = {
		{ "none", { 0 }, FX_EDENIED },
		{ "more than an answer may have at first",
		    { IPC_CREDIT_FIRST + 1 }, FX_EDENIED },
		{ "enough", { IPC_CREDIT_FIRST }, FX_OK },
		{ "heaps of it",
		    { IPC_CREDIT_FIRST, IPC_CREDIT_FIRST, IPC_CREDIT_FIRST },
		    FX_EDENIED },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		const struct ipc_metrics ask = { 0 };
		struct pair t;
		uint64_t seq;
		int r = FX_OK;

		pair_open(&t, IPC_R_API);
		take_all(&t.master);
		seq = ipc_ask_metrics(&t.worker, &ask, on_answer, &t);
		want_int(settle(&t.worker, &t.master), FX_OK);
		for (size_t k = 0; k == 0 || tv[i].parts[k] != 0; k++) {
			const struct ipc_credit m = { .parts = tv[i].parts[k] };
			auto_buf struct buf b = BUF_INIT(16);
			int fd = -1;

			want_int(ipc_credit_encode(&b, &m, &fd), FX_OK);
			want_int(ipc_queue(&t.worker, IPC_T_CREDIT, seq, 0, &b,
				     -1),
			    FX_OK);
			r = settle(&t.worker, &t.master);
		}
		if (!want_int(r, tv[i].code))
			printf("# credit: %s\n", tv[i].what);
		pair_close(&t);
	}
}

/* What crosses the answer on its way is no crime. */
static void
test_control_too_late(void)
{
	static const struct forged late[] = { PLAIN(CREDIT, 99),
		PLAIN(CANCEL, 99) };
	struct pair t;

	pair_open(&t, IPC_R_API);
	take_all(&t.master);
	for (size_t i = 0; i < nitems(late); i++) {
		send_forged(t.worker.fd, &late[i]);
		want_int(ipc_peer_read(&t.master, 8), FX_OK);
	}
	pair_close(&t);
}

/* As many questions as the limit at once, from either side. */
static void
test_many_questions(void)
{
	const struct ipc_commits ask = { .to = (char *)"HEAD" };
	struct pair t;
	int r = FX_OK;

	pair_open(&t, IPC_R_GIT_LOCAL);
	for (int i = 0; i < IPC_MAX_ASKS; i++)
		want(ipc_ask_commits(&t.master, &ask, on_answer, &t) != 0);
	want_int(ipc_ask_commits(&t.master, &ask, on_answer, &t), 0);
	pair_close(&t);
	pair_open(&t, IPC_R_API);
	take_all(&t.master);
	for (uint64_t i = 1; i <= IPC_MAX_ASKS + 1; i++) {
		const struct forged f = PLAIN(CLIENT_PING, i);

		want_int(r, FX_OK);
		send_forged(t.worker.fd, &f);
		r = ipc_peer_read(&t.master, 8);
	}
	want_int(r, FX_ELIMIT);
	pair_close(&t);
}

/* A peer that does not read: what waits for it has a limit. */
static void
test_full_queue(void)
{
	const struct ipc_log m = { .caller = (char *)"x.c:1" };
	struct pair t;
	size_t n = 0;

	pair_open(&t, IPC_R_SYNC);
	while (n < IPC_MAX_QUEUE && ipc_tell_log(&t.worker, &m) == FX_OK)
		n++;
	want(n < IPC_MAX_QUEUE / 8);
	want(buf_left(&t.worker.out) <= IPC_MAX_QUEUE);
	want_int(t.worker.broken.code, FX_ELIMIT);
	pair_close(&t);
}

/* A frame has a limit, its envelope included; such a one is not sent. */
static void
test_long_frame(void)
{
	auto_buf struct buf b = BUF_INIT(IPC_MAX_FRAME);
	struct pair t;

	want(buf_reserve(&b, IPC_MAX_FRAME) != NULL);
	memset(b.data, 0, IPC_MAX_FRAME);
	buf_commit(&b, IPC_MAX_FRAME);
	pair_open(&t, IPC_R_SYNC);
	want_int(ipc_queue(&t.worker, IPC_T_LOG, 0, 0, &b, -1), FX_ELIMIT);
	want_int(buf_left(&t.worker.out), 0);
	pair_close(&t);
}

/* Nobody of ours sends a part without credit: it is a bug, and an end. */
static void
test_beyond_credit(void)
{
	const struct ipc_commits ask = { .to = (char *)"HEAD" };
	const struct ipc_commit_part part = { 0 };
	struct pair t;
	int status = 0;
	pid_t pid;

	pair_open(&t, IPC_R_GIT_LOCAL);
	want(ipc_ask_commits(&t.master, &ask, on_answer, &t) != 0);
	want_int(settle(&t.master, &t.worker), FX_OK);
	pid = fork();
	if (pid == 0) {
		close(STDERR_FILENO);
		for (int i = 0; i <= IPC_CREDIT_FIRST; i++)
			(void)ipc_reply_commit_part(&t.req, &part);
		_exit(0);
	}
	want(waitpid(pid, &status, 0) == pid);
	want(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	pair_close(&t);
}

/* Descriptors that come before their frames are few. */
static void
test_early_descriptors(void)
{
	static const struct forged f = { IPC_T_FILE, 0, 0, WHOLE, true };
	auto_buf struct buf b = BUF_INIT(1 << 20);
	struct pair t;
	int r = FX_OK;

	put_forged(&b, &f);
	want(buf_left(&b) > IPC_MAX_FDS + 1);
	pair_open(&t, IPC_R_KEY);
	t.worker.phase = IPC_PH_START;
	for (int i = 0; i <= IPC_MAX_FDS; i++) {
		want_int(r, FX_OK);
		send_with_fd(t.master.fd, buf_head(&b) + i, 1, true);
		r = ipc_peer_read(&t.worker, 8);
	}
	want_int(r, FX_ELIMIT);
	pair_close(&t);
}

#ifndef FX_TEST_BUILD /* instruments forbid to read what was freed */
/* A manifest may be a Secret: nothing of a frame stays in who passes it on. */
#	define SECRET_LEN 32
#	define SECRET_FROM 64 /* bytes before it */

/* Another process sends so many frames with it. */
static void
send_secret(int fd, const uint8_t *inverted, int frames)
{
	auto_buf struct buf all = BUF_INIT(1 << 20), b = BUF_INIT(1 << 10);
	/* not at the start: there the allocator keeps its lists */
	char text[SECRET_FROM + SECRET_LEN + 1] = "";

	memset(text, 'x', SECRET_FROM);
	for (size_t i = 0; i < SECRET_LEN; i++)
		text[SECRET_FROM + i] = (char)(inverted[i] ^ 0xff);
	want(buf_put(&b, "\0\0\0\0", 4) == FX_OK &&
	    wire_put_array(&b, 3 + ipc_nfields(IPC_T_ENDPOINT), 64) == FX_OK &&
	    wire_put_u64(&b, IPC_T_ENDPOINT) == FX_OK &&
	    wire_put_u64(&b, 0) == FX_OK && wire_put_u64(&b, 0) == FX_OK &&
	    wire_put_str(&b, text, IPC_MAX_HOST) == FX_OK &&
	    wire_put_u64(&b, 1) == FX_OK);
	b.data[0] = (uint8_t)(buf_left(&b) - 4);
	for (int i = 0; i < frames; i++)
		want_int(buf_put(&all, buf_head(&b), buf_left(&b)), FX_OK);
	if (write(fd, buf_head(&all), buf_left(&all)) !=
	    (ssize_t)buf_left(&all))
		_exit(1);
}

static void
have_secret_sent(int fd, const uint8_t *inverted, int frames)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		send_secret(fd, inverted, frames);
		_exit(0);
	}
	want(waitpid(pid, &status, 0) == pid);
	want_int(status, 0);
}

static void
test_leaves_nothing(void)
{
	enum { MANY = 1000 };
	struct buf body = BUF_INIT(1 << 10);
	uint8_t inverted[SECRET_LEN];
	struct pair t;

	for (size_t i = 0; i < SECRET_LEN; i++)
		inverted[i] = (uint8_t)('a' + ipc_rnd() % 26) ^ 0xff;
	pair_open(&t, IPC_R_SYNC);
	take_all(&t.master);
	have_secret_sent(t.worker.fd, inverted, 1);
	want_int(memory_count(inverted, SECRET_LEN), 0);
	want_int(ipc_peer_read(&t.master, 0), FX_OK);
	want_int(memory_count(inverted, SECRET_LEN), 1); /* received */
	want_int(ipc_peer_read(&t.master, 1), FX_OK);
	want_int(memory_count(inverted, SECRET_LEN), 1); /* in the queue */
	pair_close(&t);
	want_int(memory_count(inverted, SECRET_LEN), 0);

	/* what was to be sent when the channel is closed */
	pair_open(&t, IPC_R_SYNC);
	for (size_t i = 0; i < SECRET_FROM + SECRET_LEN; i++)
		want_int(str_addc(&body,
			     i < SECRET_FROM
				 ? 'x'
				 : (char)(inverted[i - SECRET_FROM] ^ 0xff)),
		    FX_OK);
	want_int(ipc_queue(&t.worker, IPC_T_ENDPOINT, 0, 0, &body, -1), FX_OK);
	buf_wipe(&body);
	want_int(memory_count(inverted, SECRET_LEN), 1);
	pair_close(&t);
	want_int(memory_count(inverted, SECRET_LEN), 0);

	/* what has grown for many frames is given back when they are done */
	pair_open(&t, IPC_R_SYNC);
	take_all(&t.master);
	have_secret_sent(t.worker.fd, inverted, MANY);
	for (int i = 0; i < 3; i++)
		want_int(ipc_peer_read(&t.master, i == 0 ? 0 : MANY), FX_OK);
	want_int(buf_left(&t.master.in), 0);
	want_int(memory_count(inverted, SECRET_LEN), 0);
	pair_close(&t);
}
#endif

/* A channel keeps no more memory than for a frame or two. */
static void
test_slim(void)
{
	const struct ipc_commits ask = { .to = (char *)(uintptr_t) "HEAD" };
	static struct ipc_commit commits[IPC_MAX_LIST];
	const struct ipc_commit_part part = { .commits = commits,
		.commits_len = nitems(commits) };
	struct pair t;

	for (size_t i = 0; i < nitems(commits); i++)
		commits[i].subject = (char *)(uintptr_t) "a subject of a line";
	pair_open(&t, IPC_R_GIT_LOCAL);
	want(ipc_ask_commits(&t.master, &ask, on_answer, &t) != 0);
	want_int(settle(&t.master, &t.worker), FX_OK);
	want_int(ipc_reply_commit_part(&t.req, &part), FX_OK);
	want(t.worker.out.cap > IPC_READ_STEP);
	want_int(settle(&t.worker, &t.master), FX_OK);
	want_int(t.parts, 1);
	want(t.worker.out.cap <= IPC_READ_STEP);
	want(t.master.in.cap <= IPC_READ_STEP);
	pair_close(&t);
}

static int
on_failed(void *arg, struct ipc_frame *f)
{
	if (f != NULL)
		(void)ipc_take_failed(f, arg);
	return FX_OK;
}

/* A code that is none of ours is a failure like another. */
static void
test_failed_codes(void)
{
	static const int64_t codes[][2] = { { FX_EDENIED, FX_EDENIED },
		{ FX_OK, FX_EFAIL }, { 5, FX_EFAIL },
		{ FX_CODE_MIN - 1, FX_EFAIL }, { INT64_MIN, FX_EFAIL },
		{ INT64_MAX, FX_EFAIL } };

	for (size_t i = 0; i < nitems(codes); i++) {
		const struct ipc_commits ask = { .to = (char *)"HEAD" };
		const struct ipc_failed m = { .code = codes[i][0],
			.text = (char *)"why" };
		struct fx_err err = { 0 };
		struct pair t;

		pair_open(&t, IPC_R_GIT_LOCAL);
		want(ipc_ask_commits(&t.master, &ask, on_failed, &err) != 0);
		want_int(settle(&t.master, &t.worker), FX_OK);
		want_int(ipc_reply_failed(&t.req, &m), FX_OK);
		want_int(settle(&t.worker, &t.master), FX_OK);
		want_int(err.code, codes[i][1]);
		want_str(err.text, "why");
		pair_close(&t);
	}
}

/* A worker in the middle of a library call: what it hears, and how long it
 * waits. */
static void
test_heed_and_deadline(void)
{
	struct ipc_key_public ask = { 0 };
	struct ipc_key_public_is is = { .type = (char *)(uintptr_t) "x",
		.line = (char *)(uintptr_t) "",
		.md5 = (char *)(uintptr_t) "",
		.md5_art = (char *)(uintptr_t) "",
		.sha256 = (char *)(uintptr_t) "",
		.sha256_art = (char *)(uintptr_t) "" };
	struct ipc_fetch fetch = { .timeout_ms = 1 };
	struct ipc_stop stop = { 0 };
	struct ipc_req late;
	struct pair t;
	uint64_t seq;

	pair_open(&t, IPC_R_GIT_REMOTE);
	t.master.relay = take_any;
	want_int(ipc_heed(&t.worker), FX_OK);
	seq = ipc_ask_key_public(&t.worker, &ask, on_answer, &t);
	want_int(ipc_await_until(&t.worker, seq, clk_now_us() + CLK_MS),
	    FX_ETIMEOUT);
	/* the answer comes too late, and disturbs nobody */
	late = (struct ipc_req){ &t.master, 0, IPC_T_KEY_PUBLIC };
	want_int(ipc_reply_key_public_is(&late, &is), FX_ECANCELLED);
	want_int(ipc_peer_write(&t.worker), FX_OK);
	want_int(ipc_peer_read(&t.master, 1), FX_OK);
	late.seq = seq;
	want_int(ipc_reply_key_public_is(&late, &is), FX_OK);
	want_int(ipc_peer_write(&t.master), FX_OK);
	want_int(ipc_heed(&t.worker), FX_OK);
	want_int(t.last_type, 0);
	want_int(ipc_tell_stop(&t.master, &stop), FX_OK);
	want_int(ipc_peer_write(&t.master), FX_OK);
	want_int(ipc_heed(&t.worker), FX_ECANCELLED);
	/* and it stays that way */
	want_int(ipc_heed(&t.worker), FX_ECANCELLED);
	pair_close(&t);

	/* nor does it wait for an answer any more */
	pair_open(&t, IPC_R_GIT_REMOTE);
	seq = ipc_ask_key_public(&t.worker, &ask, on_answer, &t);
	want_int(ipc_tell_stop(&t.master, &stop), FX_OK);
	want_int(ipc_peer_write(&t.master), FX_OK);
	want_int(ipc_await_until(&t.worker, seq, clk_now_us() + CLK_MIN),
	    FX_ECANCELLED);
	pair_close(&t);

	/* nothing new may be asked for meanwhile */
	pair_open(&t, IPC_R_GIT_REMOTE);
	take_all(&t.worker);
	want(ipc_ask_fetch(&t.master, &fetch, on_answer, &t) != 0);
	want_int(ipc_peer_write(&t.master), FX_OK);
	want_int(ipc_heed(&t.worker), FX_EDENIED);
	pair_close(&t);

	pair_open(&t, IPC_R_GIT_REMOTE);
	ipc_peer_close(&t.master);
	want_int(ipc_heed(&t.worker), FX_ESHORT);
	pair_close(&t);
}

int
main(void)
{
	test_run("peer: a streamed answer goes on under credit",
	    test_ask_and_stream);
	test_run("peer: failures and closed channels reach who waits",
	    test_failed_and_closed);
	test_run("peer: a descriptor travels with its frame", test_fd_travels);
	test_run("peer: STOP is heeded and a deadline kept inside other work",
	    test_heed_and_deadline);
	test_run("peer: bytes that are no frame break the channel [A83]",
	    test_byte_attacks);
	test_run("peer: frames against the rules break the channel [A83]",
	    test_frame_attacks);
	test_run("peer: credit against the rules does, too [A83]",
	    test_credit_attacks);
	test_run("peer: control that crosses an answer does not",
	    test_control_too_late);
	test_run("peer: questions have a limit", test_many_questions);
	test_run("peer: what waits to be sent has a limit", test_full_queue);
	test_run("peer: a frame that is too long is not sent", test_long_frame);
	test_run("peer: a part beyond credit is our own bug",
	    test_beyond_credit);
	test_run("peer: descriptors before their frames have a limit",
	    test_early_descriptors);
#ifndef FX_TEST_BUILD
	test_run("peer: a frame leaves nothing behind in memory",
	    test_leaves_nothing);
#endif
	test_run("peer: what has grown for bulk is given back", test_slim);
	test_run("peer: codes of failures are ours", test_failed_codes);
	return test_done();
}
