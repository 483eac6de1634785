/*
 * tree: which files of a commit may hold manifests.
 *
 * Reported are files called *.yaml and *.yml, symbolic links, and whatever is
 * called Chart.yaml or values.yaml.  All of the tree is looked at, not only
 * what is below the configured roots: a chart anywhere hides what is below it,
 * and links lead from the roots to files elsewhere; whatever has the name of a
 * link's target is reported too.  The roots have to be there.
 *
 * Against a base only differences are reported, and what is equal is not even
 * read.  The base has to be the commit listed last: of that it is known which
 * names were looked for.
 *
 * Names come out of a repository that we do not trust.  A path is reported in
 * printable form, it names and does not lead anywhere; content is asked for by
 * object id.
 */
#ifndef FX_TREE_H
#define FX_TREE_H

#include "base.h"

#include "links.h"
#include "mirror.h"

#define TREE_MAX_ENTRIES 200000	 /* reported for one commit */
#define TREE_MAX_VISITED 4000000 /* looked at for one commit */
#define TREE_MAX_DEPTH 64	 /* directories inside of each other */
#define TREE_MAX_PATH 4096	 /* bytes of a path; IPC_MAX_PATH */

struct tree_item {
	const char *path;
	const char *hex;
	unsigned mode;
	uint64_t size;
	bool removed;
};

/* Anything but FX_OK ends the walk with that code. */
typedef int tree_fn(void *arg, const struct tree_item *, struct fx_err *);

/* What a listing leaves for the next one. */
struct tree_memory {
	char commit[GW_OID_HEX]; /* the one listed last; "": none */
	struct link_names names; /* of targets of its links */
};

void tree_memory_clear(struct tree_memory *);

struct tree_query {
	const char *commit;
	const char *base; /* "": report everything */
	char *const *roots;
	size_t nroots;	   /* 0: the whole repository */
	size_t max_object; /* bytes of a tree */
	tree_fn *fn;
	void *arg;
};

struct tree_result {
	uint64_t count; /* items reported */
	bool full;	/* the base was not used */
};

int tree_list(struct mirror *, const struct tree_query *, struct tree_memory *,
    struct tree_result *, struct fx_err *) FX_MUSTUSE;

/* a/./b/ and ./a//b become a/b, a/../b becomes b, . becomes "".  NULL if it
 * leads out of the repository.  Owned by the caller. */
char *root_clean(const char *);

#endif
