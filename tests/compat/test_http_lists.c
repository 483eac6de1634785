/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Lists and exports of fluxd-api, in its sandbox: what they say, that they come
 * as fast as the client reads, and that no client takes half of one for whole.
 */
#include "base.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api_lists.h"
#include "clock.h"
#include "exchange.h"
#include "str.h"
#include "test.h"

/* Memory that an instrumented worker uses says nothing about ours. */
#ifdef FX_TEST_BUILD
#	define PLAIN_BUILD 0
#else
#	define PLAIN_BUILD 1
#endif

/* What all lists together may take, whoever reads them how. */
#define LISTS_KIB 16384

static struct bed bed;

static long idle_fds; /* of the worker while nobody is connected */

static void
want_fds(void)
{
	(void)bed_fds_fall(&bed, idle_fds);
	want_int(bed_fds(&bed), idle_fds);
}

static void
set_state(const char *word)
{
	auto_free char *body =
	    xasprintf("{\"Kind\":\"git\",\"Source\":{\"URL\":\"state %s\"}}",
		word);
	const struct exchange x = { .method = "POST",
		.target = API "/v11/notify",
		.body = body };
	auto_free char *rq = exchange_request(&x, "Connection: close\r\n");
	auto_free char *r = bed_exchange(bed.port, rq, strlen(rq));

	want(str_starts(r, "HTTP/1.1 202 "));
}

static void
want_asked(const char *begins)
{
	auto_free char *line = bed_asked(&bed);

	if (!want(str_starts(line, begins)))
		printf("# [%.200s], wanted %s\n", line, begins);
}

/* ---- what they say ------------------------------------------------------ */

#define IMAGE(name, id)                                                        \
	"{\"Name\":\"" name "\",\"Current\":{\"ID\":\"" id                     \
	"\",\"Labels\":{}},\"LatestFiltered\":{\"ID\":\"\",\"Labels\":{}}"
#define WEB_IMAGE IMAGE("web", "registry.example.org/shop/web:1.2.0")
#define INIT_IMAGE IMAGE("init", "busybox@sha256:abcd")
#define WEB_START                                                              \
	"{\"ID\":\"shop:deployment/web\",\"Containers\":[" WEB_IMAGE           \
	"}," INIT_IMAGE "}],\"ReadOnly\":\""
#define WEB_ROLLOUT                                                            \
	"\",\"Status\":\"ready\",\"Rollout\":{\"Desired\":2,\"Updated\":2,"    \
	"\"Ready\":2,\"Available\":2,\"Outdated\":0,\"Messages\":null},"       \
	"\"SyncError\":\"\",\"Antecedent\":\"\",\"Labels\":{\"app\":\"web\","  \
	"\"b\":\"2\"},"
#define DECLARED                                                               \
	"\"Automated\":true,\"Locked\":false,\"Ignore\":false,\"Policies\":{"  \
	"\"automated\":\"true\",\"tag.web\":\"semver:~1.2\"}}"
#define UNDECLARED                                                             \
	"\"Automated\":false,\"Locked\":false,\"Ignore\":false,"               \
	"\"Policies\":{}}"
#define WEB WEB_START WEB_ROLLOUT DECLARED
#define NO_ROLLOUT                                                             \
	"\"Rollout\":{\"Desired\":0,\"Updated\":0,\"Ready\":0,\"Available\":0" \
	",\"Outdated\":0,\"Messages\":null},\"SyncError\":\"\","               \
	"\"Antecedent\":\"\",\"Labels\":null,"
#define NIGHTLY(why)                                                           \
	"{\"ID\":\"shop:cronjob/"                                              \
	"nightly\",\"Containers\":[],\"ReadOnly\":\"" why                      \
	"\",\"Status\":\"ready\"," NO_ROLLOUT UNDECLARED
