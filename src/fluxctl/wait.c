/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "wait.h"

#include "clock.h"
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define JOB_FIRST_US (100 * CLK_MS)
#define JOB_CAP_US (5 * CLK_SEC)
#define SYNC_FIRST_US CLK_SEC
#define SYNC_CAP_US (10 * CLK_SEC)

#define CLEAR_REST "\033[K" /* of the line */

bool
backoff_next(struct backoff *b, int64_t now_us, int64_t *wait_us)
{
	int64_t delay = b->delay_us;

	/* now + delay > deadline, without the sum that could overflow */
	if (delay > b->deadline_us - now_us)
		return false;
	*wait_us = delay;
	b->delay_us = delay > b->cap_us / 2 ? b->cap_us : delay * 2;
	return true;
}

/* A wait, and what a terminal shows of it. */
struct wait {
	struct backoff backoff;
	const char *what;
	int64_t began_us; /* instant */
	bool shown;
};

static struct wait
wait_begin(const struct client *c, const char *what, int64_t first_us,
    int64_t cap_us)
{
	int64_t now_us = clk_now_us();

	return (struct wait){
		.backoff = {
			.delay_us = first_us,
			.cap_us = cap_us,
			.deadline_us = now_us + client_timeout_ns(c) / 1000,
		},
		.what = what,
		.began_us = now_us,
	};
}

void
wait_us(int64_t us)
{
	struct timespec left = {
		.tv_sec = us / CLK_SEC,
		.tv_nsec = us % CLK_SEC * 1000,
	};

	while (nanosleep(&left, &left) == -1 && errno == EINTR)
		continue;
}

/* One line, which is written over and taken away in the end. */
static void
show_progress(struct wait *w)
{
	long long seconds = (clk_now_us() - w->began_us) / CLK_SEC;

	if (seconds == 0 || !output_is_terminal(stderr))
		return;
	fprintf(stderr, "\r%s, %llds" CLEAR_REST, w->what, seconds);
	w->shown = true;
}

static void
wait_end(struct wait *w)
{
	if (w->shown)
		fputs("\r" CLEAR_REST, stderr);
	w->shown = false;
}

/* Sleeps until the next question is due. */
static int
pause_for(struct wait *w, struct ctl_error *err)
{
	int64_t us, step;

	if (!backoff_next(&w->backoff, clk_now_us(), &us))
		return ctl_fail(err, FX_ETIMEOUT, "timeout");
	for (; us > 0; us -= step) {
		step = us < CLK_SEC ? us : CLK_SEC;
		wait_us(step);
		show_progress(w);
	}
	return FX_OK;
}

/* Asks until the job is over; one that is not leaves *job empty. */
static int
poll_job(struct wait *w, const struct client *c, const char *id,
    struct job *job, struct ctl_error *err)
{
	int r;

	for (;;) {
		r = api_job(c, id, job, err);
		if (r != FX_OK || job->state != JOB_PENDING)
			return r;
		job_clear(job);
		r = pause_for(w, err);
		if (r != FX_OK)
			return r;
	}
}

int
wait_for_job(const struct client *c, const char *id, struct job *out,
    struct ctl_error *err)
{
	struct wait w =
	    wait_begin(c, "Waiting for the daemon", JOB_FIRST_US, JOB_CAP_US);
	struct job job = { 0 };
	int r = poll_job(&w, c, id, &job, err);

	wait_end(&w);
	if (r != FX_OK)
		return r;
	*out = job;
	/* a job that succeeded and has an error failed as well */
	if (job.state == JOB_FAILED || *job.error != '\0')
		return ctl_fail(err, FX_EFAIL, "%s", job.error);
	return FX_OK;
}

int
wait_for_sync(const struct client *c, const char *revision,
    struct ctl_error *err)
{
	struct wait w = wait_begin(c, "Waiting for the commit to be applied",
	    SYNC_FIRST_US, SYNC_CAP_US);
	bool applied = false;
	int r = FX_OK;

	while (r == FX_OK && !applied) {
		r = api_is_applied(c, revision, &applied, err);
		if (r == FX_OK && !applied)
			r = pause_for(&w, err);
	}
	wait_end(&w);
	return r;
}
