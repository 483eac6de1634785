/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "metric.h"

#include "ipc_limits.h"

#define BUCKETS(...) __VA_ARGS__
#define METRIC(kind, id, name, buckets, help)                                  \
	static const int64_t bounds_##id[] = { buckets };                      \
	_Static_assert(nitems(bounds_##id) <= IPC_MAX_BUCKETS, name);
#include "metrics.def"

const struct metric_row metric_rows[METRIC_COUNT] = {
#define METRIC(kind, id, name, buckets, help)                                  \
	{ METRIC_IS_##kind, name, help, bounds_##id, nitems(bounds_##id) },
#include "metrics.def"
};
