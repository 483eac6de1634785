/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "api_lists.h"

#include <stdio.h>
#include <unistd.h>

#include "str.h"

#define STALE_SET 7

#define T(text) ((char *)(uintptr_t)(text))

void
lists_init(struct lists *l, int asked)
{
	*l = (struct lists){ .asked = asked };
	lists_state(l, "state ready");
}

void
lists_state(struct lists *l, const char *url)
{
	if (!str_starts(url, "state "))
		return;
	snprintf(l->state, sizeof(l->state), "%s", url + strlen("state "));
	l->questions = 0;
}

static bool
in_state(const struct lists *l, const char *word)
{
	return strcmp(l->state, word) == 0;
}

/* ---- the repository ----------------------------------------------------- */

static int
on_repository(struct lists *l, const struct ipc_req *req,
    struct ipc_repository *m)
{
	struct ipc_repository_is is = {
		.state = in_state(l, "notready") ? IPC_REPOSITORY_NOT_READY
		    : in_state(l, "none")	 ? IPC_REPOSITORY_NONE
						 : IPC_REPOSITORY_READY,
		.read_only = in_state(l, "readonly"),
		.error = T(in_state(l, "broken") ? "a.yaml: not <yaml>" : ""),
	};

	(void)m;
	l->questions++;
	if (in_state(l, "silent"))
		return FX_OK;
	if (in_state(l, "failed"))
		return ipc_reply_failf(req, FX_ERETRY, "the load was lost");
	if (is.state == IPC_REPOSITORY_READY)
		is.set = 1;
	/* the first number is of a set that is gone when it is named */
	if (in_state(l, "gone") || (in_state(l, "stale") && l->questions == 1))
		is.set = STALE_SET;
	return ipc_reply_repository_is(req, &is);
}
IPC_HANDLER(repository, on_repository, struct lists)

/* Git has what is called web, locked, and of the many each second one. */
static bool
is_declared(const char *id)
{
	return str_ends(id, "/web") || str_ends(id, "/locked") ||
	    (strstr(id, "/w") != NULL && str_ends(id, "0"));
}

static int
reply_declared(const struct ipc_req *req, const char *id)
{
	struct ipc_named automated[] = {
		{ T("tag.web"), T("semver:~1.2") },
		{ T("automated"), T("true") },
	};
	struct ipc_named locked[] = {
		{ T("locked_msg"), T("<why> & \"what\"") },
		{ T("locked"), T("true") },
		{ T("ignore"), T("sync_only") },
	};
	bool lock = str_ends(id, "/locked");
	struct ipc_declaration d = {
		.id = T(id),
		.policies = lock ? locked : automated,
		.policies_len = lock ? nitems(locked) : nitems(automated),
	};
	const struct ipc_declared_part part = { &d, 1, 0 };

	return ipc_reply_declared_part(req, &part);
}

/* As much as one message has room for, of what is six times as long in JSON. */
static int
reply_heavy(const struct ipc_req *req, const char *id)
{
	static char value[IPC_MAX_TEXT + 1];
	struct ipc_named policies[IPC_MAX_FRAME / (IPC_MAX_TEXT + 64)];
	struct ipc_declaration d = {
		.id = T(id),
		.policies = policies,
		.policies_len = nitems(policies),
	};
	const struct ipc_declared_part part = { &d, 1, 0 };

	memset(value, '<', sizeof(value) - 1);
	for (size_t i = 0; i < nitems(policies); i++)
		policies[i] = (struct ipc_named){ T("locked_msg"), value };
	return ipc_reply_declared_part(req, &part);
}

/* "heavy": everything in git is that; "later": what comes in later parts of the
 * namespace "big". */
static bool
is_heavy(const struct lists *l, const char *id)
{
	const char *name = strstr(id, "/w");

	return in_state(l, "heavy") ||
	    (in_state(l, "later") && name != NULL &&
		strtoul(name + 2, NULL, 10) >= LISTS_BIG_EACH);
}

struct lists_stream {
	struct ipc_req req;
	struct ipc_text *ids; /* DECLARED: owned */
	size_t next, total;
	bool fails;  /* at its end */
	bool silent; /* nothing comes */
	struct lists_stream *further;
};

static struct lists_stream *
add_stream(struct lists *l, const struct ipc_req *req, size_t total)
{
	struct lists_stream *s = xcalloc(1, sizeof(*s));

	s->req = *req;
	s->total = total;
	s->further = l->streams;
	l->streams = s;
	return s;
}

static int
on_declared(struct lists *l, const struct ipc_req *req, struct ipc_declared *m)
{
	struct lists_stream *s;

	if (m->set == STALE_SET)
		return ipc_reply_failf(req, FX_ENEEDFULL,
		    "there is no such set any more");
	s = add_stream(l, req, m->ids_len);
	s->ids = fx_steal(&m->ids);
	m->ids_len = 0;
	return FX_OK;
}
IPC_HANDLER(declared, on_declared, struct lists)

