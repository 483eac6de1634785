/*
 * image_ref: how images are named: [domain/]path[:tag][@sha256:digest].
 *
 * Upstream's grammar, which is looser than that of registries: it only splits.
 * A first element is a domain if it looks like one, or if there are three.
 */
#ifndef FX_IMAGE_REF_H
#define FX_IMAGE_REF_H

#include "base.h"

struct image_ref {
	char *domain; /* owned, as are all; may be empty, but for the path */
	char *path;
	char *tag;
	char *digest; /* what follows "sha256:" */
};

/* The texts of errors are upstream's. */
int image_ref_parse(const char *, struct image_ref *out,
    struct fx_err *) FX_MUSTUSE;
void image_ref_clear(struct image_ref *);

/* The printed form, owned by the caller: with a digest the tag is left out. */
char *image_ref_print(const struct image_ref *);

#endif
