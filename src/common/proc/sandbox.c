/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "sandbox_parts.h"

#include "fd.h"
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- what everybody may do --------------------------------------------- */

const struct sandbox_call sandbox_common[] = {
	/* the channel; it is a socket, so there is no read(2) */
	SB_ALLOW(recvmsg),
	SB_NO_BITS(sendmsg, 2, MSG_FASTOPEN), /* which would connect */
	SB_ALLOW(close), /* descriptors that came, and the channel's own */
	/* the loop, and ipc_await */
	SB_ALLOW(poll),
	SB_ALLOW(restart_syscall), /* poll after SIGSTOP and SIGCONT */
	/* malloc; whichever its settings make it use, and nothing to run */
	SB_ALLOW(brk),
	SB_NO_BITS(mmap, 2, PROT_EXEC),
	SB_ALLOW(munmap),
	SB_ALLOW(mremap),
	SB_ALLOW(madvise),
	SB_ALLOW(getrandom), /* malloc's tcache key */
	/* locks of the C library and of OpenSSL, should they be contended */
	SB_ALLOW(futex),
	/* time, where the clock source has no vDSO */
	SB_ALLOW(clock_gettime),
	SB_ALLOW(gettimeofday),
	/* the end: who am I for the last words, the words, and out */
	SB_ALLOW(getpid),
	SB_ARG(write, 0, STDERR_FILENO),
	SB_ALLOW(rt_sigreturn),
	SB_ALLOW(exit_group),
};
const size_t sandbox_ncommon = nitems(sandbox_common);

#ifdef FX_TEST_BUILD
/* What AddressSanitizer, UBSan and gcov do on their own account: reports,
 * /proc/self/maps, stacks for signals, counters written at the end. */
static const struct sandbox_call test_build_calls[] = {
	SB_ALLOW(access),
	SB_ALLOW(clone),
	SB_ALLOW(exit),
	SB_ALLOW(fcntl),
	SB_ALLOW(fstat),
	SB_ALLOW(ftruncate),
	SB_ALLOW(getcwd),
	SB_ALLOW(getppid),
	SB_ALLOW(getrlimit),
	SB_ALLOW(gettid),
	SB_ALLOW(getuid),
	SB_ALLOW(ioctl),
	SB_ALLOW(lseek),
	SB_ALLOW(mkdir),
	SB_ALLOW(mprotect),
	SB_ALLOW(newfstatat),
	SB_ALLOW(open),
	SB_ALLOW(openat),
	SB_ALLOW(prctl),
	SB_ALLOW(pread64),
	SB_ALLOW(prlimit64),
	SB_ALLOW(read),
	SB_ALLOW(readlink),
	SB_ALLOW(rt_sigaction),
	SB_ALLOW(rt_sigprocmask),
	SB_ALLOW(sched_getaffinity),
	SB_ALLOW(sched_yield),
	SB_ALLOW(sigaltstack),
	SB_ALLOW(tgkill),
	SB_ALLOW(uname),
	SB_ALLOW(wait4),
	SB_ALLOW(write),
	SB_ALLOW(writev),
};
#endif

/* ---- failing ----------------------------------------------------------- */

/* One lock-down under way. */
struct lockdown {
	const struct sandbox *sb;
	bool strict;
	struct sandbox_state *state;
	struct landlock rules;
};

/* A layer that cannot be had here: say so. */
static void
lacking(struct lockdown *l, const char *what)
{
	char *at = l->state->missing;
	size_t used = strlen(at);

	snprintf(at + used, sizeof(l->state->missing) - used, "%s%s",
	    used == 0 ? "" : "; ", what);
}

/* A layer that the kernel has, and that failed. */
static void
layer_failed(struct lockdown *l, const char *why)
{
	if (l->strict)
		sandbox_die(l->sb->name, "%s", why);
	lacking(l, why);
}

/* ---- 2: who we are, and where ------------------------------------------ */

/* A directory that has no name any more: nothing is in it, and nothing can be
 * made in it. */
static int
nameless_directory(void)
{
	static const char *const places[] = {
		"/run",
		"/tmp",
		"/var/tmp",
		"/dev/shm",
	};
	char path[64];
	int fd;

	for (size_t i = 0; i < nitems(places); i++) {
		snprintf(path, sizeof(path), "%s/fluxd-root.XXXXXX", places[i]);
		if (mkdtemp(path) == NULL)
			continue;
		fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (rmdir(path) == 0 && fd != -1)
			return fd;
		fd_close(&fd);
	}
	return -1;
}

