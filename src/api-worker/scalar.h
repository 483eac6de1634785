/*
 * scalar: the small grammars that requests carry: ids, images, release kinds.
 *
 * Each function takes a whole text and says whether it follows its grammar;
 * the texts of the errors are upstream's, which clients show.
 */
#ifndef FX_SCALAR_H
#define FX_SCALAR_H

#include "base.h"
#include "err.h"

/* <namespace>:<kind>/<name>, or the old <namespace>/<service>. */
int scalar_resource_id(const char *, struct fx_err *) FX_MUSTUSE;

/* A resource id or "<all>". */
int scalar_resource_spec(const char *, struct fx_err *) FX_MUSTUSE;

/* An image with a tag, or "<all latest>". */
int scalar_image_spec(const char *, struct fx_err *) FX_MUSTUSE;

/* "plan" or "execute". */
int scalar_release_kind(const char *, struct fx_err *) FX_MUSTUSE;

/* Put `what "s": ` in front of the error, as upstream wraps its own. */
int scalar_wrap(struct fx_err *, const char *what, const char *s);

#endif
