/*
 * sw: fluxd-sync as a process: the cluster, how it logs in, whom it answers.
 */
#ifndef FX_SW_H
#define FX_SW_H

#include "base.h"
#include "cluster.h"
#include "kubeconfig.h"
#include "last_errors.h"
#include "reader.h"
#include "worker.h"

/* A file whose content is wanted: given at start, or through REOPEN. */
enum sw_file {
	SW_FILE_CA,
	SW_FILE_CERT,
	SW_FILE_KEY,
	SW_FILE_TOKEN,
	SW_FILE_COUNT,
};

struct sw_source {
	struct sw *sw;
	bool wanted;		 /* it comes from a file */
	bool pending;		 /* asked for */
	uint64_t which;		 /* enum ipc_file_id, or IPC_FILE_NAMED + n */
	struct loop_timer timer; /* asks again */
};

/* How we log in (login.c). */
struct sw_login {
	struct kubeconfig kc;
	struct kc_url url;
	bool in_cluster;
	struct sw_source files[SW_FILE_COUNT];
	int bundle;		 /* the system's CA bundle; -1 */
	int64_t token_read_us;	 /* when the token was read last */
	struct loop_timer timer; /* reads it again */
	bool up;		 /* everything was there once */
};

/* The set and the bodies on their way from manifest (feed.c). */
struct sw_feed {
	uint64_t set, base; /* asked for */
	struct fx_err set_err;
	struct buf *bodies; /* nbodies, by position */
	size_t nbodies;
	bool *too_long, *taken;
};

struct sw_error {
	char *id, *source, *text;
};

/* Who waits for the pass, and what it will be told (handlers.c). */
struct sw_reply {
	bool active;
	struct ipc_req req;
	struct sw_error *errors;
	size_t nerrors, cap, sent;
	struct pass_result result;
	struct loop_timer timer; /* waits for credit */
};

struct sw {
	struct worker *w;
	struct cluster *cluster;
	struct sw_login login;
	struct sw_feed feed;
	struct sw_reply reply;
	struct last_errors last_errors;
	struct readers readers;
	struct read_ask *reads; /* what is asked at this moment (reads.c) */
	char *own_ns;	 /* where our Secret and our inventory are; NULL: not
			    yet asked for */
	char **gc_names; /* of sync sets: see cluster_config */
	size_t ngc_names;
	struct fx_err dead; /* why we cannot work at all; FX_OK: we can */
};

extern const struct sandbox sw_sandbox;
extern const struct ipc_handler sw_handlers[];
extern const size_t sw_nhandlers;

/* Before lock-down: the libraries, and what must be open. */
void sw_open(struct sw *, struct worker *);
/* After it: read the kubeconfig, say where the API server is, log in. */
void sw_start(struct sw *);
void sw_close(struct sw *);

/* login.c */
void login_start(struct sw *);
void login_clear(struct sw *);
/* The server refused us: read the token again. */
void login_renew(void *sw);
void login_connect(void *sw, enum client_lane);

/* feed.c: hooks of the cluster */
void feed_set(void *sw, uint64_t set, uint64_t base);
void feed_bodies(void *sw, uint64_t set, const uint64_t *indexes, size_t n);
void feed_clear(struct sw *);

/* handlers.c.  Our pod's own namespace; outside of one what the kubeconfig
 * says. */
const char *sw_own_namespace(struct sw *);

/* handlers.c: hooks of the cluster */
void
reply_error(void *sw, const char *id, const char *source, const char *text);
void reply_done(void *sw, const struct pass_result *);
void reply_note(void *sw, const char *key, const char *text, const char *id,
    const char *source);
void reply_drift(void *sw, uint64_t objects);
void reply_contested(void *sw, const char *id, const char *source,
    const char *rivals);
void reply_collect(void *sw, const char *key, const char *text, bool dry,
    const char *id);
void reply_unlisted(void *sw, uint64_t n, const char *kinds, const char *why);
void reply_inventory(void *sw, const char *where, bool kept, const char *why);
void reply_clear(struct sw *);

/* reads.c: credit for what is being read, or nobody wants it any more. */
int read_on_control(void *sw, struct ipc_peer *, struct ipc_frame *);
void reads_clear(struct sw *);
/* on_workloads.c, on_export.c */
int
sw_on_workloads(struct sw *, const struct ipc_req *, struct ipc_workloads *);
int sw_on_export(struct sw *, const struct ipc_req *, struct ipc_export *);
/* on_key_store.c */
int
sw_on_key_store(struct sw *, const struct ipc_req *, struct ipc_key_store *);

#endif
