/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "relay.h"

#include "log.h"
#include "master.h"

/* Bounds for what a worker asks of another.  Who waits has its own, shorter
 * deadline; these end a worker that hangs. */
#define RELAY_QUICK_US (10 * CLK_SEC) /* a signature */
#define RELAY_WORK_US (2 * CLK_MIN)   /* trees, blobs, bodies */

struct relay {
	struct child *from;
	struct ipc_req req; /* how to answer `from` */
	struct child *to;
	struct child_call *call; /* NULL: cancelled */
	struct relay *next;
};

static struct relay *relays;

static void
relay_drop(struct relay *r)
{
	for (struct relay **at = &relays; *at != NULL; at = &(*at)->next) {
		if (*at == r) {
			*at = r->next;
			break;
		}
	}
	free(r);
}

static int
on_part_or_end(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct relay *r = arg;
	struct ipc_req req = r->req;
	bool has_fd;
	int code = FX_OK, fd;

	if (err != NULL) {
		relay_drop(r);
		(void)ipc_reply_fail(&req, err);
		return FX_OK;
	}
	/* blame a malformed frame on its sender, here */
	code = ipc_walk(f->type, &f->body, &has_fd);
	if (ipc_rule(f->type)->kind != IPC_PART)
		relay_drop(r);
	if (code != FX_OK) {
		if (ipc_rule(f->type)->kind != IPC_PART)
			(void)ipc_reply_failf(&req, FX_ERETRY,
			    "the answer was malformed");
		return code;
	}
	fd = f->fd;
	f->fd = -1;
	(void)ipc_reply_raw(&req, f->type, &f->body, fd);
	return FX_OK;
}

static struct child *
destination(const struct child *from, uint32_t type)
{
	struct master *m = from->m;
	const struct ipc_rule *rule = ipc_rule(type);

	for (size_t i = 0; i < m->nchildren; i++) {
		struct child *c = &m->children[i];

		if ((rule->to & IPC_BIT(c->role)) != 0)
			return c;
	}
	return NULL;
}

static int64_t
limit_of(const struct master *m, uint32_t type)
{
	switch (type) {
	case IPC_T_KEY_PUBLIC:
	case IPC_T_KEY_SIGN:
		return RELAY_QUICK_US;
	case IPC_T_SCOPES: /* an API server may take its time to say them */
		return m->cfg.sync_timeout / 1000 + RELAY_WORK_US;
	default:
		return RELAY_WORK_US;
	}
}

/* May this child be connected to where it asks? */
static int
check_connect(struct child *from, struct ipc_frame *f, struct fx_err *err)
{
	struct buf body = f->body;
	struct ipc_connect m;
	int fd = -1, r = ipc_connect_decode(&body, &m, &fd);

	if (r != FX_OK)
		return r;
	if (!mst_may_connect(from->m, from, m.host, m.port))
		r = fx_fail(err, FX_EDENIED,
		    "%s may not connect to %s port %llu", child_name(from),
		    m.host, (unsigned long long)m.port);
	ipc_connect_clear(&m);
	return r;
}

static int
relay_ask(struct child *from, struct ipc_peer *p, struct ipc_frame *f)
{
	struct ipc_req req = { p, f->seq, f->type };
	struct child *to = destination(from, f->type);
	struct fx_err err = { 0 };
	struct relay *r;
	int code;

	if (to == NULL)
		return FX_EDENIED;
	if (f->type == IPC_T_CONNECT) {
		code = check_connect(from, f, &err);
		if (code == FX_EDENIED) {
			log_at(LVL_ERROR, KS("component", "supervisor"),
			    KS("err", err.text));
			return ipc_reply_fail(&req, &err);
		}
		if (code != FX_OK)
			return code;
	}
	r = xcalloc(1, sizeof(*r));
	r->from = from;
	r->to = to;
	r->req = req;
	r->next = relays;
	relays = r;
	r->call = child_ask(to, f->type, &f->body, limit_of(from->m, f->type),
	    on_part_or_end, r);
	if (r->call == NULL) {
		relay_drop(r);
		return ipc_reply_failf(&req, FX_EAGAIN, "%s is overloaded",
		    child_name(to));
	}
	child_call_relayed(r->call);
	return FX_OK;
}

static struct relay *
find(const struct ipc_peer *p, uint64_t seq)
{
	for (struct relay *r = relays; r != NULL; r = r->next)
		if (r->req.peer == p && r->req.seq == seq)
			return r;
	return NULL;
}

static int
relay_control(struct ipc_peer *p, struct ipc_frame *f)
{
	struct relay *r = find(p, f->seq);
	struct ipc_credit m;
	struct ipc_req req;
	int code;

	if (r == NULL)
		return FX_OK; /* an answer of the master's own */
	if (f->type == IPC_T_CANCEL) {
		req = r->req;
		child_cancel(&r->call);
		relay_drop(r);
		return ipc_reply_failf(&req, FX_ECANCELLED, "cancelled");
	}
	code = ipc_credit_decode(&f->body, &m, &f->fd);
	if (code == FX_OK && child_call_seq(r->call) != 0)
		ipc_grant_parts(&r->to->peer, child_call_seq(r->call),
		    (uint32_t)m.parts);
	return code;
}

int
relay_frame(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	const struct ipc_rule *rule = ipc_rule(f->type);

	if (rule->kind == IPC_CONTROL)
		return relay_control(p, f);
	/* no row lets workers tell each other events */
	return rule->kind == IPC_ASK ? relay_ask(ctx, p, f) : FX_EDENIED;
}

void
relay_forget(struct child *c)
{
	struct relay **at = &relays, *r;

	while ((r = *at) != NULL) {
		if (r->from != c) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		child_cancel(&r->call);
		free(r);
	}
}
