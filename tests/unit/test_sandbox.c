/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox: each case enters a sandbox in a process of its own, does one thing
 * and is looked at from outside.  Everything runs twice: without capabilities
 * and, where the test has them, with.
 */
#include "base.h"
#include "fd.h"
#include "landlock.h"
#include "no_seccomp.h"
#include "sandbox.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OWN_UID 64199
#define SOMEBODY 65534

#ifdef FX_TEST_BUILD
#	define TEST_BUILD 1
#else
#	define TEST_BUILD 0
#endif

static const struct sandbox plain = {
	.name = "plain",
	.nofile = 16,
	.as_bytes = 512ul << 20,
};

/* Enough to look at oneself and at files. */
static const struct sandbox_call looking_calls[] = {
	SB_ALLOW(openat),
	SB_ALLOW(mkdir),
	SB_ALLOW(rename),
	SB_ALLOW(unlink),
	SB_ALLOW(mknod),
	SB_ALLOW(mknodat),
	SB_ALLOW(symlink),
	SB_ALLOW(newfstatat),
	SB_ALLOW(prctl),
	SB_ALLOW(getresuid),
	SB_ALLOW(getgroups),
	SB_ALLOW(getgid),
	SB_ALLOW(capget),
	SB_ALLOW(prlimit64),
	SB_ALLOW(socket),
	SB_ALLOW(connect),
	SB_ALLOW(write),
	SB_FAKE(bind),
	SB_ERRNO(ptrace, EXDEV),
};
static const struct sandbox looking = {
	.name = "looking",
	.calls = looking_calls,
	.ncalls = nitems(looking_calls),
	.nofile = 16,
	.as_bytes = 512ul << 20,
};

static bool with_caps; /* of the round that runs */
static char base[] = "/tmp/test-sandbox.XXXXXX";

/* What a case leaves for others to find. */
struct outcome {
	int status;
	char text[1024]; /* of standard error */
};

static void
drop_everything(void)
{
	if (getuid() == 0 &&
	    (setgroups(0, NULL) == -1 ||
		setresgid(SOMEBODY, SOMEBODY, SOMEBODY) == -1 ||
		setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == -1))
		_exit(99);
}

static uid_t
round_uid(void)
{
	return with_caps ? OWN_UID : (uid_t)-1;
}

static struct sandbox_state state; /* in the child */

/* Run fn in a child with standard error caught. */
static struct outcome
in_child(void (*fn)(void))
{
	struct outcome o = { 0 };
	size_t n = 0;
	ssize_t r;
	int p[2];
	pid_t pid;

	if (pipe(p) == -1)
		return o;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(p[1], STDERR_FILENO);
		close(p[0]);
		close(p[1]);
		/* what must not be left over */
		if (with_caps)
			(void)!setgroups(1, &(gid_t){ SOMEBODY });
		else
			drop_everything();
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		sandbox_early(getppid());
		fn();
		exit(0);
	}
	close(p[1]);
	while (n < sizeof(o.text) - 1 &&
	    (r = read(p[0], o.text + n, sizeof(o.text) - 1 - n)) > 0)
		n += (size_t)r;
	close(p[0]);
	waitpid(pid, &o.status, 0);
	return o;
}

static bool
killed(struct outcome o)
{
	return WIFSIGNALED(o.status) && WTERMSIG(o.status) == SIGSYS;
}

static bool
lived(struct outcome o)
{
	if (o.status != 0)
		printf("# status %#x, said: %s\n", (unsigned)o.status, o.text);
	return o.status == 0;
}

/* In a child, under the plainest filter. */
static void FX_PRINTF(1, 2) say(const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (write(STDERR_FILENO, text, (size_t)n) != n)
		_exit(2);
}

/* In a child: end with a line if it is not so. */
static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	say("not so: %s (errno %d)\n", what, errno);
	_exit(1);
}
#define MUST(cond) must((cond), #cond)

static void
enter(const struct sandbox *sb, const struct sandbox_paths *paths)
{
	sandbox_enter(sb, round_uid(), paths, true, &state);
}

/* ---- the filter -----------------------------------------------------------
 */

static void
do_allowed(void)
{
	char b;
	void *p;

	enter(&plain, NULL);
	MUST(getpid() > 0);
	p = malloc(1 << 20);
	MUST(p != NULL);
	memset(p, 1, 1 << 20);
	free(p);
	MUST(getrandom(&b, 1, 0) == 1);
	MUST(syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS);
	MUST(write(STDERR_FILENO, "", 0) == 0);
}

