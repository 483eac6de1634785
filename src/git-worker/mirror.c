/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "mirror.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "fd.h"
#include "str.h"

#define MIRROR_FORMAT 1
#define MIRROR_NAME "repository.git"
#define TWIN_NAME "repository.new"
#define STAMP_NAME "fluxd-mirror"
#define DAMAGE_NAME "damaged" /* the reader's note, beside the repository */
#define STAMP_MAX 16384
#define OWN_REFS "refs/fluxd/" /* what is to be pushed; in nobody's way */
#define REMOVE_DEPTH 16	       /* a bare repository is about 6 deep */

#define MAX_OBJECTS 8000000    /* of a pack; an index entry is about 50 bytes */
#define MAP_WINDOW (32u << 20) /* of a pack, mapped at once */
#define MAP_LIMIT (128u << 20)
#define MAP_FILES 64	     /* packs open at once; see sandbox.c, nofile */
#define CACHE_MAX (16 << 20) /* of parsed objects */

/* ---- libgit2 ---- */

static int
set_options(size_t max_object)
{
	static const int levels[] = { GIT_CONFIG_LEVEL_PROGRAMDATA,
		GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
		GIT_CONFIG_LEVEL_GLOBAL };
	int r = 0;

	for (size_t i = 0; i < nitems(levels); i++)
		r |= git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
	r |= git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, "");
	/* the directory is ours by construction, whoever owns it */
	r |= git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	r |= git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)MAP_WINDOW);
	r |= git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT,
	    (size_t)MAP_LIMIT);
	r |=
	    git_libgit2_opts(GIT_OPT_SET_MWINDOW_FILE_LIMIT, (size_t)MAP_FILES);
	r |= git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)CACHE_MAX);
	r |=
	    git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, (size_t)MAX_OBJECTS);
#if HAVE_DECL_GIT_OPT_SET_PACK_MAX_OBJECT_SIZE
	r |= git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE, max_object);
#else
	/* this libgit2 has no such limit: the address space is one */
	(void)max_object;
#endif
	return r;
}

int
gw_lib_open(size_t max_object, struct fx_err *err)
{
	int r;

	if ((r = git_libgit2_init()) < 0)
		return gw_git_fail(r, err, "libgit2");
	if (set_options(max_object) != 0)
		return gw_git_fail(-1, err, "libgit2: options");
	return FX_OK;
}

static int
code_of(int r)
{
	switch (r) {
	case GIT_ENOTFOUND:
		return FX_EUNKNOWN;
	case GIT_ENONFASTFORWARD:
	case GIT_ELOCKED:
	case GIT_EMODIFIED:
		return FX_ECONFLICT;
	case GIT_EAUTH:
	case GIT_ECERTIFICATE:
		return FX_EDENIED;
	case GIT_EINVALIDSPEC:
	case GIT_EAMBIGUOUS:
		return FX_ESYNTAX;
	default:
		return FX_EFAIL;
	}
}

static int
vfail(int r, struct fx_err *, const char *fmt, va_list) FX_PRINTF(3, 0);

static int
vfail(int r, struct fx_err *err, const char *fmt, va_list ap)
{
	const git_error *e = git_error_last();
	const char *text = e == NULL ? "unknown error" : e->message;
	struct buf b = BUF_INIT(4096);
	auto_free char *shown = NULL, *what = NULL;

	if (vasprintf(&what, fmt, ap) < 0)
		fx_bug("git: an error text could not be made");
	str_printable(&b, text, strlen(text), FX_ERR_TEXT_MAX);
	shown = str_take(&b);
	git_error_clear();
	return fx_fail(err, code_of(r), "%s: %s", what, shown);
}

int
gw_git_fail(int r, struct fx_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	r = vfail(r, err, fmt, ap);
	va_end(ap);
	return r;
}

/* What a mirror that lost a file looks like. */
static bool
blames_mirror(int r)
{
	const git_error *e = git_error_last();

	if (e == NULL)
		return false;
	return (r == GIT_ENOTFOUND && e->klass == GIT_ERROR_ODB) ||
	    r == GIT_EMISMATCH || e->klass == GIT_ERROR_ZLIB ||
	    e->klass == GIT_ERROR_OBJECT;
}