#define ODD                                                                    \
	"[{\"ID\":\"odd:deployment/locked\",\"Containers\":[],\"ReadOnly\":"   \
	"\"\",\"Status\":\"error\",\"Rollout\":{\"Desired\":3,\"Updated\":4,"  \
	"\"Ready\":0,\"Available\":0,\"Outdated\":-1,\"Messages\":[\"quota "   \
	"\\u003cexceeded\\u003e\"]},\"SyncError\":\"running kubectl: \\\"no"   \
	"\\\"\\n\",\"Antecedent\":\"odd:helmrelease/r\",\"Labels\":null,"      \
	"\"Automated\":false,\"Locked\":true,\"Ignore\":false,\"Policies\":{"  \
	"\"ignore\":\"sync_only\",\"locked\":\"true\",\"locked_msg\":\""       \
	"\\u003cwhy\\u003e \\u0026 \\\"what\\\"\"}},{\"ID\":\"odd:helmrelease" \
	"/r\",\"Containers\":[" WEB_IMAGE                                      \
	"}],\"ReadOnly\":\"NotInRepo\",\"Status\":\"\"," NO_ROLLOUT UNDECLARED \
	"]"
#define SERVICES(query, ...)                                                   \
	{                                                                      \
		"GET", API query, ACCEPT_JSON, NULL, __VA_ARGS__               \
	}
#define OK "200 OK", JSON

static void
test_services(void)
{
	static const struct exchange t[] = {
		SERVICES("/v6/services?namespace=shop", OK,
		    "[" WEB "," NIGHTLY("NotInRepo") "]"),
		SERVICES("/v11/services?namespace=&services=", OK,
		    "[" WEB "," NIGHTLY("NotInRepo") "]"),
		SERVICES("/v6/services", OK,
		    "[" WEB "," NIGHTLY("NotInRepo") "]"),
		SERVICES("/v6/services?namespace=none", OK, "null"),
		SERVICES("/v6/services?services=shop:Deployment/web", OK,
		    "[" WEB "]"),
		SERVICES("/v11/services?services=shop%3Acronjob%2Fnightly%2C"
			 "shop%3Adeployment%2Fweb",
		    OK, "[" NIGHTLY("NotInRepo") "," WEB "]"),
		SERVICES("/v11/services?services=shop:deployment/gone,a/b", OK,
		    "null"),
		/* parts that are empty, and that have one each */
		SERVICES("/v6/services?namespace=parts", OK,
		    "[" WEB "," NIGHTLY("NotInRepo") "]"),
		SERVICES("/v6/services?namespace=odd", OK, ODD),
		SERVICES("/v11/services?namespace=shop&services=a:b/c", REFUSED,
		    JSON,
		    "{\"type\":\"user\",\"help\":\"Error: cannot filter by "
		    "'namespace' and 'workloads' at the same time\\n\\n" ANY
		    "\",\"error\":\"cannot filter by 'namespace' and "
		    "'workloads' at the same time\"}"),
		SERVICES("/v6/services?namespace=fail", REFUSED, JSON,
		    "{\"type\":\"user\",\"help\":\"Error: getting workloads "
		    "from cluster: no \\u003croute\\u003e to host\\n\\n" ANY
		    "\",\"error\":\"getting workloads from cluster: no "
		    "\\u003croute\\u003e to host\"}"),
		/* a part without workloads is nothing that was sent */
		SERVICES("/v6/services?namespace=early", REFUSED, JSON,
		    "{\"type\":\"user\",\"help\":\"" ANY
		    "\",\"error\":\"getting workloads from cluster: the server "
		    "went away\"}"),
	};

	want(exchange_table(&bed, t, nitems(t)));
}

static void
test_repository(void)
{
	static const struct {
		const char *state;
		struct exchange x;
	} tv[] = {
		{ "notready",
		    SERVICES("/v6/services?namespace=shop", OK,
			"[" WEB_START "NotReady" WEB_ROLLOUT UNDECLARED
			"," NIGHTLY("NotReady") "]") },
		{ "none",
		    SERVICES("/v6/services?namespace=shop", OK,
			"[" WEB_START "NoRepo" WEB_ROLLOUT UNDECLARED
			"," NIGHTLY("NoRepo") "]") },
		{ "readonly",
		    SERVICES("/v6/services?namespace=shop", OK,
			"[" WEB_START "ReadOnlyMode" WEB_ROLLOUT DECLARED
			"," NIGHTLY("NotInRepo") "]") },
		{ "stale",
		    SERVICES("/v6/services?namespace=shop", OK,
			"[" WEB "," NIGHTLY("NotInRepo") "]") },
		{ "gone",
		    SERVICES("/v6/services?namespace=shop", REFUSED, JSON,
			"{\"type\":\"user\",\"help\":\"" ANY
			"\",\"error\":\"there is no such set any more\"}") },
		{ "failed",
		    SERVICES("/v6/services?namespace=shop", REFUSED, JSON,
			"{\"type\":\"user\",\"help\":\"" ANY
			"\",\"error\":\"the load was lost\"}") },
		{ "broken",
		    SERVICES("/v6/services?namespace=none", REFUSED, JSON,
			"{\"type\":\"user\",\"help\":\"The manifests in the "
			"git repository could not be read.\\n\\nThe error was:"
			"\\n\\n    a.yaml: not \\u003cyaml\\u003e\\n\\nPlease "
			"check files " ANY
			"\",\"error\":\"a.yaml: not \\u003cyaml\\u003e\"}") },
		{ "broken",
		    SERVICES("/v6/images", REFUSED, JSON,
			"{\"type\":\"user\",\"help\":\"" ANY
			"\",\"error\":\"a.yaml: not \\u003cyaml\\u003e\"}") },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		set_state(tv[i].state);
		want(exchange_table(&bed, &tv[i].x, 1));
	}
	set_state("ready");
}

