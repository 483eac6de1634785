/* SPDX-License-Identifier: Apache-2.0 */

/* A new deploy key, from the question to its use; every worker is the test. */
#include "master_bed.h"

#include "fd.h"

#define OLD_LINE "ssh-ed25519 AAAAold flux"
#define NEW_LINE "ssh-ed25519 AAAAnew flux"

static char *
str(const char *s)
{
	return (char *)(uintptr_t)s;
}

/* ---- the client --------------------------------------------------------- */

struct reply {
	bool done;
	struct fx_err err;
	char *key; /* owned */
};

static int
on_reply(void *arg, struct ipc_frame *f)
{
	struct reply *r = arg;
	struct ipc_git_config_is m;

	r->done = true;
	if (ipc_take_failed(f, &r->err) != FX_OK)
		return FX_OK;
	want_int(ipc_git_config_is_decode(&f->body, &m, &f->fd), FX_OK);
	r->key = fx_steal(&m.key);
	ipc_git_config_is_clear(&m);
	return FX_OK;
}

static void
regenerate(struct reply *r)
{
	const struct ipc_git_config q = { .regenerate = true };

	*r = (struct reply){ 0 };
	want(ipc_ask_git_config(&bed_far[IPC_R_API], &q, on_reply, r) != 0);
	bed_turn();
}

static void
want_refused(struct reply *r, const char *text)
{
	want(r->done);
	want_str(r->err.text, text);
	want(r->key == NULL);
}

/* ---- the workers -------------------------------------------------------- */

static unsigned made_keys;	       /* files that were given */
static struct ipc_key_instead instead; /* what fluxd-key was told last */
static bool was_told;

static int
on_event(void *ctx, struct ipc_peer *p, struct ipc_frame *f)
{
	struct ipc_file file;

	(void)ctx;
	if (f->type == IPC_T_FILE) {
		want_int(ipc_file_decode(&f->body, &file, &f->fd), FX_OK);
		made_keys += file.which == IPC_FILE_MADE_KEY;
		ipc_file_clear(&file);
	}
	if (f->type != IPC_T_KEY_INSTEAD)
		return FX_OK;
	/* before anything is asked of it */
	for (size_t i = 0; i < bed_nasks; i++)
		want(bed_asks[i].req.peer != p);
	ipc_key_instead_clear(&instead);
	was_told = true;
	return ipc_key_instead_decode(&f->body, &instead, &f->fd);
}

/* The launcher starts the instance on demand of this role. */
static void
spawn(enum ipc_role role)
{
	struct child *c = mst_key_child(&bed, role);
	struct bed_ask ask = bed_take(IPC_R_LAUNCHER, IPC_T_SPAWN), open;
	const struct ipc_ready ready = { .table_id = ipc_table_id(),
		.missing = str(""),
		.root = str("empty") };
	struct ipc_spawn m;

	if (ask.req.type == 0 || !want(BED_READ(ask, spawn, &m)))
		return;
	want_int(m.role, role);
	want_int(m.instance, MST_KEY_INSTANCE);
	BED_ANSWER(ask, spawned, .pid = 500 + role, .channel = bed_channel(c));
	while ((open = bed_find(IPC_R_LAUNCHER, IPC_T_OPEN)).req.type != 0) {
		want_int(role, IPC_R_SYNC); /* who makes a key sees no other */
		bed_fail(open, FX_EUNKNOWN, "not there");
	}
	want_int(ipc_tell_ready(bed_end_of(c), &ready), FX_OK);
	bed_turn();
	bed_end_of(c)->phase = IPC_PH_RUN;
	BED_ANSWER(bed_take(IPC_R_LAUNCHER, IPC_T_INSPECT), inspected,
	    .pid = c->pid, .seccomp = 2, .no_new_privs = 1);
}

/* It has done its work: told to stop, it ends, and is not started again. */
static void
want_ended(enum ipc_role role)
{
	struct child *c = mst_key_child(&bed, role);

	bed_turn();
	want(bed_end_of(c)->stopped);
	ipc_peer_close(bed_end_of(c));
	child_exited(c, c->pid, 0);
	want_int(c->state, CHILD_OFF);
}

