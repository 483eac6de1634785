/*
 * page: what reader.c and page.c share and nobody else sees.
 *
 * reader.c decides which place is read when, and hands out what was read;
 * page.c reads a place, page by page.
 */
#ifndef FX_SW_PAGE_H
#define FX_SW_PAGE_H

#include "base.h"
#include "reader.h"

/* A place that is being read. */
struct page {
	struct reader *reader;
	const struct place *place;
	struct request *request; /* NULL: none is on its way */
	struct items items;
	char *cont; /* token of the page that comes; NULL: the first */
	char *last; /* "ns/name" handed out last; NULL */
	bool skip;  /* the list began anew: up to `last` it was handed out */
	unsigned limit, tries;
	bool too_much; /* the page that comes is larger than it may be */
	int64_t not_before_us;
	struct reading *head, **tail; /* of the page that comes */
	size_t n, bytes;
	char *newest;	       /* key of the one that was made last */
	struct reading *whole; /* to be taken */
	bool ended;	       /* there is no page after it */
	struct page *next;
};

struct reader {
	struct readers *all;
	struct reader_hooks hooks;
	bool in_order, started;
	struct place *places;
	size_t nplaces, begun;
	struct page *pages; /* that are being read, in order of places */
	size_t npages;
	size_t held;	 /* bytes to be taken */
	size_t expected; /* … that are on their way */
	char **seen;	 /* keys that an older group may show again */
	size_t nseen;
	struct fx_err err;
	struct loop_timer timer; /* tells whoever takes */
	struct reader *next;
};

/* page.c: a place that is read from now on; at the end of the reader's list. */
struct page *page_new(struct reader *, const struct place *);
void page_free(struct page *);
/* Ask for the next page, or find that there is none to ask for. */
void page_ask(struct page *);
/* An older group is read next, whose objects may have been shown already; or a
 * newer one that has nothing to do with those before. */
void seen_sort(struct reader *);
void seen_clear(struct reader *);

/* reader.c: there is something to take, or the end. */
void reader_tell(struct reader *);
void readers_wake(struct readers *, int64_t when_us);

#endif
