/*
 * bodies: what is sent to the server for resources of a set.
 *
 * They are made from the resource's blob again whenever they are wanted.
 */
#ifndef FX_BODIES_H
#define FX_BODIES_H

#include "base.h"
#include "buf.h"
#include "set.h"

/* A body that is wanted. */
struct set_want {
	const struct set_entry *entry;
	size_t at; /* the asker's number for it */
};

/* By blob, and in the order of the blob. */
void set_sort_wants(struct set_want *, size_t n);

/* Called with each body; anything but FX_OK ends the work. */
typedef int set_body_fn(void *arg, const struct set_want *,
    const struct buf *json, struct fx_err *);

/*
 * The bodies of n wants, sorted and of one blob, from its content.  FX_EFAIL
 * if it is not the content that was loaded.
 */
int set_bodies(const struct set *, const struct set_want *, size_t n,
    const void *text, size_t len, set_body_fn *, void *arg,
    struct fx_err *) FX_MUSTUSE;

#endif
