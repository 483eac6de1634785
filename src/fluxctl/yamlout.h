/*
 * yamlout: YAML as the original's library writes it, in block style.
 *
 * A file or a pipe gets the text as it is; on a terminal, what could move or
 * reorder what is shown is made visible.
 */
#ifndef CTL_YAMLOUT_H
#define CTL_YAMLOUT_H

#include "base.h"
#include "buf.h"
#include "error.h"

#include <jansson.h>
#include <stdio.h>

struct node;

int yamlout_node(struct buf *, struct node *, struct ctl_error *) FX_MUSTUSE;

int yamlout_json(FILE *, const json_t *, struct ctl_error *) FX_MUSTUSE;

#endif
