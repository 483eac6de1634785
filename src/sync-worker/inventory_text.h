/*
 * inventory_text: what the inventory's ConfigMap says.
 *
 *	fluxd inventory 1
 *	set PrT0pBCSn0mq3d_R1oQtMpO5mtW10W7tuWtLuoHMgDE
 *	kind - ConfigMap
 *	 demo settings other
 *	kind apps Deployment
 *	 demo web
 *	kind rbac.authorization.k8s.io ClusterRole
 *	 - system%3Afoo
 *
 * The names of sync sets, that of the one who wrote it in front; then, by API
 * group and kind, a line for each namespace with the names in it.  "-" is the
 * core group, or no namespace.  One inventory has one text: it is sorted, and
 * names are percent-encoded.
 *
 * Who may write ConfigMaps may have written it: what is read is bounded in
 * every direction, and a text that is not exactly of this form is none.
 */
#ifndef FX_SW_INVENTORY_TEXT_H
#define FX_SW_INVENTORY_TEXT_H

#include "base.h"
#include "buf.h"

/* A ConfigMap may hold 1 MiB, and etcd takes requests of 1.5. */
#define INV_TEXT_MAX (768u << 10)
#define INV_SETS_MAX 16
#define INV_ENTRIES_MAX 50000
/* each is a kind for us, too, when it is looked for: half of what we know */
#define INV_KINDS_MAX 512
#define INV_SET_NAME 43 /* bytes: SHA-256 in base64 */

struct inv_entry {
	const char *group; /* "": the core group */
	const char *kind;
	const char *ns; /* "": none */
	const char *name;
};

struct inv_doc {
	char *text; /* owned; what the rest points into */
	const char *sets[INV_SETS_MAX];
	size_t nsets;
	struct inv_entry *v; /* owned */
	size_t n;
};

/* FX_ESYNTAX or FX_ELIMIT: nothing of it counts. */
int inv_read(const char *text, size_t n, struct inv_doc *,
    struct fx_err *) FX_MUSTUSE;
void inv_clear(struct inv_doc *);

/* Are these words that an object can have? */
bool inv_may_hold(const struct inv_entry *);

/* Sorts the entries, all of which it may hold, and appends their text; the same
 * entry twice is one. FX_ELIMIT: inv_read would not take it, or the buf does
 * not. */
int inv_write(struct buf *, const char *const *sets, size_t nsets,
    struct inv_entry *, size_t n) FX_MUSTUSE;

#endif