static void
die(enum ipc_role role)
{
	struct child *c = mst_key_child(&bed, role);

	ipc_peer_close(bed_end_of(c));
	bed_turn();
	child_exited(c, c->pid, 9);
	bed_pass(CLK_SEC); /* it is started when its turn comes */
}

/* A key is asked for, and made. */
static void
give_key(void)
{
	int fd = fd_sealed("new", "the new key", 11);

	spawn(IPC_R_KEY);
	want(fd != -1);
	BED_ANSWER(bed_take(IPC_R_KEY, IPC_T_KEY_MAKE), key_made,
	    .line = str(NEW_LINE), .fd = fd);
	want_ended(IPC_R_KEY);
}

static struct bed_ask
take_store(enum ipc_key_how how)
{
	struct bed_ask ask;
	struct ipc_key_store m;
	unsigned given = made_keys;

	spawn(IPC_R_SYNC);
	want_int(made_keys, given + 1);
	ask = bed_take(IPC_R_SYNC, IPC_T_KEY_STORE);
	if (ask.req.type != 0 && want(BED_READ(ask, key_store, &m))) {
		want_int(m.how, how);
		want_str(m.line, NEW_LINE);
		ipc_key_store_clear(&m);
	}
	return ask;
}

/* fluxd-key is started again and says what it uses. */
static void
key_comes(const char *line, const char *sha256, bool made)
{
	struct child *c = mst_child(&bed, IPC_R_KEY);

	ipc_peer_close(&bed_far[IPC_R_KEY]);
	bed_turn();
	child_exited(c, c->pid, 0);
	loop_timer_stop(bed.loop, &c->retry);
	was_told = false;
	bed_run(c);
	BED_ANSWER(bed_take(IPC_R_KEY, IPC_T_KEY_PUBLIC), key_public_is,
	    .type = str("ssh-ed25519"), .line = str(line),
	    .sha256 = str(sha256), .md5 = str(""), .md5_art = str(""),
	    .sha256_art = str(""), .made = made);
}

static struct bed_ask fetch; /* of the start, which goes on all the time */

/* A daemon in a cluster that uses a key. */
static void
begin(void)
{
	bed_begin(NULL);
	bed_on_event = on_event;
	fetch = bed_take(IPC_R_GIT_REMOTE, IPC_T_FETCH);
	bed.keyring.in_cluster = true;
	bed.url.kind = GIT_URL_SSH;
	bed.paths[IPC_FILE_DEPLOY_KEY] = str("/ssh/identity");
	key_comes(OLD_LINE, "old", false);
	bed_forget();
}

static void
finish(void)
{
	struct bed_ask ask;

	while ((ask = bed_find(IPC_R_LAUNCHER, IPC_T_SPAWN)).req.type != 0)
		buf_clear(&ask.body);
	ipc_key_instead_clear(&instead);
	buf_clear(&fetch.body);
	bed_end();
}

/* ---- the way it should go ----------------------------------------------- */

static void
test_replaced(void)
{
	struct reply r;

	begin();
	regenerate(&r);
	give_key();
	BED_ANSWER(take_store(IPC_KEY_REPLACE), key_stored, 0);
	want_ended(IPC_R_SYNC);
	want(!r.done);
	want(bed_far[IPC_R_KEY].stopped);
	key_comes(NEW_LINE, "new", true);
	if (want(was_told && instead.former_len == 1))
		want_str(instead.former[0].s, "old");
	want(r.done && r.key != NULL);
	want_str(r.key, NEW_LINE "\n");
	want_log("info=\"a new deploy key was stored\" secret=flux-git-deploy");
	want_log("identity.pub=\"" NEW_LINE "\"");
	free(r.key);

	/* the file does not have it: each that starts is given it */
	key_comes(NEW_LINE, "new", true);
	want(was_told);
	want(bed.keyring.fd != -1);
	/* the file has it: nobody needs ours any more */
	key_comes(NEW_LINE, "new", false);
	want_int(bed.keyring.fd, -1);
	key_comes(NEW_LINE, "new", false);
	want(!was_told);
	finish();
}

