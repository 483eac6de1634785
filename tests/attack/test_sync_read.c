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
 * fluxd-sync reads what an API server shows that means ill, or that holds what
 * tenants who mean ill have put there: nothing of it spoils a list, comes twice
 * or is held without bound.
 */

enum mode {
	PLAIN,	   /* three pages of four */
	NAMES,	   /* names that no id can have */
	GONE,	   /* the second page: its token is too old, once */
	BROKEN,	   /* … breaks off, once */
	LARGE,	   /* each object has as many labels as an API server takes */
	DEAF,	   /* … and limits do not matter */
	LOOP,	   /* there is always another page, and nothing in it */
	ODD,	   /* one object that is no JSON of ours */
	HUGE,	   /* one that does not end */
	ANNOTATED, /* A57 */
};

#define PAGES 3
#define PER_PAGE 4
#define LARGE_OBJECTS 200
#define ANSWER_US (30 * CLK_SEC)
#define TURNS 6000 /* hundredths of a second, for what must come */
#define HUGE_BYTES (6u << 20)

static atomic_int mode, lists, trouble, largest;
static atomic_int batch; /* versions of batch that there are: 1, and 2 */
static struct bed bed;
static char *kubeconfig;

/* ---- the server ---------------------------------------------------------- */

#define HEAD                                                                   \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"                \
	"Transfer-Encoding: chunked\r\n\r\n"
#define LIST "{\"kind\":\"DeploymentList\",\"items\":["

static bool
say(int fd, const char *text)
{
	return fake_chunk(fd, text, strlen(text));
}

static bool
end_list(int fd, const char *cont)
{
	auto_free char *tail = xasprintf("],\"metadata\":{\"resourceVersion\":"
					 "\"5\",\"continue\":\"%s\"}}",
	    cont);

	return say(fd, tail) && fake_say(fd, "0\r\n\r\n", 5);
}

static bool
say_item(int fd, const char *name, bool first, const char *more)
{
	auto_free char *s = xasprintf("%s{\"metadata\":{\"name\":\"%s\","
				      "\"namespace\":\"s\"%s}}",
	    first ? "" : ",", name, more);

	return say(fd, s);
}

/* How many the client wants, and where it is. */
static int
number_after(const char *path, const char *what, int absent)
{
	const char *at = strstr(path, what);

	return at == NULL ? absent : (int)strtol(at + strlen(what), NULL, 10);
}

static bool
serve_pages(int fd, const char *path)
{
	int page = number_after(path, "continue=", 0);
	char name[32], cont[32] = "";

	if (page == 1 && mode == GONE && trouble++ == 0)
		return fake_answer(fd, 410, "",
		    "{\"kind\":\"Status\",\"reason\":\"Expired\",\"code\":410,"
		    "\"message\":\"The provided continue parameter is too "
		    "old\"}");
	if (!fake_say(fd, HEAD, sizeof(HEAD) - 1) || !say(fd, LIST))
		return false;
	for (int i = 0; i < PER_PAGE; i++) {
		snprintf(name, sizeof(name), "d-%d-%d", page, i);
		if (page == 1 && i == 2 && mode == BROKEN && trouble++ == 0)
			return false;
		if (!say_item(fd, name, i == 0, ""))
			return false;
	}
	if (page + 1 < PAGES)
		snprintf(cont, sizeof(cont), "%d", page + 1);
	return end_list(fd, cont);
}

/* Labels as far as they are valid, some 20 KiB of them. */
static char *
many_labels(void)
{
	struct buf out = BUF_INIT(64 * 1024);

	(void)str_add(&out, ",\"labels\":{");
	for (int i = 0; i < 200; i++)
		(void)str_addf(&out, "%s\"label-%d\":\"%063d\"",
		    i > 0 ? "," : "", i, i);
	(void)str_addc(&out, '}');
	return str_take(&out);
}

static bool
serve_large(int fd, const char *path)
{
	auto_free char *labels = many_labels();
	int limit = number_after(path, "limit=", LARGE_OBJECTS),
	    at = number_after(path, "continue=", 0), n = 0;
	char name[32], cont[32] = "";

	if (limit > largest)
		largest = limit;
	if (!fake_say(fd, HEAD, sizeof(HEAD) - 1) || !say(fd, LIST))
		return false;
	for (; at < LARGE_OBJECTS && (n < limit || mode == DEAF); n++, at++) {
		snprintf(name, sizeof(name), "d-%03d", at);
		if (!say_item(fd, name, n == 0, labels))
			return false;
	}
	if (at < LARGE_OBJECTS)
		snprintf(cont, sizeof(cont), "%d", at);
	return end_list(fd, cont);
}

