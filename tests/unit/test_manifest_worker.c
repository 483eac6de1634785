/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The handlers of fluxd-manifest over a real channel: a child process runs
 * them, this one plays the master, git and sync.
 */
#include "base.h"

#include "fd.h"
#include "handlers.h"
#include "log.h"
#include "str.h"
#include "test.h"

#include <inttypes.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct file {
	const char *path, *text;
	uint32_t mode; /* 0: a file */
};

struct commit {
	const char *name;
	const struct file *files;
	size_t n;
};

struct noted {
	const char *name; /* of the commit */
	const char *note; /* NULL: none */
};

/* What the fake repository has and how its git misbehaves. */
struct world {
	struct ipc_peer peer;
	pid_t pid;
	const struct commit *commits;
	size_t ncommits;
	size_t blobs_asked, trees_asked, scopes_asked, logs;
	char last_log[256];
	enum {
		GIT_GOOD,
		GIT_LOST_BLOB,
		GIT_WRONG_ORDER,
		GIT_SHORT,
		GIT_EXTRA,
		GIT_LARGE,
	} git;
	enum { SYNC_GOOD, SYNC_DOWN, SYNC_FEW } sync;
	bool no_foo;		   /* sync does not know the kind Foo */
	const struct noted *noted; /* oldest first */
	size_t nnoted;
	size_t extra_notes; /* that nobody asked for */
	const char *large;  /* sent in the place of any file */
};

/* An id is the address of the text: git only has to find it again. */
static void
oid_of(const char *text, char out[41])
{
	snprintf(out, 41, "%040" PRIxPTR, (uintptr_t)text);
}

static const char *
text_of(const char *oid)
{
	return (const char *)(uintptr_t)strtoumax(oid, NULL, 16);
}

static const struct commit *
find_commit(const struct world *w, const char *name)
{
	for (size_t i = 0; i < w->ncommits; i++)
		if (strcmp(w->commits[i].name, name) == 0)
			return &w->commits[i];
	return NULL;
}

static const struct file *
find_file(const struct commit *c, const char *path)
{
	for (size_t i = 0; c != NULL && i < c->n; i++)
		if (strcmp(c->files[i].path, path) == 0)
			return &c->files[i];
	return NULL;
}

/* ---- git ---------------------------------------------------------------- */

struct rows {
	const struct ipc_req *req;
	struct ipc_tree_entry v[64];
	char oids[64][41];
	size_t n;
};

/* Credit that has not come yet is waited for as the real ones do. */
static void
flush_rows(struct rows *r)
{
	if (r->n != 0) {
		want_int(ipc_await_credit(r->req), FX_OK);
		want_int(ipc_reply_tree_part(r->req,
			     &(struct ipc_tree_part){ .entries = r->v,
				 .entries_len = r->n }),
		    FX_OK);
	}
	r->n = 0;
}

static void
add_row(struct rows *r, const struct file *f, bool removed)
{
	struct ipc_tree_entry *e = &r->v[r->n];

	oid_of(f->text, r->oids[r->n]);
	*e = (struct ipc_tree_entry){
		.path = (char *)(uintptr_t)f->path,
		.oid = r->oids[r->n],
		.mode = f->mode != 0 ? f->mode : 0100644,
		.size = strlen(f->text),
		.removed = removed,
	};
	if (++r->n == nitems(r->v))
		flush_rows(r);
}

static int
on_tree(struct world *w, const struct ipc_req *req, struct ipc_tree *m)
{
	const struct commit *now = find_commit(w, m->commit);
	const struct commit *then = find_commit(w, m->base);
	struct rows rows = { .req = req };

	w->trees_asked++;
	if (now == NULL)
		return ipc_reply_failf(req, FX_EUNKNOWN, "no commit %s",
		    m->commit);
	for (size_t i = 0; i < now->n; i++) {
		const struct file *f = &now->files[i];
		const struct file *old = find_file(then, f->path);

		if (old == NULL || strcmp(old->text, f->text) != 0)
			add_row(&rows, f, false);
	}
	for (size_t i = 0; then != NULL && i < then->n; i++)
		if (find_file(now, then->files[i].path) == NULL)
			add_row(&rows, &then->files[i], true);
	flush_rows(&rows);
	return ipc_reply_tree_end(req,
	    &(struct ipc_tree_end){ .full = then == NULL });
}

static void
send_blob(const struct ipc_req *req, size_t index, const char *text)
{
	size_t left = strlen(text);

	do {
		size_t n = left < IPC_MAX_CHUNK ? left : IPC_MAX_CHUNK;
		struct ipc_chunk c = { .index = index,
			.last = n == left,
			.data = { (uint8_t *)(uintptr_t)text, n } };

		if (ipc_await_credit(req) != FX_OK)
			return; /* cancelled */
		want_int(ipc_reply_blob_part(req,
			     &(struct ipc_blob_part){ .chunks = &c,
				 .chunks_len = 1 }),
		    FX_OK);
		text += n;
		left -= n;
	} while (left > 0);
}

static int
on_blobs(struct world *w, const struct ipc_req *req, struct ipc_blobs *m)
{
	for (size_t i = 0; i < m->oids_len; i++) {
		w->blobs_asked++;
		if (w->git == GIT_LOST_BLOB)
			return ipc_reply_failf(req, FX_EUNKNOWN,
			    "object not found");
		if (w->git == GIT_SHORT)
			break;
		send_blob(req, w->git == GIT_WRONG_ORDER ? i + 1 : i,
		    w->git == GIT_LARGE ? w->large : text_of(m->oids[i].hex));
	}
	if (w->git == GIT_EXTRA)
		send_blob(req, m->oids_len, "a: nobody asked for\n");
	return ipc_reply_blobs_end(req, &(struct ipc_blobs_end){ 0 });
}

/* The commits after `from` up to `to`, in the order of the table. */
static int
send_note(struct world *w, const struct ipc_req *req, const struct noted *c)
{
	struct ipc_note n = {
		.commit = (char *)(uintptr_t)c->name,
		.text = { (uint8_t *)(uintptr_t)c->note, strlen(c->note) },
	};
	int r = FX_OK;

	for (size_t k = 0; k <= w->extra_notes && r == FX_OK; k++)
		if ((r = ipc_await_credit(req)) == FX_OK)
			r = ipc_reply_note_part(req,
			    &(struct ipc_note_part){ .notes = &n,
				.notes_len = 1 });
	return r;
}

