/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "clock.h"
#include "str.h"

#include <time.h>

static const int64_t *fake_mono;
static const int64_t *fake_wall;

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) == -1)
		fx_bug("clock_gettime");
	return (int64_t)ts.tv_sec * CLK_SEC + ts.tv_nsec / 1000;
}

int64_t
clk_now_us(void)
{
	return fake_mono != NULL ? *fake_mono : read_clock(CLOCK_MONOTONIC);
}

int64_t
clk_wall_us(void)
{
	return fake_wall != NULL ? *fake_wall : read_clock(CLOCK_REALTIME);
}

void
clk_fake(const int64_t *mono_us, const int64_t *wall_us)
{
	fake_mono = mono_us;
	fake_wall = wall_us;
}

void
clk_add_rfc3339(struct buf *b, int64_t wall_us)
{
	time_t sec = (time_t)(wall_us / CLK_SEC);
	int us = (int)(wall_us % CLK_SEC);
	struct tm tm;
	char text[32];
	int digits = 6;

	gmtime_r(&sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)str_add(b, text);
	if (us != 0) {
		for (; us % 10 == 0; us /= 10)
			digits--;
		(void)str_addf(b, ".%0*d", digits, us);
	}
	(void)str_addc(b, 'Z');
}
