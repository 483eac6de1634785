/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "fd.h"
#include "str.h"
#include "sync_bed.h"
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * fluxd-sync and its credentials against a real API server: who it believes,
 * who it is, what it does with less rights than it would like.
 */

#define WAIT_US (60 * CLK_SEC) /* for what comes at once, as a rule */

static struct bed bed;
static char dir[] = "/tmp/fluxd-sync-login.XXXXXX";
static char space[64];

static char *
path(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static char *
write_file(const char *name, const char *text)
{
	char *p = path(name);
	FILE *f = fopen(p, "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		fx_bug("cannot write %s", p);
	return p;
}

/* A kubeconfig of the bed's server with this cluster and this user. */
static char *
kubeconfig(const char *cluster, const char *user)
{
	auto_free char *text = xasprintf(
	    "current-context: c\ncontexts:\n- {name: c, context: {cluster: k, "
	    "user: jane, namespace: team}}\nclusters:\n- {name: k, cluster: "
	    "{server: '%s', %s}}\nusers:\n- {name: jane, user: {%s}}\n",
	    getenv("BED_API_URL"), cluster, user);

	return write_file("kubeconfig", text);
}

static char *
with_ca(void)
{
	return xasprintf("certificate-authority: %s", getenv("BED_API_CA"));
}

static void
start_with(const char *cluster, const char *user, const char *setting,
    const char *value)
{
	auto_free char *file = kubeconfig(cluster, user);

	bed_start(&bed, file, NULL, NULL, NULL, setting, value);
	want(bed.is_ready);
}

static void
stop(void)
{
	bed_stop(&bed);
	want_int(bed.bad_ends, 0);
}

static void
test_plugins(void)
{
	auto_free char *ca = with_ca();
	struct bed_result r;
	char text[1024];

	start_with(ca, "exec: {command: aws}", NULL, NULL);
	want(bed_cluster(&bed, text, sizeof(text)) != FX_OK);
	want(strstr(text, "user \"jane\" logs in with an exec plugin") != NULL);
	r = bed_apply(&bed);
	want(strstr(r.err.text, "give it a token") != NULL);
	want(bed_wait_log(&bed, "err=kubeconfig: user \"jane\"", WAIT_US));
	stop();
}

static void
test_trust(void)
{
	static const char stranger[] =
	    "-----BEGIN CERTIFICATE-----\n"
	    "MIIBeDCCAR+gAwIBAgIUY2mWMa+Zgq1Y3m0y5v1q3m5wE4AwCgYIKoZIzj0EAwIw\n"
	    "-----END CERTIFICATE-----\n";
	auto_free char *ca = with_ca();
	auto_free char *named = xasprintf("%s, tls-server-name: localhost", ca);
	auto_free char *wrong = xasprintf("%s, tls-server-name: other", ca);
	auto_free char *bad = write_file("bad.crt", stranger);
	auto_free char *bad_ca = xasprintf("certificate-authority: %s", bad);
	auto_free char *token = xasprintf("token: %s", getenv("BED_API_TOKEN"));
	char text[1024];

	start_with(named, token, NULL, NULL);
	want_int(bed_cluster(&bed, text, sizeof(text)), FX_OK);
	stop();
	start_with(wrong, token, NULL, NULL);
	want(bed_cluster(&bed, text, sizeof(text)) != FX_OK);
	want(strstr(text, "certificate") != NULL);
	stop();
	/* the system's authorities do not know the bed's */
	start_with("extensions: []", token, NULL, NULL);
	want(bed_cluster(&bed, text, sizeof(text)) != FX_OK);
	want(strstr(text, "certificate") != NULL);
	stop();
	start_with("insecure-skip-tls-verify: true", token, NULL, NULL);
	want_int(bed_cluster(&bed, text, sizeof(text)), FX_OK);
	stop();
	start_with(bad_ca, token, NULL, NULL);
	want(bed_cluster(&bed, text, sizeof(text)) != FX_OK);
	want(strstr(text, "certificate authority: no certificate in it") !=
	    NULL);
	stop();
	start_with("certificate-authority: /no/such/file", token, NULL, NULL);
	want(bed_cluster(&bed, text, sizeof(text)) != FX_OK);
	want(strstr(text,
		 "API server's certificate authority: open "
		 "/no/such/file") != NULL);
	stop();
}

/* A token that is replaced: the new one is read when the old one fails. */
static void
test_token(void)
{
	auto_free char *ca = with_ca();
	auto_free char *file = write_file("token", "not-a-token\n");
	auto_free char *user = xasprintf("tokenFile: %s", file);
	auto_free char *line = xasprintf("%s\n", getenv("BED_API_TOKEN"));
	auto_free char *again = NULL, *wrong = NULL;
	char text[1024];

	start_with(ca, user, NULL, NULL);
	want(bed_cluster(&bed, text, sizeof(text)) != FX_OK);
	want_str(text, "Unauthorized");
	/* one that cannot be read leaves the old one in place */
	unlink(file);
	want(bed_cluster(&bed, text, sizeof(text)) != FX_OK);
	want_str(text, "Unauthorized");
	want(
	    strstr(bed.last_log, "keeping the API server's old token") != NULL);
	again = write_file("token", line);
	want_int(bed_cluster(&bed, text, sizeof(text)), FX_OK);
	stop();
	wrong = write_file("token", "a\tb\x01");
	start_with(ca, user, NULL, NULL);
	want(bed_cluster(&bed, text, sizeof(text)) != FX_OK);
	want_str(text, "the API server's credentials hold a control character");
	stop();
}

/* A client certificate, from files and in place. */
static void
test_certificate(void)
{
	auto_free char *ca = with_ca();
	const char *crt = getenv("BED_CLIENT_CERT");
	const char *key = getenv("BED_CLIENT_KEY");
	auto_free char *files = NULL, *mixed = NULL, *other = NULL;
	char text[1024];

	if (crt == NULL || key == NULL) {
		printf("# skipped: BED_CLIENT_CERT, BED_CLIENT_KEY\n");
		return;
	}
	files = xasprintf("client-certificate: %s, client-key: %s", crt, key);
	start_with(ca, files, NULL, NULL);
	/* anybody may ask for the version: ask for what not everybody may */
	want_int(bed_cluster(&bed, text, sizeof(text)), FX_OK);
	bed_add(&bed, "v1", "ConfigMap", space, "by-certificate",
	    ",\"data\":{\"a\":\"1\"}");
	bed_commit(&bed);
	want_int(bed_apply(&bed).applied.patched, 1);
	stop();
	bed_free_set(&bed);
	mixed = xasprintf("client-certificate: %s, client-key: %s", crt,
	    getenv("BED_API_CA"));
	start_with(ca, mixed, NULL, NULL);
	want(bed_cluster(&bed, text, sizeof(text)) != FX_OK);
	want_str(text, "client key: not PEM, or protected by a password");
	stop();
	other = xasprintf("client-certificate: %s, client-key: %s",
	    getenv("BED_API_CA"), key);
	start_with(ca, other, NULL, NULL);
	want(bed_cluster(&bed, text, sizeof(text)) != FX_OK);
	want_str(text, "client key does not belong to the client certificate");
	stop();
}

/* The API server learns of a right a moment after it was given. */
static bool
await_right(const char *verb)
{
	int64_t end = clk_now_us() + WAIT_US;

	while (clk_now_us() < end)
		if (bed_kubectl("-n %s auth can-i %s configmaps "
				"--as=system:serviceaccount:%s:small",
			space, verb, space))
			return true;
	return false;
}

/* A service account that may do what upstream's smallest roles allow. */
static void
test_small_role(void)
{
	auto_free char *ca = with_ca();
	auto_free char *token = NULL, *user = NULL, *value = NULL;
	struct bed_result r;
	long mark;
	size_t n;

	want(bed_kubectl("create namespace %s", space));
	want(bed_kubectl("-n %s create serviceaccount small", space));
	want(bed_kubectl("-n %s create role small --resource=configmaps "
			 "--verb=get,create,patch",
	    space));
	want(bed_kubectl("-n %s create rolebinding small --role=small "
			 "--serviceaccount=%s:small",
	    space, space));
	want(await_right("get") && await_right("create") &&
	    await_right("patch"));
	token = bed_kubectl_get("-n %s create token small", space);
	n = strcspn(token, "\n");
	user = xasprintf("token: %.*s", (int)n, token);
	bed_add(&bed, "v1", "ConfigMap", space, "mine",
	    ",\"data\":{\"a\":\"1\"}");
	bed_add(&bed, "v1", "ConfigMap", "default", "excluded", "");
	start_with(ca, user, "k8s-allow-namespace", space);
	r = bed_apply(&bed);
	want_str(r.err.text, "");
	want_str(r.errors, "");
	want_int(r.applied.patched, 1);
	want_int(r.applied.ignored, 1);
	want(bed_wait_log(&bed, "kinds=v1/ConfigMap", WAIT_US));
	/* without list and watch, which is said once, each pass looks, and
	 * finds drift */
	mark = bed_audit_mark();
	r = bed_apply(&bed);
	want(bed_wait_log(&bed, "resources=default:configmap/excluded",
	    WAIT_US));
	want_int(r.applied.patched, 0);
	want_int(bed_audit(mark, "patch", NULL), 0);
	want(bed_audit(mark, "get", "configmaps") == 1);
	want(bed_kubectl("-n %s patch configmap mine --type=merge "
			 "-p '{\"data\":{\"a\":\"2\"}}'",
	    space));
	r = bed_apply(&bed);
	want_int(r.applied.patched, 1);
	value = bed_kubectl_get("-n %s get configmap mine -o "
				"jsonpath={.data.a}",
	    space);
	want_str(value, "1");
	stop();
	bed_free_set(&bed);
}

/* Another controller wants something else: we wait longer and longer. */
static void
test_fight(void)
{
	auto_free char *ca = with_ca();
	auto_free char *token = xasprintf("token: %s", getenv("BED_API_TOKEN"));
	int64_t before_us = 0;
	struct bed_result r;

	bed_add(&bed, "v1", "ConfigMap", space, "fought",
	    ",\"data\":{\"a\":\"1\"}");
	bed_commit(&bed);
	start_with(ca, token, NULL, NULL);
	r = bed_apply(&bed);
	want_int(r.applied.patched, 1);
	bed.auto_repair = true;
	for (unsigned i = 1; i <= 4; i++) {
		if (i == 3)
			before_us = clk_now_us();
		want(bed_kubectl("-n %s patch configmap fought --type=merge "
				 "-p '{\"data\":{\"a\":\"other %u\"}}'",
		    space, i));
		want(bed_wait(&bed, &bed.repaired, i, WAIT_US));
	}
	/* the fourth came four seconds after the third */
	want(clk_now_us() - before_us >= 4 * CLK_SEC);
	stop();
	bed_free_set(&bed);
}

static void
remove_files(void)
{
	static const char *const names[] = { "kubeconfig", "bad.crt", "token" };

	for (size_t i = 0; i < nitems(names); i++) {
		auto_free char *p = path(names[i]);

		unlink(p);
	}
	rmdir(dir);
}

int
main(void)
{
	if (getenv("BED_KUBECONFIG") == NULL) {
		printf("1..0 # SKIP no API server: see tests/testbed/bed\n");
		return 0;
	}
	snprintf(space, sizeof(space), "sync-login-%d", (int)getpid());
	if (mkdtemp(dir) == NULL)
		fx_bug("mkdtemp");
	test_run("a plugin in the kubeconfig is refused by the user's name",
	    test_plugins);
	test_run("certificates are verified, and nothing is looked up for it",
	    test_trust);
	test_run("a rotated token is read again", test_token);
	test_run("get, create and patch in one namespace suffice",
	    test_small_role);
	test_run("a client certificate serves as well", test_certificate);
	test_run("a fight over an object slows down", test_fight);
	remove_files();
	return test_done();
}
