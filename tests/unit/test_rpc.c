/* SPDX-License-Identifier: Apache-2.0 */
/* The service's calls as a stream of bytes, with the API played by the test. */
#include "base.h"
#include "rpc.h"

#include "str.h"
#include "test.h"

#define ASKS_MAX 32

/* What was asked of the API, and what the service was sent. */
static struct {
	struct rpc_call *call;
	char *text; /* owned: "GET /path" and the body */
} asks[ASKS_MAX];
static size_t nasks, ncancelled, queued;
static bool paused, cannot_ask;
static struct buf sent = BUF_INIT(1 << 26), logged = BUF_INIT(65536);
static struct fx_err broken_by;
static struct loop *loop;
static struct rpc *rpc;
static int64_t now_us;

static uint64_t
on_ask(void *arg, struct rpc_call *c, const char *method, const char *target,
    const struct buf *body)
{
	(void)arg;
	if (cannot_ask)
		return 0;
	if (nasks == ASKS_MAX)
		fx_bug("too many calls");
	asks[nasks].call = c;
	asks[nasks].text = xasprintf("%s %s%s%.*s", method, target,
	    buf_left(body) == 0 ? "" : " ", (int)buf_left(body),
	    (const char *)buf_head(body));
	return ++nasks;
}

static void
on_cancel(void *arg, uint64_t seq)
{
	(void)arg;
	(void)seq;
	ncancelled++;
}

static void
on_send(void *arg, struct buf *b)
{
	(void)arg;
	want_int(buf_put(&sent, buf_head(b), buf_left(b)), FX_OK);
	buf_clear(b);
}

static size_t
on_queued(void *arg)
{
	(void)arg;
	return queued;
}

static void
on_pause(void *arg, bool on)
{
	(void)arg;
	paused = on;
}

static void
on_broken(void *arg, const struct fx_err *err)
{
	(void)arg;
	broken_by = *err;
}

static void
on_failed(void *arg, const char *method, const char *why)
{
	(void)arg;
	(void)str_addf(&logged, "%s: %s\n", method, why);
}

static void
begin(void)
{
	static const struct rpc_hooks hooks = { on_ask, on_cancel, on_send,
		on_queued, on_pause, on_broken, on_failed, NULL };

	now_us = 1000 * CLK_SEC;
	clk_fake(&now_us, &now_us);
	loop = loop_new();
	rpc = rpc_new(loop, &hooks);
	rpc_limit(rpc, 10 * CLK_SEC);
	broken_by.code = FX_OK;
	ncancelled = queued = 0;
	paused = cannot_ask = false;
}

static void
end(void)
{
	rpc_free(&rpc);
	loop_free(&loop);
	for (size_t i = 0; i < nasks; i++)
		free(asks[i].text);
	nasks = 0;
	buf_clear(&sent);
	buf_clear(&logged);
	clk_fake(NULL, NULL);
}

static void
feed(const char *s)
{
	rpc_feed(rpc, (const uint8_t *)s, strlen(s));
}

static void
turn(int64_t us)
{
	now_us += us;
	loop_turn(loop, 0);
}

static bool
is_sent(const char *text)
{
	bool yes = buf_left(&sent) == strlen(text) &&
	    memcmp(buf_head(&sent), text, strlen(text)) == 0;

	if (!yes)
		printf("# sent %.*s# want %s", (int)buf_left(&sent),
		    (const char *)buf_head(&sent), text);
	buf_reset(&sent);
	return yes;
}

static void
answer(size_t i, unsigned status, bool shaped, const char *body)
{
	rpc_answer(asks[i].call, (const uint8_t *)body, strlen(body));
	rpc_answered(asks[i].call, status, shaped);
	turn(0);
}

#define CALL(method, params)                                                   \
	"{\"method\":\"RPCServer." method "\",\"params\":" params ",\"id\":7}"

