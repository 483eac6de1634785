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

struct ssh;
struct http;

struct remote {
	struct link link;
	struct ssh *ssh; /* the transport in use, or NULL */
	struct http *http;
	git_remote *git; /* belongs to the mirror's opening `opened` */
	unsigned opened;
};

/* One ref to push. */
struct remote_update {
	const char *src; /* local ref; "": delete dst */
	const char *dst;
	bool force;
};

/* The link's URL, known hosts and calls are set.  ca: as for http_new.
 * Registers the transport. */
int
remote_init(struct remote *, const struct buf *ca, struct fx_err *) FX_MUSTUSE;
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
