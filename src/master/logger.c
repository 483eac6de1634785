/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "logger.h"

#include "clock.h"
#include "logfmt.h"
#include "str.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#define CHILD_LOG_RATE 100  /* records a second of one worker … */
#define CHILD_LOG_BURST 500 /* … and at once */

/* A pipe that poll calls writable takes this much without blocking. */
#define WRITE_STEP PIPE_BUF

static bool
is_writable(int fd, int wait_ms)
{
	struct pollfd p = { fd, POLLOUT, 0 };

	return poll(&p, 1, wait_ms) == 1 && (p.revents & POLLOUT) != 0;
}

/* Nobody reads any more, or the disk is full: keep nothing, and count it. */
static void
drop_waiting(struct logger *lg)
{
	const char *p = (const char *)buf_head(&lg->ring), *nl;
	size_t n = buf_left(&lg->ring);

	while (n != 0 && (nl = memchr(p, '\n', n)) != NULL) {
		lg->dropped++;
		n -= (size_t)(nl - p) + 1;
		p = nl + 1;
	}
	buf_reset(&lg->ring);
}

/* One write; false when nothing moves or nothing is left. */
static bool
write_some(struct logger *lg, int wait_ms)
{
	size_t n = buf_left(&lg->ring);
	ssize_t w;

	if (n == 0 || !is_writable(lg->fd, wait_ms))
		return false;
	w = write(lg->fd, buf_head(&lg->ring), n < WRITE_STEP ? n : WRITE_STEP);
	if (w == -1 && errno != EINTR && errno != EAGAIN) {
		drop_waiting(lg);
		return false;
	}
	if (w > 0)
		buf_skip(&lg->ring, (size_t)w);
	return true;
}

static void
on_writable(struct loop *l, int fd, short revents, void *arg)
{
	struct logger *lg = arg;

	(void)fd;
	(void)revents;
	while (write_some(lg, 0))
		;
	if (buf_left(&lg->ring) == 0)
		loop_del(l, &lg->source);
}

static void
emit(struct logger *lg, const struct log_pair *p, size_t n)
{
	auto_buf struct buf line = BUF_INIT(LOG_PAIRS_MAX * LOG_VALUE_MAX);

	if (lg->json)
		logfmt_add_json(&line, p, n);
	else
		logfmt_add_fmt(&line, p, n);
	if (buf_put(&lg->ring, buf_head(&line), buf_left(&line)) != FX_OK) {
		lg->dropped++;
		return;
	}
	while (write_some(lg, 0))
		;
	if (lg->loop != NULL && lg->source == NULL && buf_left(&lg->ring) != 0)
		lg->source =
		    loop_add(lg->loop, lg->fd, POLLOUT, on_writable, lg);
}

/* ts and caller in front, then what the record has. */
static void
emit_record(struct logger *lg, const char *caller, const char *worker,
    const struct log_pair *p, size_t n)
{
	struct log_pair all[LOG_PAIRS_MAX + 3];
	struct buf ts = BUF_INIT(64);
	auto_free char *text = NULL;
	size_t k = 0;

	clk_add_rfc3339(&ts, clk_wall_us());
	text = str_take(&ts);
	all[k++] = KS("ts", text);
	all[k++] = KS("caller", caller);
	for (size_t i = 0; i < n; i++)
		all[k++] = p[i];
	if (worker != NULL)
		all[k++] = KS("worker", worker);
	emit(lg, all, k);
}

static void
sink(void *arg, enum log_level level, const char *caller,
    const struct log_pair *p, size_t n)
{
	struct logger *lg = arg;

	if (level >= lg->level)
		emit_record(lg, caller, NULL, p, n);
}

void
logger_init(struct logger *lg, int fd, bool json, enum log_level level)
{
	*lg = (struct logger){ .fd = fd, .json = json, .level = level };
	buf_init(&lg->ring, LOGGER_RING_MAX);
	log_to(sink, lg);
}

void
logger_attach(struct logger *lg, struct loop *l)
{
	lg->loop = l;
}

void
logger_reopen(struct logger *lg, int fd)
{
	logger_flush(lg, 100 * CLK_MS);
	if (lg->loop != NULL)
		loop_del(lg->loop, &lg->source);
	if (lg->fd != STDERR_FILENO)
		close(lg->fd);
	lg->fd = fd;
}

void
logger_flush(struct logger *lg, int64_t max_us)
{
	int64_t end = clk_now_us() + max_us;

	while (buf_left(&lg->ring) != 0 && clk_now_us() < end &&
	    write_some(lg, 10))
		;
}

static bool
has_token(struct child *c)
{
	int64_t now = clk_now_us();
	int64_t gained = (now - c->log_filled_us) * CHILD_LOG_RATE / CLK_SEC;

	if (gained > 0) {
		c->log_tokens += gained;
		c->log_filled_us = now;
	}
	if (c->log_tokens > CHILD_LOG_BURST)
		c->log_tokens = CHILD_LOG_BURST;
	return c->log_tokens > 0 && c->log_tokens-- > 0;
}

void
logger_from_child(struct logger *lg, struct child *c, const struct ipc_log *m)
{
	struct log_pair p[LOG_PAIRS_MAX];
	size_t n = m->pairs_len < LOG_PAIRS_MAX ? m->pairs_len : LOG_PAIRS_MAX;

	if (m->level < lg->level)
		return;
	if (!has_token(c)) {
		lg->dropped++;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t kind = m->pairs[i].kind;

		p[i] = (struct log_pair){ m->pairs[i].key, m->pairs[i].value,
			/* a fallen worker must not write bare text */
			kind == LOG_K_NULL ? LOG_K_NULL : LOG_K_STR };
	}
	emit_record(lg, m->caller, child_name(c), p, n);
}
