/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "wait.h"

#include "clock.h"

#include <errno.h>
#include <time.h>

#define JOB_FIRST_US (100 * CLK_MS)
#define JOB_CAP_US (5 * CLK_SEC)
#define SYNC_FIRST_US CLK_SEC
#define SYNC_CAP_US (10 * CLK_SEC)

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

static struct backoff
backoff_start(const struct client *c, int64_t first_us, int64_t cap_us)
{
	return (struct backoff){
		.delay_us = first_us,
		.cap_us = cap_us,
		.deadline_us = clk_now_us() + client_timeout_ns(c) / 1000,
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

/* Sleeps until the next question is due. */
static int
pause_for(struct backoff *b, struct ctl_error *err)
{
	int64_t us;

	if (!backoff_next(b, clk_now_us(), &us))
		return ctl_fail(err, FX_ETIMEOUT, "timeout");
	wait_us(us);
	return FX_OK;
}

int
wait_for_job(const struct client *c, const char *id, struct job *out,
    struct ctl_error *err)
{
	struct backoff b = backoff_start(c, JOB_FIRST_US, JOB_CAP_US);
	struct job job;
	int r;

	for (;;) {
		r = api_job(c, id, &job, err);
		if (r != FX_OK)
			return r;
		if (job.state != JOB_PENDING)
			break;
		job_clear(&job);
		r = pause_for(&b, err);
		if (r != FX_OK)
			return r;
	}
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
	struct backoff b = backoff_start(c, SYNC_FIRST_US, SYNC_CAP_US);
	bool applied = false;
	int r;

	for (;;) {
		r = api_is_applied(c, revision, &applied, err);
		if (r != FX_OK || applied)
			return r;
		r = pause_for(&b, err);
		if (r != FX_OK)
			return r;
	}
}
