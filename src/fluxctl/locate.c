/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "locate.h"

#include "pods.h"

#include <sys/stat.h>

static bool
is_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Whoever says where in a cluster the daemon is means that one. */
static bool
means_cluster(const struct ctl_options *opts)
{
	return opts->set[CTL_F_context] || opts->set[CTL_F_fwd_ns] ||
	    opts->set[CTL_F_fwd_labels] || opts->set[CTL_F_fwd_pod];
}

int
ctl_locate(const struct ctl_options *opts, const char *local, struct url *out,
    bool *forwarded, struct ctl_error *err)
{
	auto_free char *text = NULL;

	*forwarded = false;
	if (*opts->url != '\0') {
		text = xstrdup(opts->url);
	} else if (!means_cluster(opts) && is_socket(local)) {
		text = xasprintf("unix://%s", local);
	} else {
		text = xasprintf("http://127.0.0.1:%u/api/flux", FLUXD_PORT);
		*forwarded = true;
	}
	return url_parse(text, out, err);
}
