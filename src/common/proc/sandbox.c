/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "sandbox.h"

#include "fd.h"
#include "landlock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef FX_TEST_BUILD
#	define TEST_BUILD 1
#else
#	define TEST_BUILD 0
#endif

/* ---- what everybody may do ---------------------------------------------- */

const struct sandbox_call sandbox_common[] = {
	/* the channel; it is a socket, so there is no read(2) */
	SB_ALLOW(recvmsg),
	SB_ALLOW(sendmsg),
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

/* ---- failing --------------------------------------------------------------
 */

/* One lock-down under way. */
struct lockdown {
	const struct sandbox *sb;
	bool strict;
	struct sandbox_state *state;
	struct landlock rules;
};

/* Whom to die with; 0: nobody. */
static pid_t parent;

static void
    FX_NORETURN FX_PRINTF(2, 3) die(const char *name, const char *fmt, ...)
{
	char text[256], line[320];
	va_list ap;
	int n;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = snprintf(line, sizeof(line), "%s: sandbox: %s\n", name, text);
	/* not stdio: it would use calls that the filter kills for */
	(void)!write(STDERR_FILENO, line, (size_t)n);
	_exit(SANDBOX_EXIT);
}

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
		die(l->sb->name, "%s", why);
	lacking(l, why);
}

/* ---- capabilities ----------------------------------------------------------
 */

#define CAP_BIT(cap) (1ull << (cap))

struct caps {
	uint64_t effective, permitted, inheritable;
};

static int
caps_get(struct caps *c)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, d) == -1)
		return FX_ESYS;
	c->effective = (uint64_t)d[1].effective << 32 | d[0].effective;
	c->permitted = (uint64_t)d[1].permitted << 32 | d[0].permitted;
	c->inheritable = (uint64_t)d[1].inheritable << 32 | d[0].inheritable;
	return FX_OK;
}

/* The bounding set can be cut only by who may; under no_new_privs it gives
 * nothing anyway. */
static void
cut_bounding_set(uint64_t keep)
{
	struct caps c;

	if (caps_get(&c) != FX_OK || !(c.effective & CAP_BIT(CAP_SETPCAP)))
		return;
	for (unsigned i = 0; i < 64; i++)
		if (!(keep & CAP_BIT(i)))
			prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
}

int
sandbox_keep_caps(uint64_t keep)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3];
	struct caps c;

	if (caps_get(&c) != FX_OK)
		return FX_ESYS;
	cut_bounding_set(keep);
	/* The ambient set follows the other two. */
	c.effective &= keep;
	c.permitted &= keep;
	c.inheritable &= keep;
	for (unsigned i = 0; i < nitems(d); i++) {
		d[i].effective = (uint32_t)(c.effective >> 32 * i);
		d[i].permitted = (uint32_t)(c.permitted >> 32 * i);
		d[i].inheritable = (uint32_t)(c.inheritable >> 32 * i);
	}
	return syscall(SYS_capset, &head, d) == -1 ? FX_ESYS : FX_OK;
}

bool
sandbox_has_caps(void)
{
	const uint64_t needed = CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID) |
	    CAP_BIT(CAP_SYS_CHROOT) | CAP_BIT(CAP_KILL) | CAP_BIT(CAP_CHOWN);
	struct caps c;

	return caps_get(&c) == FX_OK && (c.effective & needed) == needed;
}

/* Neither uid 0 nor a program's file give capabilities any more, and that
 * stays so.  Only where it may be asked for: no_new_privs says the same. */
static void
lock_securebits(struct lockdown *l)
{
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
	    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
	    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	struct caps c;

	if (caps_get(&c) != FX_OK || !(c.effective & CAP_BIT(CAP_SETPCAP)))
		return;
	if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) == -1)
		layer_failed(l, "securebits could not be locked");
}

/* ---- 1: not dumpable, no new privileges -----------------------------------
 */

