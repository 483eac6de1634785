/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "ledger.h"

#include "fd.h"
#include "str.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Line: TAB-separated fields, then the FNV-1a checksum of what stands before it
 * in hex.  The first one:
 *
 *	G  generation  1  sum
 */

static uint64_t
checksum(const char *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)p[i]) * 0x100000001b3u;
	return h;
}

int
ledger_end_line(struct buf *b, size_t start)
{
	uint64_t sum =
	    checksum((const char *)buf_head(b) + start, buf_left(b) - start);

	(void)str_addf(b, "\t%016llx\n", (unsigned long long)sum);
	/* what went over the buf's limit is cut somewhere before its end */
	return buf_left(b) > start &&
		((const char *)buf_head(b))[buf_left(b) - 1] == '\n'
	    ? FX_OK
	    : FX_ELIMIT;
}

/* ---- reading --------------------------------------------------------------
 */

/* Cut the line into fields in place; the number of them. */
static size_t
split(char *line, char *fields[], size_t max)
{
	size_t n = 0;
	char *tab;

	for (;; line = tab + 1) {
		if (n == max)
			return max + 1;
		fields[n++] = line;
		tab = strchr(line, '\t');
		if (tab == NULL)
			return n;
		*tab = '\0';
	}
}

/* Is the line's checksum right?  Then it is cut off. */
static bool
check_sum(char *line)
{
	char *last = strrchr(line, '\t');
	auto_buf struct buf want = BUF_INIT(64);

	if (last == NULL)
		return false;
	(void)str_addf(&want, "%016llx",
	    (unsigned long long)checksum(line, (size_t)(last - line)));
	if (strlen(last + 1) != buf_left(&want) ||
	    memcmp(last + 1, buf_head(&want), buf_left(&want)) != 0)
		return false;
	*last = '\0';
	return true;
}

/* Twenty digits with leading zeros, which fx_parse_u64 would take for octal. */
static bool
parse_decimal(const char *s, uint64_t *out)
{
	*out = 0;
	for (; *s >= '0' && *s <= '9'; s++)
		*out = *out * 10 + (uint64_t)(*s - '0');
	return *s == '\0';
}

/* The content as text; the generation of its first line, which is taken, or 0
 * if it is no ledger. */
static uint64_t
load(int fd, struct buf *text)
{
	char *f[LEDGER_FIELDS_MAX + 1];
	uint64_t generation = 0;
	auto_free char *line = NULL;
	const char *nl;
	size_t n;

	if (fd_read_all(fd, text) != FX_OK)
		return 0;
	nl = memchr(buf_head(text), '\n', buf_left(text));
	if (nl == NULL)
		return 0;
	n = (size_t)(nl - (const char *)buf_head(text));
	line = xstrndup((const char *)buf_head(text), n);
	/* a NUL is part of a gap that was never filled */
	if (strlen(line) != n || !check_sum(line) ||
	    split(line, f, nitems(f)) != 3 || strcmp(f[0], "G") != 0 ||
	    strcmp(f[2], "1") != 0 || strlen(f[1]) != 20 ||
	    !parse_decimal(f[1], &generation))
		return 0;
	buf_skip(text, n + 1);
	return generation;
}

/* Read each line that is whole and right, and count those that are whole and
 * not; bytes up to the end of the last whole one. */
static int64_t
replay(struct ledger *l, struct buf *text, int64_t at, ledger_fn *fn, void *arg)
{
	char *f[LEDGER_FIELDS_MAX + 1];
	const char *nl;
	size_t n, fields;

	while (buf_left(text) != 0 &&
	    (nl = memchr(buf_head(text), '\n', buf_left(text))) != NULL) {
		auto_free char *line = NULL;

		n = (size_t)(nl - (const char *)buf_head(text));
		line = xstrndup((const char *)buf_head(text), n);
		if (strlen(line) != n || !check_sum(line) ||
		    (fields = split(line, f, nitems(f))) > LEDGER_FIELDS_MAX ||
		    !fn(arg, f, fields))
			l->damaged++;
		at += (int64_t)n + 1;
		buf_skip(text, n + 1);
	}
	return at;
}

/* ---- writing --------------------------------------------------------------
 */

static int
write_at(int fd, const struct buf *b, int64_t at)
{
	const uint8_t *p = buf_head(b);
	size_t n = buf_left(b);
	ssize_t w;

	for (; n > 0; p += w, n -= (size_t)w, at += w) {
		w = pwrite(fd, p, n, at);
		if (w == -1 && errno == EINTR)
			w = 0;
		else if (w <= 0)
			return -1;
	}
	return 0;
}

