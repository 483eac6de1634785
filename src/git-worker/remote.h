/*
 * remote: fetch from and push to the configured repository, by libgit2 over
 * transports of our own.
 *
 * One git_remote is kept as long as the mirror stays open (libgit2 1.5 loses
 * some memory with each), and with it the session to the server.  Only three
 * refs are ever asked for, by their full names.
 */
#ifndef FX_REMOTE_H
#define FX_REMOTE_H

#include "base.h"

#include <git2.h>

#include "link.h"
#include "mirror.h"
#include "transport.h"

/* What the server said during a push. */
struct remote_answers {
	bool rejected;
	struct fx_err err; /* the first ref that was not taken */
	struct buf said;   /* progress: what hooks print */
};

struct remote {
	struct link link;
	const struct transport_carrier *carrier; /* not for a file */
	void *at;				 /* its state, owned */
	git_remote *git; /* belongs to the mirror's opening `opened` */
	unsigned opened;
	struct remote_answers answers;
};

/* One ref to push. */
struct remote_update {
	const char *src; /* local ref; "": delete dst */
	const char *dst;
	bool force;
};

/* The link's URL and calls are set; trust: as for the carrier.  Registers the
 * transport. */
int remote_init(struct remote *, const struct transport_carrier *,
    const struct buf *trust, size_t ntrust, struct fx_err *) FX_MUSTUSE;
void remote_clear(struct remote *);

/* Bring the three refs up to date; the ones that are gone are removed. */
int remote_fetch(struct remote *, struct mirror *, int64_t deadline_us,
    struct fx_err *) FX_MUSTUSE;

/* All refs, or an error with what the server said about the first it refused:
 * FX_ECONFLICT if somebody else was faster, else FX_EDENIED. */
int remote_push(struct remote *, struct mirror *, const struct remote_update *,
    size_t n, int64_t deadline_us, struct fx_err *) FX_MUSTUSE;

/* Would the server take a push from us? */
int remote_check_write(struct remote *, struct mirror *, int64_t deadline_us,
    struct fx_err *) FX_MUSTUSE;

#endif
