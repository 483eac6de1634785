/*
 * mirror_files: the mirror's files as files.
 */
#ifndef FX_MIRROR_FILES_H
#define FX_MIRROR_FILES_H

#include "base.h"

/* Remove a directory and everything in it.  Only processes of ours can write
 * there, and links are removed, not followed.  That it is not there is fine. */
int mirror_remove(const char *path, struct fx_err *) FX_MUSTUSE;

/* What a writer that was killed left behind: lock files and temporary ones; or
 * only the halves of packs, which nobody but the caller makes. */
void mirror_sweep(const char *path, bool packs_only);

struct mirror_sizes {
	unsigned packs;
	unsigned loose; /* objects, about: those of one directory times 256 */
	uint64_t bytes; /* of the packs */
};
void mirror_measure(const char *path, struct mirror_sizes *);

/* Before lock-down: somebody may have removed the directory that the mirror is
 * in.  If it cannot be made the lock-down says why. */
void mirror_make_dir(const char *path);

/* The directory itself, to be compared with what has its name later; owned by
 * the caller, or -1. */
int mirror_hold_dir(const char *path);
bool mirror_is_dir(int held, const char *path);

#endif
