/*
 * handlers: the routes, and what the master says about them.
 */
#ifndef FX_API_HANDLERS_H
#define FX_API_HANDLERS_H

#include "base.h"
#include "http.h"
#include "peers.h"
#include "places.h"
#include "token.h"
#include "worker.h"

extern const struct sandbox aw_sandbox;

struct aw_state {
	struct worker *w;
	struct http *http;     /* owned */
	struct peer_rule rule; /* for the Unix socket */
	struct places places;  /* of lists and exports */
	struct token token;    /* of clients; read after the lock-down */
	struct call *calls;    /* owned; over the channel */
	size_t ncalls;
};

/* Before lock-down: start the library, look up --listen-group, watch the
 * listeners.  Nothing is accepted before the loop runs. */
int aw_open(struct aw_state *, struct worker *, struct fx_err *) FX_MUSTUSE;
void aw_close(struct aw_state *);

/* A request goes to the handler of its route; is not wanted any more; has an
 * answer. */
void aw_route(struct http_request *);
void aw_abandon(struct http_request *);
void aw_answered(const struct http_request *, unsigned status, int64_t took_us);

/* What the master says and asks; the state is the context. */
extern const struct ipc_handler aw_handlers[];
extern const size_t aw_nhandlers;

#endif
