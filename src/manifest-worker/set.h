/*
 * set: the model of the repository: which resources it defines, now.
 *
 * A load goes through these steps; between them its owner asks others:
 *
 *	set_begin	the files of the commit
 *	set_next_needed, set_parse
 *			until every blob that is not known has been parsed
 *	set_collect	duplicates as written; which kinds there are
 *	set_commit	their scopes in hand: namespaces, duplicates, the
 *			difference to the set before
 *
 * A step that fails leaves the set before as it is; what was parsed stays
 * known, so that the next load parses only what changed.  Bodies are not kept:
 * a resource knows its blob and its place in it.
 */
#ifndef FX_SET_H
#define FX_SET_H

#include "base.h"
#include "buf.h"
#include "resource.h"
#include "tree.h"

#define SET_MAX_RESOURCES 200000
#define SET_MAX_GONE 20000  /* removed ones remembered for differences */
#define SET_KEEP (4u << 20) /* bytes of changed blobs kept for their bodies */

/* A blob that has been parsed. */
struct set_file {
	char *oid;	    /* owned; hex */
	struct resource *v; /* owned; in the order of the file */
	size_t n;
	size_t size; /* bytes of the blob */
	void *text;  /* owned: the blob, if it is kept; or NULL */
	bool used;   /* by the set or the load at work */
};

/* A resource of the set. */
struct set_entry {
	uint64_t index;		  /* the same as long as it is there */
	uint64_t since;		  /* number of the set it last changed in */
	char *id;		  /* owned; effective, printed */
	const struct resource *r; /* of file */
	const struct set_file *file;
	const char *source; /* borrowed from the set's files */
	const char *ns;	    /* effective; "": none; of r or the set */
	size_t nth;	    /* its place in the file */
};

struct set_gone {
	uint64_t index;
	uint64_t since; /* number of the set it is missing from first */
	char *id;	/* owned */
};

/* One kind as its manifests write it. */
struct set_kind {
	const char *api_version; /* borrowed from a resource */
	const char *kind;
};

enum set_scope_kind {
	SET_NAMESPACED,
	SET_CLUSTER,
	SET_UNKNOWN, /* the server has no such kind */
	SET_FAILED,  /* it could not be asked */
};

struct set_scope {
	enum set_scope_kind scope;
	char *why; /* the caller's; of UNKNOWN and FAILED */
};

/* A resource that the set does without, and why. */
struct set_left_out {
	char *id;     /* owned */
	char *source; /* owned */
	char *text;   /* owned */
	bool news;    /* not so in the load before */
};

struct set_item;

struct set {
	char *name;	 /* owned; for marks */
	uint64_t number; /* 0: nothing loaded yet; changes with the content */
	uint64_t next_number;
	uint64_t next_index;
	uint64_t oldest; /* differences can be told to sets from here on */

	struct set_file **known; /* owned; parsed blobs by oid */
	size_t nknown, cap_known;
	size_t kept; /* bytes of their texts */

	struct tree_files files; /* of the set */
	struct set_entry *v;	 /* owned; by id and API group */
	size_t n;
	struct set_entry **by_index; /* owned; the same by index */
	struct set_gone *gone;	     /* owned */
	size_t ngone;
	char *default_ns; /* owned */
	char **unscoped;  /* owned; ids as written, sorted: scope not known */
	size_t nunscoped;

	/* the load at work */
	struct tree_files new_files;
	struct set_item *items; /* owned */
	size_t nitems;
	struct set_kind *kinds; /* owned; sorted */
	size_t nkinds;
	size_t parsed; /* blobs */
	size_t bad;    /* first file that could not be parsed, or SIZE_MAX */
	struct fx_err bad_err;

	/* results of the last set_commit */
	const struct set_entry **changed; /* owned list */
	size_t nchanged;
	struct set_left_out *left_out; /* owned */
	size_t nleft_out;
	char **found; /* owned; ids whose scope is known again */
	size_t nfound;
};

/* The name is that of mark.h.  Numbers of sets begin above `seed`, so that two
 * runs have different ones. */
void set_init(struct set *, const char *name, uint64_t seed);
void set_clear(struct set *);

/* The files to load; taken over.  Whatever load was at work is dropped. */
void set_begin(struct set *, struct tree_files *);

/* The next file from `at` on whose blob is not known; the number of files if
 * none, or if one before could not be parsed. */
size_t set_next_needed(const struct set *, size_t at);

/* The content of file `at`.  A mistake in it is reported by set_collect. */
void set_parse(struct set *, size_t at, const void *text, size_t n);

/* Everything is parsed: gather it, and the kinds that it is of. */
int set_collect(struct set *, struct fx_err *) FX_MUSTUSE;

/*
 * The scopes of set->kinds, in their order, and the namespace of those that do
 * not say theirs.  On success the set is the new one, and changed, left_out and
 * found say how it differs.
 */
int set_commit(struct set *, const struct set_scope *, const char *default_ns,
    struct fx_err *) FX_MUSTUSE;

/* Can what changed since set `base` be told? */
bool set_has_base(const struct set *, uint64_t base);

/* NULL if there is none. */
const struct set_entry *set_find(const struct set *, uint64_t index);

/* A body that is wanted. */
struct set_want {
	const struct set_entry *entry;
	size_t at; /* the asker's number for it */
};

/* By file, and in the order of the file. */
void set_sort_wants(struct set_want *, size_t n);

/* Called with each body; anything but FX_OK ends the work. */
typedef int set_body_fn(void *arg, const struct set_want *,
    const struct buf *json, struct fx_err *);

/*
 * The bodies of n wants, sorted and of one file, from the content of its blob.
 * FX_EFAIL if it is not the content that was loaded.
 */
int set_bodies(const struct set *, const struct set_want *, size_t n,
    const void *text, size_t len, set_body_fn *, void *arg,
    struct fx_err *) FX_MUSTUSE;

#endif