static void
private_process(const char *name)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		die(name, "dumpable, core, new privileges: %s",
		    strerror(errno));
	if (parent == 0)
		return;
	/* A change of user clears the signal.  The parent may have died before
	 * it was asked for: then nobody sends it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		die(name, "parent's death: %s", strerror(errno));
	if (getppid() != parent)
		_exit(SANDBOX_EXIT);
}

void
sandbox_early(pid_t ppid)
{
	parent = ppid;
	private_process("fluxd");
}

/* ---- 2: who we are, and where ---------------------------------------------
 */

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

	if (TEST_BUILD || l->sb->keeps_root)
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
		die(name, "%s: %s", dir, strerror(errno));
}

static void
become(struct lockdown *l, uid_t uid, const char *dir)
{
	const char *name = l->sb->name;
	/* The launcher, which can look users up, has set the group. */
	gid_t gid = getgid() != 0 ? getgid() : (gid_t)uid;
	uid_t r, e, s;

	if (!sandbox_has_caps())
		die(name, "no capabilities to become user %u", (unsigned)uid);
	if (dir != NULL)
		own_directory(name, dir, uid, gid);
	empty_root(l);
	cut_bounding_set(0);
	lock_securebits(l);
	if (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		die(name, "user %u: %s", (unsigned)uid, strerror(errno));
	if (getresuid(&r, &e, &s) == -1 || r != uid || e != uid || s != uid)
		die(name, "user %u: it did not hold", (unsigned)uid);
	l->state->own_uid = true;
}

/* ---- 3: resource limits ----------------------------------------------------
 */

static void
limit(const char *name, __rlimit_resource_t what, rlim_t n)
{
	struct rlimit now;

	if (getrlimit(what, &now) == -1)
		die(name, "getrlimit: %s", strerror(errno));
	if (n < now.rlim_max)
		now.rlim_max = n;
	now.rlim_cur = now.rlim_max;
	if (setrlimit(what, &now) == -1)
		die(name, "setrlimit: %s", strerror(errno));
}

static void
limits(const struct sandbox *sb, bool writes)
{
	struct stat st;

	limit(sb->name, RLIMIT_NOFILE, sb->nofile);
	/* Standard error may be a file; a last word is worth more. */
	if (!writes && !TEST_BUILD &&
	    (fstat(STDERR_FILENO, &st) == -1 || !S_ISREG(st.st_mode)))
		limit(sb->name, RLIMIT_FSIZE, 0);
	if (TEST_BUILD) /* shadow memory; helper processes of LeakSanitizer */
		return;
	if (sb->as_bytes != 0)
		limit(sb->name, RLIMIT_AS, sb->as_bytes);
	limit(sb->name, RLIMIT_NPROC, 0);
}

/* ---- 4: Landlock, and the proof -------------------------------------------
 */

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
	if (landlock_open(&l->rules, abi, !TEST_BUILD, l->sb->may_connect,
		&err) != FX_OK ||
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

/* Each returns errno, or 0 if it worked. */

static int
try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd == -1)
		return errno;
	close(fd);
	return 0;
}

static int
try_list_root(void)
{
	return try_open("/", O_RDONLY | O_DIRECTORY);
}

static int
try_environ(void)
{
	return try_open("/proc/self/environ", O_RDONLY);
}

static int
try_make_file(void)
{
	return try_open("/tmp/fluxd-forbidden", O_WRONLY | O_CREAT);
}

static int
try_tcp(int (*call)(int, const struct sockaddr *, socklen_t), uint16_t port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return EACCES; /* no sockets at all: as good */
	return call(fd, (struct sockaddr *)&to, sizeof(to)) == -1 ? errno : 0;
}

static int
try_connect(void)
{
	return try_tcp(connect, 9);
}

static int
try_bind(void)
{
	return try_tcp(bind, 0);
}

static int
try_signal_parent(void)
{
	return kill(getppid(), 0) == -1 ? errno : 0;
}

static int
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid == -1 ? errno : 0;
}

static int
try_become_root(void)
{
	return setresuid(0, 0, 0) == -1 ? errno : 0;
}

static int
try_chroot(void)
{
	return chroot("/") == -1 ? errno : 0;
}

