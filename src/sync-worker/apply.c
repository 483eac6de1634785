/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "pass.h"

#include "delivery.h"
#include "inventory.h"
#include "str.h"

#include <stdio.h>

#define KINDS_WAIT_US (10 * CLK_SEC) /* for kinds of CRDs just applied */
#define KINDS_PAUSE_US (20 * CLK_MS)
#define KINDS_PAUSE_MAX_US CLK_SEC
#define TIDY_US (2 * CLK_SEC)  /* when its watches have told their first */
#define WAKE_US (200 * CLK_MS) /* the marker, which clients wait for, first */

/* ---- what the parts share --------------------------------------------- */

static bool
is_in_stage(const struct pass *p, const struct object *o)
{
	return (o->rank == 0 || o->is_crd) == (p->stage == STAGE_FIRST);
}

/* Left alone on somebody's word? */
static bool
is_left_alone(const struct cluster *c, const struct object *o)
{
	return o->ignored || o->live.ignored || !cluster_allows(c, o);
}

bool
pass_wants(const struct pass *p, const struct object *o)
{
	if (!is_in_stage(p, o) || o->state == OBJ_CLEAN || o->error != NULL ||
	    (p->repair && !o->drifted) || o->not_before_us > p->started_us)
		return false;
	/* what may be ignored in the cluster has to be looked at first */
	return o->state == OBJ_LOOK
	    ? !o->ignored && cluster_allows(p->cluster, o)
	    : !is_left_alone(p->cluster, o);
}

void
pass_fail(struct pass *p, const struct fx_err *err)
{
	if (p->result.err.code == FX_OK)
		p->result.err = *err;
}

void
pass_error(struct pass *p, struct object *o, const char *text)
{
	struct cluster *c = p->cluster;

	free(o->error);
	o->error = xstrdup(text);
	o->drifted = false;
	if (!p->repair)
		return; /* reported at the end, with those of other passes */
	p->result.errors++;
	c->hooks.error(c->hooks.arg, o->id, o->source, text);
}

/* ---- kinds ------------------------------------------------------------ */

/* Kinds of this stage that the catalog does not have. */
static bool
has_unknown(const struct pass *p)
{
	struct objects *t = &p->cluster->objects;

	for (size_t i = 0; i < t->n; i++)
		if (!t->v[i]->kind->known && pass_wants(p, t->v[i]))
			return true;
	return false;
}

static void
on_refreshed(void *arg, const struct fx_err *err)
{
	struct cluster *c = arg;
	struct pass *p = c->pass;

	if (err->code != FX_OK)
		pass_fail(p, err);
	p->refreshed = true;
	p->step = STEP_RESOLVE;
	pass_step(c);
}

static void
on_kinds_timer(struct loop *l, void *arg)
{
	struct pass *p = arg;

	(void)l;
	p->refreshed = false;
	pass_step(p->cluster);
}

/* The kinds of a CRD may show in discovery a moment after it is established. */
static bool
wait_for_kinds(struct pass *p)
{
	int64_t now = clk_now_us();

	if (!p->has_crds)
		return false;
	if (p->kinds_until_us == 0) {
		p->kinds_until_us = now + KINDS_WAIT_US;
		p->kinds_pause_us = KINDS_PAUSE_US;
	}
	if (now >= p->kinds_until_us)
		return false;
	loop_timer_in(p->cluster->loop, &p->timer, p->kinds_pause_us);
	p->kinds_pause_us *= 2;
	if (p->kinds_pause_us > KINDS_PAUSE_MAX_US)
		p->kinds_pause_us = KINDS_PAUSE_MAX_US;
	return true;
}

static void
report_unknown(struct pass *p)
{
	struct objects *t = &p->cluster->objects;

	for (size_t i = 0; i < t->n; i++) {
		struct object *o = t->v[i];

		if (!o->kind->known && pass_wants(p, o))
			pass_error(p, o,
			    o->kind->why != NULL ? o->kind->why
						 : "unknown kind");
	}
}

/* true: go on. */
static bool
step_resolve(struct pass *p)
{
	struct cluster *c = p->cluster;

	if (p->timer.linked)
		return false;
	kinds_resolve(c);
	if (!has_unknown(p)) {
		p->step = STEP_LIST;
		return true;
	}
	if (!p->refreshed && (p->has_crds || refresh_may_help(c))) {
		p->step = STEP_REFRESH;
		refresh_catalog(c, on_refreshed, c);
		return false;
	}
	if (wait_for_kinds(p))
		return false;
	report_unknown(p);
	p->step = STEP_LIST;
	return true;
}

/* ---- lists ------------------------------------------------------------ */

