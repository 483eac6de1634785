/*
 * fields: who owns what in an object, read from its managedFields.
 *
 * Any change of a value that our apply set takes that field out of our entry;
 * changes of fields that are not ours leave it as it is.  So the digest of our
 * entry, compared with the one after our last apply, shows drift without
 * reading the object.  Where no digest is known (after a restart), an object is
 * in place if our entry covers every path of what git says.
 */
#ifndef FX_SW_FIELDS_H
#define FX_SW_FIELDS_H

#include "base.h"

#include <jansson.h>

#define SW_MANAGER                                                             \
	"fluxd" /* our field manager: never changed, never kubectl             \
		 */
#define FIELDS_DIGEST 16

/* Is it the Apply entry of this daemon? */
bool fields_is_ours(const json_t *entry);
/* fieldsV1 of our Apply entry; NULL if there is none.  Borrowed. */
const json_t *fields_ours(const json_t *metadata);

/* Who else writes the object, the last one first, for people; NULL: nobody.
 * Owned by the caller. */
char *fields_writers(const json_t *metadata);

/* Independent of the order of members.  All zero for NULL. */
void fields_digest(const json_t *fields, uint8_t out[FIELDS_DIGEST]);

/* Does the set own every path of the object? */
bool fields_cover(const json_t *fields, const json_t *object);

#endif
