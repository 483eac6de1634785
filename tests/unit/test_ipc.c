/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "clock.h"
#include "ipc.h"
#include "ipc_peer.h"
#include "ipc_wire.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- wire -----------------------------------------------------------------
 */

static void
test_numbers_are_shortest(void)
{
	static const uint64_t uv[] = { 0, 1, 127, 128, 255, 256, 65535, 65536,
		UINT32_MAX, 0x100000000u, UINT64_MAX };
	static const int64_t iv[] = { 0, -1, -32, -33, -128, -129, -32768,
		-32769, INT32_MIN, INT64_MIN, 127, 128, INT64_MAX };

	for (size_t i = 0; i < nitems(uv); i++) {
		auto_buf struct buf b = BUF_INIT(16);
		uint64_t got = 1;

		want_int(wire_put_u64(&b, uv[i]), FX_OK);
		want_int(wire_get_u64(&b, &got), FX_OK);
		want(got == uv[i]);
		want_int(buf_left(&b), 0);
	}
	for (size_t i = 0; i < nitems(iv); i++) {
		auto_buf struct buf b = BUF_INIT(16);
		int64_t got = 1;

		want_int(wire_put_i64(&b, iv[i]), FX_OK);
		want_int(wire_get_i64(&b, &got), FX_OK);
		want_int(got, iv[i]);
		want_int(buf_left(&b), 0);
	}
}

static void
test_wire_refuses(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		int u64, str, array;
	} tv[] = {
		{ "\xcc\x01", 2, FX_ESYNTAX, FX_ESYNTAX, FX_ESYNTAX },
		{ "\xcd\x00\xff", 3, FX_ESYNTAX, FX_ESYNTAX, FX_ESYNTAX },
		{ "\xcf\x00", 2, FX_ESHORT, FX_ESYNTAX, FX_ESYNTAX },
		{ "\xff", 1, FX_ESYNTAX, FX_ESYNTAX, FX_ESYNTAX },
		{ "\xa3"
		  "ab",
		    3, FX_ESYNTAX, FX_ESHORT, FX_ESYNTAX },
		{ "\xa2"
		  "a\0",
		    3, FX_ESYNTAX, FX_ESYNTAX, FX_ESYNTAX },
		{ "\xd9\x03"
		  "abc",
		    5, FX_ESYNTAX, FX_ESYNTAX, FX_ESYNTAX },
		{ "\xdb\xff\xff\xff\xff", 5, FX_ESYNTAX, FX_ELIMIT,
		    FX_ESYNTAX },
		/* an array that claims 268 million elements in five bytes */
		{ "\xdd\x0f\xff\xff\xff", 5, FX_ESYNTAX, FX_ESYNTAX,
		    FX_ELIMIT },
		{ "\x93\x01", 2, FX_ESYNTAX, FX_ESYNTAX, FX_ELIMIT },
		{ "", 0, FX_ESHORT, FX_ESHORT, FX_ESHORT },
		{ "\xc0", 1, FX_ESYNTAX, FX_ESYNTAX, FX_ESYNTAX },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct buf b = buf_view(tv[i].bytes, tv[i].n);
		uint64_t u;
		const char *s;
		size_t n;

		want_int(wire_get_u64(&b, &u), tv[i].u64);
		b = buf_view(tv[i].bytes, tv[i].n);
		want_int(wire_view_str(&b, 100, &s, &n), tv[i].str);
		b = buf_view(tv[i].bytes, tv[i].n);
		want_int(wire_get_array(&b, SIZE_MAX, &n), tv[i].array);
	}
}

/* ---- codec: every row, from random values ---------------------------------
 */

static uint64_t rng = 88172645463325252u;

static uint64_t
rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static void
put_random(struct buf *b, const struct ipc_field *f)
{
	static const char text[] = "The quick brown fox";
	size_t n;
	int r = FX_OK;

	for (; f->name != NULL && r == FX_OK; f++) {
		switch (f->kind) {
		case IPC_K_U64:
			r = wire_put_u64(b, rnd() >> (rnd() % 64));
			break;
		case IPC_K_I64:
			r = wire_put_i64(b, (int64_t)(rnd() >> (rnd() % 64)));
			break;
		case IPC_K_BOOL:
			r = wire_put_bool(b, rnd() & 1);
			break;
		case IPC_K_FD:
			r = wire_put_bool(b, false);
			break;
		case IPC_K_STR:
			r = wire_put_str(b, text + rnd() % 20, f->max);
			break;
		case IPC_K_BYTES:
		case IPC_K_SECRET:
			n = rnd() % 19;
			r = wire_put_bytes(b, text, n, f->max);
			break;
		case IPC_K_LIST:
			n = rnd() % 4;
			r = wire_put_array(b, n, f->max);
			for (size_t i = 0; r == FX_OK && i < n; i++) {
				size_t k = 0;

				while (f->record[k].name != NULL)
					k++;
				r = wire_put_array(b, k, 64);
				put_random(b, f->record);
			}
			break;
		}
	}
	want_int(r, FX_OK);
}

