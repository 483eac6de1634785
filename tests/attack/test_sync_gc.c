/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "fake_http.h"
#include "str.h"
#include "sync_bed.h"
#include "test.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/*
 * Garbage collection against an API server that means ill, or is only half
 * there.  What must hold: nothing goes that was not seen as it is, and whatever
 * cannot be known is kept.
 *
 * There is one ConfigMap that is ours and not in git, "s/stray", and kinds
 * beside it that misbehave when asked for.
 */

enum list_mode {
	LIST_WELL,
	LIST_DOWN, /* 503, without end */
	LIST_HANG, /* no answer */
	LIST_HUGE, /* names and annotations as long as they may be, and longer
		    */
	LIST_CUT,  /* half of a list */
	LIST_MANY, /* a hundred thousand objects of somebody else */
};

static atomic_int list_mode, deletes, lists, gets, pages;
static atomic_int conflicts; /* DELETE: how often to say 409 first */
static atomic_bool denied;   /* ConfigMaps may not be listed any more */
static atomic_int kinds;     /* more kinds, called x0, x1 ... */
static _Atomic(const char *) annotations; /* of the stray, as GET shows it */
static char last_delete[4096];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define MANY 100000
#define FORBIDDEN                                                              \
	"{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no\","    \
	"\"code\":403}"

static struct bed bed;
static char *kubeconfig, *mark;

/* ---- the server --------------------------------------------------------- */

static char *
stray_text(const char *more)
{
	return xasprintf("{\"kind\":\"PartialObjectMetadata\",\"metadata\":{"
			 "\"name\":\"stray\",\"namespace\":\"s\",\"uid\":\"u1\""
			 ",\"resourceVersion\":\"7\",\"labels\":{"
			 "\"fluxcd.io/sync-gc-mark\":\"%s\"}%s}}",
	    mark, more);
}

static bool
serve_delete(int fd, const char *path, const char *body)
{
	auto_free char *text = NULL;

	deletes++;
	pthread_mutex_lock(&lock);
	snprintf(last_delete, sizeof(last_delete), "%s %s", path, body);
	pthread_mutex_unlock(&lock);
	if (conflicts > 0) {
		conflicts--;
		return fake_answer(fd, 409, "",
		    "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":"
		    "\"the UID in the precondition\",\"code\":409}");
	}
	return fake_answer(fd, 200, "",
	    "{\"kind\":\"Status\",\"status\":\"Success\"}");
}

#define CROWD 100000

/* One with very many annotations, and a name and keys that look like others. */
static char *
crowded(void)
{
	struct buf b = BUF_INIT(4u << 20);

	(void)str_addf(&b,
	    "{\"metadata\":{\"name\":\"\xd1\x95"
	    "tray\",\"namespace\":\"s\","
	    "\"labels\":{\"fluxcd.io/sync-gc-mark\":\"%s\"},"
	    "\"annotations\":{\"flu\xd1\x85"
	    "cd.io/ignore\":\"false\"",
	    mark);
	for (int i = 0; i < CROWD; i++)
		(void)str_addf(&b, ",\"fluxcd.io/ignore.%d\":\"x\"", i);
	(void)str_add(&b, "}}},");
	return str_take(&b);
}

/* Objects that are not ours, and one too long to be looked at. */
static bool
serve_huge(int fd)
{
	auto_free char *crowd = crowded();
	auto_free char *long_text = xcalloc(1, 1 << 20);
	auto_free char *item = NULL;

	memset(long_text, 'x', (1 << 20) - 1);
	item = xasprintf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"s\","
			 "\"labels\":{\"fluxcd.io/sync-gc-mark\":\"%s\"},"
			 "\"annotations\":{\"a\":\"%s\"}}},",
	    long_text, mark, long_text);
	if (!fake_chunk(fd, "{\"items\":[", 10) ||
	    !fake_chunk(fd, crowd, strlen(crowd)))
		return false;
	for (int i = 0; i < 20; i++)
		if (!fake_chunk(fd, item, strlen(item)))
			return false;
	/* four MiB is what an element may have */
	if (!fake_chunk(fd, "{\"a\":\"", 6))
		return false;
	for (int i = 0; i < 5; i++)
		if (!fake_chunk(fd, long_text, strlen(long_text)))
			return false;
	return fake_chunk(fd, "]}", 2) && fake_say(fd, "0\r\n\r\n", 5);
}

