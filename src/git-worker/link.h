/*
 * link: the way to the git server, as every carrier sees it.
 *
 * The worker's domain code makes no connection and has no key: it asks the
 * process around it through these calls.  A link lives as long as the worker;
 * its deadline and its error belong to the operation that is running.
 *
 * Whoever works for long or waits looks at the link on the way: the operation
 * ends at its deadline, and at once when the worker is to stop.
 */
#ifndef FX_LINK_H
#define FX_LINK_H

#include "base.h"
#include "buf.h"
#include "git_url.h"

/* Between two looks at the channel while there is work, and the longest wait
 * in one piece. */
#define LINK_HEED_US (20 * 1000)
#define LINK_SLICE_MS 1000

struct link_calls {
	/* A connected, non-blocking socket; the caller's from then on. */
	int (*connect)(void *arg, const char *host, unsigned port,
	    int64_t deadline_us, int *fd, struct fx_err *);
	/* The deploy key's public half in wire form. */
	int (*public_key)(void *arg, int64_t deadline_us, struct buf *blob,
	    struct fx_err *);
	/* Its inner signature over what libssh2 wants signed. */
	int (*sign)(void *arg, int64_t deadline_us, const void *, size_t n,
	    struct buf *signature, struct fx_err *);
	/* FX_OK, or why the operation is to end now; does not wait.  There may
	 * be news when `channel` can be read. */
	int (*heed)(void *arg, struct fx_err *);
	int channel;
	void *arg;
};

struct link {
	struct git_url url;
	struct link_calls calls;
	int64_t deadline_us; /* of the running operation */
	int64_t heeded_us;   /* when the channel was looked at last */
	struct fx_err err;   /* its first failure in a transport */
};

/* Keep the first failure: later ones follow from it.  -1, for libgit2. */
int link_failed(struct link *, const struct fx_err *);

/* For the middle of work: what heed said when it was due to be asked. */
int link_heed(struct link *, struct fx_err *) FX_MUSTUSE;
/* The same, or FX_ETIMEOUT. */
int link_check(struct link *, struct fx_err *) FX_MUSTUSE;

/* Until the socket is ready for one of the events of poll(2), or something
 * came on the channel, or a slice of time has passed.  FX_ETIMEOUT at the
 * deadline, which may be another one than the operation's. */
int link_wait(struct link *, int fd, short events, int64_t deadline_us,
    struct fx_err *) FX_MUSTUSE;

/* FX_ETIMEOUT: the server said nothing in time. */
int link_silent(const struct link *, struct fx_err *);

#endif
