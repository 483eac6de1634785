/*
 * log: say what happened, once, where the work is run.
 *
 * A record is typed pairs; ts and caller are put in front by the sink that
 * writes it.  In the master the sink is the log descriptor; in a worker it is
 * a LOG message, and the master adds who sent it.  Library and domain code
 * does not log: it returns errors.
 *
 *	log_info("fetched", ...) does not exist on purpose: upstream's records
 *	have no levels, the first key says the severity (err, warning, info,
 *	msg).  The level here only decides what --log-level shows.
 */
#ifndef FX_LOG_H
#define FX_LOG_H

#include "base.h"
#include "logfmt.h"

enum log_level { LVL_DEBUG, LVL_INFO, LVL_WARN, LVL_ERROR };

#define LOG_PAIRS_MAX 24

typedef void log_sink_fn(void *arg, enum log_level, const char *caller,
    const struct log_pair *, size_t n);

/* Where records go from now on. */
void log_to(log_sink_fn *, void *arg);

/* Pairs for log_at: string, integer, bool, null.  Values live until log_at
 * returns; KI formats into storage of the call. */
#define KS(k, v) ((struct log_pair){ (k), (v), LOG_K_STR })
#define KI(k, v) ((struct log_pair){ (k), log_int((int64_t)(v)), LOG_K_BARE })
#define KB(k, v) ((struct log_pair){ (k), (v) ? "true" : "false", LOG_K_BARE })
#define KNULL(k) ((struct log_pair){ (k), NULL, LOG_K_NULL })

#define log_at(level, ...)                                                     \
	log_pairs(level, FX_CALLER, (const struct log_pair[]){ __VA_ARGS__ },  \
	    nitems(((const struct log_pair[]){ __VA_ARGS__ })))

#define FX_STRING_(x) #x
#define FX_STRING(x) FX_STRING_(x)
#define FX_CALLER __FILE__ ":" FX_STRING(__LINE__)

void log_pairs(enum log_level, const char *caller, const struct log_pair *,
    size_t n);

/* A decimal in one of a few static slots, good for the current record. */
const char *log_int(int64_t);

#endif
