/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "fake_http.h"
#include "str.h"
#include "sync_bed.h"
#include "test.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/*
 * fluxd-sync against an API server that means ill: watches that never bring
 * anything, lie, break off or do not end; answers that are not what was asked.
 * What is measured is work done and memory held, not time.
 */

enum mode {
	QUIET,	   /* watches stay open and say nothing */
	BOOKMARKS, /* … and say a great many times that nothing happened */
	GONE,	   /* too old, each time */
	ENDLESS,   /* one event that never ends */
	HALF,	   /* half an event, and the end */
	GARBAGE,   /* no JSON */
	BRIEF,	   /* the end at once */
	LIES,	   /* events of objects nobody asked for, of wrong types */
	MODES
};

static atomic_int mode, lists, watches, patches;
/* PATCH: how many times to say this before it is done */
static atomic_int refusals, refusal_code;
static atomic_int odd_answer; /* PATCH: 200 with something else */
static atomic_int storm;      /* kubectl's entry is there; each patch of it
				 comes too late */
static atomic_int takeovers, gets;
static atomic_llong first_refusal_us;
static atomic_int hasty; /* PATCHes soon after a 429 */
static struct bed bed;
static char *mark; /* of the one object */

/* ---- the server --------------------------------------------------------- */

#define META                                                                   \
	"\"metadata\":{\"name\":\"one\",\"namespace\":\"s\",\"uid\":\"u\","    \
	"\"resourceVersion\":\"5\",\"labels\":{\"fluxcd.io/sync-gc-mark\":"    \
	"\"%s\"},\"annotations\":{\"fluxcd.io/sync-checksum\":"                \
	"\"%040x\"},\"managedFields\":[{\"manager\":\"fluxd\",\"operation\":"  \
	"\"Apply\",\"fieldsV1\":{\"f:metadata\":{},\"f:data\":{}}}%s]}"

#define KUBECTL_ENTRY                                                          \
	",{\"manager\":\"kubectl-client-side-apply\",\"operation\":"           \
	"\"Update\",\"fieldsV1\":{\"f:data\":{\"f:a\":{}}}}"

static char *
object_text(unsigned version)
{
	return xasprintf("{" META "}", mark, 0x1000u + version,
	    storm ? KUBECTL_ENTRY : "");
}

static bool
bookmarks(int fd)
{
	static const char event[] =
	    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{"
	    "\"resourceVersion\":\"6\"}}}\n";

	for (int i = 0; i < 20000; i++)
		if (!fake_chunk(fd, event, sizeof(event) - 1))
			return false;
	fake_hold(fd);
	return false;
}

static bool
endless(int fd)
{
	static const char begin[] = "{\"type\":\"MODIFIED\",\"object\":\"";
	char block[16384];

	memset(block, 'x', sizeof(block));
	if (!fake_chunk(fd, begin, sizeof(begin) - 1))
		return false;
	while (fake_chunk(fd, block, sizeof(block)))
		;
	return false;
}

static bool
one_event(int fd, const char *text, bool end)
{
	(void)fake_chunk(fd, text, strlen(text));
	if (end)
		(void)fake_say(fd, "0\r\n\r\n", 5);
	return end;
}

static bool
serve_watch(int fd, const char *path)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: "
				   "application/json\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";

	if (!fake_say(fd, head, sizeof(head) - 1))
		return false;
	if (strstr(path, "configmaps") == NULL || mode == QUIET) {
		fake_hold(fd);
		return false;
	}
	watches++;
	switch ((int)mode) {
	case BOOKMARKS:
		return bookmarks(fd);
	case GONE:
		return one_event(fd,
		    "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n", true);
	case ENDLESS:
		return endless(fd);
	case HALF:
		return one_event(fd, "{\"type\":\"MODIFI", false);
	case GARBAGE:
		return one_event(fd, "]]]\n", true);
	case LIES:
		(void)one_event(fd,
		    "{\"type\":7,\"object\":[]}\n{}\n[]\n{\"type\":\"ADDED\","
		    "\"object\":{\"metadata\":{\"name\":1,\"namespace\":{},"
		    "\"resourceVersion\":[],\"managedFields\":7}}}\n"
		    "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":"
		    "\"other\",\"namespace\":\"s\"}}}\n",
		    false);
		fake_hold(fd);
		return false;
	default:
		return one_event(fd, "", true);
	}
}

/* The server wants to be left alone for a second: is it? */
static void
look_at_clock(void)
{
	int64_t now = clk_now_us();

	if (first_refusal_us == 0 && refusals > 0 && refusal_code == 429)
		first_refusal_us = now;
	else if (first_refusal_us != 0 && now - first_refusal_us < CLK_SEC)
		hasty++;
}

