/*
 * login: credentials that a kubeconfig's plugin makes, and makes anew.
 *
 * They may end while a command waits: then the plugin has to be run again by a
 * process that gave up running programs before it talked to anybody.  So
 * another one does that for it, which never talks to anybody: it is started
 * before, is asked without a word, and what it hands over is the plugin's
 * output, as it is.
 */
#ifndef CTL_LOGIN_H
#define CTL_LOGIN_H

#include "base.h"
#include "error.h"
#include "kube.h"

struct login;

/*
 * Start the process that runs the plugin; it may talk to the person on the
 * terminal.  *out is NULL if the kubeconfig logs in without one.  The
 * kubeconfig is borrowed, and gets the credentials.  `ours`: a descriptor that
 * the process must not hold open.
 */
int login_start(struct kube *, int64_t timeout_ns, int ours, struct login **out,
    struct ctl_error *) FX_MUSTUSE;

/* Have the plugin run unless its credentials hold; NULL: nothing to be done.
 * `refused`: the server does not know them (any more). */
int login_renew(struct login *, bool refused, struct ctl_error *) FX_MUSTUSE;

/* Ends the other process. */
void login_free(struct login **);

#endif
