/*
 * way: what libcurl is told for every connection to the service: where it is,
 * whom to believe, and that the socket is there already.
 */
#ifndef FX_UW_WAY_H
#define FX_UW_WAY_H

#include "base.h"
#include "service_url.h"
#include "tls.h"

#include <curl/curl.h>

struct way {
	const struct service_url *url; /* borrowed, as is the next */
	const struct tls *tls;
	int fd; /* owned: connected, not yet libcurl's; -1 */
	struct curl_slist *resolve;
};

/* Set up a transfer, which takes the descriptor; directly, until a proxy is
 * set. */
void way_set(struct way *, CURL *);
/* "host:port" of somebody on the way whose name is not to be resolved. */
void way_resolve(struct way *, CURL *, const char *host_port);
/* After the transfer. */
void way_clear(struct way *);

/* A list with one line more. */
struct curl_slist *way_add(struct curl_slist *, const char *line);

#endif
