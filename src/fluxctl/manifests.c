/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "manifests.h"

#include "gojson.h"
#include "scalar.h"
#include "str.h"

/* clang-format off */
const struct manifest manifests[MANIFESTS] = {
	{ "flux-account.yaml",
	  "---\n"
	  "apiVersion: v1\n"
	  "kind: ServiceAccount\n"
	  "metadata:\n"
	  "  labels:\n"
	  "    name: flux\n"
	  "  name: flux\n"
	  "  namespace: @namespace@\n"
	  "---\n"
	  "apiVersion: rbac.authorization.k8s.io/v1\n"
	  "kind: ClusterRole\n"
	  "metadata:\n"
	  "  labels:\n"
	  "    name: flux\n"
	  "  name: flux\n"
	  "rules:\n"
	  "  - apiGroups: ['*']\n"
	  "    resources: ['*']\n"
	  "    verbs: ['*']\n"
	  "  - nonResourceURLs: ['*']\n"
	  "    verbs: ['*']\n"
	  "---\n"
	  "apiVersion: rbac.authorization.k8s.io/v1\n"
	  "kind: ClusterRoleBinding\n"
	  "metadata:\n"
	  "  labels:\n"
	  "    name: flux\n"
	  "  name: flux\n"
	  "roleRef:\n"
	  "  apiGroup: rbac.authorization.k8s.io\n"
	  "  kind: ClusterRole\n"
	  "  name: flux\n"
	  "subjects:\n"
	  "  - kind: ServiceAccount\n"
	  "    name: flux\n"
	  "    namespace: @namespace@\n",
	  false },
	{ "flux-deployment.yaml",
	  "---\n"
	  "apiVersion: apps/v1\n"
	  "kind: Deployment\n"
	  "metadata:\n"
	  "  name: flux\n"
	  "  namespace: @namespace@\n"
	  "spec:\n"
	  "  replicas: 1\n"
	  "  selector:\n"
	  "    matchLabels:\n"
	  "      name: flux\n"
	  "  strategy:\n"
	  "    type: Recreate\n"
	  "  template:\n"
	  "    metadata:\n"
	  "      annotations:\n"
	  "        prometheus.io/port: \"3031\"\n"
	  "      labels:\n"
	  "        name: flux\n"
	  "    spec:\n"
	  "      nodeSelector:\n"
	  "        beta.kubernetes.io/os: linux\n"
	  "      serviceAccountName: flux\n"
	  "      volumes:\n"
	  "      - name: git-key\n"
	  "        secret:\n"
	  "          secretName: flux-git-deploy\n"
	  "          defaultMode: 0400\n"
	  "      - name: git-keygen\n"
	  "        emptyDir:\n"
	  "          medium: Memory\n"
	  "      containers:\n"
	  "      - name: flux\n"
	  "        image: docker.io/fluxcd/flux:1.25.4\n"
	  "        imagePullPolicy: IfNotPresent\n"
	  "        resources:\n"
	  "          requests:\n"
	  "            cpu: 50m\n"
	  "            memory: 64Mi\n"
	  "        ports:\n"
	  "        - containerPort: 3030\n"
	  "        livenessProbe:\n"
	  "          httpGet:\n"
	  "            port: 3030\n"
	  "            path: /api/flux/v6/identity.pub\n"
	  "          initialDelaySeconds: 5\n"
	  "          timeoutSeconds: 5\n"
	  "        readinessProbe:\n"
	  "          httpGet:\n"
	  "            port: 3030\n"
	  "            path: /api/flux/v6/identity.pub\n"
	  "          initialDelaySeconds: 5\n"
	  "          timeoutSeconds: 5\n"
	  "        volumeMounts:\n"
	  "        - name: git-key\n"
	  "          mountPath: /etc/fluxd/ssh\n"
	  "          readOnly: true\n"
	  "        - name: git-keygen\n"
	  "          mountPath: /var/fluxd/keygen\n"
	  "        args:\n"
	  "@args@",
	  false },
	{ "flux-secret.yaml",
	  "---\n"
	  "apiVersion: v1\n"
	  "kind: Secret\n"
	  "metadata:\n"
	  "  name: flux-git-deploy\n"
	  "  namespace: @namespace@\n"
	  "type: Opaque\n",
	  false },
	{ "memcache-dep.yaml",
	  "---\n"
	  "apiVersion: apps/v1\n"
	  "kind: Deployment\n"
	  "metadata:\n"
	  "  name: memcached\n"
	  "  namespace: @namespace@\n"
	  "spec:\n"
	  "  replicas: 1\n"
	  "  selector:\n"
	  "    matchLabels:\n"
	  "      name: memcached\n"
	  "  template:\n"
	  "    metadata:\n"
	  "      labels:\n"
	  "        name: memcached\n"
	  "    spec:\n"
	  "      nodeSelector:\n"
	  "        beta.kubernetes.io/os: linux\n"
	  "      containers:\n"
	  "      - name: memcached\n"
	  "        image: memcached:1.6.10-alpine\n"
	  "        imagePullPolicy: IfNotPresent\n"
	  "        args:\n"
	  "        - -m 512   # Maximum memory to use, in megabytes\n"
	  "        - -I 5m    # Maximum size for one item\n"
	  "        - -p 11211 # Default port\n"
	  "        ports:\n"
	  "        - name: clients\n"
	  "          containerPort: 11211\n"
	  "@security@",
	  true },
	{ "memcache-svc.yaml",
	  "---\n"
	  "apiVersion: v1\n"
	  "kind: Service\n"
	  "metadata:\n"
	  "  name: memcached\n"
	  "  namespace: @namespace@\n"
	  "spec:\n"
	  "  ports:\n"
	  "    - name: memcached\n"
	  "      port: 11211\n"
	  "  selector:\n"
	  "    name: memcached\n",
	  true },
};

