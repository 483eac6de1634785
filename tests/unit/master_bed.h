/*
 * master_bed: the master's flows with every worker played by the test.
 *
 * The master is real but for main.c: its children have channels whose far ends
 * are here, time stands still but for bed_pass, and what it logs is kept.  What
 * it asks of a worker waits in a queue until the test takes it:
 *
 *	bed_begin("--sync-interval=5m", NULL);
 *	bed_fetched("aaaa…", "");
 *	bed_take(IPC_R_MANIFEST, IPC_T_LOAD)	-> struct bed_ask
 *	BED_ANSWER(ask, loaded, .set = 1);
 *
 * A question that nobody takes fails the case at its end.
 */
#ifndef FX_MASTER_BED_H
#define FX_MASTER_BED_H

#include "base.h"
#include "log.h"
#include "master.h"
#include "str.h"
#include "test.h"

#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#define BED_ASKS_MAX 64

struct bed_ask {
	enum ipc_role role;
	struct ipc_req req;
	struct buf body;
};

static struct master bed;
/* by role; behind those the ones of the instances on demand */
static struct ipc_peer bed_far[2 * IPC_R_COUNT];
static struct bed_ask bed_asks[BED_ASKS_MAX];
static size_t bed_nasks;
static int64_t bed_now, bed_wall;
static unsigned bed_late_paths;	     /* that the launcher was told */
static bool bed_lists_rest;	     /* as sync was told */
static ipc_handler_fn *bed_on_event; /* of a test that looks at them */

/* The master lives as long as its process and gives nothing back at its end, so
 * each is kept: what one holds is no leak, what it lost is. */
struct bed_kept {
	struct master master;
	struct bed_kept *next;
};
static struct bed_kept *bed_kept;
static int bed_journal[2] = { -1, -1 }; /* of the next bed_begin */
static int bed_spool[2] = { -1, -1 };	/* the same */
static struct buf bed_logged = BUF_INIT(1 << 20);

/* ---- what main.c would do ------------------------------------------------
 */

void
mst_stop(struct master *m, const char *reason, int exit_status)
{
	(void)reason;
	(void)exit_status;
	m->stopping = true;
}

void
mst_lost_launcher(struct master *m)
{
	m->stopping = true;
}

/* ---- the far ends --------------------------------------------------------
 */

static int
bed_on_rest(struct ipc_frame *f)
{
	struct ipc_rest m;
	int rc = ipc_rest_decode(&f->body, &m, &f->fd);

	bed_lists_rest = rc == FX_OK && m.on;
	return rc;
}

static int
bed_on_ask(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	struct bed_ask *a = &bed_asks[bed_nasks];

	(void)ctx;
	bed_late_paths += f->type == IPC_T_LATE_PATH;
	if (f->type == IPC_T_REST)
		want_int(bed_on_rest(f), FX_OK);
	if (ipc_rule(f->type)->kind == IPC_EVENT && bed_on_event != NULL)
		return bed_on_event(ctx, p, f);
	if (ipc_rule(f->type)->kind != IPC_ASK)
		return FX_OK;
	if (f->type == IPC_T_USAGE)
		return ipc_reply_usage_is(&(struct ipc_req){ p, f->seq,
					      f->type },
		    &(struct ipc_usage_is){ .cpu_us = 1500000 });
	if (f->type == IPC_T_PING)
		return ipc_reply_pong(&(struct ipc_req){ p, f->seq, f->type },
		    &(struct ipc_pong){ 0 });
	if (bed_nasks == BED_ASKS_MAX)
		fx_bug("the test takes no questions");
	bed_nasks++;
	*a = (struct bed_ask){ p->self, { p, f->seq, f->type },
		BUF_INIT(IPC_MAX_FRAME) };
	return buf_put(&a->body, buf_head(&f->body), buf_left(&f->body));
}

/* Whatever comes is kept; CREDIT and CANCEL are the peer's own business. */
static const struct ipc_handler *
bed_handlers(size_t *n)
{
	static struct ipc_handler handlers[IPC_T_COUNT];

	for (uint32_t t = 1; t < IPC_T_COUNT; t++)
		handlers[t - 1] = (struct ipc_handler){ t, bed_on_ask };
	*n = IPC_T_COUNT - 1;
	return handlers;
}