static void
leave_note(struct mirror *m)
{
	auto_free char *path = xasprintf("%s/" DAMAGE_NAME, m->dir);
	auto_fd int fd = -1;

	/* if even this fails, the next start of the writer will tell */
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

int
mirror_fail(struct mirror *m, int r, struct fx_err *err, const char *fmt, ...)
{
	va_list ap;

	if (!m->writer && blames_mirror(r))
		leave_note(m);
	va_start(ap, fmt);
	r = vfail(r, err, fmt, ap);
	va_end(ap);
	return r;
}

/* ---- files ---- */

/*
 * Remove a directory and everything in it.  Only processes of ours can write
 * here, and links are removed, not followed.
 */
static int
remove_in(int dirfd, const char *name, unsigned depth)
{
	struct dirent *e;
	DIR *d;
	int fd, r = 0;

	fd = openat(dirfd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? 0 : unlinkat(dirfd, name, 0);
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

static int
remove_tree(const char *path, struct fx_err *err)
{
	if (remove_in(AT_FDCWD, path, REMOVE_DEPTH) != 0)
		return fx_fail(err, FX_ESYS, "remove %s: %s", path,
		    strerror(errno));
	return FX_OK;
}

/* Make room for a new repository: what cannot be removed, because it belongs to
 * another user, is put aside. */
static int
make_room(const struct mirror *m, struct fx_err *err)
{
	auto_free char *aside = NULL;
	struct fx_err why = { 0 };

	if (remove_tree(m->path, &why) == FX_OK)
		return FX_OK;
	aside = xasprintf("%s/set-aside.%lld", m->dir,
	    (long long)(clk_wall_us() / CLK_SEC));
	if (rename(m->path, aside) == -1)
		return fx_fail(err, FX_ESYS, "%s", why.text);
	return FX_OK;
}

static bool
is_rubbish(const char *name)
{
	return str_ends(name, ".lock") || str_starts(name, "tmp_") ||
	    str_starts(name, "pack_git2_") || strstr(name, "_git2_") != NULL;
}

/* What a writer that was killed left behind: lock files and temporary ones. */
static void
sweep(int dirfd, const char *name, unsigned depth)
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
			sweep(fd, e->d_name, depth - 1);
		else if (is_rubbish(e->d_name))
			(void)unlinkat(fd, e->d_name, 0);
	}
	closedir(d);
}

/* ---- the stamp ---- */

static char *
stamp_path(const struct mirror *m)
{
	return xasprintf("%s/" STAMP_NAME, m->path);
}

static char *
stamp_text(const struct mirror *m)
{
	return xasprintf("fluxd mirror %d\n%s\n", MIRROR_FORMAT, m->origin);
}

/* Tells one repository from the next in its place; inodes are used again. */
static uint64_t
stamp_identity(const struct mirror *m)
{
	auto_free char *path = stamp_path(m);
	struct stat st;

	if (lstat(path, &st) == -1)
		return 0;
	return (uint64_t)st.st_ino ^ (uint64_t)st.st_ctim.tv_sec << 32 ^
	    (uint64_t)st.st_ctim.tv_nsec << 8;
}

static bool
stamp_is_ours(const struct mirror *m)
{
	auto_free char *path = stamp_path(m), *want = stamp_text(m);
	auto_buf struct buf got = BUF_INIT(STAMP_MAX);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd != -1 && fd_read_all(fd, &got) == FX_OK &&
	    buf_left(&got) == strlen(want) &&
	    memcmp(buf_head(&got), want, strlen(want)) == 0;
}

static int
stamp_write(const struct mirror *m, struct fx_err *err)
{
	auto_free char *path = stamp_path(m), *text = stamp_text(m);
	auto_fd int fd = -1;
	ssize_t n = (ssize_t)strlen(text);

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1 || write(fd, text, (size_t)n) != n || fsync(fd) == -1)
		return fx_fail(err, FX_ESYS, "%s: %s", path, strerror(errno));
	return FX_OK;
}

/* ---- life ---- */

/* git's rule for the short names of notes. */
static char *
notes_ref(const char *name)
{
	if (str_starts(name, "refs/notes/"))
		return xstrdup(name);
	return xasprintf("%s%s",
	    str_starts(name, "notes/") ? "refs/" : "refs/notes/", name);
}

static int
check_ref(const char *name, struct fx_err *err)
{
	int valid = 0;

	if (git_reference_name_is_valid(&valid, name) != 0 || !valid)
		return fx_fail(err, FX_ESYNTAX, "'%s' is not a valid ref name",
		    name);
	return FX_OK;
}

int
mirror_init(struct mirror *m, const struct mirror_conf *conf,
    struct fx_err *err)
{
	int r;

