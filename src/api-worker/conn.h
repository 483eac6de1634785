/*
 * conn: the connections of a server: who may have one, for how long, and who
 * has to go when others want one.  Internal to http.
 */
#ifndef FX_API_CONN_H
#define FX_API_CONN_H

#include "base.h"
#include "http.h"
#include "loop.h"
#include "peers.h"

#define MAX_LISTENERS 8

enum conn_phase {
	PHASE_HEAD,   /* waiting for a whole header */
	PHASE_BODY,   /* waiting for the rest of the request */
	PHASE_ANSWER, /* asleep until the handler has an answer */
	PHASE_SEND,
	PHASE_GONE, /* shut down; the library will notice */
};

struct http_listener {
	struct http *http;
	int fd; /* borrowed */
	enum route_scope scope;
	const struct peer_rule *rule; /* borrowed; NULL: TCP */
	struct loop_source *source;
};

struct http_conn {
	struct http *http;
	struct http_conn *next;
	struct MHD_Connection *mhd; /* NULL until the library has it */
	int fd;			    /* the library's */
	struct peer_id peer;
	size_t rank; /* how many its peer had when it came */
	enum route_scope scope;
	bool local; /* by the Unix socket: the kernel knows who */
	enum conn_phase phase;
	int64_t since_us; /* in this phase */
	struct loop_timer deadline;
	struct loop_source *hangup;   /* NULL once it was seen */
	struct http_request *request; /* owned; NULL between requests */
};

struct http {
	struct loop *loop;
	struct http_hooks hooks;
	struct MHD_Daemon *daemon;
	struct loop_source *source; /* the library's epoll descriptor */
	struct loop_timer kick;	    /* the library has something to do now */
	struct http_listener listeners[MAX_LISTENERS];
	size_t nlisteners;
	bool full;	   /* listeners are not watched */
	int64_t warned_us; /* when a refused client was last logged */
	struct http_conn *conns;
	size_t nconns;
	size_t bodies;		/* bytes reserved by all requests */
	struct loop_timer tidy; /* after a request: free memory goes back */
};

/* A new phase, with its deadline. */
void conn_phase(struct http_conn *, enum conn_phase);

/* Nothing more comes from this connection or goes to it; the library closes it
 * soon. */
void conn_drop(struct http_conn *);
void conn_free(struct http_conn *);
struct http_conn *conn_by_fd(struct http *, int fd);

/* A loop_fd_fn; arg is the listener. */
void conn_on_listener(struct loop *, int fd, short revents, void *arg);

/* http.c's: run the library in the next turn; let a sleeping request be looked
 * at again; give up what a request waits for, and say why where that can be
 * said; free what it has. */
void http_kick(struct http *);
void http_wake(struct http_request *);
void http_give_up(struct http_request *, unsigned status, const char *why);
void http_request_free(struct http_request **);

#endif
