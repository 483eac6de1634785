/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "retry.h"

enum verdict
retry_judge(long status)
{
	static const struct {
		long status;
		enum verdict verdict;
	} known[] = {
		{ 200, VERDICT_TAKEN },
		{ 201, VERDICT_TAKEN },
		{ 202, VERDICT_TAKEN },
		{ 204, VERDICT_TAKEN },
		/* about this body; everything else is about who sends it,
		 * where to, or when */
		{ 400, VERDICT_REFUSED },
		{ 413, VERDICT_REFUSED },
		{ 415, VERDICT_REFUSED },
		{ 422, VERDICT_REFUSED },
	};

	for (size_t i = 0; i < nitems(known); i++)
		if (known[i].status == status)
			return known[i].verdict;
	return VERDICT_AGAIN;
}

int64_t
retry_pause_us(unsigned failures, int64_t retry_after_us)
{
	int64_t us = RETRY_FIRST_US;

	while (--failures > 0 && us < RETRY_MAX_US)
		us *= 2;
	if (us < retry_after_us)
		us = retry_after_us;
	return us < RETRY_MAX_US ? us : RETRY_MAX_US;
}
