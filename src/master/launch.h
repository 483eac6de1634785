/*
 * launch: what the launcher and its tests share.
 */
#ifndef FX_LAUNCH_H
#define FX_LAUNCH_H

#include "base.h"
#include "ipc.h"

#include <seccomp.h>
#include <sys/types.h>

/*
 * What neither the launcher nor anything it starts may ever do.  A list of
 * refusals, because workers inherit it and start with their libraries' ways;
 * each confines itself by a list of its own afterwards.
 *
 * socket and connect are not refused as such, only all families but IPv4 and
 * IPv6: the connector is a child too, and a filter cannot be taken off.  That
 * the launcher makes no connection rests on its having no code for it.
 */
scmp_filter_ctx launch_filter(void);

/* git-remote's program where the repository is behind https or http; its user
 * is the same. */
#define LAUNCH_GIT_HTTP "fluxd-git-http"

/* Who workers become. */
struct launch_user {
	uid_t uid; /* (uid_t)-1: stay */
	gid_t gid;
};

/*
 * The user of each role: that of the program's name (fluxd-net, fluxd-git, …)
 * in the password file `passwd` where it has one, else `base` plus the number
 * of the first role with that program.  Both instances of fluxd-git are one
 * user, for they share the mirror.
 */
void launch_users(struct launch_user[IPC_R_COUNT], const char *passwd,
    uint32_t base);

/* What /proc/PID/status says about a process. */
struct launch_status {
	uint64_t uid;
	uint64_t seccomp;
	uint64_t no_new_privs;
	uint64_t caps; /* effective */
};

/* FX_ESYNTAX if a line is missing, FX_EDENIED if its four user ids differ. */
int launch_parse_status(const char *text, struct launch_status *) FX_MUSTUSE;

#endif
