/*
 * tunnel: a byte stream to a port of a pod, through the API server.
 *
 * SPDY is asked for first: every server takes it, and it needs the right to
 * `create` pods/portforward only, as the original client does; WebSocket
 * channels need `get` too, know no end in one direction and do not always show
 * the pod's.  They are asked for when something between refuses SPDY.
 */
#ifndef CTL_TUNNEL_H
#define CTL_TUNNEL_H

#include "apiserver.h"
#include "base.h"
#include "error.h"
#include "frames.h"

struct tunnel {
	CURL *h;	      /* owned: the connection to the API server */
	int fd;		      /* its socket, to be polled; belongs to h */
	struct frames frames; /* data from the pod is in frames.in */
	bool lost;	      /* nothing goes in or out any more */
};

/* NULL: see the error. */
struct tunnel *tunnel_open(const struct apiserver *, const char *ns,
    const char *pod, uint16_t port, struct ctl_error *) FX_MUSTUSE;

/* Take in what has come, if frames.in is empty; send what waits.  true if
 * something moved; false: poll. */
bool tunnel_pull(struct tunnel *);
bool tunnel_push(struct tunnel *);

/* Says good-bye, if that can be done at once. */
void tunnel_close(struct tunnel **);

/* Why it does not work, in the server's words; NULL: nobody said.  Owned. */
char *tunnel_why(const struct tunnel *);

#endif
