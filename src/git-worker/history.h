/*
 * history: which commits lie between two revisions.
 */
#ifndef FX_HISTORY_H
#define FX_HISTORY_H

#include "base.h"

#include "mirror.h"

#define HISTORY_SUBJECT_MAX 1000 /* bytes of a subject line that are shown */

typedef int history_fn(void *arg, const char *hex, const char *subject);

struct history_query {
	const char *from; /* commit id; "": from the beginning */
	const char *to;	  /* a revision as clients write it */
	char *const *roots;
	size_t nroots; /* 0: every commit; else those that touch a root */
	uint64_t max;  /* commits; 0: no limit */
	history_fn *fn;
	void *arg;
};

/* Newest first.  *more: there are others.  FX_EUNKNOWN: a revision is not
 * there. */
int history_list(struct mirror *, const struct history_query *, bool *more,
    struct fx_err *) FX_MUSTUSE;

#endif
