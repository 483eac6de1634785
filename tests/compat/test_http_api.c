/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The whole of fluxd-api, in its sandbox, answers as upstream does: whole
 * responses are compared, but for the Date and the wording of help texts.
 */
#include "base.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "exchange.h"
#include "str.h"
#include "test.h"

static struct bed bed;

/* No header but these, and the Date. */
static size_t
count_headers(const char *response)
{
	const char *end = strstr(response, "\r\n\r\n");
	size_t n = 0;

	for (const char *s = response; (s = strstr(s, "\r\n")) < end; s += 2)
		n++;
	return n;
}

#define NOT_FOUND_JSON                                                         \
	"{\"type\":\"missing\",\"help\":\"" ANY                                \
	"\",\"error\":\"API endpoint not found\"}"

static void
test_routing(void)
{
	static const struct exchange t[] = {
		{ "POST", API "/v11/ping", NULL, "", "404 Not Found", TEXT,
		    "API endpoint not found" },
		{ "GET", API "/v5/services", ACCEPT_JSON, NULL, "410 Gone",
		    JSON,
		    "{\"type\":\"missing\",\"help\":\"" ANY
		    "\",\"error\":\"API endpoint deprecated\"}" },
		{ "GET", API "/v5", ACCEPT_JSON, NULL, "404 Not Found", JSON,
		    "{\"type\":\"missing\",\"help\":\"" ANY
		    "/v5\\n\",\"error\":\"API endpoint not found\"}" },
		{ "GET", API, NULL, NULL, "301 Moved Permanently",
		    "text/html; charset=utf-8",
		    "<a href=\"/api/flux/\">Moved Permanently</a>.\n\n" },
		{ "GET", API "//v6/services?a=b", NULL, NULL,
		    "301 Moved Permanently", "text/html; charset=utf-8",
		    "<a href=\"/api/flux/v6/services?a=b\">Moved Permanently"
		    "</a>.\n\n" },
		{ "POST", API "//v6/services", NULL, "",
		    "301 Moved Permanently", NULL, "" },
		{ "GET", API "/v6/jobs", ACCEPT_JSON, NULL, "404 Not Found",
		    JSON, NOT_FOUND_JSON },
		{ "GET", API "/v6/jobs?id=", "*/*", NULL, "404 Not Found", TEXT,
		    "unknown job \"\"" },
		{ "GET", API "/v6/jobs?id=a%2Fb&id=c", NULL, NULL, "200 OK",
		    JSON,
		    "{\"Result\":{\"revision\":\"aaaaaaa\"},\"Err\":\"\","
		    "\"StatusString\":\"succeeded\"}" },
		{ "HEAD", API "/v6/export", ACCEPT_JSON, NULL, "200 OK", JSON,
		    "" },
		{ "HEAD", API "/v6/services", NULL, NULL, "404 Not Found", TEXT,
		    "" },
		{ "OPTIONS", API "/v6/services", NULL, NULL, "404 Not Found",
		    TEXT, "API endpoint not found" },
		{ "BREW", API "/v11/ping", NULL, NULL, "404 Not Found", TEXT,
		    "API endpoint not found" },
		{ "GET", API "/v11/services?services=foo", NULL, NULL,
		    "400 Bad Request", TEXT,
		    "parsing service spec \"foo\": parsing foo: invalid "
		    "service ID" },
		{ "GET", API "/v11/services?services=a:b/c,", NULL, NULL,
		    "400 Bad Request", TEXT,
		    "parsing service spec \"\": parsing : invalid service "
		    "ID" },
		{ "GET", API "/v6/services?namespace=x&services=a:b/c", NULL,
		    NULL, "422 Unprocessable Entity", TEXT,
		    "cannot filter by 'namespace' and 'workloads' at the same "
		    "time" },
		{ "GET", API "/v6/images?service=zz", NULL, NULL,
		    "400 Bad Request", TEXT,
		    "parsing service spec \"zz\": invalid workload spec: "
		    "parsing zz: invalid service ID" },
		{ "GET", API "/v10/images?namespace=x&service=a:b/c", NULL,
		    NULL, "422 Unprocessable Entity", TEXT,
		    "cannot filter by 'namespace' and 'workload' at the same "
		    "time" },
		{ "GET", "/", NULL, NULL, "404 Not Found", TEXT,
		    "404 page not found\n" },
		{ "GET", "/debug/pprof/", ACCEPT_JSON, NULL, "404 Not Found",
		    TEXT, "404 page not found\n" },
	};
	auto_free char *r = NULL, *value = NULL, *location = NULL;
	const struct exchange *x = &t[4];
	auto_free char *rq = exchange_request(x, "Connection: close\r\n");

	want(exchange_table(&bed, t, nitems(t)));
	location = bed_exchange(bed.port, rq, strlen(rq));
	value = exchange_header(location, "Location");
	want_str(value, "/api/flux/v6/services?a=b");
	free(rq);
	rq = exchange_request(&t[nitems(t) - 1], "Connection: close\r\n");
	r = bed_exchange(bed.port, rq, strlen(rq));
	free(value);
	value = exchange_header(r, "X-Content-Type-Options");
	want_str(value, "nosniff");
	want_int(count_headers(r), 5);
}