static void
do_socket(void)
{
	enter(&plain, NULL);
	(void)socket(AF_UNIX, SOCK_STREAM, 0);
}

static void
do_execve(void)
{
	enter(&plain, NULL);
	execl("/bin/true", "true", (char *)NULL);
}

static void
do_ptrace(void)
{
	enter(&plain, NULL);
	syscall(SYS_ptrace, 0, 0, 0, 0);
}

static void
do_openat(void)
{
	enter(&plain, NULL);
	(void)open("/", O_RDONLY);
}

static void
do_read(void)
{
	char b;

	enter(&plain, NULL);
	(void)!read(0, &b, 1);
}

static void
do_write_1(void)
{
	enter(&plain, NULL);
	(void)!write(STDOUT_FILENO, "", 0);
}

static void
do_fork(void)
{
	enter(&plain, NULL);
	syscall(SYS_fork);
}

static void
do_mmap_exec(void)
{
	enter(&plain, NULL);
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	    0);
}

#ifdef __x86_64__
static void
do_x32(void)
{
	enter(&plain, NULL);
	syscall(0x40000000 | SYS_getpid);
}

static void
do_i386(void)
{
	int r = 20; /* getpid there */

	enter(&plain, NULL);
	__asm__ volatile("int $0x80" : "+a"(r) : : "memory");
}
#endif

static void
test_filter(void)
{
	static const struct {
		const char *what;
		void (*fn)(void);
		bool plain_build; /* an instrumented one lets it through */
	} tv[] = {
		{ "socket", do_socket, false },
		{ "execve", do_execve, false },
		{ "ptrace", do_ptrace, false },
		{ "fork", do_fork, false },
		{ "mmap executable", do_mmap_exec, false },
#ifdef __x86_64__
		{ "x32", do_x32, false },
		{ "i386", do_i386, false },
#endif
		{ "openat", do_openat, true },
		{ "read", do_read, true },
		{ "write to 1", do_write_1, true },
	};

	want(lived(in_child(do_allowed)));
	for (size_t i = 0; i < nitems(tv); i++)
		if (!tv[i].plain_build || !TEST_BUILD)
			test_check(killed(in_child(tv[i].fn)), __FILE__,
			    __LINE__, tv[i].what);
}

static void
do_errors(void)
{
	enter(&looking, NULL);
	MUST(bind(77, NULL, 0) == 0);
	MUST(syscall(SYS_ptrace, 0, 0, 0, 0) == -1 && errno == EXDEV);
}

static void
test_errors(void)
{
	want(lived(in_child(do_errors)));
}

/* ---- who and where --------------------------------------------------------
 */

static void
do_identity(void)
{
	struct rlimit core, files, forks, memory;
	uid_t r, e, s;

	enter(&looking, NULL);
	MUST(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	MUST(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2);
	MUST(prctl(PR_GET_PDEATHSIG, &r, 0, 0, 0) == 0 && r == SIGKILL);
	MUST(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0);
	MUST(getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max == 16);
	MUST(getrlimit(RLIMIT_NPROC, &forks) == 0 &&
	    (TEST_BUILD || forks.rlim_max == 0));
	MUST(getrlimit(RLIMIT_AS, &memory) == 0 &&
	    (TEST_BUILD || memory.rlim_max == looking.as_bytes));
	MUST(!sandbox_has_caps());
	MUST(state.own_uid == with_caps);
	MUST(getresuid(&r, &e, &s) == 0 && r == e && e == s);
	if (!with_caps)
		return;
	MUST(r == OWN_UID && getgid() == OWN_UID);
	MUST(getgroups(0, NULL) == 0);
	MUST(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) == 0xeb);
	for (unsigned long c = 0; c <= 40; c++)
		MUST(prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 0);
}

static void
do_empty_root(void)
{
	struct stat st;

	enter(&looking, NULL);
	MUST(state.empty_root == (with_caps && !TEST_BUILD));
	/* Landlock would let it be seen */
	MUST(stat("/etc", &st) == (state.empty_root ? -1 : 0));
}

/* Capabilities, but not told to be anybody: they go all the same. */
static void
do_stay(void)
{
	sandbox_enter(&looking, (uid_t)-1, NULL, true, &state);
	MUST(!sandbox_has_caps());
	MUST(!state.own_uid && !state.empty_root);
}

static void
do_not_capable(void)
{
	drop_everything();
	sandbox_enter(&plain, OWN_UID, NULL, false, &state);
}

