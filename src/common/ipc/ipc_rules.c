/* SPDX-License-Identifier: Apache-2.0 */
/* The rule book: who may send what to whom, when. */
#include "base.h"
#include "ipc.h"

/* The table's words for roles, phases and kinds, for this file only. */
enum {
#define ROLE(id, ...) id = IPC_S_##id,
#include "roles.def"
	ANY = IPC_S_ANY,
	ANY_WORKER = IPC_S_ANY_WORKER,
	START = IPC_PH_START,
	RUN = IPC_PH_RUN,
};
#define EVENT IPC_EVENT, 0
#define ASK IPC_ASK, 0
#define CONTROL IPC_CONTROL, 0
#define PART(id) IPC_PART, IPC_T_##id
#define ANSWER(id) IPC_ANSWER, IPC_T_##id

static const struct ipc_rule rules[IPC_T_COUNT] = {
#define IPC_RECORD(n, ...)
#define IPC_MSG(id, n, from, to, ph, kind, ...)                                \
	[IPC_T_##id] = { #n, from, to, ph, kind },
#include "ipc_messages.def"
#include "ipc_undef.h"
};

const struct ipc_rule *
ipc_rule(uint32_t type)
{
	return type == IPC_T_NONE || type >= IPC_T_COUNT ? NULL : &rules[type];
}

const char *
ipc_type_name(uint32_t type)
{
	const struct ipc_rule *r = ipc_rule(type);

	return r == NULL ? "?" : r->name;
}

int
ipc_permit(uint32_t type, enum ipc_role self, enum ipc_role who, uint32_t phase)
{
	const struct ipc_rule *r = ipc_rule(type);
	bool may;

	if (r == NULL)
		return FX_EUNKNOWN;
	may = self == IPC_R_MASTER ? (r->from & IPC_BIT(who)) != 0
				   : (r->to & IPC_BIT(self)) != 0;
	return may && (r->phases & phase) != 0 ? FX_OK : FX_EDENIED;
}

static const struct {
	const char *name, *executable;
	bool blocks;
	const char *holds;
} roles[IPC_R_COUNT] = {
#define ROLE(id, name, executable, blocking, holds)                            \
	[IPC_R_##id] = { name, executable, blocking, holds },
#include "roles.def"
};

const char *
ipc_role_name(enum ipc_role r)
{
	return r < IPC_R_COUNT ? roles[r].name : "?";
}

const char *
ipc_role_executable(enum ipc_role r)
{
	return r < IPC_R_COUNT ? roles[r].executable : "?";
}

const char *
ipc_role_holds(enum ipc_role r)
{
	return r < IPC_R_COUNT ? roles[r].holds : "?";
}

bool
ipc_role_blocks(enum ipc_role r)
{
	return r < IPC_R_COUNT && roles[r].blocks;
}
