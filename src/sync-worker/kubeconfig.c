/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "kubeconfig.h"

#include "str.h"

#include <stdio.h>
#include <yaml.h>

/* A document and a node of it: what the readers below pass around. */
struct node {
	yaml_document_t *doc;
	yaml_node_t *n; /* NULL: absent */
};

/*
 * Walk the events once before a tree is built: the limits are kept while
 * libyaml reads, so nothing it is bad at (nested flow collections, anchors)
 * gets long enough to cost time.
 */
static int
check_event(const yaml_event_t *ev, size_t *nodes, size_t *depth,
    struct fx_err *err)
{
	const unsigned char *anchor = NULL;

	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return fx_fail(err, FX_ESYNTAX,
		    "anchors and aliases are not supported");
	case YAML_SCALAR_EVENT:
		anchor = ev->data.scalar.anchor;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = ev->data.sequence_start.anchor;
		++*depth;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = ev->data.mapping_start.anchor;
		++*depth;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		--*depth;
		break;
	default:
		break;
	}
	if (anchor != NULL)
		return fx_fail(err, FX_ESYNTAX,
		    "anchors and aliases are not supported");
	if (*depth > KC_DEPTH_MAX)
		return fx_fail(err, FX_ELIMIT, "nested more than %d deep",
		    KC_DEPTH_MAX);
	if (++*nodes > KC_NODES_MAX)
		return fx_fail(err, FX_ELIMIT, "more than %d nodes",
		    KC_NODES_MAX);
	return FX_OK;
}

static void
parser_open(yaml_parser_t *p, const void *text, size_t n)
{
	if (yaml_parser_initialize(p) == 0)
		fx_bug("out of memory");
	yaml_parser_set_input_string(p, text, n);
}

static int
yaml_problem(const yaml_parser_t *p, struct fx_err *err)
{
	/* libyaml says what is wrong, unless it had no memory; and a kubeconfig
	 * that is bad would end all of fluxd */
	if (p->problem == NULL)
		fx_bug("out of memory");
	return fx_fail(err, FX_ESYNTAX, "yaml: line %zu: %s",
	    p->problem_mark.line + 1, p->problem);
}

static int
check_limits(const void *text, size_t n, struct fx_err *err)
{
	yaml_parser_t p;
	yaml_event_t ev;
	size_t nodes = 0, depth = 0;
	bool end = false;
	int r = FX_OK;

	parser_open(&p, text, n);
	while (r == FX_OK && !end) {
		if (yaml_parser_parse(&p, &ev) == 0) {
			r = yaml_problem(&p, err);
			break;
		}
		r = check_event(&ev, &nodes, &depth, err);
		end = ev.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&p);
	return r;
}

static struct node
node_at(struct node of, int index)
{
	return (struct node){ of.doc, yaml_document_get_node(of.doc, index) };
}

/* Text of a scalar; NULL for anything else and for null. */
static const char *
node_text(struct node v)
{
	const char *s;

	if (v.n == NULL || v.n->type != YAML_SCALAR_NODE)
		return NULL;
	s = (const char *)v.n->data.scalar.value;
	if (strlen(s) != v.n->data.scalar.length)
		return NULL; /* an embedded NUL: no value of ours has one */
	if (v.n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    (s[0] == '\0' || strcmp(s, "null") == 0 || strcmp(s, "~") == 0))
		return NULL;
	return s;
}

/* Member of a mapping; the last of several with the same key wins, as in Go. */
static struct node
node_get(struct node map, const char *key)
{
	struct node found = { map.doc, NULL };

	if (map.n == NULL || map.n->type != YAML_MAPPING_NODE)
		return found;
	for (yaml_node_pair_t *p = map.n->data.mapping.pairs.start;
	     p < map.n->data.mapping.pairs.top; p++) {
		const char *k = node_text(node_at(map, p->key));

		if (k != NULL && strcmp(k, key) == 0)
			found = node_at(map, p->value);
	}
	return found;
}

