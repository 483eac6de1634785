/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "fd.h"
#include "fingerprint.h"
#include "git_url.h"
#include "keygen.h"
#include "request.h"
#include "ssh_wire.h"
#include "str.h"

static int
read_key(struct worker *w, int fd, struct key **out, struct fx_err *err)
{
	struct buf text = BUF_INIT(KEY_FILE_MAX);
	int r = FX_EFAIL;

	/* one allocation: growing would leave copies of the key behind */
	if (buf_reserve(&text, KEY_FILE_MAX) != NULL)
		r = worker_read_all(w, fd, &text);
	if (r == FX_OK)
		return key_parse(&text, out, err);
	buf_wipe(&text);
	return fx_fail(err, r,
	    r == FX_ELIMIT ? "larger than %d bytes" : "cannot be read",
	    KEY_FILE_MAX);
}

bool
kw_is_maker(const struct worker *w)
{
	return w->instance != 0;
}

/* One that was made and cannot be read is as good as none: it is in the
 * Secret, and so will be in the file. */
static void
open_made(struct kw_state *s, struct worker *w)
{
	auto_fd int fd = worker_take_file(w, IPC_FILE_MADE_KEY);
	struct fx_err unwanted = { 0 };

	if (fd != -1)
		(void)!read_key(w, fd, &s->made, &unwanted);
}

void
kw_open(struct kw_state *s, struct worker *w)
{
	const char *why = w->no_file[IPC_FILE_DEPLOY_KEY];
	int fd = worker_take_file(w, IPC_FILE_DEPLOY_KEY);
	struct git_url url = { 0 };

	s->w = w;
	s->given = fd != -1;
	if (!s->given)
		(void)fx_fail(&s->why, FX_EUNKNOWN, "no deploy key: %s",
		    why == NULL ? "none was given" : why);
	else if (read_key(w, fd, &s->key, &s->why) != FX_OK)
		(void)fx_wrap(&s->why, "deploy key");
	fd_close(&fd);
	open_made(s, w);
	if (git_url_parse(w->cfg.git_url, &url, NULL) != FX_OK)
		return;
	if (url.kind == GIT_URL_SSH)
		s->user = fx_steal(&url.user);
	git_url_clear(&url);
}

void
kw_close(struct kw_state *s)
{
	key_free(&s->key);
	key_free(&s->made);
	sealed_close(&s->file);
	free(s->user);
}

static int
reply_no_key(const struct ipc_req *req, const struct kw_state *s)
{
	const struct ipc_key_public_is none = { 0 };

	return s->given ? ipc_reply_fail(req, &s->why)
			: ipc_reply_key_public_is(req, &none);
}

static int
kw_on_key_public(struct kw_state *s, const struct ipc_req *req,
    struct ipc_key_public *m)
{
	struct buf text[5];
	char *p[nitems(text)];
	const struct key *k = s->key;
	int r = FX_OK;

	(void)m;
	if (k == NULL)
		return reply_no_key(req, s);
	for (size_t i = 0; i < nitems(text); i++)
		buf_init(&text[i], IPC_MAX_KEY);
	key_add_line(&text[0], k);
	if (fp_add(FP_MD5, &k->blob, k->kind->title, k->bits, &text[1],
		&text[2]) != FX_OK ||
	    fp_add(FP_SHA256, &k->blob, k->kind->title, k->bits, &text[3],
		&text[4]) != FX_OK)
		r = FX_EFAIL;
	for (size_t i = 0; i < nitems(text); i++)
		p[i] = str_take(&text[i]);
	if (r == FX_OK)
		r = ipc_reply_key_public_is(req,
		    &(struct ipc_key_public_is){
			.type = (char *)(uintptr_t)k->kind->type,
			.blob = { k->blob.data + k->blob.off,
			    buf_left(&k->blob) },
			.line = p[0],
			.md5 = p[1],
			.md5_art = p[2],
			.sha256 = p[3],
			.sha256_art = p[4],
			.made = s->uses_made,
		    });
	else
		r = ipc_reply_failf(req, r, "libcrypto made no fingerprint");
	for (size_t i = 0; i < nitems(p); i++)
		free(p[i]);
	return r;
}
IPC_HANDLER(key_public, kw_on_key_public, struct kw_state)

