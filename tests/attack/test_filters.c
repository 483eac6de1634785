/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each process's filter lets through, against committed lists.
 *
 *	test_filters			all roles: the filter as built and, with
 *					the capability for it, as loaded
 *	test_filters --print ROLE	the list, to be looked at and committed
 *	test_filters --live PID		a running fluxd: the filters that its
 *					processes have loaded
 *
 * A list names the default and every call number from 0 to 600 that is treated
 * otherwise, whatever its arguments: `some` is allowed with some arguments.
 */
#include "base.h"
#include "bpf.h"
#include "launch.h"
#include "roles.h"
#include "str.h"
#include "test.h"

#include <errno.h>
#include <linux/audit.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAST_CALL 600
#define PATIENCE 6000 /* hundredths of a second, for a filter */
#define X32_BIT 0x40000000u
#define SHOWN_MAX 20	     /* lines of a difference */
#define LIST_MAX (64 * 1024) /* bytes of a list */

static scmp_filter_ctx
filter_of(const struct attack_role *r)
{
	return r->sandbox == NULL ? launch_filter(r->role == IPC_R_LAUNCH_NET)
				  : sandbox_filter(r->sandbox);
}

static void
build(const struct attack_role *r, struct bpf *b)
{
	scmp_filter_ctx ctx = filter_of(r);

	bpf_export(ctx, b);
	seccomp_release(ctx);
}

/* ---- lists --------------------------------------------------------------- */

static void
verdict_of(const struct bpf *b, uint32_t nr, char *text, size_t size)
{
	struct bpf_verdict v = bpf_walk(b, AUDIT_ARCH_X86_64, nr);

	bpf_verdict_text(&v, text, size);
}

static void
list_call(struct buf *out, const struct bpf *b, uint32_t nr, const char *usual)
{
	char verdict[32], *name;

	verdict_of(b, nr, verdict, sizeof(verdict));
	if (strcmp(verdict, usual) == 0)
		return;
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, (int)nr);
	str_addf(out, "%3u %-24s %s\n", (unsigned)nr, name != NULL ? name : "?",
	    verdict);
	free(name);
}

static char *
list_of(const struct attack_role *r, const struct bpf *b)
{
	const char *usual = r->sandbox == NULL ? "allow" : "kill";
	struct buf out = BUF_INIT(LIST_MAX);

	str_addf(&out, "# %s: every call but these: %s\n", r->name, usual);
	for (uint32_t nr = 0; nr <= LAST_CALL; nr++)
		list_call(&out, b, nr, usual);
	return str_take(&out);
}

static char *
committed(const struct attack_role *r)
{
	auto_free char *path = xasprintf("%s/tests/attack/filters/%s.txt",
	    getenv("FX_SRCDIR") != NULL ? getenv("FX_SRCDIR") : ".", r->name);
	char *text = xcalloc(1, LIST_MAX);
	FILE *f = fopen(path, "re");

	if (f == NULL) {
		printf("# %s: %s\n", path, strerror(errno));
		return text;
	}
	(void)!fread(text, 1, LIST_MAX - 1, f);
	fclose(f);
	return text;
}

/* Show the lines that one has and the other has not. */
static void
show_missing(const char *a, const char *b, const char *which)
{
	int shown = 0;

	for (const char *end; *a != '\0' && shown < SHOWN_MAX; a = end + 1) {
		auto_free char *line = NULL;

		end = strchrnul(a, '\n');
		line = xstrndup(a, (size_t)(end - a));
		if (strstr(b, line) == NULL && shown++ < SHOWN_MAX)
			printf("# %s: %s\n", which, line);
		if (*end == '\0')
			break;
	}
}

static bool
equals_list(const struct attack_role *r, const struct bpf *b)
{
	auto_free char *got = list_of(r, b), *wanted = committed(r);

	if (strcmp(got, wanted) == 0)
		return true;
	printf("# %s: not as committed; --print shows it\n", r->name);
	show_missing(got, wanted, "only in the filter");
	show_missing(wanted, got, "only in the list");
	return false;
}

/* ---- cases --------------------------------------------------------------- */

static struct bpf program, loaded;

static void
test_lists(void)
{
	for (size_t i = 0; i < nattack_roles; i++) {
		build(&attack_roles[i], &program);
		want(equals_list(&attack_roles[i], &program));
	}
}

static void
test_foreign(void)
{
	static const uint32_t arches[] = { AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64,
		AUDIT_ARCH_ARM, 0 };

	for (size_t i = 0; i < nattack_roles; i++) {
		build(&attack_roles[i], &program);
		for (uint32_t nr = 0; nr <= LAST_CALL; nr++) {
			struct bpf_verdict v;

			for (size_t a = 0; a < nitems(arches); a++) {
				v = bpf_walk(&program, arches[a], nr);
				want(
				    v.kill && !v.allow && !v.error && !v.other);
			}
			v = bpf_walk(&program, AUDIT_ARCH_X86_64, nr | X32_BIT);
			want(v.kill && !v.allow && !v.error && !v.other);
		}
	}
}

