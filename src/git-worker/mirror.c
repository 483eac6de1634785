/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "fd.h"
#include "mirror_files.h"
#include "str.h"

#define MIRROR_FORMAT 1
#define MIRROR_NAME "repository.git"
#define TWIN_NAME "repository.new"
#define STAMP_NAME "fluxd-mirror"
#define DAMAGE_NAME "damaged" /* the reader's note, beside the repository */
#define SIZE_NAME "fluxd-size"
#define STAMP_MAX 16384
#define OWN_REFS "refs/fluxd/" /* what is to be pushed; in nobody's way */

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

/* The writer makes it anew, and is asked to by whoever hears this. */
static int
blame(struct mirror *m, struct fx_err *err)
{
	leave_note(m);
	return err->code = FX_EGONE;
}

bool
mirror_is_damaged(const struct mirror *m)
{
	auto_free char *path = xasprintf("%s/" DAMAGE_NAME, m->dir);

	return access(path, F_OK) == 0;
}

static void
forget_damage(const struct mirror *m)
{
	auto_free char *path = xasprintf("%s/" DAMAGE_NAME, m->dir);

	/* if it stays, the mirror is made anew once more */
	(void)unlink(path);
}

int
mirror_fail(struct mirror *m, int r, struct fx_err *err, const char *fmt, ...)
{
	bool to_blame = !m->writer && blames_mirror(r);
	va_list ap;

	va_start(ap, fmt);
	r = gw_git_vfail(r, err, fmt, ap);
	va_end(ap);
	return to_blame ? blame(m, err) : r;
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

/* Make room for a new repository: what cannot be removed, because it belongs to
 * another user, is put aside. */
static int
make_room(const struct mirror *m, struct fx_err *err)
{
	auto_free char *aside = NULL;
	struct fx_err why = { 0 };

	if (mirror_remove(m->path, &why) == FX_OK)
		return FX_OK;
	aside = xasprintf("%s/set-aside.%lld", m->dir,
	    (long long)(clk_wall_us() / CLK_SEC));
	if (rename(m->path, aside) == -1)
		return fx_fail(err, FX_ESYS, "%s", why.text);
	return FX_OK;
}

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
		.refuse_rewind = conf->refuse_rewind,
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

bool
mirror_is_empty(struct mirror *m)
{
	git_oid oid;
	bool empty = !m->writer &&
	    git_reference_name_to_id(&oid, m->repo, m->branch) == GIT_ENOTFOUND;

	git_error_clear();
	return empty;
}

int
mirror_doubt(struct mirror *m, int r, struct fx_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	r = gw_git_vfail(r, err, fmt, ap);
	va_end(ap);
	if (mirror_is_empty(m))
		return err->code = FX_EGONE;
	return !m->writer && !refs_are_sound(m) ? blame(m, err) : r;
}

static char *
twin_path(const struct mirror *m)
{
	return xasprintf("%s/" TWIN_NAME, m->dir);
}

static int
open_writer(struct mirror *m, struct fx_err *err)
{
	auto_free char *twin = twin_path(m);
	int r;

	if (stamp_is_ours(m)) {
		mirror_sweep(m->path, false);
		if (open_repo(m) == 0 && drop_other_refs(m) == 0 &&
		    refs_are_sound(m) &&
		    git_repository_set_head(m->repo, m->branch) == 0)
			return FX_OK;
		git_repository_free(fx_steal(&m->repo));
	}
	if ((r = mirror_remove(twin, err)) != FX_OK ||
	    (r = create(m, err)) != FX_OK)
		return r;
	m->created = true;
	forget_damage(m);
	return FX_OK;
}

static int
open_reader(struct mirror *m, struct fx_err *err)
{
	int r;

	if (!stamp_is_ours(m))
		return fx_fail(err, FX_EGONE,
		    "git repo has not been cloned yet");
	if ((r = open_repo(m)) != 0)
		return mirror_fail(m, r, err, "open the mirror");
	return FX_OK;
}

int
mirror_open(struct mirror *m, struct fx_err *err)
{
	uint64_t now = stamp_identity(m);
	int r;

	m->created = false;
	if (m->repo != NULL && now != 0 && now == m->stamp)
		return FX_OK;
	git_repository_free(fx_steal(&m->repo));
	r = m->writer ? open_writer(m, err) : open_reader(m, err);
	if (r != FX_OK) {
		git_repository_free(fx_steal(&m->repo));
		return r;
	}
	m->stamp = stamp_identity(m);
	m->opened++;
	return FX_OK;
}

/* ---- putting it together ---- */

/* The size that all packs had when the mirror was one; 0: not noted yet. */
static uint64_t
size_read(const struct mirror *m)
{
	auto_free char *path = xasprintf("%s/" SIZE_NAME, m->path);
	auto_free char *text = NULL;
	struct buf b = BUF_INIT(32);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint64_t size = 0;

	if (fd == -1 || fd_read_all(fd, &b) != FX_OK) {
		buf_clear(&b);
		return 0;
	}
	text = str_take(&b);
	return fx_parse_u64(text, 1, UINT64_MAX, &size) == FX_OK ? size : 0;
}

static void
size_write(const struct mirror *m, uint64_t size)
{
	auto_free char *path = xasprintf("%s/" SIZE_NAME, m->path);
	auto_fd int fd = -1;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	/* without it, it is noted later and larger */
	if (fd != -1)
		(void)dprintf(fd, "%llu", (unsigned long long)size + 1);
}

enum mirror_clutter
mirror_clutter(const struct mirror *m)
{
	auto_free char *twin = twin_path(m);
	struct mirror_sizes now;
	uint64_t then = size_read(m);

	mirror_measure(m->path, &now);
	if (then == 0) {
		size_write(m, now.bytes);
		then = now.bytes;
	}
	if (now.packs > MIRROR_WORST * MIRROR_MAX_PACKS ||
	    now.loose > MIRROR_WORST * MIRROR_MAX_LOOSE ||
	    now.bytes / MIRROR_WORST > MIRROR_FACTOR * then + MIRROR_SLACK)
		return MIRROR_HOPELESS;
	/* an attempt that did not come to its end would not next time */
	if (access(twin, F_OK) == 0)
		return MIRROR_TIDY;
	return now.packs > MIRROR_MAX_PACKS || now.loose > MIRROR_MAX_LOOSE ||
		now.bytes > MIRROR_FACTOR * then + MIRROR_SLACK
	    ? MIRROR_SCATTERED
	    : MIRROR_TIDY;
}

void
mirror_give_up(struct mirror *m)
{
	leave_note(m);
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
	struct mirror_sizes now;

	mirror_measure(twin->path, &now);
	size_write(twin, now.bytes);
	git_repository_free(fx_steal(&m->repo));
	git_repository_free(fx_steal(&twin->repo));
	/* somebody may have deleted it */
	if (renameat2(AT_FDCWD, twin->path, AT_FDCWD, m->path,
		RENAME_EXCHANGE) == -1 &&
	    (errno != ENOENT || rename(twin->path, m->path) == -1))
		return fx_fail(err, FX_ESYS, "%s: %s", m->path,
		    strerror(errno));
	forget_damage(m);
	return make_room(twin, err);
}