static bool
serve_patch(int fd, const char *path)
{
	auto_free char *text = object_text(bed.res[0].version);

	if (strstr(path, "force=true") == NULL) {
		takeovers++;
		return fake_answer(fd, 409, "", "{\"kind\":\"Status\"}");
	}
	patches++;
	look_at_clock();
	if (refusals > 0) {
		refusals--;
		return fake_answer(fd, refusal_code,
		    refusal_code == 429 ? "Retry-After: 1\r\n" : "", "{}");
	}
	if (odd_answer == 1)
		return fake_answer(fd, 200, "", "[1,2");
	if (odd_answer == 2)
		return fake_answer(fd, 200, "", "{\"kind\":\"Other\"}");
	return fake_answer(fd, 200, "", text);
}

static bool
serve_list(int fd)
{
	auto_free char *item = object_text(bed.res[0].version);
	auto_free char *text =
	    xasprintf("{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":"
		      "[%s]}",
		item);

	lists++;
	return fake_answer(fd, 200, "", text);
}

static bool
serve_request(int fd, const char *method, const char *path, const char *body)
{
	(void)body;
	if (strcmp(method, "PATCH") == 0)
		return serve_patch(fd, path);
	if (strstr(path, "watch=true") != NULL)
		return serve_watch(fd, path);
	if (strcmp(path, "/api") == 0)
		return fake_answer(fd, 200, "", "{\"versions\":[\"v1\"]}");
	if (strcmp(path, "/apis") == 0)
		return fake_answer(fd, 200, "",
		    "{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":"
		    "\"down.io\",\"versions\":[{\"version\":\"v1\"}]}]}");
	if (strcmp(path, "/api/v1") == 0)
		return fake_answer(fd, 200, "",
		    "{\"resources\":[{\"name\":\"configmaps\",\"namespaced\":"
		    "true,\"kind\":\"ConfigMap\",\"verbs\":[\"list\","
		    "\"watch\"]}]}");
	if (strstr(path, "configmaps/one") != NULL) {
		auto_free char *text = object_text(bed.res[0].version);

		gets++;
		return fake_answer(fd, 200, "", text);
	}
	if (strstr(path, "configmaps?") != NULL)
		return serve_list(fd);
	return fake_answer(fd, 404, "", "404 page not found");
}

/* ---- cases ----------------------------------------------------------------
 */

static char *kubeconfig;

static void
fresh(enum mode m)
{
	mode = m;
	lists = watches = patches = refusals = odd_answer = 0;
	bed_start(&bed, kubeconfig, NULL, NULL, NULL, NULL, NULL);
	want(bed.is_ready);
}

static void
done(void)
{
	bed_stop(&bed);
	want_int(bed.bad_ends, 0);
}

#define SPAN_US (3 * CLK_SEC)

/* a worker with AddressSanitizer keeps what it frees for a while */
#ifdef FX_TEST_BUILD
#	define MORE_KB (512 * 1024)
#else
#	define MORE_KB (16 * 1024)
#endif

static void
test_watch(void)
{
	static const struct {
		const char *what;
		enum mode mode;
		int lists, watches;
	} tv[] = {
		{ "quiet", QUIET, 1, 0 },
		{ "bookmarks only", BOOKMARKS, 1, 1 },
		/* begun anew once at once, and then not sooner than in 30 s */
		{ "410 each time", GONE, 2, 2 },
		{ "an event without end", ENDLESS, 2, 2 },
		{ "no JSON", GARBAGE, 2, 2 },
		/* the pauses grow: 0.1 s, 0.2 s, 0.4 s, … half of them at
		 * least */
		{ "half an event", HALF, 1, 8 },
		{ "nothing", BRIEF, 1, 8 },
		{ "lies", LIES, 1, 1 },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct bed_result r;
		long before;

		fresh(tv[i].mode);
		r = bed_apply(&bed);
		want_str(r.err.text, "");
		want_int(r.applied.unchanged, 1);
		before = bed_rss_kb(&bed);
		bed_serve(&bed, SPAN_US);
		printf("# %s: %d lists, %d watches, %ld kB more\n", tv[i].what,
		    lists, watches, bed_rss_kb(&bed) - before);
		want(lists <= tv[i].lists);
		want(watches <= tv[i].watches);
		want(bed_rss_kb(&bed) - before < MORE_KB);
		want(!bed.closed);
		want_int(bed.drift, 0);
		r = bed_apply(&bed);
		want_int(r.applied.unchanged, 1);
		want_int(patches, 0);
		done();
	}
}

static void
change(void)
{
	bed.res[0].version++;
	bed_commit(&bed);
}

