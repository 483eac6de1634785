/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "delivery.h"

#include "body.h"
#include "str.h"
#include "takeover.h"
#include "threeway.h"

#include <stdio.h>

/* Requests that fail for the moment are repeated for a while each; where many
 * do, one such wait after the other would hold up the rest for hours. */
#define WEARY 3
#define WEARY_TRIES 2

/* ---- requests --------------------------------------------------------- */

struct request *
delivery_request(struct delivery *d, const char *method, const char *query,
    answer_fn *done)
{
	struct object *o = d->object;
	struct buf path = BUF_INIT(4096);
	struct request *r;

	if (kind_path(o->kind, o->ns, o->name, &path) != FX_OK)
		fx_bug("%s was let in", o->id);
	if (query != NULL)
		(void)str_add(&path, query);
	r = request_new(method, str_take(&path));
	r->accept = ACCEPT_META;
	r->answer_max = META_BODY_MAX;
	r->timeout_us = d->pass->cluster->config.timeout_us;
	r->tries_max = d->pass->weary < WEARY ? 0 : WEARY_TRIES;
	r->done = done;
	r->arg = d;
	return r;
}

void
delivery_give_body(struct delivery *d, struct request *r)
{
	r->body = d->body;
	d->body = (struct buf){ .max = r->body.max };
}

void
delivery_take_back(struct delivery *d, struct answer *a)
{
	d->body = *a->sent;
	*a->sent = (struct buf){ .max = d->body.max };
}

void
delivery_send(struct delivery *d, struct request *r)
{
	d->request = r;
	client_send(d->pass->cluster->client, LANE_REQUESTS, r);
}

const json_t *
delivery_metadata(struct answer *a, json_t **doc)
{
	const json_t *metadata;

	*doc = sw_answer(a);
	metadata = json_object_get(*doc, "metadata");
	if (*doc != NULL && !json_is_object(metadata))
		fx_fail(&a->err, FX_ESYNTAX,
		    "the server's answer is not an object");
	return json_is_object(metadata) ? metadata : NULL;
}

/* ---- the end ---------------------------------------------------------- */

static void
finish(struct delivery *d)
{
	struct pass *p = d->pass;

	*d->at = d->next;
	if (d->next != NULL)
		d->next->at = d->at;
	p->in_flight--;
	p->held -= d->held;
	buf_wipe(&d->body);
	free(d);
	pass_step(p->cluster);
}

void
delivery_warn(struct delivery *d, const char *what, const char *why)
{
	struct cluster *c = d->pass->cluster;
	char text[FX_ERR_TEXT_MAX + 128];

	snprintf(text, sizeof(text), "%s: %s", what, why);
	c->hooks.note(c->hooks.arg, "warning", text, d->object->id,
	    d->object->source);
}

/* What could not be made in a namespace that was not there, or on its way out,
 * can be now. */
static void
namespace_is_there(struct cluster *c, const struct object *ns)
{
	for (size_t i = 0; i < c->objects.n; i++) {
		struct object *o = c->objects.v[i];

		if (o->error == NULL || strcmp(o->ns, ns->name) != 0 ||
		    o->state == OBJ_CLEAN)
			continue;
		o->retry_us = 0;
		o->drifted = true;
		drift_found(c, o);
	}
}

static void
contested(struct delivery *d)
{
	struct cluster *c = d->pass->cluster;
	struct object *o = d->object;

	if (object_is_contested(o))
		c->hooks.contested(c->hooks.arg, o->id, o->source,
		    o->rivals != NULL ? o->rivals : "");
}

void
delivery_done(struct delivery *d, const json_t *metadata)
{
	struct pass *p = d->pass;
	struct object *o = d->object;
	struct cluster *c = p->cluster;
	bool drifted = p->repair || o->drifted;
	bool repaired = drifted && !d->unchanged;

	if (drifted && d->unchanged)
		object_was_right(o);
	p->result.patched += !d->unchanged;
	if (object_applied(o, metadata))
		drift_found(c, o);
	if (repaired) {
		object_repaired(o);
		if (o->rivals == NULL && o->fights > 0)
			o->rivals = fields_writers(metadata);
		contested(d);
	}
	if (o->live.deleting) {
		pass_error(p, o,
		    "it is being deleted; it will be made anew when it is "
		    "gone");
	} else if (o->live.foreign && !d->tried_takeover) {
		/* seen only now: what kubectl left has to go first */
		o->drifted = true;
		drift_found(c, o);
	} else if (o->state == OBJ_DIRTY && !o->drifted && !o->live.foreign) {
		pass_error(p, o,
		    "the server's answer is not what was applied: mark, "
		    "checksum or ownership are missing from it");
		object_refused(o, c->config.retry_max_us);
	} else if (o->is_crd) {
		crd_applied(p, o);
	} else if (o->rank == 0) {
		namespace_is_there(c, o);
	}
	finish(d);
}

