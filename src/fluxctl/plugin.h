/*
 * plugin: a program that says who a person is to an API server.
 *
 * The client.authentication.k8s.io protocol, v1 and v1beta1: the program that
 * a kubeconfig's user names is run with what it needs to know in
 * KUBERNETES_EXEC_INFO, may talk to the person, and prints credentials.  It
 * runs as the person himself does, so it is trusted; what it prints is bounded
 * and decoded as if it were not.
 */
#ifndef CTL_PLUGIN_H
#define CTL_PLUGIN_H

#include "base.h"
#include "buf.h"
#include "error.h"
#include "kube.h"

#define PLUGIN_OUTPUT_MAX                                                      \
	(1u << 20) /* bytes: a token, a certificate, a key                     \
		    */

/* FX_OK unless the kubeconfig has a plugin that we do not understand. */
int plugin_check(const struct kube *, struct ctl_error *) FX_MUSTUSE;

/* The kubeconfig has one and nothing else that logs in. */
bool plugin_is_needed(const struct kube *);

/* Run it, and give its output, which is secret.  It is killed when it has not
 * ended within the time. */
int plugin_run(const struct kube *, int64_t timeout_ns, struct buf *out,
    struct ctl_error *) FX_MUSTUSE;

/* Put what it said into the kubeconfig, in place of what it said before;
 * *until: seconds since 1970 that it holds. */
int plugin_take(struct kube *, const struct buf *, int64_t *until,
    struct ctl_error *) FX_MUSTUSE;

#endif