static void
test_routes(void)
{
#define KEY                                                                    \
	"{\"key\":\"ssh-ed25519 AAAA flux@pod\\n\",\"fingerprints\":"          \
	"{\"md5\":{\"hash\":\"aa:bb\",\"randomart\":\"+-[MD5]-+\\n|\\u003c"    \
	"\\u0026\\u003e |\\n\"},\"sha256\":{\"hash\":\"kq0\",\"randomart\":"   \
	"\"+-[SHA256]-+\\n\"}}}"
	static const struct exchange t[] = {
		{ "GET", API "/v11/ping", ACCEPT_JSON, NULL, "204 No Content",
		    NULL, "" },
		{ "GET", API "/v11/version", ACCEPT_JSON, NULL, "200 OK", JSON,
		    "\"" PACKAGE_VERSION "\"" },
		{ "POST", API "/v11/notify", NULL,
		    "{\"Kind\":\"git\",\"Source\":{\"URL\":\"git@git.example."
		    "org:shop/conf\",\"Branch\":\"main\"}}",
		    "202 Accepted", NULL, "" },
		{ "POST", API "/v11/notify", NULL,
		    "{\"Kind\":\"zz\",\"Source\":{}}", "400 Bad Request", TEXT,
		    "unknown kind of change" },
		{ "POST", API "/v11/notify", ACCEPT_JSON, "{\"Kind\":\"git\"}",
		    "400 Bad Request", JSON,
		    "{\"type\":\"user\",\"help\":\"unexpected end of JSON "
		    "input\\n\",\"error\":\"unexpected end of JSON input\"}" },
		{ "POST", API "/v9/update-manifests", ACCEPT_JSON,
		    "{\"type\":\"sync\",\"cause\":{\"Message\":\"\",\"User\":"
		    "\"Ada L <ada@example.org>\"},\"spec\":{}}",
		    "200 OK", JSON,
		    "\"b8a1a1b0-07c3-91d2-5f6e-0123456789ab\"" },
		{ "POST", API "/v9/update-manifests", "text/plain",
		    "{\"type\":\"sync\",\"cause\":{\"Message\":\"full\"},"
		    "\"spec\":{}}",
		    "503 Service Unavailable", TEXT,
		    "Error: the queue is full\n" },
		{ "GET", API "/v6/jobs?id=b8a1a1b0-07c3-91d2-5f6e-0123456789ab",
		    ACCEPT_JSON, NULL, "200 OK", JSON,
		    "{\"Result\":{},\"Err\":\"\",\"StatusString\":"
		    "\"running\"}" },
		{ "GET", API "/v6/jobs?id=queued", ACCEPT_JSON, NULL, "200 OK",
		    JSON,
		    "{\"Result\":{},\"Err\":\"\",\"StatusString\":"
		    "\"queued\"}" },
		{ "GET", API "/v6/jobs?id=failed", ACCEPT_JSON, NULL, "200 OK",
		    JSON,
		    "{\"Result\":{},\"Err\":\"no changes made in repo\","
		    "\"StatusString\":\"failed\"}" },
		{ "GET", API "/v6/jobs?id=synced", ACCEPT_JSON, NULL, "200 OK",
		    JSON,
		    "{\"Result\":{\"revision\":\"0123456789abcdef0123456789abc"
		    "def01234567\"},\"Err\":\"\",\"StatusString\":"
		    "\"succeeded\"}" },
		/* what notes hold is shown as upstream writes it */
		{ "GET", API "/v6/jobs?id=spec", ACCEPT_JSON, NULL, "200 OK",
		    JSON,
		    "{\"Result\":{\"revision\":\"0123456789\",\"spec\":{"
		    "\"type\":\"policy\",\"cause\":{\"Message\":\"\",\"User\":"
		    "\"Ada \\u003ca@b\\u003e\"},\"spec\":{\"a:b/c\":{\"add\":"
		    "{\"locked\":\"true\"},\"remove\":null}}},\"result\":{"
		    "\"a:b/c\":{\"Status\":\"success\",\"PerContainer\":null}"
		    "}},\"Err\":\"\",\"StatusString\":\"succeeded\"}" },
		/* and what a client would refuse is left out */
		{ "GET", API "/v6/jobs?id=forged", ACCEPT_JSON, NULL, "200 OK",
		    JSON,
		    "{\"Result\":{},\"Err\":\"\",\"StatusString\":"
		    "\"succeeded\"}" },
		{ "GET", API "/v6/jobs?id=x", NULL, NULL, "404 Not Found", TEXT,
		    "unknown job \"x\"" },
		{ "GET", API "/v6/jobs?id=x",
		    "application/json;q=0.5, "
		    "text/plain",
		    NULL, "404 Not Found", TEXT, "Job not found\n\n" ANY },
		{ "GET", API "/v6/jobs?id=x", "text/plain, application/json",
		    NULL, "404 Not Found", JSON,
		    "{\"type\":\"missing\",\"help\":\"" ANY
		    "\",\"error\":\"unknown job \\\"x\\\"\"}" },
		{ "GET", API "/v6/sync?ref=0123456", ACCEPT_JSON, NULL,
		    "200 OK", JSON,
		    "[\"0123456789abcdef0123456789abcdef01234567\",\"89abcdef0"
		    "123456789abcdef0123456789abcdef\"]" },
		{ "GET", API "/v6/sync?ref=HEAD", ACCEPT_JSON, NULL, "200 OK",
		    JSON, "[]" },
		{ "GET", API "/v6/sync?ref=bad", ACCEPT_JSON, NULL, REFUSED,
		    JSON,
		    "{\"type\":\"user\",\"help\":\"Error: fatal: bad revision "
		    "'..bad', full output:\\n \\u003cnone\\u003e\\n\\n" ANY
		    "\",\"error\":\"fatal: bad revision '..bad', full output:"
		    "\\n \\u003cnone\\u003e\"}" },
		/* what came before a failure is not sent */
		{ "GET", API "/v6/sync?ref=half", NULL, NULL, REFUSED, TEXT,
		    "git went away" },
		{ "POST", API "/v9/git-repo-config", ACCEPT_JSON, "false",
		    "200 OK", JSON,
		    "{\"remote\":{\"url\":\"ssh://git@git.example.org/shop/"
		    "conf\",\"branch\":\"main\",\"path\":\"apps,infra\"},"
		    "\"publicSSHKey\":" KEY
		    ",\"status\":\"ready\",\"errors\":\"\"}" },
		/* one error, not an error and an object */
		{ "POST", API "/v9/git-repo-config", NULL, "maybe",
		    "400 Bad Request", TEXT,
		    "invalid character 'm' looking for beginning of value" },
		{ "POST", API "/v9/git-repo-config", NULL, "true", REFUSED,
		    TEXT, "keys are not made by this daemon yet" },
		{ "GET", API "/v6/identity.pub", "*/*", NULL, "200 OK", JSON,
		    KEY },
		{ "POST", API "/v6/identity.pub", NULL, "", REFUSED, TEXT,
		    "keys are not made by this daemon yet" },
		{ "GET", API "/v12/sandbox", ACCEPT_JSON, NULL, "200 OK", JSON,
		    "[{\"role\":\"api\",\"instance\":0,\"pid\":42,\"state\":"
		    "\"running\",\"uid\":64108,\"seccomp\":2,\"noNewPrivs\":"
		    "true,\"caps\":0,\"landlock\":\"abi 7\",\"root\":\"empty\""
		    ",\"holds\":\"nothing\",\"restarts\":1}]" },
		{ "GET", "/healthz", NULL, NULL, "200 OK", TEXT, "ok\n" },
		{ "GET", "/readyz", NULL, NULL, "200 OK", TEXT, "ok\n" },
		{ "GET", "/metrics", NULL, NULL, "200 OK",
		    "text/plain; version=0.0.4; charset=utf-8",
		    "# HELP flux_daemon_sync_manifests Number of synchronized "
		    "manifests\n# TYPE flux_daemon_sync_manifests gauge\n"
		    "flux_daemon_sync_manifests{success=\"true\"} 7\n"
		    "# HELP flux_git_ready Status of the git repository.\n"
		    "# TYPE flux_git_ready gauge\nflux_git_ready 1\n" },
	};

	want(exchange_table(&bed, t, nitems(t)));
}