static void
test_images(void)
{
#define NO_DATA ",\"AvailableError\":\"image data not available\"}"
#define ALL_IMAGES                                                             \
	"[{\"ID\":\"shop:deployment/web\",\"Containers\":[" WEB_IMAGE NO_DATA  \
	"," INIT_IMAGE NO_DATA "]},{\"ID\":\"shop:cronjob/nightly\","          \
	"\"Containers\":null}]"
#define NO_IMAGE "{\"ID\":\"\",\"Labels\":{}}"
	static const struct exchange t[] = {
		SERVICES("/v6/images", OK, ALL_IMAGES),
		SERVICES("/v10/images?containerFields=&namespace=shop&"
			 "service=%3Call%3E",
		    OK, ALL_IMAGES),
		SERVICES("/v10/images?service=shop:Cronjob/nightly", OK,
		    "[{\"ID\":\"shop:cronjob/nightly\",\"Containers\":null}]"),
		SERVICES("/v6/images?namespace=none", OK, "null"),
		SERVICES("/v6/images?containerFields=Name&"
			 "service=shop:deployment/web",
		    OK,
		    "[{\"ID\":\"shop:deployment/web\",\"Containers\":[{"
		    "\"Name\":\"web\",\"Current\":" NO_IMAGE
		    ",\"LatestFiltered\":" NO_IMAGE
		    "},{\"Name\":\"init\",\"Current\":" NO_IMAGE
		    ",\"LatestFiltered\":" NO_IMAGE "}]}]"),
		SERVICES("/v6/images?containerFields=Current,Name&"
			 "service=shop:deployment/web",
		    OK,
		    "[{\"ID\":\"shop:deployment/"
		    "web\",\"Containers\":[" WEB_IMAGE "}," INIT_IMAGE "}]}]"),
		SERVICES("/v6/images?containerFields=AvailableError,"
			 "NewFilteredImagesCount&service=shop:deployment/web",
		    OK,
		    "[{\"ID\":\"shop:deployment/web\",\"Containers\":[{"
		    "\"Current\":" NO_IMAGE
		    ",\"LatestFiltered\":" NO_IMAGE NO_DATA
		    ",{\"Current\":" NO_IMAGE
		    ",\"LatestFiltered\":" NO_IMAGE NO_DATA "]}]"),
		SERVICES("/v6/images?containerFields=Name,Nonsense", REFUSED,
		    JSON,
		    "{\"type\":\"user\",\"help\":\"Error: Nonsense is an "
		    "invalid field\\n\\n" ANY
		    "\",\"error\":\"Nonsense is an invalid field\"}"),
		/* before the first byte, wherever the first container is */
		SERVICES("/v6/images?containerFields=Nonsense&namespace=none",
		    REFUSED, JSON,
		    "{\"type\":\"user\",\"help\":\"Error: Nonsense is an "
		    "invalid field\\n\\n" ANY
		    "\",\"error\":\"Nonsense is an invalid field\"}"),
		SERVICES("/v6/images?namespace=fail", REFUSED, JSON,
		    "{\"type\":\"user\",\"help\":\"" ANY
		    "\",\"error\":\"getting all workloads: no \\u003croute"
		    "\\u003e to host\"}"),
		SERVICES("/v10/images?namespace=x&service=a:b/c", REFUSED, JSON,
		    "{\"type\":\"user\",\"help\":\"" ANY
		    "\",\"error\":\"cannot filter by 'namespace' and "
		    "'workload' at the same time\"}"),
	};

	want(exchange_table(&bed, t, nitems(t)));
}

