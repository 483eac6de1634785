/*
 * history: which commits lie between two revisions.
 *
 * The same ones as `git log FROM..TO -- ROOTS` shows, in its order: newest
 * first by date, and where a merge leaves the roots as one parent had them,
 * only that parent's side.
 */
#ifndef FX_HISTORY_H
#define FX_HISTORY_H

#include "base.h"

#include "mirror.h"

/* FX_OK, or whatever ends the listing. */
typedef int history_fn(void *arg, git_commit *);

struct history_query {
	const char *from; /* commit id; "": from the beginning */
	const char *to;	  /* a revision as clients write it */
	char *const *roots;
	size_t nroots;	   /* 0: every commit; else those that touch a root */
	uint64_t max;	   /* commits; 0: no limit */
	uint64_t max_walk; /* commits looked at for them; 0: no limit */
	size_t max_object; /* bytes of a commit or directory */
	history_fn *fn;
	void *arg;
};

/* *more: there are others.  FX_EUNKNOWN: a revision is not there. */
int history_list(struct mirror *, const struct history_query *, bool *more,
    struct fx_err *) FX_MUSTUSE;

/* A commit's first line, fit to be shown; the caller's. */
#define HISTORY_SUBJECT_MAX 1000 /* bytes of it */
char *history_subject(git_commit *);

#endif
