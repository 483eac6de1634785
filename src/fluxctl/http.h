/*
 * http: what all transfers of fluxctl have in common.
 *
 * Both servers that it talks to, the daemon and the API server, are reached by
 * libcurl; what a person's environment says about proxies and certificates,
 * the limits, and the words for what went wrong are the same.
 */
#ifndef CTL_HTTP_H
#define CTL_HTTP_H

#include "base.h"
#include "buf.h"

#include <curl/curl.h>

/* What a transfer notes for people. */
struct http_note {
	char address[80]; /* of the first connection tried: "1.2.3.4:80" */
	char detail[CURL_ERROR_SIZE];
};

/* An answer; its body's limit is the caller's. */
struct reply {
	long status;
	char *status_line;  /* owned: "404 Not Found", as the server sent it */
	char *content_type; /* owned; empty if there was none */
	struct buf body;
	bool too_large;
};

void reply_clear(struct reply *);
#define auto_reply FX_CLEANUP(reply_clear)

/* libcurl's setters cannot fail here but for memory, which ends us anyway. */
void http_init(CURL *, int64_t timeout_ns, struct http_note *);

/* Have the answer in *reply; http_finish when it is complete. */
void http_into(CURL *, struct reply *);
void http_finish(CURL *, struct reply *);

/* The environment's proxy for a URL of this scheme and host; never for our own
 * machine. */
void http_proxy(CURL *, const char *scheme, const char *host);

/* Certificates where the environment names them, as Go has it. */
void http_certificates(CURL *);

/* Add a line to a list of headers. */
void http_add_header(struct curl_slist **, const char *line);

/* No header's value may hold what would begin another one. */
bool http_is_value(const char *);

/* What went wrong below HTTP, in Go's words where it has some; owned. */
char *http_why(CURL *, CURLcode, const char *host, int64_t timeout_ns,
    const struct http_note *, const struct reply *);

#endif
