/*
 * http_transport: git over http(s) for libgit2: its smart protocol on http.h.
 */
#ifndef FX_HTTP_TRANSPORT_H
#define FX_HTTP_TRANSPORT_H

#include "base.h"
#include "link.h"
#include "http.h"

/* What URL to give libgit2: the transport knows where to go by itself. */
#define HTTP_TRANSPORT_URL "https://remote/"

/* From now on libgit2 uses this client for HTTP_TRANSPORT_URL.  Once per
 * process; both outlive every remote. */
int http_transport_register(struct link *, struct http *,
    struct fx_err *) FX_MUSTUSE;

#endif
