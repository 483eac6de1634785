/*
 * pods: which pod is fluxd's.
 */
#ifndef CTL_PODS_H
#define CTL_PODS_H

#include "apiserver.h"
#include "base.h"
#include "error.h"

#include <jansson.h>

#define FLUXD_PORT 3030 /* in its pod */

/*
 * The one that runs in the namespace and has the labels ("k=v,…"), or else one
 * of the names that manifests have given it.  Of several, those count that are
 * not being deleted, that are ready, that offer the port; what is left must be
 * one.  Owned by the caller.
 */
int pods_find(const struct apiserver *, const char *ns, const char *labels,
    char **pod, struct ctl_error *) FX_MUSTUSE;

/* The first question of pods_find. */
char *pods_path(const char *ns, const char *selector);

/* Of a list of pods; *pod is NULL when there is none. */
int pods_choose(const json_t *list, const char *selector, char **pod,
    struct ctl_error *) FX_MUSTUSE;

#endif
