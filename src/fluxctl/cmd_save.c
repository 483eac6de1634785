/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

#include "api.h"
#include "connect.h"
#include "arena.h"
#include "export.h"
#include "fd.h"
#include "node.h"
#include "options.h"
#include "paths.h"
#include "str.h"
#include "text.h"
#include "yamlout.h"
#include "yread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define STANDARD_OUTPUT "-"
#define EXPORT_MAX CLIENT_BODY_MAX /* base64 is longer than what it holds */
#define DOCUMENT_START "---\n"

/* Where objects go. */
struct target {
	struct ctl *ctl;
	const char *dir; /* as given; NULL: standard output */
	int fd;		 /* owned; of the directory; -1 */
};

static int
open_dir(struct target *t)
{
	struct stat st;

	if (stat(t->dir, &st) == -1)
		return ctl_fail(&t->ctl->error, FX_ESYS, "stat %s: %s", t->dir,
		    ctl_system_text(errno));
	if (!S_ISDIR(st.st_mode))
		return ctl_fail(&t->ctl->error, FX_EFAIL,
		    "path %s is not a directory", t->dir);
	t->fd = open(t->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (t->fd == -1)
		return ctl_fail(&t->ctl->error, FX_ESYS, "open %s: %s", t->dir,
		    ctl_system_text(errno));
	return FX_OK;
}

/* The directory of a namespace, made where it is not there; -1 and errno.  A
 * link could lead out of the directory that was given. */
static int
open_namespace(int dir, const char *ns)
{
	if (*ns == '\0')
		return fcntl(dir, F_DUPFD_CLOEXEC, 0);
	if (mkdirat(dir, ns, 0777) == -1 && errno != EEXIST)
		return -1;
	return openat(dir, ns, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* -1 and errno; only what is or becomes a plain file. */
static int
open_file(int dir, const char *name)
{
	auto_fd int fd = openat(dir, name,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
	struct stat st;
	int out;

	if (fd == -1 || fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	if (ftruncate(fd, 0) == -1)
		return -1;
	out = fd;
	fd = -1;
	return out;
}

static bool
write_all(int fd, const struct buf *text)
{
	FILE *f = fdopen(fd, "w");
	bool ok;

	if (f == NULL) {
		fd_close(&fd);
		return false;
	}
	ok = fputs(DOCUMENT_START, f) != EOF &&
	    fwrite(buf_head(text), 1, buf_left(text), f) == buf_left(text);
	return fclose(f) == 0 && ok;
}

static int
save_to_file(struct target *t, const struct export *e, const struct buf *text)
{
	struct ctl_error *err = &t->ctl->error;
	auto_free char *below = NULL, *path = NULL;
	bool is_ns = strcmp(e->kind, "Namespace") == 0;
	auto_fd int dir = -1;
	const char *name;
	int fd, r = export_path(e, &below, err);

	if (r != FX_OK)
		return r;
	path = path_join(t->dir, below);
	name = strrchr(below, '/') == NULL ? below : strrchr(below, '/') + 1;
	dir = open_namespace(t->fd, is_ns ? "" : e->ns);
	if (dir == -1)
		return ctl_fail(err, FX_ESYS,
		    "saving yaml object: making directory for namespace: "
		    "%s: %s",
		    e->ns, ctl_system_text(errno));
	ctl_print(t->ctl->out, "Saving %s '%s' to %s\n", e->kind, e->name,
	    path);
	fd = open_file(dir, name);
	if (fd == -1)
		return ctl_fail(err, FX_ESYS,
		    "saving yaml object: creating yaml file: open %s: %s", path,
		    ctl_system_text(errno));
	if (!write_all(fd, text))
		return ctl_fail(err, FX_ESYS,
		    "saving yaml object: writing yaml file: %s: %s", path,
		    ctl_system_text(errno));
	return FX_OK;
}

static int
save_object(struct target *t, struct arena *arena, const struct node *object)
{
	auto_buf struct buf text = BUF_INIT(EXPORT_MAX);
	auto_export struct export e = { 0 };
	int r = export_filter(arena, object, &e, &t->ctl->error);

	if (r == FX_OK)
		r = yamlout_node(&text, e.manifest, &t->ctl->error);
	if (r != FX_OK)
		return r;
	if (t->dir != NULL)
		return save_to_file(t, &e, &text);
	fputs(DOCUMENT_START, t->ctl->out);
	ctl_write(t->ctl->out, (const char *)buf_head(&text), buf_left(&text));
	return FX_OK;
}

static int
save_all(struct target *t, const struct buf *export)
{
	struct yread *y = yread_new(buf_head(export), buf_left(export));
	struct node *object;
	struct fx_err why = { 0 };
	int r = FX_OK;

	yread_keep_source(y);
	while (r == FX_OK) {
		r = yread_next(y, &object, &why);
		if (r != FX_OK)
			r = ctl_fail(&t->ctl->error, r,
			    "unmarshalling exported yaml: %s", why.text);
		else if (object == NULL)
			break;
		else
			r = save_object(t, yread_arena(y), object);
	}
	yread_free(&y);
	return r;
}

int
ctl_cmd_save(struct ctl *c)
{
	const char *out = c->line->opts.save_out;
	struct target t = { .ctl = c, .fd = -1 };
	auto_buf struct buf export = BUF_INIT(EXPORT_MAX);
	int r = ctl_connect(c);

	if (r != FX_OK)
		return r;
	r = api_export(c->client, &export, &c->error);
	if (r != FX_OK)
		return c->error.shaped
		    ? r
		    : ctl_wrap(&c->error, r, "exporting config");
	if (strcmp(out, STANDARD_OUTPUT) != 0) {
		t.dir = out;
		r = open_dir(&t);
	}
	if (r == FX_OK)
		r = save_all(&t, &export);
	fd_close(&t.fd);
	return r;
}
