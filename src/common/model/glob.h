/*
 * glob: the patterns of flags that name kinds of the API.
 *
 * `*` stands for any characters, `/` and none included; nothing else is
 * special.  The whole text has to match, case counts, and an empty pattern
 * matches the empty text alone.
 */
#ifndef FX_GLOB_H
#define FX_GLOB_H

#include "base.h"

/* Takes at most strlen(pattern) * strlen(text) steps. */
bool glob_match(const char *pattern, const char *text);

#endif
