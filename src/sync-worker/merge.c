/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "delivery.h"

#include "body.h"
#include "str.h"
#include "takeover.h"
#include "threeway.h"

/*
 * An object that cannot be applied on the server: the server has no such thing,
 * or a list of the object has two elements of one key, which only kubectl's own
 * way takes.  It is read, compared with git and with kubectl's record of what
 * was applied last, and patched; the record is part of what is written.
 */

static void read_object(struct delivery *);

/* Somebody was faster: look again, a few times. */
static bool
lost_race(struct delivery *d, const struct answer *a)
{
	if (a->status.what != SW_CONFLICT || d->conflicts++ >= CONFLICTS_MAX)
		return false;
	read_object(d);
	return true;
}

static void
on_written(void *arg, struct answer *a)
{
	struct delivery *d = arg;
	auto_json json_t *doc = NULL;
	const json_t *metadata;

	d->request = NULL;
	if (lost_race(d, a))
		return;
	/* a kind that looks like one of the server's, and is not */
	if (a->status.http == 415 && !d->plain) {
		d->plain = true;
		read_object(d);
		return;
	}
	metadata = delivery_metadata(a, &doc);
	if (metadata != NULL)
		delivery_done(d, metadata);
	else if (a->status.immutable && d->may_recreate && !d->recreated)
		delivery_recreate(d);
	else
		delivery_failed(d, a);
}

static void
write_object(struct delivery *d, struct request *r, const json_t *content)
{
	r->conflict_is_final = true;
	buf_init(&r->body, OBJECT_BODY_MAX);
	if (body_write(&r->body, content) == FX_OK) {
		delivery_send(d, r);
		return;
	}
	request_drop(&r);
	delivery_refused(d, TOO_LARGE);
}

static void
create(struct delivery *d, const json_t *git)
{
	struct object *o = d->object;
	struct request *r = delivery_request(d, "POST", NULL, on_written);
	struct buf path = BUF_INIT(4096);

	if (kind_path(o->kind, o->ns, NULL, &path) != FX_OK)
		fx_bug("%s was let in", o->id);
	(void)str_add(&path, STRICT);
	free(r->path);
	r->path = str_take(&path);
	r->content_type = "application/json";
	r->once = true;
	write_object(d, r, git);
}

static void
patch(struct delivery *d, const json_t *git, const json_t *live)
{
	const json_t *metadata = json_object_get(live, "metadata");
	bool strategic = !d->plain && body_is_builtin(git);
	auto_json json_t *last = takeover_last(metadata);
	auto_json json_t *change = NULL;
	struct request *r;

	if (last != NULL)
		body_adapt(last, d->object->kind->namespaced);
	change = threeway_patch(last, git, live, strategic);
	if (change == NULL) {
		d->unchanged = true;
		delivery_done(d, metadata);
		return;
	}
	r = delivery_request(d, "PATCH", STRICT, on_written);
	r->content_type = threeway_content_type(strategic);
	write_object(d, r, change);
}

static void
on_object(void *arg, struct answer *a)
{
	struct delivery *d = arg;
	struct fx_err err = { 0 };
	auto_json json_t *live = NULL;
	auto_json json_t *git = body_read(&d->body, &err);

	d->request = NULL;
	if (git == NULL) {
		delivery_refused(d, err.text);
		return;
	}
	if (!takeover_annotate(git, git))
		delivery_warn(d, "too large for the record of what was applied",
		    "what leaves git will stay in the object");
	if (a->status.what == SW_MISSING) {
		create(d, git);
		return;
	}
	if (delivery_metadata(a, &live) == NULL)
		delivery_failed(d, a);
	else
		patch(d, git, live);
}

static void
read_object(struct delivery *d)
{
	struct request *r = delivery_request(d, "GET", NULL, on_object);

	r->accept = NULL;
	delivery_send(d, r);
}

void
delivery_merge(struct delivery *d)
{
	d->object->merged = true;
	read_object(d);
}