/* What each is asked as, and what becomes of an answer. */
static void
test_methods(void)
{
	static const struct {
		const char *call, *ask, *body, *sent;
		unsigned status;
	} tv[] = {
		{ CALL("Ping", "[{}]"), "GET /api/flux/v11/ping", "",
		    "{\"id\":7,\"result\":{},\"error\":null}\n", 204 },
		{ CALL("Version", "[null]"), "GET /api/flux/v11/version",
		    "\"1.2\"", "{\"id\":7,\"result\":\"1.2\",\"error\":null}\n",
		    200 },
		{ CALL("Export", "[{}]"), "GET /api/flux/v6/export", "\"YQ==\"",
		    "{\"id\":7,\"result\":{\"Result\":\"YQ==\","
		    "\"ApplicationError\":null},\"error\":null}\n",
		    200 },
		{ CALL("ListServices", "[\"a b&c\"]"),
		    "GET /api/flux/v6/services?namespace=a%20b%26c", "[]",
		    "{\"id\":7,\"result\":{\"Result\":[],"
		    "\"ApplicationError\":null},\"error\":null}\n",
		    200 },
		{ CALL("ListServicesWithOptions",
		      "[{\"Namespace\":\"\",\"Services\":[\"a:b/c\",\"d:e/"
		      "f\"]}]"),
		    "GET /api/flux/v11/services?services=a%3Ab%2Fc%2Cd%3Ae%2Ff",
		    "null",
		    "{\"id\":7,\"result\":{\"Result\":null,"
		    "\"ApplicationError\":null},\"error\":null}\n",
		    200 },
		{ CALL("ListImages", "[\"<all>\"]"),
		    "GET /api/flux/v6/images?service=%3Call%3E", "[1]",
		    "{\"id\":7,\"result\":{\"Result\":[1],"
		    "\"ApplicationError\":null},\"error\":null}\n",
		    200 },
		{ CALL("ListImagesWithOptions",
		      "[{\"spec\":\"x\",\"OverrideContainerFields\":null,"
		      "\"Namespace\":\"n\"}]"),
		    "GET /api/flux/v10/images?namespace=n&service=x", "[]",
		    "{\"id\":7,\"result\":{\"Result\":[],"
		    "\"ApplicationError\":null},\"error\":null}\n",
		    200 },
		{ CALL("UpdateManifests", "[{\"type\":\"sync\",\"spec\":{}}]"),
		    "POST /api/flux/v9/update-manifests "
		    "{\"type\":\"sync\",\"spec\":{}}",
		    "\"id\"",
		    "{\"id\":7,\"result\":{\"Result\":\"id\","
		    "\"ApplicationError\":null},\"error\":null}\n",
		    200 },
		{ CALL("NotifyChange", "[{\"Kind\":\"git\"}]"),
		    "POST /api/flux/v11/notify {\"Kind\":\"git\"}", "",
		    "{\"id\":7,\"result\":{\"ApplicationError\":null},"
		    "\"error\":null}\n",
		    202 },
		{ CALL("JobStatus", "[\"a\"]"), "GET /api/flux/v6/jobs?id=a",
		    "{}",
		    "{\"id\":7,\"result\":{\"Result\":{},"
		    "\"ApplicationError\":null},\"error\":null}\n",
		    200 },
		{ CALL("SyncStatus", "[\"HEAD\",1]"),
		    "GET /api/flux/v6/sync?ref=HEAD", "[]",
		    "{\"id\":7,\"result\":{\"Result\":[],"
		    "\"ApplicationError\":null},\"error\":null}\n",
		    200 },
		{ CALL("GitRepoConfig", "[true]"),
		    "POST /api/flux/v9/git-repo-config true", "{}",
		    "{\"id\":7,\"result\":{\"Result\":{},"
		    "\"ApplicationError\":null},\"error\":null}\n",
		    200 },
		/* nothing given is the zero value */
		{ CALL("GitRepoConfig", "[]"),
		    "POST /api/flux/v9/git-repo-config false", "{}",
		    "{\"id\":7,\"result\":{\"Result\":{},"
		    "\"ApplicationError\":null},\"error\":null}\n",
		    200 },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		begin();
		feed(tv[i].call);
		if (want_int(nasks, 1)) {
			want_str(asks[0].text, tv[i].ask);
			answer(0, tv[i].status, true, tv[i].body);
			want(is_sent(tv[i].sent));
		}
		want_int(broken_by.code, FX_OK);
		end();
	}
}

