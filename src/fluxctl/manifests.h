/*
 * manifests: what `install` prints, as fluxctl 1.25.4 does: its daemon, its
 * account and its cache of image metadata.
 */
#ifndef CTL_MANIFESTS_H
#define CTL_MANIFESTS_H

#include "base.h"
#include "buf.h"
#include "options.h"

struct manifest {
	const char *file;  /* its name */
	const char *text;  /* with @places@ for what is different each time */
	bool for_scanning; /* left out where images are not scanned */
};

#define MANIFESTS 5
extern const struct manifest manifests[MANIFESTS];

/* Append the manifest's text; values are quoted where YAML wants it. */
void manifest_add(struct buf *, const struct manifest *,
    const struct ctl_options *, const char *ns);

#endif
