/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the master lets its children have, and when it ends them: each of them
 * is played by the test, as if it had fallen.
 */
#include "base.h"

#include "master_bed.h"

#include <sys/mman.h>

#define VICTIM IPC_R_MANIFEST

static int64_t
violations(enum ipc_role role)
{
	auto_free char *labels =
	    xasprintf("worker=\"%s\"", ipc_role_name(role));

	return bed_gauge(METRIC_PROTOCOL_VIOLATIONS, labels);
}

/* The worker has ended, and its next incarnation has a channel. */
static struct child *
new_incarnation(enum ipc_role role)
{
	struct child *c = mst_child(&bed, role);

	ipc_peer_close(&bed_far[role]);
	bed_turn();
	child_exited(c, c->pid, 9);
	loop_timer_stop(bed.loop, &c->retry);
	bed_wire(c);
	bed_forget();
	return c;
}

static void
say_ready(struct child *c, const char *missing)
{
	child_is_ready(c,
	    &(struct ipc_ready){ .root = (char *)(uintptr_t) "empty",
		.missing = (char *)(uintptr_t)missing });
}

/* It was killed, the launcher was told, and it is put right again. */
static void
is_ended(struct child *c)
{
	want_int(c->state, CHILD_ENDING);
	bed_kill(c->role);
	want_int(c->state, CHILD_RUNNING);
}

/* ---- confinement -----------------------------------------------------------
 */

static void
test_confined(void)
{
	static const struct {
		const char *sandbox, *missing;
		uint64_t seccomp, no_new_privs, caps;
		bool runs;
	} tv[] = {
		{ "strict", "", 2, 1, 0, true },
		{ "strict", "landlock: too old", 2, 1, 0, true },
		{ "strict", "", 0, 1, 0, false },
		{ "strict", "", 1, 1, 0, false },
		{ "strict", "", 2, 0, 0, false },
		{ "strict", "", 2, 1, 1, false },
		{ "strict", "", 2, 1, 1ull << 40, false },
		{ "strict", "seccomp: not here", 0, 1, 0, false },
		{ "relaxed", "seccomp: not here", 0, 1, 0, true },
		{ "relaxed", "", 0, 1, 0, false },
		{ "relaxed", "seccomp: not here", 0, 0, 0, false },
		{ "relaxed", "seccomp: not here", 0, 1, 1, false },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *flag = xasprintf("--sandbox=%s", tv[i].sandbox);
		struct child *c;

		bed_begin(flag, NULL);
		c = new_incarnation(VICTIM);
		say_ready(c, tv[i].missing);
		want_int(c->state, CHILD_STARTING);
		BED_ANSWER(bed_take(IPC_R_LAUNCHER, IPC_T_INSPECT), inspected,
		    .pid = c->pid, .seccomp = tv[i].seccomp,
		    .no_new_privs = tv[i].no_new_privs, .caps = tv[i].caps);
		if (!want_int(c->state == CHILD_RUNNING, tv[i].runs))
			printf("# row %zu\n", i);
		if (!tv[i].runs) {
			want_log("says it is ready and is not confined");
			want_int(violations(VICTIM), 1);
			is_ended(c);
		}
		bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
		bed_end();
	}
}

/* It is this process that is looked at, and it has to be there. */
static void
test_inspected(void)
{
	struct child *c;

	bed_begin(NULL);
	c = new_incarnation(VICTIM);
	say_ready(c, "");
	BED_ANSWER(bed_take(IPC_R_LAUNCHER, IPC_T_INSPECT), inspected,
	    .pid = c->pid + 1, .seccomp = 2, .no_new_privs = 1);
	want_int(c->state, CHILD_STARTING);
	c = new_incarnation(VICTIM);
	say_ready(c, "");
	bed_fail(bed_take(IPC_R_LAUNCHER, IPC_T_INSPECT), FX_EUNKNOWN,
	    "is not running");
	want_log("cannot be inspected");
	is_ended(c);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	bed_end();
}

