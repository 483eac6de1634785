/*
 * export: what `save` keeps of an object in the cluster: what a manifest says,
 * without what the cluster added to it.
 */
#ifndef CTL_EXPORT_H
#define CTL_EXPORT_H

#include "base.h"
#include "error.h"

struct arena;
struct node;

/* Texts are owned, and empty where the object has none. */
struct export
{
	struct node *manifest; /* in the arena */
	char *kind, *name, *ns;
};

/* FX_ESYNTAX if it is not an object as the cluster has them; FX_ELIMIT. */
int export_filter(struct arena *, const struct node *object, struct export *,
    struct ctl_error *) FX_MUSTUSE;
void export_clear(struct export *);
#define auto_export FX_CLEANUP(export_clear)

/* Where the object goes below the directory: "shop/web-dep.yaml"; owned.
 * FX_EDENIED for names from the daemon that must not become file names. */
int
export_path(const struct export *, char **out, struct ctl_error *) FX_MUSTUSE;

#endif
