/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "pass.h"
#include "reader.h"
#include "test.h"

/*
 * How many pages are asked for at once.  There is no server here, and nobody
 * is logged in: what is asked for stays on its way.
 */

#define READERS 10

static const char kinds[] =
    "{\"kind\":\"APIGroupDiscoveryList\",\"items\":[{\"metadata\":{\"name\":"
    "\"apps\"},\"versions\":[{\"version\":\"v1\",\"freshness\":\"Current\","
    "\"resources\":[{\"resource\":\"deployments\",\"responseKind\":{\"kind\":"
    "\"Deployment\"},\"scope\":\"Namespaced\",\"verbs\":[\"list\"]}]}]}]}";

static int64_t now_us = CLK_SEC;
static struct loop *loop;
static struct cluster *cluster;
static struct readers readers;
static struct reader *clients[READERS];

static void
ready(void *arg)
{
	(void)arg;
}

static void
begin(void)
{
	static const struct client_hooks client_hooks;
	static const struct cluster_hooks cluster_hooks;
	static const struct cluster_config config = { .timeout_us =
							  10 * CLK_MIN };
	static char everywhere[] = "";
	const struct place place = { .api_version = "apps/v1",
		.kind = "Deployment",
		.ns = everywhere };
	const struct reader_hooks hooks = { .ready = ready };
	struct fx_err err = { 0 };
	auto_json json_t *doc = sw_json(kinds, sizeof(kinds) - 1, &err);
	struct catalog *catalog;

	loop = loop_new();
	cluster = cluster_new(loop, &client_hooks, &cluster_hooks, &config);
	catalog = &cluster->refresh.parts[1].now;
	want_int(catalog_add_aggregated(catalog, doc, &err), FX_OK);
	catalog_sort(catalog);
	readers_init(&readers, cluster);
	for (size_t i = 0; i < READERS; i++) {
		clients[i] = reader_new(&readers, false, &hooks);
		reader_add(clients[i], &place);
		reader_start(clients[i]);
	}
	loop_turn(loop, 0);
}

static void
end(void)
{
	for (size_t i = 0; i < READERS; i++)
		reader_free(&clients[i]);
	want_int(readers.in_flight, 0);
	readers_clear(&readers);
	cluster_free(&cluster);
	loop_free(&loop);
}

/* One whose page is on its way leaves: the newest has its turn first. */
static void
one_leaves(void)
{
	unsigned before = readers.in_flight;

	for (size_t i = READERS; i > 0 && readers.in_flight == before; i--)
		reader_free(&clients[i - 1]);
	want_int(readers.in_flight, before - 1);
	loop_turn(loop, 0);
}

static void
test_few(void)
{
	begin();
	want_int(readers.in_flight, READS_IN_FLIGHT);
	one_leaves();
	want_int(readers.in_flight, READS_IN_FLIGHT);
	end();
}

/* What a pass asks for would come behind what they ask for. */
static void
test_pass(void)
{
	struct pass pass = { .started_us = now_us };

	begin();
	cluster->pass = &pass;
	while (readers.in_flight > 0)
		one_leaves();
	now_us += READS_REST_US - 1;
	loop_turn(loop, 0);
	want_int(readers.in_flight, 0);
	/* one that takes long does not keep them from reading */
	now_us += 1;
	loop_turn(loop, 0);
	want_int(readers.in_flight, READS_BESIDE_PASS);
	cluster->pass = NULL;
	readers_go_on(&readers);
	loop_turn(loop, 0);
	want_int(readers.in_flight, READS_IN_FLIGHT);
	end();
}

/* One that is over soon is not waited for longer. */
static void
test_short_pass(void)
{
	struct pass pass = { .started_us = now_us };

	begin();
	cluster->pass = &pass;
	one_leaves();
	want_int(readers.in_flight, READS_IN_FLIGHT - 1);
	cluster->pass = NULL;
	readers_go_on(&readers);
	loop_turn(loop, 0);
	want_int(readers.in_flight, READS_IN_FLIGHT);
	end();
}

/* A load asks for scopes before its pass begins; and it may fail. */
static void
test_coming(void)
{
	begin();
	readers_rest(&readers);
	while (readers.in_flight > 0)
		one_leaves();
	now_us += READS_REST_US;
	loop_turn(loop, 0);
	want_int(readers.in_flight, READS_IN_FLIGHT);
	end();
}

/* A fetch may end in a pass, or not; however many come, clients read. */
static void
test_maybe(void)
{
	begin();
	now_us += READS_TURN_US;
	readers_expect(&readers);
	one_leaves();
	want_int(readers.in_flight, READS_IN_FLIGHT - 1);
	readers_go_on(&readers);
	loop_turn(loop, 0);
	want_int(readers.in_flight, READS_IN_FLIGHT);
	now_us += READS_TURN_US - 1;
	readers_expect(&readers);
	one_leaves();
	want_int(readers.in_flight, READS_IN_FLIGHT);
	now_us += 1;
	readers_expect(&readers);
	one_leaves();
	want_int(readers.in_flight, READS_IN_FLIGHT - 1);
	end();
}

/* A server that does not answer is asked for more, one after the other. */
static void
test_slow(void)
{
	begin();
	for (unsigned n = READS_IN_FLIGHT; n < READS_MOST; n++) {
		now_us += READS_SLOW_US - 1;
		loop_turn(loop, 0);
		want_int(readers.in_flight, n);
		now_us += 1;
		loop_turn(loop, 0);
		want_int(readers.in_flight, n + 1);
	}
	now_us += 2 * READS_SLOW_US;
	loop_turn(loop, 0);
	want_int(readers.in_flight, READS_MOST);
	end();
}

int
main(void)
{
	clk_fake(&now_us, NULL);
	test_run("reader: few pages at once, whoever asks", test_few);
	test_run("reader: none when a pass begins, one beside a long one",
	    test_pass);
	test_run("reader: all when it is over", test_short_pass);
	test_run("reader: none when a pass is about to begin", test_coming);
	test_run("reader: the same when one may be, but not for ever",
	    test_maybe);
	test_run("reader: one more where the server does not answer",
	    test_slow);
	return test_done();
}
