/*
 * ydoc: a small YAML document whose writer is trusted, but not to be careful.
 *
 * For configuration that holds secrets: size, depth and number of nodes are
 * bounded while libyaml reads, aliases counted as what they stand for; anchors,
 * which cost it quadratic time, are few; and the text of all nodes is wiped in
 * the end.  Manifests are read by other code.
 */
#ifndef FX_YDOC_H
#define FX_YDOC_H

#include "base.h"
#include "buf.h"

#include <yaml.h>

#define YDOC_BYTES_MAX (1u << 20)
#define YDOC_DEPTH_MAX 32
#define YDOC_NODES_MAX 50000
#define YDOC_ANCHORS_MAX 64
#define YDOC_ANCHOR_MAX 64 /* bytes of a name */

struct ydoc {
	yaml_document_t doc;
	bool loaded;
};

/* A node and its document; n is NULL for what is absent. */
struct ynode {
	yaml_document_t *doc;
	yaml_node_t *n;
};

/* The first document of the text; it may be empty. */
int
ydoc_load(struct ydoc *, const void *, size_t n, struct fx_err *) FX_MUSTUSE;
void ydoc_wipe(struct ydoc *);

struct ynode ydoc_root(struct ydoc *);

/* Member of a mapping; the last of several with the same key wins, as in Go,
 * and then those of mappings that are merged into it (<<). */
struct ynode ynode_get(struct ynode map, const char *key);

/* Element of a sequence; absent past its end. */
struct ynode ynode_at(struct ynode list, size_t i);

/* Borrowed: the text of a scalar; NULL for anything else and for null. */
const char *ynode_text(struct ynode);

/* Append the node as JSON.  FX_ELIMIT: the buf is full; FX_ESYNTAX: JSON has no
 * such keys. */
int ynode_json(struct ynode, struct buf *out) FX_MUSTUSE;

#endif