static void
do_parent_gone(void)
{
	pid_t pid = fork();

	if (pid != 0) {
		MUST(waitpid(pid, NULL, 0) == pid);
		return;
	}
	/* the grandchild's parent is not the one it was told of */
	sandbox_early(1 << 22);
	say("went on\n");
}

static void
test_identity(void)
{
	struct outcome o;

	want(lived(in_child(do_identity)));
	want(lived(in_child(do_stay)));
	o = in_child(do_not_capable);
	want_int(WEXITSTATUS(o.status), SANDBOX_EXIT);
	want_str(o.text,
	    "plain: sandbox: no capabilities to become user 64199\n");
	o = in_child(do_parent_gone);
	want(lived(o));
	want_str(o.text, "");
}

static void
test_root(void)
{
	want(lived(in_child(do_empty_root)));
}

/* ---- files ----------------------------------------------------------------
 */

static struct sandbox_paths paths;
static char dir[64], sub[80], file[80], moved[96], readable[64], hidden[64];

static void
do_directory(void)
{
	struct sandbox sb = looking;

	sb.keeps_root = true;
	enter(&sb, &paths);
	MUST(mkdir(sub, 0700) == 0);
	MUST(open(file, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600) != -1);
	MUST(rename(file, moved) == 0); /* to another directory: REFER */
	MUST(open(readable, O_RDONLY | O_CLOEXEC) != -1);
	if (TEST_BUILD || state.landlock == 0)
		return;
	MUST(open(readable, O_RDWR | O_CLOEXEC) == -1 && errno == EACCES);
	MUST(open(hidden, O_RDONLY | O_CLOEXEC) == -1 && errno == EACCES);
	MUST(open("/", O_RDONLY | O_CLOEXEC) == -1 && errno == EACCES);
	MUST(open("/proc/self/status", O_RDONLY | O_CLOEXEC) == -1);
	MUST(symlink("/", file) == -1 && errno == EACCES);
	MUST(mknod(file, S_IFIFO | 0600, 0) == -1 && errno == EACCES);
}

static void
touch(const char *path)
{
	auto_fd int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);

	want(fd != -1);
	want(fchmod(fd, 0666) == 0);
}

static void
make_files(void)
{
	snprintf(dir, sizeof(dir), "%s/own", base);
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(moved, sizeof(moved), "%s/file", sub);
	snprintf(readable, sizeof(readable), "%s/readable", base);
	snprintf(hidden, sizeof(hidden), "%s/hidden", base);
	want(mkdir(dir, 0700) == 0);
	touch(readable);
	touch(hidden);
	paths.dir = dir;
	paths.read[0] = readable;
	paths.read[1] = "/nowhere/at/all";
	if (!with_caps && getuid() == 0)
		want(chown(dir, SOMEBODY, SOMEBODY) == 0);
}

static void
test_directory(void)
{
	struct stat st;

	make_files();
	want(lived(in_child(do_directory)));
	want(stat(dir, &st) == 0);
	if (with_caps)
		want_int(st.st_uid, OWN_UID);
	want(unlink(moved) == 0 && rmdir(sub) == 0 && rmdir(dir) == 0);
	want(unlink(readable) == 0 && unlink(hidden) == 0);
}

static void
do_file_size(void)
{
	int fd = memfd_create("f", MFD_CLOEXEC);

	signal(SIGXFSZ, SIG_IGN);
	enter(&looking, NULL);
	MUST(TEST_BUILD || (write(fd, "x", 1) == -1 && errno == EFBIG));
}

static void
test_file_size(void)
{
	want(lived(in_child(do_file_size)));
}

/* ---- kernels that lack a layer, or break it -------------------------------
 */

static void
break_landlock(int version_error, int create_error)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	MUST(ctx != NULL);
	if (version_error != 0)
		MUST(seccomp_rule_add(ctx,
			 SCMP_ACT_ERRNO((uint32_t)version_error), 444, 1,
			 SCMP_A2(SCMP_CMP_EQ, 1, 0)) == 0);
	if (create_error != 0)
		MUST(seccomp_rule_add(ctx,
			 SCMP_ACT_ERRNO((uint32_t)create_error), 444, 1,
			 SCMP_A2(SCMP_CMP_EQ, 0, 0)) == 0);
	MUST(seccomp_load(ctx) == 0);
	seccomp_release(ctx);
}

static void
report(bool strict)
{
	sandbox_enter(&plain, round_uid(), NULL, strict, &state);
	say("%u %s", state.landlock, state.missing);
}