/* A program of another build is known by the hash of its table. */
static void
test_other_build(void)
{
	struct child *c;
	struct ipc_ready m = { .table_id = ipc_table_id() ^ 1,
		.missing = (char *)(uintptr_t) "",
		.root = (char *)(uintptr_t) "empty" };

	bed_begin(NULL);
	c = new_incarnation(VICTIM);
	want_int(ipc_tell_ready(&bed_far[VICTIM], &m), FX_OK);
	bed_turn();
	want_log("of another version");
	want(bed_none(IPC_R_LAUNCHER, IPC_T_INSPECT));
	is_ended(c);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	bed_end();
}

/* ---- time
 * -------------------------------------------------------------------- */

static void
test_start_limit(void)
{
	struct child *c;

	bed_begin(NULL);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	c = new_incarnation(VICTIM);
	bed_pass(29 * CLK_SEC);
	want_int(c->state, CHILD_STARTING);
	bed_pass(2 * CLK_SEC);
	want_log("did not become ready in time");
	is_ended(c);
	bed_end();
}

/* An event-driven child that says nothing is ended; one that works inside a
 * library has its questions' deadlines. */
static void
test_silence(void)
{
	struct child *net, *local;
	int fds[2];

	bed_begin("--git-poll-interval=1h", "--git-timeout=1h", NULL);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	net = mst_child(&bed, IPC_R_NET);
	local = mst_child(&bed, IPC_R_GIT_LOCAL);
	fds[0] = bed_far[IPC_R_NET].fd;
	fds[1] = bed_far[IPC_R_GIT_LOCAL].fd;
	bed_far[IPC_R_NET].fd = bed_far[IPC_R_GIT_LOCAL].fd = -1;
	bed_pass(14 * CLK_SEC);
	want_int(net->state, CHILD_RUNNING);
	bed_pass(2 * CLK_SEC);
	want_int(net->state, CHILD_ENDING);
	want_log("ping: no answer within 5000 ms");
	bed_pass(5 * CLK_MIN);
	want_int(local->state, CHILD_RUNNING);
	bed_far[IPC_R_NET].fd = fds[0];
	bed_far[IPC_R_GIT_LOCAL].fd = fds[1];
	is_ended(net);
	bed_end();
}

static int
ignore(void *arg, struct ipc_frame *f)
{
	(void)arg;
	(void)f;
	return FX_OK;
}

/* An API server that says nothing is given up by sync, which can say so. */
static void
test_slow_cluster(void)
{
	const struct ipc_scopes m = { 0 };
	const struct child *sync;

	bed_begin("--git-poll-interval=1h", "--sync-timeout=5m", NULL);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	sync = mst_child(&bed, IPC_R_SYNC);
	want(ipc_ask_scopes(&bed_far[IPC_R_MANIFEST], &m, ignore, NULL) != 0);
	bed_pass(5 * CLK_MIN);
	want_int(sync->state, CHILD_RUNNING);
	bed_drop(IPC_R_SYNC, IPC_T_SCOPES);
	bed_end();
}

/* At once, then later and later up to a minute, and a healthy minute forgives.
 */
static void
test_back_off(void)
{
	static const int64_t pauses_ms[] = { 0, 200, 400, 800, 1600, 3200, 6400,
		12800, 25600, 51200, 60000, 60000 };
	struct child *c;

	bed_begin("--git-poll-interval=1h", "--git-timeout=1h", NULL);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	c = mst_child(&bed, VICTIM);
	ipc_peer_close(&bed_far[VICTIM]);
	bed_turn();
	child_exited(c, c->pid, 9);
	for (size_t i = 0; i < nitems(pauses_ms); i++) {
		if (pauses_ms[i] != 0) {
			bed_pass(pauses_ms[i] * CLK_MS - CLK_MS);
			if (!want(bed_none(IPC_R_LAUNCHER, IPC_T_SPAWN)))
				printf("# before %lld ms\n",
				    (long long)pauses_ms[i]);
		}
		bed_pass(2 * CLK_MS);
		bed_fail(bed_take(IPC_R_LAUNCHER, IPC_T_SPAWN), FX_ESYS, "no");
	}
	loop_timer_stop(bed.loop, &c->retry);
	bed_run(c);
	bed_pass(CLK_MIN + CLK_SEC);
	want_int(c->delay_us, 0);
	bed_end();
}

