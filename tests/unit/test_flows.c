/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "master_steps.h"

/* The master's flows: what is asked of whom, in which order, and what follows
 * from each answer. */

#define D "dddddddddddddddddddddddddddddddddddddddd"
#define TRUE_ "success=\"true\""
#define FALSE_ "success=\"false\""

static void
load(const char *commit, const char *changed)
{
	static uint64_t set;
	struct bed_ask ask = take_load(commit);
	struct ipc_text id = { str(changed) };

	if (changed != NULL)
		BED_PART(ask, load_changed, .ids = &id, .ids_len = 1);
	BED_ANSWER(ask, loaded, .set = ++set, .resources = 9);
}

static void
apply(uint64_t patched, uint64_t errors)
{
	BED_ANSWER(bed_take(IPC_R_SYNC, IPC_T_APPLY), applied, .resources = 9,
	    .patched = patched, .errors = errors);
}

static void
commits(const char *from, const char *letters)
{
	give_commits(take_commits(from, NULL), letters);
}

static void
no_events(const char *from)
{
	struct bed_ask ask = bed_take(IPC_R_MANIFEST, IPC_T_EVENTS);
	struct ipc_events m;

	if (ask.req.type != 0 && want(BED_READ(ask, events, &m))) {
		want_str(m.from, from);
		ipc_events_clear(&m);
	}
	BED_ANSWER(ask, events_end, .includes = IPC_INCLUDES_OTHER);
}

static void
tag(void)
{
	BED_ANSWER(bed_take(IPC_R_GIT_LOCAL, IPC_T_TAG), tagged, .oid = str(D));
}

static void
push(void)
{
	BED_ANSWER(bed_take(IPC_R_GIT_REMOTE, IPC_T_PUSH), pushed, 0);
}

/* A daemon that has synced A and rests. */
static void
begin_synced(void)
{
	bed_begin(NULL);
	bed_fetched(A, A);
	load(A, NULL);
	apply(0, 0);
	bed_forget();
}

static bool
is_resting(void)
{
	bed_turn();
	return bed.sync.phase == SYNC_IDLE && bed_nasks == 0;
}

/* However many notifications come, there is a fetch a second. */
static void
test_notified(void)
{
	begin_synced();
	for (int i = 0; i < 100; i++)
		mirror_notify(&bed);
	bed_fetched(A, A);
	want(is_resting());
	bed_pass(CLK_SEC - 1);
	want(is_resting());
	bed_pass(1);
	bed_fetched(A, A);
	want(is_resting());
	bed_pass(10 * CLK_SEC);
	want(is_resting());
	mirror_notify(&bed);
	bed_fetched(A, A);
	bed_end();
}

/* Clients' lists wait while there is a fetch, which may end in a pass. */
static void
test_lists_rest(void)
{
	begin_synced();
	mirror_notify(&bed);
	bed_turn();
	want(bed_lists_rest);
	bed_fetched(A, A);
	bed_turn();
	want(!bed_lists_rest);
	mirror_notify(&bed);
	bed_pass(CLK_SEC);
	want(bed_lists_rest);
	bed_fail(bed_take(IPC_R_GIT_REMOTE, IPC_T_FETCH), FX_ETIMEOUT, "slow");
	bed_turn();
	want(!bed_lists_rest);
	/* it is tried again; and the pass that comes lets them go on itself */
	bed_pass(2 * CLK_SEC);
	bed_fetched(B, A);
	bed_turn();
	want(bed_lists_rest);
	bed_drop(IPC_R_MANIFEST, IPC_T_LOAD);
	bed_end();
}

/* ---- a pass ---------------------------------------------------------------
 */

static void
test_first(void)
{
	bed_begin(NULL);
	want(is_resting() == false); /* the fetch */
	bed_fetched(B, "");
	load(B, "demo:deployment/web");
	apply(9, 0);
	want_log("component=daemon info=\"trying to sync git changes to the "
		 "cluster\" old= new=" B "\n");
	want_log("method=Sync cmd=apply args= count=9\n");
	commits("", "b");
	no_events("");
	want_log("component=daemon event=\"Sync: bbbbbbb, "
		 "demo:deployment/web\" logupstream=false\n");
	want_no_log("no notes expected");
	tag();
	push();
	want_log(
	    "component=sync-loop state=\"tag flux-sync\" old= new=" B "\n");
	want(is_resting());
	bed_end();
}

