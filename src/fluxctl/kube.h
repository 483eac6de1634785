/*
 * kube: the API server that a person's kubeconfig names, and who he is to it.
 *
 * The files are KUBECONFIG's, merged, or ~/.kube/config; without any, in a
 * pod, its service account's.  All of it is read before fluxctl confines
 * itself, and programs that the kubeconfig logs in with are run then
 * (plugin.h).
 */
#ifndef CTL_KUBE_H
#define CTL_KUBE_H

#include "base.h"
#include "error.h"
#include "kubeconfig.h"

struct kube {
	struct kubeconfig kc;
	struct kc_url url; /* of the server */
	char *base;	   /* owned: the server's URL, without a slash at its
			    * end; other than kc.server it has a scheme */
};

/* The namespace of the context ("": of the current one); NULL if it has none,
 * or the files cannot be read.  Owned. */
char *kube_namespace(const char *context);

/* Which server, and what the files say about the person. */
int
kube_open(struct kube *, const char *context, struct ctl_error *) FX_MUSTUSE;

/* Wipes the credentials. */
void kube_clear(struct kube *);

#endif
