/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "kubeconfig.h"

#include "str.h"

#include <ctype.h>
#include <stdio.h>

#define FILES_MAX 64 /* of a list in KUBECONFIG */

/* A file that is read together with others. */
struct file {
	struct ydoc doc;
	const char *folder; /* borrowed; NULL */
};

/* An entry, and the file it is from; n is NULL when there is none. */
struct entry {
	struct ynode n;
	const char *folder;
};

static const char *
get_text(struct ynode map, const char *key)
{
	const char *s = ynode_text(ynode_get(map, key));

	return s != NULL && s[0] != '\0' ? s : NULL;
}

static char *
dup_text(struct ynode map, const char *key)
{
	const char *s = get_text(map, key);

	return s != NULL ? xstrdup(s) : NULL;
}

static bool
get_bool(struct ynode map, const char *key)
{
	const char *s = get_text(map, key);

	return s != NULL &&
	    (strcmp(s, "true") == 0 || strcmp(s, "True") == 0 ||
		strcmp(s, "TRUE") == 0 || strcmp(s, "yes") == 0 ||
		strcmp(s, "on") == 0);
}

static char *
beside(const char *folder, const char *path)
{
	if (path == NULL)
		return NULL;
	if (folder == NULL || path[0] == '/')
		return xstrdup(path);
	if (str_starts(path, "./"))
		path += strlen("./");
	return xasprintf("%s/%s", folder, path);
}

/* From lists of {name: …, <member>: {…}}: the member of the one called so. */
static struct entry
named(struct file *files, size_t nfiles, const char *list, const char *name,
    const char *member)
{
	struct entry found = { .n = { NULL, NULL } };

	for (size_t f = 0; name != NULL && f < nfiles && found.n.n == NULL;
	     f++) {
		struct ynode items = ynode_get(ydoc_root(&files[f].doc), list);

		for (size_t i = 0; ynode_at(items, i).n != NULL; i++) {
			const char *s = get_text(ynode_at(items, i), "name");

			if (s == NULL || strcmp(s, name) != 0)
				continue;
			found.n = ynode_get(ynode_at(items, i), member);
			found.folder = files[f].folder;
		}
	}
	return found;
}

/* The pair certificate-authority / certificate-authority-data and its like:
 * data wins. */
static int
read_file(const struct entry *e, const char *key, struct kc_file *out,
    struct fx_err *err)
{
	char data_key[64];
	const char *data;

	snprintf(data_key, sizeof(data_key), "%s-data", key);
	data = get_text(e->n, data_key);
	if (data == NULL) {
		out->path = beside(e->folder, get_text(e->n, key));
		return FX_OK;
	}
	if (str_unbase64(data, strlen(data), &out->data) != FX_OK)
		return fx_fail(err, FX_ESYNTAX, "%s is not base64", data_key);
	return FX_OK;
}

/* What the cluster's entry has for plugins, in an extension of this name. */
static int
read_extension(struct kubeconfig *kc, const struct entry *cluster,
    struct fx_err *err)
{
	struct ynode all = ynode_get(cluster->n, "extensions"), e;
	struct buf b = BUF_INIT(KC_CONFIG_MAX);

	for (size_t i = 0; (e = ynode_at(all, i)).n != NULL; i++) {
		const char *name = get_text(e, "name");

		if (name == NULL ||
		    strcmp(name, "client.authentication.k8s.io/exec") != 0 ||
		    (e = ynode_get(e, "extension")).n == NULL)
			continue;
		if (ynode_json(e, &b) != FX_OK) {
			buf_clear(&b);
			return fx_fail(err, FX_ELIMIT,
			    "cluster \"%s\": the extension for plugins is no "
			    "JSON of at most %d bytes",
			    kc->cluster, KC_CONFIG_MAX);
		}
		kc->exec.config = str_take(&b);
		break;
	}
	return FX_OK;
}