static const char security[] =
	"        securityContext:\n"
	"          runAsUser: 11211\n"
	"          runAsGroup: 11211\n"
	"          allowPrivilegeEscalation: false\n";
/* clang-format on */

/* Text that YAML takes for this string without quotes: only characters that
 * mean nothing at all to it, and no number or the like. */
static bool
is_plain(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && s[n - 1] != ':' &&
	    strspn(s,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_./:@=,+~%-") == n &&
	    strchr("@=,~%-:.", *s) == NULL && scalar_is_str(s, n);
}

/* YAML's double quotes are JSON's. */
static void
add_scalar(struct buf *b, const char *s)
{
	if (is_plain(s))
		(void)str_add(b, s);
	else
		gojson_add_string(b, s);
}

/* An argument of fluxd: --name=value.  After two dashes and a name only the
 * value decides whether there must be quotes. */
static void
add_arg(struct buf *b, const char *name, const char *value)
{
	auto_free char *after = xasprintf("x%s", value);
	auto_free char *whole = xasprintf("--%s=%s", name, value);

	(void)str_add(b, "        - ");
	if (*value == '\0' || is_plain(after))
		(void)str_add(b, whole);
	else
		gojson_add_string(b, whole);
	(void)str_addc(b, '\n');
}

static void
add_optional_arg(struct buf *b, const char *name, const char *value)
{
	if (*value != '\0')
		add_arg(b, name, value);
}

static void
add_switch(struct buf *b, const char *text, bool on)
{
	if (on)
		(void)str_addf(b, "        - %s\n", text);
}

/* The paths of both flags, joined with commas; owned. */
static char *
join_paths(const struct ctl_options *o)
{
	const struct ctl_list *lists[] = { &o->install_git_path,
		&o->install_git_paths };
	struct buf b = BUF_INIT(SIZE_MAX);

	for (size_t i = 0; i < nitems(lists); i++)
		for (size_t k = 0; k < lists[i]->n; k++)
			(void)str_addf(&b, "%s%s", buf_left(&b) == 0 ? "" : ",",
			    lists[i]->v[k]);
	return str_take(&b);
}

static void
add_args(struct buf *b, const struct ctl_options *o)
{
	auto_free char *paths = join_paths(o);

	add_arg(b, "memcached-service", "");
	add_arg(b, "ssh-keygen-dir", "/var/fluxd/keygen");
	add_arg(b, "git-url", o->install_git_url);
	add_arg(b, "git-branch", o->install_git_branch);
	add_optional_arg(b, "git-path", paths);
	add_optional_arg(b, "git-label", o->install_git_label);
	add_optional_arg(b, "git-user", o->install_git_user);
	add_arg(b, "git-email", o->install_git_email);
	add_switch(b, "--git-readonly", o->install_git_readonly);
	add_switch(b, "--manifest-generation=true",
	    o->install_manifest_generation);
	add_switch(b, "--listen-metrics=:3031", true);
	add_switch(b, "--registry-disable-scanning", o->install_no_scanning);
}

/* Takes the place's name off *s. */
static bool
is_place(const char **s, const char *name)
{
	if (!str_starts(*s, name))
		return false;
	*s += strlen(name);
	return true;
}

void
manifest_add(struct buf *b, const struct manifest *m,
    const struct ctl_options *o, const char *ns)
{
	for (const char *s = m->text; *s != '\0';) {
		if (is_place(&s, "@namespace@"))
			add_scalar(b, ns);
		else if (is_place(&s, "@args@"))
			add_args(b, o);
		else if (is_place(&s, "@security@"))
			(void)str_add(b,
			    o->install_security_context ? security : "");
		else
			(void)str_addc(b, *s++);
	}
}