static void
add_header(struct buf *b, uint64_t generation)
{
	/* of one length, so that it can be written last, into its place */
	(void)str_addf(b, "G\t%020llu\t1", (unsigned long long)generation);
	if (ledger_end_line(b, 0) != FX_OK)
		fx_bug("ledger: no room for a header");
}

static int
fail(const struct ledger *l, struct fx_err *err)
{
	return fx_fail(err, FX_ESYS, "%s: %s", l->name, strerror(errno));
}

/* Nobody will find again what is written into a file without a name.  By the
 * system call: libc's fstat may be one that takes paths as well, which the
 * master's filter does not let through. */
static bool
is_removed(int fd)
{
	struct stat st = { 0 };

	return syscall(SYS_fstat, fd, &st) == 0 && st.st_nlink == 0 &&
	    S_ISREG(st.st_mode);
}

int
ledger_append(struct ledger *l, const struct buf *line, struct fx_err *err)
{
	int fd = l->fds[l->current];

	if (fd == -1)
		return FX_OK;
	if ((uint64_t)l->size + buf_left(line) > l->max)
		return fx_fail(err, FX_ELIMIT, "%s: full", l->name);
	if (is_removed(fd))
		return fx_fail(err, FX_ESYS,
		    "%s: the state directory was removed; restart fluxd",
		    l->name);
	if (write_at(fd, line, l->size) == -1 || fdatasync(fd) == -1) {
		(void)fail(l, err);
		/* what is refused must not be found by the next start */
		(void)!ftruncate(fd, l->size);
		return FX_ESYS;
	}
	l->size += (int64_t)buf_left(line);
	return FX_OK;
}

bool
ledger_is_large(const struct ledger *l)
{
	return l->size > LEDGER_COMPACT && l->size > 2 * l->rewritten;
}

int
ledger_rewrite(struct ledger *l, const struct buf *lines, struct fx_err *err)
{
	auto_buf struct buf head = BUF_INIT(256);
	int other = !l->current, fd = l->fds[other];
	int64_t at;

	if (fd == -1)
		return FX_OK;
	add_header(&head, l->generation + 1);
	at = (int64_t)buf_left(&head);
	/* emptied first, its header last: half of it is no ledger */
	if (ftruncate(fd, 0) == -1 || write_at(fd, lines, at) == -1 ||
	    fdatasync(fd) == -1 || write_at(fd, &head, 0) == -1 ||
	    fdatasync(fd) == -1)
		return fail(l, err);
	l->current = other;
	l->generation++;
	l->size = l->rewritten = at + (int64_t)buf_left(lines);
	return FX_OK;
}

/* Neither file is a ledger: two empty ones, or their first lines are gone.
 * Then every line that can be read counts, and a rewrite mends the rest. */
static int
begin(struct ledger *l, struct buf text[2], ledger_fn *fn, void *arg,
    struct fx_err *err)
{
	auto_buf struct buf head = BUF_INIT(256);
	int fd = l->fds[0];

	l->generation = 1;
	if (buf_left(&text[0]) != 0 || buf_left(&text[1]) != 0) {
		l->damaged++;
		for (int i = 0; i < 2; i++)
			(void)replay(l, &text[i], 0, fn, arg);
		return FX_OK;
	}
	add_header(&head, 1);
	l->size = (int64_t)buf_left(&head);
	if (ftruncate(fd, 0) == -1 || write_at(fd, &head, 0) == -1 ||
	    fdatasync(fd) == -1)
		return fail(l, err);
	return FX_OK;
}

static int
resume(struct ledger *l, struct buf *text, ledger_fn *fn, void *arg,
    struct fx_err *err)
{
	auto_buf struct buf head = BUF_INIT(256);

	add_header(&head, l->generation);
	l->size = replay(l, text, (int64_t)buf_left(&head), fn, arg);
	/* half a line would hide the one that is written after it */
	if (ftruncate(l->fds[l->current], l->size) == -1)
		return fail(l, err);
	return FX_OK;
}

int
ledger_open(struct ledger *l, const char *name, size_t max, int a, int b,
    ledger_fn *fn, void *arg, struct fx_err *err)
{
	struct buf text[2] = { BUF_INIT(max), BUF_INIT(max) };
	uint64_t generation[2];
	int r;

	*l = (struct ledger){ .name = name, .max = max, .fds = { a, b } };
	for (int i = 0; i < 2; i++)
		generation[i] = load(l->fds[i], &text[i]);
	l->current = generation[1] > generation[0];
	l->generation = generation[l->current];
	r = l->generation == 0 ? begin(l, text, fn, arg, err)
			       : resume(l, &text[l->current], fn, arg, err);
	buf_clear(&text[0]);
	buf_clear(&text[1]);
	return r;
}
