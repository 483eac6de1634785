/*
 * worker: the frame that every worker's main() has.
 *
 *	int
 *	main(int argc, char *argv[])
 *	{
 *		struct worker w;
 *
 *		worker_init(&w, argc, argv, IPC_R_NET, IPC_R_NET);
 *		nw_open(&w);			 libraries' lazy start
 *		worker_lock_down(&w, &nw_sandbox, NULL); no way back
 *		return worker_run(&w, nw_handlers, nw_nhandlers, state);
 *	}
 *
 * worker_init closes foreign descriptors, sets signals, makes the process not
 * dumpable, and takes from the master, up to GO, what this role is to have:
 * settings, descriptors of files, listeners.  Nothing of it is parsed here.
 * worker_lock_down confines the process and sends READY.  worker_run serves
 * the channel until STOP or until it closes; the master ends a worker by
 * closing its end.
 */
#ifndef FX_WORKER_H
#define FX_WORKER_H

#include "base.h"
#include "settings.h"
#include "ipc.h"
#include "ipc_peer.h"
#include "loop.h"
#include "sandbox.h"

#define WORKER_CHANNEL_FD 3
#define WORKER_MAX_LISTENERS 8

struct worker_listener {
	enum ipc_listener_kind kind;
	int fd;
};

struct worker {
	enum ipc_role role;
	uint32_t instance;
	struct ipc_peer master;
	struct loop *loop;
	struct loop_source *channel;
	struct config cfg; /* only the fields sent to this role are set */
	int files[IPC_FILE_COUNT];     /* -1: not given */
	char *no_file[IPC_FILE_COUNT]; /* why not; owned; may be NULL */
	struct worker_listener listeners[WORKER_MAX_LISTENERS];
	size_t nlisteners;
	uid_t uid;		      /* to become; (uid_t)-1: stay */
	bool go;		      /* START is over */
	struct ipc_handler *handlers; /* owned: the worker's and our own */
};

/* argv: role instance uid.  The role must be one of the two this executable
 * can be (equal when it is only one); anything else ends the process. */
void worker_init(struct worker *, int argc, char *argv[], enum ipc_role,
    enum ipc_role other);
void worker_lock_down(struct worker *, const struct sandbox *,
    const struct sandbox_paths *);
int
worker_run(struct worker *, const struct ipc_handler *, size_t n, void *ctx);

/* Take a descriptor out of w->files; the caller's from now on. */
int worker_take_file(struct worker *, enum ipc_file_id);

/* All of a file that was given, as fd_read_all; but where the system fails this
 * process ends: the next one is given another descriptor. */
int worker_read_all(struct worker *, int fd, struct buf *) FX_MUSTUSE;

/* Log why and end: what this process can do no more, the next one may. */
void FX_NORETURN worker_start_over(struct worker *, const char *why);

/* Add to a metric (counter, gauge set, histogram observation), value × 1e6. */
void worker_metric(struct worker *, unsigned metric, const char *labels,
    int64_t value_us);

#endif
