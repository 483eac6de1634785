/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "keyring.h"

#include "fd.h"
#include "log.h"
#include "master.h"

#define MAKE_LIMIT_US (4 * CLK_MIN)  /* RSA of 8192 bits takes half a one */
#define STORE_LIMIT_US (2 * CLK_MIN) /* it times out by itself before */
#define STORE_TRIES 3		     /* by processes that end in the middle */
#define PAUSE_FIRST_US CLK_SEC
#define PAUSE_MAX_US CLK_MIN

static void make(struct master *);
static void store(struct master *, enum ipc_key_how);

/* ---- ends --------------------------------------------------------------- */

static void
forget_new(struct keyring *k)
{
	fd_close(&k->new_fd);
	free(k->new_line);
	k->new_line = NULL;
	k->tries = 0;
}

static void
answer(struct master *m, const struct fx_err *err)
{
	struct keyring *k = &m->keyring;

	if (!k->has_client)
		return;
	k->has_client = false;
	if (err != NULL)
		(void)ipc_reply_fail(&k->client, err);
	else
		(void)mst_reply_git_config(m, &k->client);
}

static void
log_failure(enum log_level level, const char *text)
{
	log_at(level, KS("component", "cluster"),
	    KS(level == LVL_ERROR ? "err" : "warning", text));
}

static void
pause_in(struct master *m, enum keyring_step step)
{
	struct keyring *k = &m->keyring;

	k->step = step;
	k->pause_us = k->pause_us == 0 ? PAUSE_FIRST_US : 2 * k->pause_us;
	if (k->pause_us > PAUSE_MAX_US)
		k->pause_us = PAUSE_MAX_US;
	loop_timer_in(m->loop, &k->timer, k->pause_us);
}

/* May it be otherwise in a moment, without anybody's doing? */
static bool
will_pass(const struct fx_err *err)
{
	return err->code == FX_EAGAIN || err->code == FX_ECONFLICT ||
	    err->code == FX_ERETRY || err->code == FX_ETIMEOUT;
}

/* The old key stays in use.  Where there is none, that is the end, as upstream
 * has it, if nobody but the operator can help. */
static void
give_up(struct master *m, const struct fx_err *err)
{
	struct keyring *k = &m->keyring;
	bool first = k->first;

	forget_new(k);
	k->step = KEYRING_IDLE;
	k->first = false;
	if (first && will_pass(err)) {
		log_failure(LVL_WARN, err->text);
		pause_in(m, KEYRING_WAITING);
		return;
	}
	k->pause_us = 0;
	log_failure(LVL_ERROR, err->text);
	answer(m, err);
	if (first)
		mst_stop(m, "there is no deploy key and none can be made", 1);
}

/* ---- making ------------------------------------------------------------- */

static int
on_made(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct keyring *k = &m->keyring;
	struct ipc_key_made a;
	struct fx_err e;
	int r;

	if (err != NULL) {
		e = *err;
		fx_wrap(&e, "making a deploy key");
		give_up(m, &e);
		return FX_OK;
	}
	r = ipc_key_made_decode(&f->body, &a, &f->fd);
	if (r != FX_OK)
		return r;
	k->new_fd = a.fd;
	a.fd = -1;
	k->new_line = fx_steal(&a.line);
	ipc_key_made_clear(&a);
	store(m, k->first ? IPC_KEY_FIRST : IPC_KEY_REPLACE);
	return FX_OK;
}

static void
make(struct master *m)
{
	const struct ipc_key_make q = { 0 };
	struct fx_err err = { 0 };

	m->keyring.step = KEYRING_MAKING;
	if (MST_ASK(mst_key_child(m, IPC_R_KEY), key_make, KEY_MAKE, &q,
		MAKE_LIMIT_US, on_made, m) != NULL)
		return;
	fx_fail(&err, FX_EAGAIN, "fluxd-key cannot be asked for a key");
	give_up(m, &err);
}

/* ---- storing ------------------------------------------------------------ */

/* It is in the Secret: use it.  The session that git-remote keeps was opened
 * with the old one. */
static void
take(struct master *m)
{
	struct keyring *k = &m->keyring;
	struct child *key = mst_child(m, IPC_R_KEY);

	if (m->key.sha256 != NULL && m->key.sha256[0] != '\0') {
		if (k->nformer == nitems(k->former)) {
			free(k->former[0]);
			k->nformer--;
			memmove(k->former, k->former + 1,
			    k->nformer * sizeof(*k->former));
		}
		k->former[k->nformer++] = xstrdup(m->key.sha256);
	}
	fd_close(&k->fd);
	k->fd = k->new_fd;
	k->new_fd = -1;
	forget_new(k);
	k->pause_us = 0;
	k->step = KEYRING_TAKING;
	/* one that is being spawned has not been given its files */
	k->from = key->incarnation + (key->state != CHILD_SPAWNING);
	log_at(LVL_INFO, KS("component", "cluster"),
	    KS("info", "a new deploy key was stored"),
	    KS("secret", m->cfg.k8s_secret_name));
	child_restart(key);
	child_restart(mst_child(m, IPC_R_GIT_REMOTE));
}

/* The answer is lost. */
static void
look_later(struct master *m, const struct fx_err *err)
{
	struct keyring *k = &m->keyring;
	struct fx_err e = { 0 };

	fx_fail(&e, FX_EFAIL,
	    "%s; if it holds the new key all the same, that will be used",
	    err->text);
	log_failure(LVL_ERROR, e.text);
	answer(m, &e);
	k->pause_us = 0;
	pause_in(m, KEYRING_UNSURE);
}