static void
test_not_yet(void)
{
#define LATER(what) what " not yet supported by this daemon"
	static const struct exchange t[] = {
		{ "POST",
		    API "/v6/update-images?service=shop%3Adeployment%2Fweb&"
			"image=registry.example.org%2Fshop%2Fweb%3A1.2.1&kind="
			"execute&user=ada&message=hotfix&exclude=shop%3A"
			"cronjob%2Fnightly",
		    NULL, "", REFUSED, TEXT,
		    LATER("updates of type \"image\" are") },
		{ "POST",
		    API "/v6/update-images?service=zz&image=a:1&kind=plan",
		    NULL, "", "400 Bad Request", TEXT,
		    "parsing service spec \"zz\": invalid workload spec: "
		    "parsing zz: invalid service ID" },
		{ "POST",
		    API "/v6/update-images?service=%3Call%3E&image=a&kind="
			"plan",
		    NULL, "", "400 Bad Request", TEXT,
		    "parsing image spec \"a\": blank tag (if you want latest, "
		    "explicitly state the tag :latest): invalid image ID" },
		{ "POST",
		    API "/v6/update-images?service=%3Call%3E&image=a:1&kind=x",
		    NULL, "", "400 Bad Request", TEXT,
		    "parsing release kind \"x\": invalid release kind" },
		{ "POST",
		    API "/v6/update-images?service=%3Call%3E&image=a:1&kind="
			"plan&exclude=x",
		    NULL, "", "400 Bad Request", TEXT,
		    "parsing excluded service \"x\": parsing x: invalid "
		    "service ID" },
		{ "PATCH", API "/v6/policies?user=ada&message=freeze", NULL,
		    "{\"shop:deployment/web\":{\"add\":{\"locked\":\"true\"},"
		    "\"remove\":{}}}",
		    REFUSED, TEXT, LATER("updates of type \"policy\" are") },
		{ "PATCH", API "/v6/policies", NULL, "{\"bad\":{}}",
		    "400 Bad Request", TEXT,
		    "parsing bad: invalid service ID" },
	};

	want(exchange_table(&bed, t, nitems(t)));
}

