/* SPDX-License-Identifier: Apache-2.0 */
/* What must be impossible once everything but the filter is in force. */
#include "base.h"
#include "sandbox_parts.h"

#include "fd.h"
#include "landlock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

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
applies(const struct sandbox *sb, const struct sandbox_state *state,
    const struct forbidden *f)
{
	unsigned skip = 0;

	if (sb->may_connect)
		skip |= NOT_CONNECTOR;
	/* a local repository may be root's, and its worker too */
	if (!state->own_uid || getuid() == 0)
		skip |= OWN_UID;
	if (getuid() == 0)
		skip |= NOT_ROOT;
	if (SANDBOX_TEST_BUILD)
		skip |= NOT_TESTS;
	return state->landlock >= f->landlock && !(f->where & skip);
}

int
sandbox_try(size_t i, const struct sandbox *sb,
    const struct sandbox_state *state, struct fx_err *err)
{
	const struct forbidden *f = &forbidden[i];
	int e;

	if (i >= nitems(forbidden))
		return FX_EUNKNOWN;
	if (!applies(sb, state, f))
		return FX_OK;
	e = f->attempt();
	if (e != 0 && (f->error == 0 || f->error == e))
		return FX_OK;
	return fx_fail(err, FX_EDENIED, "%s: forbidden, but: %s", f->what,
	    e == 0 ? "it worked" : strerror(e));
}
