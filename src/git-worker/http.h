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
#include "transport.h"

/* libcurl and OpenSSL, once per process, before lock-down; and, unless others
 * are given later, the system's authorities. */
int http_lib_open(bool system_ca, struct fx_err *) FX_MUSTUSE;

/* Is it the same scheme, host and port?  Then *clean is the URL without user
 * and password, which libcurl adds to where a relative redirect leads; the
 * caller's, for curl_free. */
bool http_same_server(const char *base, const char *to, char **clean);

/* Trusts PEM certificates instead of the system's authorities, if it is given
 * any.  What is written is posted by the first read. */
extern const struct transport_carrier http_carrier;

#endif
