/*
 * transport: git's smart protocol for libgit2, over ssh or http.
 *
 * libgit2 asks for a stream per service; what moves the bytes is one of the
 * carriers, ssh.h or http.h.  The first thing a server says, its list of refs,
 * is watched on the way (pkt.h), and the first failure is kept in the link,
 * because libgit2's own text often only says what followed from it.
 */
#ifndef FX_TRANSPORT_H
#define FX_TRANSPORT_H

#include "base.h"
#include "link.h"

/* What URL to give libgit2: the carrier knows where to go by itself. */
#define TRANSPORT_URL "fluxd://remote/"

#define TRANSPORT_KIND(kind) (1u << (kind))

/* `at` is the carrier's own state. */
struct transport_carrier {
	unsigned kinds; /* of URLs that it is for */
	/* one request per service (http), or one session for all (ssh)? */
	bool rpc;
	/* trust: texts by which the server is recognised; may be empty.  What
	 * *at is set to is to be closed, after a failure too. */
	int (*open)(struct link *, const struct buf *trust, size_t ntrust,
	    void **at, struct fx_err *);
	void (*close)(void *at);
	/* "git-upload-pack" or "git-receive-pack": say what refs there are, or
	 * (rpc only) take part in the service */
	int (*refs)(void *at, const char *service, struct fx_err *);
	int (*serve)(void *at, const char *service, struct fx_err *);
	/* *got is 0 at the end */
	int (*read)(void *at, void *, size_t n, size_t *got, struct fx_err *);
	int (*write)(void *at, const void *, size_t n, struct fx_err *);
	void (*done)(void *at);
};

/* From now on TRANSPORT_URL means this carrier.  Once per process; all of it
 * outlives every remote. */
int transport_register(struct link *, const struct transport_carrier *,
    void *at, struct fx_err *) FX_MUSTUSE;

#endif
