/*
 * canon: the canonical text of a document, byte for byte what upstream's
 * writer (go-yaml v2.4) makes of it, and its SHA-1.
 *
 * The text decides whether an object changed: it is what the checksum in the
 * cluster is computed from.  Block style, two spaces, sequences not indented
 * under their key, long plain text folded after 80 columns, `|` for text with
 * line ends, quotes only where the text would be read as something else.
 */
#ifndef FX_CANON_H
#define FX_CANON_H

#include "base.h"
#include "buf.h"
#include "node.h"

#define CANON_MAX (16ul * 1024 * 1024) /* bytes, aliases written out */
#define CANON_HASH_LEN 20	       /* bytes of a SHA-1 */

/*
 * Write the text of a document to `out` (NULL: nowhere) and its hash to
 * `hash`; note in every node the line it begins on.  FX_ELIMIT when the text
 * is longer than CANON_MAX or does not fit into the buf.
 */
int canon_write(struct node *root, struct buf *out,
    uint8_t hash[CANON_HASH_LEN], struct fx_err *) FX_MUSTUSE;

#endif
