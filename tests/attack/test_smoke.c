/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every worker as a process, locked down, does a little of its work and ends
 * in peace.  allocators.sh runs it under each setting of the C library's
 * allocator, which decides which calls the filters see.
 */
#include "base.h"
#include "../unit/worker_util.h"

#include <sys/stat.h>

struct answer {
	bool done, ok;
	struct fx_err err;
};

static char dir[] = "/tmp/test-smoke.XXXXXX";
static char mirror[64], url[96];

/* Any answer, also "it cannot be done": what counts is that one came. */
static int
on_answer(void *arg, struct ipc_frame *f)
{
	struct answer *a = arg;

	a->done = f != NULL;
	if (f == NULL)
		return FX_OK;
	a->ok = ipc_take_failed(f, &a->err) == FX_OK;
	printf("# answer: %s\n", a->ok ? ipc_type_name(f->type) : a->err.text);
	return FX_OK;
}

/* What the worker asks of others is not to be had. */
static int
refuse(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	const struct ipc_req req = { p, f->seq, f->type };

	(void)ctx;
	if (ipc_rule(f->type)->kind != IPC_ASK)
		return FX_OK;
	return ipc_reply_failf(&req, FX_EFAIL, "not in this test");
}

static uint64_t
ask_ping(struct ipc_peer *p, struct answer *a)
{
	const struct ipc_ping m = { 0 };

	return ipc_ask_ping(p, &m, on_answer, a);
}

static uint64_t
ask_key(struct ipc_peer *p, struct answer *a)
{
	const struct ipc_key_public m = { 0 };

	return ipc_ask_key_public(p, &m, on_answer, a);
}

static uint64_t
ask_connect(struct ipc_peer *p, struct answer *a)
{
	const struct ipc_connect m = { .host = (char *)(uintptr_t) "localhost",
		.port = 1,
		.timeout_ms = 5000 };

	return ipc_ask_connect(p, &m, on_answer, a);
}

static uint64_t
ask_fetch(struct ipc_peer *p, struct answer *a)
{
	const struct ipc_fetch m = { .timeout_ms = 10000 };

	return ipc_ask_fetch(p, &m, on_answer, a);
}

static uint64_t
ask_refs(struct ipc_peer *p, struct answer *a)
{
	const struct ipc_refs m = { 0 };

	return ipc_ask_refs(p, &m, on_answer, a);
}

static uint64_t
ask_load(struct ipc_peer *p, struct answer *a)
{
	const struct ipc_load m = {
		.commit = (char
			*)(uintptr_t) "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
	};

	return ipc_ask_load(p, &m, on_answer, a);
}

/* In this order: git-remote makes the mirror that git-local reads. */
static const struct smoke {
	enum ipc_role role;
	uint64_t (*ask)(struct ipc_peer *, struct answer *);
	bool must_work; /* else a refusal will do */
} smokes[] = {
	{ IPC_R_NET, ask_ping, true },
	{ IPC_R_NET, ask_connect, false },
	{ IPC_R_KEY, ask_key, false },
	{ IPC_R_GIT_REMOTE, ask_fetch, true },
	{ IPC_R_GIT_LOCAL, ask_refs, true },
	{ IPC_R_MANIFEST, ask_load, false },
	{ IPC_R_SYNC, ask_ping, true },
	{ IPC_R_API, ask_ping, true },
	{ IPC_R_UPSTREAM, ask_ping, true },
};

static const struct smoke *current;

static void
test_smoke(void)
{
	char *const settings[] = { (char *)(uintptr_t) "git-url", url,
		(char *)(uintptr_t) "mirror-dir", mirror,
		(char *)(uintptr_t) "git-branch", (char *)(uintptr_t) "master",
		(char *)(uintptr_t) "connect",
		(char *)(uintptr_t) "http://127.0.0.1:1/", NULL };
	struct worker_under_test w;
	struct answer a = { 0 };

	worker_begin(&w, current->role, 0, settings);
	/* some ask as soon as they are ready */
	w.peer.relay = refuse;
	worker_go(&w);
	want(current->ask(&w.peer, &a) != 0);
	worker_await(&w, &a.done);
	want(a.ok || !current->must_work);
	worker_stop(&w);
}

static bool
make_repository(void)
{
	auto_free char *command =
	    xasprintf("cd %s && "
		      "git init -q --bare -b master repo && "
		      "git -C repo -c user.name=a -c user.email=a@b "
		      "update-ref refs/heads/master $(git -C repo -c "
		      "user.name=a "
		      "-c user.email=a@b commit-tree -m one "
		      "$(git -C repo hash-object -wt tree /dev/null))",
		dir);

	return system(command) == 0;
}

static void
remove_all(void)
{
	auto_free char *command = xasprintf("rm -rf %s", dir);

	want_int(system(command), 0);
}

int
main(void)
{
	char name[64];

	if (mkdtemp(dir) == NULL || !make_repository())
		return 1;
	snprintf(mirror, sizeof(mirror), "%s/mirror", dir);
	snprintf(url, sizeof(url), "file://%s/repo", dir);
	if (mkdir(mirror, 0700) == -1)
		return 1;
	for (size_t i = 0; i < nitems(smokes); i++) {
		current = &smokes[i];
		snprintf(name, sizeof(name), "%s works and ends in peace",
		    ipc_role_name(current->role));
		test_run(name, test_smoke);
	}
	remove_all();
	return test_done();
}
