/* SPDX-License-Identifier: Apache-2.0 */
/* The last steps of a worker's process before it is one. */
#include "base.h"
#include "launch.h"

#include "str.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#define EXIT_EXEC 127 /* of a child whose program could not be started */

void
launch_cannot(const struct launch_program *p, const char *what)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "%s/%s: %s: %s\n", p->dir, p->name,
	    what, strerror(errno));

	(void)!write(STDERR_FILENO, text,
	    n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1);
	_exit(EXIT_EXEC);
}

void
launch_default_signals(void)
{
	const struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &dfl, NULL); /* some cannot be set */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Nothing of ours goes to a worker, except to the instruments of a test build.
 */
static char **
child_environment(void)
{
	static char *none[] = { NULL };
#ifdef FX_TEST_BUILD
	return environ != NULL ? environ : none;
#else
	return none;
#endif
}

void
launch_exec(const struct launch_program *p)
{
	char *path = xasprintf("%s/%s", p->dir, p->name);
	char *uid = p->uid == (uid_t)-1 ? xstrdup("-1")
					: xasprintf("%u", (unsigned)p->uid);
	char *argv[] = { xstrdup(p->name), xasprintf("%u", (unsigned)p->role),
		xasprintf("%u", (unsigned)p->instance), uid, NULL };

	launch_default_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 ||
	    getppid() != p->parent)
		launch_cannot(p, "parent");
	if (dup2(p->channel, LAUNCH_CHANNEL_FD) == -1 ||
	    close_range(LAUNCH_CHANNEL_FD + 1, ~0u, 0) == -1)
		launch_cannot(p, "descriptors");
	execve(path, argv, child_environment());
	launch_cannot(p, "exec");
}
