/*
 * values: what the words after flags mean, with Go's error texts.
 */
#ifndef CTL_VALUES_H
#define CTL_VALUES_H

#include "error.h"
#include "options.h"

int value_bool(const char *, bool *out, struct ctl_error *) FX_MUSTUSE;
int value_duration(const char *, int64_t *ns, struct ctl_error *) FX_MUSTUSE;

/* "k=v,k2=v2", one CSV record; `first` replaces what *out holds, otherwise it
 * is merged into that. */
int value_map(const char *, bool first, struct ctl_map *out,
    struct ctl_error *) FX_MUSTUSE;

void ctl_map_clear(struct ctl_map *);

/* Append the pairs, sorted, joined with commas. */
void ctl_map_print(const struct ctl_map *, struct buf *);

#endif
