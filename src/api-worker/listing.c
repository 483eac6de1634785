/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "listing.h"

#include "ask.h"
#include "held.h"
#include "places.h"
#include "str.h"
#include "workload.h"

/* A set may be replaced between the question for its number and the one that
 * names it; each time is a load of the repository. */
#define TRIES 3

/* JSON of one part: labels of a hostile tenant and policies of a hostile
 * repository can make more of it than a client wants. */
#define PIECE_MAX (4u << 20)

struct listing {
	struct http_request *request; /* borrowed; owns us */
	const struct listing_kind *kind;
	unsigned fields;
	struct ipc_workloads question; /* owned */
	struct place place;
	struct ipc_repository_is repository; /* owned */
	struct held workloads;
	struct ipc_workloads_part part; /* owned; the one that is joined now */
	size_t next;			/* of the part: not yet written */
	bool joining;			/* there is such a part */
	bool elements;			/* the list has some */
	unsigned tries;
};

static void look(struct listing *);
static void ask_repository(struct listing *);

static struct aw_state *
state_of(const struct listing *l)
{
	return l->request->ctx;
}

static void
drop(void *work)
{
	struct listing *l = work;

	place_leave(&state_of(l)->places, &l->place);
	held_clear(&l->workloads);
	ipc_workloads_clear(&l->question);
	ipc_workloads_part_clear(&l->part);
	ipc_repository_is_clear(&l->repository);
	free(l);
}

/* ---- ends --------------------------------------------------------------- */

/* Nothing was sent yet, or else what was sent is no list. */
static bool
can_say_why(struct http_request *r)
{
	if (!r->sending)
		return true;
	r->answer.rest = REST_LOST;
	return false;
}

static void
give_up(struct listing *l, const struct fx_err *err)
{
	struct http_request *r = l->request;

	ipc_cancel(aw_master(r), r->ask);
	if (can_say_why(r))
		aw_failed(r, err);
	aw_done(r);
}

/* All of it is in the answer's body, or was sent. */
static void
finish(struct listing *l)
{
	struct http_request *r = l->request;

	if (l->elements)
		str_addc(&r->answer.body, ']');
	else
		str_add(answer_json(&r->answer), "null");
	r->answer.rest = REST_NONE;
	aw_done(r);
}

/* ---- joining a part ----------------------------------------------------- */

static int
write_next(struct listing *l, const struct ipc_declaration *d,
    struct fx_err *err)
{
	struct http_request *r = l->request;
	struct ipc_workload *w = &l->part.workloads[l->next++];
	struct buf *b;

	if (!workload_has_id(w))
		return FX_OK;
	b = l->elements ? &r->answer.body : answer_json(&r->answer);
	if (buf_left(b) > PIECE_MAX)
		return fx_fail(err, FX_EFAIL,
		    "the workloads have more labels, policies or containers "
		    "than can be listed");
	str_addc(b, l->elements ? ',' : '[');
	l->elements = true;
	l->kind->write(b, w, d, &l->repository, l->fields);
	return FX_OK;
}

/* Everything up to the workload with this id; NULL: up to the end. */
static int
write_undeclared(struct listing *l, const char *id, struct fx_err *err)
{
	int rc = FX_OK;

	while (rc == FX_OK && l->next < l->part.workloads_len &&
	    (id == NULL || strcmp(l->part.workloads[l->next].id, id) != 0))
		rc = write_next(l, NULL, err);
	return rc;
}

/* What git has comes in the order of the workloads. */
static int
write_declared(struct listing *l, const struct ipc_declared_part *m,
    struct fx_err *err)
{
	int rc = FX_OK;

	for (size_t i = 0; rc == FX_OK && i < m->resources_len; i++) {
		rc = write_undeclared(l, m->resources[i].id, err);
		if (rc == FX_OK && l->next == l->part.workloads_len)
			rc = fx_fail(err, FX_EFAIL,
			    "the repository answers what was not asked");
		else if (rc == FX_OK)
			rc = write_next(l, &m->resources[i], err);
	}
	return rc;
}

/* The part's JSON is complete: the client may have it. */
static void
publish(struct listing *l)
{
	ipc_workloads_part_clear(&l->part);
	l->joining = false;
	if (l->elements) {
		l->request->answer.rest = REST_MORE;
		http_answered(l->request);
	}
	look(l);
}

static void
finish_part(struct listing *l)
{
	struct fx_err err = { 0 };

	if (write_undeclared(l, NULL, &err) != FX_OK)
		give_up(l, &err);
	else
		publish(l);
}

/* The set is not there any more, and nothing of the part was written yet. */
static bool
may_try_again(const struct listing *l, const struct fx_err *err)
{
	return (err->code == FX_ERETRY || err->code == FX_ENEEDFULL) &&
	    l->next == 0 && l->tries < TRIES;
}

static int
take_declared(struct listing *l, struct ipc_frame *f)
{
	struct ipc_declared_part m;
	struct fx_err err = { 0 };
	int rc = ipc_declared_part_decode(&f->body, &m, &f->fd);

	if (rc != FX_OK)
		return rc;
	if (write_declared(l, &m, &err) != FX_OK)
		give_up(l, &err);
	ipc_declared_part_clear(&m);
	return FX_OK;
}

