/*
 * status: what an answer of the API server means for whoever asked.
 *
 * The decision is made by code and reason.  The text counts where the server
 * leaves no choice: it has one code for all invalid objects, and its words are
 * those of Kubernetes' source, the same for many versions.
 */
#ifndef FX_SW_STATUS_H
#define FX_SW_STATUS_H

#include "base.h"

enum sw_class {
	SW_DONE,     /* 2xx, 304 */
	SW_RETRY,    /* not executed, or failed for the moment: ask again */
	SW_LOGIN,    /* 401: read the credentials again */
	SW_DENIED,   /* 403 */
	SW_MISSING,  /* 404: of this object, or its namespace */
	SW_NO_KIND,  /* 404 without a Status: the server has no such path */
	SW_CONFLICT, /* 409 */
	SW_GONE,     /* 410: list again */
	SW_REFUSED,  /* anything else: an error of this request */
};

#define SW_MESSAGE_MAX 768

struct sw_status {
	int http;
	enum sw_class what;
	unsigned retry_after_s; /* 0: not said */
	bool immutable;		/* a field cannot become what was sent */
	bool duplicate;		/* two elements of one key in a list */
	bool lost_version;	/* managed fields are of one that is gone */
	char message[SW_MESSAGE_MAX]; /* one line, printable, never empty */
};

/* body may be a Status document, plain text or empty; retry_after is the
 * header's value or NULL. */
void status_read(struct sw_status *, int http, const char *retry_after,
    const void *body, size_t n);

/* The code that goes with a class. */
int status_code(enum sw_class);

#endif