/* From here on a call is not run and has this result. */
static void
settle_call(int nr, int error)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	MUST(ctx != NULL);
	MUST(
	    seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint32_t)error), nr, 0) == 0);
	MUST(seccomp_load(ctx) == 0);
	seccomp_release(ctx);
}

static void
do_landlock_fake(void)
{
	settle_call(446, 0); /* landlock_restrict_self */
	report(true);
}

static void
do_seccomp_fake(void)
{
	settle_call(SCMP_SYS(seccomp), 0);
	report(false);
}

/* It fails, but for another reason. */
static void
do_kill_fake(void)
{
	settle_call(SCMP_SYS(kill), EINVAL);
	report(true);
}

static void
do_landlock_absent(void)
{
	break_landlock(ENOSYS, 0);
	report(true);
}

static void
do_landlock_broken_strict(void)
{
	break_landlock(0, EINVAL);
	report(true);
}

static void
do_landlock_broken_relaxed(void)
{
	break_landlock(0, EINVAL);
	report(false);
}

static void
do_seccomp_absent(bool strict)
{
	lose_seccomp();
	report(strict);
}

static void
do_seccomp_absent_strict(void)
{
	do_seccomp_absent(true);
}

static void
do_seccomp_absent_relaxed(void)
{
	do_seccomp_absent(false);
}

/* The layer that fails first says so; the kernel under test may lack more. */
static void
test_layers(void)
{
	struct outcome o;

	o = in_child(do_landlock_absent);
	want(lived(o));
	want(strstr(o.text, "landlock: Function not implemented") != NULL);
	o = in_child(do_seccomp_absent_strict);
	want_int(WEXITSTATUS(o.status), SANDBOX_EXIT);
	want(strstr(o.text, "plain: sandbox: seccomp: ") != NULL);
	o = in_child(do_seccomp_absent_relaxed);
	want(lived(o));
	want(strstr(o.text, "seccomp: ") != NULL);
	/* what was not refused, and should have been */
	o = in_child(do_seccomp_fake);
	want_int(WEXITSTATUS(o.status), SANDBOX_EXIT);
	want_str(o.text, "plain: sandbox: seccomp: the filter does not work\n");
	if (landlock_abi() == 0)
		return;
	o = in_child(do_landlock_fake);
	want_int(WEXITSTATUS(o.status), SANDBOX_EXIT);
	want(strstr(o.text, ": forbidden, but: ") != NULL);
	if (landlock_abi() >= LANDLOCK_ABI_SCOPES) {
		o = in_child(do_kill_fake);
		want_int(WEXITSTATUS(o.status), SANDBOX_EXIT);
		want_str(o.text,
		    "plain: sandbox: signal the parent: forbidden, but: "
		    "Invalid argument\n");
	}
	o = in_child(do_landlock_broken_strict);
	want_int(WEXITSTATUS(o.status), SANDBOX_EXIT);
	want_str(o.text, "plain: sandbox: landlock: Invalid argument\n");
	o = in_child(do_landlock_broken_relaxed);
	want(lived(o));
	want(strstr(o.text, "0 ") == o.text);
	want(strstr(o.text, "landlock: Invalid argument") != NULL);
}

static void
do_state(void)
{
	MUST(landlock_abi() <= LANDLOCK_ABI_KNOWN);
	enter(&plain, NULL);
	say("%u", state.landlock);
	_exit(!TEST_BUILD && state.landlock >= LANDLOCK_ABI_SCOPES &&
	    state.missing[0] != '\0');
}

static void
test_state(void)
{
	struct outcome o = in_child(do_state);
	char text[16];

	want(lived(o));
	snprintf(text, sizeof(text), "%u", landlock_abi());
	want_str(o.text, text);
}

static void
round_of(bool caps)
{
	with_caps = caps;
	test_run("filter: what is not listed kills", test_filter);
	test_run("filter: an error number instead of the call", test_errors);
	test_run("identity: own user, no capabilities, no way to more",
	    test_identity);
	test_run("root: empty where it may change", test_root);
	test_run("files: one directory to change, some to read",
	    test_directory);
	test_run("files: nothing can be written elsewhere", test_file_size);
	test_run("layers: absent is said, broken is the end", test_layers);
	test_run("state: the ABI in force and what is missing", test_state);
}

int
main(void)
{
	if (mkdtemp(base) == NULL || chmod(base, 0711) == -1)
		return 1;
	round_of(false);
	if (sandbox_has_caps())
		round_of(true);
	rmdir(base);
	return test_done();
}