	*m = (struct mirror){
		.dir = xstrdup(conf->dir),
		.path = xasprintf("%s/" MIRROR_NAME, conf->dir),
		.origin = xstrdup(conf->origin),
		.branch = xasprintf("refs/heads/%s", conf->branch),
		.tag = xasprintf("refs/tags/%s", conf->tag),
		.notes = notes_ref(conf->notes),
		.writer = conf->writer,
	};
	if ((r = check_ref(m->branch, err)) != FX_OK ||
	    (r = check_ref(m->tag, err)) != FX_OK ||
	    (r = check_ref(m->notes, err)) != FX_OK)
		mirror_clear(m);
	return r;
}

void
mirror_clear(struct mirror *m)
{
	git_repository_free(m->repo);
	free(m->dir);
	free(m->path);
	free(m->origin);
	free(m->branch);
	free(m->tag);
	free(m->notes);
	memset(m, 0, sizeof(*m));
}

static int
open_repo(struct mirror *m)
{
	return git_repository_open_ext(&m->repo, m->path,
	    GIT_REPOSITORY_OPEN_BARE | GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
}

static int
create(struct mirror *m, struct fx_err *err)
{
	git_repository_init_options opts;
	int r;

	if ((r = make_room(m, err)) != FX_OK)
		return r;
	if (git_repository_init_options_init(&opts,
		GIT_REPOSITORY_INIT_OPTIONS_VERSION) != 0)
		fx_bug("libgit2 does not know its own options");
	opts.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR |
	    GIT_REPOSITORY_INIT_NO_REINIT;
	opts.mode = 0700;
	opts.initial_head = m->branch;
	if ((r = git_repository_init_ext(&m->repo, m->path, &opts)) != 0)
		return mirror_fail(m, r, err, "create the mirror");
	/* last: what has a stamp is complete */
	return stamp_write(m, err);
}

static bool
is_known_ref(const struct mirror *m, const char *name)
{
	return strcmp(name, m->branch) == 0 || strcmp(name, m->tag) == 0 ||
	    strcmp(name, m->notes) == 0;
}

/* With other flags than last time there may be refs that nobody updates any
 * more and that stand in the way of new ones. */
static int
drop_other_refs(struct mirror *m)
{
	git_reference_iterator *it = NULL;
	git_reference *ref = NULL;
	int r;

	if ((r = git_reference_iterator_new(&it, m->repo)) != 0)
		return r;
	while ((r = git_reference_next(&ref, it)) == 0) {
		if (!is_known_ref(m, git_reference_name(ref)) &&
		    !str_starts(git_reference_name(ref), OWN_REFS))
			r = git_reference_delete(ref);
		git_reference_free(ref);
		if (r != 0)
			break;
	}
	git_reference_iterator_free(it);
	return r == GIT_ITEROVER ? 0 : r;
}

/* Every ref leads to an object that is there; to which kind of object is not
 * the mirror's fault. */
static bool
refs_are_sound(struct mirror *m)
{
	const char *const names[] = { m->branch, m->tag, m->notes };

	for (size_t i = 0; i < nitems(names); i++) {
		git_reference *ref = NULL;
		git_object *o = NULL;
		int r = git_reference_lookup(&ref, m->repo, names[i]);

		if (r == 0)
			r = git_reference_peel(&o, ref, GIT_OBJECT_TREE);
		git_object_free(o);
		git_reference_free(ref);
		if (r != 0 && r != GIT_EPEEL && r != GIT_EINVALIDSPEC &&
		    !(r == GIT_ENOTFOUND && ref == NULL))
			return false;
	}
	return true;
}

int
mirror_doubt(struct mirror *m, int r, struct fx_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	r = vfail(r, err, fmt, ap);
	va_end(ap);
	if (!m->writer && !refs_are_sound(m))
		leave_note(m);
	return r;
}

static int
open_writer(struct mirror *m, bool *created, struct fx_err *err)
{
	auto_free char *note = xasprintf("%s/" DAMAGE_NAME, m->dir);
	bool damaged = access(note, F_OK) == 0;
	int r;

	*created = false;
	if (!damaged && stamp_is_ours(m)) {
		sweep(AT_FDCWD, m->path, REMOVE_DEPTH);
		if (open_repo(m) == 0 && drop_other_refs(m) == 0 &&
		    refs_are_sound(m) &&
		    git_repository_set_head(m->repo, m->branch) == 0)
			return FX_OK;
		git_repository_free(fx_steal(&m->repo));
	}
	if ((r = create(m, err)) != FX_OK)
		return r;
	*created = true;
	if (damaged)
		(void)unlink(note);
	return FX_OK;
}

static int
open_reader(struct mirror *m, struct fx_err *err)
{
	int r;

	if (!stamp_is_ours(m))
		return fx_fail(err, FX_ERETRY,
		    "git repo has not been cloned yet");
	if ((r = open_repo(m)) != 0)
		return mirror_fail(m, r, err, "open the mirror");
	return FX_OK;
}

int
mirror_open(struct mirror *m, bool *created, struct fx_err *err)
{
	auto_free char *note = xasprintf("%s/" DAMAGE_NAME, m->dir);
	uint64_t now = stamp_identity(m);
	int r;

	*created = false;
	if (m->repo != NULL && now != 0 && now == m->stamp &&
	    (!m->writer || access(note, F_OK) != 0))
		return FX_OK;
	git_repository_free(fx_steal(&m->repo));
	r = m->writer ? open_writer(m, created, err) : open_reader(m, err);
	if (r != FX_OK) {
		git_repository_free(fx_steal(&m->repo));
		return r;
	}
	m->stamp = stamp_identity(m);
	m->opened++;
	return FX_OK;
}

/* ---- putting it together ---- */

static char *
twin_path(const struct mirror *m)
{
	return xasprintf("%s/" TWIN_NAME, m->dir);
}

bool
mirror_is_scattered(const struct mirror *m)
{
	auto_free char *path = xasprintf("%s/objects/pack", m->path);
	auto_free char *twin = twin_path(m);
	struct dirent *e;
	DIR *d = NULL;
	unsigned packs = 0;

	/* an attempt that did not come to its end would not next time */
	if (access(twin, F_OK) == 0 || (d = opendir(path)) == NULL)
		return false;
	while ((e = readdir(d)) != NULL)
		packs += str_ends(e->d_name, ".pack");
	closedir(d);
	return packs > MIRROR_MAX_PACKS;
}

int
mirror_make_twin(const struct mirror *m, struct mirror *twin,
    struct fx_err *err)
{
	int r;

	*twin = (struct mirror){
		.dir = xstrdup(m->dir),
		.path = twin_path(m),
		.origin = xstrdup(m->origin),
		.branch = xstrdup(m->branch),
		.tag = xstrdup(m->tag),
		.notes = xstrdup(m->notes),
		.writer = true,
	};
	if ((r = create(twin, err)) != FX_OK)
		mirror_clear(twin);
	return r;
}

int
mirror_swap(struct mirror *m, struct mirror *twin, struct fx_err *err)
{
	git_repository_free(fx_steal(&m->repo));
	git_repository_free(fx_steal(&twin->repo));
	if (renameat2(AT_FDCWD, twin->path, AT_FDCWD, m->path,
		RENAME_EXCHANGE) == -1)
		return fx_fail(err, FX_ESYS, "%s: %s", m->path,
		    strerror(errno));
	return remove_tree(twin->path, err);
}

/* ---- refs ---- */

int
mirror_commit_of(struct mirror *m, const char *name, char hex[GW_OID_HEX],
    struct fx_err *err)
{
	git_reference *ref = NULL;
	git_object *o = NULL;
	int r;

	hex[0] = '\0';
	r = git_reference_lookup(&ref, m->repo, name);
	if (r == GIT_ENOTFOUND)
		return FX_OK;
	if (r == 0)
		r = git_reference_peel(&o, ref, GIT_OBJECT_COMMIT);
	if (r == 0)
		git_oid_tostr(hex, GW_OID_HEX, git_object_id(o));
	git_object_free(o);
	git_reference_free(ref);
	/* a tag on something else than a commit says nothing to us */
	if (r == GIT_EPEEL || r == GIT_EINVALIDSPEC)
		return FX_OK;
	if (r != 0)
		return mirror_fail(m, r, err, "%s", name);
	return FX_OK;
}

int
mirror_set_ref(struct mirror *m, const char *name, const git_oid *to,
    struct fx_err *err)
{
	git_reference *ref = NULL;
	int r;

	if (to == NULL) {
		r = git_reference_lookup(&ref, m->repo, name);
		if (r == 0)
			r = git_reference_delete(ref);
		git_reference_free(ref);
		if (r == GIT_ENOTFOUND)
			r = 0;
	} else {
		r = git_reference_create(&ref, m->repo, name, to, 1, NULL);
		git_reference_free(ref);
	}
	if (r != 0)
		return mirror_fail(m, r, err, "%s", name);
	return FX_OK;
}