void
delivery_refused(struct delivery *d, const char *text)
{
	struct cluster *c = d->pass->cluster;
	struct object *o = d->object;

	if (object_not_applied(o, text))
		drift_found(c, o);
	pass_error(d->pass, o, text);
	object_refused(o, c->config.retry_max_us);
	finish(d);
}

void
delivery_failed(struct delivery *d, struct answer *a)
{
	struct pass *p = d->pass;
	struct object *o = d->object;

	if (a->status.what == SW_NO_KIND) {
		o->kind->known = false;
		p->cluster->catalog_stale = true;
	}
	/* nobody there, nobody who knows us, or nobody who has time: the
	 * others would fare the same, one deadline after the other */
	if ((a->status.http == 0 && !a->others_answered) ||
	    a->status.what == SW_LOGIN || a->status.http == 429) {
		if (object_not_applied(o, a->err.text))
			drift_found(p->cluster, o);
		if (a->status.http == 429)
			a->err.code = FX_ETIMEOUT;
		pass_fail(p, &a->err);
		finish(d);
		return;
	}
	if (a->status.what == SW_RETRY)
		p->weary++;
	delivery_refused(d, a->err.text);
}

/* ---- apply ------------------------------------------------------------ */

static void apply(struct delivery *, bool force);

/* The server does not take it this way: is there another one? */
static bool
try_otherwise(struct delivery *d, const struct answer *a)
{
	struct cluster *c = d->pass->cluster;

	if (a->status.http == 415) {
		if (!c->no_apply)
			delivery_warn(d, "the server has no server-side apply",
			    "three-way merges from now on");
		c->no_apply = true;
		delivery_merge(d);
	} else if (a->status.duplicate) {
		delivery_warn(d, "merged instead of applied", a->err.text);
		delivery_merge(d);
	} else if (a->status.lost_version && !d->renewed) {
		delivery_renew(d, a->err.text);
	} else if (a->status.immutable && d->may_recreate && !d->recreated) {
		delivery_recreate(d);
	} else {
		return false;
	}
	return true;
}

static void
immutable(struct delivery *d, const struct answer *a)
{
	char text[FX_ERR_TEXT_MAX];

	snprintf(text, sizeof(text),
	    "an immutable field would change: %.600s (annotated "
	    "with " RECREATE_ANNOTATION
	    ": \"true\" in git it is deleted and made anew)",
	    a->err.text);
	delivery_refused(d, text);
}

static void
on_applied(void *arg, struct answer *a)
{
	struct delivery *d = arg;
	const json_t *metadata;
	auto_json json_t *doc = NULL;

	d->request = NULL;
	delivery_take_back(d, a);
	metadata = delivery_metadata(a, &doc);
	if (metadata != NULL)
		delivery_done(d, metadata);
	else if (try_otherwise(d, a))
		;
	else if (a->status.immutable && !d->may_recreate)
		immutable(d, a);
	else
		delivery_failed(d, a);
}

/* Without force the server names who else has set our fields, and to what. */
static void
on_tried(void *arg, struct answer *a)
{
	struct delivery *d = arg;
	struct object *o = d->object;

	if (a->status.what != SW_CONFLICT) {
		on_applied(d, a);
		return;
	}
	d->request = NULL;
	delivery_take_back(d, a);
	free(o->rivals);
	o->rivals = xstrdup(a->status.message);
	apply(d, true);
}

static void
apply(struct delivery *d, bool force)
{
	struct request *r =
	    delivery_request(d, "PATCH", force ? STRICT "&force=true" : STRICT,
		force ? on_applied : on_tried);

	r->content_type = "application/apply-patch+yaml";
	r->conflict_is_final = !force;
	delivery_give_body(d, r);
	delivery_send(d, r);
}

void
delivery_apply(struct delivery *d)
{
	/* the names are wanted when it is reported */
	apply(d, d->object->fights < OBJ_CONTESTED - 1);
}

/* ---- before it: what kubectl left ------------------------------------- */

static void take_over(struct delivery *, const char *patch);

/* What cannot be taken over is tried again in the next pass; the apply is worth
 * doing all the same, unless nobody is there to answer it. */
void
delivery_go_on(struct delivery *d, struct answer *a, const char *what)
{
	if (a->err.code == FX_OK || a->status.what == SW_MISSING) {
		delivery_apply(d);
	} else if (a->status.http == 0 || a->status.what == SW_LOGIN) {
		delivery_failed(d, a);
	} else {
		delivery_warn(d, what, a->err.text);
		delivery_apply(d);
	}
}

static void
go_on(struct delivery *d, struct answer *a)
{
	delivery_go_on(d, a, "cannot take over from kubectl");
}