static int
on_notes(struct world *w, const struct ipc_req *req, struct ipc_notes *m)
{
	uint64_t looked = 0;
	bool in = *m->from == '\0';
	int r = FX_OK;

	if (w->git != GIT_GOOD)
		return ipc_reply_failf(req, FX_EUNKNOWN, "no such ref");
	for (size_t i = 0; i < w->nnoted && r == FX_OK; i++) {
		const struct noted *c = &w->noted[i];

		if (in && c->note != NULL)
			r = send_note(w, req, c);
		looked += in;
		in |= strcmp(c->name, m->from) == 0;
		if (strcmp(c->name, m->to) == 0)
			break;
	}
	return ipc_reply_notes_end(req,
	    &(struct ipc_notes_end){ .commits = looked });
}

/* ---- sync --------------------------------------------------------------- */

static int
on_scopes(struct world *w, const struct ipc_req *req, struct ipc_scopes *m)
{
	struct ipc_scope *v = xcalloc(m->kinds_len + 1, sizeof(*v));
	static char ns[] = "default", why[] = "resource not found";
	struct ipc_scopes_are out = { .scopes = v,
		.scopes_len = m->kinds_len,
		.default_ns = ns };
	int r;

	w->scopes_asked++;
	if (w->sync == SYNC_DOWN) {
		free(v);
		return ipc_reply_failf(req, FX_ERETRY, "connection refused");
	}
	if (w->sync == SYNC_FEW)
		out.scopes_len = 0;
	for (size_t i = 0; i < m->kinds_len; i++) {
		bool foo = strcmp(m->kinds[i].kind, "Foo") == 0;

		v[i].scope = strcmp(m->kinds[i].kind, "Namespace") == 0
		    ? IPC_SCOPE_CLUSTER
		    : IPC_SCOPE_NAMESPACED;
		if (foo && w->no_foo) {
			v[i].scope = IPC_SCOPE_UNKNOWN;
			v[i].why = why;
		}
	}
	r = ipc_reply_scopes_are(req, &out);
	free(v);
	return r;
}

IPC_HANDLER(tree, on_tree, struct world)
IPC_HANDLER(blobs, on_blobs, struct world)
IPC_HANDLER(notes, on_notes, struct world)
IPC_HANDLER(scopes, on_scopes, struct world)

static int
on_relay(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	switch (f->type) {
	case IPC_T_TREE:
		return on_tree_frame(ctx, p, f);
	case IPC_T_BLOBS:
		return on_blobs_frame(ctx, p, f);
	case IPC_T_NOTES:
		return on_notes_frame(ctx, p, f);
	case IPC_T_SCOPES:
		return on_scopes_frame(ctx, p, f);
	case IPC_T_CREDIT:
	case IPC_T_CANCEL:
		return FX_OK; /* the peer has noted it */
	default:
		return FX_EDENIED;
	}
}

static int
on_log(struct world *w, const struct ipc_req *req, struct ipc_log *m)
{
	(void)req;
	w->logs++;
	if (m->pairs_len != 0)
		snprintf(w->last_log, sizeof(w->last_log), "%s=%s",
		    m->pairs[0].key, m->pairs[0].value);
	return FX_OK;
}
IPC_HANDLER(log, on_log, struct world)

static const struct ipc_handler master_handlers[] = {
	{ IPC_T_LOG, on_log_frame },
};

/* ---- the worker --------------------------------------------------------- */

static void
child_log(void *arg, enum log_level level, const char *caller,
    const struct log_pair *pairs, size_t n)
{
	struct worker *w = arg;
	struct ipc_log_pair p = {
		.key = (char *)(uintptr_t)pairs[0].key,
		.value = (char *)(uintptr_t)pairs[0].value,
	};

	(void)caller;
	(void)n;
	(void)ipc_tell_log(&w->master,
	    &(struct ipc_log){ .level = level, .pairs = &p, .pairs_len = 1 });
}

/* Every child runs in the sandbox of the real process. */
static void
run_child(int fd, const char *path, bool skip)
{
	struct worker w = { .role = IPC_R_MANIFEST };
	struct sandbox_state st;
	struct mw state = { 0 };
	uint64_t first;
	int status;

	/* as worker_init does: glibc 2.41 prepares itself at the first call */
	(void)!getrandom(&first, sizeof(first), 0);
	config_init(&w.cfg);
	if (config_receive(&w.cfg, "git-url",
		"git@git.example.org:ops/cluster") != FX_OK ||
	    (path != NULL &&
		config_receive(&w.cfg, "git-path", path) != FX_OK) ||
	    config_receive(&w.cfg, "sync-skip-bad-files",
		skip ? "true" : "false") != FX_OK)
		_exit(3);
	w.loop = loop_new();
	ipc_peer_init(&w.master, fd, IPC_R_MANIFEST, IPC_R_MASTER, 0);
	w.master.phase = IPC_PH_RUN;
	log_to(child_log, &w);
	sandbox_enter(&mw_sandbox, (uid_t)-1, NULL, false, &st);
	mw_open(&state, &w);
	status = worker_run(&w, mw_handlers, mw_nhandlers, &state);
	mw_close(&state);
	free(w.handlers);
	config_clear(&w.cfg);
	loop_del(w.loop, &w.channel);
	loop_free(&w.loop);
	ipc_peer_close(&w.master);
	_exit(status);
}

static void
begin_skip(struct world *w, const char *path, bool skip,
    const struct commit *commits, size_t n)
{
	int sv[2];

	fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1 ||
	    fd_set_nonblock(sv[0]) != FX_OK || fd_set_nonblock(sv[1]) != FX_OK)
		fx_bug("socketpair");
	*w = (struct world){ .commits = commits, .ncommits = n };
	if ((w->pid = fork()) == 0) {
		close(sv[0]);
		run_child(sv[1], path, skip);
	}
	close(sv[1]);
	ipc_peer_init(&w->peer, sv[0], IPC_R_MASTER, IPC_R_MANIFEST, 0);
	w->peer.phase = IPC_PH_RUN;
	ipc_peer_handlers(&w->peer, master_handlers, nitems(master_handlers),
	    w);
	w->peer.relay = on_relay;
}

