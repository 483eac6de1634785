/*
 * values: what the words after flags mean, with Go's error texts.
 */
#ifndef CTL_VALUES_H
#define CTL_VALUES_H

#include "error.h"
#include "options.h"

int value_bool(const char *, bool *out, struct ctl_error *) FX_MUSTUSE;
int value_duration(const char *, int64_t *ns, struct ctl_error *) FX_MUSTUSE;
int value_int(const char *, int64_t *out, struct ctl_error *) FX_MUSTUSE;

/* A number, or VALUE_ONE_MORE, which adds one to *out. */
#define VALUE_ONE_MORE "+1"
int value_count(const char *, int64_t *out, struct ctl_error *) FX_MUSTUSE;

/* One CSV record; `first` replaces what *out holds, otherwise it is added. */
int value_list(const char *, bool first, struct ctl_list *out,
    struct ctl_error *) FX_MUSTUSE;

void ctl_list_clear(struct ctl_list *);

/* "k=v,k2=v2", one CSV record; `first` replaces what *out holds, otherwise it
 * is merged into that. */
int value_map(const char *, bool first, struct ctl_map *out,
    struct ctl_error *) FX_MUSTUSE;

void ctl_map_clear(struct ctl_map *);

/* Append the pairs, sorted, joined with commas. */
void ctl_map_print(const struct ctl_map *, struct buf *);

#endif
