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
#include "error.h"
#include "forward.h"
#include "http.h"
#include "url.h"

#define CLIENT_BODY_MAX (64u << 20) /* bytes: images of a large cluster */
#define CLIENT_REDIRECTS_MAX 10	    /* as the original: the last is refused */

struct client;

/* Takes the URL over, and the way there if it is not the URL's.  An empty token
 * means none. */
struct client *client_new(struct url *, const char *token, int64_t timeout_ns,
    struct forward *);
void client_free(struct client **);

int64_t client_timeout_ns(const struct client *);

/* GET; with a body, POST.  `query` is encoded, or NULL.  FX_OK means that
 * there is an answer, whatever it says; FX_ETIMEOUT, that there was none in
 * time. */
int client_request(const struct client *, const char *route, const char *query,
    const char *body, struct reply *, struct ctl_error *) FX_MUSTUSE;

#endif
