/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "git_lib.h"

#include <stdio.h>

#include "buf.h"
#include "str.h"

#define MAX_OBJECTS 8000000    /* of a pack; an index entry is about 50 bytes */
#define MAP_WINDOW (32u << 20) /* of a pack, mapped at once */
#define MAP_LIMIT (128u << 20)
#define MAP_FILES 64	     /* packs open at once; see sandbox.c, nofile */
#define CACHE_MAX (16 << 20) /* of parsed objects */

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

void
gw_lib_cache(size_t max)
{
	if (git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)max) != 0)
		fx_bug("libgit2 refuses the size of its cache");
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

int
gw_git_vfail(int r, struct fx_err *err, const char *fmt, va_list ap)
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
	r = gw_git_vfail(r, err, fmt, ap);
	va_end(ap);
	return r;
}