static int
read_cluster(struct kubeconfig *kc, const struct entry *cluster,
    struct fx_err *err)
{
	kc->server = dup_text(cluster->n, "server");
	kc->tls_server_name = dup_text(cluster->n, "tls-server-name");
	kc->proxy_url = dup_text(cluster->n, "proxy-url");
	kc->insecure = get_bool(cluster->n, "insecure-skip-tls-verify");
	kc->uncompressed = get_bool(cluster->n, "disable-compression");
	if (read_file(cluster, "certificate-authority", &kc->ca, err) != FX_OK)
		return fx_wrap(err, "cluster \"%s\"", kc->cluster);
	if (kc->insecure && (kc->ca.path != NULL || buf_left(&kc->ca.data) > 0))
		return fx_fail(err, FX_EFAIL,
		    "cluster \"%s\": specifying a root certificates file with "
		    "the insecure flag is not allowed",
		    kc->cluster);
	return FX_OK;
}

static int
too_many(const struct kubeconfig *kc, const char *what, struct fx_err *err)
{
	return fx_fail(err, FX_ELIMIT, "user \"%s\": more than %d %s", kc->user,
	    KC_WORDS_MAX, what);
}

/* Takes the word over; false when there is no place for it. */
static bool
add_word(struct kc_words *words, char *word)
{
	if (words->n < KC_WORDS_MAX) {
		words->v[words->n++] = word;
		return true;
	}
	free(word);
	return false;
}

static int
read_words(const struct kubeconfig *kc, struct ynode list, const char *what,
    struct kc_words *out, struct fx_err *err)
{
	for (size_t i = 0; ynode_at(list, i).n != NULL; i++) {
		const char *s = ynode_text(ynode_at(list, i));

		if (s != NULL && !add_word(out, xstrdup(s)))
			return too_many(kc, what, err);
	}
	return FX_OK;
}

/* {scopes: [a, b], …}: each value goes by the name of its list. */
static int
read_extra(struct kubeconfig *kc, struct ynode map, struct fx_err *err)
{
	if (map.n == NULL || map.n->type != YAML_MAPPING_NODE)
		return FX_OK;
	for (yaml_node_pair_t *p = map.n->data.mapping.pairs.start;
	     p < map.n->data.mapping.pairs.top; p++) {
		const char *name = ynode_text((struct ynode){ map.doc,
		    yaml_document_get_node(map.doc, p->key) });
		struct ynode list = ynode_get(map, name == NULL ? "" : name);

		for (size_t i = 0; ynode_at(list, i).n != NULL; i++) {
			const char *s = ynode_text(ynode_at(list, i));

			if (s != NULL &&
			    !add_word(&kc->as_extra,
				xasprintf("%s=%s", name, s)))
				return too_many(kc, "values in as-user-extra",
				    err);
		}
	}
	return FX_OK;
}

static int
read_exec(struct kubeconfig *kc, const struct entry *user, struct fx_err *err)
{
	struct ynode exec = ynode_get(user->n, "exec");
	struct ynode env = ynode_get(exec, "env");
	const char *command = get_text(exec, "command");

	if (command == NULL)
		return FX_OK;
	/* a name without a slash is looked for in PATH */
	kc->exec.command = strchr(command, '/') == NULL
	    ? xstrdup(command)
	    : beside(user->folder, command);
	kc->exec.api_version = dup_text(exec, "apiVersion");
	kc->exec.interactive = dup_text(exec, "interactiveMode");
	kc->exec.hint = dup_text(exec, "installHint");
	kc->exec.cluster_info = get_bool(exec, "provideClusterInfo");
	for (size_t i = 0; ynode_at(env, i).n != NULL; i++) {
		const char *name = get_text(ynode_at(env, i), "name");
		const char *value = get_text(ynode_at(env, i), "value");

		if (name != NULL &&
		    !add_word(&kc->exec.env,
			xasprintf("%s=%s", name, value == NULL ? "" : value)))
			return too_many(kc, "variables of a plugin", err);
	}
	return read_words(kc, ynode_get(exec, "args"), "arguments of a plugin",
	    &kc->exec.args, err);
}

static int
read_impersonation(struct kubeconfig *kc, struct ynode user, struct fx_err *err)
{
	kc->as = dup_text(user, "as");
	kc->as_uid = dup_text(user, "as-uid");
	if (read_words(kc, ynode_get(user, "as-groups"), "groups",
		&kc->as_groups, err) != FX_OK ||
	    read_extra(kc, ynode_get(user, "as-user-extra"), err) != FX_OK)
		return err->code;
	if (kc->as == NULL &&
	    (kc->as_uid != NULL || kc->as_groups.n > 0 || kc->as_extra.n > 0))
		return fx_fail(err, FX_EFAIL,
		    "user \"%s\": requesting uid, groups or user-extra for %s "
		    "without impersonating a user",
		    kc->user, kc->user);
	return FX_OK;
}

