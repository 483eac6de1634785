/*
 * tree: what a commit has, as far as manifests are concerned, and which of it
 * is read.
 *
 * The tree is kept from load to load and follows the commits by differences.
 * Paths come out of the repository: they are labels here, nothing opens them.
 * Symbolic links are followed inside the tree only.
 */
#ifndef FX_TREE_H
#define FX_TREE_H

#include "base.h"
#include "buf.h"

#define TREE_MAX_ENTRIES 200000
#define TREE_MAX_LINKS 40    /* links followed for one path, as Linux does */
#define TREE_MAX_TARGET 4096 /* bytes of a link's target */

enum {
	TREE_MODE_TYPE = 0170000,
	TREE_MODE_DIR = 0040000,
	TREE_MODE_FILE = 0100000,
	TREE_MODE_LINK = 0120000,
};

struct tree_entry {
	char *path;    /* owned; relative to the root; the oid follows it */
	char *oid;     /* in path; hex */
	char *target;  /* owned; of a link, NULL until it is known, and of one
			  that is too long */
	uint64_t size; /* bytes */
	uint32_t mode; /* git's */
};

/* A change that has not been settled yet. */
struct tree_change {
	struct tree_entry entry;
	bool removed;
};

struct tree {
	struct tree_entry *v; /* owned; in the order in which they are walked */
	size_t n;
	struct tree_change *changes; /* owned */
	size_t nchanges, cap_changes;
};

void tree_clear(struct tree *);

/* Note a new, changed or removed entry; tree_settle puts all of them in, or
 * `full` in the place of all there is. */
void tree_put(struct tree *, const char *path, const char *oid, uint32_t mode,
    uint64_t size);
void tree_remove(struct tree *, const char *path);
/* *changed: the tree is not what it was.  FX_ELIMIT: too many entries. */
int tree_settle(struct tree *, bool full, bool *changed,
    struct fx_err *) FX_MUSTUSE;
/* Forget the noted changes. */
void tree_forget(struct tree *);

/* The next link whose target is not known, from `at` on; tree->n if none.  One
 * that is longer than a target may be is never asked for. */
size_t tree_next_link(const struct tree *, size_t at);
/* Targets with a NUL in them are no paths: cut there. */
void tree_set_target(struct tree *, size_t at, const void *, size_t n);

/* Lookups; a path of n bytes. */
int tree_path_order(const char *a, size_t na, const char *b, size_t nb);
/* The first entry that is not before the path. */
size_t tree_lower_bound(const struct tree *, const char *path, size_t n);
const struct tree_entry *
tree_find(const struct tree *, const char *path, size_t n);
/* Is there something below the path?  The root, "", is a directory. */
bool tree_is_dir(const struct tree *, const char *path, size_t n);
/* Is the path below the directory?  Everything is below "". */
bool tree_is_below(const char *path, const char *dir, size_t n);

/* A file to be read. */
struct tree_file {
	char *path;	 /* owned: its source, where the walk met it */
	const char *oid; /* borrowed: good until the tree changes */
	char *bad; /* owned: why it cannot be read, then there is no oid */
};

struct tree_files {
	struct tree_file *v; /* owned */
	size_t n;
};

void tree_files_clear(struct tree_files *);

/*
 * The files to be read, in upstream's order: below the configured paths (none:
 * the root), named *.yaml or *.yml, outside of charts.  max_size: of a file.
 * All targets of links are known.  A path with nothing below it has nothing to
 * be read: whoever listed the tree has seen that it exists.  Fails for a path
 * that leaves the repository.
 */
int tree_walk(const struct tree *, char *const *paths, size_t npaths,
    uint64_t max_size, struct tree_files *out, struct fx_err *) FX_MUSTUSE;

#endif
