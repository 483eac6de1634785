/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "roles.h"

extern const struct sandbox mst_sandbox, nw_sandbox, kw_sandbox,
    gw_remote_sandbox, gw_local_sandbox, mw_sandbox, sw_sandbox, aw_sandbox;

const struct attack_role attack_roles[] = {
	{ IPC_R_MASTER, &mst_sandbox, false },
	{ IPC_R_LAUNCHER, NULL, false },
	{ IPC_R_NET, &nw_sandbox, false },
	{ IPC_R_KEY, &kw_sandbox, false },
	{ IPC_R_GIT_REMOTE, &gw_remote_sandbox, true },
	{ IPC_R_GIT_LOCAL, &gw_local_sandbox, true },
	{ IPC_R_MANIFEST, &mw_sandbox, false },
	{ IPC_R_SYNC, &sw_sandbox, false },
	{ IPC_R_API, &aw_sandbox, false },
};
const size_t nattack_roles = nitems(attack_roles);

const struct attack_role *
attack_role(enum ipc_role role)
{
	for (size_t i = 0; i < nattack_roles; i++)
		if (attack_roles[i].role == role)
			return &attack_roles[i];
	fx_bug("no role %d", role);
}
