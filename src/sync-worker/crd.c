/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "pass.h"

#include "str.h"

/*
 * A CRD that was just applied serves nothing yet: wait until it says that it
 * is established, with a look that is quick at first.
 */

#define CRD_FIRST_US (10 * CLK_MS)
#define CRD_PAUSE_MAX_US CLK_SEC
#define CRD_WAIT_US (60 * CLK_SEC)

static void look(struct crd_wait *);

static bool
has_condition(const json_t *doc, const char *type)
{
	const json_t *cond, *list = sw_json_at(doc, "status", "conditions");
	size_t i;

	json_array_foreach (list, i, cond)
		if (strcmp(sw_json_str(cond, "type"), type) == 0)
			return strcmp(sw_json_str(cond, "status"), "True") == 0;
	return false;
}

static void
wait_end(struct crd_wait *w, const char *error)
{
	struct pass *p = w->cluster->pass;
	struct object *o = objects_by_id(&w->cluster->objects, w->id, CRD_API);
	struct crd_wait **at = &p->crds;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (error != NULL && o != NULL)
		pass_error(p, o, error);
	free(w->id);
	free(w);
	pass_step(p->cluster);
}

static void
on_crd(void *arg, struct answer *a)
{
	struct crd_wait *w = arg;
	auto_json json_t *doc = NULL;

	w->request = NULL;
	doc = sw_answer(a);
	if (doc == NULL) {
		wait_end(w, a->err.text);
		return;
	}
	if (has_condition(doc, "Established") &&
	    has_condition(doc, "NamesAccepted") &&
	    !has_condition(doc, "Terminating")) {
		wait_end(w, NULL);
		return;
	}
	if (clk_now_us() >= w->until_us) {
		wait_end(w, "the server does not establish it");
		return;
	}
	loop_timer_in(w->cluster->loop, &w->timer, w->pause_us);
	w->pause_us *= 2;
	if (w->pause_us > CRD_PAUSE_MAX_US)
		w->pause_us = CRD_PAUSE_MAX_US;
}

static void
on_timer(struct loop *l, void *arg)
{
	(void)l;
	look(arg);
}

static void
look(struct crd_wait *w)
{
	struct cluster *c = w->cluster;
	struct object *o = objects_by_id(&c->objects, w->id, CRD_API);
	struct buf path = BUF_INIT(4096);

	if (o == NULL || kind_path(o->kind, o->ns, o->name, &path) != FX_OK) {
		buf_clear(&path);
		wait_end(w, NULL);
		return;
	}
	w->request = cluster_get(c, &path, NULL, META_BODY_MAX, on_crd, w);
	client_send(c->client, LANE_REQUESTS, w->request);
}

void
crd_applied(struct pass *p, const struct object *o)
{
	struct crd_wait *w = xcalloc(1, sizeof(*w));

	w->cluster = p->cluster;
	w->id = xstrdup(o->id);
	w->until_us = clk_now_us() + CRD_WAIT_US;
	w->pause_us = CRD_FIRST_US;
	w->timer = (struct loop_timer){ .fn = on_timer, .arg = w };
	w->next = p->crds;
	p->crds = w;
	p->has_crds = true;
	look(w);
}

void
crd_clear(struct pass *p)
{
	struct crd_wait *w;

	while ((w = p->crds) != NULL) {
		p->crds = w->next;
		loop_timer_stop(p->cluster->loop, &w->timer);
		client_cancel(p->cluster->client, &w->request);
		free(w->id);
		free(w);
	}
}
