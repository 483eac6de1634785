/*
 * mirror: the bare repository on disk that both git workers share.
 *
 * It lives in a subdirectory of the state directory that the worker was given
 * and holds three refs of the remote: the branch, the sync tag and the notes.
 * It is a cache: a stamp in it names its format and where it came from, and
 * whatever has another stamp, or none, is removed and made anew by the writer
 * (the remote worker).  The reader (the local worker) never repairs; when it
 * meets an object that is missing or broken it leaves a note, and the writer
 * starts over.
 */
#ifndef FX_MIRROR_H
#define FX_MIRROR_H

#include "base.h"

#include <git2.h>
#if __has_include(<git2/sys/errors.h>)
#	include <git2/sys/errors.h> /* git_error_clear, from 1.8 on */
#endif

#define GW_OID_HEX 65 /* digits of the longest object id, and the end */

struct mirror {
	git_repository *repo; /* NULL: not open */
	char *dir;	      /* the state directory */
	char *path;	      /* the repository in it */
	char *origin;	      /* safe URL: another one is another mirror */
	char *branch;	      /* full names of the three refs */
	char *tag;
	char *notes;
	bool writer;
	uint64_t stamp;	 /* identity of the open repository */
	unsigned opened; /* counts openings: handles of older ones are void */
};

struct mirror_conf {
	const char *dir, *origin, *branch, *tag, *notes; /* short names */
	bool writer;
};

/* Once per process, before lock-down: libgit2 without foreign configuration,
 * with limits. */
int gw_lib_open(size_t max_object, struct fx_err *) FX_MUSTUSE;

/* FX_ESYNTAX if a name is no ref name. */
int mirror_init(struct mirror *, const struct mirror_conf *,
    struct fx_err *) FX_MUSTUSE;
void mirror_clear(struct mirror *);

/*
 * Open it, or see that the open one is still what is on disk.  The writer
 * removes what crashed writers left, and makes a new one where needed:
 * *created.  The reader fails with FX_ERETRY while there is none.
 */
int mirror_open(struct mirror *, bool *created, struct fx_err *) FX_MUSTUSE;

/* Every fetch brings a pack.  Beyond a number of them all is to be packed into
 * one: into a twin beside the mirror, which then takes its place at once.  The
 * mirror has to be opened again after that. */
#define MIRROR_MAX_PACKS 100
bool mirror_is_scattered(const struct mirror *);
int mirror_make_twin(const struct mirror *, struct mirror *twin,
    struct fx_err *) FX_MUSTUSE;
int
mirror_swap(struct mirror *, struct mirror *twin, struct fx_err *) FX_MUSTUSE;

/* Commit id of a ref in hex, through annotated tags; "" if there is none. */
int mirror_commit_of(struct mirror *, const char *ref, char hex[GW_OID_HEX],
    struct fx_err *) FX_MUSTUSE;

/* Set or (NULL) remove a ref. */
int mirror_set_ref(struct mirror *, const char *ref, const git_oid *,
    struct fx_err *) FX_MUSTUSE;

/* Report what libgit2 could not do, with a text that is safe to show; the
 * reader leaves its note where the mirror is to blame.  Returns the code. */
int mirror_fail(struct mirror *, int r, struct fx_err *, const char *fmt, ...)
    FX_PRINTF(4, 5);

/* The same where an object was named by somebody who may be wrong: the mirror
 * is to blame only if its own refs lead nowhere. */
int mirror_doubt(struct mirror *, int r, struct fx_err *, const char *fmt, ...)
    FX_PRINTF(4, 5);

/* The same outside of a mirror. */
int gw_git_fail(int r, struct fx_err *, const char *fmt, ...) FX_PRINTF(3, 4);

#endif
