/*
 * clock: instants, and the one place that asks the system for the time.
 *
 * Spans and instants are microseconds in int64_t with the unit in the name
 * (…_us).  Instants come from CLOCK_MONOTONIC and mean nothing outside the
 * machine; wall-clock time appears only at the edge: log lines, JSON, commits.
 * Tests replace the clock with clk_fake.
 */
#ifndef FX_CLOCK_H
#define FX_CLOCK_H

#include "base.h"
#include "buf.h"

#define CLK_MS 1000LL
#define CLK_SEC 1000000LL
#define CLK_MIN (60 * CLK_SEC)
#define CLK_NEVER INT64_MAX

int64_t clk_now_us(void);  /* monotonic */
int64_t clk_wall_us(void); /* since 1970, UTC */

/* From now on both clocks show what the test sets; NULL ends it. */
void clk_fake(const int64_t *mono_us, const int64_t *wall_us);

/* Append wall-clock microseconds as RFC 3339 in UTC, fraction without
 * trailing zeros, as Go does: 2024-03-01T09:00:00.35Z. */
void clk_add_rfc3339(struct buf *, int64_t wall_us);

#endif
