/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cmd.h"

#include "manifests.h"
#include "options.h"
#include "paths.h"
#include "text.h"

#include <errno.h>
#include <sys/stat.h>

static int
check(const struct ctl_options *o, struct ctl_error *err)
{
	const char *dir = o->install_output_dir;
	struct stat st;

	if (*o->install_git_url == '\0')
		return ctl_fail(err, FX_ESYNTAX,
		    "please supply a valid --git-url argument");
	if (*o->install_git_email == '\0')
		return ctl_fail(err, FX_ESYNTAX,
		    "please supply a valid --git-email argument");
	if (*dir == '\0')
		return FX_OK;
	if (stat(dir, &st) == -1)
		return ctl_fail(err, FX_ESYS, "stat %s: %s", dir,
		    ctl_system_text(errno));
	if (!S_ISDIR(st.st_mode))
		return ctl_fail(err, FX_EFAIL, "%s is not a directory", dir);
	return FX_OK;
}

static int
write_file(struct ctl *c, const char *name, const struct buf *text)
{
	const char *dir = c->line->opts.install_output_dir;
	auto_free char *path = path_join(dir, name);
	bool ok;
	FILE *f;

	ctl_print(c->err, "writing %s\n", path);
	f = fopen(path, "we");
	if (f == NULL)
		return ctl_fail(&c->error, FX_ESYS,
		    "cannot output manifest file %s: open %s: %s", name, path,
		    ctl_system_text(errno));
	ok = fwrite(buf_head(text), 1, buf_left(text), f) == buf_left(text);
	if (fclose(f) != 0 || !ok)
		return ctl_fail(&c->error, FX_ESYS,
		    "cannot output manifest file %s: write %s: %s", name, path,
		    ctl_system_text(errno));
	return FX_OK;
}

int
ctl_cmd_install(struct ctl *c)
{
	const struct ctl_options *o = &c->line->opts;
	int r = check(o, &c->error);

	if (r != FX_OK)
		return r;
	for (size_t i = 0; r == FX_OK && i < MANIFESTS; i++) {
		auto_buf struct buf text = BUF_INIT(SIZE_MAX);

		if (manifests[i].for_scanning && o->install_no_scanning)
			continue;
		manifest_add(&text, &manifests[i], o, c->ns);
		if (*o->install_output_dir != '\0')
			r = write_file(c, manifests[i].file, &text);
		else
			(void)fwrite(buf_head(&text), 1, buf_left(&text),
			    c->out);
	}
	return r;
}
