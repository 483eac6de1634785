/* SPDX-License-Identifier: Apache-2.0 */
/* Events that wait for the service of --connect, with fluxd-upstream played by
 * the test. */
#include "base.h"
#include "master_bed.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char dir[] = "/tmp/fluxd-spool.XXXXXX";
static int generation; /* of files */

/* What the far side has got. */
struct got {
	bool done;
	uint64_t number;
	char text[256];
	struct buf json;
};

static int
on_got(void *arg, struct ipc_frame *f)
{
	struct got *g = arg;
	struct ipc_event_chunk part;
	struct ipc_event_is a;
	int r = FX_OK;

	if (f == NULL)
		return FX_OK;
	if (f->type == IPC_T_EVENT_CHUNK) {
		want_int(ipc_event_chunk_decode(&f->body, &part, &f->fd),
		    FX_OK);
		r = buf_put(&g->json, part.json.p, part.json.n);
		ipc_event_chunk_clear(&part);
		return r;
	}
	want_int(ipc_event_is_decode(&f->body, &a, &f->fd), FX_OK);
	g->done = true;
	g->number = a.number;
	snprintf(g->text, sizeof(g->text), "%s", a.text);
	ipc_event_is_clear(&a);
	return FX_OK;
}

static void
ask(struct got *g, uint64_t done, bool refused)
{
	const struct ipc_event_next q = { .done = done, .refused = refused };

	buf_clear(&g->json);
	*g = (struct got){ .json = BUF_INIT(EVENT_JSON_MAX) };
	want(ipc_ask_event_next(&bed_far[IPC_R_UPSTREAM], &q, on_got, g) != 0);
	bed_turn();
}

static bool
has(const struct got *g, const char *json)
{
	bool yes = g->done && buf_left(&g->json) == strlen(json) &&
	    memcmp(buf_head(&g->json), json, strlen(json)) == 0;

	if (!yes)
		printf("# got %d %.*s\n", g->done, (int)buf_left(&g->json),
		    (const char *)buf_head(&g->json));
	return yes;
}

static void
end(struct got *g)
{
	buf_clear(&g->json);
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_FETCH); /* of every start */
	bed_end();
}

static int
file(char which, int flags)
{
	auto_free char *path = xasprintf("%s/%d%c", dir, generation, which);
	int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);

	want(fd != -1);
	return fd;
}

static void
begin(void)
{
	bed_begin("--connect=ws://s", NULL);
}

static void
begin_on_disk(bool anew)
{
	generation += anew;
	bed_spool[0] = file('a', O_CREAT);
	bed_spool[1] = file('b', O_CREAT);
	begin();
	bed_spool[0] = bed_spool[1] = -1;
}

static void
test_order(void)
{
	struct got g = { 0 };

	begin();
	ask(&g, 0, false);
	want(!g.done); /* there is none */
	spool_add(&bed, "Sync: one", "{\"n\":1}");
	bed_turn();
	want(has(&g, "{\"n\":1}"));
	want_str(g.text, "Sync: one");
	spool_add(&bed, "a\tb\nc\x1b[2J", "{\"n\":2}");
	spool_add(&bed, "three", "{\"n\":3}");
	want_int(bed_gauge(METRIC_EVENTS_WAITING, ""), 3);
	ask(&g, g.number, false);
	want(has(&g, "{\"n\":2}"));
	want_str(g.text, "a\\x09b\\x0ac\\x1b[2J");
	ask(&g, g.number, true);
	want(has(&g, "{\"n\":3}"));
	ask(&g, g.number, false);
	want(!g.done);
	want_int(bed_gauge(METRIC_EVENTS_WAITING, ""), 0);
	want_int(bed_gauge(METRIC_EVENTS, "result=\"taken\""), 2);
	want_int(bed_gauge(METRIC_EVENTS, "result=\"refused\""), 1);
	end(&g);
}

