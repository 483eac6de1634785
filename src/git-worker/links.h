/*
 * links: symbolic links of a repository, as far as a listing of files must know
 * about them.
 *
 * A link can lead to a file of any name anywhere in the tree.  Instead of
 * following each, the last words of all targets are collected: whatever is
 * called like one of them may be what a link means.
 */
#ifndef FX_LINKS_H
#define FX_LINKS_H

#include "base.h"

#include "mirror.h"

#define LINKS_MAX_NAMES 20000 /* different last words of targets */
#define LINKS_MAX_TARGET 4096 /* bytes of a target that is a path */
#define LINKS_MAX_FOLLOWED 40 /* on one path, as Linux does */

struct link_names {
	char **v; /* owned; sorted, each once */
	size_t n;
};

void link_names_clear(struct link_names *);
bool link_names_has(const struct link_names *, const char *);

/* Read the target of a link and add its last word, unless it is there.
 * *added says so. */
int link_names_add(struct link_names *, struct mirror *, const git_oid *,
    bool *added, struct fx_err *) FX_MUSTUSE;

/* Is there something at a path, through links in it?  FX_EUNKNOWN: no.
 * FX_EDENIED: it leads out of the repository. */
int link_path_exists(struct mirror *, const git_tree *, const char *path,
    struct fx_err *) FX_MUSTUSE;

#endif
