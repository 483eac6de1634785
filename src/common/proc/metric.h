/*
 * metric: the table of metrics.def as code reads it.
 */
#ifndef FX_METRIC_H
#define FX_METRIC_H

#include "base.h"
#include "metric_ids.h"

enum metric_kind { METRIC_IS_GAUGE, METRIC_IS_HISTOGRAM, METRIC_IS_COUNTER };

struct metric_row {
	enum metric_kind kind;
	const char *name, *help;
	const int64_t *bounds; /* upper bounds in microseconds, ascending */
	size_t nbounds;	       /* 0: no histogram; at most IPC_MAX_BUCKETS */
};

extern const struct metric_row metric_rows[METRIC_COUNT];

#endif