/* Who asks to be started anew has it for nothing, if it has done anything
 * before; a program that ends at once does not keep the launcher busy. */
static void
test_own_end(void)
{
	struct child *c;

	bed_begin("--git-poll-interval=1h", NULL);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	c = mst_child(&bed, IPC_R_NET);
	for (int i = 0; i < 3; i++) { /* each time a second and a bit */
		bed_pass(CLK_SEC + CLK_MS);
		child_exited(c, c->pid, 0);
		bed_pass(2 * CLK_MS);
		bed_fail(bed_take(IPC_R_LAUNCHER, IPC_T_SPAWN), FX_ESYS, "no");
		loop_timer_stop(bed.loop, &c->retry);
		c->delay_us = 400 * CLK_MS; /* of failures before */
		ipc_peer_close(&bed_far[IPC_R_NET]);
		bed_run(c);
	}
	bed_pass(CLK_SEC - 10 * CLK_MS);
	child_exited(c, c->pid, 0);
	bed_pass(300 * CLK_MS);
	want(bed_none(IPC_R_LAUNCHER, IPC_T_SPAWN));
	bed_pass(200 * CLK_MS);
	bed_fail(bed_take(IPC_R_LAUNCHER, IPC_T_SPAWN), FX_ESYS, "no");
	loop_timer_stop(bed.loop, &c->retry);
	/* nor has it who failed, however long it ran */
	ipc_peer_close(&bed_far[IPC_R_NET]);
	bed_run(c);
	c->delay_us = 400 * CLK_MS;
	bed_pass(2 * CLK_SEC);
	child_exited(c, c->pid, 256);
	bed_pass(300 * CLK_MS);
	want(bed_none(IPC_R_LAUNCHER, IPC_T_SPAWN));
	bed_pass(200 * CLK_MS);
	bed_drop(IPC_R_LAUNCHER, IPC_T_SPAWN);
	bed_end();
}

static int
on_refs(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	(void)f;
	*(unsigned *)arg += err != NULL;
	return FX_OK;
}

/* So many questions wait for one child, and no more. */
static void
test_waiting(void)
{
	const struct ipc_refs m = { 0 };
	unsigned failed = 0, taken = 0;
	struct child *c;

	bed_begin("--git-poll-interval=1h", NULL);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	c = mst_child(&bed, IPC_R_GIT_LOCAL);
	for (int i = 0; i < CHILD_MAX_WAITING + 10; i++)
		taken += MST_ASK(c, refs, REFS, &m, CLK_MIN, on_refs,
			     &failed) != NULL;
	want_int(taken, CHILD_MAX_WAITING + 1); /* and one is asked */
	bed_drop(IPC_R_GIT_LOCAL, IPC_T_REFS);
	bed_pass(CLK_MIN + CLK_SEC);
	want_int(failed, taken);
	is_ended(c);
	bed_end();
}

/* ---- what a worker that fell may have
 * ------------------------------------------ */

static struct fx_err got;
static uint32_t got_type;

static int
on_got(void *arg, struct ipc_frame *f)
{
	(void)arg;
	got = (struct fx_err){ 0 };
	got_type = f == NULL ? 0 : f->type;
	if (f != NULL)
		(void)ipc_take_failed(f, &got);
	return FX_OK;
}

static void
ask_connect(enum ipc_role role, const char *host, uint64_t port)
{
	const struct ipc_connect m = { .host = (char *)(uintptr_t)host,
		.port = port };

	got_type = 0;
	want(ipc_ask_connect(&bed_far[role], &m, on_got, NULL) != 0);
	bed_turn();
}

