/*
 * http: the server: connections in, whole requests to a handler, answers out.
 *
 * libmicrohttpd reads and writes HTTP/1.1; it is run from our loop by way of
 * its epoll descriptor and never waits by itself.  Connections are accepted
 * here, counted here, and each phase of an exchange has a deadline of ours,
 * from its first byte to its last, whatever trickles in between.
 *
 * A handler gets a request when all of it is there.  It fills in the answer at
 * once, or returns without and calls http_answered later; until then the
 * connection sleeps.  A long answer is begun and made while it is sent: as
 * much of it exists at any time as the client is about to take.
 */
#ifndef FX_HTTP_H
#define FX_HTTP_H

#include "base.h"
#include "answer.h"
#include "buf.h"
#include "loop.h"
#include "peers.h"
#include "routes.h"
#include "target.h"

#define HTTP_MAX_CONNECTIONS 256
#define HTTP_MAX_PER_PEER 64
#define HTTP_MAX_BODY (1u << 20)    /* of one request; specs are small */
#define HTTP_SMALL_BODY (64u << 10) /* most are much smaller than this */
#define HTTP_MAX_BODIES (16u << 20) /* of all that are not small together */

/* From the first to the last byte of each phase. */
#define HTTP_HEAD_US (10 * CLK_SEC) /* since accept, or the last answer */
#define HTTP_BODY_US (30 * CLK_SEC)
#define HTTP_ANSWER_US (60 * CLK_SEC) /* the daemon's, not the client's */
#define HTTP_SEND_US (60 * CLK_SEC)
/* Of a long answer, each piece of this size has that time. */
#define HTTP_SEND_STEP (1u << 20)
/* With more connections than this, one that took a long answer is closed: its
 * client may be slow to read what the kernel has of it, and would cost all of a
 * connection's memory meanwhile. */
#define HTTP_CROWD 32
/* What the kernel keeps of an answer for a client that does not read: by itself
 * it would be megabytes for each. */
#define HTTP_SEND_BUFFER (128 << 10)
/* What a client that will send no more has sent is read within this. */
#define HTTP_HANGUP_US (CLK_SEC / 2)
/* Whether the library has seen that a connection was shut is looked at again
 * after this. */
#define HTTP_GONE_US (CLK_SEC / 10)
/* Memory that requests leave free goes back to the system, as often at most. */
#define HTTP_TIDY_US CLK_SEC

/* A long answer that was cut: by what went wrong here, or by a client that left
 * or did not read (as other servers number that). */
#define HTTP_STATUS_LOST 500
#define HTTP_STATUS_LEFT 499

struct http;
struct http_request;

/* Who made a request that came by no connection, but over the channel. */
struct http_caller {
	/* As http_answered and http_cut. */
	void (*answered)(struct http_request *);
	void (*cut)(struct http_request *);
	struct peer_id peer;
};

struct http_request {
	void *ctx;			  /* of the hooks */
	const struct http_caller *caller; /* borrowed; NULL: a connection's */
	enum route_methods method;
	struct target target;
	struct route_match route;
	char *accept; /* owned; for errors; may be NULL */
	bool form;    /* the body is said to be a form */
	struct buf body;
	struct answer answer;
	uint64_t ask; /* the handler's: what it waits for; 0: nothing */
	void *work;   /* the handler's, while it waits and sends */
	void (*drop)(void *work); /* gives that back */
	/* The handler's, of a long answer (REST_MORE), which it sets at once:
	 * the client took all that was in answer.body.  Puts more there, or
	 * does so later and calls http_answered. */
	void (*more)(struct http_request *);
	int64_t began_us;
	/* the rest is http.c's */
	char *raw; /* owned; the target as it came */
	struct http_conn *conn;
	size_t reserved; /* bytes of HTTP_MAX_BODIES that it has */
	size_t step;	 /* bytes sent of this HTTP_SEND_STEP */
	bool begun, served, asleep;
	bool sending; /* a long answer */
};

struct http_hooks {
	void *ctx;
	/* A request to be answered. */
	void (*serve)(struct http_request *);
	/* Its time is up or its client is gone; what it waits for is no longer
	 * wanted. */
	void (*abandon)(struct http_request *);
	/* It has an answer; of a long one: it has been sent, or cut, and the
	 * status is what it came to, not what its head said. */
	void (*answered)(const struct http_request *, unsigned status,
	    int64_t took_us);
};

/* Starts the library; what it opens, it opens here.  FX_ESYS. */
int http_new(struct http **, struct loop *, const struct http_hooks *,
    struct fx_err *) FX_MUSTUSE;
void http_free(struct http **);

/* Accept from this listening socket (stays the caller's).  rule: for a Unix
 * socket, who may connect; NULL for TCP. */
void
http_listen(struct http *, int fd, enum route_scope, const struct peer_rule *);

/* The answer of a request that was left without one is there now, or more of a
 * long one, or its end. */
void http_answered(struct http_request *);

/* Close the connection, whatever it waits for: later in this turn the request
 * is abandoned. */
void http_cut(struct http_request *);
const struct peer_id *http_peer(const struct http_request *);

/* It came by TCP, and not to a listener for metrics alone. */
bool http_is_public(const struct http_request *);

/* A header of the request, as the library has it; NULL: there is none. */
const char *http_header(const struct http_request *, const char *name);

size_t http_connections(const struct http *);

#endif