static bool
may(const struct bpf *b, const char *call)
{
	int nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, call);

	if (nr < 0)
		fx_bug("no call named %s", call);
	return bpf_walk(b, AUDIT_ARCH_X86_64, (uint32_t)nr).allow;
}

/* Who starts others has a list of refusals. */
#define STARTERS (IPC_S_LAUNCHER | IPC_S_LAUNCH_NET)

static void
test_rules(void)
{
	static const struct {
		const char *call;
		uint32_t only; /* roles whose filter may let it through */
	} tv[] = {
		{ "socket", IPC_S_NET | IPC_S_LAUNCH_NET },
		{ "connect", IPC_S_NET | IPC_S_LAUNCH_NET },
		{ "execve", STARTERS },
		{ "execveat", 0 },
		{ "fork", STARTERS },
		{ "vfork", STARTERS },
		{ "clone", STARTERS },
		{ "clone3", STARTERS },
		{ "bind", IPC_S_LAUNCH_NET },
		{ "listen", 0 },
		{ "accept4", IPC_S_API | STARTERS },
		{ "ptrace", 0 },
		{ "process_vm_readv", 0 },
		{ "pidfd_getfd", 0 },
		{ "io_uring_setup", 0 },
		{ "bpf", 0 },
		{ "userfaultfd", 0 },
		{ "perf_event_open", 0 },
		{ "keyctl", 0 },
		{ "mount", 0 },
		{ "unshare", 0 },
		{ "setns", 0 },
		{ "openat2", STARTERS },
		{ "open", STARTERS },
		{ "openat",
		    STARTERS | IPC_S_NET | IPC_S_GIT_REMOTE | IPC_S_GIT_LOCAL },
		/* the master moves descriptors and cannot look into them */
		{ "read", IPC_S_ANY & ~IPC_S_MASTER },
		{ "pread64", IPC_S_ANY & ~IPC_S_MASTER },
		{ "readv", STARTERS },
		{ "kill", STARTERS },
		{ "tgkill", STARTERS },
		{ "prctl", STARTERS },
	};

	for (size_t i = 0; i < nattack_roles; i++) {
		const struct attack_role *r = &attack_roles[i];

		build(r, &program);
		for (size_t k = 0; k < nitems(tv); k++)
			if (may(&program, tv[k].call) &&
			    (tv[k].only & IPC_BIT(r->role)) == 0)
				test_check(false, r->name, 0, tv[k].call);
	}
	build(attack_role(IPC_R_NET), &program);
	want(may(&program, "socket") && may(&program, "connect"));
}

/* Entries that can succeed, against each process's budget. */
static void
test_budgets(void)
{
	static const unsigned budget[IPC_R_COUNT] = {
		[IPC_R_MASTER] = 30,
		[IPC_R_NET] = 40,
		[IPC_R_KEY] = 20,
		[IPC_R_GIT_REMOTE] = 50,
		[IPC_R_GIT_LOCAL] = 50,
		[IPC_R_MANIFEST] = 20,
		[IPC_R_SYNC] = 30,
		[IPC_R_API] = 30,
		[IPC_R_UPSTREAM] = 30,
	};

	for (size_t i = 0; i < nattack_roles; i++) {
		const struct attack_role *r = &attack_roles[i];
		unsigned n = 0;

		if (r->sandbox == NULL)
			continue;
		build(r, &program);
		for (uint32_t nr = 0; nr <= LAST_CALL; nr++)
			n += bpf_walk(&program, AUDIT_ARCH_X86_64, nr).allow;
		printf("# %-10s %2u calls of at most %u\n", r->name, n,
		    budget[r->role]);
		want(n <= budget[r->role]);
	}
}

/* ---- loaded filters ------------------------------------------------------ */

static void FX_NORETURN
load_and_wait(const struct attack_role *r)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (r->sandbox == NULL) {
		if (launch_load_filter(r->role == IPC_R_LAUNCH_NET) != 0)
			_exit(1);
	} else {
		struct sandbox_state st;

		sandbox_enter(r->sandbox, (uid_t)-1, NULL, true, &st);
	}
	for (;;)
		poll(NULL, 0, -1);
}