/* Decode and encode again, by type. */
static int
recode(uint32_t type, struct buf *in, struct buf *out)
{
	int fd = -1, r = FX_EUNKNOWN;

	switch (type) {
#define IPC_RECORD(n, ...)
#define IPC_MSG(id, n, ...)                                                    \
	case IPC_T_##id: {                                                     \
		struct ipc_##n m;                                              \
                                                                               \
		r = ipc_##n##_decode(in, &m, &fd);                             \
		if (r == FX_OK) {                                              \
			r = ipc_##n##_encode(out, &m, &fd);                    \
			ipc_##n##_clear(&m);                                   \
		}                                                              \
		break;                                                         \
	}
#include "ipc_messages.def"
#include "ipc_undef.h"
	}
	return r;
}

static void
test_rows_round_trip(void)
{
	for (uint32_t t = 1; t < IPC_T_COUNT; t++) {
		for (int round = 0; round < 20; round++) {
			auto_buf struct buf b = BUF_INIT(1 << 20);
			auto_buf struct buf out = BUF_INIT(1 << 20);
			struct buf view;
			bool has_fd;

			put_random(&b, ipc_fields(t));
			view = buf_view(buf_head(&b), buf_left(&b));
			want_int(ipc_walk(t, &view, &has_fd), FX_OK);
			want_int(recode(t, &view, &out), FX_OK);
			want_int(buf_left(&view), 0);
			want_int(buf_left(&out), buf_left(&b));
			want_mem(buf_head(&out), buf_head(&b), buf_left(&b));
		}
	}
}

/* A byte behind the last field is one too many, for the walk and the decoder.
 */
static void
test_rows_longer(void)
{
	for (uint32_t t = 1; t < IPC_T_COUNT; t++) {
		auto_buf struct buf b = BUF_INIT(1 << 20);
		auto_buf struct buf out = BUF_INIT(1 << 20);
		struct buf view;
		bool has_fd;

		put_random(&b, ipc_fields(t));
		want_int(buf_put(&b, "\x00", 1), FX_OK);
		view = buf_view(buf_head(&b), buf_left(&b));
		want_int(ipc_walk(t, &view, &has_fd), FX_ESYNTAX);
		want_int(recode(t, &view, &out), FX_ESYNTAX);
	}
}

/* Whatever is cut or changed, the walk and the decoder say the same. */
static void
test_rows_damaged(void)
{
	for (uint32_t t = 1; t < IPC_T_COUNT; t++) {
		auto_buf struct buf b = BUF_INIT(1 << 20);
		size_t n;

		put_random(&b, ipc_fields(t));
		n = buf_left(&b);
		for (size_t cut = 0; cut < n; cut++) {
			auto_buf struct buf out = BUF_INIT(1 << 20);
			struct buf view = buf_view(buf_head(&b), cut);
			bool has_fd;

			want(ipc_walk(t, &view, &has_fd) != FX_OK);
			want(recode(t, &view, &out) != FX_OK);
		}
		for (size_t i = 0; i < n; i++) {
			auto_buf struct buf out = BUF_INIT(1 << 20);
			struct buf view = buf_view(buf_head(&b), n);
			bool has_fd = false, walk_ok;

			b.data[i] ^= (uint8_t)(1u << (rnd() % 8));
			walk_ok = ipc_walk(t, &view, &has_fd) == FX_OK;
			if (recode(t, &view, &out) == FX_OK)
				want(walk_ok);
			else if (!has_fd)
				want(!walk_ok);
		}
	}
}

/* ---- rules ----------------------------------------------------------------
 */

