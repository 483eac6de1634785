/*
 * last_errors: which resources the last pass could not apply, and why.
 *
 * The errors of a pass that came to its end replace those of the one before; a
 * pass that dies earlier changes nothing, for it says nothing about them.  A
 * repair in between adds what it met, and what it put right is forgotten.  At
 * most LAST_ERRORS_MAX of them are remembered.  A restart of the process
 * forgets all, and the pass that follows it finds them anew.
 */
#ifndef FX_SW_LAST_ERRORS_H
#define FX_SW_LAST_ERRORS_H

#include "base.h"

#define LAST_ERRORS_MAX 4096
#define LAST_ERROR_TEXT_MAX 1024 /* bytes of one */

struct last_error {
	char *id, *text;
};

struct last_errors {
	struct last_error *v; /* sorted by id */
	size_t n;
	struct last_error *next; /* of the pass that runs, in any order */
	size_t nnext;
};

/* An error of the pass that runs. */
void last_errors_add(struct last_errors *, const char *id, const char *text);
/* It ended; whole: it tried everything, so that these are all. */
void last_errors_settle(struct last_errors *, bool whole);
/* It died. */
void last_errors_drop(struct last_errors *);
/* Forget those of which `fn` says so. */
void last_errors_forget(struct last_errors *,
    bool (*fn)(void *arg, const char *id), void *arg);
/* "" if there is none. */
const char *last_errors_find(const struct last_errors *, const char *id);
void last_errors_clear(struct last_errors *);

#endif
