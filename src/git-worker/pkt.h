/*
 * pkt: a watch over the first thing a git server says.
 *
 * The list of refs comes in pkt-lines before anything was negotiated, from a
 * server that may send without end.  The bytes pass by here on their way to
 * libgit2: lengths are checked, lines and bytes are counted, and an ERR line
 * becomes an error whose text is safe to show.
 */
#ifndef FX_PKT_H
#define FX_PKT_H

#include "base.h"

#define PKT_MAX_BYTES (64u << 20) /* of a list of refs */
#define PKT_MAX_LINES 750000	  /* refs; libgit2 needs 150 bytes for each */
#define PKT_LINE_MAX 65520	  /* bytes of a line with its length */
#define PKT_ERR_MAX 512		  /* bytes kept of a complaint */

struct pkt_watch {
	unsigned flushes; /* flush lines still to come; 0: the list is over */
	char head[4];	  /* of the length that is being read */
	size_t nhead;
	size_t left;		 /* bytes of the line still to come */
	char start[PKT_ERR_MAX]; /* its first bytes */
	size_t nstart;
	uint64_t bytes, lines;
};

/* A list ends with one flush line; over http another one comes before it. */
void pkt_watch_init(struct pkt_watch *, unsigned flushes);

/* Look at n more bytes.  FX_ESYNTAX, FX_ELIMIT, FX_EDENIED (ERR line). */
int pkt_watch_feed(struct pkt_watch *, const void *, size_t n,
    struct fx_err *) FX_MUSTUSE;

#endif