/* The longest there is, over the channel, to disk and back. */
static void
test_long(void)
{
	struct got g = { 0 };
	auto_free char *json = xmalloc(EVENT_JSON_MAX + 1);

	for (size_t i = 0; i < EVENT_JSON_MAX; i++)
		json[i] = (char)('!' + i % 90);
	json[EVENT_JSON_MAX] = '\0';
	begin_on_disk(true);
	spool_add(&bed, "long", json);
	ask(&g, 0, false);
	want(has(&g, json));
	end(&g);
	begin_on_disk(false);
	ask(&g, 0, false);
	want(has(&g, json));
	end(&g);
}

/* Whoever had it in his hands may not have sent it. */
static void
test_worker_ends(void)
{
	struct got g = { 0 }, h = { 0 };

	begin();
	ask(&g, 0, false);
	bed_kill(IPC_R_UPSTREAM);
	spool_add(&bed, "one", "{\"n\":1}");
	spool_add(&bed, "two", "{\"n\":2}");
	bed_turn();
	want(!g.done); /* nobody waits any more */
	ask(&g, 0, false);
	want(has(&g, "{\"n\":1}"));
	bed_kill(IPC_R_UPSTREAM);
	ask(&g, 0, false);
	want(has(&g, "{\"n\":1}"));
	/* one question at a time */
	ask(&g, g.number, false);
	ask(&g, g.number, false);
	want(!g.done);
	ask(&h, 0, false);
	want_int(mst_child(&bed, IPC_R_UPSTREAM)->state, CHILD_ENDING);
	buf_clear(&h.json);
	end(&g);
}

static void
test_bounds(void)
{
	struct got g = { 0 };
	char json[32];
	auto_free char *half = xcalloc(1, EVENT_JSON_MAX / 2 + 1);

	begin();
	for (int i = 1; i <= SPOOL_EVENTS_MAX + 2; i++) {
		snprintf(json, sizeof(json), "{\"n\":%d}", i);
		spool_add(&bed, json, json);
	}
	want_log("err=\"too many events wait for the service; the oldest is "
		 "dropped\" event=\"{\\\"n\\\":1}\"\n");
	want_int(bed_gauge(METRIC_EVENTS, "result=\"dropped\""), 2);
	want_int(bed_gauge(METRIC_EVENTS_WAITING, ""), SPOOL_EVENTS_MAX);
	ask(&g, 0, false);
	want(has(&g, "{\"n\":3}"));
	/* bytes are bounded as well; what was handed out may go, too */
	memset(half, 'x', EVENT_JSON_MAX / 2);
	for (int i = 0; i < 20; i++)
		spool_add(&bed, "half", half);
	want(bed.spool.n == 2 * SPOOL_BYTES_MAX / EVENT_JSON_MAX &&
	    bed.spool.bytes <= SPOOL_BYTES_MAX);
	ask(&g, g.number, false);
	want(has(&g, half));
	want_int(bed_gauge(METRIC_EVENTS, "result=\"taken\""), -1);
	end(&g);
}

static void
test_restart(void)
{
	struct got g = { 0 };

	begin_on_disk(true);
	spool_add(&bed, "one", "{\"n\":1}");
	spool_add(&bed, "two", "{\"n\":2}");
	spool_add(&bed, "three", "{\"n\":3}");
	ask(&g, 0, false);
	ask(&g, g.number, false);
	end(&g);
	begin_on_disk(false);
	want_log("info=\"events from before the restart wait\" events=2\n");
	spool_add(&bed, "four", "{\"n\":4}");
	ask(&g, 0, false);
	want(has(&g, "{\"n\":2}"));
	want_str(g.text, "two");
	ask(&g, g.number, false);
	want(has(&g, "{\"n\":3}"));
	ask(&g, g.number, false);
	want(has(&g, "{\"n\":4}"));
	end(&g);
}