static void
test_export(void)
{
	static const struct {
		const char *state;
		struct exchange x;
	} tv[] = {
		{ "ready",
		    SERVICES("/v6/export", OK,
			"\"LS0tCmtpbmQ6IE5hbWVzcGFjZQo=\"") },
		{ "ready", { "HEAD", API "/v6/export", NULL, NULL, OK, "" } },
		{ "big", { "HEAD", API "/v6/export", NULL, NULL, OK, "" } },
		{ "failed",
		    { "HEAD", API "/v6/export", ACCEPT_JSON, NULL, REFUSED,
			JSON, "" } },
		{ "failed",
		    { "GET", API "/v6/export", NULL, NULL, REFUSED, TEXT,
			"getting namespaces: forbidden" } },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		set_state(tv[i].state);
		want(exchange_table(&bed, &tv[i].x, 1));
	}
	set_state("ready");
}

static void
test_sync_errors(void)
{
	static const struct {
		const char *state;
		struct exchange x;
	} tv[] = {
		{ "ready",
		    SERVICES("/v12/sync-errors", OK,
			"{\"total\":0,\"errors\":[]}") },
		{ "big",
		    SERVICES("/v12/sync-errors", OK,
			"{\"total\":3,\"errors\":[{\"ID\":\"shop:deployment/web"
			"\",\"Error\":\"no \\u003csuch\\u003e namespace\"},{"
			"\"ID\":\"shop:secret/x\",\"Error\":\"refused\"}]}") },
		{ "failed",
		    { "GET", API "/v12/sync-errors", NULL, NULL, REFUSED, TEXT,
			"no cluster" } },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		set_state(tv[i].state);
		want(exchange_table(&bed, &tv[i].x, 1));
	}
	set_state("ready");
}

static void
test_asked(void)
{
	auto_free char *a = NULL, *b = NULL, *c = NULL, *d = NULL;

	bed_forget_asked(&bed);
	a = exchange_get(&bed,
	    API "/v11/services?services=shop:Deployment/web");
	want_asked("repository");
	want_asked("workloads ns= ids=");
	want_asked("declared set=1 ids=");
	b = exchange_get(&bed, API "/v10/images?namespace=shop");
	want_asked("repository");
	want_asked("workloads ns=shop ids=");
	want(bed_asked_nothing(&bed));
	/* what cannot be there is not looked for */
	c = xasprintf("%s%0300d", API "/v6/services?namespace=x", 1);
	d = exchange_get(&bed, c);
	want(str_ends(d, "null"));
	want(bed_asked_nothing(&bed));
}

/* ---- as fast as the client reads ---------------------------------------- */

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what)) != NULL) {
		n++;
		text += strlen(what);
	}
	return n;
}

static void
test_big(void)
{
	long before = bed_rss_kib(&bed), after;
	auto_free char *r =
	    exchange_get(&bed, API "/v6/services?namespace=big");
	auto_free char *body = exchange_body(r), *x = NULL, *yaml = NULL;
	size_t n = (size_t)LISTS_BIG_PARTS * (LISTS_BIG_EACH);

	if (!want(body != NULL))
		return;
	want(str_starts(body, "[{\"ID\":\"big:deployment/w000000\""));
	want(str_ends(body, "}]"));
	want_int(count(body, "{\"ID\":\"big:"), n);
	want_int(count(body, "\"Automated\":true"), n / 10);
	set_state("big");
	x = exchange_get(&bed, API "/v6/export");
	set_state("ready");
	yaml = exchange_body(x);
	want(yaml != NULL);
	/* every three bytes are four */
	want_int(yaml == NULL ? 0 : strlen(yaml),
	    2 + 4 * ((size_t)LISTS_BIG_PARTS * (IPC_MAX_CHUNK - 1) / 3));
	after = bed_rss_kib(&bed);
	printf("# %ld KiB, then %ld KiB, after %zu and %zu bytes\n", before,
	    after, strlen(body), strlen(x));
	if (PLAIN_BUILD)
		want(after < before + LISTS_KIB);
}

