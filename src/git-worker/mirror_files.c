/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "mirror_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "str.h"

#define REMOVE_DEPTH 16 /* a bare repository is about 6 deep */

static int
remove_in(int dirfd, const char *name, unsigned depth)
{
	struct dirent *e;
	DIR *d;
	int fd, r = 0;

	fd = openat(dirfd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		/* no directory, or an empty one that cannot be entered */
		return errno == ENOENT || unlinkat(dirfd, name, 0) == 0
		    ? 0
		    : unlinkat(dirfd, name, AT_REMOVEDIR);
	if (depth == 0 || (d = fdopendir(fd)) == NULL) {
		close(fd);
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, e->d_name, 0) == -1 && errno != ENOENT)
			r |= remove_in(fd, e->d_name, depth - 1);
	}
	closedir(d);
	return r | unlinkat(dirfd, name, AT_REMOVEDIR);
}

int
mirror_remove(const char *path, struct fx_err *err)
{
	if (remove_in(AT_FDCWD, path, REMOVE_DEPTH) != 0)
		return fx_fail(err, FX_ESYS, "remove %s: %s", path,
		    strerror(errno));
	return FX_OK;
}

static bool
is_rubbish(const char *name, bool packs_only)
{
	if (packs_only)
		return str_starts(name, "pack_git2_");
	return str_ends(name, ".lock") || str_starts(name, "tmp_") ||
	    str_starts(name, "pack_git2_") || strstr(name, "_git2_") != NULL;
}

static void
sweep_in(int dirfd, const char *name, unsigned depth, bool packs_only)
{
	struct dirent *e;
	DIR *d;
	int fd;

	fd = openat(dirfd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || depth == 0 || (d = fdopendir(fd)) == NULL) {
		fd_close(&fd);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (e->d_type == DT_DIR)
			sweep_in(fd, e->d_name, depth - 1, packs_only);
		else if (is_rubbish(e->d_name, packs_only))
			(void)unlinkat(fd, e->d_name, 0);
	}
	closedir(d);
}

void
mirror_sweep(const char *path, bool packs_only)
{
	sweep_in(AT_FDCWD, path, REMOVE_DEPTH, packs_only);
}

/* What stands in a directory under names that end so. */
static void
count(const char *path, const char *end, unsigned *n, uint64_t *bytes)
{
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(path);

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || !str_ends(e->d_name, end) ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
			-1)
			continue;
		(*n)++;
		*bytes += (uint64_t)st.st_size;
	}
	if (d != NULL)
		closedir(d);
}

void
mirror_measure(const char *path, struct mirror_sizes *out)
{
	auto_free char *packs = xasprintf("%s/objects/pack", path);
	auto_free char *loose = xasprintf("%s/objects/17", path);
	uint64_t ignored = 0;

	*out = (struct mirror_sizes){ 0 };
	count(packs, ".pack", &out->packs, &out->bytes);
	/* git, too, takes one of the 256 directories for all */
	count(loose, "", &out->loose, &ignored);
	out->loose *= 256;
}

void
mirror_make_dir(const char *path)
{
	(void)mkdir(path, 0700);
}

int
mirror_hold_dir(const char *path)
{
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool
mirror_is_dir(int held, const char *path)
{
	struct stat a, b;

	return held != -1 && fstat(held, &a) == 0 && stat(path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}