static int
kw_on_key_sign(struct kw_state *s, const struct ipc_req *req,
    struct ipc_key_sign *m)
{
	const struct buf asked = buf_view(m->to_sign.p, m->to_sign.n);
	auto_buf struct buf sig = BUF_INIT(KEY_SIG_MAX);
	struct ipc_key_signed out = { 0 };
	const struct key_alg *alg;
	struct fx_err err = s->why;

	if (s->key == NULL)
		return ipc_reply_fail(req, &err);
	if (s->user == NULL)
		return ipc_reply_failf(req, FX_EDENIED,
		    "refused to sign: the repository is not reached over ssh");
	if (request_check(&asked, s->key, s->user, &alg, &err) != FX_OK ||
	    key_sign(s->key, alg, &asked, &sig, &err) != FX_OK)
		return ipc_reply_fail(req, &err);
	out.signature = (struct ipc_bytes){ sig.data, buf_left(&sig) };
	return ipc_reply_key_signed(req, &out);
}
IPC_HANDLER(key_sign, kw_on_key_sign, struct kw_state)

/* ---- another key ---------------------------------------------------------
 */

/* Is the file's key one of those that were replaced? */
static bool
is_former(const struct key *k, const struct ipc_key_instead *m)
{
	auto_buf struct buf b = BUF_INIT(IPC_MAX_NAME);
	auto_buf struct buf art = BUF_INIT(IPC_MAX_TEXT);
	struct buf text;

	if (fp_add(FP_SHA256, &k->blob, k->kind->title, k->bits, &b, &art) !=
	    FX_OK)
		return false;
	text = buf_view(buf_head(&b), buf_left(&b));
	for (size_t i = 0; i < m->former_len; i++)
		if (sshw_is(&text, m->former[i].s))
			return true;
	return false;
}

/* A key that somebody else has put into the file since is newer than the one
 * that was made. */
static int
kw_on_key_instead(struct kw_state *s, const struct ipc_req *req,
    struct ipc_key_instead *m)
{
	(void)req;
	if (s->made == NULL || (s->key != NULL && !is_former(s->key, m))) {
		key_free(&s->made);
		return FX_OK;
	}
	key_free(&s->key);
	s->key = fx_steal(&s->made);
	s->uses_made = true;
	return FX_OK;
}
IPC_HANDLER(key_instead, kw_on_key_instead, struct kw_state)

static int
make_key(struct kw_state *s, struct key **out, struct fx_err *err)
{
	const struct config *c = &s->w->cfg;
	/* the master has checked them, and refused the size 0 */
	const uint64_t *bits =
	    c->ssh_keygen_bits == 0 ? NULL : &c->ssh_keygen_bits;
	struct keygen want;
	int r = keygen_parse(c->ssh_keygen_type, bits, c->ssh_keygen_format,
	    &want, err);

	if (r == FX_OK)
		r = key_generate(&want, out, err);
	return r == FX_OK ? key_write(*out, want.format, &s->file.bytes, err)
			  : r;
}

/* One in a process's life: nothing of it is left when it ends. */
static int
kw_on_key_make(struct kw_state *s, const struct ipc_req *req,
    struct ipc_key_make *m)
{
	auto_buf struct buf line = BUF_INIT(IPC_MAX_KEY);
	auto_key struct key *k = NULL;
	struct ipc_key_made out = { 0 };
	struct fx_err err = { 0 };
	int r;

	(void)m;
	if (s->file.bytes.data == NULL)
		return ipc_reply_failf(req, FX_EDENIED,
		    "this process makes no key, or has made one");
	if (make_key(s, &k, &err) != FX_OK)
		return ipc_reply_fail(req, &err);
	out.fd = sealed_take(&s->file);
	if (out.fd == -1)
		return ipc_reply_failf(req, FX_ESYS,
		    "the memory file cannot be sealed");
	key_add_line(&line, k);
	out.line = str_take(&line);
	r = ipc_reply_key_made(req, &out);
	free(out.line);
	return r;
}
IPC_HANDLER(key_make, kw_on_key_make, struct kw_state)

const struct ipc_handler kw_handlers[] = {
	{ IPC_T_KEY_PUBLIC, kw_on_key_public_frame },
	{ IPC_T_KEY_SIGN, kw_on_key_sign_frame },
	{ IPC_T_KEY_INSTEAD, kw_on_key_instead_frame },
	{ IPC_T_KEY_MAKE, kw_on_key_make_frame },
};
const size_t kw_nhandlers = nitems(kw_handlers);