/* Cut anywhere, the file holds the events up to there, and takes more. */
static void
test_torn(void)
{
	struct got g = { 0 };
	char bytes[4096];
	ssize_t n;
	int fd, seen = 0;

	begin_on_disk(true);
	spool_add(&bed, "one", "{\"n\":1}");
	spool_add(&bed, "two", "{\"n\":2}");
	ask(&g, 0, false);
	ask(&g, g.number, false);
	end(&g);
	fd = file('a', 0);
	n = pread(fd, bytes, sizeof(bytes), 0);
	close(fd);
	for (ssize_t cut = 0; cut <= n; cut++) {
		generation++;
		fd = file('a', O_CREAT);
		want_int(pwrite(fd, bytes, (size_t)cut, 0), cut);
		close(fd);
		begin_on_disk(false);
		/* none, the first, both, the second */
		if (bed.spool.n != (size_t)(seen == 3 ? 1 : seen))
			seen++;
		want_int(bed.spool.n, seen == 3 ? 1 : seen);
		spool_add(&bed, "new", "{\"n\":9}");
		end(&g);
		begin_on_disk(false);
		want_int(bed.spool.n, (seen == 3 ? 1 : seen) + 1);
		end(&g);
	}
	want_int(seen, 3);
}

/* Taken events take no room: the file is written anew. */
static void
test_rewritten(void)
{
	struct got g = { 0 };
	auto_free char *json = xcalloc(1, 4001);
	struct stat st;
	off_t largest = 0;
	int fd;

	memset(json, 'y', 4000);
	begin_on_disk(true);
	ask(&g, 0, false);
	for (int i = 0; i < 300; i++) {
		spool_add(&bed, "y", json);
		bed_turn();
		want_int(fstat(bed.spool.ledger.fds[0], &st), 0);
		largest = st.st_size > largest ? st.st_size : largest;
		ask(&g, g.number, false);
	}
	want(bed.spool.ledger.generation > 1);
	want(largest < 2 * LEDGER_COMPACT);
	spool_add(&bed, "last", "{}");
	end(&g);
	/* damage is said and mended */
	fd = file(bed.spool.ledger.current == 0 ? 'a' : 'b', 0);
	want_int(pwrite(fd, "\tX\n", 3, bed.spool.ledger.size), 3);
	close(fd);
	begin_on_disk(false);
	want_log("err=\"the event spool is damaged; events in these places "
		 "are lost\" places=1\n");
	want_int(bed.spool.n, 1);
	end(&g);
	begin_on_disk(false);
	want_no_log("damaged");
	end(&g);
}

/* The event is sent all the same. */
static void
test_full(void)
{
	struct rlimit l = { 1, RLIM_INFINITY };
	struct got g = { 0 };

	(void)signal(SIGXFSZ, SIG_IGN);
	begin_on_disk(true);
	want_int(setrlimit(RLIMIT_FSIZE, &l), 0);
	spool_add(&bed, "one", "{\"n\":1}");
	want_log("component=upstream err=\"event spool: File too large\"\n");
	l.rlim_cur = RLIM_INFINITY;
	want_int(setrlimit(RLIMIT_FSIZE, &l), 0);
	spool_add(&bed, "two", "{\"n\":2}");
	ask(&g, 0, false);
	want(has(&g, "{\"n\":1}"));
	end(&g);
	begin_on_disk(false);
	ask(&g, 0, false);
	want(has(&g, "{\"n\":2}"));
	end(&g);
}

int
main(void)
{
	auto_free char *remove = NULL;

	if (mkdtemp(dir) == NULL)
		return 1;
	test_run("spool: one after the other, and counted", test_order);
	test_run("spool: the longest event", test_long);
	test_run("spool: a worker that ends has sent nothing",
	    test_worker_ends);
	test_run("spool: beyond its bounds the oldest goes", test_bounds);
	test_run("spool: what waits survives a restart", test_restart);
	test_run("spool: a file cut anywhere", test_torn);
	test_run("spool: does not grow", test_rewritten);
	test_run("spool: the disk is full", test_full);
	remove = xasprintf("rm -r '%s'", dir);
	(void)!system(remove);
	return test_done();
}