/* Where a worker may be connected to is the master's to know. */
static void
test_connect(void)
{
	struct ipc_endpoint first = { .host = (char *)(uintptr_t) "k",
		.port = 6443 };
	struct ipc_endpoint second = { .host = (char *)(uintptr_t) "evil",
		.port = 6443 };

	bed_begin(NULL);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	bed.url.host = xstrdup("h");
	bed.url.port = 22;
	ask_connect(IPC_R_GIT_REMOTE, "h", 22);
	bed_fail(bed_take(IPC_R_NET, IPC_T_CONNECT), FX_EFAIL, "refused");
	want_int(got.code, FX_EFAIL);
	ask_connect(IPC_R_GIT_REMOTE, "h", 23);
	want_int(got.code, FX_EDENIED);
	ask_connect(IPC_R_GIT_REMOTE, "H", 22);
	want_int(got.code, FX_EDENIED);
	ask_connect(IPC_R_SYNC, "h", 22);
	want_int(got.code, FX_EDENIED);
	want_int(ipc_tell_endpoint(&bed_far[IPC_R_SYNC], &first), FX_OK);
	want_int(ipc_tell_endpoint(&bed_far[IPC_R_SYNC], &second), FX_OK);
	ask_connect(IPC_R_SYNC, "evil", 6443);
	want_int(got.code, FX_EDENIED);
	want(bed_none(IPC_R_NET, IPC_T_CONNECT));
	ask_connect(IPC_R_SYNC, "k", 6443);
	bed_fail(bed_take(IPC_R_NET, IPC_T_CONNECT), FX_EFAIL, "refused");
	want_int(got.code, FX_EFAIL);
	bed_end();
}

static void
ask_reopen_as(enum ipc_role role, uint64_t which)
{
	const struct ipc_reopen m = { .which = which };

	got_type = 0;
	want(ipc_ask_reopen(&bed_far[role], &m, on_got, NULL) != 0);
	bed_turn();
}

static void
ask_reopen(uint64_t which)
{
	ask_reopen_as(IPC_R_SYNC, which);
}

/* Files of its own only, one a second; those that the kubeconfig names once it
 * has named them. */
static void
test_reopen(void)
{
	static const uint64_t denied[] = { IPC_FILE_DEPLOY_KEY,
		IPC_FILE_GIT_PASSWORD, IPC_FILE_KNOWN_HOSTS_SYSTEM,
		IPC_FILE_KNOWN_HOSTS_USER, IPC_FILE_GIT_CA,
		IPC_FILE_SA_NAMESPACE, IPC_FILE_MIRROR_LOCK, IPC_FILE_LOG,
		IPC_FILE_API_TOKEN, IPC_FILE_COUNT, IPC_FILE_NAMED,
		IPC_FILE_NAMED + IPC_MAX_NAMED_PATHS, UINT64_MAX };
	const struct ipc_paths_named named = { 0 };

	bed_begin(NULL);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	for (size_t i = 0; i < nitems(denied); i++) {
		struct child *c = mst_child(&bed, IPC_R_SYNC);

		ask_reopen(denied[i]);
		if (!want_int(c->state, CHILD_ENDING))
			printf("# %llu\n", (unsigned long long)denied[i]);
		want(bed_none(IPC_R_LAUNCHER, IPC_T_OPEN));
		bed_kill(IPC_R_SYNC);
	}
	want_int(ipc_tell_paths_named(&bed_far[IPC_R_SYNC], &named), FX_OK);
	for (uint64_t past = IPC_FILE_NAMED + IPC_MAX_NAMED_PATHS; past != 0;
	     past = past == UINT64_MAX ? 0 : UINT64_MAX) {
		ask_reopen(past);
		want_int(mst_child(&bed, IPC_R_SYNC)->state, CHILD_ENDING);
		bed_kill(IPC_R_SYNC);
	}
	ask_reopen(IPC_FILE_NAMED);
	bed_fail(bed_take(IPC_R_LAUNCHER, IPC_T_OPEN), FX_ESYS, "no");
	ask_reopen(IPC_FILE_SA_TOKEN);
	bed_fail(bed_take(IPC_R_LAUNCHER, IPC_T_OPEN), FX_ESYS, "no");
	want_int(got.code, FX_ESYS);
	ask_reopen(IPC_FILE_SA_TOKEN);
	want_int(got.code, FX_EAGAIN);
	want(bed_none(IPC_R_LAUNCHER, IPC_T_OPEN));
	bed_pass(CLK_SEC);
	ask_reopen(IPC_FILE_SA_TOKEN);
	bed_drop(IPC_R_LAUNCHER, IPC_T_OPEN);
	/* api has one of its own, and none of those */
	ask_reopen_as(IPC_R_API, IPC_FILE_API_TOKEN);
	bed_fail(bed_take(IPC_R_LAUNCHER, IPC_T_OPEN), FX_ESYS, "no");
	want_int(got.code, FX_ESYS);
	ask_reopen_as(IPC_R_API, IPC_FILE_SA_TOKEN);
	want_int(mst_child(&bed, IPC_R_API)->state, CHILD_ENDING);
	want(bed_none(IPC_R_LAUNCHER, IPC_T_OPEN));
	bed_end();
}