static bool
is_listing(const struct cluster *c)
{
	for (size_t i = 0; i < c->nkinds; i++)
		if (kind_is_listing(c->kinds[i]))
			return true;
	return false;
}

/* What a kind's list says about an object that it did not show. */
static void
settle_object(struct pass *p, struct object *o)
{
	const struct stream *s = kind_stream(o->kind, o->ns);

	if (s == NULL)
		return;
	if (s->state == STREAM_FAILED && s->unreachable)
		pass_fail(p, &s->error);
	else if (s->state == STREAM_FAILED)
		pass_error(p, o, s->error.text);
	else if (o->state == OBJ_NEW || s->state == STREAM_DENIED)
		o->state = OBJ_LOOK; /* without a list: each pass looks */
	else if (o->live.ignored && !o->live.marked)
		o->state = OBJ_LOOK; /* not ours, so no watch shows it */
}

static bool
step_list(struct pass *p)
{
	struct cluster *c = p->cluster;
	struct objects *t = &c->objects;

	if (is_listing(c))
		return false;
	for (size_t i = 0; i < t->n && !p->repair; i++) {
		struct object *o = t->v[i];

		if (o->kind->known && is_in_stage(p, o) && !o->ignored &&
		    cluster_allows(c, o) && o->error == NULL)
			settle_object(p, o);
	}
	p->step = STEP_LOOK;
	if (p->result.err.code == FX_OK)
		look_start(p);
	return true;
}

static void
start_lists(struct pass *p)
{
	struct cluster *c = p->cluster;

	if (p->repair)
		return;
	for (size_t i = 0; i < c->nkinds; i++)
		if (c->kinds[i]->known && c->kinds[i]->objects > 0 &&
		    c->kinds[i]->listed != c->npasses) {
			c->kinds[i]->listed = c->npasses;
			kind_list(c, c->kinds[i]);
		}
	if (p->stage == STAGE_REST)
		gc_begin_sweep(p);
}

/* ---- the end ---------------------------------------------------------- */

static void
report_error(struct pass *p, const struct object *o, const char *text)
{
	struct cluster *c = p->cluster;

	p->result.errors++;
	c->hooks.error(c->hooks.arg, o->id, o->source, text);
}

static void
report_object(struct pass *p, struct object *o)
{
	struct cluster *c = p->cluster;
	char text[FX_ERR_TEXT_MAX];

	if (is_left_alone(c, o))
		o->drifted = false;
	if (p->repair)
		return;
	if (o->error != NULL) {
		report_error(p, o, o->error);
	} else if (object_is_contested(o)) {
		snprintf(text, sizeof(text),
		    "somebody else changes it again and again%s%.700s",
		    o->rivals != NULL ? ": " : "",
		    o->rivals != NULL ? o->rivals : "");
		report_error(p, o, text);
	} else if (is_left_alone(c, o)) {
		p->result.ignored++;
	}
	if (!cluster_allows(c, o))
		return;
	if (o->ignored)
		c->hooks.note(c->hooks.arg, "info",
		    "not applying resource; ignore annotation in file", o->id,
		    o->source);
	else if (o->live.ignored)
		c->hooks.note(c->hooks.arg, "info",
		    "not applying resource; ignore annotation in cluster "
		    "resource",
		    o->id, NULL);
}

static void
report_excluded(struct cluster *c)
{
	auto_buf struct buf ids = BUF_INIT(4096);

	for (size_t i = 0; i < c->objects.n; i++) {
		const struct object *o = c->objects.v[i];

		if (!cluster_allows(c, o))
			(void)str_addf(&ids, "%s%s",
			    buf_left(&ids) > 0 ? "," : "", o->id);
	}
	if (buf_left(&ids) > 0) {
		auto_free char *text = str_take(&ids);

		c->hooks.note(c->hooks.arg, "resources", text, NULL, NULL);
	}
}

static void
pass_end(struct pass *p)
{
	struct cluster *c = p->cluster;
	struct pass_result result;
	struct objects *t = &c->objects;

	for (size_t i = 0; i < t->n && p->result.err.code == FX_OK; i++)
		report_object(p, t->v[i]);
	if (!p->repair && p->result.err.code == FX_OK) {
		report_excluded(c);
		unlisted_report(c);
	}
	p->result.resources = t->n;
	p->result.unchanged = t->n - p->result.ignored - p->result.errors;
	p->result.unchanged -= p->result.patched < p->result.unchanged
	    ? p->result.patched
	    : p->result.unchanged;
	p->result.errors += p->gc_errors;
	p->result.repair = p->repair;
	result = p->result;
	if (p->nqueue > 0)
		loop_timer_in(c->loop, &c->tidy_timer, TIDY_US);
	loop_timer_in(c->loop, &c->wake_timer, WAKE_US);
	pass_clear(c);
	if (result.err.code == FX_OK)
		catalog_watch_start(c);
	c->hooks.done(c->hooks.arg, &result);
	loop_timer_at(c->loop, &c->drift_timer, loop_now_us(c->loop));
}