/* Not before fluxd-key and git-remote have answered what they are asked. */
static void
test_nothing_is_broken_off(void)
{
	struct ipc_key_public q = { 0 };
	struct bed_ask sign;
	struct reply r;

	begin();
	want(ipc_ask_key_public(&bed_far[IPC_R_GIT_REMOTE], &q,
		 (ipc_answer_fn *)on_reply, &r) != 0);
	sign = bed_take(IPC_R_KEY, IPC_T_KEY_PUBLIC);
	regenerate(&r);
	give_key();
	BED_ANSWER(take_store(IPC_KEY_REPLACE), key_stored, 0);
	want(!bed_far[IPC_R_KEY].stopped);
	bed_fail(sign, FX_EFAIL, "no");
	want(bed_far[IPC_R_KEY].stopped);
	/* it fetches, and keeps a session that the old key has opened */
	want(!bed_far[IPC_R_GIT_REMOTE].stopped);
	bed_fail(fetch, FX_EFAIL, "no");
	want(bed_far[IPC_R_GIT_REMOTE].stopped);
	fetch.body = (struct buf){ 0 };
	want_ended(IPC_R_SYNC);
	key_comes(NEW_LINE, "new", true);
	want_str(r.key, NEW_LINE "\n");
	free(r.key);
	finish();
}

/* A fluxd-key that was started too early for the new key says what it uses. */
static void
test_too_early(void)
{
	struct bed_ask store, public;
	struct reply r;

	begin();
	regenerate(&r);
	give_key();
	store = take_store(IPC_KEY_REPLACE);
	bed_kill(IPC_R_KEY);
	public = bed_take(IPC_R_KEY, IPC_T_KEY_PUBLIC);
	BED_ANSWER(store, key_stored, 0);
	want_ended(IPC_R_SYNC);
	BED_ANSWER(public, key_public_is, .type = str("ssh-ed25519"),
	    .line = str(OLD_LINE), .sha256 = str("old"), .md5 = str(""),
	    .md5_art = str(""), .sha256_art = str(""));
	want(!r.done);
	want(bed.keyring.fd != -1);
	want(bed_far[IPC_R_KEY].stopped);
	key_comes(NEW_LINE, "new", true);
	want_str(r.key, NEW_LINE "\n");
	free(r.key);
	finish();
}

/* Two in a row before the file has any: it may hold either of the former. */
static void
test_twice(void)
{
	struct reply r;

	begin();
	for (int i = 0; i < 2; i++) {
		regenerate(&r);
		give_key();
		BED_ANSWER(take_store(IPC_KEY_REPLACE), key_stored, 0);
		want_ended(IPC_R_SYNC);
		key_comes(NEW_LINE, i == 0 ? "first" : "second", true);
		want(r.done && r.key != NULL);
		free(r.key);
	}
	want_int(instead.former_len, 2);
	want_str(instead.former[0].s, "old");
	want_str(instead.former[1].s, "first");
	/* as many as one message takes are remembered, the newest */
	for (size_t i = 2; i < IPC_MAX_FORMER_KEYS + 1; i++) {
		regenerate(&r);
		give_key();
		BED_ANSWER(take_store(IPC_KEY_REPLACE), key_stored, 0);
		want_ended(IPC_R_SYNC);
		key_comes(NEW_LINE, "later", true);
		free(r.key);
	}
	want_int(instead.former_len, IPC_MAX_FORMER_KEYS);
	want_str(instead.former[0].s, "first");
	finish();
}

/* ---- what goes wrong ---------------------------------------------------- */

static void
test_refused(void)
{
	struct reply r, second;

	begin();
	/* else nobody could tell it from one that comes later */
	bed.keyring.known = false;
	regenerate(&r);
	want_refused(&r,
	    "it is not known yet which deploy key is in use: try again in a "
	    "moment");
	bed.keyring.known = true;
	regenerate(&r);
	regenerate(&second);
	want_refused(&second, "a new deploy key is being made already");
	spawn(IPC_R_KEY);
	bed_fail(bed_take(IPC_R_KEY, IPC_T_KEY_MAKE), FX_EFAIL, "no luck");
	want_ended(IPC_R_KEY);
	want_refused(&r, "making a deploy key: no luck");

	regenerate(&r);
	give_key();
	regenerate(&second);
	want_refused(&second, "a new deploy key is being made already");
	bed_fail(take_store(IPC_KEY_REPLACE), FX_EDENIED,
	    "deploy key: secret flux/s: forbidden");
	/* one that takes its time to end is asked nothing meanwhile, and so not
	 * started again for it */
	bed_pass(11 * CLK_SEC);
	want_ended(IPC_R_SYNC);
	want_refused(&r, "deploy key: secret flux/s: forbidden");
	want_log("component=cluster err=\"deploy key: secret flux/s: "
		 "forbidden\"");
	want(!bed.stopping);
	want(!bed_far[IPC_R_KEY].stopped);
	want_int(bed.keyring.new_fd, -1);
	want_int(bed.keyring.fd, -1);
	finish();
}

