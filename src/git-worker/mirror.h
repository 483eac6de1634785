/*
 * mirror: the bare repository on disk that both git workers share.
 *
 * It lives in a subdirectory of the state directory that the worker was given
 * and holds three refs of the remote: the branch, the sync tag and the notes.
 * It is a cache: a stamp in it names its format and where it came from, and
 * whatever has another stamp, or none, is removed and made anew by the writer
 * (the remote worker).  The reader (the local worker) never repairs; when it
 * meets an object that is missing or broken it leaves a note.  What can be
 * opened and is damaged all the same is fetched anew into a twin beside it,
 * and serves until that takes its place.
 */
#ifndef FX_MIRROR_H
#define FX_MIRROR_H

#include "base.h"

#include "git_lib.h"

/* What a fetch found: the branch does not lead on from where it was. */
struct mirror_rewind {
	char from[GW_OID_HEX]; /* "": nothing of the kind */
	char to[GW_OID_HEX];   /* "": it is gone */
};

struct mirror {
	git_repository *repo; /* NULL: not open */
	char *dir;	      /* the state directory */
	char *path;	      /* the repository in it */
	char *origin;	      /* safe URL: another one is another mirror */
	char *branch;	      /* full names of the three refs */
	char *tag;
	char *notes;
	bool writer;
	bool refuse_rewind;
	bool created;		     /* made anew when it was opened last */
	struct mirror_rewind rewind; /* of the last fetch */
	uint64_t stamp;		     /* identity of the open repository */
	unsigned opened; /* counts openings: handles of older ones are void */
};

struct mirror_conf {
	const char *dir, *origin, *branch, *tag, *notes; /* short names */
	bool writer;
	bool refuse_rewind; /* a branch that does not lead on stays as it is */
};

/* FX_ESYNTAX if a name is no ref name. */
int mirror_init(struct mirror *, const struct mirror_conf *,
    struct fx_err *) FX_MUSTUSE;
void mirror_clear(struct mirror *);

/*
 * Open it, or see that the open one is still what is on disk.  The writer
 * removes what crashed writers left, and makes a new one where needed
 * (created).  The reader fails with FX_EGONE while there is none.
 */
int mirror_open(struct mirror *, struct fx_err *) FX_MUSTUSE;

/*
 * Every fetch brings a pack, every tag an object of its own, and what was
 * rewound stays.  Beyond a number of them, or a multiple of the size that the
 * mirror had when it was one pack, all that the refs lead to is to be packed:
 * into a twin beside the mirror, which then takes its place at once.  The
 * mirror has to be opened again after that.  Far beyond, because that did not
 * work, it is to be given up and fetched anew.
 */
#define MIRROR_MAX_PACKS 100
#define MIRROR_MAX_LOOSE 6000
#define MIRROR_FACTOR 2
#define MIRROR_SLACK (64u << 20) /* bytes that are not worth the trouble */
#define MIRROR_WORST 4
enum mirror_clutter { MIRROR_TIDY, MIRROR_SCATTERED, MIRROR_HOPELESS };
enum mirror_clutter mirror_clutter(const struct mirror *);
void mirror_give_up(struct mirror *);
/* Did the reader, or who gave it up, leave a note? */
bool mirror_is_damaged(const struct mirror *);

int mirror_make_twin(const struct mirror *, struct mirror *twin,
    struct fx_err *) FX_MUSTUSE;
int
mirror_swap(struct mirror *, struct mirror *twin, struct fx_err *) FX_MUSTUSE;

/* As gw_git_fail; where the mirror is to blame the reader leaves its note and
 * fails with FX_EGONE. */
int mirror_fail(struct mirror *, int r, struct fx_err *, const char *fmt, ...)
    FX_PRINTF(4, 5);

/* The same where an object was named by somebody who may be wrong: the mirror
 * is to blame only if its own refs lead nowhere. */
int mirror_doubt(struct mirror *, int r, struct fx_err *, const char *fmt, ...)
    FX_PRINTF(4, 5);

/* Does the reader see a mirror that the writer has not filled yet?  The branch
 * comes last. */
bool mirror_is_empty(struct mirror *);

/* ---- the three refs: mirror_refs.c ---- */

/* Commit id of a ref in hex, through annotated tags; "" if there is none. */
int mirror_commit_of(struct mirror *, const char *ref, char hex[GW_OID_HEX],
    struct fx_err *) FX_MUSTUSE;

/* What a fetch brought of one of the three refs; NULL: it is gone.  The branch
 * may have been rewound. */
int mirror_take_ref(struct mirror *, const char *ref, const git_oid *,
    struct fx_err *) FX_MUSTUSE;

/* Does the branch lead on from where another mirror has it? */
bool mirror_follows(struct mirror *, const struct mirror *old);

/* Set or (NULL) remove a ref. */
int mirror_set_ref(struct mirror *, const char *ref, const git_oid *,
    struct fx_err *) FX_MUSTUSE;

#endif
