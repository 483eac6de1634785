/*
 * update: asking the daemon to commit something, and following what becomes of
 * it.
 */
#ifndef CTL_UPDATE_H
#define CTL_UPDATE_H

#include "api.h"
#include "cmd.h"

#include <jansson.h>

/* Sends an update of this type ("image", "policy", …) in the user's name; takes
 * the spec over; *job_id is owned. */
int update_send(struct ctl *, const char *type, const char *message,
    json_t *spec, char **job_id) FX_MUSTUSE;

/* Waits for the job, and notes what its failure means for the exit status. */
int update_wait(struct ctl *, const char *job_id, struct job *) FX_MUSTUSE;

/* Shows the table of a job's result, if one is asked for. */
int
update_show(struct ctl *, const json_t *result, int64_t verbosity) FX_MUSTUSE;

/*
 * Waits for the job and shows its result; with `apply`, waits for its commit to
 * be applied, too.  Then a wait that ends without that is no error: the commit
 * is there.  For programs all of that is one value in the end: {"revision",
 * "applied": null if nobody waited for it, "result"}.
 */
int update_await(struct ctl *, const char *job_id, bool apply,
    int64_t verbosity) FX_MUSTUSE;

#endif
