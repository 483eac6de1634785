/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "exposition.h"

#include <inttypes.h>

#include "metric.h"
#include "str.h"

/* name="value" pairs with commas between them: nothing that would end a
 * sample line early. */
static bool
are_labels(const char *s)
{
	if (*s == '\0')
		return true;
	for (;;) {
		size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz_");

		s += n;
		if (n == 0 || s[0] != '=' || s[1] != '"')
			return false;
		for (s += 2; *s != '"'; s++) {
			if (*s == '\\')
				s++;
			if ((unsigned char)*s < 0x20)
				return false;
		}
		if (*++s == '\0')
			return true;
		if (*s++ != ',')
			return false;
	}
}

int
exposition_add(struct exposition *x, unsigned metric, const char *labels,
    int64_t value_us, uint64_t count, const uint64_t *buckets, size_t nbuckets)
{
	struct exposition_sample *s;

	if (metric >= METRIC_COUNT || nbuckets != metric_rows[metric].nbounds ||
	    !are_labels(labels))
		return FX_ESYNTAX;
	if (x->n == EXPOSITION_MAX_SAMPLES)
		return FX_ELIMIT;
	if (x->n == x->cap) {
		x->cap = x->cap == 0 ? 64 : 2 * x->cap;
		x->v = xreallocarray(x->v, x->cap, sizeof(*x->v));
	}
	s = &x->v[x->n++];
	*s = (struct exposition_sample){
		.metric = metric,
		.labels = xstrdup(labels),
		.value_us = value_us,
		.count = count,
	};
	if (nbuckets != 0)
		memcpy(s->buckets, buckets, nbuckets * sizeof(*buckets));
	return FX_OK;
}

static int
compare(const void *a, const void *b)
{
	const struct exposition_sample *x = a, *y = b;

	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	return strcmp(x->labels, y->labels);
}

/* A number with six decimals, without the zeros at its end. */
static void
add_number(struct buf *out, int64_t us)
{
	uint64_t v = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
	uint64_t fraction = v % 1000000;
	int digits = 6;

	str_addf(out, "%s%" PRIu64, us < 0 ? "-" : "", v / 1000000);
	if (fraction == 0)
		return;
	for (; fraction % 10 == 0; fraction /= 10)
		digits--;
	str_addf(out, ".%0*" PRIu64, digits, fraction);
}

static void
add_series(struct buf *out, const char *name, const char *suffix,
    const char *labels)
{
	str_addf(out, "%s%s", name, suffix);
	if (*labels != '\0')
		str_addf(out, "{%s}", labels);
	str_addc(out, ' ');
}

static void
add_histogram(struct buf *out, const struct exposition_sample *s)
{
	const char *name = metric_rows[s->metric].name;
	const char *comma = *s->labels == '\0' ? "" : ",";

	for (size_t i = 0; i < metric_rows[s->metric].nbounds; i++) {
		str_addf(out, "%s_bucket{%s%sle=\"", name, s->labels, comma);
		add_number(out, metric_rows[s->metric].bounds[i]);
		str_addf(out, "\"} %" PRIu64 "\n", s->buckets[i]);
	}
	str_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name,
	    s->labels, comma, s->count);
	add_series(out, name, "_sum", s->labels);
	add_number(out, s->value_us);
	str_addc(out, '\n');
	add_series(out, name, "_count", s->labels);
	str_addf(out, "%" PRIu64 "\n", s->count);
}

void
exposition_write(struct exposition *x, struct buf *out)
{
	static const char *const kinds[] = {
		[METRIC_IS_GAUGE] = "gauge",
		[METRIC_IS_HISTOGRAM] = "histogram",
		[METRIC_IS_COUNTER] = "counter",
	};

	if (x->n != 0)
		qsort(x->v, x->n, sizeof(*x->v), compare);
	for (size_t i = 0; i < x->n; i++) {
		const struct exposition_sample *s = &x->v[i];
		const char *name = metric_rows[s->metric].name;
		enum metric_kind kind = metric_rows[s->metric].kind;

		if (i == 0 || x->v[i - 1].metric != s->metric)
			str_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name,
			    metric_rows[s->metric].help, name, kinds[kind]);
		if (kind == METRIC_IS_HISTOGRAM) {
			add_histogram(out, s);
			continue;
		}
		add_series(out, name, "", s->labels);
		add_number(out, s->value_us);
		str_addc(out, '\n');
	}
}

void
exposition_clear(struct exposition *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->v[i].labels);
	free(x->v);
	*x = (struct exposition){ 0 };
}