/* ---- the cluster -------------------------------------------------------- */

static struct ipc_text messages[] = { { T("quota <exceeded>") } };
static struct ipc_named labels[] = { { T("b"), T("2") },
	{ T("app"), T("web") } };
static struct ipc_named web_images[] = {
	{ T("web"), T("registry.example.org/shop/web:1.2.0") },
	{ T("init"), T("busybox:1@sha256:abcd") },
};
static struct ipc_named bad_images[] = {
	{ T("good"), T("alpine:3") },
	{ T("bad"), T("a:b:c") },
};

static struct ipc_workload shop[] = {
	{ .id = T("shop:deployment/web"),
	    .status = T("ready"),
	    .desired = 2,
	    .updated = 2,
	    .ready = 2,
	    .available = 2,
	    .error = T(""),
	    .antecedent = T(""),
	    .labels = labels,
	    .labels_len = nitems(labels),
	    .containers = web_images,
	    .containers_len = nitems(web_images) },
	{ .id = T("shop:cronjob/nightly"),
	    .status = T("ready"),
	    .error = T(""),
	    .antecedent = T("") },
};

static struct ipc_workload odd[] = {
	{ .id = T("odd:deployment/not an id") },
	{ .id = T("odd:Deployment/locked"),
	    .status = T("error"),
	    .desired = 3,
	    .updated = 4,
	    .outdated = -1,
	    .messages = messages,
	    .messages_len = 1,
	    .error = T("running kubectl: \"no\"\n"),
	    .antecedent = T("odd:helmrelease/r"),
	    .containers = bad_images,
	    .containers_len = nitems(bad_images) },
	{ .id = T("odd:helmrelease/r"),
	    .status = T(""),
	    .error = T(""),
	    .antecedent = T("not an id"),
	    .containers = web_images,
	    .containers_len = 1 },
};

static int
reply_workloads(const struct ipc_req *req, struct ipc_workload *w, size_t n)
{
	const struct ipc_workloads_part part = { w, n, 0 };

	return ipc_reply_workloads_part(req, &part);
}

static int
reply_many(const struct ipc_req *req, size_t part)
{
	static struct ipc_workload w[LISTS_BIG_EACH];
	int r;

	for (size_t i = 0; i < LISTS_BIG_EACH; i++) {
		w[i] = shop[0];
		w[i].id = xasprintf("big:deployment/w%06zu",
		    part * LISTS_BIG_EACH + i);
	}
	r = reply_workloads(req, w, LISTS_BIG_EACH);
	for (size_t i = 0; i < LISTS_BIG_EACH; i++)
		free(w[i].id);
	return r;
}

/* Those that were asked for by name. */
static int
reply_named(const struct ipc_req *req, const struct ipc_workloads *m)
{
	for (size_t i = 0; i < m->ids_len; i++)
		for (size_t k = 0; k < nitems(shop); k++)
			if (strcmp(shop[k].id, m->ids[i].s) == 0)
				(void)reply_workloads(req, &shop[k], 1);
	return FX_OK;
}

static int
on_workloads(struct lists *l, const struct ipc_req *req,
    struct ipc_workloads *m)
{
	const struct ipc_workloads_end end = { 0 };
	const char *ns = m->ns;

	if (strcmp(ns, "silent") == 0) {
		add_stream(l, req, 1)->silent = true;
		return FX_OK;
	}
	if (strcmp(ns, "big") == 0 || strcmp(ns, "half") == 0) {
		add_stream(l, req, LISTS_BIG_PARTS)->fails =
		    strcmp(ns, "half") == 0;
		return FX_OK;
	}
	if (strcmp(ns, "fail") == 0)
		return ipc_reply_failf(req, FX_EFAIL, "no <route> to host");
	if (strcmp(ns, "early") == 0) {
		(void)reply_workloads(req, NULL, 0);
		return ipc_reply_failf(req, FX_EFAIL, "the server went away");
	}
	if (m->ids_len != 0)
		(void)reply_named(req, m);
	else if (strcmp(ns, "odd") == 0)
		(void)reply_workloads(req, odd, nitems(odd));
	else if (strcmp(ns, "parts") == 0)
		for (size_t i = 0; i < 4; i++)
			(void)reply_workloads(req, &shop[i / 2], i % 2);
	else if (strcmp(ns, "none") != 0)
		(void)reply_workloads(req, shop, nitems(shop));
	return ipc_reply_workloads_end(req, &end);
}
IPC_HANDLER(workloads, on_workloads, struct lists)