static void
test_outside(void)
{
	struct reply r;

	begin();
	bed.keyring.in_cluster = false;
	regenerate(&r);
	want_refused(&r,
	    "fluxd makes a deploy key only in a cluster, where it is mounted "
	    "from a Secret; here, replace /ssh/identity and send fluxd a "
	    "SIGHUP");
	/* without a key ring it is fine, and nothing happens */
	bed.has_key_ring = false;
	regenerate(&r);
	want(r.done && r.err.code == FX_OK);
	free(r.key);
	finish();
}

/* Whoever makes it, or stores it, dies. */
static void
test_killed(void)
{
	struct reply r;

	begin();
	regenerate(&r);
	spawn(IPC_R_KEY);
	bed_drop(IPC_R_KEY, IPC_T_KEY_MAKE);
	die(IPC_R_KEY);
	want_refused(&r, "making a deploy key: key ended");

	regenerate(&r);
	give_key();
	for (int i = 0; i < 2; i++) {
		struct bed_ask ask = take_store(IPC_KEY_REPLACE);

		buf_clear(&ask.body);
		die(IPC_R_SYNC);
		want(!r.done);
	}
	/* the third one does it */
	BED_ANSWER(take_store(IPC_KEY_REPLACE), key_stored, 0);
	want_ended(IPC_R_SYNC);
	key_comes(NEW_LINE, "new", true);
	want_str(r.key, NEW_LINE "\n");
	free(r.key);
	finish();
}

/* The answer is lost: what the Secret holds decides. */
static void
test_unsure(void)
{
	struct reply r, second;
	struct bed_ask ask;

	for (int stored = 0; stored < 2; stored++) {
		begin();
		regenerate(&r);
		give_key();
		bed_fail(take_store(IPC_KEY_REPLACE), FX_ETIMEOUT,
		    "deploy key: secret flux/s: API server: no answer");
		want_ended(IPC_R_SYNC);
		want_refused(&r,
		    "deploy key: secret flux/s: API server: no answer; if it "
		    "holds the new key all the same, that will be used");
		regenerate(&second);
		want_refused(&second,
		    "it is not known yet whether the last new deploy key was "
		    "stored");
		want(bed_none(IPC_R_LAUNCHER, IPC_T_SPAWN));
		bed_pass(CLK_SEC);
		bed_fail(take_store(IPC_KEY_LOOK), FX_ETIMEOUT, "no answer");
		want_ended(IPC_R_SYNC);
		bed_pass(CLK_SEC);
		want(bed_none(IPC_R_LAUNCHER, IPC_T_SPAWN));
		bed_pass(CLK_SEC + CLK_MS);
		ask = take_store(IPC_KEY_LOOK);
		if (stored) {
			BED_ANSWER(ask, key_stored, 0);
			want_ended(IPC_R_SYNC);
			want(bed_far[IPC_R_KEY].stopped);
			key_comes(NEW_LINE, "new", true);
			want_int(bed.keyring.step, KEYRING_IDLE);
			want(bed.keyring.fd != -1);
		} else {
			bed_fail(ask, FX_ECONFLICT, "it does not hold it");
			want_ended(IPC_R_SYNC);
			want(!bed_far[IPC_R_KEY].stopped);
			want_int(bed.keyring.step, KEYRING_IDLE);
			want_int(bed.keyring.new_fd, -1);
		}
		finish();
	}
}

/* The new key is stored, but fluxd-key cannot use it. */
static void
test_unusable(void)
{
	struct reply r;

	begin();
	regenerate(&r);
	give_key();
	BED_ANSWER(take_store(IPC_KEY_REPLACE), key_stored, 0);
	want_ended(IPC_R_SYNC);
	bed_kill(IPC_R_KEY);
	bed_fail(bed_take(IPC_R_KEY, IPC_T_KEY_PUBLIC), FX_ESYNTAX, "damaged");
	want_refused(&r, "damaged");
	want_int(bed.keyring.step, KEYRING_IDLE);
	finish();
}

