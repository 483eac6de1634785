/*
 * metrics: every value that /metrics shows, kept by the master.
 *
 * Workers add to them with METRIC messages, so a restart loses none; the api
 * worker gets a snapshot per scrape.  A family has its first value when it is
 * first touched; label sets per family are bounded.
 */
#ifndef FX_MST_METRICS_H
#define FX_MST_METRICS_H

#include "base.h"
#include "ipc.h"
#include "ipc_peer.h"
#include "metric_ids.h"

struct metrics;

struct metrics *metrics_new(void);

/* labels as printed between the braces: `success="true"`, or "". */
void metrics_set(struct metrics *, enum metric, const char *labels, int64_t v);
void metrics_set_us(struct metrics *, enum metric, int64_t us); /* seconds */
void metrics_add(struct metrics *, enum metric, const char *labels, int64_t n);
void
metrics_observe(struct metrics *, enum metric, const char *labels, int64_t us);

/* The family has no values any more. */
void metrics_forget(struct metrics *, enum metric);

/* A worker's METRIC: set, add or observe by the row's kind.  FX_EDENIED: no
 * such row, one that is not this role's to report, or labels that are not
 * `name="value",…` of harmless characters. */
int metrics_from_child(struct metrics *, enum ipc_role from,
    const struct ipc_metric *) FX_MUSTUSE;

/* Answer METRICS. */
int metrics_reply(const struct metrics *, const struct ipc_req *);

#endif
