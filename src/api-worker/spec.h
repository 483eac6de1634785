/*
 * spec: the bodies that ask for a change: notifications and update specs.
 *
 * A body is decoded and checked as upstream does it on receipt; what upstream
 * leaves to the job (a bad image spec, say) passes here too.  The errors are
 * those of a bad request, status 400.
 */
#ifndef FX_SPEC_H
#define FX_SPEC_H

#include "base.h"
#include "buf.h"

#define SPEC_MAX_TEXT 4096 /* bytes of a message, a user, a URL */

enum spec_type {
	SPEC_IMAGE,
	SPEC_CONTAINERS,
	SPEC_POLICY,
	SPEC_AUTO,
	SPEC_SYNC,
};

/* An update spec; strings are owned. */
struct spec_update {
	enum spec_type type;
	char *user;
	char *message;
};

/* A notification; strings are owned, empty where they do not apply. */
struct spec_change {
	bool image; /* else git */
	char *url, *branch, *name;
};

int spec_update_parse(const char *body, size_t n, struct spec_update *out,
    struct fx_err *) FX_MUSTUSE;
void spec_update_clear(struct spec_update *);
/* "image", "containers", … */
const char *spec_type_name(enum spec_type);

int spec_change_parse(const char *body, size_t n, struct spec_change *out,
    struct fx_err *) FX_MUSTUSE;
void spec_change_clear(struct spec_change *);

/* The body of the old policies route: only the spec of a policy update. */
int spec_policies_check(const char *body, size_t n, struct fx_err *) FX_MUSTUSE;

/* The body of git-repo-config: true, false or null. */
int spec_bool_parse(const char *body, size_t n, bool *out,
    struct fx_err *) FX_MUSTUSE;

/*
 * Append a job's spec or result, which may come from a note that anybody wrote,
 * as Go's encoder writes it.  Not FX_OK: it is none, or says nothing, and
 * nothing was appended; a client would refuse the whole answer.
 */
int
spec_update_write(struct buf *, const char *json, struct fx_err *) FX_MUSTUSE;
int
spec_result_write(struct buf *, const char *json, struct fx_err *) FX_MUSTUSE;

/*
 * Who and why: they end up in a commit and in the log.  A user is one line,
 * a message has no control bytes but newline and tab, both are short.
 */
int spec_cause_check(const char *user, const char *message,
    struct fx_err *) FX_MUSTUSE;

#endif