static void
test_restart(void)
{
	bed_begin(NULL);
	bed_fetched(A, A);
	load(A, NULL);
	apply(0, 0);
	want(is_resting()); /* no commit, no event, no tag */
	want_no_log("event=\"Sync");
	want_no_log("state=\"tag");
	/* nothing new, once more */
	bed_pass(5 * CLK_MIN);
	BED_ANSWER(bed_find(IPC_R_GIT_REMOTE, IPC_T_FETCH), fetched,
	    .head = str(A), .marker = str(A));
	load(A, NULL);
	apply(0, 0);
	want(is_resting());
	bed_end();
}

/* A commit that came while we were down: the marker's revision is loaded first,
 * so that the event names what it changed only. */
static void
test_behind(void)
{
	bed_begin(NULL);
	bed_fetched(B, A);
	load(A, "all");
	load(B, "demo:deployment/web");
	apply(1, 0);
	commits(A, "b");
	no_events(A);
	want_log("event=\"Sync: bbbbbbb, demo:deployment/web\"");
	tag();
	push();
	bed_end();

	/* failure there costs accuracy only */
	bed_begin(NULL);
	bed_fetched(B, A);
	bed_fail(take_load(A), FX_EUNKNOWN, "no such commit");
	want_log("component=daemon warning=\"failed to load last-synced "
		 "resources. sync event may be inaccurate\" err=\"no such "
		 "commit\"");
	load(B, NULL);
	apply(0, 0);
	commits(A, "");
	want_no_log("event=\"Sync");
	tag();
	push();
	want(is_resting());
	bed_end();
}

/* ---- events ---------------------------------------------------------------
 */

static void
test_events(void)
{
	struct ipc_text ids[] = { { str("b:service/b") }, { str("a:x/a") },
		{ str("b:service/b") } };
	struct ipc_event rows[] = {
		{ IPC_EVENT_RELEASE, str(B),
		    str("Released: q/app:2 to a:x/a, by Ann"), NULL },
		{ IPC_EVENT_AUTORELEASE, str(C),
		    str("Automated release of q/app:3"), NULL },
	};
	struct bed_ask ask;
	const char *log, *sync, *release, *automated;

	begin_synced();
	new_head(D, A);
	ask = take_load(D);
	BED_PART(ask, load_changed, .ids = ids, .ids_len = nitems(ids));
	BED_ANSWER(ask, loaded, .set = 100, .resources = 9);
	apply(1, 0);
	commits(A, "dcb");
	ask = bed_take(IPC_R_MANIFEST, IPC_T_EVENTS);
	BED_PART(ask, event_part, .events = rows, .events_len = 2);
	BED_ANSWER(ask, events_end, .includes = IPC_INCLUDES_RELEASE);
	want_log("event=\"Sync: bbbbbbb..ddddddd, a:x/a, b:service/b\" "
		 "logupstream=false\n");
	log = (const char *)buf_head(&bed_logged);
	sync = strstr(log, "event=\"Sync");
	release = strstr(log,
	    "component=daemon event=\"Released: q/app:2 to a:x/a, by Ann\" "
	    "logupstream=false");
	automated = strstr(log,
	    "component=daemon event=\"Automated release of q/app:3\" "
	    "logupstream=false");
	want(sync != NULL && sync < release && release < automated);
	tag();
	push();
	bed_end();
}

/* What waits in the spool, oldest first. */
static const char *
waiting(size_t n)
{
	struct spool_event *e = bed.spool.oldest;

	while (n-- > 0 && e != NULL)
		e = e->next;
	return e == NULL ? "" : e->json;
}

/* With a service events are in the spool before the marker moves, the sync's
 * first: whatever becomes of them there. */
