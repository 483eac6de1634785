/*
 * exposition: metrics as Prometheus reads them, text format 0.0.4.
 *
 * Samples arrive in any order, as many as there are label values; they are
 * put in the order of the table of metrics.  A family without a sample does
 * not appear.
 */
#ifndef FX_EXPOSITION_H
#define FX_EXPOSITION_H

#include "base.h"
#include "buf.h"
#include "metric_ids.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define EXPOSITION_MAX_SAMPLES 4096
#define EXPOSITION_MAX_BUCKETS 32 /* of a row of metrics.def; a test looks */

struct exposition_sample {
	unsigned metric;
	char *labels;	  /* owned; success="true", as printed */
	int64_t value_us; /* value times 1e6; histogram: the sum */
	uint64_t count;	  /* histogram: observations */
	uint64_t buckets[EXPOSITION_MAX_BUCKETS]; /* cumulative */
};

struct exposition {
	struct exposition_sample *v; /* owned */
	size_t n, cap;
};

/*
 * Copies the sample.  FX_ESYNTAX: there is no such metric, its number of
 * buckets is another, or the labels are not labels; FX_ELIMIT: too many.
 */
int exposition_add(struct exposition *, unsigned metric, const char *labels,
    int64_t value_us, uint64_t count, const uint64_t *buckets,
    size_t nbuckets) FX_MUSTUSE;
void exposition_write(struct exposition *, struct buf *out);
void exposition_clear(struct exposition *);

#endif