static void
test_updates(void)
{
#define UPDATE(body, ...)                                                      \
	{                                                                      \
		"POST", API "/v9/update-manifests", NULL, body, __VA_ARGS__    \
	}
#define BAD "400 Bad Request", TEXT
	static const struct exchange t[] = {
		UPDATE("", BAD, "EOF"),
		UPDATE("nope", BAD,
		    "invalid character 'o' in literal null (expecting 'u')"),
		UPDATE("{}", BAD, "unknown spec type: "),
		UPDATE("{\"type\":\"image\"}", BAD,
		    "unexpected end of JSON input"),
		UPDATE("{\"type\":\"image\",\"spec\":null}", REFUSED, TEXT,
		    LATER("updates of type \"image\" are")),
		UPDATE("{\"TYPE\":\"sync\",\"SPEC\":{}} junk", "200 OK", JSON,
		    "\"b8a1a1b0-07c3-91d2-5f6e-0123456789ab\""),
		UPDATE("{\"type\":\"policy\",\"spec\":{\"bad\":{}}}", BAD,
		    "parsing bad: invalid service ID"),
		UPDATE("{\"type\":\"policy\",\"spec\":{\"a:b/c\":{\"add\":"
		       "[\"automated\"],\"remove\":null}}}",
		    REFUSED, TEXT, LATER("updates of type \"policy\" are")),
		UPDATE("{\"type\":\"policy\",\"spec\":{\"a:b/c\":{\"add\":"
		       "{\"automated\":true}}}}",
		    BAD, ANY),
		UPDATE("{\"type\":\"image\",\"spec\":{\"ServiceSpecs\":"
		       "[\"zzz\"]}}",
		    REFUSED, TEXT, LATER("updates of type \"image\" are")),
		UPDATE("{\"type\":\"image\",\"spec\":{\"Excludes\":"
		       "[\"bad\"]}}",
		    BAD, "parsing bad: invalid service ID"),
		UPDATE("{\"type\":\"containers\",\"spec\":{\"ContainerSpecs\":"
		       "{\"a:b/c\":[{\"Container\":\"x\",\"Current\":\"\"}]}}}",
		    BAD, "parsing \"\": blank image name: invalid image ID"),
		UPDATE("{\"type\":\"containers\",\"spec\":{\"ContainerSpecs\":"
		       "{\"a:b/c\":[{\"Container\":\"x\"}]}}}",
		    REFUSED, TEXT, LATER("updates of type \"containers\" are")),
		UPDATE("{\"type\":\"auto\",\"spec\":{\"Changes\":[]}}", REFUSED,
		    TEXT, "unknown update type \"auto\""),
	};

	want(exchange_table(&bed, t, nitems(t)));
}

