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
};

void job_clear(struct job *);
#define auto_job FX_CLEANUP(job_clear)

/* The repository and the key; `regenerate` makes a new key first. */
int api_git_config(const struct client *, bool regenerate, struct git_config *,
    struct ctl_error *) FX_MUSTUSE;

/* Ask for a sync; *job_id is owned. */
int
api_sync(const struct client *, char **job_id, struct ctl_error *) FX_MUSTUSE;

int api_job(const struct client *, const char *id, struct job *,
    struct ctl_error *) FX_MUSTUSE;

/* Whether the cluster has the revision. */
int api_is_applied(const struct client *, const char *revision, bool *applied,
    struct ctl_error *) FX_MUSTUSE;

/* The daemon's processes: a list of objects; *out is owned. */
int
api_sandbox(const struct client *, json_t **out, struct ctl_error *) FX_MUSTUSE;

#endif
