/*
 * launch: what the launcher and its tests share.
 */
#ifndef FX_LAUNCH_H
#define FX_LAUNCH_H

#include "base.h"
#include "ipc.h"

#include <seccomp.h>
#include <sys/types.h>

#define LAUNCH_CHANNEL_FD 3 /* the master's, and each worker's */

/*
 * What neither the launcher nor anything it starts may ever do.  A list of
 * refusals, because workers inherit it and start with their libraries' ways;
 * each confines itself by a list of its own afterwards.
 *
 * sockets: the list for who starts the connector (launch_net.c): sockets of
 * IPv4 and IPv6, and connecting them, are not refused.
 */
scmp_filter_ctx launch_filter(bool sockets);

/* Load it, for good.  0 or -errno. */
int launch_load_filter(bool sockets) FX_MUSTUSE;

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

/* A worker's process, between fork and exec. */
struct launch_program {
	const char *dir; /* where the programs are */
	const char *name;
	enum ipc_role role;
	uint32_t instance;
	uid_t uid;    /* to become, at its lock-down; (uid_t)-1: stay */
	int channel;  /* the worker's end */
	pid_t parent; /* whose end is its end */
};

/* Exec it, with its channel and standard error and nothing else of ours. */
void launch_exec(const struct launch_program *) FX_NORETURN;

/* It cannot be: say what failed, with errno, and end. */
void launch_cannot(const struct launch_program *, const char *what) FX_NORETURN;

void launch_default_signals(void);

/*
 * The starter of the connector.  A filter cannot be taken off, and the
 * connector, alone of all processes, needs socket and connect: so a process
 * forked before the launcher puts its own filter on does nothing but start it,
 * as often as it is told to.  It is the connector's user, has no capability,
 * no path and no secret, and one socket, to the launcher.
 */
struct launch_net {
	pid_t pid;
	int fd; /* -1: it has ended */
};

/* Returns when it is locked down; FX_ESYS when it could not be.  `dir` is the
 * programs', `user` the connector's. */
int launch_net_start(struct launch_net *, const char *dir,
    const struct launch_user *user, bool strict) FX_MUSTUSE;

/* As fork(2): a child of this process, with `channel` as its channel. */
pid_t
launch_net_spawn(const struct launch_net *, uint32_t instance, int channel);

void launch_net_end(struct launch_net *);

/* What /proc/PID/status says about a process. */
struct launch_status {
	uint64_t uid;
	uint64_t seccomp;
	uint64_t no_new_privs;
	uint64_t caps; /* effective */
};

/* FX_ESYNTAX if a line is missing, FX_EDENIED if its four user ids differ. */
int launch_parse_status(const char *text, struct launch_status *) FX_MUSTUSE;
int
launch_read_status(pid_t, struct launch_status *, struct fx_err *) FX_MUSTUSE;

/* Add what a process has used, from /proc/PID/stat; nothing if it is gone. */
struct launch_usage {
	uint64_t cpu_us, resident, address_space;
};

void launch_add_usage(pid_t, struct launch_usage *);
/* FX_ESYNTAX, and nothing is added. */
int launch_parse_stat(const char *text, struct launch_usage *) FX_MUSTUSE;

#endif