static void
want_asked(const char *method, const char *target, const char *body,
    const char *asked)
{
	const struct exchange x = { .method = method,
		.target = target,
		.body = body };
	auto_free char *rq = exchange_request(&x, "Connection: close\r\n");
	auto_free char *response = bed_exchange(bed.port, rq, strlen(rq));
	auto_free char *got = NULL;

	want(*response != '\0');
	if (*asked == '\0') {
		want(bed_asked_nothing(&bed));
		return;
	}
	got = bed_asked(&bed);
	want_str(got, asked);
}

static void
test_asked(void)
{
	bed_forget_asked(&bed);
	want_asked("POST", API "/v11/notify",
	    "{\"kind\":\"image\",\"source\":{\"name\":{\"domain\":\"r.example"
	    "\",\"image\":\"web\"}}}",
	    "notify kind=1 url= branch= image=r.example/web");
	want_asked("POST", API "/v9/update-manifests",
	    "{\"type\":\"sync\",\"cause\":{\"Message\":\"m\",\"User\":\"u\"},"
	    "\"spec\":{}}",
	    "update kind=0 user=u message=m spec=");
	want_asked("GET", API "/v6/jobs?id=a%2Fb&id=c", NULL, "job job=a/b");
	want_asked("GET", API "/v6/sync?ref=a+b", NULL, "sync_status ref=a b");
	want_asked("POST", API "/v9/git-repo-config", "null",
	    "git_config regenerate=false");
	want_asked("GET", API "/v6/nosuch", NULL, "");
}

