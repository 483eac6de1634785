/*
 * image: the parts of an image reference, [domain/]path[:tag][@sha256:digest],
 * as the original splits it.
 */
#ifndef CTL_IMAGE_H
#define CTL_IMAGE_H

#include "base.h"
#include "error.h"

/* Borrowed parts of the text; an empty one has n 0. */
struct image_part {
	const char *s;
	size_t n;
};

struct image {
	struct image_part name; /* domain and path */
	struct image_part tag;
	struct image_part digest; /* after "@sha256:" */
};

/* The error's text is the original's. */
int image_parse(const char *, struct image *out, struct ctl_error *) FX_MUSTUSE;

/* As the original prints it: a digest replaces the tag.  Owned by the
 * caller. */
char *image_print(const struct image *);

#endif