static bool
serve_names(int fd)
{
	static const char *const names[] = { "a b", "a/b", "", "../x", "%2e",
		"\xc3\xa4", "a\\n", "a\\u0000b", "good" };

	if (!fake_say(fd, HEAD, sizeof(HEAD) - 1) || !say(fd, LIST))
		return false;
	for (size_t i = 0; i < nitems(names); i++)
		if (!say_item(fd, names[i], i == 0, ""))
			return false;
	return say(fd, ",7,[],null,\"x\",{},{\"metadata\":[]}") &&
	    end_list(fd, "");
}

static bool
serve_annotated(int fd)
{
	auto_free char *value = xmalloc((1u << 20) + 1);
	char text[128];
	bool ok;

	memset(value, 'v', 1u << 20);
	value[1u << 20] = '\0';
	ok = fake_say(fd, HEAD, sizeof(HEAD) - 1) && say(fd, LIST) &&
	    say(fd,
		"{\"metadata\":{\"name\":\"good\",\"namespace\":\"s\","
		"\"annotations\":{");
	for (int i = 0; ok && i < 100000; i++) {
		snprintf(text, sizeof(text), "\"a%d\":\"\xd0\xb0\",", i);
		ok = say(fd, text);
	}
	return ok && say(fd, "\"big\":\"") && say(fd, value) &&
	    say(fd, "\"}}}") && end_list(fd, "");
}

static bool
serve_huge(int fd)
{
	char block[16384];
	bool ok = fake_say(fd, HEAD, sizeof(HEAD) - 1) && say(fd, LIST) &&
	    say(fd, "{\"x\":\"");

	memset(block, 'x', sizeof(block));
	for (size_t n = 0; ok && n < HUGE_BYTES; n += sizeof(block))
		ok = fake_chunk(fd, block, sizeof(block));
	return ok && say(fd, "\"}") && end_list(fd, "");
}

static bool
serve_list(int fd, const char *path)
{
	lists++;
	switch ((int)mode) {
	case NAMES:
		return serve_names(fd);
	case LARGE:
	case DEAF:
		return serve_large(fd, path);
	case LOOP:
		return fake_answer(fd, 200, "",
		    "{\"metadata\":{\"continue\":\"again\"},\"items\":[]}");
	case ODD:
		return fake_answer(fd, 200, "",
		    "{\"metadata\":{},\"items\":[{\"metadata\":{\"name\":"
		    "\"odd\",\"namespace\":\"s\"},\"x\":1e999},{\"metadata\":"
		    "{\"name\":\"good\",\"namespace\":\"s\"}}]}");
	case HUGE:
		return serve_huge(fd);
	case ANNOTATED:
		return serve_annotated(fd);
	default:
		return serve_pages(fd, path);
	}
}

/* ---- CronJobs of either version ------------------------------------------ */

static const char *const batch_versions[] = { "v1", "v1beta1" };