static void
test_many(void)
{
	static const struct exchange x = { .method = "GET",
		.target = API "/v6/sync?ref=many" };
	auto_free char *rq = exchange_request(&x, "Connection: close\r\n");
	auto_free char *response = bed_exchange(bed.port, rq, strlen(rq));
	const char *body = strstr(response, "\r\n\r\n");

	if (!want(body != NULL))
		return;
	want_int(strlen(body + 4), 3000 * 43 + 1);
	want(str_starts(body + 4,
	    "[\"00000000000000000000000000000000000000"
	    "00\",\""));
	want(str_ends(body, "bb7\"]"));
}

/* A list that does not fit into an answer is not cut. */
static void
test_too_many(void)
{
	static const struct exchange t[] = {
		{ "GET", API "/v6/sync?ref=toomany", ACCEPT_JSON, NULL,
		    "500 Internal Server Error", JSON,
		    "{\"type\":\"server\",\"help\":\"" ANY
		    "\",\"error\":\"more commits are not applied than can be "
		    "listed\"}" },
		{ "GET", API "/v6/sync?ref=HEAD", ACCEPT_JSON, NULL, "200 OK",
		    JSON, "[]" },
	};

	want(exchange_table(&bed, t, nitems(t)));
}

#define OBSERVED 20000 /* requests; more than may wait to be counted */
#define AT_ONCE 100

/* Ask for nothing that there is, many times over one connection. */
static bool
ask_often(void)
{
	static const char rq[] = "GET " API "/x HTTP/1.1\r\nHost: x\r\n\r\n";
	auto_free char *answer = NULL;
	struct buf all = BUF_INIT(AT_ONCE * sizeof(rq));
	static char got[65536];
	int fd = bed_connect(bed.port);
	size_t left = 0;

	for (size_t i = 0; i < AT_ONCE; i++)
		(void)str_add(&all, rq);
	for (size_t i = 0; i < OBSERVED / AT_ONCE && left == 0; i++) {
		if (!bed_send(fd, buf_head(&all), buf_left(&all)))
			break;
		free(answer);
		answer = bed_read_answer(fd, false);
		left = (AT_ONCE - 1) * strlen(answer == NULL ? "" : answer);
		for (ssize_t n = 1; left != 0 && n > 0; left -= (size_t)n)
			n = bed_recv(fd, got,
			    left < sizeof(got) ? left : sizeof(got));
	}
	close(fd);
	buf_clear(&all);
	return answer != NULL && left == 0;
}

/* While the master does not listen, what is measured is lost before questions
 * find no room. */
static void
test_observations(void)
{
	static const struct exchange x = { .method = "GET",
		.target = API "/v6/jobs?id=metrics" };
	auto_free char *rq = exchange_request(&x, "Connection: close\r\n");
	auto_free char *response = NULL;
	const char *count;
	unsigned long n;

	(void)kill(bed.master, SIGSTOP);
	want(ask_often());
	(void)kill(bed.master, SIGCONT);
	response = bed_exchange(bed.port, rq, strlen(rq));
	count = strstr(response, "\"Err\":\"");
	if (!want(count != NULL))
		return;
	n = strtoul(count + strlen("\"Err\":\""), NULL, 10);
	printf("# %lu of %d observations came\n", n, OBSERVED);
	want(n > 100 && n < OBSERVED / 2);
}

