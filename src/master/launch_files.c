/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "launcher.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* The slot of a path's number, NULL if there can be no such number. */
static char **
path_slot(struct launcher *l, uint64_t number)
{
	if (number < IPC_FILE_COUNT)
		return &l->paths[number];
	if (number >= IPC_FILE_NAMED &&
	    number < IPC_FILE_NAMED + IPC_MAX_NAMED_PATHS)
		return &l->paths[IPC_FILE_COUNT + number - IPC_FILE_NAMED];
	return NULL;
}

int
launch_on_path(struct launcher *l, const struct ipc_req *req,
    struct ipc_path *m)
{
	char **slot = path_slot(l, m->number);

	(void)req;
	if (slot == NULL || *slot != NULL || m->path[0] != '/')
		return FX_EDENIED;
	*slot = fx_steal(&m->path);
	return FX_OK;
}

/* The text comes from the kubeconfig by way of fluxd-sync: a number is used
 * once, and what makes no sense stays without a path. */
int
launch_on_late_path(struct launcher *l, const struct ipc_req *req,
    struct ipc_late_path *m)
{
	char **slot = path_slot(l, m->number);

	(void)req;
	if (m->number < IPC_FILE_NAMED || slot == NULL)
		return FX_EDENIED;
	if (*slot == NULL && m->path[0] == '/')
		*slot = fx_steal(&m->path);
	return FX_OK;
}

/* Flags for a path: the log and the mirror's lock are made and kept open,
 * everything else is there already and is read. */
static int
open_flags(uint64_t number)
{
	const int always = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

	switch (number) {
	case IPC_FILE_LOG:
		return always | O_WRONLY | O_CREAT | O_APPEND;
	case IPC_FILE_MIRROR_LOCK:
		/* near where a git worker writes: never through its link */
		return always | O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW;
	default:
		return always | O_RDONLY;
	}
}

/* -1 and why.  A log may go to a terminal or a pipe; nothing else is read or
 * locked that is not a plain file with one name. */
static int
open_path(const char *path, uint64_t number, struct fx_err *err)
{
	auto_fd int fd = open(path, open_flags(number), 0600);
	struct stat st;
	int out;

	if (fd == -1 || fstat(fd, &st) == -1) {
		fx_fail(err, errno == ENOENT ? FX_EUNKNOWN : FX_ESYS,
		    "open %s: %s", path, strerror(errno));
		return -1;
	}
	if ((number != IPC_FILE_LOG && !S_ISREG(st.st_mode)) ||
	    (number == IPC_FILE_MIRROR_LOCK && st.st_nlink != 1)) {
		fx_fail(err, FX_EDENIED, "open %s: not a regular file", path);
		return -1;
	}
	out = fd;
	fd = -1;
	return out;
}

int
launch_on_open(struct launcher *l, const struct ipc_req *req,
    struct ipc_open *m)
{
	char **slot = path_slot(l, m->number);
	struct ipc_opened opened;
	struct fx_err err;

	if (slot == NULL)
		return FX_EDENIED;
	if (*slot == NULL)
		return ipc_reply_failf(req, FX_EUNKNOWN, "no path %u",
		    (unsigned)m->number);
	opened.fd = open_path(*slot, m->number, &err);
	if (opened.fd == -1)
		return ipc_reply_fail(req, &err);
	return ipc_reply_opened(req, &opened);
}
