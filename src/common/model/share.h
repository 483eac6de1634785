/*
 * share: a ceiling, as a number ("100") or as a part of a whole ("30%").
 */
#ifndef FX_SHARE_H
#define FX_SHARE_H

#include "base.h"

struct share {
	bool given; /* false: no ceiling */
	bool percent;
	uint64_t n;
};

/* An empty text is no ceiling. */
int share_parse(const char *, struct share *, struct fx_err *) FX_MUSTUSE;

/* Are n of a whole more than the ceiling allows? */
bool share_exceeds(const struct share *, uint64_t n, uint64_t whole);

#endif