/* ---- the machine ------------------------------------------------------ */

static void
stage_start(struct pass *p, enum pass_stage stage)
{
	p->stage = stage;
	p->refreshed = false;
	p->step = STEP_RESOLVE;
}

/* One step; true: another may follow at once. */
static bool
step_once(struct pass *p)
{
	bool failed = p->result.err.code != FX_OK;

	switch (p->step) {
	case STEP_SET:
	case STEP_REFRESH:
		return false;
	case STEP_RECORD:
		if (inventory_is_busy(p->cluster->inventory))
			return false;
		stage_start(p, STAGE_FIRST);
		return true;
	case STEP_RESOLVE:
		if (failed)
			p->step = STEP_CRDS;
		else if (step_resolve(p))
			start_lists(p);
		else
			return false;
		return true;
	case STEP_LIST:
		return step_list(p);
	case STEP_LOOK:
		if (p->looking > 0)
			return false;
		p->step = STEP_WORK;
		work_start(p);
		return true;
	case STEP_WORK:
		if (!work_step(p))
			return false;
		p->step = STEP_CRDS;
		return true;
	case STEP_CRDS:
		if (failed)
			crd_clear(p);
		if (p->crds != NULL)
			return false;
		if (!failed && p->stage == STAGE_FIRST)
			stage_start(p, STAGE_REST);
		else if (failed || p->repair || p->cluster->gc == NULL)
			p->step = STEP_END;
		else
			gc_start(p);
		return true;
	case STEP_GC:
		if (!gc_step(p))
			return false;
		p->step = STEP_END;
		return true;
	case STEP_END:
		break;
	}
	return false;
}

void
pass_step(struct cluster *c)
{
	struct pass *p = c->pass;

	/* what a step starts may end before it returns */
	if (p == NULL || p->stepping)
		return;
	p->stepping = true;
	while (step_once(p))
		;
	p->stepping = false;
	if (p->step == STEP_END)
		pass_end(p);
}

static struct pass *
pass_new(struct cluster *c, bool repair)
{
	struct pass *p = xcalloc(1, sizeof(*p));

	p->cluster = c;
	p->repair = repair;
	p->started_us = clk_now_us();
	c->npasses++;
	p->timer = (struct loop_timer){ .fn = on_kinds_timer, .arg = p };
	c->pass = p;
	return p;
}

int
pass_apply(struct cluster *c, uint64_t set, bool incomplete, struct fx_err *err)
{
	struct pass *p;

	if (c->pass != NULL)
		return fx_fail(err, FX_EAGAIN, "another pass is running");
	p = pass_new(c, false);
	p->incomplete = incomplete;
	p->step = STEP_SET;
	if (set == c->set)
		pass_set_ready(c, &(struct fx_err){ 0 });
	else
		c->hooks.ask_set(c->hooks.arg, set, c->set);
	return FX_OK;
}

int
pass_repair(struct cluster *c, struct fx_err *err)
{
	struct pass *p;

	if (c->pass != NULL)
		return fx_fail(err, FX_EAGAIN, "another pass is running");
	p = pass_new(c, true);
	for (size_t i = 0; i < c->objects.n; i++) {
		struct object *o = c->objects.v[i];

		if (o->drifted && o->not_before_us <= p->started_us)
			free(fx_steal(&o->error));
	}
	stage_start(p, STAGE_FIRST);
	pass_step(c);
	return FX_OK;
}

void
pass_set_ready(struct cluster *c, const struct fx_err *err)
{
	struct pass *p = c->pass;

	if (p == NULL || p->step != STEP_SET)
		return;
	if (err->code != FX_OK)
		pass_fail(p, err);
	for (size_t i = 0; i < c->objects.n; i++) {
		struct object *o = c->objects.v[i];

		/* what was refused a moment ago would be again */
		if (o->retry_us <= p->started_us)
			free(fx_steal(&o->error));
	}
	if (c->inventory != NULL && err->code == FX_OK) {
		p->step = STEP_RECORD;
		inventory_keep(c->inventory);
	} else {
		stage_start(p, STAGE_FIRST);
	}
	pass_step(c);
}

void
pass_clear(struct cluster *c)
{
	struct pass *p = c->pass;

	if (p == NULL)
		return;
	loop_timer_stop(c->loop, &p->timer);
	crd_clear(p);
	deliveries_clear(p);
	free(p->queue);
	free(p->again);
	free(p);
	c->pass = NULL;
}