static void
begin(struct world *w, const char *path, const struct commit *commits, size_t n)
{
	begin_skip(w, path, false, commits, n);
}

static void
end(struct world *w)
{
	int status = -1;

	want_int(ipc_tell_stop(&w->peer, &(struct ipc_stop){ 0 }), FX_OK);
	want_int(ipc_peer_write(&w->peer), FX_OK);
	waitpid(w->pid, &status, 0);
	want(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ipc_peer_close(&w->peer);
}

/* ---- the master's questions --------------------------------------------- */

struct answer {
	bool done;
	struct fx_err err;
	struct ipc_loaded loaded;
	struct ipc_set_end set_end;
	struct ipc_events_end events_end;
	struct ipc_job_note_is job_note; /* decoded; to be cleared */
	struct buf text;		 /* what the parts said */
	size_t parts;
	struct {
		uint64_t index;
		char *id;
	} rows[32];
	size_t nrows;
};

static void
text_row(struct answer *a, const struct ipc_set_entry *e)
{
	if (a->nrows < nitems(a->rows)) {
		a->rows[a->nrows].index = e->index;
		a->rows[a->nrows++].id = xstrdup(e->id);
	}
	want_int(str_addf(&a->text, "%s%s%s", buf_left(&a->text) ? " " : "",
		     e->removed ? "-" : "", e->id),
	    FX_OK);
	if (!e->removed) {
		want_int(strlen(e->hash), 40);
		want_int(strlen(e->mark), 50);
	}
}

/* "id name=value name=value", a line each. */
static int
on_declared_part(struct answer *a, struct ipc_frame *f)
{
	struct ipc_declared_part d;

	want_int(ipc_declared_part_decode(&f->body, &d, &f->fd), FX_OK);
	for (size_t i = 0; i < d.resources_len; i++) {
		const struct ipc_declaration *one = &d.resources[i];

		want_int(str_add(&a->text, one->id), FX_OK);
		for (size_t k = 0; k < one->policies_len; k++)
			want_int(str_addf(&a->text, " %s=%s",
				     one->policies[k].name,
				     one->policies[k].value),
			    FX_OK);
		want_int(str_addc(&a->text, '\n'), FX_OK);
	}
	ipc_declared_part_clear(&d);
	return FX_OK;
}

static int
on_part(struct answer *a, struct ipc_frame *f)
{
	struct ipc_load_changed c;
	struct ipc_load_left_out l;
	struct ipc_set_part s;
	struct ipc_body_part b;
	struct ipc_event_part e;

	a->parts++;
	switch (f->type) {
	case IPC_T_LOAD_CHANGED:
		want_int(ipc_load_changed_decode(&f->body, &c, &f->fd), FX_OK);
		for (size_t i = 0; i < c.ids_len; i++)
			want_int(str_addf(&a->text, "%s%s",
				     buf_left(&a->text) ? " " : "", c.ids[i].s),
			    FX_OK);
		ipc_load_changed_clear(&c);
		return FX_OK;
	case IPC_T_LOAD_LEFT_OUT:
		want_int(ipc_load_left_out_decode(&f->body, &l, &f->fd), FX_OK);
		for (size_t i = 0; i < l.errors_len; i++)
			want_int(str_addf(&a->text, "%s[%s %s %s]",
				     buf_left(&a->text) ? " " : "",
				     l.errors[i].id, l.errors[i].source,
				     l.errors[i].text),
			    FX_OK);
		ipc_load_left_out_clear(&l);
		return FX_OK;
	case IPC_T_SET_PART:
		want_int(ipc_set_part_decode(&f->body, &s, &f->fd), FX_OK);
		for (size_t i = 0; i < s.entries_len; i++)
			text_row(a, &s.entries[i]);
		ipc_set_part_clear(&s);
		return FX_OK;
	case IPC_T_BODY_PART:
		want_int(ipc_body_part_decode(&f->body, &b, &f->fd), FX_OK);
		for (size_t i = 0; i < b.chunks_len; i++) {
			want_int(buf_put(&a->text, b.chunks[i].data.p,
				     b.chunks[i].data.n),
			    FX_OK);
			if (b.chunks[i].last)
				want_int(str_addf(&a->text, "#%u\n",
					     (unsigned)b.chunks[i].index),
				    FX_OK);
		}
		ipc_body_part_clear(&b);
		return FX_OK;
	case IPC_T_EVENT_PART:
		want_int(ipc_event_part_decode(&f->body, &e, &f->fd), FX_OK);
		for (size_t i = 0; i < e.events_len; i++)
			want_int(str_addf(&a->text, "%s%u %s %s",
				     buf_left(&a->text) ? "\n" : "",
				     (unsigned)e.events[i].kind,
				     e.events[i].commit, e.events[i].text),
			    FX_OK);
		ipc_event_part_clear(&e);
		return FX_OK;
	case IPC_T_DECLARED_PART:
		return on_declared_part(a, f);
	default:
		return FX_EUNKNOWN;
	}
}

static int
on_answer(void *arg, struct ipc_frame *f)
{
	struct answer *a = arg;
	int r = FX_OK;

	if (f != NULL && f->part != 0)
		return on_part(a, f);
	a->done = true;
	if (f == NULL || f->type == IPC_T_FAILED)
		(void)ipc_take_failed(f, &a->err);
	else if (f->type == IPC_T_LOADED)
		r = ipc_loaded_decode(&f->body, &a->loaded, &f->fd);
	else if (f->type == IPC_T_SET_END)
		r = ipc_set_end_decode(&f->body, &a->set_end, &f->fd);
	else if (f->type == IPC_T_EVENTS_END)
		r = ipc_events_end_decode(&f->body, &a->events_end, &f->fd);
	else if (f->type == IPC_T_JOB_NOTE_IS)
		r = ipc_job_note_is_decode(&f->body, &a->job_note, &f->fd);
	return r;
}

static void
wait_for(struct world *w, struct answer *a)
{
	while (!a->done) {
		struct pollfd p = { w->peer.fd, ipc_peer_events(&w->peer), 0 };

		if (ipc_peer_write(&w->peer) != FX_OK)
			break;
		p.events = ipc_peer_events(&w->peer);
		if (!ipc_peer_pending(&w->peer))
			(void)poll(&p, 1, 10000);
		if (ipc_peer_read(&w->peer, 1) != FX_OK)
			break;
	}
	if (!want(a->done))
		printf("# channel: %s\n", w->peer.broken.text);
}

static void
answer_init(struct answer *a)
{
	*a = (struct answer){ .text = BUF_INIT(64 << 20) };
}

static void
answer_clear(struct answer *a)
{
	buf_clear(&a->text);
	for (size_t i = 0; i < a->nrows; i++)
		free(a->rows[i].id);
}

static char *
load(struct world *w, const char *commit, struct answer *a)
{
	answer_init(a);
	want(ipc_ask_load(&w->peer,
		 &(struct ipc_load){ .commit = (char *)(uintptr_t)commit },
		 on_answer, a) != 0);
	wait_for(w, a);
	return str_take(&a->text);
}

static char *
get_set(struct world *w, uint64_t set, uint64_t base, struct answer *a)
{
	answer_init(a);
	want(
	    ipc_ask_set(&w->peer, &(struct ipc_set){ .set = set, .base = base },
		on_answer, a) != 0);
	wait_for(w, a);
	return str_take(&a->text);
}

static char *
get_bodies(struct world *w, uint64_t set, struct ipc_number *v, size_t n,
    struct answer *a)
{
	answer_init(a);
	want(ipc_ask_bodies(&w->peer,
		 &(struct ipc_bodies){ .set = set,
		     .indexes = v,
		     .indexes_len = n },
		 on_answer, a) != 0);
	wait_for(w, a);
	return str_take(&a->text);
}

static char *
get_events(struct world *w, const char *from, const char *to, struct answer *a)
{
	answer_init(a);
	want(ipc_ask_events(&w->peer,
		 &(struct ipc_events){ .from = (char *)(uintptr_t)from,
		     .to = (char *)(uintptr_t)to },
		 on_answer, a) != 0);
	wait_for(w, a);
	return str_take(&a->text);
}

/* The ids are NULL-terminated. */
static char *
get_declared(struct world *w, uint64_t set, const char *const *ids,
    struct answer *a)
{
	struct ipc_text v[8];
	struct ipc_declared m = { .set = set, .ids = v };

	for (; ids[m.ids_len] != NULL; m.ids_len++)
		v[m.ids_len].s = (char *)(uintptr_t)ids[m.ids_len];
	answer_init(a);
	want(ipc_ask_declared(&w->peer, &m, on_answer, a) != 0);
	wait_for(w, a);
	return str_take(&a->text);
}

static void
get_job_note(struct world *w, const char *to, const char *job, struct answer *a)
{
	answer_init(a);
	want(ipc_ask_job_note(&w->peer,
		 &(struct ipc_job_note){ .to = (char *)(uintptr_t)to,
		     .job = (char *)(uintptr_t)job },
		 on_answer, a) != 0);
	wait_for(w, a);
}

#define CM(name) "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name "}\n"

static const struct file first_files[] = {
	{ "a.yaml", CM("a"), 0 },
	{ "d/b.yaml", CM("b") "---\n" CM("b2"), 0 },
	{ "n.yaml", "kind: Namespace\nmetadata: {name: ns}\n", 0 },
	{ "link.yaml", "d/other", 0120000 },
	{ "d/other", "../c.yml", 0120000 },
	{ "skip/c.txt", "not read", 0 },
	{ "c.yml", "# nothing\n", 0 },
};
static const struct file second_files[] = {
	{ "a.yaml", CM("a") "data: {x: y}\n", 0 },
	{ "d/b.yaml", CM("b") "---\n" CM("b2"), 0 },
	{ "e.yaml", "apiVersion: x.io/v1\nkind: Foo\nmetadata: {name: f}\n",
	    0 },
};
static const struct file bad_files[] = {
	{ "a.yaml", "a: [", 0 },
};
static const struct commit commits[] = {
	{ "c1", first_files, nitems(first_files) },
	{ "c2", second_files, nitems(second_files) },
	{ "bad", bad_files, nitems(bad_files) },
};

static void
test_road(void)
{
	struct ipc_number want_all[3], stale = { 0 };
	struct world w;
	struct answer a;
	uint64_t one;
	char *text;

	begin(&w, NULL, commits, nitems(commits));
	text = load(&w, "c1", &a);
	want_str(text,
	    "<cluster>:namespace/ns default:configmap/a default:configmap/b "
	    "default:configmap/b2");
	want_int(a.loaded.resources, 4);
	want_int(a.loaded.files, 5);
	want_int(a.loaded.parsed, 4);
	want(!a.loaded.incomplete);
	one = a.loaded.set;
	want(one != 0);
	free(text);
	answer_clear(&a);

	text = get_set(&w, one, 0, &a);
	want_str(text,
	    "<cluster>:namespace/ns default:configmap/a default:configmap/b "
	    "default:configmap/b2");
	want_int(a.set_end.set, one);
	want_int(a.set_end.base, 0);
	want_int(a.set_end.count, 4);
	want_all[0].n = a.rows[3].index; /* b2 */
	want_all[1].n = a.rows[0].index; /* ns */
	want_all[2].n = a.rows[2].index; /* b */
	stale.n = a.rows[1].index;	 /* a */
	free(text);
	answer_clear(&a);

	w.blobs_asked = 0;
	text = get_bodies(&w, one, want_all, 3, &a);
	want_int(w.blobs_asked, 0); /* they have just been parsed */
	want(strstr(text, "\"name\":\"b2\"") != NULL);
	want(strstr(text, "}#0\n") != NULL);
	want(strstr(text, "}#1\n") != NULL);
	want(strstr(text, "}#2\n") != NULL);
	want(strstr(text,
		 "\"name\":\"ns\",\"labels\":"
		 "{\"fluxcd.io/sync-gc-mark\":\"sha256.") != NULL);
	want(strstr(text, "\"namespace\":\"default\"}}#2") != NULL);
	free(text);
	answer_clear(&a);

	/* the next commit: one blob changed, one is new, some are gone */
	w.blobs_asked = 0;
	w.no_foo = true;
	text = load(&w, "c2", &a);
	want_int(w.blobs_asked, 2);
	want_int(a.loaded.parsed, 2);
	/* that nobody knows the kind of e.yaml is no error */
	want_str(text, "default:configmap/a");
	want(a.loaded.incomplete);
	want(a.loaded.incomplete);
	want(a.loaded.set > one);
	want_int(w.logs, 1);
	want_str(w.last_log,
	    "warn=cannot find scope of resource foo/f: "
	    "resource not found");
	free(text);
	answer_clear(&a);

	text = get_set(&w, one, 0, &a); /* it is no longer the one */
	want_int(a.err.code, FX_EUNKNOWN);
	free(text);
	answer_clear(&a);

	/* a resource that changed is not given under the old set's number */
	text = get_bodies(&w, one, &stale, 1, &a);
	want_int(a.err.code, FX_ENEEDFULL);
	free(text);
	answer_clear(&a);
	/* one that did not, is; its blob is fetched again */
	w.blobs_asked = 0;
	text = get_bodies(&w, one, want_all + 2, 1, &a);
	want_int(a.err.code, FX_OK);
	want_int(w.blobs_asked, 1);
	want(strstr(text, "\"name\":\"b\"") != NULL);
	free(text);
	answer_clear(&a);
	end(&w);
}

static void
test_differences(void)
{
	struct world w;
	struct answer a;
	uint64_t one, two;

	begin(&w, NULL, commits, nitems(commits));
	free(load(&w, "c1", &a));
	one = a.loaded.set;
	answer_clear(&a);
	free(load(&w, "c2", &a));
	two = a.loaded.set;
	answer_clear(&a);
	{
		auto_free char *text = get_set(&w, two, one, &a);

		want_str(text,
		    "default:configmap/a default:foo/f "
		    "-<cluster>:namespace/ns");
		want_int(a.set_end.base, one);
		want_int(a.set_end.count, 4);
		answer_clear(&a);
	}
	{
		/* a base from another life: everything is told */
		auto_free char *text = get_set(&w, two, 5, &a);

		want_int(a.set_end.base, 0);
		want_str(text,
		    "default:configmap/a default:configmap/b "
		    "default:configmap/b2 default:foo/f");
		answer_clear(&a);
	}
	{
		auto_free char *text = get_set(&w, two, two, &a);

		want_int(a.set_end.base, two);
		want_str(text, "");
		answer_clear(&a);
	}
	{
		/* nothing new: no blob, no number */
		auto_free char *text = NULL;

		w.blobs_asked = 0;
		text = load(&w, "c2", &a);
		want_str(text, "");
		want_int(w.blobs_asked, 0);
		want_int(a.loaded.set, two);
		want_int(a.loaded.parsed, 0);
		answer_clear(&a);
	}
	end(&w);
}

static void
want_failure(struct world *w, const char *commit, int code, const char *text)
{
	struct answer a;

	free(load(w, commit, &a));
	want_int(a.err.code, code);
	want_str(a.err.text, text);
	answer_clear(&a);
}

/* Whatever goes wrong is the answer; the next load works. */
static void
test_troubles(void)
{
	struct world w;
	struct answer a;

	begin(&w, NULL, commits, nitems(commits));
	want_failure(&w, "c9", FX_EUNKNOWN, "no commit c9");
	want_failure(&w, "bad", FX_ESYNTAX,
	    "scanning multidoc from \"a.yaml\": yaml: line 1: did not find "
	    "expected node content");
	w.git = GIT_LOST_BLOB;
	want_failure(&w, "c2", FX_EUNKNOWN, "object not found");
	w.git = GIT_WRONG_ORDER;
	want_failure(&w, "c2", FX_EFAIL,
	    "git answered with another blob than was asked for");
	w.git = GIT_SHORT;
	want_failure(&w, "c2", FX_EFAIL,
	    "git answered with fewer blobs than were asked for");
	w.git = GIT_EXTRA;
	want_failure(&w, "c2", FX_EFAIL,
	    "git answered with another blob than was asked for");
	w.git = GIT_GOOD;
	w.sync = SYNC_DOWN;
	want_failure(&w, "c2", FX_ERETRY, "connection refused");
	w.sync = SYNC_FEW;
	want_failure(&w, "c2", FX_EFAIL,
	    "sync answered for another number of kinds");
	w.sync = SYNC_GOOD;
	free(load(&w, "c2", &a));
	want_int(a.err.code, FX_OK);
	want_int(a.loaded.resources, 4);
	want_int(a.loaded.parsed, 0); /* that has been done before */
	answer_clear(&a);
	end(&w);
}

#define LARGEST 8388608 /* bytes; the default of --git-max-file */

/* A file of n bytes: a beginning, and a piece again and again. */
static char *
large(const char *begin, const char *piece, size_t n)
{
	size_t len = strlen(begin), k = strlen(piece);
	char *p = xmalloc(n + 1);

	memcpy(p, begin, len);
	for (; len + k <= n; len += k)
		memcpy(p + len, piece, k);
	p[len] = '\0';
	return p;
}

/* Whatever the list of files said of their sizes. */
static void
test_larger_than_said(void)
{
	auto_free char *text = large("", "x", LARGEST + 1);
	struct world w;

	begin(&w, NULL, commits, nitems(commits));
	w.git = GIT_LARGE;
	w.large = text;
	want_failure(&w, "c2", FX_ELIMIT, "a file has more than 8388608 bytes");
	end(&w);
}

#define LEFT_OUT                                                               \
	"[ b.yaml scanning multidoc from \"b.yaml\": yaml: line 5: did not "   \
	"find expected node content] [ c.yaml unable to read file at "         \
	"\"c.yaml\": the symbolic link leaves the repository]"

/* One bad file, and all else goes on; nothing may be collected meanwhile. */
static void
test_skip_bad(void)
{
	static const struct file files[] = {
		{ "a.yaml", CM("a"), 0 },
		{ "b.yaml", CM("b") "---\na: [\n", 0 },
		{ "c.yaml", "/etc/passwd", 0120000 },
		{ "d.yaml", CM("d"), 0 },
	};
	static const struct commit c[] = { { "c", files, nitems(files) },
		{ "c2", files + 3, 1 } };
	struct world w;
	struct answer a;

	begin_skip(&w, NULL, true, c, nitems(c));
	for (int again = 0; again < 2; again++) {
		auto_free char *text = load(&w, "c", &a);

		want_str(a.err.text, "");
		want_str(text,
		    again
			? LEFT_OUT
			: "default:configmap/a default:configmap/d " LEFT_OUT);
		want_int(a.loaded.resources, 2);
		want(a.loaded.incomplete);
		want_int(w.logs, 2);
		answer_clear(&a);
	}
	free(load(&w, "c2", &a));
	want(!a.loaded.incomplete);
	answer_clear(&a);
	end(&w);
}

static void
test_paths(void)
{
	struct world w;
	struct answer a;
	auto_free char *text = NULL;

	begin(&w, "d", commits, nitems(commits));
	text = load(&w, "c1", &a);
	want_str(text, "default:configmap/b default:configmap/b2");
	answer_clear(&a);
	end(&w);
}

/* Streams that need credit again and again, and bodies in many chunks. */
static void
test_streams(void)
{
	enum { N = 6000, BIG = 300000 };
	struct file *files = xcalloc(N, sizeof(*files));
	struct commit c = { "many", files, N };
	struct ipc_number *all = xcalloc(4096, sizeof(*all));
	char *big = xmalloc(BIG + 1), *text, *ids = NULL;
	struct world w;
	struct answer a;
	size_t bodies = 0;

	memset(big, 'x', BIG);
	big[BIG] = '\0';
	for (int i = 0; i < N; i++) {
		files[i].path = xasprintf("%04d.yaml", i);
		files[i].text = i == 7
		    ? xasprintf(CM("big") "data: {x: %s}\n", big)
		    : xasprintf("kind: ConfigMap\nmetadata: {name: cm-%04d}\n",
			  i);
	}
	begin(&w, NULL, &c, 1);
	ids = load(&w, "many", &a);
	want_int(a.loaded.resources, N);
	want(a.parts > 1);
	answer_clear(&a);
	text = get_set(&w, a.loaded.set, 0, &a);
	free(text);
	answer_clear(&a);
	free(ids);
	ids = load(&w, "many", &a);
	text = get_set(&w, a.loaded.set, 0, &a);
	want(a.parts > 4);
	want_int(a.set_end.count, N);
	/* indexes are handed out in the order of the names */
	for (size_t i = 0; i < 4096; i++)
		all[i].n = a.rows[0].index + i;
	free(text);
	answer_clear(&a);
	text = get_bodies(&w, a.set_end.set, all, 4096, &a);
	want_int(a.err.code, FX_OK);
	want(a.parts > 4);
	for (const char *p = text; (p = strchr(p, '#')) != NULL; p++)
		bodies++;
	want_int(bodies, 4096);
	want(strstr(text, big) != NULL);
	answer_clear(&a);
	end(&w);
	for (int i = 0; i < N; i++) {
		free((char *)(uintptr_t)files[i].path);
		free((char *)(uintptr_t)files[i].text);
	}
	free(text);
	free(ids);
	free(files);
	free(all);
	free(big);
}

/* More kinds than one question holds. */
static void
test_kinds(void)
{
	enum { N = 3000 };
	struct buf b = BUF_INIT(4u << 20);
	auto_free char *text = NULL;
	struct file f = { "a.yaml", NULL, 0 };
	struct commit c = { "c", &f, 1 };
	struct world w;
	struct answer a;

	for (int i = 0; i < N; i++)
		want_int(str_addf(&b,
			     "---\napiVersion: some.long.group.name.example.org"
			     "/v1\nkind: SomeLongKindOfResource%04d\n"
			     "metadata: {name: x}\n",
			     i),
		    FX_OK);
	text = str_take(&b);
	f.text = text;
	begin(&w, NULL, &c, 1);
	free(load(&w, "c", &a));
	want_str(a.err.text, "");
	want_int(a.loaded.resources, N);
	want(w.scopes_asked > 1);
	answer_clear(&a);
	end(&w);
}

#define NOTE(type, spec, result)                                               \
	"{\"jobID\":\"7d0a\",\"spec\":{\"type\":\"" type                       \
	"\",\"cause\":{\"Message\":\"\",\"User\":\"ada\"},\"spec\":" spec      \
	"},\"result\":" result "}\n"
#define CHANGED                                                                \
	"{\"a:deployment/x\":{\"Status\":\"success\",\"PerContainer\":[{"      \
	"\"Container\":\"c\",\"Current\":\"i:1\",\"Target\":\"i:2\"}]}}"

static const struct noted noted[] = {
	{ "n0", NOTE("auto", "{}", CHANGED) },
	{ "n1", NOTE("image", "{\"ServiceSpecs\":[\"<all>\"]}", CHANGED) },
	{ "n2", NULL },
	{ "n3", NOTE("auto", "{}", CHANGED) },
	{ "n4", NOTE("policy", "{}", "null") },
	{ "n5", "{\"jobID\":\"../forged\"}" },
	{ "n6", NOTE("containers", "{}", "{}") },
};
#define EVENT_1 "0 n1 Released: i:2 to all workloads, by ada"
#define EVENT_3 "1 n3 Automated release of i:2"
#define EVENT_6 "0 n6 Released: no image changes to no workloads, by ada"

/* What was released is told from the notes, oldest first; one that cannot be
 * read is a warning, and the others count. */
static void
test_events(void)
{
	static const struct {
		const char *from, *to, *text;
		uint64_t includes;
		size_t logs;
	} tv[] = {
		{ "n0", "n6", EVENT_1 "\n" EVENT_3 "\n" EVENT_6,
		    IPC_INCLUDES_RELEASE | IPC_INCLUDES_AUTORELEASE |
			IPC_INCLUDES_POLICY | IPC_INCLUDES_OTHER,
		    1 },
		{ "n0", "n1", EVENT_1, IPC_INCLUDES_RELEASE, 0 },
		{ "n1", "n2", "", IPC_INCLUDES_OTHER, 0 },
		{ "n2", "n3", EVENT_3, IPC_INCLUDES_AUTORELEASE, 0 },
		{ "n3", "n4", "", IPC_INCLUDES_POLICY, 0 },
		{ "n4", "n5", "", IPC_INCLUDES_OTHER, 1 },
		{ "n6", "n6", "", 0, 0 },
		{ "", "n0", "1 n0 Automated release of i:2",
		    IPC_INCLUDES_AUTORELEASE, 0 },
	};
	struct world w;
	struct answer a;

	begin(&w, NULL, NULL, 0);
	w.noted = noted;
	w.nnoted = nitems(noted);
	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *text = NULL;

		w.logs = 0;
		text = get_events(&w, tv[i].from, tv[i].to, &a);
		want_str(a.err.text, "");
		want_str(text, tv[i].text);
		want_int(a.events_end.includes, tv[i].includes);
		want_int(w.logs, tv[i].logs);
		answer_clear(&a);
	}
	w.git = GIT_LOST_BLOB;
	free(get_events(&w, "n0", "n6", &a));
	want_str(a.err.text, "no such ref");
	answer_clear(&a);
	w.git = GIT_GOOD;
	w.extra_notes = 1000;
	free(get_events(&w, "n0", "n6", &a));
	want_str(a.err.text,
	    "git answered with more notes than were asked for");
	answer_clear(&a);
	/* as many as there may be, in several parts */
	w.extra_notes = 900;
	free(get_events(&w, "n0", "n1", &a));
	want_str(a.err.text, "");
	answer_clear(&a);
	end(&w);
}

