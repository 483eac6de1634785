/*
 * service_url: where the service of --connect is.
 *
 * Its base URL is a web socket's or that of HTTP; either stands for both.
 */
#ifndef FX_SERVICE_URL_H
#define FX_SERVICE_URL_H

#include "base.h"
#include "kubeconfig_url.h"

#define SERVICE_TOKEN_MAX                                                      \
	8192 /* bytes of its token, and of a proxy's login                     \
	      */

struct service_url {
	struct kc_url at; /* tls: https and wss */
	char *events;	  /* owned; where events are posted to */
	char *target;	  /* owned; the base of the web socket */
	char *websocket;  /* owned; for people */
};

/* FX_ESYNTAX: it leads nowhere. */
int service_url_parse(struct service_url *, const char *,
    struct fx_err *) FX_MUSTUSE;
void service_url_clear(struct service_url *);

/* May it stand in a header? */
bool service_token_is_clean(const char *);

/*
 * The proxy that the environment names for this service, as upstream's HTTP
 * client reads it (HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in capitals or not):
 * "[user[:password]@]host:port", the caller's; NULL: none.  FX_ESYNTAX in err:
 * it cannot be used.  Loopback has none.
 */
char *service_proxy(const struct service_url *, char *(*get)(const char *name),
    struct fx_err *err);

/* Whom to connect to: the service, or its proxy if that is not "". */
int service_way(const struct service_url *, const char *proxy, struct kc_url *,
    struct fx_err *) FX_MUSTUSE;

#endif