static void
empty_root(struct lockdown *l)
{
	auto_fd int fd = -1;

	if (SANDBOX_TEST_BUILD || l->sb->keeps_root)
		return;
	fd = nameless_directory();
	if (fd == -1)
		layer_failed(l, "empty root: no place for a directory");
	else if (fchdir(fd) == -1 || chroot(".") == -1 || chdir("/") == -1)
		layer_failed(l, "empty root: it was refused");
	else
		l->state->empty_root = true;
}

/* The one directory that a worker may change becomes its own. */
static void
own_directory(const char *name, const char *dir, uid_t uid, gid_t gid)
{
	auto_fd int fd =
	    open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1 || fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == -1)
		sandbox_die(name, "%s: %s", dir, strerror(errno));
}

static bool
is_user(uid_t uid)
{
	uid_t r, e, s;

	return getresuid(&r, &e, &s) == 0 && r == uid && e == uid && s == uid;
}

static void
become(struct lockdown *l, uid_t uid, const char *dir)
{
	const char *name = l->sb->name;
	/* The launcher, which can look users up, has set the group. */
	gid_t gid = getgid() != 0 ? getgid() : (gid_t)uid;

	if (!sandbox_has_caps()) {
		/* the connector is started by its own user */
		if (!is_user(uid))
			sandbox_die(name, "no capabilities to become user %u",
			    (unsigned)uid);
		l->state->own_uid = true;
		return;
	}
	if (dir != NULL)
		own_directory(name, dir, uid, gid);
	empty_root(l);
	if (sandbox_lock_privileges() != FX_OK)
		layer_failed(l, "securebits could not be locked");
	if (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		sandbox_die(name, "user %u: %s", (unsigned)uid,
		    strerror(errno));
	if (!is_user(uid))
		sandbox_die(name, "user %u: it did not hold", (unsigned)uid);
	l->state->own_uid = true;
}

/* ---- 3: resource limits ------------------------------------------------ */

static void
limit(const char *name, __rlimit_resource_t what, rlim_t n)
{
	struct rlimit now;

	if (getrlimit(what, &now) == -1)
		sandbox_die(name, "getrlimit: %s", strerror(errno));
	if (n < now.rlim_max)
		now.rlim_max = n;
	now.rlim_cur = now.rlim_max;
	if (setrlimit(what, &now) == -1)
		sandbox_die(name, "setrlimit: %s", strerror(errno));
}

static void
limits(const struct sandbox *sb, bool writes)
{
	struct stat st;

	limit(sb->name, RLIMIT_NOFILE, sb->nofile);
	/* Standard error may be a file; a last word is worth more. */
	if (!writes && !SANDBOX_TEST_BUILD &&
	    (fstat(STDERR_FILENO, &st) == -1 || !S_ISREG(st.st_mode)))
		limit(sb->name, RLIMIT_FSIZE, 0);
	if (SANDBOX_TEST_BUILD) /* shadow memory; helper processes of
				   LeakSanitizer */
		return;
	if (sb->as_bytes != 0)
		limit(sb->name, RLIMIT_AS, sb->as_bytes);
	limit(sb->name, RLIMIT_NPROC, 0);
}

/* ---- 4: Landlock, and the proof ---------------------------------------- */

static bool
changes_files(const struct sandbox_paths *paths)
{
	return paths != NULL && (paths->dir != NULL || paths->rw[0] != NULL);
}

static int
let_paths_through(struct lockdown *l, const struct sandbox_paths *paths,
    struct fx_err *err)
{
	const struct landlock *rules = &l->rules;
	const char *const *p = l->sb->read_paths;
	int r = FX_OK;

	for (; p != NULL && *p != NULL && r == FX_OK; p++)
		r = landlock_path(rules, *p, false, err);
	if (paths == NULL)
		return r;
	if (r == FX_OK && paths->dir != NULL)
		r = landlock_path(rules, paths->dir, true, err);
	for (p = paths->rw; *p != NULL && r == FX_OK; p++)
		r = landlock_path(rules, *p, true, err);
	for (p = paths->read; *p != NULL && r == FX_OK; p++)
		r = landlock_path(rules, *p, false, err);
	return r;
}

/* Before the root changes, while paths can be opened. */
static void
prepare_landlock(struct lockdown *l, const struct sandbox_paths *paths)
{
	unsigned abi = landlock_abi();
	char text[128];
	struct fx_err err;

	l->rules.fd = -1;
	if (abi == 0) {
		snprintf(text, sizeof(text), "landlock: %s", strerror(errno));
		lacking(l, text);
		return;
	}
	/* Without REFER no file can be moved to another directory, and git
	 * moves every object. */
	if (abi < LANDLOCK_ABI_REFER && changes_files(paths)) {
		lacking(l, "landlock: ABI 1 cannot move files");
		return;
	}
	if (abi < LANDLOCK_ABI_TCP)
		lacking(l, "landlock: no TCP rules");
	if (abi < LANDLOCK_ABI_SCOPES)
		lacking(l, "landlock: no scopes for signals and sockets");
	if (landlock_open(&l->rules, abi, !SANDBOX_TEST_BUILD,
		l->sb->may_connect, &err) != FX_OK ||
	    let_paths_through(l, paths, &err) != FX_OK) {
		fd_close(&l->rules.fd);
		layer_failed(l, err.text);
	}
}

static void
enter_landlock(struct lockdown *l)
{
	struct fx_err err;

	if (l->rules.fd == -1)
		return;
	if (landlock_enter(&l->rules, &err) == FX_OK)
		l->state->landlock = l->rules.abi;
	else
		layer_failed(l, err.text);
}

static void
try_forbidden(struct lockdown *l)
{
	struct fx_err err;
	int r = FX_OK;

	for (size_t i = 0; r != FX_EUNKNOWN; i++) {
		r = sandbox_try(i, l->sb, l->state, &err);
		if (r == FX_EDENIED)
			layer_failed(l, err.text);
	}
}

/* ---- 5: seccomp -------------------------------------------------------- */

#define SECCOMP_API 3 /* of libseccomp: KILL_PROCESS, from Linux 4.14 */

static int
add_calls(scmp_filter_ctx ctx, const struct sandbox_call *calls, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		const struct sandbox_call *c = &calls[i];
		uint32_t e = c->error == -1 ? 0 : (uint32_t)c->error;

		r = seccomp_rule_add_exact_array(ctx,
		    c->error == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(e), c->nr,
		    c->nargs, c->args);
		if (r != 0)
			fx_bug("filter: call %d: %s", c->nr, strerror(-r));
	}
	return r;
}