/* After the first byte there is no error any more, but an end that is none. */
static void
test_half(void)
{
	static const char old[] = "GET /api/flux/v6/services?namespace=half "
				  "HTTP/1.0\r\n\r\n";
	auto_free char *r =
	    exchange_get(&bed, API "/v6/services?namespace=half");
	auto_free char *body = exchange_body(r), *x = NULL, *yaml = NULL;
	auto_free char *y = bed_exchange(bed.port, old, strlen(old));

	want(str_starts(r, "HTTP/1.1 200 "));
	want(body == NULL);
	want(strstr(r, "lost half-way") == NULL);
	want(!str_ends(r, "(timeout)"));
	set_state("half");
	x = exchange_get(&bed, API "/v6/export");
	set_state("ready");
	yaml = exchange_body(x);
	want(str_starts(x, "HTTP/1.1 200 "));
	want(yaml == NULL);
	want(!str_ends(x, "(timeout)"));
	/* without chunks it is the JSON that has no end */
	want(strstr(y, " 200 ") != NULL);
	want(!str_ends(y, "]"));
}

/* Labels and policies of which a part's JSON would be too long are an error,
 * or an end, and never more than a few pieces of it in memory. */
static void
test_heavy(void)
{
	long before = bed_rss_kib(&bed);
	auto_free char *r = NULL, *s = NULL, *body = NULL;

	set_state("heavy");
	r = exchange_get(&bed, API "/v6/services?namespace=big");
	want(str_starts(r, "HTTP/1.1 422 "));
	want(strstr(r,
		 "the workloads have more labels, policies or containers than "
		 "can be listed") != NULL);
	set_state("later");
	s = exchange_get(&bed, API "/v6/services?namespace=big");
	body = exchange_body(s);
	want(str_starts(s, "HTTP/1.1 200 "));
	want(body == NULL);
	want(!str_ends(s, "(timeout)"));
	set_state("ready");
	if (PLAIN_BUILD)
		want(bed_rss_kib(&bed) < before + LISTS_KIB);
}

/* From one of the many addresses of the loopback network. */
static int
ask_from(unsigned host, const char *target)
{
	const struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x7f000000u + host) };
	const struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)bed.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct exchange x = { .method = "GET", .target = target };
	auto_free char *rq = exchange_request(&x, "");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 4096;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) == -1 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) == -1 ||
	    send(fd, rq, strlen(rq), MSG_NOSIGNAL) != (ssize_t)strlen(rq))
		perror("ask_from");
	return fd;
}

/* Of a list that is not read little is made, and of the rest nothing. */
static void
test_unread(void)
{
	static const char *const targets[] = {
		API "/v6/services?namespace=big",
		API "/v6/images?namespace=big",
		API "/v6/export",
	};

	set_state("big");
	for (size_t i = 0; i < nitems(targets); i++) {
		auto_free char *line = NULL;
		int fd = ask_from(2, targets[i]);
		struct pollfd p = { .fd = fd, .events = POLLIN };
		unsigned long sent;
		const char *after;

		/* its first part has been taken, so all that there was
		 * credit for has been sent */
		want_int(poll(&p, 1, BED_WAIT_MS), 1);
		bed_forget_asked(&bed);
		close(fd);
		line = bed_asked(&bed);
		after = strstr(line, " after ");
		want(str_starts(line, "cancelled "));
		sent = after == NULL ? 0 : strtoul(after + 7, NULL, 10);
		printf("# %s\n", line);
		/* the kernel's buffers, four parts here, one on its way */
		want(sent >= IPC_CREDIT_FIRST && sent < LISTS_BIG_PARTS / 2);
	}
	set_state("ready");
}

/* Nor for one who does not wait for the beginning. */
static void
test_leaver(void)
{
	int fd;

	bed_forget_asked(&bed);
	fd = ask_from(2, API "/v6/services?namespace=silent");
	want_asked("repository");
	want_asked("workloads ns=silent");
	close(fd);
	want_asked("cancelled workloads after 0");
}

/* ---- places ------------------------------------------------------------- */