/* Marked by somebody else's fluxd, from number `from` on. */
static bool
serve_others(int fd, int from, int n, const char *cont)
{
	auto_free char *end =
	    xasprintf("{}],\"metadata\":{\"resourceVersion\":\"9\","
		      "\"continue\":\"%s\"}}",
		cont);

	if (!fake_chunk(fd, "{\"items\":[", 10))
		return false;
	for (int i = from; i < from + n; i += 100) {
		struct buf b = BUF_INIT(1u << 20);
		auto_free char *text = NULL;

		for (int j = i; j < i + 100; j++)
			(void)str_addf(&b,
			    "{\"metadata\":{\"name\":\"other-%d\","
			    "\"namespace\":\"t\",\"uid\":\"%d\",\"labels\":{"
			    "\"fluxcd.io/sync-gc-mark\":\"sha256.%d\"},"
			    "\"managedFields\":[{\"manager\":\"m\","
			    "\"fieldsV1\":{\"f:data\":{\"f:a\":{}}}}]}},",
			    j, j, j);
		text = str_take(&b);
		if (!fake_chunk(fd, text, strlen(text)))
			return false;
	}
	return fake_chunk(fd, end, strlen(end)) && fake_say(fd, "0\r\n\r\n", 5);
}

static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: "
			   "application/json\r\n"
			   "Transfer-Encoding: chunked\r\n\r\n";

static bool
serve_odd(int fd)
{
	if (list_mode == LIST_DOWN)
		return fake_answer(fd, 503, "", "{}");
	if (list_mode == LIST_WELL)
		return fake_answer(fd, 200, "", "{\"items\":[]}");
	if (list_mode == LIST_HANG) {
		fake_hold(fd);
		return false;
	}
	if (!fake_say(fd, head, sizeof(head) - 1))
		return false;
	if (list_mode == LIST_HUGE)
		return serve_huge(fd);
	if (list_mode == LIST_MANY)
		return serve_others(fd, 0, MANY, "");
	(void)fake_chunk(fd, "{\"items\":[{\"metadata\":{\"na", 25);
	return false;
}

static bool
serve_kinds(int fd)
{
	struct buf b = BUF_INIT(16u << 20);
	auto_free char *text = NULL;
	bool ok;

	(void)str_add(&b,
	    "{\"resources\":[{\"name\":\"configmaps\",\"namespaced\":true,"
	    "\"kind\":\"ConfigMap\",\"verbs\":[\"list\",\"watch\"]},{\"name\":"
	    "\"odds\",\"namespaced\":true,\"kind\":\"Odd\",\"verbs\":["
	    "\"list\"]},{\"name\":\"../secrets\",\"namespaced\":true,"
	    "\"kind\":\"Evil\",\"verbs\":[\"list\"]},{\"name\":\"x?y\","
	    "\"namespaced\":true,\"kind\":\"Query\",\"verbs\":[\"list\"]}");
	for (int i = 0; i < kinds; i++)
		(void)str_addf(&b,
		    ",{\"name\":\"x%d\",\"namespaced\":true,\"kind\":\"X%d\","
		    "\"verbs\":[\"list\"]}",
		    i, i);
	(void)str_add(&b, "]}");
	text = str_take(&b);
	ok = fake_answer(fd, 200, "", text);
	return ok;
}

/* A list of everybody's, in pages. */
static bool
serve_page(int fd, const char *query)
{
	const char *cont = strstr(query, "continue=");
	int limit = (int)strtol(query + strlen("?limit="), NULL, 10);
	int from = cont != NULL
	    ? (int)strtol(cont + strlen("continue="), NULL, 10)
	    : 0;
	char next[32];

	pages++;
	snprintf(next, sizeof(next), "%d", from + limit);
	return fake_say(fd, head, sizeof(head) - 1) &&
	    serve_others(fd, from, limit, from + limit < MANY ? next : "");
}

/* Until ConfigMaps are denied; what comes before that is the client's end. */
static bool
serve_watch(int fd)
{
	static const char gone[] =
	    "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n";
	struct pollfd p = { fd, POLLIN, 0 };

	(void)fake_say(fd, head, sizeof(head) - 1);
	while (!denied && poll(&p, 1, 10) == 0)
		;
	(void)fake_chunk(fd, gone, sizeof(gone) - 1);
	return false;
}

