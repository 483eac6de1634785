/*
 * result: what became, or would become, of each workload in an update.
 */
#ifndef CTL_RESULT_H
#define CTL_RESULT_H

#include "base.h"
#include "buf.h"
#include "error.h"

#include <jansson.h>

/* A line of the table: a workload's error, one of its containers' updates, or
 * neither. */
struct result_row {
	char *id;	 /* owned, as are all */
	char *status;	 /* "success", "failed", … */
	char *text;	 /* the last column */
	json_t *update;	 /* of a container; NULL: of none */
	bool continuing; /* the line above is the same workload's */
	bool checked;	 /* chosen in the menu */
};

struct result {
	struct result_row *v; /* owned; workloads in the order of their ids */
	size_t n;
};

#define RESULT_HEADING "WORKLOAD \tSTATUS \tUPDATES\n"

#define RESULT_SKIPPED_TOO 1 /* verbosity */
#define RESULT_IGNORED_TOO 2

/* Reads a job's result; workloads that are skipped or ignored are left out
 * unless the verbosity asks for them. */
int result_read(const json_t *, int64_t verbosity, struct result *out,
    struct ctl_error *) FX_MUSTUSE;
void result_clear(struct result *);

/* The same for programs: all of it, by the workloads' ids; *out is owned. */
int result_value(const json_t *, json_t **out, struct ctl_error *) FX_MUSTUSE;
#define auto_result FX_CLEANUP(result_clear)

/* Append a row with its columns and a line end, for table_align. */
void result_add_row(struct buf *, const struct result_row *);

/* The ids of the workloads that were updated, joined with commas; owned. */
char *result_updated(const json_t *);

#endif