/* A job is found by its note: the newest that can be shown, up to a commit. */
static void
test_job_note(void)
{
#define JOB(id) "{\"jobID\":\"" id "\",\"spec\":{\"type\":\"sync\"}}"
#define SYNC                                                                   \
	"{\"type\":\"sync\",\"cause\":{\"Message\":\"\",\"User\":\"\"},"       \
	"\"spec\":{}}"
	static const struct noted notes[] = {
		{ "n0", JOB("a") },
		{ "n1", NULL },
		{ "n2", JOB("b") },
		{ "n3", JOB("a") },
		{ "n4", "{\"jobID\":\"a\",\"spec\":{\"type\":\"\"}}" },
		{ "n5", "a" },
		{ "n6", NOTE("auto", "{}", CHANGED) },
	};
	static const struct {
		const char *to, *job, *commit;
	} tv[] = {
		{ "n6", "a", "n3" },
		{ "n2", "a", "n0" },
		{ "n6", "b", "n2" },
		{ "n1", "b", "" },
		{ "n6", "c", "" },
	};
	struct world w;
	struct answer a;

	begin(&w, NULL, NULL, 0);
	w.noted = notes;
	w.nnoted = nitems(notes);
	for (size_t i = 0; i < nitems(tv); i++) {
		get_job_note(&w, tv[i].to, tv[i].job, &a);
		want_str(a.err.text, "");
		want_str(a.job_note.commit, tv[i].commit);
		want_str(a.job_note.spec, *tv[i].commit == '\0' ? "" : SYNC);
		want_str(a.job_note.result, "");
		ipc_job_note_is_clear(&a.job_note);
		answer_clear(&a);
	}
	get_job_note(&w, "n6", "7d0a", &a);
	want_str(a.job_note.commit, "n6");
	want(strstr(a.job_note.result, "\"a:deployment/x\":") != NULL);
	ipc_job_note_is_clear(&a.job_note);
	answer_clear(&a);
	w.git = GIT_LOST_BLOB;
	get_job_note(&w, "n6", "a", &a);
	want_str(a.err.text, "no such ref");
	answer_clear(&a);
	end(&w);
}

