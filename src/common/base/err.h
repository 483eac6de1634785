/*
 * err: an error is a value with a code for programs and a text for people.
 *
 * A function that can fail returns FX_OK (0) or a negative fx_code.  Code whose
 * failure a person will read takes a `struct fx_err *` last.  The deepest place
 * that knows what failed writes the text; places that know why it was tried
 * put that in front, so the text reads from the outside in.  An fx_err is left
 * untouched on success, holds no pointers and never holds a secret.
 */
#ifndef FX_ERR_H
#define FX_ERR_H

#include "base.h"

enum fx_code {
	FX_OK = 0,
	FX_EFAIL = -1,	     /* it did not work; see the text */
	FX_ELIMIT = -2,	     /* more than a named limit allows */
	FX_ESHORT = -3,	     /* input ends too early */
	FX_EDENIED = -4,     /* not allowed by a rule or a server */
	FX_EUNKNOWN = -5,    /* no such thing */
	FX_ESYNTAX = -6,     /* input does not follow its grammar */
	FX_ESYS = -7,	     /* a system call failed; the text has errno's */
	FX_EAGAIN = -8,	     /* would have to wait */
	FX_ETIMEOUT = -9,    /* a deadline passed */
	FX_ERETRY = -10,     /* transient: the same request may succeed later */
	FX_ECONFLICT = -11,  /* somebody else was faster */
	FX_ECANCELLED = -12, /* nobody waits for it any more */
	FX_ERESOLVE = -13,   /* a host name could not be resolved */
	FX_ENEEDFULL = -14,  /* the base of a delta is not known here */
	FX_EGONE = -15,	     /* a cache has to be filled again first */
};
#define FX_CODE_MIN FX_EGONE

#define FX_ERR_TEXT_MAX 1024

struct fx_err {
	int code; /* enum fx_code; FX_OK until something failed */
	char text[FX_ERR_TEXT_MAX]; /* for people; no secrets */
};

/* Fill in the error and return code, so that callers can `return fx_fail(…)`.
 */
int fx_fail(struct fx_err *, int code, const char *fmt, ...) FX_PRINTF(3, 4);

/* Put "what was tried: " in front of the text; returns the error's code. */
int fx_wrap(struct fx_err *, const char *fmt, ...) FX_PRINTF(2, 3);

/* "denied", "limit", …: the fixed word of a code, for logs. */
const char *fx_code_name(int code);

#endif
