/*
 * sync_bed: a real fluxd-sync, with everybody it talks to played by the test.
 *
 * The worker is started as the launcher would start it.  The test is its
 * master, its connector (sockets are real) and its manifest worker (the set is
 * made up); the API server is a real one, found through the environment that
 * tests/testbed/bed prints.
 */
#ifndef FX_SYNC_BED_H
#define FX_SYNC_BED_H

#include "base.h"
#include "ipc.h"
#include "ipc_peer.h"
#include "loop.h"

#include <sys/types.h>

/* One resource of the made-up repository. */
struct bed_res {
	char *api_version, *kind, *ns, *name;
	char *rest; /* members beside apiVersion, kind and metadata: ",…" */
	char *metadata;	   /* more of metadata: ",…" */
	char *annotations; /* more of them: ",…" */
	unsigned version;  /* of its content */
	bool ignored, gone;
	uint64_t index;
};

#define BED_SETTINGS 8

struct bed {
	pid_t pid;
	struct ipc_setting settings[BED_SETTINGS]; /* more for bed_start */
	size_t nsettings;
	char *url;	 /* owned; of the repository; NULL: none */
	char *set_name;	 /* owned; of the sync set */
	bool incomplete; /* APPLY says that git has more */
	bool deltas;	 /* tell what is gone, not only what is there */
	struct loop *loop;
	struct ipc_peer peer;
	struct loop_source *channel;
	struct bed_res *res;
	size_t nres;
	struct ipc_req set_req, bodies_req; /* being answered; type 0: none */
	uint64_t set_base;
	size_t set_next;	  /* resource */
	struct ipc_bodies wanted; /* owned */
	size_t bodies_next;	  /* position in wanted */
	struct buf body;	  /* rest of that one */
	uint64_t set;		  /* number of the current set */
	uint64_t bodies;	  /* asked for so far */
	uint64_t full_sets;	  /* asked for so far */
	uint64_t connects;
	uint64_t drift;	     /* DRIFT events */
	bool no_connect;     /* the connector answers that nobody is there */
	bool silent_connect; /* … with a socket that says nothing */
	bool no_bodies;	     /* manifest cannot say what it is asked for */
	bool auto_repair;
	uint64_t repaired; /* objects put back */
	unsigned bad_ends; /* workers that did not end well */
	char *paths[IPC_MAX_NAMED_PATHS];
	size_t npaths;
	char last_log[1024];
	struct buf log; /* since bed_start: a record a line */
	struct ipc_ready ready;
	bool is_ready, closed;
};

/* What an APPLY or REPAIR came to. */
struct bed_result {
	bool done;
	struct fx_err err;
	struct ipc_applied applied;
	struct ipc_repaired repaired;
	char errors[8192]; /* "id: text; …" */
	size_t nerrors;
};

/* Start the worker; kubeconfig NULL: as in a cluster, with these files. */
void bed_start(struct bed *, const char *kubeconfig, const char *server,
    const char *token, const char *ca, const char *setting, const char *value);
void bed_stop(struct bed *);
void bed_free_set(struct bed *);
/* One more setting for the next bed_start; the texts are borrowed. */
void bed_set(struct bed *, const char *setting, const char *value);
/* How often has the log this text, since the worker was started? */
unsigned bed_logged(const struct bed *, const char *text);
/* The mark of an object of the set; owned by the caller. */
char *
bed_mark(struct bed *, const char *ns, const char *kind, const char *name);

struct bed_res *bed_add(struct bed *, const char *api_version, const char *kind,
    const char *ns, const char *name, const char *rest);
/* The one of this name, which is there. */
struct bed_res *bed_find(const struct bed *, const char *name);
/* A new set number: what was changed since is seen by the next apply. */
void bed_commit(struct bed *);

struct bed_result bed_apply(struct bed *);
/* Passes until this holds of one, or for a minute; the last one's result.  What
 * others do gets to the worker in its own time; a pass before that has nothing
 * to do, and asks nothing. */
struct bed_result
bed_apply_until(struct bed *, bool (*is_it)(const struct bed_result *));
/* One that is killed, with the worker, after a while; in place of bed_stop. */
void bed_apply_killed(struct bed *, int64_t after_us);
struct bed_result bed_repair(struct bed *);
/* Scopes of one kind: enum ipc_scope_kind, -1 if it failed. */
int bed_scope(struct bed *, const char *api_version, const char *kind,
    char *why, size_t size);
int bed_cluster(struct bed *, char *out, size_t size);

/* Serve the worker for a while. */
void bed_serve(struct bed *, int64_t span_us);
/* Serve it until *what is at least `want`; false: not within the span. */
bool
bed_wait(struct bed *, const uint64_t *what, uint64_t want, int64_t span_us);

/* Serve it until its last log line has the text; false as above. */
bool bed_wait_log(struct bed *, const char *text, int64_t span_us);

/* The worker's resident memory; -1: it has ended. */
long bed_rss_kb(const struct bed *);

/* kubectl with these arguments; false if it failed. */
bool bed_kubectl(const char *fmt, ...) FX_PRINTF(1, 2);
char *bed_kubectl_get(const char *fmt, ...) FX_PRINTF(1, 2);

/* Requests in the audit log, by fluxd, since the mark.  verb NULL: all but
 * watches; resource NULL: all. */
long bed_audit_mark(void);
unsigned bed_audit(long mark, const char *verb, const char *resource);
/* Those of this verb that were refused with 409. */
unsigned bed_audit_conflicts(long mark, const char *verb);

#endif