static void
test_declared(void)
{
#define NOTED(kind, version, name, policies)                                   \
	"---\napiVersion: " version "\nkind: " kind "\nmetadata: {name: " name \
	", annotations: {" policies "}}\n"
	static const struct file files[] = {
		{ "a.yaml",
		    NOTED("Deployment", "apps/v1", "web",
			"fluxcd.io/automated: 'true', fluxcd.io/tag.web: "
			"'glob:*', other.io/x: y") NOTED("Deployment",
			"apps/v1", "old",
			"flux.weave.works/locked: 'true', "
			"fluxcd.io/locked: 'false', "
			"filter.fluxcd.io/old: 'semver:*'") NOTED("HelmRelease",
			"a.io/v1", "r", "fluxcd.io/x: one") NOTED("HelmRelease",
			"b.io/v1", "r", "fluxcd.io/x: two")
			NOTED("CronJob", "batch/v1", "none",
			    "") "---\nkind: Namespace\nmetadata: {name: ns}\n",
		    0 },
	};
	static const struct file more[] = {
		{ "a.yaml", NOTED("Deployment", "apps/v1", "web", ""), 0 },
	};
	static const struct commit both[] = {
		{ "c", files, nitems(files) },
		{ "more", more, nitems(more) },
	};
	static const char *const ids[] = { "default:deployment/web",
		"default:helmrelease/r", "default:deployment/ghost",
		"default:deployment/old", "default:cronjob/none",
		"<cluster>:namespace/ns", "default:deployment/web", NULL };
	static const char *const none[] = { NULL };
	struct world w;
	struct answer a;
	uint64_t set;
	char *text;

	begin(&w, NULL, both, nitems(both));
	text = get_declared(&w, 1, ids, &a);
	want_int(a.err.code, FX_ENEEDFULL);
	answer_clear(&a);
	free(text);
	free(load(&w, "c", &a));
	set = a.loaded.set;
	answer_clear(&a);
	text = get_declared(&w, set, ids, &a);
	want_str(a.err.text, "");
	want_str(text,
	    "default:deployment/web automated=true tag.web=glob:*\n"
	    "default:helmrelease/r x=one\n"
	    "default:deployment/old locked=false tag.old=semver:*\n"
	    "default:cronjob/none\n"
	    "<cluster>:namespace/ns\n"
	    "default:deployment/web automated=true tag.web=glob:*\n");
	answer_clear(&a);
	free(text);
	text = get_declared(&w, set, none, &a);
	want_str(text, "");
	answer_clear(&a);
	free(text);
	/* a list that was begun goes on with what has taken its place */
	free(load(&w, "more", &a));
	want(a.loaded.set > set);
	answer_clear(&a);
	text = get_declared(&w, set, ids, &a);
	want_str(text, "default:deployment/web\ndefault:deployment/web\n");
	answer_clear(&a);
	free(text);
	free(get_declared(&w, a.loaded.set + 1000, ids, &a));
	want_int(a.err.code, FX_ENEEDFULL);
	answer_clear(&a);
	end(&w);
}

