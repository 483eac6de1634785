/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "ipc_peer.h"
#include "metrics.h"
#include "test.h"

#include <stdio.h>
#include <sys/socket.h>

static struct metrics *ms;

static void
begin(void)
{
	ms = metrics_new();
}

static void
end(void)
{
	for (int id = 0; id < METRIC_COUNT; id++)
		metrics_forget(ms, (enum metric)id);
	free(ms);
}

static int
report(uint64_t metric, enum ipc_role from, const char *labels, int64_t us)
{
	const struct ipc_metric m = { .metric = metric,
		.labels = (char *)(uintptr_t)labels,
		.value_us = us };

	return metrics_from_child(ms, from, &m);
}

/* ---- what the api worker is told ----------------------------------------- */

static struct sample {
	size_t sets; /* label sets of the family */
	bool there;  /* the one that is looked for */
	int64_t us;
	uint64_t count, first, last; /* first and last bucket */
} found;

struct wanted {
	enum metric id;
	const char *labels;
};

static int
on_asked(struct metrics *m, const struct ipc_req *req, struct ipc_metrics *q)
{
	(void)q;
	return metrics_reply(m, req);
}
IPC_HANDLER(metrics, on_asked, struct metrics)

static int
on_answer(void *arg, struct ipc_frame *f)
{
	const struct wanted *w = arg;
	struct ipc_metrics_part part;

	if (f == NULL || f->type != IPC_T_METRICS_PART)
		return FX_OK;
	want_int(ipc_metrics_part_decode(&f->body, &part, &f->fd), FX_OK);
	for (size_t i = 0; i < part.samples_len; i++) {
		const struct ipc_sample *s = &part.samples[i];

		if (s->metric != w->id)
			continue;
		found.sets++;
		if (strcmp(s->labels, w->labels) != 0)
			continue;
		found.there = true;
		found.us = s->value_us;
		found.count = s->count;
		if (s->buckets_len == 0)
			continue;
		found.first = s->buckets[0].n;
		found.last = s->buckets[s->buckets_len - 1].n;
	}
	ipc_metrics_part_clear(&part);
	return FX_OK;
}

static void
look(enum metric id, const char *labels)
{
	static const struct ipc_handler handlers[] = {
		{ IPC_T_METRICS, on_asked_frame },
	};
	const struct ipc_metrics q = { 0 };
	struct wanted w = { id, labels };
	struct ipc_peer master, api;
	int fds[2];

	found = (struct sample){ 0 };
	want_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	ipc_peer_init(&master, fds[0], IPC_R_MASTER, IPC_R_API, 0);
	ipc_peer_init(&api, fds[1], IPC_R_API, IPC_R_MASTER, 0);
	ipc_peer_handlers(&master, handlers, nitems(handlers), ms);
	master.phase = api.phase = IPC_PH_RUN;
	want(ipc_ask_metrics(&api, &q, on_answer, &w) != 0);
	for (int i = 0; i < 1000 && api.nasks != 0; i++) {
		want_int(ipc_peer_write(&api), FX_OK);
		want_int(ipc_peer_read(&master, 1), FX_OK);
		want_int(ipc_peer_write(&master), FX_OK);
		want_int(ipc_peer_read(&api, 1), FX_OK);
	}
	want_int(api.nasks, 0);
	ipc_peer_close(&master);
	ipc_peer_close(&api);
}

/* ---- cases ----------------------------------------------------------------
 */

/* Each metric from each role: a worker that has fallen reports nothing but what
 * is its own. */
static void
test_reporters(void)
{
	static const struct {
		enum metric id;
		enum ipc_role from;
	} may[] = {
		{ METRIC_REQUEST_DURATION, IPC_R_API },
		{ METRIC_SCRAPES, IPC_R_API },
		{ METRIC_CONTESTED_OBJECTS, IPC_R_SYNC },
		{ METRIC_UNLISTED_KINDS, IPC_R_SYNC },
		{ METRIC_INVENTORY_KEPT, IPC_R_SYNC },
	};

	begin();
	for (int id = 0; id < METRIC_COUNT; id++)
		for (int role = 0; role < IPC_R_COUNT; role++) {
			bool ok = false;

			for (size_t i = 0; i < nitems(may); i++)
				ok = ok ||
				    (may[i].id == (enum metric)id &&
					may[i].from == (enum ipc_role)role);
			if (!want_int(report((uint64_t)id, (enum ipc_role)role,
					  "", 1),
				ok ? FX_OK : FX_EDENIED))
				printf("# metric %d from %s\n", id,
				    ipc_role_name((enum ipc_role)role));
		}
	end();
}