static void
test_service(void)
{
	struct ipc_text id = { str("a:x/a") };
	struct ipc_sync_error bad = { str("a:x/b"), str("b.yaml"),
		str("no <b>") };
	struct ipc_event rows[] = {
		{ IPC_EVENT_RELEASE, str(B), str("Released"),
		    str("{\"r\":1}") },
		{ IPC_EVENT_RELEASE, str(C), str("Too long"), str("") },
	};
	struct ipc_events m;
	struct bed_ask ask;

	bed_begin("--connect=ws://s", NULL);
	bed_fetched(C, A);
	BED_ANSWER(take_load(A), loaded, .set = 50); /* to compare with */
	ask = take_load(C);
	BED_PART(ask, load_changed, .ids = &id, .ids_len = 1);
	BED_ANSWER(ask, loaded, .set = 100, .resources = 9);
	ask = bed_take(IPC_R_SYNC, IPC_T_APPLY);
	BED_PART(ask, apply_errors, .errors = &bad, .errors_len = 1);
	BED_ANSWER(ask, applied, .resources = 9, .patched = 1, .errors = 1);
	commits(A, "cb");
	ask = bed_take(IPC_R_MANIFEST, IPC_T_EVENTS);
	if (want(BED_READ(ask, events, &m))) {
		want_int(m.started_us, 1700000000 * CLK_SEC);
		ipc_events_clear(&m);
	}
	BED_PART(ask, event_part,
	    .includes = IPC_INCLUDES_RELEASE | IPC_INCLUDES_POLICY,
	    .events = rows, .events_len = 2);
	want(bed_none(IPC_R_GIT_LOCAL, IPC_T_TAG));
	BED_ANSWER(ask, events_end,
	    .includes = IPC_INCLUDES_RELEASE | IPC_INCLUDES_POLICY);
	want_int(bed.spool.n, 2);
	want_str(waiting(0),
	    "{\"id\":0,\"serviceIDs\":[\"a:x/a\"],\"type\":\"sync\","
	    "\"startedAt\":\"2023-11-14T22:13:20Z\","
	    "\"endedAt\":\"2023-11-14T22:13:20Z\",\"logLevel\":\"info\","
	    "\"metadata\":{\"commits\":[{\"revision\":\"" C
	    "\",\"message\":\"A subject\"},{\"revision\":\"" B
	    "\",\"message\":\"A subject\"}],\"includes\":{\"release\":true,"
	    "\"update_policy\":true},\"errors\":[{\"ID\":\"a:x/b\","
	    "\"Path\":\"b.yaml\",\"Error\":\"no \\u003cb\\u003e\"}]}}");
	want_str(waiting(1), "{\"r\":1}");
	want_log("event=\"Sync: ccccccc, a:x/a\" logupstream=true\n");
	want_log("event=Released logupstream=true\n");
	want_log("event=\"Too long\" logupstream=false\n");
	tag();
	push();
	/* nothing of it is in the next one */
	new_head(D, C);
	load(D, NULL);
	apply(0, 0);
	commits(C, "d");
	no_events(C);
	tag();
	push();
	want(strstr(waiting(2), "\"serviceIDs\":[]") != NULL &&
	    strstr(waiting(2), "errors") == NULL &&
	    strstr(waiting(2), "\"revision\":\"" D) != NULL);
	bed_end();
}

/* A manifest worker that has fallen cannot make lines of the spool. */
static void
test_service_lines(void)
{
	struct ipc_event row = { IPC_EVENT_RELEASE, str(B), str("x"),
		str("{}\t0\nD\t1") };
	struct bed_ask ask;

	bed_begin("--connect=ws://s", NULL);
	bed_fetched(B, A);
	BED_ANSWER(take_load(A), loaded, .set = 50);
	load(B, NULL);
	apply(0, 0);
	commits(A, "b");
	ask = bed_take(IPC_R_MANIFEST, IPC_T_EVENTS);
	BED_PART(ask, event_part, .events = &row, .events_len = 1);
	buf_clear(&ask.body);
	want_int(mst_child(&bed, IPC_R_MANIFEST)->state, CHILD_ENDING);
	want_int(bed.spool.n, 1);
	bed_end();
}

