/*
 * metric_ids: the numbers of metrics.def, as METRIC messages have them.
 */
#ifndef FX_METRIC_IDS_H
#define FX_METRIC_IDS_H

enum metric {
#define METRIC(kind, id, ...) METRIC_##id,
#include "metrics.def"
	METRIC_COUNT
};

#endif