/* Where an attempt is made. */
#define NOT_CONNECTOR (1u << 0)
#define OWN_UID (1u << 1)   /* only with a user id of our own */
#define NOT_ROOT (1u << 2)  /* uid 0 is exempt, even without capabilities */
#define NOT_TESTS (1u << 3) /* instrumented builds are let off */

/* What must fail by now, with which error (0: any), and from which Landlock
 * ABI on. */
static const struct forbidden {
	const char *what;
	int (*attempt)(void);
	int error;
	unsigned landlock;
	unsigned where;
} forbidden[] = {
	/* clang-format off */
	{ "list /", try_list_root, EACCES, LANDLOCK_ABI_FILES, NOT_TESTS },
	{ "read /proc", try_environ, 0, LANDLOCK_ABI_FILES, NOT_TESTS },
	{ "make a file", try_make_file, 0, LANDLOCK_ABI_FILES, NOT_TESTS },
	{ "connect", try_connect, EACCES, LANDLOCK_ABI_TCP, NOT_CONNECTOR },
	{ "bind", try_bind, EACCES, LANDLOCK_ABI_TCP, 0 },
	{ "signal the parent", try_signal_parent, EPERM, LANDLOCK_ABI_SCOPES, 0 },
	{ "become root", try_become_root, EPERM, 0, OWN_UID },
	{ "fork", try_fork, EAGAIN, 0, NOT_ROOT | NOT_TESTS },
	{ "chroot", try_chroot, 0, 0, 0 },
	/* clang-format on */
};

static bool
applies(const struct lockdown *l, const struct forbidden *f)
{
	unsigned skip = 0;

	if (l->sb->may_connect)
		skip |= NOT_CONNECTOR;
	if (!l->state->own_uid)
		skip |= OWN_UID;
	if (getuid() == 0)
		skip |= NOT_ROOT;
	if (TEST_BUILD)
		skip |= NOT_TESTS;
	return l->state->landlock >= f->landlock && !(f->where & skip);
}

static void
try_forbidden(struct lockdown *l)
{
	char text[128];

	for (size_t i = 0; i < nitems(forbidden); i++) {
		const struct forbidden *f = &forbidden[i];
		int e;

		if (!applies(l, f))
			continue;
		e = f->attempt();
		if (e != 0 && (f->error == 0 || f->error == e))
			continue;
		snprintf(text, sizeof(text), "%s: forbidden, but: %s", f->what,
		    e == 0 ? "it worked" : strerror(e));
		layer_failed(l, text);
	}
}

/* ---- 5: seccomp ------------------------------------------------------------
 */

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

static void
enter_seccomp(struct lockdown *l)
{
	scmp_filter_ctx ctx = sandbox_filter(l->sb);
	int r = seccomp_load(ctx);
	char text[128];

	seccomp_release(ctx);
	/* Nothing after this line but what the filter allows. */
	if (r != 0) {
		snprintf(text, sizeof(text), "seccomp: %s", strerror(-r));
		layer_failed(l, text);
	} else if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
		die(l->sb->name, "seccomp: the filter does not work");
}

/* ---- all of it
 * --------------------------------------------------------------- */

void
sandbox_enter(const struct sandbox *sb, uid_t uid,
    const struct sandbox_paths *paths, bool strict, struct sandbox_state *state)
{
	struct lockdown l = { sb, strict, state, { .fd = -1 } };

	memset(state, 0, sizeof(*state));
	if (TEST_BUILD)
		lacking(&l,
		    "TEST BUILD: instruments' calls pass, files and "
		    "root are not confined");
	private_process(sb->name);
	prepare_landlock(&l, paths);
	if (uid != (uid_t)-1)
		become(&l, uid, paths != NULL ? paths->dir : NULL);
	if (sandbox_keep_caps(0) != FX_OK)
		die(sb->name, "capabilities: %s", strerror(errno));
	private_process(sb->name); /* the change of user undid it */
	limits(sb, sb->writes_files || changes_files(paths));
	enter_landlock(&l);
	try_forbidden(&l);
	enter_seccomp(&l);
}
