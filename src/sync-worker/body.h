/*
 * body: a resource as git has it, made fit for server-side apply.
 *
 * The server reads what we send with a YAML parser and a schema, and treats
 * some of it other than kubectl's client-side apply did: nulls, stringData,
 * status.  What comes out here gives users what they are used to.
 */
#ifndef FX_SW_BODY_H
#define FX_SW_BODY_H

#include "base.h"
#include "buf.h"

#include <jansson.h>

/* The resource as it came from git; FX_ELIMIT: with a number that the server
 * would store as another one. */
json_t *body_read(const struct buf *, struct fx_err *) FX_MUSTUSE;

/* A kind that comes with the server, so that its fields are known. */
bool body_is_builtin(const json_t *object);

/* Change the object in place; namespaced says where its kind lives. */
void body_adapt(json_t *object, bool namespaced);

/* Append as JSON that is read the same as YAML 1.1.  FX_ELIMIT: more than the
 * buf takes. */
int body_write(struct buf *, const json_t *) FX_MUSTUSE;

#endif
