/*
 * write: JSON as text, for two readers.
 *
 * The API server reads what is applied with a parser of YAML 1.1, to which some
 * valid JSON means something else.  kubectl compares the record of what was
 * applied last with its own, byte by byte, so that is written as Go does.
 */
#ifndef FX_SW_WRITE_H
#define FX_SW_WRITE_H

#include "base.h"
#include "buf.h"

#include <jansson.h>

enum write_form {
	WRITE_YAML, /* read the same by a parser of YAML 1.1 */
	WRITE_GO,   /* as Go's encoding/json: members sorted, HTML escaped */
};

/* Append, without white space.  FX_ELIMIT: more than the buf takes. */
int write_json(struct buf *, const json_t *, enum write_form) FX_MUSTUSE;

#endif
