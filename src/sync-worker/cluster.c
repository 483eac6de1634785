/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "cluster.h"

#include "glob.h"
#include "inventory.h"
#include "str.h"

#include <malloc.h>
#include <strings.h>
#include <sys/random.h>

#define DRIFT_GATHER_US (10 * CLK_MS) /* changes that come together */
#define DRIFT_REMIND_US (30 * CLK_SEC)

static void on_drift_timer(struct loop *, void *arg);

/* Requests and bodies by the thousand leave holes between what stays. */
static void
on_tidy_timer(struct loop *l, void *arg)
{
	const struct cluster *c = arg;

	(void)l;
	if (c->pass == NULL)
		(void)malloc_trim(0);
}

/* A pass that has begun meanwhile ends in time. */
static void
on_wake_timer(struct loop *l, void *arg)
{
	struct cluster *c = arg;

	(void)l;
	if (c->pass == NULL)
		kinds_wake(c);
}

struct cluster *
cluster_new(struct loop *loop, const struct client_hooks *client_hooks,
    const struct cluster_hooks *hooks, const struct cluster_config *config)
{
	struct cluster *c = xcalloc(1, sizeof(*c));
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		fx_bug("getrandom");
	c->loop = loop;
	c->client = client_new(loop, client_hooks);
	c->hooks = *hooks;
	c->config = *config;
	refresh_init(c);
	objects_init(&c->objects, seed);
	objects_init(&c->staged, seed);
	if (config->gc)
		c->gc = gc_new(c);
	if (config->gc && config->inventory != NULL)
		c->inventory = inventory_new(c, config->inventory);
	c->drift_timer = (struct loop_timer){ .fn = on_drift_timer, .arg = c };
	c->tidy_timer = (struct loop_timer){ .fn = on_tidy_timer, .arg = c };
	c->wake_timer = (struct loop_timer){ .fn = on_wake_timer, .arg = c };
	return c;
}

void
cluster_free(struct cluster **cp)
{
	struct cluster *c = *cp;

	if (c == NULL)
		return;
	pass_clear(c);
	gc_free(&c->gc);
	inventory_free(&c->inventory);
	catalog_watch_stop(c);
	kinds_clear(c);
	refresh_clear(c);
	set_drop(c);
	free(c->gone);
	free(c->unlisted);
	objects_clear(&c->staged);
	objects_clear(&c->objects);
	loop_timer_stop(c->loop, &c->drift_timer);
	loop_timer_stop(c->loop, &c->tidy_timer);
	loop_timer_stop(c->loop, &c->wake_timer);
	client_free(&c->client);
	free(c);
	*cp = NULL;
}

static bool
is_allowed(const struct cluster *c, const char *ns)
{
	for (size_t i = 0; i < c->config.protected.n; i++)
		if (strcmp(c->config.protected.v[i], ns) == 0)
			return false;
	for (size_t i = 0; i < c->config.nallowed; i++)
		if (strcmp(c->config.allowed[i], ns) == 0)
			return true;
	return c->config.nallowed == 0;
}

bool
cluster_allows(const struct cluster *c, const struct object *o)
{
	if (c->config.protected.n + c->config.nallowed == 0)
		return true;
	if (o->ns[0] != '\0')
		return is_allowed(c, o->ns);
	return strcasecmp(o->kind->kind, "namespace") != 0 ||
	    is_allowed(c, o->name);
}

bool
cluster_excludes(const struct cluster *c, const char *api_version,
    const char *kind)
{
	auto_free char *group = xasprintf("%s/", api_version);
	auto_free char *whole = xasprintf("%s/%s", api_version, kind);

	for (size_t i = 0; i < c->config.excluded.n; i++)
		if (glob_match(c->config.excluded.v[i], group) ||
		    glob_match(c->config.excluded.v[i], whole))
			return true;
	return false;
}

struct request *
cluster_get(struct cluster *c, struct buf *path, const char *accept, size_t max,
    answer_fn *done, void *arg)
{
	struct request *r = request_new("GET", str_take(path));

	r->accept = accept;
	r->answer_max = max;
	r->timeout_us = c->config.timeout_us;
	r->done = done;
	r->arg = arg;
	return r;
}

/* ---- drift ------------------------------------------------------------ */

static void
on_drift_timer(struct loop *l, void *arg)
{
	struct cluster *c = arg;
	int64_t now = clk_now_us(), next = CLK_NEVER;
	uint64_t ready = 0;

	if (c->pass != NULL)
		return; /* its end looks again */
	for (size_t i = 0; i < c->objects.n; i++) {
		const struct object *o = c->objects.v[i];

		if (o->drifted && o->not_before_us <= now)
			ready++;
		else if (o->drifted && o->not_before_us < next)
			next = o->not_before_us;
	}
	if (ready > 0) {
		c->hooks.drift(c->hooks.arg, ready);
		next = now + DRIFT_REMIND_US;
	}
	if (next != CLK_NEVER)
		loop_timer_at(l, &c->drift_timer, next);
}

void
drift_found(struct cluster *c, struct object *o)
{
	int64_t when = clk_now_us() + DRIFT_GATHER_US;

	if (!o->drifted)
		return;
	if (when < o->not_before_us)
		when = o->not_before_us;
	if (!c->drift_timer.linked || when < c->drift_timer.when_us)
		loop_timer_at(c->loop, &c->drift_timer, when);
}