static int
read_user(struct kubeconfig *kc, const struct entry *user, struct fx_err *err)
{
	const char *token = get_text(user->n, "token");

	if (read_file(user, "client-certificate", &kc->cert, err) != FX_OK ||
	    read_file(user, "client-key", &kc->key, err) != FX_OK)
		return fx_wrap(err, "user \"%s\"", kc->user);
	kc->token.path = beside(user->folder, get_text(user->n, "tokenFile"));
	if (token != NULL &&
	    buf_put(&kc->token.data, token, strlen(token)) != FX_OK)
		return fx_fail(err, FX_ELIMIT, "user \"%s\": token too long",
		    kc->user);
	kc->username = dup_text(user->n, "username");
	kc->password = dup_text(user->n, "password");
	kc->auth_provider = ynode_get(user->n, "auth-provider").n != NULL;
	if (read_exec(kc, user, err) != FX_OK)
		return err->code;
	return read_impersonation(kc, user->n, err);
}

static int
no_context(const char *asked, const char *current, struct fx_err *err)
{
	if (asked != NULL)
		return fx_fail(err, FX_EUNKNOWN,
		    "context \"%s\" does not exist", asked);
	return fx_fail(err, FX_EUNKNOWN,
	    "context was not found for specified context: %s", current);
}

static int
read_context(struct kubeconfig *kc, struct file *files, size_t n,
    const char *asked, const char *name, struct fx_err *err)
{
	struct entry context = named(files, n, "contexts", name, "context");
	struct entry cluster, user;

	if (context.n.n == NULL)
		return no_context(asked, name, err);
	kc->context = xstrdup(name);
	kc->ns = dup_text(context.n, "namespace");
	name = get_text(context.n, "cluster");
	kc->cluster = xstrdup(name != NULL ? name : "");
	cluster = named(files, n, "clusters", name, "cluster");
	if (name != NULL && cluster.n.n == NULL)
		return fx_fail(err, FX_EUNKNOWN,
		    "cluster \"%s\" does not exist", name);
	name = get_text(context.n, "user");
	kc->user = xstrdup(name != NULL ? name : "");
	user = named(files, n, "users", name, "user");
	if (name != NULL && user.n.n == NULL &&
	    get_text(cluster.n, "server") != NULL)
		return fx_fail(err, FX_EUNKNOWN,
		    "auth info \"%s\" does not exist", name);
	if (read_cluster(kc, &cluster, err) != FX_OK ||
	    (kc->server != NULL && read_user(kc, &user, err) != FX_OK))
		return err->code;
	return kc->exec.cluster_info ? read_extension(kc, &cluster, err)
				     : FX_OK;
}

static const char *
current_context(struct file *files, size_t n)
{
	const char *name = NULL;

	for (size_t i = 0; i < n && name == NULL; i++)
		name = get_text(ydoc_root(&files[i].doc), "current-context");
	return name;
}

static int
load_all(const struct kc_source *sources, size_t n, struct file *files,
    struct fx_err *err)
{
	const struct kc_source *s;

	if (n > FILES_MAX)
		return fx_fail(err, FX_ELIMIT, "more than %d files", FILES_MAX);
	for (size_t i = 0; i < n; i++) {
		s = &sources[i];
		files[i].folder = s->folder;
		if (ydoc_load(&files[i].doc, s->text, s->n, err) == FX_OK)
			continue;
		return s->path == NULL
		    ? err->code
		    : fx_wrap(err, "error loading config file \"%s\"", s->path);
	}
	return FX_OK;
}

static void
wipe_all(struct file *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ydoc_wipe(&files[i].doc);
}

int
kubeconfig_parse(struct kubeconfig *kc, const struct kc_source *sources,
    size_t n, const char *context, struct fx_err *err)
{
	auto_free struct file *files = xcalloc(n + 1, sizeof(*files));
	const char *name;
	int r;

	*kc = (struct kubeconfig){ 0 };
	buf_init(&kc->ca.data, KC_SECRET_MAX);
	buf_init(&kc->cert.data, KC_SECRET_MAX);
	buf_init(&kc->key.data, KC_SECRET_MAX);
	buf_init(&kc->token.data, KC_SECRET_MAX);
	r = load_all(sources, n, files, err);
	if (r == FX_OK) {
		name = context != NULL ? context : current_context(files, n);
		if (name != NULL)
			r = read_context(kc, files, n, context, name, err);
	}
	wipe_all(files, n);
	if (r != FX_OK)
		kubeconfig_clear(kc);
	return r;
}