/* As many and as long as anybody may write them: kept within bounds, and sent
 * within frames. */
static void
test_many_policies(void)
{
	enum { N = 900, LONG = 5000 };
	struct buf b = BUF_INIT(64 << 20);
	auto_free char *text = NULL, *got = NULL;
	static const char *const ids[] = { "default:configmap/a",
		"default:configmap/b", "default:configmap/c",
		"default:configmap/d", "default:configmap/e",
		"default:configmap/f", "default:configmap/g", NULL };
	struct file f = { "a.yaml", NULL, 0 };
	struct commit c = { "c", &f, 1 };
	struct world w;
	struct answer a;

	for (size_t i = 0; ids[i] != NULL; i++) {
		want_int(str_addf(&b,
			     "---\nkind: ConfigMap\nmetadata:\n  name: %s\n"
			     "  annotations:\n    fluxcd.io/0: '%0*d'\n"
			     "    fluxcd.io/%0*d: 'too long a name'\n",
			     strchr(ids[i], '/') + 1, LONG, 0, 300, 0),
		    FX_OK);
		for (int k = 0; k < N; k++)
			want_int(str_addf(&b, "    fluxcd.io/p%04d: '%0100d'\n",
				     k, k),
			    FX_OK);
	}
	text = str_take(&b);
	f.text = text;
	begin(&w, NULL, &c, 1);
	free(load(&w, "c", &a));
	want_str(a.err.text, "");
	got = get_declared(&w, a.loaded.set, ids, &a);
	want_str(a.err.text, "");
	want(a.parts > 1);
	want(strstr(got, " p0000=0") != NULL);
	want(strstr(got, "too long") == NULL);
	want(strstr(got, " 0=") == NULL);
	want(strstr(got, "configmap/g p0000=0") != NULL);
	want(strlen(got) > 7 * POLICIES_MAX_BYTES * 9 / 10);
	want(strlen(got) < 7 * (POLICIES_MAX_BYTES + IPC_MAX_ID));
	answer_clear(&a);
	end(&w);
}

