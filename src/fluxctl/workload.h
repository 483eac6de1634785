/*
 * workload: the argument that names one.
 */
#ifndef CTL_WORKLOAD_H
#define CTL_WORKLOAD_H

#include "base.h"
#include "error.h"

/* "[namespace:]kind/name"; *id is owned, with a namespace, its kind in lower
 * case. */
int workload_id(const char *, const char *ns, char **id,
    struct ctl_error *) FX_MUSTUSE;

/* Of two flags that mean the same, the one given; FX_ESYNTAX with this text if
 * both are.  Borrowed. */
int workload_flag(const char *flag, const char *old_flag, const char *both,
    const char **out, struct ctl_error *) FX_MUSTUSE;

#endif
