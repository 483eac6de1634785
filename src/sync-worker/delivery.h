/*
 * delivery: one object on its way to the server.
 *
 * Most are one PATCH.  Before it come, where they are needed: what makes the
 * traces of kubectl ours (takeover.h), and a try without force that shows who
 * else wants the object.  After it, where the server does not take it: a
 * three-way merge (merge.c), or, if git allows it, a new object in the place of
 * one with an immutable field (recreate.c).
 *
 * A delivery belongs to its pass, which does not end before it has.
 */
#ifndef FX_SW_DELIVERY_H
#define FX_SW_DELIVERY_H

#include "pass.h"

/* In git: it may be deleted and made anew when it cannot be changed. */
#define RECREATE_ANNOTATION "sync.fluxcd.io/recreate"
#define CONFLICTS_MAX 5 /* races that are lost before it is an error */

struct delivery {
	struct pass *pass;
	struct object *object;
	struct buf body; /* to be applied; empty while a request has it */
	size_t held;	 /* bytes of it that the pass counts */
	bool may_recreate, recreated;
	bool tried_takeover;
	bool renewed;	/* versions.c */
	bool plain;	/* merge.c: no strategic merge patch */
	bool unchanged; /* it was as git says already */
	unsigned conflicts;
	/* recreate.c */
	char uid[40]; /* of the object that is deleted */
	int64_t until_us, pause_us;
	struct loop_timer timer;
	struct request *request;
	struct delivery *next, **at;
};

/* Takes the body. */
void delivery_start(struct pass *, struct object *, struct buf *body,
    bool may_recreate);
/* Forget all of them: the process ends. */
void deliveries_clear(struct pass *);

/* ---- for the parts ---------------------------------------------------- */

#define FIELD_MANAGER "?fieldManager=" SW_MANAGER
#define STRICT FIELD_MANAGER "&fieldValidation=Strict"

/* A request about the object; with NULL for `query` none.  The caller fills in
 * the body and sends it with delivery_send. */
struct request *delivery_request(struct delivery *, const char *method,
    const char *query, answer_fn *);
/* The body of the delivery becomes the request's; delivery_take_back. */
void delivery_give_body(struct delivery *, struct request *);
void delivery_take_back(struct delivery *, struct answer *);
void delivery_send(struct delivery *, struct request *);

void delivery_warn(struct delivery *, const char *what, const char *why);

/* The metadata of an answer's object; NULL: it has none, and a->err says so.
 * *doc keeps it. */
const json_t *delivery_metadata(struct answer *a, json_t **doc);

/* The ways on. */
void delivery_apply(struct delivery *);
/* Apply it, whatever came of what was to be done before, unless nobody is there
 * to answer; `what` could not be done is a warning. */
void delivery_go_on(struct delivery *, struct answer *, const char *what);
void delivery_done(struct delivery *, const json_t *metadata);
void delivery_failed(struct delivery *, struct answer *);
/* An error that is not an answer's: text only. */
void delivery_refused(struct delivery *, const char *text);
void delivery_merge(struct delivery *);			 /* merge.c */
void delivery_recreate(struct delivery *);		 /* recreate.c */
void delivery_renew(struct delivery *, const char *why); /* versions.c */

#endif
