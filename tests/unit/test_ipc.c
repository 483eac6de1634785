/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "ipc.h"
#include "ipc_random.h"
#include "ipc_wire.h"
#include "test.h"

#include <fcntl.h>
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

/* A negative number is as short as it can be, one that is none fits. */
static void
test_signed_refuses(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		int want;
	} tv[] = {
		{ "\xe0", 1, FX_OK },
		{ "\xd0\xdf", 2, FX_OK }, /* -33 */
		{ "\xd0\xe0", 2, FX_ESYNTAX },
		{ "\xd0\x01", 2, FX_ESYNTAX },
		{ "\xd1\xff\x80", 3, FX_ESYNTAX },
		{ "\xd2\xff\xff\x80\x00", 5, FX_ESYNTAX },
		{ "\xd3\xff\xff\xff\xff\x80\x00\x00\x00", 9, FX_ESYNTAX },
		{ "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9, FX_OK },
		{ "\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 9, FX_ELIMIT },
		{ "\xc0", 1, FX_ESYNTAX },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct buf b = buf_view(tv[i].bytes, tv[i].n);
		int64_t v;

		if (!want_int(wire_get_i64(&b, &v), tv[i].want))
			printf("# row %zu\n", i);
	}
}

/* Both ends keep the limits of the row. */
static void
test_wire_limits(void)
{
	auto_buf struct buf b = BUF_INIT(64);
	struct buf view;
	const uint8_t *p;
	const char *s;
	size_t n;

	want_int(wire_put_str(&b, "abcd", 3), FX_ELIMIT);
	want_int(wire_put_bytes(&b, "abcd", 4, 3), FX_ELIMIT);
	want_int(wire_put_array(&b, 4, 3), FX_ELIMIT);
	want_int(buf_left(&b), 0);
	view = buf_view("\xa4"
			"abcd",
	    5);
	want_int(wire_view_str(&view, 3, &s, &n), FX_ELIMIT);
	view = buf_view("\xc4\x04"
			"abcd",
	    6);
	want_int(wire_view_bytes(&view, 3, &p, &n), FX_ELIMIT);
	view = buf_view("\x94\x01\x01\x01\x01", 5);
	want_int(wire_get_array(&view, 3, &n), FX_ELIMIT);
	view = buf_view("\x94\x01\x01\x01\x01", 5);
	want_int(wire_get_array(&view, 4, &n), FX_OK);
}

/* ---- codec: every row, from random values ---------------------------------
 */

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

			ipc_put_random(&b, ipc_fields(t));
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

		ipc_put_random(&b, ipc_fields(t));
		want_int(buf_put(&b, "\x00", 1), FX_OK);
		view = buf_view(buf_head(&b), buf_left(&b));
		want_int(ipc_walk(t, &view, &has_fd), FX_ESYNTAX);
		want_int(recode(t, &view, &out), FX_ESYNTAX);
	}
}

/* A record has the fields of its row, neither one less nor one more. */
static void
test_records_exact(void)
{
	for (size_t fields = 0; fields < 5; fields++) {
		auto_buf struct buf b = BUF_INIT(1 << 20);
		auto_buf struct buf out = BUF_INIT(1 << 20);
		struct buf view;
		bool has_fd;
		int want_r = fields == 2 ? FX_OK : FX_ESYNTAX;

		want_int(wire_put_array(&b, 1, 1), FX_OK); /* commits */
		want_int(wire_put_array(&b, fields, 64), FX_OK);
		for (size_t i = 0; i < fields; i++)
			want_int(wire_put_str(&b, "x", 1), FX_OK);
		view = buf_view(buf_head(&b), buf_left(&b));
		want_int(ipc_walk(IPC_T_COMMIT_PART, &view, &has_fd), want_r);
		want_int(recode(IPC_T_COMMIT_PART, &view, &out), want_r);
	}
}

/* A descriptor comes exactly when its field says so, and belongs to who
 * decoded it. */
static void
test_descriptors(void)
{
	for (int says = 0; says < 2; says++)
		for (int comes = 0; comes < 2; comes++) {
			auto_buf struct buf b = BUF_INIT(64);
			int fd = comes ? dup(1) : -1, kept = fd;
			struct ipc_file m;
			int r;

			want_int(wire_put_u64(&b, IPC_FILE_LOG), FX_OK);
			want_int(wire_put_bool(&b, says), FX_OK);
			r = ipc_file_decode(&b, &m, &fd);
			want_int(r, says == comes ? FX_OK : FX_ESYNTAX);
			if (r != FX_OK) {
				want_int(fd, kept); /* still the caller's */
				if (fd != -1)
					close(fd);
				continue;
			}
			want_int(m.fd, kept);
			want_int(fd, -1);
			ipc_file_clear(&m);
			want_int(m.fd, -1);
			if (comes)
				want_int(fcntl(kept, F_GETFD), -1);
		}
}

