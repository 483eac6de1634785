/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "buf.h"
#include "fd.h"
#include "ipc.h"
#include "journal.h"
#include "test.h"

#include <stdio.h>
#include <sys/mman.h>
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

static int
memory_file(void)
{
	int fd = memfd_create("journal", 0);

	want(fd != -1);
	return fd;
}

static void
put(struct journal *j, int id, unsigned state, const char *message)
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
	struct journal j;

	want_int(journal_open(&j, a, b, on_record, &s, &err), FX_OK);
	if (generation != NULL)
		*generation = j.generation;
	return s;
}

static void
test_append_and_read(void)
{
	int a = memory_file(), b = memory_file();
	struct journal j;
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

/* A file cut anywhere keeps every record that was complete, and what is
 * appended afterwards is found. */
static void
test_torn(void)
{
	int a = memory_file(), b = memory_file();
	auto_buf struct buf whole = BUF_INIT(65536);
	struct journal j;
	struct seen s = { 0 };
	struct fx_err err = { 0 };
	size_t first;

	want_int(journal_open(&j, a, b, on_record, &s, &err), FX_OK);
	put(&j, 1, IPC_JOB_SUCCEEDED, "one");
	first = (size_t)j.size;
	put(&j, 2, IPC_JOB_SUCCEEDED, "two");
	want_int(fd_read_all(a, &whole), FX_OK);
	for (size_t cut = first; cut < buf_left(&whole); cut++) {
		int fd = memory_file(), other = memory_file();

		want(pwrite(fd, buf_head(&whole), cut, 0) == (ssize_t)cut);
		memset(&s, 0, sizeof(s));
		want_int(journal_open(&j, fd, other, on_record, &s, &err),
		    FX_OK);
		want_int(s.records, 1);
		want_int(s.state[1], IPC_JOB_SUCCEEDED);
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

/* A flipped bit ends the reading there and never invents a record. */
static void
test_damaged(void)
{
	int a = memory_file(), b = memory_file();
	auto_buf struct buf whole = BUF_INIT(65536);
	struct journal j;
	struct seen s = { 0 };
	struct fx_err err = { 0 };
	size_t first;

	want_int(journal_open(&j, a, b, on_record, &s, &err), FX_OK);
	put(&j, 1, IPC_JOB_SUCCEEDED, "one");
	first = (size_t)j.size;
	put(&j, 2, IPC_JOB_SUCCEEDED, "two");
	want_int(fd_read_all(a, &whole), FX_OK);
	for (size_t i = first; i < buf_left(&whole); i++) {
		int fd = memory_file(), other = memory_file();

		whole.data[i] ^= 4;
		want(pwrite(fd, buf_head(&whole), buf_left(&whole), 0) ==
		    (ssize_t)buf_left(&whole));
		s = reread(fd, other, NULL);
		want_int(s.records, 1);
		want_int(s.state[2], 0);
		whole.data[i] ^= 4;
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

/* Death at any byte of a rewrite leaves the old or the new content. */
static void
test_rewrite(void)
{
	int a = memory_file(), b = memory_file();
	auto_buf struct buf fresh = BUF_INIT(65536);
	struct journal j;
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
		int half = memory_file();
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

int
main(void)
{
	test_run("journal: records come back, the last state counts",
	    test_append_and_read);
	test_run("journal: a torn record is dropped, the others stay",
	    test_torn);
	test_run("journal: a damaged record is never believed", test_damaged);
	test_run("journal: a rewrite is all or nothing", test_rewrite);
	return test_done();
}
