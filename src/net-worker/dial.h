/*
 * dial: a TCP connection to a host, within a deadline, on the loop.
 *
 * The name is resolved, unless it is an address, and the addresses are tried
 * one after the other, each with an equal share of the time that is left, so
 * that a silent one leaves time for the next.  Many dials run at once and do
 * not know of each other.
 */
#ifndef NW_DIAL_H
#define NW_DIAL_H

#include "base.h"
#include "loop.h"

struct dial;

/*
 * The connected socket, which is the callee's now (non-blocking, TCP_NODELAY,
 * kept alive), and the address as digits; or -1, NULL and what went wrong:
 * FX_ERESOLVE, FX_ETIMEOUT or FX_EFAIL.
 */
typedef void
dial_fn(void *arg, int fd, const char *address, const struct fx_err *);

/* Start.  fn is called once, from the loop, never from in here.  servers as
 * in lookup_new. */
struct dial *dial_new(struct loop *, const char *host, unsigned port,
    int64_t span_us, const char *servers, dial_fn *, void *arg);
/* Gives up a dial that is not done; allowed inside fn, too. */
void dial_free(struct dial **);

#endif