scmp_filter_ctx
sandbox_filter(const struct sandbox *sb)
{
	/* Its arguments lie in memory, where a filter cannot look: as if the
	 * kernel were too old for it, the C library falls back. */
	static const struct sandbox_call no_clone3[] = {
		SB_ERRNO(clone3, ENOSYS),
	};
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);

	if (ctx == NULL ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
		SCMP_ACT_KILL_PROCESS) != 0 ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1) != 0)
		fx_bug("filter: seccomp_init");
	add_calls(ctx, no_clone3, nitems(no_clone3));
	if (!sb->alone)
		add_calls(ctx, sandbox_common, sandbox_ncommon);
	add_calls(ctx, sb->calls, sb->ncalls);
#ifdef FX_TEST_BUILD
	add_calls(ctx, test_build_calls, nitems(test_build_calls));
#endif
	return ctx;
}

bool
sandbox_can_filter(void)
{
	return seccomp_api_get() >= SECCOMP_API;
}

static int
load_filter(const struct sandbox *sb)
{
	scmp_filter_ctx ctx;
	int r;

	if (!sandbox_can_filter())
		return -ENOSYS;
	ctx = sandbox_filter(sb);
	r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}

static void
enter_seccomp(struct lockdown *l)
{
	int r = load_filter(l->sb);
	char text[128];

	/* Nothing after this line but what the filter allows. */
	if (r != 0) {
		snprintf(text, sizeof(text), "seccomp: %s", strerror(-r));
		layer_failed(l, text);
	} else if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
		sandbox_die(l->sb->name, "seccomp: the filter does not work");
}

/* ---- all of it -------------------------------------------------------- */

static int
byte_order(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/* What the C library does once and could not do later: glibc's qsort asks how
 * much memory there is (sysinfo), for arrays of more than a kilobyte. */
static void
warm_up(void)
{
	char large_enough[4096] = { 0 };

	qsort(large_enough, sizeof(large_enough), 1, byte_order);
}

void
sandbox_enter(const struct sandbox *sb, uid_t uid,
    const struct sandbox_paths *paths, bool strict, struct sandbox_state *state)
{
	struct lockdown l = { sb, strict, state, { .fd = -1 } };

	memset(state, 0, sizeof(*state));
	warm_up();
	if (SANDBOX_TEST_BUILD)
		lacking(&l,
		    "TEST BUILD: instruments' calls pass, files and "
		    "root are not confined");
	sandbox_private(sb->name);
	if (chdir("/") == -1) /* wherever it was started */
		sandbox_die(sb->name, "chdir: %s", strerror(errno));
	prepare_landlock(&l, paths);
	if (uid != (uid_t)-1)
		become(&l, uid, paths != NULL ? paths->dir : NULL);
	if (sandbox_keep_caps(0) != FX_OK)
		sandbox_die(sb->name, "capabilities: %s", strerror(errno));
	sandbox_private(sb->name); /* the change of user undid it */
	limits(sb, sb->writes_files || changes_files(paths));
	enter_landlock(&l);
	try_forbidden(&l);
	enter_seccomp(&l);
}
