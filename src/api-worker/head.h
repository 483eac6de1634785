/*
 * head: what libmicrohttpd lets through, and we do not.
 *
 * The library of Debian 12 reads requests leniently: Content-Length beside
 * Transfer-Encoding, folded lines, bare line feeds, names with spaces.  Where
 * two readers of one request can disagree, requests are smuggled, so such
 * requests are refused here, before anything of them is used.
 */
#ifndef FX_HEAD_H
#define FX_HEAD_H

#include "base.h"
#include "buf.h"

#include <microhttpd.h>

/*
 * Bytes of request line and header together: the memory that the library has
 * for a connection.  Up to 32 KiB it takes that from the heap, where the
 * connections of a crowd leave holes; what is larger has pages of its own,
 * which cost what of them is used, and nothing when the connection is closed.
 */
#define HEAD_MAX (36 * 1024)

struct head {
	char *accept;	 /* owned; all Accept values, a line each; NULL: none */
	uint64_t length; /* of the body, where it is given */
	bool form;	 /* the body is said to be a form */
};

/* The request line as the library's first call of the handler gives it;
 * `target` is the whole target before the library cut it.  FX_ESYNTAX: answer
 * 400 and close. */
int head_check(struct MHD_Connection *, const char *method, const char *url,
    const char *target, const char *version, struct head *out,
    struct fx_err *) FX_MUSTUSE;
void head_clear(struct head *);

#endif
