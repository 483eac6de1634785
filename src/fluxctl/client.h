/*
 * client: one HTTP request at a time to the daemon.
 *
 * What comes back is foreign: it is bounded (CLIENT_BODY_MAX) and not looked
 * at here.  Every request has the limit of --timeout; no content coding is
 * asked for, and a redirect is followed to http and https only.
 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include "base.h"
#include "buf.h"
#include "error.h"
#include "url.h"

#define CLIENT_BODY_MAX (64u << 20) /* bytes: images of a large cluster */
#define CLIENT_REDIRECTS_MAX 10	    /* as the original */

struct client;

struct reply {
	long status;
	char *status_line;  /* owned: "404 Not Found", as the server sent it */
	char *content_type; /* owned; empty if there was none */
	struct buf body;
};

void reply_clear(struct reply *);
#define auto_reply FX_CLEANUP(reply_clear)

/* Takes the URL over.  An empty token means none. */
struct client *client_new(struct url *, const char *token, int64_t timeout_ns);
void client_free(struct client **);

int64_t client_timeout_ns(const struct client *);

/* GET; with a body, POST.  `query` is encoded, or NULL.  FX_OK means that
 * there is an answer, whatever it says. */
int client_request(const struct client *, const char *route, const char *query,
    const char *body, struct reply *, struct ctl_error *) FX_MUSTUSE;

#endif
