/*
 * http: one request after another to the git server, over libcurl.
 *
 * The socket comes from the link, so libcurl resolves and connects nothing.
 * Credentials go to the configured scheme, host and port and nowhere else:
 * redirects are not followed, but that of the list of refs to another path of
 * the same server.  Connections are kept between requests.
 */
#ifndef FX_HTTP_H
#define FX_HTTP_H

#include "base.h"
#include "link.h"

struct http;

/* libcurl and OpenSSL, once per process, before lock-down; and, unless others
 * are given later, the system's authorities. */
int http_lib_open(bool system_ca, struct fx_err *) FX_MUSTUSE;

/* After http_lib_open.  ca: PEM certificates that are trusted instead of the
 * system's; may be empty. */
int http_new(struct link *, const struct buf *ca, struct http **,
    struct fx_err *) FX_MUSTUSE;
void http_free(struct http **);

/* Ask for the refs, or begin what is sent to a service ("git-upload-pack"). */
void http_get_refs(struct http *, const char *service);
void http_post(struct http *, const char *service);

/* Add to what is posted. */
int
http_write(struct http *, const void *, size_t n, struct fx_err *) FX_MUSTUSE;
/* The answer; the first call sends the request.  *got is 0 at its end. */
int http_read(struct http *, void *, size_t n, size_t *got,
    struct fx_err *) FX_MUSTUSE;
/* Forget the request, and what is left of its answer. */
void http_done(struct http *);

#endif