char *
kubeconfig_namespace(const struct kc_source *sources, size_t n,
    const char *context)
{
	auto_free struct file *files = xcalloc(n + 1, sizeof(*files));
	struct fx_err ignored = { 0 };
	char *ns = NULL;

	if (load_all(sources, n, files, &ignored) == FX_OK) {
		if (context == NULL)
			context = current_context(files, n);
		ns = dup_text(named(files, n, "contexts", context, "context").n,
		    "namespace");
	}
	wipe_all(files, n);
	return ns;
}

int
kubeconfig_for_daemon(const struct kubeconfig *kc, struct fx_err *err)
{
	if (kc->proxy_url != NULL)
		return fx_fail(err, FX_EFAIL,
		    "cluster \"%s\" has a proxy-url, which fluxd cannot use: "
		    "let it reach the API server directly",
		    kc->cluster);
	if (kc->exec.command != NULL)
		return fx_fail(err, FX_EFAIL,
		    "user \"%s\" logs in with an exec plugin, which fluxd does "
		    "not run: give it a token, a tokenFile or a client "
		    "certificate, or run fluxd in the cluster with a service "
		    "account",
		    kc->user);
	if (kc->auth_provider)
		return fx_fail(err, FX_EFAIL,
		    "user \"%s\" logs in with an auth-provider, which "
		    "Kubernetes removed in 1.26: give it a token, a tokenFile "
		    "or a client certificate",
		    kc->user);
	if (kc->as_extra.n > 0)
		return fx_fail(err, FX_EFAIL,
		    "user \"%s\" has as-user-extra, which fluxd cannot send: "
		    "remove it",
		    kc->user);
	return FX_OK;
}

static void
wipe_text(char *s)
{
	if (s != NULL)
		explicit_bzero(s, strlen(s));
	free(s);
}

static void
file_clear(struct kc_file *f)
{
	buf_wipe(&f->data);
	free(f->path);
}

static void
words_clear(struct kc_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		wipe_text(w->v[i]);
}

void
kubeconfig_clear(struct kubeconfig *kc)
{
	free(kc->context);
	free(kc->cluster);
	free(kc->user);
	free(kc->server);
	free(kc->tls_server_name);
	wipe_text(kc->proxy_url); /* may hold a password */
	file_clear(&kc->ca);
	file_clear(&kc->cert);
	file_clear(&kc->key);
	file_clear(&kc->token);
	free(kc->username);
	wipe_text(kc->password);
	free(kc->as);
	free(kc->as_uid);
	words_clear(&kc->as_groups);
	words_clear(&kc->as_extra);
	free(kc->exec.command);
	free(kc->exec.api_version);
	free(kc->exec.interactive);
	free(kc->exec.hint);
	free(kc->exec.config);
	words_clear(&kc->exec.args);
	words_clear(&kc->exec.env);
	free(kc->ns);
	*kc = (struct kubeconfig){ 0 };
}

static char *
basic(const struct kubeconfig *kc)
{
	struct buf b = BUF_INIT(16384);
	auto_free char *pair = xasprintf("%s:%s", kc->username,
	    kc->password != NULL ? kc->password : "");

	(void)str_add(&b, "Basic ");
	str_add_base64(&b, (const uint8_t *)pair, strlen(pair), true, false);
	explicit_bzero(pair, strlen(pair));
	return str_take(&b);
}

/* The token without the newline that files end with. */
static char *
bearer(const struct buf *token)
{
	const char *s = (const char *)buf_head(token);
	size_t n = buf_left(token);

	while (n > 0 && isspace((unsigned char)s[n - 1]))
		n--;
	for (; n > 0 && isspace((unsigned char)*s); n--)
		s++;
	return n == 0 ? NULL : xasprintf("Bearer %.*s", (int)n, s);
}

char *
kubeconfig_authorization(const struct kubeconfig *kc)
{
	char *value = bearer(&kc->token.data);

	return value == NULL && kc->username != NULL ? basic(kc) : value;
}
