/*
 * exchange: a request and the whole answer to it, as tables have them.
 *
 * Whole answers are compared, but for the Date and the wording of help texts.
 */
#ifndef FX_EXCHANGE_H
#define FX_EXCHANGE_H

#include "base.h"

#include "api_bed.h"

#define ANY "\x01" /* in an expected text: whatever stands there */

#define TEXT "text/plain; charset=utf-8"
#define JSON "application/json; charset=utf-8"
#define API "/api/flux"
#define ACCEPT_JSON "application/json"
#define REFUSED "422 Unprocessable Entity"

struct exchange {
	const char *method;
	const char *target;
	const char *accept; /* NULL: no such header */
	const char *body;   /* of the request; NULL: none */
	const char *status;
	const char *type; /* NULL: no body */
	const char *answer;
};

/* The text of a request; more: further header lines.  The caller's. */
char *exchange_request(const struct exchange *, const char *more);

/* The value of a header line, "" if there is none; the caller's. */
char *exchange_header(const char *response, const char *name);

/* The body, out of its chunks if it came in some; NULL: it is not complete.
 * The caller's. */
char *exchange_body(const char *response);

/* Each exchange, over TCP and over the Unix socket; false: the answer to one is
 * another, which was printed. */
bool exchange_table(const struct bed *, const struct exchange *, size_t n);

/* One request, on a connection of its own; the raw answer is the caller's. */
char *exchange_get(const struct bed *, const char *target);

#endif