/* Aliases make much of little: not without end. */
static void
test_repeated_policies(void)
{
	struct buf b = BUF_INIT(64 << 20);
	auto_free char *text = NULL;
	struct file f = { "a.yaml", NULL, 0 };
	struct commit c = { "c", &f, 1 };
	struct world w;
	struct answer a;

	want_int(str_add(&b,
		     "kind: List\nitems:\n- kind: ConfigMap\n"
		     "  metadata: {name: x, annotations: &a {"),
	    FX_OK);
	for (int k = 0; k < 7; k++)
		want_int(str_addf(&b, "fluxcd.io/%d: '%04000d', ", k, k),
		    FX_OK);
	want_int(str_add(&b, "}}\n"), FX_OK);
	for (int i = 0; i < 400; i++)
		want_int(str_addf(&b,
			     "- {kind: ConfigMap, metadata: {name: x%d, "
			     "annotations: *a}}\n",
			     i),
		    FX_OK);
	text = str_take(&b);
	f.text = text;
	begin(&w, NULL, &c, 1);
	free(load(&w, "c", &a));
	if (!want(strstr(a.err.text, "policies of a file have more than") !=
		NULL))
		printf("# [%s]\n", a.err.text);
	answer_clear(&a);
	end(&w);
}

/* A21: the largest files there can be, inside the memory of the sandbox.  Each
 * is read or refused; the process lives. */
