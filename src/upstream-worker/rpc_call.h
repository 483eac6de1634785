/*
 * rpc_call: the methods that a service may call, as requests of the API.
 */
#ifndef FX_UW_RPC_CALL_H
#define FX_UW_RPC_CALL_H

#include "base.h"
#include "buf.h"

#include <jansson.h>

#define RPC_SERVICE "RPCServer"

struct rpc_method {
	const char *name;
	const char *http; /* its method */
	const char *path;
	/* Of the result, when there is an error that has a shape; NULL: the
	 * result stands alone, and all errors are texts. */
	const char *zero;
	bool has_result; /* beside the error */
	int (*read)(const json_t *arg, struct buf *target, struct buf *body,
	    struct fx_err *);
};

/* "RPCServer.Ping"; NULL, and upstream's error. */
const struct rpc_method *rpc_find(const char *name, struct fx_err *);

/* The path and query, and the body, that the first of the parameters stands
 * for.  FX_ESYNTAX: it does not have the method's type. */
int rpc_read(const struct rpc_method *, const json_t *params,
    struct buf *target, struct buf *body, struct fx_err *) FX_MUSTUSE;

#endif
