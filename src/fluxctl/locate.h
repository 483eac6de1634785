/*
 * locate: which daemon a command talks to.
 */
#ifndef CTL_LOCATE_H
#define CTL_LOCATE_H

#include "error.h"
#include "options.h"
#include "url.h"

/* Where a daemon of this machine listens, if one does. */
#define FX_DAEMON_SOCKET "/run/fluxd/fluxd.sock"

/*
 * --url or FLUX_URL; else the socket at `local` if it is there and no flag
 * means a cluster; else a pod, by way of forward.h: then the URL is what it has
 * there.  A token without a URL once meant a hosted service; it is gone, and
 * its name may belong to anybody.
 */
int ctl_locate(const struct ctl_options *, const char *local, struct url *,
    bool *forwarded, struct ctl_error *) FX_MUSTUSE;

#endif