/* A kubeconfig names its files once; who names others later has fallen. */
static void
test_named_once(void)
{
	struct ipc_text paths[] = { { .s = (char *)(uintptr_t) "/a" },
		{ .s = (char *)(uintptr_t) "/b" } };
	const struct ipc_paths_named one = { paths, 1, '\0' };
	const struct ipc_paths_named two = { paths, 2, '\0' };

	bed_begin(NULL);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	bed_late_paths = 0;
	want_int(ipc_tell_paths_named(&bed_far[IPC_R_SYNC], &one), FX_OK);
	bed_turn();
	want_int(bed_late_paths, 1);
	want_int(ipc_tell_paths_named(&bed_far[IPC_R_SYNC], &two), FX_OK);
	bed_turn();
	bed_kill(IPC_R_SYNC);
	want_int(ipc_tell_paths_named(&bed_far[IPC_R_SYNC], &two), FX_OK);
	bed_turn();
	want_int(bed_late_paths, 1);
	bed_end();
}

/* A worker gives up its own questions, by its word or by its end, and nobody
 * else's of the same number. */
static void
test_own_questions(void)
{
	const struct ipc_tree t = { .commit = (char *)(uintptr_t) "c",
		.base = (char *)(uintptr_t) "" };
	const struct ipc_workloads w = { .ns = (char *)(uintptr_t) "" };
	struct bed_ask asked[2];
	uint64_t seq[2];

	for (int k = 0; k < 4; k++) {
		const enum ipc_role who = k % 2 == 0 ? VICTIM : IPC_R_API;
		struct bed_ask *own = &asked[k % 2], *other = &asked[!(k % 2)];

		bed_begin("--git-poll-interval=1h", NULL);
		bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
		seq[0] = ipc_ask_tree(&bed_far[VICTIM], &t, on_got, NULL);
		seq[1] =
		    ipc_ask_workloads(&bed_far[IPC_R_API], &w, on_got, NULL);
		want(seq[0] != 0 && seq[0] == seq[1]);
		asked[0] = bed_take(IPC_R_GIT_LOCAL, IPC_T_TREE);
		asked[1] = bed_take(IPC_R_SYNC, IPC_T_WORKLOADS);
		if (k < 2)
			ipc_cancel(&bed_far[who], seq[0]);
		else
			bed_kill(who);
		bed_turn();
		want(ipc_cancelled(&own->req));
		want(!ipc_cancelled(&other->req));
		buf_clear(&own->body);
		bed_fail(*other, FX_EFAIL, "no");
		want_int(got.code, FX_EFAIL);
		bed_end();
	}
}

