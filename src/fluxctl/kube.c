/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "kube.h"

#include "str.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>

#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"

/* The kubeconfigs that there are. */
struct files {
	struct kc_source *v;
	size_t n;
};

static void
files_clear(struct files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		void *text = (void *)(uintptr_t)files->v[i].text;

		if (text != NULL)
			explicit_bzero(text, files->v[i].n);
		free(text);
		free((void *)(uintptr_t)files->v[i].path);
		free((void *)(uintptr_t)files->v[i].folder);
	}
	free(files->v);
	*files = (struct files){ 0 };
}
#define auto_files FX_CLEANUP(files_clear)

/* All of a file; its limit is the buf's. */
static int
read_file(const char *path, struct buf *out, struct ctl_error *err)
{
	FILE *f = fopen(path, "re");
	uint8_t chunk[4096];
	int r = FX_OK;
	size_t n;

	if (f == NULL)
		return ctl_fail(err, errno == ENOENT ? FX_EUNKNOWN : FX_ESYS,
		    "open %s: %s", path, ctl_system_text(errno));
	setbuf(f, NULL); /* no copy of a secret is left behind */
	while (r == FX_OK && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		r = buf_put(out, chunk, n);
	if (r != FX_OK)
		r = ctl_fail(err, r, "%s: more than %zu bytes", path, out->max);
	else if (ferror(f) != 0)
		r = ctl_fail(err, FX_ESYS, "read %s: %s", path,
		    ctl_system_text(errno));
	(void)fclose(f);
	explicit_bzero(chunk, sizeof(chunk));
	return r;
}

/* A file that is missing is no file. */
static int
add_file(struct files *files, const char *path, struct ctl_error *err)
{
	struct buf text = BUF_INIT(KC_FILE_MAX);
	const char *slash = strrchr(path, '/');
	auto_free char *what = NULL;
	int r = read_file(path, &text, err);

	if (r != FX_OK) {
		buf_wipe(&text);
		if (r == FX_EUNKNOWN) {
			ctl_error_clear(err);
			return FX_OK;
		}
		what = xasprintf("error loading config file \"%s\"", path);
		return ctl_wrap(err, r, what);
	}
	files->v = xreallocarray(files->v, files->n + 1, sizeof(*files->v));
	files->v[files->n++] = (struct kc_source){
		.n = buf_left(&text),
		.text = text.data,
		.path = xstrdup(path),
		.folder = slash == NULL
		    ? xstrdup(".")
		    : xstrndup(path, (size_t)(slash - path)),
	};
	return FX_OK;
}

static int
read_files(struct files *files, struct ctl_error *err)
{
	const char *list = getenv("KUBECONFIG"), *home = getenv("HOME");
	auto_free char *path = NULL;
	int r = FX_OK;
	size_t n;

	if (list == NULL || *list == '\0') {
		path = xasprintf("%s/.kube/config", home == NULL ? "" : home);
		return add_file(files, path, err);
	}
	for (; *list != '\0' && r == FX_OK; list += n + (list[n] == ':')) {
		n = strcspn(list, ":");
		free(path);
		path = xstrndup(list, n);
		if (n != 0)
			r = add_file(files, path, err);
	}
	return r;
}

char *
kube_namespace(const char *context)
{
	auto_error struct ctl_error ignored = { 0 };
	auto_files struct files files = { 0 };

	if (read_files(&files, &ignored) != FX_OK)
		return NULL;
	return kubeconfig_namespace(files.v, files.n,
	    *context == '\0' ? NULL : context);
}

static int
invalid(struct ctl_error *err, int code)
{
	return ctl_wrap(err, code, "invalid configuration");
}

static int
read_secret(struct kc_file *file, const char *what, const char *whose,
    struct ctl_error *err)
{
	auto_free char *why = NULL;
	int r;

	if (file->path == NULL || buf_left(&file->data) > 0)
		return FX_OK;
	r = read_file(file->path, &file->data, err);
	if (r == FX_OK)
		return FX_OK;
	why = xasprintf("unable to read %s %s for %s due to %s", what,
	    file->path, whose, err->text);
	(void)ctl_fail(err, r, "%s", why);
	return invalid(err, r);
}

/* A token's file beats a token that is written beside it, if it can be read. */
static int
read_token(struct kc_file *token, struct ctl_error *err)
{
	struct buf content = BUF_INIT(KC_SECRET_MAX);
	int r;

	if (token->path == NULL)
		return FX_OK;
	r = read_file(token->path, &content, err);
	if (r != FX_OK) {
		buf_wipe(&content);
		return buf_left(&token->data) > 0 ? FX_OK : r;
	}
	buf_wipe(&token->data);
	token->data = content;
	return FX_OK;
}

static int
read_secrets(struct kubeconfig *kc, struct ctl_error *err)
{
	int r = read_secret(&kc->ca, "certificate-authority", kc->cluster, err);

	if (r == FX_OK)
		r = read_secret(&kc->cert, "client-cert", kc->user, err);
	if (r == FX_OK)
		r = read_secret(&kc->key, "client-key", kc->user, err);
	if (r == FX_OK)
		r = read_token(&kc->token, err);
	if (r != FX_OK)
		return r;
	if (buf_left(&kc->token.data) > 0 && kc->username != NULL)
		r = ctl_fail(err, FX_EFAIL,
		    "more than one authentication method found for %s; found "
		    "[token basicAuth], only one is allowed",
		    kc->user);
	else if (kc->auth_provider)
		r = ctl_fail(err, FX_EFAIL,
		    "user \"%s\" logs in with an auth-provider, which "
		    "Kubernetes removed in 1.26: give it an exec plugin, a "
		    "token or a client certificate",
		    kc->user);
	return r == FX_OK ? FX_OK : invalid(err, r);
}

/* A pod's own account. */
static int
be_in_cluster(struct kubeconfig *kc, struct ctl_error *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	int r;

	if (host == NULL || *host == '\0' || port == NULL || *port == '\0') {
		r = ctl_fail(err, FX_EUNKNOWN,
		    "no configuration has been provided, try setting "
		    "KUBERNETES_MASTER environment variable");
		return invalid(err, r);
	}
	kubeconfig_clear(kc);
	buf_init(&kc->ca.data, KC_SECRET_MAX);
	buf_init(&kc->token.data, KC_SECRET_MAX);
	kc->cluster = xstrdup("");
	kc->user = xstrdup("");
	kc->server = xasprintf(strchr(host, ':') == NULL ? "https://%s:%s"
							 : "https://[%s]:%s",
	    host, port);
	kc->ca.path = xstrdup(ACCOUNT "ca.crt");
	kc->token.path = xstrdup(ACCOUNT "token");
	return FX_OK;
}

static int
find_server(struct kube *k, struct ctl_error *err)
{
	const char *server = k->kc.server;
	struct fx_err why = { 0 };
	size_t n = strlen(server);

	if (kubeconfig_url(server, &k->url, &why) != FX_OK)
		return ctl_fail(err, why.code, "cluster \"%s\": %s",
		    k->kc.cluster, why.text);
	while (n > 0 && server[n - 1] == '/')
		n--;
	k->base = xasprintf("%s%.*s",
	    strstr(server, "://") == NULL ? "https://" : "", (int)n, server);
	return FX_OK;
}

static int
open_config(struct kube *k, const char *context, struct ctl_error *err)
{
	auto_files struct files files = { 0 };
	struct fx_err why = { 0 };
	int r = read_files(&files, err);

	if (r != FX_OK)
		return r;
	r = kubeconfig_parse(&k->kc, files.v, files.n,
	    *context == '\0' ? NULL : context, &why);
	if (r != FX_OK)
		return ctl_fail(err, r, "%s", why.text);
	if (k->kc.server == NULL)
		r = be_in_cluster(&k->kc, err);
	if (r == FX_OK)
		r = read_secrets(&k->kc, err);
	return r == FX_OK ? find_server(k, err) : r;
}

int
kube_open(struct kube *k, const char *context, struct ctl_error *err)
{
	int r;

	*k = (struct kube){ 0 };
	r = open_config(k, context, err);
	if (r == FX_OK)
		return FX_OK;
	kube_clear(k);
	return ctl_wrap(err, r, "Could not load kubernetes configuration file");
}

void
kube_clear(struct kube *k)
{
	kubeconfig_clear(&k->kc);
	free(k->base);
	*k = (struct kube){ 0 };
}
