/*
 * setup: what the master does while it still may: judge the flags, take the
 * secrets out of them, find its files, prepare the state directory.
 */
#ifndef FX_SETUP_H
#define FX_SETUP_H

#include "base.h"
#include "master.h"

/* Flag interactions, in upstream's order, with its warnings and errors. */
int setup_validate(struct config *, struct fx_err *) FX_MUSTUSE;

/* Password of --git-url into a sealed memory file; argv loses its secrets. */
int
setup_url(struct master *, int argc, char *argv[], struct fx_err *) FX_MUSTUSE;

/* The table of paths: deploy key, known hosts, kubeconfig or service account.
 */
int setup_paths(struct master *, struct fx_err *) FX_MUSTUSE;

/* State directory, mirror directory and its lock, job journal. */
int setup_state(struct master *, struct fx_err *) FX_MUSTUSE;

/* Overwrite the environment: nothing needs it any more. */
void setup_wipe_environment(void);

#endif
