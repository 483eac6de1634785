/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ask.h"

#include "jsonw.h"
#include "spec.h"
#include "str.h"

/* ---- the repository and its key ----------------------------------------- */

static void
add_fingerprint(struct buf *b, const char *name, const char *hash,
    const char *art)
{
	str_addf(b, "\"%s\":{", name);
	jw_member(b, "hash", hash);
	str_addc(b, ',');
	jw_member(b, "randomart", art);
	str_addc(b, '}');
}

static void
add_public_key(struct buf *b, const struct ipc_git_config_is *m)
{
	str_addc(b, '{');
	jw_member(b, "key", m->key);
	str_add(b, ",\"fingerprints\":");
	if (*m->key == '\0') {
		str_add(b, "null}");
		return;
	}
	str_addc(b, '{');
	add_fingerprint(b, "md5", m->md5, m->md5_art);
	str_addc(b, ',');
	add_fingerprint(b, "sha256", m->sha256, m->sha256_art);
	str_add(b, "}}");
}

static void
git_config(struct http_request *r, const struct ipc_git_config_is *m)
{
	struct buf *b = answer_json(&r->answer);

	str_add(b, "{\"remote\":{");
	jw_member(b, "url", m->url);
	str_addc(b, ',');
	jw_member(b, "branch", m->branch);
	str_addc(b, ',');
	jw_member(b, "path", m->path);
	str_add(b, "},\"publicSSHKey\":");
	add_public_key(b, m);
	str_addc(b, ',');
	jw_member(b, "status", m->status);
	str_addc(b, ',');
	jw_member(b, "errors", m->error);
	str_addc(b, '}');
}
AW_ANSWER(git_config_is, git_config)

static void
public_key(struct http_request *r, const struct ipc_git_config_is *m)
{
	add_public_key(answer_json(&r->answer), m);
}
AW_ANSWER(git_config_is, public_key)

static void
new_key(struct http_request *r, const struct ipc_git_config_is *m)
{
	(void)m;
	answer_empty(&r->answer, 204);
}
AW_ANSWER(git_config_is, new_key)

/* The master answers at all. */
static void
healthy(struct http_request *r, const struct ipc_git_config_is *m)
{
	(void)m;
	answer_text(&r->answer, 200, "ok\n");
}
AW_ANSWER(git_config_is, healthy)

static void
ready(struct http_request *r, const struct ipc_git_config_is *m)
{
	auto_free char *text = NULL;

	if (strcmp(m->status, "ready") == 0) {
		answer_text(&r->answer, 200, "ok\n");
		return;
	}
	text = xasprintf("git repository %s: %s\n", m->status, m->error);
	answer_text(&r->answer, 503, text);
}
AW_ANSWER(git_config_is, ready)

static void
ask_git_config(struct http_request *r, bool regenerate, ipc_answer_fn *fn)
{
	const struct ipc_git_config m = { .regenerate = regenerate };

	aw_asked(r, ipc_ask_git_config(aw_master(r), &m, fn, r));
}

void
aw_on_git_config(struct http_request *r)
{
	struct fx_err err = { 0 };
	bool regenerate = false;

	if (spec_bool_parse((const char *)buf_head(&r->body),
		buf_left(&r->body), &regenerate, &err) != FX_OK)
		aw_bad_request(r, &err);
	else
		ask_git_config(r, regenerate, git_config_frame);
}

void
aw_on_public_key(struct http_request *r)
{
	ask_git_config(r, false, public_key_frame);
}

void
aw_on_new_key(struct http_request *r)
{
	ask_git_config(r, true, new_key_frame);
}

void
aw_on_healthz(struct http_request *r)
{
	ask_git_config(r, false, healthy_frame);
}

void
aw_on_readyz(struct http_request *r)
{
	ask_git_config(r, false, ready_frame);
}

/* ---- what is synced ----------------------------------------------------- */

#define REVISION_MAX (IPC_MAX_OID + 3) /* bytes of one in the list */

static int
take_revisions(struct http_request *r, struct ipc_frame *f)
{
	struct ipc_sync_status_part m;
	struct buf *b = &r->answer.body;
	int rc = ipc_sync_status_part_decode(&f->body, &m, &f->fd);

	if (rc != FX_OK)
		return rc;
	/* the master shows fewer; half a list would be taken for whole */
	if (r->answer.status == 0 &&
	    buf_left(b) + (m.revisions_len + 1) * REVISION_MAX > ANSWER_MAX)
		answer_trouble(&r->answer, r->accept, 500,
		    "more commits are not applied than can be listed");
	for (size_t i = 0; r->answer.status == 0 && i < m.revisions_len; i++) {
		str_addc(b, buf_left(b) == 0 ? '[' : ',');
		jw_string(b, m.revisions[i].hex);
	}
	ipc_sync_status_part_clear(&m);
	return FX_OK;
}

static void
sync_status(struct http_request *r, const struct ipc_sync_status_is *m)
{
	(void)m;
	if (r->answer.status != 0)
		return;
	str_add(&r->answer.body, buf_left(&r->answer.body) == 0 ? "[]" : "]");
	r->answer.status = 200;
	r->answer.type = ANSWER_JSON;
}
AW_ANSWER(sync_status_is, sync_status)

static int
sync_status_any_frame(void *arg, struct ipc_frame *f)
{
	return f != NULL && f->type == IPC_T_SYNC_STATUS_PART
	    ? take_revisions(arg, f)
	    : sync_status_frame(arg, f);
}

void
aw_on_sync_status(struct http_request *r)
{
	const char *ref = aw_param(r, "ref");
	struct ipc_sync_status m = { .ref = (char *)(uintptr_t)ref };

	if (strlen(ref) > IPC_MAX_REF)
		answer_failed(&r->answer, r->accept,
		    "the name of the revision is too long");
	else
		aw_asked(r,
		    ipc_ask_sync_status(aw_master(r), &m, sync_status_any_frame,
			r));
}

/* ---- what was not applied ----------------------------------------------- */

static void
sync_errors(struct http_request *r, const struct ipc_sync_errors_are *m)
{
	struct buf *b = answer_json(&r->answer);

	str_addf(b, "{\"total\":%llu,\"errors\":[",
	    (unsigned long long)m->total);
	for (size_t i = 0; i < m->errors_len; i++) {
		str_add(b, i == 0 ? "{" : ",{");
		jw_member(b, "ID", m->errors[i].id);
		str_addc(b, ',');
		jw_member(b, "Error", m->errors[i].text);
		str_addc(b, '}');
	}
	str_add(b, "]}");
}
AW_ANSWER(sync_errors_are, sync_errors)

void
aw_on_sync_errors(struct http_request *r)
{
	const struct ipc_sync_errors m = { 0 };

	aw_asked(r,
	    ipc_ask_sync_errors(aw_master(r), &m, sync_errors_frame, r));
}
