/*
 * workload: naming one on the command line, and showing one in a table.
 */
#ifndef CTL_WORKLOAD_H
#define CTL_WORKLOAD_H

#include "base.h"
#include "buf.h"
#include "error.h"

#include <jansson.h>

/* "[namespace:]kind/name"; *id is owned, with a namespace, its kind in lower
 * case. */
int workload_id(const char *, const char *ns, char **id,
    struct ctl_error *) FX_MUSTUSE;

/* Whether it is one in some namespace. */
int workload_check(const char *, struct ctl_error *) FX_MUSTUSE;
#define WORKLOAD_ANY_NS "default" /* whose ids are as good as any other's */

/* Of two flags that mean the same, the one given; FX_ESYNTAX with this text if
 * both are.  Borrowed. */
int workload_flag(const char *flag, const char *old_flag, const char *both,
    const char **out, struct ctl_error *) FX_MUSTUSE;

/* Append a row for each container of a record_workload, or one: id, container,
 * image, state and, in the first row only, n last columns. */
void workload_add_rows(struct buf *, const json_t *, const char *const *last,
    size_t n);

#endif
