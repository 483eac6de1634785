/*
 * listen: the sockets clients connect to, bound before lock-down.
 *
 * Each incarnation of the api worker gets duplicates.  A Unix socket is made
 * with mode 0600 (0660 and the group with --listen-group); one that nobody
 * listens on is replaced, under a lock file, so that two masters never take it
 * from each other.
 */
#ifndef FX_LISTEN_H
#define FX_LISTEN_H

#include "base.h"
#include "ipc.h"
#include "settings.h"

#define LISTEN_MAX 8

struct listeners {
	struct {
		enum ipc_listener_kind kind;
		int fd;	       /* owned */
		int lock;      /* a Unix socket's lock file; owned; -1 */
		char *address; /* as given */
	} v[LISTEN_MAX];
	size_t n;
};

/* Text of an error as upstream logs it: "listen tcp :3030: bind: …". */
int listen_all(struct listeners *, const struct config *,
    struct fx_err *) FX_MUSTUSE;

#endif
