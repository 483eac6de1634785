/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "log.h"

#include <stdio.h>

static log_sink_fn *sink;
static void *sink_arg;

void
log_to(log_sink_fn *fn, void *arg)
{
	sink = fn;
	sink_arg = arg;
}

void
log_pairs(enum log_level level, const char *caller, const struct log_pair *p,
    size_t n)
{
	const char *slash = strrchr(caller, '/');

	if (sink == NULL)
		return;
	sink(sink_arg, level, slash == NULL ? caller : slash + 1, p,
	    n > LOG_PAIRS_MAX ? LOG_PAIRS_MAX : n);
}

const char *
log_int(int64_t v)
{
	static char slots[LOG_PAIRS_MAX][24]; /* one per pair of a record */
	static size_t next;
	char *s = slots[next++ % nitems(slots)];

	snprintf(s, sizeof(slots[0]), "%lld", (long long)v);
	return s;
}
