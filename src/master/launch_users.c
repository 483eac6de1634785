/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "launch.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_STATUS 8192 /* bytes of /proc/PID/status; about 1500 in use */

/* Not getpwnam: that loads whatever nsswitch.conf names, and may ask a
 * network.  The users of a service are local. */
static bool
find_user(FILE *f, const char *name, struct launch_user *u)
{
	const struct passwd *pw;

	rewind(f);
	while ((pw = fgetpwent(f)) != NULL) {
		if (strcmp(pw->pw_name, name) != 0 || pw->pw_uid == 0)
			continue;
		u->uid = pw->pw_uid;
		u->gid = pw->pw_gid;
		return true;
	}
	return false;
}

static uint32_t
first_role_of(const char *program)
{
	uint32_t role = 0;

	while (strcmp(ipc_role_executable((enum ipc_role)role), program) != 0)
		role++;
	return role;
}

void
launch_users(struct launch_user users[IPC_R_COUNT], const char *passwd,
    uint32_t base)
{
	FILE *f = fopen(passwd, "re");

	for (uint32_t role = 0; role < IPC_R_COUNT; role++) {
		const char *program = ipc_role_executable((enum ipc_role)role);
		uint32_t id = base + first_role_of(program);

		if (f != NULL && find_user(f, program, &users[role]))
			continue;
		users[role] = (struct launch_user){ id, id };
	}
	if (f != NULL)
		fclose(f);
}

/* The text after "\nname:\t", NULL if there is no such line. */
static const char *
line_of(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strchr(text, '\n'); p != NULL;
	     p = strchr(p + 1, '\n'))
		if (strncmp(p + 1, name, n) == 0 && p[1 + n] == ':' &&
		    p[2 + n] == '\t')
			return p + 3 + n;
	return NULL;
}

static int
number_of(const char *text, const char *name, int base, uint64_t *out)
{
	const char *p = line_of(text, name);
	char *end;

	if (p == NULL)
		return FX_ESYNTAX;
	*out = strtoull(p, &end, base);
	return end != p && *end == '\n' ? FX_OK : FX_ESYNTAX;
}

/* Real, effective, saved and file system's: one, or the process can change. */
static int
one_uid(const char *text, uint64_t *out)
{
	const char *p = line_of(text, "Uid");
	uint64_t id;
	char *end;

	if (p == NULL)
		return FX_ESYNTAX;
	for (int i = 0; i < 4; i++, p = end) {
		id = strtoull(p, &end, 10);
		if (end == p)
			return FX_ESYNTAX;
		if (i > 0 && id != *out)
			return FX_EDENIED;
		*out = id;
	}
	return FX_OK;
}

int
launch_parse_status(const char *text, struct launch_status *s)
{
	int r = one_uid(text, &s->uid);

	if (r == FX_OK)
		r = number_of(text, "Seccomp", 10, &s->seccomp);
	if (r == FX_OK)
		r = number_of(text, "NoNewPrivs", 10, &s->no_new_privs);
	if (r == FX_OK)
		r = number_of(text, "CapEff", 16, &s->caps);
	return r;
}

int
launch_read_status(pid_t pid, struct launch_status *s, struct fx_err *err)
{
	char path[64], text[MAX_STATUS];
	auto_fd int fd = -1;
	ssize_t n;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || (n = read(fd, text, sizeof(text) - 1)) == -1)
		return fx_fail(err, FX_ESYS, "%s: %s", path, strerror(errno));
	text[n] = '\0';
	r = launch_parse_status(text, s);
	if (r == FX_EDENIED)
		return fx_fail(err, r, "%s: more than one user id", path);
	if (r != FX_OK)
		return fx_fail(err, r, "%s: not understood", path);
	return FX_OK;
}
