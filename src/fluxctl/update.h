/*
 * update: asking the daemon to commit something, and following what becomes of
 * it.
 */
#ifndef CTL_UPDATE_H
#define CTL_UPDATE_H

#include "cmd.h"

#include <jansson.h>

/* What every command that commits is given. */
struct update_args {
	const char *message;
	const char *user; /* "": git's */
	const char *ns;
	int64_t verbosity;
};

/* From the flags of a command. */
#define UPDATE_ARGS(opts, id)                                                  \
	{                                                                      \
		(opts)->id##_message, (opts)->id##_user,                       \
		    (opts)->id##_namespace, (opts)->id##_verbose               \
	}

/* The user who is said to ask: the flag's or git's.  Owned. */
char *update_user(const struct update_args *);

/* Sends an update of this type ("image", "policy", …); takes the spec over;
 * *job_id is owned. */
int update_send(struct ctl *, const char *type, const char *message,
    const char *user, json_t *spec, char **job_id) FX_MUSTUSE;

/*
 * Waits for the job and shows its result; with `apply`, waits for its commit to
 * be applied, too.  Then a wait that ends without that is no error: the commit
 * is there.
 */
int update_await(struct ctl *, const char *job_id, bool apply,
    int64_t verbosity) FX_MUSTUSE;

#endif
