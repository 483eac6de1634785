/*
 * yaml_write: an object of the API server as a YAML document.
 *
 * Whoever reads it may know YAML 1.1 or 1.2, and may be upstream's fluxctl: a
 * string that any of them would take for something else (no, 1e3, 0777, a date)
 * is quoted, as a value and as a key.
 */
#ifndef FX_SW_YAML_WRITE_H
#define FX_SW_YAML_WRITE_H

#include "base.h"
#include "buf.h"

#include <jansson.h>

#define YAML_DEPTH_MAX 100 /* collections; fluxctl reads no deeper ones */
/* deeper ones stand on one line: an indentation for each of a million elements
 * would make gigabytes of a megabyte */
#define YAML_BLOCK_DEPTH 16

/*
 * Append "---" and the object, apiVersion and kind in front, which the elements
 * of a list lack.  FX_ELIMIT: nested too deeply, or longer than the buf may
 * get; then a part of it may be there.
 */
int yaml_write(struct buf *out, const char *api_version, const char *kind,
    const json_t *object, struct fx_err *) FX_MUSTUSE;

#endif