static void
test_no_such_metric(void)
{
	static const uint64_t none[] = { METRIC_COUNT, METRIC_COUNT + 1,
		UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX };

	begin();
	for (size_t i = 0; i < nitems(none); i++)
		want_int(report(none[i], IPC_R_API, "", 1), FX_EDENIED);
	end();
}

static void
test_labels(void)
{
	static const struct {
		const char *labels;
		bool ok;
	} tv[] = {
		{ "", true },
		{ "code=\"200\"", true },
		{ "method=\"GET\",route=\"/api/flux/v6/x-y_z.1:2\"", true },
		{ "a=\"b\"} 1\nforged 1", false },
		{ "a=\"b\"\n", false },
		{ "a=\"\\\"\"", false },
		{ "a=\"b c\"", false },
		{ "a=\"\x7f\"", false },
		{ "a=\"\xc3\xa4\"", false },
		{ "{", false },
		{ "#", false },
	};

	begin();
	for (size_t i = 0; i < nitems(tv); i++)
		if (!want_int(report(METRIC_SCRAPES, IPC_R_API, tv[i].labels,
				  1),
			tv[i].ok ? FX_OK : FX_EDENIED))
			printf("# %s\n", tv[i].labels);
	end();
}

/* As many label sets as the bound, whatever a worker makes up. */
static void
test_bounds(void)
{
	char labels[256];

	begin();
	for (int i = 0; i < 1000; i++) {
		snprintf(labels, sizeof(labels), "n=\"%d\"", i);
		want_int(report(METRIC_REQUEST_DURATION, IPC_R_API, labels, 1),
		    FX_OK);
	}
	look(METRIC_REQUEST_DURATION, "n=\"0\"");
	want_int(found.sets, 256);
	want(found.there);
	/* those that are there go on */
	want_int(report(METRIC_REQUEST_DURATION, IPC_R_API, "n=\"0\"", 2),
	    FX_OK);
	look(METRIC_REQUEST_DURATION, "n=\"0\"");
	want_int(found.us, 3);
	for (int i = 0; i < 1000; i++) {
		snprintf(labels, sizeof(labels), "n=\"%d\"", i);
		want_int(report(METRIC_SCRAPES, IPC_R_API, labels, 1), FX_OK);
	}
	look(METRIC_SCRAPES, "");
	want_int(found.sets, 32);
	end();
}

static void
test_kinds(void)
{
	begin();
	/* a counter adds, and stays where it can go no further */
	want_int(report(METRIC_CONTESTED_OBJECTS, IPC_R_SYNC, "", 5), FX_OK);
	want_int(report(METRIC_CONTESTED_OBJECTS, IPC_R_SYNC, "", 6), FX_OK);
	look(METRIC_CONTESTED_OBJECTS, "");
	want_int(found.us, 11);
	want_int(report(METRIC_CONTESTED_OBJECTS, IPC_R_SYNC, "", INT64_MAX),
	    FX_OK);
	look(METRIC_CONTESTED_OBJECTS, "");
	want_int(found.us, INT64_MAX);
	/* a histogram: up to and with a bound, cumulative, and beyond all */
	for (int i = 0; i < 3; i++)
		want_int(report(METRIC_REQUEST_DURATION, IPC_R_API, "", 5000),
		    FX_OK);
	want_int(report(METRIC_REQUEST_DURATION, IPC_R_API, "", 5001), FX_OK);
	want_int(report(METRIC_REQUEST_DURATION, IPC_R_API, "", 10000001),
	    FX_OK);
	look(METRIC_REQUEST_DURATION, "");
	want_int(found.count, 5);
	want_int(found.first, 3);
	want_int(found.last, 4);
	want_int(found.us, 3 * 5000 + 5001 + 10000001);
	/* a gauge is what it was set to last */
	metrics_set(ms, METRIC_GIT_READY, "", 1);
	metrics_set(ms, METRIC_GIT_READY, "", 0);
	look(METRIC_GIT_READY, "");
	want(found.there);
	want_int(found.us, 0);
	metrics_forget(ms, METRIC_GIT_READY);
	look(METRIC_GIT_READY, "");
	want(!found.there);
	end();
}

int
main(void)
{
	test_run("metrics: a worker reports its own and no other",
	    test_reporters);
	test_run("metrics: there is none beyond the table",
	    test_no_such_metric);
	test_run("metrics: labels cannot end the line", test_labels);
	test_run("metrics: label sets are bounded", test_bounds);
	test_run("metrics: gauges, counters and histograms", test_kinds);
	return test_done();
}
