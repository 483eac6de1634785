/*
 * client: requests to the API server, many in flight over few connections.
 *
 * Two lanes, each with libcurl's multi handle and connections of its own, so
 * that watches, which never end, never stand before a request.  Everything is
 * driven by the process's loop; nothing here waits.
 *
 * The process cannot make sockets: when a lane needs one it says so through
 * the connect hook, and requests wait until client_connected brings it.  A
 * request that failed for the moment (a lost connection, 429, 503, a webhook
 * that is starting) is sent again with growing pauses until its deadline,
 * unless it says that it must not.  A server that says 429 is left alone by
 * all of the lane for as long as it wants.  A request that finds the
 * credentials expired asks for fresh ones once.  What arrives at the caller is
 * therefore final.
 */
#ifndef FX_SW_CLIENT_H
#define FX_SW_CLIENT_H

#include "base.h"
#include "buf.h"
#include "kubeconfig.h"
#include "loop.h"
#include "status.h"
#include "tls.h"

#define CLIENT_IN_FLIGHT 64 /* requests of the first lane */
#define CLIENT_WATCHES 512  /* of the second */
#define CLIENT_TRIES_MAX 10 /* of a request the server refuses to run */
#define CLIENT_ERROR_BODY                                                      \
	(64 * 1024)	   /* of an error's body that is looked at             \
			    */
#define CLIENT_GROW_MS 100 /* first pause between tries */
#define CLIENT_GROW_MAX_MS 5000

enum client_lane { LANE_REQUESTS, LANE_WATCHES, LANE_COUNT };

struct client;
struct request;

struct answer {
	struct sw_status status; /* http is 0 if there was no answer */
	struct buf body;	 /* of a success; the callee may take it */
	const char *content_type, *etag; /* "" if not sent */
	struct fx_err err;    /* FX_OK exactly if status.what is SW_DONE */
	struct buf *sent;     /* the request's body; the callee may take it */
	bool others_answered; /* it timed out, but the server is there */
};

typedef void answer_fn(void *arg, struct answer *);
/* Bytes of a stream (a watch).  Anything but FX_OK ends it.  No request may
 * be sent or cancelled from here. */
typedef int stream_fn(void *arg, const void *, size_t n);
/* Does nothing more belong to what the stream has brought? */
typedef bool whole_fn(const void *arg);

/* What the caller fills in; the rest is the client's. */
struct request {
	const char *method; /* a literal */
	char *path;	    /* owned; with query; below the server's prefix */
	const char *accept; /* a literal; NULL: application/json */
	const char *content_type; /* of the body; a literal */
	struct buf body;	  /* owned */
	size_t answer_max;	  /* bytes of the answer */
	char *etag;		  /* owned; for If-None-Match; NULL */
	/* from its first try on, for all of them; a stream's length; and for
	 * as long it waits until there is room or a connection for it */
	int64_t timeout_us;
	unsigned tries_max;	/* of what fails for the moment; 0: the usual */
	bool conflict_is_final; /* 409 is an answer, not a reason to repeat */
	bool once;		/* must not be repeated if it may have been
				   executed */
	bool hurried;		/* its time is short: that it passes says
				   nothing of the server */
	answer_fn *done;	/* exactly once, unless cancelled */
	stream_fn *stream;	/* NULL: the answer is collected */
	whole_fn *whole;	/* of a stream that has an end; or NULL */
	void *arg;

	struct request_state *state;
};

struct client_hooks {
	/* A lane needs a connected socket: answer with client_connected or
	 * client_not_connected, later or at once. */
	void (*connect)(void *arg, enum client_lane);
	/* The server said 401: answer with client_login. */
	void (*renew)(void *arg);
	void *arg;
};

/* Library start that needs files: before lock-down. */
void client_warm_up(void);

struct client *client_new(struct loop *, const struct client_hooks *);
void client_free(struct client **);

/* Where to and how; before the first request is sent on its way. */
void client_server(struct client *, const struct kc_url *,
    const char *tls_server_name, bool insecure);
/* What new connections believe and are. */
struct tls *client_tls(struct client *);
/* Headers that say who we are, each "Name: value"; wiped when replaced.  The
 * first call lets the requests go that have been waiting. */
void client_login(struct client *, const char *const *headers, size_t n);

struct request *request_new(const char *method, char *path);
/* One that was not sent. */
void request_drop(struct request **);
/* Takes the request. */
void client_send(struct client *, enum client_lane, struct request *);
/* Forget it; done is not called.  Takes the address, sets NULL. */
void client_cancel(struct client *, struct request **);

/* Takes the descriptor; address is numeric. */
void client_connected(struct client *, enum client_lane, int fd,
    const char *address);
void
client_not_connected(struct client *, enum client_lane, const struct fx_err *);

/* A span of up to `max_us`, at least half of it: spreads retries. */
int64_t client_jitter_us(struct client *, int64_t max_us);

#endif
