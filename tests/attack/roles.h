/*
 * roles: every process that locks itself down, with the data that it does it
 * with: the objects are those of the processes themselves.
 */
#ifndef FX_ATTACK_ROLES_H
#define FX_ATTACK_ROLES_H

#include "base.h"
#include "ipc.h"
#include "sandbox.h"

#include <sys/types.h>

#define ATTACK_MAX_ROLES 16

struct attack_role {
	const char *name; /* the role's, but where a role has two programs */
	enum ipc_role role;
	const struct sandbox *sandbox; /* NULL: a list of refusals */
	bool has_dir;		       /* a directory of its own: the mirror */
};

extern const struct attack_role attack_roles[];
extern const size_t nattack_roles;

const struct attack_role *attack_role(enum ipc_role);
const struct attack_role *attack_named(const char *);

/* Does the kernel say that the process is under a seccomp filter? */
bool attack_has_filter(pid_t);

#endif