static inline struct ipc_peer *
bed_end_of(const struct child *c)
{
	return &bed_far[c->role + (c->on_demand ? IPC_R_COUNT : 0)];
}

/* A channel to this child: its far end is ours, the near one is returned. */
static int
bed_channel(struct child *c)
{
	struct ipc_peer *far = bed_end_of(c);
	size_t n;
	const struct ipc_handler *h = bed_handlers(&n);
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		ends) == -1)
		fx_bug("socketpair");
	ipc_peer_init(far, ends[1], c->role, IPC_R_MASTER, c->instance);
	ipc_peer_handlers(far, h, n, NULL);
	return ends[0];
}

static void
bed_wire(struct child *c)
{
	c->incarnation++;
	c->told_to_stop = c->renew = false;
	child_adopt(c, bed_channel(c), 100 + c->role);
	bed_end_of(c)->phase = IPC_PH_RUN;
}

/* Let everything that is on its way arrive. */
static void
bed_turn(void)
{
	for (int i = 0; i < 20; i++) {
		for (size_t k = 0; k < bed.nchildren; k++)
			child_flush(&bed.children[k]);
		child_flush(&bed.launcher);
		loop_turn(bed.loop, 0);
		for (size_t r = 0; r < nitems(bed_far); r++) {
			if (bed_far[r].handlers == NULL || bed_far[r].fd == -1)
				continue;
			(void)!ipc_peer_write(&bed_far[r]);
			(void)!ipc_peer_read(&bed_far[r], 100);
		}
	}
}

/* Time passes, in steps no timer can hide in. */
static inline void
bed_pass(int64_t us)
{
	for (int64_t step = us / 50 + 1; us > 0; us -= step) {
		bed_now += step < us ? step : us;
		bed_wall += step < us ? step : us;
		bed_turn();
	}
}

/* The oldest question of this type that waits; type 0 if there is none. */
static struct bed_ask
bed_find(enum ipc_role role, uint32_t type)
{
	struct bed_ask a = { 0 };

	bed_turn();
	for (size_t i = 0; i < bed_nasks; i++) {
		if (bed_asks[i].role != role || bed_asks[i].req.type != type)
			continue;
		a = bed_asks[i];
		bed_nasks--;
		memmove(&bed_asks[i], &bed_asks[i + 1],
		    (bed_nasks - i) * sizeof(a));
		break;
	}
	return a;
}

static inline struct bed_ask
bed_take_at(enum ipc_role role, uint32_t type, int line)
{
	struct bed_ask a = bed_find(role, type);

	if (a.req.type == 0)
		test_check(false, __FILE__, line, ipc_type_name(type));
	return a;
}
#define bed_take(role, type) bed_take_at((role), (type), __LINE__)

/* It has to be asked, and that is all. */
#define bed_drop(role, type)                                                   \
	do {                                                                   \
		struct bed_ask ask_ = bed_take((role), (type));                \
                                                                               \
		buf_clear(&ask_.body);                                         \
	} while (0)

/* Is this not asked? */
static inline bool
bed_none(enum ipc_role role, uint32_t type)
{
	struct bed_ask a = bed_find(role, type);

	buf_clear(&a.body);
	return a.req.type == 0;
}