/* Calls that are answered without the API, and the connection goes on. */
static void
test_refused(void)
{
	static const struct {
		const char *call, *error;
	} tv[] = {
		{ CALL("Nope", "[1]"),
		    "rpc: can't find method RPCServer.Nope" },
		{ CALL("SyncNotify", "[{}]"),
		    "rpc: can't find method RPCServer.SyncNotify" },
		{ "{\"method\":\"Other.Ping\",\"params\":[],\"id\":7}",
		    "rpc: can't find service Other.Ping" },
		{ "{\"method\":\"Ping\",\"params\":[],\"id\":7}",
		    "rpc: service/method request ill-formed: Ping" },
		{ "{\"params\":[],\"id\":7}",
		    "rpc: service/method request ill-formed: " },
		{ "{\"method\":\"RPCServer.Ping\",\"id\":7}",
		    "jsonrpc: request body missing params" },
		{ CALL("Ping", "null"),
		    "jsonrpc: request body missing params" },
		{ CALL("Ping", "{}"),
		    "json: cannot unmarshal object into Go value of type [1]"
		    "interface {}" },
		{ CALL("JobStatus", "[1]"),
		    "json: cannot unmarshal number into Go value of type "
		    "string" },
		{ CALL("GitRepoConfig", "[\"x\"]"),
		    "json: cannot unmarshal string into Go value of type "
		    "bool" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		auto_free char *want_sent =
		    xasprintf("{\"id\":7,\"result\":null,\"error\":\"%s\"}\n",
			tv[i].error);

		begin();
		feed(tv[i].call);
		want_int(nasks, 0);
		want(is_sent(want_sent));
		want_int(broken_by.code, FX_OK);
		feed(CALL("Ping", "[{}]"));
		want_int(nasks, 1);
		end();
	}
}

/* What the API refuses: with a shape, without, and where there is no place for
 * one; what breaks off, takes too long, cannot be asked. */
static void
test_failed(void)
{
	static const char shaped[] = "{\"type\":\"missing\",\"help\":\"h\","
				     "\"error\":\"unknown job\"}";

	begin();
	feed(CALL("JobStatus", "[\"x\"]"));
	answer(0, 404, true, shaped);
	want(is_sent("{\"id\":7,\"result\":{\"Result\":{\"Result\":{},"
		     "\"Err\":\"\",\"StatusString\":\"\"},"
		     "\"ApplicationError\":{\"type\":\"missing\",\"help\":"
		     "\"h\",\"error\":\"unknown job\"}},\"error\":null}\n"));
	feed(CALL("NotifyChange", "[{}]"));
	answer(1, 404, true, shaped);
	want(is_sent("{\"id\":7,\"result\":{\"ApplicationError\":{\"type\":"
		     "\"missing\",\"help\":\"h\",\"error\":\"unknown job\"}},"
		     "\"error\":null}\n"));
	feed(CALL("NotifyChange", "[{}]"));
	answer(2, 400, false, "unknown kind of change");
	want(is_sent("{\"id\":7,\"result\":null,\"error\":\"unknown kind of "
		     "change\"}\n"));
	feed(CALL("Ping", "[{}]"));
	answer(3, 422, true, shaped);
	want(is_sent("{\"id\":7,\"result\":null,\"error\":\"unknown job\"}\n"));
	feed(CALL("Export", "[{}]"));
	rpc_answer(asks[4].call, (const uint8_t *)"\"YQ", 3);
	rpc_answered(asks[4].call, 500, false);
	turn(0);
	want(is_sent("{\"id\":7,\"result\":null,\"error\":\"the answer broke "
		     "off\"}\n"));
	feed(CALL("Ping", "[{}]"));
	rpc_not_answered(asks[5].call,
	    &(struct fx_err){ FX_ERETRY, "api ended" });
	want(is_sent("{\"id\":7,\"result\":null,\"error\":\"api ended\"}\n"));
	feed(CALL("Ping", "[{}]"));
	turn(10 * CLK_SEC);
	want(is_sent("{\"id\":7,\"result\":null,\"error\":\"context deadline "
		     "exceeded\"}\n"));
	want_int(ncancelled, 1);
	cannot_ask = true;
	feed(CALL("Ping", "[{}]"));
	want(is_sent("{\"id\":7,\"result\":null,\"error\":\"too many "
		     "requests\"}\n"));
	(void)str_addc(&logged, '\0');
	want_str((const char *)buf_head(&logged),
	    "JobStatus: unknown job\nNotifyChange: unknown job\n"
	    "NotifyChange: unknown kind of change\nPing: unknown job\n"
	    "Export: the answer broke off\nPing: api ended\n"
	    "Ping: context deadline exceeded\nPing: too many requests\n");
	end();
}

/* Ids of any kind come back; calls may be in pieces, and many in one. */
static void
test_stream(void)
{
	static const char *const ids[] = { "0", "18446744073", "\"a\\\"{\"",
		"null", "true", "[1,{\"x\":\"}\"}]" };
	auto_buf struct buf all = BUF_INIT(65536);

	begin();
	for (size_t i = 0; i < nitems(ids); i++)
		(void)str_addf(&all,
		    " \n{\"method\":\"RPCServer.Ping\",\"params\":[{}],"
		    "\"id\":%s}\r\t",
		    ids[i]);
	for (size_t i = 0; i < buf_left(&all); i++)
		rpc_feed(rpc, buf_head(&all) + i, 1);
	want_int(nasks, nitems(ids));
	for (size_t i = nitems(ids); i-- > 0;) { /* in any order */
		auto_free char *text =
		    xasprintf("{\"id\":%s,\"result\":{},\"error\":null}\n",
			ids[i]);

		answer(i, 204, false, "");
		want(is_sent(text));
	}
	feed("{\"method\":\"RPCServer.Ping\",\"params\":[{}]}");
	answer(nasks - 1, 204, false, "");
	want(is_sent("{\"id\":null,\"result\":{},\"error\":null}\n"));
	end();
}

/* What is no call ends the connection. */
static void
test_broken(void)
{
	static const char *const tv[] = { "x", "1", "\"a\"", "[]", "{]",
		"{\"method\":1}", "{\"method\"}", "{\"a\":\"\x01\"}",
		"{\"a\":1,}", "{\"a\":\"\\q\"}" };
	auto_free char *text = xmalloc(RPC_CALL_MAX + 2);

	for (size_t i = 0; i < nitems(tv); i++) {
		begin();
		feed(tv[i]);
		if (!want(broken_by.code != FX_OK && buf_left(&sent) == 0))
			printf("# %s\n", tv[i]);
		end();
	}
	/* deep, or without end */
	begin();
	memset(text, '[', RPC_CALL_MAX);
	memcpy(text, "{\"a\":", 5);
	memset(text + 1000, ']', 995);
	strcpy(text + 1995, "}");
	feed(text);
	want_int(broken_by.code, FX_ELIMIT);
	end();
	begin();
	memset(text, 'x', RPC_CALL_MAX + 1);
	memcpy(text, "{\"a\":\"", 6);
	text[RPC_CALL_MAX + 1] = '\0';
	for (size_t i = 0; i <= RPC_CALL_MAX; i += 4096)
		rpc_feed(rpc, (uint8_t *)text + i,
		    RPC_CALL_MAX + 1 - i < 4096 ? RPC_CALL_MAX + 1 - i : 4096);
	want_int(broken_by.code, FX_ELIMIT);
	want_str(broken_by.text, "a call is too long");
	end();
}

/* As many as there are places for; the others when there is one. */
static void
test_places(void)
{
	auto_buf struct buf all = BUF_INIT(65536);

	begin();
	for (int i = 0; i < RPC_CALLS_MAX + 3; i++)
		(void)str_add(&all, CALL("Ping", "[{}]"));
	(void)str_addc(&all, '\0');
	feed((const char *)buf_head(&all));
	want_int(nasks, RPC_CALLS_MAX);
	want(paused);
	answer(0, 204, false, "");
	want_int(nasks, RPC_CALLS_MAX + 1);
	want(paused);
	for (size_t i = 1; i < RPC_CALLS_MAX; i++)
		answer(i, 204, false, "");
	want_int(nasks, RPC_CALLS_MAX + 3);
	want(!paused);
	/* the connection ends: nobody waits for the rest */
	rpc_reset(rpc);
	want_int(ncancelled, 3);
	feed(CALL("Ping", "[{}]"));
	want_int(nasks, RPC_CALLS_MAX + 4);
	end();
}

static void
test_long_answers(void)
{
	auto_free uint8_t *mib = xcalloc(1, 1 << 20);

	memset(mib, 'x', 1 << 20);
	begin();
	feed(CALL("Export", "[{}]"));
	for (int i = 0; i < 32; i++)
		rpc_answer(asks[0].call, mib, 1 << 20);
	rpc_answered(asks[0].call, 200, false);
	want(buf_left(&sent) > 32u << 20);
	buf_clear(&sent);
	turn(0);
	feed(CALL("Export", "[{}]"));
	for (int i = 0; i < 33 && ncancelled == 0; i++)
		rpc_answer(asks[1].call, mib, 1 << 20);
	want_int(ncancelled, 1);
	want(is_sent("{\"id\":7,\"result\":null,\"error\":\"the answer is too "
		     "long\"}\n"));
	/* what waits to be sent counts */
	queued = RPC_ANSWERS_MAX;
	turn(0);
	feed(CALL("Export", "[{}]"));
	rpc_answer(asks[2].call, mib, 1);
	want_int(ncancelled, 2);
	end();
}

int
main(void)
{
	test_run("rpc: each method is its route, and its answer the result",
	    test_methods);
	test_run("rpc: what is no call of ours is answered", test_refused);
	test_run("rpc: errors, in the place that they have", test_failed);
	test_run("rpc: a stream, in any pieces", test_stream);
	test_run("rpc: what is no call at all ends it", test_broken);
	test_run("rpc: no more at a time than there are places", test_places);
	test_run("rpc: answers have a limit, each and together",
	    test_long_answers);
	return test_done();
}
