/*
 * link: the way to the git server, as both transports see it.
 *
 * The worker's domain code makes no connection and has no key: it asks the
 * process around it through these calls.  A link lives as long as the worker;
 * its deadline and its error belong to the operation that is running.
 */
#ifndef FX_LINK_H
#define FX_LINK_H

#include "base.h"
#include "buf.h"
#include "git_url.h"
#include "known_hosts.h"

struct link_calls {
	/* A connected, non-blocking socket; the caller's from then on. */
	int (*connect)(void *arg, const char *host, unsigned port,
	    int64_t timeout_us, int *fd, char **address, struct fx_err *);
	/* The deploy key's public half in wire form. */
	int (*public_key)(void *arg, struct buf *blob, struct fx_err *);
	/* Its inner signature over what libssh2 wants signed. */
	int (*sign)(void *arg, const void *, size_t n, struct buf *signature,
	    struct fx_err *);
	void *arg;
};

struct link {
	struct git_url url;
	struct known_hosts known;
	struct link_calls calls;
	int64_t deadline_us; /* of the running operation */
	struct fx_err err;   /* its first failure in a transport */
};

/* Keep the first failure: later ones follow from it. */
static inline int
link_failed(struct link *l, const struct fx_err *err)
{
	if (l->err.code == FX_OK)
		l->err = *err;
	return -1;
}

#endif
