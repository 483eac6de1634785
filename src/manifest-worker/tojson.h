/*
 * tojson: a document as JSON for the API server, as kubectl converts YAML:
 * keys that are no strings become strings, numbers stay numbers.
 */
#ifndef FX_TOJSON_H
#define FX_TOJSON_H

#include "base.h"
#include "buf.h"
#include "node.h"

#define TOJSON_MAX (8ul * 1024 * 1024) /* bytes; servers take 3 MiB */

/*
 * Append the JSON to `out`; NULL only tries whether there is one.  FX_EFAIL
 * for what JSON cannot say (a null key, infinity, not a number), FX_ELIMIT
 * past TOJSON_MAX or the limit of the buf.
 */
int
tojson_write(struct buf *out, const struct node *, struct fx_err *) FX_MUSTUSE;

#endif
