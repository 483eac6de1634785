/*
 * objects: single things read from and written to the mirror.
 */
#ifndef FX_OBJECTS_H
#define FX_OBJECTS_H

#include "base.h"

#include "mirror.h"

/* A full id in hex.  FX_ESYNTAX. */
int oid_parse(const char *hex, git_oid *, struct fx_err *) FX_MUSTUSE;

/*
 * A revision as clients write it, to a commit: an id or the start of one, a
 * branch, a tag, HEAD (the configured branch), with ^ and ~.  Nothing that
 * searches.  FX_ESYNTAX, FX_EUNKNOWN.
 */
int commit_resolve(struct mirror *, const char *, git_oid *,
    struct fx_err *) FX_MUSTUSE;

/* A blob of at most max bytes, whose size is known before it is read.  The
 * caller frees it with git_odb_object_free. */
int blob_read(struct mirror *, const char *hex, size_t max, git_odb_object **,
    struct fx_err *) FX_MUSTUSE;

/* A tree or commit is parsed whole by libgit2: look at its size first. */
int object_check_size(struct mirror *, const git_oid *, size_t max,
    struct fx_err *) FX_MUSTUSE;

/* The annotated tag upstream would make, under a ref of our own. */
int tag_make(struct mirror *, const char *commit, const char *user,
    const char *email, const char *ref, git_oid *, struct fx_err *) FX_MUSTUSE;

#endif
