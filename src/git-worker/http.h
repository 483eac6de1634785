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
#include "transport.h"

struct http;

/* libcurl and OpenSSL, once per process, before lock-down; and, unless others
 * are given later, the system's authorities. */
int http_lib_open(bool system_ca, struct fx_err *) FX_MUSTUSE;

/* After http_lib_open.  ca: PEM certificates that are trusted instead of the
 * system's; may be empty. */
int http_new(struct link *, const struct buf *ca, struct http **,
    struct fx_err *) FX_MUSTUSE;
void http_free(struct http **);

/* Carries a struct http.  What is written is posted by the first read. */
extern const struct transport_carrier http_carrier;

#endif
