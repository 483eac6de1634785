/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "marker.h"

#include "fields.h"
#include "str.h"

#define REVISION_MIN 40 /* hex digits: SHA-1 … */
#define REVISION_MAX 64 /* … SHA-256 */
#define PATH_BYTES_MAX 4096
#define PATCH_BYTES_MAX 256

struct marker_ask {
	struct cluster *cluster;
	char *ns, *secret;
	bool reading; /* the GET; then a PATCH that makes it there */
	marker_fn *fn;
	void *arg;
};

static void send_patch(struct marker_ask *, const char *revision);

static void
end(struct marker_ask *ask, const char *revision, const struct fx_err *err)
{
	ask->fn(ask->arg, revision, err);
	free(ask->ns);
	free(ask->secret);
	free(ask);
}

/* Whoever may annotate the Secret may have written it. */
static bool
is_revision(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return s[n] == '\0' &&
	    (n == 0 || n == REVISION_MIN || n == REVISION_MAX);
}

static void
say_it_is_none(const struct marker_ask *ask)
{
	const struct cluster_hooks *h = &ask->cluster->hooks;
	auto_free char *id = xasprintf("%s:secret/%s", ask->ns, ask->secret);

	h->note(h->arg, "warning",
	    "annotation " MARKER_ANNOTATION " is not a revision; taken as none",
	    id, NULL);
}

static void
take_metadata(struct marker_ask *ask, const json_t *doc)
{
	const char *revision = json_string_value(
	    json_object_get(sw_json_at(doc, "metadata", "annotations"),
		MARKER_ANNOTATION));

	if (revision == NULL && ask->reading) {
		send_patch(ask, "");
		return;
	}
	if (revision == NULL || !is_revision(revision)) {
		say_it_is_none(ask);
		revision = "";
	}
	end(ask, revision, NULL);
}

static void
on_metadata(void *arg, struct answer *a)
{
	struct marker_ask *ask = arg;
	auto_json json_t *doc = sw_answer(a);

	if (doc == NULL)
		end(ask, NULL, &a->err);
	else
		take_metadata(ask, doc);
}

/* GET or PATCH the Secret; ends the ask if its name cannot be one. */
static struct request *
request_for(struct marker_ask *ask, const char *query)
{
	const struct disc_kind secrets = { .api_version =
					       (char *)(uintptr_t) "v1",
		.resource = (char *)(uintptr_t) "secrets",
		.namespaced = true };
	auto_buf struct buf path = BUF_INIT(PATH_BYTES_MAX);
	struct fx_err err = { 0 };

	if (disc_add_path(&path, &secrets, ask->ns, ask->secret) == FX_OK &&
	    str_add(&path, query) == FX_OK)
		return cluster_get(ask->cluster, &path, ACCEPT_META,
		    META_BODY_MAX, on_metadata, ask);
	fx_fail(&err, FX_ESYNTAX, "%s:secret/%s cannot be a Secret's name",
	    ask->ns, ask->secret);
	end(ask, NULL, &err);
	return NULL;
}

static void
send_patch(struct marker_ask *ask, const char *revision)
{
	struct request *r = request_for(ask, "?fieldManager=" SW_MANAGER);

	if (r == NULL)
		return;
	ask->reading = false;
	r->method = "PATCH";
	r->content_type = "application/strategic-merge-patch+json";
	buf_init(&r->body, PATCH_BYTES_MAX);
	(void)str_addf(&r->body,
	    "{\"metadata\":{\"annotations\":{\"" MARKER_ANNOTATION
	    "\":\"%s\"}}}",
	    revision);
	client_send(ask->cluster->client, LANE_REQUESTS, r);
}

static struct marker_ask *
ask_new(struct cluster *c, const char *ns, const char *secret, bool reading,
    marker_fn *fn, void *arg)
{
	struct marker_ask *ask = xcalloc(1, sizeof(*ask));

	*ask = (struct marker_ask){ .cluster = c,
		.ns = xstrdup(ns),
		.secret = xstrdup(secret),
		.reading = reading,
		.fn = fn,
		.arg = arg };
	return ask;
}

void
marker_read(struct cluster *c, const char *ns, const char *secret,
    marker_fn *fn, void *arg)
{
	struct request *r =
	    request_for(ask_new(c, ns, secret, true, fn, arg), "");

	if (r != NULL)
		client_send(c->client, LANE_REQUESTS, r);
}

void
marker_write(struct cluster *c, const char *ns, const char *secret,
    const char *revision, marker_fn *fn, void *arg)
{
	send_patch(ask_new(c, ns, secret, false, fn, arg), revision);
}