static int
on_stored(void *arg, struct ipc_frame *f, const struct fx_err *err)
{
	struct master *m = arg;
	struct keyring *k = &m->keyring;
	struct ipc_key_stored a;
	int r;

	if (err == NULL) {
		r = ipc_key_stored_decode(&f->body, &a, &f->fd);
		if (r == FX_OK)
			take(m);
		return r;
	}
	if (err->code != FX_ERETRY && err->code != FX_ETIMEOUT)
		give_up(m, err);
	else if (k->step == KEYRING_UNSURE)
		pause_in(m, KEYRING_UNSURE);
	else if (err->code == FX_ERETRY && ++k->tries < STORE_TRIES)
		store(m, k->first ? IPC_KEY_FIRST : IPC_KEY_REPLACE);
	else
		look_later(m, err);
	return FX_OK;
}

static void
store(struct master *m, enum ipc_key_how how)
{
	struct keyring *k = &m->keyring;
	const struct ipc_key_store q = { .how = how, .line = k->new_line };
	struct fx_err err = { 0 };

	if (how != IPC_KEY_LOOK)
		k->step = KEYRING_STORING;
	if (MST_ASK(mst_key_child(m, IPC_R_SYNC), key_store, KEY_STORE, &q,
		STORE_LIMIT_US, on_stored, m) != NULL)
		return;
	fx_fail(&err, FX_EAGAIN, "fluxd-sync cannot be asked to store a key");
	give_up(m, &err);
}

/* ---- time --------------------------------------------------------------- */

static void
on_timer(struct loop *l, void *arg)
{
	struct master *m = arg;
	struct keyring *k = &m->keyring;

	(void)l;
	if (m->stopping)
		return;
	if (k->step == KEYRING_UNSURE) {
		store(m, IPC_KEY_LOOK);
	} else if (k->step == KEYRING_WAITING) {
		/* by now the Secret may have come to the file */
		k->step = KEYRING_IDLE;
		child_restart(mst_child(m, IPC_R_KEY));
	}
}

void
keyring_init(struct master *m)
{
	m->keyring.new_fd = m->keyring.fd = -1;
	m->keyring.timer = (struct loop_timer){ .fn = on_timer, .arg = m };
}

/* ---- clients ------------------------------------------------------------ */

void
keyring_regenerate(struct master *m, const struct ipc_req *req)
{
	struct keyring *k = &m->keyring;

	if (!k->in_cluster) {
		(void)ipc_reply_failf(req, FX_EDENIED,
		    "fluxd makes a deploy key only in a cluster, where it is "
		    "mounted from a Secret; here, replace %s and send fluxd a "
		    "SIGHUP",
		    m->paths[IPC_FILE_DEPLOY_KEY]);
		return;
	}
	if (!k->known) {
		(void)ipc_reply_failf(req, FX_EAGAIN,
		    "it is not known yet which deploy key is in use: try again "
		    "in a moment");
		return;
	}
	if (k->step == KEYRING_UNSURE) {
		(void)ipc_reply_failf(req, FX_EFAIL,
		    "it is not known yet whether the last new deploy key was "
		    "stored");
		return;
	}
	if (k->step != KEYRING_IDLE && k->step != KEYRING_WAITING) {
		(void)ipc_reply_failf(req, FX_EFAIL,
		    "a new deploy key is being made already");
		return;
	}
	loop_timer_stop(m->loop, &k->timer);
	k->pause_us = 0;
	k->has_client = true;
	k->client = *req;
	make(m);
}

/* ---- fluxd-key ---------------------------------------------------------- */

void
keyring_opened(struct master *m, const struct fx_err *err)
{
	m->keyring.missing = err != NULL && err->code == FX_EUNKNOWN;
}

void
keyring_runs(struct master *m, struct child *key)
{
	const struct keyring *k = &m->keyring;
	struct ipc_text former[IPC_MAX_FORMER_KEYS];
	struct ipc_key_instead q = { .former = former };

	if (k->fd == -1)
		return;
	while (q.former_len < k->nformer) {
		former[q.former_len].s = k->former[q.former_len];
		q.former_len++;
	}
	(void)ipc_tell_key_instead(&key->peer, &q);
}

/* The file has it, or a newer one. */
static void
drop_taken(struct keyring *k)
{
	fd_close(&k->fd);
	while (k->nformer > 0)
		free(k->former[--k->nformer]);
}

/* Is this the answer of one that was given the key? */
static bool
was_given(struct master *m)
{
	return m->keyring.fd != -1 &&
	    mst_child(m, IPC_R_KEY)->incarnation >= m->keyring.from;
}

void
keyring_uses(struct master *m, const struct ipc_key_public_is *a)
{
	struct keyring *k = &m->keyring;

	k->known = true;
	if (was_given(m)) {
		if (!a->made)
			drop_taken(k);
		if (k->step == KEYRING_TAKING) {
			k->step = KEYRING_IDLE;
			k->first = false;
			answer(m, NULL);
		}
	}
	/* without ssh nobody needs one */
	if (a->line[0] == '\0' && k->missing && k->in_cluster &&
	    m->url.kind == GIT_URL_SSH && k->step == KEYRING_IDLE) {
		k->first = true;
		make(m);
	}
}

void
keyring_uses_none(struct master *m, const struct fx_err *err)
{
	m->keyring.known = true;
	if (m->keyring.step != KEYRING_TAKING || !was_given(m))
		return;
	m->keyring.step = KEYRING_IDLE;
	m->keyring.first = false;
	answer(m, err);
}
