/*
 * master: the state of fluxd and what its parts call of each other.
 *
 * The master owns the life of the workers, the timers, the jobs, the flows, the
 * log and the metrics.  It holds no secret (only sealed descriptors that it
 * cannot read), parses nothing but message envelopes, and after its lock-down
 * can neither open, read nor start anything.
 */
#ifndef FX_MASTER_H
#define FX_MASTER_H

#include "base.h"
#include "child.h"
#include "events.h"
#include "git_url.h"
#include "job_notes.h"
#include "jobs.h"
#include "journal.h"
#include "keyring.h"
#include "listen.h"
#include "logger.h"
#include "loop.h"
#include "marker.h"
#include "metrics.h"
#include "mirror.h"
#include "repair.h"
#include "repository.h"
#include "service_url.h"
#include "settings.h"
#include "spool.h"
#include "status.h"
#include "sync.h"

#define MST_MAX_CHILDREN 10

/* The instance of fluxd-key that makes a key, and that of fluxd-sync that
 * stores it: processes that hold it as long as that takes. */
#define MST_KEY_INSTANCE 1

struct master {
	struct config cfg;
	struct loop *loop;
	struct logger log;
	struct metrics *metrics;
	int64_t scrapes;   /* of the metrics, being answered */
	struct child self; /* the row of the process table, no channel */
	struct child launcher;
	struct child launch_net; /* the same: the launcher's, for net */
	struct child children[MST_MAX_CHILDREN];
	size_t nchildren;
	bool stopping;
	int exit_status;
	struct loop_timer stop_by;

	/* from before lock-down */
	struct listeners listeners;
	struct git_url url; /* empty without --git-url; no password */
	char *url_bare;	    /* --git-url without the password */
	char *url_show;	    /* for people */
	bool has_url;
	bool has_key_ring;	    /* a deploy key may be asked for */
	int password_fd;	    /* sealed memory file, or -1 */
	struct service_url service; /* of --connect; empty without */
	struct kc_url service_way;  /* it, or the proxy on the way to it */
	int64_t service_since_us;   /* it is connected to us; 0: it is not */
	int token_fd, proxy_fd;	    /* of it: sealed memory files, or -1 */
	int lock_fd; /* the mirror's lock, shared with the git workers */
	char *paths[IPC_FILE_COUNT]; /* of the launcher's table; NULL: none */
	uint64_t uid;		     /* the user fluxd was started by */

	/* the API server's address, once sync has declared it */
	char *api_host;
	uint64_t api_port;
	bool paths_named;
	int64_t reopened_us[IPC_FILE_NAMED + IPC_MAX_NAMED_PATHS];

	/* what fluxd-key said */
	struct ipc_key_public_is key;
	struct keyring keyring;

	struct mirror mirror;
	struct marker marker;
	struct events events;
	struct spool spool;
	struct sync_flow sync;
	struct repair_flow repair;
	struct repository repository;
	struct sync_status sync_status;
	struct jobs jobs;
	struct job_notes job_notes;
};

/* ---- main.c ---- */
void mst_stop(struct master *, const char *reason, int exit_status);
void mst_lost_launcher(struct master *);

/* ---- workers.c: which there are, what they are given ---- */
void mst_init_children(struct master *);
struct child *mst_child(struct master *, enum ipc_role);
struct child *mst_key_child(struct master *, enum ipc_role);
size_t mst_files_of(const struct child *, const enum ipc_file_id **);
int mst_send_config(struct master *, struct child *) FX_MUSTUSE;
/* Listeners and sealed files the master holds itself. */
int mst_give_held(struct master *, struct child *) FX_MUSTUSE;
bool mst_may_connect(const struct master *, const struct child *,
    const char *host, uint64_t port);
/* Running, or gone: the flows that care are told. */
void mst_child_changed(struct master *, struct child *);
const char *mst_exit_text(uint64_t wait_status);
void mst_count(struct master *, enum metric, const struct child *);

/* ---- handlers.c: frames for the master itself ---- */
void mst_wire(struct child *); /* handlers and relay of a new channel */

/* ---- clients.c: what the api worker asks for them ---- */
extern const struct ipc_handler mst_client_handlers[];
extern const size_t mst_nclient_handlers;
int mst_reply_git_config(struct master *, const struct ipc_req *);

#endif
