/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "deploy_key.h"

#include "fields.h"
#include "str.h"

#define PATH_BYTES_MAX 4096
#define DATA_KEY_MAX 253 /* as the API server has it */
/* Twice the key and once its public half in base64, and what is around them. */
#define PATCH_BYTES_MAX (3 * IPC_MAX_KEY_FILE + 2 * IPC_MAX_KEY)
#define SECRET_BYTES_MAX (3u << 20) /* the largest one, with its metadata */
#define TIMEOUT_US (20 * CLK_SEC)   /* somebody is waiting */

struct store {
	struct cluster *cluster;
	enum ipc_key_how how;
	char *ns, *secret, *data_key; /* owned */
	struct buf key, public;	      /* in base64; wiped */
	deploy_key_fn *fn;
	void *arg;
};

static void
end(struct store *s, struct fx_err *err)
{
	if (err != NULL)
		fx_wrap(err, "deploy key: secret %s/%s", s->ns, s->secret);
	s->fn(s->arg, err);
	buf_wipe(&s->key);
	buf_clear(&s->public);
	free(s->ns);
	free(s->secret);
	free(s->data_key);
	free(s);
}

static void
fail(struct store *s, int code, const char *text)
{
	struct fx_err err = { 0 };

	fx_fail(&err, code, "%s", text);
	end(s, &err);
}

/* Whoever was not answered, or by what stands before the server, cannot know
 * what the server has done. */
static void
not_done(struct store *s, const struct answer *a)
{
	struct fx_err err = a->err;

	if (a->status.http == 0 || a->status.http >= 500)
		err.code = FX_ETIMEOUT;
	end(s, &err);
}

/* NULL if the name cannot be one; then that was the end. */
static struct request *
request_for(struct store *s, const char *query, const char *accept, size_t max,
    answer_fn *done)
{
	const struct disc_kind secrets = { .api_version =
					       (char *)(uintptr_t) "v1",
		.resource = (char *)(uintptr_t) "secrets",
		.namespaced = true };
	auto_buf struct buf path = BUF_INIT(PATH_BYTES_MAX);
	struct request *r;

	if (disc_add_path(&path, &secrets, s->ns, s->secret) != FX_OK ||
	    str_add(&path, query) != FX_OK) {
		fail(s, FX_ESYNTAX, "this cannot be a Secret's name");
		return NULL;
	}
	r = cluster_get(s->cluster, &path, accept, max, done, s);
	if (r->timeout_us > TIMEOUT_US)
		r->timeout_us = TIMEOUT_US;
	return r;
}

/* ---- the patch ---------------------------------------------------------- */

static void
on_patched(void *arg, struct answer *a)
{
	struct store *s = arg;

	if (a->err.code == FX_OK)
		end(s, NULL);
	else
		not_done(s, a);
}

static void
add_data(struct buf *b, const char *name, const struct buf *base64)
{
	(void)str_addf(b, "\"%s\":\"", name);
	(void)str_addn(b, (const char *)buf_head(base64), buf_left(base64));
	(void)str_addc(b, '"');
}

/* With a version it is for the Secret that was looked at only. */
static void
send_patch(struct store *s, const char *version)
{
	struct request *r = request_for(s, "?fieldManager=" SW_MANAGER,
	    ACCEPT_META, META_BODY_MAX, on_patched);
	struct buf *b;

	if (r == NULL)
		return;
	r->method = "PATCH";
	r->content_type = "application/strategic-merge-patch+json";
	r->conflict_is_final = version != NULL;
	b = &r->body;
	buf_init(b, PATCH_BYTES_MAX);
	/* one allocation: growing would leave copies of the key behind */
	if (buf_reserve(b, PATCH_BYTES_MAX) == NULL)
		fx_bug("no room for a patch");
	(void)str_addc(b, '{');
	if (version != NULL)
		(void)str_addf(b, "\"metadata\":{\"resourceVersion\":\"%s\"},",
		    version);
	(void)str_add(b, "\"data\":{");
	add_data(b, s->data_key, &s->key);
	if (strcmp(s->data_key, DEPLOY_KEY_NAME) != 0) {
		(void)str_addc(b, ',');
		add_data(b, DEPLOY_KEY_NAME, &s->key);
	}
	(void)str_addc(b, ',');
	add_data(b, DEPLOY_KEY_NAME ".pub", &s->public);
	(void)str_add(b, "}}");
	client_send(s->cluster->client, LANE_REQUESTS, r);
}

/* ---- looking ------------------------------------------------------------ */

static bool
holds_ours(const struct store *s, const char *data)
{
	return strlen(data) == buf_left(&s->key) &&
	    memcmp(data, buf_head(&s->key), buf_left(&s->key)) == 0;
}

static void
judge(struct store *s, const json_t *doc)
{
	const char *data =
	    sw_json_str(json_object_get(doc, "data"), s->data_key);
	const char *version =
	    sw_json_str(json_object_get(doc, "metadata"), "resourceVersion");

	if (*data != '\0' && holds_ours(s, data))
		end(s, NULL);
	else if (s->how == IPC_KEY_LOOK)
		fail(s, FX_ECONFLICT, "it does not hold the new key");
	else if (*data != '\0')
		fail(s, FX_EAGAIN,
		    "it holds a key already, which is not where it should be "
		    "mounted, or not yet");
	else if (version[strspn(version, "0123456789")] != '\0')
		fail(s, FX_ESYNTAX, "its version is not a number");
	else
		send_patch(s, version);
}

static void
on_secret(void *arg, struct answer *a)
{
	struct store *s = arg;
	json_t *doc = sw_answer(a);

	if (doc == NULL)
		not_done(s, a);
	else
		judge(s, doc);
	json_decref(doc);
}

/* ---- begin -------------------------------------------------------------- */

static bool
is_data_key(const char *s)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t n = strlen(s);

	return n > 0 && n <= DATA_KEY_MAX && strspn(s, chars) == n;
}

static void
encode(struct buf *out, const void *p, size_t n)
{
	buf_init(out, PATCH_BYTES_MAX);
	if (buf_reserve(out, PATCH_BYTES_MAX) == NULL)
		fx_bug("no room for a key");
	str_add_base64(out, p, n, true, false);
}

void
deploy_key_store(struct cluster *c, const struct deploy_key *k,
    enum ipc_key_how how, deploy_key_fn *fn, void *arg)
{
	auto_free char *line = xasprintf("%s\n", k->line);
	struct store *s = xcalloc(1, sizeof(*s));
	struct request *r;

	*s = (struct store){ .cluster = c,
		.how = how,
		.ns = xstrdup(k->ns),
		.secret = xstrdup(k->secret),
		.data_key = xstrdup(k->data_key),
		.fn = fn,
		.arg = arg };
	encode(&s->key, buf_head(&k->text), buf_left(&k->text));
	encode(&s->public, line, strlen(line));
	if (!is_data_key(s->data_key)) {
		fail(s, FX_ESYNTAX,
		    "--k8s-secret-data-key cannot be a key of a Secret");
	} else if (how == IPC_KEY_REPLACE) {
		send_patch(s, NULL);
	} else {
		r = request_for(s, "", NULL, SECRET_BYTES_MAX, on_secret);
		if (r != NULL)
			client_send(c->client, LANE_REQUESTS, r);
	}
}