/* Those who do not read keep places for a while, and nobody from others. */
static void
test_slow_readers(void)
{
	static int fd[300];
	long before = bed_rss_kib(&bed), during;
	int64_t began;

	for (size_t i = 0; i < nitems(fd); i++)
		fd[i] = ask_from(2 + (unsigned)(i % 8),
		    API "/v6/services?namespace=big");
	/* whoever asks for less is not kept waiting, by either way */
	for (int i = 0; i < 10; i++) {
		static const char probe[] = "GET /healthz HTTP/1.1\r\nHost: "
					    "x\r\nConnection: close\r\n\r\n";
		auto_free char *r = NULL;

		began = clk_now_us();
		r = i % 2 == 0
		    ? bed_exchange(bed.port, probe, strlen(probe))
		    : bed_talk(bed_connect_unix(&bed), probe, strlen(probe));
		want(str_starts(r, "HTTP/1.1 200 "));
		if (!want(clk_now_us() - began < 8 * CLK_SEC))
			printf("# %d: %lld ms\n", i,
			    (long long)(clk_now_us() - began) / 1000);
	}
	began = clk_now_us();
	for (int i = 0; i < 2; i++) {
		auto_free char *r =
		    exchange_get(&bed, API "/v6/services?namespace=shop");

		want(str_starts(r, "HTTP/1.1 200 "));
		want(str_ends(r, "}]"));
	}
	printf("# two lists took %lld ms\n",
	    (long long)(clk_now_us() - began) / 1000);
	during = bed_rss_kib(&bed);
	printf("# %ld KiB before, %ld KiB with %zu slow readers\n", before,
	    during, nitems(fd));
	if (PLAIN_BUILD)
		want(during < before + LISTS_KIB);
	for (size_t i = 0; i < nitems(fd); i++)
		close(fd[i]);
	want_fds();
	bed_forget_asked(&bed);
}

/* Whoever has its answer and stays gives way at once. */
static void
test_idle(void)
{
	static const char *const targets[] = {
		API "/v6/services?namespace=shop",
		API "/v6/services?namespace=big",
		"/healthz",
	};
	static int fd[300];

	for (size_t t = 0; t < nitems(targets); t++) {
		for (size_t i = 0; i < nitems(fd); i++)
			fd[i] = ask_from(2 + (unsigned)(i % 8), targets[t]);
		for (int i = 0; i < 30; i++) {
			auto_free char *r = NULL;
			int64_t began = clk_now_us();

			r = exchange_get(&bed, "/healthz");
			want(str_starts(r, "HTTP/1.1 200 "));
			if (!want(clk_now_us() - began < 8 * CLK_SEC))
				printf("# %zu %d: %lld ms\n", t, i,
				    (long long)(clk_now_us() - began) / 1000);
		}
		for (size_t i = 0; i < nitems(fd); i++)
			close(fd[i]);
		want_fds();
	}
	bed_forget_asked(&bed);
}

/* The same connection after a list. */
static void
test_kept(void)
{
	const struct exchange x = { .method = "GET",
		.target = API "/v6/services?namespace=big" };
	auto_free char *rq = exchange_request(&x, "");
	auto_free char *both = xasprintf("%sGET /healthz HTTP/1.1\r\nHost: x"
					 "\r\nConnection: close\r\n\r\n",
	    rq);
	auto_free char *r = bed_exchange(bed.port, both, strlen(both));

	want(strstr(r, "\r\n0\r\n\r\nHTTP/1.1 200 ") != NULL);
	want(str_ends(r, "\r\n\r\nok\n"));
}

int
main(void)
{
	const struct bed_options o = { .uid = -1 };

	bed_start(&bed, &o);
	set_state("ready"); /* it has begun to serve */
	idle_fds = bed_idle_fds(&bed);
	test_run("lists: workloads, with what git says of them", test_services);
	test_run("lists: what the state of the repository makes of them",
	    test_repository);
	test_run("lists: images, of which only those that run are known",
	    test_images);
	test_run("lists: the export", test_export);
	test_run("lists: what the last sync could not apply", test_sync_errors);
	test_run("lists: who is asked what", test_asked);
	test_run("lists: long ones come whole, and cost nothing", test_big);
	test_run("lists: half of one is not taken for whole", test_half);
	test_run("lists: what would be too long is not begun, or not ended",
	    test_heavy);
	test_run("lists: what is not read is not made", test_unread);
	test_run("lists: who leaves waits no more", test_leaver);
	test_run("lists: slow readers", test_slow_readers);
	test_run("lists: idle connections", test_idle);
	test_run("lists: the connection goes on", test_kept);
	want_int(bed_stop(&bed), 0);
	return test_done();
}
