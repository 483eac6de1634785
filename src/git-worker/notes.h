/*
 * notes: git's notes on commits, as they stand in the mirror.
 *
 * A note is a blob in the tree of the notes ref, named by the commit; git
 * spreads the names over directories of two digits once there are many.
 * Anybody who can push writes notes, so nothing about them is relied on.
 */
#ifndef FX_NOTES_H
#define FX_NOTES_H

#include "base.h"

#include "mirror.h"

struct notes {
	struct mirror *mirror; /* not owned */
	git_tree *tree;	       /* NULL: there are none */
	size_t max_object;     /* bytes of a directory */
};

/* There may be no notes; a ref that leads to no tree is an error. */
int notes_open(struct notes *, struct mirror *, size_t max_object,
    struct fx_err *) FX_MUSTUSE;
void notes_close(struct notes *);

/* The note of a commit, NULL if it has none; freed by git_odb_object_free.
 * FX_ELIMIT: longer than max. */
int notes_read(struct notes *, const git_oid *commit, size_t max,
    git_odb_object **, struct fx_err *) FX_MUSTUSE;

#endif
