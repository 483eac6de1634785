/*
 * api: the daemon's routes as functions.
 */
#ifndef CTL_API_H
#define CTL_API_H

#include "answer.h"
#include "base.h"
#include "client.h"
#include "error.h"

/* Strings are owned and never NULL after success. */
struct git_config {
	char *url, *branch;  /* of the repository */
	char *status;	     /* "ready", "unconfigured", "unreachable", … */
	char *errors;	     /* why it is not ready, or empty */
	char *key;	     /* public key line, or empty */
	char *md5, *md5_art; /* fingerprint and its picture, or empty */
};

void git_config_clear(struct git_config *);
#define auto_git_config FX_CLEANUP(git_config_clear)

enum job_state { JOB_PENDING, JOB_FAILED, JOB_SUCCEEDED };

struct job {
	enum job_state state;
	char *error;	/* owned; empty: none */
	char *revision; /* owned; empty: none */
	json_t
	    *result; /* owned; object: what became of each workload; or NULL */
};

void job_clear(struct job *);
#define auto_job FX_CLEANUP(job_clear)

/* The repository and the key; `regenerate` makes a new key first. */
int api_git_config(const struct client *, bool regenerate, struct git_config *,
    struct ctl_error *) FX_MUSTUSE;

int api_job(const struct client *, const char *id, struct job *,
    struct ctl_error *) FX_MUSTUSE;

/* Whether the cluster has the revision. */
int api_is_applied(const struct client *, const char *revision, bool *applied,
    struct ctl_error *) FX_MUSTUSE;

/* The workloads of a namespace ("": of all), or those of these ids, joined
 * with commas ("": of all namespaces); *out is owned: a list of
 * record_workload, or null. */
int api_workloads(const struct client *, const char *ns, json_t **out,
    struct ctl_error *) FX_MUSTUSE;
int api_workloads_of(const struct client *, const char *ids, json_t **out,
    struct ctl_error *) FX_MUSTUSE;

/* The images of a workload (NULL: of all in the namespace); *out is owned: a
 * list of record_images, or null. */
int api_images(const struct client *, const char *id, const char *ns,
    json_t **out, struct ctl_error *) FX_MUSTUSE;

/* The cluster's manifests: YAML. */
int api_export(const struct client *, struct buf *out,
    struct ctl_error *) FX_MUSTUSE;

/* Ask for an update by its JSON; *job_id is owned. */
int api_update(const struct client *, const char *update, char **job_id,
    struct ctl_error *) FX_MUSTUSE;

/* What the last sync could not apply: the first of them, {"ID", "Error"}, and
 * how many there are; *out is owned.  A daemon of the original says that it
 * does not know that. */
int api_sync_errors(const struct client *, json_t **out, long long *total,
    struct ctl_error *) FX_MUSTUSE;

/* The daemon's processes: a list of objects; *out is owned. */
int
api_sandbox(const struct client *, json_t **out, struct ctl_error *) FX_MUSTUSE;

#endif
