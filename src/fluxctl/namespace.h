/*
 * namespace: where a workload is looked for that is given without one.
 */
#ifndef CTL_NAMESPACE_H
#define CTL_NAMESPACE_H

#include "base.h"

/*
 * `given`; else the namespace of the kubeconfig's context ("": the current
 * one; NULL: do not look); else "default", also when a kubeconfig cannot be
 * read.  Owned by the caller.
 */
char *ctl_namespace(const char *given, const char *context);

#endif
