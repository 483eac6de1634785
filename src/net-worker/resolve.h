/*
 * resolve: from a host name to its addresses, on the loop.
 *
 * The hosts file and DNS, through c-ares.  Every look-up has a channel of its
 * own: the configuration is read when it is used, so there is none to be out
 * of date; nothing that one name server says or fails to say is shared with
 * another look-up; and giving up is freeing.
 */
#ifndef NW_RESOLVE_H
#define NW_RESOLVE_H

#include "base.h"
#include "loop.h"

#include <netinet/in.h>

#define RESOLVE_MAX 16 /* addresses of one name that are tried */

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct lookup;

/* The addresses in the order to try them; none: err says why. */
typedef void
lookup_fn(void *arg, const union address *, size_t n, const struct fx_err *);

/* Once per process, before lock-down. */
int resolve_init(void) FX_MUSTUSE;

/*
 * A file that look-ups read may be replaced by a new one, which Landlock, tied
 * to the old one, does not let us read.  Look once after lock-down, and ask
 * before a look-up: true, then only a new process can read it.
 */
struct resolve_file {
	const char *path;
	bool denied;
};
void resolve_file_look(struct resolve_file *);
bool resolve_file_replaced(const struct resolve_file *before);

/*
 * Start a look-up.  fn is called once, from the loop, never from in here.
 * servers ("host:port,…") replaces the system's name servers, for tests; else
 * NULL.
 */
struct lookup *lookup_new(struct loop *, const char *host, unsigned port,
    const char *servers, lookup_fn *, void *arg);
/* Gives up a look-up that is not done; allowed inside fn, too. */
void lookup_free(struct lookup **);

#endif