static void
test_commits_shown(void)
{
	static const struct {
		const char *letters, *text;
	} tv[] = {
		{ "d", "Sync: ddddddd, no workloads changed" },
		{ "dc", "Sync: ddddddd, no workloads changed" },
		{ "dcb", "Sync: bbbbbbb..ddddddd, no workloads changed" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		begin_synced();
		new_head(D, A);
		load(D, NULL);
		apply(0, 0);
		commits(A, tv[i].letters);
		no_events(A);
		want_log(tv[i].text);
		tag();
		push();
		bed_end();
	}
}

static void
test_many_ids(void)
{
	struct bed_ask ask;
	char names[1000][16];
	struct ipc_text ids[1000];

	for (size_t i = 0; i < nitems(ids); i++) {
		snprintf(names[i], sizeof(names[i]), "ns:cm/n-%04zu", i);
		ids[i].s = names[i];
	}
	begin_synced();
	new_head(B, A);
	ask = take_load(B);
	BED_PART(ask, load_changed, .ids = ids, .ids_len = nitems(ids));
	BED_ANSWER(ask, loaded, .set = 100);
	apply(1, 0);
	commits(A, "b");
	no_events(A);
	want_log("Sync: bbbbbbb, ns:cm/n-0000, ns:cm/n-0001, ");
	want_log(" more\" logupstream=false\n");
	tag();
	push();
	bed_end();
}

static void
test_foreign_notes(void)
{
	struct ipc_event row = { IPC_EVENT_RELEASE, str(A),
		str("Released: x to y"), NULL };
	struct bed_ask ask;

	bed_begin(NULL);
	bed_fetched(B, "");
	load(B, NULL);
	apply(0, 0);
	commits("", "ba");
	ask = bed_take(IPC_R_MANIFEST, IPC_T_EVENTS);
	BED_PART(ask, event_part, .events = &row, .events_len = 1);
	BED_PART(ask, event_part, .events = &row, .events_len = 1);
	BED_ANSWER(ask, events_end, .includes = IPC_INCLUDES_POLICY);
	want_log("component=daemon warning=\"no notes expected on initial "
		 "sync; this repo may be in use by another fluxd\"\n");
	want_no_log("Released");
	want(strstr(strstr((const char *)buf_head(&bed_logged), "no notes") + 1,
		 "no notes") == NULL);
	tag();
	push();
	bed_end();
}

/* The marker names a commit of another repository or a rewritten history. */
static void
test_vanished(void)
{
	bed_begin("--sync-state=secret", NULL);
	bed_fetched(B, "");
	BED_ANSWER(bed_take(IPC_R_SYNC, IPC_T_MARKER_READ), marker_is,
	    .revision = str(D), .where = str("kubernetes n:secret/s"));
	bed_fail(take_load(D), FX_EUNKNOWN, "unknown revision");
	load(B, "a:x/y");
	apply(9, 0);
	bed_fail(bed_take(IPC_R_GIT_LOCAL, IPC_T_COMMITS), FX_EUNKNOWN,
	    "unknown revision");
	want_log("the revision synced last is not in the repository; taken as "
		 "an initial sync\" revision=" D);
	commits("", "ba");
	no_events("");
	want_log("event=\"Sync: bbbbbbb, a:x/y\"");
	BED_ANSWER(bed_take(IPC_R_SYNC, IPC_T_MARKER_WRITE), marker_written, 0);
	want_log("state=\"kubernetes n:secret/s\" old=" D " new=" B);
	want(is_resting());
	bed_end();
}

/* What was told is not told again, and what was not is told later. */
static void
test_told_once(void)
{
	begin_synced();
	new_head(B, A);
	load(B, "a:x/b");
	apply(1, 0);
	bed_fail(bed_take(IPC_R_GIT_LOCAL, IPC_T_COMMITS), FX_EFAIL, "rotten");
	want_log("component=sync-loop err=\"listing commits: rotten\"");
	want(is_resting());
	bed_pass(CLK_SEC);
	load(B, NULL);
	apply(0, 0);
	commits(A, "b");
	bed_fail(bed_take(IPC_R_MANIFEST, IPC_T_EVENTS), FX_EFAIL, "unread");
	want_log("err=\"loading notes from repo: unread\"");
	want_no_log("event=\"Sync");
	bed_pass(2 * CLK_SEC);
	load(B, NULL);
	apply(0, 0);
	commits(A, "b");
	no_events(A);
	want_log("event=\"Sync: bbbbbbb, a:x/b\""); /* from the first load */
	bed_forget();
	tag();
	bed_fail(bed_take(IPC_R_GIT_REMOTE, IPC_T_PUSH), FX_EDENIED,
	    "refused: protected tag");
	want_log("err=\"pushing tag to origin: refused: protected tag\"");
	bed_pass(4 * CLK_SEC);
	load(B, NULL);
	apply(0, 0);
	tag(); /* no commits, no events */
	bed_fail(bed_take(IPC_R_GIT_REMOTE, IPC_T_PUSH), FX_EDENIED, "again");
	new_head(C, A);
	load(C, "a:x/c");
	apply(1, 0);
	commits(B, "c");
	no_events(B);
	want_log("event=\"Sync: ccccccc, a:x/c\"");
	tag();
	push();
	want_log("state=\"tag flux-sync\" old=" A " new=" C);
	want(is_resting());
	bed_end();
}

/* ---- marker ---------------------------------------------------------------
 */

static void
test_secret(void)
{
	struct ipc_marker_write m;
	struct bed_ask ask;

	bed_begin("--sync-state=secret", NULL);
	bed_fetched(A, B); /* the tag is nobody's business */
	BED_ANSWER(bed_take(IPC_R_SYNC, IPC_T_MARKER_READ), marker_is,
	    .revision = str(""), .where = str("kubernetes n:secret/s"));
	load(A, NULL);
	apply(9, 0);
	commits("", "a");
	no_events("");
	ask = bed_take(IPC_R_SYNC, IPC_T_MARKER_WRITE);
	if (want(BED_READ(ask, marker_write, &m))) {
		want_str(m.revision, A);
		ipc_marker_write_clear(&m);
	}
	BED_ANSWER(ask, marker_written, 0);
	want_log("component=sync-loop state=\"kubernetes n:secret/s\" old= "
		 "new=" A);
	want(is_resting());
	/* nothing new: the Secret is not even looked at */
	sync_request(&bed);
	load(A, NULL);
	apply(0, 0);
	want(is_resting());
	/* somebody else moves it */
	bed_forget();
	for (int i = 0; i < 2; i++) {
		new_head(i == 0 ? B : C, "");
		BED_ANSWER(bed_take(IPC_R_SYNC, IPC_T_MARKER_READ), marker_is,
		    .revision = str(D), .where = str("kubernetes n:secret/s"));
		load(i == 0 ? B : C, NULL);
		apply(0, 0);
		commits(i == 0 ? A : B, "");
		BED_ANSWER(bed_take(IPC_R_SYNC, IPC_T_MARKER_WRITE),
		    marker_written, 0);
	}
	want_log("component=sync-loop warning=\"detected external change in "
		 "sync state; the sync state should not be shared by fluxd "
		 "instances\" state=\"kubernetes n:secret/s\"");
	want(strstr(strstr((const char *)buf_head(&bed_logged), "detected") + 1,
		 "detected") == NULL);
	bed_end();
}

static void
test_no_secret(void)
{
	bed_begin("--sync-state=secret", NULL);
	bed_fetched(A, "");
	bed_fail(bed_take(IPC_R_SYNC, IPC_T_MARKER_READ), FX_EUNKNOWN,
	    "secrets \"flux-git-deploy\" not found");
	load(A, NULL); /* for clients */
	want_log(
	    "component=sync-loop err=\"secrets \\\"flux-git-deploy\\\" not "
	    "found\"");
	want(is_resting()); /* nothing is applied */
	bed_pass(4 * CLK_MIN);
	want(is_resting());
	bed_pass(CLK_MIN);
	BED_ANSWER(bed_find(IPC_R_GIT_REMOTE, IPC_T_FETCH), fetched,
	    .head = str(A), .marker = str(""));
	BED_ANSWER(bed_take(IPC_R_SYNC, IPC_T_MARKER_READ), marker_is,
	    .revision = str(A), .where = str("kubernetes n:secret/s"));
	load(A, NULL);
	apply(0, 0);
	want(is_resting()); /* it is there already */
	bed_end();
}

static void
test_external(void)
{
	begin_synced();
	new_head(A, B); /* moved by somebody: seen, told at the next pass */
	want(is_resting());
	sync_request(&bed);
	load(A, NULL);
	apply(0, 0);
	want_log("detected external change in sync state; the sync state "
		 "should not be shared by fluxd instances\" state=\"tag "
		 "flux-sync\"");
	want(is_resting()); /* it is not moved back before there is news */
	bed_end();
}

/* ---- failures -------------------------------------------------------------
 */

/* When a pass that failed is run again, by what failed and how. */
static void
test_retry(void)
{
	static const struct {
		int code;
		bool applied; /* what fails is the push, not the apply */
		int64_t first_us, last_us; /* the first wait, the longest */
	} tv[] = {
		{ FX_ERETRY, false, 50 * CLK_MS, 10 * CLK_SEC },
		{ FX_ETIMEOUT, false, CLK_SEC, 5 * CLK_MIN },
		{ FX_EAGAIN, false, CLK_SEC, 10 * CLK_SEC },
		{ FX_EDENIED, false, 5 * CLK_MIN, 5 * CLK_MIN },
		{ FX_EFAIL, false, 5 * CLK_MIN, 5 * CLK_MIN },
		{ FX_ERETRY, true, 50 * CLK_MS, 10 * CLK_SEC },
		{ FX_EDENIED, true, CLK_SEC, 5 * CLK_MIN },
		{ FX_ETIMEOUT, true, CLK_SEC, 5 * CLK_MIN },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		int64_t wait_us = tv[i].first_us;

		bed_begin("--git-poll-interval=100h", NULL);
		bed_fetched(A, "");
		for (int round = 0; round < 12; round++) {
			load(A, NULL);
			if (!tv[i].applied) {
				bed_fail(bed_take(IPC_R_SYNC, IPC_T_APPLY),
				    tv[i].code, "no");
			} else {
				apply(0, 0);
				if (round == 0) {
					commits("", "a");
					no_events("");
				}
				tag();
				bed_fail(bed_take(IPC_R_GIT_REMOTE, IPC_T_PUSH),
				    tv[i].code, "no");
			}
			bed_pass(wait_us - CLK_MS);
			if (!want(is_resting()))
				printf("# row %zu round %d: too soon\n", i,
				    round);
			bed_pass(CLK_MS);
			wait_us = wait_us * 2 > tv[i].last_us ? tv[i].last_us
							      : wait_us * 2;
		}
		load(A, NULL);
		apply(0, 0);
		if (tv[i].applied) {
			tag();
		} else {
			commits("", "a");
			no_events("");
			tag();
		}
		push();
		want(is_resting());
		want_int(bed.sync.backoff_us, 0);
		bed_end();
	}
}

/* A worker that dies in a pass: the pass starts over. */
static void
test_deaths(void)
{
	struct bed_ask ask;

	begin_synced();
	new_head(B, A);
	ask = take_load(B);
	buf_clear(&ask.body);
	bed_kill(IPC_R_MANIFEST);
	want_log("err=\"loading resources from repo: manifest ended\"");
	bed_pass(50 * CLK_MS);
	load(A, "all"); /* the new one knows nothing to compare with */
	load(B, "a:x/b");
	bed_drop(IPC_R_SYNC, IPC_T_APPLY);
	bed_kill(IPC_R_SYNC); /* asks for a pass by itself, too */
	load(B, NULL);
	apply(1, 0);
	bed_drop(IPC_R_GIT_LOCAL, IPC_T_COMMITS);
	bed_kill(IPC_R_GIT_LOCAL);
	bed_pass(200 * CLK_MS);
	load(B, NULL);
	apply(0, 0);
	commits(A, "b");
	no_events(A);
	want_log("event=\"Sync: bbbbbbb, a:x/b\"");
	tag();
	bed_drop(IPC_R_GIT_REMOTE, IPC_T_PUSH);
	bed_kill(IPC_R_GIT_REMOTE);
	bed_pass(400 * CLK_MS);
	load(B, NULL);
	apply(0, 0);
	tag();
	push();
	want(is_resting());
	bed_end();
}

/* Commits that come during a pass wait for its end, and only the last counts.
 */
static void
test_coalesce(void)
{
	struct bed_ask ask;

	begin_synced();
	new_head(B, A);
	ask = take_load(B);
	new_head(C, A);
	new_head(D, A);
	BED_ANSWER(ask, loaded, .set = 200);
	apply(1, 0);
	commits(A, "b");
	no_events(A);
	tag();
	push();
	load(D, "a:x/d");
	apply(1, 0);
	commits(B, "dc");
	no_events(B);
	tag();
	push();
	want(is_resting());
	bed_end();
}

static void
test_bad_files(void)
{
	struct ipc_sync_error bad = { str(""), str("bad.yaml"),
		str("parsing YAML doc from \"bad.yaml\": line 3") };
	struct ipc_sync_error twice = { str("a:x/y"), str("x.yaml"),
		str("defined more than once") };
	struct ipc_apply m;
	struct bed_ask ask;

	begin_synced();
	for (int i = 0; i < 2; i++) {
		sync_request(&bed);
		ask = take_load(A);
		BED_PART(ask, load_left_out, .errors = &bad, .errors_len = 1);
		BED_PART(ask, load_left_out, .errors = &twice, .errors_len = 1);
		BED_ANSWER(ask, loaded, .set = 300, .resources = 9,
		    .incomplete = true);
		ask = bed_take(IPC_R_SYNC, IPC_T_APPLY);
		if (want(BED_READ(ask, apply, &m)))
			want(m.incomplete);
		BED_ANSWER(ask, applied, .resources = 9, .errors = 2);
		if (i == 0)
			want_log("component=daemon err=\"parsing YAML doc from "
				 "\\\"bad.yaml\\\": line 3; a:x/y: defined "
				 "more than once\"\n");
		else
			want_no_log("bad.yaml");
		want(is_resting());
		bed_forget();
	}
	want_int(bed_gauge(METRIC_SYNC_MANIFESTS, TRUE_), 7);
	want_int(bed_gauge(METRIC_SYNC_MANIFESTS, FALSE_), 4);
	/* it is gone, and comes back: news again */
	sync_request(&bed);
	load(A, NULL);
	apply(0, 0);
	sync_request(&bed);
	ask = take_load(A);
	BED_PART(ask, load_left_out, .errors = &bad, .errors_len = 1);
	BED_ANSWER(ask, loaded, .set = 301);
	want_log("bad.yaml");
	apply(0, 0);
	bed_end();
}

/* What was left out is not synced, whatever became of the rest. */
static void
test_bad_files_marker(void)
{
	struct ipc_sync_error bad = { str(""), str("bad.yaml"),
		str("parsing YAML doc from \"bad.yaml\": line 3") };
	struct fx_err err = { 0 };
	struct bed_ask ask;

	begin_synced();
	sync_head_is(&bed, B);
	ask = take_load(B);
	BED_PART(ask, load_left_out, .errors = &bad, .errors_len = 1);
	BED_ANSWER(ask, loaded, .set = 302, .incomplete = true);
	apply(1, 0);
	want(is_resting());
	want_str(bed.marker.revision, A);
	if (want(sync_is_refused(&bed, B, &err)))
		want_str(err.text,
		    "loading resources from repo: parsing YAML doc from "
		    "\"bad.yaml\": line 3");
	bed_end();
}

/* ---- clients --------------------------------------------------------------
 */

struct status {
	bool done;
	size_t n;
	struct fx_err err;
};

static int
on_status(void *arg, struct ipc_frame *f)
{
	struct status *s = arg;
	struct ipc_sync_status_part part;

	if (f != NULL && f->type == IPC_T_SYNC_STATUS_PART) {
		if (ipc_sync_status_part_decode(&f->body, &part, &f->fd) ==
		    FX_OK)
			s->n += part.revisions_len;
		ipc_sync_status_part_clear(&part);
		return FX_OK;
	}
	(void)ipc_take_failed(f, &s->err);
	s->done = true;
	return FX_OK;
}

static void
ask_status(struct status *s, const char *ref)
{
	const struct ipc_sync_status m = { .ref = str(ref) };

	*s = (struct status){ 0 };
	want(ipc_ask_sync_status(&bed_far[IPC_R_API], &m, on_status, s) != 0);
	bed_turn();
}

static void
test_refused(void)
{
	struct status s;

	begin_synced();
	new_head(B, A);
	bed_fail(take_load(B), FX_EFAIL,
	    "duplicate definition of 'a:x/y' (in a.yaml and b.yaml)");
	want_log("component=sync-loop err=\"loading resources from repo: "
		 "duplicate definition of 'a:x/y' (in a.yaml and b.yaml)\"\n");
	/* who waits for it is told, and waits no longer */
	ask_status(&s, "bbbbbbb");
	want(s.done);
	want_str(s.err.text,
	    "loading resources from repo: duplicate definition of 'a:x/y' (in "
	    "a.yaml and b.yaml)");
	ask_status(&s, B);
	want_int(s.err.code, FX_EFAIL);
	/* who asks for another revision is not */
	ask_status(&s, A);
	want(!s.done);
	commits(A, "");
	want(s.done && s.err.code == FX_OK);
	/* while the next commit is being loaded, it counts */
	new_head(C, A);
	ask_status(&s, "bbbbbbb");
	want(!s.done);
	commits(A, "b");
	bed_pass(CLK_SEC);
	commits(A, "b");
	want_int(s.n, 1);
	load(C, NULL);
	apply(1, 0);
	commits(A, "cb");
	no_events(A);
	tag();
	push();
	/* an error that may pass by itself refuses nothing */
	new_head(D, C);
	bed_fail(take_load(D), FX_ETIMEOUT, "context deadline exceeded");
	ask_status(&s, D);
	want(!s.done);
	commits(C, "d");
	bed_end();
}

static void
test_not_ready(void)
{
	static const int pauses[] = { 1, 2, 4, 8, 10, 10 };
	struct status s;

	bed_begin(NULL);
	ask_status(&s, "HEAD");
	want_str(s.err.text,
	    "git repo not ready: git repo has not been cloned yet");
	bed_fail(bed_take(IPC_R_GIT_REMOTE, IPC_T_FETCH), FX_ERESOLVE,
	    "could not resolve hostname");
	want_int(bed.mirror.status, MIRROR_UNREACHABLE);
	want_int(bed_gauge(METRIC_GIT_READY, ""), 0);
	/* again after growing pauses, of ten seconds at most */
	for (size_t i = 0; i < nitems(pauses); i++) {
		bed_pass(pauses[i] * CLK_SEC - CLK_MS);
		want(is_resting());
		bed_pass(CLK_MS);
		if (i + 1 < nitems(pauses))
			bed_fail(bed_take(IPC_R_GIT_REMOTE, IPC_T_FETCH),
			    FX_ERESOLVE, "could not resolve hostname");
	}
	/* an empty repository has no branch */
	BED_ANSWER(bed_take(IPC_R_GIT_REMOTE, IPC_T_FETCH), fetched,
	    .head = str(""), .marker = str(""));
	ask_status(&s, "HEAD");
	want_str(s.err.text,
	    "git repo not ready: configured branch 'master' does not exist");
	want(is_resting()); /* no pass without a head */
	bed_pass(10 * CLK_SEC);
	bed_fetched(A, "");
	want_int(bed_gauge(METRIC_GIT_READY, ""), 1);
	load(A, NULL);
	apply(0, 0);
	commits("", "a");
	no_events("");
	tag();
	push();
	bed_end();
}

/* ---- time -----------------------------------------------------------------
 */

/* The wall clock jumps by years, and nothing waits longer or shorter. */
static void
test_clock(void)
{
	static const int64_t jumps[] = { 3600 * CLK_SEC, -7200 * CLK_SEC,
		365ll * 86400 * CLK_SEC, -20ll * 365 * 86400 * CLK_SEC };

	begin_synced();
	for (size_t i = 0; i < nitems(jumps); i++) {
		bed_wall += jumps[i];
		bed_pass(5 * CLK_MIN - CLK_MS);
		want(is_resting());
		bed_pass(CLK_MS);
		BED_ANSWER(bed_take(IPC_R_GIT_REMOTE, IPC_T_FETCH), fetched,
		    .head = str(A), .marker = str(A));
		load(A, NULL);
		apply(0, 0);
		want(is_resting());
	}
	bed_end();
}

int
main(void)
{
	test_run("mirror: notifications are heard once a second",
	    test_notified);
	test_run("mirror: lists wait while it is fetched", test_lists_rest);
	test_run("sync: the first one", test_first);
	test_run("sync: a restart at the marker tells and moves nothing",
	    test_restart);
	test_run("sync: a commit that came while it was down", test_behind);
	test_run("events: sync first, then releases as the notes have them",
	    test_events);
	test_run("events: into the spool for a service, and then the marker",
	    test_service);
	test_run("events: JSON of more than a line is none",
	    test_service_lines);
	test_run("events: one, two, more commits", test_commits_shown);
	test_run("events: a thousand resources", test_many_ids);
	test_run("events: somebody else's notes", test_foreign_notes);
	test_run("events: told once, and never lost", test_told_once);
	test_run("marker: a commit that is not there", test_vanished);
	test_run("marker: in a secret", test_secret);
	test_run("marker: no secret, no sync", test_no_secret);
	test_run("marker: somebody else moves the tag", test_external);
	test_run("failures: tried again by their class", test_retry);
	test_run("failures: each worker dies in a pass", test_deaths);
	test_run("sync: commits coalesce to the newest", test_coalesce);
	test_run("sync: files left out are said once and counted",
	    test_bad_files);
	test_run("sync: with files left out the marker stays",
	    test_bad_files_marker);
	test_run("status: what cannot be loaded is told", test_refused);
	test_run("status: the repository is not ready", test_not_ready);
	test_run("time: the wall clock jumps", test_clock);
	return test_done();
}
