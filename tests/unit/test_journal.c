/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "buf.h"
#include "fd.h"
#include "ipc.h"
#include "journal.h"
#include "str.h"
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define IDS 8

/* What reading gave: the last state of each id "a0" … "a7". */
struct seen {
	unsigned state[IDS];
	int records;
	char last_message[64];
};

static void
on_record(void *arg, const struct journal_record *r)
{
	struct seen *s = arg;

	s->records++;
	snprintf(s->last_message, sizeof(s->last_message), "%s", r->message);
	if (r->id[0] == 'a' && r->id[1] >= '0' && r->id[1] < '0' + IDS)
		s->state[r->id[1] - '0'] = r->state;
}

static char dir[] = "/tmp/fluxd-journal.XXXXXX";
static int nfiles;

/* A file with a name: one without is taken for a removed one. */
static int
new_file(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%d", dir, nfiles++);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	want(fd != -1);
	return fd;
}

static void
remove_files(void)
{
	char path[64];

	while (nfiles-- > 0) {
		snprintf(path, sizeof(path), "%s/%d", dir, nfiles);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

static void
put(struct ledger *j, int id, unsigned state, const char *message)
{
	char name[3] = { 'a', (char)('0' + id), '\0' };
	struct journal_record r = { .id = name,
		.kind = IPC_UPDATE_SYNC,
		.state = state,
		.queued_us = 1700000000000000,
		.user = "Ada <ada@example.org>",
		.message = message,
		.spec = "{\"type\":\"sync\"}",
		.revision = "",
		.error = "" };
	struct fx_err err = { 0 };

	want_int(journal_append(j, &r, &err), FX_OK);
}

static struct seen
reread(int a, int b, uint64_t *generation)
{
	struct seen s = { 0 };
	struct fx_err err = { 0 };
	struct ledger j;

	want_int(journal_open(&j, a, b, on_record, &s, &err), FX_OK);
	if (generation != NULL)
		*generation = j.generation;
	return s;
}

static void
test_append_and_read(void)
{
	int a = new_file(), b = new_file();
	struct ledger j;
	struct seen s = { 0 };
	struct fx_err err = { 0 };

	want_int(journal_open(&j, a, b, on_record, &s, &err), FX_OK);
	want_int(s.records, 0);
	put(&j, 1, IPC_JOB_QUEUED, "tab\tand\nnewline");
	put(&j, 1, IPC_JOB_RUNNING, "");
	put(&j, 2, IPC_JOB_QUEUED, "last");
	s = reread(a, b, NULL);
	want_int(s.records, 3);
	want_int(s.state[1], IPC_JOB_RUNNING);
	want_int(s.state[2], IPC_JOB_QUEUED);
	want_str(s.last_message, "last");
	close(a);
	close(b);
}

static int64_t
size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_size : -1;
}

/* A file cut anywhere keeps every record that was complete, and what is
 * appended afterwards is found. */
static void
test_torn(void)
{
	int a = new_file(), b = new_file();
	auto_buf struct buf whole = BUF_INIT(65536);
	struct ledger j;
	struct seen s = { 0 };
	struct fx_err err = { 0 };
	size_t first;

	want_int(journal_open(&j, a, b, on_record, &s, &err), FX_OK);
	put(&j, 1, IPC_JOB_SUCCEEDED, "one");
	first = (size_t)j.size;
	put(&j, 2, IPC_JOB_SUCCEEDED, "two");
	want_int(fd_read_all(a, &whole), FX_OK);
	for (size_t cut = first; cut < buf_left(&whole); cut++) {
		int fd = new_file(), other = new_file();

		want(pwrite(fd, buf_head(&whole), cut, 0) == (ssize_t)cut);
		memset(&s, 0, sizeof(s));
		want_int(journal_open(&j, fd, other, on_record, &s, &err),
		    FX_OK);
		want_int(s.records, 1);
		want_int(s.state[1], IPC_JOB_SUCCEEDED);
		want_int(size_of(fd), j.size); /* the torn one is cut off */
		put(&j, 3, IPC_JOB_QUEUED, "three");
		s = reread(fd, other, NULL);
		want_int(s.records, 2);
		want_int(s.state[3], IPC_JOB_QUEUED);
		close(fd);
		close(other);
	}
	close(a);
	close(b);
}

static int rewritten;

static bool
two_records(void *arg, struct journal_record *r)
{
	static const char *const ids[] = { "a1", "a5" };

	(void)arg;
	if (rewritten == 2)
		return false;
	*r = (struct journal_record){ .id = ids[rewritten++],
		.state = IPC_JOB_FAILED };
	return true;
}

/* Write these bytes into two fresh files and read them. */
static struct seen
reread_bytes(const struct buf *bytes_a, const struct buf *bytes_b,
    size_t *damaged)
{
	int a = new_file(), b = new_file();
	struct seen s = { 0 };
	struct fx_err err = { 0 };
	struct ledger j;
	size_t na = buf_left(bytes_a), nb = buf_left(bytes_b);

	want(pwrite(a, buf_head(bytes_a), na, 0) == (ssize_t)na);
	want(pwrite(b, buf_head(bytes_b), nb, 0) == (ssize_t)nb);
	want_int(journal_open(&j, a, b, on_record, &s, &err), FX_OK);
	*damaged = j.damaged;
	close(a);
	close(b);
	return s;
}

/* A flipped bit costs the record it is in, or the one behind it if it was the
 * newline; it is counted, the others are read and none is invented. */
static void
test_damaged(void)
{
	int a = new_file(), b = new_file();
	auto_buf struct buf whole = BUF_INIT(65536), none = BUF_INIT(0);
	struct ledger j;
	struct seen s = { 0 };
	struct fx_err err = { 0 };
	size_t head, ends[3], damaged;

	want_int(journal_open(&j, a, b, on_record, &s, &err), FX_OK);
	head = (size_t)j.size;
	for (int i = 1; i <= 3; i++) {
		put(&j, i, IPC_JOB_SUCCEEDED, "text");
		ends[i - 1] = (size_t)j.size;
	}
	want_int(fd_read_all(a, &whole), FX_OK);
	for (size_t i = 0; i < buf_left(&whole); i++) {
		bool in_header = i < head - 1;

		whole.data[i] ^= 4;
		s = reread_bytes(&whole, &none, &damaged);
		for (int id = 1; id <= 3; id++) {
			size_t from = id == 1 ? head : ends[id - 2];
			bool hit =
			    !in_header && i + 1 >= from && i < ends[id - 1];

			want_int(s.state[id], hit ? 0 : IPC_JOB_SUCCEEDED);
		}
		want(damaged >= 1 || i == ends[2] - 1);
		whole.data[i] ^= 4;
	}
	close(a);
	close(b);
}

static void
limit_files(rlim_t bytes)
{
	struct rlimit l;

	want_int(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = bytes;
	want_int(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* Without space nothing is accepted, and nothing of it is found later. */
static void
test_full(void)
{
	int a = new_file(), b = new_file();
	struct journal_record r = { .id = "a2",
		.state = IPC_JOB_QUEUED,
		.message = "a text that does not fit any more" };
	struct ledger j;
	struct seen s = { 0 };
	struct fx_err err = { 0 };

	(void)signal(SIGXFSZ, SIG_IGN);
	want_int(journal_open(&j, a, b, on_record, &s, &err), FX_OK);
	put(&j, 1, IPC_JOB_QUEUED, "kept");
	for (int64_t n = j.size; n < j.size + 60; n += 7) {
		limit_files((rlim_t)n);
		want_int(journal_append(&j, &r, &err), FX_ESYS);
		want_str(err.text, "job journal: File too large");
		want_int(size_of(a), j.size); /* not a part of it is left */
		rewritten = 0;
		limit_files(100);
		want_int(journal_rewrite(&j, two_records, NULL, &err), FX_ESYS);
		limit_files(RLIM_INFINITY);
		s = reread(a, b, NULL);
		want_int(s.records, 1);
		want_int(s.state[1], IPC_JOB_QUEUED);
	}
	put(&j, 2, IPC_JOB_SUCCEEDED, "again");
	s = reread(a, b, NULL);
	want_int(s.records, 2);
	close(a);
	close(b);
}

static void
test_removed(void)
{
	FILE *a = tmpfile(), *b = tmpfile();
	struct journal_record r = { .id = "a2", .state = IPC_JOB_QUEUED };
	struct ledger j;
	struct seen s = { 0 };
	struct fx_err err = { 0 };

	if (!want(a != NULL && b != NULL))
		return;
	want_int(journal_open(&j, fileno(a), fileno(b), on_record, &s, &err),
	    FX_OK);
	want_int(journal_append(&j, &r, &err), FX_ESYS);
	want_str(err.text,
	    "job journal: the state directory was removed; restart fluxd");
	fclose(a);
	fclose(b);
}

/* More than a file may hold is refused, not cut. */
static void
test_too_much(void)
{
	int a = new_file(), b = new_file();
	auto_free char *text = xcalloc(1, 150000);
	struct journal_record r = { .id = "a1", .message = text };
	struct ledger j;
	struct seen s = { 0 };
	struct fx_err err = { 0 };
	int n = 0;

	memset(text, 'x', 149999);
	want_int(journal_open(&j, a, b, on_record, &s, &err), FX_OK);
	while (journal_append(&j, &r, &err) == FX_OK)
		n++;
	want_str(err.text, "job journal: full");
	want(n > 15 && j.size <= JOURNAL_MAX);
	want_int(reread(a, b, NULL).records, n);
	r.message = NULL;
	r.spec = text;
	memset(text, 'y', 149999);
	rewritten = 0;
	want(!ledger_is_large(&(struct ledger){ .size = LEDGER_COMPACT }));
	want(ledger_is_large(&j));
	want_int(journal_rewrite(&j, two_records, NULL, &err), FX_OK);
	want(!ledger_is_large(&j));
	close(a);
	close(b);
}

/* Death at any byte of a rewrite leaves the old or the new content. */
static void
test_rewrite(void)
{
	int a = new_file(), b = new_file();
	auto_buf struct buf fresh = BUF_INIT(65536);
	struct ledger j;
	struct seen s = { 0 };
	struct fx_err err = { 0 };
	uint64_t generation;
	size_t head;

	want_int(journal_open(&j, a, b, on_record, &s, &err), FX_OK);
	for (int i = 0; i < IDS; i++)
		put(&j, i, IPC_JOB_SUCCEEDED, "x");
	rewritten = 0;
	want_int(journal_rewrite(&j, two_records, NULL, &err), FX_OK);
	s = reread(a, b, &generation);
	want_int(generation, 2);
	want_int(s.records, 2);
	want_int(s.state[5], IPC_JOB_FAILED);
	want_int(s.state[0], 0);

	/* the records are written behind a gap, then the header into it */
	want_int(fd_read_all(b, &fresh), FX_OK);
	head = strcspn((const char *)buf_head(&fresh), "\n") + 1;
	for (size_t cut = 0; cut < buf_left(&fresh); cut++) {
		int half = new_file();
		size_t from = cut < buf_left(&fresh) - head ? head : 0;
		size_t n = from == 0 ? cut - (buf_left(&fresh) - head) : cut;

		if (from == 0)
			want(pwrite(half, buf_head(&fresh) + head,
				 buf_left(&fresh) - head, (off_t)head) != -1);
		want(pwrite(half, buf_head(&fresh) + from, n, (off_t)from) ==
		    (ssize_t)n);
		s = reread(a, half, &generation);
		want_int(generation, 1);
		want_int(s.records, IDS);
		close(half);
	}
	close(a);
	close(b);
}

/* ---- first lines and NULs ---- */

#define JOB1 "J\ta1\t0\t4\t0\t-\t-\t-\t-\t-"
#define JOB2 "J\ta2\t0\t4\t0\t-\t-\t-\t-\t-"

/* Append a line with the checksum that the journal wants. */
static void
add_line(struct buf *b, const char *line, bool nul)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (const char *s = line; *s != '\0'; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3u;
	want_int(str_addf(b, "%s\t%016llx", line, (unsigned long long)h),
	    FX_OK);
	want_int(buf_put(b, "\0x", nul ? 2 : 0), FX_OK);
	want_int(str_addc(b, '\n'), FX_OK);
}

/* Of two journals the one with the higher number counts, whichever it is; what
 * is not quite a first line begins none. */
static void
test_first_lines(void)
{
	static const struct {
		const char *line;
		bool counts; /* what is behind it, else the other file */
	} tv[] = {
		{ "G\t00000000000000000003\t1", true },
		{ "G\t00000000000000000001\t1", false },
		{ "G\t00000000000000000000\t1", false },
		{ "G\t00000000000000000003\t2", false }, /* of a newer fluxd */
		{ "G\t00000000000000000003\t1\t1", false },
		{ "G\t00000000000000000003", false },
		{ "G\t3\t1", false },
		{ "G\t0000000000000000000x\t1", false },
		{ "H\t00000000000000000003\t1", false },
	};
	auto_buf struct buf ours = BUF_INIT(1024);
	size_t damaged;

	add_line(&ours, "G\t00000000000000000002\t1", false);
	add_line(&ours, JOB1, false);
	for (size_t i = 0; i < 2 * nitems(tv); i++) {
		auto_buf struct buf odd = BUF_INIT(1024);
		bool counts = tv[i / 2].counts;
		struct seen s;

		add_line(&odd, tv[i / 2].line, false);
		add_line(&odd, JOB2, false);
		s = i % 2 == 0 ? reread_bytes(&ours, &odd, &damaged)
			       : reread_bytes(&odd, &ours, &damaged);
		if (!want_int(s.state[1], counts ? 0 : IPC_JOB_SUCCEEDED) ||
		    !want_int(s.state[2], counts ? IPC_JOB_SUCCEEDED : 0))
			printf("# %s\n", tv[i / 2].line);
		want_int(damaged, 0);
	}
}

/* A NUL ends no line, though it ends its text. */
static void
test_nul(void)
{
	auto_buf struct buf in_record = BUF_INIT(1024),
			    in_first = BUF_INIT(1024), none = BUF_INIT(0);
	size_t damaged;
	struct seen s;

	add_line(&in_record, "G\t00000000000000000001\t1", false);
	add_line(&in_record, JOB1, true);
	add_line(&in_record, JOB2, false);
	s = reread_bytes(&in_record, &none, &damaged);
	want_int(s.state[1], 0);
	want_int(s.state[2], IPC_JOB_SUCCEEDED);
	want_int(damaged, 1);

	/* then it is no journal, but what can be read is */
	add_line(&in_first, "G\t00000000000000000001\t1", true);
	add_line(&in_first, JOB1, false);
	s = reread_bytes(&in_first, &none, &damaged);
	want_int(s.state[1], IPC_JOB_SUCCEEDED);
	want_int(damaged, 2);
}

/* A line whose checksum is right and that is no record all the same. */
static void
test_other_lines(void)
{
	static const char *const lines[] = {
		"K\ta1\t0\t4\t0\t-\t-\t-\t-\t-",
		"J\ta1\t0\t4\t0\t-\t-\t-\t-",
		"J\ta1\t0\t4\t0\t-\t-\t-\t-\t-\t-",
		"J\ta1\tx\t4\t0\t-\t-\t-\t-\t-",
		"J\ta1\t101\t4\t0\t-\t-\t-\t-\t-",
		"J\ta1\t0\tx\t0\t-\t-\t-\t-\t-",
		"J\ta1\t0\t101\t0\t-\t-\t-\t-\t-",
		"J\ta1\t0\t4\tx\t-\t-\t-\t-\t-",
		"J",
		"",
	};

	for (size_t i = 0; i < nitems(lines); i++) {
		auto_buf struct buf b = BUF_INIT(1024), none = BUF_INIT(0);
		size_t damaged;
		struct seen s;

		add_line(&b, "G\t00000000000000000001\t1", false);
		add_line(&b, lines[i], false);
		add_line(&b, JOB2, false);
		s = reread_bytes(&b, &none, &damaged);
		if (!want_int(s.records, 1) || !want_int(damaged, 1))
			printf("# %s\n", lines[i]);
		want_int(s.state[2], IPC_JOB_SUCCEEDED);
	}
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	test_run("journal: records come back, the last state counts",
	    test_append_and_read);
	test_run("journal: a torn record is dropped, the others stay",
	    test_torn);
	test_run("journal: a damaged record is left out, and nothing else",
	    test_damaged);
	test_run("journal: without space nothing is accepted", test_full);
	test_run("journal: a file that was removed takes nothing",
	    test_removed);
	test_run("journal: more than it may hold is refused", test_too_much);
	test_run("journal: a rewrite is all or nothing", test_rewrite);
	test_run("journal: the newer of two counts, by its first line",
	    test_first_lines);
	test_run("journal: a line with a NUL is none", test_nul);
	test_run("journal: a line of another form is left out",
	    test_other_lines);
	remove_files();
	return test_done();
}