static void
test_large(void)
{
	static const struct {
		const char *begin, *piece, *error;
	} tv[] = {
		{ CM("a") "data:\n  x: ", "x", NULL },
		{ CM("a") "data:\n  x: \"", "\\U0001F600", "unexpected end" },
		{ CM("a") "data:\n  x: |\n", "    line\n", NULL },
		{ CM("a") "spec:\n", "- a\n", "bytes of memory" },
		{ CM("a") "spec: [", "a,", "bytes of memory" },
		{ CM("a") "spec: {", "a,", "bytes of memory" },
		{ CM("a") "spec: {<<: [", "{a},", "bytes of memory" },
		{ CM("a") "spec: [", "\n", "did not find expected node" },
		{ "", "---\n", "more than 100000 documents" },
		{ "", "--- {kind: A}\n", "duplicate definition" },
		{ CM("a") "spec:\n", "- &a x\n", NULL },
		{ "", "*a ", "unknown anchor" },
		{ "", "[", "max depth" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		char *text = large(tv[i].begin, tv[i].piece, LARGEST);
		struct file f = { "a.yaml", text, 0 };
		struct commit c = { "c", &f, 1 };
		struct world w;
		struct answer a;

		begin(&w, NULL, &c, 1);
		free(load(&w, "c", &a));
		if (tv[i].error == NULL)
			want_str(a.err.text, "");
		else if (!want(strstr(a.err.text, tv[i].error) != NULL))
			printf("# [%s] of [%s]\n", a.err.text, tv[i].piece);
		answer_clear(&a);
		end(&w);
		free(text);
	}
}

int
main(void)
{
	test_run("worker: from a commit to a set to bodies", test_road);
	test_run("worker: a set is told as a difference where it can be",
	    test_differences);
	test_run("worker: failures are answers, and the next load works",
	    test_troubles);
	test_run("worker: a file that is larger than was said is refused",
	    test_larger_than_said);
	test_run("worker: bad files are done without, if they may be",
	    test_skip_bad);
	test_run("worker: only the configured paths are read", test_paths);
	test_run("worker: notes become events", test_events);
	test_run("worker: a job is found by its note", test_job_note);
	test_run("worker: policies of what the repository defines",
	    test_declared);
	test_run("worker: policies are bounded", test_many_policies);
	test_run("worker: repeated policies are bounded",
	    test_repeated_policies);
	test_run("worker: any number of kinds is asked for", test_kinds);
	test_run("A21: worker: the largest files do not end it", test_large);
	test_run("worker: long answers wait for credit", test_streams);
	return test_done();
}
