/*
 * set: the model of the repository: which resources it defines, now.
 *
 * A load goes through these steps; between them its owner asks others:
 *
 *	set_begin	the files of the commit; or set_reuse, when they are
 *			those of the load before
 *	set_next_needed, set_parse
 *			until every blob that is not known has been parsed
 *	set_collect	duplicates as written; which kinds there are
 *	set_commit	their scopes in hand: namespaces, duplicates, the
 *			difference to the set before
 *
 * A step that fails leaves the set before as it is; what was parsed stays
 * known, so that the next load parses only what changed.
 *
 * A mistake in a file fails the load, unless skip_bad says to do without the
 * file.  Of a name that is defined twice no definition is taken then: the
 * first one would let whoever writes an earlier file replace what a later one
 * defines.
 */
#ifndef FX_SET_H
#define FX_SET_H

#include "base.h"
#include "buf.h"
#include "known.h"
#include "names.h"
#include "tree.h"

#define SET_MAX_RESOURCES 200000
#define SET_MAX_GONE 20000 /* removed ones remembered for differences */

/* A file of the set or of the load at work. */
struct set_file {
	char *path;	   /* owned: the source of its resources */
	const char *oid;   /* borrowed from the tree while loading, else NULL */
	struct blob *blob; /* NULL until it is parsed */
	char *bad;	   /* owned: why it cannot be read; or NULL */
	size_t twin;	   /* an earlier file of the same blob, or SIZE_MAX */
};

struct set_files {
	struct set_file *v; /* owned; in the order of the walk */
	size_t n;
};

/* A resource of the set. */
struct set_entry {
	struct name name; /* with its effective namespace */
	uint64_t index;	  /* the same as long as it is there */
	uint64_t since;	  /* number of the set it last changed in */
	const struct blob *blob;
	const char *source; /* borrowed from the set's files */
};

struct set_gone {
	uint64_t index;
	uint64_t since; /* number of the set it is missing from first */
	char *id;	/* owned */
};

enum set_reason {
	SET_NO_SCOPE,  /* nobody knows its kind, yet */
	SET_UNFIT,     /* JSON cannot say it */
	SET_BAD_FILE,  /* the file cannot be read: no id */
	SET_DUPLICATE, /* its name is defined more than once */
};

/* What the set does without, and why. */
struct set_left_out {
	enum set_reason reason;
	char *id;     /* owned; of NO_SCOPE and DUPLICATE as written */
	char *source; /* owned */
	char *text;   /* owned */
	bool news;    /* not so in the load before */
};

struct set_item;

struct set {
	bool skip_bad; /* do without files that cannot be read */

	char *name;	 /* owned; for marks */
	uint64_t number; /* 0: nothing loaded yet; changes with the content */
	uint64_t next_number;
	uint64_t first; /* number that was given */
	uint64_t next_index;
	uint64_t oldest;    /* differences can be told to sets from here on */
	uint64_t hash_seed; /* of tables of names */

	struct known known;

	struct set_files files; /* of the set */
	struct set_entry *v;	/* owned; in the order of index */
	size_t n;
	struct set_gone *gone; /* owned */
	size_t ngone;
	char *default_ns; /* owned; NULL before the first set */

	/* the load at work */
	bool reused; /* its files are those of the set */
	struct set_files new_files;
	struct set_item *items; /* owned */
	size_t nitems;
	struct kind **kinds; /* owned list; sorted */
	size_t nkinds;
	size_t parsed; /* blobs */
	size_t bad;    /* first file that fails the load, or SIZE_MAX */
	struct set_left_out *new_left_out; /* owned */
	size_t nnew_left_out;
	char **new_found; /* owned */
	size_t nnew_found;

	/* results of the last set_commit */
	char **changed; /* owned: ids of what is new or different; sorted */
	size_t nchanged;
	struct set_left_out *left_out; /* owned; sorted by reason, source, id */
	size_t nleft_out;
	char **found; /* owned: ids whose scope is known again */
	size_t nfound;
};

/* The name is that of mark.h.  Numbers of sets begin above `seed`, so that two
 * runs have different ones. */
void set_init(struct set *, const char *name, uint64_t seed);
void set_clear(struct set *);

/* The files to load; taken over.  Whatever load was at work is dropped.  Their
 * ids are borrowed until set_collect. */
void set_begin(struct set *, struct tree_files *);

/* The files are those of the set. */
void set_reuse(struct set *);

/* The next file from `at` on whose blob is not known; the number of files if
 * there is none, or if one before fails the load. */
size_t set_next_needed(const struct set *, size_t at);

/* The content of file `at`.  A mistake in it is reported by set_collect. */
void set_parse(struct set *, size_t at, const void *text, size_t n);

/* Is there a file that fails the load? */
bool set_has_failed(const struct set *);

/* Everything is parsed: gather it, and the kinds that it is of. */
int set_collect(struct set *, struct fx_err *) FX_MUSTUSE;

struct set_scope {
	enum known_scope scope;
	char *why; /* the caller's; of UNKNOWN and FAILED */
};

/*
 * The scopes of set->kinds, in their order, and the namespace of those that do
 * not say theirs.  On success the set is the new one, and changed, left_out and
 * found say how it differs.
 */
int set_commit(struct set *, const struct set_scope *, const char *default_ns,
    struct fx_err *) FX_MUSTUSE;

/* The results have been told: they need no memory any more. */
void set_told(struct set *);

/* Is it this set, or one before it that this process has loaded? */
bool set_has_been(const struct set *, uint64_t number);

/* Can what changed since set `base` be told? */
bool set_has_base(const struct set *, uint64_t base);

/* NULL if there is none. */
const struct set_entry *set_find(const struct set *, uint64_t index);

#endif