static bool
serve_configmaps(int fd, const char *path)
{
	auto_free char *item = NULL, *text = NULL;
	const char *page;

	if (strstr(path, "watch=true") != NULL)
		return serve_watch(fd);
	if (strchr(path, '?') == NULL) {
		gets++;
		item = stray_text(annotations);
		return fake_answer(fd, 200, "", item);
	}
	lists++;
	if (denied)
		return fake_answer(fd, 403, "", FORBIDDEN);
	if ((page = strstr(path, "?limit=")) != NULL)
		return serve_page(fd, page);
	item = stray_text("");
	text = xasprintf(
	    "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[%s]}", item);
	return fake_answer(fd, 200, "", text);
}

static bool
serve(int fd, const char *method, const char *path, const char *body)
{
	if (strcmp(method, "DELETE") == 0)
		return serve_delete(fd, path, body);
	if (strcmp(method, "PATCH") == 0)
		return fake_answer(fd, 403, "", FORBIDDEN);
	if (strcmp(path, "/api") == 0)
		return fake_answer(fd, 200, "", "{\"versions\":[\"v1\"]}");
	if (strcmp(path, "/apis") == 0)
		return fake_answer(fd, 200, "",
		    "{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":"
		    "\"down.io\",\"versions\":[{\"version\":\"v1\"}]},{"
		    "\"name\":\"custom.metrics.k8s.io\",\"versions\":[{"
		    "\"version\":\"v1\"}]}]}");
	if (strcmp(path, "/api/v1") == 0)
		return serve_kinds(fd);
	if (strstr(path, "/configmaps") != NULL)
		return serve_configmaps(fd, path);
	if (str_starts(path, "/api/v1/odds?"))
		return serve_odd(fd);
	if (str_starts(path, "/api/v1/x")) {
		lists++;
		return fake_answer(fd, 200, "", "{\"items\":[]}");
	}
	return fake_answer(fd, 404, "", "404 page not found");
}

/* ---- cases -------------------------------------------------------------- */

static void
fresh(enum list_mode mode)
{
	list_mode = mode;
	deletes = lists = gets = pages = conflicts = kinds = 0;
	annotations = "";
	denied = false;
	bed_start(&bed, kubeconfig, NULL, NULL, NULL, "sync-garbage-collection",
	    "true");
	want(bed.is_ready);
}

static void
done(void)
{
	bed_stop(&bed);
	want_int(bed.bad_ends, 0);
}

/* A server that lies or is down in one place costs only what is there. */
static void
test_lists(void)
{
	static const struct {
		enum list_mode mode;
		bool told; /* at once, that it cannot be listed */
	} tv[] = {
		{ LIST_WELL, false },
		{ LIST_CUT, true },
		{ LIST_HUGE, true },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct bed_result r;

		fresh(tv[i].mode);
		r = bed_apply(&bed);
		want_str(r.err.text, "");
		want_int(r.applied.deleted, 1);
		want_int(deletes, 1);
		/* that object as it was seen, and in the background */
		want_str(last_delete,
		    "/api/v1/namespaces/s/configmaps/stray "
		    "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\","
		    "\"propagationPolicy\":\"Background\",\"preconditions\":"
		    "{\"uid\":\"u1\",\"resourceVersion\":\"7\"}}");
		/* the group that is down, but not the one that is excluded */
		want_int(bed_logged(&bed, "down.io/v1/*"), 1);
		want_int(bed_logged(&bed, "custom.metrics"), 0);
		want_int(bed_logged(&bed, "v1/Odd"), tv[i].told);
		done();
	}
}

/* Nor does it hold up the pass: what is late is kept. */
#define SLOW_US CLK_MIN		     /* a pass may take that long */
#define LIST_LIMIT_US (10 * CLK_SEC) /* for a list of strangers */

static void
test_slow(void)
{
	static const enum list_mode modes[] = { LIST_DOWN, LIST_HANG };

	for (size_t i = 0; i < nitems(modes); i++) {
		int64_t began = clk_now_us();
		struct bed_result r;

		bed_set(&bed, "sync-timeout", "60s");
		fresh(modes[i]);
		bed.nsettings = 0;
		r = bed_apply(&bed);
		want_str(r.err.text, "");
		want_int(r.applied.deleted, 1);
		want(clk_now_us() - began < SLOW_US / 2);
		/* the next one waits no more */
		began = clk_now_us();
		r = bed_apply(&bed);
		want_str(r.err.text, "");
		want(clk_now_us() - began < LIST_LIMIT_US);
		done();
	}
}

