/*
 * takeover: what kubectl's client-side apply left in an object.
 *
 * An object that was applied by kubectl, or by the daemon before this one, has
 * two traces of it.  An entry in managedFields owns every field applied; as
 * long as it stands, a field that leaves git stays in the object for ever.  An
 * annotation has what was applied last; kubectl compares with it when it comes
 * back.  The entry is made ours, before anything is applied, by a patch of the
 * metadata alone; the annotation is kept current, or is removed, never left.
 */
#ifndef FX_SW_TAKEOVER_H
#define FX_SW_TAKEOVER_H

#include "base.h"
#include "buf.h"

#include <jansson.h>

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/* Is there an entry of client-side apply? */
bool takeover_has_entry(const json_t *metadata);
bool takeover_has_annotation(const json_t *metadata);

/*
 * Append the JSON patch that makes such entries ours (nothing else changes) and
 * with `strip` removes the annotation.  Other people's entries stay as they
 * are.  It holds only for the resourceVersion of the metadata.  FX_EUNKNOWN:
 * there is nothing to do; FX_ELIMIT: longer than the buf takes.
 */
int takeover_patch(struct buf *, const json_t *metadata, bool strip) FX_MUSTUSE;

/*
 * Write the annotation into an object as git has it: in kubectl's form, so
 * that kubectl sees no difference.  One that is there already is replaced.
 * false: annotations would be more than the server takes; then the object has
 * none, as kubectl does it.
 */
bool takeover_annotate(json_t *object, const json_t *git);

/* What was applied last, of the metadata; NULL: not there, or not readable. */
json_t *takeover_last(const json_t *metadata);

#endif