static void
test_permit(void)
{
	static const struct {
		uint32_t type;
		enum ipc_role from, to;
		uint32_t phase;
		int want;
	} tv[] = {
		{ IPC_T_FETCH, IPC_R_MASTER, IPC_R_GIT_REMOTE, IPC_PH_RUN,
		    FX_OK },
		/* clients never drive git themselves */
		{ IPC_T_FETCH, IPC_R_API, IPC_R_GIT_REMOTE, IPC_PH_RUN,
		    FX_EDENIED },
		{ IPC_T_FETCH, IPC_R_MASTER, IPC_R_GIT_LOCAL, IPC_PH_RUN,
		    FX_EDENIED },
		{ IPC_T_FETCH, IPC_R_MASTER, IPC_R_GIT_REMOTE, IPC_PH_START,
		    FX_EDENIED },
		/* only who talks ssh may have something signed */
		{ IPC_T_KEY_SIGN, IPC_R_GIT_LOCAL, IPC_R_KEY, IPC_PH_RUN,
		    FX_EDENIED },
		{ IPC_T_CONNECT, IPC_R_MANIFEST, IPC_R_NET, IPC_PH_RUN,
		    FX_EDENIED },
		{ IPC_T_SPAWN, IPC_R_SYNC, IPC_R_LAUNCHER, IPC_PH_RUN,
		    FX_EDENIED },
		{ IPC_T_COUNT, IPC_R_MASTER, IPC_R_GIT_REMOTE, IPC_PH_RUN,
		    FX_EUNKNOWN },
		{ IPC_T_NONE, IPC_R_MASTER, IPC_R_GIT_REMOTE, IPC_PH_RUN,
		    FX_EUNKNOWN },
	};

	for (size_t i = 0; i < nitems(tv); i++)
		want_int(ipc_permit(tv[i].type, tv[i].from, tv[i].to,
			     tv[i].phase),
		    tv[i].want);
}

/* Every ASK has exactly one final answer row of its own, going back. */
static void
test_answers_go_back(void)
{
	for (uint32_t t = 1; t < IPC_T_COUNT; t++) {
		const struct ipc_rule *ask = ipc_rule(t);
		int answers = 0;

		if (ask->kind != IPC_ASK)
			continue;
		for (uint32_t u = 1; u < IPC_T_COUNT; u++) {
			const struct ipc_rule *a = ipc_rule(u);

			if (a->of != t)
				continue;
			want_int(a->from, ask->to);
			want_int(a->to, ask->from);
			if (a->kind == IPC_ANSWER)
				answers++;
		}
		want_int(answers, 1);
	}
}

/* ---- peers ----------------------------------------------------------------
 */

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

/* A83: what a worker that fell may send; each must break its channel. */
static void
test_frame_attacks(void)
{
	static const struct {
		const char *what;
		enum ipc_role who;
		const char *bytes;
		size_t n;
		int fds;
	} tv[] = {
		{ "length 0", IPC_R_API, "\0\0\0\0", 4, 0 },
		{ "length 2^32-1", IPC_R_API, "\xff\xff\xff\xff", 4, 0 },
		{ "not an array", IPC_R_API, "\x01\0\0\0\x01", 5, 0 },
		{ "a short envelope", IPC_R_API, "\x02\0\0\0\x93\x01", 6, 0 },
		{ "an array claiming 2^28 elements", IPC_R_API,
		    "\x05\0\0\0\xdd\x0f\xff\xff\xff", 9, 0 },
		{ "an unknown type", IPC_R_API,
		    "\x06\0\0\0\x93\xcd\x7f\xff\0\0", 10, 0 },
		{ "an answer nobody asked for", IPC_R_SYNC,
		    "\x04\0\0\0\x93\x0b\x01\0", 8, 0 },
		{ "253 descriptors", IPC_R_API, "\x04\0\0\0", 4, 253 },
		{ "a descriptor with a frame that has none", IPC_R_API,
		    "\x05\0\0\0\x94\x07\x01\0\x01", 9, 1 },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		int r = attack(tv[i].who, tv[i].bytes, tv[i].n, tv[i].fds);

		if (r == FX_OK || r == FX_ESHORT)
			printf("# accepted: %s\n", tv[i].what);
		want(r != FX_OK && r != FX_ESHORT);
	}
}

/* What the master passes on goes nowhere here. */
static int
swallow(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	(void)ctx;
	(void)p;
	(void)f;
	return FX_OK;
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
	t.master.relay = swallow;
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

	/* nothing new may be asked for meanwhile */
	pair_open(&t, IPC_R_GIT_REMOTE);
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
	test_run("wire: numbers round trip in their shortest form",
	    test_numbers_are_shortest);
	test_run("wire: lies about length and longer forms are refused",
	    test_wire_refuses);
	test_run("codec: every row round trips, and the walk agrees",
	    test_rows_round_trip);
	test_run("codec: a byte more than the row has is refused",
	    test_rows_longer);
	test_run("codec: cut and damaged frames are refused by both",
	    test_rows_damaged);
	test_run("rules: who may send what to whom, and when", test_permit);
	test_run("rules: every question has one final answer",
	    test_answers_go_back);
	test_run("peer: a streamed answer goes on under credit",
	    test_ask_and_stream);
	test_run("peer: failures and closed channels reach who waits",
	    test_failed_and_closed);
	test_run("peer: a descriptor travels with its frame", test_fd_travels);
	test_run("peer: STOP is heeded and a deadline kept inside other work",
	    test_heed_and_deadline);
	test_run("A83 peer: attacks by frames break the channel",
	    test_frame_attacks);
	return test_done();
}
