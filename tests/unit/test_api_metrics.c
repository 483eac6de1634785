/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "exposition.h"
#include "metric.h"
#include "str.h"
#include "test.h"

static void
test_text(void)
{
	static const uint64_t buckets[12] = { 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2,
		2 };
	struct exposition x = { 0 };
	struct buf b = BUF_INIT(65536);
	auto_free char *s = NULL;

	/* out of order, as they may come */
	want_int(exposition_add(&x, METRIC_GIT_READY, "", 1000000, 0, NULL, 0),
	    FX_OK);
	want_int(exposition_add(&x, METRIC_SYNC_MANIFESTS, "success=\"true\"",
		     1234000000, 0, NULL, 0),
	    FX_OK);
	want_int(exposition_add(&x, METRIC_SYNC_DURATION, "success=\"true\"",
		     6250001, 3, buckets, 12),
	    FX_OK);
	want_int(exposition_add(&x, METRIC_SYNC_MANIFESTS, "success=\"false\"",
		     0, 0, NULL, 0),
	    FX_OK);
	exposition_write(&x, &b);
	exposition_clear(&x);
	s = str_take(&b);
	want_str(s,
	    "# HELP flux_daemon_sync_duration_seconds Duration of "
	    "git-to-cluster synchronisation, in seconds.\n"
	    "# TYPE flux_daemon_sync_duration_seconds histogram\n"
#define B(le, n)                                                               \
	"flux_daemon_sync_duration_seconds_bucket{success=\"true\",le=\"" le   \
	"\"} " n "\n"
	    B("0.5", "1") B("5", "1") B("10", "2") B("20", "2") B("30",
		"2") B("40", "2") B("50", "2") B("60", "2") B("75", "2") B("90",
		"2") B("120", "2") B("240", "2") B("+Inf",
		"3") "flux_daemon_sync_duration_seconds_sum{success=\"true\"} "
		     "6.250001\n"
		     "flux_daemon_sync_duration_seconds_count{success=\"true\"}"
		     " 3\n"
		     "# HELP flux_daemon_sync_manifests Number of synchronized "
		     "manifests\n"
		     "# TYPE flux_daemon_sync_manifests gauge\n"
		     "flux_daemon_sync_manifests{success=\"false\"} 0\n"
		     "flux_daemon_sync_manifests{success=\"true\"} 1234\n"
		     "# HELP flux_git_ready Status of the git repository.\n"
		     "# TYPE flux_git_ready gauge\n"
		     "flux_git_ready 1\n");
}

static void
test_numbers(void)
{
	static const struct {
		int64_t us;
		const char *text;
	} tv[] = {
		{ 0, "0" },
		{ 1, "0.000001" },
		{ 350000, "0.35" },
		{ 1000000, "1" },
		{ -1500000, "-1.5" },
		{ INT64_MIN, "-9223372036854.775808" },
	};

	for (size_t i = 0; i < nitems(tv); i++) {
		struct exposition x = { 0 };
		struct buf b = BUF_INIT(1024);
		auto_free char *s = NULL;

		want_int(exposition_add(&x, METRIC_GIT_READY, "", tv[i].us, 0,
			     NULL, 0),
		    FX_OK);
		exposition_write(&x, &b);
		exposition_clear(&x);
		s = str_take(&b);
		if (want(strrchr(s, ' ') != NULL))
			want(strncmp(strrchr(s, ' ') + 1, tv[i].text,
				 strlen(tv[i].text)) == 0 &&
			    str_ends(s, "\n"));
	}
}

static void
test_refused(void)
{
	static const char *const labels[] = { "a", "a=b", "a=\"b", "a=\"b\",",
		"A=\"b\"", "a=\"b\nc 1\"", "a=\"b\"} 1\nx 2", "=\"b\"",
		"a=\"\\", " a=\"b\"" };
	struct exposition x = { 0 };
	uint64_t bucket = 0;

	for (size_t i = 0; i < nitems(labels); i++)
		want_int(exposition_add(&x, METRIC_GIT_READY, labels[i], 0, 0,
			     NULL, 0),
		    FX_ESYNTAX);
	want_int(exposition_add(&x, 10000, "", 0, 0, NULL, 0), FX_ESYNTAX);
	want_int(exposition_add(&x, METRIC_GIT_READY, "", 0, 0, &bucket, 1),
	    FX_ESYNTAX);
	want_int(exposition_add(&x, METRIC_SYNC_DURATION, "", 0, 0, &bucket, 1),
	    FX_ESYNTAX);
	for (int i = 0; i < EXPOSITION_MAX_SAMPLES; i++)
		want_int(exposition_add(&x, METRIC_GIT_READY,
			     "a=\"\\\"\",b=\"}\"", 0, 0, NULL, 0),
		    FX_OK);
	want_int(exposition_add(&x, METRIC_GIT_READY, "", 0, 0, NULL, 0),
	    FX_ELIMIT);
	exposition_clear(&x);
}

static void
test_rows(void)
{
	for (size_t i = 0; i < METRIC_COUNT; i++)
		want(metric_rows[i].nbounds <= EXPOSITION_MAX_BUCKETS);
}

static void
test_empty(void)
{
	struct exposition x = { 0 };
	struct buf b = BUF_INIT(16);

	exposition_write(&x, &b);
	want_int(buf_left(&b), 0);
	exposition_clear(&x);
}

int
main(void)
{
	test_run("metrics: families in order, labels sorted", test_text);
	test_run("metrics: numbers without needless digits", test_numbers);
	test_run("metrics: nothing that would forge a line gets in",
	    test_refused);
	test_run("metrics: no family without a sample", test_empty);
	test_run("metrics: there is room for all buckets of each", test_rows);
	return test_done();
}