static int
on_declared(void *arg, struct ipc_frame *f)
{
	struct listing *l = arg;
	struct fx_err err = { 0 };

	if (f != NULL && f->type == IPC_T_DECLARED_PART)
		return take_declared(l, f);
	l->request->ask = 0;
	if (ipc_take_failed(f, &err) == FX_OK)
		finish_part(l);
	else if (may_try_again(l, &err))
		ask_repository(l);
	else
		give_up(l, &err);
	return FX_OK;
}

/* Manifest answers one question at a time: what it says is taken as it comes,
 * whether the client reads or not. */
static void
join(struct listing *l)
{
	struct ipc_declared q = { .set = l->repository.set };
	struct http_request *r = l->request;

	l->next = 0;
	if (!l->kind->declared || q.set == 0) {
		finish_part(l);
		return;
	}
	q.ids_len = l->part.workloads_len;
	q.ids = xcalloc(q.ids_len, sizeof(*q.ids));
	for (size_t i = 0; i < q.ids_len; i++)
		q.ids[i].s = l->part.workloads[i].id;
	r->ask = ipc_ask_declared(aw_master(r), &q, on_declared, l);
	free(q.ids);
	if (r->ask == 0)
		give_up(l, &aw_cannot_ask);
}

/* ---- the parts of the cluster ------------------------------------------- */

static void
open_part(struct listing *l, struct buf *raw)
{
	int fd = -1;

	/* it was walked when it came */
	if (ipc_workloads_part_decode(raw, &l->part, &fd) != FX_OK)
		fx_bug("a part that was walked does not decode");
	buf_clear(raw);
	l->joining = true;
	join(l);
}

/* The next step, if there is one: one part at a time, and none before the
 * client took what was made of the last one. */
static void
look(struct listing *l)
{
	struct buf raw;

	if (l->joining)
		return;
	if (l->workloads.n == 0 && l->workloads.seq == 0)
		finish(l);
	else if ((!l->elements || buf_left(&l->request->answer.body) == 0) &&
	    held_take(&l->workloads, &raw))
		open_part(l, &raw);
}

static void
more(struct http_request *r)
{
	if (r->work != NULL)
		look(r->work);
}

static int
on_workloads(void *arg, struct ipc_frame *f)
{
	struct listing *l = arg;
	struct fx_err err = { 0 };
	int rc = FX_OK;

	if (f != NULL && f->type == IPC_T_WORKLOADS_PART) {
		if ((rc = held_keep(&l->workloads, f)) == FX_OK)
			look(l);
		return rc;
	}
	l->workloads.seq = 0;
	if (ipc_take_failed(f, &err) == FX_OK) {
		look(l);
		return FX_OK;
	}
	fx_wrap(&err, "%s",
	    l->question.ids_len != 0 ? l->kind->some : l->kind->all);
	give_up(l, &err);
	return FX_OK;
}

static void
start(struct http_request *r)
{
	struct listing *l = r->work;

	held_begin(&l->workloads, aw_master(r),
	    ipc_ask_workloads(aw_master(r), &l->question, on_workloads, l));
	if (l->workloads.seq == 0)
		give_up(l, &aw_cannot_ask);
}

/* ---- the repository ----------------------------------------------------- */

static int
on_repository(void *arg, struct ipc_frame *f)
{
	struct listing *l = arg;
	struct http_request *r = l->request;
	struct fx_err err = { 0 };
	int rc;

	r->ask = 0;
	if (ipc_take_failed(f, &err) != FX_OK) {
		give_up(l, &err);
		return FX_OK;
	}
	ipc_repository_is_clear(&l->repository);
	rc = ipc_repository_is_decode(&f->body, &l->repository, &f->fd);
	if (rc != FX_OK || buf_left(&f->body) != 0) {
		give_up(l, &aw_cannot_ask);
		return FX_ESYNTAX;
	}
	if (*l->repository.error != '\0') {
		if (can_say_why(r))
			answer_no_manifests(&r->answer, r->accept,
			    l->repository.error);
		aw_done(r);
	} else if (l->joining) {
		join(l);
	} else {
		place_want(&state_of(l)->places, &l->place, r, start);
	}
	return FX_OK;
}

static void
ask_repository(struct listing *l)
{
	const struct ipc_repository q = { 0 };
	struct http_request *r = l->request;

	l->tries++;
	r->ask = ipc_ask_repository(aw_master(r), &q, on_repository, l);
	if (r->ask == 0)
		give_up(l, &aw_cannot_ask);
}

void
listing_begin(struct http_request *r, const struct listing_kind *kind,
    struct ipc_workloads *question, unsigned fields)
{
	struct listing *l = xcalloc(1, sizeof(*l));

	l->request = r;
	l->kind = kind;
	l->fields = fields;
	l->question = *question;
	*question = (struct ipc_workloads){ 0 };
	r->work = l;
	r->drop = drop;
	r->more = more;
	ask_repository(l);
}
