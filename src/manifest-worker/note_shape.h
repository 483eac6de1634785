/*
 * note_shape: what a note may look like.
 *
 * A note is made anew from what of it is known, with the names and the order
 * that upstream writes and nothing else: clients that are shown one reject all
 * of it for a single value that is not of their type.
 */
#ifndef FX_NOTE_SHAPE_H
#define FX_NOTE_SHAPE_H

#include "base.h"

#include <jansson.h>

/*
 * {"jobID":…,"spec":{"type":…,"cause":…,"spec":…},"result":…}: every member is
 * there and has its type, or is null where it may be; ids and images are
 * printed ones, and images that are empty are left out.  The caller's; NULL:
 * it is no note.
 */
json_t *note_shape(const json_t *, struct fx_err *);

#endif
