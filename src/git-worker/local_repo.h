/*
 * local_repo: fetch from and push to a repository on this machine's disk.
 *
 * libgit2's own local transport packs with threads, which do not exist here;
 * and between two object databases no protocol is needed.
 */
#ifndef FX_LOCAL_REPO_H
#define FX_LOCAL_REPO_H

#include "base.h"

#include "mirror.h"
#include "remote.h"

/* Each like its namesake in remote.h; they end when link_check says so. */
int local_fetch(const char *path, struct mirror *, struct link *,
    struct fx_err *) FX_MUSTUSE;
int local_push(const char *path, struct mirror *, const struct remote_update *,
    size_t n, struct link *, struct fx_err *) FX_MUSTUSE;
int local_check_write(const char *path, struct fx_err *) FX_MUSTUSE;

/* Pack the mirror into one, if it is scattered. */
int local_compact(struct mirror *, struct link *, struct fx_err *) FX_MUSTUSE;

#endif
