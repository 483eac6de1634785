/*
 * instant: points in time as Go's encoder writes them (RFC 3339).
 */
#ifndef CTL_INSTANT_H
#define CTL_INSTANT_H

#include "base.h"
#include "buf.h"
#include "error.h"

struct instant {
	int64_t sec; /* since 1970, UTC */
	unsigned ns;
	int offset; /* seconds that the text was ahead of UTC */
	bool utc;   /* its zone was "Z" */
};

/* "2020-02-01T10:00:00.5+02:00".  The error's text is Go's, shortened. */
int
instant_parse(const char *, struct instant *out, struct ctl_error *) FX_MUSTUSE;

/* Go's zero time, the beginning of the year 1: unknown. */
bool instant_is_zero(const struct instant *);

/* Append in UTC: "2020-02-01T08:00:00.5Z". */
void instant_add(struct buf *, const struct instant *);

/* Append for people, as late as the text had it: "01 Feb 20 10:00 +0200", or
 * with the name of our own zone if that is as far ahead then. */
void instant_add_short(struct buf *, const struct instant *);

#endif
