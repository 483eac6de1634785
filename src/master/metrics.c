/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "metrics.h"

#include "clock.h"
#include "metric.h"

#include <stdio.h>

#define LABELS_MAX (IPC_MAX_NAME + 1) /* of a label set and its end */
#define LABEL_SETS_MAX 32	      /* of one family; more are not recorded */
/* Routes, methods and statuses: clients choose among them, and those that make
 * mistakes must not leave the others uncounted. */
#define REQUEST_SETS_MAX 256
#define MICRO 1000000

struct value {
	char labels[LABELS_MAX];
	int64_t sum_us; /* value times 1e6; histogram: the sum */
	uint64_t count;
	uint64_t buckets[IPC_MAX_BUCKETS]; /* not cumulative */
	struct value *next;
};

struct metrics {
	struct value *families[METRIC_COUNT];
};

static size_t
sets_max(enum metric id)
{
	return id == METRIC_REQUEST_DURATION ? REQUEST_SETS_MAX
					     : LABEL_SETS_MAX;
}

/* The value with these labels, made if need be; NULL past the bound. */
static struct value *
find(struct metrics *ms, enum metric id, const char *labels)
{
	struct value **at = &ms->families[id];
	size_t n = 0;

	for (; *at != NULL; at = &(*at)->next, n++)
		if (strcmp((*at)->labels, labels) == 0)
			return *at;
	if (n >= sets_max(id) || strlen(labels) >= LABELS_MAX)
		return NULL;
	*at = xcalloc(1, sizeof(**at));
	snprintf((*at)->labels, sizeof((*at)->labels), "%s", labels);
	return *at;
}

static void
set_us(struct metrics *ms, enum metric id, const char *labels, int64_t us)
{
	struct value *v = find(ms, id, labels);

	if (v != NULL)
		v->sum_us = us;
}

static void
add_us(struct metrics *ms, enum metric id, const char *labels, int64_t us)
{
	struct value *v = find(ms, id, labels);

	if (v != NULL && __builtin_add_overflow(v->sum_us, us, &v->sum_us))
		v->sum_us = INT64_MAX;
}

/* Whatever is too large (AddressSanitizer's address space is) is the largest.
 */
static int64_t
to_micro(int64_t n)
{
	int64_t us;

	if (!__builtin_mul_overflow(n, (int64_t)MICRO, &us))
		return us;
	return n < 0 ? INT64_MIN : INT64_MAX;
}

void
metrics_set(struct metrics *ms, enum metric id, const char *labels, int64_t v)
{
	set_us(ms, id, labels, to_micro(v));
}

void
metrics_set_us(struct metrics *ms, enum metric id, int64_t us)
{
	set_us(ms, id, "", us);
}

void
metrics_add(struct metrics *ms, enum metric id, const char *labels, int64_t n)
{
	add_us(ms, id, labels, to_micro(n));
}

void
metrics_observe(struct metrics *ms, enum metric id, const char *labels,
    int64_t us)
{
	struct value *v = find(ms, id, labels);
	const struct metric_row *row = &metric_rows[id];
	size_t i = 0;

	if (v == NULL)
		return;
	add_us(ms, id, labels, us);
	v->count++;
	while (i < row->nbounds && us > row->bounds[i])
		i++;
	if (i < row->nbounds)
		v->buckets[i]++;
}

void
metrics_forget(struct metrics *ms, enum metric id)
{
	struct value *v;

	while ((v = ms->families[id]) != NULL) {
		ms->families[id] = v->next;
		free(v);
	}
}

struct metrics *
metrics_new(void)
{
	static const char *const codes[] = { "code=\"200\"", "code=\"500\"",
		"code=\"503\"" };
	struct metrics *ms = xcalloc(1, sizeof(*ms));

	metrics_set(ms, METRIC_START_TIME, "", clk_wall_us() / CLK_SEC);
	/* the one family whose values are there before they are counted */
	for (size_t i = 0; i < nitems(codes); i++)
		metrics_add(ms, METRIC_SCRAPES, codes[i], 0);
	return ms;
}

/* name="value" pairs of letters, digits and a few signs: nothing that could
 * end the line or the quotes. */
static bool
labels_are_harmless(const char *s)
{
	for (; *s != '\0'; s++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXY"
			   "Z"
			   "0123456789_-.:/=\",",
			*s) == NULL)
			return false;
	return true;
}

/* Who may report what; the rest is the master's own. */
static const uint32_t reporters[METRIC_COUNT] = {
	[METRIC_REQUEST_DURATION] = IPC_S_API,
	[METRIC_SCRAPES] = IPC_S_API,
	[METRIC_CONTESTED_OBJECTS] = IPC_S_SYNC,
	[METRIC_UNLISTED_KINDS] = IPC_S_SYNC,
	[METRIC_INVENTORY_KEPT] = IPC_S_SYNC,
};

int
metrics_from_child(struct metrics *ms, enum ipc_role from,
    const struct ipc_metric *m)
{
	enum metric id = (enum metric)m->metric;

	if (m->metric >= METRIC_COUNT || (reporters[id] & IPC_BIT(from)) == 0 ||
	    !labels_are_harmless(m->labels))
		return FX_EDENIED;
	if (metric_rows[id].kind == METRIC_IS_GAUGE)
		set_us(ms, id, m->labels, m->value_us);
	else if (metric_rows[id].kind == METRIC_IS_COUNTER)
		add_us(ms, id, m->labels, m->value_us);
	else
		metrics_observe(ms, id, m->labels, m->value_us);
	return FX_OK;
}

static void
fill(struct ipc_sample *s, struct ipc_number *numbers, enum metric id,
    const struct value *v)
{
	uint64_t seen = 0;
	size_t n = 0;

	for (; n < metric_rows[id].nbounds; n++) {
		seen += v->buckets[n];
		numbers[n].n = seen;
	}
	*s = (struct ipc_sample){ .metric = id,
		.labels = (char *)(uintptr_t)v->labels,
		.value_us = v->sum_us,
		.count = v->count,
		.buckets = numbers,
		.buckets_len = n };
}

/* all of them need at most IPC_CREDIT_FIRST parts */
#define SAMPLES_PER_PART 512
_Static_assert(METRIC_COUNT *LABEL_SETS_MAX + REQUEST_SETS_MAX <=
	IPC_CREDIT_FIRST * SAMPLES_PER_PART,
    "a snapshot must go out within the first credit");

int
metrics_reply(const struct metrics *ms, const struct ipc_req *req)
{
	static struct ipc_sample samples[SAMPLES_PER_PART];
	static struct ipc_number numbers[SAMPLES_PER_PART][IPC_MAX_BUCKETS];
	struct ipc_metrics_part part = { .samples = samples };
	struct ipc_metrics_end end = { 0 };

	for (size_t id = 0; id < METRIC_COUNT; id++) {
		for (const struct value *v = ms->families[id]; v != NULL;
		     v = v->next) {
			fill(&samples[part.samples_len],
			    numbers[part.samples_len], (enum metric)id, v);
			if (++part.samples_len < SAMPLES_PER_PART)
				continue;
			(void)ipc_reply_metrics_part(req, &part);
			part.samples_len = 0;
		}
	}
	if (part.samples_len != 0)
		(void)ipc_reply_metrics_part(req, &part);
	return ipc_reply_metrics_end(req, &end);
}
