/*
 * launcher: what the files of fluxd-launch share.
 *
 * launch.c has the contract and the life of the process, launch_files.c the
 * table of paths, launch_children.c the workers that it starts, kills and looks
 * at.
 */
#ifndef FX_LAUNCHER_H
#define FX_LAUNCHER_H

#include "launch.h"

#include "ipc_peer.h"
#include "loop.h"

#define LAUNCH_MAX_CHILDREN 64 /* running at once */

/* Slots for the files of enum ipc_file_id, then for those named later. */
#define LAUNCH_MAX_PATHS (IPC_FILE_COUNT + IPC_MAX_NAMED_PATHS)

struct launcher;

struct launch_child {
	struct launcher *l;
	enum ipc_role role;
	uint32_t instance;
	pid_t pid; /* 0: the slot is free */
	int pidfd; /* readable when the process has ended */
	struct loop_source *ended;
};

struct launcher {
	const char *libexec_dir;
	bool strict;
	bool git_http; /* the repository is behind https or http */
	struct launch_user users[IPC_R_COUNT];
	char *paths[LAUNCH_MAX_PATHS]; /* owned; NULL: no such number */
	struct launch_child children[LAUNCH_MAX_CHILDREN];
	struct launch_net net; /* starts the connector */
	struct ipc_peer master;
	struct loop *loop;
	bool go;
};

/* Say it on standard error, and end: the kernel ends the workers. */
void launch_die(const char *what) FX_NORETURN;

/* Handlers: their result speaks about the master. */
int
launch_on_path(struct launcher *, const struct ipc_req *, struct ipc_path *);
int launch_on_late_path(struct launcher *, const struct ipc_req *,
    struct ipc_late_path *);
int
launch_on_open(struct launcher *, const struct ipc_req *, struct ipc_open *);
int
launch_on_spawn(struct launcher *, const struct ipc_req *, struct ipc_spawn *);
int
launch_on_kill(struct launcher *, const struct ipc_req *, struct ipc_kill *);
int launch_on_inspect(struct launcher *, const struct ipc_req *,
    struct ipc_inspect *);
int
launch_on_usage(struct launcher *, const struct ipc_req *, struct ipc_usage *);

/* Kill and reap them all, and who starts the connector. */
void launch_end_children(struct launcher *);

#endif
