/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "locate.h"

#include "str.h"
#include "values.h"

#include <sys/stat.h>

static bool
is_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* The commands that make a way to a daemon in a cluster. */
static int
fail_nowhere(const struct ctl_options *opts, const char *local,
    struct ctl_error *err)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	auto_free char *kubectl = NULL, *labels = NULL;

	(void)str_add(&b, "kubectl");
	if (*opts->context != '\0')
		(void)str_addf(&b, " --context=%s", opts->context);
	(void)str_addf(&b, " --namespace=%s", opts->fwd_ns);
	kubectl = str_take(&b);
	ctl_map_print(&opts->fwd_labels, &b);
	labels = str_take(&b);
	return ctl_fail(err, FX_EUNKNOWN,
	    "do not know where fluxd is: neither --url nor FLUX_URL is given, "
	    "and there is no socket %s\n"
	    "\n"
	    "For a daemon on this machine that listens elsewhere, give\n"
	    "  --url=unix:///PATH  or  --url=http://HOST:PORT/api/flux\n"
	    "\n"
	    "For a daemon in a cluster, forward its port first; fluxctl does "
	    "not do that itself:\n"
	    "  %s port-forward \"$(%s get pods --selector=%s --output=name)\" "
	    "3030 &\n"
	    "  fluxctl --url=http://127.0.0.1:3030/api/flux ...\n",
	    local, kubectl, kubectl, labels);
}

int
ctl_locate(const struct ctl_options *opts, const char *local, struct url *out,
    struct ctl_error *err)
{
	auto_free char *text = NULL;

	if (*opts->url != '\0')
		text = xstrdup(opts->url);
	else if (is_socket(local))
		text = xasprintf("unix://%s", local);
	else
		return fail_nowhere(opts, local, err);
	return url_parse(text, out, err);
}