/* Precondition refused: look again, decide anew, and not for ever. */
static void
test_conflict(void)
{
	struct bed_result r;

	fresh(LIST_WELL);
	conflicts = 2;
	r = bed_apply(&bed);
	want_str(r.errors, "");
	want_int(r.applied.deleted, 1);
	want_int(deletes, 3);
	want_int(gets, 2);
	done();

	fresh(LIST_WELL);
	conflicts = 1;
	annotations = ",\"annotations\":{\"fluxcd.io/ignore\":\"true\"}";
	r = bed_apply(&bed);
	want_str(r.errors, "");
	want_int(r.applied.deleted, 0);
	want_int(deletes, 1);
	want_int(bed_logged(&bed, "resource has ignore policy true"), 1);
	done();

	fresh(LIST_WELL);
	conflicts = 1000;
	r = bed_apply(&bed);
	want_int(r.applied.deleted, 0);
	want_int(r.applied.errors, 1);
	want(strstr(r.errors, "s:configmap/stray: it was not deleted") != NULL);
	want_int(deletes, 4);
	done();
}

/* What is known of an object counts only as long as it is kept true. */
static void
test_lost(void)
{
	struct bed_result r;

	fresh(LIST_WELL);
	conflicts = 1000;
	(void)bed_apply(&bed);
	want_int(deletes, 4);
	denied = true;
	for (int i = 0; i < 1200 && lists < 3; i++)
		bed_serve(&bed, 50 * CLK_MS);
	conflicts = 0;
	r = bed_apply(&bed);
	want_str(r.err.text, "");
	want_int(r.applied.deleted, 0);
	want_int(deletes, 4);
	want_int(bed_logged(&bed, "v1/ConfigMap"), 1);
	done();
}

/* 10,000 kinds are listed once, few at a time; those that could lead out of
 * their place in a URL never were in the catalog. */
static void
test_kinds(void)
{
	struct bed_result r;

	fresh(LIST_WELL);
	kinds = 10000;
	r = bed_apply(&bed);
	want_str(r.err.text, "");
	want_int(r.applied.deleted, 1);
	for (int i = 0; i < 1200 && lists < 10000; i++)
		bed_serve(&bed, 100 * CLK_MS);
	r = bed_apply(&bed);
	want(lists >= 10000 && lists <= 10010);
	lists = 0;
	r = bed_apply(&bed);
	want_str(r.err.text, "");
	want(lists <= 1);
	done();
}

/* a worker with AddressSanitizer keeps what it frees for a while */
#ifdef FX_TEST_BUILD
#	define MORE_KB (512 * 1024)
#else
#	define MORE_KB (6 * 1024)
#endif

/* What is not ours costs time, once, and no memory: neither the marked objects
 * of another fluxd, nor everybody's where git has new ones of a kind. */
static void
test_others(void)
{
	struct bed_result r;
	char name[16];
	long before;

	fresh(LIST_MANY);
	before = bed_rss_kb(&bed);
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "new-%d", i);
		bed_add(&bed, "v1", "ConfigMap", "s", name, "");
	}
	bed_commit(&bed);
	r = bed_apply(&bed);
	want_str(r.err.text, "");
	want_int(r.applied.errors, 8);
	want_int(r.applied.deleted, 1);
	want_int(pages, MANY / 1000);
	printf("# %ld kB before, %ld kB after\n", before, bed_rss_kb(&bed));
	want(bed_rss_kb(&bed) - before < MORE_KB);
	done();
}

int
main(void)
{
	if (getenv("FX_BUILDDIR") == NULL) {
		printf("1..0 # SKIP FX_BUILDDIR is not set\n");
		return 0;
	}
	mark = bed_mark(&bed, "s", "ConfigMap", "stray");
	kubeconfig = fake_start(serve);
	test_run("gc: what cannot be listed is kept, all else goes [A57, A58]",
	    test_lists);
	test_run("gc: a list that does not come holds up nothing [A58]",
	    test_slow);
	test_run("gc: an object that changes is looked at again [A60]",
	    test_conflict);
	test_run("gc: what can be listed no more is kept", test_lost);
	test_run("gc: ten thousand kinds [A58, A61]", test_kinds);
	test_run("gc: a hundred thousand objects of others", test_others);
	unlink(kubeconfig);
	free(kubeconfig);
	free(mark);
	bed_free_set(&bed);
	return test_done();
}
