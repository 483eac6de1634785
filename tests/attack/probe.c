/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: attacks A77 to A82 from inside each process's sandbox.
 *
 * For every role and in both modes (own user ids where this test has the
 * capabilities; one user for all without), each attack runs in a process of
 * its own that locks itself down as the real one does and then tries.  It must
 * be killed by the filter or be refused; what may work by design is named with
 * the attack.  The others that it tries to reach are locked-down processes
 * too, one of every role, and this program in the place of the master.
 */
#include "base.h"
#include "probe.h"
#include "str.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define PATIENCE 6000 /* hundredths of a second, for a filter */
#define UID_BASE 64400

#define EXIT_REFUSED 0
#define EXIT_WORKED 1
#define EXIT_BROKEN 99 /* the test itself; 70 is the lock-down's own */

struct probe_world probe_world = { .dir = "/tmp/probe-targets.XXXXXX" };

static bool with_caps;
static char mirror[] = "/tmp/probe-mirror.XXXXXX";
static pid_t victims[ATTACK_MAX_ROLES]; /* as in attack_roles */

/* ---- a locked-down process ---------------------------------------------- */

/* Both instances of git are one user, as the launcher has it. */
static uid_t
uid_of(const struct attack_role *r)
{
	enum ipc_role role =
	    r->role == IPC_R_GIT_LOCAL ? IPC_R_GIT_REMOTE : r->role;

	return with_caps ? UID_BASE + (uid_t)role : (uid_t)-1;
}

static void
become_nobody(void)
{
	if (getuid() == 0 &&
	    (setgroups(0, NULL) == -1 ||
		setresgid(NOBODY, NOBODY, NOBODY) == -1 ||
		setresuid(NOBODY, NOBODY, NOBODY) == -1))
		_exit(EXIT_BROKEN);
}

/* Sockets such as no worker has, to see what could be done with them. */
static void
have_sockets(void)
{
	probe_world.stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	probe_world.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	probe_world.local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (probe_world.stream == -1 || probe_world.local == -1 ||
	    listen(probe_world.listener, 1) == -1)
		_exit(EXIT_BROKEN);
}

static void
lock_down(const struct attack_role *r)
{
	struct sandbox_paths paths = { .dir = r->has_dir ? mirror : NULL };
	struct sandbox_state st;

	if (close_range(3, ~0u, 0) == -1)
		_exit(EXIT_BROKEN);
	if (!with_caps)
		become_nobody();
	sandbox_early(getppid());
	have_sockets();
	sandbox_enter(r->sandbox, uid_of(r), &paths, true, &st);
}

static pid_t
start_victim(const struct attack_role *r)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	lock_down(r);
	for (;;)
		poll(NULL, 0, -1);
}

static void
start_victims(void)
{
	for (size_t i = 0; i < nattack_roles; i++) {
		const struct attack_role *r = &attack_roles[i];

		if (r->sandbox != NULL)
			victims[i] = start_victim(r);
	}
	for (size_t i = 0; i < nattack_roles; i++) {
		pid_t pid = victims[i];

		for (int k = 0;
		     pid != 0 && k < PATIENCE && !attack_has_filter(pid); k++)
			poll(NULL, 0, 10);
	}
}

static void
end_victims(void)
{
	for (size_t i = 0; i < nitems(victims); i++) {
		if (victims[i] == 0)
			continue;
		/* nobody has harmed it */
		want(waitpid(victims[i], NULL, WNOHANG) == 0);
		kill(victims[i], SIGKILL);
		waitpid(victims[i], NULL, 0);
		victims[i] = 0;
	}
}

/* ---- one attack ---------------------------------------------------------- */

static struct tally {
	unsigned tried, killed, refused, by_design;
} tally;

static int
run_attack(const struct attack_role *r, const struct probe *p, pid_t victim)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		probe_world.victim = victim;
		lock_down(r);
		_exit(p->attack() == 0 ? EXIT_WORKED : EXIT_REFUSED);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void
judge(const struct attack_role *r, const struct probe *p, pid_t victim)
{
	int status = run_attack(r, p, victim);

	tally.tried++;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
		tally.killed++;
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_REFUSED) {
		tally.refused++;
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_WORKED &&
	    (p->by_design & IPC_BIT(r->role)) != 0) {
		tally.by_design++;
	} else {
		printf("# %s: %s: %s (status %#x)\n", r->name, p->id, p->what,
		    (unsigned)status);
		test_check(false, __FILE__, __LINE__, p->what);
	}
}

static const struct attack_role *current;