#define CRON_SPEC                                                              \
	",\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":{"       \
	"\"containers\":[{\"name\":\"c\",\"image\":\"c:1\"}]}}}}}"

static bool
serve_groups(int fd)
{
	static const char *const versions[] = { "", "{\"version\":\"v1\"}",
		"{\"version\":\"v1beta1\"}",
		"{\"version\":\"v1beta1\"},{\"version\":\"v1\"}" };
	auto_free char *text =
	    xasprintf("{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":"
		      "\"apps\",\"versions\":[{\"version\":\"v1\"}]}%s%s%s]}",
		batch != 0 ? ",{\"name\":\"batch\",\"versions\":[" : "",
		versions[batch], batch != 0 ? "]}" : "");

	return fake_answer(fd, 200, "", text);
}

/* Each object is named after the version that shows it. */
static bool
serve_batch(int fd, const char *path)
{
	for (unsigned i = 0; i < nitems(batch_versions); i++) {
		auto_free char *group =
		    xasprintf("/apis/batch/%s", batch_versions[i]);
		auto_free char *item =
		    xasprintf("{\"metadata\":{\"name\":\"%s\",\"namespace\":"
			      "\"s\"}" CRON_SPEC "}",
			batch_versions[i]);
		auto_free char *all = xasprintf("{\"items\":[%s]}", item);

		const char *rest;

		if ((batch & (1 << i)) == 0 || !str_starts(path, group))
			continue;
		rest = path + strlen(group);
		if (*rest == '\0')
			return fake_answer(fd, 200, "",
			    "{\"resources\":[{\"name\":\"cronjobs\","
			    "\"namespaced\":true,\"kind\":\"CronJob\","
			    "\"verbs\":[\"list\"]}]}");
		if (str_starts(rest, "/cronjobs?"))
			return fake_answer(fd, 200, "", all);
		if (str_starts(rest, "/namespaces/s/cronjobs/"))
			return fake_answer(fd, 200, "", item);
	}
	return fake_answer(fd, 404, "", "404 page not found");
}

static bool
serve_request(int fd, const char *method, const char *path, const char *body)
{
	(void)method;
	(void)body;
	if (strcmp(path, "/api") == 0)
		return fake_answer(fd, 404, "", "404 page not found");
	if (strcmp(path, "/apis") == 0)
		return serve_groups(fd);
	if (str_starts(path, "/apis/batch/"))
		return serve_batch(fd, path);
	if (strcmp(path, "/apis/apps/v1") == 0)
		return fake_answer(fd, 200, "",
		    "{\"resources\":[{\"name\":\"deployments\",\"namespaced\":"
		    "true,\"kind\":\"Deployment\",\"verbs\":[\"list\"]}]}");
	if (strstr(path, "deployments?") != NULL)
		return serve_list(fd, path);
	return fake_answer(fd, 404, "", "404 page not found");
}

/* ---- asking -------------------------------------------------------------- */

struct got {
	uint64_t done;
	char ids[32768]; /* "id id …", as they come */
	unsigned n;
	size_t labels;
	struct fx_err err;
};

static int
on_answer(void *arg, struct ipc_frame *f)
{
	struct got *g = arg;
	struct ipc_workloads_part m;
	int r;

	if (f == NULL || f->type != IPC_T_WORKLOADS_PART) {
		g->done = 1;
		(void)ipc_take_failed(f, &g->err);
		return FX_OK;
	}
	r = ipc_workloads_part_decode(&f->body, &m, &f->fd);
	for (size_t i = 0; r == FX_OK && i < m.workloads_len; i++) {
		size_t at = strlen(g->ids);

		snprintf(g->ids + at, sizeof(g->ids) - at, "%s%s",
		    g->n++ > 0 ? " " : "", m.workloads[i].id);
		g->labels += m.workloads[i].labels_len;
	}
	if (r == FX_OK)
		ipc_workloads_part_clear(&m);
	return r;
}

static uint64_t
ask(struct got *g)
{
	const struct ipc_workloads m = { .ns = (char *)(uintptr_t) "" };

	*g = (struct got){ 0 };
	return ipc_ask_workloads(&bed.peer, &m, on_answer, g);
}

static void
fresh(enum mode m)
{
	mode = m;
	lists = trouble = largest = 0;
	bed_start(&bed, kubeconfig, NULL, NULL, NULL, NULL, NULL);
	want(bed.is_ready);
}

static void
done(void)
{
	bed_stop(&bed);
	want_int(bed.bad_ends, 0);
}

static struct got *
list(void)
{
	static struct got g;

	(void)ask(&g);
	want(bed_wait(&bed, &g.done, 1, ANSWER_US));
	return &g;
}

/* ---- cases --------------------------------------------------------------- */

#define FOUR(p)                                                                \
	"s:deployment/d-" p "-0 s:deployment/d-" p "-1 s:deployment/d-" p      \
	"-2 s:deployment/d-" p "-3"
#define ALL FOUR("0") " " FOUR("1") " " FOUR("2")

static void
test_pages(void)
{
	static const struct {
		enum mode mode;
		int lists;
	} tv[] = {
		{ PLAIN, PAGES },
		{ GONE, PAGES + 2 },   /* from the start once more */
		{ BROKEN, PAGES + 1 }, /* that page once more */
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		const struct got *g;

		fresh(tv[i].mode);
		g = list();
		want_str(g->err.text, "");
		want_str(g->ids, ALL);
		want_int(lists, tv[i].lists);
		done();
	}
}

static void
test_names(void)
{
	const struct got *g;

	fresh(NAMES);
	g = list();
	want_str(g->err.text, "");
	want_str(g->ids, "s:deployment/good");
	/* what is left out is told once, however much it is */
	want_int(bed_logged(&bed, "objects not told of in full"), 1);
	done();
}

static void
test_odd(void)
{
	const struct got *g;

	fresh(ODD);
	g = list();
	want_str(g->err.text, "");
	want_str(g->ids, "s:deployment/good");
	want_int(bed_logged(&bed, "objects not told of in full"), 1);
	done();
	fresh(HUGE);
	g = list();
	want_str(g->err.text, "API server: answer too long");
	want_int(lists, 1);
	done();
}

/* a worker with AddressSanitizer keeps what it frees for a while */
#ifdef FX_TEST_BUILD
#	define MORE_KB (512 * 1024)
#else
#	define MORE_KB (32 * 1024)
#endif

static void
test_large(void)
{
	const struct got *g;

	fresh(LARGE);
	g = list();
	want_str(g->err.text, "");
	want_int(g->n, LARGE_OBJECTS);
	want_int(g->labels, LARGE_OBJECTS * 200);
	/* the first page was too much, and smaller ones were asked for */
	want_int(largest, 100);
	want(lists > 2 && lists < 20);
	done();
	/* who does not listen is not asked for ever */
	fresh(DEAF);
	g = list();
	want_str(g->err.text, "API server: answer too long");
	want(lists < 12);
	printf("# %d lists, %ld kB\n", lists, bed_rss_kb(&bed));
	done();
}

static void
test_loop(void)
{
	struct got g;
	uint64_t seq;
	int had;

	fresh(LOOP);
	seq = ask(&g);
	for (int i = 0; i < TURNS && lists < 3; i++)
		bed_serve(&bed, CLK_SEC / 100);
	want(lists > 2);
	want_int(g.done, 0);
	ipc_cancel(&bed.peer, seq);
	for (int i = 0; i < TURNS && bed.peer.nasks != 0; i++)
		bed_serve(&bed, CLK_SEC / 100);
	want_int(bed.peer.nasks, 0);
	/* one may be on its way; where they go on, they do in each half second
	 */
	had = -1;
	for (int i = 0; i < 20 && lists != had; i++) {
		had = lists;
		bed_serve(&bed, CLK_SEC / 2);
	}
	want_int(lists, had);
	done();
}

/* The newer version where there is one, the older one else: never both. */
static void
test_cronjobs(void)
{
	static const char *const shown[] = { "", "s:cronjob/v1",
		"s:cronjob/v1beta1", "s:cronjob/v1" };
	struct ipc_text id = { (char *)(uintptr_t) "s:cronjob/x" };
	const struct ipc_workloads one = { .ns = (char *)(uintptr_t) "",
		.ids = &id,
		.ids_len = 1 };

	for (int i = 0; i < (int)nitems(shown); i++) {
		struct got g;

		batch = i;
		fresh(NAMES);
		(void)ipc_ask_workloads(&bed.peer, &one, on_answer,
		    memset(&g, 0, sizeof(g)));
		want(bed_wait(&bed, &g.done, 1, ANSWER_US));
		want_str(g.err.text, "");
		want_str(g.ids, shown[i]);
		g = *list();
		want_str(g.err.text, "");
		want(strstr(g.ids, "s:deployment/good") != NULL);
		want(strstr(g.ids, shown[i]) != NULL);
		want_int(g.n, i == 0 ? 1 : 2);
		done();
	}
	batch = 0;
}

static void
test_annotated(void)
{
	const struct got *g;
	long before;

	fresh(PLAIN);
	(void)list();
	before = bed_rss_kb(&bed);
	mode = ANNOTATED;
	g = list();
	want_str(g->err.text, "");
	want_str(g->ids, "s:deployment/good");
	printf("# %ld kB more\n", bed_rss_kb(&bed) - before);
	want(bed_rss_kb(&bed) - before < MORE_KB);
	want_int(bed_logged(&bed, "warning"), 0);
	done();
}

int
main(void)
{
	kubeconfig = fake_start(serve_request);
	test_run("list: a page that is lost is read again, nothing comes twice",
	    test_pages);
	test_run("list: names that make no id are left out", test_names);
	test_run("list: an object that cannot be read spoils no list",
	    test_odd);
	test_run("list: large objects make small pages", test_large);
	test_run("list: pages without end end with whoever asked", test_loop);
	test_run("list: CronJobs of the newest version that is served",
	    test_cronjobs);
	test_run("A57: 100,000 annotations, and one of a megabyte",
	    test_annotated);
	unlink(kubeconfig);
	free(kubeconfig);
	return test_done();
}
