/*
 * apiserver: requests to the API server, as the person of a kubeconfig.
 *
 * HTTP/1.1 by libcurl, which does TLS, client certificates and proxies.  What
 * comes back is foreign and bounded.  Credentials go over https only, and
 * never along with a redirect: none is followed.
 */
#ifndef CTL_APISERVER_H
#define CTL_APISERVER_H

#include "base.h"
#include "error.h"
#include "http.h"
#include "kube.h"

#define APISERVER_BODY_MAX (16u << 20) /* bytes: a list of pods */

struct apiserver {
	const struct kube *kube; /* borrowed */
	int64_t timeout_ns;
	struct login *login; /* that renews its credentials; NULL: none */
};

/* Have credentials that hold; `refused`: the server did not know the last ones,
 * which is worth one more attempt if it returns FX_OK and there is a login. */
int apiserver_log_in(const struct apiserver *, bool refused,
    struct ctl_error *) FX_MUSTUSE;

/* GET a path, which begins with a slash.  FX_OK means that the server answered
 * with 200; else the error has the server's words, or Go's. */
int apiserver_get(const struct apiserver *, const char *path, struct reply *,
    struct ctl_error *) FX_MUSTUSE;

/* A connection for our own use, on which nothing has been said yet; to be
 * ended by curl_easy_cleanup.  NULL: see the error. */
CURL *
apiserver_connect(const struct apiserver *, struct ctl_error *) FX_MUSTUSE;

/* The headers of a request: Host, who we are, User-Agent; each line ended.
 * To be wiped. */
void apiserver_add_headers(const struct apiserver *, struct buf *);

/* What an answer that is a Status says; NULL: it is none.  Owned. */
char *apiserver_message(const uint8_t *, size_t n);

#endif