/* ---- the first key ------------------------------------------------------ */

static void
begin_without(void)
{
	const struct fx_err missing = { FX_EUNKNOWN, "open /ssh/identity: No" };

	begin();
	keyring_opened(&bed, &missing);
	key_comes("", "", false);
}

static void
test_first(void)
{
	begin_without();
	give_key();
	BED_ANSWER(take_store(IPC_KEY_FIRST), key_stored, 0);
	want_ended(IPC_R_SYNC);
	key_comes(NEW_LINE, "new", true);
	want(was_told);
	want_int(bed.keyring.step, KEYRING_IDLE);
	want(!bed.stopping);
	finish();
}

/* What only the operator can change is the end. */
static void
test_first_refused(void)
{
	begin_without();
	give_key();
	bed_fail(take_store(IPC_KEY_FIRST), FX_EUNKNOWN, "secrets not found");
	want(bed.stopping);
	want_log("component=cluster err=\"secrets not found\"");
	finish();
}

/* What passes is waited for; then the file is looked at again. */
static void
test_first_later(void)
{
	static const int codes[] = { FX_EAGAIN, FX_ECONFLICT };
	struct reply r;

	for (size_t i = 0; i < nitems(codes); i++) {
		begin_without();
		give_key();
		bed_fail(take_store(IPC_KEY_FIRST), codes[i], "has one");
		want_ended(IPC_R_SYNC);
		want_log("component=cluster warning=\"has one\"");
		want(!bed.stopping && !bed_far[IPC_R_KEY].stopped);
		bed_pass(CLK_SEC + CLK_MS);
		want(bed_far[IPC_R_KEY].stopped);
		/* it has come */
		keyring_opened(&bed, NULL);
		key_comes(OLD_LINE, "old", false);
		want(bed_none(IPC_R_LAUNCHER, IPC_T_SPAWN));
		finish();
	}

	/* a client need not wait for it */
	begin_without();
	give_key();
	bed_fail(take_store(IPC_KEY_FIRST), FX_EAGAIN, "has one");
	want_ended(IPC_R_SYNC);
	regenerate(&r);
	give_key();
	BED_ANSWER(take_store(IPC_KEY_REPLACE), key_stored, 0);
	want_ended(IPC_R_SYNC);
	key_comes(NEW_LINE, "new", true);
	want_str(r.key, NEW_LINE "\n");
	free(r.key);
	finish();
}

/* Only in a cluster, for ssh, and where there is no file at all. */
static void
test_first_not_wanted(void)
{
	const struct fx_err missing = { FX_EUNKNOWN, "" },
			    denied = { FX_ESYS, "" };

	for (int i = 0; i < 3; i++) {
		begin();
		bed.keyring.in_cluster = i != 0;
		bed.url.kind = i == 1 ? GIT_URL_FILE : GIT_URL_SSH;
		keyring_opened(&bed, i == 2 ? &denied : &missing);
		key_comes("", "", false);
		want(bed_none(IPC_R_LAUNCHER, IPC_T_SPAWN));
		finish();
	}
}

int
main(void)
{
	test_run("keyring: a key is made, stored, and then used",
	    test_replaced);
	test_run("keyring: whoever is at work is not broken off",
	    test_nothing_is_broken_off);
	test_run("keyring: an answer of one without the new key is none",
	    test_too_early);
	test_run("keyring: keys that were replaced are remembered", test_twice);
	test_run("keyring: a refusal leaves the old key", test_refused);
	test_run("keyring: outside of a cluster, and without one",
	    test_outside);
	test_run("keyring: who makes or stores it is killed", test_killed);
	test_run("keyring: a lost answer is found out", test_unsure);
	test_run("keyring: a key that cannot be used", test_unusable);
	test_run("keyring: the first one", test_first);
	test_run("keyring: the first one is refused", test_first_refused);
	test_run("keyring: the first one has to wait", test_first_later);
	test_run("keyring: the first one is not always wanted",
	    test_first_not_wanted);
	return test_done();
}
