/*
 * ask: what handlers of routes have in common: a question to the master, and
 * an answer to the client when the master's has come.
 */
#ifndef FX_API_ASK_H
#define FX_API_ASK_H

#include "base.h"
#include "handlers.h"
#include "http.h"
#include "ipc.h"
#include "ipc_peer.h"

struct ipc_peer *aw_master(const struct http_request *);

/* A question was sent; its answer comes to the function given with it.  0: it
 * could not be sent, and the client is told. */
void aw_asked(struct http_request *, uint64_t seq);

/* What the daemon said went wrong, as an answer: that there is too much to do
 * is nobody's fault, everything else is the request's. */
void aw_failed(struct http_request *, const struct fx_err *);

/* The error of a question that could not be sent. */
extern const struct fx_err aw_cannot_ask;

/* true: the master could not do it, and the client has been told. */
bool aw_refused(struct http_request *, struct ipc_frame *);

/* The answer is filled in. */
void aw_done(struct http_request *);

/* Give back what the handler had for itself while it waited. */
void aw_forget(struct http_request *);

/* Understood, and honestly not done: "listing workloads is" not yet …. */
void aw_unsupported(struct http_request *, const char *what);
void aw_bad_request(struct http_request *, const struct fx_err *);

/* The first value of a parameter, "" if it was not given. */
const char *aw_param(const struct http_request *, const char *key);

/*
 * Make an ipc_answer_fn of
 *
 *	static void fn(struct http_request *, const struct ipc_NAME *);
 *
 * which fills in the answer.  FAILED has become one already.
 */
#define AW_ANSWER(name, fn)                                                    \
	static int fn##_frame(void *arg, struct ipc_frame *f)                  \
	{                                                                      \
		struct http_request *r = arg;                                  \
		struct ipc_##name m;                                           \
		int rc;                                                        \
                                                                               \
		if (aw_refused(r, f))                                          \
			return FX_OK;                                          \
		rc = ipc_##name##_decode(&f->body, &m, &f->fd);                \
		if (rc != FX_OK)                                               \
			return rc;                                             \
		fn(r, &m);                                                     \
		ipc_##name##_clear(&m);                                        \
		aw_done(r);                                                    \
		return FX_OK;                                                  \
	}

/* The handlers that routes.def names. */
#define ROUTE(name, methods, path, query, access, handler)                     \
	void handler(struct http_request *);
#include "routes.def"

#endif
