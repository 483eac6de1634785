/*
 * handlers: what fluxd-upstream asks the master for.
 */
#ifndef FX_UW_HANDLERS_H
#define FX_UW_HANDLERS_H

#include "base.h"
#include "post.h"
#include "rpc.h"
#include "sandbox.h"
#include "wire.h"
#include "worker.h"

#define UW_REDIAL_US (5 * CLK_SEC) /* after any end, as upstream */
/* After an answer that says that there is no WebSocket: the service takes
 * events alone, and is asked again in case it has changed. */
#define UW_REDIAL_ABSENT_US (5 * CLK_MIN)

struct uw {
	struct worker *w; /* not owned */
	struct service_url url;
	struct kc_url way; /* whom to connect to */
	struct tls tls;
	char *token, *proxy_login; /* owned; "" if there is none */
	struct post *post;

	/* the event that is being sent */
	struct buf json;
	uint64_t number;
	char *text; /* owned */
	unsigned failures;
	struct loop_timer again;

	/* the connection that it calls over */
	struct wire *wire;
	struct rpc *rpc;
	struct loop_timer redial;
	bool connected;
	bool absent; /* there was none, and that was said */
};

/* calls.c: the connection, and what is called over it. */
void uw_calls_open(struct uw *);
void uw_calls_start(struct uw *, const struct post_target *);
void uw_calls_close(struct uw *);

/* Ask for a socket to a host; the answer is decoded by uw_take_socket. */
uint64_t uw_ask_socket(struct uw *, const struct kc_url *, int64_t span_us,
    ipc_answer_fn *);
/* FX_OK and a socket, or -1 and why not; anything else breaks the channel. */
int uw_take_socket(struct ipc_frame *, int *fd, struct fx_err *) FX_MUSTUSE;

/* Before lock-down, and after it. */
void uw_open(struct uw *, struct worker *);
void uw_start(struct uw *);
void uw_close(struct uw *);

extern const struct sandbox uw_sandbox;

#endif
