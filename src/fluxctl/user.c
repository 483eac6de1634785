/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "user.h"

#include "buf.h"
#include "fd.h"
#include "str.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define VALUE_MAX 1024 /* bytes of a name or an address */

extern char **environ;

/* Starts `git config --get --null KEY`, with its output in the pipe. */
static bool
start_git(const char *key, int out, pid_t *pid)
{
	const char *argv[] = { "git", "config", "--get", "--null", key, NULL };
	posix_spawn_file_actions_t files;
	int error;

	if (posix_spawn_file_actions_init(&files) != 0)
		return false;
	error = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_addopen(&files, STDIN_FILENO,
		    "/dev/null", O_RDONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_addopen(&files, STDERR_FILENO,
		    "/dev/null", O_WRONLY, 0);
	if (error == 0)
		error = posix_spawnp(pid, "git", &files, NULL,
		    (char *const *)(uintptr_t)argv, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	return error == 0;
}

static bool
ended_well(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* All that comes before a NUL or the end; longer than VALUE_MAX is nothing. */
static bool
read_value(int fd, struct buf *out)
{
	char chunk[256];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || buf_put(out, chunk, (size_t)n) != FX_OK)
			return false;
	}
	return true;
}

/* "" when git has no such value. */
static char *
git_value(const char *key)
{
	struct buf b = BUF_INIT(VALUE_MAX);
	auto_fd int in = -1, out = -1;
	int ends[2];
	bool ok;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return xstrdup("");
	in = ends[0];
	out = ends[1];
	if (!start_git(key, out, &pid))
		return xstrdup("");
	fd_close(&out);
	ok = read_value(in, &b);
	fd_close(&in); /* a git that writes on gets EPIPE */
	if (!ended_well(pid) || !ok)
		buf_reset(&b);
	return str_take(&b);
}

char *
ctl_git_user(void)
{
	auto_free char *name = git_value("user.name");
	auto_free char *address = git_value("user.email");

	if (*name != '\0' && *address != '\0')
		return xasprintf("%s <%s>", name, address);
	return xstrdup(*name != '\0' ? name : address);
}