/* Read the question's fields; to be cleared by the caller. */
#define BED_READ(ask, name, out)                                               \
	(ipc_##name##_decode(&(ask).body, (out), &(int){ -1 }) == FX_OK)

#define BED_ANSWER(ask, name, ...)                                             \
	do {                                                                   \
		struct bed_ask ask_ = (ask);                                   \
		const struct ipc_##name m_ = { __VA_ARGS__ };                  \
                                                                               \
		if (ask_.req.type != 0)                                        \
			want_int(ipc_reply_##name(&ask_.req, &m_), FX_OK);     \
		buf_clear(&ask_.body);                                         \
		bed_turn();                                                    \
	} while (0)

/* A part: the question stays. */
#define BED_PART(ask, name, ...)                                               \
	do {                                                                   \
		const struct ipc_##name m_ = { __VA_ARGS__ };                  \
                                                                               \
		if ((ask).req.type != 0)                                       \
			want_int(ipc_reply_##name(&(ask).req, &m_), FX_OK);    \
		bed_turn();                                                    \
	} while (0)

static inline void
bed_fail(struct bed_ask ask, int code, const char *text)
{
	if (ask.req.type != 0)
		(void)ipc_reply_failf(&ask.req, code, "%s", text);
	buf_clear(&ask.body);
	bed_turn();
}

/* It says that it is ready, and the launcher that it is confined. */
static inline void
bed_run(struct child *c)
{
	struct bed_ask inspect;

	bed_wire(c);
	child_is_ready(c,
	    &(struct ipc_ready){ .root = (char *)(uintptr_t) "empty",
		.missing = (char *)(uintptr_t) "" });
	while (c->role == IPC_R_LAUNCHER) {
		inspect = bed_find(IPC_R_LAUNCHER, IPC_T_INSPECT);
		if (inspect.req.type == 0)
			return; /* the master and who starts workers */
		BED_ANSWER(inspect, inspected, .no_new_privs = 1);
	}
	inspect = bed_take(IPC_R_LAUNCHER, IPC_T_INSPECT);
	BED_ANSWER(inspect, inspected, .pid = c->pid, .seccomp = 2,
	    .no_new_privs = 1);
}

/* The worker ends, and its next incarnation is there. */
static inline void
bed_kill(enum ipc_role role)
{
	struct child *c = mst_child(&bed, role);

	ipc_peer_close(&bed_far[role]);
	for (size_t i = 0; i < bed_nasks;) {
		if (bed_asks[i].role == role) {
			buf_clear(&bed_asks[i].body);
			bed_asks[i] = bed_asks[--bed_nasks];
		} else {
			i++;
		}
	}
	bed_turn();
	child_exited(c, c->pid, 9);
	loop_timer_stop(bed.loop, &c->retry);
	bed_run(c);
}

/* ---- the log -------------------------------------------------------------
 */

static void
bed_sink(void *arg, enum log_level level, const char *caller,
    const struct log_pair *p, size_t n)
{
	(void)arg;
	(void)level;
	(void)caller;
	logfmt_add_fmt(&bed_logged, p, n);
}

/* Was this a part of what was logged since the last bed_forget? */
static inline bool
bed_has_logged(const char *text)
{
	(void)str_addc(&bed_logged, '\0');
	bed_logged.len--;
	return strstr((const char *)buf_head(&bed_logged), text) != NULL;
}

static inline bool
bed_logs(const char *text)
{
	bool yes = bed_has_logged(text);

	if (!yes)
		printf("# not logged: %s\n# but:\n# %.*s\n", text,
		    (int)buf_left(&bed_logged),
		    (const char *)buf_head(&bed_logged));
	return yes;
}
#define want_log(text) want(bed_logs(text))
#define want_no_log(text) want(!bed_has_logged(text))

static inline void
bed_forget(void)
{
	buf_reset(&bed_logged);
}

/* ---- metrics -------------------------------------------------------------
 */

static int64_t bed_sample_us, bed_sample_count;

static int
bed_on_metrics(void *arg, struct ipc_frame *f)
{
	const struct ipc_sample *want = arg;
	struct ipc_metrics_part part;

	if (f == NULL || f->type != IPC_T_METRICS_PART ||
	    ipc_metrics_part_decode(&f->body, &part, &f->fd) != FX_OK)
		return FX_OK;
	for (size_t i = 0; i < part.samples_len; i++)
		if (part.samples[i].metric == want->metric &&
		    strcmp(part.samples[i].labels, want->labels) == 0) {
			bed_sample_us = part.samples[i].value_us;
			bed_sample_count = (int64_t)part.samples[i].count;
		}
	ipc_metrics_part_clear(&part);
	return FX_OK;
}

/* The value of a gauge or counter, or the sum of a histogram in seconds, as
 * the api worker would get it; -1: there is none. */
static inline int64_t
bed_gauge(enum metric id, const char *labels)
{
	struct ipc_sample want = { .metric = id,
		.labels = (char *)(uintptr_t)labels };
	const struct ipc_metrics q = { 0 };

	bed_sample_us = bed_sample_count = -1000000;
	(void)ipc_ask_metrics(&bed_far[IPC_R_API], &q, bed_on_metrics, &want);
	bed_turn();
	return bed_sample_us / 1000000;
}

/* ---- begin and end -------------------------------------------------------
 */

/* Flags, then NULL. */
static inline void
bed_begin(const char *flag, ...)
{
	char *argv[8] = { (char *)(uintptr_t) "fluxd",
		(char *)(uintptr_t) "--git-url=git@h:o/r" };
	struct buf notice = BUF_INIT(4096);
	struct fx_err err = { 0 };
	int argc = 2;
	va_list ap;

	va_start(ap, flag);
	for (; flag != NULL && argc < 8; flag = va_arg(ap, const char *))
		argv[argc++] = (char *)(uintptr_t)flag;
	va_end(ap);
	memset(&bed, 0, sizeof(bed));
	bed_now = 1000 * CLK_SEC;
	bed_wall = 1700000000 * CLK_SEC;
	clk_fake(&bed_now, &bed_wall);
	log_to(bed_sink, NULL);
	bed_forget();
	config_init(&bed.cfg);
	want_int(config_parse(&bed.cfg, argc, argv, &notice, &err), FX_OK);
	buf_clear(&notice);
	bed.loop = loop_new();
	bed.metrics = metrics_new();
	bed.has_url = bed.has_key_ring = true;
	bed.url_show = xstrdup("ssh://git@h/o/r");
	want_int(jobs_open(&bed.jobs, bed_journal[0], bed_journal[1], &err),
	    FX_OK);
	want_int(spool_open(&bed.spool, bed_spool[0], bed_spool[1], &err),
	    FX_OK);
	mst_init_children(&bed);
	child_init(&bed.self, &bed, IPC_R_MASTER, 0);
	child_init(&bed.launch_net, &bed, IPC_R_LAUNCH_NET, 0);
	bed_run(&bed.launcher);
	for (size_t i = 0; i < bed.nchildren; i++)
		if (!bed.children[i].on_demand)
			bed_run(&bed.children[i]);
	/* the questions of every start */
	bed_fail(bed_take(IPC_R_KEY, IPC_T_KEY_PUBLIC), FX_EFAIL, "no key");
	BED_ANSWER(bed_take(IPC_R_SYNC, IPC_T_CLUSTER), cluster_is,
	    .host = (char *)(uintptr_t) "https://k",
	    .version = (char *)(uintptr_t) "v1.30.0");
	marker_init(&bed);
	sync_init(&bed);
	mirror_init(&bed);
	jobs_resume(&bed);
	spool_resume(&bed);
	bed_turn();
}

/* The fetch that waits brings this; writing is checked the first time. */
static inline void
bed_fetched(const char *head, const char *marker)
{
	struct bed_ask check;

	BED_ANSWER(bed_take(IPC_R_GIT_REMOTE, IPC_T_FETCH), fetched,
	    .head = (char *)(uintptr_t)head,
	    .marker = (char *)(uintptr_t)marker);
	check = bed_find(IPC_R_GIT_REMOTE, IPC_T_CHECK_WRITE);
	if (check.req.type != 0)
		BED_ANSWER(check, writable, 0);
}

static inline void
bed_end(void)
{
	struct bed_kept *kept;

	for (size_t i = 0; i < bed_nasks; i++) {
		printf("# not taken: %s of %s\n",
		    ipc_type_name(bed_asks[i].req.type),
		    ipc_role_name(bed_asks[i].role));
		want(false);
		buf_clear(&bed_asks[i].body);
	}
	bed_nasks = 0;
	bed.stopping = true;
	for (size_t i = 0; i < bed.nchildren; i++)
		ipc_peer_close(&bed.children[i].peer);
	ipc_peer_close(&bed.launcher.peer);
	for (size_t r = 0; r < nitems(bed_far); r++)
		if (bed_far[r].handlers != NULL)
			ipc_peer_close(&bed_far[r]);
	config_clear(&bed.cfg);
	loop_free(&bed.loop);
	clk_fake(NULL, NULL);
	kept = xcalloc(1, sizeof(*kept));
	*kept = (struct bed_kept){ bed, bed_kept };
	bed_kept = kept;
}

#endif