static int
on_export(struct lists *l, const struct ipc_req *req, struct ipc_export *m)
{
	static const char *const yaml[] = { "---\nkind: ", "Namespace", "\n",
		"" };
	const struct ipc_export_end end = { 0 };

	(void)m;
	if (in_state(l, "failed"))
		return ipc_reply_failf(req, FX_EFAIL,
		    "getting namespaces: forbidden");
	if (in_state(l, "big") || in_state(l, "half")) {
		add_stream(l, req, LISTS_BIG_PARTS)->fails =
		    in_state(l, "half");
		return FX_OK;
	}
	for (size_t i = 0; i < nitems(yaml); i++) {
		const struct ipc_export_part part = {
			{ (uint8_t *)T(yaml[i]), strlen(yaml[i]) }, 0
		};

		(void)ipc_reply_export_part(req, &part);
	}
	return ipc_reply_export_end(req, &end);
}
IPC_HANDLER(export, on_export, struct lists)

static int
on_sync_errors(struct lists *l, const struct ipc_req *req,
    struct ipc_sync_errors *m)
{
	struct ipc_failed_object two[] = {
		{ T("shop:deployment/web"), T("no <such> namespace") },
		{ T("shop:secret/x"), T("refused") },
	};
	const struct ipc_sync_errors_are are = { .total = 3,
		.errors = two,
		.errors_len = nitems(two) };
	const struct ipc_sync_errors_are none = { 0 };

	(void)m;
	if (in_state(l, "failed"))
		return ipc_reply_failf(req, FX_EFAIL, "no cluster");
	return ipc_reply_sync_errors_are(req,
	    in_state(l, "big") ? &are : &none);
}
IPC_HANDLER(sync_errors, on_sync_errors, struct lists)

/* ---- streams ------------------------------------------------------------ */

static void
send_next(const struct lists *l, struct lists_stream *s)
{
	static uint8_t text[IPC_MAX_CHUNK - 1];
	const struct ipc_export_part part = { { text, sizeof(text) }, 0 };

	memset(text, 'a', sizeof(text));
	if (s->req.type == IPC_T_EXPORT)
		(void)ipc_reply_export_part(&s->req, &part);
	else if (s->req.type == IPC_T_WORKLOADS)
		(void)reply_many(&s->req, s->next);
	else if (is_declared(s->ids[s->next].s))
		(void)(is_heavy(l, s->ids[s->next].s)
			? reply_heavy(&s->req, s->ids[s->next].s)
			: reply_declared(&s->req, s->ids[s->next].s));
	s->next++;
}

static void
send_end(struct lists_stream *s)
{
	const struct ipc_export_end export_end = { 0 };
	const struct ipc_workloads_end workloads_end = { 0 };
	const struct ipc_declared_end declared_end = { 0 };

	if (s->fails)
		(void)ipc_reply_failf(&s->req, FX_EFAIL, "lost half-way");
	else if (s->req.type == IPC_T_EXPORT)
		(void)ipc_reply_export_end(&s->req, &export_end);
	else if (s->req.type == IPC_T_WORKLOADS)
		(void)ipc_reply_workloads_end(&s->req, &workloads_end);
	else
		(void)ipc_reply_declared_end(&s->req, &declared_end);
}

/* true: it is over. */
static bool
go_on(struct lists *l, struct lists_stream *s)
{
	while (!s->silent && s->next < s->total && ipc_credit(&s->req))
		send_next(l, s);
	if (ipc_cancelled(&s->req)) {
		dprintf(l->asked, "cancelled %s after %zu\n",
		    ipc_type_name(s->req.type), s->next);
		(void)ipc_reply_failf(&s->req, FX_ECANCELLED, "cancelled");
		return true;
	}
	if (s->next < s->total)
		return false;
	send_end(s);
	return true;
}

void
lists_continue(struct lists *l)
{
	struct lists_stream **at = &l->streams, *s;

	while ((s = *at) != NULL) {
		if (!go_on(l, s)) {
			at = &s->further;
			continue;
		}
		*at = s->further;
		for (size_t i = 0; s->ids != NULL && i < s->total; i++)
			free(s->ids[i].s);
		free(s->ids);
		free(s);
	}
}

int
lists_answer(struct lists *l, struct ipc_peer *p, struct ipc_frame *f)
{
	switch (f->type) {
	case IPC_T_REPOSITORY:
		return on_repository_frame(l, p, f);
	case IPC_T_WORKLOADS:
		return on_workloads_frame(l, p, f);
	case IPC_T_SYNC_ERRORS:
		return on_sync_errors_frame(l, p, f);
	case IPC_T_DECLARED:
		return on_declared_frame(l, p, f);
	default:
		return on_export_frame(l, p, f);
	}
}
