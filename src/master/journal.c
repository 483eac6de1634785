/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "journal.h"

#include "buf.h"
#include "fd.h"
#include "str.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Line: TAB-separated fields, texts in base64 ("-" when empty), then the FNV-1a
 * checksum of what stands before it in hex:
 *
 *	G  generation  1                                          first line
 *	J  id  kind  state  queued  user  message  spec  revision  error  sum
 */
#define LINE_MAX_BYTES (256 * 1024)
#define FIELDS 10

static uint64_t
checksum(const char *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)p[i]) * 0x100000001b3u;
	return h;
}

static void
add_text(struct buf *b, const char *s)
{
	(void)str_addc(b, '\t');
	if (s == NULL || *s == '\0')
		(void)str_addc(b, '-');
	else
		str_add_base64(b, (const uint8_t *)s, strlen(s), true, false);
}

/* End the line that began `start` bytes into the buffer. */
static void
add_sum(struct buf *b, size_t start)
{
	uint64_t sum =
	    checksum((const char *)buf_head(b) + start, buf_left(b) - start);

	(void)str_addf(b, "\t%016llx\n", (unsigned long long)sum);
}

/* FX_ELIMIT: it does not fit. */
static int
add_record(struct buf *b, const struct journal_record *r)
{
	size_t start = buf_left(b);

	(void)str_addf(b, "J\t%s\t%u\t%u\t%lld", r->id, r->kind, r->state,
	    (long long)r->queued_us);
	add_text(b, r->user);
	add_text(b, r->message);
	add_text(b, r->spec);
	add_text(b, r->revision);
	add_text(b, r->error);
	add_sum(b, start);
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

static char *
text_of(const char *field)
{
	struct buf b = BUF_INIT(LINE_MAX_BYTES);

	if (strcmp(field, "-") != 0 &&
	    str_unbase64(field, strlen(field), &b) != FX_OK)
		buf_clear(&b);
	return str_take(&b);
}

static bool
read_job(char *f[], journal_fn *fn, void *arg)
{
	struct journal_record r = { .id = f[1] };
	uint64_t kind, state;
	char *texts[5];

	if (fx_parse_u64(f[2], 0, 100, &kind) != FX_OK ||
	    fx_parse_u64(f[3], 0, 100, &state) != FX_OK ||
	    fx_parse_i64(f[4], INT64_MIN, INT64_MAX, &r.queued_us) != FX_OK)
		return false;
	for (size_t i = 0; i < nitems(texts); i++)
		texts[i] = text_of(f[5 + i]);
	r.kind = (unsigned)kind;
	r.state = (unsigned)state;
	r.user = texts[0];
	r.message = texts[1];
	r.spec = texts[2];
	r.revision = texts[3];
	r.error = texts[4];
	fn(arg, &r);
	for (size_t i = 0; i < nitems(texts); i++)
		free(texts[i]);
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
 * if it is no journal. */
static uint64_t
load(int fd, struct buf *text)
{
	char *f[FIELDS + 1];
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
replay(struct journal *j, struct buf *text, int64_t at, journal_fn *fn,
    void *arg)
{
	char *f[FIELDS + 1];
	const char *nl;
	size_t n;

	while (buf_left(text) != 0 &&
	    (nl = memchr(buf_head(text), '\n', buf_left(text))) != NULL) {
		auto_free char *line = NULL;

		n = (size_t)(nl - (const char *)buf_head(text));
		line = xstrndup((const char *)buf_head(text), n);
		if (strlen(line) != n || !check_sum(line) ||
		    split(line, f, nitems(f)) != FIELDS ||
		    strcmp(f[0], "J") != 0 || !read_job(f, fn, arg))
			j->damaged++;
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
	add_sum(b, 0);
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
journal_append(struct journal *j, const struct journal_record *r,
    struct fx_err *err)
{
	auto_buf struct buf b = BUF_INIT(LINE_MAX_BYTES);
	int fd = j->fds[j->current];

	if (fd == -1)
		return FX_OK;
	if (add_record(&b, r) != FX_OK ||
	    j->size + (int64_t)buf_left(&b) > JOURNAL_MAX)
		return fx_fail(err, FX_ELIMIT, "job journal: full");
	if (is_removed(fd))
		return fx_fail(err, FX_ESYS,
		    "job journal: the state directory was removed; restart "
		    "fluxd");
	if (write_at(fd, &b, j->size) == -1 || fdatasync(fd) == -1) {
		fx_fail(err, FX_ESYS, "job journal: %s", strerror(errno));
		/* what is refused must not be found by the next start */
		(void)!ftruncate(fd, j->size);
		return FX_ESYS;
	}
	j->size += (int64_t)buf_left(&b);
	return FX_OK;
}

bool
journal_is_large(const struct journal *j)
{
	return j->size > JOURNAL_COMPACT && j->size > 2 * j->rewritten;
}

int
journal_rewrite(struct journal *j,
    bool (*next)(void *arg, struct journal_record *), void *arg,
    struct fx_err *err)
{
	auto_buf struct buf b = BUF_INIT(JOURNAL_MAX), head = BUF_INIT(256);
	struct journal_record r;
	int other = !j->current, fd = j->fds[other];
	int64_t at;

	if (fd == -1)
		return FX_OK;
	add_header(&head, j->generation + 1);
	at = (int64_t)buf_left(&head);
	while (next(arg, &r))
		if (add_record(&b, &r) != FX_OK)
			return fx_fail(err, FX_ELIMIT, "job journal: full");
	/* emptied first, its header last: half of it is no journal */
	if (ftruncate(fd, 0) == -1 || write_at(fd, &b, at) == -1 ||
	    fdatasync(fd) == -1 || write_at(fd, &head, 0) == -1 ||
	    fdatasync(fd) == -1)
		return fx_fail(err, FX_ESYS, "job journal: %s",
		    strerror(errno));
	j->current = other;
	j->generation++;
	j->size = j->rewritten = at + (int64_t)buf_left(&b);
	return FX_OK;
}

/* Neither file is a journal: two empty ones, or their first lines are gone.
 * Then every record that can be read counts, and a rewrite mends the rest. */
static int
begin(struct journal *j, struct buf text[2], journal_fn *fn, void *arg,
    struct fx_err *err)
{
	auto_buf struct buf head = BUF_INIT(256);
	int fd = j->fds[0];

	j->generation = 1;
	if (buf_left(&text[0]) != 0 || buf_left(&text[1]) != 0) {
		j->damaged++;
		for (int i = 0; i < 2; i++)
			(void)replay(j, &text[i], 0, fn, arg);
		return FX_OK;
	}
	add_header(&head, 1);
	j->size = (int64_t)buf_left(&head);
	if (ftruncate(fd, 0) == -1 || write_at(fd, &head, 0) == -1 ||
	    fdatasync(fd) == -1)
		return fx_fail(err, FX_ESYS, "job journal: %s",
		    strerror(errno));
	return FX_OK;
}

static int
resume(struct journal *j, struct buf *text, journal_fn *fn, void *arg,
    struct fx_err *err)
{
	auto_buf struct buf head = BUF_INIT(256);

	add_header(&head, j->generation);
	j->size = replay(j, text, (int64_t)buf_left(&head), fn, arg);
	/* half a line would hide the one that is written after it */
	if (ftruncate(j->fds[j->current], j->size) == -1)
		return fx_fail(err, FX_ESYS, "job journal: %s",
		    strerror(errno));
	return FX_OK;
}

int
journal_open(struct journal *j, int a, int b, journal_fn *fn, void *arg,
    struct fx_err *err)
{
	struct buf text[2] = { BUF_INIT(JOURNAL_MAX), BUF_INIT(JOURNAL_MAX) };
	uint64_t generation[2];
	int r;

	*j = (struct journal){ .fds = { a, b } };
	for (int i = 0; i < 2; i++)
		generation[i] = load(j->fds[i], &text[i]);
	j->current = generation[1] > generation[0];
	j->generation = generation[j->current];
	r = j->generation == 0 ? begin(j, text, fn, arg, err)
			       : resume(j, &text[j->current], fn, arg, err);
	buf_clear(&text[0]);
	buf_clear(&text[1]);
	return r;
}
