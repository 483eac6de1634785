/*
 * scalar: what a YAML 1.1 scalar means, exactly as upstream's reader (go-yaml
 * v2.4) has it: `yes` is true, 012 is ten, 2020-01-01 stays a string and so
 * does 1:30:00.  kubectl reads manifests by the same rules; YAML 1.2's would
 * give other objects.
 */
#ifndef FX_SCALAR_H
#define FX_SCALAR_H

#include "base.h"
#include "node.h"

/*
 * Resolve a scalar into *out (kind and value; a string is borrowed from s,
 * except after !!binary, which decodes into the arena).  `tag` is the full
 * tag as written or NULL; `plain` is true for text without quotes and tag.
 * FX_ESYNTAX with go-yaml's text, FX_ELIMIT when the arena is full.
 */
int scalar_resolve(struct node *out, const char *tag, const char *s, size_t n,
    bool plain, struct arena *, struct fx_err *) FX_MUSTUSE;

/* Would this text, without quotes, be read as a string again? */
bool scalar_is_str(const char *s, size_t n);

/* As Go prints it with 'g' and the shortest digits: 1e+06, 0.1, .inf, .nan. */
void scalar_print_float(double, char out[NODE_TEXT_MAX]);

#endif
