/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "kubeconfig.h"
#include "str.h"
#include "test.h"

#define HEAD                                                                   \
	"apiVersion: v1\nkind: Config\ncurrent-context: c\n"                   \
	"contexts:\n- name: c\n  context: {cluster: k, user: u}\n"
#define CLUSTER "clusters:\n- name: k\n  cluster:\n    server: https://k:6443\n"
#define USER "users:\n- name: u\n  user:\n    "

static int
parse(struct kubeconfig *kc, const char *text, struct fx_err *err)
{
	const struct kc_source source = { .text = text, .n = strlen(text) };
	int r = kubeconfig_parse(kc, &source, 1, NULL, err);

	if (r == FX_OK && (r = kubeconfig_for_daemon(kc, err)) != FX_OK)
		kubeconfig_clear(kc);
	return r;
}

#define LAUGH(a, b)                                                            \
	a ": &" a " [*" b ",*" b ",*" b ",*" b ",*" b ",*" b ",*" b ",*" b     \
	  ",*" b "]\n"

static void
test_refused(void)
{
	static const struct {
		const char *text, *why;
	} tv[] = {
		/* ways to log in that need a program: named, with a remedy */
		{ HEAD CLUSTER USER "exec: {command: aws}\n",
		    "user \"u\" logs in with an exec plugin" },
		{ HEAD CLUSTER USER "auth-provider: {name: gcp}\n",
		    "user \"u\" logs in with an auth-provider" },
		{ HEAD CLUSTER "    proxy-url: http://p:1\n" USER "token: t\n",
		    "cluster \"k\" has a proxy-url" },
		{ HEAD CLUSTER USER "as: j\n    as-user-extra: {a: [b]}\n",
		    "user \"u\" has as-user-extra" },
		{ HEAD CLUSTER USER "as-groups: [g]\n",
		    "without impersonating a user" },
		{ HEAD CLUSTER "    insecure-skip-tls-verify: true\n"
			       "    certificate-authority: /ca\n" USER
			       "token: t\n",
		    "the insecure flag is not allowed" },
		{ HEAD CLUSTER "    certificate-authority-data: '%%%'\n" USER
			       "token: t\n",
		    "certificate-authority-data is not base64" },
		{ HEAD CLUSTER, "auth info \"u\" does not exist" },
		{ HEAD "clusters: []\n", "cluster \"k\" does not exist" },
		{ "current-context: other\ncontexts: []\n",
		    "context was not found for specified context: other" },
		{ "a: *x\n", "an alias of no anchor" },
		{ "a: &x {b: *x}\n", "what it is itself a part of" },
		{ "a: &x [&y [*x]]\n", "what it is itself a part of" },
		/* a billion laughs: nine each time, nine deep */
		{ "a: &a [l,l,l,l,l,l,l,l,l]\n" LAUGH("b", "a") LAUGH("c", "b")
			LAUGH("d", "c") LAUGH("e", "d") LAUGH("f", "e")
			    LAUGH("g", "f") LAUGH("h", "g") LAUGH("i", "h"),
		    "more than 50000 nodes" },
		/* depth adds up, too */
		{ "a: &a [[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]\n"
		  "b: &b [[[[[[[[[[[[[[*a]]]]]]]]]]]]]]\nc: [[[[*b]]]]\n",
		    "nested more than 32" },
		{ "a: &a123456789012345678901234567890123456789012345678901234"
		  "5678901234 1\n",
		    "more than 64 anchors" },
		{ "a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
		    "nested more than 32" },
		{ "a: 'x\n", "yaml: line" },
		{ "\xff\xff", "yaml: line" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct kubeconfig kc;
		struct fx_err err = { 0 };

		want(parse(&kc, tv[i].text, &err) != FX_OK);
		if (!want(strstr(err.text, tv[i].why) != NULL))
			printf("# %zu: %s\n", i, err.text);
		want(strstr(err.text, "secret") == NULL);
	}
}

static void
test_read(void)
{
	struct kubeconfig kc;
	struct fx_err err = { 0 };

	want_int(parse(&kc,
		     "apiVersion: v1\ncurrent-context: c\ncontexts:\n"
		     "- name: other\n  context: {cluster: x, user: x}\n"
		     "- name: c\n  context: {cluster: k, user: u, "
		     "namespace: team}\n"
		     "clusters:\n- {name: k, cluster: {server: "
		     "'https://k:6443/prefix', certificate-authority: /ca, "
		     "certificate-authority-data: Y2E=, tls-server-name: n}}\n"
		     "users:\n- {name: u, user: {token: 's', tokenFile: /t, "
		     "client-certificate: /c, client-key-data: a2V5, "
		     "username: a, password: b, as: jane, as-uid: '7', "
		     "as-groups: [x, y]}}\n",
		     &err),
	    FX_OK);
	want_str(err.text, "");
	want_str(kc.server, "https://k:6443/prefix");
	want_str(kc.tls_server_name, "n");
	want_str(kc.ns, "team");
	/* data wins over a file, which is then not asked for */
	want_int(buf_left(&kc.ca.data), 2);
	want_mem(buf_head(&kc.ca.data), "ca", 2);
	want_str(kc.ca.path, NULL);
	want_str(kc.cert.path, "/c");
	want_mem(buf_head(&kc.key.data), "key", 3);
	want_str(kc.token.path, "/t");
	want_mem(buf_head(&kc.token.data), "s", 1);
	want_str(kc.username, "a");
	want_str(kc.password, "b");
	want_str(kc.as, "jane");
	want_str(kc.as_uid, "7");
	want_int(kc.as_groups.n, 2);
	kubeconfig_clear(&kc);
}

/* As people write who have many clusters, and kubectl reads. */
static void
test_anchors(void)
{
	static const struct {
		const char *text, *token, *server;
	} tv[] = {
		{ HEAD "clusters:\n- name: o\n  cluster: &k\n"
		       "    server: https://k:6443\n"
		       "- {name: k, cluster: *k}\n" USER "token: &t s\n",
		    "s", "https://k:6443" },
		{ HEAD "x: &base {server: 'https://b', tls-server-name: n}\n"
		       "clusters:\n- name: k\n  cluster:\n"
		       "    <<: *base\n    server: https://own\n" USER
		       "token: s\n",
		    "s", "https://own" },
		{ HEAD "x: &a {server: 'https://a'}\n"
		       "y: &b {server: 'https://b'}\n"
		       "clusters:\n- name: k\n  cluster: {<<: [*a, *b]}\n" USER
		       "token: s\n",
		    "s", "https://a" },
	};
	auto_buf struct buf many = BUF_INIT(1 << 16);
	auto_free char *text = NULL;
	struct kubeconfig kc;
	struct fx_err err = { 0 };

	for (size_t i = 0; i < nitems(tv); i++) {
		if (!want_int(parse(&kc, tv[i].text, &err), FX_OK)) {
			printf("# %zu: %s\n", i, err.text);
			continue;
		}
		want_str(kc.server, tv[i].server);
		want_mem(buf_head(&kc.token.data), tv[i].token,
		    strlen(tv[i].token));
		kubeconfig_clear(&kc);
	}
	for (int i = 0; i <= YDOC_ANCHORS_MAX; i++)
		str_addf(&many, "k%d: &a%d 1\n", i, i);
	text = str_take(&many);
	want_int(parse(&kc, text, &err), FX_ELIMIT);
}

/* What a cluster's entry has for a plugin, as JSON. */
static void
test_extension(void)
{
#define FOR_PLUGIN(value)                                                      \
	HEAD CLUSTER                                                           \
	    "    extensions:\n    - name: other\n      extension: 1\n"         \
	    "    - name: client.authentication.k8s.io/exec\n"                  \
	    "      extension: " value "\n" USER                                \
	    "exec: {command: x, provideClusterInfo: true}\n"
	static const struct {
		const char *text, *json;
	} tv[] = {
		{ FOR_PLUGIN("{a: 1, b: -0.5, c: x}"),
		    "{\"a\":1,\"b\":-0.5,\"c\":\"x\"}" },
		{ FOR_PLUGIN("[true, yes, 'yes', ~, '', off, 007, 1., 1e3]"),
		    "[true,true,\"yes\",null,\"\",false,\"007\",\"1.\","
		    "\"1e3\"]" },
		{ FOR_PLUGIN("{}"), "{}" },
		{ FOR_PLUGIN("[]"), "[]" },
		{ FOR_PLUGIN("\"a\\x1b<b>\\\"\""),
		    "\"a\\u001b\\u003cb\\u003e\\\"\"" },
		{ FOR_PLUGIN("{&k a: &v [1], b: *v}"),
		    "{\"a\":[1],\"b\":[1]}" },
		{ HEAD CLUSTER USER
		    "exec: {command: x, provideClusterInfo: true}\n",
		    NULL },
	};
	struct fx_err err = { 0 };

	for (size_t i = 0; i < nitems(tv); i++) {
		const struct kc_source source = { .text = tv[i].text,
			.n = strlen(tv[i].text) };
		struct kubeconfig kc = { 0 };

		want_int(kubeconfig_parse(&kc, &source, 1, NULL, &err), FX_OK);
		want_str(kc.exec.config, tv[i].json);
		kubeconfig_clear(&kc);
	}
}

static void
test_empty(void)
{
	static const char *const texts[] = {
		"",
		"{}",
		"apiVersion: v1\nkind: Config\n",
		"current-context: ''\n",
		"current-context: null\n",
		/* the one that upstream's image ships: a context, no cluster */
		"apiVersion: v1\nclusters: []\ncontexts:\n- context:\n"
		"    cluster: \"\"\n    namespace: default\n    user: \"\"\n"
		"  name: default\ncurrent-context: default\nkind: Config\n"
		"preferences: {}\nusers: []\n",
		/* JSON is YAML */
		"{\"contexts\":[{\"name\":\"c\",\"context\":{}}]}",
	};

	for (size_t i = 0; i < nitems(texts); i++) {
		struct kubeconfig kc;
		struct fx_err err = { 0 };

		want_int(parse(&kc, texts[i], &err), FX_OK);
		want_str(kc.server, NULL);
		kubeconfig_clear(&kc);
	}
}

static void
test_url(void)
{
	static const struct {
		const char *url, *host;
		int port;
		const char *prefix;
	} tv[] = {
		{ "https://10.96.0.1:443", "10.96.0.1", 443, "" },
		{ "https://k8s.example.org", "k8s.example.org", 443, "" },
		{ "http://k8s.example.org", "k8s.example.org", 80, "" },
		{ "k8s.example.org:6443", "k8s.example.org", 6443, "" },
		{ "https://[fd00::1]:6443/", "fd00::1", 6443, "" },
		{ "https://[fd00::1]", "fd00::1", 443, "" },
		{ "https://h:1/k8s/clusters/c-1/", "h", 1,
		    "/k8s/clusters/c-1" },
		{ "ftp://h", NULL, 0, NULL },
		{ "https://", NULL, 0, NULL },
		{ "https://user@h", NULL, 0, NULL },
		{ "https://h:0", NULL, 0, NULL },
		{ "https://h:70000", NULL, 0, NULL },
		{ "https://h:", NULL, 0, NULL },
		{ "https://[fd00::1", NULL, 0, NULL },
		{ "https://h/a?b", NULL, 0, NULL },
		{ "https://h/%2e%2e/", NULL, 0, NULL },
		{ "https://h\r\nX: y", NULL, 0, NULL },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct kc_url u;
		struct fx_err err = { 0 };
		int r = kubeconfig_url(tv[i].url, &u, &err);

		if (!want_int(r == FX_OK, tv[i].host != NULL) ||
		    tv[i].host == NULL)
			continue;
		want_str(u.host, tv[i].host);
		want_int(u.port, tv[i].port);
		want_str(u.prefix, tv[i].prefix);
	}
}

static void
test_too_large(void)
{
	char *big = xcalloc(1, KC_FILE_MAX + 2);
	struct kubeconfig kc;
	struct fx_err err = { 0 };

	memset(big, '#', KC_FILE_MAX + 1);
	want_int(parse(&kc, big, &err), FX_ELIMIT);
	/* short as text, and much as a tree */
	for (size_t i = 0; i <= YDOC_NODES_MAX; i++)
		memcpy(big + 1 + 2 * i, "a,", 2);
	big[0] = '[';
	big[2 * YDOC_NODES_MAX + 2] = ']';
	big[2 * YDOC_NODES_MAX + 3] = '\0';
	want_int(parse(&kc, big, &err), FX_ELIMIT);
	want(strstr(err.text, "nodes") != NULL);
	free(big);
}

/* One group more than there is room for. */
static void
test_groups(void)
{
	for (size_t n = KC_WORDS_MAX; n <= KC_WORDS_MAX + 1; n++) {
		struct buf text = BUF_INIT(1 << 16);
		auto_free char *s = NULL;
		struct kubeconfig kc;
		struct fx_err err = { 0 };

		(void)str_add(&text,
		    HEAD CLUSTER USER "as: jane\n    "
				      "as-groups: [g");
		for (size_t i = 1; i < n; i++)
			(void)str_add(&text, ", g");
		(void)str_add(&text, "]\n");
		s = str_take(&text);
		want_int(parse(&kc, s, &err),
		    n == KC_WORDS_MAX ? FX_OK : FX_ELIMIT);
		kubeconfig_clear(&kc);
	}
}

/* No value of ours has a NUL in it. */
static void
test_nul(void)
{
	struct kubeconfig kc;
	struct fx_err err = { 0 };

	want_int(parse(&kc, HEAD CLUSTER USER "token: \"a\\0b\"\n", &err),
	    FX_OK);
	want_int(buf_left(&kc.token.data), 0);
	kubeconfig_clear(&kc);
}

int
main(void)
{
	test_run("kubeconfig: what we cannot do is said, with the entry's name",
	    test_refused);
	test_run("kubeconfig: the current context is read", test_read);
	test_run("kubeconfig: anchors, aliases and merged mappings",
	    test_anchors);
	test_run("kubeconfig: what a cluster has for plugins", test_extension);
	test_run("kubeconfig: one without a cluster means the service account",
	    test_empty);
	test_run("kubeconfig: a server's URL gives host, port and prefix",
	    test_url);
	test_run("kubeconfig: groups have a limit", test_groups);
	test_run("kubeconfig: a value with a NUL is none", test_nul);
	test_run("kubeconfig: a file that is too large is not read",
	    test_too_large);
	return test_done();
}