static void
on_metadata(void *arg, struct answer *a)
{
	struct delivery *d = arg;
	struct buf patch = BUF_INIT(META_BODY_MAX);
	auto_json json_t *doc = NULL;
	const json_t *metadata = delivery_metadata(a, &doc);
	auto_free char *text = NULL;

	d->request = NULL;
	if (metadata != NULL &&
	    takeover_patch(&patch, metadata, d->object->keep == KEEP_NEVER) ==
		FX_OK) {
		text = str_take(&patch);
		take_over(d, text);
	} else {
		buf_clear(&patch);
		go_on(d, a);
	}
}

static void
read_metadata(struct delivery *d)
{
	delivery_send(d, delivery_request(d, "GET", NULL, on_metadata));
}

static void
on_taken_over(void *arg, struct answer *a)
{
	struct delivery *d = arg;
	auto_json json_t *doc = NULL;
	const json_t *metadata;

	d->request = NULL;
	if (a->status.what == SW_CONFLICT && d->conflicts++ < CONFLICTS_MAX) {
		read_metadata(d); /* somebody was faster */
		return;
	}
	metadata = delivery_metadata(a, &doc);
	/* it says 200 to a list that it does not understand, too */
	if (metadata != NULL && takeover_has_entry(metadata))
		fx_fail(&a->err, FX_EFAIL,
		    "the server keeps the entry of client-side apply");
	go_on(d, a);
}

static void
take_over(struct delivery *d, const char *patch)
{
	struct request *r =
	    delivery_request(d, "PATCH", FIELD_MANAGER, on_taken_over);

	r->content_type = "application/json-patch+json";
	r->conflict_is_final = true;
	buf_init(&r->body, META_BODY_MAX);
	if (buf_put(&r->body, patch, strlen(patch)) != FX_OK)
		fx_bug("a patch longer than what it was made of");
	delivery_send(d, r);
}

/* ---- before it: fields nobody is known to own ------------------------- */

static void
on_pruned(void *arg, struct answer *a)
{
	struct delivery *d = arg;

	d->request = NULL;
	go_on(d, a);
}

/* Fields that left git can be told by the record alone. */
static void
on_record(void *arg, struct answer *a)
{
	struct delivery *d = arg;
	struct fx_err ignored;
	auto_json json_t *doc = NULL, *last = NULL, *git = NULL, *patch = NULL;
	const json_t *metadata = delivery_metadata(a, &doc);
	bool strategic;
	struct request *r;

	d->request = NULL;
	last = takeover_last(metadata);
	git = body_read(&d->body, &ignored);
	strategic = body_is_builtin(git);
	if (last != NULL && git != NULL) {
		body_adapt(last, d->object->kind->namespaced);
		patch = threeway_deletions(last, git, strategic);
	}
	if (patch == NULL) {
		go_on(d, a);
		return;
	}
	r = delivery_request(d, "PATCH", FIELD_MANAGER, on_pruned);
	r->content_type = threeway_content_type(strategic);
	buf_init(&r->body, OBJECT_BODY_MAX);
	if (body_write(&r->body, patch) == FX_OK) {
		delivery_send(d, r);
		return;
	}
	request_drop(&r);
	delivery_refused(d, TOO_LARGE);
}

/* ---- all of it -------------------------------------------------------- */

void
delivery_start(struct pass *p, struct object *o, struct buf *body,
    bool may_recreate)
{
	struct delivery *d = xcalloc(1, sizeof(*d));
	const struct live *live = &o->live;

	*d = (struct delivery){ .pass = p,
		.object = o,
		.body = *body,
		.held = buf_left(body),
		.may_recreate = may_recreate,
		.next = p->deliveries,
		.at = &p->deliveries };
	*body = (struct buf){ .max = d->body.max };
	if (d->next != NULL)
		d->next->at = &d->next;
	p->deliveries = d;
	p->in_flight++;
	p->held += d->held;
	object_sent(o);
	if (p->cluster->no_apply || o->merged) {
		delivery_merge(d);
	} else if (live->foreign) {
		d->tried_takeover = true;
		if (o->takeover != NULL)
			take_over(d, o->takeover);
		else
			read_metadata(d);
	} else if (live->recorded && !live->owned && live->uid[0] != '\0') {
		delivery_send(d, delivery_request(d, "GET", NULL, on_record));
	} else {
		delivery_apply(d);
	}
}

void
deliveries_clear(struct pass *p)
{
	struct delivery *d;

	while ((d = p->deliveries) != NULL) {
		p->deliveries = d->next;
		loop_timer_stop(p->cluster->loop, &d->timer);
		client_cancel(p->cluster->client, &d->request);
		buf_wipe(&d->body);
		free(d);
	}
}