static void
test_loaded(void)
{
	for (size_t i = 0; i < nattack_roles; i++) {
		const struct attack_role *r = &attack_roles[i];
		pid_t pid = fork();

		if (pid == 0)
			load_and_wait(r);
		for (int k = 0; k < PATIENCE && !attack_has_filter(pid); k++)
			poll(NULL, 0, 10);
		build(r, &program);
		if (want(bpf_of_process(pid, 0, &loaded))) {
			want_int(loaded.n, program.n);
			want_mem(loaded.code, program.code,
			    program.n * sizeof(program.code[0]));
		}
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static bool
can_read_filters(void)
{
	pid_t pid = fork();
	bool ok;

	if (pid == 0)
		load_and_wait(attack_role(IPC_R_LAUNCHER));
	for (int k = 0; k < PATIENCE && !attack_has_filter(pid); k++)
		poll(NULL, 0, 10);
	ok = bpf_of_process(pid, 0, &loaded);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return ok;
}

/* ---- a running fluxd ----------------------------------------------------- */

static bool
is_named(pid_t pid, const char *name)
{
	auto_free char *path = xasprintf("/proc/%d/comm", (int)pid);
	char text[32] = "";
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return false;
	(void)!fgets(text, sizeof(text), f);
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, name) == 0;
}

/* Which role a process has: by its program, and a worker's by its first
 * argument, which the launcher gave it. */
static const struct attack_role *
role_of(pid_t pid)
{
	auto_free char *path = xasprintf("/proc/%d/cmdline", (int)pid);
	char text[4096];
	const char *name, *arg;
	uint64_t role;
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL)
		return NULL;
	n = fread(text, 1, sizeof(text) - 2, f);
	text[n] = text[n + 1] = '\0';
	fclose(f);
	name = strrchr(text, '/') != NULL ? strrchr(text, '/') + 1 : text;
	arg = text + strlen(text) + 1;
	if (strcmp(name, "fluxd") == 0)
		return attack_role(IPC_R_MASTER);
	if (strcmp(name, "fluxd-launch") == 0)
		return attack_role(is_named(pid, "fluxd-launchnet")
			? IPC_R_LAUNCH_NET
			: IPC_R_LAUNCHER);
	if (fx_parse_u64(arg, 0, IPC_R_COUNT - 1, &role) != FX_OK)
		return NULL;
	if (strcmp(name, "fluxd-git-http") == 0)
		return attack_named("git-http");
	return attack_role((enum ipc_role)role);
}

/* The oldest is that of who started it; then a process's own, and nothing
 * else. */
static void
check_process(pid_t pid)
{
	const struct attack_role *r = role_of(pid);
	bool worker;

	if (!want(r != NULL))
		return;
	worker = (IPC_S_ANY_WORKER & IPC_BIT(r->role)) != 0;
	printf("# %d %s\n", (int)pid, r->name);
	if (worker && want(bpf_of_process(pid, 0, &loaded)))
		want(equals_list(attack_role(r->role == IPC_R_NET
					 ? IPC_R_LAUNCH_NET
					 : IPC_R_LAUNCHER),
		    &loaded));
	if (want(bpf_of_process(pid, worker, &loaded)))
		want(equals_list(r, &loaded));
	want(!bpf_of_process(pid, worker + 1u, &loaded));
}

static void
check_tree(pid_t pid, unsigned *n)
{
	auto_free char *path =
	    xasprintf("/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *f = fopen(path, "re");
	int child;

	check_process(pid);
	++*n;
	if (f == NULL)
		return;
	while (fscanf(f, "%d", &child) == 1)
		check_tree(child, n);
	fclose(f);
}

static pid_t live_pid;

static void
test_live(void)
{
	unsigned n = 0;

	check_tree(live_pid, &n);
	want(n > 2);
}

static int
print_list(const char *name)
{
	for (size_t i = 0; i < nattack_roles; i++) {
		auto_free char *text = NULL;

		if (strcmp(attack_roles[i].name, name) != 0)
			continue;
		build(&attack_roles[i], &program);
		text = list_of(&attack_roles[i], &program);
		fputs(text, stdout);
		return 0;
	}
	fprintf(stderr, "no role %s\n", name);
	return 2;
}

int
main(int argc, char *argv[])
{
#ifdef FX_TEST_BUILD
	(void)argv;
	if (argc == 1) {
		puts("1..0 # SKIP an instrumented build lets more through");
		return 0;
	}
#endif
	if (argc == 3 && strcmp(argv[1], "--print") == 0)
		return print_list(argv[2]);
	if (argc == 3 && strcmp(argv[1], "--live") == 0) {
		live_pid = (pid_t)atoi(argv[2]);
		test_run("every process has its own list loaded", test_live);
		return test_done();
	}
	test_run("A81: each filter is as committed, for calls 0 to 600",
	    test_lists);
	test_run("A81: x32 and foreign architectures kill", test_foreign);
	test_run("A79 A80: socket, connect, execve, open, read where they "
		 "belong",
	    test_rules);
	test_run("calls that can succeed stay within budget", test_budgets);
	if (can_read_filters())
		test_run("what is loaded is what was looked at", test_loaded);
	else
		puts("# not allowed to read loaded filters back");
	return test_done();
}