static void
test_refusals(void)
{
	static const struct {
		int code, times, patches;
		bool ok;
	} tv[] = {
		{ 429, 1, 2, true },
		{ 503, 3, 4, true },
		{ 409, 2, 3, true },
		/* credentials are asked for once more, and once only */
		{ 401, 1, 2, true },
		{ 401, 99, 2, false },
		{ 403, 99, 1, false },
		{ 422, 99, 1, false },
		{ 308, 99, 1, false },
	};

	fresh(QUIET);
	(void)bed_apply(&bed);
	for (size_t i = 0; i < nitems(tv); i++) {
		struct bed_result r;

		patches = 0;
		refusals = tv[i].times;
		refusal_code = tv[i].code;
		change();
		r = bed_apply(&bed);
		if (!want_int(r.err.code == FX_OK && r.nerrors == 0,
			tv[i].ok) ||
		    !want_int(patches, tv[i].patches))
			printf("# %d: %s %s\n", tv[i].code, r.err.text,
			    r.errors);
		refusals = 0;
		r = bed_apply(&bed);
		want_int(r.applied.errors, 0);
	}
	done();
}

/* Success with other content: not believed, and asked for again. */
static void
test_odd(void)
{
	struct bed_result r;

	fresh(QUIET);
	(void)bed_apply(&bed);
	odd_answer = 1;
	change();
	r = bed_apply(&bed);
	want_int(r.applied.errors, 1);
	want(strstr(r.errors, "not JSON") != NULL);
	odd_answer = 2;
	r = bed_apply(&bed);
	want_int(r.applied.errors, 1);
	want(patches <= 2);
	/* the same once more has to wait by now; something else has not */
	odd_answer = 0;
	r = bed_apply(&bed);
	want_int(r.applied.errors, 1);
	want(patches <= 2);
	change();
	r = bed_apply(&bed);
	want_int(r.applied.errors, 0);
	want_int(r.applied.patched, 1);
	done();
}

/* A thousand 429s: nobody hurries, and the work is done in the end. */
static void
test_left_alone(void)
{
	char name[16];
	struct bed_result r;

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "many-%d", i);
		bed_add(&bed, "v1", "ConfigMap", "s", name, "");
	}
	bed_commit(&bed);
	fresh(QUIET);
	refusals = 64;
	refusal_code = 429;
	first_refusal_us = hasty = patches = 0;
	r = bed_apply(&bed);
	printf("# %d PATCHes, %d of them in the second after the first 429\n",
	    patches, hasty);
	want_int(r.err.code, FX_OK);
	/* those that had been handed to libcurl, one after the other */
	want(hasty < 64);
	want(patches >= 300 + 64);
	first_refusal_us = 0;
	for (size_t i = 1; i < bed.nres; i++)
		bed.res[i].gone = true;
	bed_commit(&bed);
	done();
}

/* Each patch of the ownership comes too late: it is given up after a few, and
 * the object applied all the same. */
static void
test_storm(void)
{
	struct bed_result r;

	storm = 1;
	fresh(QUIET);
	patches = takeovers = gets = 0;
	r = bed_apply(&bed);
	want_int(r.err.code, FX_OK);
	want_int(r.applied.errors, 0);
	want_int(patches, 1);
	want_int(takeovers, 6);
	want_int(gets, 5);
	/* the next pass tries again, with as much patience */
	r = bed_apply(&bed);
	want_int(takeovers, 12);
	want_int(patches, 2);
	storm = 0;
	done();
}

static void
test_group_down(void)
{
	char why[512];

	fresh(QUIET);
	want_int(bed_scope(&bed, "v1", "ConfigMap", why, sizeof(why)),
	    IPC_SCOPE_NAMESPACED);
	want_int(bed_scope(&bed, "down.io/v1", "X", why, sizeof(why)),
	    IPC_SCOPE_UNKNOWN);
	want(strstr(why, "404 page not found") != NULL);
	done();
}

int
main(void)
{
	if (getenv("FX_BUILDDIR") == NULL) {
		printf("1..0 # SKIP FX_BUILDDIR is not set\n");
		return 0;
	}
	bed_add(&bed, "v1", "ConfigMap", "s", "one", ",\"data\":{\"a\":\"1\"}");
	mark = bed_mark(&bed, "s", "ConfigMap", "one");
	kubeconfig = fake_start(serve_request);
	test_run("a watch that means ill costs neither requests nor memory "
		 "[A59]",
	    test_watch);
	test_run("a refused request is repeated where it may be, and stops",
	    test_refusals);
	test_run("success with something else is not believed [A60]", test_odd);
	test_run("a server that wants to be left alone is", test_left_alone);
	test_run("a storm of conflicts ends after a few [A60]", test_storm);
	test_run("one group that is down takes no other with it [A58]",
	    test_group_down);
	unlink(kubeconfig);
	free(kubeconfig);
	free(mark);
	bed_free_set(&bed);
	return test_done();
}
