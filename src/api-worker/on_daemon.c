/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ask.h"

#include "exposition.h"
#include "jsonw.h"
#include "str.h"

/* ---- the daemon itself -------------------------------------------------- */

static void
pong(struct http_request *r, const struct ipc_client_pong *m)
{
	(void)m;
	answer_empty(&r->answer, 204);
}
AW_ANSWER(client_pong, pong)

void
aw_on_ping(struct http_request *r)
{
	const struct ipc_client_ping m = { 0 };

	aw_asked(r, ipc_ask_client_ping(aw_master(r), &m, pong_frame, r));
}

void
aw_on_version(struct http_request *r)
{
	jw_string(answer_json(&r->answer), PACKAGE_VERSION);
}

static void
add_process(struct buf *b, const struct ipc_process *p)
{
	str_addc(b, '{');
	jw_member(b, "role", p->role);
	str_addf(b, ",\"instance\":%llu,\"pid\":%llu,",
	    (unsigned long long)p->instance, (unsigned long long)p->pid);
	jw_member(b, "state", p->state);
	str_addf(b,
	    ",\"uid\":%llu,\"seccomp\":%llu,\"noNewPrivs\":%s,"
	    "\"caps\":%llu,",
	    (unsigned long long)p->uid, (unsigned long long)p->seccomp,
	    p->no_new_privs ? "true" : "false", (unsigned long long)p->caps);
	jw_member(b, "landlock", p->landlock);
	str_addc(b, ',');
	jw_member(b, "root", p->root);
	str_addc(b, ',');
	jw_member(b, "holds", p->holds);
	str_addf(b, ",\"restarts\":%llu}", (unsigned long long)p->restarts);
}

static void
processes(struct http_request *r, const struct ipc_processes_are *m)
{
	struct buf *b = answer_json(&r->answer);

	str_addc(b, '[');
	for (size_t i = 0; i < m->processes_len; i++) {
		if (i != 0)
			str_addc(b, ',');
		add_process(b, &m->processes[i]);
	}
	str_addc(b, ']');
}
AW_ANSWER(processes_are, processes)

void
aw_on_sandbox(struct http_request *r)
{
	const struct ipc_processes m = { 0 };

	aw_asked(r, ipc_ask_processes(aw_master(r), &m, processes_frame, r));
}

/* ---- metrics ------------------------------------------------------------ */

static int
add_sample(struct exposition *x, const struct ipc_sample *s)
{
	uint64_t buckets[IPC_MAX_BUCKETS];

	for (size_t i = 0; i < s->buckets_len; i++)
		buckets[i] = s->buckets[i].n;
	if (s->metric >= METRIC_COUNT)
		return FX_ESYNTAX;
	return exposition_add(x, (unsigned)s->metric, s->labels, s->value_us,
	    s->count, buckets, s->buckets_len);
}

static int
take_samples(struct exposition *x, struct ipc_frame *f)
{
	struct ipc_metrics_part m;
	int r = ipc_metrics_part_decode(&f->body, &m, &f->fd);

	if (r != FX_OK)
		return r;
	for (size_t i = 0; r == FX_OK && i < m.samples_len; i++)
		r = add_sample(x, &m.samples[i]);
	ipc_metrics_part_clear(&m);
	return r;
}

static void
metrics_end(struct http_request *r, const struct ipc_metrics_end *m)
{
	(void)m;
	answer_text(&r->answer, 200, "");
	r->answer.type = EXPOSITION_TYPE;
	exposition_write(r->work, &r->answer.body);
}
AW_ANSWER(metrics_end, metrics_end)

static int
metrics_frame(void *arg, struct ipc_frame *f)
{
	struct http_request *r = arg;

	return f != NULL && f->type == IPC_T_METRICS_PART
	    ? take_samples(r->work, f)
	    : metrics_end_frame(arg, f);
}

static void
drop_exposition(void *work)
{
	exposition_clear(work);
	free(work);
}

void
aw_on_metrics(struct http_request *r)
{
	const struct ipc_metrics m = { 0 };

	r->work = xcalloc(1, sizeof(struct exposition));
	r->drop = drop_exposition;
	aw_asked(r, ipc_ask_metrics(aw_master(r), &m, metrics_frame, r));
	if (r->ask == 0)
		aw_forget(r);
}
