/*
 * inventory: a record of all that we have marked, in a ConfigMap of ours.
 *
 * Marks tell whose an object is as long as one knows the sync set's name and
 * can see the object.  The inventory is for the rest: what a former URL,
 * branch or list of paths has left behind, and kinds that may not be listed.
 * It names every object before that is applied for the first time, and as long
 * as it is not known to be gone; so whenever we die, what we marked is in it.
 *
 * It proves nothing by itself, for others may write ConfigMaps.  An object is
 * collected on its word only if its mark is that of its own id and of a set
 * that the inventory names, and if an annotation, which we write beside the
 * mark, says that it was applied for this inventory: so what another fluxd
 * keeps is safe whatever is written here.
 *
 * What is not in git any more is a stray from the beginning (gc.h), with
 * `listed` set; nothing else is done to it than to other strays, but that it
 * is asked for by name where no list shows it.
 *
 * Where it cannot be written or does not fit, that is told, and what it does
 * not name is kept: garbage collection is as it is without it.
 */
#ifndef FX_SW_INVENTORY_H
#define FX_SW_INVENTORY_H

#include "cluster.h"

#define INV_CLAIM "sync.fluxcd.io/inventory" /* annotation: "<ns>/<name>" */

struct inventory *inventory_new(struct cluster *, const char *name);
void inventory_free(struct inventory **);
/* The namespace of the ConfigMap; before the first pass. */
void inventory_place(struct inventory *, const char *ns);
const char *inventory_claim(const struct inventory *);

/* Have it name what the set has, and no longer what is gone.  Costs nothing
 * where it does.  pass_step is called when it is busy no more. */
void inventory_keep(struct inventory *);
bool inventory_is_busy(const struct inventory *);

/* A stray that it names is gone, or is not ours. */
void inventory_shrunk(struct inventory *);
/* What it names of kinds that the catalog has by now becomes strays. */
void inventory_resolve(struct inventory *);
/* Is the object's mark that of a former set, and does it say it is ours? */
bool inventory_proves(const struct inventory *, const char *id,
    const json_t *metadata);

#endif