static void
test_role(void)
{
	memset(&tally, 0, sizeof(tally));
	for (size_t i = 0; i < nprobes; i++) {
		if (!probes[i].per_victim) {
			judge(current, &probes[i], getpid());
			continue;
		}
		judge(current, &probes[i], getpid()); /* the master's place */
		for (size_t v = 0; v < nitems(victims); v++)
			if (victims[v] != 0)
				judge(current, &probes[i], victims[v]);
	}
	printf("# %s: %u attacks: %u killed, %u refused, %u may work\n",
	    current->name, tally.tried, tally.killed, tally.refused,
	    tally.by_design);
}

/* ---- what works outside -------------------------------------------------- */

/* The same, by a user like any other who is not locked down. */
static bool
works_outside(const struct probe *p)
{
	pid_t pid, victim = fork();
	int status = -1;

	if (victim == 0) {
		become_nobody();
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		raise(SIGSTOP); /* as good a victim, and surely there */
		_exit(0);
	}
	waitpid(victim, NULL, WUNTRACED);
	pid = fork();
	if (pid == 0) {
		become_nobody();
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		probe_world.victim = victim;
		have_sockets();
		_exit(p->attack() == 0 ? EXIT_WORKED : EXIT_REFUSED);
	}
	waitpid(pid, &status, 0);
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
	probe_renew_file();
	if (getuid() == 0)
		probe_give_targets(NOBODY);
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_WORKED;
}

/* An attack that cannot work proves nothing: most do, for anybody. */
static void
test_outside(void)
{
	size_t n = 0;

	for (size_t i = 0; i < nprobes; i++) {
		if (works_outside(&probes[i]))
			n++;
		else
			printf("# not for this user on this kernel: %s\n",
			    probes[i].what);
	}
	printf("# %zu of %zu attacks work outside\n", n, nprobes);
	want(n * 2 > nprobes);
}

/* ---- limits, seen from outside ------------------------------------------- */

/* The hard limit in a line of /proc/PID/limits: the second number. */
static uint64_t
hard_limit(pid_t pid, const char *name)
{
	auto_free char *path = xasprintf("/proc/%d/limits", (int)pid);
	char line[256], soft[32], hard[32];
	uint64_t n = UINT64_MAX; /* unlimited */
	size_t len = strlen(name);
	FILE *f = fopen(path, "re");

	if (!want(f != NULL))
		return n;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, name, len) != 0)
			continue;
		if (sscanf(line + len, "%31s %31s", soft, hard) == 2 &&
		    strcmp(hard, "unlimited") != 0)
			n = strtoull(hard, NULL, 10);
	}
	fclose(f);
	return n;
}

static void
test_limits(void)
{
	for (size_t i = 0; i < nattack_roles; i++) {
		const struct attack_role *r = &attack_roles[i];
		pid_t pid = victims[i];

		if (pid == 0)
			continue;
		want_int(hard_limit(pid, "Max core file size"), 0);
		want_int(hard_limit(pid, "Max processes"), 0);
		want_int(hard_limit(pid, "Max open files"), r->sandbox->nofile);
		want_int(hard_limit(pid, "Max address space"),
		    r->sandbox->as_bytes);
		want(r->sandbox->as_bytes != 0);
		if (!r->sandbox->writes_files && !probe_world.stderr_is_file)
			want_int(hard_limit(pid, "Max file size"), 0);
	}
}

static void
test_targets(void)
{
	want(probe_close_targets());
	want(rmdir(mirror) == 0);
}

/* ---- both modes ---------------------------------------------------------- */

static void
round_of(bool caps)
{
	const char *mode = caps ? "own users" : "one user";
	char name[128];

	with_caps = caps;
	if (!caps && getuid() == 0) {
		want(chown(mirror, NOBODY, NOBODY) == 0);
		probe_give_targets(NOBODY);
	} else if (caps) {
		probe_give_targets(UID_BASE + IPC_R_GIT_REMOTE);
	}
	start_victims();
	snprintf(name, sizeof(name), "A82: limits of every process, %s", mode);
	test_run(name, test_limits);
	for (size_t i = 0; i < nattack_roles; i++) {
		current = &attack_roles[i];
		if (current->sandbox == NULL)
			continue;
		snprintf(name, sizeof(name), "A77 to A82: %s, %s",
		    current->name, mode);
		test_run(name, test_role);
	}
	snprintf(name, sizeof(name), "A78: everybody lives, %s", mode);
	test_run(name, end_victims);
}

int
main(void)
{
	struct stat st;

#ifdef FX_TEST_BUILD
	puts("1..0 # SKIP an instrumented build lets more through");
	return 0;
#endif
	if (mkdtemp(mirror) == NULL)
		return 1;
	probe_world.stderr_is_file =
	    fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode);
	probe_open_targets();
	if (getuid() == 0)
		probe_give_targets(NOBODY);
	test_run("outside a sandbox the attacks work", test_outside);
	round_of(false);
	if (sandbox_has_caps())
		round_of(true);
	test_run("A77: nothing was added or taken", test_targets);
	return test_done();
}
