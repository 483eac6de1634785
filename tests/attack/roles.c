/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "roles.h"

#include <stdio.h>

extern const struct sandbox mst_sandbox, nw_sandbox, kw_sandbox,
    gw_remote_sandbox, gw_http_sandbox, gw_local_sandbox, mw_sandbox,
    sw_sandbox, aw_sandbox, uw_sandbox;

const struct attack_role attack_roles[] = {
	{ "master", IPC_R_MASTER, &mst_sandbox, false },
	{ "launcher", IPC_R_LAUNCHER, NULL, false },
	{ "net", IPC_R_NET, &nw_sandbox, false },
	{ "key", IPC_R_KEY, &kw_sandbox, false },
	{ "git-remote", IPC_R_GIT_REMOTE, &gw_remote_sandbox, true },
	{ "git-http", IPC_R_GIT_REMOTE, &gw_http_sandbox, true },
	{ "git-local", IPC_R_GIT_LOCAL, &gw_local_sandbox, true },
	{ "manifest", IPC_R_MANIFEST, &mw_sandbox, false },
	{ "sync", IPC_R_SYNC, &sw_sandbox, false },
	{ "api", IPC_R_API, &aw_sandbox, false },
	{ "launch-net", IPC_R_LAUNCH_NET, NULL, false },
	{ "upstream", IPC_R_UPSTREAM, &uw_sandbox, false },
};
_Static_assert(nitems(attack_roles) <= ATTACK_MAX_ROLES, "too many roles");
const size_t nattack_roles = nitems(attack_roles);

const struct attack_role *
attack_role(enum ipc_role role)
{
	for (size_t i = 0; i < nattack_roles; i++)
		if (attack_roles[i].role == role)
			return &attack_roles[i];
	fx_bug("no role %d", role);
}

const struct attack_role *
attack_named(const char *name)
{
	for (size_t i = 0; i < nattack_roles; i++)
		if (strcmp(attack_roles[i].name, name) == 0)
			return &attack_roles[i];
	fx_bug("no role %s", name);
}

bool
attack_has_filter(pid_t pid)
{
	auto_free char *path = xasprintf("/proc/%d/status", (int)pid);
	char text[8192];
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return strstr(text, "\nSeccomp:\t2\n") != NULL;
}