/* An answer that is none is blamed on who gave it, not on who is told. */
static void
test_malformed_answer(void)
{
	const struct ipc_tree m = { .commit = (char *)(uintptr_t) "c",
		.base = (char *)(uintptr_t) "" };
	auto_buf struct buf body = BUF_INIT(64);
	struct bed_ask tree;

	bed_begin(NULL);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	want(ipc_ask_tree(&bed_far[VICTIM], &m, on_got, NULL) != 0);
	tree = bed_take(IPC_R_GIT_LOCAL, IPC_T_TREE);
	want_int(buf_put(&body, "\xc3\xc3", 2), FX_OK);
	want_int(ipc_reply_raw(&tree.req, IPC_T_TREE_END, &body, -1), FX_OK);
	buf_clear(&tree.body);
	bed_turn();
	want_int(mst_child(&bed, VICTIM)->state, CHILD_RUNNING);
	want_int(got.code, FX_ERETRY);
	want_int(violations(IPC_R_GIT_LOCAL), 1);
	is_ended(mst_child(&bed, IPC_R_GIT_LOCAL));
	bed_end();
}

/* ---- the log
 * ---------------------------------------------------------------------- */

/* Records in a file that say so. */
static int
count_in(int fd, const char *text)
{
	char line[512];
	FILE *f = fdopen(dup(fd), "r");
	int n = 0;

	if (f == NULL)
		return -1;
	rewind(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, text) != NULL;
	fclose(f);
	return n;
}

static void
say(const char *key, const char *value, uint64_t kind, int times)
{
	struct ipc_log_pair pair = { .key = (char *)(uintptr_t)key,
		.value = (char *)(uintptr_t)value,
		.kind = kind };
	const struct ipc_log m = { .level = LVL_INFO,
		.caller = (char *)(uintptr_t) "x.c:1",
		.pairs = &pair,
		.pairs_len = 1 };

	for (int i = 0; i < times; i++) {
		want_int(ipc_tell_log(&bed_far[VICTIM], &m), FX_OK);
		if (i % 100 == 99)
			bed_turn();
	}
	for (int i = 0; i < 10; i++)
		bed_turn();
	logger_flush(&bed.log, CLK_SEC);
}

static void
test_log(void)
{
	static const char *const keys[] = { "ts", "caller", "worker", "", "a b",
		"a=b", "a\nb", "a\"b", "\x7f" };
	int fd = memfd_create("log", MFD_CLOEXEC);

	bed_begin(NULL);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	logger_init(&bed.log, fd, false, LVL_INFO);
	/* five hundred at once, then a hundred a second */
	say("said", "much", LOG_K_STR, 700);
	want_int(count_in(fd, "said=much worker=manifest"), 500);
	want_int(bed.log.dropped, 200);
	bed_pass(CLK_SEC);
	say("said", "more", LOG_K_STR, 200);
	want_int(count_in(fd, "said=more"), 100);
	bed_pass(CLK_MIN);
	/* nothing goes out bare */
	say("said", "x forged=yes", LOG_K_BARE, 1);
	want_int(count_in(fd, "said=\"x forged=yes\""), 1);
	for (size_t i = 0; i < nitems(keys); i++) {
		struct child *c = mst_child(&bed, VICTIM);

		say(keys[i], "forged", LOG_K_STR, 1);
		if (!want_int(c->state, CHILD_ENDING))
			printf("# key %zu\n", i);
		bed_kill(VICTIM);
	}
	want_int(count_in(fd, "=forged"), 0);
	log_to(bed_sink, NULL);
	bed_end();
	close(fd);
}

int
main(void)
{
	test_run("children: run when the kernel says that they are confined",
	    test_confined);
	test_run("children: are looked at themselves", test_inspected);
	test_run("children: of another build are not run", test_other_build);
	test_run("children: have to be ready in time", test_start_limit);
	test_run("children: that say nothing are ended", test_silence);
	test_run("children: are not ended for a server that says nothing",
	    test_slow_cluster);
	test_run("children: come back later each time", test_back_off);
	test_run("children: that end by themselves have done something first",
	    test_own_end);
	test_run("children: are asked so much and no more", test_waiting);
	test_run("children: are connected where they may", test_connect);
	test_run("children: have files of their own opened", test_reopen);
	test_run("children: name files once", test_named_once);
	test_run("children: give up their own questions", test_own_questions);
	test_run("children: are blamed for their own frames",
	    test_malformed_answer);
	test_run("children: log so much and no more, in their own name",
	    test_log);
	return test_done();
}
