/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "confine.h"
#include "fd.h"
#include "landlock.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A directory that may be changed, and a file beside it that may not. */
static char root[] = "/tmp/ctl-confine-XXXXXX";

static int open_before = -1; /* a socket from before */

static char *
below(const char *name)
{
	return xasprintf("%s/%s", root, name);
}

static void
put_file(const char *name)
{
	auto_free char *path = below(name);
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	want(fd != -1);
}

static bool
opens(const char *path, int flags)
{
	auto_fd int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd != -1;
}

static bool
opens_below(const char *name, int flags)
{
	auto_free char *path = below(name);

	return opens(path, flags);
}

static bool
has_socket(int family, int type)
{
	auto_fd int fd = socket(family, type | SOCK_CLOEXEC, 0);

	return fd != -1;
}

static void
probe_files(void)
{
	want(opens("/etc/passwd", O_RDONLY));
	want(!opens_below("kept", O_RDONLY));
	want(!opens_below("kept", O_WRONLY));
	want(!opens_below("new", O_WRONLY | O_CREAT));
	want(opens_below("out/new", O_WRONLY | O_CREAT));
	want(!opens("/etc/ctl-confine", O_WRONLY | O_CREAT));
	want(!opens("/proc/self/mem", O_RDWR));
}

static void
probe_calls(void)
{
	auto_free char *out = below("out");
	const char *argv[] = { "/bin/true", NULL };

	want(execv(argv[0], (char *const *)(uintptr_t)argv) == -1 &&
	    (errno == EPERM || errno == EACCES));
	want(chmod(out, 0777) == -1 && errno == EPERM);
#ifndef FX_TEST_BUILD
	want(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 && errno == EPERM);
#endif
	want(ioctl(STDIN_FILENO, TIOCSTI, "x") == -1 && errno == EPERM);
	want(!has_socket(AF_PACKET, SOCK_RAW));
	want(!has_socket(AF_VSOCK, SOCK_STREAM));
	want(!has_socket(AF_ALG, SOCK_SEQPACKET));
	want(has_socket(AF_INET, SOCK_STREAM));
	want(has_socket(AF_INET6, SOCK_STREAM));
	want(has_socket(AF_UNIX, SOCK_STREAM));
	want(has_socket(AF_NETLINK, SOCK_RAW));
}

/* No way out but what is handed over; what libcurl asks for beside is said to
 * have worked, and is not done. */
static void
probe_handed(void)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);
	int ends[2];

	want(!has_socket(AF_INET, SOCK_STREAM));
	want(!has_socket(AF_INET6, SOCK_DGRAM));
	want(!has_socket(AF_UNIX, SOCK_STREAM));
	want(!has_socket(AF_NETLINK, SOCK_RAW));
	want(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	want(connect(open_before, (const void *)&to, sizeof(to)) == 0);
	want(getpeername(open_before, (void *)&peer, &n) == -1);
	want(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	close(ends[0]);
	close(ends[1]);
}

/* Confines a child and runs the probes there; they count as this test's. */
static void
in_child(void (*probe)(void), enum confine_reach reach)
{
	auto_error struct ctl_error err = { 0 };
	auto_free char *out = below("out");
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		want_int(ctl_confine(out, reach, &err), FX_OK);
		probe();
		fflush(stdout);
		_exit(test_case_failures != 0);
	}
	want(pid > 0 && waitpid(pid, &status, 0) == pid);
	want_int(status, 0);
}

static void
test_files(void)
{
#ifndef FX_TEST_BUILD /* instruments write files */
	if (landlock_abi() > 0)
		in_child(probe_files, CONFINE_NETWORK);
#else
	(void)probe_files;
#endif
}

static void
test_calls(void)
{
	in_child(probe_calls, CONFINE_NETWORK);
}

static void
test_handed(void)
{
	in_child(probe_handed, CONFINE_HANDED);
}

int
main(void)
{
	auto_free char *out = NULL, *kept = NULL, *made = NULL;

	if (mkdtemp(root) == NULL)
		fx_bug("no directory: %s", strerror(errno));
	open_before = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	out = below("out");
	kept = below("kept");
	made = below("out/new");
	want(mkdir(out, 0700) == 0);
	put_file("kept");
	test_run("confine: files of the system are read, one directory is "
		 "changed, nothing else",
	    test_files);
	test_run("confine: what no client needs is refused", test_calls);
	test_run("confine: who gets sockets handed over makes none",
	    test_handed);
	(void)close(open_before);
	(void)unlink(made);
	(void)unlink(kept);
	(void)rmdir(out);
	(void)rmdir(root);
	return test_done();
}