static const char *
get_text(struct node map, const char *key)
{
	const char *s = node_text(node_get(map, key));

	return s != NULL && s[0] != '\0' ? s : NULL;
}

static char *
dup_text(struct node map, const char *key)
{
	const char *s = get_text(map, key);

	return s != NULL ? xstrdup(s) : NULL;
}

static bool
get_bool(struct node map, const char *key)
{
	const char *s = get_text(map, key);

	return s != NULL &&
	    (strcmp(s, "true") == 0 || strcmp(s, "True") == 0 ||
		strcmp(s, "TRUE") == 0 || strcmp(s, "yes") == 0 ||
		strcmp(s, "on") == 0);
}

/* From a list of {name: …, <member>: {…}}: the member of the one called so. */
static struct node
named(struct node list, const char *name, const char *member)
{
	struct node none = { list.doc, NULL };

	if (list.n == NULL || list.n->type != YAML_SEQUENCE_NODE ||
	    name == NULL)
		return none;
	for (yaml_node_item_t *i = list.n->data.sequence.items.start;
	     i < list.n->data.sequence.items.top; i++) {
		struct node item = node_at(list, *i);
		const char *s = get_text(item, "name");

		if (s != NULL && strcmp(s, name) == 0)
			return node_get(item, member);
	}
	return none;
}

/* The pair certificate-authority / certificate-authority-data and its like:
 * data wins. */
static int
read_file(struct node map, const char *key, struct kc_file *out,
    struct fx_err *err)
{
	char data_key[64];
	const char *data;

	snprintf(data_key, sizeof(data_key), "%s-data", key);
	data = get_text(map, data_key);
	if (data == NULL) {
		out->path = dup_text(map, key);
		return FX_OK;
	}
	if (str_unbase64(data, strlen(data), &out->data) != FX_OK)
		return fx_fail(err, FX_ESYNTAX, "%s is not base64", data_key);
	return FX_OK;
}

