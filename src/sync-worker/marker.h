/*
 * marker: the revision synced last, as an annotation of a Secret.
 *
 * Where --sync-state=secret keeps it, under the name and in the form upstream
 * has used.  Needs get and patch on that one Secret.  Only metadata is asked
 * for: what the Secret holds does not come here.
 */
#ifndef FX_SW_MARKER_H
#define FX_SW_MARKER_H

#include "cluster.h"

#define MARKER_ANNOTATION "flux.weave.works/sync-hwm"

/* The end: err NULL and the revision ("" if there is none yet), or why not. */
typedef void
marker_fn(void *arg, const char *revision, const struct fx_err *err);

/* An annotation that is not there is written, empty, and read as that: who may
 * not write learns it before anything is applied. */
void marker_read(struct cluster *, const char *ns, const char *secret,
    marker_fn *, void *arg);
void marker_write(struct cluster *, const char *ns, const char *secret,
    const char *revision, marker_fn *, void *arg);

#endif
