/*
 * gotext: values as Go's fmt package prints them, for error texts that people
 * search for.
 */
#ifndef FX_GOTEXT_H
#define FX_GOTEXT_H

#include "base.h"
#include "buf.h"
#include "node.h"

/* Append a value as %#v prints what it was decoded to, for example
 * map[interface {}]interface {}{".x":interface {}(nil)}.  What no longer fits
 * into the buf is cut. */
void go_syntax(struct buf *, const struct node *);

#endif