/* Keep-alive, requests sent at once, and a body in chunks. */
static void
test_connection(void)
{
	static const char two[] =
	    "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	    "POST /api/flux/v11/notify HTTP/1.1\r\nHost: x\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n"
	    "10\r\n{\"Kind\":\"git\",\"S\r\n0c\r\nource\":null}\r\n0\r\n\r\n"
	    "GET /api/flux/v11/version HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd = bed_connect(bed.port);
	auto_free char *a = NULL, *b = NULL, *c = NULL, *d = NULL;

	want_int(send(fd, two, strlen(two), 0), strlen(two));
	a = bed_read_answer(fd, false);
	b = bed_read_answer(fd, false);
	c = bed_read_answer(fd, false);
	want(
	    a != NULL && str_starts(a, "HTTP/1.1 200 ") && str_ends(a, "ok\n"));
	want(b != NULL && str_starts(b, "HTTP/1.1 202 "));
	want(c != NULL && str_ends(c, "\"" PACKAGE_VERSION "\""));
	want_int(send(fd, two, 40, 0), 40);
	d = bed_read_answer(fd, false);
	want(d != NULL && str_ends(d, "ok\n"));
	close(fd);
}

/* A request that comes a byte at a time is the same request. */
static void
test_slow(void)
{
	static const char rq[] =
	    "POST /api/flux/v9/update-manifests HTTP/1.1\r\n"
	    "Host: fluxd\r\nUser-Agent:Go-http-client/1.1\r\n"
	    "Accept: \t application/json \r\nX-Empty:\r\nX-Empty2: \r\n"
	    "Cookie: a=b; c=d\r\nAuthorization: Scope-Probe token=x\r\n"
	    "Content-Length: 26\r\nAccept-Encoding: gzip\r\n"
	    "Connection: close\r\n\r\n{\"type\":\"sync\",\"spec\":{}} ";
	int fd = bed_connect(bed.port);
	const struct timespec pause = { .tv_nsec = 200000 };
	auto_free char *response = NULL;

	for (size_t i = 0; i + 1 < strlen(rq); i++) {
		want_int(send(fd, rq + i, 1, 0), 1);
		(void)nanosleep(&pause, NULL);
	}
	response = bed_talk(fd, rq + strlen(rq) - 1, 1);
	if (!want(str_starts(response, "HTTP/1.1 200 ")))
		printf("# [%s]\n", response);
}

static void
test_metrics_apart(void)
{
	const struct bed_options o = { .metrics_apart = true, .uid = -1 };
	static const struct {
		bool metrics;
		const char *target, *begins;
	} tv[] = {
		{ false, "/metrics", "HTTP/1.1 404 " },
		{ false, "/healthz", "HTTP/1.1 200 " },
		{ true, "/metrics", "HTTP/1.1 200 " },
		{ true, "/healthz", "HTTP/1.1 404 " },
		{ true, API "/v11/version", "HTTP/1.1 404 " },
		{ true, API, "HTTP/1.1 404 " },
	};
	struct bed apart;

	bed_start(&apart, &o);
	for (size_t i = 0; i < nitems(tv); i++) {
		const struct exchange x = { .method = "GET",
			.target = tv[i].target };
		auto_free char *rq =
		    exchange_request(&x, "Connection: close\r\n");
		auto_free char *r =
		    bed_exchange(tv[i].metrics ? apart.metrics_port
					       : apart.port,
			rq, strlen(rq));

		if (!want(str_starts(r, tv[i].begins)))
			printf("# %s: [%s]\n", tv[i].target, r);
	}
	want_int(bed_stop(&apart), 0);
}

int
main(void)
{
	const struct bed_options o = { .uid = -1 };

	test_run("http: metrics may have a listener of their own",
	    test_metrics_apart);
	bed_start(&bed, &o);
	test_run("http: routing, redirects and errors", test_routing);
	test_run("http: every route that is served", test_routes);
	test_run("http: what is not served yet is checked and says so",
	    test_not_yet);
	test_run("http: update bodies", test_updates);
	test_run("http: the master is asked what the client meant", test_asked);
	test_run("http: an answer longer than a frame", test_many);
	test_run("http: an answer longer than there may be", test_too_many);
	test_run("http: observations do not crowd out questions",
	    test_observations);
	test_run("http: a connection serves many requests", test_connection);
	test_run("http: a request in single bytes", test_slow);
	want_int(bed_stop(&bed), 0);
	return test_done();
}
