/*
 * set_load: what the steps of a load share; nobody else includes this.
 */
#ifndef FX_SET_LOAD_H
#define FX_SET_LOAD_H

#include "base.h"
#include "set.h"

/* A resource of the load at work. */
struct set_item {
	struct name name; /* as written, later effective */
	const struct blob *blob;
	const char *source;    /* borrowed from the files of the load */
	struct set_entry *old; /* the one of the same name; or NULL */
	bool left_out;
};

/* Everything of the load at work, its results as well. */
void set_load_drop(struct set *);

/* Append to a list of owned strings that grows at powers of two. */
void set_push(char ***v, size_t *n, char *string);
void set_strings_free(char ***v, size_t *n);

/* The item is left out; the text is taken. */
void
set_leave_out(struct set *, enum set_reason, struct set_item *, char *text);

/*
 * Names that are defined more than once, among the items that are not left out
 * so far.  FX_EFAIL names the definition that comes again first; or, where bad
 * files are done without, all of these are left out.
 */
int set_check_duplicates(struct set *, struct fx_err *) FX_MUSTUSE;

/* Drop the items that are left out from the list. */
void set_drop_left_out(struct set *);

/* Where each item really is; or that it is left out. */
int set_place(struct set *, const struct set_scope *, const char *default_ns,
    struct fx_err *) FX_MUSTUSE;

/* The items become the set. */
void set_replace(struct set *);

/* Sort what is left out and mark what is new about it. */
void set_compare_left_out(struct set *);

#endif
