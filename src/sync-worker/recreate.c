/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "delivery.h"

#include "str.h"

#include <stdio.h>

/*
 * A field that cannot be changed, in an object that git says may be deleted and
 * made anew.  The refusal alone is no proof: the object has to be there, with
 * our mark, and the one that is deleted is exactly the one that was looked at.
 * Its finalizers may take their time; what is still there then is made anew
 * when it is seen to be gone.
 */

#define GONE_FIRST_US (20 * CLK_MS)
#define GONE_PAUSE_MAX_US CLK_SEC
#define GONE_WAIT_US (5 * CLK_SEC)
#define AGAIN_US (300 * CLK_SEC) /* one object is not recreated more often */

static void look(struct delivery *);

/* What goes with these is not ours to delete. */
static bool
is_container(const struct object *o)
{
	return o->rank == 0 || o->is_crd;
}

static void
on_timer(struct loop *l, void *arg)
{
	(void)l;
	look(arg);
}

static void
wait_more(struct delivery *d)
{
	if (clk_now_us() >= d->until_us) {
		delivery_refused(d,
		    "it is being deleted, to be made anew when it is gone");
		return;
	}
	d->timer = (struct loop_timer){ .fn = on_timer, .arg = d };
	loop_timer_in(d->pass->cluster->loop, &d->timer, d->pause_us);
	d->pause_us *= 2;
	if (d->pause_us > GONE_PAUSE_MAX_US)
		d->pause_us = GONE_PAUSE_MAX_US;
}

static void
on_look(void *arg, struct answer *a)
{
	struct delivery *d = arg;
	auto_json json_t *doc = NULL;
	const json_t *metadata = delivery_metadata(a, &doc);

	d->request = NULL;
	if (a->status.what == SW_MISSING ||
	    (metadata != NULL &&
		strcmp(sw_json_str(metadata, "uid"), d->uid) != 0)) {
		d->object->live = (struct live){ 0 };
		delivery_apply(d);
	} else if (metadata != NULL) {
		wait_more(d);
	} else {
		delivery_failed(d, a);
	}
}

static void
look(struct delivery *d)
{
	delivery_send(d, delivery_request(d, "GET", NULL, on_look));
}

static void
on_deleted(void *arg, struct answer *a)
{
	struct delivery *d = arg;

	d->request = NULL;
	if (a->err.code != FX_OK && a->status.what != SW_MISSING) {
		delivery_failed(d, a);
		return;
	}
	d->until_us = clk_now_us() + GONE_WAIT_US;
	d->pause_us = GONE_FIRST_US;
	look(d);
}

static void delete (struct delivery *d, const json_t *metadata)
{
	struct cluster *c = d->pass->cluster;
	struct object *o = d->object;
	struct request *r = delivery_request(d, "DELETE", NULL, on_deleted);

	snprintf(d->uid, sizeof(d->uid), "%s", sw_json_str(metadata, "uid"));
	o->recreated_us = clk_now_us();
	d->recreated = true;
	r->content_type = "application/json";
	r->conflict_is_final = true;
	buf_init(&r->body, 4096);
	(void)str_addf(&r->body,
	    "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\","
	    "\"propagationPolicy\":\"Background\",\"preconditions\":{"
	    "\"uid\":\"%s\",\"resourceVersion\":\"%llu\"}}",
	    d->uid, (unsigned long long)sw_json_version(metadata));
	c->hooks.note(c->hooks.arg, "warning",
	    "deleted and made anew: an immutable field changes", o->id,
	    o->source);
	delivery_send(d, r);
}

static void
on_metadata(void *arg, struct answer *a)
{
	struct delivery *d = arg;
	auto_json json_t *doc = NULL;
	const json_t *metadata = delivery_metadata(a, &doc);
	const char *mark =
	    sw_json_str(json_object_get(metadata, "labels"), OBJ_MARK_LABEL);

	d->request = NULL;
	if (metadata == NULL)
		delivery_failed(d, a);
	else if (strcmp(mark, d->object->mark) != 0)
		delivery_refused(d,
		    "an immutable field would change, and the object is not "
		    "deleted: it does not have our mark");
	else if (sw_json_version(metadata) == 0 ||
	    strspn(sw_json_str(metadata, "uid"), "0123456789abcdefABCDEF-") !=
		strlen(sw_json_str(metadata, "uid")))
		delivery_refused(d,
		    "an immutable field would change, and the object is not "
		    "deleted: its metadata is odd");
	else
		delete (d, metadata);
}

void
delivery_recreate(struct delivery *d)
{
	const struct object *o = d->object;

	if (is_container(o))
		delivery_refused(d,
		    "an immutable field would change, and the object is not "
		    "deleted: others live in it");
	else if (o->recreated_us != 0 &&
	    clk_now_us() - o->recreated_us < AGAIN_US)
		delivery_refused(d,
		    "an immutable field would change, and the object is not "
		    "deleted: it was made anew minutes ago");
	else
		delivery_send(d, delivery_request(d, "GET", NULL, on_metadata));
}
