/*
 * retry: what the answer to an event means, and when it is sent again.
 */
#ifndef FX_UW_RETRY_H
#define FX_UW_RETRY_H

#include "base.h"
#include "clock.h"

#define RETRY_FIRST_US CLK_SEC
#define RETRY_MAX_US (5 * CLK_MIN)

enum verdict {
	VERDICT_TAKEN,
	VERDICT_REFUSED, /* this one never will be: it is dropped */
	VERDICT_AGAIN,	 /* later, or once somebody has mended something */
};

/* status 0: there was no answer. */
enum verdict retry_judge(long status);

/* After so many failures in a row, at least one; not before the service wants
 * to be asked. */
int64_t retry_pause_us(unsigned failures, int64_t retry_after_us);

#endif
