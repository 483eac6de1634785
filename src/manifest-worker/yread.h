/*
 * yread: the documents of a YAML stream, one after the other, as nodes.
 *
 * libyaml splits the text; what its events mean is decided here as upstream's
 * reader decides it, with its texts for errors.  The input is hostile, so
 * everything that could grow beyond the text is bounded while it is read, not
 * afterwards: nesting, the memory of a document, and what aliases stand for.
 */
#ifndef FX_YREAD_H
#define FX_YREAD_H

#include "base.h"
#include "node.h"

#define YREAD_MAX_DEPTH                                                        \
	128 /* collections; deepest CRD schemas reach about 60 */
#define YREAD_MAX_DOCUMENTS 100000 /* of a stream */
#define YREAD_MAX_DIRECTIVES 64	   /* %TAG lines of a stream */
#define YREAD_MAX_MEMORY                                                       \
	(48ul * 1024 * 1024) /* bytes of one document's nodes */

struct yread;

/* The bytes are borrowed until yread_free. */
struct yread *yread_new(const void *, size_t n);
/* Have node_source know what scalars were; before the first document. */
void yread_keep_source(struct yread *);
void yread_free(struct yread **);

/*
 * The next document's root, or NULL at the end of the stream.  Its nodes live
 * until the next call.  FX_ESYNTAX with go-yaml's text ("yaml: line 3: …"),
 * FX_ELIMIT when the document is past a limit.
 */
int yread_next(struct yread *, struct node **root, struct fx_err *) FX_MUSTUSE;

/* Where the document's nodes live, for more of them. */
struct arena *yread_arena(struct yread *);

#endif
