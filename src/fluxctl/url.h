/*
 * url: where the daemon is.
 *
 * A base URL is http, https or, ours, unix:///PATH OF A SOCKET, whose API
 * stands under /api/flux.  Requests go to the base path joined with a route.
 */
#ifndef CTL_URL_H
#define CTL_URL_H

#include "base.h"
#include "error.h"

#define URL_MAX 4096 /* bytes */

/* Members are owned. */
struct url {
	char *scheme;	/* lower case; may be empty */
	char *userinfo; /* as given, or NULL; may hold a password */
	char *host;	/* "host", "host:port", "[v6]:port"; may be empty */
	char *path;	/* as given, percent-encoded */
	char *socket;	/* path of a Unix socket, or NULL */
};

/* Errors carry Go's words for what is wrong with a URL. */
int url_parse(const char *, struct url *, struct ctl_error *) FX_MUSTUSE;
void url_clear(struct url *);
#define auto_url FX_CLEANUP(url_clear)

/* A route's URL: duplicate slashes, "." and ".." are resolved.  `query` is
 * encoded already, or NULL.  `shown` is for people: the password is hidden. */
char *
url_join(const struct url *, const char *route, const char *query, bool shown);

/* Host without port and brackets; owned by the caller. */
char *url_hostname(const struct url *);

/* Borrowed: the digits behind the host, or "". */
const char *url_port(const struct url *);

/* s as a form value: Go's url.QueryEscape. */
char *url_query_escape(const char *s);

#endif
