/*
 * rpc: the service's calls: JSON-RPC 1.0 in a stream of bytes, each of them
 * turned into the request of the API's route that does the same.
 *
 * Nothing of the API is known here but where it is and how its answers are
 * wrapped.  The stream is hostile: a call has a limit, as has its answer, and
 * all answers together; of calls some are served at a time, and while there is
 * no place for another one nothing is read.  What is no JSON ends the
 * connection; everything else is an answer.
 */
#ifndef FX_UW_RPC_H
#define FX_UW_RPC_H

#include "base.h"
#include "buf.h"
#include "loop.h"

#define RPC_CALL_MAX (96 * 1024)    /* bytes of one call */
#define RPC_BODY_MAX (64 * 1024)    /* of its argument, where that is JSON */
#define RPC_CALLS_MAX 8		    /* at a time */
#define RPC_ANSWER_MAX (32u << 20)  /* bytes of one answer */
#define RPC_ANSWERS_MAX (64u << 20) /* of all that are here */

struct rpc;
struct rpc_call;

struct rpc_hooks {
	/* Ask the API; 0: it cannot be asked. */
	uint64_t (*ask)(void *arg, struct rpc_call *, const char *method,
	    const char *target, const struct buf *body);
	void (*cancel)(void *arg, uint64_t seq);
	/* A message for the service; takes the content. */
	void (*send)(void *arg, struct buf *);
	/* Bytes that wait to be sent. */
	size_t (*queued)(void *arg);
	/* Whether the service is to be heard. */
	void (*pause)(void *arg, bool);
	/* What it sends is no call: the connection is to end. */
	void (*broken)(void *arg, const struct fx_err *);
	/* For the log. */
	void (*failed)(void *arg, const char *method, const char *why);
	void *arg;
};

/* Before lock-down. */
struct rpc *rpc_new(struct loop *, const struct rpc_hooks *);
void rpc_free(struct rpc **);
/* How long a call may take. */
void rpc_limit(struct rpc *, int64_t us);

/* Bytes of the stream. */
void rpc_feed(struct rpc *, const uint8_t *, size_t n);
/* The connection has ended: so do all calls. */
void rpc_reset(struct rpc *);

/* The API's answer: its body, and its end; or why there is none. */
void rpc_answer(struct rpc_call *, const uint8_t *, size_t n);
void rpc_answered(struct rpc_call *, unsigned status, bool shaped);
void rpc_not_answered(struct rpc_call *, const struct fx_err *);

#endif
