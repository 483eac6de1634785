/*
 * post: an event to the service, over libcurl, on the loop; one at a time.
 *
 * The socket is asked for by a hook and brought by post_connected.  Credentials
 * go to the configured scheme, host and port and nowhere else: redirects are
 * not followed.  All of it has one deadline.
 */
#ifndef FX_UW_POST_H
#define FX_UW_POST_H

#include "base.h"
#include "buf.h"
#include "loop.h"
#include "service_url.h"
#include "tls.h"

#define POST_LIMIT_US (10 * CLK_SEC) /* as upstream's client */
#define POST_TEXT_MAX 512	     /* bytes of what went wrong */

struct post;

/* All of it is borrowed. */
struct post_target {
	const struct service_url *url;
	const struct tls *tls;
	const char *token;	 /* "": none */
	const char *proxy;	 /* "host:port"; "": none */
	const char *proxy_login; /* "user:password", URL-encoded; "": none */
};

struct post_outcome {
	long status; /* of the answer; 0: there was none */
	int64_t retry_after_us;
	char text[POST_TEXT_MAX]; /* what went wrong, safe to show */
};

struct post_hooks {
	/* A connected socket is needed within this time. */
	void (*connect)(void *arg, int64_t span_us);
	/* The end; another one may be sent from here. */
	void (*done)(void *arg, const struct post_outcome *);
	void *arg;
};

/* Before lock-down: libcurl makes a pair of sockets. */
struct post *post_new(struct loop *, const struct post_hooks *);
void post_free(struct post **);

/* Once, before anything is sent. */
void post_to(struct post *, const struct post_target *);

/* The JSON stays where it is until the end. */
void post_send(struct post *, const struct buf *json);

/* Takes the descriptor. */
void post_connected(struct post *, int fd);
void post_not_connected(struct post *, const struct fx_err *);

#endif