/* Whatever is cut or changed, the walk and the decoder say the same. */
static void
test_rows_damaged(void)
{
	for (uint32_t t = 1; t < IPC_T_COUNT; t++) {
		auto_buf struct buf b = BUF_INIT(1 << 20);
		size_t n;

		ipc_put_random(&b, ipc_fields(t));
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

			b.data[i] ^= (uint8_t)(1u << (ipc_rnd() % 8));
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
		enum ipc_role self, who;
		uint32_t phase;
		int want;
	} tv[] = {
		{ IPC_T_FETCH, IPC_R_GIT_REMOTE, IPC_R_MASTER, IPC_PH_RUN,
		    FX_OK },
		{ IPC_T_FETCH, IPC_R_GIT_REMOTE, IPC_R_MASTER, IPC_PH_START,
		    FX_EDENIED },
		{ IPC_T_FETCH, IPC_R_GIT_LOCAL, IPC_R_MASTER, IPC_PH_RUN,
		    FX_EDENIED },
		/* clients never drive git themselves */
		{ IPC_T_FETCH, IPC_R_MASTER, IPC_R_API, IPC_PH_RUN,
		    FX_EDENIED },
		/* only who talks ssh may have something signed */
		{ IPC_T_KEY_SIGN, IPC_R_MASTER, IPC_R_GIT_REMOTE, IPC_PH_RUN,
		    FX_OK },
		{ IPC_T_KEY_SIGN, IPC_R_MASTER, IPC_R_GIT_LOCAL, IPC_PH_RUN,
		    FX_EDENIED },
		/* a key is made and stored at the master's word only */
		{ IPC_T_KEY_MAKE, IPC_R_KEY, IPC_R_MASTER, IPC_PH_RUN, FX_OK },
		{ IPC_T_KEY_MAKE, IPC_R_MASTER, IPC_R_API, IPC_PH_RUN,
		    FX_EDENIED },
		{ IPC_T_KEY_MADE, IPC_R_MASTER, IPC_R_SYNC, IPC_PH_RUN,
		    FX_EDENIED },
		{ IPC_T_KEY_STORE, IPC_R_MASTER, IPC_R_KEY, IPC_PH_RUN,
		    FX_EDENIED },
		{ IPC_T_CONNECT, IPC_R_MASTER, IPC_R_MANIFEST, IPC_PH_RUN,
		    FX_EDENIED },
		{ IPC_T_SPAWN, IPC_R_MASTER, IPC_R_SYNC, IPC_PH_RUN,
		    FX_EDENIED },
		{ IPC_T_COUNT, IPC_R_GIT_REMOTE, IPC_R_MASTER, IPC_PH_RUN,
		    FX_EUNKNOWN },
		{ IPC_T_NONE, IPC_R_GIT_REMOTE, IPC_R_MASTER, IPC_PH_RUN,
		    FX_EUNKNOWN },
	};

	for (size_t i = 0; i < nitems(tv); i++)
		want_int(ipc_permit(tv[i].type, tv[i].self, tv[i].who,
			     tv[i].phase),
		    tv[i].want);
}

/* Each type from and to each role in each phase, by the row's own words. */
static void
test_permit_all(void)
{
	static const uint32_t phases[] = { IPC_PH_START, IPC_PH_RUN };

	for (uint32_t t = 1; t < IPC_T_COUNT; t++)
		for (int role = 0; role < IPC_R_COUNT; role++)
			for (size_t i = 0; i < nitems(phases); i++) {
				const struct ipc_rule *r = ipc_rule(t);
				const enum ipc_role who = (enum ipc_role)role;
				bool now = (r->phases & phases[i]) != 0;

				want_int(ipc_permit(t, IPC_R_MASTER, who,
					     phases[i]) == FX_OK,
				    now && (r->from & IPC_BIT(who)) != 0);
				if (who == IPC_R_MASTER)
					continue;
				want_int(ipc_permit(t, who, IPC_R_MASTER,
					     phases[i]) == FX_OK,
				    now && (r->to & IPC_BIT(who)) != 0);
			}
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

int
main(void)
{
	test_run("wire: numbers round trip in their shortest form",
	    test_numbers_are_shortest);
	test_run("wire: lies about length and longer forms are refused",
	    test_wire_refuses);
	test_run("wire: signed numbers, too", test_signed_refuses);
	test_run("wire: limits hold on both sides", test_wire_limits);
	test_run("codec: every row round trips, and the walk agrees",
	    test_rows_round_trip);
	test_run("codec: a byte more than the row has is refused",
	    test_rows_longer);
	test_run("codec: a record has exactly its fields", test_records_exact);
	test_run("codec: a descriptor comes when its field says so",
	    test_descriptors);
	test_run("codec: cut and damaged frames are refused by both",
	    test_rows_damaged);
	test_run("rules: who may send what to whom, and when", test_permit);
	test_run("rules: each row to and from each role", test_permit_all);
	test_run("rules: every question has one final answer",
	    test_answers_go_back);
	return test_done();
}