static int
read_cluster(struct kubeconfig *kc, struct node cluster, struct fx_err *err)
{
	kc->server = dup_text(cluster, "server");
	kc->tls_server_name = dup_text(cluster, "tls-server-name");
	kc->insecure = get_bool(cluster, "insecure-skip-tls-verify");
	if (get_text(cluster, "proxy-url") != NULL)
		return fx_fail(err, FX_EFAIL,
		    "cluster \"%s\" has a proxy-url, which fluxd cannot use: "
		    "let it reach the API server directly",
		    kc->cluster);
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
read_groups(struct kubeconfig *kc, struct node list, struct fx_err *err)
{
	if (list.n == NULL || list.n->type != YAML_SEQUENCE_NODE)
		return FX_OK;
	for (yaml_node_item_t *i = list.n->data.sequence.items.start;
	     i < list.n->data.sequence.items.top; i++) {
		const char *s = node_text(node_at(list, *i));

		if (s == NULL)
			continue;
		if (kc->nas_groups == KC_GROUPS_MAX)
			return fx_fail(err, FX_ELIMIT,
			    "user \"%s\": more than %d groups to impersonate",
			    kc->user, KC_GROUPS_MAX);
		kc->as_groups[kc->nas_groups++] = xstrdup(s);
	}
	return FX_OK;
}

/* Ways to log in that need to run a program or a library we do not have. */
static int
refuse_plugins(const struct kubeconfig *kc, struct node user,
    struct fx_err *err)
{
	if (node_get(user, "exec").n != NULL)
		return fx_fail(err, FX_EFAIL,
		    "user \"%s\" logs in with an exec plugin, which fluxd does "
		    "not run: give it a token, a tokenFile or a client "
		    "certificate, or run fluxd in the cluster with a service "
		    "account",
		    kc->user);
	if (node_get(user, "auth-provider").n != NULL)
		return fx_fail(err, FX_EFAIL,
		    "user \"%s\" logs in with an auth-provider, which "
		    "Kubernetes removed in 1.26: give it a token, a tokenFile "
		    "or a client certificate",
		    kc->user);
	if (node_get(user, "as-user-extra").n != NULL)
		return fx_fail(err, FX_EFAIL,
		    "user \"%s\" has as-user-extra, which fluxd cannot send: "
		    "remove it",
		    kc->user);
	return FX_OK;
}

static int
read_user(struct kubeconfig *kc, struct node user, struct fx_err *err)
{
	const char *token = get_text(user, "token");

	if (refuse_plugins(kc, user, err) != FX_OK)
		return err->code;
	if (read_file(user, "client-certificate", &kc->cert, err) != FX_OK ||
	    read_file(user, "client-key", &kc->key, err) != FX_OK)
		return fx_wrap(err, "user \"%s\"", kc->user);
	kc->token.path = dup_text(user, "tokenFile");
	if (token != NULL &&
	    buf_put(&kc->token.data, token, strlen(token)) != FX_OK)
		return fx_fail(err, FX_ELIMIT, "user \"%s\": token too long",
		    kc->user);
	kc->username = dup_text(user, "username");
	kc->password = dup_text(user, "password");
	kc->as = dup_text(user, "as");
	kc->as_uid = dup_text(user, "as-uid");
	if (read_groups(kc, node_get(user, "as-groups"), err) != FX_OK)
		return err->code;
	if (kc->as == NULL && (kc->as_uid != NULL || kc->nas_groups > 0))
		return fx_fail(err, FX_EFAIL,
		    "user \"%s\": requesting uid or groups for %s without "
		    "impersonating a user",
		    kc->user, kc->user);
	return FX_OK;
}

static int
read_root(struct kubeconfig *kc, struct node root, struct fx_err *err)
{
	const char *current = get_text(root, "current-context");
	struct node context, cluster, user;
	const char *name;

	if (current == NULL)
		return FX_OK;
	kc->context = xstrdup(current);
	context = named(node_get(root, "contexts"), current, "context");
	if (context.n == NULL)
		return fx_fail(err, FX_EUNKNOWN,
		    "context was not found for specified context: %s", current);
	kc->ns = dup_text(context, "namespace");
	name = get_text(context, "cluster");
	kc->cluster = xstrdup(name != NULL ? name : "");
	cluster = named(node_get(root, "clusters"), name, "cluster");
	if (name != NULL && cluster.n == NULL)
		return fx_fail(err, FX_EUNKNOWN,
		    "cluster \"%s\" does not exist", name);
	name = get_text(context, "user");
	kc->user = xstrdup(name != NULL ? name : "");
	user = named(node_get(root, "users"), name, "user");
	if (name != NULL && user.n == NULL &&
	    get_text(cluster, "server") != NULL)
		return fx_fail(err, FX_EUNKNOWN,
		    "auth info \"%s\" does not exist", name);
	if (read_cluster(kc, cluster, err) != FX_OK ||
	    (kc->server != NULL && read_user(kc, user, err) != FX_OK))
		return err->code;
	return FX_OK;
}

/* What libyaml kept of the file holds tokens and keys. */
static void
wipe_document(yaml_document_t *doc)
{
	for (yaml_node_t *n = doc->nodes.start; n < doc->nodes.top; n++)
		if (n->type == YAML_SCALAR_NODE)
			explicit_bzero(n->data.scalar.value,
			    n->data.scalar.length);
}

int
kubeconfig_parse(struct kubeconfig *kc, const void *text, size_t n,
    struct fx_err *err)
{
	yaml_parser_t p;
	yaml_document_t doc;
	int r;

	*kc = (struct kubeconfig){ 0 };
	buf_init(&kc->ca.data, KC_SECRET_MAX);
	buf_init(&kc->cert.data, KC_SECRET_MAX);
	buf_init(&kc->key.data, KC_SECRET_MAX);
	buf_init(&kc->token.data, KC_SECRET_MAX);
	if (n > KC_FILE_MAX)
		return fx_fail(err, FX_ELIMIT, "more than %u bytes",
		    KC_FILE_MAX);
	if ((r = check_limits(text, n, err)) != FX_OK)
		return r;
	parser_open(&p, text, n);
	if (yaml_parser_load(&p, &doc) == 0) {
		r = yaml_problem(&p, err);
	} else {
		r = read_root(kc,
		    (struct node){ &doc, yaml_document_get_root_node(&doc) },
		    err);
		wipe_document(&doc);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&p);
	if (r != FX_OK)
		kubeconfig_clear(kc);
	return r;
}

static void
file_clear(struct kc_file *f)
{
	buf_wipe(&f->data);
	free(f->path);
}

static void
wipe_text(char *s)
{
	if (s != NULL)
		explicit_bzero(s, strlen(s));
	free(s);
}

void
kubeconfig_clear(struct kubeconfig *kc)
{
	free(kc->context);
	free(kc->cluster);
	free(kc->user);
	free(kc->server);
	free(kc->tls_server_name);
	file_clear(&kc->ca);
	file_clear(&kc->cert);
	file_clear(&kc->key);
	file_clear(&kc->token);
	free(kc->username);
	wipe_text(kc->password);
	free(kc->as);
	free(kc->as_uid);
	for (size_t i = 0; i < kc->nas_groups; i++)
		free(kc->as_groups[i]);
	free(kc->ns);
	*kc = (struct kubeconfig){ 0 };
}

/* Host and port up to the first slash: name, 1.2.3.4 or [v6], and :port. */
static int
read_authority(const char *s, size_t n, struct kc_url *u)
{
	const char *end = s + n, *host = s, *host_end, *colon;
	char port[8];
	uint64_t v = u->tls ? 443 : 80;

	if (n > 0 && s[0] == '[') {
		host = s + 1;
		host_end = memchr(s, ']', n);
		if (host_end == NULL)
			return FX_ESYNTAX;
		colon = host_end + 1;
	} else {
		host_end = memchr(s, ':', n);
		if (host_end == NULL)
			host_end = end;
		colon = host_end;
	}
	if (host_end == host || (size_t)(host_end - host) >= sizeof(u->host))
		return FX_ESYNTAX;
	for (const char *p = host; p < host_end; p++)
		if (strchr("0123456789abcdefghijklmnopqrstuvwxyz"
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-_:",
			*p) == NULL)
			return FX_ESYNTAX;
	memcpy(u->host, host, (size_t)(host_end - host));
	u->host[host_end - host] = '\0';
	if (colon < end) {
		if (*colon != ':' || (size_t)(end - colon - 1) >= sizeof(port))
			return FX_ESYNTAX;
		memcpy(port, colon + 1, (size_t)(end - colon - 1));
		port[end - colon - 1] = '\0';
		if (fx_parse_u64(port, 1, UINT16_MAX, &v) != FX_OK)
			return FX_ESYNTAX;
	}
	u->port = (uint16_t)v;
	return FX_OK;
}

int
kubeconfig_url(const char *url, struct kc_url *u, struct fx_err *err)
{
	const char *s = url;
	size_t n;

	*u = (struct kc_url){ .tls = true };
	if (str_starts(s, "https://")) {
		s += strlen("https://");
	} else if (str_starts(s, "http://")) {
		s += strlen("http://");
		u->tls = false;
	} else if (strstr(s, "://") != NULL) {
		return fx_fail(err, FX_ESYNTAX,
		    "server: neither http:// nor https://");
	}
	n = strcspn(s, "/");
	if (read_authority(s, n, u) != FX_OK)
		return fx_fail(err, FX_ESYNTAX, "server: not a usable URL");
	s += n;
	n = strlen(s);
	while (n > 0 && s[n - 1] == '/')
		n--;
	if (n >= sizeof(u->prefix) || strpbrk(s, "?#% ") != NULL)
		return fx_fail(err, FX_ESYNTAX, "server: not a usable path");
	memcpy(u->prefix, s, n);
	u->prefix[n] = '\0';
	return FX_OK;
}
