/*
 * answer: what a client gets back, and the shapes of errors.
 *
 * An error has a kind, a short text and a help text for people.  Which of
 * them is sent depends on the client's Accept headers, by upstream's rules:
 * old clients get the short text, fluxctl gets JSON.
 */
#ifndef FX_ANSWER_H
#define FX_ANSWER_H

#include "base.h"
#include "buf.h"

#define ANSWER_MAX (16u << 20) /* bytes of a body */

#define ANSWER_JSON "application/json; charset=utf-8"
#define ANSWER_TEXT "text/plain; charset=utf-8"

enum answer_rest {
	REST_NONE, /* the body is all that is to be said */
	REST_MORE, /* it is the beginning, the rest is made while it is sent */
	REST_LOST, /* the rest cannot be made: what was sent is no answer */
};

struct answer {
	unsigned status;  /* 0: there is none yet */
	const char *type; /* of the body; static; NULL: no body */
	char *location;	  /* owned; of a redirect */
	bool nosniff;
	bool challenge; /* say how to authenticate */
	bool close;	/* the connection has no future */
	bool rpc;	/* for one who calls, not for a client of HTTP */
	enum answer_rest rest;
	struct buf body;
};

void answer_init(struct answer *);
void answer_clear(struct answer *);

/* Begin a 200 with a JSON body; the caller writes it. */
struct buf *answer_json(struct answer *);
/* Without a body: 202, 204. */
void answer_empty(struct answer *, unsigned status);
void answer_text(struct answer *, unsigned status, const char *text);

/* 301 to the path, with the query (may be NULL) kept. */
void answer_redirect(struct answer *, const char *path, const char *query,
    bool with_body);
/* 404 outside the API. */
void answer_no_page(struct answer *);

/* How an error is written. */
enum answer_form { FORM_SHORT, FORM_HELP, FORM_JSON };

/* `accept`: the values of all Accept headers, a line each; NULL: none. */
enum answer_form answer_negotiate(const char *accept);

/*
 * The catalogue.  `accept` as above; texts may come from anywhere.  An answer
 * for one who calls gets JSON for what upstream gives a shape to, and a text
 * for what it does not, or only for HTTP.
 */
void answer_no_route(struct answer *, const char *accept, const char *path);
void answer_deprecated(struct answer *, const char *accept);
void answer_no_job(struct answer *, const char *accept, const char *id);
/* 401: the request needs a token, or another one. */
void answer_unauthorized(struct answer *, const char *accept);
/* 422: what git has cannot be read as manifests. */
void answer_no_manifests(struct answer *, const char *accept, const char *text);
/* 400: the request could not be understood. */
void answer_bad_request(struct answer *, const char *accept, const char *text);
/* 422: understood, and the daemon says no. */
void answer_failed(struct answer *, const char *accept, const char *text);
/* 422: understood, and nothing that this version can do. */
void answer_unsupported(struct answer *, const char *accept, const char *text);
/* Our fault or nobody's: 500, 503, 413; kind "server". */
void answer_trouble(struct answer *, const char *accept, unsigned status,
    const char *text);

#endif
