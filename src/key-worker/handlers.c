/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "handlers.h"

#include "fd.h"
#include "fingerprint.h"
#include "git_url.h"
#include "request.h"
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

void
kw_open(struct kw_state *s, struct worker *w)
{
	const char *why = w->no_file[IPC_FILE_DEPLOY_KEY];
	int fd = worker_take_file(w, IPC_FILE_DEPLOY_KEY);
	struct git_url url = { 0 };

	s->given = fd != -1;
	if (!s->given)
		(void)fx_fail(&s->why, FX_EUNKNOWN, "no deploy key: %s",
		    why == NULL ? "none was given" : why);
	else if (read_key(w, fd, &s->key, &s->why) != FX_OK)
		(void)fx_wrap(&s->why, "deploy key");
	fd_close(&fd);
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

const struct ipc_handler kw_handlers[] = {
	{ IPC_T_KEY_PUBLIC, kw_on_key_public_frame },
	{ IPC_T_KEY_SIGN, kw_on_key_sign_frame },
};
const size_t kw_nhandlers = nitems(kw_handlers);
